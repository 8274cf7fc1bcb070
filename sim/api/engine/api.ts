/** The REST API of the COGNIT Provisioning Engine 1.3.3, over the fake OpenNebula. Mirrors `server.rb`. */
import { STATUS_CODES } from 'node:http';
import { type Context, Hono } from 'hono';
import { remembered } from '../../kernel/remembered.ts';
import { attempt, type Soon, whenThere } from '../../kernel/soon.ts';
import type { Cloud } from '../../one/cloud.ts';
import type { Refuse } from '../breakage.ts';
import { textOf } from '../bytes.ts';
import { BodyTooLarge, type Edge, readBody, routePath } from '../edge.ts';
import { KnownPaths } from '../known-paths.ts';
import { plainAnswer } from '../plain.ts';
import { generateJson, ParserError, parseJson, type Value } from '../ruby-json.ts';
import { toInteger } from '../ruby-text.ts';
import { written } from './body.ts';
import { configValue, type EngineConfig } from './config.ts';
import { create } from './create.ts';
import { credentialsOf } from './credentials.ts';
import { remove } from './delete.ts';
import type { Deviations } from './deviations.ts';
import { OpenNebula } from './opennebula.ts';
import { crashPage, formProblem, isForm, noRoutePage, queryProblem } from './pages.ts';
import { Crash, Refusal, refusal } from './refusal.ts';
import { type Engine, notFound, read, render } from './runtime.ts';
import { RUNTIME_SCHEMA, schemaValue } from './schema.ts';
import { update } from './update.ts';

const VERSION = '1.3.3';

/** What the API needs of a world. */
export interface EngineWorld {
  readonly cloud: Cloud;
  readonly config: EngineConfig;
  readonly deviations: Deviations;
  /** Largest body that is read, in bytes. */
  readonly bodyLimit: number;
}

/** A request comes with the world that it is for: what answers it is the same for all. */
interface Bindings extends Edge {
  readonly world: EngineWorld;
}

type Environment = {
  Bindings: Bindings;
  /** The body, where it has been read before the route was looked for. */
  Variables: { body?: string };
};

type Answer = (c: Context<Environment>) => Soon<Response>;

export function engineApi(world: EngineWorld) {
  const { routes, fetch } = appOf(world.deviations);
  return { routes, fetch: (request: Request, { cause }: Edge): Soon<Response> => fetch(request, { cause, world }) };
}

const apps = new WeakMap<Deviations, Hono<Environment>>();

function appOf(deviations: Deviations): Hono<Environment> {
  const known = apps.get(deviations) ?? makeApp(deviations);
  apps.set(deviations, known);
  return known;
}

function makeApp(deviations: Deviations): Hono<Environment> {
  const schema = generateJson(schemaValue(RUNTIME_SCHEMA));

  const knownCredentials = remembered((header) => credentialsOf(header, deviations));

  /** What the request works with. @throws Refusal 401; Crash */
  const engineOf = (c: Context<Environment>): Engine => {
    const header = c.req.raw.headers.get('Authorization');
    const credentials = header === null ? credentialsOf(null, deviations) : knownCredentials(header);
    const { cause, world } = c.env;
    return { one: new OpenNebula(world.cloud, credentials, world.config, cause), config: world.config, deviations };
  };

  const readId = remembered((text) => {
    if (deviations.has('id-lenient')) return toInteger(text);
    if (!/^\d{1,10}$/.test(text) || BigInt(text) > 0x7fffffffn) throw notFound();
    return BigInt(text);
  });

  const idOf = (c: Context): bigint => readId(c.req.param('id') ?? '');

  const bodyOf = (c: Context<Environment>): Soon<string> => c.get('body') ?? bodyText(c.req.raw, c.env.world.bodyLimit);

  const lateUpdate = deviations.has('put-504-as-500') ? [] : [504];
  /** Statuses that get through before a runtime has been updated, and after; any other becomes 500. */
  const readStatuses = [...READ_STATUSES, ...lateUpdate];
  const updateStatuses = [403, 423, ...(deviations.has('put-invalid-500') ? [] : [400]), ...lateUpdate];

  const app = new Hono<Environment>({ getPath: routePath, router: new KnownPaths() });

  /** Whatever answers, the framework has read the query string before, and whatever calls itself a form. */
  const framed = (answer: Answer): Answer => {
    if (!deviations.has('form-body-html')) return answer;
    return (c) => {
      const { url, headers } = c.req.raw;
      const query = url.indexOf('?');
      const problem = query < 0 ? null : queryProblem(url.slice(query + 1));
      if (problem !== null) return problem;
      const type = headers.get('Content-Type') ?? '';
      if (!isForm(type)) return answer(c);
      return whenThere(bodyOf(c), (body) => {
        c.set('body', body);
        return formProblem(type, body) ?? answer(c);
      });
    };
  };

  app.get(
    '/serverless-runtimes/schema',
    framed(() => json(200, schema)),
  );

  app.post(
    '/serverless-runtimes',
    framed(async (c) => {
      const body = await bodyOf(c);
      const engine = engineOf(c);
      const specification = parsed(body);
      const runtime = await passing(CREATION_STATUSES, () => create(engine, specification));
      return json(201, render(runtime));
    }),
  );

  app.get(
    '/serverless-runtimes/:id',
    framed((c) => {
      const engine = engineOf(c);
      const runtime = passing(READ_STATUSES, () => read(engine, idOf(c)));
      return whenThere(runtime, (found) => json(deviations.has('get-200') ? 200 : 201, render(found)));
    }),
  );

  app.put(
    '/serverless-runtimes/:id',
    framed(async (c) => {
      const body = await bodyOf(c);
      const engine = engineOf(c);
      const specification = parsed(body);
      const runtime = await passing(readStatuses, () => read(engine, idOf(c)));
      await passing(updateStatuses, () => update(engine, runtime, specification));
      return json(200, render(runtime));
    }),
  );

  app.delete(
    '/serverless-runtimes/:id',
    framed(async (c) => {
      const engine = engineOf(c);
      const runtime = await passing(READ_STATUSES, () => read(engine, idOf(c)));
      await passing(REMOVAL_STATUSES, () => remove(engine, runtime));
      return plainAnswer(204, null, NO_SNIFF);
    }),
  );

  app.get(
    '/server/version',
    framed(() => json(200, generateJson(VERSION))),
  );

  app.get(
    '/server/config',
    framed((c) => json(200, generateJson(configValue(c.env.world.config)))),
  );

  app.notFound(framed((c) => noRoute(c, deviations)));

  app.onError((error, c) => {
    try {
      if (error instanceof Refusal) return refused(error, deviations);
      throw error;
    } catch (failure) {
      if (!(failure instanceof Crash)) throw failure;
      return crashed(c, failure, deviations);
    }
  });

  return app;
}

