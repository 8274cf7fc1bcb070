/** Virtual networks: address ranges, leases and reservations. Mirrors `VirtualNetwork.cc` and `RequestManagerVirtualNetwork.cc` of OpenNebula 6.10. */
import { allows, authorize, newPermissions, type Owned } from '../access/acl.ts';
import type { Caller } from '../access/user.ts';
import type { Cloud } from '../cloud.ts';
import { ctime } from '../ctime.ts';
import { OneError } from '../error.ts';
import { nameProblem, namesake, refuse, taken } from '../name.ts';
import { type Kind, listed, ownedOperations, reach, updateTemplate } from '../owned.ts';
import { parseTemplate } from '../parse.ts';
import type { Template, Vector } from '../syntax/syntax.ts';
import {
  type Address,
  type AddressRange,
  addressAt,
  leasingVms,
  makeRange,
  offsetOf,
  takeLease,
  updateRange,
  type WantedAddress,
} from './address-range.ts';
import { HELD, type LeaseOwner, reservedBy, reserver } from './lease.ts';
import { automaticVlan, MANDATORY, networkDriver } from './network-driver.ts';

/** VNET/STATE by name, with its number. Nothing takes time here, so a network is READY, or in ERROR for good. */
export const VNET_STATES = {
  INIT: 0,
  READY: 1,
  LOCK_CREATE: 2,
  LOCK_DELETE: 3,
  DONE: 4,
  ERROR: 5,
  UPDATE_FAILURE: 6,
} as const;
type VnetState = keyof typeof VNET_STATES;

export interface Vnet extends Owned {
  state: VnetState;
  readonly clusters: Set<number>;
  bridge: string;
  readonly bridgeType: string;
  vnMad: string;
  phydev: string;
  vlanId: string;
  readonly vlanIdAutomatic: boolean;
  outerVlanId: string;
  readonly outerVlanIdAutomatic: boolean;
  /** The network that it was reserved from; null for none. */
  readonly parentId: number | null;
  readonly ranges: AddressRange[];
  nextRange: number;
  template: Template;
}

/** A network as one caller sees it. */
export interface VnetView {
  readonly vnet: Vnet;
  /** Whether the caller is told of a lease: those of VMs and networks that it may use. */
  readonly sees: (owner: LeaseOwner) => boolean;
}

const VNETS: Kind<Vnet> = {
  type: 'NET',
  pool: (cloud) => cloud.vnets,
  unique: 'owner',
};

// ---- making -------------------------------------------------------------------------------------------------------

function allocate(cloud: Cloud, caller: Caller, text: string, clusterId = -1): number {
  const template = parseTemplate(text, 'INTERNAL');
  const cluster = cloud.clusters.get(clusterId === -1 ? 0 : clusterId);
  authorize(cloud, caller, { right: 'CREATE', type: 'NET' }, { right: 'ADMIN', type: 'CLUSTER', object: cluster });
  const given = template.remove('AR');
  const vnet = makeVnet(cloud, caller, template, new Set([cluster.id]), null);
  try {
    for (const { value } of given) if (typeof value !== 'string') addRange(cloud, vnet, value);
  } catch (error) {
    if (!(error instanceof OneError)) throw error;
    // oned has answered by the time it looks at the ranges.
    vnet.state = 'ERROR';
    vnet.template.set('ERROR', `${ctime(cloud.seconds)} : ${error.message}`);
  }
  return vnet.id;
}

