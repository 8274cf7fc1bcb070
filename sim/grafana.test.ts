/**
 * What Grafana's Prometheus data source asks, request by request: its health check, its editor, its variables, its panels
 * and its list of alerts. It posts forms with sorted fields, and asks with GET again what is refused with 400 or 405.
 */
import { describe, expect, test } from 'vitest';
import { checkedFetch } from '../contracts/checked.ts';
import { loadContracts } from '../contracts/contract.ts';
import { createSimulator } from './simulator.ts';
import { furnishing } from './world/worlds.ts';

const VC = 'fa8869e3-cc5f-4a5e-8520-932226d804e1';
const NOW = Date.parse('2017-08-29T12:00:00Z');
/** The last hour. */
const TIMES = { start: `${NOW / 1000 - 3600}`, end: `${NOW / 1000}` };
/** How many results its editor wants at most. */
const LIMIT = '40000';

const { fetch, world } = createSimulator({ epochMs: NOW, furnish: await furnishing('default') });
const checked = checkedFetch(fetch, await loadContracts(), world.config.deviations);

interface Answer {
  readonly status: number;
  readonly body: {
    readonly status: string;
    readonly data: unknown;
    readonly errorType: string;
    readonly error: string;
  };
}

type Fields = Readonly<Record<string, string>>;

function encoded(fields: Fields): string {
  const form = new URLSearchParams(fields);
  form.sort();
  return form.toString();
}

async function ask(method: 'GET' | 'POST', path: string, fields: Fields): Promise<Response> {
  const url = `http://localhost:1337/api/v1/${path}`;
  const headers = { Accept: '*/*', 'User-Agent': 'Grafana/12.0.0' };
  if (method === 'GET') return checked(new Request(`${url}?${encoded(fields)}`, { headers }));
  const form = { ...headers, 'Content-Type': 'application/x-www-form-urlencoded' };
  return checked(new Request(url, { method, body: encoded(fields), headers: form }));
}

/** A query of a panel. */
async function query(path: string, fields: Fields): Promise<Answer> {
  const response = await ask('POST', path, fields);
  return { status: response.status, body: JSON.parse(await response.text()) };
}

/** What the editor and the variables ask besides: as a form first. */
async function resource(path: string, fields: Fields = {}): Promise<unknown> {
  let response = await ask('POST', path, fields);
  if (response.status === 405 || response.status === 400) response = await ask('GET', path, fields);
  expect(response.status).toBe(200);
  return JSON.parse(await response.text()).data;
}

/** What it always asks with GET. */
async function got(path: string, fields: Fields = {}): Promise<unknown> {
  const response = await ask('GET', path, fields);
  expect(response.status).toBe(200);
  return JSON.parse(await response.text()).data;
}

describe('saving the data source', () => {
  test('adds one and one, at four seconds past the epoch', async () => {
    const { body } = await query('query', { query: '1+1', time: '4' });
    expect(body).toEqual({ status: 'success', data: { resultType: 'scalar', result: [4, '2'] } });
  });

  test('finds a Prometheus: one without the features that another would name', async () => {
    const build = await resource('status/buildinfo');
    expect(build).toMatchObject({ version: expect.stringMatching(/^\d+\.\d+\.\d+$/) });
    expect(build).not.toHaveProperty('features');
  });
});

describe('the editor', () => {
  test('lists metrics, all and those whose name contains a text', async () => {
    const all = await got('label/__name__/values', { ...TIMES, limit: LIMIT });
    expect(all).toEqual(expect.arrayContaining(['cnt_status', 'opennebula_vm_state', 'vm_cpu_perc']));
    const some = await got('label/__name__/values', {
      ...TIMES,
      limit: LIMIT,
      'match[]': '{__name__=~".*(?i:CPU_PERC).*"}',
    });
    expect(some).toEqual(['cnt_cpu_perc', 'vm_cpu_perc']);
  });

  test('explains each of them', async () => {
    const names = (await got('label/__name__/values', TIMES)) as string[];
    const told = (await got('metadata', { limit: LIMIT })) as Record<string, [{ type: string; help: string }]>;
    // Prometheus makes the alerts itself, and explains only what it has scraped.
    for (const name of names.filter((each) => each !== 'ALERTS'))
      expect(told[name]?.[0], name).toMatchObject({ type: /gauge|counter/, help: /\./ });
  });

  test('lists labels and their values, of all series and of those selected so far', async () => {
    const selected = { ...TIMES, limit: LIMIT, 'match[]': '{__name__="vm_cpu_perc",exported_job="vnf"}' };
    const names = ['__name__', 'core', 'exported_instance', 'exported_job', 'group', 'id', 'instance', 'job'];
    expect(await resource('labels', selected)).toEqual(names);
    expect(await resource('labels', { ...TIMES, limit: LIMIT })).toEqual(expect.arrayContaining(names));
    expect(await got('label/id/values', selected)).toEqual([VC]);
    expect(await got('label/exported_job/values', { ...TIMES, limit: LIMIT })).toEqual(['containers', 'vm', 'vnf']);
    // A name with a dot, written as one without.
    expect(await got('label/U__a_2e_b/values', { ...TIMES, limit: LIMIT })).toEqual([]);
  });

  test('lists series where it is told to go by these', async () => {
    const series = await resource('series', { ...TIMES, limit: LIMIT, 'match[]': '{__name__!=""}' });
    const names = new Set((series as { __name__: string }[]).map(({ __name__: name }) => name));
    expect([...names]).toEqual(await got('label/__name__/values', TIMES));
    const values = await resource('series', { ...TIMES, limit: LIMIT, 'match[]': '{__name__="vm_up",id!=""}' });
    expect((values as unknown[]).length).toBeGreaterThan(0);
  });
});

