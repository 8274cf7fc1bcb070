/** What a memory keeps, and what it does not. */
import { expect, it } from 'vitest';
import { remembered } from './remembered.ts';

it('makes a thing once for each text', () => {
  const made: string[] = [];
  const upper = remembered((text) => {
    made.push(text);
    return text.toUpperCase();
  });
  expect(['a', 'b', 'a'].map(upper)).toEqual(['A', 'B', 'A']);
  expect(made).toEqual(['a', 'b']);
});

it('forgets the oldest of very many, and keeps no long text', () => {
  let made = 0;
  const length = remembered((text) => {
    made++;
    return text.length;
  });
  for (let i = 0; i < 2000; i++) length(`${i}`);
  length('1999');
  expect(made).toBe(2000);
  length('0');
  expect(made).toBe(2001);
  for (let i = 2000; i < 4000; i++) {
    length(`${i}`);
    // What is asked for now and then stays.
    if (i % 500 === 0) length('0');
  }
  expect(made).toBe(4001);
  const long = 'x'.repeat(5000);
  expect([length(long), length(long), made]).toEqual([5000, 5000, 4003]);
});

it('makes again what could not be made', () => {
  let tries = 0;
  const fails = remembered((): string => {
    tries++;
    throw new Error('no');
  });
  expect(() => fails('a')).toThrow('no');
  expect(() => fails('a')).toThrow('no');
  expect(tries).toBe(2);
});
