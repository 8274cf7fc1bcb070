/**
 * Makes scenarios: commands of a few clients, faults told from what they do, and a suffix without faults in which all
 * has to come back. In each scenario whole families of commands and faults are off (swarm), which finds what only shows
 * when one thing happens many times in a row.
 */
import fc from 'fast-check';
import { STEPS, VM_ACTIONS } from '../../sim/index.ts';
import { neighbours } from './neighbours.ts';
import { faultsOfOrdeal, ORDEALS } from './ordeals.ts';
import type { After, Fault, Scenario, Specification, Step } from './scenario.ts';
import { retrospect, WATCH_TROUBLES, WATCHES, woven } from './watching/looks.ts';

export interface Budget {
  readonly steps: number;
  readonly faults: number;
  /** Looks at what is not the engine's. */
  readonly watches: number;
}

export const SMALL: Budget = { steps: 20, faults: 4, watches: 6 };

/** What a generated step may do, before it has a name. `n` chooses a runtime among those there are. */
type Deed = (id: string, runtimes: readonly string[], n: number) => Step | undefined;

type Families<T> = Readonly<Record<string, fc.Arbitrary<T>>>;

const FLAVOURS = fc.oneof(
  { weight: 6, arbitrary: fc.constant('Function') },
  { weight: 1, arbitrary: fc.constant('nature') },
);

const sizes = fc.record(
  {
    CPU: fc.constantFrom(1, 2, 3, 4),
    MEMORY: fc.constantFrom(64, 128, 256, 512),
    DISK_SIZE: fc.constantFrom(512, 1024, 2048),
  },
  { requiredKeys: [] },
);
const wholeSizes = fc.record({
  CPU: fc.constantFrom(1, 2, 3, 4),
  MEMORY: fc.constantFrom(64, 128, 256, 512),
  DISK_SIZE: fc.constantFrom(1024, 2048, 4096),
});
const daas = fc.option(fc.constant({ FLAVOUR: 'Data' }), { nil: undefined, freq: 3 });
const name = fc.option(fc.constantFrom('alpha', 'beta', 'gamma delta', 'é'), { nil: undefined, freq: 3 });

const given = (specification: Readonly<Record<keyof Specification, unknown>> | object): Specification =>
  Object.fromEntries(Object.entries(specification).filter(([, value]) => value !== undefined)) as Specification;

const wishes = fc
  .record({ faas: fc.tuple(sizes, FLAVOURS).map(([size, FLAVOUR]) => ({ FLAVOUR, ...size })), daas, name })
  .map(({ faas, daas: data, name: called }) =>
    given({ faas, daas: faas.FLAVOUR === 'Function' ? data : undefined, name: called }),
  );

/** Bodies that the schema refuses, or that no template fits. */
const INVALID: readonly unknown[] = [
  { SERVERLESS_RUNTIME: {} },
  { SERVERLESS_RUNTIME: { FAAS: {} } },
  { SERVERLESS_RUNTIME: { FAAS: { FLAVOUR: 7 } } },
  { SERVERLESS_RUNTIME: { FAAS: { FLAVOUR: 'Function', CPU: '2' } } },
  { SERVERLESS_RUNTIME: { FAAS: { FLAVOUR: 'Function', CPU: 1.5 } } },
  { SERVERLESS_RUNTIME: { FAAS: { FLAVOUR: 'Function', STATE: 'DONE' } } },
  { SERVERLESS_RUNTIME: { FAAS: { FLAVOUR: 'Function' }, SCHEDULING: [] } },
  { SERVERLESS_RUNTIME: { FAAS: { FLAVOUR: 'Function' }, DAAS: { CPU: 1 } } },
  { SERVERLESS_RUNTIME: { FAAS: { FLAVOUR: 'Function' }, DEVICE_INFO: { LATENCY_TO_PE: 'far' } } },
  { SERVERLESS_RUNTIME: null },
  {},
  null,
  [],
];
const BAD_JSON = ['', '{', '{"SERVERLESS_RUNTIME":', 'NaN', '{"a":1}}', "{'a':1}"] as const;

const onRuntime =
  (make: (id: string, ref: string) => Step): Deed =>
  (id, runtimes, n) => {
    const ref = runtimes[n % runtimes.length];
    return ref === undefined ? undefined : make(id, ref);
  };

const auths = fc.constantFrom('none', 'wrong', 'scheme');

