/**
 * Every endpoint, a row each: what it checks, in its order, whose bucket it takes from, and what it answers when nothing is
 * wrong. Of two things that are wrong with a request, the answer is about the one that is checked first.
 */
import { describe, expect, test } from 'vitest';
import { checkedFetch } from '../../../contracts/checked.ts';
import { loadContracts } from '../../../contracts/contract.ts';
import { createSimulator } from '../../simulator.ts';
import { GATEKEEPER_DEFAULTS } from './config.ts';
import { gateOf } from './gate.ts';
import { noRateLimit } from './rate-limit.ts';
import {
  Client,
  FUNCTION,
  INSTANCE,
  numbered,
  PACKAGE,
  SERVICE,
  SERVICE_INSTANCE,
  TODAY,
  userGuide,
  VC,
} from './testing.ts';
import { zip } from './zip.ts';

const contracts = await loadContracts();
const contract = contracts.find(({ file }) => file === 'gatekeeper.yaml');

// ---- the world ----------------------------------------------------------------------------------------------------

const UNKNOWN = '00000000-0000-4000-8000-00000000ffff';
const secret = (n: number, key: 'licences' | 'licenses') => {
  const { descriptor, ...rest } = numbered(n, { username: 'sonata' });
  return { ...rest, descriptor: { ...descriptor, [key]: [{ type: 'private', url: 'http://sell.example' }] } };
};
const PRIVATE_FUNCTION = secret(1, 'licenses');
const PRIVATE_SERVICE = secret(2, 'licences');
const UNUSED_PACKAGE = numbered(3);
/** Instances of a function that is in no catalogue, and of one that is private. */
const ORPHAN = '00000000-0000-4000-8000-00000000aaaa';
const FOREIGN = '00000000-0000-4000-8000-00000000bbbb';

function simulator(rateLimits: boolean) {
  const { fetch, world } = createSimulator({
    epochMs: TODAY,
    gatekeeper: { ...GATEKEEPER_DEFAULTS, rateLimits },
    furnish: (cloud) => {
      const guide = userGuide(cloud);
      const instance = (uuid: string, functionUuid: string) => ({
        uuid,
        functionUuid,
        createdAt: TODAY,
        vdus: [{ id: 'vdu01', vnfcs: [] }],
      });
      return {
        ...guide,
        functions: [...guide.functions, PRIVATE_FUNCTION],
        services: [...guide.services, PRIVATE_SERVICE],
        packages: [...guide.packages, UNUSED_PACKAGE],
        instances: [...guide.instances, instance(ORPHAN, UNKNOWN), instance(FOREIGN, PRIVATE_FUNCTION.uuid)],
      };
    },
  });
  return checkedFetch(fetch, contracts, world.config.deviations);
}

// ---- requests, and what may be wrong with them ----------------------------------------------------------------------

interface Draft {
  readonly method: string;
  readonly path: string;
  readonly authorization: string;
  readonly body?: string | FormData;
}

interface Flaw {
  readonly bend: (draft: Draft) => Draft;
  readonly refusal: readonly [status: number, message: string | RegExp];
}

type Bucket = 'anonymous' | 'user';

/** What is checked at once: any of these flaws; or whether a bucket is full. */
type Check = readonly Flaw[] | Bucket;

const SCHEME = 'Unprocessable entity: authorization header must be "Bearer <token>"';

const sent = (authorization: string, status: number, message: string): Flaw => ({
  bend: (draft) => ({ ...draft, authorization }),
  refusal: [status, message],
});

/** T1 to T3, with what an endpoint says of a token that is not active. */
const token = (status = 401, message = 'Unauthorized: token dead is not active'): Check => [
  sent('', 401, 'Unauthorized: missing authorization header'),
  sent('Basic eDp5', 400, SCHEME),
  sent('bearer', 400, SCHEME),
  sent('bearer a b', 400, SCHEME),
  sent('bearer dead', status, message),
];

const at = (path: string, status: number, message: string): Flaw => ({
  bend: (draft) => ({ ...draft, path }),
  refusal: [status, message],
});

