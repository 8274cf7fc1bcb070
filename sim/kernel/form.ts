/**
 * The form of a value, said once: a JSON schema, a check that names what is wrong and where, and a TypeScript type all
 * come from it.
 */
import { suggestion } from './nearest.ts';

/** The keys and indexes that lead to a place in a value. */
export type Path = readonly (string | number)[];

/** What is wrong at a place. */
export interface Flaw {
  readonly path: Path;
  readonly problem: string;
  /** The key is meant, not its value. */
  readonly key?: true;
}

export interface Form<T> {
  readonly schema: object;
  check(value: unknown, path: Path): Flaw[];
  /** Only for the compiler. */
  readonly type?: T;
}

export type FormOf<F> = F extends Form<infer T> ? T : never;

/** So many letters of what is wrong are repeated. */
const MOST_SHOWN = 80;

function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'keys with values';
  const json = JSON.stringify(value);
  return json.length > MOST_SHOWN ? `${json.slice(0, MOST_SHOWN)}…` : json;
}

/** After so many flaws of a list or an object the rest is not looked at. */
const MOST_FLAWS = 20;

/** The first flaws of many parts. */
function gathered<T>(parts: Iterable<T>, flawsOf: (part: T) => readonly Flaw[]): Flaw[] {
  const flaws: Flaw[] = [];
  for (const part of parts) {
    if (flaws.length >= MOST_FLAWS) break;
    flaws.push(...flawsOf(part));
  }
  return flaws;
}

const flaw = (path: Path, expected: string, value: unknown): Flaw[] => [
  { path, problem: `expected ${expected}, not ${shown(value)}` },
];

export function text(like?: { readonly pattern: string; readonly meaning: string }): Form<string> {
  const pattern = like && new RegExp(like.pattern, 'u');
  return {
    schema: { type: 'string', ...(like ? { pattern: like.pattern, description: like.meaning } : {}) },
    check(value, path) {
      const fits = typeof value === 'string' && (pattern?.test(value) ?? true);
      return fits ? [] : flaw(path, like?.meaning ?? 'a text', value);
    },
  };
}

export function whole(least: number, most: number = Number.MAX_SAFE_INTEGER): Form<number> {
  const bounds = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
  return {
    schema: { type: 'integer', minimum: least, ...(most === Number.MAX_SAFE_INTEGER ? {} : { maximum: most }) },
    check(value, path) {
      const fits = typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most;
      return fits ? [] : flaw(path, `a whole number ${bounds}`, value);
    },
  };
}

export function number(least: number, most: number): Form<number> {
  return {
    schema: { type: 'number', minimum: least, maximum: most },
    check(value, path) {
      const fits = typeof value === 'number' && value >= least && value <= most;
      return fits ? [] : flaw(path, `a number from ${least} to ${most}`, value);
    },
  };
}

/** A number above 0. */
export function positive(most: number): Form<number> {
  return {
    schema: { type: 'number', minimum: 0, maximum: most, not: { enum: [0] } },
    check(value, path) {
      const fits = typeof value === 'number' && value > 0 && value <= most;
      return fits ? [] : flaw(path, `a number above 0, at most ${most}`, value);
    },
  };
}

export const chance = positive(1);

/** A form with a sentence about it in its schema. */
export const described = <T>(meaning: string, form: Form<T>): Form<T> => ({
  ...form,
  schema: { ...form.schema, description: meaning },
});

export function word<const W extends string>(...words: readonly W[]): Form<W> {
  return {
    schema: { enum: words },
    check(value, path) {
      if (typeof value === 'string' && (words as readonly string[]).includes(value)) return [];
      const meant = typeof value === 'string' ? suggestion(value, words) : '';
      return [{ path, problem: `${shown(value)} is not ${words.join(', ')}${meant}` }];
    },
  };
}

export const constant = <const C extends number>(wanted: C): Form<C> => ({
  schema: { const: wanted },
  check: (value, path) => (value === wanted ? [] : flaw(path, `${wanted}`, value)),
});

