/** The routes of requests. Mirrors `son-gtkapi`'s requests. */
import type { Hono } from 'hono';
import { readBody } from '../edge.ts';
import { empty, json, ONE, Refusal } from './answer.ts';
import { preflight } from './cors.ts';
import { requireUuid } from './elements.ts';
import type { Gate } from './gate.ts';
import { listingOf, pageOf } from './paging.ts';
import { orderOf, type Requests } from './requests.ts';

interface RequestWorld {
  readonly gate: Gate;
  readonly requests: Requests;
  readonly capped: boolean;
  readonly maxBodyBytes: number;
}

export function requestRoutes(app: Hono, base: string, { gate, requests, capped, maxBodyBytes }: RequestWorld): void {
  app.post(`${base}/requests`, async (c) => {
    const order = orderOf(await readBody(c.req.raw, maxBodyBytes));
    gate.caller(c);
    return json(requests.add(order), {}, 201);
  });
  app.get(`${base}/requests`, (c) => {
    gate.caller(c);
    const { query, paging, headers } = listingOf(c.req.url, capped);
    const found = requests.search(query);
    return json(pageOf(found, paging), headers(found.length));
  });
  app.options(`${base}/requests`, () => empty(200, preflight('POST,PUT')));
  app.get(`${base}/requests/:uuid`, (c) => {
    const uuid = requireUuid(c.req.param('uuid'));
    gate.caller(c);
    const request = requests.find(uuid);
    if (request === undefined) throw new Refusal(404, `Request ${uuid} not found`);
    return json(request, ONE);
  });
  app.options(`${base}/requests/:uuid`, () => empty(200, preflight('POST,PUT')));
  app.patch(`${base}/requests/:uuid/stop`, (c) => {
    const uuid = requireUuid(c.req.param('uuid'));
    gate.caller(c);
    return json(requests.add({ type: 'TERMINATE', uuid }));
  });
  app.options(`${base}/requests/:uuid/stop`, () => empty(200, preflight('PATCH')));
}
