/** Decides what happens to an attempt: the first armed fault that matches and is due gives the verdict. */
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
    fits(selector.action, attempt.action) &&
    fits(selector.name, attempt.name) &&
    fits(selector.host, attempt.host) &&
    fits(selector.user, attempt.user)
  );
}

/** Whether a text fits a pattern in which `*` stands for anything. */
function fits(pattern: string | undefined, text: string): boolean {
  if (pattern === undefined || pattern === text) return true;
  if (!pattern.includes('*')) return false;
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop() ?? '';
  if (!text.startsWith(first) || text.length < first.length + last.length || !text.endsWith(last)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found < 0 || found + part.length > text.length - last.length) return false;
    at = found + part.length;
  }
  return true;
}
