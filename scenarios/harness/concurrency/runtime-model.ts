/**
 * A runtime as far as its clients can know it, and what each request may do to it: never a copy of the simulator. An
 * update is a chain of phases, as it is on the real server, which locks nothing: it reads the document, renames it,
 * resizes each machine and its disk, and writes the document back with what it has read before.
 */
import type { FunctionState, State } from '../../../sim/index.ts';
import { runtimeIn } from '../answers.ts';
import { anyOf, type Belief, either, later, seen, UNBORN } from '../belief.ts';
import type { Phase, Thing } from './operation.ts';

const ROLES = ['FAAS', 'DAAS'] as const;
type Role = (typeof ROLES)[number];

const SIZES = ['CPU', 'MEMORY', 'DISK_SIZE'] as const;
type Sizes = Readonly<Record<(typeof SIZES)[number], number>>;

/** What a body holds beside its functions, and is written back as it was read. */
const REST = ['SCHEDULING', 'DEVICE_INFO'] as const;

interface KnownFunction {
  readonly role: Role;
  readonly vm: Belief;
  readonly sizes: Sizes;
  /** What a resize that is under way will come to. */
  readonly wanted: Sizes | undefined;
  /** It may be scheduled anew at any time: every update asks for that. */
  readonly restless: boolean;
}

/** What may be true of a runtime. */
export interface Known {
  /** While its service is being ended anything may be answered, until the document is gone. */
  readonly life: 'there' | 'ending' | 'gone';
  readonly name: string;
  /** The rest of the document as JSON; `undefined` where nobody can say. */
  readonly rest: string | undefined;
  readonly functions: readonly KnownFunction[];
  /** Updates that have read the very name that they were to give. */
  readonly named: readonly number[];
}

/** A request to a runtime, and what became of it. */
export interface Call {
  /** Tells it from all others. */
  readonly n: number;
  readonly method: string;
  /** `null` where no answer came, or none that counts. */
  readonly status: number | null;
  /** The bodies. */
  readonly asked: string | null;
  readonly answered: string;
  /** Whether anything but clients may have touched the runtime until then. */
  readonly disturbed: boolean;
}

type Fields = Readonly<Record<string, unknown>>;
type Deviations = ReadonlySet<string>;

/** A runtime that was just made, as the answer shows it; `undefined` when it shows none. */
export function runtimeMade(answered: string): Thing<Known> | undefined {
  const initial = knownFrom(answered, (state) => shownAs(moved(UNBORN, false), state), false);
  return initial === undefined ? undefined : { initial, keyOf };
}

/** A runtime of which nothing is known but an answer; one that is being resized shows too little. */
export function runtimeSeen(answered: string): Known | undefined {
  const known = knownFrom(answered, (state) => one(anyOf(state)), true);
  const isResizing = ({ vm }: KnownFunction): boolean => shownAs(vm, 'UPDATING').size > 0;
  return known?.functions.some(isResizing) ? undefined : known;
}

function knownFrom(
  answered: string,
  machineOf: (state: FunctionState) => Belief,
  restless: boolean,
): Known | undefined {
  const runtime = runtimeIn(answered);
  if (runtime === undefined) return undefined;
  const functions = ROLES.flatMap((role): KnownFunction[] => {
    const fields = fieldsOf(runtime, role);
    if (fields?.VM_ID === undefined) return [];
    return [{ role, vm: machineOf(stateOf(fields)), sizes: sizesOf(fields), wanted: undefined, restless }];
  });
  return { life: 'there', name: `${runtime.NAME}`, rest: restOf(runtime), functions, named: [] };
}

/** What comes last may be any text. */
function keyOf({ life, name, rest, functions, named }: Known): string {
  return `${rest}|${functions.map(machineKeyOf).join('|')}|${life}|${named.join()}|${name}`;
}

const machineKeys = new WeakMap<KnownFunction, string>();

function machineKeyOf(machine: KnownFunction): string {
  const known = machineKeys.get(machine);
  if (known !== undefined) return known;
  const { role, vm, sizes, wanted, restless } = machine;
  const amounts = [sizes, wanted].map((each) => (each === undefined ? '-' : SIZES.map((key) => each[key]).join()));
  const key = `${role} ${numberOf(vm)} ${amounts.join(' ')} ${restless}`;
  machineKeys.set(machine, key);
  return key;
}

