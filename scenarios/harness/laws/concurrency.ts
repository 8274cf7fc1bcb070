/** The laws of what may be believed, and of clients that are at it at the same time. */
import { explained, type Failure } from '../concurrency/explain.ts';
import type { Asked, History } from '../concurrency/history.ts';
import type { Linearization } from '../concurrency/linearizable.ts';
import { beliefs, idOrders, quotaOrders, runtimeOrders } from '../concurrency/verdicts.ts';
import { type Breach, type Check, type Law, shownBy } from '../law.ts';

export const CONCURRENCY: readonly Law[] = [
  {
    id: 'B1',
    sentence: 'What is answered of a runtime can follow from all that was asked of it and answered before.',
    reason: 'A client that remembers what it did must be able to say what it will find.',
    judge(story, check) {
      for (const { history, believed } of beliefs(story)) {
        const { impossible, judged } = believed;
        for (let n = impossible.length; n < judged; n++) check(true, nothing);
        for (const { operation, why } of impossible) {
          const breach = { subject: history.subject, expected: 'an answer that can follow', seen: why };
          check(false, () => shownBy(operation.exchange, { ...breach, edge: kindOf(why) }));
        }
      }
    },
  },
  {
    id: 'C1',
    sentence: 'What clients ask of a runtime at the same time is answered as if it had been done in some order.',
    reason: 'A client cannot reason about others but as of somebody who came before it, or after.',
    judge(story, check) {
      for (const { history, linearization } of runtimeOrders(story)) judgeOrder(history, linearization, check);
    },
  },
  {
    id: 'C2',
    sentence: 'Ids that are given out at the same time are given out as if one after the other.',
    reason: 'An id that two have been given leads one of them to what is not theirs.',
    judge(story, check) {
      for (const { history, linearization } of idOrders(story)) judgeOrder(history, linearization, check);
    },
  },
  {
    id: 'C3',
    sentence: 'A quota is booked and freed as if by one after the other: nobody gets more than it allows, nor less.',
    reason: 'What is freed twice lets somebody have what others pay for.',
    judge(story, check) {
      for (const { history, linearization } of quotaOrders(story)) judgeOrder(history, linearization, check);
    },
  },
];

const nothing = (): never => {
  throw new Error('nothing was broken');
};

/** Without what differs from one occurrence to the next. */
const kindOf = (why: string): string => why.replace(/"(?:[^"\\]|\\.)*"|\d+|\{.*\}/g, '…');

/** What is too much to look through gets no verdict. */
function judgeOrder<S>(history: History<S>, linearization: Linearization<S>, check: Check): void {
  if (linearization.found === undefined) return;
  check(linearization.found, () => (linearization.found ? nothing() : outOfOrder(history, linearization)));
}

/** The first of the answers that cannot come next shows it. */
function outOfOrder<S>({ subject, operations }: History<S>, failure: Failure<S>): Breach {
  const [first] = failure.obstacles;
  const shown: Asked<S> | undefined = operations.find((each) => each === first?.operation) ?? operations.at(-1);
  const edge = kindOf(first?.why ?? '');
  const more = explained(operations, failure);
  const breach = { subject, expected: 'an order that explains all answers', seen: more.at(-1) ?? '', more, edge };
  return shown === undefined ? { at: 0, ...breach } : shownBy(shown.exchange, breach);
}
