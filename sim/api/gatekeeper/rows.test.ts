/** One test for each thing that is ambiguous or broken in the real Gatekeeper, and what is done about it here. */
import { describe, expect, test } from 'vitest';
import { checkedFetch } from '../../../contracts/checked.ts';
import { loadContracts } from '../../../contracts/contract.ts';
import { framed } from '../../metrics/testing.ts';
import { createSimulator } from '../../simulator.ts';
import {
  Client,
  FUNCTION,
  INSTANCE,
  numbered,
  PACKAGE,
  refusal,
  storedLabels,
  TODAY,
  userGuide,
  VC,
} from './testing.ts';

const contracts = await loadContracts();

/** The world of the user guide, with 24 functions more. */
async function start() {
  const simulator = createSimulator({
    epochMs: TODAY,
    furnish: (cloud) => {
      const guide = userGuide(cloud);
      return { ...guide, functions: [...guide.functions, ...Array.from({ length: 24 }, (_, n) => numbered(n))] };
    },
  });
  const fetch = checkedFetch(simulator.fetch, contracts, simulator.world.config.deviations);
  const client = await Client.loggedIn(fetch, 'demo', 'demo');
  return { client, world: simulator.world };
}

const UNKNOWN = '00000000-0000-4000-8000-00000000ffff';
const PARTS = `${INSTANCE}/vdu01/${VC}`;
const RANGE = 'since=1504011287&until=1504011301&step=14';
const messageOf = (body: unknown): unknown => (body as { error: { message: unknown } }).error.message;

interface Matrix {
  readonly status: string | null;
  readonly requested_data: { metrics: { result: { metric: Record<string, string>; values: [number, string][] }[] } }[];
}

describe('monitoring', () => {
  test('is found with and without metrics/, by a query string or the last segment (1)', async () => {
    const { client } = await start();
    const paths = ['functions/', 'functions/metrics/', 'api/v2/functions/metrics/'].flatMap((base) =>
      ['?', '/'].map((by) => `/${base}${PARTS}/asynch-mon-data${by}metrics=vm_cpu_perc&${RANGE}`),
    );
    const bodies = await Promise.all(paths.map(async (path) => (await client.get(path)).body as Matrix));
    for (const body of bodies) expect(body).toEqual(bodies[0]);
    expect(bodies[0]?.requested_data[0]?.metrics.result).toHaveLength(2);
  });

  test('live needs only metrics, and ignores the rest (2)', async () => {
    const { client } = await start();
    for (const more of ['', '&since=x&until=y&step=0&for=10']) {
      const { body } = await client.get(`/functions/${PARTS}/synch-mon-data?metrics=vm_up${more}`);
      expect(body).toMatchObject({ status: 'SUCCESS' });
    }
  });

  test('takes steps as numbers and as durations (3)', async () => {
    const { client } = await start();
    const of = async (step: string) =>
      (
        await client.get(
          `/functions/${PARTS}/asynch-mon-data?metrics=vm_up&since=1504011287&until=1504011407&step=${step}`,
        )
      ).body;
    for (const [number, duration] of [
      ['10', '10s'],
      ['60', '1m'],
      ['0.5', '500ms'],
      ['3600', '1h'],
    ] as const) {
      expect(await of(number)).toEqual(await of(duration));
    }
  });

  test('says what is missing before it looks at the token, live data with two blanks (4, 12, 13)', async () => {
    const { client } = await start();
    const of = async (path: string) => messageOf((await client.send('GET', `/functions/${PARTS}/${path}`)).body);
    expect(await of('synch-mon-data')).toBe('Metrics list  is missing');
    expect(await of('asynch-mon-data')).toBe('Metrics list is missing');
    expect(await of('asynch-mon-data?metrics=x')).toBe('Starting date is missing');
    expect(await of('asynch-mon-data?metrics=x&since=1')).toBe('Ending date is missing');
    expect(await of('asynch-mon-data?metrics=x&since=1&until=1')).toBe('Step of collection is missing');
    expect(await of(`asynch-mon-data?metrics=x&${RANGE}`)).toBe('Unauthorized: missing authorization header');
  });

  test('takes an empty parameter for a missing one (15)', async () => {
    const { client } = await start();
    expect(await client.get(`/functions/${PARTS}/asynch-mon-data?metrics=x&since=&until=1&step=1`)).toMatchObject(
      refusal(400, 'Starting date is missing'),
    );
  });

  test('of an instance that is not recorded is not found (10)', async () => {
    const { client } = await start();
    const path = `/functions/${UNKNOWN}/vdu01/${VC}/synch-mon-data?metrics=vm_up`;
    expect(await client.get(path)).toMatchObject(refusal(404, `Record ${UNKNOWN} not found`));
    expect(await client.get(`/records/functions/${UNKNOWN}`)).toMatchObject(
      refusal(404, `Record ${UNKNOWN} not found`),
    );
  });

  test('of a range that makes no sense is told in an answer that is fine (16)', async () => {
    const { client } = await start();
    const { status, body } = await client.get(
      `/functions/${PARTS}/asynch-mon-data?metrics=vm_up&since=x&until=1&step=1`,
    );
    expect({ status, body }).toMatchObject({
      status: 200,
      body: { status: 'error', requested_data: [{ status: 'error', errorType: 'bad_data' }] },
    });
  });

  test('of several metrics gives one stream, of the last (17)', async () => {
    const { client } = await start();
    const { body } = await client.get(`/functions/${PARTS}/synch-mon-data?metrics=vm_mem_perc,vm_up`);
    expect(body).toMatchObject({ status: 'SUCCESS', metrics: ['vm_mem_perc', 'vm_up'] });
    expect((body as { ws_url: string }).ws_url).toMatch(/^ws:\/\/gatekeeper\.example:1337\/ws\/[0-9a-f]{32}$/);
  });

  test('calls free memory vm_mem_perc, and kilobytes MB (18)', async () => {
    const { client } = await start();
    const { body } = await client.get(
      `/functions/${PARTS}/asynch-mon-data?metrics=vm_mem_perc,vm_mem_free_MB,vm_mem_total_MB&${RANGE}`,
    );
    const [perc, free, total] = (body as Matrix).requested_data.map(({ metrics }) =>
      Number(metrics.result[0]?.values[0]?.[1]),
    );
    expect(total).toBeGreaterThan(1_000_000);
    expect((100 * (free ?? 0)) / (total ?? 1)).toBeCloseTo(perc ?? 0, 1);
  });

  test('labels what is stored with exported_, what is streamed without, and names the plain VNF (19, 28)', async () => {
    const { client, world } = await start();
    const { body } = await client.get(`/functions/${PARTS}/asynch-mon-data?metrics=vm_up&${RANGE}`);
    expect((body as Matrix).requested_data[0]?.metrics.result[0]?.metric).toEqual(storedLabels('vm_up'));
    expect(framesOf(framed(world.metrics, 'vm_up', [], TODAY))).toEqual([
      [`id="${VC}"`, 'instance="vtc-vnf"', 'job="vnf"'],
      [expect.any(String), 'instance="sonata-sp"', 'job="vm"'],
    ]);
  });
});