/** What a request may do, phase by phase; none where it does nothing and says nothing. */
export function phasesOf(call: Call, deviations: Deviations): readonly Phase<Known>[] {
  const { method, status, answered } = call;
  if (method === 'GET') return status === null ? [] : reading(call, status, deviations);
  if (status === 404) return [missing(call)];
  if (status !== null && status >= 400 && status < 500 && status !== 423) return [];
  // Upstream, what no body may be is refused with 500.
  if (method === 'PUT' && answered.includes(INVALID)) return [];
  if (method === 'DELETE') return deleting(status);
  if (method === 'PUT') return updating(call, deviations);
  return [];
}

const INVALID = '"error":"Invalid Serverless Runtime specification"';

// ---- reading ------------------------------------------------------------------------------------------------------

function reading(call: Call, status: number, deviations: Deviations): Phase<Known>[] {
  if (status === 404) return [missing(call)];
  const shown = status < 300 ? runtimeIn(call.answered) : undefined;
  if (shown === undefined) return [];
  const rest = restOf(shown);
  const look: Phase<Known> = (known) => {
    if (known.name !== shown.NAME) return `it is called ${quoted(known.name)}, not ${quoted(shown.NAME)}`;
    if (known.rest !== undefined && known.rest !== rest) return `it says ${known.rest}, not ${rest}`;
    return looked(withRest(known, rest), shown, call, deviations);
  };
  // Upstream, who reads writes back what was read.
  return deviations.has('get-writes') ? [look, written(shown)] : [look];
}

const missing =
  ({ disturbed }: Call): Phase<Known> =>
  (known) =>
    known.life === 'there' && !disturbed ? 'it is there' : [known];

const written =
  (shown: Fields): Phase<Known> =>
  (known) =>
    known.life === 'gone' ? GONE : [withRest(known, restOf(shown))];

/** What changes nothing makes nothing new. */
const withRest = (known: Known, rest: string): Known => (known.rest === rest ? known : { ...known, rest });

const GONE = 'it has been deleted';

/** What is left to believe after its functions were seen. */
function looked(known: Known, shown: Fields, call: Call, deviations: Deviations): readonly Known[] | string {
  if (known.life === 'gone') return GONE;
  if (known.life === 'ending') return [known];
  let states: readonly Known[] = [known];
  for (const role of ROLES) {
    const fields = fieldsOf(shown, role);
    const machine = known.functions.find((each) => each.role === role);
    if ((fields?.VM_ID === undefined) !== (machine === undefined)) return `it has ${machine ? 'a' : 'no'} ${role}`;
    if (machine === undefined || fields === undefined) continue;
    const next = onFunction(states, role, (each) => seenAs(each, fields, call, deviations));
    if (typeof next === 'string') return next;
    states = next;
  }
  return states;
}

function seenAs(
  machine: KnownFunction,
  fields: Fields,
  call: Call,
  deviations: Deviations,
): readonly KnownFunction[] | string {
  const { role } = machine;
  const state = stateOf(fields);
  const shown = sizesOf(fields);
  const outcomes = outcomesOf(machine, call);
  const fitting = outcomes.filter(({ sizes, wanted }) =>
    wanted === undefined ? areSame(shown, sizes) : isBetween(shown, sizes, wanted, deviations),
  );
  const possible = fitting.filter(({ vm }) => shownAs(vm, state).size > 0);
  if (possible.length === 0) {
    const [{ sizes, wanted } = machine] = outcomes;
    const last = fitting.at(-1);
    if (last === undefined) return `${role} has ${textOf(wanted ?? sizes)}, not ${textOf(shown)}`;
    return `${role} cannot be ${state}: ${nameOf(last.vm)}`;
  }
  return possible.map((each) => {
    const vm = shownAs(each.vm, state);
    const isAsBefore = vm === machine.vm && each.sizes === machine.sizes && each.wanted === machine.wanted;
    return isAsBefore ? machine : { ...each, vm };
  });
}

/** What a machine may have become since: what was under way may have ended. */
function outcomesOf(machine: KnownFunction, { disturbed }: Call): readonly KnownFunction[] {
  const { vm, wanted, restless } = machine;
  if (disturbed) {
    const rested = { ...machine, vm: ANYTHING };
    if (wanted === undefined) return [rested];
    return [rested, { ...rested, wanted: undefined }, { ...rested, sizes: wanted, wanted: undefined }];
  }
  if (wanted === undefined) return [{ ...machine, vm: moved(vm, restless) }];
  return [machine, { ...machine, sizes: wanted, wanted: undefined, vm: moved(RUNNING, restless) }];
}

