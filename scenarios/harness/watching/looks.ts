/**
 * What generated scenarios look at besides the engine: lists of the Gatekeeper, page by page, what is measured of its function
 * and of the runtimes there are, and streams; and the faults that touch what is measured.
 */
import fc from 'fast-check';
import type { Fault, Step } from '../scenario.ts';
import { POSTED, PREFLIGHTED, READABLE } from './paths.ts';
import type { WatchStep } from './steps.ts';

/** Steps, before they have names. `n` chooses among the runtimes there are, and `functions` are in the catalogue. */
export type Watch = (given: Given) => readonly Draft[];

interface Given {
  readonly runtimes: readonly string[];
  readonly n: number;
  readonly functions: number;
  /** A name that no other watch binds. */
  readonly own: string;
}

type Without<T, K extends string> = T extends unknown ? Omit<T, K> : never;
type Draft = Without<WatchStep | Extract<Step, { readonly op: 'request' | 'advance' }>, 'id'>;

const always = (...drafts: readonly Draft[]): fc.Arbitrary<Watch> => fc.constant(() => drafts);

/** What a machine's probe pushes, and what nobody does. */
const METRICS = [
  'vm_cpu_perc',
  'vm_mem_perc',
  'vm_mem_free_MB',
  'vm_net_rx_MB',
  'vm_net_tx_MB',
  'vm_net_rx_bps',
  'vm_net_tx_pps',
  'vm_disk_usage_perc',
  'vm_disk_total_1k_blocks',
  'vm_up',
] as const;
const metric = fc.constantFrom(...METRICS);

const EXPORTED = ['opennebula_vm_state', 'opennebula_vm_cpu_ratio', 'opennebula_vm_disk_size_bytes'] as const;

const forms = fc.constantFrom('metrics?', 'metrics?', 'metrics/', '?', '/');
const auths = fc.constantFrom('none', 'wrong', 'scheme');
const others = fc.constantFrom('services', 'packages', 'records/functions', 'records/services', 'records/others');

/** Milliseconds between two instants of a range. */
const steps = fc.constantFrom(1_000, 2_000, 3_000, 7_000, 14_000, 15_000, 30_000);
/** How many steps a range has, and how long before now it ends. */
const lengths = fc.oneof(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 5, max: 40 }));
const ends = fc.constantFrom(0, 0, 0, 1_000, 45_000, -20_000);

/** A range, with where it is cut in two. */
const ranges = fc
  .record({ stepMs: steps, length: lengths, cut: fc.nat(40), untilAgoMs: ends, aligned: fc.boolean() })
  .map(({ stepMs, length, cut, untilAgoMs, aligned }) => {
    const alignMs = aligned ? 15_000 : 1_000;
    const sinceAgoMs = untilAgoMs + length * stepMs;
    const middle = untilAgoMs + Math.min(cut, length) * stepMs;
    return { stepMs, alignMs, sinceAgoMs, untilAgoMs, middle };
  });

type Asked = {
  readonly sinceAgoMs: number;
  readonly untilAgoMs: number;
  readonly stepMs: number;
  readonly alignMs: number;
};

/** Of the Gatekeeper's function, or of a runtime's machine. */
const histories: fc.Arbitrary<(given: Given, range: Asked) => Draft | undefined> = fc.oneof(
  fc.tuple(fc.uniqueArray(metric, { minLength: 1, maxLength: 2 }), forms).map(
    ([metrics, form]) =>
      (_: Given, range: Asked): Draft => ({ op: 'metrics.asynch', metrics, form, ...range }),
  ),
  metric.map((name) => ({ runtimes, n }: Given, range: Asked): Draft | undefined => {
    const ref = runtimes[n % runtimes.length];
    return ref === undefined ? undefined : { op: 'prometheus.query', metric: name, ref, ...range };
  }),
);

