import { describe, expect, test } from 'vitest';
import { checkedFetch } from '../../../contracts/checked.ts';
import { loadContracts } from '../../../contracts/contract.ts';
import type { Cloud } from '../../one/cloud.ts';
import { addHost } from '../../one/resources/host.ts';
import { createSimulator } from '../../simulator.ts';

const contracts = await loadContracts();

const SINCE = Date.parse('2017-08-28T15:23:31Z');
const NOW = Date.parse('2017-08-29T14:00:00Z');
const VC = 'fa8869e3-cc5f-4a5e-8520-932226d804e1';

/** A machine with three cores that has been running for a day, and one that is younger. */
function furnish(cloud: Cloud): void {
  addHost(cloud, { name: 'host0', imMad: 'dummy', vmMad: 'dummy' });
  for (const [attributes, from] of [
    [`NAME=vtc CPU=1 VCPU=3 MEMORY=2048 VNF_NAME=vtc-vnf VC_ID=${VC}`, SINCE],
    ['NAME=bare CPU=1 VCPU=1 MEMORY=512 DISK=[TYPE=fs, FORMAT=raw, SIZE=1024]', NOW - 3_600_000],
  ] as const) {
    const vmId = cloud.run(cloud.root, 'one.vm.allocate', attributes);
    cloud.driver.adopt(cloud.vms.get(vmId), cloud.hosts.get(0), from);
  }
}

const ORIGIN = 'http://127.0.0.1:1337';

interface Seen {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: { readonly status: string; readonly data: unknown; readonly error: string };
}

function start() {
  const { fetch, world } = createSimulator({ epochMs: NOW });
  furnish(world.cloud);
  const checked = checkedFetch(fetch, contracts, world.config.deviations);
  async function send(path: string, more: RequestInit = {}): Promise<Seen> {
    const response = await checked(new Request(ORIGIN + path, more));
    const text = await response.text();
    const isJson = response.headers.get('Content-Type') === 'application/json';
    return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : undefined };
  }
  const get = (path: string, parameters: Record<string, string> = {}): Promise<Seen> =>
    send(`/api/v1${path}?${new URLSearchParams(parameters)}`);
  return { send, get, world };
}

const { get, send } = start();
const ask = async (query: string, time = `${NOW / 1000}`): Promise<unknown> =>
  (await get('/query', { query, time })).body.data;

describe('instant queries', () => {
  test('give the newest sample of each series, with its labels sorted', async () => {
    const { text } = await get('/query', { query: `vm_cpu_perc{id="${VC}",core=~"cpu|cpu0"}` });
    const labels = `"exported_instance":"vtc-vnf","exported_job":"vnf","group":"development","id":"${VC}"`;
    const rest = `"instance":"pushgateway:9091","job":"sonata"`;
    const row = (core: string): string =>
      `{"metric":{"__name__":"vm_cpu_perc","core":"${core}",${labels},${rest}},"value":[${NOW / 1000},"N"]}`;
    expect(text.replace(/"\d+(\.\d+)?"]/g, '"N"]')).toBe(
      `{"status":"success","data":{"resultType":"vector","result":[${row('cpu')},${row('cpu0')}]}}`,
    );
  });

  test('are about now unless they say otherwise', async () => {
    expect((await get('/query', { query: 'time()' })).body.data).toEqual({
      resultType: 'scalar',
      result: [NOW / 1000, `${NOW / 1000}`],
    });
  });

  test.each([
    ['1e-7', [1.5, '1e-07']],
    ['1e21', [1.5, '1e+21']],
    ['1e20', [1.5, '100000000000000000000']],
    ['-0', [1.5, '-0']],
    ['1 / 0', [1.5, '+Inf']],
    ['-1 / 0', [1.5, '-Inf']],
    ['0 / 0', [1.5, 'NaN']],
  ])('write %s as Prometheus does', async (query, result) => {
    expect(await ask(query, '1.5')).toEqual({ resultType: 'scalar', result });
  });

  test('write times with three decimals or none', async () => {
    expect((await get('/query', { query: '1', time: '1.5' })).text).toContain('[1.500,"1"]');
    expect((await get('/query', { query: '1', time: '-1.05' })).text).toContain('[-1.050,"1"]');
    expect((await get('/query', { query: '1', time: '2017-08-29T14:00:00Z' })).text).toContain(`[${NOW / 1000},"1"]`);
  });

  test('give strings, and samples in a range with the times at which they were pushed', async () => {
    expect(await ask('"x"')).toEqual({ resultType: 'string', result: [NOW / 1000, 'x'] });
    const { result } = (await ask(`vm_up{id="${VC}"}[1m]`)) as { result: { values: [number, string][] }[] };
    const times = result[0]?.values.map(([at]) => at) ?? [];
    expect(times).toHaveLength(4);
    expect(result[0]?.values).toEqual(times.map((at) => [at, `${at}`]));
  });

  test('count every machine once', async () => {
    // With the machine of the platform.
    expect(await ask('count(vm_up)')).toMatchObject({ result: [{ metric: {}, value: [NOW / 1000, '3'] }] });
    expect(await ask('count by (exported_job) (vm_up)')).toMatchObject({
      result: [
        { metric: { exported_job: 'vm' }, value: [NOW / 1000, '2'] },
        { metric: { exported_job: 'vnf' }, value: [NOW / 1000, '1'] },
      ],
    });
  });
});