const framesOf = (records: readonly { labels: readonly string[] }[] | null) => records?.map(({ labels }) => labels);

describe('lists', () => {
  test('have pages that offset counts, a total, and no longest page (5, 6, 7)', async () => {
    const { client } = await start();
    const seen = new Set<string>();
    for (const offset of [0, 1, 2]) {
      const { body, headers } = await client.get(`/functions?limit=10&offset=${offset}`);
      for (const { uuid } of body as { uuid: string }[]) seen.add(uuid);
      expect(headers.get('Record-Count')).toBe('25');
    }
    expect(seen.size).toBe(25);
    expect((await client.get('/functions?limit=1000000')).body).toHaveLength(25);
  });

  test('say what may be done with an element, and one alone does not (8)', async () => {
    const { client } = await start();
    expect((await client.get('/functions?limit=1')).body).toMatchObject([{ user_licence: 'public' }]);
    expect((await client.get(`/functions/${FUNCTION}`)).body).not.toHaveProperty('user_licence');
  });

  test('may be read by whoever has a token (24)', async () => {
    const { client } = await start();
    for (const path of ['/functions', '/services', '/packages', '/records/functions', '/requests', '/licences']) {
      expect((await client.get(path)).status).toBe(200);
    }
  });
});

describe('refusals', () => {
  test('of an unknown function are 404, and their code is a number (9, 14)', async () => {
    const { client } = await start();
    const { status, body } = await client.get(`/functions/${UNKNOWN}`);
    expect({ status, body }).toEqual({
      status: 404,
      body: { error: { code: 404, message: `Function ${UNKNOWN} not found` } },
    });
  });

  test('of a token that is not active are 401, and 403 for monitoring (11)', async () => {
    const { client } = await start();
    client.token = 'dead';
    expect((await client.get('/functions')).status).toBe(401);
    expect((await client.get(`/functions/${PARTS}/synch-mon-data?metrics=vm_up`)).status).toBe(403);
  });

  test('of a login that cannot be read are 400 (20)', async () => {
    const { client } = await start();
    for (const body of ['', '{', '[]', 'null']) {
      expect(await client.send('POST', '/sessions', { body })).toMatchObject(
        refusal(400, 'Unprocessable entity: missing session parameters'),
      );
    }
  });

  test('of a package that cannot be deleted say so (21)', async () => {
    const { client } = await start();
    const headers = { Authorization: `bearer ${client.token}` };
    expect((await client.send('DELETE', `/packages/${UNKNOWN}`, { headers })).status).toBe(404);
    expect((await client.send('DELETE', `/packages/${PACKAGE}`, { headers })).status).toBe(409);
    expect((await client.get(`/packages/${PACKAGE}`)).status).toBe(200);
  });

  test('for asking too often there are none, unless they are asked for (25)', async () => {
    const { client } = await start();
    for (let i = 0; i < 30; i++) expect((await client.send('GET', '/kpis')).status).toBe(200);
  });
});

test('the public key is JSON that is called HTML (22)', async () => {
  const { client } = await start();
  const { headers, body } = await client.send('GET', '/micro-services/public-key');
  expect(headers.get('Content-Type')).toBe('text/html;charset=utf-8');
  expect(body).toEqual({ status: 200, count: 1, items: { 'public-key': expect.any(String) }, message: 'OK' });
});