const looked = (range: fc.Arbitrary<readonly Asked[]>): fc.Arbitrary<Watch> =>
  fc.tuple(histories, range).map(
    ([ask, asked]) =>
      (given) =>
        asked.flatMap((each) => ask(given, each) ?? []),
  );

const listen = (own: string, frames: number): Draft[] => [
  { op: 'ws.open', ref: own },
  { op: 'ws.read', ref: own, frames, withinMs: 3_000 * frames + 3_000 },
];

/** By the contract a range is asked for, too, and means nothing. */
const NOW = { sinceAgoMs: 30_000, untilAgoMs: 0, stepMs: 10_000 } as const;

const stream = (own: string, metrics: readonly string[]): Draft => ({
  op: 'metrics.synch',
  metrics,
  ...NOW,
  bind: own,
});

/** Pages of a list: the first, two neighbours, the last, and the one past it. */
const pages: fc.Arbitrary<Watch> = fc
  .tuple(fc.constantFrom(1, 2, 3, 5, 7, 10), fc.nat(30))
  .map(([limit, from]) => ({ functions }) => {
    const last = Math.floor((functions - 1) / limit);
    const offsets = [...new Set([0, from % (last + 1), (from + 1) % (last + 2), last, last + 1])];
    return offsets.map((offset) => list({ offset: `${offset}`, limit: `${limit}`, fields: 'uuid' }));
  });

const oddPages: fc.Arbitrary<Watch> = fc
  .record({
    offset: fc.constantFrom('-1', '1x', 'x', '7', '99999999999999999999', ''),
    limit: fc.constantFrom('0', '-3', 'ten', '100', '101', '5000', ''),
  })
  .map((given) => () => [list({ ...given, fields: 'uuid' })]);

const searches: fc.Arbitrary<Watch> = fc
  .constantFrom<Record<string, string>>(
    { version: 'last' },
    { name: 'vtc-vnf' },
    { vendor: 'nobody' },
    { fields: 'uuid,vnfd,name' },
    {},
  )
  .map((given) => () => [list(given)]);

const otherLists: fc.Arbitrary<Watch> = fc.tuple(others, fc.constantFrom('1', '2', '10', '0')).map(
  ([of, limit]) =>
    () =>
      ['0', '1'].map((offset) => ({ op: 'functions.list', of, given: { offset, limit } })),
);

const elements: fc.Arbitrary<Watch> = fc
  .array(
    fc.record({
      of: fc.oneof({ weight: 1, arbitrary: fc.constant('functions' as const) }, { weight: 4, arbitrary: others }),
      nth: fc.nat(30),
      uuid: fc.constantFrom('known' as const, 'known' as const, 'none' as const, 'malformed' as const),
    }),
    { minLength: 2, maxLength: 4 },
  )
  .map((all) => () => all.map((sought) => ({ op: 'functions.get', ...sought })));

/** What is asked with credentials that are none. */
const PROTECTED: readonly Draft[] = [
  list({}),
  { op: 'functions.list', of: 'services' },
  { op: 'functions.list', of: 'packages' },
  { op: 'functions.list', of: 'records/functions' },
  { op: 'functions.list', of: 'records/services' },
  { op: 'functions.get' },
  { op: 'functions.get', of: 'services' },
  { op: 'functions.get', of: 'packages' },
  { op: 'functions.get', of: 'records/functions' },
  { op: 'functions.get', of: 'records/services' },
  { op: 'functions.list', of: 'records/others' },
  { op: 'functions.get', of: 'records/others', uuid: 'none' },
  { op: 'metrics.names' },
];

const strangers: fc.Arbitrary<Watch> = fc
  .array(fc.tuple(auths, fc.constantFrom(...PROTECTED)), { minLength: 2, maxLength: 4 })
  .map((asked) => () => asked.map(([auth, draft]) => ({ ...draft, auth }) as Draft));

