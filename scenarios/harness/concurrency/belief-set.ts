/**
 * What somebody may believe who sees only requests and answers: a set of candidate states, each with how far it is with
 * what is under way. A request that nobody has answered makes it larger, each answer makes it smaller; when nothing is
 * left, the answer cannot be. Where it grows beyond its bound anything is believed, until a look says how things are.
 */
import { isOpen, movesOf, nameOf, type Operation, type Phase, type Span, type Thing } from './operation.ts';

interface Candidate<S> {
  readonly state: S;
  /** How many phases each of those under way has behind it. */
  readonly taken: readonly number[];
}

/** An answer that fits none of the candidates. */
interface Impossible<O> {
  readonly operation: O;
  readonly why: string;
}

export interface Believed<O> {
  readonly impossible: readonly Impossible<O>[];
  /** Answers that were judged. */
  readonly judged: number;
  /** Answers at which there was too much to believe. */
  readonly widened: readonly O[];
}

export const MOST_CANDIDATES = 64;
/** How many are looked through between two answers. */
const MOST_BETWEEN = 2_048;

/** @param seenBy the state that an answer shows, whatever was believed before */
export function believe<S, O extends Operation<S>>(
  { initial, keyOf }: Thing<S>,
  operations: readonly O[],
  seenBy: (operation: O) => S | undefined,
  most = MOST_CANDIDATES,
): Believed<O> {
  const impossible: Impossible<O>[] = [];
  const widened: O[] = [];
  let judged = 0;
  let candidates: readonly Candidate<S>[] | 'any' = [{ state: initial, taken: [] }];
  const under: O[] = [];
  for (const { operation, begins } of eventsOf(operations)) {
    if (begins) {
      under.push(operation);
      if (candidates !== 'any') candidates = candidates.map(({ state, taken }) => ({ state, taken: [...taken, 0] }));
      continue;
    }
    const n = under.indexOf(operation);
    const after: readonly Candidate<S>[] | string =
      candidates === 'any' ? 'any' : answered(candidates, under, n, keyOf);
    under.splice(n, 1);
    if (after !== 'any') judged++;
    if (typeof after === 'string' && after !== 'any') impossible.push({ operation, why: after });
    const isTooMuch: boolean = typeof after !== 'string' && after.length > most;
    if (isTooMuch || (after === 'any' && candidates !== 'any')) widened.push(operation);
    candidates = typeof after === 'string' || isTooMuch ? fresh(operation, under, seenBy) : after;
  }
  return { impossible, judged, widened };
}

/** All begins and ends in their order; what begins in the instant in which another ends overlaps it. */
function eventsOf<O extends Span>(operations: readonly O[]): { readonly operation: O; readonly begins: boolean }[] {
  const events = operations.flatMap((operation) => [
    { operation, begins: true, at: operation.invoked },
    ...(isOpen(operation) ? [] : [{ operation, begins: false, at: operation.returned }]),
  ]);
  return events.sort((a, b) => a.at - b.at || Number(b.begins) - Number(a.begins));
}

/** The candidates in which an operation is over, without it; why there are none; or `any` where there are too many. */
function answered<S>(
  candidates: readonly Candidate<S>[],
  under: readonly Operation<S>[],
  n: number,
  keyOf: (state: S) => string,
): readonly Candidate<S>[] | string {
  const isAlone = under.length === 1 && candidates.every(({ taken }) => taken[n] === 0);
  if (isAlone) return aloneIn(candidates, under[0]?.phases ?? [], keyOf);
  // What nobody has answered can still be done later, as long as the look fits without it.
  const open = new Set(under.flatMap((operation, m) => (isOpen(operation) ? [m] : [])));
  const plain = under[n]?.looks && open.size > 0 ? followed(candidates, under, n, keyOf, open) : '';
  return typeof plain === 'string' ? followed(candidates, under, n, keyOf, new Set()) : plain;
}

/** With nothing else under way there is but one way. */
function aloneIn<S>(
  candidates: readonly Candidate<S>[],
  phases: readonly Phase<S>[],
  keyOf: (state: S) => string,
): readonly Candidate<S>[] | string {
  let states: readonly S[] = candidates.map(({ state }) => state);
  for (const phase of phases) {
    let why = '';
    const next = states.flatMap((state) => {
      const after = phase(state);
      if (typeof after !== 'string') return after;
      why ||= after;
      return [];
    });
    if (next.length === 0) return why;
    states = next.length === 1 ? next : [...new Map(next.map((state) => [keyOf(state), state])).values()];
  }
  return states.map((state) => ({ state, taken: [] }));
}

function followed<S>(
  candidates: readonly Candidate<S>[],
  under: readonly Operation<S>[],
  n: number,
  keyOf: (state: S) => string,
  left: ReadonlySet<number>,
): readonly Candidate<S>[] | string {
  const over: Candidate<S>[] = [];
  const been = new Map<string, Candidate<S>>();
  const enter = (candidate: Candidate<S>): void => {
    const key = nameOf(candidate.taken) + keyOf(candidate.state);
    if (!been.has(key)) been.set(key, candidate);
  };
  for (const each of candidates) enter(each);
  const moves = under.map(movesOf);
  let [why, furthest] = ['', -1];
  for (const candidate of been.values()) {
    if (been.size > MOST_BETWEEN) return 'any';
    const { state, taken } = candidate;
    if (taken[n] === under[n]?.phases.length) over.push({ state, taken: taken.toSpliced(n, 1) });
    for (const [m, mine] of moves.entries()) {
      if (left.has(m)) continue;
      for (const [phase, after] of mine[taken[m] ?? 0] ?? []) {
        const next = phase(state);
        if (typeof next !== 'string') for (const each of next) enter({ state: each, taken: taken.with(m, after) });
        else if (m === n && after > furthest) [why, furthest] = [next, after];
      }
    }
  }
  return over.length === 0 ? why : leastOf(over, under.toSpliced(n, 1).map(isOpen), keyOf);
}

/** Of two alike, one that has less behind it of what was never answered can become all that the other can. */
function leastOf<S>(
  candidates: readonly Candidate<S>[],
  open: readonly boolean[],
  keyOf: (state: S) => string,
): readonly Candidate<S>[] {
  const alike = new Map<string, Candidate<S>[]>();
  for (const candidate of candidates) {
    const { state, taken } = candidate;
    const key = nameOf(taken.filter((_, m) => !open[m])) + keyOf(state);
    const others = alike.get(key) ?? [];
    const isLess = (a: Candidate<S>, b: Candidate<S>): boolean =>
      a.taken.every((count, m) => count <= (b.taken[m] ?? 0));
    if (others.some((other) => isLess(other, candidate))) continue;
    alike.set(key, [...others.filter((other) => !isLess(candidate, other)), candidate]);
  }
  return [...alike.values()].flat();
}

/** To begin anew, with nothing but an answer; while others wait for theirs it says too little. */
function fresh<S, O extends Operation<S>>(
  operation: O,
  under: readonly O[],
  seenBy: (operation: O) => S | undefined,
): readonly Candidate<S>[] | 'any' {
  const state = under.every(isOpen) ? seenBy(operation) : undefined;
  return state === undefined ? 'any' : [{ state, taken: under.map(() => 0) }];
}
