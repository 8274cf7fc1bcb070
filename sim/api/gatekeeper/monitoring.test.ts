import { describe, expect, test } from 'vitest';
import { checkedFetch } from '../../../contracts/checked.ts';
import { loadContracts } from '../../../contracts/contract.ts';
import { Clock } from '../../kernel/clock.ts';
import { createSimulator, PROFILES, type SimulatorConfig } from '../../simulator.ts';
import { gatekeeperApi } from './api.ts';
import { GATEKEEPER_DEFAULTS } from './config.ts';
import type { GatekeeperFurnishing } from './furnishing.ts';
import { MOST_STREAMS } from './streams.ts';
import {
  Client,
  FUNCTION,
  INSTANCE,
  numbered,
  refusal,
  SIGNING_KEY,
  storedLabels,
  TODAY,
  userGuide,
  VC,
} from './testing.ts';

const contracts = await loadContracts();

interface Given extends Partial<SimulatorConfig> {
  /** Changes what the user guide has. */
  readonly change?: (furnishing: GatekeeperFurnishing) => GatekeeperFurnishing;
}

async function start({ change = (same) => same, ...config }: Given = {}) {
  const { fetch, world } = createSimulator({
    epochMs: TODAY,
    furnish: (cloud) => change(userGuide(cloud)),
    ...config,
  });
  const checked = checkedFetch(fetch, contracts, world.config.deviations);
  return { client: await Client.loggedIn(checked), fetch: checked, world };
}

const COMPONENT = `${INSTANCE}/vdu01/${VC}`;
const RANGE = 'since=1504011287&until=1504011301&step=14';

/** The forms of a monitoring path, with its parameters. */
const FORMS = ['', '/api/v2'].flatMap((base) =>
  ['/functions', '/functions/metrics'].flatMap((prefix) =>
    ['?', '/', '/?'].map(
      (separator) =>
        (kind: string, parameters: string): string =>
          `${base}${prefix}/${COMPONENT}/${kind}-mon-data${separator}${parameters}`,
    ),
  ),
);

const [, literally = (): string => ''] = FORMS;
const history = (parameters: string): string => literally('asynch', parameters);
const live = (parameters: string): string => literally('synch', parameters);

describe.each(FORMS)('form %#', (form) => {
  test('gives history', async () => {
    const { client } = await start();
    const { status, body } = await client.get(form('asynch', `metrics=vm_cpu_perc&${RANGE}`));
    expect({ status, body }).toMatchObject({
      status: 200,
      body: {
        status: null,
        function_instance_uuid: INSTANCE,
        vdu_id: 'vdu01',
        vc_uuid: VC,
        metrics: ['vm_cpu_perc'],
        requested_data: [{ metrics: { resultType: 'matrix', result: [{}, {}] } }],
      },
    });
  });

  test('gives streams', async () => {
    const { client } = await start();
    const { status, body } = await client.get(form('synch', 'metrics=vm_cpu_perc'));
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        status: 'SUCCESS',
        function_instance_uuid: INSTANCE,
        vdu_id: 'vdu01',
        vc_uuid: VC,
        metrics: ['vm_cpu_perc'],
        ws_url: expect.stringMatching(/^ws:\/\/gatekeeper\.example:1337\/ws\/[0-9a-f]{32}$/),
      },
    });
  });
});

