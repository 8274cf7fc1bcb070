/** Security groups: the one that every OpenNebula has, which lets everything pass. Mirrors `SecurityGroup.cc` of OpenNebula 6.10. */
import type { Owned } from '../access/acl.ts';
import type { Caller } from '../access/user.ts';
import type { Cloud } from '../cloud.ts';
import { type Kind, listed, reach } from '../owned.ts';
import { Pool } from '../pool.ts';
import { SubAttributes } from '../syntax/sub-attributes.ts';
import { Template, type Vector } from '../syntax/syntax.ts';

export interface SecurityGroup extends Owned {
  readonly template: Template;
}

const DESCRIPTION =
  'The default security group is added to every network. Use it to add default filter rules for your networks. ' +
  'You may remove this security group from any network by updating its properties.';

const rule = (direction: string, more: [string, string][] = []): Vector =>
  new SubAttributes([['PROTOCOL', 'ALL'], ['RULE_TYPE', direction], ...more]);

const DIRECTIONS = ['OUTBOUND', 'INBOUND'];

/** It cannot be changed, so all worlds have the same. */
const DEFAULT: SecurityGroup = {
  id: 0,
  uid: 0,
  gid: 0,
  name: 'default',
  permissions: 0o744,
  lock: null,
  template: new Template([
    { name: 'DESCRIPTION', value: DESCRIPTION },
    ...DIRECTIONS.map((direction) => ({
      name: 'RULE',
      value: rule(direction),
    })),
  ]),
};

/** SECURITY_GROUP_RULE attributes of a VM with NICs in the group. */
const RULES = DIRECTIONS.map((direction) =>
  rule(direction, [
    ['SECURITY_GROUP_ID', String(DEFAULT.id)],
    ['SECURITY_GROUP_NAME', DEFAULT.name],
  ]),
);

/** The rules that hold for NICs in these groups. A group that does not exist has none. */
export function securityGroupRules(groups: ReadonlySet<number>): readonly Vector[] {
  return groups.has(DEFAULT.id) ? RULES : [];
}

const pool = new Pool<SecurityGroup>('security group');
pool.add(() => DEFAULT);

const SECURITY_GROUPS: Kind<SecurityGroup> = { type: 'SECGROUP', pool: () => pool, unique: 'owner' };

function info(cloud: Cloud, caller: Caller, id: number): SecurityGroup {
  return reach(cloud, caller, SECURITY_GROUPS, id, 'USE', true);
}

function poolInfo(cloud: Cloud, caller: Caller, filter: number, start: number, end: number): SecurityGroup[] {
  return listed(cloud, caller, pool, 'SECGROUP', { filter, start, end });
}

export const SECURITY_GROUP_OPERATIONS = {
  'one.secgroup.info': info,
  'one.secgrouppool.info': poolInfo,
} as const;