describe('a panel', () => {
  const panel = (expression: string, step = '15'): Promise<Answer> =>
    query('query_range', { query: expression, ...TIMES, step, timeout: '60s' });

  test.each([
    ['vm_cpu_perc{core="cpu", exported_job=~"vnf|vm"}', 241],
    ['avg by (exported_instance) (vm_mem_perc)', 241],
    // Its variables for intervals: with a part that is nothing.
    ['rate(vm_net_rx_MB{inf="eth0"}[1m0s])', 241],
    ['sum(increase(cnt_net_rx_MB[4m0s]))', 241],
    ['topk(3, cnt_cpu_perc)', 241],
    ['vm_mem_free_MB{id=~".*"} / vm_mem_total_MB{id=~".+"}', 241],
  ])('shows %s', async (expression, points) => {
    const { status, body } = await panel(expression);
    expect(status, body.error).toBe(200);
    const { resultType, result } = body.data as { resultType: string; result: { values: [number, string][] }[] };
    expect(resultType).toBe('matrix');
    expect(Math.max(...result.map(({ values }) => values.length))).toBe(points);
  });

  test('may have steps and ends in parts of a second', async () => {
    const { body } = await query('query_range', {
      query: 'vm_up',
      start: `${NOW / 1000 - 1.5}`,
      end: `${NOW / 1000 - 0.123}`,
      step: '0.5',
    });
    const { result } = body.data as { result: { values: [number, string][] }[] };
    expect(result[0]?.values.map(([at]) => at)).toEqual([NOW / 1000 - 1.5, NOW / 1000 - 1, NOW / 1000 - 0.5]);
  });

  test('of one value asks at an instant, and of a table too', async () => {
    const { body } = await query('query', { query: 'count(vm_up)', time: `${NOW / 1000}`, timeout: '60s' });
    expect(body.data).toMatchObject({ resultType: 'vector', result: [{ metric: {} }] });
  });

  test('with exemplars finds none', async () => {
    expect((await query('query_exemplars', { query: 'vm_up', ...TIMES })).body).toEqual({
      status: 'success',
      data: [],
    });
  });

  test.each([
    ['sum(vm_up', 400, 'bad_data', /parse error: unclosed left parenthesis/],
    ['histogram_quantile(0.9, vm_up)', 400, 'bad_data', /the function histogram_quantile is not supported/],
    ['max_over_time(vm_up[5m:1m])', 400, 'bad_data', /subqueries are not supported/],
    ['vm_up * on () group_left () vm_up', 422, 'execution', /many-to-many|duplicate/],
  ])('that cannot be shown says why: %s', async (expression, status, errorType, error) => {
    expect(await panel(expression)).toMatchObject({ status, body: { status: 'error', errorType, error } });
  });

  test('of too fine a step says so', async () => {
    expect((await panel('vm_up', '0.1')).body.error).toMatch(/^exceeded maximum resolution of 11,000 points/);
  });
});

test('the list of alerts has the rules in groups, and what fires', async () => {
  const { groups } = (await got('rules')) as { groups: { name: string; file: string; rules: object[] }[] };
  expect(groups[0]).toMatchObject({
    name: /./,
    file: /\.rules$/,
    rules: [{ type: 'alerting', health: 'ok', state: /./ }],
  });
  expect(await got('alerts')).toEqual({ alerts: [] });
});

test.each([
  'admin/tsdb/snapshot',
  'alertmanagers',
  'format_query',
  'parse_query',
  'notifications',
  'read',
  'scrape_pools',
  'status/config',
  'status/flags',
  'status/runtimeinfo',
  'status/tsdb',
  'status/walreplay',
  'targets',
  'targets/metadata',
  'write',
])('what Prometheus has and this does not is refused by its name: %s', async (path) => {
  for (const method of ['GET', 'POST'] as const) {
    const response = await ask(method, path, {});
    expect(response.status).toBe(404);
    const error = `/api/v1/${path} is not supported`;
    expect(JSON.parse(await response.text())).toEqual({ status: 'error', errorType: 'not_found', error });
  }
});