describe('parameters', () => {
  test.each([
    ['', 'Metrics list is missing'],
    ['since=1&until=2&step=3', 'Metrics list is missing'],
    ['metrics&since=1&until=2&step=3', 'Metrics list is missing'],
    ['metrics=&since=1&until=2&step=3', 'Metrics list is missing'],
    ['METRICS=x&since=1&until=2&step=3', 'Metrics list is missing'],
    ['metrics%20=x&since=1&until=2&step=3', 'Metrics list is missing'],
    ['metrics[]=x&since=1&until=2&step=3', 'Metrics list is missing'],
    ['metrics=x', 'Starting date is missing'],
    ['metrics=x&since=&until=2&step=3', 'Starting date is missing'],
    ['metrics=x&since=1&step=3', 'Ending date is missing'],
    ['metrics=x&since=1&until=2', 'Step of collection is missing'],
  ])('%j: %s, whoever asks', async (parameters, message) => {
    const { client } = await start();
    const path = `/functions/metrics/${COMPONENT}/asynch-mon-data?${parameters}`;
    expect(await client.get(path)).toMatchObject(refusal(400, message));
    expect(await client.send('GET', path)).toMatchObject(refusal(400, message));
  });

  test.each(['', 'metrics=', 'since=1&until=2&step=3'])('for a stream, %j lacks metrics', async (parameters) => {
    const { client } = await start();
    const path = `/functions/metrics/${COMPONENT}/synch-mon-data?${parameters}`;
    expect(await client.get(path)).toMatchObject(refusal(400, 'Metrics list  is missing'));
  });

  test('in profile contract, streams demand what the user guide says', async () => {
    const { client } = await start({ deviations: PROFILES.contract });
    expect(await client.get(live('since=1'))).toMatchObject(refusal(400, 'Metrics list is missing'));
    expect(await client.get(live('metrics=x'))).toMatchObject(refusal(400, 'Starting date is missing'));
    expect((await client.get(live(`metrics=x&${RANGE}`))).status).toBe(200);
  });

  test('are decoded; a plus is a blank in a query string only', async () => {
    const { client } = await start();
    const range = 'since=2017-08-29T12%3A54%3A47%2B00:00&until=1504011287%2e0&step=1%73';
    for (const form of FORMS) {
      const { body } = await client.get(form('asynch', `%6detrics=vm_cpu%5Fperc&${range}`));
      expect(body).toMatchObject({ status: null, metrics: ['vm_cpu_perc'] });
    }
    const plus = 'metrics=vm+up&since=2017-08-29T12:54:47+00:00&until=2017-08-29T12:54:47+00:00&step=1';
    const [query, path] = await Promise.all(FORMS.slice(0, 2).map((form) => client.get(form('asynch', plus))));
    expect(query?.body).toMatchObject({ status: null, metrics: ['vm up'] });
    expect(path?.body).toMatchObject({ status: null, metrics: ['vm+up'] });
  });

  test.each([
    // One list with commas, and not a parameter that comes twice.
    ['metrics=vm_up&metrics=vm_mem_perc', ['vm_mem_perc']],
    ['metrics=vm_up%2Cvm_mem_perc', ['vm_up', 'vm_mem_perc']],
    ['metrics=vm_up%26x', ['vm_up&x']],
    ['metrics=a=b', ['a=b']],
    ['x=1&metrics=vm_up&metric=y', ['vm_up']],
    ['&&metrics=vm_up&', ['vm_up']],
    ['metrics=vm_up,,,', ['vm_up']],
    ['metrics=%zz', ['%zz']],
  ])('%s asks for %j', async (parameters, metrics) => {
    const { client } = await start();
    for (const form of FORMS.slice(0, 2)) {
      expect((await client.get(form('asynch', `${parameters}&${RANGE}`))).body).toMatchObject({ metrics });
      expect((await client.get(form('synch', parameters))).body).toMatchObject({ metrics });
    }
  });

  test('in a query string win over those in the path', async () => {
    const { client } = await start();
    const { body } = await client.get(`${history(`metrics=vm_up&${RANGE}`)}?metrics=vm_mem_perc`);
    expect(body).toMatchObject({ metrics: ['vm_mem_perc'] });
  });
});

describe('instances', () => {
  test('that are not recorded are named', async () => {
    const { client } = await start();
    const path = `/functions/x%20y/vdu01/${VC}/synch-mon-data/metrics=vm_up`;
    expect(await client.get(path)).toMatchObject(refusal(404, 'Record x y not found'));
    expect(await client.get(path.replace('synch', 'asynch').concat(`&${RANGE}`))).toMatchObject(
      refusal(404, 'Record x y not found'),
    );
  });

  test('whose function is gone are named as functions', async () => {
    const { client } = await start({ change: (furnishing) => ({ ...furnishing, functions: [] }) });
    expect(await client.get(live('metrics=vm_up'))).toMatchObject(refusal(404, `Function ${INSTANCE} not found`));
  });

  test('of private functions are for their owners', async () => {
    const licences = { licenses: [{ type: 'private', url: 'http://example' }], vendor: 'v', name: 'n', version: '1' };
    const element = numbered(0, { uuid: FUNCTION, descriptor: licences });
    const { client, fetch } = await start({ change: (furnishing) => ({ ...furnishing, functions: [element] }) });
    const message = `Package/service/function ${FUNCTION} is private, not owned and not licensed to user sonata`;
    expect(await client.get(live('metrics=vm_up'))).toMatchObject(refusal(403, message));
    expect(await client.get(history(`metrics=vm_up&${RANGE}`))).toMatchObject(refusal(403, message));
    const owner = await Client.loggedIn(fetch, 'demo', 'demo');
    expect((await owner.get(live('metrics=vm_up'))).status).toBe(200);
  });

  test('have components that are echoed, whatever they are', async () => {
    const { client } = await start();
    const path = `/functions/${INSTANCE}/v%26du%2501/no%20vc/asynch-mon-data/metrics=vm_up&${RANGE}`;
    expect((await client.get(path)).body).toMatchObject({
      vdu_id: 'v&du%01',
      vc_uuid: 'no vc',
      requested_data: [{ metrics: { result: [] } }],
    });
  });
});

