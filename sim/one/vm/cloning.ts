/** VMs that wait for an image that is still being written. Mirrors `LifeCycleManager::trigger_disk_lock_*` of OpenNebula 6.10. */
import type { Cloud } from '../cloud.ts';
import { type Image, isBeingWritten } from '../resources/image.ts';
import type { Vm } from './vm.ts';

/** Whether a VM has to wait for its images, or waits in vain. */
export function waitsForImages(cloud: Cloud, { disks }: Pick<Vm, 'disks'>): 'CLONING' | 'CLONING_FAILURE' | undefined {
  let waits = false;
  for (const { imageId } of disks) {
    const image = imageId === null ? undefined : cloud.images.find(imageId);
    if (image?.state === 'ERROR') return 'CLONING_FAILURE';
    if (image !== undefined && isBeingWritten(image)) waits = true;
  }
  return waits ? 'CLONING' : undefined;
}

/** An image is no longer being written: those that waited for it go on, or have waited in vain. */
export function imageSettled(cloud: Cloud, image: Image): void {
  for (const id of [...image.vms]) {
    const vm = cloud.vms.find(id);
    if (vm?.state === 'CLONING' || vm?.state === 'CLONING_FAILURE') lookAgain(cloud, vm);
  }
}

/** Also what an administrator asks for who says that the images are there. */
export function lookAgain(cloud: Cloud, vm: Vm): void {
  const held = vm.template.get('SUBMIT_ON_HOLD')?.toUpperCase() === 'YES';
  const next = waitsForImages(cloud, vm) ?? (held ? 'HOLD' : 'PENDING');
  if (next !== vm.state) cloud.driver.enter(vm, next);
}
