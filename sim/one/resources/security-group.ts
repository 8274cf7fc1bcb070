/** Security groups: which traffic may pass the NICs that are in them. Mirrors `SecurityGroup.cc` and `SecurityGroupPool.cc` of OpenNebula 6.10. */
import { authorize, newPermissions, type Owned } from '../access/acl.ts';
import type { Caller } from '../access/user.ts';
import type { Cloud } from '../cloud.ts';
import { OneError } from '../error.ts';
import { nameProblem, namesake, refuse } from '../name.ts';
import { type Kind, listed, ownedOperations, reach, updateTemplate } from '../owned.ts';
import { parseTemplate } from '../parse.ts';
import { SubAttributes } from '../syntax/sub-attributes.ts';
import { Template, type Vector } from '../syntax/syntax.ts';
import { vmsInGroup } from '../vm/nic-group.ts';
import { type Derived, derived } from './inheritance.ts';
import { ruleProblem } from './security-rule.ts';

export interface SecurityGroup extends Owned {
  template: Template;
}

const FIRST_OWN_ID = 100;

const DESCRIPTION =
  'The default security group is added to every network. Use it to add default filter rules for your networks. ' +
  'You may remove this security group from any network by updating its properties.';

const everything = (direction: string): Vector =>
  new SubAttributes([
    ['PROTOCOL', 'ALL'],
    ['RULE_TYPE', direction],
  ]);

const SECURITY_GROUPS: Kind<SecurityGroup> = {
  type: 'SECGROUP',
  pool: (cloud) => cloud.securityGroups,
  unique: 'owner',
};

/** The one that every OpenNebula has, and in which every network is: it lets everything pass. */
export function bootstrapSecurityGroups(cloud: Cloud): void {
  cloud.securityGroups.add((id) => ({
    id,
    uid: 0,
    gid: 0,
    name: 'default',
    permissions: 0o744,
    lock: null,
    template: new Template([
      { name: 'DESCRIPTION', value: DESCRIPTION },
      ...['OUTBOUND', 'INBOUND'].map((direction) => ({ name: 'RULE', value: everything(direction) })),
    ]),
  }));
}

// ---- use by NICs --------------------------------------------------------------------------------------------------

/** The rules of a group with its name on them, and whether some are for a network. */
const RULES: Derived<{ readonly rules: readonly Vector[]; readonly forNetworks: boolean }> = new WeakMap();

/**
 * SECURITY_GROUP_RULE attributes of a VM with NICs in these groups. A rule for a network is one for each of its address
 * ranges. A group that does not exist has none.
 */
export function securityGroupRules(cloud: Cloud, groups: ReadonlySet<number>): readonly Vector[] {
  let all: readonly Vector[] = [];
  for (const id of groups) {
    const group = cloud.securityGroups.find(id);
    const rules = group === undefined ? [] : rulesOf(cloud, group);
    all = all.length === 0 ? rules : all.concat(rules);
  }
  return all;
}

function rulesOf(cloud: Cloud, group: SecurityGroup): readonly Vector[] {
  const { template, name, id } = group;
  const { rules, forNetworks } = derived(RULES, group, [template.contents, name], () => {
    const given = template.vectors('RULE');
    const mark = [
      ['SECURITY_GROUP_ID', String(id)],
      ['SECURITY_GROUP_NAME', name],
    ] as const;
    return {
      rules: given.map((rule) => new SubAttributes([...mark, ...rule])),
      forNetworks: given.some((rule) => rule.has('NETWORK_ID')),
    };
  });
  return forNetworks ? rules.flatMap((rule) => byRange(cloud, rule)) : rules;
}

/** What a rule for a network takes from an address range. */
const OF_RANGE: readonly string[] = ['IP', 'MAC', 'SIZE'];

function byRange(cloud: Cloud, rule: Vector): Vector[] {
  const network = rule.get('NETWORK_ID');
  if (network === undefined) return [rule];
  const ranges = cloud.vnets.find(Number.parseInt(network, 10))?.ranges ?? [];
  return ranges.map(
    ({ attributes }) =>
      new SubAttributes([
        ...OF_RANGE.flatMap((name): [string, string][] => {
          const value = attributes.get(name);
          return value ? [[name, value]] : [];
        }),
        ...rule,
      ]),
  );
}

