/** The HTTP API of the SONATA Gatekeeper, as far as it is about functions. Mirrors `son-gtkapi` 3.1. */
import { type Context, Hono } from 'hono';
import type { Clock } from '../../kernel/clock.ts';
import type { Random } from '../../kernel/random.ts';
import type { Metrics } from '../../metrics/metrics.ts';
import { BodyTooLarge, readBody } from '../edge.ts';
import { empty, json, Refusal, refused } from './answer.ts';
import { bearerOf } from './authorization.ts';
import { Catalogue } from './catalogue.ts';
import type { GatekeeperConfig } from './config.ts';
import { allowOrigin, preflight } from './cors.ts';
import type { Deviations } from './deviations.ts';
import { getFunction, listFunctions, requireLicence } from './functions.ts';
import type { GatekeeperFurnishing } from './furnishing.ts';
import { history } from './history.ts';
import {
  isMetricName,
  metricsOf,
  type Parameters,
  parametersOf,
  RANGE_PARAMETERS,
  requireAll,
} from './monitoring-parameters.ts';
import { noRateLimit, rateLimit } from './rate-limit.ts';
import { Records } from './records.ts';
import { credentialsOf, Sessions } from './sessions.ts';
import { type Upgrade, webSockets } from './socket.ts';
import { Streams } from './streams.ts';

/** What the API needs of a world. */
export interface GatekeeperWorld {
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: Metrics;
  readonly deviations: Deviations;
  readonly config: GatekeeperConfig;
  readonly furnishing: GatekeeperFurnishing;
  /** The RSA key that signs tokens, in PEM. */
  readonly signingKey: string;
  /** Largest body that is read. */
  readonly maxBodyBytes: number;
}

/** The API, its streams, and the door to them. */
export interface Gatekeeper {
  readonly app: Hono;
  readonly streams: Streams;
  readonly upgrade: Upgrade;
}

/** What monitoring answers begin with, as keys of the answer. */
interface Component {
  readonly function_instance_uuid: string;
  readonly vdu_id: string;
  readonly vc_uuid: string;
}

/** Every path works with and without the prefix: clients use it, the user guide does not. */
const BASES = ['', '/api/v2'] as const;

/** Where a function instance's component stands in a path, and in which order the two forms are tried. */
const COMPONENTS = ['/functions/metrics/:instance/:vdu/:vc', '/functions/:instance/:vdu/:vc'] as const;

