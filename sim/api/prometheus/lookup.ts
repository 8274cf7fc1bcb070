/** What Prometheus tells of its series without their samples: label sets, names and values of labels, and metadata. */
import type { Described } from '../../metrics/catalog.ts';
import { helpText } from '../../metrics/exposition.ts';
import type { Labels } from '../../metrics/labels.ts';
import { byLabels, keyOf } from '../../metrics/promql/column.ts';
import type { Store } from '../../metrics/promql/engine.ts';
import { ApiError, labelText, success } from './answer.ts';
import { limitOf, optionalTime, selectorsOf } from './parameters.ts';

/** More are not looked at: an answer must fit into memory. */
const MOST_SERIES = 500_000;

/**
 * The series of any selector that have samples between `start` and `end`. As coarse as Prometheus, which goes by blocks:
 * what is sampled together is there together.
 */
function* found(form: URLSearchParams, store: Store): Generator<Labels> {
  const start = optionalTime(form, 'start', Number.MIN_SAFE_INTEGER);
  const end = optionalTime(form, 'end', Number.MAX_SAFE_INTEGER);
  const selectors = selectorsOf(form);
  let count = 0;
  for (const matchers of selectors.length === 0 ? [[]] : selectors) {
    for (const group of store(matchers)) {
      if (group.newest(end, start) === null) continue;
      count += group.labels.length;
      if (count > MOST_SERIES) throw new ApiError('execution', `more than ${MOST_SERIES} series`);
      yield* group.labels;
    }
  }
}

function limited<T>(all: readonly T[], limit: number): readonly [kept: readonly T[], warnings: readonly string[]] {
  if (limit === 0 || all.length <= limit) return [all, []];
  return [all.slice(0, limit), ['results truncated due to limit']];
}

export function seriesText(form: URLSearchParams, store: Store): Response {
  if (!form.has('match[]')) throw new ApiError('bad_data', 'no match[] parameter provided');
  const limit = limitOf(form);
  const sets = new Map<string, { readonly labels: Labels }>();
  for (const labels of found(form, store)) sets.set(keyOf(labels), { labels });
  const [kept, warnings] = limited([...sets.values()].sort(byLabels), limit);
  return success(`[${kept.map(({ labels }) => labelText(labels)).join(',')}]`, warnings);
}

export function labelNames(form: URLSearchParams, store: Store): Response {
  const limit = limitOf(form);
  const names = new Set<string>();
  for (const labels of found(form, store)) for (const [name] of labels) names.add(name);
  const [kept, warnings] = limited([...names].sort(), limit);
  return success(JSON.stringify(kept), warnings);
}

export function labelValues(name: string, form: URLSearchParams, store: Store): Response {
  if (!/^[a-zA-Z_]\w*$/.test(name)) throw new ApiError('bad_data', `invalid label name: ${JSON.stringify(name)}`);
  const limit = limitOf(form);
  const values = new Set<string>();
  for (const labels of found(form, store)) for (const [label, value] of labels) if (label === name) values.add(value);
  const [kept, warnings] = limited([...values].sort(), limit);
  return success(JSON.stringify(kept), warnings);
}

export function metadata(form: URLSearchParams, catalog: readonly Described[]) {
  const asked = form.get('metric') ?? '';
  const limit = limitOf(form);
  const rows = catalog.filter(({ name }) => asked === '' || name === asked);
  const kept = limit === 0 ? rows : rows.slice(0, limit);
  const told = kept.map((metric) => [metric.name, [{ type: metric.type, help: helpText(metric), unit: '' }]]);
  return success(JSON.stringify(Object.fromEntries(told)));
}
