/**
 * Graphs of objects as JSON, and back. Plain records and arrays are themselves; whatever JSON lacks is a record with the
 * key `$`, which says what it is: the name of a class, or the number of an object that has come before, in the order of
 * first appearance. So what was one object stays one.
 */

/** A class whose instances may be part of a graph: each says what it consists of, and can be made again of that. */
interface Valued {
  readonly prototype: { state(): unknown };
  /** Set where instances never change: equal ones are then one, whether they came to be so or not. */
  readonly unchanging?: true;
  revive(state: unknown): object;
}

/** By the name that stands in the text. */
export type Kinds = Readonly<Record<string, Valued>>;

/** JSON that never changes, and is taken as it is: for what is large and needs no walk. */
export class Verbatim {
  readonly json: unknown;

  constructor(json: unknown) {
    this.json = json;
  }
}

/** What the key `$` may say beside the name of a class. */
type Mark = 'number' | 'undefined' | 'bigint' | 'bytes' | 'Map' | 'Set' | 'record' | 'bare' | 'verbatim';

/** A record in the text that stands for something else. */
interface Marked {
  readonly $: Mark | (string & {}) | number;
  readonly of?: unknown;
}

type Fields = Record<string, unknown>;

interface Stateful {
  state(): unknown;
}

/**
 * Turns one value after the other into JSON. What is JSON already is returned itself and not copied: make text of it
 * before anything changes.
 */
export function encoder(kinds: Kinds): (value: unknown) => unknown {
  const numbers = new Map<object, number>();
  const unchanging = new Map<string, number>();
  const named = new Map(Object.entries(kinds).map(([name, kind]) => [kind.prototype as object, { name, kind }]));
  let count = 0;

  function encode(value: unknown): unknown {
    switch (typeof value) {
      case 'string':
      case 'boolean':
        return value;
      case 'number':
        return Number.isFinite(value) && !Object.is(value, -0) ? value : mark('number', numberText(value));
      case 'undefined':
        return mark('undefined');
      case 'bigint':
        return mark('bigint', String(value));
      case 'object':
        return value === null ? null : encodeObject(value);
      default:
        throw new Error(`a ${typeof value} is nothing that can be kept`);
    }
  }

  function encodeObject(value: object): unknown {
    const number = numbers.get(value);
    if (number !== undefined) return mark(number);
    const prototype: object | null = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== Array.prototype) return encodeInstance(value, prototype);
    numbers.set(value, count++);
    return encodeParts(value);
  }

  /** What plain objects consist of. */
  function encodeParts(value: object): unknown {
    return Array.isArray(value) ? encodeArray(value) : encodeRecord(value as Fields);
  }

  function encodeInstance(value: object, prototype: object | null): unknown {
    if (value instanceof Verbatim) return mark('verbatim', value.json);
    const valued = prototype === null ? undefined : named.get(prototype);
    if (valued?.kind.unchanging) return encodeUnchanging(value, valued.name);
    numbers.set(value, count++);
    if (value instanceof Map)
      return mark(
        'Map',
        Array.from(value, ([key, inner]) => [encode(key), encode(inner)]),
      );
    if (value instanceof Set)
      return mark(
        'Set',
        Array.from(value, (inner) => encode(inner)),
      );
    if (value instanceof Uint8Array) return mark('bytes', Buffer.from(value).toString('base64'));
    if (prototype === null) return mark('bare', encodeEntries(value as Fields));
    if (valued === undefined) throw new Error(`a ${prototype.constructor.name} is nothing that can be kept`);
    return mark(valued.name, encodeState((value as Stateful).state()));
  }

  /** Only its instance has it, so it needs no number. */
  function encodeState(state: unknown): unknown {
    const prototype: unknown = typeof state === 'object' && state !== null ? Object.getPrototypeOf(state) : undefined;
    const isPlain = prototype === Object.prototype || prototype === Array.prototype;
    return isPlain ? encodeParts(state as object) : encode(state);
  }

  /** Its state is JSON as it is. */
  function encodeUnchanging(value: object, name: string): unknown {
    const json = (value as Stateful).state();
    const key = `${name} ${JSON.stringify(json)}`;
    const number = unchanging.get(key);
    numbers.set(value, number ?? count);
    if (number !== undefined) return mark(number);
    unchanging.set(key, count++);
    return mark(name, json);
  }

  function encodeArray(array: readonly unknown[]): unknown {
    let copy: unknown[] | undefined;
    for (let i = 0; i < array.length; i++) {
      const value = array[i];
      if (typeof value === 'string') continue;
      const encoded = encode(value);
      if (encoded === value) continue;
      copy ??= array.slice();
      copy[i] = encoded;
    }
    return copy ?? array;
  }

  function encodeRecord(record: Fields): unknown {
    if (Object.hasOwn(record, '$')) return mark('record', encodeEntries(record));
    let copy: Fields | undefined;
    for (const key in record) {
      const value = record[key];
      if (typeof value === 'string' || value === null) continue;
      const encoded = encode(value);
      if (encoded === value) continue;
      copy ??= { ...record };
      copy[key] = encoded;
    }
    return copy ?? record;
  }

  function encodeEntries(record: Fields): unknown {
    return Object.entries(record).map(([key, inner]) => [key, encode(inner)]);
  }

  return encode;
}

