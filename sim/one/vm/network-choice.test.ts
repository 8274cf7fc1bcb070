/** NICs in NETWORK_MODE auto. */
import { describe, expect, it } from 'vitest';
import type { Cloud } from '../cloud.ts';
import { ADMIN_SESSION, BY_THE_SECOND, furnishedCloud, refusalOf, TESTER } from '../testing.ts';
import { contextAttributes } from './context.ts';
import { nicAttributes } from './nic.ts';
import type { Vm } from './vm.ts';

const CAPACITY = 'CPU=0.1 MEMORY=128';
const ROUND_MS = 15_000;

/** A cloud whose scheduler works, with network 1 beside the usual 0. */
function cloudOfTwo(): Cloud {
  const cloud = furnishedCloud(BY_THE_SECOND);
  const text = 'NAME=other VN_MAD=dummy BRIDGE=br7 TRAFFIC=slow AR=[TYPE=IP4, IP="10.7.0.1", SIZE=2]';
  cloud.call(ADMIN_SESSION, 'one.vn.allocate', text, -1);
  return cloud;
}

const make = (cloud: Cloud, nics: string, more = ''): Vm =>
  cloud.vms.get(cloud.call(TESTER, 'one.vm.allocate', `${CAPACITY} ${more} ${nics}`));
const round = (cloud: Cloud): void => void cloud.clock.advanceNow(ROUND_MS);
const networks = (vm: Vm): (number | null)[] => vm.nics.map(({ networkId }) => networkId);
const message = (vm: Vm): string | undefined => vm.userTemplate.get('SCHED_MESSAGE')?.replace(/^.{24}: /, '');

describe('a NIC in mode auto', () => {
  it('has no network until the VM is dispatched, then the one with the fewest leases in use', () => {
    const cloud = cloudOfTwo();
    make(cloud, 'NIC=[NETWORK_ID=1]');
    const vm = make(cloud, 'NIC=[NETWORK_MODE=auto, MODEL=virtio]', 'CONTEXT=[NETWORK=YES]');
    expect(networks(vm)).toEqual([null]);
    round(cloud);
    expect([networks(vm), vm.state === 'PENDING']).toEqual([[0], false]);
    const [nic] = vm.nics;
    if (nic === undefined) throw new Error('no NIC');
    expect(Object.fromEntries(nicAttributes(cloud, vm, nic))).toMatchObject({
      NETWORK: 'fnet',
      NETWORK_ID: '0',
      NETWORK_MODE: 'auto',
      NIC_ID: '0',
      IP: '10.0.0.1',
      MODEL: 'virtio',
      TARGET: `one-${vm.id}-0`,
    });
    expect(new Map(contextAttributes(cloud, vm) ?? []).get('ETH0_IP')).toBe('10.0.0.1');
    expect([...cloud.quotas.user(2)].find(({ kind, id }) => kind === 'NETWORK' && id === 0)?.used('LEASES')).toBe(1);
  });

  it('follows its own requirements and rank', () => {
    const cloud = cloudOfTwo();
    const by = (text: string): (number | null)[] => {
      const vm = make(cloud, `NIC=[NETWORK_MODE=AUTO, ${text}]`);
      round(cloud);
      return networks(vm);
    };
    expect(by('SCHED_REQUIREMENTS="TRAFFIC = \\"slow\\""')).toEqual([1]);
    expect(by('SCHED_RANK="-ID"')).toEqual([0]);
    expect(by('SCHED_RANK="ID"')).toEqual([1]);
  });

  it('gets another network than its sisters', () => {
    const cloud = cloudOfTwo();
    const vm = make(cloud, 'NIC=[NETWORK_MODE=auto] NIC=[NETWORK_MODE=auto]');
    round(cloud);
    expect(networks(vm).sort()).toEqual([0, 1]);
    const three = make(cloud, 'NIC=[NETWORK_MODE=auto] NIC=[NETWORK_MODE=auto] NIC=[NETWORK_MODE=auto]');
    round(cloud);
    expect([three.state, networks(three)]).toEqual(['PENDING', [null, null, null]]);
    expect(message(three)).toBe('Cannot dispatch VM: No network with enough capacity for the VM');
  });

  it('keeps its network when the VM is undeployed and comes back, and gives it back in the end', () => {
    const cloud = cloudOfTwo();
    const vm = make(cloud, 'NIC=[NETWORK_MODE=auto]');
    round(cloud);
    cloud.clock.advanceNow(5_000);
    cloud.call(TESTER, 'one.vm.action', 'undeploy', vm.id);
    cloud.clock.advanceNow(5_000);
    const [before] = vm.nics;
    cloud.call(TESTER, 'one.vm.action', 'resume', vm.id);
    cloud.clock.advanceNow(30_000);
    expect([vm.state, vm.nics[0]]).toEqual(['RUNNING', before]);
    cloud.call(TESTER, 'one.vm.action', 'terminate-hard', vm.id);
    cloud.clock.advanceNow(5_000);
    expect([...cloud.vnets].flatMap(({ ranges }) => ranges.map(({ leases }) => leases.size))).toEqual([0, 0]);
  });

  it.each([
    ['SCHED_REQUIREMENTS="NAME = none"', 'No network meet leases and SCHED_NIC_REQUIREMENTS: NAME = none'],
    ['SCHED_REQUIREMENTS="ID > "', /^Error in SCHED_NIC_REQUIREMENTS: 'ID > ', error: /],
  ])('waits with %s', (text, why) => {
    const cloud = cloudOfTwo();
    const vm = make(cloud, `NIC=[NETWORK_MODE=auto, ${text}]`);
    round(cloud);
    expect(vm.state).toBe('PENDING');
    expect(message(vm)).toMatch(typeof why === 'string' ? `Cannot dispatch VM: ${why}` : why);
  });

  it('waits while no network is left to it', () => {
    const cloud = cloudOfTwo();
    for (const id of [0, 1]) cloud.call(ADMIN_SESSION, 'one.vn.delete', id);
    const vm = make(cloud, 'NIC=[NETWORK_MODE=auto]');
    round(cloud);
    expect(message(vm)).toBe('Cannot dispatch VM: No networks found to run VMs');
    cloud.call(ADMIN_SESSION, 'one.acl.delrule', [...cloud.acl].find(({ id }) => id === 4)?.id ?? -1);
    cloud.call(
      ADMIN_SESSION,
      'one.vn.allocate',
      'NAME=n VN_MAD=dummy BRIDGE=b AR=[TYPE=IP4, IP="10.9.0.1", SIZE=0]',
      -1,
    );
    cloud.scheduler.look();
    round(cloud);
    expect(message(vm)).toBe('Cannot dispatch VM: User is not authorized to use any network');
    cloud.call(ADMIN_SESSION, 'one.vn.chmod', 2, 1, 1, 0, 0, 0, 0, 1, 0, 0);
    cloud.scheduler.look();
    round(cloud);
    expect(message(vm)).toBe('Cannot dispatch VM: No network with enough capacity for the VM');
  });
});

