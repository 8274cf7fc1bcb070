/** Real and scaled time: the host's clock, times a factor, moves the event queue. The only place that knows the host's time. */
import { type Clock, Standstill } from './clock.ts';
import type { Soon } from './soon.ts';

/** The host's clock and timer, so that pacing itself can be tested without waiting. */
export interface Host {
  /** Milliseconds of a clock that never goes back. */
  now(): number;
  /** Calls back after `ms`; returns what cancels it. */
  after(ms: number, callback: () => void): () => void;
}

const host: Host = {
  now: () => performance.now(),
  after(ms, callback) {
    const timeout = setTimeout(callback, ms);
    return () => clearTimeout(timeout);
  },
};

/** Milliseconds since the Unix epoch, from the host: where real time starts. */
export const hostEpochMs = (): number => Date.now();

/** The longest wait Node's timers take. */
const LONGEST_MS = 2 ** 31 - 1;

/**
 * For so long requests wait while time catches up. A world in which more happens than the host can do is slower than it was
 * asked to be, and still answers.
 */
const LONGEST_CATCH_UP_MS = 200;

/** Shorter waits make no sense to Node's timers. */
const SHORTEST_MS = 1;

export class Pace {
  /** Is told what an event has thrown, or why time cannot pass, for which it is frozen. */
  onFailure: (why: unknown) => void = () => {};

  readonly #clock: Clock;
  readonly #host: Host;
  #factor = 0;
  /** The factor at which time has come to its end. */
  #halted: number | undefined;
  /** Since `hostStart` on the host's clock, simulated time has passed from `simulatedStart` on at `factor`. */
  #simulatedStart = 0;
  #hostStart = 0;
  /** The instant that the host will wake us for. */
  #alarm: { readonly due: number; readonly cancel: () => void } | undefined;

  constructor(clock: Clock, timeSource: Host = host) {
    this.#clock = clock;
    this.#host = timeSource;
    clock.onHead = () => this.#follow();
  }

  /** Simulated milliseconds that pass in one of the host's; 0 while time stands still. */
  get factor(): number {
    return this.#halted ?? this.#factor;
  }

  /**
   * Lets time pass at `factor` from here on; 0 freezes it, where {@link catchUp} last brought it. To let go of the
   * host's timer for good, freeze.
   */
  set(factor: number): void {
    this.#restart(this.#factor === 0 ? this.#clock.now : this.#simulated());
    this.#factor = factor;
    this.#arm();
  }

  /** Time stands still for good. The factor stays what it was, for whoever writes it down. */
  halt(): void {
    const factor = this.factor;
    this.set(0);
    this.#halted = factor;
  }

  /** Brings the clock to where the host's time says it is. Every edge calls it before it looks at the world. */
  catchUp(): Soon<unknown> {
    if (this.#factor === 0) return undefined;
    const now = Math.floor(this.#simulated());
    if (this.#clock.passTo(now)) return undefined;
    const latest = this.#host.now() + LONGEST_CATCH_UP_MS;
    let isLate = false;
    const isEnough = (): boolean => {
      isLate ||= this.#factor === 0 || this.#host.now() > latest;
      return isLate;
    };
    const moved = this.#clock.advanceTo(now, isEnough).then(() => {
      if (!isLate) return;
      this.#restart(this.#clock.now);
      this.#arm();
    });
    return moved.catch((why) => {
      if (why instanceof Standstill) this.set(0);
      this.onFailure(why);
    });
  }

  /** Calls back after `ms` of the host's time, for a client that will not wait for ever. Returns what takes that back. */
  hostAfter(ms: number, callback: () => void): () => void {
    return this.#host.after(Math.min(ms, LONGEST_MS), callback);
  }

  #simulated(): number {
    return this.#simulatedStart + (this.#host.now() - this.#hostStart) * this.#factor;
  }

  #restart(simulated: number): void {
    this.#alarm?.cancel();
    this.#alarm = undefined;
    this.#simulatedStart = simulated;
    this.#hostStart = this.#host.now();
  }

  /** The clock has been moved, or something else is due first. Who moves it by hand moves our time with it. */
  #follow(): void {
    if (this.#factor === 0) return;
    if (this.#clock.now > this.#simulated()) this.#restart(this.#clock.now);
    this.#arm();
  }

  /** Asks the host to wake us when the next event is due. */
  #arm(): void {
    const due = this.#factor === 0 ? null : this.#clock.nextDue;
    if (due === (this.#alarm?.due ?? null)) return;
    this.#alarm?.cancel();
    this.#alarm = undefined;
    if (due === null) return;
    const ms = Math.ceil((due - this.#simulated()) / this.#factor);
    const cancel = this.#host.after(Math.min(Math.max(SHORTEST_MS, ms), LONGEST_MS), () => {
      this.#alarm = undefined;
      void this.catchUp();
    });
    this.#alarm = { due, cancel };
  }
}
