import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyOf, type Belief, either, later, seen, UNBORN } from './belief.ts';

const STATES = ['PENDING', 'RUNNING', 'UPDATING', 'ERROR'] as const;
type Look = readonly [state: (typeof STATES)[number], asked: boolean];

/** What is left to believe after looks, each with whether somebody asked for something before it. */
const believed = (...looks: readonly Look[]): Belief =>
  looks.reduce<Belief>((belief, [state, asked]) => seen(later(belief, asked), state), UNBORN);

describe('a belief', () => {
  test.each<[string, readonly Look[]]>([
    [
      'comes up',
      [
        ['PENDING', false],
        ['RUNNING', false],
      ],
    ],
    ['is seen late', [['RUNNING', false]]],
    [
      'fails to come up',
      [
        ['PENDING', false],
        ['ERROR', false],
      ],
    ],
    [
      'is resized',
      [
        ['RUNNING', false],
        ['UPDATING', true],
        ['RUNNING', false],
      ],
    ],
    [
      'is lost, and is back',
      [
        ['RUNNING', false],
        ['ERROR', false],
        ['RUNNING', false],
      ],
    ],
    [
      'powers itself off',
      [
        ['RUNNING', false],
        ['PENDING', false],
      ],
    ],
    [
      'is tried again',
      [
        ['ERROR', false],
        ['PENDING', true],
        ['RUNNING', false],
      ],
    ],
  ])('fits what %s', (_, looks) => {
    expect(believed(...looks).size).toBeGreaterThan(0);
  });

  test.each<[string, readonly Look[]]>([
    [
      'is resized, and nobody has asked',
      [
        ['RUNNING', false],
        ['UPDATING', false],
      ],
    ],
    [
      'is resized again by itself',
      [
        ['RUNNING', false],
        ['UPDATING', true],
        ['RUNNING', false],
        ['UPDATING', false],
      ],
    ],
    [
      'has failed, and is resized by itself',
      [
        ['PENDING', false],
        ['ERROR', false],
        ['UPDATING', false],
      ],
    ],
  ])('fits nothing that %s', (_, looks) => {
    expect(believed(...looks).size).toBe(0);
  });

  const look = fc.tuple(fc.constantFrom(...STATES), fc.boolean());

  test('of more is more, and time takes nothing away', () => {
    fc.assert(
      fc.property(fc.array(look, { maxLength: 6 }), fc.constantFrom(...STATES), fc.boolean(), (looks, state, asked) => {
        const belief = believed(...looks);
        const wider = either(belief, anyOf(state));
        for (const each of belief) expect(later(belief, asked)).toContain(each);
        for (const each of later(belief, asked)) expect(later(wider, asked)).toContain(each);
        for (const each of later(belief, false)) expect(later(belief, true)).toContain(each);
      }),
      { seed: 1, numRuns: 100 },
    );
  });

  test('does not change by looking twice', () => {
    fc.assert(
      fc.property(fc.array(look, { maxLength: 6 }), (looks) => {
        const belief = believed(...looks);
        for (const state of STATES) expect(seen(seen(belief, state), state)).toEqual(seen(belief, state));
      }),
      { seed: 1, numRuns: 50 },
    );
  });
});
