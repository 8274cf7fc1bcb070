import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SubAttributes } from './sub-attributes.ts';

describe('sub-attributes', () => {
  it('are a map, sorted by name, in which the first of two equal names wins', () => {
    const names = fc.constantFrom<string[]>('A', 'B', 'C', 'D', 'E');
    fc.assert(
      fc.property(fc.array(fc.tuple(names, fc.string())), (entries) => {
        const map = new Map([...entries].reverse());
        const sorted = [...map].sort(([a], [b]) => (a < b ? -1 : 1));
        const given = new SubAttributes(entries);
        const visited: [string, string][] = [];
        given.forEach((value, name) => {
          visited.push([name, value]);
        });
        expect([...given]).toEqual(sorted);
        expect([...given.entries()]).toEqual(sorted);
        expect(visited).toEqual(sorted);
        expect([...given.keys()]).toEqual(sorted.map(([name]) => name));
        expect([...given.values()]).toEqual(sorted.map(([, value]) => value));
        expect(given.size).toBe(map.size);
        for (const name of ['A', 'B', 'C', 'D', 'E', 'F']) {
          expect([given.has(name), given.get(name)]).toEqual([map.has(name), map.get(name)]);
        }
      }),
      { seed: 1 },
    );
  });
});
