/** Decides what happens to an attempt: the first armed fault that matches and is due gives the verdict. */
import { fits } from '../kernel/pattern.ts';
import type { Random, Stream } from '../kernel/random.ts';
import { hash } from '../kernel/random.ts';
import type { Effect, Fault, FaultSpec, Selector } from './fault.ts';

/** A driver action that is about to start. */
export interface Attempt {
  readonly layer: 'vm';
  readonly action: string;
  readonly vm: number;
  readonly name: string;
  readonly host: string;
  readonly user: string;
}

export interface Verdict {
  readonly fault: Fault;
  readonly effect: Effect;
}

export class Judge {
  readonly #chance: Stream;
  readonly #faults = new Map<string, Fault>();
  #next = 1;

  constructor(random: Random) {
    this.#chance = random.stream('fault');
  }

  /** Whether no fault is armed: then nothing needs to be asked. */
  get idle(): boolean {
    return this.#faults.size === 0;
  }

  get faults(): Iterable<Fault> {
    return this.#faults.values();
  }

  arm(spec: FaultSpec): Fault {
    const fault: Fault = { ...spec, id: `f${this.#next++}`, seen: 0, hits: 0 };
    this.#faults.set(fault.id, fault);
    return fault;
  }

  disarm(id: string): boolean {
    return this.#faults.delete(id);
  }

  disarmAll(): void {
    this.#faults.clear();
  }

  /** The faults with their counts, and which number the next one gets. */
  state(): { readonly faults: readonly Fault[]; readonly next: number } {
    return { faults: [...this.#faults.values()], next: this.#next };
  }

  restore({ faults, next }: { readonly faults: readonly Fault[]; readonly next: number }): void {
    for (const fault of faults) this.#faults.set(fault.id, fault);
    this.#next = next;
  }

  /** What happens to the attempt; `undefined` lets it be. */
  judge(attempt: Attempt): Verdict | undefined {
    if (this.#faults.size === 0) return undefined;
    for (const fault of this.#faults.values()) {
      if (!selects(fault.selector, attempt)) continue;
      fault.seen++;
      const { skip = 0, times = Number.POSITIVE_INFINITY, probability = 1 } = fault.trigger ?? {};
      if (fault.seen <= skip || fault.hits >= times) continue;
      if (probability < 1 && this.#chance(hash(fault.id), fault.seen) >= probability) continue;
      fault.hits++;
      return { fault, effect: fault.effect };
    }
    return undefined;
  }
}

function selects(selector: Selector, attempt: Attempt): boolean {
  return (
    (selector.vm === undefined || selector.vm === attempt.vm) &&
    optional(selector.action, attempt.action) &&
    optional(selector.name, attempt.name) &&
    optional(selector.host, attempt.host) &&
    optional(selector.user, attempt.user)
  );
}

const optional = (pattern: string | undefined, text: string): boolean => pattern === undefined || fits(pattern, text);
