import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { checkedFetch } from '../../contracts/checked.ts';
import { loadContracts } from '../../contracts/contract.ts';
import { OneError } from '../one/error.ts';
import { contextScript } from '../one/vm/context.ts';
import { createSimulator, PROFILES, type SimulatorConfig } from '../simulator.ts';
import { furnish } from './furnish.ts';
import { readWorld } from './world-file.ts';
import { furnishing } from './worlds.ts';

const folder = (name: string): URL => new URL(`../../fixtures/${name}/`, import.meta.url);
const schema = JSON.parse(readFileSync(new URL('schema.json', folder('worlds')), 'utf8'));
const contracts = await loadContracts();

const furnished = async (world: string, more: Partial<SimulatorConfig> = {}) =>
  createSimulator({ furnish: await furnishing(world), ...more });

const worldOf = async (text: string, more: Partial<SimulatorConfig> = {}) => {
  const worldFile = await readWorld(text, 'w.yaml', schema, async () => '');
  return createSimulator({ furnish: (cloud) => furnish(cloud, worldFile), ...more }).world;
};

const named = (pool: Iterable<{ readonly id: number; readonly name: string }>): string[] =>
  Array.from(pool, ({ id, name }) => `${id} ${name}`);

describe('the default world', () => {
  test('has two tenants, two hosts, and every flavour of the user guide', async () => {
    const { cloud } = (await furnished('default')).world;
    expect(named(cloud.users)).toEqual(['0 oneadmin', '1 serveradmin', '2 alice', '3 bob']);
    expect(Array.from(cloud.users, ({ gid }) => gid)).toEqual([0, 0, 1, 1]);
    expect(named(cloud.hosts)).toEqual(['0 host0', '1 host1']);
    const alice = cloud.authenticate('alice:alice', 'one.user.info');
    expect(cloud.flow.templates(alice).map(({ name }) => name)).toEqual([
      'DenyVMTemplate',
      'FAILED_DEPLOY',
      'nature-s3',
      'nature',
      'Function-Data-Data',
      'Function-Data',
      'Function',
    ]);
  });

  test('keeps from tenants one VM template, and nobody gets a VM of another', async () => {
    const { cloud } = (await furnished('default')).world;
    const alice = cloud.authenticate('alice:alice', 'one.user.info');
    const idOf = (name: string) => [...cloud.templates].find((template) => template.name === name)?.id ?? -1;
    expect(() => cloud.run(alice, 'one.template.info', idOf('Denied'))).toThrow(/Not authorized to perform USE/);
    expect(() => cloud.run(cloud.root, 'one.template.instantiate', idOf('Broken'))).toThrow(OneError);
  });

  test('has an instance that has been running since the day of the documentation', async () => {
    const { cloud, furnishing, metrics, clock } = (await furnished('default')).world;
    const since = Date.UTC(2017, 7, 28, 15, 23, 31);
    const [instance] = furnishing.instances;
    const vcId = 'fa8869e3-cc5f-4a5e-8520-932226d804e1';
    expect(instance).toEqual({
      uuid: 'e60558d6-91c3-4196-abad-46079a0e3c61',
      functionUuid: '39cfccd6-9475-4e99-aa88-9a2066ac3976',
      createdAt: since,
      vdus: [{ id: 'vdu01', vnfcs: [{ id: '0', vcId, vmId: 0 }] }],
    });
    const vm = cloud.vms.get(0);
    expect([vm.state, vm.vcpu, vm.spans[0]?.from]).toEqual(['RUNNING', 1, since]);
    expect(cloud.hosts.get(0).vms).toEqual(new Set([0]));
    expect(contextScript(cloud, vm)).toContain("ETH2_IP='10.0.0.3'");
    const range = { since: 1_504_011_287_000, until: 1_504_012_281_000, step: 14_000 };
    const rows = metrics.range('vm_cpu_perc', { id: vcId }, range, clock.now);
    expect(rows.map(({ metric, values }) => [metric.core, values.length])).toEqual([
      ['cpu', 72],
      ['cpu0', 72],
    ]);
  });

  test('has what the catalogue showed', async () => {
    const { furnishing } = (await furnished('default')).world;
    expect(furnishing.users.map(({ username, password }) => `${username}:${password}`)).toEqual([
      'sonata:1234',
      'demo:demo',
    ]);
    expect(furnishing.functions[0]).toMatchObject({
      uuid: '39cfccd6-9475-4e99-aa88-9a2066ac3976',
      md5: 'add46509964fb841584777155ac06bdd',
      username: 'sonata-1503933806',
      status: 'active',
      createdAt: Date.UTC(2017, 7, 28, 15, 23, 31, 653),
      descriptor: { vendor: 'eu.sonata-nfv', name: 'vtc-vnf', version: '0.1' },
    });
    expect(furnishing.services[0]?.descriptor.name).toBe('sonata-demo');
    expect(furnishing.services[0]?.md5).toMatch(/^[0-9a-f]{32}$/);
    expect(furnishing.serviceInstances[0]?.functionInstances).toEqual(['e60558d6-91c3-4196-abad-46079a0e3c61']);
  });

  test.each(readdirSync(folder('requests')))('takes the request %s', async (file) => {
    const simulator = await furnished('default');
    const fetch = checkedFetch(simulator.fetch, contracts, PROFILES.upstream);
    const body = readFileSync(new URL(file, folder('requests')), 'utf8');
    const headers = { Authorization: `Basic ${btoa('alice:alice')}`, 'Content-Type': 'application/json' };
    const response = await fetch(
      new Request('http://localhost/serverless-runtimes', { method: 'POST', headers, body }),
    );
    expect([response.status, await response.json()]).toEqual([
      201,
      { SERVERLESS_RUNTIME: expect.objectContaining({ ID: expect.any(Number) }) },
    ]);
  });

  test('cannot begin before its instance did', async () => {
    await expect(furnished('default', { epochMs: Date.UTC(2017, 0) })).rejects.toThrow(
      /^default\.yaml:\d+:\d+: it runs since 2017-08-28T15:23:31Z, and simulated time starts at 2017-01-01T00:00:00\.000Z \(--epoch\)$/,
    );
  });

  test('is there again after a reset', async () => {
    const simulator = await furnished('default');
    const before = named(simulator.world.cloud.documents);
    simulator.world.cloud.run(simulator.world.cloud.root, 'one.document.delete', 0);
    simulator.reset();
    expect(named(simulator.world.cloud.documents)).toEqual(before);
  });
});

