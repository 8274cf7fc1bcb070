import { describe, expect, test } from 'vitest';
import { checkedFetch } from '../../../contracts/checked.ts';
import { loadContracts } from '../../../contracts/contract.ts';
import type { Cloud } from '../../one/cloud.ts';
import { addHost } from '../../one/resources/host.ts';
import { usedLeases } from '../../one/resources/vnet.ts';
import { createSimulator } from '../../simulator.ts';
import type { CatalogueElement, GatekeeperFurnishing, Vim } from './furnishing.ts';
import { Client, descriptorOf, INSTANCE, refusal, SERVICE, SERVICE_INSTANCE, TODAY, userGuide, VC } from './testing.ts';

const contracts = await loadContracts();

const MINUTE = 60_000;
const PRIVATE = 'NAME=private VN_MAD=bridge BRIDGE=br0 AR=[TYPE=IP4, IP=10.1.0.1, SIZE=100]';
const MANAGEMENT = 'NAME=management VN_MAD=bridge BRIDGE=br1 AR=[TYPE=IP4, IP=10.9.0.1, SIZE=100]';

interface Options {
  readonly vim?: Partial<Vim>;
  /** Hosts besides the one on which the instance of the user guide runs. */
  readonly hosts?: number;
  readonly also?: (cloud: Cloud) => void;
  readonly change?: (furnishing: GatekeeperFurnishing) => GatekeeperFurnishing;
}

async function start({ vim = {}, hosts = 1, also = () => {}, change = (same) => same }: Options = {}) {
  const simulator = createSimulator({
    epochMs: TODAY,
    furnish: (cloud) => {
      const furnishing = userGuide(cloud);
      for (let i = 0; i < hosts; i++) addHost(cloud, { name: `more${i}`, imMad: 'dummy', vmMad: 'dummy' });
      cloud.run(cloud.root, 'one.vn.allocate', PRIVATE);
      cloud.run(cloud.root, 'one.vn.allocate', MANAGEMENT);
      also(cloud);
      return change({ ...furnishing, vim: { ...furnishing.vim, ...vim } });
    },
  });
  const client = await Client.loggedIn(checkedFetch(simulator.fetch, contracts, simulator.world.config.deviations));
  const post = (body: unknown) => {
    const headers = { Authorization: `bearer ${client.token}` };
    return client.send('POST', '/requests', { headers, body: JSON.stringify(body) });
  };
  const created = async (body: object = { service_uuid: SERVICE }) => (await post(body)).body as { id: string };
  const request = async (id: string) => (await client.get(`/requests/${id}`)).body as Record<string, unknown>;
  const liveVms = () => [...simulator.world.cloud.vms].filter(({ state }) => state !== 'DONE').map(({ id }) => id);
  return { client, simulator, world: simulator.world, post, created, request, liveVms };
}

/** The demonstration's service with other functions in it. */
const withFunctions =
  (...functions: readonly CatalogueElement[]) =>
  (furnishing: GatekeeperFurnishing) => {
    const [service] = furnishing.services;
    if (service === undefined) throw new Error('there is no service');
    const named = functions.map(({ descriptor: { vendor, name, version } }) => ({
      vnf_vendor: vendor,
      vnf_name: name,
      vnf_version: version,
    }));
    const descriptor = { ...service.descriptor, network_functions: named };
    return {
      ...furnishing,
      functions: [...furnishing.functions, ...functions],
      services: [{ ...service, descriptor }],
    };
  };

/** A function of VDUs with so many CPUs each. */
function functionOf(n: number, ...vcpus: readonly number[]): CatalogueElement {
  const units = vcpus.map((count, i) => ({
    id: `vdu${i}`,
    resource_requirements: { cpu: { vcpus: count }, memory: { size: 1, size_unit: 'GB' }, storage: { size: 10 } },
    connection_points: [{ id: 'eth0', interface: 'ipv4', type: 'management' }],
  }));
  return {
    uuid: `00000000-0000-4000-8000-00000000000${n}`,
    username: null,
    status: 'active',
    md5: '0'.repeat(32),
    createdAt: TODAY,
    updatedAt: TODAY,
    descriptor: { vendor: 'eu.example', name: `fn-${n}`, version: '1.0', virtual_deployment_units: units },
  };
}

