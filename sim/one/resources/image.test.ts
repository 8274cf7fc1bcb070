import { describe, expect, test } from 'vitest';
import type { Cloud } from '../cloud.ts';
import { ADMIN_SESSION, freshCloud, OTHER, refusalOf, TESTER } from '../testing.ts';
import { acquireImage, type Image, type ImageState, releaseImage, unlockImage } from './image.ts';
import { saveDiskAs } from './image-making.ts';

const allocate = (cloud: Cloud, text: string, datastoreId = 1, session = TESTER): Image =>
  cloud.images.get(cloud.call(session, 'one.image.allocate', text, datastoreId));

describe('a new image', () => {
  test('is ready, and has what its text says', () => {
    const cloud = freshCloud();
    const image = allocate(cloud, 'NAME=i TYPE=datablock SIZE=200 DEV_PREFIX=vd PERSISTENT=yes NOTE=x');
    expect(image).toMatchObject({
      state: 'READY',
      type: 'DATABLOCK',
      sizeMiB: 200,
      persistent: true,
      source: 'dummy_path',
      format: 'raw',
      path: '',
      permissions: 0o600,
      regtime: cloud.seconds,
    });
    expect([...image.template]).toEqual([
      { name: 'DEV_PREFIX', value: 'vd' },
      { name: 'NOTE', value: 'x' },
    ]);
    expect([...cloud.datastores.get(1).images]).toEqual([image.id]);
  });

  test.each([
    ['NAME=i SIZE=1', 1, { type: 'OS', sizeMiB: 1, devPrefix: 'sd' }],
    ['NAME=i PATH=/a', 1, { type: 'OS', sizeMiB: 1024, devPrefix: 'sd' }],
    ['NAME=i TYPE=CDROM PATH=/a', 1, { type: 'CDROM', sizeMiB: 1024, devPrefix: 'hd' }],
    [
      'NAME=i TYPE=KERNEL PATH=/a DEV_PREFIX=vd PERSISTENT=YES',
      2,
      { type: 'KERNEL', sizeMiB: 1024, devPrefix: undefined },
    ],
  ])('%s in datastore %i', (text, datastoreId, { type, sizeMiB, devPrefix }) => {
    const image = allocate(freshCloud(), text, datastoreId);
    expect(image).toMatchObject({ type, sizeMiB, persistent: false });
    expect(image.template.get('DEV_PREFIX')).toBe(devPrefix);
  });

  test.each([
    ['NAME=a TYPE=OS', 1, 'INTERNAL Cannot parse image SIZE: Wrong number or missing SIZE attribute.'],
    ['NAME=a TYPE=OS SIZE=big', 1, 'INTERNAL Cannot parse image SIZE: Wrong number or missing SIZE attribute.'],
    ['NAME=a TYPE=CDROM SIZE=1', 1, 'INTERNAL Cannot parse image SIZE: Either PATH or SOURCE are required for CDROM'],
    ['NAME=a TYPE=FOO SIZE=1', 1, 'ALLOCATE Error allocating a new image. Unknown type '],
    [
      'NAME=a SIZE=1',
      0,
      'ALLOCATE Error allocating a new image. New images can only be allocated in a files or image datastore.',
    ],
    ['NAME=a SIZE=1', 77, 'NO_EXISTS Error getting datastore [77].'],
    ['NAME=old SIZE=1', 1, 'ALLOCATE Error allocating a new image. NAME is already taken by IMAGE 0.'],
    ['SIZE=1', 1, 'ALLOCATE Error allocating a new image. Invalid NAME, it cannot be empty'],
    ['NAME="a:b" SIZE=1', 1, "ALLOCATE Error allocating a new image. Invalid NAME, char ':' is not allowed"],
    ['NAME=a SIZE=99999', 1, 'ACTION Not enough space in datastore'],
    ['NAME=a SIZE=1 SOURCE=/x', 1, 'AUTHORIZATION User [2] : Template includes a restricted attribute SOURCE.'],
    [
      'NAME=a SIZE=1',
      2,
      'ALLOCATE Error allocating a new image. Only IMAGES of type KERNEL, RAMDISK and CONTEXT can be registered in a FILE_DS datastore',
    ],
    [
      'NAME=a TYPE=KERNEL PATH=/k',
      1,
      'ALLOCATE Error allocating a new image. IMAGES of type KERNEL, RAMDISK and CONTEXT cannot be registered in an IMAGE_DS datastore',
    ],
    ['NAME=[', 1, 'INTERNAL Parse error'],
  ])('is refused: %s', (text, datastoreId, why) => {
    const cloud = freshCloud();
    allocate(cloud, 'NAME=old SIZE=1');
    const refusal = refusalOf(() => allocate(cloud, text, datastoreId)).replace('[one.image.allocate] ', '');
    expect(refusal.startsWith(why)).toBe(true);
    expect(cloud.images.size).toBe(1);
  });

  test('of an administrator may come from a source, and need not fit', () => {
    const cloud = freshCloud();
    const id = cloud.call(ADMIN_SESSION, 'one.image.allocate', 'NAME=a SIZE=99999 SOURCE=/x FORMAT=qcow2', 1, true);
    expect(cloud.images.get(id)).toMatchObject({ source: '/x', format: 'qcow2' });
    expect(refusalOf(() => allocate(cloud, 'NAME=b SIZE=1 SOURCE=/x', 1, ADMIN_SESSION))).toContain(
      'SOURCE needs FORMAT to be set.',
    );
    expect(refusalOf(() => allocate(cloud, 'NAME=b SIZE=1 SOURCE=/x PATH=/y', 1, ADMIN_SESSION))).toContain(
      'PATH and SOURCE cannot be both set.',
    );
  });
});

