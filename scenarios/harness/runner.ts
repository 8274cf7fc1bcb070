/** Runs a scenario over a transport, and writes down what was seen. It judges nothing. */
import { attempt, type FunctionState, mappedState, type Soon, whenThere } from '../../sim/index.ts';
import { type Bound, boundOf, functionsIn } from './answers.ts';
import { Clients } from './clients.ts';
import { inLanes, laneOf, pausesOf } from './concurrency/lanes.ts';
import { CREDENTIALS, type Credentials, isAnybodys, type Plea, pleaOf, SESSIONS } from './request.ts';
import { type Fault, faultsOf, isRequest, isWatch, type RequestStep, type Scenario, type Step } from './scenario.ts';
import { boundName } from './step-parts.ts';
import { ENDED, type Line, type Role, type Trace } from './trace.ts';
import type { God, Transport } from './transport.ts';
import { Troubles } from './troubles.ts';
import { Watcher } from './watching/watcher.ts';

export interface RunOptions {
  readonly credentials?: Credentials;
  /** Users of the Gatekeeper, by role. */
  readonly sessions?: Credentials;
  /** How long a step waits for the event that it is told from. */
  readonly patienceMs?: number;
  /** How soon a runtime is looked at over HTTP, while something waits for its state; each time later, up to eight times. */
  readonly pollMs?: number;
  /** Ends the run early: what is under way is waited for, and nothing else begins. */
  readonly signal?: Pick<AbortSignal, 'aborted'>;
  /** Is told of each step and fault that is over. */
  readonly told?: () => void;
}

/** An id that nobody has. */
const NOBODYS = 2_000_000_000;

export async function runScenario(
  scenario: Scenario,
  transport: Transport,
  {
    credentials = CREDENTIALS,
    sessions = SESSIONS,
    patienceMs = 600_000,
    pollMs = 500,
    signal = NEVER,
    told = () => {},
  }: RunOptions = {},
): Promise<Trace> {
  const run = new Run(scenario, transport, { credentials, sessions, patienceMs, pollMs, signal, told });
  const lines = await run.toEnd();
  return { run: { kind: 'run', v: 1, ...transport.about, scenario }, lines };
}

/** Of a run that nobody ends early. */
const NEVER = { aborted: false };

/** Something that happens once its event has come, and so long after it. */
interface Item {
  readonly name: string;
  /** Those of a client follow one another; `null` waits for nobody. */
  readonly lane: number | null;
  readonly event: string;
  /** Further events that have to have come. */
  readonly others?: readonly string[];
  readonly delayMs: number;
  act(): Soon<void>;
}

class Run {
  readonly #steps: ReadonlyMap<string, Step>;
  readonly #transport: Transport;
  readonly #options: Required<RunOptions>;
  readonly #god: God | undefined;
  readonly #clients: Clients;
  readonly #watcher: Watcher;
  readonly #troubles: Troubles;
  readonly #lines: Line[] = [];
  readonly #waiting: Item[] = [];
  /** When each event came. */
  readonly #events = new Map<string, number>([['start', 0]]);
  readonly #bound = new Map<string, Bound>();
  readonly #makers = new Map<Bound, Role>();
  /** What the journal, or the last answer, said of each VM or function. */
  readonly #states = new Map<number, FunctionState>();
  /** Events that are states of runtimes, and have not come. */
  readonly #awaited = new Set<string>();
  readonly #busy = new Set<number>();
  #flying = 0;
  #landed = 0;
  #polled = Number.NEGATIVE_INFINITY;
  /** How often in a row a look has brought nothing that was waited for. */
  #vain = 0;

