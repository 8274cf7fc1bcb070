/** The routes of licences. Mirrors `son-gtkapi`'s licences. */
import type { Hono } from 'hono';
import { readBody } from '../edge.ts';
import { empty, json, ONE, Refusal } from './answer.ts';
import type { Catalogue } from './catalogue.ts';
import { preflight } from './cors.ts';
import { requireUuid } from './elements.ts';
import type { Gate } from './gate.ts';
import { type Licences, wishIn } from './licences.ts';
import { listingOf, pageOf } from './paging.ts';

interface LicenceWorld {
  readonly gate: Gate;
  readonly licences: Licences;
  /** What there may be licences for. */
  readonly catalogues: readonly Catalogue[];
  readonly capped: boolean;
  readonly maxBodyBytes: number;
}

export function licenceRoutes(app: Hono, base: string, world: LicenceWorld): void {
  const { gate, licences, catalogues, capped, maxBodyBytes } = world;
  app.get(`${base}/licences`, (c) => {
    gate.caller(c);
    const { query, paging, headers } = listingOf(c.req.url, capped);
    const found = licences.search(query);
    return json(pageOf(found, paging), headers(found.length));
  });
  app.post(`${base}/licences`, async (c) => {
    const wish = wishIn(await readBody(c.req.raw, maxBodyBytes));
    const username = gate.caller(c);
    if (!catalogues.some((catalogue) => catalogue.find(wish.elementUuid) !== undefined)) {
      throw new Refusal(422, 'Unprocessable entity');
    }
    const licence = licences.add(username, wish);
    const location = `${c.req.url.replace(/\/?(\?.*)?$/s, '')}/${licence.license_uuid}`;
    return json(licence, { Location: location }, 201);
  });
  app.options(`${base}/licences`, () => empty(200, preflight('POST,PUT')));
  app.get(`${base}/licences/:uuid`, (c) => {
    const uuid = requireUuid(c.req.param('uuid'));
    gate.caller(c);
    const licence = licences.find(uuid);
    if (licence === undefined) throw new Refusal(404, `Licence ${uuid} not found`);
    return json(licence, ONE);
  });
  app.options(`${base}/licences/:uuid`, () => empty(200, preflight('POST,PUT')));
}
