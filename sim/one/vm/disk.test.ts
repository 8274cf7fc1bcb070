import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Cloud } from '../cloud.ts';
import { Template } from '../syntax/syntax.ts';
import { ADMIN_SESSION, furnishedCloud, OTHER, refusalOf, TESTER } from '../testing.ts';
import { diskAttributes, diskRights, expandDisks, extendedDisk, releaseDisk, releaseDisks } from './disk.ts';
import type { Vm } from './vm.ts';

const image = (cloud: Cloud, text: string, session = ADMIN_SESSION): number => {
  const id = cloud.call(session, 'one.image.allocate', text, 1);
  if (session === ADMIN_SESSION) cloud.images.get(id).permissions = 0o644;
  return id;
};

const allocate = (cloud: Cloud, text: string, session = TESTER): Vm =>
  cloud.vms.get(cloud.call(session, 'one.vm.allocate', `CPU=1 MEMORY=128 ${text}`));

const shown = (cloud: Cloud, vm: Vm, nth = 0): Record<string, string> => {
  const disk = vm.disks[nth];
  return disk === undefined ? {} : Object.fromEntries(diskAttributes(cloud, vm, disk));
};

describe('a DISK is refused', () => {
  test.each([
    ['DISK=[IMAGE_ID=99]', 'DISK 0: Image with ID: 99 does not exist'],
    [
      'DISK=[IMAGE=x]',
      'DISK 0: User 2 does not own an image with name: x . Set IMAGE_UNAME or IMAGE_UID of owner in DISK.',
    ],
    [
      'DISK=[IMAGE=fimg]',
      'DISK 0: User 2 does not own an image with name: fimg . Set IMAGE_UNAME or IMAGE_UID of owner in DISK.',
    ],
    ['DISK=[TYPE=fs]', 'DISK 0: SIZE attribute must be a positive integer value.'],
    ['DISK=[TYPE=fs,SIZE=0]', 'DISK 0: SIZE attribute must be a positive integer value.'],
    ['DISK=[TYPE=foo,SIZE=1]', 'DISK 0: Unknown disk type FOO'],
    ['DISK=[SIZE=1]', 'DISK 0: Unknown disk type '],
    ['DISK=[IMAGE_ID=0,SIZE=100]', 'DISK 0: SIZE of 100MB is less than the image [0] size of 200MB.'],
    ['DISK=[IMAGE_ID=0] DISK=[IMAGE_ID=99]', 'DISK 1: Image with ID: 99 does not exist'],
    ['DISK=[IMAGE_ID=1,SIZE=300]', 'DISK 0: SIZE attribute is not supported for persistent image [1].'],
    ['DISK=[IMAGE_ID=1] DISK=[IMAGE_ID=1]', 'DISK 1: Cannot acquire image 1, it is persistent and already in use'],
    ['DISK=[IMAGE_ID=2,SIZE=9]', 'DISK 0: SIZE attribute is not supported for CDROM image [2].'],
    ['DISK=[IMAGE_ID=3]', 'DISK 0: Cannot acquire image 3, it is in state: DISABLED'],
    ['DISK=[IMAGE_ID=4]', 'DISK 0: Image 4 (krn) of type KERNEL cannot be used as DISK.'],
    ['DISK=[IMAGE_ID=0,TARGET=sda] DISK=[IMAGE_ID=0,TARGET=sda]', 'Two disks have defined the same target sda'],
    ['DISK=[IMAGE_ID=0,TARGET=hdc] CONTEXT=[TARGET=hdc]', 'Two disks have defined the same target hdc'],
    [
      Array.from({ length: 5 }, () => 'DISK=[IMAGE_ID=0,DEV_PREFIX=hd]').join(' '),
      'Non-q35 VM 0 has more than 4 hd disks',
    ],
  ])('%s', (text, why) => {
    const cloud = furnishedCloud();
    image(cloud, 'NAME=pers TYPE=OS SIZE=200 PERSISTENT=YES');
    image(cloud, 'NAME=cd TYPE=CDROM SIZE=5 SOURCE=/cd FORMAT=raw');
    cloud.call(ADMIN_SESSION, 'one.image.enable', image(cloud, 'NAME=off TYPE=OS SIZE=1'), false);
    cloud.images.get(cloud.call(ADMIN_SESSION, 'one.image.allocate', 'NAME=krn TYPE=KERNEL PATH=/k', 2)).permissions =
      0o644;
    const before = Array.from(cloud.images, ({ state }) => state);
    expect(refusalOf(() => allocate(cloud, text))).toBe(`INTERNAL [one.vm.allocate] ${why}`);
    expect(Array.from(cloud.images, ({ state }) => state)).toEqual(before);
    expect(Array.from(cloud.images, ({ vms }) => vms.size)).toEqual(before.map(() => 0));
  });
});

