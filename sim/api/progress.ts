/**
 * Progress by being looked at, for tests that only poll: after so many reads the next thing happens to some VM or service,
 * however far off it is on the clock. Off unless the timing asks for it, for otherwise reads change nothing.
 */
import { type Clock, NotReached } from '../kernel/clock.ts';
import type { Journal } from '../kernel/journal.ts';

/** What a client that polls waits for. */
const STEPS: ReadonlySet<string> = new Set(['vm.state', 'service.state']);

export class Progress {
  readonly #clock: Clock;
  readonly #journal: Journal;
  readonly #every: number;
  #reads = 0;

  /** @param every after how many reads something happens; 0: never */
  constructor(world: { readonly clock: Clock; readonly journal: Journal }, every: number) {
    this.#clock = world.clock;
    this.#journal = world.journal;
    this.#every = every;
  }

  state(): number {
    return this.#reads;
  }

  restore(reads: number): void {
    this.#reads = reads;
  }

  /** Whether reads count. */
  get isOn(): boolean {
    return this.#every > 0;
  }

  /** Somebody is about to read. */
  async read(): Promise<void> {
    if (++this.#reads % this.#every !== 0) return;
    let seen = this.#journal.length;
    const hasHappened = (): boolean => {
      const from = seen;
      seen = this.#journal.length;
      for (const { kind } of this.#journal.since(from)) if (STEPS.has(kind)) return true;
      return false;
    };
    try {
      await this.#clock.runUntil(hasHappened, { maxEvents: MOST_EVENTS });
    } catch (error) {
      // Nothing is going to happen.
      if (!(error instanceof NotReached)) throw error;
    }
  }
}

/** What happens all the time, such as frames of streams, must not keep a read waiting. */
const MOST_EVENTS = 10_000;
