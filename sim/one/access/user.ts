/** Users and groups, and how a session is authenticated. Mirrors `User.h` and `UserPool.cc` of OpenNebula 6.10. */
import { createHash } from 'node:crypto';
import { remembered } from '../../kernel/remembered.ts';
import type { Cloud } from '../cloud.ts';
import { OneError } from '../error.ts';
import { nameProblem, namesake, refuse, taken, userNameProblem } from '../name.ts';
import { Template } from '../syntax/syntax.ts';
import { delegationIn, expiryOf, isServerDriver } from './server-cipher.ts';

export interface User {
  readonly id: number;
  name: string;
  /** SHA-256 in hex, as oned stores and shows it. */
  password: string;
  /** How the password is checked; only `core` and those of servers can be checked here. */
  driver: string;
  enabled: boolean;
  /** The primary group. */
  gid: number;
  /** All groups, the primary one included. */
  readonly groups: Set<number>;
  tokens: LoginToken[];
  /** Secrets made for it so far: the counter of its draws. */
  secrets: number;
  template: Template;
}

export interface LoginToken {
  readonly token: string;
  /** Seconds since the Unix epoch; -1 never expires. */
  readonly expires: number;
  /** Limits the session to this group; -1 for none. */
  readonly egid: number;
}

export interface Group {
  readonly id: number;
  name: string;
  readonly users: Set<number>;
  readonly admins: Set<number>;
  template: Template;
}

/** Who calls, after authentication. */
export interface Caller {
  readonly uid: number;
  readonly gid: number;
  readonly groups: ReadonlySet<number>;
  readonly name: string;
  readonly groupName: string;
  /** Whether it is uid 0 or in group 0, and so passes every permission check. */
  readonly admin: boolean;
}

export const ONEADMIN = 0;
export const ONEADMIN_GROUP = 0;
export const USERS_GROUP = 1;
const FIRST_GROUP = 100;

// ---- sessions -----------------------------------------------------------------------------------------------------

/** Most sessions remembered; a client that makes up tokens must not eat the memory. */
const SESSIONS_KEPT = 10_000;

/** Sessions that were proven, so that the next call of the same client costs no hash. */
export class Sessions {
  readonly #proven = new Map<string, { caller: Caller; until: number }>();

  find(session: string, seconds: number): Caller | undefined {
    const proven = this.#proven.get(session);
    return proven !== undefined && seconds < proven.until ? proven.caller : undefined;
  }

