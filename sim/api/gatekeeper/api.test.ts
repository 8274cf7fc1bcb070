import { describe, expect, test } from 'vitest';
import { checkedFetch } from '../../../contracts/checked.ts';
import { loadContracts } from '../../../contracts/contract.ts';
import { createSimulator, PROFILES } from '../../simulator.ts';
import { GATEKEEPER_DEFAULTS } from './config.ts';
import { Client, FUNCTION, INSTANCE, refusal, TODAY, userGuide, VC } from './testing.ts';

const contracts = await loadContracts();

function start({ rateLimits = false, deviations = PROFILES.upstream as ReadonlySet<string> } = {}) {
  const gatekeeper = { ...GATEKEEPER_DEFAULTS, rateLimits };
  const simulator = createSimulator({ epochMs: TODAY, furnish: userGuide, gatekeeper, deviations });
  return { clock: simulator.world.clock, fetch: checkedFetch(simulator.fetch, contracts, deviations) };
}

const MONITORING = `/functions/metrics/${INSTANCE}/vdu01/${VC}`;
const LIVE = `${MONITORING}/synch-mon-data?metrics=vm_cpu_perc`;
const HISTORY = `${MONITORING}/asynch-mon-data?metrics=vm_cpu_perc&since=1504011287&until=1504011287&step=1`;

describe('what is not supported is named by its path', () => {
  test.each([
    ['GET', '/api/v2'],
    ['GET', '/api/v2/'],
    ['GET', '/api/v2/nope?x=1'],
    ['GET', '/api/v2/functions//'],
    ['GET', '/functions/a/b'],
    ['GET', '/functions/metrics/a/b/asynch-mon-data?metrics=x'],
    ['GET', '/functions/metrics/a/b/synch-mon-data/metrics=x'],
    ['GET', '/functions/%6detrics/a/b/synch-mon-data/metrics=x'],
    ['GET', '/functions/metrics/names/x'],
    ['GET', '/functions/a%2Fb'],
    ['GET', '/functions/a/b/c/asynch-mon-data/x/y'],
    ['GET', '/functions//b/c/asynch-mon-data'],
    ['GET', '/ws/0123456789abcdef0123456789abcdef'],
    ['POST', '/functions'],
    ['PUT', `/api/v2/functions/${FUNCTION}`],
    ['DELETE', `/functions/${FUNCTION}/`],
    ['GET', '/sessions'],
    ['POST', '/micro-services/public-key'],
    ['OPTIONS', '/functions/a/b'],
    ['OPTIONS', '/functions/metrics/a/b/asynch-mon-data'],
  ])('%s %s', async (method, path) => {
    const client = new Client(start().fetch);
    const [named] = path.split('?');
    expect(await client.send(method, path)).toMatchObject(refusal(404, `${named} not supported`));
  });
});

test.each(['POST', 'PUT', 'PATCH', 'DELETE', 'TRACE-LIKE'])('functions can be read only: %s', async (method) => {
  const client = new Client(start().fetch);
  for (const base of ['', '/api/v2']) {
    const paths = ['', `/${FUNCTION}`, '/metrics/names', `/metrics/${INSTANCE}/vdu01/${VC}/asynch-mon-data`];
    for (const path of [...paths, `/${INSTANCE}/vdu01/${VC}/synch-mon-data/metrics=x`]) {
      const whole = `${base}/functions${path}`;
      expect(await client.send(method, whole)).toMatchObject(refusal(404, `${whole} not supported`));
    }
  }
});

