/** What can be done to a group: its administrators, its quotas and existence. Mirrors `RequestManagerGroup.cc` and `Group.cc` of OpenNebula 6.10. */

import type { Cloud } from '../cloud.ts';
import { OneError } from '../error.ts';
import { usable } from '../owned.ts';
import { parseTemplate } from '../parse.ts';
import { updateDefaults, updateRestricted } from './account.ts';
import { authorize } from './acl.ts';
import type { Right } from './acl-rule.ts';
import { type Book, setLimits } from './quota-book.ts';
import { adminRules, type Caller, createGroup, type Group, ONEADMIN_GROUP } from './user.ts';

const FIRST_OF_CLIENTS = 100;

function reachGroup(cloud: Cloud, caller: Caller, id: number, right: Right): Group {
  if (id < 0) authorize(cloud, caller, { right, type: 'GROUP' });
  const object = cloud.groups.get(id);
  authorize(cloud, caller, { right, type: 'GROUP', object });
  return object;
}

function info(cloud: Cloud, caller: Caller, id: number): Group {
  return reachGroup(cloud, caller, id === -1 ? caller.gid : id, 'USE');
}

function poolInfo(cloud: Cloud, caller: Caller): Group[] {
  return usable(cloud, caller, cloud.groups, 'GROUP');
}

function allocate(cloud: Cloud, caller: Caller, name: string): number {
  authorize(cloud, caller, { right: 'CREATE', type: 'GROUP' });
  return createGroup(cloud, name).id;
}

function update(cloud: Cloud, caller: Caller, id: number, text: string, type = 0): number {
  updateRestricted(caller, reachGroup(cloud, caller, id, 'MANAGE'), text, type);
  return id;
}

function remove(cloud: Cloud, caller: Caller, id: number): number {
  const group = cloud.groups.get(id);
  authorize(cloud, caller, { right: 'ADMIN', type: 'GROUP', object: group });
  const refuse = (why: string) => new OneError('ACTION', `Cannot delete group. ${why}`);
  if (id < FIRST_OF_CLIENTS) throw refuse('System Groups (ID < 100) cannot be deleted.');
  if (group.users.size > 0) throw refuse(`Group ${id} is not empty.`);
  cloud.groups.delete(id);
  cloud.acl.forgetObject('GROUP', id);
  cloud.acl.forgetMember('@', id);
  cloud.quotas.closeGroup(id);
  return id;
}

// ---- administrators -----------------------------------------------------------------------------------------------

function addAdmin(cloud: Cloud, caller: Caller, id: number, uid: number): number {
  const group = reachToAdminister(cloud, caller, id, uid);
  if (!group.users.has(uid)) throw refuseEdit(`User ${uid} is not part of Group ${id}.`);
  if (group.admins.has(uid)) throw refuseEdit(`User ${uid} is already an administrator of Group ${id}.`);
  group.admins.add(uid);
  for (const rule of adminRules(uid, id)) cloud.acl.ensure(rule);
  return id;
}

function delAdmin(cloud: Cloud, caller: Caller, id: number, uid: number): number {
  const group = reachToAdminister(cloud, caller, id, uid);
  if (!group.admins.delete(uid)) throw refuseEdit(`User ${uid} is not an administrator of Group ${id}.`);
  for (const rule of adminRules(uid, id)) cloud.acl.withdraw(rule);
  return id;
}

function reachToAdminister(cloud: Cloud, caller: Caller, id: number, uid: number): Group {
  const group = cloud.groups.get(id);
  const user = cloud.users.get(uid);
  authorize(
    cloud,
    caller,
    { right: 'ADMIN', type: 'GROUP', object: group },
    { right: 'ADMIN', type: 'USER', object: user },
  );
  return group;
}

function refuseEdit(why: string): OneError {
  return new OneError('INTERNAL', `Cannot edit group. ${why}`);
}

// ---- quotas -------------------------------------------------------------------------------------------------------

function quota(cloud: Cloud, caller: Caller, id: number, text: string): number {
  if (id === ONEADMIN_GROUP) throw new OneError('ACTION', 'Cannot set quotas for oneadmin group');
  reachGroup(cloud, caller, id, 'ADMIN');
  setLimits(cloud.quotas.group(id), parseTemplate(text, 'ACTION'));
  return id;
}

function defaultsInfo(cloud: Cloud, _caller: Caller): Book {
  return cloud.quotas.groupDefaults;
}

function defaultsUpdate(cloud: Cloud, caller: Caller, text: string): Book {
  return updateDefaults(caller, cloud.quotas.groupDefaults, text);
}

export const GROUP_OPERATIONS = {
  'one.group.allocate': allocate,
  'one.group.info': info,
  'one.group.update': update,
  'one.group.delete': remove,
  'one.group.addadmin': addAdmin,
  'one.group.deladmin': delAdmin,
  'one.group.quota': quota,
  'one.grouppool.info': poolInfo,
  'one.groupquota.info': defaultsInfo,
  'one.groupquota.update': defaultsUpdate,
} as const;
