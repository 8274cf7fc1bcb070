/**
 * What a state that comes from elsewhere has to be like, so that one that is none is refused while it is read, and not
 * met later. Checks are made for many: a state has tens of thousands of objects.
 */
import { Unshared } from './graph.ts';

/** What is wrong with a value, and where in it; `undefined` when nothing is. */
export interface Like<T> {
  (value: unknown): string | undefined;
  /** Only for the compiler. */
  readonly type?: T;
}

const MOST_SHOWN = 40;

function shown(value: unknown): string {
  if (typeof value === 'string')
    return JSON.stringify(value.length > MOST_SHOWN ? `${value.slice(0, MOST_SHOWN)}…` : value);
  if (typeof value === 'object' && value !== null) return `a ${value.constructor?.name ?? 'record'}`;
  return String(value);
}

const expected = (what: string, value: unknown): string => `expected ${what}, not ${shown(value)}`;

const within = (key: string | number, why: string): string =>
  why.startsWith('expected') ? `${key}: ${why}` : `${key}.${why}`;

export const someText: Like<string> = (value) => (typeof value === 'string' ? undefined : expected('a text', value));

export const someNumber: Like<number> = (value) =>
  typeof value === 'number' ? undefined : expected('a number', value);

export const someWhole: Like<number> = (value) =>
  Number.isSafeInteger(value) ? undefined : expected('a whole number', value);

export const someFlag: Like<boolean> = (value) =>
  typeof value === 'boolean' ? undefined : expected('true or false', value);

export const keyOf = <const T extends object>(table: T): Like<keyof T> => {
  const keys = new Set<unknown>(Object.keys(table));
  return (value) => (keys.has(value) ? undefined : expected(`one of ${[...keys].join(', ')}`, value));
};

export const orNull =
  <T>(like: Like<T>): Like<T | null> =>
  (value) =>
    value === null ? undefined : like(value);

export const instance =
  <T extends object>(kind: abstract new (...parts: never[]) => T): Like<T> =>
  (value) =>
    value instanceof kind ? undefined : expected(`a ${kind.name}`, value);

export const listOf =
  <T>(like: Like<T>): Like<T[]> =>
  (value) => {
    if (!Array.isArray(value)) return expected('a list', value);
    for (let at = 0; at < value.length; at++) {
      const why = like(value[at]);
      if (why !== undefined) return within(at, why);
    }
    return undefined;
  };

export const setOf =
  <T>(like: Like<T>): Like<Set<T>> =>
  (value) => {
    if (!(value instanceof Set)) return expected('a Set', value);
    for (const each of value) {
      const why = like(each);
      if (why !== undefined) return why;
    }
    return undefined;
  };

export const mapOf =
  <K, V>(key: Like<K>, like: Like<V>): Like<Map<K, V>> =>
  (value) => {
    if (!(value instanceof Map)) return expected('a Map', value);
    for (const [name, each] of value) {
      const why = key(name) ?? like(each);
      if (why !== undefined) return within(String(name), why);
    }
    return undefined;
  };

/** A record with these fields and no other. */
export function record<T extends object>(fields: { readonly [K in keyof T]-?: Like<T[K]> }): Like<T> {
  const keys = Object.keys(fields);
  const likes = Object.values(fields) as Like<unknown>[];
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return expected('a record', value);
    for (let at = 0; at < keys.length; at++) {
      const key = keys[at] as string;
      const why = likes[at]?.((value as Readonly<Record<string, unknown>>)[key]);
      if (why !== undefined) return within(key, why);
    }
    const { length } = Object.keys(value);
    return length === keys.length ? undefined : expected(`${keys.length} fields`, length);
  };
}

/**
 * What a state lacks, or has, that a fresh one of the same holder does not or does: fields of records, and kinds of
 * values. What is in lists, sets and maps is left to the holder; null and undefined may stand for anything.
 */
export function unlike(fresh: unknown, given: unknown): string | undefined {
  if (fresh instanceof Unshared) return unlike(fresh.value, given);
  if (fresh === null || fresh === undefined || given === null || given === undefined) return undefined;
  if (typeof fresh !== 'object' || typeof given !== 'object') {
    return typeof fresh === typeof given ? undefined : expected(`a ${typeof fresh}`, given);
  }
  if (Object.getPrototypeOf(fresh) !== Object.getPrototypeOf(given)) return expected(shown(fresh), given);
  if (Object.getPrototypeOf(fresh) !== Object.prototype) return undefined;
  const [mine, theirs] = [fresh, given] as Readonly<Record<string, unknown>>[];
  for (const key of Object.keys({ ...mine, ...theirs })) {
    if (!Object.hasOwn(theirs ?? {}, key)) return `${key}: expected, and not there`;
    if (!Object.hasOwn(mine ?? {}, key)) return `${key}: there is no such field`;
    const why = unlike(mine?.[key], theirs?.[key]);
    if (why !== undefined) return within(key, why);
  }
  return undefined;
}
