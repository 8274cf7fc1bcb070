/** What happened, in order, with its cause: a bounded ring, so that a long run does not eat the memory. */
import type { Clock } from './clock.ts';
import { Unshared } from './graph.ts';
import { instance, type Like, listOf, record, someNumber, someText, someWhole } from './likeness.ts';

type Detail = Readonly<Record<string, string | number | boolean | null>>;

export interface Entry {
  /** Dense, from 1. */
  readonly seq: number;
  /** Simulated milliseconds since the Unix epoch. */
  readonly at: number;
  /** The entry that made this one happen (a request, a transition, a fault); 0 when nothing recorded did. */
  readonly cause: number;
  /** What kind of thing happened, such as `request`, `vm.state`, `fault`. */
  readonly kind: string;
  /** What it happened to, such as `vm/13`. */
  readonly subject: string;
  readonly detail: Detail;
}

const NOTHING: Detail = {};

const someEntries: Like<Entry[]> = listOf(
  record<Entry>({
    seq: someWhole,
    at: someNumber,
    cause: someWhole,
    kind: someText,
    subject: someText,
    detail: instance(Object) as Like<Detail>,
  }),
);

export class Journal {
  readonly #clock: Clock;
  readonly #ring: Entry[] = [];
  #seq = 0;
  /** Called at the next entry; who waits for another asks again. */
  readonly #waiting = new Set<() => void>();
  /** Why nobody will write in it any more. */
  #over: Error | undefined;
  /** Called at every entry, as soon as it is written. */
  onEntry: ((entry: Entry) => void) | undefined;
  readonly capacity: number;

  /** @param capacity how many entries are kept, 1 or more */
  constructor(clock: Clock, capacity = 100_000) {
    this.#clock = clock;
    this.capacity = capacity;
  }

  /** Number of entries written so far, dropped ones included. */
  get length(): number {
    return this.#seq;
  }

  /** Number of the oldest entry that is still held, 1 when none has been dropped. */
  get oldest(): number {
    return Math.max(1, this.#seq - this.capacity + 1);
  }

  /**
   * Records an entry caused by {@link Clock.cause}; returns its `seq`, to name it as a cause. Texts that are longer
   * than any of ours are cut.
   */
  append(kind: string, subject: string, detail: Detail = NOTHING): number {
    const { now: at, cause } = this.#clock;
    const seq = this.#seq + 1;
    if (cause >= seq) throw new Error(`entry ${cause} cannot cause entry ${seq}: it is not written yet`);
    this.#seq = seq;
    const entry: Entry = { seq, at, cause, kind, subject: cut(subject), detail: bounded(detail) };
    this.#ring[(seq - 1) % this.capacity] = entry;
    if (this.#waiting.size > 0) this.#wake();
    this.onEntry?.(entry);
    return seq;
  }

  /**
   * Calls back once, after the next entry is written and what wrote it has returned, or when there will be none. Returns
   * what takes that back.
   */
  onNext(callback: () => void): () => void {
    if (this.#over !== undefined) queueMicrotask(callback);
    else this.#waiting.add(callback);
    return () => void this.#waiting.delete(callback);
  }

  /** Nobody will write in it any more. @param why what those are told who wait for an entry */
  close(why: Error): void {
    this.#over = why;
    this.#wake();
  }

  /** What {@link close} was told. */
  get over(): Error | undefined {
    return this.#over;
  }

  /** What is still held. Entries never change. */
  state(): { readonly seq: number; readonly entries: unknown } {
    return { seq: this.#seq, entries: new Unshared([...this.since()]) };
  }

  restore({ seq, entries }: { readonly seq: number; readonly entries: unknown }): void {
    const why = someEntries(entries);
    if (why !== undefined) throw new Error(why);
    this.#seq = seq;
    this.#ring.length = 0;
    for (const entry of entries as readonly Entry[]) this.#ring[(entry.seq - 1) % this.capacity] = entry;
    if ((entries as readonly Entry[]).length !== seq - this.oldest + 1) throw new Error('entries are missing');
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const callback of waiting) queueMicrotask(callback);
  }

  /** The entry with that number, unless it was never written or has been dropped. */
  entry(seq: number): Entry | undefined {
    const entry = this.#ring[(seq - 1) % this.capacity];
    return entry?.seq === seq ? entry : undefined;
  }

  /**
   * Entries still held with a number above `after`, oldest first. Entries written meanwhile are included, those
   * dropped meanwhile are left out.
   */
  *since(after = 0): Generator<Entry> {
    for (let seq = after + 1; ; seq++) {
      seq = Math.max(seq, this.oldest);
      const entry = this.entry(seq);
      if (entry === undefined) return;
      yield entry;
    }
  }

  /** The entry and what led to it, latest first, as far back as the ring reaches. */
  why(seq: number): Entry[] {
    const chain: Entry[] = [];
    for (let entry = this.entry(seq); entry !== undefined; entry = this.entry(entry.cause)) chain.push(entry);
    return chain;
  }
}

const LONGEST_TEXT = 1000;

/** A copy, for a slice would keep the whole text in memory. */
const cut = (text: string): string =>
  text.length <= LONGEST_TEXT ? text : `${Buffer.from(text.slice(0, LONGEST_TEXT), 'utf16le').toString('utf16le')}…`;

function bounded(detail: Detail): Detail {
  for (const key in detail) {
    const value = detail[key];
    if (typeof value === 'string' && value.length > LONGEST_TEXT) {
      return Object.fromEntries(Object.entries(detail).map(([name, v]) => [name, typeof v === 'string' ? cut(v) : v]));
    }
  }
  return detail;
}
