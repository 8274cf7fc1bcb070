/**
 * Decides what happens to an attempt: the first armed fault that matches and is due gives the verdict. Conditions, which
 * hold over a time, begin and end on the clock; whoever follows a layer is told, and asks for each thing that the
 * condition may hold on.
 */
import type { Clock } from '../kernel/clock.ts';
import { refill } from '../kernel/held.ts';
import type { Entry, Journal } from '../kernel/journal.ts';
import { keyOf, listOf, orNull, record, someFlag, someNumber, someWhole } from '../kernel/likeness.ts';
import { fits } from '../kernel/pattern.ts';
import type { Timer } from '../kernel/queue.ts';
import type { Random, Stream } from '../kernel/random.ts';
import { hash } from '../kernel/random.ts';
import { type Attempt, type Concerned, type Fault, mostHits, type Stretch } from './fault.ts';
import { CONDITIONS, type Effect, FAULT, type FaultSpec, LAYERS, type Layer, OPERATIONS_OF } from './schema.ts';

export interface Verdict<L extends Layer = Layer> {
  readonly fault: Fault<L>;
  readonly effect: Effect<L>;
  /** How long it takes instead of the usual time, where a dummy driver's word says so. */
  readonly lastsMs?: number;
}

/** Is told when a fault of its layer begins to act and when it ends, by itself or because it is removed. */
interface Follower<L extends Layer> {
  began?(fault: Fault<L>): void;
  /** What the fault did to what still suffers from it is to be healed. */
  ended?(fault: Fault<L>): void;
}

interface FaultEvent {
  readonly fault: string;
  readonly what: 'begin' | 'end';
}

/** How many removed faults are remembered whose traces are in the past of the metrics. */
const REMEMBERED = 1000;

interface JudgeState {
  readonly faults: ReadonlyMap<string, Fault>;
  readonly armed: Readonly<Record<Layer, readonly Fault[]>>;
  readonly timers: ReadonlyMap<string, Timer[]>;
  readonly listening: ReadonlySet<Fault>;
  readonly past: readonly Fault[];
  readonly next: number;
}

export class Judge {
  /** Whether some VM, host or service is in a state that fits a pattern. The cloud says so. */
  someIn: (concerned: Concerned, pattern: string) => boolean = () => false;

  readonly #clock: Clock;
  readonly #journal: Journal;
  readonly #chance: Stream;
  readonly #schedule: (delayMs: number, event: FaultEvent) => Timer;
  readonly #faults = new Map<string, Fault>();
  /** Those that act, by layer, oldest first. Lists are replaced and never changed. */
  readonly #armed = Object.fromEntries(LAYERS.map((layer) => [layer, []])) as unknown as Record<
    Layer,
    readonly Fault[]
  >;
  readonly #timers = new Map<string, Timer[]>();
  readonly #followers: { readonly layer: Layer; readonly follower: Follower<Layer> }[] = [];
  /** Those that wait for an event. */
  readonly #listening = new Set<Fault>();
  /** Removed faults of the metrics, oldest first. */
  readonly #past: Fault[] = [];
  #touchesMetrics = false;
  #next = 1;

