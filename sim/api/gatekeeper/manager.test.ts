import { describe, expect, test } from 'vitest';
import { checkedFetch } from '../../../contracts/checked.ts';
import { loadContracts } from '../../../contracts/contract.ts';
import { createSimulator } from '../../simulator.ts';
import { Client, TODAY, userGuide, VC } from './testing.ts';

const contracts = await loadContracts();

function start() {
  const { fetch, world } = createSimulator({ epochMs: TODAY, furnish: userGuide });
  const client = new Client(checkedFetch(fetch, contracts, world.config.deviations));
  const get = (path: string) => client.send('GET', `/monitoring/api/v1${path}`);
  const post = (path: string, body: unknown, type = 'application/json') =>
    client.send('POST', `/monitoring/api/v1${path}`, {
      body: typeof body === 'string' ? body : JSON.stringify(body),
      headers: { 'Content-Type': type },
    });
  return { client, get, post };
}

const DATA = '/prometheus/metrics/data';
const RANGE = { name: 'vm_mem_perc', start: TODAY / 1000 - 60, end: `${TODAY / 1000}`, step: '30s' };
const STREAM = { metric: 'vm_cpu_perc', filters: [`id='${VC}'`, "type='vnf'"] };

test('metrics are listed', async () => {
  const { body } = await start().get('/prometheus/metrics/list');
  const { metrics } = body as { metrics: string[] };
  expect(metrics).toContain('vm_cpu_perc');
  expect(metrics).toEqual([...metrics].sort());
});

describe('a metric by name', () => {
  test('is the newest sample of each series', async () => {
    const { body } = await start().get('/prometheus/metrics/name/vm_cpu_perc/');
    expect(body).toMatchObject({
      metrics: {
        resultType: 'vector',
        result: [
          { metric: { core: 'cpu', exported_job: 'vm' } },
          { metric: { core: 'cpu', id: VC }, value: [TODAY / 1000, expect.stringMatching(/^\d/)] },
          { metric: { core: 'cpu0', exported_job: 'vm' } },
          { metric: { core: 'cpu0', id: VC } },
          // Of the platform's machine, which has more cores.
          ...Array.from({ length: 15 }, () => ({ metric: { exported_job: 'vm' } })),
        ],
      },
    });
  });

  test.each([
    ['cnt_status', 'sonata'],
    ['opennebula_vm_state', 'opennebula_exporter'],
  ])('has series of any job: those of %s are of %s', async (name, job) => {
    const { body } = await start().get(`/prometheus/metrics/name/${name}/`);
    const { metrics } = body as { metrics: { result: { metric: { job: string }; value: [number, string] }[] } };
    expect(metrics.result.length).toBeGreaterThan(0);
    for (const { metric, value } of metrics.result) expect([metric.job, value[0]]).toEqual([job, TODAY / 1000]);
  });

  test('is empty if it was never seen, and refused if it is no name', async () => {
    const { get } = start();
    expect((await get('/prometheus/metrics/name/x/')).body).toEqual({ metrics: { resultType: 'vector', result: [] } });
    expect(await get('/prometheus/metrics/name/1x/')).toMatchObject({ status: 400 });
  });

  test('is found by way of a redirection without its slash', async () => {
    const { headers, status } = await start().get('/prometheus/metrics/name/vm_up?x=1');
    expect(status).toBe(301);
    expect(headers.get('Location')).toBe(
      'http://gatekeeper.example:1337/monitoring/api/v1/prometheus/metrics/name/vm_up/?x=1',
    );
  });
});

describe('the history of a metric', () => {
  test('is a matrix of the series that have all labels', async () => {
    const { post } = start();
    const labels = [{ labeltag: 'id', labelid: VC }];
    const { body } = await post(DATA, { ...RANGE, labels });
    const result = [{ metric: { id: VC }, values: [{}, {}, {}] }];
    expect(body).toMatchObject({ metrics: { resultType: 'matrix', result } });
    expect((await post(DATA, RANGE)).body).toMatchObject({
      metrics: { result: [{ metric: { exported_instance: 'sonata-sp' } }, ...result] },
    });
    expect((await post(DATA, { ...RANGE, labels: [{ labeltag: 'id', labelid: 'x' }] })).body).toEqual({
      metrics: { resultType: 'matrix', result: [] },
    });
  });

  test('is refused as Prometheus does when the range makes no sense', async () => {
    expect(await start().post(DATA, { ...RANGE, start: 'yesterday' })).toMatchObject({
      status: 200,
      body: { status: 'error', errorType: 'bad_data', error: 'cannot parse "yesterday" to a valid timestamp' },
    });
  });

  test.each(['name', 'start', 'end', 'step'])('needs %s', async (key) => {
    expect(await start().post(DATA, { ...RANGE, [key]: undefined })).toMatchObject({
      status: 400,
      body: { detail: `${key} is missing.` },
    });
  });

  test.each([1, ['id'], [{ labeltag: 'id' }], [{ labeltag: 'id', labelid: 1 }]])(
    'is refused for the labels %j',
    async (labels) => {
      expect(await start().post(DATA, { ...RANGE, labels })).toMatchObject({
        status: 400,
        body: { detail: 'labels is no list of labeltag and labelid.' },
      });
    },
  );

  test('needs JSON that is said to be JSON', async () => {
    const { post } = start();
    for (const path of [DATA, '/ws/new']) {
      expect(await post(path, '{')).toMatchObject({
        status: 400,
        body: { detail: expect.stringMatching(/^JSON parse/) },
      });
      expect(await post(path, '[]')).toMatchObject({ status: 400 });
      expect(await post(path, '{}', 'text/plain')).toMatchObject({
        status: 415,
        body: { detail: 'Unsupported media type "text/plain" in request.' },
      });
    }
  });
});

