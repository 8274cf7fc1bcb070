import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Cloud } from '../cloud.ts';
import { usedLeases } from '../resources/vnet.ts';
import { Template } from '../syntax/syntax.ts';
import { ADMIN_SESSION, furnishedCloud, OTHER, refusalOf, TESTER } from '../testing.ts';
import { expandNics, nicAttributes, nicRights, nicRules, releaseNics } from './nic.ts';
import type { Vm } from './vm.ts';

const allocate = (cloud: Cloud, text: string, session = TESTER): Vm =>
  cloud.vms.get(cloud.call(session, 'one.vm.allocate', `CPU=1 MEMORY=128 ${text}`));

const shown = (cloud: Cloud, vm: Vm): Record<string, string>[] =>
  vm.nics.map((nic) => Object.fromEntries(nicAttributes(cloud, vm, nic)));

function network(cloud: Cloud, text: string): number {
  const id = cloud.call(ADMIN_SESSION, 'one.vn.allocate', text);
  cloud.vnets.get(id).permissions = 0o644;
  return id;
}

describe('a NIC is refused', () => {
  const LEASE = 'Cannot get IP/MAC lease from virtual network 0.';

  test.each([
    ['NIC=[NETWORK_ID=99]', 'Virtual network with ID: 99 does not exist'],
    ['NIC=[NETWORK_ID=abc]', 'Virtual network with ID: abc does not exist'],
    [
      'NIC=[NETWORK=x]',
      'User 2 does not own a network with name: x . Set NETWORK_UNAME or NETWORK_UID of owner in NIC.',
    ],
    [
      'NIC=[NETWORK=fnet,NETWORK_UID=3]',
      'User 3 does not own a network with name: fnet . Set NETWORK_UNAME or NETWORK_UID of owner in NIC.',
    ],
    ['NIC=[NETWORK=fnet,NETWORK_UNAME=joe]', 'User set in NETWORK_UNAME does not exist'],
    ['NIC=[NETWORK=fnet,NETWORK_UID=x]', 'Cannot get user in NETWORK_UID'],
    ['NIC=[NETWORK_ID=0,IP=10.9.9.9]', LEASE],
    ['NIC=[NETWORK_ID=0,IP=10.0.0.7] NIC=[NETWORK_ID=0,IP=10.0.0.7]', LEASE],
    ['NIC=[NETWORK_ID=0,IP=10.0.0.7,IP6="::1"]', LEASE],
    ['NIC=[NETWORK_ID=0] NIC=[NETWORK_ID=1]', 'Cannot get IP/MAC lease from virtual network 1.'],
    ['NIC=[NETWORK_ID=0] NIC_ALIAS=[NETWORK_ID=0,PARENT=x]', 'NIC named x not found for alias'],
    ['NIC=[NETWORK_ID=0] NIC_ALIAS=[NETWORK_MODE=auto,PARENT=NIC0]', 'Alias is incompatible with auto mode'],
  ])('%s', (text, why) => {
    const cloud = furnishedCloud();
    network(cloud, 'NAME=empty VN_MAD=dummy BRIDGE=b');
    expect(refusalOf(() => allocate(cloud, text))).toBe(`INTERNAL [one.vm.allocate] ${why}`);
    expect(usedLeases(cloud.vnets.get(0))).toBe(0);
  });
});

