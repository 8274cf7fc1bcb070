/**
 * The event queue: what is to happen, ordered by `(due, seq)`. No two events share a `seq`, so the order is total and
 * the shape of the queue can never show in it.
 *
 * A four-ary heap over flat arrays of numbers, with no object per event: with 100,000 pending, fetching and collecting
 * them is what would cost. Each event has a cell, which holds what does not move, and a slot in the heap, which holds
 * its keys. A cancelled event keeps both until it comes to the head, or until the cancelled are the majority and all
 * are swept out: logarithmic time, averaged over cancellations.
 */
import { instance, type Like, listOf, someNumber, someWhole } from './likeness.ts';

declare const timer: unique symbol;

/** Names an event in the queue, to cancel it; plain data. It names nothing once the event has fired or was cancelled. */
export type Timer = number & { readonly [timer]: true };

/** A timer is `use * CELLS + cell`: the number of a cell, and how often it has been used. */
const CELLS = 2 ** 22;
const USES = 2 ** 31;

/** The queue as plain data. Its shape is kept too, so that timers given later are the same ones. */
export interface QueueState {
  readonly seq: number;
  /** In the order of the heap. */
  readonly slots: readonly (readonly [cell: number, due: number, seq: number])[];
  /** How often each has been used, and what it holds if its event is pending. */
  readonly cells: readonly (
    | readonly [uses: number]
    | readonly [uses: number, channel: string, event: unknown, cause: number]
  )[];
  readonly free: readonly number[];
}

const someCellNumbers = listOf(someWhole);
const someSlots = listOf(listOf(someNumber));
/** What an event consists of is for its channel to say. */
const someCells: Like<unknown> = listOf(instance(Array));

/** Below this many cancelled events, sweeping is not worth it. */
const FEW = 64;

export class EventQueue {
  // By cell.
  readonly #channels: number[] = [];
  readonly #events: unknown[] = [];
  readonly #causes: number[] = [];
  readonly #uses: number[] = [];
  readonly #pending: boolean[] = [];
  readonly #freeCells: number[] = [];

  // By slot.
  #cells = new Int32Array(64);
  #dues = new Float64Array(64);
  #seqs = new Float64Array(64);
  #length = 0;

  #seq = 0;
  #cancelled = 0;

  /** Number of events that will fire. */
  get size(): number {
    return this.#length - this.#cancelled;
  }

  /** The `seq` of the event that was scheduled last. */
  get lastSeq(): number {
    return this.#seq;
  }

  /** When the next event is due; infinity when there is none. */
  get due(): number {
    return this.#length === 0 ? Number.POSITIVE_INFINITY : (this.#dues[0] as number);
  }

  // The next event, of which there must be one.

  get seq(): number {
    return this.#seqs[0] as number;
  }

  get channel(): number {
    return this.#channels[this.#cells[0] as number] as number;
  }

  get event(): unknown {
    return this.#events[this.#cells[0] as number];
  }

  get cause(): number {
    return this.#causes[this.#cells[0] as number] as number;
  }

