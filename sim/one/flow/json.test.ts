import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { copyJson, deepMerge, type JsonObject, put } from './json.ts';

describe('deepMerge', () => {
  test('merges objects by key and replaces scalars', () => {
    expect(deepMerge({ a: { b: 1, c: 2 }, d: 3 }, { a: { c: 4 }, d: [5] })).toEqual({ a: { b: 1, c: 4 }, d: [5] });
  });

  test('merges arrays by index, whatever their elements are called', () => {
    const template = { roles: [{ name: 'DAAS', cpu: 1 }, { name: 'FAAS' }] };
    expect(deepMerge(template, { roles: [{ name: 'FAAS' }] })).toEqual({
      roles: [{ name: 'FAAS', cpu: 1 }, { name: 'FAAS' }],
    });
  });

  test('replaces an array as a whole where two elements are not both objects', () => {
    expect(deepMerge({ a: [1, 2, 3] }, { a: [4] })).toEqual({ a: [4] });
    expect(deepMerge({ a: [{ x: 1 }] }, { a: [{ y: 1 }, { z: 1 }] })).toEqual({ a: [{ y: 1 }, { z: 1 }] });
    expect(deepMerge({ a: [{ x: 1 }] }, { a: [] })).toEqual({ a: [{ x: 1 }] });
  });

  test('changes neither of the two, and nothing is a merge with nothing', () => {
    const object = fc.dictionary(fc.string(), fc.jsonValue()) as fc.Arbitrary<JsonObject>;
    fc.assert(
      fc.property(object, object, (base, over) => {
        const before = JSON.stringify([base, over]);
        const merged = deepMerge(base, over);
        expect(JSON.stringify([base, over])).toBe(before);
        expect(deepMerge(base, {})).toEqual(base);
        expect(deepMerge({}, over)).toEqual(over);
        expect(deepMerge(merged, over)).toEqual(merged);
      }),
      { seed: 1, numRuns: 300 },
    );
  });
});

test('a copy is equal and shares nothing', () => {
  const value: JsonObject = { a: [{ b: { c: 1 } }], d: null };
  put(value, '__proto__', { e: 1 });
  const copy = copyJson(value);
  expect(JSON.stringify(copy)).toBe(JSON.stringify(value));
  expect(copy.a).not.toBe(value.a);
  expect((copy.a as JsonObject[])[0]).not.toBe((value.a as JsonObject[])[0]);
});
