/** Permissions, locks and ACL rules: who may do what. Mirrors `AclManager.cc` and `PoolObjectAuth.cc` of OpenNebula 6.10. */

import type { Cloud } from '../cloud.ts';
import { OneError } from '../error.ts';
import {
  formatRule,
  KINDS,
  malformed,
  OBJECT_TYPES,
  type ObjectType,
  parseHex,
  parseRule,
  RIGHTS,
  type Right,
  type Rule,
  type Terms,
} from './acl-rule.ts';
import type { Caller } from './user.ts';

/** What every object that belongs to someone has. */
export interface Owned {
  readonly id: number;
  uid: number;
  gid: number;
  name: string;
  /** Nine bits as of `chmod 640`: owner, group, other × use, manage, admin. */
  permissions: number;
  lock: Lock | null;
}

export interface Lock {
  /** 1 USE, 2 MANAGE, 3 ADMIN: calls that need this right or more are refused. */
  readonly level: 1 | 2 | 3;
  readonly owner: number;
  /** Seconds since the Unix epoch. */
  readonly time: number;
  /** The call that locked it. */
  readonly requestId: number;
}

/** What decides about access to an object; whatever it lacks, nobody has. */
export interface Guarded {
  readonly id: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly permissions?: number;
  readonly lock?: Pick<Lock, 'level'> | null;
  readonly clusterId?: number;
  readonly clusters?: ReadonlySet<number>;
}

export interface Wanted {
  readonly right: Right;
  readonly type: ObjectType;
  /** Absent when one is to be created, or when all of the type are meant. */
  readonly object?: Guarded;
  /** The call works on a locked object, as info and unlock do. */
  readonly lockless?: boolean;
}

/** @throws OneError AUTHORIZATION that names every right that is missing */
export function authorize(cloud: Cloud, caller: Caller, ...wanted: Wanted[]): void {
  let refusals: string[] | undefined;
  for (const each of wanted) {
    if (allows(cloud, caller, each)) continue;
    refusals ??= [];
    refusals.push(refusal(caller, each));
  }
  if (refusals !== undefined) throw forbidden(caller, refusals.join('; '));
}

/** What oned answers with to a caller who may not, whatever the reason. */
export function forbidden(caller: Caller, detail: string): OneError {
  return new OneError('AUTHORIZATION', `User [${caller.uid}] : ${detail}.`);
}

function refusal(caller: Caller, { right, type, object }: Wanted): string {
  const what = caller.admin ? `${type} is locked.` : `Not authorized to perform ${right} ${type}`;
  return object === undefined || object.id < 0 ? what : `${what} [${object.id}]`;
}

/** Whether one right is given: by rank, by the object's own bits or by a rule; and not withheld by a lock. */
export function allows(cloud: Cloud, caller: Caller, { right, type, object, lockless }: Wanted): boolean {
  const bit = RIGHTS[right];
  if (lockless !== true && object?.lock && object.lock.level <= bit) return false;
  if (caller.admin) return true;
  if (object !== undefined && permits(caller, type, object, bit)) return true;
  return cloud.acl.grants(caller, bit, type, object);
}

/** As {@link allows} for USE of many objects of a type, whose locks do not matter: the rules are looked up once. */
export function usableTo(cloud: Cloud, caller: Caller, type: ObjectType): (object: Guarded) => boolean {
  if (caller.admin) return () => true;
  const rules = cloud.acl.granting(caller, RIGHTS.USE, type);
  return (object) =>
    permits(caller, type, object, RIGHTS.USE) || rules.some((rule) => covers(rule, RIGHTS.USE, caller, object));
}

/** The object's own bits. A user owns itself; a group may be used by its members. */
function permits(caller: Caller, type: ObjectType, object: Guarded, bit: number): boolean {
  if (type === 'USER') return object.id === caller.uid && bit <= RIGHTS.MANAGE;
  if (type === 'GROUP') return caller.groups.has(object.id) && bit === RIGHTS.USE;
  const { permissions = 0, uid, gid = -1 } = object;
  // The bits of a permission stand in the opposite order to those of a right.
  const mask = bit === RIGHTS.USE ? 4 : bit === RIGHTS.MANAGE ? 2 : bit === RIGHTS.ADMIN ? 1 : 0;
  if ((permissions & mask) !== 0) return true;
  if (((permissions >> 6) & mask) !== 0 && uid === caller.uid) return true;
  return ((permissions >> 3) & mask) !== 0 && caller.groups.has(gid);
}

