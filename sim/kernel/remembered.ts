/** A bounded memory of what was made of a text: for texts that come over and over, such as the credentials of a client. */

/** Longer texts are not kept: they are rare, and would fill the memory. */
const LONGEST = 4096;
const MOST = 1024;

/** As `make`, which has to depend on nothing but the text; what it has made before is not to be changed. */
export function remembered<T>(make: (text: string) => T): (text: string) => T {
  const known = new Map<string, { readonly made: T }>();
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before.made;
    const made = make(text);
    if (text.length > LONGEST) return made;
    const [oldest] = known.keys();
    if (known.size >= MOST && oldest !== undefined) known.delete(oldest);
    known.set(text, { made });
    return made;
  };
}
