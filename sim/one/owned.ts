/**
 * What can be done to every object that belongs to someone, whatever it is: change mode, owner, name and lock, and list
 * a pool. Mirrors `RequestManagerChmod.cc`, `…Chown.cc`, `…Rename.cc`, `…Lock.cc` and `…PoolInfoFilter.cc` of OpenNebula 6.10.
 */
import { authorize, type Guarded, type Owned, usableTo } from './access/acl.ts';
import type { ObjectType, Right } from './access/acl-rule.ts';
import type { Owner } from './access/quota.ts';
import type { Caller } from './access/user.ts';
import type { Cloud } from './cloud.ts';
import { OneError } from './error.ts';
import type { IdList } from './id-list.ts';
import { nameProblem, namesake, type Uniqueness } from './name.ts';
import { parseTemplate } from './parse.ts';
import type { Pool } from './pool.ts';
import type { Template } from './syntax/syntax.ts';

/** A kind of object: where it is kept and what is special about it. */
export interface Kind<T extends Owned> {
  readonly type: ObjectType;
  readonly pool: (cloud: Cloud) => Pool<T>;
  readonly unique: Uniqueness;
  /** Hands over what counts against quotas, or refuses; ids below 0 stay as they are. */
  readonly handOver?: (cloud: Cloud, caller: Caller, object: T, to: Owner) => void;
}

// ---- finding ------------------------------------------------------------------------------------------------------

/**
 * The object of an id for which the caller has a right. As in oned, id -1 asks for the right to all objects, and only
 * then is missing.
 * @throws OneError
 */
export function reach<T extends Owned>(
  cloud: Cloud,
  caller: Caller,
  kind: Kind<T>,
  id: number,
  right: Right,
  lockless = false,
): T {
  const pool = kind.pool(cloud);
  if (id < 0) authorize(cloud, caller, { right, type: kind.type });
  const object = pool.get(id);
  authorize(cloud, caller, { right, type: kind.type, object, lockless });
  return object;
}

// ---- listing ------------------------------------------------------------------------------------------------------

/** Filters of a pool's listing below 0; 0 and above mean the objects of that user. */
export const FILTERS = { MINE_AND_GROUPS: -1, ALL: -2, MINE: -3, GROUP: -4 } as const;

export interface Slice<T> {
  /** One of {@link FILTERS} or a user id. */
  readonly filter: number;
  /** With `end` -1 or more, both are ids, -1 for open; with less, `start` is how many to skip, `-end` how many to give. */
  readonly start: number;
  readonly end: number;
  /** What else is wanted of an object, such as its state. */
  readonly where?: (object: T) => boolean;
  /** The only ids that come into question. */
  readonly ids?: IdList;
}

/** All that the caller may use, as oned lists pools without arguments. */
export function usable<T extends Guarded>(cloud: Cloud, caller: Caller, pool: Pool<T>, type: ObjectType): T[] {
  return listed(cloud, caller, pool, type, { filter: FILTERS.ALL, start: -1, end: -1 });
}

/**
 * The objects of a pool that a listing shows, the highest id first.
 * @throws OneError XML_RPC_API
 */
export function listed<T extends Guarded>(
  cloud: Cloud,
  caller: Caller,
  pool: Pool<T>,
  type: ObjectType,
  { filter, start, end, where, ids }: Slice<T>,
): T[] {
  if (filter < FILTERS.GROUP) throw new OneError('XML_RPC_API', 'Incorrect filter_flag');
  const wanted = wantedBy(cloud, caller, type, filter);
  const paged = end < -1;
  const ranged = !paged && start !== -1;
  const lowest = ranged ? Math.max(start, 0) : 0;
  const highest = ranged && end !== -1 ? end : Number.POSITIVE_INFINITY;
  let skip = paged ? start : 0;
  const most = paged ? -end : Number.POSITIVE_INFINITY;
  const objects: T[] = [];
  for (const id of (ids ?? pool).down(highest)) {
    if (objects.length >= most || id < lowest) break;
    const object = pool.find(id);
    if (object === undefined || !wanted(object) || (where !== undefined && !where(object))) continue;
    if (skip-- > 0) continue;
    objects.push(object);
  }
  return objects;
}