describe('one.vm.deploy', () => {
  const deploy = (cloud: Cloud, vm: Vm, extra: string) =>
    cloud.call(ADMIN_SESSION, 'one.vm.deploy', vm.id, 0, false, -1, extra);

  it('connects the NICs that it is told networks for', () => {
    const cloud = cloudOfTwo();
    const vm = make(cloud, 'NIC=[NETWORK_ID=0] NIC=[NETWORK_MODE=auto]');
    deploy(cloud, vm, 'NIC=[NIC_ID=1, NETWORK_MODE="auto", NETWORK_ID=1]');
    expect([vm.state, networks(vm), vm.nics[1]?.ip]).toEqual(['PROLOG', [0, 1], '10.7.0.1']);
  });

  it.each([
    ['NIC=[NIC_ID=1, NETWORK_ID=1] NIC=[NIC_ID=9, NETWORK_ID=1]', 'NIC_ID 9 not found'],
    ['NIC=[NIC_ID=1, NETWORK_ID=1] NIC=[NIC_ID=0, NETWORK_ID=1]', 'NIC_ID 0 not AUTO'],
    ['NIC=[NIC_ID=1, NETWORK_ID=77]', 'Virtual network with ID: 77 does not exist'],
  ])('refuses %s, and holds no lease', (extra, why) => {
    const cloud = cloudOfTwo();
    const vm = make(cloud, 'NIC=[NETWORK_ID=0] NIC=[NETWORK_MODE=auto]');
    expect(refusalOf(() => deploy(cloud, vm, extra))).toBe(`ACTION [one.vm.deploy] ${why}`);
    expect([vm.state, networks(vm)]).toEqual(['PENDING', [0, null]]);
    expect(cloud.vnets.get(1).ranges[0]?.leases.size).toBe(0);
  });
});