/** The families of commands; those that are refused make no runtime, and bind no name. */
const DEEDS: Families<Deed> = {
  get: fc.constant(onRuntime((id, ref) => ({ id, op: 'get', ref }))),
  put: fc
    .record({ faas: wholeSizes, called: name })
    .map(({ faas, called }) => onRuntime((id, ref) => ({ id, op: 'put', ref, args: given({ faas, name: called }) }))),
  putAgain: fc.constant(
    onRuntime((id, ref) => ({ id, op: 'put', ref, args: { faas: { CPU: 2, MEMORY: 256, DISK_SIZE: 2048 } } })),
  ),
  putBoth: fc
    .tuple(wholeSizes, wholeSizes)
    .map(([faas, data]) =>
      onRuntime((id, ref) => ({ id, op: 'put', ref, args: { faas, daas: { ...data, FLAVOUR: 'Data' } } })),
    ),
  putInvalid: fc.constantFrom(...INVALID).map((send) => onRuntime((id, ref) => ({ id, op: 'put', ref, send }))),
  putShrink: fc.constant(
    onRuntime((id, ref) => ({ id, op: 'put', ref, args: { faas: { CPU: 1, MEMORY: 64, DISK_SIZE: 1 } } })),
  ),
  delete: fc.constant(onRuntime((id, ref) => ({ id, op: 'delete', ref }))),
  foreign: fc.constantFrom('get', 'put', 'delete').map((op) =>
    onRuntime(
      (id, ref) =>
        ({
          id,
          op,
          ref,
          as: 'other',
          ...(op === 'put' ? { args: { name: 'mine', faas: { CPU: 2, MEMORY: 256, DISK_SIZE: 2048 } } } : {}),
        }) as Step,
    ),
  ),
  admin: fc
    .tuple(fc.constantFrom('get', 'put'), wholeSizes)
    .map(([op, faas]) =>
      onRuntime((id, ref) => ({ id, op, ref, as: 'admin', ...(op === 'put' ? { args: { faas } } : {}) }) as Step),
    ),
  stranger: fc.tuple(auths, fc.constantFrom('get', 'put', 'delete', 'create')).map(
    ([auth, op]): Deed =>
      (id, runtimes, n) => {
        if (op === 'create') return { id, op, auth };
        const ref = runtimes[n % runtimes.length] ?? 'none';
        return { id, op, ref, auth } as Step;
      },
  ),
  nobody: fc
    .tuple(fc.constantFrom('none', 'service'), fc.constantFrom('get', 'put', 'delete'))
    .map(([kind, op]) =>
      onRuntime((id, ref) => ({ id, op, ref: kind === 'none' ? 'none' : `${ref}.service` }) as Step),
    ),
  createInvalid: fc.constantFrom(...INVALID).map(
    (send): Deed =>
      (id) => ({ id, op: 'create', send }),
  ),
  createUnknown: fc.constantFrom('No such flavour', 'FAILED_DEPLOY', 'DenyVMTemplate', 'function').map(
    (FLAVOUR): Deed =>
      (id) => ({ id, op: 'create', args: { faas: { FLAVOUR } } }),
  ),
  badJson: fc.tuple(fc.constantFrom(...BAD_JSON), fc.boolean(), fc.constantFrom('good', 'wrong', 'none')).map(
    ([sendText, creates, auth]): Deed =>
      (id, runtimes, n) => {
        if (creates) return { id, op: 'create', sendText, auth } as Step;
        return { id, op: 'put', ref: runtimes[n % runtimes.length] ?? 'none', sendText, auth } as Step;
      },
  ),
  public: fc.tuple(fc.constantFrom('schema', 'version', 'config'), fc.constantFrom('good', 'none', 'wrong')).map(
    ([op, auth]): Deed =>
      (id) =>
        ({ id, op, auth }) as Step,
  ),
  advance: fc.constantFrom(100, 1_000, 5_000).map(
    (ms): Deed =>
      (id) => ({ id, op: 'advance', ms }),
  ),
  advanceLong: fc.constantFrom(30_000, 120_000).map(
    (ms): Deed =>
      (id) => ({ id, op: 'advance', ms }),
  ),
  heal: fc.constant<Deed>((id) => ({ id, op: 'heal' })),
};

/** What drivers do: that which the life of a runtime is made of more often than all there is. */
const ACTIONS = [
  ...['prolog', 'deploy', 'resize', 'diskResize', 'shutdown', 'epilog'],
  ...['prolog', 'deploy', 'resize', 'diskResize', 'shutdown', 'epilog'],
  ...new Set(Object.values(STEPS).map(({ action }) => action)),
];

/** Distances from the event that a fault is told from: within the tick, just after, in the middle, and late. */
const DELAYS = [0, 1, 250, 499, 500, 501, 1_000, 3_000] as const;