describe('an image in use', () => {
  const use = (cloud: Cloud, image: Image, vms = 1) => {
    for (let vm = 0; vm < vms; vm++) acquireImage(image, vm, false);
    return cloud;
  };

  test.each([
    ['one.image.delete', [], 'ACTION [one.image.delete] Cannot delete image. There are 13 VMs using it.'],
    [
      'one.image.persistent',
      [true],
      'INTERNAL [one.image.persistent] Could not make image persistent: Image cannot be in state USED.',
    ],
    [
      'one.image.persistent',
      [false],
      'INTERNAL [one.image.persistent] Could not make image non-persistent: Image cannot be in state USED.',
    ],
    [
      'one.image.enable',
      [false],
      'INTERNAL [one.image.enable] Could not disable image: Image cannot be in state USED.',
    ],
    ['one.image.enable', [true], 'INTERNAL [one.image.enable] Could not enable image: Image cannot be in state USED.'],
  ] as const)('refuses %s %j', (method, args, why) => {
    const cloud = freshCloud();
    const image = allocate(cloud, 'NAME=i SIZE=1');
    use(cloud, image, 13);
    const call = cloud.call.bind(cloud) as (session: string, method: string, ...args: unknown[]) => unknown;
    expect(refusalOf(() => call(TESTER, method, image.id, ...args))).toBe(why);
  });

  test.each<[ImageState, boolean, ImageState | undefined, ImageState | undefined]>([
    ['READY', false, 'USED', 'READY'],
    ['READY', true, 'USED_PERS', 'READY'],
    ['LOCKED', false, 'LOCKED_USED', 'LOCKED'],
    ['LOCKED', true, 'LOCKED_USED_PERS', 'LOCKED'],
    ['USED_PERS', true, undefined, undefined],
    ['DISABLED', false, undefined, undefined],
    ['ERROR', false, undefined, undefined],
    ['CLONE', true, undefined, undefined],
  ])('from %s, persistent %s: taken it is %s, given back %s', (state, persistent, taken, freed) => {
    const image = allocate(freshCloud(), `NAME=i SIZE=1 PERSISTENT=${persistent ? 'YES' : 'NO'}`);
    image.state = state;
    if (taken === undefined) {
      expect(() => acquireImage(image, 1, false)).toThrow('Cannot acquire image 0, it is ');
      return;
    }
    acquireImage(image, 1, false);
    expect(image.state).toBe(taken);
    releaseImage(image, 1);
    expect(image.state).toBe(freed);
  });

  test('may be persistent and shared', () => {
    const image = allocate(freshCloud(), 'NAME=i SIZE=1 PERSISTENT=YES PERSISTENT_TYPE=SHAREABLE');
    acquireImage(image, 1, false);
    acquireImage(image, 2, false);
    expect([image.state, image.vms.size]).toEqual(['USED_PERS', 2]);
  });

  test('comes out of error in use when it is enabled', () => {
    const cloud = freshCloud();
    const image = allocate(cloud, 'NAME=i SIZE=1');
    use(cloud, image);
    image.state = 'ERROR';
    cloud.call(TESTER, 'one.image.enable', image.id, true);
    expect(image.state).toBe('USED');
  });
});