/** @throws OneError INTERNAL */
export function makeVnet(
  cloud: Cloud,
  caller: Caller,
  template: Template,
  clusters: Set<number>,
  parentId: number | null,
): Vnet {
  const value = (name: string): string => template.get(name) ?? '';
  const name = value('NAME');
  const other = namesake(cloud.vnets, 'owner', name, caller.uid);
  refuse(
    other === undefined ? undefined : taken('NET', other),
    name === '' ? 'No NAME in template for Virtual Network.' : nameProblem(name),
    value('VN_MAD') === '' ? 'No VN_MAD in template for Virtual Network.' : undefined,
  );
  const vnMad = value('VN_MAD');
  const driver = networkDriver(vnMad);
  const automatic = (id: string) => value(id) === '' && value(`AUTOMATIC_${id}`).toUpperCase() === 'YES';
  const missing = driver.needs.find((need) => value(need) === '' && !automatic(need));
  if (missing !== undefined) throw new OneError('INTERNAL', `${MANDATORY[missing]} is mandatory for driver ${vnMad}`);
  const id = cloud.vnets.nextId;
  const given = value('VLAN_ID');
  const vnet = cloud.vnets.add(
    (): Vnet => ({
      id,
      uid: caller.uid,
      gid: caller.gid,
      name,
      permissions: newPermissions(cloud, caller),
      lock: null,
      state: 'READY',
      clusters,
      bridge: value('BRIDGE') || (driver.bridgeType === 'none' ? '' : given === '' ? `onebr${id}` : `onebr.${given}`),
      bridgeType: driver.bridgeType,
      vnMad,
      phydev: value('PHYDEV'),
      vlanId: automatic('VLAN_ID') ? automaticVlan(cloud, driver.vlan, id) : given,
      vlanIdAutomatic: automatic('VLAN_ID'),
      outerVlanId: automatic('OUTER_VLAN_ID') ? automaticVlan(cloud, driver.outerVlan, id) : value('OUTER_VLAN_ID'),
      outerVlanIdAutomatic: automatic('OUTER_VLAN_ID'),
      parentId,
      ranges: [],
      nextRange: 0,
      template: template.clone(),
    }),
  );
  vnet.template.remove('NAME');
  const groups = new Set([...groupsOf(vnet.template.get('SECURITY_GROUPS')), 0]);
  vnet.template.set('SECURITY_GROUPS', joined(groups));
  completeTemplate(vnet);
  for (const clusterId of clusters) cloud.clusters.find(clusterId)?.vnets.add(id);
  return vnet;
}

/** Fields of the network are attributes of its template too, and are there even when nobody gave them. */
function completeTemplate(vnet: Vnet): void {
  const { template } = vnet;
  vnet.vnMad = template.get('VN_MAD') ?? '';
  vnet.phydev = template.get('PHYDEV') ?? '';
  vnet.bridge = template.get('BRIDGE') || vnet.bridge;
  if (!vnet.vlanIdAutomatic) vnet.vlanId = template.get('VLAN_ID') ?? '';
  if (!vnet.outerVlanIdAutomatic) vnet.outerVlanId = template.get('OUTER_VLAN_ID') ?? '';
  for (const name of ['AUTOMATIC_VLAN_ID', 'AUTOMATIC_OUTER_VLAN_ID']) template.remove(name);
  template.set('VN_MAD', vnet.vnMad);
  template.set('PHYDEV', vnet.phydev);
  template.set('BRIDGE', vnet.bridge);
  template.set('BRIDGE_TYPE', vnet.bridgeType);
  for (const [name, id, automatic] of [
    ['VLAN_ID', vnet.vlanId, vnet.vlanIdAutomatic],
    ['OUTER_VLAN_ID', vnet.outerVlanId, vnet.outerVlanIdAutomatic],
  ] as const) {
    if (automatic) template.remove(name);
    else template.set(name, id);
  }
}

/** Ids of security groups between commas. */
export function groupsOf(text = ''): number[] {
  if (text === '') return [];
  const ids: number[] = [];
  for (const id of text.split(',')) if (/^\s*\d+\s*$/.test(id)) ids.push(Number(id));
  return ids;
}

export function joined(ids: Iterable<number>): string {
  const all = [...new Set(ids)];
  return all.length === 1 ? String(all[0]) : all.sort((a, b) => a - b).join(',');
}

