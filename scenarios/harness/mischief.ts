/** What goes wrong in a generated scenario, family by family: each told from an event of it. */
import fc from 'fast-check';
import { STEPS, VM_ACTIONS } from '../../sim/index.ts';
import type { Families } from './deeds.ts';
import { faultsOfOrdeal, ORDEALS } from './ordeals.ts';
import type { After, Fault, Step } from './scenario.ts';

/** What drivers do: that which the life of a runtime is made of more often than all there is. */
const ACTIONS = [
  ...['prolog', 'deploy', 'resize', 'diskResize', 'shutdown', 'epilog'],
  ...['prolog', 'deploy', 'resize', 'diskResize', 'shutdown', 'epilog'],
  ...new Set(Object.values(STEPS).map(({ action }) => action)),
];

/** Distances from the event that a fault is told from: within the tick, just after, in the middle, and late. */
export const DELAYS = [0, 1, 250, 499, 500, 501, 1_000, 3_000] as const;

export type Trouble = (
  id: string,
  steps: readonly Step[],
  runtimes: readonly string[],
  n: number,
) => Fault | readonly Fault[] | undefined;

/** A moment that a fault may be told from. */
function moment(steps: readonly Step[], n: number): After | undefined {
  const step = steps.filter(({ op }) => op !== 'advance' && op !== 'heal')[n % Math.max(1, steps.length)];
  const delayMs = DELAYS[n % DELAYS.length] ?? 0;
  return step === undefined ? undefined : { event: `${step.id}.${n % 3 === 0 ? 'sent' : 'answered'}`, delayMs };
}

const aimed =
  (make: (id: string, ref: string, after: After) => Fault | readonly Fault[]): Trouble =>
  (id, steps, runtimes, n) => {
    const ref = runtimes[n % Math.max(1, runtimes.length)];
    const after = moment(steps, n);
    return ref === undefined || after === undefined ? undefined : make(id, ref, after);
  };

const OPERATIONS = [
  'POST /serverless-runtimes',
  'GET /serverless-runtimes/{id}',
  'PUT /serverless-runtimes/{id}',
  'DELETE /serverless-runtimes/{id}',
] as const;

/** A fault of what the engine is asked, or answers. */
function exchangeFault(layer: 'api' | 'transport', effects: fc.Arbitrary<object>): fc.Arbitrary<Trouble> {
  const operation = fc.constantFrom(...OPERATIONS, undefined);
  return fc.tuple(effects, operation, fc.integer({ min: 1, max: 3 })).map(
    ([effect, op, hits]): Trouble =>
      (id, steps, _, n) => {
        const after = n % 2 === 0 ? moment(steps, n) : undefined;
        const selector = { layer, api: 'engine', ...(op && { operation: op }) };
        return {
          id,
          kind: 'declared',
          fault: { selector, effect, budget: { hits } },
          ...(after && { after }),
        } as Fault;
      },
  );
}

/** A fault of what is behind the engine; it ends by itself. */
const layerFault = (layer: 'vm' | 'host' | 'oneflow', effects: fc.Arbitrary<object>): fc.Arbitrary<Trouble> =>
  fc.tuple(effects, fc.constantFrom(5_000, 60_000, 400_000)).map(
    ([effect, forMs]): Trouble =>
      (id, steps, _, n) => {
        const after = n % 2 === 0 ? moment(steps, n) : undefined;
        return {
          id,
          kind: 'declared',
          fault: { selector: { layer }, effect },
          forMs,
          ...(after && { after }),
        } as Fault;
      },
  );

