/**
 * What there is by ids that count up. Neighbours stand together, 256 to a page: of 100,000 entries in a hash table
 * each is somewhere else, and to fetch them from there is what would cost.
 */

const PAGE = 256;

export class IdMap<T extends NonNullable<unknown>> implements Iterable<T> {
  /** By number; none is empty. */
  readonly #pages = new Map<number, Page<T>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Of any number. */
  get(id: number): T | undefined {
    return this.#pages.get(Math.floor(id / PAGE))?.[id % PAGE];
  }

  /** @param id whole, and not below 0 */
  set(id: number, item: T): void {
    const number = Math.floor(id / PAGE);
    const at = id % PAGE;
    let page = this.#pages.get(number);
    if (page === undefined) {
      page = [];
      this.#pages.set(number, page);
    }
    while (page.length < at) page.push(undefined);
    if (page[at] === undefined) this.#size++;
    page[at] = item;
  }

  delete(id: number): boolean {
    const number = Math.floor(id / PAGE);
    const page = this.#pages.get(number);
    const at = id % PAGE;
    if (page?.[at] === undefined) return false;
    page[at] = undefined;
    this.#size--;
    while (page.length > 0 && page[page.length - 1] === undefined) page.pop();
    if (page.length === 0) this.#pages.delete(number);
    return true;
  }

  clear(): void {
    this.#pages.clear();
    this.#size = 0;
  }

  /** In order of id, where pages came in that order; with what comes and without what goes meanwhile. */
  [Symbol.iterator](): Iterator<T> {
    return new Walk(this.#pages.values());
  }

  /** Likewise. */
  *entries(): Generator<[id: number, item: T]> {
    for (const [number, page] of this.#pages) {
      for (const [at, item] of page.entries()) if (item !== undefined) yield [number * PAGE + at, item];
    }
  }
}

/** It ends with an item. */
type Page<T> = (T | undefined)[];

/** No generator: pools of two or three are walked all the time. */
class Walk<T> implements Iterator<T> {
  readonly #pages: Iterator<Page<T>>;
  #page: Page<T> = [];
  #at = 0;

  constructor(pages: Iterator<Page<T>>) {
    this.#pages = pages;
  }

  next(): IteratorResult<T> {
    for (;;) {
      while (this.#at < this.#page.length) {
        const value = this.#page[this.#at++];
        if (value !== undefined) return { done: false, value };
      }
      const next = this.#pages.next();
      if (next.done === true) return { done: true, value: undefined };
      this.#page = next.value;
      this.#at = 0;
    }
  }
}