  push(due: number, channel: number, event: unknown, cause: number): Timer {
    if (this.#length === this.#dues.length) this.#grow();
    const cell = this.#freeCells.pop() ?? this.#newCell();
    this.#channels[cell] = channel;
    this.#events[cell] = event;
    this.#causes[cell] = cause;
    this.#pending[cell] = true;
    this.#rise(this.#length++, cell, due, ++this.#seq);
    return ((this.#uses[cell] as number) * CELLS + cell) as Timer;
  }

  /** Takes the next event out. */
  pop(): void {
    this.#forget(this.#cells[0] as number);
    this.#removeFirst();
    this.#removeCancelled();
  }

  /** False when the event has fired or was cancelled before. */
  cancel(timer: Timer): boolean {
    const cell = timer % CELLS;
    if (!this.#pending[cell] || this.#uses[cell] !== Math.floor(timer / CELLS)) return false;
    this.#forget(cell);
    this.#cancelled++;
    if (this.#cancelled > FEW && this.#cancelled * 2 > this.#length) this.#sweep();
    this.#removeCancelled();
    return true;
  }

  /** @param nameOf the name of a channel; `undefined` for one whose events are not kept */
  state(nameOf: (channel: number) => string | undefined): QueueState {
    const slots = Array.from(
      { length: this.#length },
      (_, slot) => [this.#cells[slot] as number, this.#dues[slot] as number, this.#seqs[slot] as number] as const,
    );
    const cells = this.#uses.map((uses, cell): QueueState['cells'][number] => {
      const channel = this.#pending[cell] ? nameOf(this.#channels[cell] as number) : undefined;
      return channel === undefined ? [uses] : [uses, channel, this.#events[cell], this.#causes[cell] as number];
    });
    return { seq: this.#seq, slots, cells, free: this.#freeCells };
  }

  /** Of a queue in which nothing was ever scheduled. */
  restore({ seq, slots, cells, free }: QueueState, numberOf: (channel: string) => number): void {
    const why = someSlots(slots) ?? someCells(cells) ?? someCellNumbers(free);
    if (why !== undefined) throw new Error(why);
    const isCell = (cell: number): boolean => cells[cell] !== undefined;
    const taken = slots.filter(([cell]) => isCell(cell)).length;
    if (taken < slots.length || !free.every(isCell) || new Set(free).size + taken > cells.length) {
      throw new Error('events without a place');
    }
    this.#seq = seq;
    for (const [uses, channel, event, cause = 0] of cells) {
      this.#uses.push(uses);
      this.#channels.push(channel === undefined ? 0 : numberOf(channel));
      this.#events.push(event);
      this.#causes.push(cause);
      this.#pending.push(channel !== undefined);
    }
    this.#freeCells.push(...free);
    while (this.#dues.length < slots.length) this.#grow();
    for (const [slot, [cell, due, slotSeq]] of slots.entries()) {
      this.#cells[slot] = cell;
      this.#dues[slot] = due;
      this.#seqs[slot] = slotSeq;
      if (!this.#pending[cell]) this.#cancelled++;
    }
    this.#length = slots.length;
    this.#removeCancelled();
  }

  #newCell(): number {
    if (this.#uses.length === CELLS) throw new Error(`more than ${CELLS} events are pending`);
    return this.#uses.push(1) - 1;
  }

  /** The event of a cell is over: its timer names nothing from here on. */
  #forget(cell: number): void {
    this.#events[cell] = undefined;
    this.#pending[cell] = false;
    this.#uses[cell] = ((this.#uses[cell] as number) + 1) % USES;
  }

  #removeFirst(): void {
    this.#freeCells.push(this.#cells[0] as number);
    const last = --this.#length;
    if (last > 0) this.#sink(this.#cells[last] as number, this.#dues[last] as number, this.#seqs[last] as number);
  }

  /** Lets no cancelled event be the next one. */
  #removeCancelled(): void {
    while (this.#cancelled > 0 && !this.#pending[this.#cells[0] as number]) {
      this.#cancelled--;
      this.#removeFirst();
    }
  }

  /** Removes all that are cancelled: what is left goes to the bottom, one after the other, and rises. */
  #sweep(): void {
    const length = this.#length;
    this.#length = 0;
    this.#cancelled = 0;
    for (let slot = 0; slot < length; slot++) {
      const cell = this.#cells[slot] as number;
      if (this.#pending[cell]) {
        this.#rise(this.#length++, cell, this.#dues[slot] as number, this.#seqs[slot] as number);
      } else this.#freeCells.push(cell);
    }
  }

  #grow(): void {
    const length = this.#dues.length * 2;
    const cells = new Int32Array(length);
    const dues = new Float64Array(length);
    const seqs = new Float64Array(length);
    cells.set(this.#cells);
    dues.set(this.#dues);
    seqs.set(this.#seqs);
    this.#cells = cells;
    this.#dues = dues;
    this.#seqs = seqs;
  }

  /** Puts an event where it belongs on the way up from `bottom`. */
  #rise(bottom: number, cell: number, due: number, seq: number): void {
    const cells = this.#cells;
    const dues = this.#dues;
    const seqs = this.#seqs;
    let slot = bottom;
    while (slot > 0) {
      const up = (slot - 1) >> 2;
      const above = dues[up] as number;
      if (above < due || (above === due && (seqs[up] as number) < seq)) break;
      cells[slot] = cells[up] as number;
      dues[slot] = above;
      seqs[slot] = seqs[up] as number;
      slot = up;
    }
    cells[slot] = cell;
    dues[slot] = due;
    seqs[slot] = seq;
  }

  /** Puts an event where it belongs on the way down from the top. */
  #sink(cell: number, due: number, seq: number): void {
    const cells = this.#cells;
    const dues = this.#dues;
    const seqs = this.#seqs;
    const length = this.#length;
    let slot = 0;
    for (let child = 1; child < length; child = slot * 4 + 1) {
      let least = child;
      let leastDue = dues[child] as number;
      const end = Math.min(child + 4, length);
      for (let other = child + 1; other < end; other++) {
        const otherDue = dues[other] as number;
        if (otherDue < leastDue || (otherDue === leastDue && (seqs[other] as number) < (seqs[least] as number))) {
          least = other;
          leastDue = otherDue;
        }
      }
      if (due < leastDue || (due === leastDue && seq < (seqs[least] as number))) break;
      cells[slot] = cells[least] as number;
      dues[slot] = leastDue;
      seqs[slot] = seqs[least] as number;
      slot = least;
    }
    cells[slot] = cell;
    dues[slot] = due;
    seqs[slot] = seq;
  }
}
