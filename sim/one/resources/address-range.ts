/** An address range of a virtual network: first addresses, size, leases. Mirrors `AddressRange.cc` of OpenNebula 6.10. */

import { OneError } from '../error.ts';
import { SubAttributes } from '../syntax/sub-attributes.ts';
import type { Vector } from '../syntax/syntax.ts';
import {
  addIp,
  addIp6,
  addMac,
  formatIp,
  formatIp6,
  formatMac,
  type Ip6,
  ip6Offset,
  macOffset,
  parseIp,
  parseIp6,
  parseMac,
  slaac,
} from './address.ts';
import { HELD, type LeaseOwner, Leases, reserver } from './lease.ts';

/** Types of range, and which kinds of address their leases have: IPv4, IPv6 made from the MAC, IPv6 counted up. */
const TYPES = {
  ETHER: { ip4: false, slaac: false, static6: false },
  IP4: { ip4: true, slaac: false, static6: false },
  IP6: { ip4: false, slaac: true, static6: false },
  IP6_STATIC: { ip4: false, slaac: false, static6: true },
  IP4_6: { ip4: true, slaac: true, static6: false },
  IP4_6_STATIC: { ip4: true, slaac: false, static6: true },
} as const;
type AddressRangeType = keyof typeof TYPES;

export interface AddressRange {
  readonly id: number;
  readonly type: AddressRangeType;
  size: number;
  /** First addresses: the n-th lease gets the n-th after them. */
  readonly mac: number;
  readonly ip: number | null;
  readonly ip6: Ip6 | null;
  globalPrefix: Ip6 | null;
  ulaPrefix: Ip6 | null;
  /** All attributes as oned shows them. */
  attributes: Vector;
  readonly leases: Leases;
  /** oned shows what is allocated once something has been. */
  allocated: boolean;
  /** The range of the parent network that this one was reserved from. */
  readonly parentId: number | null;
}

/** The addresses of a lease, as text. */
export interface Address {
  readonly mac: string;
  readonly ip: string | null;
  readonly ip6: string | null;
  readonly ip6Global: string | null;
  readonly ip6Ula: string | null;
  readonly ip6Link: string | null;
}

/** Which lease is wanted: at most one of the three. */
export interface WantedAddress {
  readonly ip?: string;
  readonly ip6?: string;
  readonly mac?: string;
}

type Attributes = readonly (readonly [name: string, value: string])[];

/** What oned keeps out of a range that is given to it, since it writes these itself. */
const INTERNAL = ['ALLOCATED', 'USED_LEASES', 'LEASES', 'PARENT_NETWORK_AR_ID', 'PARENT_NETWORK'];
const GENERATED = ['MAC_END', 'IP_END', 'IP6_END', 'IP6_ULA', 'IP6_ULA_END', 'IP6_GLOBAL', 'IP6_GLOBAL_END'];

/**
 * A range from an AR vector.
 * @param randomMac the lower 32 bits of a MAC, for a range that has no IPv4 address to take them from
 * @throws OneError INTERNAL
 */
export function makeRange(given: Vector, id: number, randomMac: () => number, parentId: number | null): AddressRange {
  const type = (given.get('TYPE') ?? '').toUpperCase();
  if (!isType(type)) throw refused('Unknown or missing address range TYPE.');
  const kind = TYPES[type];
  const attributes = new Map(given);
  for (const name of INTERNAL) attributes.delete(name);
  attributes.set('AR_ID', String(id));
  if (!kind.ip4) attributes.delete('IP');
  const ip = kind.ip4 ? parseIp(given.get('IP') ?? '') : null;
  if (ip === undefined) throw refused('Wrong or empty IP attribute');
  if (!kind.slaac) for (const name of ['GLOBAL_PREFIX', 'ULA_PREFIX']) attributes.delete(name);
  const prefixes = prefixesOf(attributes);
  if (!kind.static6) attributes.delete('IP6');
  const ip6 = kind.static6 ? parseIp6(given.get('IP6') ?? '') : null;
  if (ip6 === undefined) throw refused('Wrong or empty IP6 attribute');
  if (ip6 !== null) {
    const length = given.get('PREFIX_LENGTH') ?? '';
    if (!/^\d+$/.test(length)) throw refused('Wrong or empty PREFIX_LENGTH');
    if ((given.get('SIZE') ?? '') === '') attributes.set('SIZE', String(staticSize(ip6, Number(length))));
  }
  const mac = given.get('MAC') ? parseMac(given.get('MAC') ?? '') : MAC_PREFIX + (ip ?? randomMac());
  if (mac === undefined) throw refused('Wrong format for MAC attribute');
  if (!given.get('MAC')) attributes.set('MAC', formatMac(mac));
  const size = sizeOf(attributes.get('SIZE') ?? '');
  if (size === undefined) throw refused('Wrong SIZE for address range');
  if (parentId !== null) attributes.set('PARENT_NETWORK_AR_ID', String(parentId));
  const leases = new Leases();
  const vector = new SubAttributes(attributes);
  return { id, type, size, mac, ip, ip6, ...prefixes, attributes: vector, leases, allocated: false, parentId };
}

