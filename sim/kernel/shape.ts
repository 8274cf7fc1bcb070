/**
 * Records with the same keys, of which each is written as what differs from the one before: most of a record is like that
 * of its neighbour. Whoever writes and whoever reads remember the same.
 */

export type Primitive = string | number | boolean | null;

export type Fields = Record<string, unknown>;

/** Of a field that is no text, number, truth value or null, the letter says so. */
const PRIMITIVE = '.';
const STRUCTURE = 'o';

/** So many records of a shape, and making them is worth a function of its own. */
const MANY = 32;

/** Bits of a number that says which fields differ. */
const WORD = 30;

/** Numbers beyond are written as texts, so that differences are exact. */
const LARGEST = 2 ** 51;

/** What stands in JSON as it is, and comes back the same. */
export function isPrimitive(value: unknown): value is Primitive {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return Number.isInteger(value)
        ? value <= LARGEST && value >= -LARGEST && !Object.is(value, -0)
        : Number.isFinite(value);
    default:
      return value === null;
  }
}

export class Shape {
  readonly number: number;
  readonly keys: readonly string[];
  /** A letter for each key. */
  readonly kinds: string;
  /** Which of the keys have something beyond a primitive. */
  readonly structures: readonly number[];
  readonly #primitives: readonly number[];
  /** Of the latest record, by key; null where there is a structure. */
  readonly #latest: Primitive[];
  #made = 0;
  #make: ((values: readonly Primitive[]) => Fields) | undefined;

  constructor(number: number, keys: readonly string[], kinds: string) {
    this.number = number;
    this.keys = keys;
    this.kinds = kinds;
    const positions = keys.map((_, at) => at);
    this.structures = positions.filter((at) => kinds[at] === STRUCTURE);
    this.#primitives = positions.filter((at) => kinds[at] !== STRUCTURE);
    this.#latest = [];
    for (const at of this.structures) this.#latest[at] = null;
  }

  /** @throws when a reader has been given none */
  static read(number: number, keys: unknown, kinds: unknown): Shape {
    const areKeys = Array.isArray(keys) && keys.every((key) => typeof key === 'string');
    if (!areKeys || new Set(keys).size < keys.length) throw new Error(`there are no keys in ${JSON.stringify(keys)}`);
    if (typeof kinds !== 'string' || kinds.length !== keys.length) throw new Error('keys without their kinds');
    return new Shape(number, keys, kinds);
  }

  fits(keys: readonly string[], values: readonly unknown[]): boolean {
    const { length } = keys;
    if (length !== this.keys.length) return false;
    for (let at = 0; at < length; at++) if (keys[at] !== this.keys[at]) return false;
    for (const at of this.structures) if (isPrimitive(values[at])) return false;
    for (const at of this.#primitives) if (!isPrimitive(values[at])) return false;
    return true;
  }

  /** What differs: for every so many fields a number that says which do, and what they are. Whole numbers count on. */
  write(values: readonly unknown[], tape: unknown[]): void {
    const latest = this.#latest;
    const primitives = this.#primitives;
    for (let from = 0; from < primitives.length; from += WORD) {
      const to = Math.min(from + WORD, primitives.length);
      const start = tape.push(0) - 1;
      let differing = 0;
      for (let i = from; i < to; i++) {
        const at = primitives[i] as number;
        const value = values[at] as Primitive;
        const before = latest[at] as Primitive;
        if (value === before) continue;
        differing |= 1 << (i - from);
        latest[at] = value;
        tape.push(typeof value === 'number' && areWhole(value, before) ? value - before : value);
      }
      tape[start] = differing;
    }
  }

  /** The next record, with null in the place of its structures. */
  read(next: () => unknown): Fields {
    const latest = this.#latest;
    const primitives = this.#primitives;
    for (let from = 0; from < primitives.length; from += WORD) {
      let differing = next() as number;
      if (!Number.isInteger(differing)) throw new Error('a record that does not say in what it differs');
      for (let i = from; differing !== 0; i++, differing >>>= 1) {
        if ((differing & 1) === 0) continue;
        const at = primitives[i];
        const value = next() as Primitive;
        if (at === undefined || !isPrimitive(value)) throw new Error('a record that differs in what it does not have');
        const before = latest[at] as Primitive;
        latest[at] = typeof value === 'number' && areWhole(value, before) ? value + before : value;
      }
    }
    return this.#record(latest);
  }

  #record(values: readonly Primitive[]): Fields {
    if (this.#make !== undefined) return this.#make(values);
    if (++this.#made === MANY) this.#make = recordMaker(this.keys);
    return filled(this.keys, values);
  }
}

const areWhole = (value: number, before: unknown): before is number =>
  Number.isInteger(value) && Number.isInteger(before);

/** A literal makes a record several times faster than its fields one by one. */
function literalOf(keys: readonly string[]): (values: readonly unknown[]) => Fields {
  const fields = keys.map((key, at) => `${JSON.stringify(key)}:values[${at}]`);
  return new Function('values', `return {${fields.join(',')}}`) as (values: readonly unknown[]) => Fields;
}

/** What makes records of given values, one for each key. */
export const recordMaker = (keys: readonly string[]): ((values: readonly unknown[]) => Fields) =>
  keys.includes('__proto__') ? (values) => filled(keys, values) : literalOf(keys);

function filled(keys: readonly string[], values: readonly unknown[]): Fields {
  const record: Fields = {};
  for (const [at, key] of keys.entries()) put(record, key, values[at]);
  return record;
}

/** Whatever the key is called, `__proto__` among them. */
export function put(record: Fields, key: string, value: unknown): void {
  if (key !== '__proto__') record[key] = value;
  else Object.defineProperty(record, key, { value, writable: true, enumerable: true, configurable: true });
}

/** The shapes that have come, found again by what they fit. */
export class ShapesSoFar {
  readonly #byText = new Map<string, Shape>();
  /** By the first key: a few that were met lately, the latest first. */
  readonly #recent = new Map<string, readonly Shape[]>();

  /** @param fresh is told of one that has not come before */
  of(keys: readonly string[], values: readonly unknown[], fresh: (shape: Shape) => void): Shape {
    const first = keys[0] ?? '';
    const recent = this.#recent.get(first) ?? [];
    for (let at = 0; at < recent.length; at++) {
      const shape = recent[at] as Shape;
      if (shape.fits(keys, values)) return shape;
    }
    const kinds = values.map((value) => (isPrimitive(value) ? PRIMITIVE : STRUCTURE)).join('');
    const text = JSON.stringify([kinds, ...keys]);
    let shape = this.#byText.get(text);
    if (shape === undefined) {
      shape = new Shape(this.#byText.size, keys, kinds);
      this.#byText.set(text, shape);
      fresh(shape);
    }
    this.#recent.set(first, [shape, ...recent.slice(0, MOST_RECENT - 1)]);
    return shape;
  }
}

const MOST_RECENT = 8;
