/**
 * A scenario: what clients do, what goes wrong meanwhile, and what is expected. The file, not the seed, is what replays
 * a failure. Things are named, never numbered, and times are told from events: whatever is taken out, the rest keeps
 * its meaning.
 */
import { FAULT, type FormOf, form, VM_ACTIONS } from '../../sim/index.ts';

const { anything, chance, constant, list, map, object, oneOrMore, text, variants, whole, word } = form;

const name = text({ pattern: '^[A-Za-z][A-Za-z0-9_-]*$', meaning: 'a name of letters, digits, - and _' });

/** What an event may be called behind the name of its step or fault. */
export const STEP_EVENTS = ['sent', 'answered', 'PENDING', 'RUNNING', 'UPDATING', 'ERROR'] as const;
export const FAULT_EVENTS = ['began', 'ended'] as const;

const after = object(
  {
    event: text({
      pattern: `^(start|[A-Za-z][A-Za-z0-9_-]*\\.(${[...STEP_EVENTS, ...FAULT_EVENTS].join('|')}))$`,
      meaning: 'an event such as start, s1.answered, s1.RUNNING or f1.began',
    }),
  },
  { delayMs: whole(0) },
);

const expectation = object(
  {},
  {
    status: oneOrMore(whole(100, 599)),
    /** By JSON pointer. */
    body: map(anything),
    headers: map(text()),
  },
);

/** Who sends a request, and with which credentials. */
const AUTH = ['good', 'none', 'wrong', 'scheme'] as const;

const common = {
  /** Requests of one client follow one another. */
  client: whole(0, 15),
  as: word('owner', 'other', 'admin'),
  auth: word(...AUTH),
  after,
  expect: expectation,
};

const functionFields = object({}, { FLAVOUR: text(), CPU: anything, MEMORY: anything, DISK_SIZE: anything });

/** What becomes the SERVERLESS_RUNTIME of a request; the flavour is `Function` unless told otherwise. */
const specification = object(
  {},
  {
    faas: functionFields,
    daas: functionFields,
    name: text(),
    scheduling: object({}, { POLICY: text(), REQUIREMENTS: text() }),
    deviceInfo: object({}, { LATENCY_TO_PE: anything, GEOGRAPHIC_LOCATION: text() }),
  },
);

/** A text or another value that is sent as the body, instead of what `args` would make. */
const body = { args: specification, sendText: text(), send: anything };

/** A runtime by the name that a step bound, its service, or an id that nobody has. */
const ref = text({
  pattern: '^([A-Za-z][A-Za-z0-9_-]*(\\.service)?|none)$',
  meaning: 'the name that a create has bound, such as r1, or r1.service, or none',
});

const step = variants('op', {
  create: object({ id: name, op: word('create') }, { ...common, ...body, bind: name }),
  get: object({ id: name, op: word('get'), ref }, common),
  put: object({ id: name, op: word('put'), ref }, { ...common, ...body }),
  delete: object({ id: name, op: word('delete'), ref }, common),
  schema: object({ id: name, op: word('schema') }, common),
  version: object({ id: name, op: word('version') }, common),
  config: object({ id: name, op: word('config') }, common),
  request: object(
    { id: name, op: word('request'), method: word('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH'), path: text() },
    { ...common, headers: map(text()), sendText: text(), send: anything },
  ),
  advance: object({ id: name, op: word('advance'), ms: whole(0) }, { after }),
  heal: object({ id: name, op: word('heal') }, { after }),
});

/** The whole schema is long, and stands elsewhere. */
const FAULT_IN_WORDS = { type: 'object', description: 'as fixtures/faults/schema.json has it' };

const fault = variants('kind', {
  /** What a driver of a host does to VMs. */
  driver: object(
    { id: name, kind: word('driver'), do: word('fail', 'delay', 'stick') },
    {
      ref,
      action: text(),
      message: text(),
      ms: whole(0),
      skip: whole(0),
      times: whole(1),
      probability: chance,
      after,
      forMs: whole(0),
    },
  ),
  /** A fault of onesim, whatever its layer; of a runtime, if it refers to one. */
  declared: object(
    { id: name, kind: word('declared'), fault: { ...FAULT, schema: FAULT_IN_WORDS } },
    { ref, after, forMs: whole(0) },
  ),
  /** What an administrator does to a VM behind the engine's back. */
  operator: object({ id: name, kind: word('operator'), ref, action: word(...VM_ACTIONS) }, { after }),
  /** The host of a runtime is not heard of any more. */
  hostDown: object({ id: name, kind: word('hostDown'), ref }, { after, forMs: whole(0) }),
});

export const SCENARIO = object(
  { v: constant(1), steps: list(step) },
  {
    $schema: text(),
    name: text(),
    seed: text({ pattern: '^(0x[0-9a-f]{1,8}|[0-9]{1,10})$', meaning: 'a seed such as "0x9f3a" or "7"' }),
    profile: word('upstream', 'contract'),
    timing: word('instant', 'fast', 'realistic', 'slow'),
    world: word('default', 'empty', 'recorded'),
    /** What the generator had left in; nothing reads it but people. */
    swarm: object({ ops: list(text()), faults: list(text()) }, {}),
    faults: list(fault),
  },
);

export type Scenario = FormOf<typeof SCENARIO>;
export type Step = FormOf<typeof step>;
export type Fault = FormOf<typeof fault>;
export type Specification = FormOf<typeof specification>;
export type After = FormOf<typeof after>;
export type Auth = (typeof AUTH)[number];

/** The steps that are requests to the engine. */
export type RequestStep = Exclude<Step, { readonly op: 'advance' | 'heal' }>;

export const isRequest = (step: Step): step is RequestStep => step.op !== 'advance' && step.op !== 'heal';

export const faultsOf = (scenario: Scenario): readonly Fault[] => scenario.faults ?? [];

export const seedOf = ({ seed }: Scenario): number => Number(seed ?? '1');

/** What fixtures/scenarios/schema.json holds. */
export const SCENARIO_SCHEMA = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'A scenario of onesim',
  ...SCENARIO.schema,
};

/** A scenario as it is written to a file: a line for each step and fault. */
export function writeScenario(scenario: Scenario): string {
  const { steps, faults, ...head } = scenario;
  const lines = (items: readonly object[]): string => items.map((item) => `\n    ${JSON.stringify(item)}`).join(',');
  const opening = Object.entries(head).map(([key, value]) => `  ${JSON.stringify(key)}: ${JSON.stringify(value)},\n`);
  const trouble = faults === undefined ? '' : `,\n  "faults": [${lines(faults)}\n  ]`;
  return `{\n${opening.join('')}  "steps": [${lines(steps)}\n  ]${trouble}\n}\n`;
}
