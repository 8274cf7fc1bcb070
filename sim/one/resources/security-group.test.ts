/** Security groups: their rules, and the NICs that are in them. */
import { describe, expect, it } from 'vitest';
import type { Cloud } from '../cloud.ts';
import { ADMIN_SESSION, furnishedCloud, OTHER, refusalOf, TESTER } from '../testing.ts';
import { nicAttributes, nicRules } from '../vm/nic.ts';
import { sceneIn } from '../vm/scene.ts';

const WEB = 'NAME=web RULE=[PROTOCOL=TCP, RULE_TYPE=INBOUND, RANGE="80,443"] RULE=[PROTOCOL=ICMP, RULE_TYPE=OUTBOUND]';

const make = (cloud: Cloud, text = WEB, session = TESTER) => cloud.call(session, 'one.secgroup.allocate', text);

describe('a security group', () => {
  it('is made by anybody, from id 100 on', () => {
    const cloud = furnishedCloud();
    expect([make(cloud), make(cloud, 'NAME=empty', OTHER)]).toEqual([100, 101]);
    expect(cloud.call(TESTER, 'one.secgroup.info', 100)).toMatchObject({ uid: 2, name: 'web', permissions: 0o600 });
    expect(cloud.call(TESTER, 'one.secgrouppool.info', -2, -1, -1).map(({ id }) => id)).toEqual([100, 0]);
  });

  it('forgets a rule that says the same again', () => {
    const cloud = furnishedCloud();
    const rule = 'RULE=[PROTOCOL=ALL, RULE_TYPE=INBOUND]';
    const id = make(cloud, `NAME=twice ${rule} ${rule} RULE=[PROTOCOL=ALL, RULE_TYPE=OUTBOUND]`);
    expect(cloud.securityGroups.get(id).template.vectors('RULE')).toHaveLength(2);
  });

  it.each([
    ['RULE_TYPE=INBOUND', 'Wrong PROTOCOL in rule. Valid options: TCP, UDP, ICMP, ICMPV6, IPSEC, ALL.'],
    ['PROTOCOL=tcp', 'Wrong RULE_TYPE in rule. Valid options: INBOUND, OUTBOUND.'],
    ['PROTOCOL=ALL, RULE_TYPE=inbound, RANGE=1', 'RANGE is supported only for TCP and UDP protocols.'],
    ['PROTOCOL=TCP, RULE_TYPE=INBOUND, RANGE="1-2"', 'Invalid RANGE specification.'],
    ['PROTOCOL=TCP, RULE_TYPE=INBOUND, RANGE="70000"', 'RANGE out of bounds 0-65536.'],
    ['PROTOCOL=TCP, RULE_TYPE=INBOUND, RANGE="9:1"', 'RANGE BEGIN value is greater than RANGE END value'],
    [
      'PROTOCOL=UDP, RULE_TYPE=INBOUND, RANGE="1:2,3:4,5:6,7:8,9:10,11:12,13:14,15:16"',
      'Not more than 15 ports can be specified in a RULE',
    ],
    ['PROTOCOL=TCP, RULE_TYPE=INBOUND, ICMP_TYPE=8', 'ICMP_TYPE is supported only for ICMP protocol.'],
    ['PROTOCOL=ICMP, RULE_TYPE=INBOUND, ICMP_TYPE=x', 'Wrong ICMP_TYPE, it must be integer'],
    ['PROTOCOL=ICMP, RULE_TYPE=INBOUND, ICMPV6_TYPE=1', 'ICMPV6_TYPE is supported only for ICMPV6 protocol.'],
    ['PROTOCOL=ALL, RULE_TYPE=INBOUND, IP="10.0.0.1"', 'Wrong or empty SIZE.'],
    ['PROTOCOL=ALL, RULE_TYPE=INBOUND, IP=here, SIZE=1', 'Wrong format for IP value.'],
    ['PROTOCOL=ALL, RULE_TYPE=INBOUND, NETWORK_ID=x', 'Wrong NETWORK_ID.'],
  ])('with a rule [%s] is refused', (rule, why) => {
    const cloud = furnishedCloud();
    const id = make(cloud);
    expect(refusalOf(() => make(cloud, `NAME=x RULE=[${rule}]`))).toBe(`INTERNAL [one.secgroup.allocate] ${why}`);
    expect(refusalOf(() => cloud.call(TESTER, 'one.secgroup.update', id, `RULE=[${rule}]`, 0))).toBe(
      `INTERNAL [one.secgroup.update] Cannot update template. ${why}`,
    );
    expect(cloud.securityGroups.get(id).template.vectors('RULE')).toHaveLength(2);
  });

  it('has a name that its owner uses once', () => {
    const cloud = furnishedCloud();
    const id = make(cloud);
    expect(refusalOf(() => make(cloud))).toBe(
      'INTERNAL [one.secgroup.allocate] NAME is already taken by SecurityGroup 100.',
    );
    expect(refusalOf(() => make(cloud, 'A=B'))).toBe(
      'INTERNAL [one.secgroup.allocate] Invalid NAME, it cannot be empty',
    );
    expect(refusalOf(() => cloud.call(TESTER, 'one.secgroup.clone', id, 'web'))).toBe(
      'ALLOCATE [one.secgroup.clone] Error allocating a new security group. NAME is already taken by SecurityGroup 100.',
    );
    const copy = cloud.call(TESTER, 'one.secgroup.clone', id, 'web2');
    expect([...cloud.securityGroups.get(copy).template]).toEqual([...cloud.securityGroups.get(id).template]);
  });

  it('is changed by who may manage it', () => {
    const cloud = furnishedCloud();
    const id = make(cloud);
    cloud.call(TESTER, 'one.secgroup.chmod', id, 1, 1, 0, 1, 0, 0, 1, 0, 0);
    cloud.call(TESTER, 'one.secgroup.rename', id, 'www');
    cloud.call(ADMIN_SESSION, 'one.secgroup.chown', id, 3, -1);
    expect(cloud.securityGroups.get(id)).toMatchObject({ uid: 3, name: 'www', permissions: 0o644 });
    expect(cloud.call(OTHER, 'one.secgroup.commit', id, true)).toBe(id);
    expect(refusalOf(() => cloud.call(TESTER, 'one.secgroup.commit', id, true))).toBe(
      'AUTHORIZATION [one.secgroup.commit] User [2] : Not authorized to perform MANAGE SECGROUP [100].',
    );
  });

  it('is deleted when no VM is in it, and the default one never', () => {
    const cloud = furnishedCloud();
    const id = make(cloud);
    const { vm, act } = sceneIn(cloud, 'PENDING');
    cloud.call(TESTER, 'one.vm.attachsg', vm.id, 0, id);
    const remove = () => cloud.call(TESTER, 'one.secgroup.delete', id);
    expect(refusalOf(remove)).toBe(
      'ACTION [one.secgroup.delete] Cannot delete security group. The security group has VMs using it',
    );
    act('terminate');
    expect(remove()).toBe(id);
    expect(refusalOf(() => cloud.call(ADMIN_SESSION, 'one.secgroup.delete', 0))).toBe(
      'ACTION [one.secgroup.delete] Cannot delete security group. The default security group (ID 0) cannot be deleted.',
    );
  });
});