/** oned.conf's MAC_PREFIX `02:00`, in front of the four bytes of an IPv4 address. */
const MAC_PREFIX = 0x0200_0000_0000;

const isType = (text: string): text is AddressRangeType => Object.hasOwn(TYPES, text);

const refused = (text: string): OneError => new OneError('INTERNAL', text);

function sizeOf(text: string): number | undefined {
  return /^\d{1,20}$/.test(text) ? Number(text) : undefined;
}

/** As many as the prefix leaves behind the first address. */
function staticSize(first: Ip6, prefixLength: number): bigint {
  const bits = BigInt(Math.min(128 - prefixLength, 64));
  const low = first.slice(4).reduce((sum, group) => sum * 0x1_0000n + BigInt(group), 0n);
  const mask = (1n << bits) - 1n;
  return (bits === 64n ? mask : mask + 1n) - (low & mask);
}

function prefixesOf(attributes: ReadonlyMap<string, string>): Pick<AddressRange, 'globalPrefix' | 'ulaPrefix'> {
  return {
    globalPrefix: prefixOf(attributes.get('GLOBAL_PREFIX') ?? '', 'global address'),
    ulaPrefix: prefixOf(attributes.get('ULA_PREFIX') ?? '', 'unique local address'),
  };
}

function prefixOf(text: string, what: string): Ip6 | null {
  if (text === '') return null;
  const prefix = parseIp6(text);
  if (prefix === undefined) throw refused(`Wrong format for IP6 ${what} prefix`);
  return prefix.slice(0, 4).some((group) => group !== 0) ? prefix : null;
}

/**
 * Changes what may be changed of a range: its size, its IPv6 prefixes, and attributes that leases pass on.
 * @throws OneError INTERNAL
 */
export function updateRange(range: AddressRange, given: Vector): void {
  const kind = TYPES[range.type];
  const attributes = new Map(given);
  for (const name of [...INTERNAL, ...GENERATED]) attributes.delete(name);
  for (const name of ['TYPE', 'MAC', 'AR_ID', 'IPAM_MAD', 'IP', 'IP6', 'PARENT_NETWORK_AR_ID']) {
    const old = range.attributes.get(name);
    if (old === undefined) attributes.delete(name);
    else attributes.set(name, old);
  }
  const prefixLength = range.attributes.get('PREFIX_LENGTH');
  if (!kind.static6) attributes.delete('PREFIX_LENGTH');
  else if (!attributes.has('PREFIX_LENGTH') && prefixLength !== undefined) {
    attributes.set('PREFIX_LENGTH', prefixLength);
  }
  for (const name of ['GLOBAL_PREFIX', 'ULA_PREFIX']) {
    if (kind.slaac) attributes.set(name, attributes.get(name) ?? '');
    else attributes.delete(name);
  }
  const prefixes = prefixesOf(attributes);
  const text = attributes.get('SIZE') ?? '';
  const size = text === '' ? range.size : sizeOf(text);
  if (size === undefined) throw refused('Unable to read the SIZE attribute, it must be number >= 0');
  if (range.parentId !== null && size !== range.size) {
    throw refused('The SIZE of a reservation cannot be changed.');
  }
  if (size < range.size && [...range.leases].some(([offset]) => offset >= size)) {
    throw refused('New SIZE cannot be applied. There are used leases that would fall outside the range.');
  }
  attributes.set('SIZE', text === '' ? (range.attributes.get('SIZE') ?? '') : text);
  range.size = size;
  range.globalPrefix = prefixes.globalPrefix;
  range.ulaPrefix = prefixes.ulaPrefix;
  range.allocated = true;
  range.attributes = new SubAttributes(attributes);
}

/** The addresses of the lease at an offset. */
export function addressAt(range: AddressRange, offset: number): Address {
  const kind = TYPES[range.type];
  const mac = addMac(range.mac, offset);
  const made = (prefix: Ip6 | null) => (kind.slaac && prefix !== null ? formatIp6(slaac(prefix, mac)) : null);
  return {
    mac: formatMac(mac),
    ip: range.ip === null ? null : formatIp(addIp(range.ip, offset)),
    ip6: range.ip6 === null ? null : formatIp6(addIp6(range.ip6, offset)),
    ip6Global: made(range.globalPrefix),
    ip6Ula: made(range.ulaPrefix),
    ip6Link: made(LINK_LOCAL),
  };
}

const LINK_LOCAL: Ip6 = [0xfe80, 0, 0, 0, 0, 0, 0, 0];

