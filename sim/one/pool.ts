/** A pool of objects by id. Ids count up and are never reused, as in oned. */
import { IdMap } from '../kernel/id-map.ts';
import { OneError } from './error.ts';
import { IdList } from './id-list.ts';

export interface PoolState<T> {
  readonly items: readonly T[];
  readonly ids: IdList;
  readonly next: number;
}

export class Pool<T extends { readonly id: number }> implements Iterable<T> {
  /** What oned calls an object of this pool in its messages, such as `virtual machine`. */
  readonly objectName: string;
  readonly #items = new IdMap<T>();
  #ids = new IdList();
  #next: number;

  constructor(objectName: string, firstId = 0) {
    this.objectName = objectName;
    this.#next = firstId;
  }

  get size(): number {
    return this.#items.size;
  }

  /** The id that the next object gets. */
  get nextId(): number {
    return this.#next;
  }

  /** Adds an object under the next free id. */
  add<U extends T>(make: (id: number) => U): U {
    const item = make(this.#next);
    this.#items.set(item.id, item);
    this.#ids.add(item.id);
    this.#next = item.id + 1;
    return item;
  }

  state(): PoolState<T> {
    return { items: [...this.#items], ids: this.#ids, next: this.#next };
  }

  /** In the place of all that it holds. */
  restore({ items, ids, next }: PoolState<T>): void {
    this.#items.clear();
    for (const item of items) this.#items.set(item.id, item);
    this.#ids = ids;
    this.#next = next;
  }

  find(id: number): T | undefined {
    return this.#items.get(id);
  }

  /** @throws OneError NO_EXISTS in oned's words */
  get(id: number): T {
    const item = this.#items.get(id);
    if (item === undefined) {
      throw new OneError('NO_EXISTS', `Error getting ${this.objectName} ${id < 0 ? 'Pool' : `[${id}]`}.`, id);
    }
    return item;
  }

  delete(id: number): boolean {
    this.#ids.delete(id);
    return this.#items.delete(id);
  }

  /** The ids up to `highest`, the highest first. */
  down(highest?: number): Iterable<number> {
    return this.#ids.down(highest);
  }

  /** Objects in order of id. */
  [Symbol.iterator](): Iterator<T> {
    return this.#items[Symbol.iterator]();
  }
}