  constructor(clock: Clock, journal: Journal, random: Random) {
    this.#clock = clock;
    this.#journal = journal;
    this.#chance = random.stream('fault');
    this.#schedule = clock.channel<FaultEvent>('fault', ({ fault: id, what }) => {
      const fault = this.#faults.get(id);
      if (fault === undefined) return;
      if (what === 'begin') this.#begin(fault);
      else this.#end(fault);
    });
  }

  state(): JudgeState {
    const [faults, armed, timers, listening] = [this.#faults, this.#armed, this.#timers, this.#listening];
    return { faults, armed, timers, listening, past: this.#past, next: this.#next };
  }

  restore({ faults, armed, timers, listening, past, next }: JudgeState): void {
    for (const fault of [...faults.values(), ...past, ...listening, ...Object.values(armed).flat()])
      requireFault(fault);
    for (const [id, fault] of faults) this.#faults.set(id, fault);
    Object.assign(this.#armed, armed);
    for (const [id, of] of timers) this.#timers.set(id, of);
    refill(this.#listening, listening);
    this.#past.push(...past);
    this.#touchesMetrics = [...this.metricFaults()].length > 0;
    this.#next = next;
    this.#listenIfNeeded();
  }

  /** Whether there is no fault: then nothing needs to be asked. */
  get idle(): boolean {
    return this.#faults.size === 0;
  }

  /** Whether a fault of the layer acts: otherwise nothing needs to be asked. */
  armed(layer: Layer): boolean {
    return this.#armed[layer].length > 0;
  }

  /** Oldest first. */
  get faults(): Iterable<Fault> {
    return this.#faults.values();
  }

  find(id: string): Fault | undefined {
    return this.#faults.get(id);
  }

  /** All faults of the metrics that ever acted, removed ones included: what they did to the past stays. */
  *metricFaults(): Generator<Fault<'metrics'>> {
    for (const faults of [this.#past, this.#faults.values()]) {
      for (const fault of faults) {
        if (fault.selector.layer === 'metrics' && fault.active.length > 0) yield fault as Fault<'metrics'>;
      }
    }
  }

  /** Whether {@link metricFaults} has any. */
  get hasTouchedMetrics(): boolean {
    return this.#past.length > 0 || this.#touchesMetrics;
  }

  follow<L extends Layer>(layer: L, follower: Follower<L>): void {
    this.#followers.push({ layer, follower: follower as Follower<Layer> });
  }

  /** @param spec what the schema allows; its id, if it has one, is not in use */
  arm(spec: FaultSpec): Fault {
    const now = this.#clock.now;
    const id = spec.id ?? this.#freeId();
    const fault: Fault = { armedAt: now, state: 'waiting', over: false, seen: 0, hits: 0, active: [], ...spec, id };
    this.#faults.set(id, fault);
    const cause = this.#journal.append('fault.armed', `fault/${id}`, {
      layer: spec.selector.layer,
      do: spec.effect.do,
    });
    this.#clock.because(cause, () => {
      const { from, to } = windowOf(fault);
      if (to <= now) fault.state = 'exhausted';
      else if (fault.trigger?.after !== undefined) this.#listen(fault);
      else if (from > now) this.#later(fault, from - now, 'begin');
      else this.#begin(fault);
      if (to > now && to < Number.POSITIVE_INFINITY) this.#later(fault, to - now, 'end');
    });
    return fault;
  }

  /** Removes a fault, and heals what still suffers from it. */
  disarm(id: string): boolean {
    const fault = this.#faults.get(id);
    if (fault === undefined) return false;
    const cause = this.#journal.append('fault.disarmed', `fault/${id}`, { hits: fault.hits });
    this.#clock.because(cause, () => this.#end(fault));
    this.#faults.delete(id);
    if (fault.selector.layer === 'metrics' && fault.active.length > 0) this.#past.push(fault);
    if (this.#past.length > REMEMBERED) this.#past.shift();
    return true;
  }

  /** None of them acts any more while the others are removed. */
  disarmAll(): void {
    for (const layer of LAYERS) this.#armed[layer] = [];
    for (const id of [...this.#faults.keys()]) this.disarm(id);
  }

  /** What happens to an attempt; `undefined` lets it be. */
  judge<L extends Layer>(attempt: Attempt<L>): Verdict<L> | undefined {
    return this.#first(attempt, false);
  }

  /** What condition holds on a thing from now on; `undefined`: none, but those that are left out. */
  hold<L extends Layer>(thing: Attempt<L>, isLeftOut?: (fault: Fault<L>) => boolean): Verdict<L> | undefined {
    return this.#first(thing, true, isLeftOut);
  }

  #first<L extends Layer>(
    attempt: Attempt<L>,
    condition: boolean,
    isLeftOut: (fault: Fault<L>) => boolean = () => false,
  ): Verdict<L> | undefined {
    for (const fault of this.#armed[attempt.layer] as readonly Fault[] as readonly Fault<L>[]) {
      const isMeant = isCondition(fault) === condition && !isLeftOut(fault);
      const verdict = isMeant ? this.#try(fault, attempt) : undefined;
      if (verdict !== undefined) return verdict;
    }
    return undefined;
  }

  /** What one fault says; it counts. */
  #try<L extends Layer>(fault: Fault<L>, attempt: Attempt<L>): Verdict<L> | undefined {
    if (!selects(fault, attempt) || !this.#isTime(fault, attempt)) return undefined;
    const most = mostHits(fault);
    if (fault.hits >= most) return undefined;
    const { skip = 0, every = 1, probability = 1, words = [] } = fault.trigger ?? {};
    const count = ++fault.seen - skip;
    if (count <= 0 || count % every !== 0) return undefined;
    if (probability < 1 && this.#chance(hash(fault.id), fault.seen) >= probability) return undefined;
    const word = words[(count / every - 1) % words.length];
    if (word === 'success') return undefined;
    fault.hits++;
    if (!isCondition(fault)) this.#spend(fault, most);
    return word === undefined ? { fault, effect: fault.effect } : spoken(fault, word);
  }

  /** Whether what the trigger asks for holds of what is concerned, or of any if nothing is. */
  #isTime<L extends Layer>({ trigger }: Fault<L>, { states = {} }: Attempt<L>): boolean {
    const when = Object.entries(trigger?.when ?? {}) as [Concerned, string][];
    return when.every(([concerned, pattern]) => {
      const state = states[concerned];
      return state === undefined ? this.someIn(concerned, pattern) : [state].flat().some((each) => fits(pattern, each));
    });
  }

  /** A touch of an attempt is used up. */
  #spend(fault: Fault, most: number): void {
    const { forMs } = fault.budget ?? {};
    if (fault.hits === 1 && forMs !== undefined) this.#later(fault, forMs, 'end');
    if (fault.hits < most) return;
    this.#rest(fault);
    fault.state = 'exhausted';
  }

  #begin(fault: Fault): void {
    if (fault.state !== 'waiting') return;
    const { layer } = fault.selector;
    fault.state = 'armed';
    fault.active.push({ from: this.#clock.now, to: null });
    this.#armed[layer] = [...this.#armed[layer], fault];
    if (!isCondition(fault)) return;
    if (layer === 'metrics') {
      fault.hits++;
      this.#touchesMetrics = true;
    }
    const { forMs } = fault.budget ?? {};
    const cause = this.#journal.append('fault.began', `fault/${fault.id}`, { do: fault.effect.do });
    this.#clock.because(cause, () => {
      if (forMs !== undefined) this.#later(fault, forMs, 'end');
      for (const { layer: of, follower } of this.#followers) if (of === layer) follower.began?.(fault);
    });
  }

  #end(fault: Fault): void {
    const acted = fault.active.length > 0 && !fault.over;
    fault.over = true;
    this.#rest(fault);
    this.#listening.delete(fault);
    this.#listenIfNeeded();
    for (const timer of this.#timers.get(fault.id) ?? []) this.#clock.cancel(timer);
    this.#timers.delete(fault.id);
    fault.state = 'exhausted';
    if (!acted) return;
    const cause = this.#journal.append('fault.ended', `fault/${fault.id}`, { do: fault.effect.do });
    this.#clock.because(cause, () => {
      for (const { layer, follower } of this.#followers) {
        if (layer === fault.selector.layer) follower.ended?.(fault);
      }
    });
  }

  /** It touches nothing more. */
  #rest(fault: Fault): void {
    const { layer } = fault.selector;
    this.#armed[layer] = this.#armed[layer].filter((other) => other !== fault);
    const last = fault.active.at(-1);
    if (last !== undefined) last.to ??= this.#clock.now;
  }

  #later(fault: Fault, delayMs: number, what: FaultEvent['what']): void {
    const timer = this.#schedule(delayMs, { fault: fault.id, what });
    this.#timers.set(fault.id, [...(this.#timers.get(fault.id) ?? []), timer]);
  }

  #listen(fault: Fault): void {
    this.#listening.add(fault);
    this.#listenIfNeeded();
  }

  #listenIfNeeded(): void {
    this.#journal.onEntry = this.#listening.size === 0 ? undefined : (entry) => this.#heard(entry);
  }

  /** An entry has been written, maybe in the midst of something: a condition begins after it. */
  #heard(entry: Entry): void {
    const event = eventName(entry);
    for (const fault of [...this.#listening]) {
      const { after } = fault.trigger ?? {};
      if (after === undefined || !fits(after.event, event) || !fits(after.subject ?? '*', entry.subject)) continue;
      this.#listening.delete(fault);
      const delayMs = Math.max(after.delayMs ?? 0, windowOf(fault).from - this.#clock.now, 0);
      this.#clock.because(entry.seq, () => {
        if (delayMs === 0 && !isCondition(fault)) this.#begin(fault);
        else this.#later(fault, delayMs, 'begin');
      });
    }
    this.#listenIfNeeded();
  }

  /** Ids are never used again. */
  #freeId(): string {
    for (;;) {
      const id = `f${this.#next++}`;
      if (!this.#faults.has(id)) return id;
    }
  }
}

