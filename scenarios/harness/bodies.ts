/**
 * Bodies made from a schema of the contract: each that has one flaw in one place, and each that keeps the schema with one
 * value at an edge of what is allowed.
 */
import type { Schema } from '../../contracts/contract.ts';

type Path = readonly string[];

interface Place {
  readonly path: Path;
  readonly schema: Schema;
  readonly isRequired: boolean;
}

const MISSING = Symbol('left out');

/** What no value of a type is; upstream's own schema takes null for nothing but null. */
const MISFITS: Readonly<Record<string, readonly unknown[]>> = {
  object: [null, [], '{}', 7, true],
  string: [null, 7, true, [], {}],
  integer: ['2', 1.5, null, true, [1], {}],
  number: ['far', null, false, [1.5]],
};

/** What every client gets wrong sooner or later, by type. */
const EDGES: Readonly<Record<string, readonly unknown[]>> = {
  string: ['', ' ', 'a'.repeat(128), 'a'.repeat(129), '"\'\\', '<b>&amp;', ']]>', 'a\nb\u0001', 'é😀', '$NAME', '0'],
  integer: [0, 1, -1, 2 ** 31 - 1, 2 ** 31],
  number: [0, -1.5, 1e-9, 1e21],
  object: [{}, { EXTRA: null }],
};

/** Every property of a schema, those of properties too. */
function* placesIn({ properties = {}, required = [] }: Schema, path: Path = []): Generator<Place> {
  for (const [name, schema] of Object.entries(properties as Readonly<Record<string, Schema>>)) {
    const own = [...path, name];
    yield { path: own, schema, isRequired: (required as readonly string[]).includes(name) };
    yield* placesIn(schema, own);
  }
}

/** A copy with another value in one place; what is on the way there is made. */
function placed(body: unknown, [name, ...rest]: Path, value: unknown): unknown {
  if (name === undefined) return value;
  const { [name]: before, ...others } = body as Readonly<Record<string, unknown>>;
  const now = rest.length === 0 ? value : placed(before ?? {}, rest, value);
  return now === MISSING ? others : { ...others, [name]: now };
}

/** The whole with another value in each place in turn. */
const madeOf = (schema: Schema, whole: unknown, valuesAt: (place: Place) => readonly unknown[]): readonly unknown[] =>
  [...placesIn(schema)].flatMap((place) => valuesAt(place).map((value) => placed(whole, place.path, value)));

/** @param whole keeps the schema, and has every object in which something is required */
export const flawed = (schema: Schema, whole: unknown): readonly unknown[] =>
  madeOf(schema, whole, ({ schema: { type, enum: words }, isRequired }) => [
    ...(MISFITS[`${type}`] ?? []),
    ...(words === undefined ? [] : ['none of them']),
    ...(isRequired ? [MISSING] : []),
  ]);

/** @param concerns which places are to be at an edge */
export const edged = (schema: Schema, whole: unknown, concerns: (path: string) => boolean): readonly unknown[] =>
  madeOf(schema, whole, ({ path, schema: { type, enum: words, required } }) =>
    // An object that must have something in it is at no edge of its own.
    required === undefined && concerns(path.join('.')) ? ((words as readonly unknown[]) ?? EDGES[`${type}`] ?? []) : [],
  );