export const TROUBLES: Families<Trouble> = {
  fail: fc.tuple(fc.constantFrom(...ACTIONS), fc.constantFrom(undefined, 1, 2), fc.constantFrom('No KVM', '-', '')).map(
    ([action, times, message]): Trouble =>
      (id, steps, _, n) => {
        const after = n % 2 === 0 ? moment(steps, n) : undefined;
        return {
          id,
          kind: 'driver',
          do: 'fail',
          action,
          message,
          ...(times && { times }),
          ...(after && { after }),
          forMs: 60_000,
        };
      },
  ),
  delay: fc.tuple(fc.constantFrom(...ACTIONS), fc.constantFrom(100, 500, 20_000)).map(
    ([action, ms]): Trouble =>
      (id, steps, _, n) => {
        const after = n % 2 === 0 ? moment(steps, n) : undefined;
        return { id, kind: 'driver', do: 'delay', action, ms, times: 2, ...(after && { after }) };
      },
  ),
  stick: fc.constantFrom(...ACTIONS).map(
    (action): Trouble =>
      (id) => ({ id, kind: 'driver', do: 'stick', action, times: 1 }),
  ),
  flaky: fc.constant<Trouble>((id) => ({ id, kind: 'driver', do: 'fail', probability: 0.3, forMs: 20_000 })),
  operator: fc
    .constantFrom(...VM_ACTIONS.filter((action) => !action.startsWith('terminate')))
    .map((action) => aimed((id, ref, after) => ({ id, kind: 'operator', ref, action, after }) as Fault)),
  // A VM is put to rest and taken up again, or put deeper, and a driver fails on the way.
  ordeal: fc
    .tuple(
      fc.constantFrom('poweroff-hard', 'suspend', 'stop', 'undeploy', 'resume'),
      fc.constantFrom('resume', 'resume', 'stop', 'undeploy-hard', 'poweroff-hard'),
      fc.constantFrom(0, 1_000, 20_000),
      fc.nat(3),
    )
    .map(([first, second, delayMs, skip]) =>
      aimed((id, ref, after) => [
        { id, kind: 'operator', ref, action: first, after } as Fault,
        { id: `${id}-next`, kind: 'operator', ref, action: second, after: { event: `${id}.began`, delayMs } } as Fault,
        {
          id: `${id}-fails`,
          kind: 'driver',
          do: 'fail',
          skip,
          times: 2,
          after: { event: `${id}.began` },
          forMs: 60_000,
        },
      ]),
    ),
  // What is hardly ever come upon by chance; where nothing is done to the VM it is its end that goes wrong.
  rare: fc.constantFrom(...ORDEALS).map(
    (ordeal): Trouble =>
      (id, steps, runtimes, n) => {
        const ref = runtimes[n % Math.max(1, runtimes.length)];
        const created = steps.find((step) => step.op === 'create' && step.bind === ref);
        if (ref === undefined || created === undefined) return undefined;
        return faultsOfOrdeal(ordeal, id, ref, { event: `${created.id}.RUNNING` });
      },
  ),
  // What goes wrong between the client and the engine: of it all, only what the cloud did is evidence.
  gate: exchangeFault(
    'api',
    fc.constantFrom(
      { do: 'answer', status: 503, message: 'Service Unavailable' },
      { do: 'rate-limit', retryAfterS: 2 },
      { do: 'auth-outage' },
      { do: 'lock' },
      { do: 'delay', ms: 1_500 },
      { do: 'done-but-failed', status: 500 },
      { do: 'done-twice' },
      { do: 'stale-read', reads: 1 },
    ),
  ),
  wire: exchangeFault(
    'transport',
    fc.constantFrom(
      { do: 'reset' },
      { do: 'refuse' },
      { do: 'hang' },
      { do: 'fin-mid-body' },
      { do: 'wrong-length', by: 3 },
      { do: 'bad-chunk' },
      { do: 'slow-headers', ms: 700 },
      { do: 'slow-body', bytesPerS: 100 },
    ),
  ),
  machine: layerFault(
    'vm',
    fc.constantFrom(
      { do: 'late-failure', afterMs: 2_000 },
      { do: 'done-but-failed' },
      { do: 'done-twice' },
      { do: 'zombie' },
      { do: 'unknown', forMs: 20_000 },
      { do: 'lost-monitoring' },
    ),
  ),
  house: layerFault(
    'host',
    fc.constantFrom(
      { do: 'down' },
      { do: 'flapping', upMs: 4_000, downMs: 3_000 },
      { do: 'capacity', factor: 0.5 },
      { do: 'degraded', factor: 3 },
    ),
  ),
  flow: layerFault(
    'oneflow',
    fc.constantFrom({ do: 'fail-deploying' }, { do: 'warning' }, { do: 'cooldown-stuck' }, { do: 'lost' }),
  ),
  hostDown: fc
    .constantFrom(1_000, 10_000, 40_000)
    .map((forMs) => aimed((id, ref, after) => ({ id, kind: 'hostDown', ref, after, forMs }))),
};

/** What follows another fault keeps its place; what is told from the scenario's steps, or from nothing, may be moved. */
const follows = ({ after }: Fault): boolean => after?.event.endsWith('.began') ?? false;

const lasting = (faults: readonly Fault[], factor: number): readonly Fault[] =>
  faults.map((fault) =>
    'forMs' in fault && fault.forMs !== undefined ? { ...fault, forMs: Math.ceil(fault.forMs * factor) } : fault,
  );

/** With each of the first faults of their chains told from what `anchorOf` says, by the one before. */
function anchored(faults: readonly Fault[], anchorOf: (before: Fault | undefined) => After | undefined): Fault[] {
  let before: Fault | undefined;
  return faults.map((fault) => {
    if (follows(fault)) return fault;
    const after = anchorOf(before);
    before = fault;
    return after === undefined ? fault : ({ ...fault, after } as Fault);
  });
}

/** How the faults of a scenario lie in time. */
export const INTENSITIES = {
  asDrawn: (faults) => faults,
  frequentAndShort: (faults) => lasting(faults, 0.1),
  rareAndLong: (faults) => lasting(faults.slice(0, firstChain(faults)), 10),
  /** All at the moment of the first that has one. */
  burst(faults) {
    const first = faults.find(({ after }) => after !== undefined)?.after;
    return anchored(faults, () => first);
  },
  /** Each a little after the one before. */
  correlated: (faults) => anchored(faults, (before) => before && { event: `${before.id}.began`, delayMs: 250 }),
} as const satisfies Readonly<Record<string, (faults: readonly Fault[]) => readonly Fault[]>>;

/** How many faults the first and those that follow it are. */
function firstChain(faults: readonly Fault[]): number {
  const next = faults.findIndex((fault, n) => n > 0 && !follows(fault));
  return next < 0 ? faults.length : next;
}
