import { describe, expect, test } from 'vitest';
import {
  type Client,
  FUNCTION,
  guided,
  INSTANCE,
  PACKAGE,
  refusal,
  SERVICE,
  SERVICE_INSTANCE,
  TODAY,
  VC,
} from './testing.ts';
import { zip } from './zip.ts';

async function start() {
  const { client, checked, world } = await guided();
  const counted = async (name: string) => {
    const { body } = await client.send('GET', `/api/v2/kpis?name=${name}`);
    return (body as { data: { metrics: { labels: Record<string, string>; value: string }[] } }).data.metrics;
  };
  return { client, checked, world, counted };
}

const archive = (manifest: string): Uint8Array =>
  zip(
    new Map([
      ['META-INF/MANIFEST.MF', Buffer.from(manifest)],
      ['s.yml', new Uint8Array()],
    ]),
  );

const MONITORING = `/functions/metrics/${INSTANCE}/vdu01/${VC}`;

describe('counted is', () => {
  test.each([
    ['GET', '/functions', 'functions_metadata_queries', 'functions', ''],
    ['GET', `/functions/${FUNCTION}`, 'function_metadata_queries', 'functions', FUNCTION],
    ['GET', '/functions/metrics/names', 'functions_metrics_queries', 'metrics', ''],
    [
      'GET',
      `${MONITORING}/asynch-mon-data?metrics=vm_up&since=1&until=1&step=1`,
      'asynch_monitoring_data_requests',
      'metrics',
      INSTANCE,
    ],
    ['GET', `${MONITORING}/synch-mon-data?metrics=vm_up`, 'synch_monitoring_data_requests', 'metrics', INSTANCE],
    ['GET', '/records/functions', 'records_requests', 'records', ''],
    ['GET', `/records/services/${SERVICE_INSTANCE}`, 'single_record_queries', 'records', SERVICE_INSTANCE],
    ['GET', '/services', 'services_metadata_queries', 'services', ''],
    ['GET', `/services/${SERVICE}`, 'service_metadata_queries', 'services', SERVICE],
    ['GET', '/packages', 'packages_queries', 'packages', ''],
    ['GET', `/packages/${PACKAGE}`, 'single_package_queries', 'packages', PACKAGE],
    ['DELETE', '/sessions', 'user_logout_requests', 'users', ''],
  ])('%s %s as %s', async (method, path, counter, module, uuid) => {
    const { client, counted } = await start();
    await client.send(method, path, { headers: { Authorization: `bearer ${client.token}` } });
    expect(await counted(counter)).toEqual([
      {
        labels: { result: 'ok', method, module, uuid, elapsed_time: '0.0', time_stamp: '2017-08-29T14:00:00.000Z' },
        value: '1',
      },
    ]);
    const { body } = await client.send('GET', '/kpis');
    expect(body).toMatchObject({ status: 200, data: [{ name: counter, type: 'counter' }] });
  });

  test('what happens to packages', async () => {
    const { client, checked, counted } = await start();
    const headers = { Authorization: `bearer ${client.token}` };
    const manifest = '{ vendor: v, name: n, version: "1", entry_service_template: s.yml }';
    const body = new FormData();
    body.set('package', new Blob([Buffer.from(archive(manifest))]), 'x.son');
    const { uuid } = (await client.send('POST', '/packages', { body, headers })).body as { uuid: string };
    await checked(new Request(`http://x/packages/${uuid}/download`, { headers }));
    for (let i = 0; i < 2; i++) await client.send('DELETE', `/packages/${uuid}`, { headers });
    const seen = async (counter: string) =>
      (await counted(counter)).map(({ labels }) => [labels.method, labels.module, labels.result, labels.uuid]);
    expect(await seen('package_on_boardings')).toEqual([['POST', 'packages', 'ok', '']]);
    expect(await seen('package_downloads')).toEqual([['GET', 'packages', 'ok', uuid]]);
    expect(await seen('packages_deletions')).toEqual([
      ['DELETE', 'packages', 'ok', uuid],
      ['DELETE', 'packages', 'not found', uuid],
    ]);
  });

  test('why a request was refused', async () => {
    const { client, counted } = await start();
    const results = async () => (await counted('functions_metadata_queries')).map(({ labels }) => labels.result);
    await client.send('GET', '/functions');
    await client.send('GET', '/functions', { headers: { Authorization: 'bearer dead' } });
    await client.send('GET', '/functions', { headers: { Authorization: 'dead' } });
    expect(await results()).toEqual(['Unauthorized', 'unauthorized', 'bad request']);
    await client.get('/functions/x');
    expect(await counted('function_metadata_queries')).toMatchObject([{ labels: { result: 'not found', uuid: 'x' } }]);
    await client.send('POST', '/packages');
    expect(await counted('package_on_boardings')).toMatchObject([
      { labels: { result: 'bad request', method: 'POST' } },
    ]);
  });

  test('historical data as live data when parameters or rights are missing, and live data not at all', async () => {
    const { client, counted } = await start();
    await client.get(`${MONITORING}/asynch-mon-data?metrics=vm_up`);
    await client.get(`${MONITORING}/synch-mon-data`);
    expect(await counted('asynch_monitoring_data_requests')).toEqual([]);
    expect(await counted('synch_monitoring_data_requests')).toMatchObject([{ labels: { result: 'bad request' } }]);
    const dead = { headers: { Authorization: 'bearer dead' } };
    await client.send('GET', `${MONITORING}/asynch-mon-data?metrics=vm_up&since=1&until=1&step=1`, dead);
    const [, forbidden] = await counted('synch_monitoring_data_requests');
    expect(forbidden).toMatchObject({ labels: { result: 'forbidden' } });
  });

  test('not what stands in the place of a UUID, if it is very long', async () => {
    const { client, counted } = await start();
    for (const length of [100, 101]) await client.get(`/functions/${'x'.repeat(length)}`);
    const seen = await counted('function_metadata_queries');
    expect(seen.map(({ labels }) => labels.uuid)).toEqual(['x'.repeat(100), '']);
  });

  test('every request, those with equal labels together', async () => {
    const { client, counted } = await start();
    for (let i = 0; i < 3; i++) await client.get('/functions');
    expect(await counted('functions_metadata_queries')).toMatchObject([{ value: '3' }]);
  });
});