/** While a resize is under way, each size is the old one or the new one, or, upstream, both in one number. */
function isBetween(shown: Sizes, old: Sizes, wanted: Sizes, deviations: Deviations): boolean {
  const together = deviations.has('capacity-run-together');
  const both: Partial<Sizes> = together
    ? { CPU: Number(`${old.CPU}${wanted.CPU}`), MEMORY: Number(`${wanted.MEMORY}${old.MEMORY}`) }
    : {};
  return SIZES.every((key) => [old[key], wanted[key], both[key]].includes(shown[key]));
}

// ---- changing -----------------------------------------------------------------------------------------------------

/** First its service, then its document. */
function deleting(status: number | null): Phase<Known>[] {
  const end: Phase<Known> = (known) => (known.life === 'there' ? [{ ...known, life: 'ending' }] : [known]);
  const remove: Phase<Known> = (known) => (known.life === 'gone' ? GONE : [{ ...known, life: 'gone' }]);
  if (status !== null && status < 300) return [there, end, remove];
  if (status === null) return [end, remove];
  return status === 423 ? [] : [maybe(end), maybe(remove)];
}

const there: Phase<Known> = (known) => (known.life === 'gone' ? GONE : [known]);

/** Done or not: nobody has said. */
const maybe =
  (phase: Phase<Known>): Phase<Known> =>
  (known) => {
    const done = phase(known);
    return typeof done === 'string' ? [known] : [known, ...done];
  };

function updating(call: Call, deviations: Deviations): Phase<Known>[] {
  const { n, status, asked, answered } = call;
  const wanted = runtimeIn(asked ?? '') ?? {};
  const name = typeof wanted.NAME === 'string' ? wanted.NAME : undefined;
  const nameFirst = deviations.has('rename-before-423');
  const rename: Phase<Known> = (known) => {
    if (name === undefined) return [known];
    if (!known.named.includes(n)) return [{ ...known, name }];
    return [{ ...known, named: known.named.filter((each) => each !== n) }];
  };
  const inOrder = (naming: Phase<Known>[], functions: Phase<Known>[]): Phase<Known>[] =>
    nameFirst ? [...naming, ...functions] : [...functions, ...naming];

  if (status === 423) {
    const role = answered.includes('Function VM DAAS') ? 'DAAS' : 'FAAS';
    const before = role === 'DAAS' ? resizing('FAAS', wanted, call) : [];
    return [there, ...(nameFirst ? [maybe(rename)] : []), ...before, refusing(role, call)];
  }
  if (status === null || status >= 300) {
    const [role, ...others] = ROLES.filter((each) => fieldsOf(wanted, each) !== undefined);
    const stage = FAILED_STAGES.find(({ title }) => answered.includes(title));
    if (status !== null && role !== undefined && others.length === 0 && stage !== undefined) {
      return [there, ...(nameFirst ? [maybe(rename)] : []), ...stage.phases(role, wanted, call)];
    }
    const unsure = status === null ? (phase: Phase<Known>): Phase<Known> => phase : maybe;
    const resizes = ROLES.flatMap((each) => triedResizing(each, wanted, call, unsure));
    const isPlain = REST.every((key) => wanted[key] === undefined);
    const write: Phase<Known> = (known) =>
      isPlain && known.rest === NO_REST ? [known] : [{ ...known, rest: undefined }];
    return [...inOrder(name === undefined ? [] : [unsure(rename)], resizes), unsure(write)];
  }
  const shown = runtimeIn(answered) ?? {};
  // Upstream, what was read at the beginning is written at the end, whatever others have written meanwhile.
  const overwrites = deviations.has('put-writes-what-it-read');
  // Upstream, the answer still has the name that was read; where a server keeps the contract here, it has the new one.
  const found = name === undefined || deviations.has('rename-shows-late') ? `${shown.NAME}` : undefined;
  const read: Phase<Known> = (known) => {
    if (known.life === 'gone') return GONE;
    if (found === undefined && shown.NAME !== name) return `it was to be called ${quoted(name)}`;
    if (found !== undefined && found !== known.name && found !== name)
      return `it is called ${quoted(known.name)}, not ${quoted(found)}`;
    if (overwrites) {
      const unlike = unlikeKept(known, wanted, shown);
      if (unlike !== undefined) return unlike;
    }
    return [known.name === name ? { ...known, named: [...known.named, n] } : known];
  };
  const answer: Phase<Known> = (known) => looked(known, shown, call, deviations);
  const write = written(shown);
  const writeRest: Phase<Known> = (known) =>
    (overwrites ? undefined : unlikeKept(known, wanted, shown)) ?? write(known);
  const resizes = ROLES.flatMap((role) => resizing(role, wanted, call));
  return [read, ...inOrder(name === undefined ? [] : [rename], resizes), answer, writeRest];
}

