import { describe, expect, test } from 'vitest';
import { checkedFetch } from '../../../contracts/checked.ts';
import { loadContracts } from '../../../contracts/contract.ts';
import { loadSimulator } from '../../index.ts';
import type { JsonObject } from '../../one/flow/json.ts';
import { createSimulator } from '../../simulator.ts';
import { together } from './records.ts';
import {
  Client,
  descriptorOf,
  FUNCTION,
  guided,
  INSTANCE,
  refusal,
  SERVICE,
  SERVICE_INSTANCE,
  TODAY,
  userGuide,
  VC,
} from './testing.ts';

const contracts = await loadContracts();

const RECORDS = [`/records/functions/${INSTANCE}`, `/records/services/${SERVICE_INSTANCE}`];

/** The keys that son-monitor reads. */
interface Row {
  readonly uuid: string;
  readonly descriptor_reference?: string;
  readonly nsd?: { readonly name: string };
  readonly vnfd?: { readonly name: string };
  readonly network_functions?: readonly { readonly vnfr_id: string }[];
}

test('son-monitor finds the machine of a service by the joins that it makes', async () => {
  const { fetch, world } = await loadSimulator({ epoch: TODAY });
  const client = await Client.loggedIn(checkedFetch(fetch, contracts, world.config.deviations), 'demo', 'demo');
  const list = async (path: string) => (await client.get(`/api/v2/${path}`)).body as Row[];
  const [service] = (await list('services')).filter(({ nsd }) => nsd?.name === 'sonata-demo');
  const nsrs = (await list('records/services')).filter((nsr) => nsr.descriptor_reference === service?.uuid);
  expect(nsrs).toHaveLength(1);
  const parts = nsrs[0]?.network_functions ?? [];
  const [vnf] = (await list('functions')).filter(({ vnfd }) => vnfd?.name === 'vtc-vnf');
  const vnfrs = (await list('records/functions')).filter(
    ({ uuid, descriptor_reference }) =>
      parts.some(({ vnfr_id }) => vnfr_id === uuid) && descriptor_reference === vnf?.uuid,
  );
  expect(vnfrs).toMatchObject([
    {
      uuid: INSTANCE,
      status: 'normal operation',
      virtual_deployment_units: [
        {
          id: 'vdu01',
          vdu_reference: 'vtc-vnf:vdu01',
          number_of_instances: 1,
          resource_requirements: { cpu: { vcpus: 1 } },
          vnfc_instance: [
            {
              id: '0',
              vc_id: VC,
              connection_points: [
                {
                  id: 'eth0',
                  type: 'management',
                  interface: { address: '10.0.0.1', hardware_address: '02:00:0a:00:00:01', netmask: '255.255.255.0' },
                },
                { id: 'eth1', interface: { address: '10.0.0.2' } },
                { id: 'eth2', interface: { address: '10.0.0.3' } },
              ],
            },
          ],
        },
      ],
    },
  ]);
  const data = await client.get(
    `/functions/metrics/${INSTANCE}/vdu01/${VC}/asynch-mon-data?metrics=vm_cpu_perc&since=${TODAY / 1000}&until=${TODAY / 1000}&step=10s`,
  );
  expect(data.body).toMatchObject({ requested_data: [{ metrics: { result: [{ metric: { id: VC } }, {}] } }] });
});

describe('records', () => {
  test('are pages with a total', async () => {
    const { client } = await guided();
    for (const path of ['/records/functions', '/records/services']) {
      const { body, headers } = await client.get(`${path}?offset=1&limit=1`);
      expect(body).toEqual([]);
      expect(headers.get('Record-Count')).toBe('1');
      expect(headers.get('Link')).toContain('rel="first"');
      expect((await client.get(path)).body).toHaveLength(1);
    }
  });

  test('are given one by one', async () => {
    const { client } = await guided();
    const vnfr = await client.get(RECORDS[0] ?? '');
    expect(vnfr.body).toMatchObject({ uuid: INSTANCE, descriptor_reference: FUNCTION, version: '1' });
    expect(vnfr.headers.get('Record-Count')).toBe('1');
    const nsr = await client.get(RECORDS[1] ?? '');
    expect(nsr.body).toMatchObject({ descriptor_reference: SERVICE, network_functions: [{ vnfr_id: INSTANCE }] });
  });

  test('of another kind there are none, in a form of their own', async () => {
    const { client } = await guided();
    expect(await client.get('/records/packages')).toMatchObject({ status: 404, body: [] });
    expect(await client.get(`/records/packages/${INSTANCE}`)).toMatchObject(
      refusal(404, `Record ${INSTANCE} not found`),
    );
  });

  test('are refused in the order id, token, existence', async () => {
    const { client } = await guided();
    const missing = refusal(401, 'Unauthorized: missing authorization header');
    for (const kind of ['functions', 'services', 'packages']) {
      expect(await client.send('GET', `/records/${kind}`)).toMatchObject(missing);
      expect(await client.send('GET', `/records/${kind}/x`)).toMatchObject(refusal(404, 'UUID x not valid'));
      expect(await client.send('GET', `/records/${kind}/${FUNCTION}`)).toMatchObject(missing);
      expect(await client.get(`/records/${kind}/${FUNCTION}`)).toMatchObject(
        refusal(404, `Record ${FUNCTION} not found`),
      );
    }
  });
});