const matrixOf = (body: unknown) =>
  (body as { requested_data: { metrics: { result: { metric: object; values: [number, string][] }[] } }[] })
    .requested_data;

describe('history', () => {
  const entry = { metrics: { resultType: 'matrix', result: expect.any(Array) } };
  const none = { metrics: { resultType: 'matrix', result: [] } };

  test.each([
    ['vm_cpu_perc', ['vm_cpu_perc'], [entry]],
    ['vm_mem_perc,vm_cpu_perc', ['vm_mem_perc', 'vm_cpu_perc'], [entry, entry]],
    ['never_seen', ['never_seen'], [none]],
    ['1x', ['1x'], []],
    ['a-b(', ['a-b('], []],
    ['1x,vm_up', ['1x', 'vm_up'], [entry]],
    [',', [], []],
    ['vm_up,,vm_up,', ['vm_up', 'vm_up'], [entry, entry]],
    ['__proto__,constructor', ['__proto__', 'constructor'], [none, none]],
  ])('of %s has an entry for each metric that can be asked for', async (metrics, names, entries) => {
    const { client } = await start();
    const { status, body } = await client.get(history(`metrics=${metrics}&${RANGE}`));
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: null, metrics: names });
    expect(matrixOf(body)).toEqual(entries);
  });

  test('of what no VNF has pushed is empty, though the platform knows it', async () => {
    const { client } = await start();
    const { metric_names: all } = (await client.get('/functions/metrics/names')).body as { metric_names: string[] };
    // Of alerts there may be some: they have the labels of what they are about.
    const others = all.filter((name) => !name.startsWith('vm_') && name !== 'ALERTS');
    expect(others.length).toBeGreaterThan(20);
    const { body } = await client.get(history(`metrics=${others}&${RANGE}`));
    expect(matrixOf(body)).toEqual(others.map(() => none));
  });

  test('at the path of 2017 that had instances below their function, there is none', async () => {
    const { client } = await start();
    const path = `/functions/${FUNCTION}/instances/${INSTANCE}/asynch-mon-data?metrics=vm_up&${RANGE}`;
    expect((await client.get(path)).status).toBe(404);
  });

  test('of a time without samples is empty', async () => {
    const { client } = await start();
    const { body } = await client.get(history('metrics=vm_cpu_perc&since=0&until=1000&step=100'));
    expect(body).toMatchObject({ status: null, requested_data: [none] });
  });

  test('has the labels of the scrape, times as numbers and values as text; the whole machine first', async () => {
    const { client } = await start();
    const { body } = await client.get(history(`metrics=vm_cpu_perc&${RANGE}`));
    const [first, second] = matrixOf(body)[0]?.metrics.result ?? [];
    expect(first?.metric).toEqual({ ...storedLabels('vm_cpu_perc'), core: 'cpu' });
    expect(second?.metric).toMatchObject({ core: 'cpu0' });
    expect(first?.values.map(([time]) => time)).toEqual([1504011287, 1504011301]);
    for (const [, value] of first?.values ?? []) expect(value).toMatch(/^\d+(\.\d+)?$/);
  });

  test.each([
    ['since=1504011287&until=1504011287&step=1', [1504011287]],
    ['since=1504011287&until=1504011288&step=0.5', [1504011287, 1504011287.5, 1504011288]],
    ['since=2017-08-29T12:54:47.25Z&until=1504011300&step=10s', [1504011287.25, 1504011297.25]],
    ['since=1504011287&until=1504011286&step=1', undefined],
  ])('is evaluated from since in steps, ends included: %s', async (range, times) => {
    const { client } = await start();
    const { body } = await client.get(history(`metrics=vm_up&${range}`));
    expect(matrixOf(body)[0]?.metrics.result[0]?.values.map(([time]) => time)).toEqual(times);
  });

  test('of a machine that has stopped ends 5 minutes later', async () => {
    const { client, world } = await start();
    world.cloud.run(world.cloud.root, 'one.vm.action', 'terminate-hard', 0);
    const stopped = TODAY / 1000;
    await world.clock.advance(900_000);
    const { body } = await client.get(history(`metrics=vm_up&since=${stopped - 60}&until=${stopped + 900}&step=15`));
    const times = matrixOf(body)[0]?.metrics.result[0]?.values.map(([time]) => time) ?? [];
    expect(times[0]).toBe(stopped - 60);
    expect(times.at(-1)).toBeGreaterThan(stopped + 240);
    expect(times.at(-1)).toBeLessThanOrEqual(stopped + 330);
  });

  const refusals: [range: string, error: string][] = [
    ['since=yesterday&until=2&step=3', 'cannot parse "yesterday" to a valid timestamp'],
    ['since=2017-08-29&until=2&step=3', 'cannot parse "2017-08-29" to a valid timestamp'],
    ['since=2017-08-29T12:54:47&until=2&step=3', 'cannot parse "2017-08-29T12:54:47" to a valid timestamp'],
    ['since=1&until=now"&step=3', 'cannot parse "now\\"" to a valid timestamp'],
    ['since=1&until=1e99&step=3', 'cannot parse "1e99" to a valid timestamp'],
    ['since=1&until=2&step=1x', 'cannot parse "1x" to a valid duration'],
    ['since=1&until=2&step=0', expect.stringMatching(/^zero or negative query resolution step widths/)],
    ['since=1&until=2&step=-5', expect.stringMatching(/^zero or negative query resolution step widths/)],
    ['since=0&until=11001&step=1', expect.stringMatching(/^exceeded maximum resolution of 11,000 points per time/)],
  ];

  test.each(refusals)('of %s is refused in Prometheus’ words, with status 200', async (range, error) => {
    const { client } = await start();
    const { status, body } = await client.get(history(`metrics=vm_up,1x,vm_mem_perc&${range}`));
    const refused = { status: 'error', errorType: 'bad_data', error };
    expect({ status, body }).toMatchObject({
      status: 200,
      body: { status: 'error', metrics: ['vm_up', '1x', 'vm_mem_perc'], requested_data: [refused, refused] },
    });
    expect((await client.get(history(`metrics=,&${range}`))).body).toMatchObject({ status: null, requested_data: [] });
  });

  test.each(refusals)('of %s is refused with status 400 in profile contract', async (range, message) => {
    const { client } = await start({ deviations: PROFILES.contract });
    const { status, body } = await client.get(history(`metrics=vm_up&${range}`));
    expect({ status, body }).toEqual({ status: 400, body: { error: { code: 400, message } } });
  });

  test('may have 11,001 points a series, but not any number of them', async () => {
    const { client } = await start();
    const range = `since=${TODAY / 1000 - 22_000}&until=${TODAY / 1000}&step=2`;
    const { body } = await client.get(history(`metrics=vm_up&${range}`));
    expect(matrixOf(body)[0]?.metrics.result[0]?.values).toHaveLength(11_001);
    const metrics = Array.from({ length: 1000 }, () => 'vm_up').join();
    expect(await client.get(history(`metrics=${metrics}&${range}`))).toMatchObject(
      refusal(400, 'the answer would have more than 2000000 points'),
    );
  });
});