describe('an operation', () => {
  test('enables and disables', () => {
    const cloud = freshCloud();
    const image = allocate(cloud, 'NAME=i SIZE=1');
    const states = [false, false, true, true].map((on) => {
      cloud.call(TESTER, 'one.image.enable', image.id, on);
      return image.state;
    });
    expect(states).toEqual(['DISABLED', 'DISABLED', 'READY', 'READY']);
  });

  test('changes the type among those of a datastore', () => {
    const cloud = freshCloud();
    const image = allocate(cloud, 'NAME=i SIZE=1');
    cloud.call(TESTER, 'one.image.chtype', image.id, 'cdrom');
    expect(image.type).toBe('CDROM');
    expect(refusalOf(() => cloud.call(TESTER, 'one.image.chtype', image.id, 'KERNEL'))).toBe(
      'ACTION [one.image.chtype] Cannot change image type to an incompatible type for the current datastore.',
    );
    expect(refusalOf(() => cloud.call(TESTER, 'one.image.chtype', image.id, 'FOO'))).toContain('Unknown type ');
  });

  test('clones', () => {
    const cloud = freshCloud();
    const image = allocate(cloud, 'NAME=i SIZE=7 TYPE=DATABLOCK DEV_PREFIX=vd PERSISTENT=YES NOTE=x');
    const copy = cloud.images.get(cloud.call(TESTER, 'one.image.clone', image.id, 'copy'));
    expect(copy).toMatchObject({ name: 'copy', state: 'READY', type: 'DATABLOCK', sizeMiB: 7, persistent: true });
    expect(copy.template.get('NOTE')).toBe('x');
    expect([image.state, image.clones.size]).toEqual(['READY', 0]);
  });

  test.each([
    ['i', undefined, 'ALLOCATE [one.image.clone] Error allocating a new image. NAME is already taken by IMAGE 0.'],
    ['', undefined, 'ALLOCATE [one.image.clone] Error allocating a new image. Invalid NAME, it cannot be empty'],
    ['c', 'USED_PERS', 'ALLOCATE [one.image.clone] Error allocating a new image. Cannot clone image in state: USED'],
    ['c', 'DISABLED', 'ALLOCATE [one.image.clone] Error allocating a new image. Cannot clone image in state: DISABLED'],
  ] as const)('does not clone to %j from %s', (name, state, why) => {
    const cloud = freshCloud();
    const image = allocate(cloud, 'NAME=i SIZE=7');
    image.state = state ?? image.state;
    expect(refusalOf(() => cloud.call(TESTER, 'one.image.clone', image.id, name))).toBe(why);
  });

  test('does not clone files, or into files', () => {
    const cloud = freshCloud();
    const file = allocate(cloud, 'NAME=k TYPE=KERNEL PATH=/k', 2);
    const disk = allocate(cloud, 'NAME=d SIZE=1');
    expect(refusalOf(() => cloud.call(TESTER, 'one.image.clone', file.id, 'c'))).toBe(
      'ACTION [one.image.clone] KERNEL, RAMDISK, BACKUP and CONTEXT cannot be cloned.',
    );
    expect(refusalOf(() => cloud.call(TESTER, 'one.image.clone', disk.id, 'c', 2))).toBe(
      'ACTION [one.image.clone] Clone only supported for IMAGE_DS Datastores',
    );
    expect(refusalOf(() => cloud.call(TESTER, 'one.image.persistent', file.id, true))).toBe(
      'ACTION [one.image.persistent] KERNEL, RAMDISK and CONTEXT must be non-persistent',
    );
  });

  test('updates the template, and lets no user set what is restricted', () => {
    const cloud = freshCloud();
    const image = allocate(cloud, 'NAME=i SIZE=1');
    cloud.call(TESTER, 'one.image.update', image.id, 'A=1', 1);
    expect(image.template.get('DEV_PREFIX')).toBe('sd');
    cloud.call(TESTER, 'one.image.update', image.id, 'B=1', 0);
    expect([...image.template]).toEqual([{ name: 'B', value: '1' }]);
    expect(refusalOf(() => cloud.call(TESTER, 'one.image.update', image.id, 'SOURCE=/x', 1))).toBe(
      'INTERNAL [one.image.update] Cannot update template. User Template includes a restricted attribute SOURCE',
    );
    expect(refusalOf(() => cloud.call(TESTER, 'one.image.update', image.id, 'SOURCE=/x', 0))).toBe(
      'INTERNAL [one.image.update] Cannot update template. Tried to change restricted attribute: SOURCE',
    );
  });

  test('deletes, but what is being written only by force', () => {
    const cloud = freshCloud();
    const image = allocate(cloud, 'NAME=i SIZE=1');
    image.state = 'LOCKED';
    expect(refusalOf(() => cloud.call(TESTER, 'one.image.delete', image.id))).toBe(
      'INTERNAL [one.image.delete] Image locked, use --force flag to remove the image. Force delete may leave some files on Datastore',
    );
    expect(refusalOf(() => cloud.call(TESTER, 'one.image.delete', image.id, true))).toContain(
      'perform ADMIN IMAGE [0]',
    );
    unlockImage(image);
    cloud.call(TESTER, 'one.image.delete', image.id);
    expect([cloud.images.size, cloud.datastores.get(1).images.size]).toEqual([0, 0]);
  });

  test('is for those who have the right', () => {
    const cloud = freshCloud();
    const image = allocate(cloud, 'NAME=i SIZE=1');
    expect(refusalOf(() => cloud.call(OTHER, 'one.image.info', image.id))).toBe(
      'AUTHORIZATION [one.image.info] User [3] : Not authorized to perform USE IMAGE [0].',
    );
    expect(refusalOf(() => cloud.call(OTHER, 'one.image.delete', image.id))).toContain('MANAGE IMAGE [0].');
    expect(refusalOf(() => cloud.call(TESTER, 'one.image.info', 99999))).toBe(
      'NO_EXISTS [one.image.info] Error getting image [99999].',
    );
    expect(refusalOf(() => cloud.call(TESTER, 'one.image.info', -1))).toBe(
      'AUTHORIZATION [one.image.info] User [2] : Not authorized to perform USE IMAGE.',
    );
    expect(cloud.call(OTHER, 'one.imagepool.info', -2, -1, -1)).toEqual([]);
    expect(cloud.call(TESTER, 'one.imagepool.info', -2, -1, -1)).toEqual([image]);
  });

  test('counts against the quota of the owner, and of the new one', () => {
    const cloud = freshCloud();
    cloud.call(ADMIN_SESSION, 'one.user.quota', 3, 'DATASTORE=[ID=1,SIZE=100,IMAGES=1]');
    expect(refusalOf(() => allocate(cloud, 'NAME=i SIZE=101', 1, OTHER))).toContain('limit of 100 reached for SIZE');
    const image = allocate(cloud, 'NAME=i SIZE=100', 1, OTHER);
    expect(refusalOf(() => allocate(cloud, 'NAME=j SIZE=0', 1, OTHER))).toContain('limit of 1 reached for IMAGES');
    cloud.call(ADMIN_SESSION, 'one.image.chown', image.id, 2, -1);
    expect(allocate(cloud, 'NAME=j SIZE=100', 1, OTHER).uid).toBe(3);
    cloud.call(TESTER, 'one.image.delete', image.id);
    expect([...cloud.quotas.user(2)]).toEqual([]);
  });
});

test('a disk is saved as an image that is locked until the driver is done', () => {
  const cloud = freshCloud();
  allocate(cloud, 'NAME=i SIZE=1 DEV_PREFIX=vd');
  const vm = cloud.vms.get(cloud.call(TESTER, 'one.vm.allocate', 'CPU=1 MEMORY=1 DISK=[IMAGE_ID=0,SIZE=9]'));
  const caller = cloud.authenticate(TESTER, 'test');
  const [disk] = vm.disks;
  if (disk === undefined) throw new Error('no disk');
  const saved = saveDiskAs(cloud, caller, disk, 'saved', '');
  expect(saved).toMatchObject({ name: 'saved', state: 'LOCKED', sizeMiB: 9, type: 'OS', persistent: false });
  expect(saved.template.get('SAVED_IMAGE_ID')).toBe('0');
  unlockImage(saved);
  expect(saved.state).toBe('READY');
});
