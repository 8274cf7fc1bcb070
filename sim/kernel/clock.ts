/**
 * The discrete-event clock, from which all simulated time comes: it stands still until someone advances it, and fires
 * what is due on the way in the order of `(due, seq)`. Real and scaled time are the same queue, moved by `Pace`.
 *
 * Events are plain data handed to a named channel, so that the queue can be written to a snapshot; the one exception
 * is {@link Clock.sleep}, on which requests in flight wait.
 */
import { setImmediate } from 'node:timers/promises';
import { EventQueue, type QueueState, type Timer } from './queue.ts';

/** What moving the clock did. */
export interface Moved {
  readonly now: number;
  /** Number of events that fired meanwhile. */
  readonly fired: number;
  /** When the next event is due; `null` when the queue is empty. */
  readonly nextDue: number | null;
}

/** A request waiting for simulated time to pass. */
export interface Waiter {
  readonly what: string;
  readonly due: number;
}

/** Resolves when all that is under way in the host has run. */
export const turnOfTheHost = (): Promise<void> => setImmediate();

/** Events schedule events at one instant, for ever. */
export class Standstill extends Error {}

/** What was waited for did not come within the bounds. */
export class NotReached extends Error {}

interface Sleeper extends Waiter {
  readonly wake: () => void;
  readonly giveUp: (why: Error) => void;
}

/** The clock as plain data. Who sleeps is not part of it: requests belong to their connections. */
interface ClockState {
  readonly now: number;
  readonly fired: number;
  readonly queue: QueueState;
}

/** The channel of {@link Clock.sleep}. */
const SLEEP = 0;

/** When the next event is due while the queue is empty. */
const NEVER = Number.POSITIVE_INFINITY;

/** The last instant that a `Date` can name. */
const END_OF_TIME = 8.64e15;

/**
 * How often events may beget events at one and the same instant. The longest honest chain, a service that comes up
 * role by role without delay, has some hundreds; more means that something reschedules itself at once, for ever.
 */
const MAX_ROUNDS = 10_000;

/** After so many events the host gets a turn: a long way must not keep the process from all else. */
const MOST_AT_A_STRETCH = 1024;

export class Clock {
  /**
   * The journal entry on whose behalf code runs right now; what is journalled or scheduled meanwhile inherits it. It
   * holds for synchronous code: after an `await`, say again whom you act for with {@link because}.
   */
  cause = 0;

  /** Called when the first event or `now` has changed; while the clock is being moved, once that is over. */
  onHead: (() => void) | undefined;

  #now: number;
  #fired = 0;
  readonly #queue = new EventQueue();
  readonly #channels = new Map<string, number>();
  readonly #handlers: ((event: never) => void)[] = [];
  readonly #sleepers = new Set<Sleeper>();

  /** Number of calls that are moving the clock. */
  #movers = 0;
  /** The furthest instant they are going to. */
  #horizon = 0;
  #firing = false;
  /** Events scheduled after this one, and due at the present instant, make the next round. */
  #roundEnd = 0;
  #rounds = 0;
  /** Resolves when requests that run have come to their next wait. */
  #settled: Promise<void> | undefined;
  /** Why it has been abandoned. */
  #over: Error | undefined;

