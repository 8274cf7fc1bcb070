/**
 * Graphs of objects as JSON, and back. The JSON is one flat list in which every value follows the mark that says what it
 * is: long, plain and quick to read, where objects within objects are none of it. An object that has come before is the
 * number of its first appearance, so what was one object stays one.
 */
import { type Fields, isPrimitive, type Primitive, put, Shape, ShapesSoFar } from './shape.ts';

/** A class whose instances may be part of a graph: each says what it consists of, and can be made again of that. */
interface Valued {
  readonly prototype: { state(): unknown };
  /** Set where instances never change and consist of JSON: equal ones are then one, whether they came to be so or not. */
  readonly unchanging?: true;
  revive(state: unknown): object;
}

/** By the name that stands in the text. */
export type Kinds = Readonly<Record<string, Valued>>;

/** A value no part of which is met anywhere else, so that nothing in it needs a number: for what is large. */
export class Unshared<T> {
  readonly value: T;

  constructor(value: T) {
    this.value = value;
  }
}

/** What follows in the list. Above {@link MARKS.shapes}: a record of the shape that came as so many-th. */
const MARKS = {
  /** The primitive. */
  primitive: 0,
  /** The number of an object. */
  known: 1,
  /** How many, and the primitives. */
  primitives: 2,
  /** How many, and each with its mark. */
  list: 3,
  /** Keys, values: as two lists. */
  map: 4,
  /** A list. */
  set: 5,
  /** Keys, values. Of a record without a prototype. */
  bare: 6,
  undefined: 7,
  /** A text. */
  number: 8,
  bigint: 9,
  bytes: 10,
  /** The name of a class, and a state. */
  instance: 11,
  /** The name of a class, and the JSON. */
  unchanging: 12,
  unshared: 13,
  /** Keys and their kinds, and the first record with its mark. */
  shape: 14,
  shapes: 16,
} as const;

interface Stateful {
  state(): unknown;
}

