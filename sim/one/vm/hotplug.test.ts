/** Disks and NICs that come and go, snapshots, and configuration: what is refused, and what remains. */
import { describe, expect, it } from 'vitest';
import { ADMIN_SESSION, furnishedCloud, refusalOf, TESTER } from '../testing.ts';
import type { State } from './lifecycle.ts';
import { type Scene, sceneIn } from './scene.ts';

const at = (state: string): Scene => sceneIn(furnishedCloud(), state);
type Call = (scene: Scene) => unknown;

const attach: Call = ({ cloud, vm }) => cloud.call(TESTER, 'one.vm.attach', vm.id, 'DISK=[IMAGE_ID=0]');
const detach: Call = ({ cloud, vm }) => cloud.call(TESTER, 'one.vm.detach', vm.id, 0);
const attachNic: Call = ({ cloud, vm }) => cloud.call(TESTER, 'one.vm.attachnic', vm.id, 'NIC=[NETWORK_ID=0]');
const detachNic: Call = ({ cloud, vm }) => cloud.call(TESTER, 'one.vm.detachnic', vm.id, 0);
const snapshot: Call = ({ cloud, vm }) => cloud.call(TESTER, 'one.vm.snapshotcreate', vm.id, 's');
const diskSnapshot: Call = ({ cloud, vm }) => cloud.call(TESTER, 'one.vm.disksnapshotcreate', vm.id, 0, 's');
const saveAs: Call = ({ cloud, vm }) => cloud.call(TESTER, 'one.vm.disksaveas', vm.id, 0, 'copy', '', -1);

const settle = ({ cloud }: Scene): void => void cloud.clock.advanceNow(10_000);

