/** What a trace says, told by runtime, by VM and by journal entry: what all laws look things up in. */
import type { Entry, FunctionState, State } from '../../sim/index.ts';
import { runtimeIn } from './answers.ts';
import type { RequestStep, Step } from './scenario.ts';
import { faultsOf, isRequest } from './scenario.ts';
import {
  type Answer,
  type CensusLine,
  ENDED,
  type ExchangeLine,
  type FaultLine,
  type HealLine,
  type RunLine,
  type StreamLine,
  type Trace,
} from './trace.ts';

/** An exchange that was answered by who was asked: what a fault of the API or of the transport has touched is no evidence. */
export type Answered = ExchangeLine & { readonly response: Answer };

export const FUNCTIONS = ['FAAS', 'DAAS'] as const;
type FunctionName = (typeof FUNCTIONS)[number];

interface FunctionFields {
  readonly VM_ID: number;
  readonly STATE: FunctionState;
  readonly ERROR?: string;
  readonly CPU: number;
  readonly MEMORY: number;
  readonly DISK_SIZE: number;
  readonly ENDPOINT: string;
}

/** A runtime as an answer shows it. */
interface Shown {
  readonly ID: number;
  readonly NAME: string;
  readonly SERVICE_ID: number;
  readonly functions: ReadonlyMap<FunctionName, FunctionFields>;
}

/** All that a run has made of one runtime. */
export interface Runtime {
  readonly id: number;
  readonly created: Answered;
  readonly first: Shown;
  /** Everything that was asked of it, the creation included, in the order of the answers. */
  readonly exchanges: Answered[];
  /** Those that show it. */
  readonly sights: { readonly exchange: Answered; readonly shown: Shown }[];
}

export interface Story {
  readonly run: RunLine;
  readonly deviations: ReadonlySet<string>;
  readonly exchanges: readonly ExchangeLine[];
  /** Whether a fault stood between the two sides of an exchange: then its answer is nobody's word. */
  isTouched(exchange: ExchangeLine): boolean;
  readonly answered: readonly Answered[];
  readonly runtimes: ReadonlyMap<number, Runtime>;
  readonly steps: ReadonlyMap<string, Step>;
  /** Steps that were not come to, because the run was ended early. */
  readonly ended: ReadonlySet<string>;
  /** Whether the journal was seen. */
  readonly omniscient: boolean;
  readonly entries: readonly Entry[];
  readonly censuses: readonly CensusLine[];
  /** What passed over streams. */
  readonly streamed: readonly StreamLine[];
  readonly faults: readonly FaultLine[];
  readonly healings: readonly HealLine[];
  entry(seq: number): Entry | undefined;
  /** Changes of state of all VMs, in order. */
  readonly changes: readonly Change[];
  /** Changes of state of a VM, in order. */
  changesOf(vm: number): readonly Change[];
  /** The states that a VM was in when an exchange was answered: several when it changed within the instant. */
  statesAt(vm: number, exchange: ExchangeLine): ReadonlySet<State>;
  /** What a request has changed at once, as far as the journal was seen. */
  effectsOf(request: number | null): readonly Entry[];
  /** The entry and what led to it. */
  why(entry: Entry): readonly Entry[];
  /** Whether a fault or an administrator has touched a VM up to an instant. */
  disturbed(vm: number, from: number, to: number): boolean;
  /** Whether a fault has touched a service up to an instant: it may be lost, or late. */
  isServiceTouched(service: number, until: number): boolean;
  /** Whether something was asked of a runtime up to an instant of which nobody knows whether it was done. */
  unsure(runtime: number, until: number): boolean;
  /** When the last line was written. */
  readonly end: number;
}

export interface Change {
  readonly entry: Entry;
  readonly at: number;
  readonly from: State;
  readonly to: State;
}

