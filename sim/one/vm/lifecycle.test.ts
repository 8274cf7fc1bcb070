/** The life cycle, checked as tables, and against what a real oned did with each call in each state. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ERROR_NUMBERS, OneError } from '../error.ts';
import type { Method } from '../operations.ts';
import { furnishedCloud } from '../testing.ts';
import { ACTIONS, FAILURES, GUEST_STATES, OPERATIONS, STATES, STEPS, type State, stepOf } from './lifecycle.ts';
import { ROADS, sceneIn } from './scene.ts';

const golden = <T>(name: string): T =>
  JSON.parse(readFileSync(new URL(`../../../fixtures/golden/${name}`, import.meta.url), 'utf8')) as T;

describe('the tables', () => {
  it('give every state numbers of its own', () => {
    const numbers = Object.values(STATES).map(({ state, lcm }) => `${state}/${lcm}`);
    expect(new Set(numbers).size).toBe(numbers.length);
  });

  it('let every LCM state be a step, a failure, or one in which nothing is under way', () => {
    const rest = (Object.keys(STATES) as State[]).filter(
      (state) => STATES[state].lcm > 0 && stepOf(state) === undefined && !(state in FAILURES),
    );
    expect(rest.sort()).toEqual(['CLEANUP_DELETE', 'RUNNING', 'UNKNOWN']);
  });

  it('reach every state that oned uses', () => {
    const reached = new Set<string>(['INIT', 'PENDING', 'HOLD', 'CLONING', 'UNKNOWN']);
    reached.add('CLONING_FAILURE');
    for (const edges of [...Object.values(ACTIONS), ...Object.values(OPERATIONS)]) {
      for (const to of Object.values(edges)) reached.add(to);
    }
    for (const step of Object.values(STEPS)) for (const to of [step.ok, step.fail]) reached.add(to);
    reached.add('CLEANUP_RESUBMIT');
    expect(Object.keys(STATES).filter((state) => !reached.has(state))).toEqual([]);
  });

  it('end every guest in a state in which it no longer runs, or in RUNNING', () => {
    for (const state of GUEST_STATES) {
      const step = stepOf(state);
      if (step === undefined) continue;
      expect(GUEST_STATES.has(step.fail), `${state} failing`).toBe(true);
    }
  });
});

// ---- what oned did ------------------------------------------------------------------------------------------------

interface Recorded {
  readonly result: readonly [boolean, string | number, number];
  /** The states that oned published, in order. */
  readonly events?: readonly string[];
  readonly after?: string;
}

describe('a call in a state, as oned answered it', () => {
  const matrix = golden<Record<string, Record<string, Recorded>>>('vm-matrix.json');
  const calls = golden<Record<string, { method: Method; args: unknown[]; auth: string }>>('vm-matrix-calls.json');

  it('is recorded for every state that a road leads to', () => {
    expect(Object.keys(ROADS).sort()).toEqual(Object.keys(matrix).sort());
  });

  for (const [state, row] of Object.entries(matrix)) {
    describe(state, () => {
      for (const [operation, recorded] of Object.entries(row)) {
        it(operation, () => {
          const { cloud, vm } = sceneIn(furnishedCloud(), state);
          const seen: string[] = [];
          cloud.observe({ vmState: ({ state: next }) => void seen.push(published(next)) });
          const { method, args, auth } = calls[operation] as (typeof calls)[string];
          const actual = answer(() =>
            (cloud.call as (...args: unknown[]) => unknown).call(
              cloud,
              auth,
              method,
              ...args.map((arg) => (arg === '$VM' ? vm.id : arg)),
            ),
          );
          expect(actual).toEqual(mapped(recorded.result, vm.id, operation));
          if (recorded.events === undefined) return;
          // oned shows ACTIVE/LCM_INIT on the way from a state without a host to the first step.
          const events = recorded.events.filter((event) => event !== 'ACTIVE/LCM_INIT');
          for (let i = 0; seen.length < events.length && i < 20; i++) {
            cloud.clock.advanceNow((cloud.clock.nextDue ?? cloud.clock.now) - cloud.clock.now);
          }
          expect(seen.slice(0, Math.max(events.length, 0))).toEqual(events);
        });
      }
    });
  }
});

const published = (state: State): string => (STATES[state].state === 3 ? `ACTIVE/${state}` : `${state}/LCM_INIT`);

function answer(call: () => unknown): readonly [boolean, unknown, number] {
  try {
    return [true, call(), 0];
  } catch (error) {
    if (!(error instanceof OneError)) throw error;
    return [false, error.message, ERROR_NUMBERS[error.code]];
  }
}

/** The recording with our VM's id for the recorded one. */
function mapped(result: Recorded['result'], id: number, operation: string): readonly unknown[] {
  const [ok, value, code] = result;
  if (ok) return [true, operation === 'diskresize' ? value : id, code];
  return [false, String(value).replaceAll(/VM (\[?)\d+/g, (_, bracket: string) => `VM ${bracket}${id}`), code];
}
