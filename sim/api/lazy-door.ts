/** The door of an API that is made when it is first asked: most worlds are asked at one or two of theirs. */
interface Door {
  readonly fetch: unknown;
  readonly routes: unknown;
}

export class LazyDoor<D extends Door> {
  readonly #make: () => D;
  #door: D | undefined;

  constructor(make: () => D) {
    this.#make = make;
  }

  get fetch(): D['fetch'] {
    return this.#made.fetch;
  }

  get routes(): D['routes'] {
    return this.#made.routes;
  }

  get #made(): D {
    this.#door ??= this.#make();
    return this.#door;
  }
}