describe('a request for a service', () => {
  test('goes from NEW over INSTANTIATING to READY, and the records follow the machines', async () => {
    const { client, world, post, request } = await start();
    const { status, body, headers } = await post({ service_uuid: SERVICE, ingresses: [], egresses: [] });
    expect({ status, body }).toMatchObject({
      status: 201,
      body: {
        service_uuid: SERVICE,
        status: 'NEW',
        request_type: 'CREATE',
        service_instance_uuid: null,
        error: null,
        created_at: '2017-08-29T14:00:00.000Z',
      },
    });
    expect(headers.get('Content-Type')).toBe('application/json');
    const { id } = body as { id: string };
    await world.clock.advance(1_000);
    const under = await request(id);
    expect(under).toMatchObject({ id, status: 'INSTANTIATING', updated_at: '2017-08-29T14:00:00.500Z' });
    const nsr = (await client.get(`/records/services/${under.service_instance_uuid}`)).body as {
      network_functions: { vnfr_id: string }[];
    };
    expect(nsr).toMatchObject({ status: 'offline', descriptor_reference: SERVICE, version: '1' });
    await world.clock.advance(5 * MINUTE);
    expect(await request(id)).toMatchObject({ status: 'READY', error: null });
    expect((await client.get(`/records/services/${under.service_instance_uuid}`)).body).toMatchObject({
      status: 'normal operation',
      version: '2',
    });
    const vnfr = (await client.get(`/records/functions/${nsr.network_functions[0]?.vnfr_id}`)).body;
    expect(vnfr).toMatchObject({
      status: 'normal operation',
      virtual_deployment_units: [
        {
          id: 'vdu01',
          vdu_reference: 'vtc-vnf:vdu01',
          number_of_instances: 1,
          vnfc_instance: [{ id: '0', connection_points: [{ id: 'eth0' }, { id: 'eth1' }, { id: 'eth2' }] }],
        },
      ],
    });
  });

  test('makes machines of what the descriptor asks for, in the networks that the world says', async () => {
    const { world, created } = await start({ vim: { networks: [{ type: 'management', id: 1 }] } });
    await created();
    await world.clock.advance(1_000);
    const vm = world.cloud.vms.get(1);
    expect(vm).toMatchObject({ name: 'vtc-vnf_vdu01_0', cpu: 1, vcpu: 1, memoryMiB: 2048 });
    expect(vm.nics.map(({ ip }) => ip)).toEqual(['10.9.0.1', '10.1.0.1', '10.1.0.2']);
    expect(vm.disks).toMatchObject([{ sizeMiB: 40_960 }]);
    // The image was not there, so it has been fetched; a second instance takes the same one.
    await created();
    await world.clock.advance(5 * MINUTE);
    expect([...world.cloud.images].map(({ name, path }) => [name, path])).toEqual([['sonata-vtc', 'sonata-vtc']]);
  });

  test('gives every machine measurements under its own id, from when it runs', async () => {
    const { client, world, created } = await start();
    await created();
    await world.clock.advance(10 * MINUTE);
    const { body } = await client.get('/records/functions?offset=1&limit=1');
    const [{ uuid, virtual_deployment_units: units = [] } = {}] = body as {
      uuid: string;
      virtual_deployment_units: { vnfc_instance: { vc_id: string }[] }[];
    }[];
    const vc = units[0]?.vnfc_instance[0]?.vc_id;
    const path = `/functions/metrics/${uuid}/vdu01/${vc}/asynch-mon-data`;
    const at = TODAY / 1000;
    const data = await client.get(`${path}?metrics=vm_up&since=${at}&until=${at + 600}&step=15`);
    const [row] = (data.body as { requested_data: { metrics: { result: { values: unknown[] }[] } }[] }).requested_data;
    const count = row?.metrics.result[0]?.values.length ?? 0;
    expect(count).toBeGreaterThan(20);
    expect(count).toBeLessThan(40);
  });

  test('makes as many VNFCs of a VDU as it has at least, and every function of the service', async () => {
    const two = functionOf(2, 1, 2);
    const [unit, ...rest] = two.descriptor.virtual_deployment_units as Record<string, unknown>[];
    const scaled = {
      ...two,
      descriptor: {
        ...two.descriptor,
        virtual_deployment_units: [{ ...unit, scale_in_out: { minimum: 2 } }, ...rest] as never,
      },
    };
    const { client, world, created, request } = await start({ change: withFunctions(functionOf(1, 1), scaled) });
    const { id } = await created();
    await world.clock.advance(10 * MINUTE);
    expect(await request(id)).toMatchObject({ status: 'READY' });
    const { body } = await client.get('/records/functions?offset=0&limit=10');
    const shape = (body as { virtual_deployment_units: { id: string; vnfc_instance: { id: string }[] }[] }[]).map(
      ({ virtual_deployment_units: units }) =>
        units.map(({ id, vnfc_instance: all }) => [id, all.map((one) => one.id)]),
    );
    expect(shape.slice(1)).toEqual([
      [['vdu0', ['0']]],
      [
        ['vdu0', ['0', '1']],
        ['vdu1', ['0']],
      ],
    ]);
  });
});