describe('streams', () => {
  test('are made anew by every request', async () => {
    const { client } = await start();
    const urls = new Set<unknown>();
    for (let i = 0; i < 5; i++) {
      const { body } = await client.get(live('metrics=vm_up'));
      urls.add((body as { ws_url: string }).ws_url);
    }
    expect(urls.size).toBe(5);
  });

  test.each([
    ['never_seen', 'SUCCESS', expect.stringMatching(/^ws:/)],
    ['1x', null, ''],
    [',', null, ''],
    ['vm_up,1x', 'SUCCESS', expect.stringMatching(/^ws:/)],
  ])('of %s: status %s', async (metrics, status, url) => {
    const { client } = await start();
    expect((await client.get(live(`metrics=${metrics}`))).body).toMatchObject({ status, ws_url: url });
  });

  test('say the configured host', async () => {
    const { client } = await start({ gatekeeper: { ...GATEKEEPER_DEFAULTS, streamHost: '192.0.2.7:8002' } });
    const { body } = await client.get(live('metrics=vm_up'));
    expect(body).toMatchObject({ ws_url: expect.stringMatching(/^ws:\/\/192\.0\.2\.7:8002\/ws\/[0-9a-f]{32}$/) });
  });

  test('fail when there are too many', async () => {
    const { world } = await start();
    const { app, streams } = gatekeeperApi({
      ...world,
      ...world.config,
      cloud: world.cloud,
      clock: new Clock(TODAY),
      config: GATEKEEPER_DEFAULTS,
      signingKey: SIGNING_KEY,
    });
    for (let i = 0; i < MOST_STREAMS; i++) streams.open(['vm_up'], []);
    const client = await Client.loggedIn(
      checkedFetch(async (request) => app.fetch(request), contracts, PROFILES.upstream),
    );
    expect((await client.get(live('metrics=vm_up'))).body).toMatchObject({ status: 'FAIL', ws_url: null });
  });
});
