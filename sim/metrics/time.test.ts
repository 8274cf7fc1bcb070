import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseDuration, parseTime } from './time.ts';

describe('times', () => {
  test.each([
    ['1504011287', 1504011287000],
    ['1504011287.123', 1504011287123],
    ['1.504011287e9', 1504011287000],
    ['-1', -1000],
    ['2017-08-29T12:54:47Z', 1504011287000],
    ['2017-08-29T12:54:47.1239Z', 1504011287123],
    ['2017-08-29T14:54:47+02:00', 1504011287000],
    ['2017-08-29T12:54:47 00:00', 1504011287000],
    ['2017-08-29T06:24:47-06:30', 1504011287000],
    ['2016-02-29T00:00:00Z', 1456704000000],
  ])('reads %s', (text, timeMs) => {
    expect(parseTime(text)).toBe(timeMs);
  });

  test.each([
    '',
    'now',
    '2017-08-29',
    '2017-08-29T12:54:47',
    '2017-08-29T12:54Z',
    '2017-08-29t12:54:47z',
    '2017-02-30T00:00:00Z',
    '2017-08-29T24:00:00Z',
    '2017-08-29T12:54:60Z',
    '2017-08-29T12:54:47+24:00',
    'NaN',
    'Inf',
    '1e300',
    '0x10',
    '10s',
    ' 1',
  ])('refuses %s in the words of Prometheus', (text) => {
    expect(() => parseTime(text)).toThrow(`cannot parse "${text}" to a valid timestamp`);
  });

  test('quotes what it refuses as Go does', () => {
    expect(() => parseTime('a"\\u0001\u0001')).toThrow('cannot parse "a\\"\\\\u0001\\x01" to a valid timestamp');
  });

  test('reads back any time that JavaScript writes', () => {
    fc.assert(
      fc.property(fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(2e12) }), (date) => {
        expect(parseTime(date.toISOString())).toBe(date.getTime());
        expect(parseTime(String(date.getTime() / 1000))).toBe(date.getTime());
      }),
      { seed: 1 },
    );
  });
});

describe('durations', () => {
  test.each([
    ['14', 14_000],
    ['0.5', 500],
    ['0.29', 290],
    ['10s', 10_000],
    ['1m', 60_000],
    ['250ms', 250],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
    ['1w', 604_800_000],
    ['1y', 31_536_000_000],
    ['0', 0],
    ['-5', -5000],
    ['0.0001', 0],
  ])('reads %s', (text, durationMs) => {
    expect(parseDuration(text)).toBe(durationMs);
  });

  test.each(['', 's', '1.5m', '1m30s', '-1m', '1 s', '10S', 'NaN', '1e300', '99999999999y'])('refuses %s', (text) => {
    expect(() => parseDuration(text)).toThrow(`cannot parse "${text}" to a valid duration`);
  });
});