describe('the token is checked in the same order and words', () => {
  const functions = ['/functions', `/functions/${FUNCTION}`, '/functions/x', '/functions/metrics/names'];
  const scheme = 'Unprocessable entity: authorization header must be "Bearer <token>"';

  test.each([...functions, LIVE, HISTORY])('without a header: %s', async (path) => {
    const { fetch } = start();
    const expected = refusal(401, 'Unauthorized: missing authorization header');
    expect(await new Client(fetch).send('GET', path)).toMatchObject(expected);
    expect(await new Client(fetch).send('GET', path, { headers: { Authorization: '' } })).toMatchObject(expected);
  });

  test.each(['x', 'bearer', 'Basic eDp5', 'bearer a b', 'bearers x'])('with the header %s', async (Authorization) => {
    const { fetch } = start();
    for (const path of [...functions, LIVE, HISTORY]) {
      expect(await new Client(fetch).send('GET', path, { headers: { Authorization } })).toMatchObject(
        refusal(400, scheme),
      );
    }
    expect(await new Client(fetch).send('DELETE', '/sessions', { headers: { Authorization } })).toMatchObject(
      refusal(400, scheme),
    );
  });

  test('with a token that is not active, which functions echo and monitoring forbids', async () => {
    const { fetch } = start();
    const headers = { Authorization: 'BEARER dead' };
    const client = new Client(fetch);
    for (const path of functions) {
      expect(await client.send('GET', path, { headers })).toMatchObject(
        refusal(401, 'Unauthorized: token dead is not active'),
      );
    }
    for (const [path, what] of [[LIVE, 'synch'] as const, [HISTORY, 'asynch'] as const]) {
      expect(await client.send('GET', path, { headers })).toMatchObject(
        refusal(403, `Forbidden: user could not be authorized to request ${what} monitoring data`),
      );
    }
    expect(await client.send('DELETE', '/sessions', { headers })).toMatchObject(
      refusal(401, 'Unauthorized: user token not active'),
    );
  });

  test('in profile contract monitoring says so too, and before it looks at parameters', async () => {
    const client = new Client(start({ deviations: PROFILES.contract }).fetch);
    const headers = { Authorization: 'bearer dead' };
    expect(await client.send('GET', HISTORY, { headers })).toMatchObject(
      refusal(401, 'Unauthorized: token dead is not active'),
    );
    expect(await client.send('GET', `${MONITORING}/synch-mon-data`)).toMatchObject(
      refusal(401, 'Unauthorized: missing authorization header'),
    );
  });
});

