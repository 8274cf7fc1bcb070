/** Security groups of NICs: who is in one, and how a NIC enters and leaves it. Mirrors `DispatchManager::attach_sg` and `detach_sg` of OpenNebula 6.10. */
import { authorize } from '../access/acl.ts';
import type { Caller } from '../access/user.ts';
import type { Cloud } from '../cloud.ts';
import { OneError } from '../error.ts';
import { held } from '../resources/inheritance.ts';
import { joined } from '../resources/vnet.ts';
import { SubAttributes } from '../syntax/sub-attributes.ts';
import type { State } from './lifecycle.ts';
import { groupsOfNic } from './nic.ts';
import type { Nic, Vm } from './vm.ts';

/** Ids of the VMs with NICs in a group, in order. */
export function vmsInGroup(cloud: Cloud, groupId: number): number[] {
  const ids: number[] = [];
  for (const vm of cloud.vms) {
    if (vm.state !== 'DONE' && vm.nics.some((nic) => groupsOfNic(nic).includes(groupId))) ids.push(vm.id);
  }
  return ids;
}

/** States in which a driver is writing the rules of a VM, or nobody knows how it is. */
const BUSY: ReadonlySet<State> = new Set<State>([
  'BOOT',
  'BOOT_MIGRATE',
  'BOOT_SUSPENDED',
  'BOOT_STOPPED',
  'BOOT_UNDEPLOY',
  'BOOT_POWEROFF',
  'BOOT_UNKNOWN',
  'BOOT_FAILURE',
  'BOOT_MIGRATE_FAILURE',
  'BOOT_UNDEPLOY_FAILURE',
  'BOOT_STOPPED_FAILURE',
  'MIGRATE',
  'HOTPLUG_NIC',
  'HOTPLUG_NIC_POWEROFF',
  'UNKNOWN',
]);

const refused = (why: string): OneError => new OneError('ACTION', why);

function requireNic(vm: Vm, id: number, code: 'INTERNAL' | 'ACTION'): Nic {
  const nic = vm.nics.find((candidate) => candidate.id === id);
  if (nic === undefined) throw new OneError(code, `VM ${vm.id} doesn't have NIC id ${id}`);
  return nic;
}

/** The rules hold at once. */
function attach(cloud: Cloud, caller: Caller, id: number, nicId: number, groupId: number): number {
  const vm = cloud.vms.get(id);
  const nic = requireNic(vm, nicId, 'INTERNAL');
  const vnet = nic.networkId === null ? undefined : cloud.vnets.find(nic.networkId);
  const group = cloud.securityGroups.find(groupId);
  authorize(
    cloud,
    caller,
    { right: 'MANAGE', type: 'VM', object: vm },
    ...(vnet === undefined ? [] : [{ right: 'USE', type: 'NET', object: vnet } as const]),
    ...(group === undefined ? [] : [{ right: 'USE', type: 'SECGROUP', object: group } as const]),
  );
  if (group === undefined) throw refused(`Could not attach SG ${groupId} to VM, SG does not exist`);
  if (BUSY.has(vm.state)) throw refused(`VM ${id} is in wrong state ${vm.state}`);
  const groups = groupsOfNic(nic);
  if (groups.includes(groupId)) throw refused(`VM ${id} SG ${groupId} already in NIC ${nicId}`);
  enter(vm, nic, [...groups, groupId]);
  return id;
}

function detach(cloud: Cloud, caller: Caller, id: number, nicId: number, groupId: number): number {
  const vm = cloud.vms.get(id);
  authorize(cloud, caller, { right: 'MANAGE', type: 'VM', object: vm });
  if (BUSY.has(vm.state)) throw refused(`VM ${id} is in wrong state ${vm.state}`);
  const nic = requireNic(vm, nicId, 'ACTION');
  const groups = groupsOfNic(nic);
  if (!groups.includes(groupId)) throw refused(`VM ${id} NIC ${nicId} doesn't contain SG ${groupId}`);
  enter(
    vm,
    nic,
    groups.filter((group) => group !== groupId),
  );
  return id;
}

/** Puts a NIC into these groups, and into no others. */
function enter(vm: Vm, nic: Nic, groups: readonly number[]): void {
  const others = [...(nic.given ?? [])].filter(([name]) => name !== 'SECURITY_GROUPS');
  const given = held(new SubAttributes([...others, ['SECURITY_GROUPS', joined(groups)]]));
  vm.nics = vm.nics.map((other) => (other === nic ? { ...nic, given } : other));
}

export const NIC_GROUP_OPERATIONS = { 'one.vm.attachsg': attach, 'one.vm.detachsg': detach } as const;
