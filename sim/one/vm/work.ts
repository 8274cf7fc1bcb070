/** What a driver was busy with, and what its success or failure leaves behind. One row a kind of work. */

import type { Cloud } from '../cloud.ts';
import { unlockImage } from '../resources/image.ts';
import { imageSettled } from './cloning.ts';
import { releaseDisk } from './disk.ts';
import { releaseNic } from './nic.ts';
import { UPDATED_NIC } from './nic-update.ts';
import { setCapacity } from './placement.ts';
import { reshape } from './span.ts';
import type { Vm, Work } from './vm.ts';

type Settle<K extends Work['kind']> = (cloud: Cloud, vm: Vm, work: Extract<Work, { kind: K }>, ok: boolean) => void;

const SETTLE: { readonly [K in Work['kind']]: Settle<K> } = {
  resize(cloud, vm, before, ok) {
    if (ok) return;
    const after = { cpu: vm.cpu, vcpu: vm.vcpu, memoryMiB: vm.memoryMiB };
    // As in oned, a VCPU that the VM did not have before stays.
    setCapacity(cloud, vm, { ...before, vcpu: before.vcpu ?? vm.vcpu });
    cloud.quotas.resized(vm, after);
  },
  diskResize(cloud, vm, before, ok) {
    const disk = diskOf(vm, before.diskId);
    if (ok || disk === undefined) return;
    const grown = disk.sizeMiB - before.sizeMiB;
    disk.sizeMiB = before.sizeMiB;
    cloud.quotas.diskResized(vm, disk, -grown);
  },
  attachDisk: (cloud, vm, { diskId }, ok) => keepDisk(cloud, vm, diskId, ok),
  detachDisk: (cloud, vm, { diskId }, ok) => keepDisk(cloud, vm, diskId, !ok),
  attachNic: (cloud, vm, { nicId }, ok) => keepNic(cloud, vm, nicId, ok),
  detachNic: (cloud, vm, { nicId }, ok) => keepNic(cloud, vm, nicId, !ok),
  createSnapshot(_cloud, vm, { snapshotId }, ok) {
    if (!ok) vm.snapshots = vm.snapshots.filter((snapshot) => snapshot.id !== snapshotId);
  },
  revertSnapshot() {},
  deleteSnapshot(_cloud, vm, { snapshotId }, ok) {
    if (ok) vm.snapshots = vm.snapshots.filter((snapshot) => snapshot.id !== snapshotId);
  },
  createDiskSnapshot(_cloud, vm, { diskId, snapshotId }, ok) {
    const disk = diskOf(vm, diskId);
    if (disk === undefined) return;
    if (ok) activate(disk, snapshotId);
    else disk.snapshots = disk.snapshots.filter((snapshot) => snapshot.id !== snapshotId);
  },
  revertDiskSnapshot(_cloud, vm, { diskId, snapshotId }, ok) {
    const disk = diskOf(vm, diskId);
    if (ok && disk !== undefined) activate(disk, snapshotId);
  },
  deleteDiskSnapshot(_cloud, vm, { diskId, snapshotId }, ok) {
    const disk = diskOf(vm, diskId);
    if (ok && disk !== undefined) disk.snapshots = disk.snapshots.filter((snapshot) => snapshot.id !== snapshotId);
  },
  saveAs(cloud, _vm, { imageId }, ok) {
    const image = cloud.images.find(imageId);
    if (image === undefined) return;
    if (ok) unlockImage(image);
    else image.state = 'ERROR';
    imageSettled(cloud, image);
  },
  migrate() {},
  updateNic(_cloud, vm, _work, ok) {
    if (ok) vm.template.remove(UPDATED_NIC);
  },
  updateconf() {},
};

/** Ends the VM's work as the driver reports. A migration goes on until the VM settles. */
export function settleWork(cloud: Cloud, vm: Vm, ok: boolean): void {
  const { work } = vm;
  if (work === null || work.kind === 'migrate') return;
  vm.work = null;
  (SETTLE[work.kind] as Settle<Work['kind']>)(cloud, vm, work, ok);
  if (ok) reshape(cloud, vm);
}

/** The VM is taken from under the driver: what it was changing stays as it is, and an image half written is useless. */
export function abandonWork(cloud: Cloud, vm: Vm): void {
  if (vm.work?.kind === 'saveAs') settleWork(cloud, vm, false);
}

const diskOf = (vm: Vm, id: number): Vm['disks'][number] | undefined => vm.disks.find((disk) => disk.id === id);

function keepDisk(cloud: Cloud, vm: Vm, id: number, keep: boolean): void {
  const disk = diskOf(vm, id);
  if (keep || disk === undefined) return;
  vm.disks = vm.disks.filter((other) => other !== disk);
  cloud.quotas.diskDetached(vm, disk);
  releaseDisk(cloud, vm, disk);
}

function keepNic(cloud: Cloud, vm: Vm, id: number, keep: boolean): void {
  const nic = vm.nics.find((other) => other.id === id);
  if (keep || nic === undefined) return;
  vm.nics = vm.nics.filter((other) => other !== nic);
  cloud.quotas.nicDetached(vm, nic);
  releaseNic(cloud, vm, nic);
}

function activate(disk: Vm['disks'][number], snapshotId: number): void {
  for (const snapshot of disk.snapshots) snapshot.active = snapshot.id === snapshotId;
  disk.currentBase = snapshotId;
}
