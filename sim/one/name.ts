/** What an object may be called. Mirrors `PoolObjectSQL::name_is_valid` and the uniqueness rules of the pools of OpenNebula 6.10. */
import { OneError } from './error.ts';

const NOT_IN_NAMES = /[&|:\\";/'#{}$<>\t\n\v\f\r]/;
const NOT_IN_USER_NAMES = /[&|:\\";/'#{}$<>\t\n\v\f\r ]/;
const MAX_BYTES = 128;

/** Why oned refuses a name, or undefined. */
export function nameProblem(name: string, forbidden: RegExp = NOT_IN_NAMES): string | undefined {
  if (name === '') return 'Invalid NAME, it cannot be empty';
  const at = name.search(forbidden);
  if (at >= 0) return `Invalid NAME, char '${name.charAt(at)}' is not allowed`;
  return tooLong(name) ? `Invalid NAME, max length is ${MAX_BYTES} chars` : undefined;
}

/** As {@link nameProblem} for users, whose names have no blanks and whose refusals end in a dot. */
export function userNameProblem(name: string): string | undefined {
  const problem = nameProblem(name, NOT_IN_USER_NAMES);
  return problem === undefined ? undefined : `${problem}.`;
}

/** oned counts bytes, of which a character has three at most. */
export function tooLong(name: string): boolean {
  return name.length * 3 > MAX_BYTES && Buffer.byteLength(name) > MAX_BYTES;
}

/** What the name of an object must differ from: that of every other in its pool, or of the same owner's others. */
export type Uniqueness = 'pool' | 'owner' | 'none';

interface Named {
  readonly id: number;
  readonly name: string;
  readonly uid?: number;
}

/** The object that already has the name, if that matters. */
export function namesake<T extends Named>(
  pool: Iterable<T>,
  uniqueness: Uniqueness,
  name: string,
  uid = -1,
): T | undefined {
  if (uniqueness === 'none') return undefined;
  for (const item of pool) {
    if (item.name === name && (uniqueness === 'pool' || item.uid === uid)) return item;
  }
  return undefined;
}

/** What oned says when an object to be created is called like another. */
export function taken(type: string, other: Named): string {
  return `NAME is already taken by ${type} ${other.id}.`;
}

/** @throws OneError INTERNAL, with the first reason that applies */
export function refuse(...problems: (string | undefined)[]): void {
  const problem = problems.find((candidate) => candidate !== undefined);
  if (problem !== undefined) throw new OneError('INTERNAL', problem);
}