describe('range queries', () => {
  const RANGE = { start: '1504011287', end: '1504012281', step: '14' };

  test('answer the example of the documentation as the Gatekeeper does', async () => {
    const query = `vm_cpu_perc{id="${VC}",exported_job="vnf"}`;
    const { data } = (await get('/query_range', { query, ...RANGE })).body;
    const { result } = data as { result: { metric: { core: string }; values: unknown[] }[] };
    expect(result.map(({ metric, values }) => [metric.core, values.length])).toEqual([
      ['cpu', 72],
      ['cpu0', 72],
      ['cpu1', 72],
      ['cpu2', 72],
    ]);
  });

  test('sort a matrix by labels, whatever the query sorts', async () => {
    const sorted = await get('/query_range', {
      query: 'sort_desc(vm_mem_perc)',
      ...RANGE,
      end: `${NOW / 1000}`,
      step: '1h',
    });
    const plain = await get('/query_range', { query: 'vm_mem_perc', ...RANGE, end: `${NOW / 1000}`, step: '1h' });
    expect(sorted.body.data).toEqual(plain.body.data);
  });

  test('make a series of a scalar, and nothing of nothing', async () => {
    const { data } = (await get('/query_range', { query: '2', start: '1', end: '3', step: '1' })).body;
    expect(data).toEqual({
      resultType: 'matrix',
      result: [
        {
          metric: {},
          values: [
            [1, '2'],
            [2, '2'],
            [3, '2'],
          ],
        },
      ],
    });
    expect((await get('/query_range', { query: 'nothing', ...RANGE })).text).toContain('"result":[]');
  });

  test('take 11,001 points, and no more', async () => {
    const points = async (end: string): Promise<Seen> =>
      get('/query_range', { query: '1', start: '0', end, step: '1' });
    expect((await points('11000')).text.split('],[')).toHaveLength(11_001);
    expect(await points('11001')).toMatchObject({
      status: 400,
      body: {
        status: 'error',
        errorType: 'bad_data',
        error:
          'exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)',
      },
    });
  });

  test.each([
    [{ start: '' }, 'invalid parameter "start": cannot parse "" to a valid timestamp'],
    [{ end: 'x' }, 'invalid parameter "end": cannot parse "x" to a valid timestamp'],
    [
      { start: '2022-01-01T00:00:00' },
      'invalid parameter "start": cannot parse "2022-01-01T00:00:00" to a valid timestamp',
    ],
    [{ end: '1' }, 'invalid parameter "end": end timestamp must not be before start time'],
    [{ step: 'x' }, 'invalid parameter "step": cannot parse "x" to a valid duration'],
    [{ step: '1e20' }, 'invalid parameter "step": cannot parse "1e20" to a valid duration. It overflows int64'],
    [
      { step: '0' },
      'invalid parameter "step": zero or negative query resolution step widths are not accepted. Try a positive integer',
    ],
    [
      { step: '-1' },
      'invalid parameter "step": zero or negative query resolution step widths are not accepted. Try a positive integer',
    ],
    [{ timeout: 'x' }, 'invalid parameter "timeout": cannot parse "x" to a valid duration'],
    [{ query: '' }, 'invalid parameter "query": 1:1: parse error: no expression found in input'],
    [{ query: 'up[5m]' }, 'invalid expression type "range vector" for range query, must be Scalar or instant Vector'],
    [{ query: '"x"' }, 'invalid expression type "string" for range query, must be Scalar or instant Vector'],
  ])('refuse %j', async (odd, error) => {
    const answer = await get('/query_range', { query: '1', ...RANGE, ...odd });
    expect(answer).toMatchObject({ status: 400, body: { status: 'error', errorType: 'bad_data', error } });
  });

  test('take durations as steps', async () => {
    const { text } = await get('/query_range', { query: '1', start: '0', end: '180', step: '1m30s' });
    expect(text).toContain('[[0,"1"],[90,"1"],[180,"1"]]');
  });
});