describe('is refused', () => {
  it.each<[string, Call, string, string]>([
    [
      'attach',
      attach,
      'SUSPENDED',
      'ACTION [one.vm.attach] Could not attach a new disk to VM 0, wrong state SUSPENDED.',
    ],
    ['attach', attach, 'PENDING', 'ACTION [one.vm.attach] VM is not running in any host'],
    ['detach', detach, 'SUSPENDED', 'ACTION [one.vm.detach] Could not detach disk from VM 0, wrong state SUSPENDED.'],
    [
      'detach of what is not there',
      ({ cloud, vm }) => cloud.call(TESTER, 'one.vm.detach', vm.id, 9),
      'RUNNING',
      'ACTION [one.vm.detach] Could not detach disk with DISK_ID 9, it does not exist.',
    ],
    [
      'attachnic',
      attachNic,
      'SUSPENDED',
      'ACTION [one.vm.attachnic] Could not add a new NIC to VM 0, wrong state SUSPENDED.',
    ],
    [
      'attachnic of a network that is not there',
      ({ cloud, vm }) => cloud.call(TESTER, 'one.vm.attachnic', vm.id, 'NIC=[NETWORK_ID=777]'),
      'RUNNING',
      'ACTION [one.vm.attachnic] Virtual network with ID: 777 does not exist',
    ],
    [
      'detachnic',
      detachNic,
      'SUSPENDED',
      'ACTION [one.vm.detachnic] Could not detach NIC from VM 0, wrong state SUSPENDED.',
    ],
    [
      'detachnic of what is not there',
      ({ cloud, vm }) => cloud.call(TESTER, 'one.vm.detachnic', vm.id, 7),
      'RUNNING',
      'ACTION [one.vm.detachnic] Could not detach NIC with NIC_ID 7, it does not exist.',
    ],
    [
      'a snapshot',
      snapshot,
      'POWEROFF',
      'ACTION [one.vm.snapshotcreate] Could not create a new snapshot for VM 0, wrong state POWEROFF.',
    ],
    [
      'a revert',
      ({ cloud, vm }) => cloud.call(TESTER, 'one.vm.snapshotrevert', vm.id, 3),
      'POWEROFF',
      'ACTION [one.vm.snapshotrevert] Could not revert VM 0 to snapshot 3, wrong state POWEROFF.',
    ],
    [
      'a revert to what is not there',
      ({ cloud, vm }) => cloud.call(TESTER, 'one.vm.snapshotrevert', vm.id, 3),
      'RUNNING',
      'ACTION [one.vm.snapshotrevert] Could not revert VM 0 to snapshot 3, it does not exist.',
    ],
    [
      'deleting a snapshot',
      ({ cloud, vm }) => cloud.call(TESTER, 'one.vm.snapshotdelete', vm.id, 3),
      'POWEROFF',
      'ACTION [one.vm.snapshotdelete] Could not delete snapshot 3 for VM 0, wrong state POWEROFF.',
    ],
    [
      'deleting a snapshot that is not there',
      ({ cloud, vm }) => cloud.call(TESTER, 'one.vm.snapshotdelete', vm.id, 3),
      'RUNNING',
      'ACTION [one.vm.snapshotdelete] Could not delete snapshot 3 for VM 0, it does not exist.',
    ],
    [
      'a disk snapshot',
      diskSnapshot,
      'PENDING',
      'ACTION [one.vm.disksnapshotcreate] Could not create a new snapshot for VM 0, wrong state PENDING.',
    ],
    [
      'a revert of a disk',
      ({ cloud, vm }) => cloud.call(TESTER, 'one.vm.disksnapshotrevert', vm.id, 0, 0),
      'RUNNING',
      'ACTION [one.vm.disksnapshotrevert] Could not revert to disk snapshot for VM 0, wrong state RUNNING.',
    ],
    [
      'a revert of a disk to what is not there',
      ({ cloud, vm }) => cloud.call(TESTER, 'one.vm.disksnapshotrevert', vm.id, 0, 5),
      'POWEROFF',
      'ACTION [one.vm.disksnapshotrevert] Disk id (0) or snapshot id (5) is not valid.',
    ],
    [
      'deleting a disk snapshot',
      ({ cloud, vm }) => cloud.call(TESTER, 'one.vm.disksnapshotdelete', vm.id, 0, 0),
      'PENDING',
      'ACTION [one.vm.disksnapshotdelete] Could not delete disk snapshot from VM 0, wrong state PENDING.',
    ],
    [
      'saving a disk',
      saveAs,
      'PENDING',
      'INTERNAL [one.vm.disksaveas] VM has to be RUNNING, POWEROFF or SUSPENDED to save disks.',
    ],
    [
      'updateconf',
      ({ cloud, vm }) => cloud.call(TESTER, 'one.vm.updateconf', vm.id, 'OS=[BOOT=x]'),
      'SUSPENDED',
      'INTERNAL [one.vm.updateconf] configuration cannot be updated in state SUSPENDED',
    ],
  ])('%s', (_, call, state, refusal) => {
    const scene = at(state);
    const before = JSON.stringify([scene.vm.disks.length, scene.vm.nics.length, scene.vm.history.length]);
    expect(refusalOf(() => call(scene))).toBe(refusal);
    expect(JSON.stringify([scene.vm.disks.length, scene.vm.nics.length, scene.vm.history.length])).toBe(before);
    expect(scene.cloud.vnets.get(0).ranges[0]?.leases.size).toBe(1);
  });

  it('a snapshot of a volatile disk', () => {
    const { cloud } = at('PENDING');
    const id = cloud.call(TESTER, 'one.vm.allocate', 'CPU=1 MEMORY=1 DISK=[TYPE=fs, SIZE=10]');
    cloud.call(ADMIN_SESSION, 'one.vm.deploy', id, 0);
    cloud.clock.advanceNow(10_000);
    expect(refusalOf(() => cloud.call(TESTER, 'one.vm.disksnapshotcreate', id, 0, 's'))).toBe(
      'ACTION [one.vm.disksnapshotcreate] Cannot make snapshots on volatile disks',
    );
  });
});

/** By call: the state in which it is made, the states it goes through, and what it leaves. */
const COURSES: readonly [string, Call, State, State, (scene: Scene) => unknown, unknown, unknown][] = [
  ['attach', attach, 'RUNNING', 'HOTPLUG', ({ vm }) => vm.disks.map(({ id }) => id), [0, 2], [0]],
  ['attach', attach, 'POWEROFF', 'HOTPLUG_PROLOG_POWEROFF', ({ vm }) => vm.disks.length, 2, 1],
  ['detach', detach, 'RUNNING', 'HOTPLUG', ({ vm }) => vm.disks.length, 0, 1],
  ['detach', detach, 'POWEROFF', 'HOTPLUG_EPILOG_POWEROFF', ({ vm }) => vm.disks.length, 0, 1],
  ['attachnic', attachNic, 'RUNNING', 'HOTPLUG_NIC', ({ vm }) => vm.nics.map(({ id }) => id), [0, 1], [0]],
  ['attachnic', attachNic, 'POWEROFF', 'HOTPLUG_NIC_POWEROFF', ({ vm }) => vm.nics.length, 2, 1],
  ['detachnic', detachNic, 'RUNNING', 'HOTPLUG_NIC', ({ vm }) => vm.nics.length, 0, 1],
  ['snapshot', snapshot, 'RUNNING', 'HOTPLUG_SNAPSHOT', ({ vm }) => vm.snapshots.map(({ name }) => name), ['s'], []],
  ['disk snapshot', diskSnapshot, 'RUNNING', 'DISK_SNAPSHOT', ({ vm }) => vm.disks[0]?.snapshots.length, 1, 0],
  ['disk snapshot', diskSnapshot, 'POWEROFF', 'DISK_SNAPSHOT_POWEROFF', ({ vm }) => vm.disks[0]?.currentBase, 0, -1],
  ['disk snapshot', diskSnapshot, 'SUSPENDED', 'DISK_SNAPSHOT_SUSPENDED', ({ vm }) => vm.disks[0]?.currentBase, 0, -1],
  ['save as', saveAs, 'RUNNING', 'HOTPLUG_SAVEAS', ({ cloud }) => cloud.images.get(1).state, 'READY', 'ERROR'],
  ['save as', saveAs, 'STOPPED', 'HOTPLUG_SAVEAS_STOPPED', ({ cloud }) => cloud.images.get(1).state, 'READY', 'ERROR'],
];

