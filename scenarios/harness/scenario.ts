/**
 * A scenario: what clients do, what goes wrong meanwhile, and what is expected. The file, not the seed, is what replays
 * a failure. Things are named, never numbered, and times are told from events: whatever is taken out, the rest keeps
 * its meaning.
 */
import { FAULT, type FormOf, form, VM_ACTIONS } from '../../sim/index.ts';
import { after, common, duration, made, name, ref, struck } from './step-parts.ts';
import { WATCH_STEPS, type WatchStep } from './watching/steps.ts';

const { anything, chance, constant, list, map, object, text, variants, whole, word } = form;

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

/** What a client may do while others do something else. */
const beside = {
  ...common,
  /** Steps of several lanes that stand together are done at the same time, those of one lane in their order. */
  lane: whole(1, 4),
  /** How much longer it waits before it is sent, and then, in process, at each point where its handler waits. */
  pausesMs: list(whole(0, 600_000)),
};

const headerName = text({ pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$", meaning: 'the name of a header' });
const headerValue = text({ pattern: '^[^\\0\\r\\n]*$', meaning: 'a header on one line' });

const step = variants('op', {
  create: object({ id: name, op: word('create') }, { ...beside, ...body, bind: name }),
  get: object({ id: name, op: word('get'), ref }, beside),
  put: object({ id: name, op: word('put'), ref }, { ...beside, ...body }),
  delete: object({ id: name, op: word('delete'), ref }, beside),
  schema: object({ id: name, op: word('schema') }, common),
  version: object({ id: name, op: word('version') }, common),
  config: object({ id: name, op: word('config') }, common),
  request: object(
    {
      id: name,
      op: word('request'),
      method: word('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'),
      path: text({ pattern: '^/', meaning: 'a path such as /server/version' }),
    },
    { ...common, headers: map(headerValue, headerName), sendText: text(), send: anything },
  ),
  ...WATCH_STEPS,
  advance: object({ id: name, op: word('advance'), ms: duration }, { after }),
  heal: object({ id: name, op: word('heal') }, { after }),
});

/** The whole schema is long, and stands elsewhere. */
const FAULT_IN_WORDS = { type: 'object', description: 'as fixtures/faults/schema.json has it' };

/** What is told of a fault is told by its name; one that has none gets one when the file is read. */
const called = { id: name };

const fault = variants('kind', {
  /** What a driver of a host does to VMs. */
  driver: object(
    { kind: word('driver'), do: word('fail', 'delay', 'stick') },
    {
      ...called,
      ref: struck,
      action: text(),
      message: text(),
      ms: duration,
      skip: whole(0),
      times: whole(1),
      probability: chance,
      after,
      forMs: duration,
    },
  ),
  /** A fault of onesim, whatever its layer; of a runtime or its host, if it refers to one. */
  declared: object(
    { kind: word('declared'), fault: { ...FAULT, schema: FAULT_IN_WORDS } },
    { ...called, ref: struck, after, forMs: duration },
  ),
  /** What an administrator does to a VM behind the engine's back. */
  operator: object({ kind: word('operator'), ref: made, action: word(...VM_ACTIONS) }, { ...called, after }),
  /** The host of a runtime is not heard of any more. */
  hostDown: object({ kind: word('hostDown'), ref: struck }, { ...called, after, forMs: duration }),
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
    /** How many functions there are in the Gatekeeper's catalogue besides those of the world. */
    functions: whole(0, 200),
    /** What the generator had left in; nothing reads it but people. */
    swarm: object({ ops: list(text()), faults: list(text()) }, {}),
    faults: list(fault),
  },
);

/** As it is written. */
type Written = FormOf<typeof SCENARIO>;
export type Step = FormOf<typeof step>;
export type Fault = FormOf<typeof fault> & { readonly id: string };
/** With a name for every fault. */
export type Scenario = Omit<Written, 'faults'> & { readonly faults?: readonly Fault[] };
export type Specification = FormOf<typeof specification>;
export type After = FormOf<typeof after>;

/** The steps that are requests to the engine. */
export type RequestStep = Exclude<Step, WatchStep | { readonly op: 'advance' | 'heal' }>;

export const isWatch = (step: Step): step is WatchStep => Object.hasOwn(WATCH_STEPS, step.op);

export const isRequest = (step: Step): step is RequestStep =>
  step.op !== 'advance' && step.op !== 'heal' && !isWatch(step);

export const faultsOf = (scenario: Scenario): readonly Fault[] => scenario.faults ?? [];

/** Gives each fault that has no name the next of f1, f2, … that nothing else has. */
export function named(written: Written): Scenario {
  const { faults, ...rest } = written;
  if (faults === undefined) return rest;
  const taken = new Set([...written.steps, ...faults].map(({ id }) => id));
  let n = 0;
  const free = (): string => {
    do n++;
    while (taken.has(`f${n}`));
    return `f${n}`;
  };
  return { ...rest, faults: faults.map((each): Fault => ({ id: each.id ?? free(), ...each })) };
}

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
