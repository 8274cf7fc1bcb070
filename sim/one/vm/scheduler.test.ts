/** The scheduler: when it looks, whom it places where, and what it says when it cannot. */
import { describe, expect, it } from 'vitest';
import type { Cloud } from '../cloud.ts';
import { addHost } from '../resources/host.ts';
import { ADMIN_SESSION, BY_THE_SECOND, freshCloud, furnishedCloud, TESTER } from '../testing.ts';
import type { Vm } from './vm.ts';

const ROUND_MS = 15_000;

const create = (cloud: Cloud, extra = '', session = TESTER): Vm =>
  cloud.vms.get(cloud.call(session, 'one.template.instantiate', 0, '', false, extra));

/** A VM that needs nothing but capacity. */
const plain = (cloud: Cloud, extra = ''): Vm =>
  cloud.vms.get(cloud.call(ADMIN_SESSION, 'one.vm.allocate', `CPU=1 MEMORY=100\n${extra}`));

const placed = (vms: readonly Vm[]): (number | undefined)[] => vms.map((vm) => vm.history.at(-1)?.hostId);
const message = (vm: Vm): string | undefined =>
  vm.userTemplate.get('SCHED_MESSAGE')?.slice('Sat Nov 21 00:00:15 2026: '.length);

function cloudWith(hosts: number): Cloud {
  const cloud = freshCloud(BY_THE_SECOND);
  for (let i = 0; i < hosts; i++) addHost(cloud, { name: `host${i}` });
  return cloud;
}

describe('a round', () => {
  it('comes every 15 s since the cloud began, whenever the VM was made', () => {
    const cloud = cloudWith(1);
    const { clock } = cloud;
    const began = clock.now;
    clock.advanceNow(4000);
    const vm = plain(cloud);
    clock.advanceNow(ROUND_MS - 4001);
    expect(vm.state).toBe('PENDING');
    clock.advanceNow(1);
    expect(vm.state).toBe('PROLOG');
    expect(clock.now - began).toBe(ROUND_MS);
  });

  it('places one VM on each host, the others in the rounds that follow', () => {
    const cloud = cloudWith(2);
    const vms = Array.from({ length: 5 }, () => plain(cloud));
    const waiting = (): number => vms.filter((vm) => vm.state === 'PENDING').length;
    const left = [1, 2, 3].map(() => {
      cloud.clock.advanceNow(ROUND_MS);
      return waiting();
    });
    expect(left).toEqual([3, 1, 0]);
  });

  it('places 30 VMs at most, those that asked first', () => {
    const cloud = cloudWith(40);
    const vms = Array.from({ length: 35 }, () => plain(cloud));
    cloud.clock.advanceNow(ROUND_MS);
    expect(vms.map((vm) => vm.state === 'PENDING')).toEqual(vms.map((_, i) => i >= 30));
  });

  it('places a VM on the host with the fewest, the youngest of equals', () => {
    const cloud = cloudWith(3);
    const vms = [plain(cloud), plain(cloud), plain(cloud), plain(cloud)];
    cloud.clock.advanceNow(2 * ROUND_MS);
    expect(placed(vms)).toEqual([2, 1, 0, 2]);
  });

  it('leaves no event behind when everything is placed', () => {
    const cloud = cloudWith(1);
    plain(cloud);
    cloud.clock.advanceNow(10 * ROUND_MS);
    expect(cloud.clock.pending).toBe(0);
  });
});

describe('a VM that fits nowhere', () => {
  const unmeetable = 'SCHED_REQUIREMENTS="ID=99"';

  it('waits for ever, and keeps the clock idle', async () => {
    const cloud = cloudWith(2);
    const vm = plain(cloud, unmeetable);
    const { fired } = await cloud.clock.runUntilIdle(10);
    expect(fired).toBe(1);
    cloud.clock.advanceNow(365 * 86_400_000);
    expect(vm.state).toBe('PENDING');
    expect(cloud.clock.pending).toBe(0);
  });

  it('does not keep others from being placed', () => {
    const cloud = cloudWith(1);
    const [first, second] = [plain(cloud, unmeetable), plain(cloud)];
    cloud.clock.advanceNow(ROUND_MS);
    expect([first.state, second.state]).toEqual(['PENDING', 'PROLOG']);
  });

  it.each<[string, (cloud: Cloud, vm: Vm) => unknown]>([
    [
      'its user template',
      (cloud, vm) => cloud.call(ADMIN_SESSION, 'one.vm.update', vm.id, 'SCHED_REQUIREMENTS="ID=0"', 1),
    ],
    ['a host’s template', (cloud) => cloud.call(ADMIN_SESSION, 'one.host.update', 1, 'GPU=YES', 1)],
    ['the cluster of a host', (cloud) => cloud.call(ADMIN_SESSION, 'one.cluster.update', 0, 'GPU=YES', 1)],
    ['a new host', (cloud) => addHost(cloud, { name: 'gpu' })],
  ])('is looked at again after a change of %s', (what, change) => {
    const cloud = cloudWith(2);
    const vm = plain(cloud, `SCHED_REQUIREMENTS="${what === 'a new host' ? 'NAME=gpu' : 'GPU=YES'}"`);
    cloud.clock.advanceNow(60_000);
    expect(vm.state).toBe('PENDING');
    change(cloud, vm);
    cloud.clock.advanceNow(60_000);
    expect(vm.state).toBe('RUNNING');
    expect(vm.userTemplate.get('SCHED_MESSAGE')).toBe('');
  });

  it.each<[string, (cloud: Cloud, vm: Vm) => unknown]>([
    ['terminated', (cloud, vm) => cloud.call(ADMIN_SESSION, 'one.vm.action', 'terminate', vm.id)],
    ['powered off and undeployed', (cloud, vm) => cloud.call(ADMIN_SESSION, 'one.vm.action', 'undeploy', vm.id)],
    ['made smaller', (cloud, vm) => cloud.call(ADMIN_SESSION, 'one.vm.resize', vm.id, 'CPU=1', true)],
  ])('is looked at again when another is %s', (_, change) => {
    const cloud = cloudWith(1);
    const other = plain(cloud, '');
    cloud.clock.advanceNow(ROUND_MS);
    cloud.clock.advanceNow(5000);
    cloud.call(ADMIN_SESSION, 'one.vm.resize', other.id, 'CPU=8', true);
    cloud.clock.advanceNow(5000);
    const vm = plain(cloud);
    cloud.clock.advanceNow(60_000);
    expect(vm.state).toBe('PENDING');
    change(cloud, other);
    cloud.clock.advanceNow(60_000);
    expect(vm.state).toBe('RUNNING');
  });
});