const saying = (body: unknown, status: number, message: string | RegExp): Flaw => ({
  bend: (draft) => ({
    ...draft,
    body: typeof body === 'string' || body instanceof FormData ? body : JSON.stringify(body),
  }),
  refusal: [status, message],
});

const withoutBody = (status: number, message: string): Flaw => ({
  bend: ({ body: _, ...draft }) => draft,
  refusal: [status, message],
});

const lacking = (parameter: string, message: string): Flaw => ({
  bend: (draft) => ({ ...draft, path: draft.path.replace(new RegExp(`([?&])${parameter}=[^&]*`), '$1') }),
  refusal: [400, message],
});

const notUuid = (path: string): Check => [at(path.replace('{}', 'x'), 404, 'UUID x not valid')];

const unknown = (path: string, noun: string): Check => [
  at(path.replace('{}', UNKNOWN), 404, `${noun} ${UNKNOWN} not found`),
];

const foreign = (path: string, uuid: string): Check => [
  at(path, 403, `Package/service/function ${uuid} is private, not owned and not licensed to user demo`),
];

const form = (file: Uint8Array | string): FormData => {
  const body = new FormData();
  body.set('package', new Blob([Buffer.from(file)]), 'x.son');
  return body;
};

const packageOf = (name: string): FormData => {
  const manifest = `{ vendor: eu.sonata-nfv, name: ${name}, version: "0.1", entry_service_template: /service_descriptors/s.yml }`;
  const service = '{ vendor: v, name: s, version: "1" }';
  return form(
    zip(
      new Map([
        ['META-INF/MANIFEST.MF', Buffer.from(manifest)],
        ['service_descriptors/s.yml', Buffer.from(service)],
      ]),
    ),
  );
};

// ---- the endpoints ------------------------------------------------------------------------------------------------

interface Endpoint {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Or how to get at it, when it is about something that has to be made. */
  readonly path: string | ((client: Client) => Promise<string>);
  readonly body?: unknown;
  readonly checks: readonly Check[];
  /** When nothing is wrong. */
  readonly status: number;
  readonly type?: string | null;
  /** Each answer differs from the one before. */
  readonly varies?: boolean;
}

const PARTS = (instance = INSTANCE): string => `${instance}/vdu01/${VC}`;
const RANGE = 'metrics=vm_up&since=1504011287&until=1504011301&step=14';

/** One of the eight forms of the paths of monitoring. */
function monitoring(kind: 'asynch' | 'synch', base: string, by: '?' | '/'): Endpoint {
  const path = (instance?: string): string => `${base}/${PARTS(instance)}/${kind}-mon-data${by}${RANGE}`;
  const missing =
    kind === 'synch'
      ? [lacking('metrics', 'Metrics list  is missing')]
      : [
          lacking('metrics', 'Metrics list is missing'),
          lacking('since', 'Starting date is missing'),
          lacking('until', 'Ending date is missing'),
          lacking('step', 'Step of collection is missing'),
        ];
  return {
    method: 'GET',
    path: path(),
    checks: [
      'anonymous',
      by === '?' ? missing : [],
      token(403, `Forbidden: user could not be authorized to request ${kind} monitoring data`),
      [at(path(UNKNOWN), 404, `Record ${UNKNOWN} not found`)],
      [at(path(ORPHAN), 404, `Function ${ORPHAN} not found`)],
      foreign(path(FOREIGN), PRIVATE_FUNCTION.uuid),
    ],
    status: 200,
    varies: kind === 'synch',
  };
}

const list = (path: string): Endpoint => ({
  method: 'GET',
  path,
  checks: [token(), 'user', [at(`${path}?limit=0`, 400, 'limit must be 1 or more')]],
  status: 200,
});

const one = (path: string, uuid: string, noun: string, ...more: Check[]): Endpoint => ({
  method: 'GET',
  path: path.replace('{}', uuid),
  checks: [notUuid(path), token(), 'user', unknown(path, noun), ...more],
  status: 200,
});

const uuidIn = (body: unknown, key: string): string => (body as Record<string, string>)[key] ?? '';

