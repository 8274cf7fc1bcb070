import { describe, expect, it } from 'vitest';
import { nearest, suggestion } from './nearest.ts';

const WORDS = ['deploy', 'prolog', 'shutdown', 'ms', 'times'];

describe('the nearest name', () => {
  it.each([
    ['deplyo', 'deploy'],
    ['DEPLOY', 'deploy'],
    ['shutdwn', 'shutdown'],
    ['time', 'times'],
    ['m', 'ms'],
    ['banana', undefined],
    ['', undefined],
    ['x'.repeat(100_000), undefined],
  ])('to %.20j is %s', (given, expected) => {
    expect(nearest(given, WORDS)).toBe(expected);
  });

  it('is the first of those that are equally near', () => {
    expect(nearest('cat', ['bat', 'rat'])).toBe('bat');
  });

  it('ends a message, or nothing does', () => {
    expect(suggestion('deplyo', WORDS)).toBe(', did you mean "deploy"?');
    expect(suggestion('banana', WORDS)).toBe('');
    expect(suggestion('deploy', [])).toBe('');
  });
});
