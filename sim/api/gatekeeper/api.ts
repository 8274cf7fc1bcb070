/** The HTTP API of the SONATA Gatekeeper. Mirrors `son-gtkapi` 3.1. */
import { type Context, type Handler, Hono } from 'hono';
import type { Judge } from '../../faults/judge.ts';
import type { Clock } from '../../kernel/clock.ts';
import { type Holders, heldMap } from '../../kernel/held.ts';
import type { Journal } from '../../kernel/journal.ts';
import type { Random } from '../../kernel/random.ts';
import { remembered } from '../../kernel/remembered.ts';
import { whenThere } from '../../kernel/soon.ts';
import type { Metrics } from '../../metrics/metrics.ts';
import type { Cloud } from '../../one/cloud.ts';
import { BodyTooLarge, readBody } from '../edge.ts';
import { KnownPaths } from '../known-paths.ts';
import { LazyDoor } from '../lazy-door.ts';
import { alertRules } from './alert-rules.ts';
import { archive, empty, json, ONE, Refusal, refused } from './answer.ts';
import { availableServices } from './available-services.ts';
import { Catalogue } from './catalogue.ts';
import type { GatekeeperConfig } from './config.ts';
import { allowOrigin, preflight } from './cors.ts';
import type { Deviations } from './deviations.ts';
import { elementOf, listElements, requireUuid, Shown, withLicence } from './elements.ts';
import type { GatekeeperFurnishing } from './furnishing.ts';
import { gateOf } from './gate.ts';
import { type InstanceDoor, instanceDoor } from './instance-door.ts';
import { Instances } from './instances.ts';
import { asynchCounter, Kpis, kpisAnswer, synchCounter } from './kpis.ts';
import { licenceRoutes } from './licence-routes.ts';
import { Licences } from './licences.ts';
import { managerApi } from './manager.ts';
import { monitoring } from './monitoring.ts';
import { Packages, packageIn } from './packages.ts';
import { listingOf } from './paging.ts';
import { type Buckets, noRateLimit, rateLimit } from './rate-limit.ts';
import { recordDocuments } from './record-documents.ts';
import { Records } from './records.ts';
import { pathOf, routePath } from './request-path.ts';
import { requestRoutes } from './request-routes.ts';
import { Requests } from './requests.ts';
import { credentialsOf, Sessions } from './sessions.ts';
import { connectedTo, type Upgrade, webSockets } from './socket.ts';
import { type Connection, type Sink, Streams } from './streams.ts';
import { userRoutes } from './user-routes.ts';
import { Users } from './users.ts';

/** What the API needs of a world. */
export interface GatekeeperWorld {
  readonly clock: Clock;
  readonly journal: Journal;
  readonly judge: Judge;
  readonly random: Random;
  readonly cloud: Cloud;
  readonly metrics: Metrics;
  readonly deviations: Deviations;
  readonly config: GatekeeperConfig;
  readonly furnishing: GatekeeperFurnishing;
  /** The RSA key that signs tokens, in PEM. */
  readonly signingKey: string;
  /** Largest body that is read. */
  readonly maxBodyBytes: number;
}

type Door = Pick<Hono, 'fetch' | 'routes'>;

/** The API, its streams, and the door to them. */
export interface Gatekeeper {
  readonly app: Door;
  /** The API of the monitoring manager, which is another one. */
  readonly manager: Door;
  readonly streams: Streams;
  readonly upgrade: Upgrade;
  /** Opens a stream without a socket. @returns the HTTP status when it is refused */
  connect(path: string, sink: Sink): Connection | number;
  /** By the name of the part. */
  readonly held: Holders;
  /** What starts and ends instances without a request. */
  readonly door: InstanceDoor;
}

/** Every path works with and without the prefix: clients use it, the user guide does not. */
const BASES = ['', '/api/v2'] as const;

/** Where a function instance's component stands in a path, and in which order the two forms are tried. */
const COMPONENTS = ['/functions/metrics/:instance/:vdu/:vc', '/functions/:instance/:vdu/:vc'] as const;

