import { expect, it } from 'vitest';
import { ctime } from './ctime.ts';

it('writes a time as the recordings have it', () => {
  expect(ctime(1795297391)).toBe('Sat Nov 21 21:43:11 2026');
});

it('puts a blank in front of a day below 10', () => {
  expect(ctime(0)).toBe('Thu Jan  1 00:00:00 1970');
});
