/**
 * Every endpoint of the Gatekeeper, a row each: what it checks, in its order, whose bucket it takes from, and what it answers when
 * nothing is wrong.
 */
import { type Client, FUNCTION, INSTANCE, numbered, PACKAGE, SERVICE, SERVICE_INSTANCE, VC } from './testing.ts';
import { zip } from './zip.ts';

export const UNKNOWN = '00000000-0000-4000-8000-00000000ffff';
const secret = (n: number, key: 'licences' | 'licenses') => {
  const { descriptor, ...rest } = numbered(n, { username: 'sonata' });
  return { ...rest, descriptor: { ...descriptor, [key]: [{ type: 'private', url: 'http://sell.example' }] } };
};
export const PRIVATE_FUNCTION = secret(1, 'licenses');
export const PRIVATE_SERVICE = secret(2, 'licences');
export const UNUSED_PACKAGE = numbered(3);
/** Instances of a function that is in no catalogue, and of one that is private. */
export const ORPHAN = '00000000-0000-4000-8000-00000000aaaa';
export const FOREIGN = '00000000-0000-4000-8000-00000000bbbb';

// ---- requests, and what may be wrong with them ----------------------------------------------------------------------

export interface Draft {
  readonly method: string;
  readonly path: string;
  readonly authorization: string;
  readonly body?: string | FormData;
}

export interface Flaw {
  readonly bend: (draft: Draft) => Draft;
  readonly refusal: readonly [status: number, message: string | RegExp];
}

export type Bucket = 'anonymous' | 'user';

/** What is checked at once: any of these flaws; or whether a bucket is full. */
export type Check = readonly Flaw[] | Bucket;

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

export interface Endpoint {
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
export const ENDPOINTS: Readonly<Record<string, Endpoint>> = {
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
