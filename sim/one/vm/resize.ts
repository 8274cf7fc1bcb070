/** Changing a VM's capacity and the size of its disks. Mirrors `VirtualMachineResize` and `VirtualMachineDiskResize` of OpenNebula 6.10. */
import { authorize } from '../access/acl.ts';
import type { Caller } from '../access/user.ts';
import type { Cloud } from '../cloud.ts';
import { OneError } from '../error.ts';
import { parseTemplate } from '../parse.ts';
import type { Template } from '../syntax/syntax.ts';
import { edge, OPERATIONS } from './lifecycle.ts';
import { hostOf, mark, misfit, setCapacity, turnPage } from './placement.ts';
import type { Vm } from './vm.ts';

/**
 * Resizes a VM to the CPU, VCPU and MEMORY of a template text; what is missing, 0 or not a number is kept. The maxima
 * of the template are not looked at, and `enforce` is ignored: oned 6.10 always checks the host.
 */
function vmResize(cloud: Cloud, caller: Caller, id: number, text: string, _enforce = true): number {
  const template = parseTemplate(text, 'INTERNAL');
  const vm = cloud.vms.get(id);
  authorize(cloud, caller, { right: 'MANAGE', type: 'VM', object: vm });
  const to = wantedCapacity(vm, template);
  const before = { cpu: vm.cpu, vcpu: vm.vcpu, memoryMiB: vm.memoryMiB };
  cloud.quotas.checkResize(caller, vm, to);
  const next = edge(OPERATIONS.resize, vm.state);
  if (next === undefined) throw new OneError('ACTION', `Cannot resize a VM in state ${vm.state}`);
  const host = hostOf(cloud, vm);
  if (host !== undefined) {
    const why = misfit(cloud, host, to, vm);
    if (why !== undefined) throw new OneError('ACTION', why);
    mark(cloud, vm, 'resize', caller);
    turnPage(cloud, vm);
  }
  const same = before.cpu === to.cpu && before.vcpu === to.vcpu && before.memoryMiB === to.memoryMiB;
  if (same) return id;
  setCapacity(cloud, vm, to);
  cloud.quotas.resized(vm, before);
  if (next === 'same') return id;
  vm.resched = false;
  vm.work = { kind: 'resize', ...before };
  cloud.driver.enter(vm, next);
  return id;
}

function wantedCapacity(vm: Vm, template: Template): Pick<Vm, 'cpu' | 'vcpu' | 'memoryMiB'> {
  const number = (name: string, kind: string): number => {
    const value = Number.parseFloat(template.get(name) ?? '');
    if (value < 0) throw new OneError('INTERNAL', `${name} must be a positive ${kind}.`);
    return Number.isNaN(value) ? 0 : value;
  };
  const cpu = number('CPU', 'float or integer value');
  const memory = Math.trunc(number('MEMORY', 'integer value'));
  const vcpu = Math.trunc(number('VCPU', 'integer value'));
  return { cpu: cpu || vm.cpu, memoryMiB: memory || vm.memoryMiB, vcpu: vcpu || vm.vcpu };
}

/** Grows a disk. Returns the disk's id, as oned does. */
function vmDiskResize(cloud: Cloud, caller: Caller, id: number, diskId: number, size: string): number {
  if (!/^\s*-?\d+$/.test(size) || Number(size) > 2 ** 63)
    throw new OneError('ACTION', 'Disk SIZE is not a valid integer');
  const vm = cloud.vms.get(id);
  authorize(cloud, caller, { right: 'MANAGE', type: 'VM', object: vm });
  const sizeMiB = Number(size);
  const disk = vm.disks.find((candidate) => candidate.id === diskId);
  if (disk === undefined) throw new OneError('ACTION', 'VM disk does not exist');
  if (sizeMiB <= disk.sizeMiB) throw new OneError('ACTION', 'New disk size has to be greater than current one');
  cloud.quotas.checkDiskResize(caller, vm, disk, sizeMiB - disk.sizeMiB);
  const next = edge(OPERATIONS['disk-resize'], vm.state);
  if (next === undefined || next === 'same') {
    throw new OneError('ACTION', `Could not resize disk for VM ${id}, wrong state ${vm.state}.`);
  }
  // A VM that is on no host keeps the record of the undeploy: by it the next deploy knows how to bring the VM back.
  if (hostOf(cloud, vm) !== undefined) mark(cloud, vm, 'disk-resize', caller);
  turnPage(cloud, vm);
  vm.work = { kind: 'diskResize', diskId, sizeMiB: disk.sizeMiB };
  const grown = sizeMiB - disk.sizeMiB;
  disk.sizeMiB = sizeMiB;
  cloud.quotas.diskResized(vm, disk, grown);
  cloud.driver.enter(vm, next);
  return diskId;
}

export const RESIZE_OPERATIONS = { 'one.vm.resize': vmResize, 'one.vm.diskresize': vmDiskResize } as const;
