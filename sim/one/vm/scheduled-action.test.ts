import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Template } from '../syntax/syntax.ts';
import { isWaiting, pass, planOf, type ScheduledAction } from './scheduled-action.ts';

const DAY = 86_400;
const WEEKLY = 0;
const MONTHLY = 1;
const YEARLY = 2;
const HOURLY = 3;

function scheduled(text: string): ScheduledAction {
  const wanted = Template.parse(`SCHED_ACTION=[ACTION=hold, ${text}]`).vector('SCHED_ACTION');
  if (wanted === undefined) throw new Error(text);
  return { id: 0, ...planOf(wanted, 0, 'ACTION'), done: -1, message: '' };
}

/** The number that a time has in a week, month or year, in UTC. */
const NUMBERS: readonly ((date: Date) => number)[] = [
  (date) => date.getUTCDay(),
  (date) => date.getUTCDate(),
  (date) =>
    (Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()) - Date.UTC(date.getUTCFullYear(), 0)) /
    DAY /
    1000,
];
const RANGES = [
  [0, 6],
  [1, 28],
  [0, 364],
] as const;

/** From 2020 to 2051. */
const seconds = fc.integer({ min: 1_577_836_800, max: 2_556_057_600 });

describe('the next turn of an action that recurs', () => {
  const cases = fc.constantFrom(WEEKLY, MONTHLY, YEARLY).chain((repeat) => {
    const [min, max] = RANGES[repeat] as readonly [number, number];
    const days = fc.uniqueArray(fc.integer({ min, max }), { minLength: 1, maxLength: 5 });
    return fc.tuple(fc.constant(repeat), days, seconds);
  });

  it('is the first of its days after the last, at the same time of day', () => {
    fc.assert(
      fc.property(cases, ([repeat, days, time]) => {
        const action = scheduled(`TIME=${time}, REPEAT=${repeat}, DAYS="${days.join()}"`);
        pass(action, time);
        expect([action.done, isWaiting(action), (action.time - time) % DAY]).toEqual([time, true, 0]);
        const number = NUMBERS[repeat] as (date: Date) => number;
        const first = Array.from({ length: 400 }, (_, n) => time + (n + 1) * DAY).find((at) =>
          days.includes(number(new Date(at * 1000))),
        );
        expect(action.time).toBe(first);
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it('of an interval of hours is the first multiple of it that has not been missed', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 167 }),
        seconds,
        fc.integer({ min: 0, max: 9_000_000 }),
        (hours, time, late) => {
          const action = scheduled(`TIME=${time}, REPEAT=${HOURLY}, DAYS="${hours}"`);
          const now = time + late;
          pass(action, now);
          const step = hours * 3600;
          expect((action.time - time) % step).toBe(0);
          expect(action.time).toBeGreaterThanOrEqual(now);
          expect(action.time - now).toBeLessThanOrEqual(step);
        },
      ),
      { seed: 1, numRuns: 300 },
    );
  });

  it('comes once more than END_VALUE says', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 20 }), (times) => {
        const action = scheduled(`TIME=1000, REPEAT=${HOURLY}, DAYS="1", END_TYPE=1, END_VALUE=${times}`);
        let turns = 0;
        for (; isWaiting(action) && turns < 100; turns++) pass(action, action.time);
        expect(turns).toBe(times + 1);
      }),
      { seed: 1, numRuns: 30 },
    );
  });
});
