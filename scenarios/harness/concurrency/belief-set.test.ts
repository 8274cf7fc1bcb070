import { describe, expect, test } from 'vitest';
import { believe } from './belief-set.ts';
import type { Operation, Phase, Thing } from './operation.ts';

/** A set of marks: each that may be there or not doubles what can be believed. */
const MARKS: Thing<readonly string[]> = { initial: [], keyOf: (marks) => marks.join() };
type Marks = readonly string[];

const add =
  (mark: string): Phase<Marks> =>
  (marks) => [[...new Set([...marks, mark])].sort()];
const look =
  (...seen: Marks): Phase<Marks> =>
  (marks) =>
    marks.join() === seen.join() ? [marks] : `it has ${marks.join() || 'none'}`;

let clock = 0;
const asked = (name: string, phase: Phase<Marks>, answered = true): Operation<Marks> => {
  clock += 2;
  return { name, invoked: clock, returned: answered ? clock + 1 : Number.POSITIVE_INFINITY, phases: [phase] };
};
const lost = (mark: string): Operation<Marks> => asked(`lost ${mark}`, add(mark), false);
const seen = (...marks: Marks): Operation<Marks> => asked(`look ${marks.join()}`, look(...marks));
const ofLook = ({ name }: Operation<Marks>): Marks | undefined =>
  name.startsWith('look ')
    ? name
        .slice(5)
        .split(',')
        .filter((mark) => mark !== '')
    : undefined;

const believed = (...operations: readonly Operation<Marks>[]) => {
  const { impossible, widened, judged } = believe(MARKS, operations, ofLook);
  return {
    impossible: impossible.map(({ operation, why }) => `${operation.name}: ${why}`),
    widened: widened.map(({ name }) => name),
    judged,
  };
};

describe('somebody who sees only answers', () => {
  test('believes what was acknowledged', () => {
    expect(believed(asked('add a', add('a')), seen('a')).impossible).toEqual([]);
    expect(believed(asked('add a', add('a')), seen()).impossible).toEqual(['look : it has a']);
  });

  test('does not know whether what was not answered was done, until a look', () => {
    expect(believed(lost('a'), seen()).impossible).toEqual([]);
    expect(believed(lost('a'), seen('a')).impossible).toEqual([]);
    expect(believed(lost('a'), seen(), seen('a')).impossible).toEqual([]);
    expect(believed(lost('a'), seen('a'), seen()).impossible).toEqual(['look : it has a']);
  });

  test('goes on with what was seen after an answer that cannot be', () => {
    expect(believed(seen('b'), seen('b'), seen())).toEqual({
      impossible: ['look b: it has none', 'look : it has b'],
      widened: [],
      judged: 3,
    });
  });

  test('believes anything when there is too much, says so, and knows more after a look', () => {
    const marks = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
    const unanswered = marks.map(lost);
    const any = asked('nothing', (held) => [held]);
    expect(believed(...unanswered, any, seen('a'), seen('a', 'b'), seen('b'))).toEqual({
      impossible: ['look b: it has a,b'],
      widened: ['nothing'],
      judged: 3,
    });
  });
});