describe('SCHED_MESSAGE', () => {
  const saidOf = (cloud: Cloud, vm: Vm): string | undefined => {
    cloud.clock.advanceNow(ROUND_MS);
    return message(vm);
  };

  it('says when it was written, and that there is no host', () => {
    const cloud = cloudWith(0);
    const vm = plain(cloud);
    cloud.clock.advanceNow(ROUND_MS);
    expect(vm.userTemplate.get('SCHED_MESSAGE')).toBe(
      'Sat Nov 21 00:00:15 2026: Cannot dispatch VM: No hosts enabled to run VMs',
    );
  });

  it.each([
    ['DISABLED', 1],
    ['OFFLINE', 2],
  ])('counts a host that is %s for none', (_, status) => {
    const cloud = cloudWith(1);
    cloud.call(ADMIN_SESSION, 'one.host.status', 0, status);
    expect(saidOf(cloud, plain(cloud))).toBe('Cannot dispatch VM: No hosts enabled to run VMs');
  });

  it('says that the owner may use no host', () => {
    const cloud = furnishedCloud(BY_THE_SECOND);
    cloud.acl.withdraw('@1 HOST/* MANAGE #0');
    expect(saidOf(cloud, create(cloud))).toBe('Cannot dispatch VM: User is not authorized to use any host');
  });

  it('says that none has room', () => {
    const cloud = cloudWith(1);
    const vm = cloud.vms.get(cloud.call(ADMIN_SESSION, 'one.vm.allocate', 'CPU=9 MEMORY=1'));
    expect(saidOf(cloud, vm)).toBe('Cannot dispatch VM: No host with enough capacity to deploy the VM');
  });

  it.each([
    [
      'ID=99',
      'Cannot dispatch VM: No host meets capacity and SCHED_REQUIREMENTS: (CLUSTER_ID = 0) & !(PUBLIC_CLOUD = YES) & !(PIN_POLICY = PINNED) & ( ID=99 )',
    ],
    [
      'A=',
      "Error in SCHED_REQUIREMENTS: '(CLUSTER_ID = 0) & !(PUBLIC_CLOUD = YES) & !(PIN_POLICY = PINNED) & ( A= )', error: syntax error, unexpected ')', expecting ",
    ],
    [
      '',
      "Error in SCHED_REQUIREMENTS: '(CLUSTER_ID = 0) & !(PUBLIC_CLOUD = YES) & !(PIN_POLICY = PINNED) & (  )', error: syntax error, unexpected ')', expecting ",
    ],
  ])('explains the requirements %j', (requirements, text) => {
    const cloud = furnishedCloud(BY_THE_SECOND);
    const vm = cloud.vms.get(
      cloud.call(ADMIN_SESSION, 'one.template.instantiate', 0, '', false, `SCHED_REQUIREMENTS="${requirements}"`),
    );
    expect(saidOf(cloud, vm)?.slice(0, text.length)).toBe(text);
  });

  it('explains the requirements of the datastore', () => {
    const cloud = cloudWith(1);
    expect(saidOf(cloud, plain(cloud, 'SCHED_DS_REQUIREMENTS="ID = 55"'))).toBe(
      'Cannot dispatch VM: No system datastore meets capacity and SCHED_DS_REQUIREMENTS: ID = 55',
    );
    const vm = plain(cloud, 'SCHED_DS_REQUIREMENTS="NAME = system & FREE_MB > 1"');
    cloud.clock.advanceNow(ROUND_MS);
    expect(vm.state).toBe('PROLOG');
  });

  it('says what oned says when it refuses, and tries again when something changes', () => {
    const cloud = furnishedCloud(BY_THE_SECOND);
    const vm = create(cloud);
    cloud.call(ADMIN_SESSION, 'one.cluster.deldatastore', 0, 0);
    expect(saidOf(cloud, vm)).toMatch(/^Cannot dispatch VM: /);
    cloud.call(ADMIN_SESSION, 'one.cluster.adddatastore', 0, 0);
    cloud.clock.advanceNow(ROUND_MS);
    expect(vm.state).toBe('PROLOG');
  });
});

