/** Network interfaces of VMs: what a NIC attribute becomes, and the lease behind it. Mirrors `VirtualMachineNic.cc` and `VirtualNetwork::nic_attribute` of OpenNebula 6.10. */
import type { Wanted } from '../access/acl.ts';
import { type Caller, userNamed } from '../access/user.ts';
import type { Cloud } from '../cloud.ts';
import { OneError } from '../error.ts';
import { namesake } from '../name.ts';
import { type AddressRange, addressAttributes, portRanges, type WantedAddress } from '../resources/address-range.ts';
import { type Derived, derived, FROM_NETWORK, held, inherit, type Layers, merged } from '../resources/inheritance.ts';
import { securityGroupRules } from '../resources/security-group.ts';
import { groupsOf, joined, lease, release, type Vnet } from '../resources/vnet.ts';
import { SubAttributes } from '../syntax/sub-attributes.ts';
import type { Template, Vector } from '../syntax/syntax.ts';
import type { Nic, Vm } from './vm.ts';

/** The VM that NICs are for, and those it has already. */
interface For {
  readonly vmId: number;
  readonly taken: readonly Nic[];
}

const NOTHING = new SubAttributes([]);

const refused = (text: string): OneError => new OneError('INTERNAL', text);

/**
 * The NICs of a template, aliases last. Their leases are taken: on refusal all are given back.
 * @throws OneError INTERNAL
 */
export function expandNics(cloud: Cloud, caller: Caller, template: Template, { vmId, taken }: For): Nic[] {
  const vm = cloud.vms.find(vmId);
  // Only one is attached at a time: oned does not look at the others.
  const nics = template.vectors('NIC').slice(0, vm === undefined ? undefined : 1);
  const aliases = template.vectors('NIC_ALIAS').slice(0, vm === undefined ? undefined : 1 - nics.length);
  const defaults = (vm?.template ?? template).vector('NIC_DEFAULT');
  const all = [...taken];
  const made: Nic[] = [];
  let id = Math.max(-1, ...taken.map((nic) => nic.id));
  const add = (nic: Nic): void => {
    all.push(nic);
    made.push(nic);
  };
  try {
    for (const given of nics) add(makeNic(cloud, caller, withDefaults(given, defaults), ++id, vmId, null));
    for (const given of aliases) {
      if (isAuto(given)) throw refused('Alias is incompatible with auto mode');
      const alias = aliasOf(all, given, vm !== undefined);
      const completed = vm === undefined ? given : withDefaults(given, defaults);
      add(makeNic(cloud, caller, completed, ++id, vmId, alias));
    }
    if (vm !== undefined) requireCluster(cloud, vm, made);
    // Without the room for more that pushing has left.
    return made.slice();
  } catch (error) {
    releaseNics(cloud, { id: vmId, nics: made });
    throw error;
  }
}

/** Whether the scheduler is to choose the network. */
const isAuto = (given: Vector): boolean => given.get('NETWORK_MODE')?.toUpperCase() === 'AUTO';

function withDefaults(given: Vector, defaults: Vector | undefined): Vector {
  return defaults === undefined || isAuto(given) ? given : new SubAttributes([...given, ...defaults]);
}

function aliasOf(all: readonly Nic[], given: Vector, hot: boolean): Nic['alias'] {
  const name = given.get('PARENT') ?? '';
  const parent = all.find((nic) => nicName(nic) === name);
  if (parent === undefined) throw refused(hot ? 'Alias not found.' : `NIC named ${name} not found for alias`);
  const siblings = all.filter((nic) => nic.alias?.parent === parent.id);
  const highest = Math.max(-1, ...(hot ? all : siblings).map((nic) => nic.alias?.id ?? -1));
  return { parent: parent.id, id: siblings.length === 0 ? 0 : highest + 1 };
}

/** A NIC's own name, or the one that oned gives it. */
function nicName({ id, alias, given }: Pick<Nic, 'id' | 'alias' | 'given'>): string {
  return given?.get('NAME') ?? (alias === null ? `NIC${id}` : `NIC${alias.parent}_ALIAS${alias.id}`);
}

/** Whether it waits for the scheduler to choose its network. */
export const isOpen = ({ networkId, given }: Nic): boolean => networkId === null && given !== null && isAuto(given);