/** The first that there is. */
const first = (path: string, key: string) => async (client: Client) => {
  const { body } = await client.get(path);
  return `${path}/${uuidIn(Array.isArray(body) ? body[0] : body, key)}`;
};

const PROFILE = { username: 'demo', password: 'demo', email: 'd@example.com', user_type: 'developer' };
const without = (key: keyof typeof PROFILE, message: string): Flaw =>
  saying({ ...PROFILE, username: 'eve', [key]: '' }, 400, message);
const PROFILE_PARTS: Check = [
  without('username', 'User name is missing'),
  without('password', 'Password is missing'),
  without('email', 'Email is missing'),
  without('user_type', 'User type is missing'),
];

/** By the id of the operation in the contract. */
const ENDPOINTS: Readonly<Record<string, Endpoint>> = {
  listFunctions: list('/functions'),
  getFunction: {
    method: 'GET',
    path: `/functions/${FUNCTION}`,
    checks: [
      token(),
      'user',
      // Of a function the token is checked before its uuid, of everything else after it.
      notUuid('/functions/{}'),
      unknown('/functions/{}', 'Function'),
      foreign(`/functions/${PRIVATE_FUNCTION.uuid}`, PRIVATE_FUNCTION.uuid),
    ],
    status: 200,
  },
  listMetricNames: { method: 'GET', path: '/functions/metrics/names', checks: [token(), 'user'], status: 200 },
  asynchMetricsQuery: monitoring('asynch', '/functions/metrics', '?'),
  asynchMetricsPath: monitoring('asynch', '/functions/metrics', '/'),
  asynchQuery: monitoring('asynch', '/functions', '?'),
  asynchPath: monitoring('asynch', '/functions', '/'),
  synchMetricsQuery: monitoring('synch', '/functions/metrics', '?'),
  synchMetricsPath: monitoring('synch', '/functions/metrics', '/'),
  synchQuery: monitoring('synch', '/functions', '?'),
  synchPath: monitoring('synch', '/functions', '/'),
  openSession: {
    method: 'POST',
    path: '/sessions',
    body: { username: 'demo', password: 'demo' },
    checks: [
      'anonymous',
      [
        withoutBody(400, 'Unprocessable entity: missing session parameters'),
        saying('{', 400, 'Unprocessable entity: missing session parameters'),
      ],
      [saying({}, 400, 'Unprocessable entity: missing user name')],
      [saying({ username: 'x' }, 400, 'Unprocessable entity: missing user password')],
      [
        saying({ username: 'demo', password: 'x' }, 401, 'Unauthorized: user demo not authenticated'),
        saying({ username: 'x', password: 'demo' }, 401, 'Unauthorized: user x not authenticated'),
      ],
    ],
    status: 200,
  },
  closeSessions: {
    method: 'DELETE',
    path: '/sessions',
    checks: ['anonymous', token(401, 'Unauthorized: user token not active')],
    status: 204,
    type: null,
  },
  getPublicKey: {
    method: 'GET',
    path: '/micro-services/public-key',
    checks: ['anonymous'],
    status: 200,
    type: 'text/html;charset=utf-8',
  },
  listFunctionRecords: list('/records/functions'),
  getFunctionRecord: one('/records/functions/{}', INSTANCE, 'Record'),
  listServiceRecords: list('/records/services'),
  getServiceRecord: one('/records/services/{}', SERVICE_INSTANCE, 'Record'),
  listUnknownRecords: { method: 'GET', path: '/records/networks', checks: [token(), 'user'], status: 404 },
  getUnknownRecord: {
    method: 'GET',
    path: `/records/networks/${INSTANCE}`,
    checks: [notUuid('/records/networks/{}'), token(), 'user'],
    status: 404,
  },
  listServices: list('/services'),
  getService: one(
    '/services/{}',
    SERVICE,
    'Service',
    foreign(`/services/${PRIVATE_SERVICE.uuid}`, PRIVATE_SERVICE.uuid),
  ),
  uploadPackage: {
    method: 'POST',
    path: '/packages',
    body: packageOf('new'),
    checks: [
      [withoutBody(400, 'No package file specified: package is missing')],
      token(),
      'user',
      [
        saying(form('x'), 400, 'Error validating package: it is no ZIP archive'),
        saying(form(zip(new Map([['META-INF/MANIFEST.MF', Buffer.from('a: 1')]]))), 400, /^Errors or warnings: /),
      ],
      [
        saying(
          packageOf('sonata-demo'),
          409,
          "Version 0.1 of package 'sonata-demo' from vendor 'eu.sonata-nfv' already exists",
        ),
      ],
    ],
    status: 201,
  },
  listPackages: list('/packages'),
  getPackage: one('/packages/{}', PACKAGE, 'Package'),
  downloadPackage: { ...one('/packages/{}/download', PACKAGE, 'Package'), type: 'application/zip' },
  deletePackage: {
    method: 'DELETE',
    path: `/packages/${UNUSED_PACKAGE.uuid}`,
    checks: [
      token(),
      'user',
      [
        at('/packages/x', 404, 'No package found with uuid=x'),
        at(`/packages/${UNKNOWN}`, 404, `No package found with uuid=${UNKNOWN}`),
      ],
      [at(`/packages/${PACKAGE}`, 409, `Package ${PACKAGE} is in use by record ${SERVICE_INSTANCE}`)],
    ],
    status: 204,
    type: null,
  },
  listUsers: {
    method: 'GET',
    path: '/users',
    checks: [token(401, 'User provided token was not valid')],
    status: 200,
  },
  registerUser: {
    method: 'POST',
    path: '/users',
    body: { ...PROFILE, username: 'eve' },
    checks: [PROFILE_PARTS, 'anonymous', [saying(PROFILE, 409, 'User name demo already in use')]],
    status: 201,
  },
  updateUser: {
    method: 'PUT',
    path: '/users',
    body: PROFILE,
    checks: [
      PROFILE_PARTS,
      token(),
      [
        saying(
          { ...PROFILE, username: 'eve' },
          403,
          "Forbidden: user can only update his/her profile (demo is trying to update eve's profile)",
        ),
      ],
    ],
    status: 200,
  },
  getUser: {
    method: 'GET',
    path: first('/users', 'uuid'),
    checks: [
      [at('/users/public-key', 404, 'User public-key not valid')],
      [at(`/users/${UNKNOWN}`, 404, `User ${UNKNOWN} not found`)],
    ],
    status: 200,
  },
  updateUserPublicKey: {
    method: 'PATCH',
    path: '/users/demo/user-public-key',
    body: { public_key: 'MIIB' },
    checks: [
      [
        withoutBody(400, 'Fields to be updated need to be part of the body'),
        saying({}, 400, 'A public key must be provided as part of the body'),
      ],
      token(401, 'User provided token was not valid'),
      [at('/users/eve/user-public-key', 400, 'User eve was not found')],
      [at('/users/sonata/user-public-key', 400, 'User sonata does not match with token')],
    ],
    status: 200,
  },
  listKpis: {
    method: 'GET',
    path: '/kpis',
    checks: ['anonymous', [at('/kpis?name=x', 404, 'KPI x not found')]],
    status: 200,
    varies: true,
  },
  putKpi: {
    method: 'PUT',
    path: '/kpis',
    body: { name: 'x', metric_type: 'counter' },
    checks: [
      'anonymous',
      [withoutBody(400, 'No params specified for the create request')],
      [saying({}, 400, 'Metric was not updated for update_metric')],
    ],
    status: 201,
    type: null,
  },
  collectKpis: {
    method: 'GET',
    path: '/kpis/collected?name=packages_queries&start=1&end=2&step=1',
    checks: [
      'anonymous',
      [lacking('name', 'The KPI name must be given')],
      [lacking('start', 'The KPI start date must be given')],
      [lacking('end', 'The KPI end date must be given')],
      [lacking('step', 'The KPI step must be given')],
      [at('/kpis/collected?name=packages_queries&start=x&end=2&step=1', 400, 'Error collecting the KPIs')],
    ],
    status: 200,
  },
  listAvailableServices: { method: 'GET', path: '/available-services', checks: ['anonymous'], status: 200 },
  listLicences: list('/licences'),
  createLicence: {
    method: 'POST',
    path: '/licences',
    body: { service_uuid: PRIVATE_SERVICE.uuid },
    checks: [
      [saying({}, 400, 'No service uuid specified: service_uuid is missing')],
      token(),
      'user',
      [saying({ service_uuid: UNKNOWN }, 422, 'Unprocessable entity')],
    ],
    status: 201,
  },
  getLicence: {
    ...one('/licences/{}', '', 'Licence'),
    path: first('/licences', 'license_uuid'),
  },
  listRequests: list('/requests'),
  createRequest: {
    method: 'POST',
    path: '/requests',
    body: { service_uuid: SERVICE },
    checks: [
      [withoutBody(400, 'Body of the request can not be empty')],
      [saying({}, 400, 'Service UUID is missing')],
      token(),
      'user',
      [saying({ service_uuid: UNKNOWN }, 400, 'No CREATE request was created')],
    ],
    status: 201,
  },
  getRequest: { ...one('/requests/{}', '', 'Request'), path: first('/requests', 'id') },
  stopServiceInstance: {
    method: 'PATCH',
    path: `/requests/${SERVICE_INSTANCE}/stop`,
    checks: [
      notUuid('/requests/{}/stop'),
      token(),
      'user',
      [at(`/requests/${UNKNOWN}/stop`, 400, 'No TERMINATE request was created')],
    ],
    status: 200,
  },
};