describe('requirements and rank', () => {
  it.each([
    ['SCHED_REQUIREMENTS="ID=0"', 0],
    ['SCHED_REQUIREMENTS="HOSTNAME=\\"host1\\" | NAME=nowhere"', 1],
    ['SCHED_REQUIREMENTS="ZONE=\\"a*\\""', 0],
    ['SCHED_REQUIREMENTS="FREE_CPU > 700 & !(ID=2)"', 1],
    ['SCHED_RANK="-ID"', 0],
    ['SCHED_RANK=FREE_CPU', 2],
    ['SCHED_RANK="SPEED"', 1],
  ])('%s is obeyed', (extra, host) => {
    const cloud = cloudWith(3);
    cloud.call(ADMIN_SESSION, 'one.host.update', 0, 'ZONE=ab', 1);
    cloud.call(ADMIN_SESSION, 'one.host.update', 1, 'SPEED=7', 1);
    const vm = plain(cloud, extra);
    cloud.clock.advanceNow(ROUND_MS);
    expect(placed([vm])).toEqual([host]);
  });

  it('keep a VM with disks in the clusters that have them', () => {
    const cloud = furnishedCloud(BY_THE_SECOND);
    const far = cloud.call(ADMIN_SESSION, 'one.cluster.allocate', 'far');
    for (const host of [0, 1]) cloud.call(ADMIN_SESSION, 'one.cluster.addhost', far, host);
    const vm = create(cloud);
    cloud.clock.advanceNow(ROUND_MS);
    expect(message(vm)).toContain('No host meets capacity and SCHED_REQUIREMENTS: (CLUSTER_ID = 0) & ');
    for (const datastore of [0, 1]) cloud.call(ADMIN_SESSION, 'one.cluster.adddatastore', far, datastore);
    cloud.call(ADMIN_SESSION, 'one.cluster.addvnet', far, 0);
    cloud.clock.advanceNow(ROUND_MS);
    expect(vm.state).toBe('PROLOG');
  });
});

describe('a VM flagged for rescheduling', () => {
  const running = (cloud: Cloud, extra = ''): Vm => {
    const vm = plain(cloud, extra);
    cloud.clock.advanceNow(60_000);
    expect(vm.state).toBe('RUNNING');
    return vm;
  };
  const flag = (cloud: Cloud, vm: Vm) => cloud.call(ADMIN_SESSION, 'one.vm.action', 'resched', vm.id);

  it('is migrated, cold, to another host in the next round', () => {
    const cloud = cloudWith(2);
    const vm = running(cloud);
    expect(placed([vm])).toEqual([1]);
    flag(cloud, vm);
    cloud.clock.advanceNow(ROUND_MS);
    expect(vm).toMatchObject({ state: 'SAVE_MIGRATE', resched: false });
    cloud.clock.advanceNow(60_000);
    expect(placed([vm])).toEqual([0]);
    expect(vm.state).toBe('RUNNING');
  });

  it('stays where it is when there is no other, and keeps the flag', () => {
    const cloud = cloudWith(1);
    const vm = running(cloud);
    flag(cloud, vm);
    cloud.clock.advanceNow(60_000);
    expect(vm).toMatchObject({ state: 'RUNNING', resched: true });
    expect(message(vm)).toBe('Cannot dispatch VM: No host with enough capacity to deploy the VM');
    expect(cloud.clock.pending).toBe(0);
    addHost(cloud, { name: 'new' });
    cloud.clock.advanceNow(60_000);
    expect(vm).toMatchObject({ state: 'RUNNING', resched: false });
    expect(placed([vm])).toEqual([1]);
  });
});

describe('the journal', () => {
  it('says of each VM what asked for it, whoever woke the scheduler', () => {
    const cloud = furnishedCloud(BY_THE_SECOND);
    const { clock, journal } = cloud;
    const requests = ['first', 'second'].map((name) => journal.append('request', name));
    const vms = requests.map((cause) =>
      clock.because(cause, () => cloud.call(TESTER, 'one.template.instantiate', 0, '', false, '')),
    );
    clock.advanceNow(60_000);
    for (const [n, vm] of vms.entries()) {
      const began = [...journal.since()].find(
        ({ subject, detail }) => subject === `vm/${vm}` && detail.to === 'PROLOG',
      );
      expect(journal.why(began?.cause ?? 0).map(({ seq }) => seq)).toContain(requests[n]);
    }
  });
});
