import { describe, expect, test } from 'vitest';
import { ADMIN_SESSION, freshCloud, furnishedCloud, refusalOf, TESTER } from '../testing.ts';

describe('a fresh cloud', () => {
  test('has cluster 0 with datastores 0 to 2, as recorded', () => {
    const cloud = freshCloud();
    const cluster = cloud.call(ADMIN_SESSION, 'one.cluster.info', 0);
    expect([cluster.name, [...cluster.datastores], [...cluster.template]]).toEqual([
      'default',
      [0, 1, 2],
      [
        { name: 'RESERVED_CPU', value: '' },
        { name: 'RESERVED_MEM', value: '' },
      ],
    ]);
    expect(Array.from(cloud.datastores, ({ name, type }) => [name, type])).toEqual([
      ['system', 'SYSTEM'],
      ['default', 'IMAGE'],
      ['files', 'FILE'],
    ]);
    const recorded = {
      ALLOW_ORPHANS: 'NO',
      CLONE_TARGET: 'SYSTEM',
      DISK_TYPE: 'FILE',
      DS_MAD: 'dummy',
      LN_TARGET: 'NONE',
      RESTRICTED_DIRS: '/',
      SAFE_DIRS: '/var/tmp',
      TM_MAD: 'dummy',
      TYPE: 'IMAGE_DS',
    };
    const { template, ...datastore } = cloud.call(TESTER, 'one.datastore.info', 1);
    expect(Array.from(template, ({ name, value }) => [name, value])).toEqual(Object.entries(recorded));
    expect(datastore).toMatchObject({ permissions: 0o640, totalMiB: 20480, freeMiB: 20480, usedMiB: 9720 });
  });

  test('shows users its datastores, and not its clusters', () => {
    const cloud = freshCloud();
    expect(cloud.call(TESTER, 'one.datastorepool.info').map(({ id }) => id)).toEqual([2, 1, 0]);
    expect(cloud.call(TESTER, 'one.clusterpool.info')).toEqual([]);
    expect(cloud.call(ADMIN_SESSION, 'one.clusterpool.info')).toHaveLength(1);
    const refused = (act: () => unknown) => refusalOf(act).replace('AUTHORIZATION [one.cluster.info] ', '');
    expect(refused(() => cloud.call(TESTER, 'one.cluster.info', 0))).toBe(
      'User [2] : Not authorized to perform USE CLUSTER [0].',
    );
    expect(refused(() => cloud.call(TESTER, 'one.cluster.info', -1))).toBe(
      'User [2] : Not authorized to perform USE CLUSTER.',
    );
    expect(refusalOf(() => cloud.call(TESTER, 'one.cluster.info', 99999))).toBe(
      'NO_EXISTS [one.cluster.info] Error getting cluster [99999].',
    );
    expect(refusalOf(() => cloud.call(TESTER, 'one.datastore.info', 99999))).toBe(
      'NO_EXISTS [one.datastore.info] Error getting datastore [99999].',
    );
    expect(refusalOf(() => cloud.call(TESTER, 'one.datastore.update', 1, 'A=1', 1))).toContain('MANAGE DATASTORE [1]');
  });
});