describe('the image of a DISK', () => {
  test('is found by the name that its owner gave it', () => {
    const cloud = furnishedCloud();
    image(cloud, 'NAME=mine TYPE=OS SIZE=7', TESTER);
    expect(allocate(cloud, 'DISK=[IMAGE=mine]').disks[0]?.imageId).toBe(1);
    expect(shown(cloud, allocate(cloud, 'DISK=[IMAGE=fimg,IMAGE_UNAME=oneadmin]'))).toMatchObject({
      IMAGE: 'fimg',
      IMAGE_ID: '0',
      IMAGE_UNAME: 'oneadmin',
    });
    expect(allocate(cloud, 'DISK=[IMAGE=fimg,IMAGE_UID=0]').disks[0]?.imageId).toBe(0);
  });

  test('is in use while VMs have it', () => {
    const cloud = furnishedCloud();
    const fimg = cloud.images.get(0);
    const [one, two] = [allocate(cloud, 'DISK=[IMAGE_ID=0]'), allocate(cloud, 'DISK=[IMAGE_ID=0]')];
    expect([fimg.state, [...fimg.vms]]).toEqual(['USED', [0, 1]]);
    releaseDisks(cloud, one);
    expect([fimg.state, [...fimg.vms]]).toEqual(['USED', [1]]);
    releaseDisks(cloud, two);
    expect([fimg.state, [...fimg.vms]]).toEqual(['READY', []]);
  });

  test('keeps what its disk has grown to when it is persistent', () => {
    const cloud = furnishedCloud();
    const pers = cloud.images.get(image(cloud, 'NAME=pers TYPE=OS SIZE=200 PERSISTENT=YES'));
    const vm = allocate(cloud, 'DISK=[IMAGE_ID=1] DISK=[IMAGE_ID=0]');
    expect(pers.state).toBe('USED_PERS');
    expect(shown(cloud, vm)).toMatchObject({ CLONE: 'NO', SAVE: 'YES', PERSISTENT: 'YES', IMAGE_STATE: '8' });
    for (const disk of vm.disks) {
      disk.sizeMiB = 900;
      releaseDisk(cloud, vm, disk);
    }
    expect([pers.sizeMiB, cloud.images.get(0).sizeMiB]).toEqual([900, 200]);
  });

  test('leaves with the VM all that the VM shows of it', () => {
    const cloud = furnishedCloud();
    image(cloud, 'NAME=gone TYPE=OS SIZE=7');
    const vm = allocate(cloud, 'DISK=[IMAGE_ID=1]');
    const before = shown(cloud, vm);
    releaseDisks(cloud, vm);
    cloud.call(ADMIN_SESSION, 'one.image.delete', 1);
    expect(shown(cloud, vm)).toEqual(before);
  });

  test('is the same for a thousand disks', () => {
    const cloud = furnishedCloud();
    const [one, two] = [allocate(cloud, 'DISK=[IMAGE_ID=0]'), allocate(cloud, 'DISK=[IMAGE_ID=0]')];
    expect(one.disks[0]?.source).toBe(two.disks[0]?.source);
    expect(one.disks[0]?.given).toBeNull();
  });
});