/** Requests for monitoring data, historical or live, in which something is odd. */
const oddly = (odd: fc.Arbitrary<object>): fc.Arbitrary<Watch> =>
  fc
    .array(fc.tuple(fc.constantFrom('metrics.asynch', 'metrics.synch'), forms, odd), { minLength: 2, maxLength: 4 })
    .map(
      (asked) => () =>
        asked.map(([op, form, more]) => ({ op, form, metrics: ['vm_cpu_perc'], ...NOW, ...more }) as Draft),
    );

const oddRanges = oddly(
  fc
    .constantFrom<Record<string, string>>(
      { since: '' },
      { until: '' },
      { step: '' },
      { metrics: '' },
      { since: 'yesterday' },
      { step: '0' },
      { step: '10s' },
      { step: '0.001' },
      { metrics: 'a,,b' },
      { metrics: '1x' },
      { metrics: ',' },
      { since: '2027-01-01T00:00:00Z' },
    )
    .map((given) => ({ given })),
);

const oddQueries: fc.Arbitrary<Watch> = fc
  .constantFrom<Record<string, string>>(
    { query: '' },
    { query: 'vm_up{' },
    { query: 'vm_cpu_perc + on(job) vm_cpu_perc' },
    { time: 'x' },
    { step: '0' },
  )
  .map((given) => () => [
    { op: 'prometheus.query', metric: 'vm_up', given },
    { op: 'prometheus.query', metric: 'vm_up', given, ...NOW },
  ]);

const listed = (as: 'owner' | 'other'): Draft => ({ op: 'functions.list', as, given: { fields: 'uuid' } });

/** Who is let in, and who is not. */
const sessions: fc.Arbitrary<Watch> = fc
  .constantFrom<readonly Draft[]>(
    // Twenty minutes, less what nobody can say for sure, and no less.
    [{ op: 'login' }, { op: 'advance', ms: 1_198_000 }, listed('owner'), { op: 'login' }],
    [{ op: 'login' }, { op: 'advance', ms: 1_200_000 }, listed('owner'), { op: 'login' }],
    [{ op: 'login', auth: 'wrong' }],
    [{ op: 'login', auth: 'none' }],
    [{ op: 'login', auth: 'scheme' }],
    [{ op: 'login', password: '' }],
    [{ op: 'logout', auth: 'none' }],
    [{ op: 'logout', auth: 'wrong' }],
    [{ op: 'logout', auth: 'scheme' }],
  )
  .map((drafts) => () => drafts);

/** What was given up, once and for all, and by nobody else. */
const leaving: fc.Arbitrary<Watch> = fc
  .constantFrom<readonly Draft[]>(
    [{ op: 'logout' }, listed('owner'), { op: 'login' }],
    [{ op: 'logout' }, { op: 'metrics.asynch', metrics: ['vm_up'], ...NOW }, { op: 'login' }],
    [{ op: 'logout' }, { op: 'logout' }, { op: 'login' }],
    [{ op: 'login', as: 'other' }, listed('other'), { op: 'logout', as: 'other' }, listed('owner')],
    [{ op: 'login', as: 'other' }, { op: 'logout' }, listed('other'), listed('owner'), { op: 'login' }],
  )
  .map((drafts) => () => drafts);

const instants: fc.Arbitrary<Watch> = fc
  .tuple(fc.constantFrom(...METRICS, ...EXPORTED, 'no_such_metric'), fc.constantFrom(0, 0, 60_000))
  .map(([name, untilAgoMs]) => ({ runtimes, n }) => {
    const ref = n % 3 === 0 ? undefined : runtimes[n % runtimes.length];
    return [{ op: 'prometheus.query', metric: name, untilAgoMs, ...(ref && { ref }) }];
  });

/** What a client of a stream does besides reading. */
const manners = fc.record({ speaks: fc.boolean(), comesAgain: fc.boolean(), frames: fc.integer({ min: 1, max: 5 }) });