test('a counter that there is not is not found', async () => {
  const { client } = await start();
  expect(await client.send('GET', '/kpis?name=x')).toMatchObject(refusal(404, 'KPI x not found'));
});

describe('what Prometheus collected of a counter', () => {
  const range = (more = '') =>
    `/kpis/collected?name=functions_metadata_queries&start=${TODAY / 1000}&end=${TODAY / 1000 + 60}&step=10${more}`;

  test('is a matrix that begins with the first scrape and ends now', async () => {
    const { client, world } = await start();
    world.clock.advanceNow(5000);
    await client.get('/functions');
    world.clock.advanceNow(30_000);
    const { body } = await client.send('GET', range());
    expect(body).toMatchObject([
      {
        metric: { __name__: 'functions_metadata_queries', exported_job: 'sonata', result: 'ok' },
        values: [
          [TODAY / 1000 + 20, '1'],
          [TODAY / 1000 + 30, '1'],
        ],
      },
    ]);
    const labelled = '&labels[][labeltag]=result&labels[][labelid]=';
    expect((await client.send('GET', range(`${labelled}ok`))).body).toEqual(body);
    expect((await client.send('GET', range(`${labelled}forbidden`))).body).toEqual([]);
  });

  test.each([
    ['', 'The KPI name must be given'],
    ['?name=x', 'The KPI start date must be given'],
    ['?name=x&start=1', 'The KPI end date must be given'],
    ['?name=x&start=1&end=2', 'The KPI step must be given'],
    ['?name=x&start=1&end=2&step=x', 'Error collecting the KPIs'],
  ])('asked for with %j is refused', async (query, message) => {
    const { client } = await start();
    expect(await client.send('GET', `/kpis/collected${query}`)).toMatchObject(refusal(400, message));
  });
});

describe('users', () => {
  test('are a page to an administrator', async () => {
    const { client } = await start();
    const { body } = await client.login('sonata', '1234');
    client.token = (body as { token: { access_token: string } }).token.access_token;
    const seen = await client.get('/users');
    expect(seen.body).toMatchObject([
      { username: 'sonata', user_type: 'admin' },
      { username: 'demo', user_type: 'developer,customer' },
    ]);
    expect(seen.headers.get('Record-Count')).toBe('2');
    expect(seen.headers.get('Link')).toContain('rel="last"');
    expect((await client.get('/users?offset=1&limit=1')).body).toMatchObject([{ username: 'demo' }]);
  });

  test('see themselves, under the uuid that is in their tokens', async () => {
    const { client } = await start();
    const { sub } = JSON.parse(Buffer.from(client.token.split('.')[1] ?? '', 'base64url').toString());
    const { body, headers } = await client.get('/users');
    expect(body).toMatchObject({ username: 'demo', uuid: sub });
    expect(headers.get('Link')).toBeNull();
  });

  test('need a token', async () => {
    const { client } = await start();
    expect(await client.send('GET', '/users')).toMatchObject(
      refusal(401, 'Unauthorized: missing authorization header'),
    );
    expect(await client.send('GET', '/users', { headers: { Authorization: 'bearer dead' } })).toMatchObject(
      refusal(401, 'User provided token was not valid'),
    );
  });
});

