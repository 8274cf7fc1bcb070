/** How fast a NIC may be: the one thing of it that can be changed. Mirrors `VirtualMachineUpdateNic` of OpenNebula 6.10. */
import { authorize, forbidden } from '../access/acl.ts';
import type { Caller } from '../access/user.ts';
import type { Cloud } from '../cloud.ts';
import { OneError } from '../error.ts';
import { parseTemplate } from '../parse.ts';
import { held } from '../resources/inheritance.ts';
import { SubAttributes } from '../syntax/sub-attributes.ts';
import type { Vector } from '../syntax/syntax.ts';
import { isActive } from './lifecycle.ts';
import { nicRights } from './nic.ts';
import { mark, turnPage } from './placement.ts';
import { restrictedAttribute } from './restricted.ts';
import type { Nic, Vm } from './vm.ts';

const LIMITS = [
  'INBOUND_AVG_BW',
  'INBOUND_PEAK_BW',
  'INBOUND_PEAK_KB',
  'OUTBOUND_AVG_BW',
  'OUTBOUND_PEAK_BW',
  'OUTBOUND_PEAK_KB',
] as const;

/** The attribute of a VM that keeps the old limits while the driver is busy; after a failure it stays. */
export const UPDATED_NIC = 'VNET_UPDATE';

const limitOf = ({ given, source }: Nic, name: string): string | undefined => given?.get(name) ?? source.get(name);

/** @param append whether limits that the NIC attribute does not name stay */
function vmUpdateNic(cloud: Cloud, caller: Caller, id: number, nicId: number, text: string, append = 0): number {
  const vm = cloud.vms.get(id);
  const nic = vm.nics.find((candidate) => candidate.id === nicId);
  if (nic === undefined) throw new OneError('ACTION', `VM ${id}: NIC ${nicId} does not exists`);
  if (nic.alias !== null) throw new OneError('ACTION', 'Action not supported for NIC_ALIAS');
  const template = parseTemplate(text, 'INTERNAL');
  authorize(cloud, caller, { right: 'MANAGE', type: 'VM', object: vm }, ...nicRights(cloud, caller, template));
  const restricted = caller.admin ? undefined : restrictedAttribute(template);
  if (restricted !== undefined) {
    throw forbidden(caller, `NIC includes a restricted attribute ${restricted.sub ?? restricted.name}`);
  }
  const refuse = (why: string) => new OneError('ACTION', `Error updating NIC (${nicId}) for VM ${id}: ${why}`);
  const running = vm.state === 'RUNNING';
  if (isActive(vm.state) && !running) throw refuse(`Wrong state ${vm.state}`);
  const wanted = template.vector('NIC');
  if (wanted === undefined) throw refuse('Wrong NIC definition, attribute is missing');
  const changed = LIMITS.filter(
    (name) => (append === 0 || wanted.has(name)) && wanted.get(name) !== limitOf(nic, name),
  );
  if (changed.length === 0) return id;
  if (running) begin(cloud, caller, vm, new Map(changed.map((name) => [name, limitOf(nic, name) ?? ''])));
  vm.nics = vm.nics.map((other) => (other === nic ? limited(nic, changed, wanted) : other));
  if (running) cloud.driver.enter(vm, 'HOTPLUG_NIC');
  return id;
}

function begin(cloud: Cloud, caller: Caller, vm: Vm, before: Vector): void {
  vm.template.set(UPDATED_NIC, before);
  mark(cloud, vm, 'nic-update', caller);
  turnPage(cloud, vm);
  vm.work = { kind: 'updateNic' };
}

/** The NIC with new limits; one that is not named it no longer has, even if its network has it. */
function limited(nic: Nic, changed: readonly string[], wanted: Vector): Nic {
  const others = (of: Vector | null): [string, string][] => [...(of ?? [])].filter(([name]) => !changed.includes(name));
  const limits = changed.flatMap((name): [string, string][] => {
    const value = wanted.get(name);
    return value === undefined ? [] : [[name, value]];
  });
  const inherits = changed.some((name) => nic.source.has(name));
  const source = inherits ? new SubAttributes(others(nic.source)) : nic.source;
  return { ...nic, source, given: held([...others(nic.given), ...limits]) };
}

export const NIC_UPDATE_OPERATIONS = { 'one.vm.updatenic': vmUpdateNic } as const;
