/**
 * Whether some order of what was asked explains all answers: the search of Wing and Gong, with Lowe's memory of where it
 * has been. An operation that was answered before another one was sent comes before it; of those that overlap any may be
 * first. What was never answered may have happened at any time since, or not at all.
 */
import { isOpen, nextOf, type Operation, type Span, type Thing } from './operation.ts';

/** An operation that is next, and why it cannot be. */
interface Obstacle<S> {
  readonly operation: Operation<S>;
  readonly why: string;
}

export type Linearization<S> =
  | { readonly found: true; readonly order?: readonly Operation<S>[] }
  /** Too much to look through. */
  | { readonly found: undefined }
  | {
      readonly found: false;
      /** The most that can be put in order, each operation once for each phase of it. */
      readonly prefix: readonly Operation<S>[];
      readonly obstacles: readonly Obstacle<S>[];
    };

/** A guess at when the next phase of an operation took effect that has so many behind it: what comes first is tried first. */
type Guess = (operation: Sized, taken: number) => number;

interface Sized extends Span {
  readonly phases: { readonly length: number };
}

const byAnswer: Guess = ({ returned }) => returned;

const GUESSES: readonly Guess[] = [
  byAnswer,
  // All at once, but for the answer.
  ({ invoked, returned, phases }, taken) => (taken < phases.length - ANSWERING ? invoked : returned),
  ({ invoked, returned, phases }, taken) => invoked + ((returned - invoked) * (taken + 1)) / (phases.length + 1),
];
/** What comes with the answer, at the end. */
const ANSWERING = 2;

/** How many states are looked at by one guess, and by the last one. */
const [FEW_STATES, MOST_STATES] = [1_000, 20_000];

/** A good guess finds an order at once, and a bad one hardly ever: before all is looked through each has a try. */
export function linearize<S>(
  thing: Thing<S>,
  operations: readonly Operation<S>[],
  most = MOST_STATES,
): Linearization<S> {
  for (const guess of GUESSES) {
    const linearization = searched(thing, operations, guess, Math.min(FEW_STATES, most));
    if (linearization.found !== undefined) return linearization;
  }
  return searched(thing, operations, byAnswer, most);
}

function searched<S>(
  { initial, keyOf }: Thing<S>,
  asked: readonly Operation<S>[],
  guess: Guess,
  most: number,
): Linearization<S> {
  // Who was answered first stands first; what was not answered stands last.
  const operations = [...asked].sort((a, b) => a.returned - b.returned || a.invoked - b.invoked);
  const taken: number[] = operations.map(() => 0);
  const order: Operation<S>[] = [];
  const been = new Set<string>();
  let prefix: readonly Operation<S>[] = [];
  let obstacles: readonly Obstacle<S>[] = [];
  /** How many operations are over in the prefix. */
  let furthest = -1;
  const isOver = (n: number): boolean => taken[n] === operations[n]?.phases.length;
  /** What may come next, in the order in which it is tried. */
  const ready = (deadline: number): (readonly [Operation<S>, number])[] =>
    [...operations.entries()]
      .filter(([n, { invoked }]) => invoked <= deadline && !isOver(n))
      .map(([n, operation]) => [operation, n, guess(operation, taken[n] ?? 0)] as const)
      .sort(([, , a], [, , b]) => a - b)
      .map(([operation, n]) => [operation, n]);

  const search = (state: S): boolean | undefined => {
    const key = `${taken.join()} ${keyOf(state)}`;
    if (been.has(key)) return false;
    if (been.size >= most) return undefined;
    been.add(key);
    const first = operations.findIndex((operation, n) => !isOver(n) && !isOpen(operation));
    const deadline = operations[first]?.returned;
    if (deadline === undefined) return true;
    const here: Obstacle<S>[] = [];
    for (const [operation, n] of ready(deadline)) {
      const before = taken[n] ?? 0;
      for (const [phase, after] of nextOf(operation, before)) {
        const next = phase(state);
        if (typeof next === 'string') {
          here.push({ operation, why: next });
          continue;
        }
        taken[n] = after;
        order.push(operation);
        for (const each of next) {
          const found = search(each);
          if (found !== false) return found;
        }
        order.pop();
        taken[n] = before;
      }
    }
    const done = operations.filter((_, n) => isOver(n)).length;
    if (here.length > 0 && done > furthest) [prefix, obstacles, furthest] = [[...order], here, done];
    return false;
  };

  const found = search(initial);
  if (found === undefined) return { found };
  return found ? { found, order } : { found, prefix, obstacles };
}
