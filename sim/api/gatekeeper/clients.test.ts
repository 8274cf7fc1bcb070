/** What the clients that are known ask for, in their own words, on the world that a simulator begins with. */
import { beforeAll, describe, expect, test } from 'vitest';
import { checkedFetch } from '../../../contracts/checked.ts';
import { loadContracts } from '../../../contracts/contract.ts';
import { loadSimulator } from '../../index.ts';
import { Client, FUNCTION, INSTANCE, PACKAGE, SERVICE, SERVICE_INSTANCE, TODAY, VC } from './testing.ts';

const contracts = await loadContracts();

let fetch: (request: Request) => Promise<Response>;
let client: Client;

beforeAll(async () => {
  const simulator = await loadSimulator({ epoch: TODAY });
  fetch = checkedFetch(simulator.fetch, contracts, simulator.world.config.deviations);
  client = await Client.loggedIn(fetch);
});

const TRIO = 'vendor=eu.sonata-nfv&name=vtc-vnf&version=0.1';
const COMPONENT = `${INSTANCE}/vdu01/${VC}`;

describe('finds', () => {
  test.each([
    // son-access
    ['son-access', '/api/v2/functions?', 1],
    ['son-access', '/api/v2/services?', 1],
    ['son-access', '/api/v2/packages?', 1],
    ['son-access', `/api/v2/functions?${TRIO}`, 1],
    ['son-access', '/api/v2/functions?vendor=eu.sonata-nfv&name=vtc-vnf&version=0.2', 0],
    // son-monitor
    ['son-monitor', '/api/v2/records/functions', 1],
    ['son-monitor', '/api/v2/records/services', 1],
    // the portal
    ['son-bss', '/api/v2/services?status=active&limit=1000000&offset=0', 1],
    ['son-bss', '/api/v2/services?status=inactive&limit=10&offset=0', 0],
    ['son-bss', '/api/v2/requests', 0],
    ['son-bss', '/api/v2/licences', 0],
    // son-gui
    ['son-gui', '/api/v2/users', 2],
  ])('%s: %s', async (_, path, length) => {
    const { status, body } = await client.get(path);
    expect(status).toBe(200);
    expect(body).toHaveLength(length);
  });

  test.each([
    [`/api/v2/functions/${FUNCTION}`, 'created_at md5 signature status updated_at username uuid vnfd'],
    [`/api/v2/services/${SERVICE}`, 'created_at md5 nsd signature status updated_at username uuid'],
    [`/api/v2/packages/${PACKAGE}`, 'created_at md5 pd signature son_package_uuid status updated_at username uuid'],
    [
      `/api/v2/records/functions/${INSTANCE}`,
      'created_at descriptor_reference descriptor_version status updated_at uuid version virtual_deployment_units virtual_links',
    ],
    [
      `/api/v2/records/services/${SERVICE_INSTANCE}`,
      'connection_points created_at descriptor_reference descriptor_version network_functions status updated_at uuid version virtual_links',
    ],
  ])('python-mano-wrappers: all keys of %s, and no other', async (path, keys) => {
    const { status, body } = await client.get(path);
    expect(status).toBe(200);
    expect(Object.keys(body as object).sort()).toEqual(keys.split(' ').sort());
  });

  test.each([
    ['functions', 'created_at md5 signature status updated_at user_licence username uuid vnfd'],
    ['services', 'created_at md5 nsd signature status updated_at user_licence username uuid'],
  ])('in the list of %s what may be done with each', async (list, keys) => {
    const [element] = (await client.get(`/api/v2/${list}`)).body as object[];
    expect(Object.keys(element ?? {}).sort()).toEqual(keys.split(' '));
  });
});

describe('gets', () => {
  test.each([
    `/api/v2/packages/${PACKAGE}/download`,
    '/api/v2/micro-services/public-key',
    `/api/v2/functions/metrics/${COMPONENT}/asynch-mon-data?metrics=vm_cpu_perc&since=2017-08-29T13:59:00Z&until=2017-08-29T14:00:00Z&step=10s`,
    `/api/v2/functions/metrics/${COMPONENT}/synch-mon-data?metrics=vm_cpu_perc`,
    '/api/v2/kpis/collected?name=packages_queries&start=1504011287&end=1504011287&step=10s',
    '/monitoring/api/v1/prometheus/metrics/list',
    '/monitoring/api/v1/prometheus/metrics/name/vm_cpu_perc/',
  ])('%s', async (path) => {
    const headers = { Authorization: `bearer ${client.token}` };
    expect((await fetch(new Request(`http://onesim${path}`, { headers }))).status).toBe(200);
  });

  test('the point of one instant, as the charts of son-gui ask for it', async () => {
    const { body } = await client.get(
      `/api/v2/functions/metrics/${COMPONENT}/asynch-mon-data?metrics=vm_cpu_perc&since=1504011287&until=1504011287&step=10s`,
    );
    const [{ metrics }] = (body as { requested_data: [{ metrics: { result: { metric: object; values: [] }[] } }] })
      .requested_data;
    expect(metrics.result.map(({ values }) => values.length)).toEqual([1, 1]);
    expect(metrics.result[0]?.metric).toMatchObject({ core: 'cpu' });
  });
});

test('son-access logs out by a login without a body, which ends nothing', async () => {
  const { status } = await client.send('POST', '/api/v2/sessions', { body: '' });
  expect(status).toBe(400);
  expect((await client.get('/functions')).status).toBe(200);
});

test('the least that a world has to have is there, its three ids of version 4', async () => {
  for (const uuid of [FUNCTION, INSTANCE, VC]) {
    expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  }
  const one = async (path: string) => (await client.get(path)).body;
  expect(await one(`/functions/${FUNCTION}`)).toMatchObject({ vnfd: { name: 'vtc-vnf' } });
  expect(await one(`/records/functions/${INSTANCE}`)).toMatchObject({
    descriptor_reference: FUNCTION,
    descriptor_version: 'vnfr-schema-01',
    virtual_deployment_units: [{ id: 'vdu01', vnfc_instance: [{ id: '0', vc_id: VC }] }],
  });
  expect(await one('/services?name=sonata-demo')).toMatchObject([{ uuid: SERVICE }]);
  expect(await one(`/records/services/${SERVICE_INSTANCE}`)).toMatchObject({
    descriptor_reference: SERVICE,
    descriptor_version: 'nsr-schema-01',
    network_functions: [{ vnfr_id: INSTANCE }],
  });
  for (const [username, password, types] of [
    ['sonata', '1234', 'admin'],
    ['demo', 'demo', 'developer,customer'],
  ]) {
    const user = await Client.loggedIn(fetch, username, password);
    const { body } = await user.get('/users');
    expect(Array.isArray(body) ? body[0] : body).toMatchObject({ username, user_type: types });
  }
});
