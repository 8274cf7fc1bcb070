import { describe, expect, test } from 'vitest';
import type { Cloud } from '../cloud.ts';
import { ADMIN_SESSION, freshCloud, OTHER, refusalOf, TESTER } from '../testing.ts';
import { lease, usedLeases, type Vnet } from './vnet.ts';

/** A network of ten addresses in range 0, and five in range 1. */
function parentNetwork(): [Cloud, Vnet] {
  const cloud = freshCloud();
  const text =
    'NAME=fnet VN_MAD=dummy BRIDGE=br0 DNS="9.9.9.9" AR=[TYPE=IP4,IP=10.0.0.1,SIZE=10] AR=[TYPE=IP4,IP=10.1.0.1,SIZE=5]';
  return [cloud, cloud.vnets.get(cloud.call(ADMIN_SESSION, 'one.vn.allocate', text))];
}

const reserve = (cloud: Cloud, text: string, session = TESTER): Vnet =>
  cloud.vnets.get(cloud.call(session, 'one.vn.reserve', 0, text));

describe('a reservation', () => {
  test('is a network of the one who makes it, with addresses of the other', () => {
    const [cloud, parent] = parentNetwork();
    lease(parent, 1);
    const own = reserve(cloud, 'NAME=mine SIZE=4');
    expect(own).toMatchObject({ uid: 2, name: 'mine', parentId: 0, bridge: 'br0', vnMad: 'dummy' });
    expect(own.template.get('DNS')).toBe('9.9.9.9');
    expect(Object.fromEntries(own.ranges[0]?.attributes ?? [])).toEqual({
      AR_ID: '0',
      IP: '10.0.0.2',
      MAC: '02:00:0a:00:00:02',
      PARENT_NETWORK_AR_ID: '0',
      SIZE: '4',
      TYPE: 'IP4',
    });
    expect(usedLeases(parent)).toBe(5);
    expect(lease(own, 7)?.address.ip).toBe('10.0.0.2');
    expect(lease(parent, 8)?.address.ip).toBe('10.0.0.6');
    expect(cloud.clusters.get(0).vnets).toContain(own.id);
  });

  test.each([
    ['NAME=r SIZE=11', undefined, 'Not enough free addresses in an address range'],
    ['NAME=r SIZE=10', '10.0.0.1', undefined],
    ['NAME=r SIZE=2 AR_ID=1', '10.1.0.1', undefined],
    ['NAME=r SIZE=2 AR_ID=1 IP=10.1.0.4', '10.1.0.4', undefined],
    ['NAME=r SIZE=2 AR_ID=1 MAC="02:00:0a:01:00:02"', '10.1.0.2', undefined],
    [
      'NAME=r SIZE=2 AR_ID=1 IP=10.1.0.5',
      undefined,
      'Not enough free addresses in address range 1, or it does not exist',
    ],
    ['NAME=r SIZE=2 AR_ID=9', undefined, 'Not enough free addresses in address range 9, or it does not exist'],
  ])('%s begins at %s', (text, ip, why) => {
    const [cloud] = parentNetwork();
    if (why === undefined) {
      expect(reserve(cloud, text).ranges[0]?.attributes.get('IP')).toBe(ip);
    } else {
      expect(refusalOf(() => reserve(cloud, text))).toBe(`ACTION [one.vn.reserve] ${why}`);
      expect(cloud.vnets.size).toBe(1);
    }
  });

  test('grows by another, and gives all back', () => {
    const [cloud, parent] = parentNetwork();
    const own = reserve(cloud, 'NAME=mine SIZE=4');
    expect(reserve(cloud, `NETWORK_ID=${own.id} SIZE=5 AR_ID=1`)).toBe(own);
    expect([own.ranges.length, usedLeases(parent)]).toEqual([2, 9]);
    cloud.call(TESTER, 'one.vn.free_ar', own.id, 0);
    expect([own.ranges.length, usedLeases(parent)]).toEqual([1, 5]);
    cloud.call(TESTER, 'one.vn.delete', own.id);
    expect([cloud.vnets.size, usedLeases(parent)]).toEqual([1, 0]);
  });

  test('is not resized, and its restricted attributes stay', () => {
    const [cloud] = parentNetwork();
    const own = reserve(cloud, 'NAME=mine SIZE=4');
    expect(refusalOf(() => cloud.call(TESTER, 'one.vn.update_ar', own.id, 'AR=[AR_ID=0,SIZE=5]'))).toContain(
      'The SIZE of a reservation cannot be changed.',
    );
    cloud.call(TESTER, 'one.vn.update_ar', own.id, 'AR=[AR_ID=0,BRIDGE=x,DNS="1.1.1.1"]');
    expect([own.ranges[0]?.attributes.get('BRIDGE'), own.ranges[0]?.attributes.get('DNS')]).toEqual([
      undefined,
      '1.1.1.1',
    ]);
  });

  test('counts against the quota of its owner', () => {
    const [cloud, parent] = parentNetwork();
    cloud.call(ADMIN_SESSION, 'one.user.quota', 2, 'NETWORK=[ID=0,LEASES=4]');
    expect(refusalOf(() => reserve(cloud, 'NAME=mine SIZE=5'))).toContain('limit of 4 reached for LEASES');
    expect([cloud.vnets.size, usedLeases(parent)]).toEqual([1, 0]);
    const own = reserve(cloud, 'NAME=mine SIZE=4');
    cloud.call(TESTER, 'one.vn.delete', own.id);
    expect(reserve(cloud, 'NAME=mine SIZE=4').uid).toBe(2);
  });

  test.each([
    ['NAME=r', 'ACTION Reservation SIZE must be a greater than 0'],
    ['NAME=r SIZE=0', 'ACTION Reservation SIZE must be a greater than 0'],
    ['SIZE=1', 'ACTION NAME for reservation has to be set'],
    ['NETWORK_ID=-1 SIZE=1', 'ACTION NETWORK_ID must be equal or greater than 0'],
    ['NETWORK_ID=0 SIZE=1', 'ACTION Cannot add a reservation from the same network'],
    ['NETWORK_ID=99 SIZE=1', 'NO_EXISTS Error getting virtual network [99].'],
    ['NETWORK_ID=1 SIZE=1', 'ACTION Cannot add reservations to a non-reservation VNET'],
    ['NETWORK_ID=2 SIZE=1', 'ACTION New reservations for virtual network 2 have to be from network 1'],
    ['NAME=r SIZE=1 AR_ID=-1', 'ACTION AR_ID must be equal or greater than 0'],
    ['NAME=r SIZE=1 IP=10.0.0.1', 'ACTION AR_ID must be specified for IP/MAC based reservations'],
    ['NAME=[', 'ACTION Parse error: '],
  ])('is refused: %s', (text, why) => {
    const [cloud] = parentNetwork();
    cloud.call(ADMIN_SESSION, 'one.vn.allocate', 'NAME=b VN_MAD=dummy BRIDGE=b AR=[TYPE=IP4,IP=10.5.0.1,SIZE=9]');
    cloud.call(TESTER, 'one.vn.reserve', 1, 'NAME=other SIZE=1');
    expect(
      refusalOf(() => reserve(cloud, text))
        .replace('[one.vn.reserve] ', '')
        .startsWith(why),
    ).toBe(true);
  });

  test('has none of its own, and takes only of those who own it', () => {
    const [cloud] = parentNetwork();
    const own = reserve(cloud, 'NAME=mine SIZE=4');
    expect(refusalOf(() => cloud.call(TESTER, 'one.vn.reserve', own.id, 'NAME=x SIZE=1'))).toBe(
      'ACTION [one.vn.reserve] Cannot reserve addresses from a reserved VNET',
    );
    expect(refusalOf(() => reserve(cloud, `NETWORK_ID=${own.id} SIZE=1`, OTHER))).toContain('MANAGE NET [1]');
  });

  test('is bounded, so that nobody fills the memory with one call', () => {
    const [cloud] = parentNetwork();
    cloud.call(ADMIN_SESSION, 'one.vn.add_ar', 0, 'AR=[TYPE=IP4,IP=11.0.0.0,SIZE=16777216]');
    expect(refusalOf(() => reserve(cloud, 'NAME=r SIZE=16000000'))).toContain('Not enough free addresses');
  });
});