describe('pages of other origins', () => {
  const headers = { Origin: 'https://gui.example' };

  test('may read every answer, refusals and the headers of lists included', async () => {
    const client = new Client(start().fetch);
    for (const path of ['/functions', '/api/v2/nope', '/micro-services/public-key']) {
      const { headers: seen } = await client.send('GET', path, { headers });
      expect(seen.get('Access-Control-Allow-Origin')).toBe('https://gui.example');
      expect(seen.get('Access-Control-Allow-Methods')).toBe('POST, GET, OPTIONS');
      expect(seen.get('Access-Control-Allow-Headers')).toBe('*, Content-Type, Accept, AUTHORIZATION, Cache-Control');
      expect(seen.get('Access-Control-Allow-Credentials')).toBe('true');
      expect(seen.get('Access-Control-Max-Age')).toBe('1728000');
      expect(seen.get('Access-Control-Expose-Headers')).toMatch(/^Cache-Control,.*, Link, Record-Count$/);
    }
  });

  test('without an origin, nothing is said of them', async () => {
    const { headers: seen } = await new Client(start().fetch).send('GET', '/functions');
    expect([...seen.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  test.each([
    ['/sessions', 'POST,DELETE'],
    ['/api/v2/micro-services/public-key', 'POST,PUT'],
    ['/functions', 'GET'],
    [`/functions/${FUNCTION}`, 'GET'],
    ['/functions/metrics/names', 'GET'],
    ['/services', 'POST,PUT'],
    [`/services/${FUNCTION}`, 'POST,PUT'],
    ['/records/functions', 'POST,PUT'],
    [`/records/services/${FUNCTION}`, 'POST,PUT'],
    ['/records/other', 'POST,PUT'],
    ['/packages', 'GET,POST'],
    [`/api/v2/packages/${FUNCTION}`, 'GET,DELETE'],
    [`/packages/${FUNCTION}/download`, 'GET'],
    ['/requests', 'POST,PUT'],
    [`/requests/${FUNCTION}`, 'POST,PUT'],
    [`/requests/${FUNCTION}/stop`, 'PATCH'],
    ['/licences', 'POST,PUT'],
    [`/licences/${FUNCTION}`, 'POST,PUT'],
    ['/users', 'POST,PUT'],
    [`/users/${FUNCTION}`, 'POST,PUT'],
    ['/users/demo/user-public-key', 'PATCH'],
    ['/kpis', 'POST,PUT'],
    ['/kpis/collected', 'POST,PUT'],
    ['/available-services', 'GET'],
    [HISTORY, 'GET'],
    [`/functions/${INSTANCE}/vdu01/${VC}/synch-mon-data/metrics=x`, 'GET'],
  ])('are answered when they ask first: %s', async (path, methods) => {
    const { status, body, headers: seen } = await new Client(start().fetch).send('OPTIONS', path, { headers });
    expect({ status, body }).toEqual({ status: 200, body: '' });
    expect(seen.get('Access-Control-Allow-Origin')).toBe('*');
    expect(seen.get('Access-Control-Allow-Methods')).toBe(methods);
    expect(seen.get('Content-Type')).toBeNull();
  });
});

test('HEAD is answered as GET is, without a body', async () => {
  const client = await Client.loggedIn(start().fetch);
  const headers = { Authorization: `bearer ${client.token}` };
  const head = await client.send('HEAD', '/functions', { headers });
  expect(head).toMatchObject({ status: 200, body: '' });
  expect(head.headers.get('Record-Count')).toBe('1');
});

test('metric names are listed, sorted', async () => {
  const client = await Client.loggedIn(start().fetch);
  const { status, body } = await client.get('/functions/metrics/names/');
  const names = (body as { metric_names: string[] }).metric_names;
  expect(status).toBe(200);
  expect(names).toContain('vm_cpu_perc');
  expect(names).toEqual([...names].sort());
});

describe('rate limits', () => {
  const full = refusal(429, 'GtkApi: Too many user creation requests were made');

  test('are off unless they are asked for', async () => {
    const client = await Client.loggedIn(start().fetch);
    for (let i = 0; i < 30; i++) expect((await client.get('/functions')).status).toBe(200);
  });

  test('let a user make ten requests, and one more a second', async () => {
    const { fetch, clock } = start({ rateLimits: true });
    const client = await Client.loggedIn(fetch);
    const other = await Client.loggedIn(fetch, 'demo', 'demo');
    for (let i = 0; i < 10; i++) expect((await client.get('/functions')).status).toBe(200);
    expect(await client.get('/functions')).toMatchObject(full);
    expect(await client.get(`/functions/${FUNCTION}`)).toMatchObject(full);
    const limited = ['/functions/metrics/names', '/services', '/packages', '/records/functions', '/records/services'];
    for (const path of [...limited, '/requests', '/licences']) expect(await client.get(path)).toMatchObject(full);
    expect((await other.get('/functions')).status).toBe(200);
    clock.advanceNow(1000);
    expect((await client.get('/functions')).status).toBe(200);
    expect(await client.get('/functions')).toMatchObject(full);
    clock.advanceNow(10_000);
    for (let i = 0; i < 10; i++) expect((await client.get('/functions')).status).toBe(200);
    expect(await client.get('/functions')).toMatchObject(full);
  });

  test('are shared by all who need no token, and come before every other check', async () => {
    const { fetch, clock } = start({ rateLimits: true });
    const client = new Client(fetch);
    const paths = ['/micro-services/public-key', LIVE, HISTORY, `${MONITORING}/synch-mon-data`];
    for (let i = 0; i < 10; i++) expect((await client.send('GET', paths[i % 4] ?? '')).status).not.toBe(429);
    for (const path of paths) expect(await client.send('GET', path)).toMatchObject(full);
    expect(await client.send('POST', '/sessions', { body: '{' })).toMatchObject(full);
    expect(await client.send('DELETE', '/sessions')).toMatchObject(full);
    for (const path of ['/kpis', '/kpis/collected?name=x', '/available-services']) {
      expect(await client.send('GET', path)).toMatchObject(full);
    }
    expect(await client.send('PUT', '/kpis', { body: '{' })).toMatchObject(full);
    const eve = { username: 'eve', password: 'x', email: 'x', user_type: 'admin' };
    expect(await client.send('POST', '/users', { body: JSON.stringify(eve) })).toMatchObject(full);
    // Only there are parameters looked at first.
    expect((await client.send('POST', '/users', { body: '{}' })).status).toBe(400);
    expect(await client.send('GET', '/functions')).toMatchObject(
      refusal(401, 'Unauthorized: missing authorization header'),
    );
    clock.advanceNow(5_000);
    expect(await client.send('GET', paths[0] ?? '')).toMatchObject(full);
    clock.advanceNow(1_000);
    expect((await client.send('GET', paths[0] ?? '')).status).toBe(200);
  });
});
