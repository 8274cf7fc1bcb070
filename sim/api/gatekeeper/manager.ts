/** The API of the monitoring manager, which clients also call without the Gatekeeper. Mirrors `son-monitor`'s manager, a Django REST service. */
import { type Context, Hono } from 'hono';
import type { Clock } from '../../kernel/clock.ts';
import type { Metrics } from '../../metrics/metrics.ts';
import { ExecutionError } from '../../metrics/promql/expression.ts';
import { parseRange } from '../../metrics/query.ts';
import { BadData } from '../../metrics/time.ts';
import { isObject, type Json, type JsonObject } from '../../one/flow/json.ts';
import type { Refuse } from '../breakage.ts';
import { BodyTooLarge, readBody } from '../edge.ts';
import { KnownPaths } from '../known-paths.ts';
import { empty, json } from './answer.ts';
import type { GatekeeperConfig } from './config.ts';
import { textOf } from './json-body.ts';
import { isMetricName } from './monitoring-parameters.ts';
import { routePath } from './request-path.ts';
import type { Streams } from './streams.ts';

export const MANAGER_PATH = '/monitoring';

const BASE = `${MANAGER_PATH}/api/v1`;

interface ManagerWorld {
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly streams: Streams;
  readonly config: GatekeeperConfig;
  readonly maxBodyBytes: number;
}

/** What ends a request early, in Django REST's form. */
class Detail extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** What every answer says to pages of other origins. */
const ANY_ORIGIN = { 'Access-Control-Allow-Origin': '*' };

const PREFLIGHT = {
  ...ANY_ORIGIN,
  'Access-Control-Allow-Methods': 'GET, OPTIONS, POST',
  'Access-Control-Allow-Headers': 'accept, authorization, content-type, origin, x-requested-with',
};

/** A stream is named and filtered by short texts; they are kept as long as it is. */
const MOST_FILTER_CHARS = 4096;
const MOST_NAME_CHARS = 256;

const ROUTES = [
  { path: '/prometheus/metrics/list', method: 'GET' },
  { path: '/prometheus/metrics/name/:name/', method: 'GET' },
  { path: '/prometheus/metrics/data', method: 'POST' },
  { path: '/ws/new', method: 'POST' },
] as const;

export function managerApi({ clock, metrics, streams, config, maxBodyBytes }: ManagerWorld): Hono {
  const app = new Hono({ getPath: (request) => prefixed(routePath(request.url)), router: new KnownPaths() });

  app.use(async (c, next) => {
    await next();
    for (const [name, value] of Object.entries(ANY_ORIGIN))
      if (!c.res.headers.has(name)) c.res.headers.set(name, value);
  });

  app.get(`${BASE}/prometheus/metrics/list`, () => json({ metrics: metrics.names() }));

  app.get(`${BASE}/prometheus/metrics/name/:name/`, (c) => {
    const name = c.req.param('name');
    if (!isMetricName(name)) throw new Detail(400, `${JSON.stringify(name)} is no metric name.`);
    const { now } = clock;
    const rows = metrics.range(name, {}, { since: now, until: now, step: 1000 }, now);
    const result = rows.map(({ metric, values: [value] }) => ({ metric, value }));
    return json({ metrics: { resultType: 'vector', result } });
  });
  app.get(`${BASE}/prometheus/metrics/name/:name`, (c) => empty(301, { Location: c.req.url.replace(/(?=\?|$)/, '/') }));

  app.post(`${BASE}/prometheus/metrics/data`, async (c) => {
    const body = await bodyOf(c, maxBodyBytes);
    const name = needed(body, 'name');
    const [start, end, step] = [needed(body, 'start'), needed(body, 'end'), needed(body, 'step')];
    if (!isMetricName(name)) throw new Detail(400, `${JSON.stringify(name)} is no metric name.`);
    const matchers = matchersOf(body);
    try {
      const result = metrics.range(name, matchers, parseRange(start, end, step), clock.now);
      return json({ metrics: { resultType: 'matrix', result } });
    } catch (error) {
      if (!(error instanceof BadData)) throw error;
      return asPrometheus('bad_data', error);
    }
  });

  app.post(`${BASE}/ws/new`, async (c) => {
    const { metric, filters = [] } = await bodyOf(c, maxBodyBytes);
    const given = typeof filters === 'string' ? [filters] : filters;
    const asked = Array.isArray(given) ? given.flatMap((filter) => textOf(filter) ?? []) : [];
    const isRead = Array.isArray(given) && asked.length === given.length && asked.join(',').length <= MOST_FILTER_CHARS;
    const isNamed = typeof metric === 'string' && metric !== '' && metric.length <= MOST_NAME_CHARS;
    const id = isNamed && isRead ? streams.open([metric], asked) : null;
    if (id === null) return json({ status: 'FAIL', ws_url: null });
    const host = config.streamHost ?? new URL(c.req.url).host;
    return json({ status: 'SUCCESS', metric, ws_url: `ws://${host}${config.streamBase}/ws/${id}` });
  });

  for (const { path, method } of ROUTES) {
    app.options(`${BASE}${path}`, () => empty(200, PREFLIGHT));
    app.all(`${BASE}${path}`, (c) =>
      detail(405, `Method "${c.req.method}" not allowed.`, { Allow: `${method}, OPTIONS` }),
    );
  }

  app.notFound(() => detail(404, 'Not found.'));

  app.onError((error) => {
    if (error instanceof Detail) return detail(error.status, error.message);
    if (error instanceof BodyTooLarge) return detail(413, error.message);
    if (error instanceof ExecutionError) return asPrometheus('execution', error);
    throw error;
  });

  return app;
}

