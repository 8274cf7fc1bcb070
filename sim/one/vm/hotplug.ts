/** Disks and NICs attached to, and detached from, a VM that exists; and a running VM's configuration. Mirrors `RequestManagerVirtualMachine.cc` of OpenNebula 6.10. */
import { authorize, forbidden } from '../access/acl.ts';
import type { Caller } from '../access/user.ts';
import type { Cloud } from '../cloud.ts';
import { OneError } from '../error.ts';
import { parseTemplate } from '../parse.ts';
import { saveDiskAs } from '../resources/image-making.ts';
import { Template } from '../syntax/syntax.ts';
import { expandContext } from './context.ts';
import { diskRights, expandDisks, releaseDisk } from './disk.ts';
import { releasePort, takePort } from './graphics-port.ts';
import { edge, OPERATIONS, type Operation, type State } from './lifecycle.ts';
import { expandNics, nicRights, releaseNic } from './nic.ts';
import { hostOf, mark, turnPage } from './placement.ts';
import { restrictedAttribute } from './restricted.ts';
import { undoing } from './undo.ts';
import type { Disk, Nic, Vm, Work } from './vm.ts';

/** The VM, for a caller who may manage it. */
export function managed(cloud: Cloud, caller: Caller, id: number): Vm {
  const vm = cloud.vms.get(id);
  authorize(cloud, caller, { right: 'MANAGE', type: 'VM', object: vm });
  return vm;
}

/** The VM, for a caller who may manage it and use what is to be attached. */
function managedWith(cloud: Cloud, caller: Caller, id: number, template: Template, what: 'DISK' | 'NIC'): Vm {
  const vm = cloud.vms.get(id);
  authorize(
    cloud,
    caller,
    { right: 'MANAGE', type: 'VM', object: vm },
    ...diskRights(cloud, caller, template, false),
    ...nicRights(cloud, caller, template),
  );
  const restricted = caller.admin ? undefined : restrictedAttribute(template);
  if (restricted !== undefined) {
    throw forbidden(caller, `${what} includes a restricted attribute ${restricted.sub ?? restricted.name}`);
  }
  return vm;
}

/** Where an operation leads from the VM's state, or oned's refusal. */
export function leadsTo(vm: Vm, operation: Operation, refusal: string): State {
  const next = edge(OPERATIONS[operation], vm.state);
  if (next === undefined || next === 'same') throw new OneError('ACTION', `${refusal}, wrong state ${vm.state}.`);
  return next;
}

/** Operations that leave a pending reschedule as it is. */
const KEEPS_RESCHED: ReadonlySet<Operation> = new Set<Operation>([
  'disk-snapshot-create',
  'disk-snapshot-delete',
  'disk-snapshot-revert',
]);

/** Sets the driver to work, in a new history record. */
export function begin(cloud: Cloud, caller: Caller, vm: Vm, operation: Operation, next: State, work: Work): void {
  if (!KEEPS_RESCHED.has(operation)) vm.resched = false;
  mark(cloud, vm, operation, caller);
  turnPage(cloud, vm);
  vm.work = work;
  cloud.driver.enter(vm, next);
}

function requireHost(vm: Vm): void {
  if (vm.history.length === 0) throw new OneError('ACTION', 'VM is not running in any host');
}

const only = <T>(list: readonly T[]): T => {
  const [first] = list;
  if (first === undefined) throw new OneError('ACTION', 'The template has nothing to attach');
  return first;
};

/** What an expansion refuses on allocation, a hot-plug refuses as an action. */
function asAction<T>(expand: () => T): T {
  try {
    return expand();
  } catch (error) {
    if (error instanceof OneError && error.code !== 'AUTHORIZATION') throw new OneError('ACTION', error.message);
    throw error;
  }
}

function vmAttach(cloud: Cloud, caller: Caller, id: number, text: string): number {
  const template = parseTemplate(text, 'INTERNAL');
  const vm = managedWith(cloud, caller, id, template, 'DISK');
  requireHost(vm);
  const next = leadsTo(vm, 'disk-attach', `Could not attach a new disk to VM ${id}`);
  const disk: Disk = only(asAction(() => expandDisks(cloud, caller, template, { vmId: id, taken: vm.disks })));
  undoing(
    () => cloud.quotas.checkDisk(caller, vm, disk),
    () => releaseDisk(cloud, vm, disk),
  );
  vm.disks.push(disk);
  cloud.quotas.diskAttached(vm, disk);
  begin(cloud, caller, vm, 'disk-attach', next, { kind: 'attachDisk', diskId: disk.id });
  return id;
}

function vmDetach(cloud: Cloud, caller: Caller, id: number, diskId: number): number {
  const vm = managed(cloud, caller, id);
  requireHost(vm);
  const next = leadsTo(vm, 'disk-detach', `Could not detach disk from VM ${id}`);
  if (!vm.disks.some((disk) => disk.id === diskId)) {
    throw new OneError('ACTION', `Could not detach disk with DISK_ID ${diskId}, it does not exist.`);
  }
  begin(cloud, caller, vm, 'disk-detach', next, { kind: 'detachDisk', diskId });
  return id;
}

