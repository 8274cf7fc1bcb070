import { describe, expect, test } from 'vitest';
import type { Cloud } from '../cloud.ts';
import { ADMIN_SESSION, freshCloud, OTHER, refusalOf, TESTER } from '../testing.ts';
import { leaseAttributes } from './address-range.ts';
import { HELD } from './lease.ts';
import { lease, release, updatedVms, usedLeases, type Vnet } from './vnet.ts';

const allocate = (cloud: Cloud, text: string, clusterId = -1): Vnet =>
  cloud.vnets.get(cloud.call(ADMIN_SESSION, 'one.vn.allocate', text, clusterId));

const NET = 'NAME=fnet VN_MAD=dummy BRIDGE=br0 AR=[TYPE=IP4,IP=10.0.0.1,SIZE=3]';

/** The refusal without its method. */
const refused = (act: () => unknown): string => refusalOf(act).replace(/\[\S+\] /, '');

describe('a new network', () => {
  test('is as recorded', () => {
    const cloud = freshCloud();
    const vnet = allocate(cloud, NET);
    expect(vnet).toMatchObject({ state: 'READY', bridge: 'br0', bridgeType: 'linux', phydev: '', vlanId: '' });
    expect(Array.from(vnet.template, ({ name, value }) => [name, value])).toEqual([
      ['BRIDGE', 'br0'],
      ['BRIDGE_TYPE', 'linux'],
      ['OUTER_VLAN_ID', ''],
      ['PHYDEV', ''],
      ['SECURITY_GROUPS', '0'],
      ['VLAN_ID', ''],
      ['VN_MAD', 'dummy'],
    ]);
    expect([[...vnet.clusters], [...cloud.clusters.get(0).vnets]]).toEqual([[0], [0]]);
  });

  test.each([
    ['VN_MAD=bridge', { bridge: 'onebr0', vlanId: '' }],
    ['VN_MAD="802.1Q" PHYDEV=eth0 VLAN_ID=7', { bridge: 'onebr.7', vlanId: '7', vlanIdAutomatic: false }],
    ['VN_MAD="802.1q" PHYDEV=eth0 AUTOMATIC_VLAN_ID=YES', { bridge: 'onebr0', vlanId: '2', vlanIdAutomatic: true }],
    ['VN_MAD=vxlan PHYDEV=eth0 AUTOMATIC_VLAN_ID=YES', { vlanId: '2' }],
    ['VN_MAD=ovswitch', { bridgeType: 'openvswitch', vlanId: '' }],
    ['VN_MAD=nodeport', { bridge: '', bridgeType: 'none' }],
  ])('of %s', (text, fields) => {
    expect(allocate(freshCloud(), `NAME=n ${text}`)).toMatchObject(fields);
  });

  test('gets a VLAN that no other has', () => {
    const cloud = freshCloud();
    const vlans = ['a', 'b', 'c'].map(
      (name) => allocate(cloud, `NAME=${name} VN_MAD="802.1Q" PHYDEV=eth0 AUTOMATIC_VLAN_ID=YES`).vlanId,
    );
    expect(vlans).toEqual(['2', '3', '4']);
  });

  test.each([
    ['VN_MAD=dummy BRIDGE=b', 'INTERNAL No NAME in template for Virtual Network.'],
    ['NAME=n', 'INTERNAL No VN_MAD in template for Virtual Network.'],
    ['NAME=n VN_MAD=foo', 'INTERNAL VN_MAD named "foo" is not defined in oned.conf'],
    ['NAME=n VN_MAD=dummy', 'INTERNAL BRIDGE is mandatory for driver dummy'],
    ['NAME=n VN_MAD="802.1Q"', 'INTERNAL PHYDEV is mandatory for driver 802.1Q'],
    ['NAME=n VN_MAD=vxlan PHYDEV=e', 'INTERNAL VLAN_ID (or AUTOMATIC_VLAN_ID) is mandatory for driver vxlan'],
    ['NAME=n VN_MAD=ovswitch_vxlan', 'INTERNAL OUTER_VLAN_ID (or AUTOMATIC) is mandatory for driver ovswitch_vxlan'],
    ['NAME=fnet VN_MAD=dummy BRIDGE=b', 'INTERNAL NAME is already taken by NET 0.'],
    ['NAME="a/b" VN_MAD=dummy BRIDGE=b', "INTERNAL Invalid NAME, char '/' is not allowed"],
  ])('is refused: %s', (text, why) => {
    const cloud = freshCloud();
    allocate(cloud, NET);
    expect(refused(() => allocate(cloud, text))).toBe(why);
    expect(cloud.vnets.size).toBe(1);
  });

  test('with a bad range is there, in error, until it is recovered', () => {
    const cloud = freshCloud();
    const vnet = allocate(cloud, 'NAME=n VN_MAD=dummy BRIDGE=b AR=[TYPE=IP4,SIZE=1]');
    expect(vnet.state).toBe('ERROR');
    expect(vnet.template.get('ERROR')).toMatch(/^\w{3} .* 2026 : Wrong or empty IP attribute$/);
    cloud.call(ADMIN_SESSION, 'one.vn.recover', vnet.id, 1);
    expect([vnet.state, vnet.template.get('ERROR')]).toEqual(['READY', undefined]);
  });

  test('is not for ordinary users to make', () => {
    const cloud = freshCloud();
    expect(refusalOf(() => cloud.call(TESTER, 'one.vn.allocate', NET, -1))).toBe(
      'AUTHORIZATION [one.vn.allocate] User [2] : Not authorized to perform CREATE NET; Not authorized to perform ADMIN CLUSTER [0].',
    );
    expect(refused(() => allocate(cloud, NET, 77))).toBe('NO_EXISTS Error getting cluster [77].');
  });
});