/** On a port of its own the manager has no prefix. */
const prefixed = (path: string): string => (path.startsWith(`${MANAGER_PATH}/`) ? path : `${MANAGER_PATH}${path}`);

/** How the manager refuses what a fault refuses. */
export const managerRefuses: Refuse = (status, message) => detail(status, message);

const detail = (status: number, message: string, headers: Readonly<Record<string, string>> = {}): Response =>
  json({ detail: message }, headers, status);

/** What Prometheus says of a query that it refuses, which the manager hands on as it is. */
const asPrometheus = (errorType: 'bad_data' | 'execution', { message }: Error): Response =>
  json({ status: 'error', errorType, error: message });

/** @throws Detail */
async function bodyOf(c: Context, maxBodyBytes: number): Promise<JsonObject> {
  const type = c.req.header('Content-Type') ?? '';
  if (!/^application\/json\s*(;|$)/i.test(type)) throw new Detail(415, `Unsupported media type "${type}" in request.`);
  const text = new TextDecoder().decode(await readBody(c.req.raw, maxBodyBytes));
  let value: Json;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Detail(400, `JSON parse error - ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!isObject(value)) throw new Detail(400, 'Invalid data. Expected a dictionary.');
  return value;
}

/** @throws Detail 400 */
function needed(body: JsonObject, key: string): string {
  const value = Object.hasOwn(body, key) ? body[key] : undefined;
  if (typeof value !== 'string' && typeof value !== 'number') throw new Detail(400, `${key} is missing.`);
  return String(value);
}

/** The labels of a request, all of which must match. @throws Detail 400 */
function matchersOf({ labels }: JsonObject): Readonly<Record<string, string>> {
  if (labels === undefined || labels === null) return {};
  const pairs = Array.isArray(labels) ? labels.map(pairOf) : [undefined];
  const given = pairs.filter((pair) => pair !== undefined);
  if (given.length < pairs.length) throw new Detail(400, 'labels is no list of labeltag and labelid.');
  return Object.fromEntries(given);
}

function pairOf(label: Json): readonly [tag: string, id: string] | undefined {
  if (!isObject(label)) return undefined;
  const { labeltag, labelid } = label;
  return typeof labeltag === 'string' && typeof labelid === 'string' ? [labeltag, labelid] : undefined;
}