// ---- operations ---------------------------------------------------------------------------------------------------

/** Refuses rules that make no sense, and forgets those that say the same again. @throws OneError INTERNAL */
function requireRules(template: Template, before = ''): void {
  const rules = template.vectors('RULE');
  for (const rule of rules) {
    const problem = ruleProblem(rule);
    if (problem !== undefined) throw new OneError('INTERNAL', before + problem);
  }
  const distinct = new Map(rules.map((rule) => [JSON.stringify([...rule]), rule]));
  if (distinct.size === rules.length) return;
  template.remove('RULE');
  for (const rule of distinct.values()) template.add('RULE', rule);
}

function allocate(cloud: Cloud, caller: Caller, text: string): number {
  const template = parseTemplate(text, 'INTERNAL');
  authorize(cloud, caller, { right: 'CREATE', type: 'SECGROUP' });
  return create(cloud, caller, template);
}

function create(cloud: Cloud, caller: Caller, template: Template): number {
  const name = template.get('NAME') ?? '';
  const other = namesake(cloud.securityGroups, 'owner', name, caller.uid);
  refuse(nameProblem(name), other && `NAME is already taken by SecurityGroup ${other.id}.`);
  requireRules(template);
  template.remove('NAME');
  const { uid, gid } = caller;
  const permissions = newPermissions(cloud, caller);
  return cloud.securityGroups.add((next) => {
    const id = Math.max(next, FIRST_OWN_ID);
    return { id, uid, gid, name, permissions, lock: null, template };
  }).id;
}

function info(cloud: Cloud, caller: Caller, id: number): SecurityGroup {
  return reach(cloud, caller, SECURITY_GROUPS, id, 'USE', true);
}

function poolInfo(cloud: Cloud, caller: Caller, filter: number, start: number, end: number): SecurityGroup[] {
  return listed(cloud, caller, cloud.securityGroups, 'SECGROUP', { filter, start, end });
}

/** The rules hold at once for all VMs that have NICs in the group. */
function update(cloud: Cloud, caller: Caller, id: number, text: string, type = 0): number {
  updateTemplate(reach(cloud, caller, SECURITY_GROUPS, id, 'MANAGE'), text, type, (attributes) =>
    requireRules(attributes, 'Cannot update template. '),
  );
  return id;
}

/** Brings the rules to VMs that do not have them yet: here there are none. */
function commit(cloud: Cloud, caller: Caller, id: number, _recover: boolean): number {
  reach(cloud, caller, SECURITY_GROUPS, id, 'MANAGE');
  return id;
}

function remove(cloud: Cloud, caller: Caller, id: number): number {
  reach(cloud, caller, SECURITY_GROUPS, id, 'MANAGE');
  const cannot = (why: string) => new OneError('ACTION', `Cannot delete security group. ${why}`);
  if (id === 0) throw cannot('The default security group (ID 0) cannot be deleted.');
  if (vmsInGroup(cloud, id).length > 0) throw cannot('The security group has VMs using it');
  cloud.securityGroups.delete(id);
  cloud.acl.forgetObject('SECGROUP', id);
  return id;
}

function clone(cloud: Cloud, caller: Caller, id: number, name: string): number {
  const source = cloud.securityGroups.get(id);
  authorize(cloud, caller, { right: 'USE', type: 'SECGROUP', object: source }, { right: 'CREATE', type: 'SECGROUP' });
  const template = source.template.clone();
  template.set('NAME', name);
  try {
    return create(cloud, caller, template);
  } catch (error) {
    if (!(error instanceof OneError)) throw error;
    throw new OneError('ALLOCATE', `Error allocating a new security group. ${error.message}`);
  }
}

const owned = ownedOperations(SECURITY_GROUPS);

export const SECURITY_GROUP_OPERATIONS = {
  'one.secgroup.allocate': allocate,
  'one.secgroup.info': info,
  'one.secgroup.update': update,
  'one.secgroup.commit': commit,
  'one.secgroup.delete': remove,
  'one.secgroup.clone': clone,
  'one.secgroup.chmod': owned.chmod,
  'one.secgroup.chown': owned.chown,
  'one.secgroup.rename': owned.rename,
  'one.secgrouppool.info': poolInfo,
} as const;