describe('a NIC', () => {
  test('is in the network of that name that its owner gave it', () => {
    const cloud = furnishedCloud();
    const vm = allocate(cloud, 'NIC=[NETWORK=fnet,NETWORK_UNAME=oneadmin] NIC=[NETWORK=fnet,NETWORK_UID=0]');
    expect(shown(cloud, vm)).toMatchObject([
      { NETWORK: 'fnet', NETWORK_ID: '0', NETWORK_UNAME: 'oneadmin', IP: '10.0.0.1' },
      { NETWORK_ID: '0', NETWORK_UID: '0', IP: '10.0.0.2', NAME: 'NIC1', TARGET: 'one-0-1' },
    ]);
  });

  test('has the address that is asked for', () => {
    const cloud = furnishedCloud();
    const vm = allocate(cloud, 'NIC=[NETWORK_ID=0,IP=10.0.0.77] NIC=[NETWORK_ID=0]');
    expect(vm.nics.map(({ ip, mac }) => [ip, mac])).toEqual([
      ['10.0.0.77', '02:00:0a:00:00:4d'],
      ['10.0.0.1', '02:00:0a:00:00:01'],
    ]);
  });

  test('takes over what its range and its network say, the range first, and keeps what is given', () => {
    const cloud = furnishedCloud();
    const text =
      'NAME=lan VN_MAD="802.1Q" PHYDEV=eth0 VLAN_ID=7 GATEWAY=10.9.0.254 DNS="1.1.1.1" MTU=1400 SECURITY_GROUPS="5" ' +
      'NETWORK_MASK=255.255.255.0 AR=[TYPE=IP4,IP=10.9.0.1,SIZE=9,DNS="9.9.9.9",BRIDGE=br9,SECURITY_GROUPS="3,0"]';
    network(cloud, text);
    const vm = allocate(cloud, 'NIC=[NETWORK_ID=1,MTU=9000,MODEL=virtio,NETWORK=other,SECURITY_GROUPS="12"]');
    expect(shown(cloud, vm)).toEqual([
      {
        AR_ID: '0',
        BRIDGE: 'br9',
        BRIDGE_TYPE: 'linux',
        CLUSTER_ID: '0',
        DNS: '9.9.9.9',
        GATEWAY: '10.9.0.254',
        IP: '10.9.0.1',
        MAC: '02:00:0a:09:00:01',
        MODEL: 'virtio',
        MTU: '9000',
        NAME: 'NIC0',
        NETWORK: 'lan',
        NETWORK_ID: '1',
        NIC_ID: '0',
        PHYDEV: 'eth0',
        SECURITY_GROUPS: '0,3,5,12',
        TARGET: 'one-0-0',
        VLAN_ID: '7',
        VN_MAD: '802.1Q',
      },
    ]);
  });

  test('shows the same when its network is gone', () => {
    const cloud = furnishedCloud();
    const vm = allocate(cloud, 'NIC=[NETWORK_ID=0]');
    const before = shown(cloud, vm);
    releaseNics(cloud, vm);
    cloud.call(ADMIN_SESSION, 'one.vn.delete', 0);
    expect(shown(cloud, vm)).toEqual(before);
  });

  test('shares what it took over with all others of its range', () => {
    const cloud = furnishedCloud();
    const [one, two] = allocate(cloud, 'NIC=[NETWORK_ID=0] NIC=[NETWORK_ID=0]').nics;
    expect(one?.source).toBe(two?.source);
    expect(one?.guest).toBe(two?.guest);
    expect(one?.given).toBeNull();
  });

  test('gets what NIC_DEFAULT says, unless it says so itself', () => {
    const cloud = furnishedCloud();
    const vm = allocate(cloud, 'NIC_DEFAULT=[MODEL=virtio,TYPE=x] NIC=[NETWORK_ID=0,MODEL=e1000]');
    expect(shown(cloud, vm)).toMatchObject([{ MODEL: 'e1000', TYPE: 'x' }]);
  });

  test('may have a name, but not one of those that oned gives', () => {
    const cloud = furnishedCloud();
    const vm = allocate(cloud, 'NIC=[NETWORK_ID=0,NAME=public] NIC=[NETWORK_ID=0,NAME=NIC7]');
    expect(shown(cloud, vm).map(({ NAME }) => NAME)).toEqual(['public', '_NIC7']);
  });

  test('without a network has no lease', () => {
    const cloud = furnishedCloud();
    const vm = allocate(cloud, 'NIC=[BRIDGE=b0,MODEL=e] NIC=[NETWORK_MODE=auto]', ADMIN_SESSION);
    expect(shown(cloud, vm)).toEqual([
      { BRIDGE: 'b0', MODEL: 'e', NAME: 'NIC0', NIC_ID: '0' },
      { NAME: 'NIC1', NETWORK_MODE: 'auto', NIC_ID: '1' },
    ]);
    releaseNics(cloud, vm);
  });

  test('has aliases', () => {
    const cloud = furnishedCloud();
    const vm = allocate(
      cloud,
      'NIC_ALIAS=[NETWORK_ID=0,PARENT=b] NIC=[NETWORK_ID=0] NIC=[NETWORK_ID=0,NAME=b] NIC_ALIAS=[NETWORK_ID=0,PARENT=b] NIC_ALIAS=[NETWORK_ID=0,PARENT=NIC0]',
    );
    expect(shown(cloud, vm)).toMatchObject([
      { NIC_ID: '0', NAME: 'NIC0', ALIAS_IDS: '4' },
      { NIC_ID: '1', NAME: 'b', ALIAS_IDS: '2,3' },
      { NIC_ID: '2', NAME: 'NIC1_ALIAS0', PARENT: 'b', PARENT_ID: '1', ALIAS_ID: '0', TARGET: 'one-0-2' },
      { NIC_ID: '3', NAME: 'NIC1_ALIAS1', PARENT_ID: '1', ALIAS_ID: '1' },
      { NIC_ID: '4', NAME: 'NIC0_ALIAS0', PARENT_ID: '0', ALIAS_ID: '0' },
    ]);
  });

  test('shows that it is being attached', () => {
    const cloud = furnishedCloud();
    const vm = allocate(cloud, 'NIC=[NETWORK_ID=0] NIC=[NETWORK_ID=0]');
    vm.work = { kind: 'attachNic', nicId: 1 };
    expect(shown(cloud, vm).map(({ ATTACH }) => ATTACH)).toEqual([undefined, 'YES']);
  });
});

