/**
 * NICs whose network the scheduler chooses, NETWORK_MODE = "auto": which networks come into question, and what happens
 * when the choice is made. Mirrors `match_network` of mm_sched and `VirtualMachine::get_auto_network_leases` of
 * OpenNebula 6.10.
 */
import { allows } from '../access/acl.ts';
import { type Caller, callerOf } from '../access/user.ts';
import type { Cloud } from '../cloud.ts';
import { OneError } from '../error.ts';
import { usedLeases, type Vnet } from '../resources/vnet.ts';
import type { Lookup } from '../syntax/expression.ts';
import type { Template } from '../syntax/syntax.ts';
import { byWeight, cannot, joined, meets, weight } from './choice.ts';
import { isOpen, nicOn, releaseNic } from './nic.ts';
import { automaticClusters } from './requirements.ts';
import type { Nic, Vm } from './vm.ts';

/**
 * The networks that the VM's open NICs may get, as a function of the cluster that it is placed in: what oned is told of
 * them, or `undefined` when there are too few there. As oned ships it, each of the NICs gets a network of its own.
 * @throws NoPlace when a NIC can get none anywhere
 */
export function choosable(cloud: Cloud, owner: Caller, vm: Vm): (clusterId: number) => string | undefined {
  const open = vm.nics.filter(isOpen);
  if (open.length === 0) return () => '';
  const candidates = open.map((nic) => ({ nic, vnets: candidatesFor(cloud, owner, vm, nic) }));
  return (clusterId) => {
    const taken = new Set<Vnet>();
    let text = '';
    for (const { nic, vnets } of candidates) {
      const vnet = vnets.find((each) => each.clusters.has(clusterId) && !taken.has(each));
      if (vnet === undefined) return undefined;
      taken.add(vnet);
      text += `NIC=[NIC_ID="${nic.id}", NETWORK_MODE="auto" , NETWORK_ID="${vnet.id}"]`;
    }
    return text;
  };
}

/** Best first: with the fewest leases in use, if not said otherwise. @throws NoPlace */
function candidatesFor(cloud: Cloud, owner: Caller, vm: Vm, { given }: Nic): readonly Vnet[] {
  const all = [...cloud.vnets];
  if (all.length === 0) throw cannot('No networks found to run VMs');
  const allowed = all.filter((object) => allows(cloud, owner, { right: 'USE', type: 'NET', object }));
  if (allowed.length === 0) throw cannot('User is not authorized to use any network');
  const roomy = allowed.filter((vnet) => freeLeases(vnet) > 0);
  if (roomy.length === 0) throw cannot('No network with enough capacity for the VM');
  const own = given?.get('SCHED_REQUIREMENTS');
  const requirements = own === undefined ? '' : joined(automaticClusters(cloud, vm), own);
  const meeting =
    own === undefined ? roomy : roomy.filter((vnet) => meets('SCHED_NIC_REQUIREMENTS', requirements, ofVnet(vnet)));
  if (meeting.length === 0) throw cannot(`No network meet leases and SCHED_NIC_REQUIREMENTS: ${requirements}`);
  return byWeight(meeting, (vnet) => weight(given?.get('SCHED_RANK'), ofVnet(vnet)) ?? -usedLeases(vnet));
}

const freeLeases = (vnet: Vnet): number => vnet.ranges.reduce((all, { size }) => all + size, 0) - usedLeases(vnet);

/** What an expression may ask of a network: its template, then its own fields. */
const ofVnet =
  (vnet: Vnet): Lookup =>
  (name) =>
    vnet.template.get(name) ?? VNET_VALUES[name]?.(vnet);

const VNET_VALUES: Readonly<Record<string, (vnet: Vnet) => string | number | readonly number[]>> = {
  ID: ({ id }) => id,
  NAME: ({ name }) => name,
  UID: ({ uid }) => uid,
  GID: ({ gid }) => gid,
  BRIDGE: ({ bridge }) => bridge,
  PHYDEV: ({ phydev }) => phydev,
  VLAN_ID: ({ vlanId }) => vlanId,
  VN_MAD: ({ vnMad }) => vnMad,
  USED_LEASES: usedLeases,
  'CLUSTERS/ID': ({ clusters }) => [...clusters],
};

/**
 * The networks are chosen: the NICs get their leases, all of them or none.
 * @param chosen NIC attributes with the NIC_ID and the NETWORK_ID
 * @throws OneError ACTION
 */
export function connect(cloud: Cloud, caller: Caller, vm: Vm, chosen: Template): void {
  const refuse = (why: string): OneError => new OneError('ACTION', why);
  const owner = callerOf(cloud, vm.uid);
  const before = vm.nics;
  const leased: Nic[] = [];
  const counted: Nic[] = [];
  try {
    for (const wanted of chosen.vectors('NIC')) {
      const id = Number.parseInt(wanted.get('NIC_ID') ?? '', 10);
      const nic = vm.nics.find((candidate) => candidate.id === id);
      if (nic === undefined) throw refuse(`NIC_ID ${Number.isNaN(id) ? 0 : id} not found`);
      if (!isOpen(nic)) throw refuse(`NIC_ID ${id} not AUTO`);
      const connected = nicOn(cloud, owner, vm, nic, wanted.get('NETWORK_ID') ?? '');
      leased.push(connected);
      cloud.quotas.checkNic(caller, vm, connected.networkId);
      cloud.quotas.nicAttached(vm, connected);
      counted.push(connected);
      vm.nics = vm.nics.map((other) => (other === nic ? connected : other));
    }
  } catch (error) {
    for (const nic of leased) releaseNic(cloud, vm, nic);
    for (const nic of counted) cloud.quotas.nicDetached(vm, nic);
    vm.nics = before;
    if (error instanceof OneError && error.code === 'INTERNAL') throw refuse(error.message);
    throw error;
  }
}
