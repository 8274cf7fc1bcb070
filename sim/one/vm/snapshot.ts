/** Snapshots of VMs and of disks. Mirrors `VirtualMachineSnapshot*` and `Snapshots.cc` of OpenNebula 6.10. */

import type { Caller } from '../access/user.ts';
import type { Cloud } from '../cloud.ts';
import { OneError } from '../error.ts';
import { begin, leadsTo, managed } from './hotplug.ts';
import type { Operation } from './lifecycle.ts';
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

export const vmSnapshotRevert = onSnapshot(
  'snapshot-revert',
  'revertSnapshot',
  (vm, snapshot) => `Could not revert VM ${vm} to snapshot ${snapshot}`,
);

export const vmSnapshotDelete = onSnapshot(
  'snapshot-delete',
  'deleteSnapshot',
  (vm, snapshot) => `Could not delete snapshot ${snapshot} for VM ${vm}`,
);

/** What is done to a snapshot that is there. It returns -1, as oned does. */
function onSnapshot(
  operation: Operation,
  kind: 'revertSnapshot' | 'deleteSnapshot',
  refusalOf: (vm: number, snapshot: number) => string,
) {
  return (cloud: Cloud, caller: Caller, id: number, snapshotId: number): number => {
    const vm = managed(cloud, caller, id);
    const refusal = refusalOf(id, snapshotId);
    const next = leadsTo(vm, operation, refusal);
    requireSnapshot(vm, snapshotId, refusal);
    begin(cloud, caller, vm, operation, next, { kind, snapshotId });
    return -1;
  };
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

export const vmDiskSnapshotRevert = onDiskSnapshot(
  'disk-snapshot-revert',
  'revertDiskSnapshot',
  'Could not revert to disk snapshot for VM',
);

export const vmDiskSnapshotDelete = onDiskSnapshot(
  'disk-snapshot-delete',
  'deleteDiskSnapshot',
  'Could not delete disk snapshot from VM',
);

/** What is done to a disk's snapshot that is there. It returns the VM's id. */
function onDiskSnapshot(operation: Operation, kind: 'revertDiskSnapshot' | 'deleteDiskSnapshot', refusal: string) {
  return (cloud: Cloud, caller: Caller, id: number, diskId: number, snapshotId: number): number => {
    const vm = managed(cloud, caller, id);
    const next = leadsTo(vm, operation, `${refusal} ${id}`);
    requireDiskSnapshot(vm, diskId, snapshotId);
    begin(cloud, caller, vm, operation, next, { kind, diskId, snapshotId });
    return id;
  };
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
