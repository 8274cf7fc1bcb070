/** A bounded memory of what was made of a text: for texts that come over and over, such as the credentials of a client. */

/** Longer texts are not kept: they are rare, and would fill the memory. */
const LONGEST = 4096;
const MOST = 1024;

/** A map of what was noted last: it forgets the oldest entry when there are too many. */
export class Latest<K, V> {
  readonly #entries = new Map<K, V>();

  get(key: K): V | undefined {
    return this.#entries.get(key);
  }

  set(key: K, value: V): void {
    const [oldest] = this.#entries.size < MOST ? [] : this.#entries.keys();
    if (oldest !== undefined) this.#entries.delete(oldest);
    this.#entries.set(key, value);
  }
}

/** As `make`, which has to depend on nothing but the text; what it has made before is not to be changed. */
export function remembered<T>(make: (text: string) => T): (text: string) => T {
  const known = new Latest<string, { readonly made: T }>();
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before.made;
    const made = make(text);
    if (text.length <= LONGEST) known.set(text, { made });
    return made;
  };
}