/** What an update shows otherwise than it is there, of what it was not asked to change; undefined where nothing is. */
function unlikeKept({ life, rest }: Known, wanted: Fields, shown: Fields): string | undefined {
  if (rest === undefined || life === 'gone') return undefined;
  for (const key of REST) {
    if (wanted[key] !== undefined) continue;
    const kept = JSON.stringify(JSON.parse(rest)[key]);
    if (kept !== JSON.stringify(shown[key])) return `its ${key} is ${kept}, not ${JSON.stringify(shown[key])}`;
  }
  return undefined;
}

/** Its capacity, then its disk, each waited for; then it may be moved. */
function resizing(role: Role, runtime: Fields, call: Call): Phase<Known>[] {
  const fields = fieldsOf(runtime, role);
  if (fields === undefined) return [];
  const settle = onRunning(role, call, (machine) => machine);
  const rest = onRunning(role, call, (machine) => ({ ...machine, restless: true }));
  return [resizeOf(role, fields, call, CAPACITY), settle, resizeOf(role, fields, call, DISK), rest];
}

/** Where an update of one function stopped, by what the answer says; nothing is rolled back. */
const FAILED_STAGES: readonly {
  readonly title: string;
  readonly phases: (role: Role, runtime: Fields, call: Call) => readonly Phase<Known>[];
}[] = [
  { title: 'Failed to resize Serverless Runtime Function VM capacity', phases: () => [] },
  {
    title: 'Failed to resize Serverless Runtime Function VM disk',
    phases: (role, runtime, call) => resizing(role, runtime, call).slice(0, 2),
  },
];

/** As much of it as was done, and what had failed may have been tried again; nothing is lost by believing that it was. */
function triedResizing(
  role: Role,
  runtime: Fields,
  call: Call,
  unsure: (phase: Phase<Known>) => Phase<Known>,
): Phase<Known>[] {
  const fields = fieldsOf(runtime, role);
  if (fields === undefined) return [];
  const retried: Phase<Known> = (known) =>
    onFunction([known], role, (machine) =>
      outcomesOf(machine, call).map((each) =>
        each.wanted === undefined
          ? { ...each, vm: retriedOf(each.vm, 'anything'), restless: true }
          : { ...each, restless: true },
      ),
    );
  return [unsure(resizeOf(role, fields, call, CAPACITY)), unsure(resizeOf(role, fields, call, DISK)), retried];
}

const resizeOf = (role: Role, fields: Fields, call: Call, { keys, vm }: Resize): Phase<Known> =>
  onRunning(role, call, (machine) => {
    const wanted = { ...machine.sizes };
    // What is 0 is kept, as OpenNebula does.
    for (const key of keys) if (typeof fields[key] === 'number' && fields[key] !== 0) wanted[key] = fields[key];
    return areSame(wanted, machine.sizes) ? machine : { ...machine, vm, wanted };
  });

const onRunning = (role: Role, call: Call, change: (machine: KnownFunction) => KnownFunction): Phase<Known> =>
  whileThere((known) =>
    onFunction([known], role, (machine) => {
      const running = runningOf(machine, call);
      return typeof running === 'string' ? running : running.map(change);
    }),
  );

/** Refused because it is coming up, or being resized. */
const refusing = (role: Role, call: Call): Phase<Known> =>
  whileThere((known) =>
    onFunction([known], role, (machine) => {
      const possible = outcomesOf(machine, call).flatMap((each) => {
        const vm = one(either(shownAs(each.vm, 'PENDING'), shownAs(each.vm, 'UPDATING')));
        return vm.size === 0 ? [] : [{ ...each, vm }];
      });
      return possible.length === 0 ? `${role} is neither PENDING nor UPDATING` : possible;
    }),
  );

/** Of a runtime that is being ended nobody can say how its machines are. */
const whileThere =
  (phase: Phase<Known>): Phase<Known> =>
  (known) =>
    known.life === 'gone' ? GONE : known.life === 'ending' ? [known] : phase(known);

function runningOf(machine: KnownFunction, call: Call): readonly KnownFunction[] | string {
  const running = outcomesOf(machine, call).flatMap((each) => {
    const vm = shownAs(each.vm, 'RUNNING');
    return each.wanted !== undefined || vm.size === 0 ? [] : [{ ...each, vm }];
  });
  return running.length === 0 ? `${machine.role} cannot be RUNNING` : running;
}

