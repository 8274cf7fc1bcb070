/** What goes on at once and what waits, and what becomes of failures in both. */
import { describe, expect, it } from 'vitest';
import { attempt, whenThere } from './soon.ts';

const double = (n: number): number => 2 * n;

const fails = (): never => {
  throw new Error('no');
};

const messageOf = (error: unknown): string => `${error}`;

describe('whenThere', () => {
  it('goes on at once with what is there', () => {
    expect(whenThere(4, double)).toBe(8);
    expect(() => whenThere(4, fails)).toThrow('no');
  });

  it('goes on later with what will be', async () => {
    const later = whenThere(Promise.resolve(4), double);
    expect(later).toBeInstanceOf(Promise);
    expect(await later).toBe(8);
    await expect(whenThere(Promise.resolve(4), fails)).rejects.toThrow('no');
  });
});

describe('attempt', () => {
  it('gives what comes of it, at once or later', async () => {
    expect(attempt(() => 'a', messageOf)).toBe('a');
    expect(await attempt(() => Promise.resolve('b'), messageOf)).toBe('b');
  });

  it('makes something of a failure, at once or later', async () => {
    expect(attempt<string>(fails, messageOf)).toBe('Error: no');
    expect(await attempt(() => Promise.reject(new Error('later')), messageOf)).toBe('Error: later');
    expect(() => attempt(fails, fails)).toThrow('no');
  });
});