/** Turns one value after the other into JSON. */
export function encoder(kinds: Kinds): (value: unknown) => unknown {
  const numbers = new Map<object, number>();
  const unchanging = new Map<string, number>();
  const named = new Map(Object.entries(kinds).map(([name, kind]) => [kind.prototype as object, { name, kind }]));
  const shapes = new ShapesSoFar();
  let count = 0;
  let isShared = true;
  let tape: unknown[] = [];

  function encode(value: unknown): void {
    if (isPrimitive(value)) tape.push(MARKS.primitive, value);
    else encodeStructure(value);
  }

  function encodeStructure(value: unknown): void {
    if (typeof value === 'object') encodeObject(value as object);
    else if (typeof value === 'number') tape.push(MARKS.number, Object.is(value, -0) ? '-0' : String(value));
    else if (value === undefined) tape.push(MARKS.undefined);
    else if (typeof value === 'bigint') tape.push(MARKS.bigint, String(value));
    else throw new Error(`a ${typeof value} is nothing that can be kept`);
  }

  function encodeObject(value: object): void {
    const number = isShared ? numbers.get(value) : undefined;
    if (number !== undefined) {
      tape.push(MARKS.known, number);
      return;
    }
    const prototype: object | null = Object.getPrototypeOf(value);
    if (prototype === Object.prototype) {
      given(value);
      encodeRecord(value as Fields);
    } else if (prototype === Array.prototype) {
      given(value);
      encodeList(value as readonly unknown[]);
    } else encodeInstance(value, prototype);
  }

  /** The next number. */
  function given(value: object): void {
    if (isShared) numbers.set(value, count++);
  }

  function encodeList(list: readonly unknown[]): void {
    if (list.every(isPrimitive)) {
      tape.push(MARKS.primitives, list.length);
      for (const value of list) tape.push(value);
    } else {
      tape.push(MARKS.list, list.length);
      for (const value of list) encode(value);
    }
  }

  function encodeRecord(record: Fields): void {
    const values = Object.values(record);
    const shape = shapes.of(Object.keys(record), values, announce);
    tape.push(MARKS.shapes + shape.number);
    shape.write(values, tape);
    for (const at of shape.structures) encodeStructure(values[at]);
  }

  function announce({ keys, kinds: letters }: Shape): void {
    tape.push(MARKS.shape, keys, letters);
  }

  function encodeInstance(value: object, prototype: object | null): void {
    if (value instanceof Unshared) {
      encodeUnshared(value.value);
      return;
    }
    const valued = prototype === null ? undefined : named.get(prototype);
    if (valued?.kind.unchanging) {
      encodeUnchanging(value, valued.name);
      return;
    }
    given(value);
    if (value instanceof Map) {
      tape.push(MARKS.map);
      encodeList([...value.keys()]);
      encodeList([...value.values()]);
    } else if (value instanceof Set) {
      tape.push(MARKS.set);
      encodeList([...value]);
    } else if (value instanceof Uint8Array) {
      tape.push(MARKS.bytes, Buffer.from(value).toString('base64'));
    } else if (prototype === null) {
      tape.push(MARKS.bare);
      encodeList(Object.keys(value));
      encodeList(Object.values(value));
    } else {
      if (valued === undefined) throw new Error(`a ${prototype.constructor.name} is nothing that can be kept`);
      tape.push(MARKS.instance, valued.name);
      encodeState((value as Stateful).state());
    }
  }

  /** Only its instance has it, so it needs no number. */
  function encodeState(state: unknown): void {
    const prototype: unknown = typeof state === 'object' && state !== null ? Object.getPrototypeOf(state) : undefined;
    if (prototype === Array.prototype) encodeList(state as readonly unknown[]);
    else if (prototype === Object.prototype) encodeRecord(state as Fields);
    else encode(state);
  }

  function encodeUnshared(value: unknown): void {
    const wasShared = isShared;
    tape.push(MARKS.unshared);
    isShared = false;
    encode(value);
    isShared = wasShared;
  }

  function encodeUnchanging(value: object, name: string): void {
    const json = (value as Stateful).state();
    const key = `${name} ${JSON.stringify(json)}`;
    const number = unchanging.get(key);
    if (number === undefined) tape.push(MARKS.unchanging, name, json);
    else tape.push(MARKS.known, number);
    if (!isShared) return;
    numbers.set(value, number ?? count);
    if (number === undefined) unchanging.set(key, count++);
  }

  return (value) => {
    tape = [];
    encode(value);
    return tape;
  };
}

/**
 * Reads in the order in which it was written.
 * @throws when it is none that was written here
 */
