/** One ACL rule: who may do what to which objects in which zone, as bits, as hex and as text. Mirrors `AclRule.cc` of OpenNebula 6.10. */

/** Rights and their bits. A lock refuses the rights whose bit is its level or more. */
export const RIGHTS = { USE: 1, MANAGE: 2, ADMIN: 4, CREATE: 8 } as const;
export type Right = keyof typeof RIGHTS;

/** Kinds of object and their bits, in the upper half of a rule's resource. The order is that of a rule's text. */
export const OBJECT_TYPES = {
  VM: 0x10,
  HOST: 0x20,
  NET: 0x40,
  IMAGE: 0x80,
  USER: 0x100,
  TEMPLATE: 0x200,
  GROUP: 0x400,
  ACL: 0x800,
  DATASTORE: 0x1000,
  CLUSTER: 0x2000,
  DOCUMENT: 0x4000,
  ZONE: 0x8000,
  SECGROUP: 0x1_0000,
  VDC: 0x2_0000,
  VROUTER: 0x4_0000,
  MARKETPLACE: 0x8_0000,
  MARKETPLACEAPP: 0x10_0000,
  VMGROUP: 0x20_0000,
  VNTEMPLATE: 0x40_0000,
  HOOK: 0x80_0000,
  BACKUPJOB: 0x100_0000,
} as const;
export type ObjectType = keyof typeof OBJECT_TYPES;

/** How ids are named, in the upper half of a number: one, those of a group, all, those of a cluster. */
export const KINDS = { '#': 1, '@': 2, '*': 4, '%': 8 } as const;
type Kind = keyof typeof KINDS;

/** A 64-bit number of a rule in two halves: kind and type bits, and the id. */
export interface Selector {
  readonly bits: number;
  readonly id: number;
}

export interface Terms {
  readonly user: Selector;
  readonly resource: Selector;
  readonly rights: Selector;
  readonly zone: Selector;
}

export interface Rule extends Terms {
  readonly id: number;
}

// ---- hex ----------------------------------------------------------------------------------------------------------

/** As C++ reads it: leading hex digits count, `0x` in front is fine, no digits make 0, too many the greatest number. */
export function parseHex(text: string): Selector {
  const [, digits = ''] = /^\s*(?:0[xX])?([0-9a-fA-F]*)/.exec(text) ?? [];
  const significant = digits.replace(/^0+/, '');
  if (significant.length > 16 || (significant.length === 16 && significant >= '8')) {
    return { bits: 0x7fff_ffff, id: 0xffff_ffff };
  }
  return { bits: Number(`0x0${significant.slice(0, -8)}`), id: Number(`0x0${significant.slice(-8)}`) };
}

export function formatHex({ bits, id }: Selector): string {
  return bits === 0 ? id.toString(16) : bits.toString(16) + id.toString(16).padStart(8, '0');
}

// ---- text ---------------------------------------------------------------------------------------------------------

/** Reads `#5 IMAGE+TEMPLATE/@103 USE+MANAGE #0`; without a zone, the local one. Undefined when it is not a rule's text. */
export function parseRule(text: string): Terms | undefined {
  const [user, resource, rights, zone = '#0', ...rest] = text.trim().split(/\s+/);
  const [types, target, ...more] = resource?.split('/') ?? [];
  if (user === undefined || types === undefined || target === undefined || rights === undefined) return undefined;
  if (rest.length > 0 || more.length > 0) return undefined;
  const terms = {
    user: selector(user),
    resource: selector(target, sum(types, OBJECT_TYPES)),
    rights: { bits: 0, id: sum(rights, RIGHTS) },
    zone: selector(zone),
  };
  return Number.isNaN(terms.user.bits + terms.resource.bits + terms.rights.id + terms.zone.bits) ? undefined : terms;
}