/** @throws where a state from elsewhere has something that is none */
function requireFault(value: Fault): void {
  const { armedAt, state, over, seen, hits, active, ...spec } = value;
  const [flaw] = FAULT.check(spec, []);
  const why = flaw === undefined ? someDeeds({ armedAt, state, over, seen, hits, active }) : flaw.problem;
  if (why !== undefined) throw new Error(`a fault that is none: ${why}`);
}

/** What has become of a fault. */
const someDeeds = record<Omit<Fault, keyof FaultSpec>>({
  armedAt: someNumber,
  state: keyOf({ waiting: true, armed: true, exhausted: true }),
  over: someFlag,
  seen: someWhole,
  hits: someWhole,
  active: listOf(record<Stretch>({ from: someNumber, to: orNull(someNumber) })),
});

/** What an entry of the journal is called by those who wait for it. */
function eventName({ kind, subject, detail }: Entry): string {
  const what = EVENTS[kind];
  return what === undefined ? kind : `${what.name}.${String(detail[what.by] ?? subject)}`;
}

/** By kind of entry, those that are called by something in them; all others by their kind. */
export const EVENTS: Readonly<Record<string, { readonly name: string; readonly by: string }>> = {
  'vm.state': { name: 'vm', by: 'to' },
  'host.state': { name: 'host', by: 'to' },
  'service.state': { name: 'service', by: 'to' },
  request: { name: 'request', by: 'api' },
  answer: { name: 'answer', by: 'status' },
  fault: { name: 'fault', by: 'fault' },
};

