/**
 * Copies of one graph of plain objects, and of instances of known classes, as it was at a time: many copies, so that all
 * that can be found out about it is found out once. What was one object is one in each copy, too.
 */

import { type Fields, recordMaker } from './shape.ts';

/** The objects of one copy that are met more than once, by their numbers. */
type Met = (object | undefined)[];

type Make = (met: Met) => unknown;

/** How an instance of a class is made again, as it is now; `cast` does the same for what it consists of. */
export type CastInstance = (original: never, cast: (value: unknown) => Make) => Make;

/**
 * What makes copies.
 * @param instances by the prototype of the class
 */
export function castOf<T>(original: T, instances: ReadonlyMap<object, CastInstance>): () => T {
  const casts = new Map<object, Cast>();
  const records = new Map<string, (values: readonly unknown[]) => Fields>();
  let count = 0;

  function cast(value: unknown): Make {
    if (typeof value !== 'object' || value === null) return () => value;
    let known = casts.get(value);
    if (known === undefined) {
      known = { number: null, make: null };
      casts.set(value, known);
      known.make = castObject(value);
      return madeOnce(known);
    }
    if (known.make === null) throw new Error('an object that is part of itself is nothing that can be copied');
    known.number ??= count++;
    return madeOnce(known);
  }

  function castObject(object: object): Make {
    const prototype: object | null = Object.getPrototypeOf(object);
    if (prototype === Object.prototype) return castRecord(object as Fields);
    if (prototype === Array.prototype) return castList(object as readonly unknown[]);
    if (prototype === Map.prototype) return castMap(object as ReadonlyMap<unknown, unknown>);
    if (prototype === Set.prototype) return castSet(object as ReadonlySet<unknown>);
    const castInstance = prototype === null ? undefined : instances.get(prototype);
    if (castInstance === undefined) throw new Error(`a ${prototype?.constructor.name} is nothing that can be copied`);
    return castInstance(object as never, cast);
  }

  function castRecord(record: Fields): Make {
    const keys = Object.keys(record);
    const kept = Object.values(record);
    const make = recordOf(keys);
    const structures = [...kept.keys()].filter((at) => isObject(kept[at]));
    if (structures.length === 0) return () => make(kept);
    const makes = structures.map((at) => cast(kept[at]));
    return (met) => {
      const values = kept.slice();
      for (let i = 0; i < structures.length; i++) values[structures[i] as number] = (makes[i] as Make)(met);
      return make(values);
    };
  }

  /** Those with the same keys are made by the same function. */
  function recordOf(keys: readonly string[]): (values: readonly unknown[]) => Fields {
    const text = JSON.stringify(keys);
    const make = records.get(text) ?? recordMaker(keys);
    records.set(text, make);
    return make;
  }

  function castList(list: readonly unknown[]): Make {
    const kept = list.slice();
    if (!kept.some(isObject)) return () => kept.slice();
    const makes = kept.map(cast);
    return (met) => makes.map((make) => make(met));
  }

  function castMap(map: ReadonlyMap<unknown, unknown>): Make {
    const entries = Array.from(map, ([key, value]) => [cast(key), cast(value)] as const);
    return (met) => {
      const made = new Map<unknown, unknown>();
      for (const [key, value] of entries) made.set(key(met), value(met));
      return made;
    };
  }

  function castSet(set: ReadonlySet<unknown>): Make {
    const values = Array.from(set, cast);
    return (met) => {
      const made = new Set<unknown>();
      for (const value of values) made.add(value(met));
      return made;
    };
  }

  const make = cast(original);
  return () => make([]) as T;
}

interface Cast {
  /** null while it has been met once. */
  number: number | null;
  /** null while it is found out. */
  make: Make | null;
}

/** The same in one copy, however often it is met there. */
const madeOnce = (cast: Cast): Make => {
  const { make } = cast;
  if (make === null) throw new Error('it is not known yet how it is made');
  return (met) => {
    const { number } = cast;
    if (number === null) return make(met);
    const made = met[number] ?? (make(met) as object);
    met[number] = made;
    return made;
  };
};

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null;
