/** Snapshots that a persistent image keeps. */
import { describe, expect, it } from 'vitest';
import { ADMIN_SESSION, furnishedCloud, OTHER, refusalOf, TESTER } from '../testing.ts';

/** A cloud with image 1, persistent and tester's, which a VM has left with two snapshots, the second on the first. */
function snapped() {
  const cloud = furnishedCloud();
  const image = cloud.images.get(
    cloud.call(TESTER, 'one.image.allocate', 'NAME=kept TYPE=DATABLOCK SIZE=100 PERSISTENT=YES', 1),
  );
  const text = `NAME=v CPU=1 MEMORY=128 DISK=[IMAGE_ID=${image.id}]`;
  const settle = (): void => void cloud.clock.advanceNow(10_000);
  const boot = () => {
    const vm = cloud.vms.get(cloud.call(TESTER, 'one.vm.allocate', text));
    cloud.call(ADMIN_SESSION, 'one.vm.deploy', vm.id, 0);
    settle();
    return vm;
  };
  const leave = (id: number): void => {
    cloud.call(TESTER, 'one.vm.action', 'terminate-hard', id);
    settle();
  };
  const vm = boot();
  for (const name of ['a', 'b']) {
    cloud.call(TESTER, 'one.vm.disksnapshotcreate', vm.id, 0, name);
    settle();
  }
  cloud.call(TESTER, 'one.vm.diskresize', vm.id, 0, '150');
  settle();
  const call = (what: 'delete' | 'revert' | 'flatten', id: number, session = TESTER) =>
    cloud.call(session, `one.image.snapshot${what}`, image.id, id);
  return { cloud, image, vm, boot, leave, call };
}

describe('a persistent image', () => {
  it('keeps the snapshots of its disk, and gives them to the next', () => {
    const { image, vm, boot, leave } = snapped();
    expect(image.snapshots).toEqual([]);
    leave(vm.id);
    expect(image).toMatchObject({ state: 'READY', sizeMiB: 150, nextSnapshot: 2, currentBase: 1 });
    expect(image.snapshots.map(({ name, active }) => [name, active])).toEqual([
      ['a', false],
      ['b', true],
    ]);
    const next = boot();
    expect(next.disks[0]?.snapshots).toEqual(image.snapshots);
    expect(next.disks[0]?.nextSnapshot).toBe(2);
  });

  it('goes back to one, with its size', () => {
    const { cloud, image, vm, leave, call } = snapped();
    leave(vm.id);
    const used = () => [...cloud.quotas.user(2)].find(({ kind }) => kind === 'DATASTORE')?.used('SIZE');
    const before = used();
    expect(call('revert', 0)).toBe(0);
    expect(image).toMatchObject({ state: 'READY', sizeMiB: 100, currentBase: 0 });
    expect(image.snapshots.map(({ active }) => active)).toEqual([true, false]);
    expect((before ?? 0) - (used() ?? 0)).toBe(50);
  });

  it('loses one that nothing stands on, or all at once', () => {
    const { image, vm, leave, call } = snapped();
    leave(vm.id);
    const refused = (id: number) => refusalOf(() => call('delete', id));
    expect([refused(0), refused(1), refused(9)]).toEqual([
      'ACTION [one.image.snapshotdelete] Cannot delete snapshot with children',
      'ACTION [one.image.snapshotdelete] Cannot delete the active snapshot',
      'ACTION [one.image.snapshotdelete] Snapshot does not exist',
    ]);
    call('revert', 0);
    expect(call('delete', 1)).toBe(1);
    expect(image.snapshots.map(({ id }) => id)).toEqual([0]);
    expect(call('flatten', 0)).toBe(0);
    expect(image).toMatchObject({ snapshots: [], nextSnapshot: 0, currentBase: -1, sizeMiB: 100 });
  });

  it('is neither cloned nor made a CD-ROM while it has snapshots', () => {
    const { cloud, image, vm, leave } = snapped();
    leave(vm.id);
    expect(refusalOf(() => cloud.call(TESTER, 'one.image.clone', image.id, 'copy'))).toBe(
      'ACTION [one.image.clone] Cannot clone images with snapshots',
    );
    expect(refusalOf(() => cloud.call(TESTER, 'one.image.chtype', image.id, 'CDROM'))).toBe(
      'INTERNAL [one.image.chtype] Image with snapshots can be only of type OS or DATABLOCK',
    );
  });

  it('is refused while a VM uses it, for what cannot have snapshots, and to who may not', () => {
    const { cloud, call } = snapped();
    const kernel = cloud.call(ADMIN_SESSION, 'one.image.allocate', 'NAME=k TYPE=KERNEL PATH=/k', 2);
    expect([
      ...(['delete', 'revert', 'flatten'] as const).map((what) => refusalOf(() => call(what, 0))),
      refusalOf(() => cloud.call(ADMIN_SESSION, 'one.image.snapshotdelete', kernel, 0)),
      refusalOf(() => call('flatten', 0, OTHER)),
      refusalOf(() => cloud.call(ADMIN_SESSION, 'one.image.snapshotdelete', 99, 0)),
    ]).toEqual([
      'ACTION [one.image.snapshotdelete] Cannot delete snapshot in state USED',
      'ACTION [one.image.snapshotrevert] Cannot revert to snapshot in state USED',
      'ACTION [one.image.snapshotflatten] Cannot flatten snapshot in state USED',
      'ACTION [one.image.snapshotdelete] IMAGES of type KERNEL, RAMDISK, BACKUP and CONTEXT does not have snapshots.',
      'AUTHORIZATION [one.image.snapshotflatten] User [3] : Not authorized to perform MANAGE IMAGE [1].',
      'NO_EXISTS [one.image.snapshotdelete] Error getting image [99].',
    ]);
  });
});
