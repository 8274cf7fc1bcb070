/** The page of the user guide about functions, from its first request to its last. */
import { readFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { checkedFetch } from '../../../contracts/checked.ts';
import { loadContracts } from '../../../contracts/contract.ts';
import { createSimulator, PROFILES } from '../../simulator.ts';
import { FUNCTION, INSTANCE, TODAY, userGuide, VC } from './testing.ts';

const PAGE = JSON.parse(
  readFileSync(new URL('../../../fixtures/golden/gatekeeper-functions.json', import.meta.url), 'utf8'),
);

const { fetch } = createSimulator({ epochMs: TODAY, furnish: userGuide });
const contracts = await loadContracts();
const checked = checkedFetch(fetch, contracts, PROFILES.upstream);
let token = '';

/** `curl <base URL><path> -H 'authorization:bearer <token>'` */
async function curl(path: string): Promise<Response> {
  return checked(new Request(`http://localhost:1337${path}`, { headers: { authorization: `bearer ${token}` } }));
}

beforeAll(async () => {
  const body = '{"username":"sonata","password":"1234"}';
  const response = await checked(new Request('http://localhost:1337/sessions', { method: 'POST', body }));
  token = ((await response.json()) as { token: { access_token: string } }).token.access_token;
});

test('functions are listed, to the letter', async () => {
  const response = await curl('/functions');
  expect(response.status).toBe(200);
  const text = await response.text();
  expect(JSON.parse(text)).toEqual(PAGE.list);
  expect(Object.keys(JSON.parse(text)[0])).toEqual(Object.keys(PAGE.list[0]));
});

test('a function is given, to the letter', async () => {
  const response = await curl(`/functions/${FUNCTION}`);
  expect(response.status).toBe(200);
  const value: object = JSON.parse(await response.text());
  expect(value).toEqual(PAGE.function);
  expect(Object.keys(value)).toEqual(Object.keys(PAGE.function));
});

test('historical monitoring data have two series of 72 points each', async () => {
  const response = await curl(
    `/functions/${INSTANCE}/vdu01/${VC}/asynch-mon-data/metrics=vm_cpu_perc&since=2017-08-29T12:54:47Z&until=2017-08-29T13:11:21Z&step=14`,
  );
  expect(response.status).toBe(200);
  const times = Array.from({ length: 72 }, (_, n) => 1504011287 + 14 * n);
  expect(times.at(-1)).toBe(1504012281);
  const series = (core: string) => ({
    metric: {
      exported_instance: 'vtc-vnf',
      core,
      group: 'development',
      exported_job: 'vnf',
      instance: 'pushgateway:9091',
      job: 'sonata',
      __name__: 'vm_cpu_perc',
      id: VC,
    },
    values: times.map((time) => [time, expect.stringMatching(/^\d+(\.\d+)?$/)]),
  });
  expect(await response.json()).toEqual({
    status: null,
    function_instance_uuid: INSTANCE,
    vdu_id: 'vdu01',
    vc_uuid: VC,
    metrics: ['vm_cpu_perc'],
    requested_data: [{ metrics: { resultType: 'matrix', result: [series('cpu'), series('cpu0')] } }],
  });
});

test('live monitoring data are behind a WebSocket URL', async () => {
  const response = await curl(
    `/functions/${INSTANCE}/vdu01/${VC}/synch-mon-data/metrics=vm_cpu_perc&since=1504011287&until=1504012281&step=14`,
  );
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({
    status: 'SUCCESS',
    function_instance_uuid: INSTANCE,
    vdu_id: 'vdu01',
    vc_uuid: VC,
    metrics: ['vm_cpu_perc'],
    ws_url: expect.stringMatching(/^ws:\/\/localhost:1337\/ws\/[0-9a-f]{32}$/),
  });
});
