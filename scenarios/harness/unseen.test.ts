/** What is never seen has a reason, or is a gap; and no reason outlives what it stands on. */
import { expect, test } from 'vitest';
import { loadContracts } from '../../contracts/contract.ts';
import { ASPECT_NAMES, type Aspect, Coverage } from './coverage.ts';
import { reasonFor, sightLines, sightsOf } from './unseen.ts';

const contracts = await loadContracts();

const reason = (aspect: Aspect, what: string, ...profiles: readonly ('upstream' | 'contract')[]): string | undefined =>
  reasonFor(aspect, what, { profiles: new Set(profiles) });

test.each(['updateRuntime 504', 'deleteRuntime 423', 'readRuntime 201'])(
  '%s is the contract’s, and has to be seen where that is kept',
  (answer) => {
    expect(reason('answer', answer, 'upstream')).toContain('is the contract’s');
    expect(reason('answer', answer, 'contract')).toBeUndefined();
    expect(reason('answer', answer, 'upstream', 'contract')).toBeUndefined();
  },
);

test.each(['get-200', 'put-504-as-500'])('the deviation %s is upstream’s, and has to be seen there', (row) => {
  expect(reason('deviation', row, 'contract')).toContain('is upstream’s');
  expect(reason('deviation', row, 'upstream', 'contract')).toBeUndefined();
});

test('a run that has seen nothing has gaps everywhere', () => {
  const gaps = sightsOf(new Coverage(contracts));
  expect(gaps.map(({ aspect }) => aspect)).toEqual(ASPECT_NAMES);
  for (const { all, missing } of gaps) expect(missing).toEqual(all);
  expect(gaps.filter(({ open }) => open.length === 0).map(({ aspect }) => aspect)).toEqual(['deviation']);
});

test('no more than asked for is named of them', () => {
  const lines = sightLines(new Coverage(contracts), 2);
  expect(lines[1]).toMatch(/^ {4}never seen: \w+, \w+, and \d+ more$/);
});

test('no step of the life cycle leads back to where it was: that is no change', () => {
  const edges = new Coverage(contracts).universe('edge', []).map((edge) => edge.split(' → '));
  expect(edges.filter(([from, to]) => from === to)).toEqual([]);
});