const listening: fc.Arbitrary<Watch> = fc
  .tuple(metric, manners)
  .map(([name, { speaks, comesAgain, frames }]) => ({ own }) => [
    stream(own, [name]),
    ...listen(own, frames),
    ...(speaks
      ? ([
          { op: 'ws.send', ref: own, text: 'hello' },
          { op: 'ws.read', ref: own },
        ] as const)
      : []),
    { op: 'ws.close', ref: own },
    ...(comesAgain ? ([{ op: 'ws.open', ref: own }] as const) : []),
  ]);

/** The history, the exposition and the stream, of the same time. */
const together: fc.Arbitrary<Watch> = fc
  .tuple(metric, fc.integer({ min: 6, max: 8 }))
  .map(([name, frames]) => ({ own }) => [
    stream(own, [name]),
    ...listen(own, frames),
    { op: 'prometheus.scrape' },
    { op: 'ws.close', ref: own },
    { op: 'metrics.asynch', metrics: [name], sinceAgoMs: 60_000, untilAgoMs: 0, stepMs: 3_000, alignMs: 15_000 },
    { op: 'metrics.asynch', metrics: [name], sinceAgoMs: 30_000, untilAgoMs: 0, stepMs: 1_000 },
  ]);

const takeovers: fc.Arbitrary<Watch> = metric.map((name) => ({ own }) => [
  stream(own, [name, 'vm_mem_perc']),
  { op: 'ws.open', ref: own },
  ...listen(own, 2),
  { op: 'ws.close', ref: own },
  { op: 'ws.open', ref: own },
]);

const FORM = 'application/x-www-form-urlencoded';
const JSON_BODY = 'application/json';

const two = <T>(things: readonly T[]): fc.Arbitrary<readonly T[]> =>
  fc.uniqueArray(fc.constantFrom(...things), { minLength: 2, maxLength: 2 });

/** Whatever else can be read without a token, and what pages of other origins ask first. */
const elsewhere: fc.Arbitrary<Watch> = fc
  .record({ read: two(READABLE), preflighted: two(PREFLIGHTED), posted: two(POSTED) })
  .map(({ read, preflighted, posted }) => () => [
    ...read.map((path) => ({ op: 'request', method: 'GET', path }) as const),
    ...preflighted.map((path) => ({ op: 'request', method: 'OPTIONS', path }) as const),
    ...posted.map(([path, body]): Draft => {
      const [type, sent] = typeof body === 'string' ? [FORM, { sendText: body }] : [JSON_BODY, { send: body }];
      return { op: 'request', method: 'POST', path, headers: { 'Content-Type': type }, ...sent };
    }),
  ]);

/** The families of watches. */
export const WATCHES: Readonly<Record<string, fc.Arbitrary<Watch>>> = {
  pages,
  lists: fc.oneof(oddPages, searches, otherLists),
  elements: fc.oneof({ weight: 3, arbitrary: elements }, { weight: 1, arbitrary: always({ op: 'metrics.names' }) }),
  sessions,
  leaving,
  strangers: fc.oneof(
    strangers,
    oddly(auths.map((auth) => ({ auth }))),
    oddly(fc.constantFrom({ uuid: 'none' }, { uuid: 'malformed' })),
  ),
  history: looked(ranges.map(({ middle: _, ...range }) => [range])),
  // In two parts, as a whole, and from further away.
  parts: looked(
    fc.tuple(ranges, fc.constantFrom(2, 3, 5)).map(([{ middle, ...range }, times]) => [
      { ...range, untilAgoMs: middle, alignMs: 1_000 },
      { ...range, sinceAgoMs: middle, alignMs: 1_000 },
      { ...range, alignMs: 1_000 },
      { ...range, alignMs: 1_000, stepMs: range.stepMs * times },
    ]),
  ),
  oddities: fc.oneof(
    { weight: 2, arbitrary: oddRanges },
    { weight: 1, arbitrary: oddQueries },
    { weight: 1, arbitrary: always({ op: 'ws.open', ref: 'none' }) },
  ),
  instants: fc.oneof(instants, always({ op: 'prometheus.scrape' })),
  listening,
  together,
  takeovers,
  elsewhere,
};

