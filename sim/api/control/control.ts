/** onesim's own API under `/_onesim`: time, the journal, the virtual machines behind the runtimes, and faults. */
import { Hono } from 'hono';
import { BodyTooLarge, routePath } from '../edge.ts';
import { clockRoutes } from './clock.ts';
import type { Controlled } from './controlled.ts';
import { faultRoutes } from './faults.ts';
import { journalRoutes } from './journal.ts';
import { BadRequest, Conflict, NotFound, shortened } from './request.ts';
import { vmRoutes } from './vms.ts';

export function controlApi(world: Controlled): Hono {
  return new Hono({ getPath: routePath })
    .basePath('/_onesim')
    .onError((error, c) => {
      if (error instanceof BadRequest) return c.json(problem('bad_request', error.message), 400);
      if (error instanceof BodyTooLarge) return c.json(problem('too_large', error.message), 413);
      if (error instanceof NotFound) return c.json(problem('not_found', error.message), 404);
      if (error instanceof Conflict) return c.json(problem('conflict', error.message), 409);
      throw error;
    })
    .get('/livez', (c) => c.json({ status: 'ok' }))
    .get('/readyz', (c) => c.json({ status: 'ok' }))
    .post('/reset', (c) => {
      world.reset();
      return c.body(null, 204);
    })
    .route('/', clockRoutes(world))
    .route('/', journalRoutes(world))
    .route('/', vmRoutes(world))
    .route('/', faultRoutes(world))
    .all('*', (c) => c.json(problem('not_found', `There is no ${c.req.method} ${shortened(c.req.path)}`), 404));
}

const problem = (code: string, message: string): object => ({ error: { code, message } });
