/** A bounded memory of what was made of a text: for texts that come over and over, such as the credentials of a client. */

/** Longer texts are not kept: they are rare, and would fill the memory. */
const LONGEST = 4096;
/** So many at least are kept of what was noted or asked for last, and twice as many at most. */
const MANY = 512;

/** A map of what was noted or asked for last; the rest it forgets, many at a time. */
export class Latest<K, V> {
  #recent = new Map<K, V>();
  #before = new Map<K, V>();

  get(key: K): V | undefined {
    const recent = this.#recent.get(key);
    if (recent !== undefined) return recent;
    const before = this.#before.get(key);
    if (before !== undefined) this.set(key, before);
    return before;
  }

  set(key: K, value: V): void {
    if (this.#recent.size >= MANY) {
      this.#before = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(key, value);
  }
}

/** Notes what a text stands for, unless it is long. */
export function note<T>(known: Latest<string, T>, text: string, what: T): void {
  if (text.length <= LONGEST) known.set(text, what);
}

/** As `make`, which has to depend on nothing but the text; what it has made before is not to be changed. */
export function remembered<T>(make: (text: string) => T): (text: string) => T {
  const known = new Latest<string, { readonly made: T }>();
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before.made;
    const made = make(text);
    note(known, text, { made });
    return made;
  };
}