describe('leases', () => {
  test('go out from the lowest address of the first range that has one, and come back', () => {
    const cloud = freshCloud();
    const vnet = allocate(cloud, `${NET} AR=[TYPE=IP4,IP=10.1.0.1,SIZE=1]`);
    const ips = [1, 2, 3, 4, 5].map((vm) => lease(vnet, vm)?.address.ip);
    expect(ips).toEqual(['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.1.0.1', undefined]);
    release(vnet, 0, 1, '02:00:0a:00:00:02');
    expect(usedLeases(vnet)).toBe(4);
    release(vnet, 0, 2, '02:00:0a:00:00:02');
    expect(lease(vnet, 9)?.address.ip).toBe('10.0.0.2');
    expect(updatedVms(vnet)).toEqual([1, 3, 4, 9]);
  });

  test('are told only to those who may see whose they are', () => {
    const cloud = freshCloud();
    allocate(cloud, NET);
    cloud.call(ADMIN_SESSION, 'one.vn.hold', 0, 'LEASES=[IP=10.0.0.3]');
    for (const session of [TESTER, OTHER]) cloud.call(session, 'one.vm.allocate', 'CPU=1 MEMORY=1 NIC=[NETWORK_ID=0]');
    const seen = (session: string) => {
      const { vnet, sees } = cloud.call(session, 'one.vn.info', 0);
      return vnet.ranges.flatMap((range) => leaseAttributes(range, sees)).map((each) => Object.fromEntries(each).VM);
    };
    expect([seen(ADMIN_SESSION), seen(TESTER), seen(OTHER)]).toEqual([['0', '1', '-1'], ['0'], ['1']]);
  });

  test('can be held back', () => {
    const cloud = freshCloud();
    const vnet = allocate(cloud, NET);
    const call = (method: 'hold' | 'release', text: string) => cloud.call(ADMIN_SESSION, `one.vn.${method}`, 0, text);
    call('hold', 'LEASES=[IP=10.0.0.1]');
    call('hold', 'LEASES=[MAC="02:00:0a:00:00:02",AR_ID=0]');
    expect([...(vnet.ranges[0]?.leases ?? [])]).toEqual([
      [0, HELD],
      [1, HELD],
    ]);
    expect(lease(vnet, 1)?.address.ip).toBe('10.0.0.3');
    call('release', 'LEASES=[IP=10.0.0.1]');
    // A VM's lease is not on hold.
    call('release', 'LEASES=[IP=10.0.0.3]');
    expect(usedLeases(vnet)).toBe(2);
  });

  test.each([
    ['LEASES=[IP=10.0.0.9]', 'Address is not part of the address range or in use.'],
    ['LEASES=[IP=10.0.0.1]', 'Address is not part of the address range or in use.'],
    ['LEASES=[IP=10.0.0.2,AR_ID=7]', 'Address is not part of the address range or in use.'],
    ['LEASES=[IP=here]', 'Address is not part of the address range or in use.'],
    ['X=1', 'Empty lease description.'],
    ['LEASES=[A=1]', 'Missing MAC, IP or IP6.'],
    ['LEASES=[IP=10.0.0.2,MAC="02:00:0a:00:00:02"]', 'Only one attribute MAC, IP or IP6 can be set.'],
  ])('are not held back: %s', (text, why) => {
    const cloud = freshCloud();
    allocate(cloud, NET);
    cloud.call(ADMIN_SESSION, 'one.vn.hold', 0, 'LEASES=[IP=10.0.0.1]');
    expect(refusalOf(() => cloud.call(ADMIN_SESSION, 'one.vn.hold', 0, text))).toBe(`INTERNAL [one.vn.hold] ${why}`);
  });
});