test('what cannot be carried out is an error of execution', async () => {
  expect(await get('/query', { query: '{job="sonata"} + 1' })).toMatchObject({
    status: 422,
    body: { errorType: 'execution', error: 'vector cannot contain metrics with the same labelset' },
  });
});

test.each([
  ['max_over_time(vm_up[5m:1m])', '1:15: parse error: subqueries are not supported'],
  ['1 + label_replace(vm_up, "a", "b", "c", "d")', '1:5: parse error: the function label_replace is not supported'],
  ['histogram_quantile(0.9, vm_up)', '1:1: parse error: the function histogram_quantile is not supported'],
  ['count_values("x", vm_up)', '1:1: parse error: the aggregation count_values is not supported'],
  ['vm_up[5m + 5m]', '1:7: parse error: duration expressions are not supported'],
  ['{"vm_up"}', '1:2: parse error: quoted label names are not supported'],
])('what is not supported is refused by name: %s', async (query, message) => {
  expect((await get('/query', { query })).body.error).toBe(`invalid parameter "query": ${message}`);
});

describe('forms', () => {
  const form = (body: string, path = '/query', type = 'application/x-www-form-urlencoded'): Promise<Seen> =>
    send(`/api/v1${path}`, { method: 'POST', body, headers: { 'Content-Type': type } });

  test('are as good as query strings, and come before them', async () => {
    expect((await form('query=1%2B1&time=4')).text).toContain('[4,"2"]');
    expect((await form('query=2', '/query?query=1&time=4')).text).toContain('[4,"2"]');
    expect((await form('query=3&time=4', '/query', 'application/x-www-form-urlencoded; charset=utf-8')).text).toContain(
      '"3"',
    );
    expect((await form('match[]=vm_up', '/labels')).body.data).toContain('exported_job');
    expect((await form('match[]=vm_up', '/series')).body.data).toHaveLength(3);
    expect((await form('query=vm_up', '/query_exemplars')).body.data).toEqual([]);
    expect((await form('query=1&start=1&end=2&step=1', '/query_range')).text).toContain('[1,"1"],[2,"1"]');
  });

  test('of another type are not looked at', async () => {
    expect(await form('query=1', '/query', 'text/plain')).toMatchObject({ status: 400 });
  });

  test('that are too large are refused', async () => {
    expect(await form(`query=${'1'.repeat(5_000_000)}`)).toMatchObject({
      status: 400,
      body: { error: 'error parsing form values: http: request body too large' },
    });
  });
});

describe('labels and series', () => {
  test('are found by selectors', async () => {
    const { data } = (await get('/series', { 'match[]': `vm_cpu_perc{id="${VC}"}` })).body;
    expect((data as { core: string }[]).map(({ core }) => core)).toEqual(['cpu', 'cpu0', 'cpu1', 'cpu2']);
    const ofVms = { 'match[]': 'vm_cpu_perc{exported_instance!="sonata-sp"}' };
    expect((await get('/label/core/values', ofVms)).body.data).toEqual(['cpu', 'cpu0', 'cpu1', 'cpu2']);
    expect((await get('/label/core/values')).body.data).toHaveLength(17);
    expect((await get('/label/core/values', { 'match[]': 'vm_up' })).body.data).toEqual([]);
    expect((await get('/label/__name__/values')).body.data).toContain('vm_mem_perc');
    expect((await get('/labels', { 'match[]': 'vm_up' })).body.data).toEqual([
      '__name__',
      'exported_instance',
      'exported_job',
      'group',
      'id',
      'instance',
      'job',
    ]);
  });

  test('are those of the time that is asked for', async () => {
    const at = (start: number, end: number): Promise<Seen> =>
      get('/label/exported_job/values', {
        'match[]': '{exported_job=~"v.+",exported_instance!="sonata-sp"}',
        start: `${start / 1000}`,
        end: `${end / 1000}`,
      });
    expect((await at(SINCE - 10_000, SINCE - 1)).body.data).toEqual([]);
    expect((await at(SINCE, SINCE + 60_000)).body.data).toEqual(['vnf']);
    expect((await at(NOW - 60_000, NOW)).body.data).toEqual(['vm', 'vnf']);
  });

  test('can be limited, and the answer says so', async () => {
    const { body } = await get('/labels', { limit: '2' });
    expect(body).toEqual({
      status: 'success',
      data: ['__name__', 'core'],
      warnings: ['results truncated due to limit'],
    });
    expect((await get('/series', { 'match[]': 'vm_up', limit: '1' })).body.data).toHaveLength(1);
  });

  test.each([
    ['/series', {}, 'no match[] parameter provided'],
    ['/series', { 'match[]': '{}' }, 'match[] must contain at least one non-empty matcher'],
    ['/series', { 'match[]': '{a=""}' }, 'match[] must contain at least one non-empty matcher'],
    ['/series', { 'match[]': 'up[5m]' }, '1:3: parse error: unexpected "["'],
    ['/series', { 'match[]': 'sum(up)' }, '1:4: parse error: unexpected "("'],
    [
      '/labels',
      { start: 'x' },
      `invalid parameter "start": Invalid time value for 'start': cannot parse "x" to a valid timestamp`,
    ],
    ['/labels', { limit: 'x' }, 'limit must be a number'],
    ['/label/a-b/values', {}, 'invalid label name: "a-b"'],
    ['/metadata', { limit: 'x' }, 'limit must be a number'],
    ['/rules', { type: 'x' }, 'invalid parameter "type": not supported value "x"'],
  ])('refuse %s %j', async (path, parameters, error) => {
    expect(await get(path, parameters as Record<string, string>)).toMatchObject({ status: 400, body: { error } });
  });
});

