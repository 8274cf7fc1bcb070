import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { floatText, inspect, toInteger, toText } from './ruby-text.ts';

describe('toInteger', () => {
  it.each([
    ['12', 12n],
    ['12abc', 12n],
    ['abc', 0n],
    ['', 0n],
    [' \t7', 7n],
    ['+5', 5n],
    ['-1', -1n],
    ['999_999', 999999n],
    ['1__2', 1n],
    ['_1', 0n],
    ['0x10', 0n],
    ['95.7', 95n],
    ['99999999999999999999', 99999999999999999999n],
  ])('%j is %s', (text, value) => {
    expect(toInteger(text)).toBe(value);
  });
});

it('reads a number of any length at once, and finds it large', () => {
  expect(toInteger('9'.repeat(4_000_000)) > 2n ** 31n).toBe(true);
});

describe('floatText', () => {
  it.each([
    [1, '1.0'],
    [-0, '-0.0'],
    [0.360587, '0.360587'],
    [0.0001, '0.0001'],
    [0.00001, '1.0e-05'],
    [1e15, '1000000000000000.0'],
    [1e16, '1.0e+16'],
    [1.5e300, '1.5e+300'],
    [123456.789, '123456.789'],
  ])('%d is %s', (value, text) => {
    expect(floatText(value)).toBe(text);
  });

  it('reads back as the same number', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(Number(floatText(value))).toBe(value);
        expect(floatText(value)).toContain('.');
      }),
      { seed: 1 },
    );
  });
});

describe('toText', () => {
  it('is inspect for all but texts and nil', () => {
    expect(toText('a "b"')).toBe('a "b"');
    expect(toText(null)).toBe('');
    expect(toText([1n, 'a', null, 1.5, true])).toBe('[1, "a", nil, 1.5, true]');
    expect(
      toText(
        new Map<string, bigint | null>([
          ['a', 1n],
          ['b', null],
        ]),
      ),
    ).toBe('{"a"=>1, "b"=>nil}');
  });
});

describe('inspect', () => {
  it('escapes quotes, interpolation, what cannot be printed and what is no character', () => {
    expect(inspect('a"\\\n#{x}é\u0001\u{e0001}\udce9')).toBe('"a\\"\\\\\\n\\#{x}é\\u0001\\u{E0001}\\xE9"');
  });
});