describe('address ranges', () => {
  test('are added, updated and removed; their ids are not used again', () => {
    const cloud = freshCloud();
    const vnet = allocate(cloud, NET);
    cloud.call(ADMIN_SESSION, 'one.vn.add_ar', 0, 'AR=[TYPE=IP4,IP=10.2.0.1,SIZE=5]');
    cloud.call(ADMIN_SESSION, 'one.vn.update_ar', 0, 'AR=[AR_ID=1,SIZE=9,DNS="9.9.9.9"]');
    expect(vnet.ranges[1]).toMatchObject({ id: 1, size: 9 });
    cloud.call(ADMIN_SESSION, 'one.vn.rm_ar', 0, 1);
    cloud.call(ADMIN_SESSION, 'one.vn.add_ar', 0, 'AR=[TYPE=ETHER,SIZE=5]');
    expect(vnet.ranges.map(({ id }) => id)).toEqual([0, 2]);
  });

  test('are refused', () => {
    const cloud = freshCloud();
    const vnet = allocate(cloud, NET);
    lease(vnet, 1);
    const admin = ADMIN_SESSION;
    expect(refused(() => cloud.call(admin, 'one.vn.rm_ar', 0, 7))).toBe('INTERNAL Address Range does not exist');
    expect(refused(() => cloud.call(admin, 'one.vn.rm_ar', 0, 0))).toBe('INTERNAL Address Range has leases in use');
    expect(refused(() => cloud.call(admin, 'one.vn.add_ar', 0, 'X=1'))).toBe(
      'INTERNAL Wrong AR definition. AR vector attribute is missing.',
    );
    expect(refused(() => cloud.call(admin, 'one.vn.update_ar', 0, 'AR=[SIZE=1]'))).toBe(
      'INTERNAL AR/AR_ID attribute is missing.',
    );
    expect(refused(() => cloud.call(admin, 'one.vn.update_ar', 0, 'AR=[AR_ID=7]'))).toBe(
      'INTERNAL Address Range with ID 7 was not found.',
    );
    expect(refused(() => cloud.call(TESTER, 'one.vn.rm_ar', 0, 0))).toContain('ADMIN NET [0]');
    cloud.call(admin, 'one.vn.rm_ar', 0, 0, true);
    expect(vnet.ranges).toEqual([]);
  });
});