describe('a NIC in security groups', () => {
  const groups = (cloud: Cloud): string | undefined => {
    const vm = cloud.vms.get(0);
    const [nic] = vm.nics;
    return nic && new Map(nicAttributes(cloud, vm, nic)).get('SECURITY_GROUPS');
  };
  const rules = (cloud: Cloud) =>
    nicRules(cloud, cloud.vms.get(0)).map((rule) => `${rule.get('SECURITY_GROUP_NAME')} ${rule.get('PROTOCOL')}`);

  it.each(['PENDING', 'RUNNING', 'POWEROFF', 'HOTPLUG_RESIZE'])('enters and leaves one in %s', (state) => {
    const cloud = furnishedCloud();
    const id = make(cloud);
    const { vm } = sceneIn(cloud, state);
    expect(cloud.call(TESTER, 'one.vm.attachsg', vm.id, 0, id)).toBe(vm.id);
    expect([vm.state, groups(cloud)]).toEqual([state, '0,100']);
    expect(rules(cloud)).toEqual(['default ALL', 'default ALL', 'web TCP', 'web ICMP']);
    cloud.call(TESTER, 'one.secgroup.update', id, 'RULE=[PROTOCOL=UDP, RULE_TYPE=INBOUND]', 0);
    expect(rules(cloud)).toEqual(['default ALL', 'default ALL', 'web UDP']);
    expect(cloud.call(TESTER, 'one.vm.detachsg', vm.id, 0, 0)).toBe(vm.id);
    expect([groups(cloud), rules(cloud)]).toEqual(['100', ['web UDP']]);
    cloud.call(TESTER, 'one.vm.detachsg', vm.id, 0, id);
    expect(rules(cloud)).toEqual([]);
  });

  it('has for a rule about a network one for each of its ranges', () => {
    const cloud = furnishedCloud();
    const id = make(cloud, 'NAME=net RULE=[PROTOCOL=ALL, RULE_TYPE=INBOUND, NETWORK_ID=0]');
    cloud.call(ADMIN_SESSION, 'one.vn.add_ar', 0, 'AR=[TYPE=IP4, IP="10.1.0.1", SIZE=5]');
    const { vm } = sceneIn(cloud, 'PENDING');
    cloud.call(TESTER, 'one.vm.attachsg', vm.id, 0, id);
    cloud.call(TESTER, 'one.vm.detachsg', vm.id, 0, 0);
    expect(nicRules(cloud, vm).map((rule) => [rule.get('IP'), rule.get('SIZE'), rule.get('NETWORK_ID')])).toEqual([
      ['10.0.0.1', '200', '0'],
      ['10.1.0.1', '5', '0'],
    ]);
  });

  it('is refused what makes no sense', () => {
    const cloud = furnishedCloud();
    const id = make(cloud);
    const theirs = make(cloud, 'NAME=theirs', OTHER);
    sceneIn(cloud, 'RUNNING');
    const attach = (nic: number, group: number) => () => cloud.call(TESTER, 'one.vm.attachsg', 0, nic, group);
    const detach = (nic: number, group: number) => () => cloud.call(TESTER, 'one.vm.detachsg', 0, nic, group);
    expect(
      [attach(7, id), attach(0, 999), attach(0, 0), attach(0, theirs), detach(7, 0), detach(0, id)].map(refusalOf),
    ).toEqual([
      "INTERNAL [one.vm.attachsg] VM 0 doesn't have NIC id 7",
      'ACTION [one.vm.attachsg] Could not attach SG 999 to VM, SG does not exist',
      'ACTION [one.vm.attachsg] VM 0 SG 0 already in NIC 0',
      'AUTHORIZATION [one.vm.attachsg] User [2] : Not authorized to perform USE SECGROUP [101].',
      "ACTION [one.vm.detachsg] VM 0 doesn't have NIC id 7",
      "ACTION [one.vm.detachsg] VM 0 NIC 0 doesn't contain SG 100",
    ]);
    const nic = `NIC=[NETWORK_ID=0, SECURITY_GROUPS="${theirs}"]`;
    expect(refusalOf(() => cloud.call(TESTER, 'one.vm.attachnic', 0, nic))).toBe(
      'AUTHORIZATION [one.vm.attachnic] User [2] : Not authorized to perform USE SECGROUP [101].',
    );
    const booting = furnishedCloud();
    make(booting);
    sceneIn(booting, 'BOOT');
    expect(refusalOf(() => booting.call(TESTER, 'one.vm.attachsg', 0, 0, 100))).toBe(
      'ACTION [one.vm.attachsg] VM 0 is in wrong state BOOT',
    );
  });
});