test('neither selectors nor queries without end are taken', async () => {
  expect((await send(`/api/v1/series?${'match[]=vm_up&'.repeat(101)}`)).body.error).toBe('more than 100 match[]');
  const sums = Array.from({ length: 101 }, () => 'vm_up').join('+');
  expect((await get('/query', { query: sums })).body.error).toMatch(/parse error: more than 100 selectors$/);
});

test('metadata are those of the exposition', async () => {
  const exposed = (await send('/metrics')).text;
  const { data } = (await get('/metadata')).body;
  for (const [name, [told]] of Object.entries(data as Record<string, { type: string; help: string }[]>)) {
    expect(exposed).toContain(`# HELP ${name} ${told?.help}\n# TYPE ${name} ${told?.type}\n`);
  }
  expect(Object.keys((await get('/metadata', { metric: 'vm_up' })).body.data as object)).toEqual(['vm_up']);
  expect(Object.keys((await get('/metadata', { limit: '3' })).body.data as object)).toHaveLength(3);
});

test('what a dashboard asks when it starts is answered', async () => {
  const health = await send('/api/v1/query', {
    method: 'POST',
    body: 'query=1%2B1&time=4',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
  });
  expect(health.body.data).toEqual({ resultType: 'scalar', result: [4, '2'] });
  expect((await get('/status/buildinfo')).body.data).toMatchObject({ version: '2.42.0' });
  expect((await get('/rules')).body.data).toEqual({ groups: [] });
  expect((await get('/alerts')).body.data).toEqual({ alerts: [] });
  expect((await send('/-/healthy')).text).toBe('Prometheus Server is Healthy.\n');
  expect((await send('/-/ready')).text).toBe('Prometheus Server is Ready.\n');
});

test('pages of other origins may ask', async () => {
  const { headers } = await send('/api/v1/query?query=1', { headers: { Origin: 'http://grafana.example' } });
  expect(headers.get('Access-Control-Allow-Origin')).toBe('*');
  expect(headers.get('Vary')).toBe('Origin');
  const preflight = await send('/api/v1/query', { method: 'OPTIONS', headers: { Origin: 'http://grafana.example' } });
  expect(preflight.status).toBe(204);
  expect(preflight.headers.get('Access-Control-Allow-Methods')).toBe('GET, POST, OPTIONS');
  expect((await get('/query', { query: '1' })).headers.get('Access-Control-Allow-Origin')).toBeNull();
});

test('other paths and methods are refused as by Go', async () => {
  expect(await send('/api/v1/nope')).toMatchObject({ status: 404, text: '404 page not found\n' });
  const refused = await send('/api/v1/query', { method: 'DELETE' });
  expect(refused).toMatchObject({ status: 405, text: 'Method Not Allowed\n' });
  expect(refused.headers.get('Allow')).toBe('GET, OPTIONS, POST');
  expect((await send('/api/v1/metadata', { method: 'POST' })).headers.get('Allow')).toBe('GET, OPTIONS');
});