export const OTHER_EVENTS = [
  'fault.armed',
  'fault.began',
  'fault.ended',
  'fault.disarmed',
  'host.silent',
  'host.answers',
  'upgrade',
  'unmatched',
  'misuse',
  'defect',
  'sandbox.opened',
  'sandbox.closed',
] as const;

/** Between which instants a fault may act. */
function windowOf({ trigger, armedAt }: Fault): { readonly from: number; readonly to: number } {
  const { from, to, fromMs, toMs } = trigger?.window ?? {};
  return {
    from: from !== undefined ? Date.parse(from) : armedAt + (fromMs ?? 0),
    to: to !== undefined ? Date.parse(to) : armedAt + (toMs ?? Number.POSITIVE_INFINITY),
  };
}

/** What a dummy driver's word says: the fault's own effect where it is `failure`. */
function spoken<L extends Layer>(fault: Fault<L>, word: string): Verdict<L> {
  const [what = '', seconds] = word.split(' ');
  const lasts = seconds === undefined ? {} : { lastsMs: Number(seconds) * 1000 };
  return { fault, effect: (WORD_EFFECTS[what] ?? fault.effect) as Effect<L>, ...lasts };
}

const WORD_EFFECTS: Readonly<Record<string, Effect<'vm'>>> = { success: { do: 'delay', ms: 0 }, '-': { do: 'stick' } };

export function isCondition<L extends Layer>({ selector, effect }: FaultSpec<L>): boolean {
  const conditions: readonly string[] = CONDITIONS[selector.layer] ?? [];
  return conditions.includes(effect.do);
}

/** Whether a fault is meant for an attempt of its layer, whatever its trigger says. */
export function selects<L extends Layer>({ selector, effect }: FaultSpec<L>, attempt: Attempt<L>): boolean {
  const facts: Readonly<Record<string, unknown>> = attempt;
  const operations = OPERATIONS_OF[`${selector.layer} ${effect.do}`];
  if (operations !== undefined && !operations.includes(String(facts.operation))) return false;
  for (const [part, wanted] of Object.entries(selector)) {
    if (part === 'layer') continue;
    if (part === 'label') {
      for (const [key, pattern] of Object.entries(wanted as Readonly<Record<string, string>>)) {
        if (!isFact(pattern, attempt.label?.(key))) return false;
      }
    } else if (!isFact(wanted as string | number, facts[part])) return false;
  }
  return true;
}

function isFact(wanted: string | number, fact: unknown): boolean {
  if (Array.isArray(fact)) return fact.some((each) => isFact(wanted, each));
  return typeof wanted === 'number' ? wanted === fact : fact !== undefined && fits(wanted, String(fact));
}
