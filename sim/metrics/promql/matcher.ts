/** Label matchers: what a selector asks of the labels of a series. Mirrors Prometheus: a label that is missing is ''. */
import { remembered } from '../../kernel/remembered.ts';
import type { Labels } from '../labels.ts';
import { wholeMatcher } from './pattern.ts';

export type MatchOperator = '=' | '!=' | '=~' | '!~';

export interface Matcher {
  readonly label: string;
  readonly operator: MatchOperator;
  readonly value: string;
  readonly passes: (value: string) => boolean;
}

/** @throws PatternError */
export function matcher(label: string, operator: MatchOperator, value: string): Matcher {
  return { label, operator, value, passes: test(operator, value) };
}

function test(operator: MatchOperator, value: string): (text: string) => boolean {
  switch (operator) {
    case '=':
      return (text) => text === value;
    case '!=':
      return (text) => text !== value;
    case '=~':
      return remembered(wholeMatcher(value));
    case '!~': {
      const matches = remembered(wholeMatcher(value));
      return (text) => !matches(text);
    }
    default:
      return operator satisfies never;
  }
}

export const labelOf = (labels: Labels, name: string): string => {
  for (const [label, value] of labels) if (label === name) return value;
  return '';
};

export const passesAll = (labels: Labels, matchers: readonly Matcher[]): boolean =>
  matchers.every(({ label, passes }) => passes(labelOf(labels, label)));
