/** A law: a sentence about every trace, and what finds where a trace breaks it. */
import type { Answered, Story } from './story.ts';
import type { ExchangeLine } from './trace.ts';

export interface Law {
  readonly id: string;
  readonly sentence: string;
  /** Why it is there: what a client would lose without it. */
  readonly reason: string;
  judge(story: Story, check: Check): void;
}

/** Counts that a law was held against something, and takes down what broke it. */
export type Check = (holds: boolean, breach: () => Breach) => void;

/** What broke a law. */
export interface Breach {
  readonly at: number;
  /** The exchange that shows it, where one does. */
  readonly exchange?: ExchangeLine;
  /** What it is about, such as `runtime 8` or `vm/1`. */
  readonly subject: string;
  readonly expected: string;
  readonly seen: string;
  /** What else a person needs to understand it, line by line. */
  readonly more?: readonly string[];
  /** What kind of breach it is beside law, operation and status: the same for every occurrence of one mistake. */
  readonly edge?: string;
  /** Where a contract says so. */
  readonly where?: string;
}

export interface Violation extends Breach {
  readonly law: string;
}

/** What makes a violation the same as another one: shrinking keeps to it. */
export const fingerprint = ({ law, exchange, edge }: Violation): string =>
  [law, exchange?.op ?? '', exchange?.response?.status ?? '', edge ?? ''].join(' ');

/** A breach that an exchange shows. */
export const shownBy = (exchange: Answered | ExchangeLine, breach: Omit<Breach, 'at' | 'exchange'>): Breach => ({
  at: exchange.at,
  exchange,
  ...breach,
});
