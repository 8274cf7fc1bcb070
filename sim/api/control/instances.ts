/** Function and service instances of the Gatekeeper, started and ended without a request. */
import { Hono } from 'hono';
import type { JsonObject } from '../../one/flow/json.ts';
import type { Controlled } from './controlled.ts';
import { BadRequest, Conflict, jsonOf, NotFound, object, shortened } from './request.ts';

/** What starts and ends instances. */
export interface InstanceDoor {
  list(): readonly JsonObject[];
  find(uuid: string): JsonObject | undefined;
  /** @param uuid of a service, or of a function. undefined when nothing has it; `refused`: why the cloud has no room */
  start(uuid: string): { readonly instance: JsonObject } | { readonly refused: string } | undefined;
  /** False when there is no such instance. */
  end(uuid: string): boolean;
}

export function instanceRoutes({ instances, maxBodyBytes }: Pick<Controlled, 'instances' | 'maxBodyBytes'>): Hono {
  const unknown = (uuid: string): NotFound => new NotFound(`There is no instance ${shortened(uuid)}`);
  return new Hono()
    .get('/instances', (c) => c.json({ instances: instances.list() }))
    .post('/instances', async (c) => {
      const of = elementIn(await jsonOf(c.req.raw, maxBodyBytes));
      const started = instances.start(of);
      if (started === undefined) throw new NotFound(`There is no service or function ${shortened(of)}`);
      if ('refused' in started) throw new Conflict(started.refused);
      return c.json(started.instance, 201, { Location: `/_onesim/instances/${started.instance.uuid}` });
    })
    .get('/instances/:uuid', (c) => {
      const uuid = c.req.param('uuid');
      const instance = instances.find(uuid);
      if (instance === undefined) throw unknown(uuid);
      return c.json(instance);
    })
    .delete('/instances/:uuid', (c) => {
      const uuid = c.req.param('uuid');
      if (!instances.end(uuid)) throw unknown(uuid);
      return c.body(null, 204);
    });
}

/** The uuid of what is to be instantiated. @throws BadRequest */
function elementIn(body: unknown): string {
  const { of } = object(body, 'The body', ['of'], ['of']);
  if (typeof of !== 'string') throw new BadRequest('of must be the uuid of a service or a function');
  return of;
}