// ---- the tests ----------------------------------------------------------------------------------------------------

const OF_JSON = 'application/json';

/** Asks, and looks at what all answers have in common. */
async function asked(fetch: (request: Request) => Promise<Response>, { method, path, authorization, body }: Draft) {
  const response = await fetch(
    new Request(`http://gatekeeper.example${path}`, {
      method,
      ...(body === undefined ? {} : { body }),
      ...(authorization === '' ? {} : { headers: { Authorization: authorization } }),
    }),
  );
  const { status, headers } = response;
  const text = await response.text();
  expect(headers.get('X-Content-Type-Options')).toBe('nosniff');
  for (const name of ['Set-Cookie', 'ETag', 'Retry-After']) expect(headers.get(name)).toBeNull();
  if (status < 400 || text === '[]') return { status, type: headers.get('Content-Type'), text, message: '' };
  expect(headers.get('Content-Type')).toBe(OF_JSON);
  const { error, ...rest } = JSON.parse(text);
  expect([Object.keys(error).sort(), error.code, rest]).toEqual([['code', 'message'], status, {}]);
  return { status, type: OF_JSON, text, message: error.message };
}

const FULL: Flaw = {
  bend: (same) => same,
  refusal: [429, 'GtkApi: Too many user creation requests were made'],
};

