/** Snapshots of VMs and of disks. Mirrors `VirtualMachineSnapshot*` and `Snapshots.cc` of OpenNebula 6.10. */

import type { Caller } from '../access/user.ts';
import type { Cloud } from '../cloud.ts';
import { OneError } from '../error.ts';
import { begin, leadsTo, managed } from './hotplug.ts';
import type { Disk, DiskSnapshot, Vm } from './vm.ts';

/** Returns the snapshot's id. */
export function vmSnapshotCreate(cloud: Cloud, caller: Caller, id: number, name: string): number {
  const vm = managed(cloud, caller, id);
  const next = leadsTo(vm, 'snapshot-create', `Could not create a new snapshot for VM ${id}`);
  const snapshotId = (vm.snapshots.at(-1)?.id ?? -1) + 1;
  vm.snapshots.push({ id: snapshotId, name: name === '' ? `snapshot-${snapshotId}` : name, time: cloud.seconds });
  begin(cloud, caller, vm, 'snapshot-create', next, { kind: 'createSnapshot', snapshotId });
  return snapshotId;
}

/** Both return -1, as oned does. */
export function vmSnapshotRevert(cloud: Cloud, caller: Caller, id: number, snapshotId: number): number {
  const vm = managed(cloud, caller, id);
  const refusal = `Could not revert VM ${id} to snapshot ${snapshotId}`;
  const next = leadsTo(vm, 'snapshot-revert', refusal);
  requireSnapshot(vm, snapshotId, refusal);
  begin(cloud, caller, vm, 'snapshot-revert', next, { kind: 'revertSnapshot', snapshotId });
  return -1;
}

export function vmSnapshotDelete(cloud: Cloud, caller: Caller, id: number, snapshotId: number): number {
  const vm = managed(cloud, caller, id);
  const refusal = `Could not delete snapshot ${snapshotId} for VM ${id}`;
  const next = leadsTo(vm, 'snapshot-delete', refusal);
  requireSnapshot(vm, snapshotId, refusal);
  begin(cloud, caller, vm, 'snapshot-delete', next, { kind: 'deleteSnapshot', snapshotId });
  return -1;
}

function requireSnapshot(vm: Vm, id: number, refusal: string): void {
  if (!vm.snapshots.some((snapshot) => snapshot.id === id)) {
    throw new OneError('ACTION', `${refusal}, it does not exist.`);
  }
}

/** Returns the snapshot's id. */
export function vmDiskSnapshotCreate(cloud: Cloud, caller: Caller, id: number, diskId: number, name: string): number {
  const vm = managed(cloud, caller, id);
  const next = leadsTo(vm, 'disk-snapshot-create', `Could not create a new snapshot for VM ${id}`);
  const disk = requireDisk(vm, diskId);
  if (disk.imageId === null) throw new OneError('ACTION', 'Cannot make snapshots on volatile disks');
  const snapshotId = disk.nextSnapshot++;
  disk.snapshots.push({
    id: snapshotId,
    name,
    date: cloud.seconds,
    parent: disk.currentBase,
    sizeMiB: disk.sizeMiB,
    active: false,
  });
  begin(cloud, caller, vm, 'disk-snapshot-create', next, { kind: 'createDiskSnapshot', diskId, snapshotId });
  return snapshotId;
}

export function vmDiskSnapshotRevert(
  cloud: Cloud,
  caller: Caller,
  id: number,
  diskId: number,
  snapshotId: number,
): number {
  const vm = managed(cloud, caller, id);
  const next = leadsTo(vm, 'disk-snapshot-revert', `Could not revert to disk snapshot for VM ${id}`);
  requireDiskSnapshot(vm, diskId, snapshotId);
  begin(cloud, caller, vm, 'disk-snapshot-revert', next, { kind: 'revertDiskSnapshot', diskId, snapshotId });
  return id;
}

export function vmDiskSnapshotDelete(
  cloud: Cloud,
  caller: Caller,
  id: number,
  diskId: number,
  snapshotId: number,
): number {
  const vm = managed(cloud, caller, id);
  const next = leadsTo(vm, 'disk-snapshot-delete', `Could not delete disk snapshot from VM ${id}`);
  requireDiskSnapshot(vm, diskId, snapshotId);
  begin(cloud, caller, vm, 'disk-snapshot-delete', next, { kind: 'deleteDiskSnapshot', diskId, snapshotId });
  return id;
}

function vmDiskSnapshotRename(
  cloud: Cloud,
  caller: Caller,
  id: number,
  diskId: number,
  snapshotId: number,
  name: string,
): number {
  const vm = managed(cloud, caller, id);
  requireDiskSnapshot(vm, diskId, snapshotId).name = name;
  return id;
}

function requireDisk(vm: Vm, id: number): Disk {
  const disk = vm.disks.find((candidate) => candidate.id === id);
  if (disk === undefined) throw new OneError('ACTION', 'VM disk does not exist');
  return disk;
}

function requireDiskSnapshot(vm: Vm, diskId: number, snapshotId: number): DiskSnapshot {
  const snapshot = vm.disks.find((disk) => disk.id === diskId)?.snapshots.find((each) => each.id === snapshotId);
  if (snapshot === undefined) {
    throw new OneError('ACTION', `Disk id (${diskId}) or snapshot id (${snapshotId}) is not valid.`);
  }
  return snapshot;
}

export const SNAPSHOT_OPERATIONS = {
  'one.vm.snapshotcreate': vmSnapshotCreate,
  'one.vm.snapshotrevert': vmSnapshotRevert,
  'one.vm.snapshotdelete': vmSnapshotDelete,
  'one.vm.disksnapshotcreate': vmDiskSnapshotCreate,
  'one.vm.disksnapshotrevert': vmDiskSnapshotRevert,
  'one.vm.disksnapshotdelete': vmDiskSnapshotDelete,
  'one.vm.disksnapshotrename': vmDiskSnapshotRename,
} as const;
