/** Reservations: a network of a user's own, whose addresses are taken from another. Mirrors `VirtualNetworkReserve` of OpenNebula 6.10. */
import { authorize } from '../access/acl.ts';
import type { Caller } from '../access/user.ts';
import type { Cloud } from '../cloud.ts';
import { OneError } from '../error.ts';
import { parseTemplate } from '../parse.ts';
import type { Template } from '../syntax/syntax.ts';
import { type AddressRange, addressAt, offsetOf, portRanges, takeRun, type WantedAddress } from './address-range.ts';
import { reservedBy } from './lease.ts';
import { addRange, drop, makeVnet, type Vnet } from './vnet.ts';

const refused = (text: string): OneError => new OneError('ACTION', text);

/** Returns the id of the network that has the addresses now: a new one, or the one that is named. */
function reserve(cloud: Cloud, caller: Caller, id: number, text: string): number {
  const wish = parseTemplate(text, 'ACTION');
  const size = integer(wish, 'SIZE') ?? 0;
  if (size <= 0) throw refused('Reservation SIZE must be a greater than 0');
  const existing = existingTarget(cloud, id, integer(wish, 'NETWORK_ID'));
  const name = wish.get('NAME') ?? '';
  if (existing === undefined && name === '') throw refused('NAME for reservation has to be set');
  const rangeId = integer(wish, 'AR_ID');
  if (rangeId !== undefined && rangeId < 0) throw refused('AR_ID must be equal or greater than 0');
  const wanted = wantedOf(wish);
  if (rangeId === undefined && wanted !== undefined) {
    throw refused('AR_ID must be specified for IP/MAC based reservations');
  }
  const parent = cloud.vnets.get(id);
  if (parent.parentId !== null) throw refused('Cannot reserve addresses from a reserved VNET');
  authorize(
    cloud,
    caller,
    { right: 'USE', type: 'NET', object: parent },
    ...(existing === undefined ? [] : [{ right: 'MANAGE', type: 'NET', object: existing } as const]),
  );
  const target = existing ?? makeTarget(cloud, caller, parent, name);
  try {
    const demands = [{ kind: 'NETWORK', id, amounts: { LEASES: size } } as const];
    cloud.quotas.check(caller, target, demands);
    take(cloud, parent, target, { size, rangeId, wanted });
    cloud.quotas.add(target, demands);
  } catch (error) {
    if (existing === undefined) drop(cloud, target);
    throw error;
  }
  return target.id;
}

function integer(template: Template, name: string): number | undefined {
  const text = template.get(name) ?? '';
  return /^\s*[-+]?\d+/.test(text) ? Number.parseInt(text, 10) : undefined;
}

/** The first of IP, IP6 and MAC. */
function wantedOf(template: Template): WantedAddress | undefined {
  for (const name of ['IP', 'IP6', 'MAC'] as const) {
    const value = template.get(name);
    if (value) return { [name.toLowerCase()]: value };
  }
  return undefined;
}

function existingTarget(cloud: Cloud, parentId: number, id: number | undefined): Vnet | undefined {
  if (id === undefined) return undefined;
  if (id < 0) throw refused('NETWORK_ID must be equal or greater than 0');
  if (id === parentId) throw refused('Cannot add a reservation from the same network');
  const target = cloud.vnets.get(id);
  if (target.parentId === null) throw refused('Cannot add reservations to a non-reservation VNET');
  if (target.parentId !== parentId) {
    throw refused(`New reservations for virtual network ${id} have to be from network ${target.parentId}`);
  }
  return target;
}

function makeTarget(cloud: Cloud, caller: Caller, parent: Vnet, name: string): Vnet {
  const template = parent.template.clone();
  template.set('NAME', name);
  return makeVnet(cloud, caller, template, new Set(parent.clusters), parent.id);
}

/** More addresses than this nobody gets, so that one call cannot fill the memory. */
const MOST = 2 ** 20;

interface Wish {
  readonly size: number;
  readonly rangeId: number | undefined;
  readonly wanted: WantedAddress | undefined;
}

function take(cloud: Cloud, parent: Vnet, target: Vnet, { size, rangeId, wanted }: Wish): void {
  const ranges = rangeId === undefined ? parent.ranges : parent.ranges.filter(({ id }) => id === rangeId);
  for (const range of ranges) {
    const from = wanted === undefined ? undefined : offsetOf(range, wanted);
    if (wanted !== undefined && from === undefined) continue;
    const first = size > MOST ? undefined : takeRun(range, reservedBy(target.id), size, from);
    if (first === undefined) continue;
    addRange(cloud, target, reservedVector(range, first, size), range.id);
    return;
  }
  throw refused(
    rangeId === undefined
      ? 'Not enough free addresses in an address range'
      : `Not enough free addresses in address range ${rangeId}, or it does not exist`,
  );
}

/** The attributes of a range from an offset on. */
function reservedVector(range: AddressRange, first: number, size: number): Map<string, string> {
  const vector = new Map([...range.attributes, ...portRanges(range, first)]);
  const { mac, ip, ip6 } = addressAt(range, first);
  vector.set('MAC', mac);
  if (ip !== null) vector.set('IP', ip);
  if (ip6 !== null) vector.set('IP6', ip6);
  vector.set('SIZE', String(size));
  vector.delete('IPAM_MAD');
  return vector;
}

export const RESERVATION_OPERATIONS = { 'one.vn.reserve': reserve } as const;