/** What becomes of one function; a runtime without it stays as it is. */
function onFunction(
  states: readonly Known[],
  role: Role,
  change: (machine: KnownFunction) => readonly KnownFunction[] | string,
): readonly Known[] | string {
  let why = '';
  const next = states.flatMap((known): readonly Known[] => {
    const machine = known.functions.find((each) => each.role === role);
    if (machine === undefined) return [known];
    const changed = change(machine);
    if (typeof changed === 'string') {
      why = changed;
      return [];
    }
    return changed.map((each) =>
      each === machine
        ? known
        : { ...known, functions: known.functions.map((other) => (other === machine ? each : other)) },
    );
  });
  return next.length === 0 ? why : next;
}

// ---- machines -----------------------------------------------------------------------------------------------------

/** Beliefs that are alike are one and the same, so that what follows from them is found out once. */
const beliefs = new Map<string, Belief>();
const numbers = new WeakMap<Belief, number>();

const nameOf = (belief: Belief): string => [...belief].sort().join(' ');

function one(belief: Belief): Belief {
  const name = nameOf(belief);
  const known = beliefs.get(name);
  if (known !== undefined) return known;
  beliefs.set(name, belief);
  numbers.set(belief, beliefs.size);
  return belief;
}

const numberOf = (belief: Belief): number => numbers.get(belief) ?? numberOf(one(belief));

function remembering<K>(find: (belief: Belief, key: K) => Belief): (belief: Belief, key: K) => Belief {
  const found = new WeakMap<Belief, Map<K, Belief>>();
  return (belief, key) => {
    const mine = found.get(belief) ?? new Map<K, Belief>();
    const result = mine.get(key) ?? one(find(belief, key));
    found.set(belief, mine.set(key, result));
    return result;
  };
}

/** @param restless whether the scheduler may also take it to another host */
const moved = remembering((belief, restless: boolean) => {
  const here = later(belief, false);
  return restless && here.has('RUNNING') ? later(either(here, MIGRATING), false) : here;
});
const retriedOf = remembering((belief, _: 'anything') => later(belief, true));
const shownAs = remembering((belief, state: FunctionState) => seen(belief, state));

const only = (state: State): Belief => one(new Set([state]));
const MIGRATING = one(new Set<State>(['MIGRATE', 'SAVE_MIGRATE']));
const RUNNING = only('RUNNING');

interface Resize {
  readonly keys: readonly (keyof Sizes)[];
  /** What the machine is in meanwhile. */
  readonly vm: Belief;
}
const CAPACITY: Resize = { keys: ['CPU', 'MEMORY'], vm: only('HOTPLUG_RESIZE') };
const DISK: Resize = { keys: ['DISK_SIZE'], vm: only('DISK_RESIZE') };
const ANYTHING = one((['PENDING', 'RUNNING', 'UPDATING', 'ERROR'] as const).map(anyOf).reduce(either));

// ---- bodies -------------------------------------------------------------------------------------------------------

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null;

function fieldsOf(runtime: Fields, role: Role): Fields | undefined {
  const fields = runtime[role];
  return isFields(fields) ? fields : undefined;
}

const stateOf = ({ STATE }: Fields): FunctionState => STATE as FunctionState;

const sizesOf = (fields: Fields): Sizes => ({
  CPU: Number(fields.CPU),
  MEMORY: Number(fields.MEMORY),
  DISK_SIZE: Number(fields.DISK_SIZE),
});

const areSame = (a: Sizes, b: Sizes): boolean =>
  SIZES.every((key) => a[key] === b[key] || (Number.isNaN(a[key]) && Number.isNaN(b[key])));

const textOf = (sizes: Sizes | undefined): string =>
  sizes === undefined ? '-' : `CPU ${sizes.CPU}, MEMORY ${sizes.MEMORY}, DISK_SIZE ${sizes.DISK_SIZE}`;

const rests = new WeakMap<Fields, string>();

function restOf(runtime: Fields): string {
  const known = rests.get(runtime);
  if (known !== undefined) return known;
  const rest = JSON.stringify(Object.fromEntries(REST.map((key) => [key, runtime[key]])));
  rests.set(runtime, rest);
  return rest;
}

const NO_REST = restOf({});

const quoted = (name: unknown): string => JSON.stringify(name) ?? 'nothing';
