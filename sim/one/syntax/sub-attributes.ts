// The sub-attributes of a vector attribute, NIC = [ NETWORK_ID = "0", IP = "10.0.0.1" ]: oned's map of names to values.
// A cloud of 100,000 VMs keeps half a million of them, so names and values stand in one flat array, and not in a hash
// table, which takes twice the room and is no faster for a dozen entries.

export class SubAttributes implements ReadonlyMap<string, string> {
  /** name, value, name, value, …; sorted by name, as oned's map is. */
  #cells: readonly string[];

  /** The first of two equal names wins, as in oned. */
  constructor(entries: Iterable<Entry>) {
    const sorted = Array.from(entries);
    if (!isSorted(sorted)) sorted.sort(byName);
    const cells: string[] = [];
    for (const entry of sorted) {
      if (cells.length === 0 || cells[cells.length - 2] !== entry[0]) cells.push(entry[0], entry[1]);
    }
    this.#cells = cells.slice();
  }

  static readonly unchanging = true;

  static revive(cells: readonly string[]): SubAttributes {
    const attributes = new SubAttributes([]);
    attributes.#cells = cells;
    return attributes;
  }

  state(): readonly string[] {
    return this.#cells;
  }

  get size(): number {
    return this.#cells.length / 2;
  }

  get(name: string): string | undefined {
    for (let at = 0; at < this.#cells.length; at += 2) {
      if (this.#cells[at] === name) return this.#cells[at + 1];
    }
    return undefined;
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  // Arrays, as they are walked several times faster than generators.

  entries(): MapIterator<[string, string]> {
    const pairs: [string, string][] = [];
    for (let at = 0; at < this.#cells.length; at += 2) pairs.push([this.#cells[at] ?? '', this.#cells[at + 1] ?? '']);
    return pairs.values();
  }

  keys(): MapIterator<string> {
    return this.#cells.filter((_cell, at) => at % 2 === 0).values();
  }

  values(): MapIterator<string> {
    return this.#cells.filter((_cell, at) => at % 2 === 1).values();
  }

  [Symbol.iterator](): MapIterator<[string, string]> {
    return this.entries();
  }

  forEach(visit: (value: string, name: string, map: ReadonlyMap<string, string>) => void): void {
    for (let at = 0; at < this.#cells.length; at += 2) visit(this.#cells[at + 1] ?? '', this.#cells[at] ?? '', this);
  }
}

type Entry = readonly [string, string];

const byName = (a: Entry, b: Entry) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0);

/** Most come from another vector, and are. */
const isSorted = (entries: readonly Entry[]): boolean =>
  entries.every((entry, i) => i === 0 || (entries[i - 1] as Entry)[0] <= entry[0]);
