import { expect, it } from 'vitest';
import { parameters, requiredTypes, signature } from './parameters.ts';
import type { Value } from './xmlrpc.ts';

const taken = (takes: string, ...params: Value[]) => parameters(['user:password', ...params], takes, false);

it('takes what a method needs and what it may be given, and ignores more', () => {
  expect(taken('is|b', 1, 'a')).toEqual([1, 'a']);
  expect(taken('is|b', 1, 'a', true, 4, 5)).toEqual([1, 'a', true]);
  expect(taken('A', [1, 2])).toEqual([[1, 2]]);
});

it.each([
  ['i', [], 'Not enough parameters'],
  ['is', [1], 'Not enough parameters'],
  ['i', ['1'], 'Parameter that is supposed to be integer is not'],
  ['i', [{ double: 1 }], 'Parameter that is supposed to be integer is not'],
  ['s', [1], 'Parameter that is supposed to be a string is not'],
  ['i|b', [1, 1], 'Parameter that is supposed to be boolean is not'],
  ['A', ['a'], 'Parameter that is supposed to be an array is not'],
  ['A', [['a']], 'Parameter that is supposed to be an array is not'],
] as [string, Value[], string][])('%s does not take %j', (takes, params, why) => {
  expect(() => taken(takes, ...params)).toThrow(why);
});

it('tells 64 bits from 32', () => {
  expect(() => taken('i', 1n)).toThrow('Parameter that is supposed to be integer is not');
});

it('reads the wish to see secrets from administrators only, and passes it to nobody', () => {
  const given = ['user:password', 7, 1];
  expect(parameters(given, 'i|d', false)).toEqual([7]);
  expect(() => parameters(given, 'i|d', true)).toThrow('Parameter that is supposed to be boolean is not');
  expect(parameters(['user:password', 7, false], 'i|d', true)).toEqual([7]);
});

it('says how a method is called', () => {
  expect(signature('one.vm.resize', 'isb')).toBe('one.vm.resize(session, int, string, boolean)');
  expect(signature('one.user.login', 'ssi|i')).toBe('one.user.login(session, string, string, int, [int])');
  expect(requiredTypes('ssi|i')).toEqual(['string', 'string', 'string', 'int']);
});
