/** Ids in ascending order, walked from the highest down: so that a page of a listing costs what the page holds. */

export class IdList {
  #ids: number[] = [];
  readonly #present = new Set<number>();

  get size(): number {
    return this.#present.size;
  }

  /** Adds an id that is higher than all before. */
  add(id: number): void {
    this.#ids.push(id);
    this.#present.add(id);
  }

  /** Leaves a hole; when most of the list is holes, it is written anew. */
  delete(id: number): boolean {
    if (!this.#present.delete(id)) return false;
    if (this.#ids.length > 2 * this.#present.size + 16) this.#ids = this.#ids.filter((each) => this.#present.has(each));
    return true;
  }

  /** The ids up to `highest`, the highest first. */
  *down(highest = Number.POSITIVE_INFINITY): Generator<number> {
    for (let i = this.#after(highest) - 1; i >= 0; i--) {
      const id = this.#ids[i] as number;
      if (this.#present.has(id)) yield id;
    }
  }

  /** The position behind the last id that is not above `highest`. */
  #after(highest: number): number {
    let low = 0;
    let high = this.#ids.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#ids[middle] as number) <= highest) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