test('a record says what its descriptor says, and what the machine is', async () => {
  const { client } = await guided();
  const { virtual_links, virtual_deployment_units } = descriptorOf('vtc-vnf');
  const [unit] = virtual_deployment_units as JsonObject[];
  const since = '2017-08-28T15:23:31.000+00:00';
  expect((await client.get(RECORDS[0] ?? '')).body).toEqual({
    uuid: INSTANCE,
    status: 'normal operation',
    version: '1',
    created_at: since,
    updated_at: since,
    descriptor_reference: FUNCTION,
    descriptor_version: 'vnfr-schema-01',
    virtual_links,
    virtual_deployment_units: [
      {
        id: 'vdu01',
        vdu_reference: 'vtc-vnf:vdu01',
        vm_image: unit?.vm_image,
        number_of_instances: 1,
        resource_requirements: unit?.resource_requirements,
        monitoring_parameters: unit?.monitoring_parameters,
        vnfc_instance: [
          { id: '0', vim_id: expect.stringMatching(/^[0-9a-f-]{36}$/), vc_id: VC, connection_points: [] },
        ],
      },
    ],
  });
  expect((await client.get(RECORDS[1] ?? '')).body).toMatchObject({
    uuid: SERVICE_INSTANCE,
    status: 'normal operation',
    version: '1',
    created_at: since,
    updated_at: since,
    descriptor_version: 'nsr-schema-01',
  });
});

test.each([
  ['AR=[TYPE=IP4, IP=10.1.0.7, SIZE=9]', { address: '10.1.0.7', netmask: '255.255.255.0' }],
  ['AR=[TYPE=IP4, IP=10.1.0.7, SIZE=9] NETWORK_MASK=255.0.0.0', { address: '10.1.0.7', netmask: '255.0.0.0' }],
  ['AR=[TYPE=IP4, IP=10.1.0.7, SIZE=9] EXTERNAL_IP=198.51.100.7', { address: '198.51.100.7' }],
  ['AR=[TYPE=IP6, GLOBAL_PREFIX="2001:db8::", SIZE=9]', { address: expect.stringMatching(/^2001:db8::/) }],
])('of a network with %s a record gives the address, and a mask where it is the guest’s own', async (network, seen) => {
  const { fetch, world } = createSimulator({
    epochMs: TODAY,
    furnish: (cloud) => {
      const guide = userGuide(cloud);
      cloud.run(cloud.root, 'one.vn.allocate', `NAME=n VN_MAD=bridge BRIDGE=br0 ${network}`);
      const vmId = cloud.run(cloud.root, 'one.vm.allocate', 'NAME=v CPU=1 MEMORY=128 NIC=[NETWORK_ID=0]');
      const vdus = [{ id: 'vdu01', vnfcs: [{ id: '0', vcId: VC, vmId }] }];
      return { ...guide, instances: guide.instances.map((instance) => ({ ...instance, vdus })) };
    },
  });
  const client = await Client.loggedIn(checkedFetch(fetch, contracts, world.config.deviations));
  const { body } = await client.get(RECORDS[0] ?? '');
  const hardware_address = expect.stringMatching(/^02:00(:[0-9a-f]{2}){4}$/);
  const points = [{ id: 'eth0', type: 'management', interface: { hardware_address, ...seen } }];
  const { virtual_deployment_units: units } = body as {
    virtual_deployment_units: { vnfc_instance: { connection_points: object[] }[] }[];
  };
  expect(units[0]?.vnfc_instance[0]?.connection_points).toEqual(points);
});

describe('the status of a record', () => {
  test('follows the machine, and every change makes a new version', async () => {
    const { client, world } = await guided();
    const { cloud, clock } = world;
    const seen = async () => {
      const records = await Promise.all(RECORDS.map(async (path) => (await client.get(path)).body));
      const [one, other] = records as { status: string; version: string; updated_at: string }[];
      expect(other).toMatchObject({ status: one?.status, version: one?.version, updated_at: one?.updated_at });
      return one;
    };
    expect(await seen()).toMatchObject({ status: 'normal operation', version: '1' });
    cloud.run(cloud.root, 'one.vm.action', 'poweroff-hard', 0);
    clock.advanceNow(60_000);
    expect(await seen()).toMatchObject({ status: 'offline', version: '2' });
    clock.advanceNow(60_000);
    expect(await seen()).toMatchObject({ version: '2' });
    cloud.run(cloud.root, 'one.vm.action', 'resume', 0);
    clock.advanceNow(60_000);
    expect(await seen()).toMatchObject({ status: 'normal operation', version: '3' });
    cloud.run(cloud.root, 'one.vm.action', 'terminate-hard', 0);
    clock.advanceNow(60_000);
    // It stops first, and then is no more.
    const last = await seen();
    expect(last).toMatchObject({ status: 'terminated', version: '5' });
    expect(last?.updated_at).toMatch(/^2017-08-29T14:0[23]/);
  });

  test.each([
    ['', 'normal operation'],
    ['normal operation,normal operation', 'normal operation'],
    ['normal operation,failed', 'degraded operation'],
    ['normal operation,terminated', 'degraded operation'],
    ['degraded operation,offline', 'degraded operation'],
    ['offline,failed', 'failed'],
    ['failed,terminated', 'failed'],
    ['offline,terminated', 'offline'],
    ['terminated,terminated', 'terminated'],
  ])('of parts that are %s is %s', (parts, status) => {
    expect(together(parts.split(',').filter((part) => part !== '') as never)).toBe(status);
  });
});