function wantedBy(cloud: Cloud, caller: Caller, type: ObjectType, filter: number): (object: Guarded) => boolean {
  const owner = (object: Guarded) => (type === 'USER' ? object.id : object.uid);
  const own = (object: Guarded) => owner(object) === caller.uid;
  const shown = usableTo(cloud, caller, type);
  switch (filter) {
    case FILTERS.ALL:
      return caller.admin ? () => true : (object) => own(object) || shown(object);
    case FILTERS.MINE:
      return own;
    case FILTERS.GROUP:
      return (object) => object.gid === caller.gid && (own(object) || shown(object));
    case FILTERS.MINE_AND_GROUPS:
      return (object) => own(object) || (caller.groups.has(object.gid ?? -1) && shown(object));
    default:
      return (object) => owner(object) === filter && (own(object) || shown(object));
  }
}

// ---- the operations -----------------------------------------------------------------------------------------------

/** Nine values in the order of `chmod`: owner, group, other × use, manage, admin. -1 keeps a bit. */
export type Modes = [
  ownerU: number,
  ownerM: number,
  ownerA: number,
  groupU: number,
  groupM: number,
  groupA: number,
  otherU: number,
  otherM: number,
  otherA: number,
];

/** The operations of a kind, each with the arguments of its XML-RPC method, returning the id. */
export function ownedOperations<T extends Owned>(kind: Kind<T>) {
  return {
    chmod: (cloud: Cloud, caller: Caller, id: number, ...modes: Modes): number => chmod(cloud, caller, kind, id, modes),
    chown: (cloud: Cloud, caller: Caller, id: number, uid: number, gid: number): number =>
      chown(cloud, caller, kind, id, { uid, gid }),
    rename: (cloud: Cloud, caller: Caller, id: number, name: string): number => rename(cloud, caller, kind, id, name),
    lock: (cloud: Cloud, caller: Caller, id: number, level: number, test = false): number =>
      lock(cloud, caller, kind, id, level, test),
    unlock: (cloud: Cloud, caller: Caller, id: number): number => unlock(cloud, caller, kind, id),
  };
}

const ADMIN_BITS = 0o111;

function chmod<T extends Owned>(cloud: Cloud, caller: Caller, kind: Kind<T>, id: number, modes: Modes): number {
  const object = kind.pool(cloud).get(id);
  const changes = modes.map((mode, i) => ({ mode, bit: 0o400 >> i }));
  const changesAdmin = changes.some(
    ({ mode, bit }) => (bit & ADMIN_BITS) !== 0 && mode !== -1 && mode !== Number((object.permissions & bit) !== 0),
  );
  authorize(cloud, caller, { right: changesAdmin ? 'ADMIN' : 'MANAGE', type: kind.type, object });
  if (modes.some((mode) => mode < -1 || mode > 1)) {
    throw new OneError('INTERNAL', 'New permission values must be -1, 0 or 1');
  }
  for (const { mode, bit } of changes) {
    if (mode === 1) object.permissions |= bit;
    else if (mode === 0) object.permissions &= ~bit;
  }
  return id;
}

function chown<T extends Owned>(cloud: Cloud, caller: Caller, kind: Kind<T>, id: number, wanted: Owner): number {
  const user = wanted.uid < 0 ? undefined : cloud.users.get(wanted.uid);
  const group = wanted.gid < 0 ? undefined : cloud.groups.get(wanted.gid);
  const pool = kind.pool(cloud);
  const object = pool.get(id);
  const to = {
    uid: user === undefined || user.id === object.uid ? -1 : user.id,
    gid: group === undefined || group.id === object.gid ? -1 : group.id,
  };
  authorize(
    cloud,
    caller,
    { right: 'MANAGE', type: kind.type, object },
    ...(user === undefined || to.uid < 0 ? [] : [{ right: 'MANAGE', type: 'USER', object: user } as const]),
    ...(group === undefined || to.gid < 0 ? [] : [{ right: 'USE', type: 'GROUP', object: group } as const]),
  );
  const other = to.uid < 0 ? undefined : namesake(pool, kind.unique, object.name, to.uid);
  if (other !== undefined && other !== object) {
    const owns = `user [${to.uid}] already owns ${pool.objectName} [${other.id}] with NAME ${object.name}`;
    throw new OneError('INTERNAL', owns);
  }
  kind.handOver?.(cloud, caller, object, to);
  if (to.uid >= 0) object.uid = to.uid;
  if (to.gid >= 0) object.gid = to.gid;
  return id;
}

