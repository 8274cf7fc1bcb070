/** A seeded bug, and the law that has to find it. */
import type { Scenario } from '../scenario.ts';
import type { Wrap } from '../transport.ts';

export interface Mutant {
  readonly name: string;
  readonly law: string;
  /** What the scenarios that are to find it must have. */
  readonly profile?: NonNullable<Scenario['profile']>;
  /** Found between two runs rather than in one. */
  readonly twin?: true;
  /** Found only where clients are at it at the same time. */
  readonly crowd?: true;
  readonly wrap: Wrap;
}

/** The name of the file with the smallest scenario that finds it. */
export const fileOf = ({ law, name }: Mutant): string =>
  `${law}-${name.replace(/[^A-Za-z0-9]+/g, '-').replace(/^-|-$/g, '')}.json`.toLowerCase();