const DEFAULT_UMASK = 0o177;

/** Permissions of a new object of the caller, after the umask. */
export function newPermissions(cloud: Cloud, caller: Caller): number {
  const umask = cloud.users.find(caller.uid)?.template.get('UMASK') ?? '';
  const [octal] = /^[0-7]+/.exec(umask) ?? [];
  const full = caller.uid === 0 || caller.gid === 0 ? 0o777 : 0o666;
  return full & ~(umask === '' ? DEFAULT_UMASK : Number.parseInt(octal ?? '0', 8)) & 0o777;
}

// ---- rules --------------------------------------------------------------------------------------------------------

/** The rules of a fresh OpenNebula: its own three, and those of the default virtual data centre. */
const DEFAULT_RULES = [
  '@1 VM+IMAGE+TEMPLATE+DOCUMENT+SECGROUP+VMGROUP+BACKUPJOB/* CREATE *',
  '* ZONE/* USE *',
  '* MARKETPLACE+MARKETPLACEAPP/* USE *',
  '@1 HOST/* MANAGE #0',
  '@1 NET/* USE #0',
  '@1 DATASTORE/* USE #0',
];

const ZONE = 0;

interface AclState {
  readonly rules: Map<number, Rule[]>;
  readonly next: number;
}

export class Acl implements Iterable<Rule> {
  /** By the user they are for, as a key of {@link key}; within one in order of id. */
  #rules = new Map(BEGINNING);
  #next = DEFAULT_RULES.length;