describe('a cluster', () => {
  test('is made, renamed, updated and deleted', () => {
    const cloud = freshCloud();
    expect(cloud.call(ADMIN_SESSION, 'one.cluster.allocate', 'a')).toBe(100);
    expect(cloud.call(ADMIN_SESSION, 'one.cluster.allocate', 'b')).toBe(101);
    cloud.call(ADMIN_SESSION, 'one.cluster.rename', 101, 'c');
    cloud.call(ADMIN_SESSION, 'one.cluster.update', 101, 'RESERVED_CPU=100', 1);
    expect(cloud.clusters.get(101)).toMatchObject({ name: 'c' });
    expect(cloud.clusters.get(101).template.get('RESERVED_CPU')).toBe('100');
    cloud.call(ADMIN_SESSION, 'one.cluster.delete', 101);
    expect(cloud.clusters.find(101)).toBeUndefined();
  });

  test('takes a host from another, and gives it to the default one', () => {
    const cloud = furnishedCloud();
    const id = cloud.call(ADMIN_SESSION, 'one.cluster.allocate', 'a');
    expect(cloud.call(ADMIN_SESSION, 'one.cluster.addhost', id, 1)).toBe(id);
    expect([cloud.hosts.get(1).clusterId, [...cloud.clusters.get(0).hosts]]).toEqual([id, [0]]);
    expect(cloud.call(ADMIN_SESSION, 'one.cluster.delhost', id, 1)).toBe(0);
    expect([cloud.hosts.get(1).clusterId, [...cloud.clusters.get(id).hosts]]).toEqual([0, []]);
  });

  test('shares datastores and networks', () => {
    const cloud = furnishedCloud();
    const id = cloud.call(ADMIN_SESSION, 'one.cluster.allocate', 'a');
    cloud.call(ADMIN_SESSION, 'one.cluster.adddatastore', id, 1);
    cloud.call(ADMIN_SESSION, 'one.cluster.addvnet', id, 0);
    expect([[...cloud.datastores.get(1).clusters], [...cloud.vnets.get(0).clusters]]).toEqual([
      [0, id],
      [0, id],
    ]);
    cloud.call(ADMIN_SESSION, 'one.cluster.deldatastore', 0, 1);
    cloud.call(ADMIN_SESSION, 'one.cluster.delvnet', 0, 0);
    expect([[...cloud.datastores.get(1).clusters], [...cloud.clusters.get(0).vnets]]).toEqual([[id], []]);
  });

  test.each([
    ['hosts', 'addhost', 'Cluster 100 is not empty, it contains 1 hosts.'],
    ['datastores', 'adddatastore', 'Cluster 100 is not empty, it contains 1 datastores.'],
    ['vnets', 'addvnet', 'Cluster 100 is not empty, it contains 1 vnets.'],
  ] as const)('is not deleted with %s', (_what, add, why) => {
    const cloud = furnishedCloud();
    cloud.call(ADMIN_SESSION, 'one.cluster.allocate', 'a');
    cloud.call(ADMIN_SESSION, `one.cluster.${add}`, 100, 0);
    expect(refusalOf(() => cloud.call(ADMIN_SESSION, 'one.cluster.delete', 100))).toBe(
      `ACTION [one.cluster.delete] Cannot delete cluster. ${why}`,
    );
  });

  test('is refused', () => {
    const cloud = freshCloud();
    cloud.call(ADMIN_SESSION, 'one.cluster.allocate', 'a');
    const refused = (act: () => unknown) => refusalOf(act).replace(/\[\S+\] /, '');
    expect(refused(() => cloud.call(ADMIN_SESSION, 'one.cluster.delete', 0))).toBe(
      'ACTION Cannot delete cluster. System Clusters (ID < 100) cannot be deleted.',
    );
    expect(refused(() => cloud.call(ADMIN_SESSION, 'one.cluster.allocate', 'a'))).toBe(
      'INTERNAL NAME is already taken by CLUSTER 100.',
    );
    expect(refused(() => cloud.call(ADMIN_SESSION, 'one.cluster.rename', 100, 'default'))).toBe(
      'ACTION cluster cannot be renamed to default because it collides with cluster 0',
    );
    expect(refused(() => cloud.call(TESTER, 'one.cluster.allocate', 'x'))).toContain('CREATE CLUSTER');
    expect(refused(() => cloud.call(TESTER, 'one.cluster.adddatastore', 100, 1))).toBe(
      'AUTHORIZATION User [2] : Not authorized to perform ADMIN CLUSTER [100]; Not authorized to perform ADMIN DATASTORE [1].',
    );
  });
});
