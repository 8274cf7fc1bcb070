/** What can be done to a user: its secrets, groups, quotas and existence. Mirrors `RequestManagerUser.cc` of OpenNebula 6.10. */

import type { Cloud } from '../cloud.ts';
import { OneError } from '../error.ts';
import { updateTemplate, usable } from '../owned.ts';
import { parseTemplate } from '../parse.ts';
import { authorize, forbidden } from './acl.ts';
import type { Right } from './acl-rule.ts';
import { type Book, setLimits } from './quota-book.ts';
import {
  type Caller,
  createUser,
  expired,
  type Group,
  leaveGroup,
  newSecret,
  ONEADMIN,
  ONEADMIN_GROUP,
  passwordProblem,
  setPassword,
  USERS_GROUP,
  type User,
  userNamed,
} from './user.ts';

const MAX_TOKENS = 10;

/** Attributes of a user's or group's template that only administrators may write. */
const RESTRICTED = ['VM_USE_OPERATIONS', 'VM_MANAGE_OPERATIONS', 'VM_ADMIN_OPERATIONS'];

/** Drivers whose users may change their password themselves. */
const PASSWORD_DRIVERS: ReadonlySet<string> = new Set(['core', 'ssh', 'ldap']);

function reachUser(cloud: Cloud, caller: Caller, id: number, right: Right): User {
  if (id < 0) authorize(cloud, caller, { right, type: 'USER' });
  const object = cloud.users.get(id);
  authorize(cloud, caller, { right, type: 'USER', object });
  return object;
}

function refuseAction(why: string): OneError {
  return new OneError('ACTION', why);
}

// ---- reading ------------------------------------------------------------------------------------------------------

function info(cloud: Cloud, caller: Caller, id: number): User {
  return reachUser(cloud, caller, id === -1 ? caller.uid : id, 'USE');
}

function poolInfo(cloud: Cloud, caller: Caller): User[] {
  return usable(cloud, caller, cloud.users, 'USER');
}

// ---- making and unmaking ------------------------------------------------------------------------------------------

function allocate(
  cloud: Cloud,
  caller: Caller,
  name: string,
  password: string,
  driver = '',
  groups: readonly number[] = [],
): number {
  const others = groups.map((gid) => cloud.groups.get(gid)).filter((group) => group.id !== caller.gid);
  authorize(
    cloud,
    caller,
    { right: 'CREATE', type: 'USER' },
    ...others.map((object) => ({ right: 'MANAGE', type: 'GROUP', object }) as const),
  );
  const usual = caller.gid === ONEADMIN_GROUP ? USERS_GROUP : caller.gid;
  return createUser(cloud, {
    name,
    password,
    driver: driver === '' ? 'core' : driver,
    groups: groups.length === 0 ? [usual] : groups,
  }).id;
}

function remove(cloud: Cloud, caller: Caller, id: number): number {
  const user = cloud.users.get(id);
  authorize(cloud, caller, { right: 'ADMIN', type: 'USER', object: user });
  if (id === ONEADMIN) throw refuseAction('Cannot delete user. oneadmin cannot be deleted.');
  cloud.users.delete(id);
  for (const gid of user.groups) leaveGroup(cloud, cloud.groups.get(gid), user);
  cloud.acl.forgetMember('#', id);
  cloud.acl.forgetObject('USER', id);
  cloud.quotas.closeUser(id);
  cloud.sessions.forget();
  return id;
}

function update(cloud: Cloud, caller: Caller, id: number, text: string, type = 0): number {
  updateRestricted(caller, reachUser(cloud, caller, id, 'MANAGE'), text, type);
  return id;
}

/** Updates a user's or group's template, whose restricted attributes only administrators change. */
export function updateRestricted(caller: Caller, object: User | Group, text: string, type: number): void {
  updateTemplate(object, text, type, (attributes, append) => {
    if (caller.admin) return;
    for (const name of RESTRICTED) {
      const before = object.template.get(name);
      const wanted = attributes.get(name);
      if (wanted === undefined && before !== undefined) attributes.set(name, before);
      if (wanted === undefined || wanted === before) continue;
      const why = append
        ? `User Template includes a restricted attribute ${name}`
        : `Tried to change restricted attribute: ${name}`;
      throw new OneError('INTERNAL', `Cannot update template. ${why}`);
    }
  });
}

// ---- secrets ------------------------------------------------------------------------------------------------------

function passwd(cloud: Cloud, caller: Caller, id: number, password: string): number {
  const user = reachUser(cloud, caller, id, 'MANAGE');
  if (!PASSWORD_DRIVERS.has(user.driver) && !caller.admin) {
    throw refuseAction(`Password for driver ${user.driver} cannot be changed.`);
  }
  changePassword(cloud, user, password);
  return id;
}

function changePassword(cloud: Cloud, user: User, password: string): void {
  const problem = passwordProblem(password);
  if (problem !== undefined) throw refuseAction(problem);
  setPassword(cloud, user, password);
}

function chauth(cloud: Cloud, caller: Caller, id: number, driver: string, password = ''): number {
  const user = reachUser(cloud, caller, id, 'ADMIN');
  if (driver === '') throw refuseAction('Auth driver cannot be empty');
  const before = user.driver;
  user.driver = driver;
  try {
    if (password !== '') changePassword(cloud, user, password);
  } catch (error) {
    user.driver = before;
    throw error;
  }
  cloud.sessions.forget();
  return id;
}

/**
 * Makes a login token, or with a period of 0 takes back one, or all when none is named. Returns the token.
 * @param seconds how long it is good for; -1 is for ever
 */