describe('a request that cannot be met leaves nothing, and says why', () => {
  test('when a quota is reached in the middle', async () => {
    const { client, world, created, request, liveVms } = await start({
      change: withFunctions(functionOf(1, 1, 1), functionOf(2, 1)),
      vim: { uid: 2 },
      also: (cloud) => {
        cloud.run(cloud.root, 'one.user.allocate', 'sonata', 'x', '', []);
        cloud.run(cloud.root, 'one.user.quota', 2, 'VM=[VMS=2, CPU=-2, MEMORY=-2]');
        for (const id of [0, 1]) cloud.run(cloud.root, 'one.vn.chmod', id, 1, 1, 0, 1, 0, 0, 1, 0, 0);
      },
    });
    const { id } = await created();
    await world.clock.advance(MINUTE);
    expect(await request(id)).toMatchObject({ status: 'ERROR', service_instance_uuid: null });
    expect((await request(id)).error).toMatch(/quota/i);
    expect(liveVms()).toEqual([0]);
    expect((await client.get('/records/functions')).body).toHaveLength(1);
    expect((await client.get('/records/services')).body).toHaveLength(1);
    expect([...world.cloud.vnets].map(usedLeases)).toEqual([0, 0]);
  });

  test('when no host has room, once the scheduler has looked', async () => {
    const { client, world, created, request, liveVms } = await start({
      change: withFunctions(functionOf(1, 1, 9999)),
    });
    const { id } = await created();
    await world.clock.advance(30_000);
    expect(await request(id)).toMatchObject({ status: 'INSTANTIATING' });
    await world.clock.advance(MINUTE);
    expect(await request(id)).toMatchObject({
      status: 'ERROR',
      error: expect.stringMatching(/VM 2 is PENDING: .*No host with enough capacity/),
    });
    await world.clock.advance(MINUTE);
    expect(liveVms()).toEqual([0]);
    expect((await client.get('/records/services')).body).toHaveLength(1);
  });

  test('when a machine does not boot, even if another part of the service runs', async () => {
    const { world, created, request, liveVms } = await start({
      change: withFunctions(functionOf(1, 1), functionOf(2, 1)),
    });
    world.judge.arm({
      selector: { layer: 'vm', operation: 'deploy', vm: 2 },
      effect: { do: 'fail', message: 'no KVM' },
    });
    const { id } = await created();
    await world.clock.advance(10 * MINUTE);
    expect(await request(id)).toMatchObject({
      status: 'ERROR',
      error: expect.stringMatching(/VM 2 is BOOT_FAILURE: .*no KVM/),
    });
    expect(liveVms()).toEqual([0]);
  });

  test('when a machine does not come up in time', async () => {
    const { world, created, request, liveVms } = await start();
    world.judge.arm({ selector: { layer: 'vm', operation: 'deploy' }, effect: { do: 'stick' } });
    const { id } = await created();
    await world.clock.advance(9 * MINUTE);
    expect(await request(id)).toMatchObject({ status: 'INSTANTIATING' });
    await world.clock.advance(2 * MINUTE);
    expect(await request(id)).toMatchObject({ status: 'ERROR', error: 'VM 1 is BOOT' });
    expect(liveVms()).toEqual([0]);
  });

  test('when the catalogue lacks a function, or a descriptor asks for too many machines', async () => {
    const absent = functionOf(1, 1);
    const many = functionOf(2, ...Array.from({ length: 101 }, () => 1));
    for (const [change, reason] of [
      [
        (given: GatekeeperFurnishing) => ({ ...withFunctions(absent)(given), functions: given.functions }),
        /there is no function eu\.example fn-1 1\.0/,
      ],
      [withFunctions(functionOf(1, 1), many), /100 virtual machines at most/],
    ] as const) {
      const { world, created, request, liveVms } = await start({ change });
      const { id } = await created();
      await world.clock.advance(MINUTE);
      expect(await request(id)).toMatchObject({ status: 'ERROR', error: expect.stringMatching(reason) });
      expect(liveVms()).toEqual([0]);
    }
  });
});