export function decoder(kinds: Kinds): (json: unknown) => unknown {
  const known: (object | undefined)[] = [];
  const shapes: Shape[] = [];
  let isShared = true;
  let tape: readonly unknown[] = [];
  let at = 0;

  function next(): unknown {
    if (at >= tape.length) throw new Error('it ends too early');
    return tape[at++];
  }

  function nextPrimitive(): Primitive {
    const value = next();
    if (!isPrimitive(value)) throw new Error(`${JSON.stringify(value)} stands in the place of a text or number`);
    return value;
  }

  function nextText(): string {
    const text = next();
    if (typeof text !== 'string') throw new Error(`${JSON.stringify(text)} is no text`);
    return text;
  }

  function decode(): unknown {
    return decodeMarked(nextMark());
  }

  /** Shapes are made known on the way. */
  function nextMark(): number {
    for (;;) {
      const mark = next();
      if (mark !== MARKS.shape) return mark as number;
      shapes.push(Shape.read(shapes.length, next(), next()));
    }
  }

  function decodeMarked(mark: number): unknown {
    if (mark >= MARKS.shapes) return decodeRecord(mark, kept);
    switch (mark) {
      case MARKS.primitive:
        return nextPrimitive();
      case MARKS.known: {
        const number = next() as number;
        const object = known[number];
        if (object === undefined) throw new Error(`there is no object ${number}`);
        return object;
      }
      case MARKS.primitives:
      case MARKS.list:
        return decodeList(mark, kept([]));
      case MARKS.map: {
        const map = kept(new Map<unknown, unknown>());
        for (const [key, value] of decodePairs()) map.set(key, value);
        return map;
      }
      case MARKS.set: {
        const set = kept(new Set<unknown>());
        for (const value of decodeInnerList()) set.add(value);
        return set;
      }
      case MARKS.bare: {
        const record = kept<Fields>(Object.create(null));
        for (const [key, value] of decodePairs()) put(record, String(key), value);
        return record;
      }
      case MARKS.undefined:
        return undefined;
      case MARKS.number:
        return Number(nextText());
      case MARKS.bigint:
        return BigInt(nextText());
      case MARKS.bytes:
        return kept(new Uint8Array(Buffer.from(nextText(), 'base64')));
      case MARKS.instance:
        return decodeInstance(kindOf(nextText()));
      case MARKS.unchanging:
        return kept(kindOf(nextText()).revive(next()));
      case MARKS.unshared:
        return decodeUnshared();
      default:
        throw new Error(`${JSON.stringify(mark)} is no mark`);
    }
  }

  function decodeRecord(mark: number, keep: (record: Fields) => Fields): Fields {
    const shape = shapes[mark - MARKS.shapes];
    if (shape === undefined) throw new Error(`there is no shape ${mark - MARKS.shapes}`);
    const record = keep(shape.read(next));
    for (const position of shape.structures) put(record, shape.keys[position] as string, decode());
    return record;
  }

  function decodeList(mark: unknown, list: unknown[]): unknown[] {
    const length = next() as number;
    if (!Number.isInteger(length) || length < 0 || length > tape.length - at)
      throw new Error('a list that is longer than what there is, or shorter than nothing');
    for (let i = 0; i < length; i++) list.push(mark === MARKS.primitives ? nextPrimitive() : decode());
    return list;
  }

  /** One that is a part of something else, and has no number. */
  function decodeInnerList(): unknown[] {
    const mark = nextMark();
    if (mark !== MARKS.primitives && mark !== MARKS.list) throw new Error(`${JSON.stringify(mark)} is no list`);
    return decodeList(mark, []);
  }

  function decodePairs(): [key: unknown, value: unknown][] {
    const keys = decodeInnerList();
    const values = decodeInnerList();
    if (keys.length !== values.length) throw new Error('keys without values, or values without keys');
    return keys.map((key, i) => [key, values[i]]);
  }

  function kindOf(name: string): Valued {
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
    if (kind === undefined) throw new Error(`${JSON.stringify(name)} is no kind of object`);
    return kind;
  }

  function decodeInstance(kind: Valued): object {
    const number = isShared ? known.push(undefined) - 1 : undefined;
    const object = kind.revive(decodeState());
    if (number !== undefined) known[number] = object;
    return object;
  }

  /** A record or a list has no number of its own. */
  function decodeState(): unknown {
    const mark = nextMark();
    if (mark >= MARKS.shapes) return decodeRecord(mark, (record) => record);
    return mark === MARKS.primitives || mark === MARKS.list ? decodeList(mark, []) : decodeMarked(mark);
  }

  function decodeUnshared(): unknown {
    const wasShared = isShared;
    isShared = false;
    const value = decode();
    isShared = wasShared;
    return value;
  }

  function kept<T extends object>(object: T): T {
    if (isShared) known.push(object);
    return object;
  }

  return (json) => {
    if (!Array.isArray(json)) throw new Error('it is no list');
    [tape, at] = [json, 0];
    const value = decode();
    if (at < tape.length) throw new Error('something follows that belongs to nothing');
    return value;
  };
}