/** @throws OneError INTERNAL */
export function addRange(cloud: Cloud, vnet: Vnet, given: Vector, parentRangeId: number | null = null): AddressRange {
  const id = vnet.nextRange;
  const randomMac = () => Math.floor(cloud.random.stream('vnet.mac')(vnet.id, id) * 2 ** 32);
  const range = makeRange(given, id, randomMac, parentRangeId);
  vnet.ranges.push(range);
  vnet.nextRange = id + 1;
  return range;
}

// ---- leases -------------------------------------------------------------------------------------------------------

interface Lease {
  readonly range: AddressRange;
  readonly offset: number;
  readonly address: Address;
}

/** Takes the wanted address, else the lowest free one of the first range that has any. `undefined` when there is none. */
export function lease(vnet: Vnet, vmId: number, wanted: WantedAddress = {}): Lease | undefined {
  for (const range of vnet.ranges) {
    const offset = takeLease(range, vmId, wanted);
    if (offset !== undefined) return { range, offset, address: addressAt(range, offset) };
  }
  return undefined;
}

/** Gives an address back that is this VM's; any other stays. */
export function release(vnet: Vnet, rangeId: number, vmId: number, mac: string): void {
  const range = vnet.ranges.find(({ id }) => id === rangeId);
  const offset = range === undefined ? undefined : offsetOf(range, { mac });
  if (range !== undefined && offset !== undefined) range.leases.release(offset, vmId);
}

export const usedLeases = (vnet: Vnet): number => vnet.ranges.reduce((sum, { leases }) => sum + leases.size, 0);

/** VMs with a lease of the network, in order of id: those that oned calls UPDATED_VMS. */
export function updatedVms(vnet: Vnet): number[] {
  return [...new Set(vnet.ranges.flatMap((range) => [...leasingVms(range)]))].sort((a, b) => a - b);
}

// ---- operations ---------------------------------------------------------------------------------------------------

function info(cloud: Cloud, caller: Caller, id: number): VnetView {
  const vnet = reach(cloud, caller, VNETS, id, 'USE', true);
  const sees = (owner: LeaseOwner): boolean => {
    if (caller.admin) return true;
    const vnetId = reserver(owner);
    const object = vnetId === undefined ? cloud.vms.find(owner) : cloud.vnets.find(vnetId);
    const type = vnetId === undefined ? 'VM' : 'NET';
    return object !== undefined && allows(cloud, caller, { right: 'USE', type, object, lockless: true });
  };
  return { vnet, sees };
}

function poolInfo(cloud: Cloud, caller: Caller, filter: number, start: number, end: number): Vnet[] {
  return listed(cloud, caller, cloud.vnets, 'NET', { filter, start, end });
}

function remove(cloud: Cloud, caller: Caller, id: number): number {
  const vnet = reach(cloud, caller, VNETS, id, 'MANAGE');
  if (usedLeases(vnet) > 0) {
    throw new OneError('ACTION', 'Cannot delete virtual network. Can not remove a virtual network with leases in use');
  }
  drop(cloud, vnet);
  return id;
}

/** A network goes, and what it had reserved comes free. */
export function drop(cloud: Cloud, vnet: Vnet): void {
  for (const range of vnet.ranges) giveBack(cloud, vnet, range);
  for (const clusterId of vnet.clusters) cloud.clusters.find(clusterId)?.vnets.delete(vnet.id);
  cloud.vnets.delete(vnet.id);
  cloud.acl.forgetObject('NET', vnet.id);
}

/** Frees the addresses of a reserved range in the network they came from. */
function giveBack(cloud: Cloud, vnet: Vnet, range: AddressRange): void {
  const parent = vnet.parentId === null ? undefined : cloud.vnets.find(vnet.parentId);
  const from = parent?.ranges.find(({ id }) => id === range.parentId);
  const mac = range.attributes.get('MAC') ?? '';
  const first = from === undefined ? undefined : offsetOf(from, { mac });
  if (parent === undefined || from === undefined || first === undefined) return;
  let freed = 0;
  for (let offset = first; offset < first + range.size; offset++) {
    if (from.leases.release(offset, reservedBy(vnet.id))) freed++;
  }
  cloud.quotas.remove(vnet, [{ kind: 'NETWORK', id: parent.id, amounts: { LEASES: freed } }]);
}

