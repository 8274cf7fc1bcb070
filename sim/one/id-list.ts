/** Ids in ascending order, walked from the highest down: so that a page of a listing costs what the page holds. */

export class IdList {
  /** In the place of an id that is gone stands its complement, which is negative. */
  #ids: number[] = [];
  #size = 0;

  static revive({ ids, size }: { readonly ids: number[]; readonly size: number }): IdList {
    const list = new IdList();
    list.#ids = ids;
    list.#size = size;
    return list;
  }

  state(): { readonly ids: readonly number[]; readonly size: number } {
    return { ids: this.#ids, size: this.#size };
  }

  get size(): number {
    return this.#size;
  }

  /** Adds an id that is higher than all before. */
  add(id: number): void {
    this.#ids.push(id);
    this.#size++;
  }

  /** Leaves a hole; when most of the list is holes, it is written anew. */
  delete(id: number): boolean {
    const at = this.#after(id) - 1;
    if (this.#ids[at] !== id) return false;
    this.#ids[at] = ~id;
    this.#size--;
    if (this.#ids.length > 2 * this.#size + 16) this.#ids = this.#ids.filter((each) => each >= 0);
    return true;
  }

  /** The ids up to `highest`, the highest first. */
  *down(highest = Number.POSITIVE_INFINITY): Generator<number> {
    for (let i = this.#after(highest) - 1; i >= 0; i--) {
      const id = this.#ids[i] as number;
      if (id >= 0) yield id;
    }
  }

  /** The position behind the last id that is not above `highest`. */
  #after(highest: number): number {
    let low = 0;
    let high = this.#ids.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const id = this.#ids[middle] as number;
      if ((id < 0 ? ~id : id) <= highest) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