/** An open NIC on the network that has been chosen for it. @throws OneError INTERNAL */
export function nicOn(cloud: Cloud, owner: Caller, vm: Vm, { id, given, alias }: Nic, networkId: string): Nic {
  const defaults = vm.template.vector('NIC_DEFAULT');
  const completed = new SubAttributes([['NETWORK_ID', networkId], ...(given ?? []), ...(defaults ?? [])]);
  return makeNic(cloud, owner, completed, id, vm.id, alias, true);
}

function makeNic(
  cloud: Cloud,
  caller: Caller,
  given: Vector,
  id: number,
  vmId: number,
  alias: Nic['alias'],
  chosen = false,
): Nic {
  const vnet = isAuto(given) && !chosen ? undefined : vnetOf(cloud, caller.uid, given);
  if (vnet === undefined) {
    const kept = [...given].filter(([name]) => name !== 'NIC_ID' && (name !== 'NAME' || given.get('NAME') !== ''));
    const nothing = {
      networkId: null,
      arId: null,
      mac: null,
      ip: null,
      ip6: null,
    };
    const made = {
      ip6Global: null,
      ip6Ula: null,
      ip6Link: null,
      source: NOTHING,
      guest: NOTHING,
    };
    return { id, ...nothing, ...made, given: held(ownName(kept)), alias };
  }
  const leased = lease(vnet, vmId, wantedAddress(vnet, given));
  if (leased === undefined) throw refused(`Cannot get IP/MAC lease from virtual network ${vnet.id}.`);
  const { range, offset, address } = leased;
  const { source, guest } = inheritedFrom(vnet, range);
  const kept = derived(KEPT, given, [source], () => keptBeside(source, given));
  const ports = portRanges(range, offset);
  const { mac, ip, ip6, ip6Global, ip6Ula, ip6Link } = address;
  return {
    id,
    networkId: vnet.id,
    arId: range.id,
    mac,
    ip,
    ip6,
    ip6Global,
    ip6Ula,
    ip6Link,
    source,
    guest,
    given: ports.length === 0 ? kept : held([...(kept ?? []), ...ports]),
    alias,
  };
}

const KEPT: Derived<Vector | null> = new WeakMap();

/** What of a NIC holds beside what it takes over. */
function keptBeside(source: Vector, given: Vector): Vector | null {
  const own = [...given].filter(
    ([name, value]) => !OWN.has(name) && !FORCED.has(name) && (value !== '' || !source.has(name)),
  );
  const groups = given.get('SECURITY_GROUPS');
  if (groups) own.push(['SECURITY_GROUPS', joined([...groupsOf(groups), ...groupsOf(source.get('SECURITY_GROUPS'))])]);
  return held(ownName(own));
}

const INHERITED: Derived<{ readonly source: Vector; readonly guest: Vector }> = new WeakMap();

/** What all NICs of an address range take over. */
function inheritedFrom(vnet: Vnet, range: AddressRange): { readonly source: Vector; readonly guest: Vector } {
  const { name, bridge, bridgeType, vnMad, phydev, vlanId, outerVlanId, parentId, clusters, template } = vnet;
  const fields = [name, bridge, bridgeType, vnMad, phydev, vlanId, outerVlanId, parentId, joined(clusters)];
  return derived(INHERITED, range, [...fields, template.contents, range.attributes], () => {
    const source = new SubAttributes(nicSource(vnet, range));
    return { source, guest: new SubAttributes(guestSource(vnet, range, source)) };
  });
}

/** A name that looks like one of oned's gets a line in front. */
function ownName(given: [string, string][]): [string, string][] {
  return given.flatMap(([name, value]): [string, string][] => {
    if (name !== 'NAME') return [[name, value]];
    if (value === '') return [];
    return [[name, /^NIC\d+(_ALIAS\d+)?$/.test(value) ? `_${value}` : value]];
  });
}

/** The network that a NIC names; `undefined` when it names none. */
function vnetOf(cloud: Cloud, uid: number, given: Vector): Vnet | undefined {
  const id = given.get('NETWORK_ID') ?? '';
  if (id !== '') {
    const vnet = /^\s*\d+/.test(id) ? cloud.vnets.find(Number.parseInt(id, 10)) : undefined;
    if (vnet === undefined) throw refused(`Virtual network with ID: ${id} does not exist`);
    return vnet;
  }
  const name = given.get('NETWORK') ?? '';
  if (name === '') return undefined;
  const owner = ownerOf(cloud, uid, given);
  const vnet = namesake(cloud.vnets, 'owner', name, owner);
  if (vnet === undefined) {
    const who = `User ${owner} does not own a network with name: ${name} .`;
    throw refused(`${who} Set NETWORK_UNAME or NETWORK_UID of owner in NIC.`);
  }
  return vnet;
}