function vmAttachNic(cloud: Cloud, caller: Caller, id: number, text: string): number {
  const template = parseTemplate(text, 'INTERNAL');
  const vm = managedWith(cloud, caller, id, template, 'NIC');
  const nic: Nic = only(asAction(() => expandNics(cloud, caller, template, { vmId: id, taken: vm.nics })));
  const next = undoing(
    () => {
      cloud.quotas.checkNic(caller, vm, nic.networkId);
      return leadsTo(vm, 'nic-attach', `Could not add a new NIC to VM ${id}`);
    },
    () => releaseNic(cloud, vm, nic),
  );
  vm.nics.push(nic);
  cloud.quotas.nicAttached(vm, nic);
  begin(cloud, caller, vm, 'nic-attach', next, { kind: 'attachNic', nicId: nic.id });
  return id;
}

function vmDetachNic(cloud: Cloud, caller: Caller, id: number, nicId: number): number {
  const vm = managed(cloud, caller, id);
  const next = leadsTo(vm, 'nic-detach', `Could not detach NIC from VM ${id}`);
  if (!vm.nics.some((nic) => nic.id === nicId)) {
    throw new OneError('ACTION', `Could not detach NIC with NIC_ID ${nicId}, it does not exist.`);
  }
  begin(cloud, caller, vm, 'nic-detach', next, { kind: 'detachNic', nicId });
  return id;
}

/** States in which the configuration may be changed (oned's own list). */
const CONFIGURABLE: ReadonlySet<State> = new Set<State>([
  'PENDING',
  'HOLD',
  'POWEROFF',
  'UNDEPLOYED',
  'CLONING',
  'CLONING_FAILURE',
  'PROLOG',
  'RUNNING',
  'EPILOG',
  'SHUTDOWN',
  'SHUTDOWN_POWEROFF',
  'SHUTDOWN_UNDEPLOY',
  'EPILOG_UNDEPLOY',
  'PROLOG_UNDEPLOY',
  'CLEANUP_RESUBMIT',
  'CLEANUP_DELETE',
  'HOTPLUG_SAVEAS_POWEROFF',
  'HOTPLUG_PROLOG_POWEROFF',
  'HOTPLUG_EPILOG_POWEROFF',
  'BOOT_FAILURE',
  'PROLOG_FAILURE',
  'EPILOG_FAILURE',
  'EPILOG_UNDEPLOY_FAILURE',
  'BOOT_UNDEPLOY_FAILURE',
  'PROLOG_UNDEPLOY_FAILURE',
  'PROLOG_MIGRATE_POWEROFF',
  'PROLOG_MIGRATE_POWEROFF_FAILURE',
  'DISK_SNAPSHOT_POWEROFF',
  'DISK_SNAPSHOT_REVERT_POWEROFF',
  'DISK_SNAPSHOT_DELETE_POWEROFF',
]);

/** What `updateconf` takes; anything else in the text is ignored. */
const CONFIGURABLE_ATTRIBUTES = ['OS', 'FEATURES', 'INPUT', 'GRAPHICS', 'VIDEO', 'RAW', 'CPU_MODEL', 'BACKUP_CONFIG'];

function vmUpdateConf(cloud: Cloud, caller: Caller, id: number, text: string, append = 0): number {
  const template = parseTemplate(text, 'INTERNAL');
  const vm = managed(cloud, caller, id);
  if (!CONFIGURABLE.has(vm.state)) {
    throw new OneError('INTERNAL', `configuration cannot be updated in state ${vm.state}`);
  }
  const taken = [...template].filter((attribute) => CONFIGURABLE_ATTRIBUTES.includes(attribute.name));
  releasePort(cloud, vm);
  if (append === 0) for (const name of CONFIGURABLE_ATTRIBUTES) vm.template.remove(name);
  vm.template.append(new Template(taken));
  if (hostOf(cloud, vm) !== undefined) takePort(cloud, vm);
  const context = template.vector('CONTEXT');
  if (context === undefined) return id;
  vm.context = expandContext(cloud, vm, append === 0 ? context : new Map([...(vm.context ?? []), ...context]));
  if (vm.state === 'RUNNING') {
    vm.resched = false;
    vm.work = { kind: 'updateconf' };
    cloud.driver.enter(vm, 'HOTPLUG');
  }
  return id;
}

/** Copies a disk into a new image. Returns the image's id. */
function vmDiskSaveAs(
  cloud: Cloud,
  caller: Caller,
  id: number,
  diskId: number,
  name: string,
  type = '',
  _snapshotId = -1,
): number {
  const vm = managed(cloud, caller, id);
  const disk = vm.disks.find((candidate) => candidate.id === diskId);
  if (disk === undefined) throw new OneError('INTERNAL', 'VM disk does not exist');
  const next = edge(OPERATIONS['disk-saveas'], vm.state);
  if (next === undefined || next === 'same') {
    throw new OneError('INTERNAL', 'VM has to be RUNNING, POWEROFF or SUSPENDED to save disks.');
  }
  const image = saveDiskAs(cloud, caller, disk, name, type);
  vm.work = { kind: 'saveAs', imageId: image.id };
  cloud.driver.enter(vm, next);
  return image.id;
}

export const HOTPLUG_OPERATIONS = {
  'one.vm.attach': vmAttach,
  'one.vm.detach': vmDetach,
  'one.vm.attachnic': vmAttachNic,
  'one.vm.detachnic': vmDetachNic,
  'one.vm.updateconf': vmUpdateConf,
  'one.vm.disksaveas': vmDiskSaveAs,
} as const;