  keep(session: string, caller: Caller, until: number): void {
    if (this.#proven.size >= SESSIONS_KEPT) this.#proven.clear();
    this.#proven.set(session, { caller, until });
  }

  /** For every change of a user or a group: what was proven may no longer hold. */
  forget(): void {
    this.#proven.clear();
  }
}

/**
 * Who a session `user:password` or `user:token` belongs to.
 * @throws OneError AUTHENTICATION, the same for every cause
 */
export function authenticate(cloud: Cloud, session: string): Caller {
  return cloud.sessions.find(session, cloud.seconds) ?? prove(cloud, session);
}

function prove(cloud: Cloud, session: string): Caller {
  const colon = session.indexOf(':');
  const user = colon < 0 ? undefined : userNamed(cloud, session.slice(0, colon));
  if (user === undefined || !user.enabled) throw unauthenticated();
  const secret = session.slice(colon + 1);
  const token = user.tokens.find((candidate) => candidate.token === secret);
  if (token !== undefined) {
    const { egid } = token;
    if (expired(token, cloud.seconds) || (egid !== -1 && !user.groups.has(egid))) {
      user.tokens = user.tokens.filter((candidate) => candidate !== token);
      throw unauthenticated();
    }
    const caller = egid === -1 ? callerOf(cloud, user.id) : callerAs(cloud, user, egid, new Set([egid]));
    cloud.sessions.keep(session, caller, token.expires === -1 ? Number.POSITIVE_INFINITY : token.expires);
    return caller;
  }
  if (isServerDriver(user.driver)) return delegated(cloud, session, user, secret);
  if (user.driver !== 'core' || digest(secret) !== user.password) throw unauthenticated();
  const caller = callerOf(cloud, user.id);
  cloud.sessions.keep(session, caller, Number.POSITIVE_INFINITY);
  return caller;
}

/** The user for whom a server acts. */
function delegated(cloud: Cloud, session: string, server: User, secret: string): Caller {
  const delegation = delegationIn(secret);
  const target = delegation === undefined ? undefined : userNamed(cloud, delegation.user);
  const until = delegation === undefined ? undefined : expiryOf(server, delegation.token);
  if (delegation === undefined || target === undefined || until === undefined || cloud.seconds >= until) {
    throw unauthenticated();
  }
  const { egid } = delegation;
  const caller = egid === -1 ? callerOf(cloud, target.id) : callerAs(cloud, target, egid, new Set([egid]));
  cloud.sessions.keep(session, caller, until);
  return caller;
}

function unauthenticated(): OneError {
  return new OneError('AUTHENTICATION', "User couldn't be authenticated, aborting call.");
}

export function expired({ expires }: LoginToken, seconds: number): boolean {
  return expires !== -1 && seconds >= expires;
}

/** A user as the one who calls, for work done on its behalf. A user that is gone has no groups. */
export function callerOf(cloud: Cloud, uid: number): Caller {
  const user = cloud.users.find(uid);
  if (user === undefined) return { uid, gid: -1, groups: new Set(), name: '', groupName: '', admin: false };
  return callerAs(cloud, user, user.gid, user.groups);
}

function callerAs(cloud: Cloud, user: User, gid: number, groups: ReadonlySet<number>): Caller {
  return {
    uid: user.id,
    gid,
    groups,
    name: user.name,
    groupName: cloud.groups.find(gid)?.name ?? '',
    admin: user.id === ONEADMIN || groups.has(ONEADMIN_GROUP),
  };
}

export function userNamed(cloud: Cloud, name: string): User | undefined {
  return namesake(cloud.users, 'pool', name);
}

// ---- secrets ------------------------------------------------------------------------------------------------------

const NOT_IN_PASSWORDS = new Set(' \t\n\v\f\r');

/** Why oned refuses a password, or undefined. */
export function passwordProblem(password: string): string | undefined {
  if (password === '') return 'Invalid password, it cannot be empty';
  const char = [...password].find((candidate) => NOT_IN_PASSWORDS.has(candidate));
  return char === undefined ? undefined : `Invalid password, character '${char}' is not allowed`;
}

/** Sets a password that has been checked; all login tokens are void after it. */
export function setPassword(cloud: Cloud, user: User, password: string): void {
  user.password = user.driver === 'core' ? digest(password) : password;
  user.tokens = [];
  cloud.sessions.forget();
}

/** 64 hex digits that nobody guesses and a replay repeats. */
export function newSecret(cloud: Cloud, user: User): string {
  return sha256(cloud.random.uuid('user.secret', user.id, user.secrets++));
}

/** The first secret of a user. */
export function giveSecret(cloud: Cloud, user: User): void {
  user.secrets = 0;
  user.template.set('TOKEN_PASSWORD', newSecret(cloud, user));
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Of passwords, which come again. */
const digest = remembered(sha256);

// ---- making users and groups --------------------------------------------------------------------------------------

export interface NewUser {
  readonly name: string;
  readonly password: string;
  /** The first is the primary group; `users` when absent. */
  readonly groups?: readonly number[];
  readonly driver?: string;
  /** Attributes beside TOKEN_PASSWORD. */
  readonly template?: Template;
}

/** @throws OneError INTERNAL */
export function createUser(cloud: Cloud, { name, password, groups = [], driver = 'core', template }: NewUser): User {
  const other = userNamed(cloud, name);
  const secretProblem = passwordProblem(password);
  refuse(
    secretProblem && `${secretProblem}.`,
    userNameProblem(name),
    other && taken('USER', other),
    groups.every((gid) => cloud.groups.find(gid) !== undefined)
      ? undefined
      : `One or more of the groups ${[...groups].sort((a, b) => a - b).join(',')} do not exist.`,
  );
  const [gid = USERS_GROUP] = groups;
  const user = cloud.users.add((id) => ({
    id,
    name,
    password: '',
    driver,
    enabled: true,
    gid,
    groups: new Set([gid, ...groups]),
    tokens: [],
    secrets: 0,
    template: template?.clone() ?? new Template(),
  }));
  setPassword(cloud, user, password);
  giveSecret(cloud, user);
  for (const member of user.groups) cloud.groups.get(member).users.add(user.id);
  return user;
}

/** What the default virtual data centre gives to every new group. */
const GROUP_RULES = ['HOST/* MANAGE #0', 'NET/* USE #0', 'DATASTORE/* USE #0'];

/** @throws OneError INTERNAL */
export function createGroup(cloud: Cloud, name: string, template = new Template()): Group {
  const other = namesake(cloud.groups, 'pool', name);
  refuse(nameProblem(name), other && taken('GROUP', other));
  const group = addGroup(cloud, FIRST_GROUP, name, template);
  for (const rule of GROUP_RULES) cloud.acl.addText(`@${group.id} ${rule}`);
  return group;
}

function addGroup(cloud: Cloud, firstId: number, name: string, template: Template): Group {
  return cloud.groups.add((id) => ({
    id: Math.max(id, firstId),
    name,
    users: new Set<number>(),
    admins: new Set<number>(),
    template,
  }));
}

/** What an administrator of a group may do. */
export function adminRules(uid: number, gid: number): string[] {
  return [
    `#${uid} USER/@${gid} USE+MANAGE+ADMIN+CREATE *`,
    `#${uid} VM+NET+IMAGE+TEMPLATE+DOCUMENT+SECGROUP+VROUTER+VMGROUP+BACKUPJOB/@${gid} USE+MANAGE *`,
    `#${uid} VROUTER/* CREATE *`,
    `#${uid} GROUP/#${gid} MANAGE *`,
  ];
}

/** Ends a membership, and with it what the user was allowed as the group's administrator. */
export function leaveGroup(cloud: Cloud, group: Group, user: User): void {
  if (group.admins.delete(user.id)) {
    for (const rule of adminRules(user.id, group.id)) cloud.acl.withdraw(rule);
  }
  group.users.delete(user.id);
}

/** Of oneadmin, and of serveradmin. */
const PASSWORD = 'opennebula';

/** Who is there in a fresh OpenNebula. The rules of group `users` come with the ACL. */
export function bootstrapIdentity(cloud: Cloud): void {
  addGroup(cloud, ONEADMIN_GROUP, 'oneadmin', new Template());
  const sunstone = new Map([
    ['DEFAULT_VIEW', 'cloud'],
    ['VIEWS', 'cloud'],
    ['GROUP_ADMIN_DEFAULT_VIEW', 'groupadmin'],
    ['GROUP_ADMIN_VIEWS', 'groupadmin,cloud'],
  ]);
  addGroup(cloud, USERS_GROUP, 'users', new Template([{ name: 'SUNSTONE', value: sunstone }]));
  createUser(cloud, { name: 'oneadmin', password: PASSWORD, groups: [ONEADMIN_GROUP] });
  createUser(cloud, {
    name: 'serveradmin',
    password: digest(PASSWORD),
    groups: [ONEADMIN_GROUP],
    driver: 'server_cipher',
  });
}