/** Whose network of that name is meant: NETWORK_UID, else NETWORK_UNAME, else the caller. */
function ownerOf(cloud: Cloud, uid: number, given: Vector): number {
  const id = given.get('NETWORK_UID');
  if (id) {
    if (!/^\s*[-+]?\d+/.test(id)) throw refused('Cannot get user in NETWORK_UID');
    return Number.parseInt(id, 10);
  }
  const name = given.get('NETWORK_UNAME');
  if (!name) return uid;
  const user = userNamed(cloud, name);
  if (user === undefined) throw refused('User set in NETWORK_UNAME does not exist');
  return user.id;
}

function wantedAddress(vnet: Vnet, given: Vector): WantedAddress {
  const wanted = WANTED.filter(([name]) => given.get(name));
  if (wanted.length > 1) throw refused(`Cannot get IP/MAC lease from virtual network ${vnet.id}.`);
  const [only] = wanted;
  return only === undefined ? ANY : { [only[1]]: given.get(only[0]) };
}

const ANY: WantedAddress = {};

/** The attributes that name an address, and what they want. */
const WANTED = [
  ['IP', 'ip'],
  ['IP6', 'ip6'],
  ['MAC', 'mac'],
] as const satisfies readonly (readonly [string, keyof WantedAddress])[];

/** Attributes that oned writes itself for each NIC, whatever is given. */
const OWN = new Set([
  'NIC_ID',
  'IP',
  'IP6',
  'IP6_GLOBAL',
  'IP6_LINK',
  'IP6_ULA',
  'MAC',
  'SECURITY_GROUPS',
  'ALIAS_IDS',
]);

/** Attributes that the network has the last word on. */
const FORCED = new Set([
  'AR_ID',
  'BRIDGE',
  'BRIDGE_TYPE',
  'CLUSTER_ID',
  'NETWORK',
  'NETWORK_ID',
  'OUTER_VLAN_ID',
  'PARENT_NETWORK_ID',
  'PHYDEV',
  'VLAN_ID',
  'VN_MAD',
]);

/** Attributes that a NIC gets from its network and address range. */
function nicSource(vnet: Vnet, range: AddressRange): Map<string, string> {
  const source = new Map([
    ['AR_ID', String(range.id)],
    ['BRIDGE', vnet.bridge],
    ['BRIDGE_TYPE', vnet.bridgeType],
    ['CLUSTER_ID', joined(vnet.clusters)],
    ['NETWORK', vnet.name],
    ['NETWORK_ID', String(vnet.id)],
    ['SECURITY_GROUPS', joined([...groupsOf(vnet.template.get('SECURITY_GROUPS')), ...rangeGroups(range)])],
  ]);
  for (const [name, value] of [
    ['VN_MAD', vnet.vnMad],
    ['PHYDEV', vnet.phydev],
    ['VLAN_ID', vnet.vlanId],
    ['OUTER_VLAN_ID', vnet.outerVlanId],
    ['PARENT_NETWORK_ID', vnet.parentId === null ? '' : String(vnet.parentId)],
  ] as const) {
    if (value !== '') source.set(name, value);
  }
  for (const name of ['VN_MAD', 'BRIDGE', 'PHYDEV', 'VLAN_ID']) {
    const value = range.attributes.get(name);
    if (value) source.set(name, value);
  }
  inherit(source, range.attributes, FROM_NETWORK);
  inherit(source, vnet.template, FROM_NETWORK);
  return source;
}

const rangeGroups = (range: AddressRange): number[] => groupsOf(range.attributes.get('SECURITY_GROUPS'));

/** What the guest is told of a network: the name that CONTEXT has for it, and the attribute it comes from. */
export const GUEST_ATTRIBUTES = [
  ['MASK', 'NETWORK_MASK'],
  ['NETWORK', 'NETWORK_ADDRESS'],
  ['GATEWAY', 'GATEWAY'],
  ['DNS', 'DNS'],
  ['SEARCH_DOMAIN', 'SEARCH_DOMAIN'],
  ['MTU', 'GUEST_MTU'],
  ['METRIC', 'METRIC'],
  ['METHOD', 'METHOD'],
  ['VLAN_ID', 'VLAN_ID'],
  ['IP6_GATEWAY', 'GATEWAY6'],
  ['IP6_METRIC', 'IP6_METRIC'],
  ['IP6_METHOD', 'IP6_METHOD'],
  ['IP6_PREFIX_LENGTH', 'PREFIX_LENGTH'],
] as const;

