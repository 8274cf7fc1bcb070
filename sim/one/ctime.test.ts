import { expect, it } from 'vitest';
import { ctime } from './ctime.ts';

it('writes a time as the recordings have it', () => {
  expect(ctime(1795297391)).toBe('Sat Nov 21 21:43:11 2026');
});

it('puts a blank in front of a day below 10', () => {
  expect(ctime(0)).toBe('Thu Jan  1 00:00:00 1970');
});

it('does not care about the time zone of the host', () => {
  const before = process.env.TZ;
  try {
    process.env.TZ = 'Pacific/Auckland';
    expect(new Date(0).getTimezoneOffset()).not.toBe(0);
    expect(ctime(0)).toBe('Thu Jan  1 00:00:00 1970');
  } finally {
    if (before === undefined) delete process.env.TZ;
    else process.env.TZ = before;
  }
});
