import { describe, expect, it } from 'vitest';
import { glob } from './glob.ts';

describe('a shell pattern', () => {
  it.each([
    ['abc', ['abc'], ['ab', 'abcd', 'ABC']],
    ['a*', ['a', 'abc', 'a/b'], ['ba']],
    ['*a*b*', ['ab', 'xaxbx'], ['ba']],
    ['a?c', ['abc', 'a/c'], ['ac', 'abbc']],
    ['[a-c]1', ['a1', 'c1'], ['d1', '-1']],
    ['[!a-c]', ['d', ']'], ['a', '']],
    ['[^a]', ['b'], ['a']],
    ['[]a]', [']', 'a'], ['b']],
    ['[a-]', ['a', '-'], ['b']],
    ['[[:digit:]]', ['7'], ['x', ':']],
    ['[[:nonsense:]a]', [], ['a']],
    ['[ab', ['[ab'], ['a']],
    ['\\*', ['*'], ['a', '\\*']],
    ['a\\', [], ['a', 'a\\']],
    ['', [''], ['a']],
  ])('%s', (pattern, fitting, others) => {
    expect(fitting.filter((text) => !glob(pattern)(text))).toEqual([]);
    expect(others.filter(glob(pattern))).toEqual([]);
  });

  it('with many stars takes no more than the product of the lengths', () => {
    expect(glob(`${'a*'.repeat(500)}b`)('a'.repeat(2000))).toBe(false);
  });
});
