import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SubAttributes } from '../syntax/sub-attributes.ts';
import { type Derived, derived, merged, prevailing } from './inheritance.ts';

test('what prevails of a name is what the merged layers have', () => {
  const name = fc.constantFrom('A', 'B', 'C', 'D');
  const pairs = fc.array(fc.tuple(name, fc.string({ maxLength: 2 })), { maxLength: 4 });
  const layer = fc.oneof(
    fc.constant(null),
    pairs,
    pairs.map((all) => new SubAttributes(all)),
    pairs.map((all) => new Map(all)),
  );
  fc.assert(
    fc.property(fc.array(layer, { maxLength: 4 }), name, (layers, wanted) => {
      expect(prevailing(layers, wanted)).toBe(new Map(merged(...layers)).get(wanted));
    }),
    { seed: 1 },
  );
});

test('what follows from a source is shared until what it follows from changes', () => {
  const last: Derived<object> = new WeakMap();
  const source = {};
  const make = (...from: unknown[]): object => derived(last, source, from, () => ({}));
  const first = make('a', 1);
  expect(make('a', 1)).toBe(first);
  expect(make('a', 2)).not.toBe(first);
  expect(make('a', 2, 3)).not.toBe(make('a', 2));
  expect(derived(last, {}, ['a', 2], () => ({}))).not.toBe(make('a', 2));
});