const CREATION_STATUSES = [400, 401, 403, 422, 504];
const READ_STATUSES = [401, 403, 404];
const REMOVAL_STATUSES = [403, 423];
const NO_SNIFF = { 'X-Content-Type-Options': 'nosniff' };

const JSON_HEADERS = { 'Content-Type': 'application/json', ...NO_SNIFF };

const CHALLENGE_HEADERS = { ...JSON_HEADERS, 'WWW-Authenticate': 'Basic realm="OpenNebula"' };

const json = (status: number, text: string, headers: Readonly<Record<string, string>> = JSON_HEADERS): Response =>
  plainAnswer(status, text, headers);

/** What a path or method gets that the engine does not know. */
function noRoute(c: Context, deviations: Deviations): Response {
  const { method } = c.req;
  if (deviations.has('unknown-path-html')) return noRoutePage(method, c.req.path);
  return json(404, generateJson(refusal(404, 'Not Found', `${method} ${c.req.path}`).body));
}

function refused({ status, body }: Refusal, deviations: Deviations): Response {
  const challenged = status === 401 && !deviations.has('no-www-authenticate');
  return json(
    status,
    written(() => generateJson(body)),
    challenged ? CHALLENGE_HEADERS : JSON_HEADERS,
  );
}

/** How the engine refuses what a fault refuses. */
export const engineRefuses =
  (deviations: Deviations): Refuse =>
  (status, message) =>
    refused(refusal(status, STATUS_CODES[status] ?? '', message), deviations);

function crashed(c: Context, crash: Crash, deviations: Deviations): Response {
  if (deviations.has('crash-html')) return crashPage(c.req.path, crash.message);
  return json(500, generateJson(refusal(500, 'Internal Server Error', '').body));
}

/** Lets the statuses through that a handler knows; it answers all others with 500. */
function passing<T>(statuses: readonly number[], act: () => Soon<T>): Soon<T> {
  return attempt(act, (error) => {
    if (!(error instanceof Refusal) || statuses.includes(error.status)) throw error;
    throw new Refusal(500, error.body);
  });
}

/** @throws Refusal 400 */
function parsed(text: string): Value {
  try {
    return parseJson(text);
  } catch (error) {
    if (!(error instanceof ParserError)) throw error;
    throw refusal(400, 'Invalid JSON', error.message);
  }
}

/** @throws Refusal 413 */
const bodyText = (request: Request, limit: number): Soon<string> =>
  attempt(
    () => whenThere(readBody(request, limit), textOf),
    (error) => {
      if (!(error instanceof BodyTooLarge)) throw error;
      throw refusal(413, 'Payload Too Large', `${error.message}.`);
    },
  );