export function gatekeeperApi(world: GatekeeperWorld): Gatekeeper {
  const { clock, random, metrics, deviations, config, furnishing, maxBodyBytes } = world;
  const functions = new Catalogue('vnfd', furnishing.functions);
  const records = new Records(functions, furnishing.instances);
  const users = new Map(furnishing.users.map((user) => [user.username, user]));
  const sessions = new Sessions(clock, random, world.signingKey);
  const streams = new Streams({ clock, random, metrics, deviations });
  const limit = config.rateLimits ? rateLimit(clock) : noRateLimit;

  /** The name of the user that a token is of. @throws Refusal, with what is said of a token that is not active */
  const userOf = (c: Context, inactive: (token: string) => Refusal): string => {
    const token = bearerOf(c.req.header('Authorization'));
    const user = sessions.userOf(token);
    if (user === undefined) throw inactive(token);
    return user.username;
  };

  const notActive = (token: string): Refusal => new Refusal(401, `Unauthorized: token ${token} is not active`);

  /** Who asks, and has not asked too often. @throws Refusal */
  const callerOf = (c: Context): string => {
    const caller = userOf(c, notActive);
    limit('other_operations', caller);
    return caller;
  };

  /** The checks of a monitoring request. It needs a token, and yet counts as anonymous. @throws Refusal */
  const monitored = (c: Context, what: string, check: (parameters: Parameters) => void) => {
    limit('anonymous_operations', '');
    const parameters = parametersOf(c.req.url, c.req.param('parameters') !== undefined);
    if (deviations.has('parameters-before-token')) check(parameters);
    const caller = userOf(c, (token) =>
      deviations.has('dead-token-403')
        ? new Refusal(403, `Forbidden: user could not be authorized to request ${what} monitoring data`)
        : notActive(token),
    );
    check(parameters);
    const instance = c.req.param('instance') ?? '';
    requireLicence(records.functionOf(instance), caller);
    const vc = c.req.param('vc') ?? '';
    const component: Component = { function_instance_uuid: instance, vdu_id: c.req.param('vdu') ?? '', vc_uuid: vc };
    return { parameters, component, vc };
  };

  const asynch = (c: Context): Response => {
    const { parameters, component, vc } = monitored(c, 'asynch', (given) => requireAll(given, RANGE_PARAMETERS));
    const lenient = deviations.has('bad-range-200');
    const { status, ...found } = history(metrics, vc, parameters, clock.now, lenient);
    return json({ status, ...component, ...found });
  };

  const needed = deviations.has('synch-range-optional') ? (['metrics'] as const) : RANGE_PARAMETERS;
  const labels = deviations.has('metrics-list-two-blanks') ? { metrics: 'Metrics list ' } : {};

  const synch = (c: Context): Response => {
    const { parameters, component, vc } = monitored(c, 'synch', (given) => requireAll(given, needed, labels));
    const names = metricsOf(parameters);
    const asked = names.filter(isMetricName);
    if (asked.length === 0) return json({ status: null, ...component, metrics: names, ws_url: '' });
    const streamed = deviations.has('last-stream-only') ? asked.slice(-1) : [...new Set(asked)];
    const id = streams.open(streamed, [`id='${vc}'`, "type='vnf'"]);
    if (id === null) return json({ status: 'FAIL', ...component, metrics: names, ws_url: null });
    const host = config.streamHost ?? new URL(c.req.url).host;
    return json({ status: 'SUCCESS', ...component, metrics: names, ws_url: `ws://${host}/ws/${id}` });
  };

  const app = new Hono({ getPath: (request) => routePath(request.url) });

  const unsupported = (c: Context): Response => refused(new Refusal(404, `${pathOf(c.req.url)} not supported`));

  app.use(async (c, next) => {
    await next();
    const origin = c.req.header('Origin');
    if (origin !== undefined) allowOrigin(c.res.headers, origin);
  });

  const capped = !deviations.has('limit-uncapped');

  for (const base of BASES) {
    app.get(`${base}/functions`, (c) => listFunctions(functions, c.req.url, callerOf(c), capped));
    app.options(`${base}/functions`, () => empty(200, preflight('GET')));

    app.get(`${base}/functions/metrics/names`, (c) => {
      callerOf(c);
      return json({ metric_names: metrics.names() });
    });
    app.options(`${base}/functions/metrics/names`, () => empty(200, preflight('GET')));

    for (const component of COMPONENTS) {
      for (const [name, answer] of [['asynch', asynch] as const, ['synch', synch] as const]) {
        for (const rest of ['', '/:parameters'] as const) {
          const path = `${base}${component}/${name}-mon-data${rest}` as const;
          const guarded = (c: Context, act: () => Response): Response =>
            component === COMPONENTS[1] && c.req.param('instance') === 'metrics' ? unsupported(c) : act();
          app.get(path, (c) => guarded(c, () => answer(c)));
          app.options(path, (c) => guarded(c, () => empty(200, preflight('GET'))));
        }
      }
    }

    app.get(`${base}/functions/:uuid`, (c) => getFunction(functions, c.req.param('uuid'), callerOf(c)));
    app.options(`${base}/functions/:uuid`, () => empty(200, preflight('GET')));

    app.post(`${base}/sessions`, async (c) => {
      limit('anonymous_operations', '');
      const { username, password } = credentialsOf(await readBody(c.req.raw, maxBodyBytes));
      const user = users.get(username);
      if (user === undefined || user.password !== password) {
        throw new Refusal(401, `Unauthorized: user ${username} not authenticated`);
      }
      return json(sessions.open(user));
    });
    app.delete(`${base}/sessions`, (c) => {
      limit('anonymous_operations', '');
      const caller = userOf(c, () => new Refusal(401, 'Unauthorized: user token not active'));
      sessions.close(caller);
      return empty(204);
    });
    app.options(`${base}/sessions`, () => empty(200, preflight('POST,DELETE')));

    app.get(`${base}/micro-services/public-key`, () => {
      limit('anonymous_operations', '');
      const items = { 'public-key': sessions.publicKey };
      const type = deviations.has('public-key-html') ? 'text/html;charset=utf-8' : 'application/json';
      return json({ status: 200, count: 1, items, message: 'OK' }, { 'Content-Type': type });
    });
    app.options(`${base}/micro-services/public-key`, () => empty(200, preflight('POST,PUT')));
  }

  app.notFound(unsupported);

  app.onError((error) => {
    if (error instanceof Refusal) return refused(error);
    if (error instanceof BodyTooLarge) return refused(new Refusal(413, error.message));
    throw error;
  });

  return { app, streams, upgrade: webSockets(streams) };
}

/** The path of a URL as sent, without its query string. */
function pathOf(url: string): string {
  const path = url.slice(url.indexOf('/', url.indexOf('://') + 3));
  return path.replace(/[?#].*$/s, '');
}

/** What the routes are matched with: one trailing slash does not count, and an encoded slash separates segments too. */
const routePath = (url: string): string =>
  pathOf(url)
    .replace(/%2f/gi, '/')
    .replace(/(?<=.)\/$/, '');