  state(): AclState {
    return { rules: this.#rules, next: this.#next };
  }

  restore({ rules, next }: AclState): void {
    this.#rules = rules;
    this.#next = next;
  }

  /** In the order in which oned lists them: by user, then by id. */
  *[Symbol.iterator](): Iterator<Rule> {
    for (const user of [...this.#rules.keys()].sort((a, b) => a - b)) yield* this.#rules.get(user) ?? [];
  }

  /** @throws OneError INTERNAL when there is such a rule already, or when it makes no sense */
  add(terms: Terms): Rule {
    const rules = this.#rules.get(key(terms.user.bits, terms.user.id)) ?? [];
    if (rules.some((rule) => sameTerms(rule, terms))) {
      throw new OneError('INTERNAL', `Rule ${formatRule(terms)} already exists`);
    }
    const reasons = malformed(terms);
    if (reasons !== undefined) {
      throw new OneError('INTERNAL', `Rule ${formatRule(terms)} is malformed: ${reasons}`);
    }
    const rule = { id: this.#next++, ...terms };
    this.#rules.set(key(rule.user.bits, rule.user.id), [...rules, rule]);
    return rule;
  }

  /** As {@link add}, from a rule's text. */
  addText(text: string): Rule {
    return this.add(termsOf(text));
  }

  /** Adds a rule unless there is such a one. */
  ensure(text: string): void {
    if (this.#like(text) === undefined) this.addText(text);
  }

  /** Takes a rule out, if there is such a one. */
  withdraw(text: string): void {
    const rule = this.#like(text);
    if (rule !== undefined) this.delete(rule.id);
  }

  #like(text: string): Rule | undefined {
    const terms = termsOf(text);
    return this.#rules.get(key(terms.user.bits, terms.user.id))?.find((rule) => sameTerms(rule, terms));
  }

  /** @throws OneError INTERNAL */
  delete(id: number): void {
    if (this.removeIf((rule) => rule.id === id) === 0) {
      throw new OneError('INTERNAL', `Rule ${id} does not exist`);
    }
  }

  /** Takes out all rules of that kind and counts them. */
  removeIf(unwanted: (rule: Rule) => boolean): number {
    let removed = 0;
    for (const [user, rules] of this.#rules) {
      if (!rules.some(unwanted)) continue;
      const kept = rules.filter((rule) => !unwanted(rule));
      removed += rules.length - kept.length;
      if (kept.length === 0) this.#rules.delete(user);
      else this.#rules.set(user, kept);
    }
    return removed;
  }

  /** For an object that is gone: rules for it alone, not those for several types at once. */
  forgetObject(type: ObjectType, id: number): void {
    this.removeIf(({ resource }) => resource.bits === OBJECT_TYPES[type] + KINDS['#'] && resource.id === id);
  }

  /** For a user or group that is gone: the rules for it, and those for the objects of the group. */
  forgetMember(kind: '#' | '@', id: number): void {
    this.removeIf(({ user }) => user.bits === KINDS[kind] && user.id === id);
    if (kind === '@') this.removeIf(({ resource }) => (resource.bits & KINDS['@']) !== 0 && resource.id === id);
  }

  /** Whether a rule for everybody, for the caller or for one of its groups gives a right. */
  grants(caller: Caller, right: number, type: ObjectType, object: Guarded | undefined): boolean {
    if (this.#given(key(KINDS['*'], 0), right, type, caller, object)) return true;
    if (this.#given(key(KINDS['#'], caller.uid), right, type, caller, object)) return true;
    for (const gid of caller.groups) {
      if (this.#given(key(KINDS['@'], gid), right, type, caller, object)) return true;
    }
    return false;
  }

  /** The rules that give the caller a right to some objects of a type. */
  granting(caller: Caller, right: number, type: ObjectType): Rule[] {
    const found: Rule[] = [];
    const look = (user: number): void => {
      for (const rule of this.#rules.get(user) ?? []) if (gives(rule, right, type)) found.push(rule);
    };
    look(key(KINDS['*'], 0));
    look(key(KINDS['#'], caller.uid));
    for (const gid of caller.groups) look(key(KINDS['@'], gid));
    return found;
  }

  #given(user: number, right: number, type: ObjectType, caller: Caller, object: Guarded | undefined): boolean {
    const rules = this.#rules.get(user);
    if (rules === undefined) return false;
    for (const rule of rules) if (gives(rule, right, type) && covers(rule, right, caller, object)) return true;
    return false;
  }
}

const key = (bits: number, id: number): number => bits * 2 ** 32 + id;

/** Whether a rule gives a right to some objects of a type here. */
function gives({ rights, resource, zone }: Rule, right: number, type: ObjectType): boolean {
  if ((rights.id & right) === 0 || (resource.bits & OBJECT_TYPES[type]) === 0) return false;
  return (zone.bits & KINDS['*']) !== 0 || zone.id === ZONE;
}

/** Whether an object is among those of a rule. */
function covers({ resource }: Rule, right: number, caller: Caller, object: Guarded | undefined): boolean {
  if ((resource.bits & KINDS['*']) !== 0) return true;
  if ((resource.bits & KINDS['#']) !== 0) return object !== undefined && object.id === resource.id;
  if ((resource.bits & KINDS['@']) !== 0) {
    // What is to be created will belong to the caller's group.
    return (object === undefined && right === RIGHTS.CREATE ? caller.gid : object?.gid) === resource.id;
  }
  return object?.clusterId === resource.id || (object?.clusters?.has(resource.id) ?? false);
}

function termsOf(text: string): Terms {
  const terms = parseRule(text);
  if (terms === undefined) throw new Error(`not an ACL rule: ${text}`);
  return terms;
}

/** As every cloud begins: neither rules nor lists of them ever change, so all have the same. */
const BEGINNING = new Map<number, Rule[]>();
for (const [id, text] of DEFAULT_RULES.entries()) {
  const rule = { id, ...termsOf(text) };
  const user = key(rule.user.bits, rule.user.id);
  BEGINNING.set(user, [...(BEGINNING.get(user) ?? []), rule]);
}

function sameTerms(one: Terms, other: Terms): boolean {
  return (['user', 'resource', 'rights', 'zone'] as const).every(
    (part) => one[part].bits === other[part].bits && one[part].id === other[part].id,
  );
}

// ---- operations ---------------------------------------------------------------------------------------------------

const MANAGE_ACL = { right: 'MANAGE', type: 'ACL' } as const;

function aclInfo(cloud: Cloud, caller: Caller): Rule[] {
  authorize(cloud, caller, MANAGE_ACL);
  return [...cloud.acl];
}

/** The four numbers of a rule in hex. */
function aclAddRule(cloud: Cloud, caller: Caller, user: string, resource: string, rights: string, zone = '100000000') {
  authorize(cloud, caller, MANAGE_ACL);
  return cloud.acl.add({
    user: parseHex(user),
    resource: parseHex(resource),
    rights: parseHex(rights),
    zone: parseHex(zone),
  }).id;
}

function aclDelRule(cloud: Cloud, caller: Caller, id: number): number {
  authorize(cloud, caller, MANAGE_ACL);
  cloud.acl.delete(id);
  return id;
}

export const ACL_OPERATIONS = {
  'one.acl.info': aclInfo,
  'one.acl.addrule': aclAddRule,
  'one.acl.delrule': aclDelRule,
} as const;