type Trouble = (
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

const TROUBLES: Families<Trouble> = {
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

/** Which of the families a scenario has: each off in about half of them. */
const swarm = (families: object): fc.Arbitrary<string[]> => fc.subarray(Object.keys(families));

function drawn<T>(
  families: Families<T>,
  on: readonly string[],
  count: number,
): fc.Arbitrary<readonly (readonly [T, number])[]> {
  const chosen = on.flatMap((family) => families[family] ?? []);
  if (chosen.length === 0) return fc.constant([]);
  return fc.array(fc.tuple(fc.oneof(...chosen), fc.nat(1_000)), { maxLength: count, size: 'max' });
}

interface Creation {
  readonly args: Specification;
  /** Whether the next one waits until it runs. */
  readonly settled: boolean;
}

/** @param profile the deviations that the stand-in is to have */
export function scenarios(budget: Budget, profile: 'upstream' | 'contract' = 'upstream'): fc.Arbitrary<Scenario> {
  const creations = fc.array(fc.record({ args: wishes, settled: fc.boolean() }), {
    minLength: 1,
    maxLength: 4,
    size: 'max',
  });
  const seed = fc.nat(0xffff).map((n) => `0x${n.toString(16)}`);
  const timing = fc.constantFrom('instant', 'fast', 'fast', 'realistic');
  return fc
    .tuple(
      swarm(DEEDS),
      fc.oneof(fc.constant([]), swarm(TROUBLES)),
      fc.constantFrom(1, 1, 2, 3),
      fc.oneof(fc.constant<string[]>([]), swarm(WATCHES)),
      fc.constantFrom<(keyof typeof WATCH_TROUBLES)[]>([], [], ['probes'], ['wires'], ['probes', 'wires']),
    )
    .chain(([ops, kinds, clients, views, dark]) =>
      fc
        .tuple(
          seed,
          timing,
          creations,
          drawn(DEEDS, ops, budget.steps),
          drawn(TROUBLES, kinds, budget.faults),
          drawn(WATCHES, views, budget.watches),
          drawn(WATCH_TROUBLES, views.length > 0 ? dark : [], 2),
          fc.constantFrom(0, 0, 6, 24),
          fc.oneof(fc.constant(undefined), neighbours),
        )
        .map(([chosen, pace, made, deeds, troubles, watches, shadows, more, both]): Scenario => {
          const { steps: alone, runtimes } = stepsOf(made, deeds, clients);
          // Where nothing goes wrong they come to run for sure.
          const plain = both === undefined || troubles.length > 0 ? alone : [...alone, ...both(alone)];
          const functions = watches.length > 0 ? more : 0;
          const steps = watches.length > 0 ? woven(plain, watches, functions + 1, clients) : plain;
          const faults = [...troubles, ...shadows].flatMap(([trouble, n], index) =>
            [trouble(`f${index + 1}`, steps, runtimes, n) ?? []].flat(),
          );
          return {
            v: 1,
            seed: chosen,
            profile,
            timing: pace as NonNullable<Scenario['timing']>,
            ...(functions > 0 && { functions }),
            swarm: { ops: [...ops, ...views], faults: [...kinds, ...dark] },
            steps: [...steps, ...suffix(runtimes), ...(watches.length > 0 ? retrospect(runtimes) : [])],
            faults,
          };
        }),
    );
}

function stepsOf(
  creations: readonly Creation[],
  deeds: readonly (readonly [Deed, number])[],
  clients: number,
): { readonly steps: readonly Step[]; readonly runtimes: readonly string[] } {
  const steps: Step[] = [];
  const runtimes: string[] = [];
  let number = 0;
  const add = (make: (id: string) => Step | undefined, lane: number): void => {
    const step = make(`s${number + 1}`);
    if (step === undefined) return;
    number++;
    const before = steps.at(-1);
    const apart = clients > 1 && lane > 0 && before !== undefined && 'ref' in before && 'ref' in step;
    // Some follow what is sent rather than what is answered: then two clients are at it at once.
    const own =
      apart && lane % 2 === 1
        ? { after: { event: `${before.id}.sent`, delayMs: DELAYS[lane % DELAYS.length] ?? 0 } }
        : {};
    const client = step.op === 'advance' || step.op === 'heal' ? {} : { client: lane % clients };
    steps.push({ ...step, ...client, ...own } as Step);
  };
  const share = Math.ceil(deeds.length / creations.length);
  for (const [index, { args, settled }] of creations.entries()) {
    const bind = `r${index + 1}`;
    add((id) => ({ id, op: 'create', args, bind }), 0);
    runtimes.push(bind);
    if (settled) {
      const created = steps.at(-1)?.id ?? '';
      add((id) => ({ id, op: 'get', ref: bind, after: { event: `${created}.RUNNING` } }), 0);
    }
    for (const [deed, n] of deeds.slice(index * share, (index + 1) * share)) {
      add((id) => deed(id, runtimes, n), n);
      const last = steps.at(-1);
      if (last?.op !== 'put' || n % 3 > 0) continue;
      // Somebody looks while it is under way.
      const after = { event: `${last.id}.sent`, delayMs: 200 };
      steps.push({ id: `${last.id}-look`, op: 'get', ref: last.ref, client: 14, after });
    }
  }
  return { steps, runtimes };
}

/** All is healed, time passes, and everybody is looked at, twice. */
function suffix(runtimes: readonly string[]): Step[] {
  const looks = (turn: string): Step[] => runtimes.map((ref): Step => ({ id: `${turn}-${ref}`, op: 'get', ref }));
  return [
    { id: 'calm', op: 'advance', ms: 400_000 },
    { id: 'heal', op: 'heal' },
    { id: 'quiet', op: 'advance', ms: 600_000 },
    ...looks('first'),
    ...looks('second'),
  ];
}
