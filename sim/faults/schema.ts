/**
 * What a fault may say, layer by layer: one table, from which come the TypeScript types, the JSON schema that clients
 * read, and the check of what they write. Mirrors nothing; the words `success`, `failure` and `-` are those of
 * OpenNebula's dummy drivers.
 */
import {
  chance,
  described,
  type Form,
  type FormOf,
  list,
  map,
  number,
  object,
  positive,
  text,
  variants,
  whole,
  word,
} from '../kernel/form.ts';

const YEAR_MS = 365 * 86_400_000;
const duration = number(0, YEAR_MS);
const period = positive(YEAR_MS);
/** A part of something that comes again and again: time has to pass meanwhile. */
const phase = number(1, YEAR_MS);
const pattern = text();
const status = whole(200, 599);

const instant = text({
  pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d{1,3})?Z$',
  meaning: 'an instant such as 2026-01-01T00:00:00Z',
});

/** A name, so that another fault, a test or a person can speak of it. */
const faultId = text({
  pattern: '^[A-Za-z][A-Za-z0-9_-]{0,63}$',
  meaning: 'a name of letters, digits, - and _',
});

/** The first word says what is done, the second in how many seconds; `-`: the driver never answers. */
const dummyWord = text({
  pattern: '^(success|failure)( \\d{1,7}(\\.\\d{1,3})?)?$|^-$',
  meaning: 'success, failure, either with seconds behind it, or -',
});

const TRIGGER = object(
  {},
  {
    skip: described('Lets this many matches pass first.', whole(0)),
    every: described('Touches only each so-many-th of the matches.', whole(1)),
    times: described('As `budget.hits`.', whole(1)),
    probability: described('Touches a match with this probability, drawn from the seed.', chance),
    window: described(
      'Acts only between two instants, or so long after it was armed.',
      object({}, { from: instant, to: instant, fromMs: duration, toMs: duration }),
    ),
    when: described(
      'Acts only while the VM, host or service concerned is in such a state; or some, if none is concerned.',
      object({}, { vm: pattern, host: pattern, service: pattern }),
    ),
    after: described(
      'Waits for an event first, such as `vm.BOOT`, `host.ERROR`, `service.RUNNING`, `request.engine` or `fault.f1`; `subject` as in the journal.',
      object({ event: pattern }, { subject: pattern, delayMs: duration }),
    ),
    words: described("A sequence of the dummy drivers' words; it begins again at its end.", list(dummyWord)),
  },
);

const BUDGET = object(
  {},
  {
    hits: described('Touches so many, then no more.', whole(1)),
    forMs: described('Ends so long after it has begun to act.', period),
  },
);

type Forms = Readonly<Record<string, Form<unknown>>>;

/** A fault of one layer: which things its selector may name, and what it may do to them. */
function fault<L extends string, S extends Forms, const E extends Forms>(layer: L, selector: S, effects: E) {
  return object(
    {
      selector: described(
        'What it applies to: all parts given must fit, `*` in a text stands for anything.',
        object({ layer: word(layer) }, selector),
      ),
      effect: variants('do', effects),
    },
    { id: faultId, trigger: TRIGGER, budget: BUDGET, note: text() },
  );
}

/** An effect, with what has to be said about it and what may be. */
const effect = <D extends string, R extends Forms, O extends Forms>(name: D, required: R, optional: O) =>
  object({ do: word(name), ...required }, optional);

const vm = {
  vm: described('Id of a VM.', whole(0)),
  name: described('Name of a VM.', pattern),
  host: described('Name of the host it is on.', pattern),
  user: described('Name of its owner.', pattern),
  service: described('Id of the OneFlow service it belongs to.', whole(0)),
  label: described('By attribute of its user template.', map(pattern)),
};

const exchange = {
  api: word('engine', 'gatekeeper', 'oned', 'oneflow', 'prometheus', 'monitoring'),
  operation: described(
    '`METHOD /path` as in the OpenAPI document or as requested, or the name of an XML-RPC method.',
    pattern,
  ),
  user: described('Name of the user that a request comes from.', pattern),
};

