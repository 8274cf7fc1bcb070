/** onesim's own API under `/_onesim`: time, the journal, the virtual machines behind the runtimes, and faults. */
import { Hono } from 'hono';
import { WorldOver } from '../../kernel/held.ts';
import { BodyTooLarge, routePath } from '../edge.ts';
import { KnownPaths } from '../known-paths.ts';
import { hintOf, routeOf, unmatched } from '../unmatched.ts';
import { clockRoutes } from './clock.ts';
import type { Controlled } from './controlled.ts';
import { faultRoutes } from './faults.ts';
import { Forbidden, guard } from './guard.ts';
import { instanceRoutes } from './instances.ts';
import { journalRoutes } from './journal.ts';
import { BadRequest, Conflict, NotFound, object, shortened } from './request.ts';
import { sandboxRoutes } from './sandboxes.ts';
import { stateRoutes } from './state.ts';
import { vmRoutes } from './vms.ts';

export function controlApi(world: Controlled): Hono {
  const api: Hono = new Hono({ getPath: routePath, router: new KnownPaths() })
    .basePath('/_onesim')
    .onError((error, c) => {
      if (error instanceof BadRequest) return c.json(problem('bad_request', error.message), 400);
      if (error instanceof BodyTooLarge) return c.json(problem('too_large', error.message), 413);
      if (error instanceof NotFound) return c.json(problem('not_found', error.message), 404);
      if (error instanceof Conflict) return c.json(problem('conflict', error.message), 409);
      if (error instanceof WorldOver) return c.json(problem('unavailable', error.message), 503);
      if (error instanceof Forbidden) return c.json(problem('forbidden', error.message), 403);
      throw error;
    })
    .use(guard(world.controlHosts))
    .use(async (c, next) => {
      const { method, path } = c.req;
      const query = c.req.query();
      const route = Object.keys(query).length === 0 ? undefined : routeOf(api.routes, method, path);
      if (route !== undefined && !READS_QUERY.test(route.path)) object(query, 'The query', [], []);
      await next();
    })
    .get('/livez', (c) => c.json({ status: 'ok' }))
    .get('/readyz', (c) => c.json({ status: 'ok' }))
    .route('/', stateRoutes(world))
    .route('/', sandboxRoutes(world))
    .route('/', clockRoutes(world))
    .route('/', journalRoutes(world))
    .route('/', vmRoutes(world))
    .route('/', faultRoutes(world))
    .route('/', instanceRoutes(world));
  return api.all('*', (c) => {
    const { method, path } = c.req;
    const missed = unmatched(api.routes, method, path);
    const hint = missed === undefined ? '' : `: ${hintOf(missed)}`;
    return c.json(problem('not_found', `There is no ${method} ${shortened(path)}${hint}`), 404);
  });
}

/** They refuse what they do not know themselves; probes of health may say what they like. */
const READS_QUERY = /^\/_onesim\/(?:journal(?:\/\w+)?|vms|livez|readyz)$/;

const problem = (code: string, message: string): object => ({ error: { code, message } });