/** Anything that JSON can say. */
export const anything: Form<unknown> = { schema: {}, check: () => [] };

export function list<T>(item: Form<T>): Form<readonly T[]> {
  return {
    schema: { type: 'array', items: item.schema },
    check(value, path) {
      if (!Array.isArray(value)) return flaw(path, 'a list', value);
      return gathered(value.entries(), ([index, each]) => item.check(each, [...path, index]));
    },
  };
}

/** One of two forms that a list and a single value can be told apart by. */
export function oneOrMore<T>(item: Form<T>): Form<T | readonly T[]> {
  const many = list(item);
  return {
    schema: { anyOf: [item.schema, many.schema] },
    check: (value, path) => (Array.isArray(value) ? many : item).check(value, path),
  };
}

/** Keys of the writer's choice. @param named what a key may be; anything unless told otherwise */
export function map<T>(item: Form<T>, named?: Form<string>): Form<Readonly<Record<string, T>>> {
  return {
    schema: { type: 'object', ...(named && { propertyNames: named.schema }), additionalProperties: item.schema },
    check(value, path) {
      if (!isObject(value)) return flaw(path, 'keys with values', value);
      return gathered(Object.entries(value), ([key, inner]) => {
        const at = [...path, key];
        const misnamed = (named?.check(key, at) ?? []).map((each): Flaw => ({ ...each, key: true }));
        return [...misnamed, ...item.check(inner, at)];
      });
    },
  };
}

type Fields = Readonly<Record<string, Form<unknown>>>;
type ObjectOf<R extends Fields, O extends Fields> = { readonly [K in keyof R]: FormOf<R[K]> } & {
  readonly [K in keyof O]?: FormOf<O[K]>;
};

/** These keys and no other. */
export function object<R extends Fields, O extends Fields>(required: R, optional: O): Form<ObjectOf<R, O>> {
  const fields: Fields = { ...required, ...optional };
  const schemas = Object.entries(fields).map(([key, { schema }]) => [key, schema] as const);
  return {
    schema: {
      type: 'object',
      additionalProperties: false,
      ...(Object.keys(required).length === 0 ? {} : { required: Object.keys(required) }),
      properties: Object.fromEntries(schemas),
    },
    check(value, path) {
      if (!isObject(value)) return flaw(path, 'keys with values', value);
      const flaws = gathered(Object.entries(value), ([key, each]) => {
        const form = Object.hasOwn(fields, key) ? fields[key] : undefined;
        if (form !== undefined) return form.check(each, [...path, key]);
        const meant = suggestion(key, Object.keys(fields));
        return [{ path: [...path, key], problem: `unknown key ${shown(key)}${meant}`, key: true }];
      });
      for (const key of Object.keys(required)) {
        if (!Object.hasOwn(value, key)) flaws.push({ path, problem: `${JSON.stringify(key)} is missing` });
      }
      return flaws;
    },
  };
}

/** An object whose form is told by one of its keys, or by a key further down. */
export function variants<const V extends Readonly<Record<string, Form<unknown>>>>(
  key: string | readonly string[],
  forms: V,
): Form<FormOf<V[keyof V]>> {
  const names = word(...Object.keys(forms));
  const keys = [key].flat();
  return {
    schema: { oneOf: Object.values(forms).map(({ schema }) => schema) },
    check(value, path) {
      let name: unknown = value;
      for (const [depth, step] of keys.entries()) {
        const here = [...path, ...keys.slice(0, depth)];
        if (!isObject(name)) return flaw(here, 'keys with values', name);
        if (!Object.hasOwn(name, step)) return [{ path: here, problem: `${JSON.stringify(step)} is missing` }];
        name = name[step];
      }
      const form = typeof name === 'string' && Object.hasOwn(forms, name) ? forms[name] : undefined;
      return form === undefined ? names.check(name, [...path, ...keys]) : form.check(value, path);
    },
  };
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
