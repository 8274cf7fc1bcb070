/**
 * Prometheus: what it scrapes from us, and the query API of one that has always scraped us. Mirrors the HTTP API of
 * Prometheus 2.42, as far as dashboards and clients that only read use it.
 */
import { Hono } from 'hono';
import type { Clock } from '../../kernel/clock.ts';
import { whenThere } from '../../kernel/soon.ts';
import type { Metrics } from '../../metrics/metrics.ts';
import { ExecutionError } from '../../metrics/promql/expression.ts';
import { routePath } from '../edge.ts';
import { KnownPaths } from '../known-paths.ts';
import { plainAnswer, withFields } from '../plain.ts';
import { ApiError, failure, plain, unsupported } from './answer.ts';
import { exposed } from './exposition.ts';
import { formOf } from './form.ts';

export interface Observed {
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly maxBodyBytes: number;
}

const BASE = '/api/v1';

/** Of a page of another origin, and what it may do. */
const VARY = { Vary: 'Origin' };
const CORS = {
  ...VARY,
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

/** What Prometheus answers besides. Its clients are told what is missing; any other path is nobody's. */
const UNSUPPORTED: ReadonlySet<string> = new Set(
  [
    ...['/admin/tsdb/clean_tombstones', '/admin/tsdb/delete_series', '/admin/tsdb/snapshot', '/alertmanagers'],
    ...['/format_query', '/notifications', '/notifications/live', '/parse_query', '/read', '/scrape_pools'],
    ...['/status/config', '/status/flags', '/status/runtimeinfo', '/status/tsdb', '/status/walreplay'],
    ...['/targets', '/targets/metadata', '/write'],
  ].map((path) => `${BASE}${path}`),
);

export type QueryPath = (typeof ROUTES)[number]['path'];

let loaded: ReturnType<typeof load> | undefined;
const load = () => import('./queries.ts');

/** Reading a grammar takes as long as starting half of the rest: only those wait who ask, and only once. */
function queries(): ReturnType<typeof load> {
  loaded ??= load();
  return loaded;
}

export function prometheusApi({ clock, metrics, maxBodyBytes }: Observed): Pick<Hono, 'fetch' | 'routes'> {
  async function answer(path: QueryPath, form: URLSearchParams, name = ''): Promise<Response> {
    const { ANSWERS } = await queries();
    const { now } = clock;
    return ANSWERS[path](form, { now, store: (matchers) => metrics.select(matchers, now), metrics, name });
  }

  const app = new Hono({ getPath: routePath, router: new KnownPaths() });
  app.get('/metrics', () => exposed(metrics, clock.now));
  app.get('/-/healthy', () => plain(200, 'Prometheus Server is Healthy.'));
  app.get('/-/ready', () => plain(200, 'Prometheus Server is Ready.'));
  for (const { path, posts } of ROUTES) {
    app.get(`${BASE}${path}`, (c) => answer(path, new URL(c.req.url).searchParams, c.req.param('name')));
    if (posts) app.post(`${BASE}${path}`, async (c) => answer(path, await formOf(c.req.raw, maxBodyBytes)));
    const allow = posts ? 'GET, OPTIONS, POST' : 'GET, OPTIONS';
    app.all(`${BASE}${path}`, () => plain(405, 'Method Not Allowed', { Allow: allow }));
  }
  app.notFound(({ req: { path } }) => (UNSUPPORTED.has(path) ? unsupported(path) : plain(404, '404 page not found')));
  app.onError((error) => {
    if (error instanceof ApiError) return failure(error);
    if (error instanceof ExecutionError) return failure(new ApiError('execution', error.message));
    throw error;
  });
  // Not as middleware: Hono would make a standard answer of each.
  const fetch: Hono['fetch'] = (request, ...rest) => {
    if (!routePath(request).startsWith(`${BASE}/`)) return app.fetch(request, ...rest);
    const fields = request.headers.has('Origin') ? CORS : VARY;
    if (request.method === 'OPTIONS') return plainAnswer(204, null, fields);
    return whenThere(app.fetch(request, ...rest), (response) => withFields(response, fields));
  };
  return { fetch, routes: app.routes };
}