  constructor(scenario: Scenario, transport: Transport, options: Required<RunOptions>) {
    this.#steps = new Map(scenario.steps.map((step) => [step.id, step]));
    this.#transport = transport;
    this.#options = options;
    this.#god = transport.god;
    this.#clients = new Clients(transport, options.credentials, this.#lines, (answer) => {
      this.#listen();
      if (this.#god === undefined && answer !== null) this.#learn(answer.body);
    });
    this.#watcher = new Watcher({
      transport,
      clients: this.#clients,
      lines: this.#lines,
      sessions: options.sessions,
      skip: (id, why) => this.#skip(id, why),
      note: (event) => this.#note(event),
      vmOf: (ref) => this.#bound.get(ref)?.vms[0],
      rest: (ms) => this.#rest(ms),
    });
    this.#troubles = new Troubles({
      god: this.#god,
      clients: this.#clients,
      boundTo: (ref) => this.#bound.get(boundName(ref)),
      vms: () => [...this.#bound.values()].flatMap(({ vms }) => vms),
      stateOf: (vm) => this.#states.get(vm),
      advance: (ms) => this.#advance(ms),
      listen: () => this.#listen(),
      skip: (id, why) => this.#skip(id, why),
      tell: (line) => {
        this.#listen();
        this.#lines.push({ ...line, at: this.#transport.now() });
      },
      note: (event) => this.#note(event),
      census: () => this.#census(),
    });
    for (const fault of faultsOf(scenario)) this.#plan(fault);
    for (const [step, behind] of inLanes(scenario.steps)) this.#waiting.push(this.#itemOf(step, behind.map(over)));
    for (const { event } of this.#waiting) if (STATE.test(event)) this.#awaited.add(event);
  }

  async toEnd(): Promise<Line[]> {
    const { now } = this.#transport;
    while (true) {
      this.#listen();
      if (this.#options.signal.aborted) this.#stop();
      const item = this.#ready();
      if (item !== undefined) {
        const flying = this.#flying;
        this.#start(item);
        if (this.#flying > flying && !this.#isRaced(item)) await this.#transport.settle();
      } else if (this.#waiting.length === 0 && this.#flying === 0) break;
      else if (!this.#giveUp()) await this.#wait(now());
    }
    this.#census();
    return this.#lines;
  }

  // ---- what is to happen --------------------------------------------------------------------------------------------

  #itemOf(step: Step, [before = 'start', ...others]: readonly string[]): Item {
    const lane = laneOf(step);
    const client = isRequest(step) || isWatch(step) ? (step.client ?? 0) : null;
    return {
      name: step.id,
      lane: lane === undefined ? client : -lane,
      event: step.after?.event ?? before,
      others: step.after === undefined ? others : [],
      delayMs: (step.after?.delayMs ?? 0) + (pausesOf(step)[0] ?? 0),
      act: () => whenThere(this.#step(step), () => this.#end(step.id)),
    };
  }

  #plan(fault: Fault): void {
    this.#waiting.push({
      name: fault.id,
      lane: null,
      event: fault.after?.event ?? 'start',
      delayMs: fault.after?.delayMs ?? 0,
      act: async () => {
        await this.#troubles.begin(fault);
        this.#end(fault.id);
      },
    });
  }

  /** The first item whose time has come. */
  #ready(): Item | undefined {
    const now = this.#transport.now();
    const n = this.#waiting.findIndex(
      (item) => !this.#isBusy(item) && (this.#due(item) ?? Number.POSITIVE_INFINITY) <= now,
    );
    return n < 0 ? undefined : this.#waiting.splice(n, 1)[0];
  }

  /** Whether another lane begins in the same instant: then neither is let run before the other has begun. */
  #isRaced({ lane }: Item): boolean {
    const now = this.#transport.now();
    const isNext = (item: Item): boolean => !this.#isBusy(item) && (this.#due(item) ?? Number.POSITIVE_INFINITY) <= now;
    return isRacing(lane) && this.#waiting.some((item) => isRacing(item.lane) && isNext(item));
  }

  /** Nothing else begins; who waits for time to pass waits no longer. */
  #stop(): void {
    for (const item of this.#waiting.splice(0)) {
      if (item.event === item.name) this.#start(item);
      else this.#skip(item.name, ENDED);
    }
  }

  #isBusy({ lane }: Item): boolean {
    return lane !== null && this.#busy.has(lane);
  }

  /** When it is to happen; `undefined` as long as nobody knows. */
  #due({ event, others = [], delayMs }: Item): number | undefined {
    let last = this.#events.get(event);
    for (const other of others) {
      const at = this.#events.get(other);
      last = last === undefined || at === undefined ? undefined : Math.max(last, at);
    }
    return last === undefined ? undefined : last + delayMs;
  }

  #start(item: Item): void {
    if (item.lane !== null) this.#busy.add(item.lane);
    this.#flying++;
    const land = (): void => {
      if (item.lane !== null) this.#busy.delete(item.lane);
      this.#flying--;
      this.#landed++;
    };
    whenThere(
      attempt(
        () => item.act(),
        () => {},
      ),
      land,
    );
  }

  async #wait(now: number): Promise<void> {
    const { patienceMs } = this.#options;
    const dues = this.#waiting.filter((item) => !this.#isBusy(item)).map((item) => this.#due(item));
    const known = dues.filter((due) => due !== undefined);
    const next = Math.min(...known, now + patienceMs);
    const expecting = dues.length > known.length || this.#flying > 0;
    if (!expecting) return this.#transport.pass(next);
    if (this.#god === undefined) await this.#look(now);
    const { size } = this.#events;
    const landed = this.#landed;
    const until = (): boolean => {
      this.#listen();
      return this.#landed > landed || this.#events.size > size;
    };
    if (this.#god === undefined) await this.#transport.pass(Math.min(next, now + this.#pollMs), until);
    else await this.#transport.pass(next, until);
  }

  /** What waits for something that cannot come any more, or has waited for too long, is left out. */
  #giveUp(): boolean {
    const now = this.#transport.now();
    const isAnyKnown = this.#waiting.some((each) => this.#due(each) !== undefined);
    const hopeless = this.#waiting.find((item) => {
      if (this.#due(item) !== undefined) return false;
      const [id = ''] = item.event.split('.');
      const sent = this.#events.get(`${id}.sent`) ?? this.#events.get(`${id}.began`);
      const ended = this.#events.get(over(id));
      const stateless = STATE.test(item.event) && this.#boundBy(id) === undefined;
      if (ended !== undefined && (sent === undefined || stateless)) return true;
      const from = sent ?? (this.#flying === 0 && !isAnyKnown ? 0 : now);
      return now - from >= this.#options.patienceMs;
    });
    if (hopeless === undefined) return false;
    this.#waiting.splice(this.#waiting.indexOf(hopeless), 1);
    this.#skip(hopeless.name, `${hopeless.event} did not come`);
    return true;
  }

  #skip(id: string, why: string): void {
    this.#lines.push({ kind: 'skip', at: this.#transport.now(), id, why });
    this.#end(id);
  }

  #end(id: string): void {
    const event = over(id);
    if (!this.#events.has(event)) this.#options.told();
    this.#note(event);
  }

  // ---- what has happened --------------------------------------------------------------------------------------------

  #note(event: string): void {
    if (!this.#events.has(event)) this.#events.set(event, this.#transport.now());
  }

  /** Takes down what the journal has written meanwhile, and which awaited states have come. */
  #listen(): void {
    const { epochMs } = this.#transport.about;
    const entries = this.#god?.entries() ?? [];
    for (const entry of entries) {
      this.#lines.push({ kind: 'event', at: entry.at - epochMs, entry });
      if (entry.kind === 'vm.state') {
        const id = Number(entry.subject.slice('vm/'.length));
        this.#states.set(id, mappedState(entry.detail.to as Parameters<typeof mappedState>[0]));
      }
    }
    for (const event of this.#awaited) {
      if (!this.#hasState(event)) continue;
      this.#awaited.delete(event);
      this.#vain = 0;
      this.#note(event);
    }
  }

  /** Whether the event is that a runtime is in a state, and it is. */
  #hasState(event: string): boolean {
    const [id = '', state = ''] = event.split('.');
    if (!this.#events.has(`${id}.sent`)) return false;
    const bound = this.#boundBy(id);
    const states = bound?.vms.map((vm) => this.#states.get(vm)) ?? [];
    return state === 'RUNNING'
      ? states.length > 0 && states.every((each) => each === state)
      : states.some((each) => each === state);
  }

  #boundBy(stepId: string): Bound | undefined {
    const step = this.#steps.get(stepId);
    if (step === undefined) return undefined;
    return this.#bound.get(step.op === 'create' ? (step.bind ?? '') : 'ref' in step ? (step.ref ?? '') : '');
  }

  /** Over HTTP, a look at the runtimes that something waits for. */
  async #look(now: number): Promise<void> {
    if (now - this.#polled < this.#pollMs) return;
    this.#polled = now;
    this.#vain++;
    const awaited = this.#waiting
      .filter((item) => this.#due(item) === undefined)
      .map(({ event }) => event.split('.')[0] ?? '');
    for (const bound of new Set(awaited.map((id) => this.#boundBy(id)))) {
      if (bound === undefined) continue;
      const as = this.#makers.get(bound) ?? 'owner';
      await this.#clients.ask(getting(bound.id), { step: null, op: 'get', as, id: bound.id });
    }
  }

  get #pollMs(): number {
    return this.#options.pollMs * Math.min(8, 2 ** this.#vain);
  }

  #census(): void {
    this.#listen();
    const god = this.#god;
    if (god === undefined) return;
    this.#lines.push({ kind: 'census', at: this.#transport.now(), until: god.written(), census: god.census() });
  }

  // ---- deeds --------------------------------------------------------------------------------------------------------

  #step(step: Step): Soon<void> {
    switch (step.op) {
      case 'advance':
        this.#note(`${step.id}.sent`);
        return this.#advance(step.ms).then(() => {
          this.#note(`${step.id}.answered`);
          this.#census();
        });
      case 'heal':
        this.#note(`${step.id}.sent`);
        return this.#troubles.heal().then(() => this.#note(`${step.id}.answered`));
      default:
        return isWatch(step) ? this.#watcher.act(step) : this.#request(step);
    }
  }

  /** Time passes by itself while the item is not over: it is told from the present. */
  #advance(ms: number): Promise<void> {
    return this.#rest(ms).over;
  }

  #rest(ms: number): { readonly over: Promise<void>; end(): void } {
    const event = `${this.#transport.now()} + ${ms}`;
    let resolve = (): void => {};
    const over = new Promise<void>((resolved) => {
      resolve = resolved;
    });
    const item: Item = { name: event, lane: null, event, delayMs: ms, act: async () => resolve() };
    this.#note(event);
    this.#waiting.unshift(item);
    this.#landed++;
    const end = (): void => {
      const n = this.#waiting.indexOf(item);
      if (n < 0) return;
      this.#waiting.splice(n, 1);
      this.#landed++;
      resolve();
    };
    return { over, end };
  }

  #request(step: RequestStep): Soon<void> {
    const { as = 'owner' } = step;
    const id = 'ref' in step ? this.#idOf(step.ref) : null;
    if (id === undefined) return this.#skip(step.id, 'what it refers to was not made');
    const isKnown = this.#options.credentials[as] !== undefined || isAnybodys(step);
    if (!isKnown) return this.#skip(step.id, `there are no credentials for ${as}`);
    const answering = this.#clients.ask(pleaOf(step, id), { step, op: step.op, as, id });
    this.#note(`${step.id}.sent`);
    return whenThere(answering, (answer) => {
      if (answer !== null && step.op === 'create' && answer.status === 201 && step.bind !== undefined) {
        const bound = boundOf(answer.body);
        if (bound !== undefined) this.#bound.set(step.bind, bound);
        if (bound !== undefined) this.#makers.set(bound, as);
      }
      this.#note(`${step.id}.answered`);
    });
  }

  #idOf(ref: string): number | null | undefined {
    if (ref === 'none') return NOBODYS;
    const bound = this.#bound.get(boundName(ref));
    return ref.endsWith('.service') ? (bound?.service ?? undefined) : bound?.id;
  }

  /** What an answer says of states, where no journal does. */
  #learn(body: string): void {
    for (const { vm, state } of functionsIn(body)) this.#states.set(vm, state);
  }
}

/** An event that is the state of a runtime. */
const STATE = /\.[A-Z]+$/;

/** Clients are counted from 0 upwards, lanes from 1 downwards. */
const isRacing = (lane: number | null): boolean => lane !== null && lane < 0;

/** When a step has been answered, or left out. */
const over = (id: string): string => `${id} is over`;

const getting = (id: number): Plea => ({ method: 'GET', path: `/serverless-runtimes/${id}`, headers: {}, body: null });
