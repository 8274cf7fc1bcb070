/**
 * Prometheus: what it scrapes from us, and the query API of one that has always scraped us. Mirrors the HTTP API of
 * Prometheus 2.42, as far as dashboards and clients that only read use it.
 */
import { type Context, Hono } from 'hono';
import type { Clock } from '../../kernel/clock.ts';
import type { Metrics } from '../../metrics/metrics.ts';
import { typeOf } from '../../metrics/promql/check.ts';
import { byLabels } from '../../metrics/promql/column.ts';
import { evaluate, prepare, type Result, type Store } from '../../metrics/promql/engine.ts';
import { ExecutionError, type Expression, ParseError } from '../../metrics/promql/expression.ts';
import { routePath } from '../edge.ts';
import { ApiError, failure, instantText, plain, rangeText, success } from './answer.ts';
import { exposed } from './exposition.ts';
import { labelNames, labelValues, metadata, seriesText } from './lookup.ts';
import { checkTimeout, formOf, invalid, optionalTime, rangeOf } from './parameters.ts';

export interface Observed {
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly maxBodyBytes: number;
}

const BASE = '/api/v1';

/** The version whose answers are given; nothing was built that it could tell of. */
const BUILD = { version: '2.42.0', revision: '', branch: 'onesim', buildUser: '', buildDate: '', goVersion: '' };

/** What a page of another origin may do. */
const CORS = {
  'Access-Control-Allow-Headers': 'Accept, Authorization, Content-Type, Origin',
  'Access-Control-Allow-Methods': 'GET, POST, OPTIONS',
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Expose-Headers': 'Date',
};

type Answer = (form: URLSearchParams, c: Context) => Response;

interface Route {
  readonly path: string;
  readonly posts: boolean;
  readonly answer: Answer;
}

export function prometheusApi({ clock, metrics, maxBodyBytes }: Observed): Hono {
  const store: Store = (matchers) => metrics.select(matchers, clock.now);
  const routes: readonly Route[] = [
    { path: '/query', posts: true, answer: (form) => instant(form, store, clock.now) },
    { path: '/query_range', posts: true, answer: (form) => range(form, store) },
    { path: '/series', posts: true, answer: (form) => seriesText(form, store) },
    { path: '/labels', posts: true, answer: (form) => labelNames(form, store) },
    {
      path: '/label/:name/values',
      posts: false,
      answer: (form, c) => labelValues(c.req.param('name') ?? '', form, store),
    },
    { path: '/metadata', posts: false, answer: (form) => metadata(form, metrics.catalog()) },
    { path: '/status/buildinfo', posts: false, answer: () => success(JSON.stringify(BUILD)) },
    { path: '/query_exemplars', posts: true, answer: exemplars },
    { path: '/rules', posts: false, answer: rules },
    { path: '/alerts', posts: false, answer: () => success('{"alerts":[]}') },
  ];

  const app = new Hono({ getPath: routePath });
  app.use(`${BASE}/*`, async (c, next) => {
    if (c.req.method === 'OPTIONS') c.res = new Response(null, { status: 204 });
    else await next();
    c.res.headers.set('Vary', 'Origin');
    if (c.req.header('Origin') === undefined) return;
    for (const [name, value] of Object.entries(CORS)) c.res.headers.set(name, value);
  });
  app.get('/metrics', () => exposed(metrics, clock.now));
  app.get('/-/healthy', () => plain(200, 'Prometheus Server is Healthy.'));
  app.get('/-/ready', () => plain(200, 'Prometheus Server is Ready.'));
  for (const { path, posts, answer } of routes) {
    app.get(`${BASE}${path}`, (c) => answer(new URL(c.req.url).searchParams, c));
    if (posts) app.post(`${BASE}${path}`, async (c) => answer(await formOf(c.req.raw, maxBodyBytes), c));
    const allow = posts ? 'GET, OPTIONS, POST' : 'GET, OPTIONS';
    app.all(`${BASE}${path}`, () => plain(405, 'Method Not Allowed', { Allow: allow }));
  }
  app.notFound(() => plain(404, '404 page not found'));
  app.onError((error) => {
    if (error instanceof ApiError) return failure(error);
    if (error instanceof ExecutionError) return failure(new ApiError('execution', error.message));
    throw error;
  });
  return app;
}

/** @throws ApiError */
function prepared(form: URLSearchParams, name: string): Expression {
  try {
    return prepare(form.get(name) ?? '');
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    throw invalid(name, error.message);
  }
}

function instant(form: URLSearchParams, store: Store, now: number): Response {
  const at = optionalTime(form, 'time', now);
  checkTimeout(form);
  const expression = prepared(form, 'query');
  return success(instantText(evaluate(expression, store, { start: at, step: 1, count: 1 }), at));
}

function range(form: URLSearchParams, store: Store): Response {
  const times = rangeOf(form);
  checkTimeout(form);
  const expression = prepared(form, 'query');
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
  prepared(form, 'query');
  return success('[]');
}

function rules(form: URLSearchParams): Response {
  const type = form.get('type') ?? '';
  if (!['', 'alert', 'record'].includes(type.toLowerCase())) {
    throw invalid('type', `not supported value ${JSON.stringify(type)}`);
  }
  return success('{"groups":[]}');
}
