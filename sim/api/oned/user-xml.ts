/** USER and GROUP, with their quotas. Mirrors `User.cc`, `Group.cc` and `Quotas.cc` of OpenNebula 6.10. */

import { type Book, METRICS, type Quota } from '../../one/access/quota-book.ts';
import type { Group, User } from '../../one/access/user.ts';
import type { Cloud } from '../../one/cloud.ts';
import { cdata, element, ids, pool, templateXml } from './xml.ts';
import type { Pieces } from './xmlrpc.ts';

function userBody(cloud: Cloud, user: User): string {
  const tokens = user.tokens.map(({ token, expires, egid }) =>
    element('LOGIN_TOKEN', element('TOKEN', token) + element('EXPIRATION_TIME', expires) + element('EGID', egid)),
  );
  return (
    `<ID>${user.id}</ID><GID>${user.gid}</GID>${ids('GROUPS', user.groups)}` +
    `<GNAME>${cloud.groups.find(user.gid)?.name ?? ''}</GNAME><NAME>${user.name}</NAME>` +
    `${cdata('PASSWORD', user.password)}${cdata('AUTH_DRIVER', user.driver)}` +
    `<ENABLED>${user.enabled ? 1 : 0}</ENABLED>${tokens.join('')}${templateXml(user.template)}`
  );
}

function groupBody(_cloud: Cloud, group: Group): string {
  return (
    `<ID>${group.id}</ID><NAME>${group.name}</NAME>${templateXml(group.template)}` +
    `${ids('USERS', group.users)}${ids('ADMINS', group.admins)}`
  );
}

export const userXml = (cloud: Cloud, user: User): string =>
  element('USER', userBody(cloud, user) + quotas(cloud.quotas.user(user.id)) + userDefaults(cloud));

export const groupXml = (cloud: Cloud, group: Group): string =>
  element('GROUP', groupBody(cloud, group) + quotas(cloud.quotas.group(group.id)) + groupDefaults(cloud));

/** In a pool the quotas stand beside their owners, and the defaults once at the end. */
export const userPoolXml = (cloud: Cloud, users: readonly User[]): Pieces =>
  pool('USER', [...users, null], (user) =>
    user === null
      ? userDefaults(cloud)
      : element('USER', userBody(cloud, user)) + ofOne(user.id, cloud.quotas.user(user.id)),
  );

export const groupPoolXml = (cloud: Cloud, groups: readonly Group[]): Pieces =>
  pool('GROUP', [...groups, null], (group) =>
    group === null
      ? groupDefaults(cloud)
      : element('GROUP', groupBody(cloud, group)) + ofOne(group.id, cloud.quotas.group(group.id)),
  );

const ofOne = (id: number, book: Book): string => element('QUOTAS', element('ID', id) + quotas(book));

export const userDefaults = (cloud: Cloud): string => element('DEFAULT_USER_QUOTAS', quotas(cloud.quotas.userDefaults));

export const groupDefaults = (cloud: Cloud): string =>
  element('DEFAULT_GROUP_QUOTAS', quotas(cloud.quotas.groupDefaults));

const KINDS = ['DATASTORE', 'NETWORK', 'VM', 'IMAGE'] as const;

function quotas(book: Book): string {
  const all = [...book];
  return KINDS.map((kind) => {
    const ofKind = all.filter((quota) => quota.kind === kind);
    return element(`${kind}_QUOTA`, ofKind.map(quotaXml).join(''));
  }).join('');
}

/** Limits and use, sorted by name. */
function quotaXml(quota: Quota): string {
  const pairs: [string, string][] = METRICS[quota.kind].flatMap((metric) => [
    [metric, amount(quota.limit(metric))],
    [`${metric}_USED`, amount(quota.used(metric))],
  ]);
  if (quota.id >= 0) pairs.push(['ID', String(quota.id)]);
  pairs.sort(([a], [b]) => (a < b ? -1 : 1));
  return element(quota.kind, pairs.map(([name, value]) => cdata(name, value)).join(''));
}

const amount = (value: number): string => (Number.isInteger(value) ? String(value) : value.toFixed(2));