function guestSource(vnet: Vnet, range: AddressRange, source: Vector): Map<string, string> {
  const guest = new Map<string, string>();
  for (const [name, attribute] of GUEST_ATTRIBUTES) {
    const value = source.get(attribute) || range.attributes.get(attribute) || vnet.template.get(attribute);
    if (value) guest.set(name, value);
  }
  return guest;
}

/** A NIC can be attached only where the VM is. */
function requireCluster(cloud: Cloud, vm: Vm, nics: readonly Nic[]): void {
  const clusterId = vm.history.at(-1)?.clusterId;
  for (const { networkId } of nics) {
    const clusters = networkId === null ? undefined : cloud.vnets.find(networkId)?.clusters;
    if (clusterId !== undefined && clusters?.has(clusterId) === false) {
      throw refused(`Virtual network is not part of cluster [${clusterId}]`);
    }
  }
}

/** Gives the leases of a VM's NICs back. */
export function releaseNics(cloud: Cloud, vm: Pick<Vm, 'id' | 'nics'>): void {
  for (const nic of vm.nics) releaseNic(cloud, vm, nic);
}

export function releaseNic(cloud: Cloud, vm: Pick<Vm, 'id'>, nic: Nic): void {
  const vnet = nic.networkId === null ? undefined : cloud.vnets.find(nic.networkId);
  if (vnet !== undefined && nic.arId !== null && nic.mac !== null) release(vnet, nic.arId, vm.id, nic.mac);
}

/** The rights on networks, and on security groups, that a template needs. */
export function nicRights(cloud: Cloud, caller: Caller, template: Template): Wanted[] {
  const wanted: Wanted[] = [];
  for (const given of [...template.vectors('NIC'), ...template.vectors('NIC_ALIAS')]) {
    if (isAuto(given)) continue;
    const object = vnetIfAny(cloud, caller.uid, given);
    if (object !== undefined) wanted.push({ right: 'USE', type: 'NET', object });
    for (const id of groupsOf(given.get('SECURITY_GROUPS'))) {
      const group = cloud.securityGroups.find(id);
      if (group !== undefined) wanted.push({ right: 'USE', type: 'SECGROUP', object: group });
    }
  }
  return wanted;
}

function vnetIfAny(cloud: Cloud, uid: number, given: Vector): Vnet | undefined {
  try {
    return vnetOf(cloud, uid, given);
  } catch (error) {
    if (!(error instanceof OneError)) throw error;
    return undefined;
  }
}

// ---- as oned shows it ---------------------------------------------------------------------------------------------

/** TEMPLATE/NIC or TEMPLATE/NIC_ALIAS of a VM, sorted by name. */
export const nicAttributes = (_cloud: Cloud, vm: Vm, nic: Nic): [name: string, value: string][] =>
  merged(...nicLayers(vm, nic));

/** What {@link nicAttributes} are made of. */
export function nicLayers(vm: Vm, nic: Nic): Layers {
  const own: [string, string][] = [
    ['NAME', nicName(nic)],
    ['NIC_ID', String(nic.id)],
  ];
  if (nic.networkId !== null && !nic.given?.get('TARGET')) own.push(['TARGET', `one-${vm.id}-${nic.id}`]);
  if (nic.alias !== null) own.push(['ALIAS_ID', String(nic.alias.id)], ['PARENT_ID', String(nic.alias.parent)]);
  const aliases = vm.nics.filter(({ alias }) => alias?.parent === nic.id).map(({ id }) => id);
  if (aliases.length > 0) own.push(['ALIAS_IDS', aliases.join(',')]);
  const { work } = vm;
  if (work !== null && 'nicId' in work && work.nicId === nic.id) own.push(['ATTACH', 'YES']);
  const addresses = nic.mac === null ? null : addressAttributes({ ...nic, mac: nic.mac });
  return [nic.source, nic.given, addresses, own];
}

/** The security groups that a NIC is in. */
export const groupsOfNic = ({ given, source }: Nic): number[] =>
  groupsOf(given?.get('SECURITY_GROUPS') ?? source.get('SECURITY_GROUPS'));

/** TEMPLATE/SECURITY_GROUP_RULE of a VM: the rules of all groups that its NICs are in. */
export function nicRules(cloud: Cloud, vm: Vm): readonly Vector[] {
  const groups = new Set<number>();
  for (const nic of vm.nics) for (const group of groupsOfNic(nic)) groups.add(group);
  return securityGroupRules(cloud, groups);
}
