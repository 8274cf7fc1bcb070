/** Historical monitoring data: the range queries that the Gatekeeper hands on to Prometheus, and their answers. */
import { type Metrics, requireFew } from '../../metrics/metrics.ts';
import { ExecutionError } from '../../metrics/promql/expression.ts';
import { type MatrixSeries, parseRange, type Range } from '../../metrics/query.ts';
import { BadData } from '../../metrics/time.ts';
import { Refusal } from './answer.ts';
import { isMetricName, metricsOf, type Parameters } from './monitoring-parameters.ts';

type Entry =
  | { readonly metrics: { readonly resultType: 'matrix'; readonly result: readonly MatrixSeries[] } }
  | { readonly status: 'error'; readonly errorType: 'bad_data'; readonly error: string };

interface History {
  /** null is success. */
  readonly status: 'error' | null;
  readonly metrics: readonly string[];
  /** One entry for each metric that can be asked for. */
  readonly requested_data: readonly Entry[];
}

/** @param lenient whether a range that makes no sense is told in the answer. @throws Refusal 400 */
export function history(metrics: Metrics, vc: string, parameters: Parameters, now: number, lenient: boolean): History {
  const names = metricsOf(parameters);
  const asked = names.filter(isMetricName);
  try {
    const { since = '', until = '', step = '' } = Object.fromEntries(parameters);
    const range = parseRange(since, until, step);
    return { status: null, metrics: names, requested_data: matrices(metrics, vc, asked, range, now) };
  } catch (error) {
    if (error instanceof ExecutionError) throw new Refusal(400, error.message);
    if (!(error instanceof BadData)) throw error;
    if (!lenient) throw new Refusal(400, error.message);
    const entry: Entry = { status: 'error', errorType: 'bad_data', error: error.message };
    return { status: asked.length > 0 ? 'error' : null, metrics: names, requested_data: asked.map(() => entry) };
  }
}

function matrices(metrics: Metrics, vc: string, asked: readonly string[], range: Range, now: number): Entry[] {
  const known = new Map<string, readonly MatrixSeries[]>();
  let points = 0;
  return asked.map((name) => {
    const result = known.get(name) ?? metrics.range(name, { id: vc, exported_job: 'vnf' }, range, now);
    known.set(name, result);
    points += result.reduce((sum, { values }) => sum + values.length, 0);
    requireFew(points);
    return { metrics: { resultType: 'matrix', result } };
  });
}