describe('a request to end a service instance', () => {
  test.each(['POST', 'PATCH'])(
    'by %s goes from NEW over TERMINATING to READY, and the records say terminated',
    async (by) => {
      const { client, world, post, request } = await start();
      const headers = { Authorization: `bearer ${client.token}` };
      const { status, body } =
        by === 'POST'
          ? await post({ request_type: 'TERMINATE', service_instance_uuid: SERVICE_INSTANCE })
          : await client.send('PATCH', `/requests/${SERVICE_INSTANCE}/stop`, { headers });
      expect({ status, body }).toMatchObject({
        status: by === 'POST' ? 201 : 200,
        body: {
          request_type: 'TERMINATE',
          status: 'NEW',
          service_uuid: SERVICE,
          service_instance_uuid: SERVICE_INSTANCE,
        },
      });
      const { id } = body as { id: string };
      await world.clock.advance(600);
      expect(await request(id)).toMatchObject({ status: 'TERMINATING' });
      await world.clock.advance(MINUTE);
      expect(await request(id)).toMatchObject({ status: 'READY', error: null });
      for (const path of [`/records/services/${SERVICE_INSTANCE}`, `/records/functions/${INSTANCE}`]) {
        expect((await client.get(path)).body).toMatchObject({ status: 'terminated' });
      }
      // Once more changes nothing.
      const again = (await post({ request_type: 'TERMINATE', service_instance_uuid: SERVICE_INSTANCE })).body as {
        id: string;
      };
      await world.clock.advance(1_000);
      expect(await request(again.id)).toMatchObject({ status: 'READY' });
    },
  );

  test('ends with ERROR when a machine does not stop', async () => {
    const { world, created, request } = await start();
    world.judge.arm({ selector: { layer: 'vm', operation: 'shutdown' }, effect: { do: 'stick' } });
    const { id } = await created({ request_type: 'TERMINATE', service_instance_uuid: SERVICE_INSTANCE });
    await world.clock.advance(11 * MINUTE);
    expect(await request(id)).toMatchObject({ status: 'ERROR', error: 'VM 0 is SHUTDOWN' });
  });
});

describe('requests are refused in the order body, token', () => {
  test.each([
    ['', 'Body of the request can not be empty'],
    ['[1]', 'Body of the request can not be empty'],
    ['{', 'Body of the request can not be empty'],
    ['{}', 'Service UUID is missing'],
    ['{"service_uuid":""}', 'Service UUID is missing'],
    ['{"service_uuid":7}', 'Service UUID is missing'],
    ['{"request_type":"TERMINATE"}', 'Service UUID is missing'],
    ['{"request_type":"UPDATE"}', 'Request type UPDATE is not supported'],
    ['{"request_type":"DANCE"}', 'DANCE is not an acceptable type of request'],
  ])('%s', async (body, message) => {
    const { client } = await start();
    expect(await client.send('POST', '/requests', { body })).toMatchObject(refusal(400, message));
  });

  test('then what is asked for must be there', async () => {
    const { client, post } = await start();
    expect(await client.send('POST', '/requests', { body: JSON.stringify({ service_uuid: SERVICE }) })).toMatchObject(
      refusal(401, 'Unauthorized: missing authorization header'),
    );
    expect(await post({ service_uuid: INSTANCE })).toMatchObject(refusal(400, 'No CREATE request was created'));
    expect(await post({ request_type: 'TERMINATE', service_instance_uuid: INSTANCE })).toMatchObject(
      refusal(400, 'No TERMINATE request was created'),
    );
  });

  test('one and all, in the order id, token, existence', async () => {
    const { client, created } = await start();
    expect(await client.send('GET', '/requests')).toMatchObject(
      refusal(401, 'Unauthorized: missing authorization header'),
    );
    expect(await client.send('GET', '/requests/x')).toMatchObject(refusal(404, 'UUID x not valid'));
    expect(await client.get(`/requests/${SERVICE}`)).toMatchObject(refusal(404, `Request ${SERVICE} not found`));
    expect(await client.get('/requests?colour=red')).toMatchObject(refusal(404, 'No requests were found'));
    const ids = [];
    for (let i = 0; i < 3; i++) ids.push((await created()).id);
    const page = await client.get('/requests?limit=2&offset=1');
    expect((page.body as { id: string }[]).map(({ id }) => id)).toEqual(ids.slice(2));
    expect(page.headers.get('Record-Count')).toBe('3');
    expect((await client.get(`/requests?service_uuid=${SERVICE}&status=NEW`)).body).toHaveLength(3);
    expect((await client.get('/requests?status=READY')).body).toEqual([]);
    expect((await client.get(`/requests/${ids[0]}`)).headers.get('Record-Count')).toBe('1');
  });
});