test('the services behind the API are as old as the world', async () => {
  const { client, world } = await start();
  world.clock.advanceNow(1500);
  const { body } = await client.send('GET', '/available-services');
  const names =
    'api packages services functions records licences vims wims kpis users micro-services catalogue metrics';
  const url = 'http://gatekeeper.example:1337';
  expect(body).toEqual(
    [...names.split(' '), 'validator', 'rate_limiter'].map((name) => ({
      name,
      url,
      alive_since: '2017-08-29T14:00:00.000+00:00',
      seconds: 1.5,
    })),
  );
});

test('registrations are counted, by how they went', async () => {
  const { client, counted } = await start();
  const eve = { username: 'eve', password: 'x', email: 'x', user_type: 'developer' };
  for (const body of [eve, { ...eve, username: '' }]) {
    await client.send('POST', '/users', { body: JSON.stringify(body) });
  }
  expect(
    (await counted('user_registrations')).map(({ labels: { result, method, module } }) => [result, method, module]),
  ).toEqual([
    ['ok', 'POST', 'users'],
    ['bad request', 'POST', 'users'],
  ]);
});

describe('other parts of the platform', () => {
  const update = {
    job: 'sonata',
    instance: 'gtkvim',
    metric_type: 'counter',
    name: 'vim_registrations',
    docstring: 'how many VIMs were registered',
    base_labels: { result: 'ok', uuid: 7 },
  };
  const put = (client: Client, body: unknown) =>
    client.send('PUT', '/kpis', { body: typeof body === 'string' ? body : JSON.stringify(body) });

  test('may count as well, without a token', async () => {
    const { client, world, counted } = await start();
    for (let i = 0; i < 2; i++) expect(await put(client, update)).toMatchObject({ status: 201, body: '' });
    await put(client, { ...update, base_labels: { result: 'forbidden' } });
    expect(await counted('vim_registrations')).toEqual([
      { labels: { result: 'ok', uuid: '7' }, value: '2' },
      { labels: { result: 'forbidden' }, value: '1' },
    ]);
    const all = (await client.send('GET', '/kpis')).body as { data: { name: string; help: string }[] };
    expect(all.data.at(-1)).toMatchObject({ name: 'vim_registrations', help: 'how many VIMs were registered' });
    world.clock.advanceNow(60_000);
    const at = TODAY / 1000;
    const path = `/kpis/collected?name=vim_registrations&start=${at}&end=${at + 30}&step=15`;
    const labels = '&labels[][labeltag]=result&labels[][labelid]=ok';
    expect((await client.send('GET', path + labels)).body).toMatchObject([
      {
        metric: { __name__: 'vim_registrations', job: 'sonata', uuid: '7' },
        values: [
          [at, '2'],
          [at + 15, '2'],
          [at + 30, '2'],
        ],
      },
    ]);
  });

  test('may add to what the Gatekeeper counts', async () => {
    const { client, counted } = await start();
    await put(client, { ...update, name: 'packages_queries', base_labels: {} });
    expect(await counted('packages_queries')).toEqual([{ labels: {}, value: '1' }]);
  });

  test.each([
    ['', 'No params specified for the create request'],
    ['[]', 'No params specified for the create request'],
    [{ ...update, name: 'a b' }, 'Metric was not updated for update_metric'],
    [{ ...update, name: undefined }, 'Metric was not updated for update_metric'],
    [{ ...update, name: 'x'.repeat(1001) }, 'Metric was not updated for update_metric'],
    [{ ...update, base_labels: [] }, 'Metric was not updated for update_metric'],
    [{ ...update, docstring: 7 }, 'Metric was not updated for update_metric'],
    [{ ...update, metric_type: 'gauge' }, 'Metric was not updated for update_metric vim_registrations'],
    [{ ...update, base_labels: { a: 'x'.repeat(1000) } }, 'Metric was not updated for update_metric vim_registrations'],
    [
      { ...update, base_labels: { a: 'x'.repeat(500), b: 'x'.repeat(500) } },
      'Metric was not updated for update_metric vim_registrations',
    ],
    [{ ...update, base_labels: { a: [] } }, 'Metric was not updated for update_metric vim_registrations'],
    [{ ...update, base_labels: { a: {} } }, 'Metric was not updated for update_metric vim_registrations'],
    [
      { ...update, base_labels: Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`l${i}`, ''])) },
      'Metric was not updated for update_metric vim_registrations',
    ],
  ])('may not say %.60j', async (body, message) => {
    const { client } = await start();
    expect(await put(client, body)).toMatchObject(refusal(400, message));
  });

  test('may not fill the memory with names', async () => {
    const { client } = await start();
    for (let i = 0; i < 1000; i++) expect((await put(client, { ...update, name: `n${i}` })).status).toBe(201);
    expect((await put(client, { ...update, name: 'one_more' })).status).toBe(400);
    expect((await put(client, { ...update, name: 'n0' })).status).toBe(201);
  });
});