describe('DISK shows', () => {
  test('what is given, but for what the image decides', () => {
    const cloud = furnishedCloud();
    const vm = allocate(
      cloud,
      'DISK=[IMAGE_ID=0,READONLY=YES,CACHE=none,FORMAT=vmdk,SAVE=YES,LN_TARGET="",CLONE_TARGET=SELF]',
    );
    expect(shown(cloud, vm)).toMatchObject({
      READONLY: 'YES',
      CACHE: 'none',
      FORMAT: 'raw',
      SAVE: 'NO',
      LN_TARGET: 'NONE',
      CLONE_TARGET: 'SELF',
    });
  });

  test('a CD-ROM as read only', () => {
    const cloud = furnishedCloud();
    image(cloud, 'NAME=cd TYPE=CDROM SIZE=5 SOURCE=/cd FORMAT=raw');
    const vm = allocate(cloud, 'DISK=[IMAGE_ID=1,READONLY=NO]');
    expect(shown(cloud, vm)).toMatchObject({ CLONE: 'NO', READONLY: 'YES', SAVE: 'NO', TARGET: 'hda', TYPE: 'CDROM' });
  });

  test('a volatile disk, which gets its datastore when it is placed', () => {
    const cloud = furnishedCloud();
    const vm = allocate(cloud, 'DISK=[TYPE=swap,SIZE=64,FORMAT=raw]');
    const own = { DEV_PREFIX: 'sd', DISK_ID: '0', FORMAT: 'raw', SIZE: '64', TARGET: 'sda', TYPE: 'swap' };
    expect(shown(cloud, vm)).toEqual(own);
    cloud.call(ADMIN_SESSION, 'one.vm.deploy', vm.id, 0);
    expect(shown(cloud, vm)).toMatchObject({ ...own, DATASTORE: 'system', DATASTORE_ID: '0', TM_MAD: 'dummy' });
  });

  test('what the driver is busy with', () => {
    const cloud = furnishedCloud();
    const vm = allocate(cloud, 'DISK=[IMAGE_ID=0] DISK=[IMAGE_ID=0]');
    vm.work = { kind: 'diskResize', diskId: 0, sizeMiB: 200 };
    expect(shown(cloud, vm)).toMatchObject({ RESIZE: 'YES', SIZE_PREV: '200' });
    expect(shown(cloud, vm, 1)).not.toHaveProperty('RESIZE');
    vm.work = { kind: 'detachDisk', diskId: 1 };
    expect(shown(cloud, vm, 1)).toHaveProperty('ATTACH', 'YES');
    vm.work = { kind: 'createDiskSnapshot', diskId: 1, snapshotId: 4 };
    expect(shown(cloud, vm, 1)).toMatchObject({ DISK_SNAPSHOT_ACTIVE: 'YES', DISK_SNAPSHOT_ID: '4' });
  });

  test('that its image is still being written', () => {
    const cloud = furnishedCloud();
    cloud.images.get(0).state = 'LOCKED';
    const vm = allocate(cloud, 'DISK=[IMAGE_ID=0]');
    expect(cloud.images.get(0).state).toBe('LOCKED_USED');
    expect(shown(cloud, vm)).toMatchObject({ CLONING: 'YES', IMAGE_STATE: '9' });
    cloud.images.get(0).state = 'USED';
    expect(shown(cloud, vm)).not.toHaveProperty('CLONING');
  });
});

describe('device names', () => {
  test.each([
    ['DISK=[IMAGE_ID=0] DISK=[IMAGE_ID=0]', ['vda', 'vdb']],
    ['DISK=[IMAGE_ID=0] DISK=[IMAGE_ID=1]', ['vdb', 'vda']],
    ['DISK=[IMAGE_ID=1] DISK=[IMAGE_ID=1]', ['vda', 'vdb']],
    ['DISK=[IMAGE_ID=0,TARGET=vdb] DISK=[IMAGE_ID=0] DISK=[IMAGE_ID=0]', ['vdb', 'vda', 'vdc']],
    ['DISK=[IMAGE_ID=2] DISK=[IMAGE_ID=0,DEV_PREFIX=hd] CONTEXT=[A=1]', ['hda', 'hdc']],
    ['DISK=[TYPE=fs,SIZE=1] DISK=[TYPE=fs,SIZE=1,DEV_PREFIX=vd]', ['sda', 'vda']],
  ])('of %s', (text, targets) => {
    const cloud = furnishedCloud();
    image(cloud, 'NAME=os TYPE=OS SIZE=1 DEV_PREFIX=vd');
    image(cloud, 'NAME=cd TYPE=CDROM SIZE=5 SOURCE=/cd FORMAT=raw');
    expect(allocate(cloud, text).disks.map((disk) => disk.target)).toEqual(targets);
  });

  test('go on behind z', () => {
    const cloud = furnishedCloud();
    const targets = allocate(cloud, Array.from({ length: 29 }, () => 'DISK=[IMAGE_ID=0]').join(' ')).disks;
    expect(targets.slice(25).map((disk) => disk.target)).toEqual(['vdz', 'vdaa', 'vdab', 'vdac']);
  });

  test('are never given twice', () => {
    const disk = fc.record(
      { DEV_PREFIX: fc.constantFrom('vd', 'sd', 'hd'), TARGET: fc.constantFrom('vda', 'vdb', 'sda', 'hda') },
      { requiredKeys: [] },
    );
    const cloud = furnishedCloud();
    const caller = cloud.authenticate(TESTER, 'test');
    fc.assert(
      fc.property(fc.array(disk, { maxLength: 8 }), (disks) => {
        const value = (given: object) => new Map(Object.entries({ IMAGE_ID: '0', ...given }));
        const template = new Template(disks.map((given) => ({ name: 'DISK', value: value(given) })));
        try {
          const made = expandDisks(cloud, caller, template, { vmId: 9, taken: [] });
          expect(new Set(made.map(({ target }) => target)).size).toBe(made.length);
          releaseDisks(cloud, { id: 9, disks: made });
        } catch (error) {
          expect(String(error)).toMatch(/same target|more than 4 hd disks/);
        }
        expect(cloud.images.get(0).state).toBe('READY');
      }),
      { seed: 1, numRuns: 200 },
    );
  });
});

