/** How the scheduler chooses among hosts, datastores and networks: by requirements, then by rank. Mirrors `RankPolicy.h` and `SchedulerTemplate.cc` of OpenNebula 6.10. */
import { ExpressionProblem, type Lookup, matches, rank } from '../syntax/expression.ts';

/** Why there is no place for a VM, in the scheduler's words. */
export class NoPlace extends Error {}

export const cannot = (why: string): NoPlace => new NoPlace(`Cannot dispatch VM: ${why}`);

/** Requirements of oned and of the VM together. An empty text of the VM's is none that can be read. */
export function joined(automatic: string, own: string | undefined): string {
  if (own === undefined) return automatic;
  return automatic === '' ? own : `${automatic} & ( ${own} )`;
}

/** @throws NoPlace when the requirements cannot be read */
export function meets(name: string, requirements: string, lookup: Lookup): boolean {
  try {
    return matches(requirements, lookup);
  } catch (error) {
    if (!(error instanceof ExpressionProblem)) throw error;
    throw new NoPlace(`Error in ${name}: '${requirements}', error: ${error.message}`);
  }
}

/** By a rank that is given and can be read. */
export function weight(ranking: string | undefined, lookup: Lookup): number | undefined {
  if (!ranking) return undefined;
  try {
    return rank(ranking, lookup);
  } catch (error) {
    if (!(error instanceof ExpressionProblem)) throw error;
    return undefined;
  }
}

/** The heaviest first; of equals the youngest, as observed. */
export function byWeight<T extends { readonly id: number }>(
  candidates: readonly T[],
  weigh: (candidate: T) => number,
): readonly T[] {
  if (candidates.length < 2) return candidates;
  return candidates
    .map((candidate) => ({ candidate, weight: weigh(candidate) }))
    .sort((a, b) => b.weight - a.weight || b.candidate.id - a.candidate.id)
    .map(({ candidate }) => candidate);
}