/** Where an address stands in the range; `undefined` when it is not part of it. */
export function offsetOf(range: AddressRange, { ip, ip6, mac }: WantedAddress): number | undefined {
  let offset: number | undefined;
  if (ip !== undefined) {
    const address = parseIp(ip);
    if (address !== undefined && range.ip !== null) offset = address - range.ip;
  } else if (ip6 !== undefined) {
    const address = parseIp6(ip6);
    if (address !== undefined && range.ip6 !== null) offset = ip6Offset(range.ip6, address);
  } else if (mac !== undefined) {
    const address = parseMac(mac);
    if (address !== undefined) offset = macOffset(range.mac, address);
  }
  return offset !== undefined && offset >= 0 && offset < range.size ? offset : undefined;
}

/** Takes the wanted lease, else the lowest that is free. @returns its offset; `undefined` when there is none */
export function takeLease(range: AddressRange, owner: LeaseOwner, wanted: WantedAddress = {}): number | undefined {
  const any = wanted.ip === undefined && wanted.ip6 === undefined && wanted.mac === undefined;
  const offset = any ? range.leases.lowestFree() : offsetOf(range, wanted);
  if (offset === undefined || offset >= range.size || !range.leases.take(offset, owner)) return undefined;
  range.allocated = true;
  return offset;
}

/** Takes so many leases in a row. @returns the offset of the first; `undefined` when they are not free */
export function takeRun(range: AddressRange, owner: LeaseOwner, length: number, from?: number): number | undefined {
  const first = from ?? range.leases.lowestFreeRun(length);
  if (first + length > range.size) return undefined;
  if (from !== undefined && [...range.leases].some(([offset]) => offset >= first && offset < first + length)) {
    return undefined;
  }
  for (let offset = first; offset < first + length; offset++) range.leases.take(offset, owner);
  range.allocated = true;
  return first;
}

/** Attributes that belong together with ports of a host behind which the addresses stand. */
export function portRanges(range: AddressRange, offset: number): Attributes {
  const start = Number(range.attributes.get('PORT_START') ?? 0);
  const size = Number(range.attributes.get('PORT_SIZE') ?? 0);
  if (!(start > 0 && size > 0)) return [];
  const first = start + offset * size + 1;
  return [
    ['EXTERNAL_PORT_RANGE', `${first}:${first + size - 1}`],
    ['INTERNAL_PORT_RANGE', `1-${size}/${first}`],
  ];
}

/** AR as in a pool of networks: the attributes, with ALLOCATED once something has been. */
export function rangeAttributes(range: AddressRange): Attributes {
  if (!range.allocated) return [...range.attributes];
  const allocated = Array.from(range.leases, ([offset, owner]) => ` ${offset} ${packed(owner)}`).join('');
  return [...new SubAttributes([...range.attributes, ['ALLOCATED', allocated]])];
}

/** An owner as oned packs it: the kind of object above 32 bits, the id below. */
function packed(owner: LeaseOwner): number {
  const vnetId = reserver(owner);
  return vnetId === undefined ? VM_BIT + (owner >>> 0) : NET_BIT + vnetId;
}
const VM_BIT = 0x10_0000_0000;
const NET_BIT = 0x40_0000_0000;

/** What oned shows of AR behind its attributes: the last addresses, and what the prefixes make of the first and last. */
export function rangeBounds(range: AddressRange): Attributes {
  const first = addressAt(range, 0);
  const last = addressAt(range, range.size - 1);
  const bounds: [string, string | null][] = [
    ['MAC_END', last.mac],
    ['IP_END', last.ip],
    ['IP6_ULA', first.ip6Ula],
    ['IP6_ULA_END', last.ip6Ula],
    ['IP6_GLOBAL', first.ip6Global],
    ['IP6_GLOBAL_END', last.ip6Global],
    ['IP6_END', last.ip6],
  ];
  return bounds.filter((bound): bound is [string, string] => bound[1] !== null);
}

/** LEASES of AR, those that the reader may see, in order of address. */
export function leaseAttributes(range: AddressRange, sees: (owner: LeaseOwner) => boolean): Attributes[] {
  const leases: Attributes[] = [];
  for (const [offset, owner] of range.leases) {
    if (!sees(owner)) continue;
    const vnetId = reserver(owner);
    const whose: [string, string] = vnetId === undefined ? ['VM', String(owner)] : ['VNET', String(vnetId)];
    leases.push([
      ...new SubAttributes([...addressAttributes(addressAt(range, offset)), ...portRanges(range, offset), whose]),
    ]);
  }
  return leases;
}

/** The addresses by the names they have in NIC and LEASE. */
export function addressAttributes(address: Address): [name: string, value: string][] {
  const named: [string, string | null][] = [
    ['IP', address.ip],
    ['IP6', address.ip6],
    ['IP6_GLOBAL', address.ip6Global],
    ['IP6_LINK', address.ip6Link],
    ['IP6_ULA', address.ip6Ula],
    ['MAC', address.mac],
  ];
  return named.filter((each): each is [string, string] => each[1] !== null);
}

/** VMs with a lease of the range. */
export function* leasingVms(range: AddressRange): IterableIterator<number> {
  for (const [, owner] of range.leases) if (owner > HELD) yield owner;
}