const mark = ($: Marked['$'], of?: unknown): Marked => (of === undefined ? { $ } : { $, of });

const numberText = (value: number): string => (Object.is(value, -0) ? '-0' : String(value));

/**
 * Reads in the order in which it was written. The JSON is used up: it becomes the graph.
 * @throws when it is none that was written here
 */
export function decoder(kinds: Kinds): (json: unknown) => unknown {
  const known: unknown[] = [];

  function decode(json: unknown): unknown {
    if (typeof json !== 'object' || json === null) return json;
    if (!Array.isArray(json) && Object.hasOwn(json, '$')) return decodeMarked(json as Marked);
    known.push(json);
    return decodeParts(json);
  }

  function decodeParts(json: object): object {
    if (Array.isArray(json)) {
      for (let i = 0; i < json.length; i++) {
        const inner: unknown = json[i];
        if (typeof inner === 'object' && inner !== null) json[i] = decode(inner);
      }
      return json;
    }
    const record = json as Fields;
    for (const key in record) {
      const inner = record[key];
      if (typeof inner === 'object' && inner !== null) record[key] = decode(inner);
    }
    return record;
  }

  function decodeState(json: unknown): unknown {
    const isPlain = typeof json === 'object' && json !== null && (Array.isArray(json) || !Object.hasOwn(json, '$'));
    return isPlain ? decodeParts(json) : decode(json);
  }

  function decodeMarked({ $, of }: Marked): unknown {
    if (typeof $ === 'number') {
      const object = known[$];
      if (object === undefined) throw new Error(`there is no object ${$}`);
      return object;
    }
    switch ($ as Mark) {
      case 'number':
        return Number(of);
      case 'undefined':
        return undefined;
      case 'bigint':
        return BigInt(of as string);
      case 'verbatim':
        return of;
      case 'bytes':
        return kept(new Uint8Array(Buffer.from(of as string, 'base64')));
      case 'Map': {
        const map = kept(new Map<unknown, unknown>());
        for (const [key, inner] of of as [unknown, unknown][]) map.set(decode(key), decode(inner));
        return map;
      }
      case 'Set': {
        const set = kept(new Set<unknown>());
        for (const inner of of as unknown[]) set.add(decode(inner));
        return set;
      }
      case 'record':
      case 'bare': {
        const record = kept<Fields>($ === 'bare' ? Object.create(null) : {});
        for (const [key, inner] of of as [string, unknown][]) put(record, key, decode(inner));
        return record;
      }
      default:
        return decodeValued($, of);
    }
  }

  function decodeValued(name: string, of: unknown): object {
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
    if (kind === undefined) throw new Error(`${JSON.stringify(name)} is no kind of object`);
    if (kind.unchanging) return kept(kind.revive(of));
    const number = known.push(undefined) - 1;
    const object = kind.revive(decodeState(of));
    known[number] = object;
    return object;
  }

  function kept<T>(object: T): T {
    known.push(object);
    return object;
  }

  return decode;
}

/** Whatever the key is called, `__proto__` among them. */
function put(record: Fields, key: string, value: unknown): void {
  Object.defineProperty(record, key, { value, writable: true, enumerable: true, configurable: true });
}