function rename<T extends Owned>(cloud: Cloud, caller: Caller, kind: Kind<T>, id: number, name: string): number {
  const pool = kind.pool(cloud);
  const object = pool.get(id);
  if (object.name === name) return id;
  authorize(cloud, caller, { right: 'MANAGE', type: kind.type, object });
  const other = namesake(pool, kind.unique, name, object.uid);
  const problem = other === undefined ? nameProblem(name) : collision(pool.objectName, name, other.id);
  if (problem !== undefined) throw new OneError('ACTION', problem);
  object.name = name;
  return id;
}

/** What oned says to a new name that another object has. */
export function collision(objectName: string, name: string, id: number): string {
  return `${objectName} cannot be renamed to ${name} because it collides with ${objectName} ${id}`;
}

/** Levels by the number that is asked for: 4 is everything, which USE already is. */
const LOCK_LEVELS = new Map([
  [1, 1],
  [2, 2],
  [3, 3],
  [4, 1],
] as const);

function lock<T extends Owned>(
  cloud: Cloud,
  caller: Caller,
  kind: Kind<T>,
  id: number,
  wanted: number,
  test: boolean,
): number {
  const object = reach(cloud, caller, kind, id, 'MANAGE', true);
  const [, level] = [...LOCK_LEVELS].find(([number]) => number === wanted) ?? [];
  if (level === undefined) throw new OneError('ACTION', 'Wrong lock level specified');
  if (test && object.lock !== null) throw new OneError('ACTION', String(object.lock.time));
  if (object.lock !== null && object.lock.owner !== caller.uid && !caller.admin) {
    throw new OneError('ACTION', 'Error trying to lock the resource.');
  }
  object.lock = { level, owner: caller.uid, time: cloud.seconds, requestId: cloud.clock.cause };
  return id;
}

function unlock<T extends Owned>(cloud: Cloud, caller: Caller, kind: Kind<T>, id: number): number {
  const object = reach(cloud, caller, kind, id, 'MANAGE', true);
  // What is not locked belongs to nobody, and so is refused as well.
  if (!caller.admin && object.lock?.owner !== caller.uid) {
    throw new OneError('ACTION', 'Cannot unlock: Lock is owned by another user');
  }
  object.lock = null;
  return id;
}

// ---- templates ----------------------------------------------------------------------------------------------------

/** How an update treats the old attributes. */
const REPLACE = 0;
const APPEND = 1;

/** Something with a template that clients may write to. */
interface Described {
  template: Template;
}

/** @throws OneError XML_RPC_API unless it is 0, replace, or 1, append */
function checkUpdateType(type: number): void {
  if (type !== REPLACE && type !== APPEND) throw new OneError('XML_RPC_API', 'Wrong update type');
}

/**
 * Replaces an object's template or appends to it, after the caller has been found to have the right.
 * @param text the new attributes; who has read them already gives them as a template
 * @param adapt looks at the new attributes and may refuse or complete them
 * @throws OneError INTERNAL `Cannot update template. …`
 */
export function updateTemplate(
  object: Described,
  text: string | Template,
  type: number,
  adapt?: (attributes: Template, append: boolean) => void,
): void {
  checkUpdateType(type);
  const attributes = typeof text === 'string' ? parseTemplate(text, 'INTERNAL', 'Cannot update template. ') : text;
  adapt?.(attributes, type === APPEND);
  if (type === APPEND) object.template.append(attributes);
  else object.template = attributes;
}