/** Attributes of a network that only administrators may change. */
const RESTRICTED = [
  'VN_MAD',
  'PHYDEV',
  'VLAN_ID',
  'CVLANS',
  'QINQ_TYPE',
  'BRIDGE',
  'CONF',
  'BRIDGE_CONF',
  'OVS_BRIDGE_CONF',
  'IP_LINK_CONF',
  'FILTER',
  'FILTER_IP_SPOOFING',
  'FILTER_MAC_SPOOFING',
  'CLUSTER_IDS',
  'EXTERNAL',
];
const RESTRICTED_IN_RANGE = [
  'VN_MAD',
  'PHYDEV',
  'VLAN_ID',
  'BRIDGE',
  ...RESTRICTED.filter((name) => /^FILTER/.test(name)),
];

function update(cloud: Cloud, caller: Caller, id: number, text: string, type = 0): number {
  const vnet = reach(cloud, caller, VNETS, id, 'MANAGE');
  updateTemplate(vnet, text, type, (attributes, append) => {
    if (caller.admin) return;
    const changed = RESTRICTED.find((name) => {
      const value = attributes.get(name);
      return (value !== undefined || !append) && (value ?? '') !== (vnet.template.get(name) ?? '');
    });
    if (changed === undefined) return;
    const what = append ? 'User Template includes a restricted attribute' : 'Tried to change restricted attribute:';
    throw new OneError('INTERNAL', `Cannot update template. ${what} ${changed}`);
  });
  completeTemplate(vnet);
  return id;
}

function addAr(cloud: Cloud, caller: Caller, id: number, text: string): number {
  const vnet = reach(cloud, caller, VNETS, id, 'ADMIN');
  addRange(cloud, vnet, vectorOf(text, 'AR', 'Wrong AR definition. AR vector attribute is missing.'));
  return id;
}

function vectorOf(text: string, name: string, missing: string): Vector {
  const vector = parseTemplate(text, 'INTERNAL').vector(name);
  if (vector === undefined) throw new OneError('INTERNAL', missing);
  return vector;
}

function updateAr(cloud: Cloud, caller: Caller, id: number, text: string): number {
  const vnet = reach(cloud, caller, VNETS, id, 'MANAGE');
  const given = new Map(vectorOf(text, 'AR', 'Wrong AR definition. AR vector attribute is missing.'));
  const arId = given.get('AR_ID') ?? '';
  if (!/^\d+$/.test(arId)) throw new OneError('INTERNAL', 'AR/AR_ID attribute is missing.');
  const range = vnet.ranges.find((candidate) => candidate.id === Number(arId));
  if (range === undefined) throw new OneError('INTERNAL', `Address Range with ID ${arId} was not found.`);
  if (!caller.admin && vnet.parentId !== null) {
    for (const name of RESTRICTED_IN_RANGE) {
      const old = range.attributes.get(name);
      if (old === undefined) given.delete(name);
      else given.set(name, old);
    }
  }
  updateRange(range, given);
  return id;
}

function removeRange(cloud: Cloud, vnet: Vnet, rangeId: number, force: boolean): void {
  const at = vnet.ranges.findIndex(({ id }) => id === rangeId);
  const range = vnet.ranges[at];
  if (range === undefined) throw new OneError('INTERNAL', 'Address Range does not exist');
  if (!force && range.leases.size > 0) throw new OneError('INTERNAL', 'Address Range has leases in use');
  vnet.ranges.splice(at, 1);
  giveBack(cloud, vnet, range);
}

function rmAr(cloud: Cloud, caller: Caller, id: number, rangeId: number, force = false): number {
  removeRange(cloud, reach(cloud, caller, VNETS, id, 'ADMIN'), rangeId, force);
  return id;
}

function freeAr(cloud: Cloud, caller: Caller, id: number, rangeId: number): number {
  removeRange(cloud, reach(cloud, caller, VNETS, id, 'MANAGE'), rangeId, false);
  return id;
}