test('without a network in the cloud, machines have none', async () => {
  expect(descriptorOf('vtc-vnf').name).toBe('vtc-vnf');
  const simulator = createSimulator({ epochMs: TODAY, furnish: userGuide });
  const client = await Client.loggedIn(simulator.fetch);
  const headers = { Authorization: `bearer ${client.token}` };
  await client.send('POST', '/requests', { headers, body: JSON.stringify({ service_uuid: SERVICE }) });
  await simulator.world.clock.advance(1_000);
  expect(simulator.world.cloud.vms.get(1).nics).toEqual([]);
});

test('whoever owns a machine cannot pass it for another, and no tenant one of his own', async () => {
  const { world, created } = await start({
    vim: { uid: 2 },
    also: (cloud) => {
      cloud.run(cloud.root, 'one.user.allocate', 'sonata', 'x', '', []);
      for (const id of [0, 1]) cloud.run(cloud.root, 'one.vn.chmod', id, 1, 1, 0, 1, 0, 0, 1, 0, 0);
    },
  });
  const { cloud } = world;
  await created();
  await world.clock.advance(5 * MINUTE);
  const own = cloud.vms.get(1).userTemplate.get('VC_ID');
  expect(own).toMatch(/^[0-9a-f-]{36}$/);
  const update = (text: string, append: number) => () => cloud.call('sonata:x', 'one.vm.update', 1, text, append);
  expect(update(`VC_ID=${VC}`, 1)).toThrow('User Template includes a restricted attribute VC_ID');
  expect(update(`VC_ID=${VC}`, 0)).toThrow('Tried to change restricted attribute: VC_ID');
  update('METRIC_PROFILE=bursty', 0)();
  expect(cloud.vms.get(1).userTemplate.get('VC_ID')).toBe(own);
  const text = `CPU=1 MEMORY=64 VC_ID=${VC} VNF_NAME=vtc-vnf`;
  expect(() => cloud.call('sonata:x', 'one.vm.allocate', text)).toThrow('restricted attribute VC_ID');
});

test('a request that is under way goes on in a world that was written down and read again', async () => {
  const { client, world, created, simulator } = await start();
  const { id } = await created();
  await world.clock.advance(1_000);
  const under = (await client.get(`/requests/${id}`)).body as { service_instance_uuid: string };
  const written = simulator.snapshot();
  const other = createSimulator({ epochMs: TODAY, furnish: userGuide });
  other.restore(written);
  const again = new Client(other.fetch);
  again.token = client.token;
  expect((await again.get(`/requests/${id}`)).body).toMatchObject({ ...under, status: 'INSTANTIATING' });
  await other.world.clock.advance(5 * MINUTE);
  await world.clock.advance(5 * MINUTE);
  for (const path of [`/requests/${id}`, `/records/services/${under.service_instance_uuid}`, '/records/functions']) {
    expect((await again.get(path)).body).toEqual((await client.get(path)).body);
  }
  expect((await again.get(`/requests/${id}`)).body).toMatchObject({ status: 'READY' });
});
