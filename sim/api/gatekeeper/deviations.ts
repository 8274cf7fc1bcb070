/**
 * Where the Gatekeeper departs from its contract: the names of the switches that the handlers, the metrics and the
 * stream read. What each one means, and what the verifier then accepts, is in `contracts/deviations/gatekeeper-3.1.yaml`.
 */
import { METRIC_DEVIATIONS } from '../../metrics/metrics.ts';

export const GATEKEEPER_DEVIATIONS = [
  'synch-range-optional',
  'limit-uncapped',
  'dead-token-403',
  'parameters-before-token',
  'metrics-list-two-blanks',
  'bad-range-200',
  'last-stream-only',
  ...METRIC_DEVIATIONS,
  'stream-misspelt-reply',
  'public-key-html',
] as const;

type GatekeeperDeviation = (typeof GATEKEEPER_DEVIATIONS)[number];

/** The switches that are on: all of them in profile `upstream`, none in profile `contract`. */
export type Deviations = Pick<ReadonlySet<GatekeeperDeviation>, 'has'>;
