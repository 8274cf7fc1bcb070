/** A map by ids does what a map does, in order of id. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { IdMap } from './id-map.ts';

const id = fc.oneof(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 250, max: 260 }), fc.nat(5000));
const step = fc.record({ id, do: fc.constantFrom('set', 'set', 'delete') });

it('holds what a map holds', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const ids = new IdMap<string>();
      const model = new Map<number, string>();
      for (const [n, { id, do: what }] of steps.entries()) {
        if (what === 'delete') expect(ids.delete(id)).toBe(model.delete(id));
        else {
          ids.set(id, `${n}`);
          model.set(id, `${n}`);
        }
        expect(ids.size).toBe(model.size);
      }
      for (const { id } of steps) expect(ids.get(id)).toBe(model.get(id));
      expect(new Map(ids.entries())).toEqual(model);
      expect([...ids].sort()).toEqual([...model.values()].sort());
    }),
    { seed: 1, numRuns: 300 },
  );
});

it('is walked in order of id, with what comes and without what goes meanwhile', () => {
  const ids = new IdMap<number>();
  for (let n = 0; n < 3000; n += 500) ids.set(n, n);
  const seen: number[] = [];
  for (const n of ids) {
    seen.push(n);
    if (n === 500) {
      ids.delete(1000);
      ids.delete(500);
      ids.set(3000, 3000);
    }
  }
  expect(seen).toEqual([0, 500, 1500, 2000, 2500, 3000]);
});

it('has nothing under what is no id', () => {
  const ids = new IdMap<string>();
  ids.set(0, 'a');
  ids.set(5, 'b');
  for (const none of [-1, -256, 0.5, 256, 2 ** 32, 2 ** 32 + 5, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect([ids.get(none), ids.delete(none)]).toEqual([undefined, false]);
  }
  ids.clear();
  expect([ids.size, ids.get(5), [...ids]]).toEqual([0, undefined, []]);
});