function hold(cloud: Cloud, caller: Caller, id: number, text: string): number {
  const vnet = reach(cloud, caller, VNETS, id, 'MANAGE');
  const { ranges, wanted } = wantedLease(vnet, text);
  // Every range that has the address and has it free.
  const held = ranges.filter((range) => takeLease(range, HELD, wanted) !== undefined);
  if (held.length === 0) throw new OneError('INTERNAL', 'Address is not part of the address range or in use.');
  return id;
}

function unhold(cloud: Cloud, caller: Caller, id: number, text: string): number {
  const vnet = reach(cloud, caller, VNETS, id, 'MANAGE');
  const { ranges, wanted } = wantedLease(vnet, text);
  for (const range of ranges) {
    const offset = offsetOf(range, wanted);
    if (offset !== undefined) range.leases.release(offset, HELD);
  }
  return id;
}

function wantedLease(vnet: Vnet, text: string): { ranges: readonly AddressRange[]; wanted: WantedAddress } {
  const given = vectorOf(text, 'LEASES', 'Empty lease description.');
  const [first, ...more] = (['IP', 'IP6', 'MAC'] as const).filter((name) => given.get(name));
  if (first === undefined) throw new OneError('INTERNAL', 'Missing MAC, IP or IP6.');
  if (more.length > 0) throw new OneError('INTERNAL', 'Only one attribute MAC, IP or IP6 can be set.');
  const wanted = { [first.toLowerCase()]: given.get(first) };
  const arId = given.get('AR_ID');
  return {
    ranges: arId ? vnet.ranges.filter(({ id }) => String(id) === arId) : vnet.ranges,
    wanted,
  };
}

const RECOVERIES = [
  {
    name: 'failure',
    from: ['INIT', 'LOCK_CREATE', 'LOCK_DELETE'],
    to: 'ERROR',
  },
  {
    name: 'success',
    from: ['INIT', 'LOCK_CREATE', 'ERROR', 'UPDATE_FAILURE'],
    to: 'READY',
  },
  {
    name: 'delete',
    from: ['INIT', 'LOCK_CREATE', 'LOCK_DELETE', 'ERROR'],
    to: 'DONE',
  },
  { name: 'retry', from: ['UPDATE_FAILURE'], to: 'READY' },
] as const satisfies readonly {
  name: string;
  from: readonly VnetState[];
  to: VnetState;
}[];

function recover(cloud: Cloud, caller: Caller, id: number, operation: number): number {
  const recovery = RECOVERIES[operation];
  if (recovery === undefined) throw new OneError('ACTION', 'Wrong recovery operation code');
  const vnet = reach(cloud, caller, VNETS, id, 'MANAGE');
  const from: readonly VnetState[] = recovery.from;
  if (!from.includes(vnet.state)) {
    const what = `Could not perform 'recover ${recovery.name}' on VN ${id}`;
    throw new OneError('INTERNAL', `${what}, wrong state ${vnet.state}.`);
  }
  vnet.state = recovery.to;
  if (recovery.to === 'READY') vnet.template.remove('ERROR');
  if (recovery.to === 'DONE') drop(cloud, vnet);
  return id;
}

const owned = ownedOperations(VNETS);

export const VNET_OPERATIONS = {
  'one.vn.allocate': allocate,
  'one.vn.info': info,
  'one.vn.delete': remove,
  'one.vn.update': update,
  'one.vn.add_ar': addAr,
  'one.vn.update_ar': updateAr,
  'one.vn.rm_ar': rmAr,
  'one.vn.free_ar': freeAr,
  'one.vn.hold': hold,
  'one.vn.release': unhold,
  'one.vn.recover': recover,
  'one.vn.chmod': owned.chmod,
  'one.vn.chown': owned.chown,
  'one.vn.rename': owned.rename,
  'one.vn.lock': owned.lock,
  'one.vn.unlock': owned.unlock,
  'one.vnpool.info': poolInfo,
} as const;