function selector(text: string, types = 0): Selector {
  const [, kind, id] = /^(?:([#@%])(\d+)|\*)$/.exec(text) ?? [text, 'none', ''];
  if (kind === undefined) return { bits: types + KINDS['*'], id: 0 };
  if (kind !== '#' && kind !== '@' && kind !== '%') return { bits: Number.NaN, id: 0 };
  return { bits: types + KINDS[kind], id: Number(id) };
}

function sum(text: string, bits: Readonly<Record<string, number>>): number {
  return text.split('+').reduce((all, name) => all + (Object.hasOwn(bits, name) ? (bits[name] ?? 0) : Number.NaN), 0);
}

/** oned's text of a rule. It leaves out the types ACL and HOOK. */
export function formatRule({ user, resource, rights, zone }: Terms): string {
  const types = Object.keys(OBJECT_TYPES).filter((type) => type !== 'ACL' && type !== 'HOOK');
  return [
    target(user, ['@', '#', '*']),
    `${names(types, OBJECT_TYPES, resource.bits)}/${target(resource, ['@', '#', '%', '*'])}`,
    names(Object.keys(RIGHTS), RIGHTS, rights.id),
    target(zone, ['#', '*']),
  ].join(' ');
}

function names(all: string[], bits: Readonly<Record<string, number>>, set: number): string {
  return all.filter((name) => (set & (bits[name] ?? 0)) !== 0).join('+');
}

function target({ bits, id }: Selector, kinds: Kind[]): string {
  const kind = kinds.find((candidate) => (bits & KINDS[candidate]) !== 0);
  if (kind === undefined) return '??';
  return kind === '*' ? kind : `${kind}${id}`;
}

// ---- what makes a rule malformed ----------------------------------------------------------------------------------

const NO_CLUSTER_SELECTOR = typeBits('HOST', 'NET', 'DATASTORE', 'HOOK', 'BACKUPJOB');
const GROUPLESS = typeBits('HOST', 'GROUP', 'CLUSTER', 'ZONE', 'VDC');
const FEDERATED = typeBits('USER', 'GROUP', 'ZONE', 'ACL', 'VDC');

function typeBits(...types: ObjectType[]): number {
  return types.reduce((bits, type) => bits | OBJECT_TYPES[type], 0);
}

const kindsOf = (selector: Selector) => selector.bits & 0xf;
const typesOf = (selector: Selector) => selector.bits & ~0xf;
const has = (selector: Selector, ...kinds: Kind[]) => kinds.every((kind) => (selector.bits & KINDS[kind]) !== 0);
const negative = (selector: Selector) => selector.id >= 0x8000_0000;

/** Each reason with oned's words for it, in the order it gives them. */
const MALFORMED: readonly (readonly [(rule: Terms) => boolean, string])[] = [
  [({ user }) => has(user, '#', '@'), '[user] INDIVIDUAL (#) and GROUP (@) bits are exclusive'],
  [({ user }) => has(user, '#', '*'), '[user] INDIVIDUAL (#) and ALL (*) bits are exclusive'],
  [({ user }) => has(user, '@', '*'), '[user] GROUP (@) and ALL (*) bits are exclusive'],
  [({ user }) => (user.bits & 7) === 0, '[user] is missing one of the INDIVIDUAL, GROUP or ALL bits'],
  [({ user }) => negative(user), '[user] ID cannot be negative'],
  [({ user }) => has(user, '*') && user.id !== 0, 'when using the ALL bit, [user] ID must be 0'],
  [
    ({ resource }) => (kindsOf(resource) & (kindsOf(resource) - 1)) !== 0,
    '[resource] INDIVIDUAL (#), GROUP (@), CLUSTER (%) and ALL (*) bits are exclusive',
  ],
  [
    ({ resource }) => has(resource, '%') && (typesOf(resource) & ~NO_CLUSTER_SELECTOR & 0x1ff_fff0) !== 0,
    '[resource] CLUSTER(%) selector can be applied only to DATASTORE, HOST and NET types',
  ],
  [
    ({ resource }) => has(resource, '@') && (resource.bits & GROUPLESS) !== 0,
    '[resource] GROUP(@) selector cannot be applied to HOST, GROUP, CLUSTER, ZONE or VDC types',
  ],
  [
    ({ resource }) => kindsOf(resource) === 0,
    '[resource] is missing one of the INDIVIDUAL, GROUP, CLUSTER or ALL bits',
  ],
  [({ resource }) => negative(resource), '[resource] ID cannot be negative'],
  [({ resource }) => has(resource, '*') && resource.id !== 0, 'when using the ALL bit, [resource] ID must be 0'],
  [({ resource }) => typesOf(resource) === 0, '[resource] type is missing'],
  [({ resource }) => resource.bits >= 0x200_0000, 'wrong [resource] type'],
  [({ rights }) => rights.id === 0 && rights.bits === 0, 'wrong [rights], it cannot be 0'],
  [({ rights }) => rights.id > 0xf || rights.bits > 0, 'wrong [rights], it cannot be bigger than 0xF'],
  [({ zone }) => has(zone, '@'), '[zone] GROUP (@) bit is not supported'],
  [({ zone }) => has(zone, '#', '*'), '[zone] INDIVIDUAL (#) and ALL (*) bits are exclusive'],
  [({ zone }) => (zone.bits & 7) === 0, '[zone] is missing one of the INDIVIDUAL or ALL bits'],
  [({ zone }) => negative(zone), '[zone] ID cannot be negative'],
  [({ zone }) => has(zone, '*') && zone.id !== 0, 'when using the ALL bit, [zone] ID must be 0'],
  [
    ({ zone, resource }) => has(zone, '*') && has(resource, '#') && (typesOf(resource) & ~FEDERATED) !== 0,
    '[resource] INDIVIDUAL(#) selector cannot be applied to ALL zones, except for USER, GROUP and ZONE types',
  ],
];

/** Why oned would refuse the rule, or undefined. */
export function malformed(rule: Terms): string | undefined {
  const reasons = MALFORMED.filter(([applies]) => applies(rule)).map(([, reason]) => reason);
  return reasons.length === 0 ? undefined : reasons.join('; ');
}
