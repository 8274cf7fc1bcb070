import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type CastInstance, castOf } from './cast.ts';

class Counter {
  readonly steps: number[];

  constructor(steps: number[]) {
    this.steps = steps;
  }
}

const INSTANCES = new Map<object, CastInstance>([
  [
    Counter.prototype,
    (counter: Counter, cast) => {
      const make = cast(counter.steps);
      return (met) => new Counter(make(met) as number[]);
    },
  ],
]);

const { value: anything } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.oneof(fc.string(), fc.double(), fc.boolean(), fc.constantFrom(null, undefined)),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor')), tie('value'), {
      maxKeys: 4,
      noNullPrototype: true,
    }),
    fc.array(fc.tuple(fc.string(), tie('value')), { maxLength: 4 }).map((entries) => new Map(entries)),
    fc.array(tie('value'), { maxLength: 4 }).map((values) => new Set(values)),
    fc.array(fc.integer(), { maxLength: 4 }).map((steps) => new Counter(steps)),
  ),
}));

test('a copy is equal, of whatever it is made', () => {
  const isEqualCopy = (value: unknown): void => {
    const make = castOf(value, INSTANCES);
    for (let i = 0; i < 2; i++) expect(isDeepStrictEqual(make(), value)).toBe(true);
  };
  fc.assert(fc.property(anything, isEqualCopy), { seed: 1, numRuns: 300 });
});

test('what changes in the original or in a copy shows in no other', () => {
  const original = {
    list: [1, { deep: 'a' }],
    map: new Map([['k', [1]]]),
    set: new Set([1]),
    counter: new Counter([1]),
  };
  const make = castOf(original, INSTANCES);
  const before = make();
  for (const each of [original, make()]) {
    each.list.push(2);
    Object.assign(each.list[1] as object, { deep: 'b' });
    each.map.get('k')?.push(2);
    each.map.clear();
    each.set.add(2);
    each.counter.steps.push(2);
    expect(make()).toStrictEqual(before);
  }
});

test('what was one object is one in each copy, and another in the next', () => {
  const shared = { value: 1 };
  const make = castOf({ one: shared, others: [shared, new Map([[shared, shared]])] as const }, INSTANCES);
  const [first, second] = [make(), make()];
  for (const { one, others } of [first, second]) {
    expect(others[0]).toBe(one);
    expect([...others[1]]).toEqual([[one, one]]);
    expect(others[1].get(one)).toBe(one);
  }
  expect(first.one).not.toBe(second.one);
});

test('refuses what it does not know, and what is part of itself', () => {
  const round: unknown[] = [];
  round.push({ round });
  expect(() => castOf(round, INSTANCES)).toThrow('part of itself');
  expect(() => castOf([new Date(0)], INSTANCES)).toThrow('a Date is nothing that can be copied');
});
