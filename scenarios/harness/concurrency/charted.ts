/**
 * A history whose states are each there once: two that nothing can tell apart are one and the same, with a short key,
 * and where a phase leads from a state is found out once, however many orders come by there.
 */
import type { Asked, History } from './history.ts';
import type { Phase } from './operation.ts';

export function charted<S>({ subject, thing, operations }: History<S>): History<S> {
  const states = new Map<string, S>();
  const keys = new Map<S, string>();
  const one = (state: S): S => {
    if (keys.has(state)) return state;
    const key = thing.keyOf(state);
    const known = states.get(key);
    if (known !== undefined) return known;
    states.set(key, state);
    keys.set(state, `${states.size}`);
    return state;
  };
  const once = (phase: Phase<S>): Phase<S> => {
    const found = new Map<S, readonly S[] | string>();
    return (state) => {
      const known = found.get(state);
      if (known !== undefined) return known;
      const next = phase(state);
      const after = typeof next === 'string' ? next : next.map(one);
      found.set(state, after);
      return after;
    };
  };
  return {
    subject,
    thing: { initial: one(thing.initial), keyOf: (state) => keys.get(one(state)) ?? '' },
    operations: operations.map((each): Asked<S> => ({ ...each, phases: each.phases.map(once) })),
  };
}