export function storyOf({ run, lines }: Trace): Story {
  const exchanges = lines.filter((line) => line.kind === 'exchange');
  const events = lines.filter((line) => line.kind === 'event');
  const entries = events.map(({ entry }) => entry);
  const first = entries[0]?.seq ?? 1;
  const entry = (seq: number): Entry | undefined => entries[seq - first];
  const faults = lines.filter((line) => line.kind === 'fault');
  const all: Change[] = [];
  const changes = new Map<number, Change[]>();
  /** When a fault or an administrator has touched a VM or a service. */
  const blows = new Map<string, number[]>();
  const effects = new Map<number, Entry[]>();
  /** By the entry of a fault that has touched a request: that of the request. */
  const touched = new Map<number, number>();
  for (const { at, entry: each } of events) {
    if (each.kind === 'fault' && 'api' in each.detail) touched.set(each.seq, each.cause);
    else if (!UNDONE.has(each.kind)) append(effects, touched.get(each.cause) ?? each.cause, each);
    const vm = Number(each.subject.slice('vm/'.length));
    if (each.kind === 'vm.state') {
      const { from, to } = each.detail as { from: State; to: State };
      const change = { entry: each, at, from, to };
      all.push(change);
      append(changes, vm, change);
    } else if (each.kind === 'fault') append(blows, each.subject, at);
  }
  for (const { vm, at } of faults) if (vm !== null) append(blows, `vm/${vm}`, at);
  const why = (last: Entry): Entry[] => {
    const chain: Entry[] = [];
    for (let each: Entry | undefined = last; each !== undefined; each = entry(each.cause)) chain.push(each);
    return chain;
  };
  // Whatever happens to a host happens to its VMs, and what an administrator has set going is his doing to its end.
  const administered = new Set(
    exchanges.flatMap(({ op, entry: own }) => (ADMINISTERS.has(op) && own !== null ? [own] : [])),
  );
  const isBlow = (each: Entry): boolean => isOfHost(each) || administered.has(each.seq);
  if (entries.some(isOfHost) || [...administered].some((own) => effects.has(own))) {
    for (const change of all) if (why(change.entry).some(isBlow)) append(blows, change.entry.subject, change.at);
  }
  const struck = new Set(touched.values());
  const cutFrom = cutSince(run, faults);
  const omniscient = run.transport === 'in process';
  const marred = new Set(
    exchanges.filter(
      ({ entry: own, response, at }) =>
        (own !== null && struck.has(own)) ||
        (response === null ? !omniscient && at >= cutFrom : response.headers.some(([name]) => name === FAULT_HEADER)),
    ),
  );
  const isTouched = (exchange: ExchangeLine): boolean => marred.has(exchange);
  const answered = exchanges.filter((line): line is Answered => line.response !== null && !isTouched(line));
  const unsure = exchanges.filter(
    (line) =>
      isMutation(line) &&
      (line.response === null || isTouched(line)) &&
      (line.entry === null || effects.has(line.entry) || !isTouched(line)),
  );
  return {
    run,
    deviations: new Set(run.deviations),
    exchanges,
    isTouched,
    answered,
    runtimes: runtimesOf(exchanges, isTouched),
    steps: new Map(run.scenario.steps.map((step) => [step.id, step])),
    ended: new Set(lines.flatMap((line) => (line.kind === 'skip' && line.why === ENDED ? [line.id] : []))),
    omniscient,
    entries,
    censuses: lines.filter((line) => line.kind === 'census'),
    streamed: lines.filter((line) => line.kind === 'stream'),
    faults,
    healings: lines.filter((line) => line.kind === 'healed'),
    entry,
    changes: all,
    changesOf: (vm) => changes.get(vm) ?? [],
    statesAt(vm, { at, until }) {
      const states = new Set<State>();
      for (const change of changes.get(vm) ?? []) {
        if (change.entry.seq > (until ?? 0)) break;
        if (change.at < at) states.clear();
        states.add(change.to);
      }
      return states;
    },
    effectsOf: (request) => (request === null ? [] : (effects.get(request) ?? [])),
    why,
    disturbed: (vm, from, to) => (blows.get(`vm/${vm}`) ?? []).some((at) => at >= from && at <= to),
    isServiceTouched: (service, until) => (blows.get(`service/${service}`) ?? []).some((at) => at <= until),
    unsure: (runtime, until) => unsure.some(({ id, sent }) => id === runtime && sent <= until),
    end: lines.at(-1)?.at ?? 0,
  };
}

/** Whether where its VMs may be is somebody's wish: then it may be that no host will do. */
export const isDemanding = ({ created, exchanges }: Runtime): boolean =>
  [created, ...exchanges].some(({ request }) => request.body?.includes('"SCHEDULING"') ?? false);