interface Place {
  readonly fetch: (request: Request) => Promise<Response>;
  readonly client: Client;
}

const FILLING = { anonymous: '/micro-services/public-key', user: '/functions/metrics/names' };

/** A world where some buckets are full. */
async function place(full: readonly Bucket[]): Promise<Place> {
  const fetch = simulator(full.length > 0);
  const client = await Client.loggedIn(fetch, 'demo', 'demo');
  if (full.length === 0) {
    const headers = { Authorization: `bearer ${client.token}` };
    for (const path of ['/licences', '/requests']) {
      await client.send('POST', path, { headers, body: JSON.stringify({ service_uuid: SERVICE }) });
    }
  }
  for (const bucket of full) {
    for (let i = 0; i < 10; i++) await client.get(FILLING[bucket]);
    expect((await client.get(FILLING[bucket])).status).toBe(429);
  }
  return { fetch, client };
}

const places = new Map<string, Promise<Place>>();

/** One that nobody changes: for what is refused, and for what only reads. */
function common(full: readonly Bucket[]): Promise<Place> {
  const key = full.join();
  const known = places.get(key) ?? place(full);
  places.set(key, known);
  return known;
}

/** The request with nothing wrong about it. */
async function draftOf({ method, path, body }: Endpoint, { client }: Place): Promise<Draft> {
  const said = body === undefined || body instanceof FormData ? body : JSON.stringify(body);
  const found = typeof path === 'string' ? path : await path(client);
  const draft = { method, path: found, authorization: `Bearer ${client.token}` };
  return said === undefined ? draft : { ...draft, body: said };
}

