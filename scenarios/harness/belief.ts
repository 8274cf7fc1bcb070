/**
 * What may be true of a virtual machine, for somebody who sees only what the engine shows: the set of all states of the
 * life cycle that fit what was seen so far. Time and requests make it larger, each look makes it smaller; when nothing is
 * left, what was seen cannot be.
 */
import type { FunctionState, State } from '../../sim/index.ts';
import { reachable, statesShownAs } from './state-graph.ts';

export type Belief = ReadonlySet<State>;

/** Of a machine that was asked for just now. */
export const UNBORN: Belief = new Set<State>(['INIT']);

/** After any time has passed. @param asked whether somebody may have asked for something meanwhile */
export const later = (belief: Belief, asked: boolean): Belief => reachable(belief, asked);

/** After a look. */
export function seen(belief: Belief, state: FunctionState): Belief {
  const shown = statesShownAs(state);
  return new Set([...belief].filter((each) => shown.has(each)));
}

/** For who has to begin anew, with nothing but a look. */
export const anyOf = (state: FunctionState): Belief => statesShownAs(state);

export const either = (a: Belief, b: Belief): Belief => new Set([...a, ...b]);