describe('a disk for a VM that exists', () => {
  test('comes behind the context CD-ROM, beside what is in use', () => {
    const cloud = furnishedCloud();
    const caller = cloud.authenticate(TESTER, 'test');
    const vm = allocate(cloud, 'DISK=[IMAGE_ID=0] CONTEXT=[A=1]');
    const attach = (text: string) => expandDisks(cloud, caller, Template.parse(text), { vmId: vm.id, taken: vm.disks });
    expect(attach('DISK=[IMAGE_ID=0] DISK=[IMAGE_ID=0]')).toMatchObject([{ id: 2, target: 'vdb' }]);
    expect(refusalOf(() => attach('DISK=[IMAGE_ID=0,TARGET=hda]'))).toBe('INTERNAL Target hda is already in use.');
    expect(refusalOf(() => attach('DISK=[IMAGE_ID=99]'))).toBe('INTERNAL Image with ID: 99 does not exist');
    cloud.images.get(0).state = 'LOCKED_USED';
    expect(refusalOf(() => attach('DISK=[IMAGE_ID=0]'))).toBe('INTERNAL Cannot acquire image 0, it is locked');
  });
});

test('the rights it needs are those on the images it names', () => {
  const cloud = furnishedCloud();
  const foreign = image(cloud, 'NAME=theirs TYPE=OS SIZE=7', OTHER);
  const own = image(cloud, 'NAME=mine TYPE=OS SIZE=7', TESTER);
  const caller = cloud.authenticate(TESTER, 'test');
  const template = Template.parse(
    `DISK=[IMAGE_ID=${foreign}] DISK=[IMAGE=mine] DISK=[TYPE=fs,SIZE=1] DISK=[IMAGE_ID=99]`,
  );
  const ids = (instantiated: boolean) =>
    diskRights(cloud, caller, template, instantiated).map(({ right, type, object }) => [right, type, object?.id]);
  expect(ids(false)).toEqual([
    ['USE', 'IMAGE', foreign],
    ['USE', 'IMAGE', own],
  ]);
  // oned's oddity: it looks for an image of that name among the caller's own.
  expect(ids(true)).toEqual([['USE', 'IMAGE', own]]);
});

test('a template that is shown at length says of its disks what a VM would, as recorded', () => {
  const cloud = furnishedCloud();
  const caller = cloud.authenticate(TESTER, 'test');
  const extended = Object.fromEntries(extendedDisk(cloud, caller, new Map([['IMAGE_ID', '0']]), 0));
  expect(extended).toMatchObject({
    IMAGE: 'fimg',
    IMAGE_STATE: '1',
    SIZE: '200',
    ORIGINAL_SIZE: '200',
    TM_MAD: 'dummy',
  });
  expect(extended).not.toHaveProperty('TARGET');
  expect(extendedDisk(cloud, caller, new Map([['IMAGE_ID', '9']]), 1)).toEqual([
    ['DISK_ID', '1'],
    ['IMAGE_ID', '9'],
  ]);
});
