/**
 * Whether some order of what was asked explains all answers: the search of Wing and Gong, with Lowe's memory of where it
 * has been. An operation that was answered before another one was sent comes before it; of those that overlap any may be
 * first. What was never answered may have happened at any time since, or not at all.
 */
import { isOpen, movesOf, nameOf, type Operation, type Phase, type Span, type Thing } from './operation.ts';

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
  const few = Math.min(FEW_STATES, most);
  for (const guess of GUESSES) {
    const linearization = searched(thing, operations, guess, few);
    if (linearization.found !== undefined) return linearization;
  }
  return few < most ? searched(thing, operations, byAnswer, most) : { found: undefined };
}

function searched<S>(
  { initial, keyOf }: Thing<S>,
  asked: readonly Operation<S>[],
  guess: Guess,
  most: number,
): Linearization<S> {
  const placeOf = placesOf(asked, guess);
  const order: Operation<S>[] = [];
  let prefix: readonly Operation<S>[] = [];
  let obstacles: readonly Obstacle<S>[] = [];
  /** How many operations are over in the prefix. */
  let furthest = -1;
  let looked = 0;

  const search = (state: S, { been, isEnd, over, ways }: Place<S>): boolean | undefined => {
    const key = keyOf(state);
    if (been.has(key)) return false;
    if (looked >= most) return undefined;
    been.add(key);
    looked++;
    if (isEnd) return true;
    const here: Obstacle<S>[] = [];
    for (const { operation, phase, end } of ways) {
      const states = phase(state);
      if (typeof states === 'string') {
        here.push({ operation, why: states });
        continue;
      }
      order.push(operation);
      for (const each of states) {
        const found = search(each, end());
        if (found !== false) return found;
      }
      order.pop();
    }
    if (here.length > 0 && over > furthest) [prefix, obstacles, furthest] = [[...order], here, over];
    return false;
  };

  const found = search(initial, placeOf(asked.map(() => 0)));
  if (found === undefined) return { found };
  return found ? { found, order } : { found, prefix, obstacles };
}

/** How far all operations are, whatever the order in which they came there. */
interface Place<S> {
  /** Whether all that were answered are over. */
  readonly isEnd: boolean;
  /** How many are over. */
  readonly over: number;
  /** What may come next, in the order in which it is tried. */
  readonly ways: readonly Way<S>[];
  /** Keys of the states in which somebody was here. */
  readonly been: Set<string>;
}

interface Way<S> {
  readonly operation: Operation<S>;
  readonly phase: Phase<S>;
  end(): Place<S>;
}

/** Finds the place where each of some operations has so many phases behind it: always the same one. */
function placesOf<S>(asked: readonly Operation<S>[], guess: Guess): (taken: readonly number[]) => Place<S> {
  // Who was answered first stands first; what was not answered stands last.
  const operations = [...asked.entries()].sort(([, a], [, b]) => a.returned - b.returned || a.invoked - b.invoked);
  const moves = new Map(asked.map((operation) => [operation, movesOf(operation)]));
  const places = new Map<string, Place<S>>();
  const find = (taken: readonly number[]): Place<S> => {
    const name = nameOf(taken);
    const known = places.get(name);
    if (known !== undefined) return known;
    const left = operations.filter(([n, { phases }]) => taken[n] !== phases.length);
    const [, first] = left.find(([, operation]) => !isOpen(operation)) ?? [];
    const ready = left.filter(([, { invoked }]) => first !== undefined && invoked <= first.returned);
    const ways = ready
      .map(([n, operation]) => ({ n, operation, guessed: guess(operation, taken[n] ?? 0) }))
      .sort((a, b) => a.guessed - b.guessed)
      .flatMap(({ n, operation }) =>
        (moves.get(operation)?.[taken[n] ?? 0] ?? []).map(([phase, after]): Way<S> => {
          let end: Place<S> | undefined;
          return { operation, phase, end: () => (end ??= find(taken.with(n, after))) };
        }),
      );
    const place = { isEnd: first === undefined, over: operations.length - left.length, ways, been: new Set<string>() };
    places.set(name, place);
    return place;
  };
  return find;
}