const RECORD_PATHS = [
  '/records/functions',
  '/records/functions/:uuid',
  '/records/services',
  '/records/services/:uuid',
  '/records/:kind',
  '/records/:kind/:uuid',
] as const;

/** What it consists of beside its routes. */
function partsOf(world: GatekeeperWorld) {
  const { clock, random, cloud, metrics, deviations, config, furnishing } = world;
  const functions = new Catalogue('vnfd', furnishing.functions);
  const services = new Catalogue('nsd', furnishing.services);
  const records = new Records(world, functions);
  metrics.rules = alertRules(functions, records);
  const documents = recordDocuments({ random, cloud, functions, services, records });
  const catalogue = new Catalogue('pd', furnishing.packages);
  const packages = new Packages({ clock, random, packages: catalogue, services, functions, records });
  const { vim } = furnishing;
  const instances = new Instances({ clock, random, cloud, vim, functions, services, records });
  const requests = new Requests({ clock, random, cloud, services, records, instances });
  const users = new Users({ clock, random, furnishing });
  const licences = new Licences({ random, users });
  const sessions = new Sessions(clock, random, world.signingKey);
  const streams = new Streams({ clock, journal: world.journal, judge: world.judge, random, metrics, deviations });
  const buckets: Buckets = new Map();
  const gate = gateOf(sessions, users, config.rateLimits ? rateLimit(clock, buckets) : noRateLimit);
  const kpis = new Kpis(clock);
  const since = clock.now;
  const stock = { functions, services, catalogue, packages, records, documents, instances, requests };
  return { users, licences, sessions, streams, buckets, gate, kpis, since, ...stock };
}

type Parts = ReturnType<typeof partsOf>;

