/** What the histories of a story come to, found out once: what cannot be believed, what has no order, and what nobody can say. */
import type { Story } from '../story.ts';
import { type Booked, idHistories, quotaHistories } from './allocation.ts';
import { type Believed, believe, MOST_CANDIDATES } from './belief-set.ts';
import { charted } from './charted.ts';
import { type Asked, type History, runtimeHistories } from './history.ts';
import { type Linearization, linearize } from './linearizable.ts';
import { isOpen, overlap } from './operation.ts';
import { type Known, runtimeSeen } from './runtime-model.ts';

interface BeliefVerdict {
  readonly history: History<Known>;
  readonly believed: Believed<Asked<Known>>;
}

interface OrderVerdict<S> {
  readonly history: History<S>;
  readonly linearization: Linearization<S>;
}

const histories = once((story) => runtimeHistories(story).map(charted));

/** Of runtimes whose clients waited for one another. */
export const beliefs = once((story) =>
  histories(story)
    .filter(({ operations }) => !isConcurrent(operations))
    .map((history): BeliefVerdict => ({ history, believed: believe(history.thing, history.operations, seenBy) })),
);

/** Of runtimes whose clients did not. */
export const runtimeOrders = once((story) =>
  histories(story)
    .filter(({ operations }) => isConcurrent(operations))
    .map(ordered),
);

export const idOrders = once((story) =>
  idHistories(story)
    .filter(({ operations }) => isConcurrent(operations))
    .map(charted)
    .map(ordered),
);

export const quotaOrders = once((story): OrderVerdict<Booked>[] => quotaHistories(story).map(charted).map(ordered));

/** A line for each place where the laws had to let pass what they could not tell from right. */
export const doubtsOf = (story: Story): string[] => [
  ...beliefs(story).flatMap(({ history: { subject }, believed: { widened } }) =>
    widened.map(
      ({ name }) =>
        `${subject}: more than ${MOST_CANDIDATES} states fit up to ${name}; any was let pass until the next look`,
    ),
  ),
  ...[...runtimeOrders(story), ...idOrders(story), ...quotaOrders(story)].flatMap(({ history, linearization }) =>
    linearization.found === undefined
      ? [`${history.subject}: ${history.operations.length} requests can be put in too many orders to look through`]
      : [],
  ),
];

function isConcurrent<S>(operations: readonly Asked<S>[]): boolean {
  const answered = operations.filter((each) => !isOpen(each));
  return answered.some((a, n) => answered.slice(n + 1).some((b) => a.exchange !== b.exchange && overlap(a, b)));
}

/** As many states as a search that guesses well has to look at. */
const FEW_STATES = 300;

/** Candidates that are kept where only the verdict matters. */
const MOST_AT_ONCE = 512;

/** Most orders are found at once. Where none is, what can be believed says soon whether there is one; the search, why not. */
function ordered<S>(history: History<S>): OrderVerdict<S> {
  const { thing, operations } = history;
  const quick = linearize(thing, operations, FEW_STATES);
  if (quick.found !== undefined) return { history, linearization: quick };
  const { impossible, widened } = believe(thing, operations, () => undefined, MOST_AT_ONCE);
  if (impossible.length === 0 && widened.length === 0) return { history, linearization: { found: true } };
  return { history, linearization: linearize(thing, operations) };
}

const seenBy = ({ exchange: { request, response } }: Asked<Known>): Known | undefined =>
  request.method === 'GET' && response !== null && response.status < 300 ? runtimeSeen(response.body) : undefined;

function once<T>(find: (story: Story) => T): (story: Story) => T {
  const found = new WeakMap<Story, { readonly value: T }>();
  return (story) => {
    const known = found.get(story) ?? { value: find(story) };
    found.set(story, known);
    return known.value;
  };
}