const BUCKETS: readonly Bucket[] = ['anonymous', 'user'];

const isBucket = (check: Check): check is Bucket => typeof check === 'string';

test('there is a row for every endpoint', () => {
  const operations = contract?.operations.filter(({ method }) => method !== 'OPTIONS').map(({ id }) => id) ?? [];
  expect(Object.keys(ENDPOINTS).sort()).toEqual([...new Set(operations)].sort());
});

describe.each(Object.entries(ENDPOINTS))('%s', (_, endpoint) => {
  const { checks, status, type = OF_JSON, varies = false, method } = endpoint;
  const bucket = checks.find(isBucket);

  const mine = (full: readonly Bucket[]): Promise<Place> => (method === 'GET' ? common(full) : place(full));

  test('checks in its order, and says what is wrong', async () => {
    const free = await common([]);
    const full = bucket === undefined ? free : await common([bucket]);
    const turn = checks.findIndex(isBucket);
    for (const [i, check] of checks.entries()) {
      const there = i <= turn ? full : free;
      const draft = { ...(await draftOf(endpoint, free)), authorization: `Bearer ${there.client.token}` };
      const later = checks.slice(i + 1).flatMap((each) => (isBucket(each) ? [] : each.slice(0, 1)));
      const bent = later.reduceRight((other, { bend }) => bend(other), draft);
      for (const { bend, refusal } of isBucket(check) ? [FULL] : check) {
        const { status: refused, message } = await asked(there.fetch, bend(bent));
        const [expected, words] = refusal;
        expect([refused, message]).toEqual([
          expected,
          typeof words === 'string' ? words : expect.stringMatching(words),
        ]);
      }
    }
    const last = await mine([]);
    expect(await asked(last.fetch, await draftOf(endpoint, last))).toMatchObject({ status, type });
  });

  test(`takes from ${bucket === undefined ? 'no bucket' : `the bucket of ${bucket}`}`, async () => {
    const there = await place(BUCKETS.filter((each) => each !== bucket));
    const draft = await draftOf(endpoint, typeof endpoint.path === 'string' ? there : await common([]));
    expect((await asked(there.fetch, { ...draft, authorization: `Bearer ${there.client.token}` })).status).not.toBe(
      429,
    );
  });

  test('is the same with and without /api/v2 and a slash at its end, and answers HEAD if it answers GET', async () => {
    const there = await common([]);
    const draft = await draftOf(endpoint, there);
    const [path = '', query] = draft.path.split('?');
    const more = query === undefined ? '' : `?${query}`;
    const forms = [`${path}/${more}`, `/api/v2${path}${more}`, `/api/v2${path}/${more}`];
    if (method !== 'GET') {
      const refused = { ...draft, authorization: 'x', body: '' };
      const { status: expected } = await asked(there.fetch, refused);
      expect(expected).not.toBe(404);
      for (const each of forms) expect((await asked(there.fetch, { ...refused, path: each })).status).toBe(expected);
      return;
    }
    const { text } = await asked(there.fetch, draft);
    const links = (of: string): string => of.replaceAll('/api/v2', '');
    for (const each of forms) {
      const seen = await asked(there.fetch, { ...draft, path: each });
      expect([seen.status, seen.type]).toEqual([status, type]);
      if (!varies) expect(links(seen.text)).toBe(links(text));
    }
    const headers = { Authorization: draft.authorization };
    const head = await there.fetch(new Request(`http://gatekeeper.example${draft.path}`, { method: 'HEAD', headers }));
    expect([head.status, await head.text()]).toEqual([status, '']);
  });
});

test('a token that is alive, of a user whom nobody knows any more, is told so (T4)', () => {
  const user = { username: 'gone', password: 'x', types: ['developer'] as const };
  const gate = gateOf({ userOf: () => user } as never, { find: () => undefined } as never, noRateLimit);
  const c = { req: { header: () => 'Bearer alive' } } as never;
  expect(() => gate.caller(c)).toThrow('Not found: user with token alive');
});