function routed(world: GatekeeperWorld, parts: Parts): Hono {
  const { clock, metrics, deviations, config, maxBodyBytes } = world;
  const { functions, services, catalogue, packages, records, documents, since } = parts;
  const { requests, users, licences, sessions, streams, gate, kpis } = parts;
  const { asynch, synch } = monitoring({ clock, metrics, deviations, config, gate, records, licences, streams });
  const monitored = [
    ['asynch', kpis.counted(asynchCounter, asynch)],
    ['synch', kpis.counted(synchCounter, synch)],
  ] as const;

  // One trailing slash does not count.
  const app = new Hono({
    getPath: (request) => routePath(request.url).replace(/(?<=.)\/$/, ''),
    router: new KnownPaths(),
  });

  const unsupported = (c: Context): Response => refused(new Refusal(404, `${pathOf(c.req.url)} not supported`));

  const capped = !deviations.has('limit-uncapped');
  const listing = remembered((url) => listingOf(url, capped));
  const shownFunctions = withLicence(functions, licences);
  const shownServices = withLicence(services, licences);

  for (const base of BASES) {
    app.get(
      `${base}/functions`,
      kpis.counted('functions_metadata_queries', (c) => {
        const caller = gate.caller(c);
        return listElements(functions, listing(c.req.url), shownFunctions(caller));
      }),
    );
    app.options(`${base}/functions`, () => empty(200, preflight('GET')));

    app.get(
      `${base}/functions/metrics/names`,
      kpis.counted('functions_metrics_queries', (c) => {
        gate.caller(c);
        return json({ metric_names: metrics.names() });
      }),
    );
    app.options(`${base}/functions/metrics/names`, () => empty(200, preflight('GET')));

    for (const component of COMPONENTS) {
      for (const [name, answer] of monitored) {
        for (const rest of ['', '/:parameters'] as const) {
          const path = `${base}${component}/${name}-mon-data${rest}` as const;
          const guarded =
            (act: Handler): Handler =>
            (c, next) =>
              component === COMPONENTS[1] && c.req.param('instance') === 'metrics' ? unsupported(c) : act(c, next);
          app.get(path, guarded(answer));
          app.options(
            path,
            guarded(() => empty(200, preflight('GET'))),
          );
        }
      }
    }

    app.get(
      `${base}/functions/:uuid`,
      kpis.counted('function_metadata_queries', (c) => {
        const caller = gate.caller(c);
        const uuid = requireUuid(c.req.param('uuid'));
        return json(functions.render(elementOf(functions, uuid, caller, licences)), ONE);
      }),
    );
    app.options(`${base}/functions/:uuid`, () => empty(200, preflight('GET')));

    app.get(
      `${base}/services`,
      kpis.counted('services_metadata_queries', (c) => {
        const caller = gate.caller(c);
        return listElements(services, listing(c.req.url), shownServices(caller));
      }),
    );
    app.options(`${base}/services`, () => empty(200, preflight('POST,PUT')));
    app.get(
      `${base}/services/:uuid`,
      kpis.counted('service_metadata_queries', (c) => {
        const uuid = requireUuid(c.req.param('uuid'));
        return json(services.render(elementOf(services, uuid, gate.caller(c), licences)), ONE);
      }),
    );
    app.options(`${base}/services/:uuid`, () => empty(200, preflight('POST,PUT')));

    for (const kind of ['functions', 'services'] as const) {
      app.get(
        `${base}/records/${kind}`,
        kpis.counted('records_requests', (c) => {
          gate.caller(c);
          const { paging, headers } = listing(c.req.url);
          return json(documents[kind].page(paging), headers(documents[kind].count()));
        }),
      );
      app.get(
        `${base}/records/${kind}/:uuid`,
        kpis.counted('single_record_queries', (c) => {
          const uuid = requireUuid(c.req.param('uuid'));
          gate.caller(c);
          const record = documents[kind].find(uuid);
          if (record === undefined) throw new Refusal(404, `Record ${uuid} not found`);
          return json(record, ONE);
        }),
      );
    }
    app.post(
      `${base}/packages`,
      kpis.counted('package_on_boardings', async (c) => {
        const file = await packageIn(await readBody(c.req.raw, maxBodyBytes), c.req.header('Content-Type'));
        const username = gate.caller(c);
        const element = await packages.upload(file, { username, signature: c.req.header('signature') ?? null });
        const answer = { ...packages.render(element), 'son-package-uuid': packages.archiveUuid(element) };
        return json(answer, { Location: `${c.req.url.replace(/\/?(\?.*)?$/s, '')}/${element.uuid}` }, 201);
      }),
    );
    app.get(
      `${base}/packages`,
      kpis.counted('packages_queries', (c) => {
        gate.caller(c);
        return listElements(catalogue, listing(c.req.url), (element) => new Shown(packages.render(element)));
      }),
    );
    app.options(`${base}/packages`, () => empty(200, preflight('GET,POST')));
    app.get(
      `${base}/packages/:uuid`,
      kpis.counted('single_package_queries', (c) => {
        const uuid = requireUuid(c.req.param('uuid'));
        return json(packages.render(elementOf(catalogue, uuid, gate.caller(c), licences)), ONE);
      }),
    );
    app.delete(
      `${base}/packages/:uuid`,
      kpis.counted('packages_deletions', (c) => {
        gate.caller(c);
        packages.remove(c.req.param('uuid') ?? '');
        return empty(204);
      }),
    );
    app.options(`${base}/packages/:uuid`, () => empty(200, preflight('GET,DELETE')));
    app.get(
      `${base}/packages/:uuid/download`,
      kpis.counted('package_downloads', async (c) => {
        const uuid = requireUuid(c.req.param('uuid'));
        return archive(await packages.download(elementOf(catalogue, uuid, gate.caller(c), licences)));
      }),
    );
    app.options(`${base}/packages/:uuid/download`, () => empty(200, preflight('GET')));

    app.get(`${base}/records/:kind`, (c) => {
      gate.caller(c);
      return json([], {}, 404);
    });
    app.get(`${base}/records/:kind/:uuid`, (c) => {
      const uuid = requireUuid(c.req.param('uuid'));
      gate.caller(c);
      throw new Refusal(404, `Record ${uuid} not found`);
    });
    for (const path of RECORD_PATHS) app.options(`${base}${path}`, () => empty(200, preflight('POST,PUT')));

    requestRoutes(app, base, { gate, requests, capped, maxBodyBytes });
    licenceRoutes(app, base, { gate, licences, catalogues: [services, functions], capped, maxBodyBytes });
    userRoutes(app, base, { gate, users, kpis, capped, maxBodyBytes });

    app.post(`${base}/sessions`, async (c) => {
      gate.anonymous();
      const { username, password } = credentialsOf(await readBody(c.req.raw, maxBodyBytes));
      const user = users.find(username);
      if (user === undefined || user.password !== password) {
        throw new Refusal(401, `Unauthorized: user ${username} not authenticated`);
      }
      return json(sessions.open(user));
    });
    app.delete(
      `${base}/sessions`,
      kpis.counted('user_logout_requests', (c) => {
        gate.anonymous();
        const { username } = gate.user(c, () => new Refusal(401, 'Unauthorized: user token not active'));
        sessions.close(username);
        return empty(204);
      }),
    );
    app.options(`${base}/sessions`, () => empty(200, preflight('POST,DELETE')));

    app.get(`${base}/kpis`, (c) => {
      gate.anonymous();
      return kpisAnswer(kpis, c.req.url);
    });
    app.put(`${base}/kpis`, async (c) => {
      const body = await readBody(c.req.raw, maxBodyBytes);
      gate.anonymous();
      kpis.put(body);
      return empty(201);
    });
    app.options(`${base}/kpis`, () => empty(200, preflight('POST,PUT')));
    app.get(`${base}/kpis/collected`, (c) => {
      gate.anonymous();
      return json(kpis.collected(new URL(c.req.url).searchParams));
    });
    app.options(`${base}/kpis/collected`, () => empty(200, preflight('POST,PUT')));

    app.get(`${base}/available-services`, (c) => {
      gate.anonymous();
      return json(availableServices(new URL(c.req.url).origin, since, clock.now));
    });
    app.options(`${base}/available-services`, () => empty(200, preflight('GET')));

    app.get(`${base}/micro-services/public-key`, () => {
      gate.anonymous();
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

  return app;
}

/** Its routes are made when it is first asked: most worlds are asked for something else. */
export function gatekeeperApi(world: GatekeeperWorld): Gatekeeper {
  const parts = partsOf(world);
  const { functions, services, catalogue, packages, records, instances, requests, users, licences, sessions } = parts;
  const { streams, buckets, kpis } = parts;
  const door = instanceDoor({ functions, services, records, instances });
  const held: Holders = {
    'gatekeeper.functions': functions,
    'gatekeeper.services': services,
    'gatekeeper.packages': catalogue,
    'gatekeeper.archives': packages,
    'gatekeeper.records': records,
    'gatekeeper.instances': instances,
    'gatekeeper.requests': requests,
    'gatekeeper.users': users,
    'gatekeeper.licences': licences,
    'gatekeeper.sessions': sessions,
    'gatekeeper.streams': streams,
    'gatekeeper.kpis': kpis,
    'gatekeeper.rates': heldMap(buckets),
  };
  const makeApp = (): Door => {
    const app = routed(world, parts);
    const fetch: Door['fetch'] = (request, ...rest) =>
      whenThere(app.fetch(request, ...rest), (response) => {
        const origin = request.headers.get('Origin');
        if (origin !== null) allowOrigin(response.headers, origin);
        return response;
      });
    return { fetch, routes: app.routes };
  };

  const connect: Gatekeeper['connect'] = (path, sink) => connectedTo(streams, path, sink);
  return {
    app: new LazyDoor(makeApp),
    manager: new LazyDoor<Door>(() => managerApi({ ...world, streams })),
    held,
    streams,
    upgrade: webSockets(streams),
    connect,
    door,
  };
}
