/**
 * The leases of an address range: which offsets are taken, and by whom. The lowest free one goes first, as in oned.
 * Beside the owners stands a tree of bits, 32 to a node, that says what is full; so the lowest free offset is found
 * in a handful of steps, however many leases there are and in whatever order they came and went.
 */

import { IdMap } from '../../kernel/id-map.ts';

/** A VM's id; {@link HELD}; or {@link reservedBy} a network. */
export type LeaseOwner = number;

/** Nobody's: held back by an administrator. */
export const HELD = -1;

/** A network that has reserved the address for leases of its own. */
export const reservedBy = (vnetId: number): LeaseOwner => -2 - vnetId;

/** The network that has reserved the address, if one has. */
export const reserver = (owner: LeaseOwner): number | undefined => (owner < HELD ? -2 - owner : undefined);

const FULL = -1;

export class Leases implements Iterable<[offset: number, owner: LeaseOwner]> {
  readonly #owners = new IdMap<LeaseOwner>();
  /** Level 0 has a bit an offset, level n + 1 a bit a word of level n. */
  #levels: IdMap<number>[] = [new IdMap()];

  static revive({ owners, levels }: ReturnType<Leases['state']>): Leases {
    const leases = new Leases();
    for (const [offset, owner] of owners) leases.#owners.set(offset, owner);
    leases.#levels = levels.map((words) => {
      const level = new IdMap<number>();
      for (const [index, word] of words) level.set(index, word);
      return level;
    });
    return leases;
  }

  state(): { readonly owners: Map<number, LeaseOwner>; readonly levels: Map<number, number>[] } {
    return {
      owners: new Map(this.#owners.entries()),
      levels: this.#levels.map((words) => new Map(words.entries())),
    };
  }

  get size(): number {
    return this.#owners.size;
  }

  owner(offset: number): LeaseOwner | undefined {
    return this.#owners.get(offset);
  }

  /** @returns whether it was free */
  take(offset: number, owner: LeaseOwner): boolean {
    if (this.#owners.get(offset) !== undefined) return false;
    this.#owners.set(offset, owner);
    while (offset >= 32 ** this.#levels.length) this.#grow();
    for (let at = offset, level = 0; level < this.#levels.length; level++) {
      if (this.#flip(level, at) !== FULL) break;
      at = Math.floor(at / 32);
    }
    return true;
  }

  /** @returns whether it was this owner's */
  release(offset: number, owner: LeaseOwner): boolean {
    if (this.#owners.get(offset) !== owner) return false;
    this.#owners.delete(offset);
    for (let at = offset, level = 0; level < this.#levels.length; level++) {
      const wasFull = this.#levels[level]?.get(Math.floor(at / 32)) === FULL;
      this.#flip(level, at);
      if (!wasFull) break;
      at = Math.floor(at / 32);
    }
    return true;
  }

  lowestFree(): number {
    let at = 0;
    for (let level = this.#levels.length - 1; level >= 0; level--) {
      const word = this.#levels[level]?.get(at) ?? 0;
      // All bits of the root: what comes after everything the tree covers.
      if (word === FULL) return 32 ** this.#levels.length;
      at = at * 32 + 31 - Math.clz32(~word & (word + 1));
    }
    return at;
  }

  /** The first of so many free offsets in a row. */
  lowestFreeRun(length: number): number {
    let start = 0;
    for (const [offset] of this) {
      if (offset - start >= length) break;
      start = offset + 1;
    }
    return start;
  }

  /** In order of offset. */
  *[Symbol.iterator](): IterableIterator<[number, LeaseOwner]> {
    yield* [...this.#owners.entries()].sort(([a], [b]) => a - b);
  }

  #grow(): void {
    const root = this.#levels.at(-1)?.get(0) ?? 0;
    const above = new IdMap<number>();
    if (root === FULL) above.set(0, 1);
    this.#levels.push(above);
  }

  #flip(level: number, at: number): number {
    const words = this.#levels[level] ?? new IdMap<number>();
    const index = Math.floor(at / 32);
    const word = (words.get(index) ?? 0) ^ (1 << (at % 32));
    if (word === 0) words.delete(index);
    else words.set(index, word);
    return word;
  }
}
