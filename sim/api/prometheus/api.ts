/**
 * Prometheus: what it scrapes from us, and the query API of one that has always scraped us. Mirrors the HTTP API of
 * Prometheus 2.42, as far as dashboards and clients that only read use it.
 */
import { Hono } from 'hono';
import type { Clock } from '../../kernel/clock.ts';
import type { Metrics } from '../../metrics/metrics.ts';
import { ExecutionError } from '../../metrics/promql/expression.ts';
import { routePath } from '../edge.ts';
import { ApiError, failure, plain } from './answer.ts';
import { exposed } from './exposition.ts';
import { formOf } from './form.ts';

export interface Observed {
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly maxBodyBytes: number;
}

const BASE = '/api/v1';

/** What a page of another origin may do. */
const CORS = {
  'Access-Control-Allow-Headers': 'Accept, Authorization, Content-Type, Origin',
  'Access-Control-Allow-Methods': 'GET, POST, OPTIONS',
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Expose-Headers': 'Date',
};

const ROUTES = [
  { path: '/query', posts: true },
  { path: '/query_range', posts: true },
  { path: '/query_exemplars', posts: true },
  { path: '/series', posts: true },
  { path: '/labels', posts: true },
  { path: '/label/:name/values', posts: false },
  { path: '/metadata', posts: false },
  { path: '/rules', posts: false },
  { path: '/alerts', posts: false },
  { path: '/status/buildinfo', posts: false },
] as const;

export type QueryPath = (typeof ROUTES)[number]['path'];

export function prometheusApi({ clock, metrics, maxBodyBytes }: Observed): Hono {
  async function answer(path: QueryPath, form: URLSearchParams, name = ''): Promise<Response> {
    // Reading a grammar takes as long as starting half of the rest: only those wait who ask.
    const { ANSWERS } = await import('./queries.ts');
    const { now } = clock;
    return ANSWERS[path](form, { now, store: (matchers) => metrics.select(matchers, now), metrics, name });
  }

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
  for (const { path, posts } of ROUTES) {
    app.get(`${BASE}${path}`, (c) => answer(path, new URL(c.req.url).searchParams, c.req.param('name')));
    if (posts) app.post(`${BASE}${path}`, async (c) => answer(path, await formOf(c.req.raw, maxBodyBytes)));
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
