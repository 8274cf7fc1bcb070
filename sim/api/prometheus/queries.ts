/** What each route of the query API answers, by its path. */
import type { Metrics } from '../../metrics/metrics.ts';
import { typeOf } from '../../metrics/promql/check.ts';
import { byLabels } from '../../metrics/promql/column.ts';
import { evaluate, prepare, type Result, type Store } from '../../metrics/promql/engine.ts';
import { type Expression, ParseError } from '../../metrics/promql/expression.ts';
import { ApiError, instantText, rangeText, success } from './answer.ts';
import type { QueryPath } from './api.ts';
import { labelNames, labelValues, metadata, seriesText } from './lookup.ts';
import { checkTimeout, invalid, optionalTime, rangeOf } from './parameters.ts';
import { alertsAnswer, rulesAnswer } from './rules.ts';

/** What is asked. */
interface Asked {
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
  readonly store: Store;
  readonly metrics: Metrics;
  /** The parameter of the path; empty where there is none. */
  readonly name: string;
}

/** The version whose answers are given; nothing was built that it could tell of. */
const BUILD = { version: '2.42.0', revision: '', branch: 'onesim', buildUser: '', buildDate: '', goVersion: '' };

/** @throws ApiError, ExecutionError */
export const ANSWERS: Readonly<Record<QueryPath, (form: URLSearchParams, asked: Asked) => Response>> = {
  '/query': instant,
  '/query_range': range,
  '/query_exemplars': exemplars,
  '/series': (form, { store }) => seriesText(form, store),
  '/labels': (form, { store }) => labelNames(form, store),
  '/label/:name/values': (form, { store, name }) => labelValues(name, form, store),
  '/metadata': (form, { metrics }) => metadata(form, metrics.catalog()),
  '/rules': (form, { metrics, now }) => rulesAnswer(form, () => metrics.alerts(now), now),
  '/alerts': (_, { metrics, now }) => alertsAnswer(metrics.alerts(now)),
  '/status/buildinfo': () => success(JSON.stringify(BUILD)),
};

/** @throws ApiError */
function prepared(form: URLSearchParams): Expression {
  try {
    return prepare(form.get('query') ?? '');
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    throw invalid('query', error.message);
  }
}

function instant(form: URLSearchParams, { store, now }: Asked): Response {
  const at = optionalTime(form, 'time', now);
  checkTimeout(form);
  return success(instantText(evaluate(prepared(form), store, { start: at, step: 1, count: 1 }), at));
}

function range(form: URLSearchParams, { store }: Asked): Response {
  const times = rangeOf(form);
  checkTimeout(form);
  const expression = prepared(form);
  const type = typeOf(expression);
  if (type === 'range vector' || type === 'string') {
    const message = `invalid expression type "${type}" for range query, must be Scalar or instant Vector`;
    throw new ApiError('bad_data', message);
  }
  return success(rangeText(rowsOf(evaluate(expression, store, times)), times.start, times.step));
}

/** A scalar is a series without labels. */
function rowsOf(result: Result): Parameters<typeof rangeText>[0] {
  if (result.type === 'vector') return result.columns.toSorted(byLabels);
  if (result.type !== 'scalar') throw new Error(`A range query gave a ${result.type}`);
  return [{ labels: [], values: result.values, present: new Uint8Array(result.values.length).fill(1) }];
}

/** There are none; the query must be one all the same. */
function exemplars(form: URLSearchParams): Response {
  optionalTime(form, 'start', 0);
  optionalTime(form, 'end', 0);
  prepared(form);
  return success('[]');
}
