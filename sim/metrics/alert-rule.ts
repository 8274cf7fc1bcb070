/** An alerting rule: what must hold of a metric of one machine, and for how long. Mirrors a rule of Prometheus, made for SONATA. */
import type { Labels } from './labels.ts';

export interface AlertRule {
  readonly name: string;
  /** The group that it is in: what all rules of a service or function instance have in common. */
  readonly group: string;
  readonly metric: string;
  /** Label `id` of the machine. */
  readonly id: string;
  readonly operator: '>' | '<';
  readonly threshold: number;
  /** How long it must hold until the alert fires. */
  readonly forMs: number;
  /** What its alerts have besides the labels of the series. */
  readonly labels: Labels;
  readonly annotations: Readonly<Record<string, string>>;
  /** It has been evaluated since then, in milliseconds since the Unix epoch. */
  readonly since: number;
}

/** The rule's expression, as it would stand in a rule file. */
export const queryOf = ({ metric, id, operator, threshold }: AlertRule): string =>
  `${metric}{id=${JSON.stringify(id)}} ${operator} ${threshold}`;

export const holds = ({ operator, threshold }: AlertRule, value: number): boolean =>
  operator === '>' ? value > threshold : value < threshold;