describe('the recorded world', () => {
  test('gives the ids of the recordings', async () => {
    const { cloud } = (await furnished('recorded')).world;
    expect(named(cloud.users).slice(2)).toEqual(['2 tester', '3 other', '4 nodocs']);
    expect(named(cloud.vnets)).toEqual(['0 fnet', '1 fnet6', '2 fnetx']);
    expect(named(cloud.templates).map((name) => name.split(' ')[1])).toEqual([
      ...['Function-vm', 'Data-vm', 'Fail-vm', 'Deny-vm', 'NoDisk-vm', 'NoContextNoNic-vm', 'Sized', 'TwoDisk'],
      ...['Vcpu4', 'NoMem', 'Ready', 'Net6', 'NetX', 'BadNet'],
    ]);
    expect([...(cloud.templates.get(0).template.vector('DISK') ?? [])]).toEqual([['IMAGE_ID', '0']]);
    expect([...(cloud.templates.get(12).template.vector('NIC') ?? [])]).toEqual([['NETWORK_ID', '2']]);
    expect(Array.from(cloud.hosts, ({ totalCpu, totalMemKb }) => [totalCpu, totalMemKb])).toEqual([
      [800, 16_777_216],
      [800, 16_777_216],
    ]);
  });

  test('lets its users make documents, but for one', async () => {
    const { cloud } = (await furnished('recorded')).world;
    const make = (session: string) => cloud.call(session, 'one.document.allocate', 'NAME=d', 1337);
    expect(make('tester:testerpass')).toBeGreaterThan(0);
    expect(make('other:otherpass')).toBeGreaterThan(0);
    expect(() => make('nodocs:nodocspass')).toThrow(/Not authorized to perform CREATE DOCUMENT/);
  });
});