const isOfHost = ({ kind, subject }: Entry): boolean =>
  kind === 'host.state' || (kind === 'fault' && subject.startsWith('host/'));

/** What the harness asks for as an administrator. */
const ADMINISTERS: ReadonlySet<string> = new Set(['heal', 'operator']);

/** Names the fault that has touched an answer. */
const FAULT_HEADER = 'x-onesim-fault';

/** Kinds of entries that change nothing. */
const UNDONE: ReadonlySet<string> = new Set(['request', 'answer', 'fault']);

/** Since when a fault of the scenario may have kept an answer back. */
function cutSince({ scenario }: RunLine, faults: readonly FaultLine[]): number {
  const cuts = new Set(
    faultsOf(scenario).flatMap((each) =>
      each.kind === 'declared' && each.fault.selector.layer === 'transport' ? [each.id] : [],
    ),
  );
  return faults.find(({ fault, phase }) => phase === 'began' && cuts.has(fault))?.at ?? Number.POSITIVE_INFINITY;
}

function append<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const known = lists.get(key);
  if (known === undefined) lists.set(key, [value]);
  else known.push(value);
}

/** A runtime is known by the answer to its creation, whatever has carried it; all else counts only as evidence. */
function runtimesOf(
  exchanges: readonly ExchangeLine[],
  isTouched: (exchange: ExchangeLine) => boolean,
): ReadonlyMap<number, Runtime> {
  const runtimes = new Map<number, Runtime>();
  for (const exchange of exchanges) {
    const { op, id } = exchange;
    const isMarred = isTouched(exchange);
    if (!isAnswered(exchange) || (isMarred && op !== 'create')) continue;
    const { response } = exchange;
    const shown = response.status < 300 && ['create', 'get', 'put'].includes(op) ? shownIn(response.body) : undefined;
    if (op === 'create' && shown !== undefined && !runtimes.has(shown.ID)) {
      runtimes.set(shown.ID, { id: shown.ID, created: exchange, first: shown, exchanges: [], sights: [] });
    }
    const runtime = runtimes.get(op === 'create' ? (shown?.ID ?? -1) : (id ?? -1));
    if (runtime === undefined || isMarred) continue;
    runtime.exchanges.push(exchange);
    if (shown !== undefined) runtime.sights.push({ exchange, shown });
  }
  return runtimes;
}

const isAnswered = (exchange: ExchangeLine): exchange is Answered => exchange.response !== null;

/** A runtime in a body; a client's own ID that comes back besides counts as it does for a parser. */
function shownIn(body: string): Shown | undefined {
  const runtime = runtimeIn(body);
  if (runtime === undefined || typeof runtime.ID !== 'number') return undefined;
  const functions = new Map<FunctionName, FunctionFields>();
  for (const name of FUNCTIONS) {
    const fields = runtime[name] as FunctionFields | undefined;
    if (fields !== undefined && fields !== null && typeof fields.VM_ID === 'number') functions.set(name, fields);
  }
  return { ID: runtime.ID, NAME: `${runtime.NAME}`, SERVICE_ID: Number(runtime.SERVICE_ID), functions };
}

/** The step of an exchange that is one of the scenario's requests. */
export function requestOf(story: Story, { step }: ExchangeLine): RequestStep | undefined {
  const found = step === null ? undefined : story.steps.get(step);
  return found !== undefined && isRequest(found) ? found : undefined;
}

export const isMutation = ({ request }: ExchangeLine): boolean => !['GET', 'HEAD'].includes(request.method);

/** Whether two exchanges were under way at the same time, or may have been. */
export const overlap = (a: ExchangeLine, b: ExchangeLine): boolean =>
  a.seq !== b.seq &&
  (a.entry !== null && b.entry !== null && a.until !== null && b.until !== null
    ? a.entry <= b.until && b.entry <= a.until
    : a.sent <= b.at && b.sent <= a.at);

/** Whether one was over before the other began. */
export const before = (a: ExchangeLine, b: ExchangeLine): boolean =>
  a.until !== null && b.entry !== null ? a.until < b.entry : a.at < b.sent;