describe('a stream', () => {
  test.each([STREAM, { metric: 'vm_cpu_perc' }, { ...STREAM, filters: String(STREAM.filters) }])(
    'is opened by %j',
    async (asked) => {
      const { body } = await start().post('/ws/new', asked);
      expect(body).toEqual({
        status: 'SUCCESS',
        metric: 'vm_cpu_perc',
        ws_url: expect.stringMatching(/^ws:\/\/gatekeeper\.example:1337\/ws\/[0-9a-f]{32}$/),
      });
    },
  );

  test.each([{}, { metric: '' }, { metric: 1 }, { ...STREAM, filters: 1 }, { ...STREAM, filters: 'x'.repeat(5000) }])(
    'is not opened by %j',
    async (asked) => {
      const { body } = await start().post('/ws/new', asked);
      expect(body).toEqual({ status: 'FAIL', ws_url: null });
    },
  );
});

describe('slashes and methods are strict', () => {
  test.each([
    ['GET', '/prometheus/metrics/list/', 404],
    ['GET', '/prometheus', 404],
    ['GET', '/prometheus/metrics/name/a%2Fb/', 404],
    ['POST', '/ws/new/', 404],
    ['PUT', '/ws/new', 405],
    ['GET', DATA, 405],
    ['DELETE', '/prometheus/metrics/list', 405],
  ])('%s %s is %i', async (method, path, status) => {
    expect((await start().client.send(method, `/monitoring/api/v1${path}`)).status).toBe(status);
  });

  test.each(['/prometheus/metrics/list', '/prometheus/metrics/name/x/', DATA, '/ws/new'])(
    'pages of any origin may call %s',
    async (path) => {
      const { headers, status } = await start().client.send('OPTIONS', `/monitoring/api/v1${path}`);
      expect(status).toBe(200);
      expect(headers.get('Access-Control-Allow-Methods')).toBe('GET, OPTIONS, POST');
    },
  );
});

test('on a port of its own it has no prefix, and nothing else is there', async () => {
  const { fetch } = createSimulator({ epochMs: TODAY, furnish: userGuide });
  const ask = (path: string, init: RequestInit = {}) =>
    fetch(new Request(`http://manager.example:8000${path}`, init), 'monitoring');
  const list = await ask('/api/v1/prometheus/metrics/list');
  expect([list.status, list.headers.get('Access-Control-Allow-Origin')]).toEqual([200, '*']);
  const redirected = await ask('/api/v1/prometheus/metrics/name/vm_up');
  expect([redirected.status, redirected.headers.get('Location')]).toEqual([
    301,
    'http://manager.example:8000/api/v1/prometheus/metrics/name/vm_up/',
  ]);
  const headers = { 'Content-Type': 'application/json' };
  const made = await ask('/api/v1/ws/new', { method: 'POST', headers, body: JSON.stringify(STREAM) });
  expect(await made.json()).toMatchObject({
    status: 'SUCCESS',
    ws_url: expect.stringMatching(/^ws:\/\/manager\.example:8000\/ws\/[0-9a-f]{32}$/),
  });
  for (const path of ['/functions', '/monitoring/api/v1', '/']) expect((await ask(path)).status).toBe(404);
  expect((await ask('/monitoring/api/v1/prometheus/metrics/list')).status).toBe(200);
});

test('pages of any origin may read what it says, refusals too', async () => {
  const { client } = start();
  const BASE = '/monitoring/api/v1';
  const headers = { Origin: 'https://gui.example', 'Content-Type': 'application/json' };
  for (const [method, path, status] of [
    ['GET', '/prometheus/metrics/list', 200],
    ['GET', '/prometheus/metrics/name/vm_up', 301],
    ['GET', '/nowhere', 404],
    ['PUT', '/prometheus/metrics/data', 405],
  ] as const) {
    const seen = await client.send(method, `${BASE}${path}`, { headers });
    expect([seen.status, seen.headers.get('Access-Control-Allow-Origin')]).toEqual([status, '*']);
  }
  const refused = await client.send('POST', `${BASE}/ws/new`, { headers, body: '{' });
  expect([refused.status, refused.headers.get('Access-Control-Allow-Origin')]).toEqual([400, '*']);
});