describe('an operation', () => {
  test('deletes, but not what is in use', () => {
    const cloud = freshCloud();
    const vnet = allocate(cloud, NET);
    lease(vnet, 1);
    expect(refusalOf(() => cloud.call(ADMIN_SESSION, 'one.vn.delete', 0))).toBe(
      'ACTION [one.vn.delete] Cannot delete virtual network. Can not remove a virtual network with leases in use',
    );
    release(vnet, 0, 1, '02:00:0a:00:00:01');
    cloud.call(ADMIN_SESSION, 'one.vn.delete', 0);
    expect([cloud.vnets.size, cloud.clusters.get(0).vnets.size]).toEqual([0, 0]);
    expect(refused(() => cloud.call(TESTER, 'one.vn.info', 0))).toBe('NO_EXISTS Error getting virtual network [0].');
    expect(refused(() => cloud.call(TESTER, 'one.vn.info', -1))).toBe('NO_EXISTS Error getting virtual network Pool.');
  });

  test('updates, and what a network must have stays', () => {
    const cloud = freshCloud();
    const vnet = allocate(cloud, NET);
    cloud.call(ADMIN_SESSION, 'one.vn.update', 0, 'GATEWAY=10.0.0.254 BRIDGE=br9 VN_MAD=dummy', 0);
    expect(vnet.bridge).toBe('br9');
    expect(Object.fromEntries(Array.from(vnet.template, ({ name, value }) => [name, value]))).toMatchObject({
      BRIDGE: 'br9',
      BRIDGE_TYPE: 'linux',
      GATEWAY: '10.0.0.254',
      VLAN_ID: '',
      VN_MAD: 'dummy',
    });
  });

  test('lets an owner who is no administrator change all but what is restricted', () => {
    const cloud = freshCloud();
    const vnet = allocate(cloud, NET);
    cloud.call(ADMIN_SESSION, 'one.vn.chown', 0, 2, -1);
    cloud.call(TESTER, 'one.vn.update', 0, 'DNS="9.9.9.9" BRIDGE=br0', 1);
    expect(vnet.template.get('DNS')).toBe('9.9.9.9');
    expect(refused(() => cloud.call(TESTER, 'one.vn.update', 0, 'BRIDGE=br1', 1))).toBe(
      'INTERNAL Cannot update template. User Template includes a restricted attribute BRIDGE',
    );
    expect(refused(() => cloud.call(TESTER, 'one.vn.update', 0, 'A=1', 0))).toBe(
      'INTERNAL Cannot update template. Tried to change restricted attribute: VN_MAD',
    );
  });

  test.each([
    [0, "INTERNAL Could not perform 'recover failure' on VN 0, wrong state READY."],
    [1, "INTERNAL Could not perform 'recover success' on VN 0, wrong state READY."],
    [2, "INTERNAL Could not perform 'recover delete' on VN 0, wrong state READY."],
    [3, "INTERNAL Could not perform 'recover retry' on VN 0, wrong state READY."],
    [4, 'ACTION Wrong recovery operation code'],
  ])('does not recover with %i what is ready', (operation, why) => {
    const cloud = freshCloud();
    allocate(cloud, NET);
    expect(refused(() => cloud.call(ADMIN_SESSION, 'one.vn.recover', 0, operation))).toBe(why);
  });

  test('deletes a network in error', () => {
    const cloud = freshCloud();
    allocate(cloud, 'NAME=n VN_MAD=dummy BRIDGE=b AR=[TYPE=IP4,SIZE=1]');
    cloud.call(ADMIN_SESSION, 'one.vn.recover', 0, 2);
    expect(cloud.vnets.size).toBe(0);
  });

  test('lists', () => {
    const cloud = freshCloud();
    allocate(cloud, NET);
    expect(cloud.call(TESTER, 'one.vnpool.info', -2, -1, -1)).toHaveLength(1);
    expect(cloud.call(TESTER, 'one.vnpool.info', -3, -1, -1)).toEqual([]);
    expect(refused(() => cloud.call(TESTER, 'one.vnpool.info', -9, -1, -1))).toBe('XML_RPC_API Incorrect filter_flag');
  });
});