describe('the empty world', () => {
  test('has what a fresh OpenNebula has', async () => {
    const { cloud, furnishing } = (await furnished('empty')).world;
    expect(named(cloud.users)).toEqual(['0 oneadmin', '1 serveradmin']);
    expect(named(cloud.groups)).toEqual(['0 oneadmin', '1 users']);
    expect(named(cloud.datastores)).toEqual(['0 system', '1 default', '2 files']);
    for (const pool of [cloud.hosts, cloud.images, cloud.vnets, cloud.templates, cloud.documents, cloud.vms]) {
      expect([...pool]).toEqual([]);
    }
    expect(furnishing.users).toEqual([]);
  });
});

describe('a world of one’s own', () => {
  test('may give oneadmin another password, and users groups', async () => {
    const { cloud } = await worldOf(
      'groups: [{ name: devs }]\nusers:\n  - { name: oneadmin, password: secret }\n  - { name: eve, password: e, groups: [devs, users] }\n',
    );
    expect(cloud.authenticate('oneadmin:secret', 'one.user.info').uid).toBe(0);
    expect(() => cloud.authenticate('oneadmin:opennebula', 'one.user.info')).toThrow(OneError);
    const eve = cloud.authenticate('eve:e', 'one.user.info');
    expect([eve.gid, [...eve.groups]]).toEqual([100, [100, 1]]);
  });

  const host = 'hosts: [{ name: h, cpus: 1, memoryMiB: 1024 }]\n';
  const instance = `gatekeeper:
  functions:
    - uuid: 39cfccd6-9475-4e99-aa88-9a2066ac3976
      createdAt: 2017-08-28T15:23:31Z
      descriptor: { vendor: v, name: n, version: '1', virtual_deployment_units: [{ id: u }] }
  instances:
    - uuid: e60558d6-91c3-4196-abad-46079a0e3c61
      function: 39cfccd6-9475-4e99-aa88-9a2066ac3976
      since: 2017-08-28T15:23:31Z
      vdus:
        - id: u
          vnfcs:
            - { vcId: fa8869e3-cc5f-4a5e-8520-932226d804e1, vmTemplate: t, host: h }
`;

  test('may say of a VDU how its machines behave, and of one of them that it does otherwise', async () => {
    const vnfcs = '          vnfcs: [{}, { profile: noisy }]\n';
    const text = instance.replace(/ {10}vnfcs:.*$/s, `          profile: bursty\n${vnfcs}`);
    const { cloud } = await worldOf(`${text}hosts: [{ name: h, cpus: 4, memoryMiB: 4096 }]\n`);
    const profiles = Array.from(cloud.vms, ({ userTemplate }) => userTemplate.get('METRIC_PROFILE'));
    expect(profiles).toEqual(['bursty', 'noisy']);
  });

  const BARE = instance
    .replace(/ {6}vdus:.*$/s, '')
    .replace(
      '[{ id: u }]',
      '[{ id: u, connection_points: [{ id: p, type: internal }, { id: q, type: management }], resource_requirements: { cpu: { vcpus: 2 }, memory: { size: 1, size_unit: GB } }, scale_in_out: { minimum: 2 } }]',
    );
  const networks = `networks:
  - { name: a, template: { VN_MAD: dummy, BRIDGE: a, AR: { TYPE: IP4, IP: 10.1.0.1, SIZE: 9 } } }
  - { name: b, template: { VN_MAD: dummy, BRIDGE: b, AR: { TYPE: IP4, IP: 10.2.0.1, SIZE: 9 } } }
`;

  test('may leave it to the descriptor what an instance consists of', async () => {
    const { cloud, furnishing } = await worldOf(
      `${BARE}  vim: { user: eve, networks: { management: b } }\nusers: [{ name: eve, password: e }]\n${networks}hosts: [{ name: small, cpus: 1 }, { name: h, cpus: 4, memoryMiB: 4096 }]\n`,
    );
    expect(furnishing.instances[0]?.vdus).toMatchObject([
      {
        id: 'u',
        vnfcs: [
          { id: '0', vmId: 0 },
          { id: '1', vmId: 1 },
        ],
      },
    ]);
    expect([...cloud.vms]).toMatchObject([
      {
        name: 'n_u_0',
        state: 'RUNNING',
        uid: 2,
        cpu: 2,
        memoryMiB: 1024,
        nics: [{ ip: '10.1.0.1' }, { ip: '10.2.0.1' }],
      },
      { name: 'n_u_1', state: 'RUNNING', nics: [{ ip: '10.1.0.2' }, { ip: '10.2.0.2' }] },
    ]);
    expect([...cloud.vms].map(({ history }) => history[0]?.hostname)).toEqual(['h', 'h']);
  });

  test.each([
    ['users:\n  - { name: a b, password: c }\n', /^w\.yaml:2:5: Invalid NAME, char ' ' is not allowed/],
    ['users:\n  - { name: serveradmin, password: c }\n', /^w\.yaml:2:5: NAME is already taken by USER 1/],
    ['groups: [{ name: users }]', /^w\.yaml:1:10: NAME is already taken by GROUP 1/],
    ['acl: { grant: ["@1 ZONE/* USE *", "@1 ZONE/* USE *"] }', /^w\.yaml:1:35: Rule .* already exists/],
    [
      'images:\n  - { name: i, template: { TYPE: OS } }\n',
      /^w\.yaml:2:5: \[one\.image\.allocate\] Cannot parse image SIZE/,
    ],
    ['networks:\n  - { name: n, template: { BRIDGE: b } }\n', /^w\.yaml:2:5: \[one\.vn\.allocate\] No VN_MAD/],
    [
      'networks:\n  - { name: n, template: { VN_MAD: dummy, BRIDGE: b, AR: { TYPE: IP4, SIZE: many } } }\n',
      /^w\.yaml:2:5: Wrong or empty IP attribute$/,
    ],
    [
      'serviceTemplates:\n  - { name: s, roles: [{ name: a, vm_template: 1 }, { name: a, vm_template: 1 }] }\n',
      /^w\.yaml:2:5: Role name 'a' is repeated/,
    ],
    [
      `${instance}vmTemplates: [{ name: t, template: { CPU: 2, MEMORY: 128 } }]\n${host}`,
      /^w\.yaml:13:15: it does not fit in host h\. Not enough CPU/,
    ],
    [
      `${instance}vmTemplates: [{ name: t, template: { CPU: 1, MEMORY: 128, DISK: { IMAGE_ID: 9 } } }]\n${host}`,
      /^w\.yaml:13:15: \[one\.template\.instantiate\] /,
    ],
    [`${BARE}hosts: [{ name: h, cpus: 3, memoryMiB: 4096 }]`, /^w\.yaml:7:7: it fits in no host$/],
    [`${BARE}  vim: { networks: { internal: c } }\n${networks}`, /^w\.yaml:10:32: there is no network "c"/],
    [`${BARE}  vim: { user: ev }\nusers: [{ name: eve, password: e }]`, /^w\.yaml:10:16: there is no user "ev"/],
  ])('is refused by the cloud with its line: %#', async (text, message) => {
    await expect(worldOf(text)).rejects.toThrow(message);
  });
});
