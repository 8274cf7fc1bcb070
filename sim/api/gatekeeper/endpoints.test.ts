/** Of two things that are wrong with a request, the answer is about the one that an endpoint checks first. */
import { describe, expect, test } from 'vitest';
import { checkedFetch } from '../../../contracts/checked.ts';
import { loadContracts } from '../../../contracts/contract.ts';
import { createSimulator } from '../../simulator.ts';
import { GATEKEEPER_DEFAULTS } from './config.ts';
import {
  type Bucket,
  type Check,
  type Draft,
  ENDPOINTS,
  type Endpoint,
  type Flaw,
  FOREIGN,
  ORPHAN,
  PRIVATE_FUNCTION,
  PRIVATE_SERVICE,
  UNKNOWN,
  UNUSED_PACKAGE,
} from './endpoints.ts';
import { gateOf } from './gate.ts';
import { noRateLimit } from './rate-limit.ts';
import { Client, SERVICE, TODAY, userGuide } from './testing.ts';

const contracts = await loadContracts();
const contract = contracts.find(({ file }) => file === 'gatekeeper.yaml');

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