function list(given: Readonly<Record<string, string>>): Draft {
  return { op: 'functions.list', given };
}

/** In the end, all that has been of each runtime. */
const RETROSPECTS: readonly Draft[] = [
  { op: 'prometheus.query', metric: 'vm_net_rx_MB', sinceAgoMs: 1_800_000, untilAgoMs: 0, stepMs: 30_000 },
  { op: 'prometheus.query', metric: 'vm_cpu_perc', sinceAgoMs: 1_800_000, untilAgoMs: 0, stepMs: 60_000 },
];

type Trouble = (id: string, steps: readonly Step[], runtimes: readonly string[], n: number) => Fault | undefined;

/** @param n chooses a step */
function momentOf(steps: readonly Step[], n: number) {
  const step = steps[n % Math.max(1, steps.length)];
  return step === undefined || n % 4 === 0
    ? {}
    : { after: { event: `${step.id}.answered`, delayMs: n % 3 === 0 ? 0 : 1_500 } };
}

/** What touches measurements and those who listen. */
export const WATCH_TROUBLES: Readonly<Record<string, fc.Arbitrary<Trouble>>> = {
  probes: fc
    .tuple(
      fc.constantFrom(
        { do: 'gap' },
        { do: 'stale' },
        { do: 'nan' },
        { do: 'spike', factor: 10 },
        { do: 'counter-reset' },
        { do: 'clock-skew', ms: 4_000 },
        { do: 'duplicate' },
      ),
      fc.constantFrom(undefined, 'vm_cpu_perc', 'vm_net_*'),
      fc.constantFrom(5_000, 60_000),
    )
    .map(
      ([effect, of, forMs]): Trouble =>
        (id, steps, _, n) => {
          const selector = { layer: 'metrics', ...(of === undefined ? {} : { metric: of }) };
          return { id, kind: 'declared', fault: { selector, effect }, forMs, ...momentOf(steps, n) } as Fault;
        },
    ),
  wires: fc
    .tuple(
      fc.constantFrom(
        { do: 'silence' },
        { do: 'close' },
        { do: 'drop' },
        { do: 'duplicate' },
        { do: 'reorder' },
        { do: 'delay', ms: 1_000 },
        { do: 'bad-frame' },
        { do: 'refuse-upgrade' },
      ),
      fc.integer({ min: 1, max: 3 }),
    )
    .map(
      ([effect, hits]): Trouble =>
        (id, steps, _, n) => {
          const fault = { selector: { layer: 'websocket' }, effect, budget: { hits } };
          return { id, kind: 'declared', fault, ...momentOf(steps, n) } as Fault;
        },
    ),
};

/** The steps with watches among them, each where there is something to look at. */
export function woven(
  steps: readonly Step[],
  watches: readonly (readonly [Watch, number])[],
  functions: number,
  clients: number,
): Step[] {
  const placed = watches.map(([watch, n], index) => ({ watch, n, index, at: 1 + ((n + 13 * index) % steps.length) }));
  const runtimes: string[] = [];
  return steps.flatMap((step, at) => {
    if (step.op === 'create' && step.bind !== undefined) runtimes.push(step.bind);
    const looks = placed.filter((each) => each.at === at + 1);
    return [
      step,
      ...looks.flatMap(({ watch, n, index }) => {
        const drafts = watch({ runtimes, n, functions, own: `w${index + 1}` });
        return drafts.map(
          (draft, part) =>
            ({
              id: `v${index + 1}-${part + 1}`,
              ...(draft.op !== 'advance' && { client: n % clients }),
              ...draft,
            }) as Step,
        );
      }),
    ];
  });
}

/** What is asked when all is over. */
export const retrospect = (runtimes: readonly string[]): Step[] => [
  ...runtimes.flatMap((ref) => RETROSPECTS.map((draft, n) => ({ id: `all-${ref}-${n + 1}`, ...draft, ref }) as Step)),
  { id: 'all', op: 'prometheus.scrape' },
];
