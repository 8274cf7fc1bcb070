/** `GET /metrics`: what a Prometheus scrapes, in text format 0.0.4. */
import type { Metrics } from '../../metrics/metrics.ts';
import { plainAnswer } from '../plain.ts';

const HEADERS = { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' };

export const exposed = (metrics: Metrics, now: number): Response =>
  plainAnswer(200, { chunks: metrics.exposition(now) }, HEADERS);