  /** @param epochMs where simulated time starts, in milliseconds since the Unix epoch */
  constructor(epochMs: number) {
    this.#now = epochMs;
    this.#handlers.push((sleeper: Sleeper) => {
      this.#sleepers.delete(sleeper);
      this.#letRun();
      sleeper.wake();
    });
  }

  /** Simulated milliseconds since the Unix epoch, always whole. */
  get now(): number {
    return this.#now;
  }

  /** Number of events in the queue. */
  get pending(): number {
    return this.#queue.size;
  }

  get nextDue(): number | null {
    const { due } = this.#queue;
    return due === NEVER ? null : due;
  }

  /** Requests that wait for time to pass, soonest first. */
  get waiters(): Waiter[] {
    return [...this.#sleepers].map(({ what, due }) => ({ what, due })).sort((a, b) => a.due - b.due);
  }

  /**
   * Opens a named channel and returns what schedules an event on it, `delayMs` from now (fractions are rounded,
   * negative delays count as 0). The event must be plain data: it is what a snapshot stores.
   */
  channel<E>(name: string, handler: (event: E) => void): (delayMs: number, event: E) => Timer {
    if (this.#channels.has(name)) throw new Error(`channel ${name} is already open`);
    const channel = this.#handlers.push(handler) - 1;
    this.#channels.set(name, channel);
    return (delayMs, event) => this.#schedule(after(this.#now, delayMs), channel, event);
  }

  /** Takes an event out of the queue. False when it has fired or was cancelled before. */
  cancel(timer: Timer): boolean {
    const { due } = this.#queue;
    const cancelled = this.#queue.cancel(timer);
    if (this.#movers === 0 && this.#queue.due !== due) this.onHead?.();
    return cancelled;
  }

  /** Resolves when `delayMs` of simulated time have passed. `what` names the wait for {@link waiters}. */
  sleep(delayMs: number, what: string): Promise<void> {
    if (this.#over !== undefined) return Promise.reject(this.#over);
    return new Promise((wake, giveUp) => {
      const due = after(this.#now, delayMs);
      const sleeper: Sleeper = { what, due, wake, giveUp };
      this.#sleepers.add(sleeper);
      this.#schedule(due, SLEEP, sleeper);
    });
  }

  /**
   * Fires all that is due within `ms` and moves the clock there. Requests in flight first run to their next wait; each
   * one that is woken runs to its next wait, at the instant it waited for, before the clock goes on. Calls that
   * overlap add up, as if made one after the other. It comes to its end early when `isEnough`, as {@link advanceTo}.
   */
  async advance(ms: number, isEnough = () => false): Promise<Moved> {
    const start = this.#movers === 0 ? this.#now : Math.max(this.#now, this.#horizon);
    this.#letRun();
    const end = after(start, ms);
    return this.#arrived(this.#fireWhile((due) => due <= end && !isEnough(), end));
  }

  /**
   * As {@link advance}, to an instant; nothing happens when it has passed. Only requests already woken run first. On a
   * clock that is abandoned it comes to its end early, and when `isEnough`, which is asked before each event.
   */
  async advanceTo(time: number, isEnough = () => false): Promise<Moved> {
    const end = after(time, 0);
    return this.#fireWhile((due) => due <= end && !isEnough(), end);
  }

  /** As {@link advanceTo} at once, where nothing is due on the way and nobody else is; else it does nothing, and says so. */
  passTo(time: number): boolean {
    const end = after(time, 0);
    if (this.#queue.due <= end || this.#movers > 0 || this.#settled !== undefined) return false;
    if (end > this.#now) {
      this.#enter(end);
      this.#now = end;
      this.#leave();
    }
    return true;
  }

  /**
   * As {@link advance}, in one synchronous call: for code that has no request in flight. Requests that are woken
   * continue only after it returns.
   */
  advanceNow(ms: number): Moved {
    const end = after(this.#now, ms);
    const firedBefore = this.#enter(end);
    try {
      while (this.#queue.due <= end) this.#fireNext();
      this.#now = end;
    } finally {
      this.#leave();
    }
    return this.#moved(firedBefore);
  }

  /** Fires the next `n` events, moving the clock to each; fewer when `isEnough`. */
  async step(n = 1, isEnough = () => false): Promise<Moved> {
    this.#letRun();
    return this.#arrived(this.#fireWhile((due, fired) => due < NEVER && fired < n && !isEnough()));
  }

  /** Fires events until none is left. Throws {@link NotReached} after `maxEvents`: something keeps itself alive. */
  async runUntilIdle(maxEvents = 1_000_000, isEnough = () => false): Promise<Moved> {
    this.#letRun();
    const moved = this.#fireWhile((due, fired) => {
      if (isEnough()) return false;
      if (due < NEVER && fired >= maxEvents) throw new NotReached(`not idle within ${maxEvents} events`);
      return due < NEVER;
    });
    return this.#arrived(moved);
  }

  /**
   * Fires events one by one until `predicate` holds. Throws {@link NotReached} when the queue runs dry first, or
   * past `maxEvents` or `maxMs` of simulated time.
   */
  async runUntil(predicate: () => boolean, { maxEvents = 1_000_000, maxMs = NEVER } = {}): Promise<Moved> {
    const end = this.#now + maxMs;
    this.#letRun();
    const moved = this.#fireWhile((due, fired) => {
      if (predicate()) return false;
      if (due === NEVER) throw new NotReached('nothing is scheduled, so what is waited for cannot happen');
      if (due > end) throw new NotReached(`not within ${maxMs} ms of simulated time`);
      if (fired >= maxEvents) throw new NotReached(`not within ${maxEvents} events`);
      return true;
    });
    return this.#arrived(moved);
  }

  /** Whether a call is moving it. */
  get moving(): boolean {
    return this.#movers > 0;
  }

  /** Lets go of whoever sleeps on this clock or moves it: it stands still for good. @param why what each is told */
  abandon(why: Error): void {
    this.#over = why;
    for (const { giveUp } of this.#sleepers) giveUp(why);
    this.#sleepers.clear();
  }

  state(): ClockState {
    const names = [undefined, ...this.#channels.keys()];
    return { now: this.#now, fired: this.#fired, queue: this.#queue.state((channel) => names[channel]) };
  }

  /** Of a clock whose channels are open, and on which nothing has been scheduled. */
  restore({ now, fired, queue }: ClockState): void {
    this.#now = now;
    this.#fired = fired;
    this.#queue.restore(queue, (name) => {
      const channel = this.#channels.get(name);
      if (channel === undefined) throw new Error(`there is no channel ${name}`);
      return channel;
    });
  }

  /** Runs `act` on behalf of a journal entry. */
  because<T>(cause: number, act: () => T): T {
    const before = this.cause;
    this.cause = cause;
    try {
      return act();
    } finally {
      this.cause = before;
    }
  }

  /** Fires event by event while `more` says so, of when the next is due and how many have fired; then moves on to `end`. */
  async #fireWhile(more: (due: number, fired: number) => boolean, end = this.#now): Promise<Moved> {
    const firedBefore = this.#enter(end);
    try {
      while (this.#settled !== undefined) await this.#settled;
      while (this.#over === undefined && more(this.#queue.due, this.#fired - firedBefore)) {
        this.#fireNext();
        if (this.#fired % MOST_AT_A_STRETCH === 0) this.#letRun();
        while (this.#settled !== undefined) await this.#settled;
      }
      if (end > this.#now && end < this.#queue.due && this.#over === undefined) this.#now = end;
    } finally {
      this.#leave();
    }
    return this.#moved(firedBefore);
  }

  /** What moving it did, unless it has been abandoned on the way. */
  async #arrived(moving: Promise<Moved>): Promise<Moved> {
    const moved = await moving;
    if (this.#over !== undefined) throw this.#over;
    return moved;
  }

  #enter(time: number): number {
    if (this.#movers++ === 0) {
      this.#horizon = this.#now;
      this.#startRounds();
    }
    this.#horizon = Math.max(this.#horizon, time);
    return this.#fired;
  }

  #leave(): void {
    if (--this.#movers === 0) this.onHead?.();
  }

  #moved(firedBefore: number): Moved {
    return { now: this.#now, fired: this.#fired - firedBefore, nextDue: this.nextDue };
  }

  /** Whoever moves the clock waits until requests that run have come to their next wait. */
  #letRun(): void {
    this.#settled ??= turnOfTheHost().then(() => {
      this.#settled = undefined;
    });
  }

  #fireNext(): void {
    const queue = this.#queue;
    const { due } = queue;
    if (this.#firing) throw new Error('an event cannot move the clock that fires it');
    if (due > this.#now) {
      this.#now = due;
      this.#startRounds();
    } else if (queue.seq > this.#roundEnd) this.#nextRound();
    const { channel, event, cause } = queue;
    queue.pop();
    this.#fired++;
    const causeBefore = this.cause;
    this.cause = cause;
    this.#firing = true;
    try {
      (this.#handlers[channel] as (event: unknown) => void)(event);
    } finally {
      this.#firing = false;
      this.cause = causeBefore;
    }
  }

  #startRounds(): void {
    this.#rounds = 0;
    this.#roundEnd = this.#queue.lastSeq;
  }

  #nextRound(): void {
    if (this.#rounds >= MAX_ROUNDS) {
      const { channel, event } = this.#queue;
      const name = [...this.#channels].find(([, number]) => number === channel)?.[0];
      const what = channel === SLEEP ? `the wait "${(event as Sleeper).what}"` : `channel ${name}`;
      const instant = new Date(this.#now).toISOString();
      throw new Standstill(`time stands still at ${instant}: ${what} schedules itself again without delay, for ever`);
    }
    this.#rounds++;
    this.#roundEnd = this.#queue.lastSeq;
  }

  #schedule(due: number, channel: number, event: unknown): Timer {
    const first = due < this.#queue.due;
    const timer = this.#queue.push(due, channel, event, this.cause);
    if (first && this.#movers === 0) this.onHead?.();
    return timer;
  }
}

/** The whole instant `ms` after another; not before it, whatever `ms` is. */
function after(instant: number, ms: number): number {
  const then = Math.round(instant + Math.max(0, ms));
  if (!(then <= END_OF_TIME)) throw new RangeError(`${ms} ms after ${instant} is no instant that a date can name`);
  return then;
}
