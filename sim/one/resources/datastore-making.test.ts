/** Datastores that are made, switched off and deleted. */
import { describe, expect, it } from 'vitest';
import { ADMIN_SESSION, BY_THE_SECOND, freshCloud, furnishedCloud, refusalOf, TESTER } from '../testing.ts';

const make = (cloud = freshCloud(), text = 'NAME=ceph DS_MAD=fs TM_MAD=ssh', cluster = -1) => ({
  cloud,
  datastore: cloud.datastores.get(cloud.call(ADMIN_SESSION, 'one.datastore.allocate', text, cluster)),
});

describe('a datastore', () => {
  it('for images is told what its drivers say', () => {
    const { cloud, datastore } = make();
    expect(datastore).toMatchObject({
      id: 100,
      type: 'IMAGE',
      diskType: 'FILE',
      dsMad: 'fs',
      tmMad: 'ssh',
      permissions: 0o600,
    });
    expect(Object.fromEntries([...datastore.template].map(({ name, value }) => [name, value]))).toEqual({
      ALLOW_ORPHANS: 'YES',
      CLONE_TARGET: 'SYSTEM',
      DISK_TYPE: 'FILE',
      DS_MAD: 'fs',
      LN_TARGET: 'SYSTEM',
      RESTRICTED_DIRS: '/',
      SAFE_DIRS: '/var/tmp',
      TM_MAD: 'ssh',
    });
    expect(cloud.clusters.get(0).datastores.has(100)).toBe(true);
    expect(make(cloud, 'NAME=next DS_MAD=dummy TM_MAD=qcow2 DISK_TYPE=block').datastore).toMatchObject({
      id: 101,
      diskType: 'BLOCK',
    });
  });

  it('for VMs is shared or not, and used by the scheduler until it is switched off', () => {
    const cloud = furnishedCloud(BY_THE_SECOND);
    const { datastore } = make(cloud, 'NAME=big TYPE=SYSTEM_DS TM_MAD=ssh SAFE_DIRS=/a');
    expect([datastore.type, datastore.dsMad, datastore.template.get('SHARED')]).toEqual(['SYSTEM', '-', 'NO']);
    for (const id of [0, 100]) cloud.call(ADMIN_SESSION, 'one.datastore.enable', id, false);
    const vm = cloud.vms.get(cloud.call(TESTER, 'one.template.instantiate', 0));
    cloud.clock.advanceNow(15_000);
    expect(vm.userTemplate.get('SCHED_MESSAGE')).toMatch(/No system datastore meets capacity/);
    cloud.call(ADMIN_SESSION, 'one.datastore.enable', 100, true);
    cloud.clock.advanceNow(15_000);
    expect(vm.history[0]).toMatchObject({ datastoreId: 100, tmMad: 'ssh' });
    expect(refusalOf(() => cloud.call(ADMIN_SESSION, 'one.datastore.enable', 1, false))).toBe(
      'INTERNAL [one.datastore.enable] Only SYSTEM_DS can be disabled or enabled',
    );
  });

  it.each([
    ['NAME=x', 'No DS_MAD in template.'],
    ['NAME=x DS_MAD=fs', 'No TM_MAD in template.'],
    ['NAME=x DS_MAD=foo TM_MAD=ssh', 'DS_MAD named "foo" is not defined in oned.conf'],
    ['NAME=x DS_MAD=fs TM_MAD=foo', 'TM_MAD named "foo" is not defined in oned.conf'],
    ['NAME=x DS_MAD=restic TYPE=BACKUP_DS', 'DS_MAD named "restic" is not defined in oned.conf'],
    ['NAME=x DS_MAD=fs TM_MAD=ssh TYPE=SYSTEM_DS', 'SYSTEM datastores cannot have DS_MAD defined.'],
    ['NAME=x DS_MAD=fs TM_MAD=ssh DISK_TYPE=paper', 'Unknown DISK_TYPE in template.'],
    ['NAME=x DS_MAD=fs TM_MAD=ssh DISK_TYPE=CDROM', 'Invalid DISK_TYPE for an Image Datastore.'],
    ['NAME=x TM_MAD=ssh DISK_TYPE=CDROM TYPE=SYSTEM_DS', 'Invalid DISK_TYPE for a System Datastore.'],
    ['NAME=default DS_MAD=fs TM_MAD=ssh', 'NAME is already taken by DATASTORE 1.'],
    ['DS_MAD=fs TM_MAD=ssh', 'Invalid NAME, it cannot be empty'],
  ])('[%s] is refused', (text, why) => {
    const cloud = freshCloud();
    expect(refusalOf(() => make(cloud, text))).toBe(`INTERNAL [one.datastore.allocate] ${why}`);
    expect(cloud.datastores.size).toBe(3);
  });

  it('is deleted when it is empty, by an administrator', () => {
    const { cloud, datastore } = make();
    const image = cloud.call(ADMIN_SESSION, 'one.image.allocate', 'NAME=i TYPE=OS SIZE=1', datastore.id);
    const remove = (session = ADMIN_SESSION) => cloud.call(session, 'one.datastore.delete', datastore.id);
    expect(refusalOf(remove)).toBe(
      'ACTION [one.datastore.delete] Cannot delete datastore. Datastore 100 is not empty.',
    );
    cloud.call(ADMIN_SESSION, 'one.image.delete', image);
    expect(refusalOf(() => remove(TESTER))).toBe(
      'AUTHORIZATION [one.datastore.delete] User [2] : Not authorized to perform ADMIN DATASTORE [100].',
    );
    remove();
    expect(cloud.clusters.get(0).datastores).toEqual(new Set([0, 1, 2]));
    expect(refusalOf(() => cloud.call(TESTER, 'one.datastore.allocate', 'NAME=x DS_MAD=fs TM_MAD=ssh', -1))).toBe(
      'AUTHORIZATION [one.datastore.allocate] User [2] : Not authorized to perform CREATE DATASTORE; ' +
        'Not authorized to perform ADMIN CLUSTER [0].',
    );
  });
});