/** What counts against the owner's quotas, for the VM and its leases. */
const usedBy = ({ cloud }: Scene): number[] => {
  const book = cloud.quotas.user(2);
  const vm = (['VMS', 'RUNNING_VMS', 'CPU', 'MEMORY', 'SYSTEM_DISK_SIZE'] as const).map(
    (metric) => book.find({ kind: 'VM', id: -1 })?.used(metric) ?? 0,
  );
  return [...vm, book.find({ kind: 'NETWORK', id: 0 })?.used('LEASES') ?? 0];
};

describe.each(COURSES)('%s', (_, call, state, through, left, afterSuccess, afterFailure) => {
  it(`in ${state} goes through ${through} and back`, () => {
    const scene = at(state);
    call(scene);
    expect(scene.vm.state).toBe(through);
    settle(scene);
    expect(scene.vm).toMatchObject({ state, work: null });
    expect(left(scene)).toEqual(afterSuccess);
  });

  it(`in ${state} leaves things as they were when the driver fails`, () => {
    const scene = at(state);
    const used = usedBy(scene);
    scene.fail('*');
    call(scene);
    settle(scene);
    expect(scene.vm).toMatchObject({ state, work: null });
    expect(left(scene)).toEqual(afterFailure);
    expect(usedBy(scene)).toEqual(used);
  });

  it(`in ${state} leaves nothing behind when the VM is deleted meanwhile`, () => {
    const scene = at(state);
    call(scene);
    scene.cloud.call(ADMIN_SESSION, 'one.vm.recover', scene.vm.id, 3);
    expect(scene.vm).toMatchObject({ state: 'DONE', work: null });
    expect(scene.cloud.images.get(0)).toMatchObject({ state: 'READY' });
    expect(scene.cloud.vnets.get(0).ranges[0]?.leases.size).toBe(0);
    expect(scene.cloud.quotas.user(2).find({ kind: 'VM', id: -1 })).toBeUndefined();
    settle(scene);
    expect(scene.vm.state).toBe('DONE');
  });
});

describe('a guest', () => {
  it('sees a NIC from when it is attached until it is detached, and the past stays', () => {
    const scene = at('RUNNING');
    attachNic(scene);
    settle(scene);
    detachNic(scene);
    settle(scene);
    expect(scene.vm.spans.map(({ shape }) => shape.nics)).toEqual([[0], [0, 1], [1]]);
    expect(scene.vm.spans.map(({ boot }) => boot)).toEqual([1, 1, 1]);
  });

  it('changes its behaviour with METRIC_PROFILE', () => {
    const { cloud, vm } = at('RUNNING');
    cloud.clock.advanceNow(1000);
    cloud.call(TESTER, 'one.vm.update', vm.id, 'METRIC_PROFILE=noisy', 1);
    cloud.call(TESTER, 'one.vm.update', vm.id, 'OTHER=1', 1);
    expect(vm.spans.map(({ shape }) => shape.profile)).toEqual(['', 'noisy']);
  });

  it('boots again when it is rebooted', () => {
    const scene = at('RUNNING');
    scene.cloud.clock.advanceNow(1000);
    scene.act('reboot');
    expect(scene.vm.spans.map(({ boot, to }) => [boot, to])).toEqual([
      [1, scene.cloud.clock.now],
      [2, null],
    ]);
  });

  it('looks like others that look like it: the shape is one object', () => {
    const [one, other] = [at('RUNNING'), at('RUNNING')];
    expect(one.vm.spans[0]?.shape).toEqual(other.vm.spans[0]?.shape);
    const { cloud } = one;
    const second = cloud.vms.get(cloud.call(TESTER, 'one.template.instantiate', 0, ''));
    cloud.call(ADMIN_SESSION, 'one.vm.deploy', second.id, 1);
    cloud.clock.advanceNow(10_000);
    expect(second.spans[0]?.shape).toBe(one.vm.spans[0]?.shape);
  });
});