describe('a NIC for a VM that exists', () => {
  const attach = (cloud: Cloud, vm: Vm, text: string) =>
    expandNics(cloud, cloud.authenticate(TESTER, 'test'), Template.parse(text), { vmId: vm.id, taken: vm.nics });

  test('gets the next id', () => {
    const cloud = furnishedCloud();
    const vm = allocate(cloud, 'NIC=[NETWORK_ID=0] NIC=[NETWORK_ID=0]');
    expect(attach(cloud, vm, 'NIC=[NETWORK_ID=0] NIC=[NETWORK_ID=0]')).toMatchObject([{ id: 2, ip: '10.0.0.3' }]);
    expect(attach(cloud, vm, 'NIC_ALIAS=[NETWORK_ID=0,PARENT=NIC1]')).toMatchObject([{ alias: { parent: 1, id: 0 } }]);
    expect(refusalOf(() => attach(cloud, vm, 'NIC_ALIAS=[NETWORK_ID=0,PARENT=x]'))).toBe('INTERNAL Alias not found.');
  });

  test("is of the VM's cluster", () => {
    const cloud = furnishedCloud();
    const vm = allocate(cloud, '');
    cloud.call(ADMIN_SESSION, 'one.vm.deploy', vm.id, 0);
    cloud.call(ADMIN_SESSION, 'one.cluster.delvnet', 0, 0);
    expect(refusalOf(() => attach(cloud, vm, 'NIC=[NETWORK_ID=0]'))).toBe(
      'INTERNAL Virtual network is not part of cluster [0]',
    );
    expect(usedLeases(cloud.vnets.get(0))).toBe(0);
  });
});

test('no address is leased twice, and what is given back is leased again', () => {
  const step = fc.oneof(
    fc.record({ nics: fc.integer({ min: 1, max: 3 }), ip: fc.option(fc.integer({ min: 1, max: 12 })) }),
    fc.record({ gone: fc.nat(20) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const cloud = furnishedCloud();
      network(
        cloud,
        'NAME=small VN_MAD=dummy BRIDGE=b AR=[TYPE=IP4,IP=10.3.0.1,SIZE=8] AR=[TYPE=IP4,IP=10.3.0.9,SIZE=4]',
      );
      const alive: Vm[] = [];
      for (const each of steps) {
        if ('gone' in each) {
          const [vm] = alive.splice(each.gone, 1);
          if (vm !== undefined) releaseNics(cloud, vm);
          continue;
        }
        const wanted = each.ip === null ? '' : `,IP="10.3.0.${each.ip}"`;
        const text = `NIC=[NETWORK_ID=1${wanted}] ${'NIC=[NETWORK_ID=1] '.repeat(each.nics - 1)}`;
        try {
          alive.push(allocate(cloud, text));
        } catch (error) {
          expect(String(error)).toContain('Cannot get IP/MAC lease from virtual network 1.');
        }
        const ips = alive.flatMap((vm) => vm.nics.map(({ ip }) => ip));
        expect(new Set(ips).size).toBe(ips.length);
        expect(usedLeases(cloud.vnets.get(1))).toBe(ips.length);
      }
    }),
    { seed: 1, numRuns: 60 },
  );
});

test('the rights it needs are those on the networks it names', () => {
  const cloud = furnishedCloud();
  const template = Template.parse('NIC=[NETWORK_ID=0] NIC=[NETWORK_MODE=auto] NIC=[NETWORK_ID=9] NIC=[A=1]');
  expect(nicRights(cloud, cloud.authenticate(OTHER, 'test'), template)).toEqual([
    { right: 'USE', type: 'NET', object: cloud.vnets.get(0) },
  ]);
});

test('the rules of its security groups hold for the VM', () => {
  const cloud = furnishedCloud();
  expect(nicRules(cloud, allocate(cloud, ''))).toEqual([]);
  expect(nicRules(cloud, allocate(cloud, 'NIC=[NETWORK_ID=0] NIC=[NETWORK_ID=0]'))).toHaveLength(2);
  expect(cloud.call(TESTER, 'one.secgroup.info', 0).name).toBe('default');
  expect(cloud.call(TESTER, 'one.secgrouppool.info', -2, -1, -1)).toHaveLength(1);
  expect(refusalOf(() => cloud.call(TESTER, 'one.secgroup.info', 99999))).toBe(
    'NO_EXISTS [one.secgroup.info] Error getting security group [99999].',
  );
});