const FAULTS = {
  vm: fault(
    'vm',
    {
      operation: described('A driver action, such as `deploy`; `monitor` for what the probes see.', pattern),
      ...vm,
      state: described('State of the VM, such as `BOOT`.', pattern),
    },
    {
      fail: effect('fail', {}, { message: text() }),
      delay: effect('delay', { ms: duration }, {}),
      stick: effect('stick', {}, {}),
      'late-failure': effect('late-failure', { afterMs: duration }, { message: text() }),
      'done-but-failed': effect('done-but-failed', {}, { message: text() }),
      'done-twice': effect('done-twice', {}, {}),
      zombie: effect('zombie', {}, {}),
      unknown: effect('unknown', {}, { forMs: period }),
      'lost-monitoring': effect('lost-monitoring', {}, {}),
    },
  ),
  host: fault(
    'host',
    {
      host: described('Name of a host.', pattern),
      label: described("By attribute of the host's template.", map(pattern)),
      state: described('State of the host, such as `MONITORED`.', pattern),
    },
    {
      down: effect('down', {}, {}),
      flapping: effect('flapping', { upMs: phase, downMs: phase }, {}),
      capacity: effect('capacity', {}, { cpu: number(0, 1e6), memoryMiB: whole(0, 2 ** 40), factor: number(0, 1) }),
      degraded: effect('degraded', { factor: number(1, 1e6) }, {}),
    },
  ),
  oneflow: fault(
    'oneflow',
    {
      operation: word('deploy', 'undeploy', 'scale', 'recover', 'watchdog'),
      service: described('Id of a service.', whole(0)),
      name: described('Name of a service.', pattern),
      user: described('Name of its owner.', pattern),
      state: described('State of the service, such as `COOLDOWN`.', pattern),
    },
    {
      'fail-deploying': effect('fail-deploying', {}, { message: text() }),
      warning: effect('warning', {}, {}),
      'cooldown-stuck': effect('cooldown-stuck', {}, {}),
      lost: effect('lost', {}, {}),
    },
  ),
  api: fault('api', exchange, {
    answer: effect('answer', { status }, { message: text(), headers: map(text()) }),
    delay: effect('delay', { ms: duration }, {}),
    'rate-limit': effect('rate-limit', {}, { retryAfterS: whole(0, 1e6) }),
    'auth-outage': effect('auth-outage', {}, {}),
    lock: effect('lock', {}, {}),
    'done-but-failed': effect('done-but-failed', {}, { status, message: text() }),
    'done-twice': effect('done-twice', {}, {}),
    'stale-read': effect('stale-read', {}, { ageMs: duration, reads: whole(1) }),
  }),
  transport: fault('transport', exchange, {
    reset: effect('reset', {}, {}),
    'fin-mid-body': effect('fin-mid-body', {}, { afterBytes: whole(0) }),
    'wrong-length': effect('wrong-length', { by: whole(-1e6, 1e6) }, {}),
    'bad-chunk': effect('bad-chunk', {}, {}),
    'slow-headers': effect('slow-headers', { ms: duration }, {}),
    'slow-body': effect('slow-body', { bytesPerS: positive(1e9) }, {}),
    hang: effect('hang', {}, {}),
    refuse: effect('refuse', {}, {}),
  }),
  metrics: fault(
    'metrics',
    { metric: described('Name of a metric.', pattern), ...vm },
    {
      gap: effect('gap', {}, {}),
      stale: effect('stale', {}, {}),
      nan: effect('nan', {}, {}),
      spike: effect('spike', { factor: number(-1e9, 1e9) }, {}),
      'counter-reset': effect('counter-reset', {}, {}),
      'clock-skew': effect('clock-skew', { ms: number(-YEAR_MS, YEAR_MS) }, {}),
      duplicate: effect('duplicate', {}, {}),
    },
  ),
  websocket: fault(
    'websocket',
    {
      api: word('gatekeeper'),
      operation: word('frame', 'pong', 'upgrade'),
      metric: described('Name of a metric that the connection shows.', pattern),
    },
    {
      silence: effect('silence', {}, {}),
      close: effect('close', {}, { code: whole(1000, 4999) }),
      drop: effect('drop', {}, {}),
      duplicate: effect('duplicate', {}, {}),
      reorder: effect('reorder', {}, {}),
      delay: effect('delay', { ms: duration }, {}),
      'bad-frame': effect('bad-frame', {}, {}),
      'stalled-pong': effect('stalled-pong', {}, {}),
      'refuse-upgrade': effect('refuse-upgrade', {}, { status }),
    },
  ),
} as const;

export type Layer = keyof typeof FAULTS;

export const LAYERS = Object.keys(FAULTS) as readonly Layer[];

/** A fault as it is written, of one layer or of any. */
export type FaultSpec<L extends Layer = Layer> = { readonly [K in L]: FormOf<(typeof FAULTS)[K]> }[L];
export type Effect<L extends Layer = Layer> = FaultSpec<L>['effect'];
export type Selector<L extends Layer = Layer> = FaultSpec<L>['selector'];
export type Trigger = FormOf<typeof TRIGGER>;

/** Effects that hold over a time, on all that the selector fits; all others are of one attempt. */
export const CONDITIONS: { readonly [L in Layer]?: readonly Effect<L>['do'][] } = {
  vm: ['unknown', 'lost-monitoring'],
  host: ['down', 'flapping', 'capacity', 'degraded'],
  oneflow: ['warning', 'cooldown-stuck', 'lost'],
  metrics: ['gap', 'stale', 'nan', 'spike', 'counter-reset', 'clock-skew', 'duplicate'],
};

/** Effects that make sense for some operations only: no other is touched, even when the selector names none. */
export const OPERATIONS_OF: Readonly<Record<string, readonly string[]>> = {
  'vm zombie': ['shutdown'],
  'vm unknown': ['monitor'],
  'vm lost-monitoring': ['monitor'],
  'oneflow fail-deploying': ['deploy', 'scale'],
  'oneflow warning': ['watchdog'],
  'oneflow cooldown-stuck': ['scale'],
  'oneflow lost': ['watchdog'],
  'websocket silence': ['frame'],
  'websocket close': ['frame'],
  'websocket drop': ['frame'],
  'websocket duplicate': ['frame'],
  'websocket reorder': ['frame'],
  'websocket delay': ['frame'],
  'websocket bad-frame': ['frame'],
  'websocket stalled-pong': ['pong'],
  'websocket refuse-upgrade': ['upgrade'],
};

export const FAULT: Form<FaultSpec> = variants(['selector', 'layer'], FAULTS);

/** What `GET /_onesim/faults/schema` answers. */
export const FAULT_SCHEMA: { readonly $schema: string; readonly title: string; readonly oneOf?: unknown } = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'A fault of onesim',
  ...FAULT.schema,
};