function login(cloud: Cloud, caller: Caller, name: string, token: string, seconds: number, egid = -1): string {
  const user = userNamed(cloud, name);
  if (user === undefined) throw new OneError('NO_EXISTS', 'Error getting user Pool.');
  authorize(cloud, caller, { right: 'MANAGE', type: 'USER', object: user });
  cloud.sessions.forget();
  if (seconds === 0) {
    if (token !== '' && !user.tokens.some((candidate) => candidate.token === token)) {
      throw new OneError('XML_RPC_API', `Could not find token: ${token}`);
    }
    user.tokens = user.tokens.filter((candidate) => token !== '' && candidate.token !== token);
    return token;
  }
  if (seconds < -1) throw new OneError('XML_RPC_API', 'Wrong valid period for token');
  if (egid !== -1 && !caller.admin && !(user.groups.has(egid) && caller.groups.has(egid))) {
    throw new OneError('XML_RPC_API', 'EGID is not in user group list');
  }
  if (egid === -1 && [...user.groups].sort().join() !== [...caller.groups].sort().join()) {
    throw new OneError('XML_RPC_API', 'Cannot create a full token with a specific group token');
  }
  user.tokens = user.tokens.filter((candidate) => !expired(candidate, cloud.seconds));
  if (user.tokens.length >= MAX_TOKENS) throw new OneError('XML_RPC_API', 'Max number of tokens limit reached.');
  const made = token === '' ? newSecret(cloud, user) : token;
  if (!user.tokens.some((candidate) => candidate.token === made)) {
    user.tokens.push({ token: made, expires: seconds === -1 ? -1 : cloud.seconds + seconds, egid });
  }
  return made;
}

function enable(cloud: Cloud, caller: Caller, id: number, enabled: boolean): number {
  const user = reachUser(cloud, caller, id, 'ADMIN');
  if (id === ONEADMIN) throw refuseAction('Cannot enable/disable oneadmin user');
  user.enabled = enabled;
  cloud.sessions.forget();
  return id;
}

// ---- groups -------------------------------------------------------------------------------------------------------

/** Changes the primary group. The old one stays a group of the user only when the new one was a group of it before. */
function chgrp(cloud: Cloud, caller: Caller, id: number, gid: number): number {
  if (gid < 0) throw new OneError('XML_RPC_API', 'Wrong group ID');
  const user = cloud.users.get(id);
  const group = cloud.groups.get(gid);
  if (id === ONEADMIN) {
    const why = 'user [0] oneadmin cannot be moved outside of the group [0] oneadmin';
    throw new OneError('INTERNAL', why);
  }
  authorize(
    cloud,
    caller,
    { right: 'MANAGE', type: 'USER', object: user },
    { right: 'USE', type: 'GROUP', object: group },
  );
  const before = user.gid;
  if (before === gid) return id;
  user.gid = gid;
  if (!user.groups.has(gid)) {
    user.groups.add(gid);
    user.groups.delete(before);
    leaveGroup(cloud, cloud.groups.get(before), user);
  }
  group.users.add(id);
  cloud.sessions.forget();
  return id;
}

function memberAndGroup(cloud: Cloud, caller: Caller, id: number, gid: number): [User, Group] {
  const user = cloud.users.get(id);
  const group = cloud.groups.get(gid);
  authorize(
    cloud,
    caller,
    { right: 'MANAGE', type: 'USER', object: user },
    { right: 'MANAGE', type: 'GROUP', object: group },
  );
  return [user, group];
}

function addGroup(cloud: Cloud, caller: Caller, id: number, gid: number): number {
  const [user, group] = memberAndGroup(cloud, caller, id, gid);
  if (user.groups.has(gid)) throw refuseAction('User is already in this group');
  user.groups.add(gid);
  group.users.add(id);
  cloud.sessions.forget();
  return id;
}

function delGroup(cloud: Cloud, caller: Caller, id: number, gid: number): number {
  const [user, group] = memberAndGroup(cloud, caller, id, gid);
  if (user.gid === gid) throw refuseAction('Cannot remove user from the primary group');
  if (!user.groups.delete(gid)) throw refuseAction('User is not part of this group');
  leaveGroup(cloud, group, user);
  cloud.sessions.forget();
  return id;
}

// ---- quotas -------------------------------------------------------------------------------------------------------

function quota(cloud: Cloud, caller: Caller, id: number, text: string): number {
  reachUser(cloud, caller, id, 'ADMIN');
  if (id === ONEADMIN) throw refuseAction('Cannot set quotas for oneadmin user');
  setLimits(cloud.quotas.user(id), parseTemplate(text, 'ACTION'));
  return id;
}

function defaultsInfo(cloud: Cloud, _caller: Caller): Book {
  return cloud.quotas.userDefaults;
}

function defaultsUpdate(cloud: Cloud, caller: Caller, text: string): Book {
  return updateDefaults(caller, cloud.quotas.userDefaults, text);
}

/** Sets the default quotas of users or groups. @throws OneError */
export function updateDefaults(caller: Caller, defaults: Book, text: string): Book {
  if (caller.gid !== ONEADMIN_GROUP) {
    throw forbidden(caller, 'The default quotas can only be updated by users in the oneadmin group');
  }
  setLimits(defaults, parseTemplate(text, 'ACTION'));
  return defaults;
}

export const USER_OPERATIONS = {
  'one.user.allocate': allocate,
  'one.user.info': info,
  'one.user.update': update,
  'one.user.delete': remove,
  'one.user.passwd': passwd,
  'one.user.chauth': chauth,
  'one.user.login': login,
  'one.user.enable': enable,
  'one.user.chgrp': chgrp,
  'one.user.addgroup': addGroup,
  'one.user.delgroup': delGroup,
  'one.user.quota': quota,
  'one.userpool.info': poolInfo,
  'one.userquota.info': defaultsInfo,
  'one.userquota.update': defaultsUpdate,
} as const;
