/** What is measured of a server, and when it is taken for another than the stand-in. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Line, Trace } from '../trace.ts';
import { comparedTimings, type Timings, timingLines, timingsOf, unlikeTimings } from './timings.ts';

/** One runtime over HTTP, created at once and looked at: at which second it showed which state. */
function looked(...looks: readonly (readonly [at: number, state: string])[]): Trace {
  const lines = looks.map(([at, STATE], n): Line => {
    const faas = { VM_ID: 1, STATE, CPU: 1, MEMORY: 1, DISK_SIZE: 1, ENDPOINT: '' };
    const body = JSON.stringify({ SERVERLESS_RUNTIME: { ID: 7, NAME: 'a', SERVICE_ID: 8, FAAS: faas } });
    const op = n === 0 ? 'create' : 'get';
    return {
      ...{ kind: 'exchange', seq: n + 1, sent: at * 1_000, at: at * 1_000, step: op, op, as: 'owner', auth: 'good' },
      ...{ ref: null, id: 7, entry: null, until: null, request: { method: 'GET', path: '/', body: null } },
      ...{ response: { status: n === 0 ? 201 : 200, headers: [], body }, problem: null },
    };
  });
  const scenario = { v: 1, steps: [] } as const;
  return { run: { kind: 'run', v: 1, transport: 'http', target: '', deviations: [], epochMs: 0, scenario }, lines };
}

describe('a step of the life cycle', () => {
  test('took what lies between the looks around it', () => {
    const timings = timingsOf([
      looked([0, 'PENDING'], [4, 'PENDING'], [5, 'RUNNING'], [9, 'UPDATING'], [11, 'RUNNING']),
    ]);
    expect([...timings]).toEqual([
      ['PENDING → RUNNING', [{ leastMs: 4_000, mostMs: 5_000 }]],
      ['RUNNING → UPDATING', [{ leastMs: 0, mostMs: 5_000 }]],
      ['UPDATING → RUNNING', [{ leastMs: 0, mostMs: 6_000 }]],
    ]);
  });

  test('is told by its median and 95th percentile, on both sides', () => {
    const theirs = timingsOf([1, 2, 30].map((at) => looked([0, 'PENDING'], [at, 'PENDING'], [at, 'RUNNING'])));
    const compared = comparedTimings(theirs, exactly(2_000), 3);
    expect(timingLines(compared)).toEqual([
      'PENDING → RUNNING: median 2.00 s, the stand-in 2.00 s; p95 30.0 s, the stand-in 2.00 s',
    ]);
    expect(unlikeTimings(compared, 3)).toEqual([
      'PENDING → RUNNING: its p95 is 30.0 s, the stand-in’s 2.00 s: more than 3 times apart',
    ]);
  });
});

const exactly = (...ms: readonly number[]): Timings =>
  new Map([['PENDING → RUNNING', ms.map((each) => ({ leastMs: each, mostMs: each }))]]);

const isUnlike = (theirs: number, ours: number, tolerance: number): boolean =>
  unlikeTimings(comparedTimings(exactly(theirs), exactly(ours), tolerance), tolerance).length > 0;

test('a step is unlike when it takes more than so many times as long, or as short, and a second', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 600_000 }),
      fc.integer({ min: 0, max: 600_000 }),
      fc.constantFrom(1, 2, 3, 10),
      (theirs, ours, factor) => {
        const expected = theirs > ours * factor + 1_000 || theirs + 1_000 < ours / factor;
        expect(isUnlike(theirs, ours, factor)).toBe(expected);
      },
    ),
    { seed: 1, numRuns: 300 },
  );
});

test('what only one of them does is no matter of time', () => {
  expect(comparedTimings(exactly(1), new Map(), 3)).toEqual([]);
});
