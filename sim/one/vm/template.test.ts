import { describe, expect, test } from 'vitest';
import type { Cloud } from '../cloud.ts';
import { ADMIN_SESSION, freshCloud, OTHER, refusalOf, TESTER } from '../testing.ts';

const make = (cloud: Cloud, text = 'NAME=t\nCPU=1\nMEMORY=64', session = TESTER): number =>
  cloud.call(session, 'one.template.allocate', text);

/** A cloud with a template of tester on two images: 0 of its own, 1 that is not there. */
function withImage(): Cloud {
  const cloud = freshCloud();
  cloud.call(TESTER, 'one.image.allocate', 'NAME=i\nTYPE=DATABLOCK\nSIZE=10', 1);
  cloud.clock.advanceNow(60_000);
  return cloud;
}

describe('a template', () => {
  test('takes its name from the text, and the time', () => {
    const cloud = freshCloud();
    const template = cloud.call(TESTER, 'one.template.info', make(cloud));
    expect(template).toMatchObject({ id: 0, uid: 2, gid: 1, name: 't', permissions: 0o600, regtime: cloud.seconds });
    expect([...template.template].map(({ name }) => name)).toEqual(['CPU', 'MEMORY']);
  });

  test.each([
    [TESTER, 'CPU=1\n', 'INTERNAL [one.template.allocate] Invalid NAME, it cannot be empty'],
    [TESTER, 'NAME="a:b"', "INTERNAL [one.template.allocate] Invalid NAME, char ':' is not allowed"],
    [TESTER, 'NAME=t', 'INTERNAL [one.template.allocate] NAME is already taken by TEMPLATE 0.'],
    [
      TESTER,
      'NAME=r\nRAW=[DATA=x]',
      'AUTHORIZATION [one.template.allocate] User [2] : VM Template includes a restricted attribute DATA.',
    ],
    [TESTER, '<A', 'INTERNAL [one.template.allocate] Parse error: XML Template malformed.'],
  ])('is refused to %s: %j', (session, text, refusal) => {
    const cloud = freshCloud();
    make(cloud);
    expect(refusalOf(() => make(cloud, text, session))).toBe(refusal);
    expect(cloud.templates.size).toBe(1);
  });

  test('may be called like that of another owner', () => {
    const cloud = freshCloud();
    make(cloud);
    expect(make(cloud, 'NAME=t', OTHER)).toBe(1);
    expect(refusalOf(() => cloud.call(ADMIN_SESSION, 'one.template.chown', 1, 2, -1))).toBe(
      'INTERNAL [one.template.chown] user [2] already owns virtual machine template [0] with NAME t',
    );
    make(cloud, 'NAME=x');
    expect(refusalOf(() => cloud.call(TESTER, 'one.template.rename', 2, 't'))).toBe(
      'ACTION [one.template.rename] virtual machine template cannot be renamed to t because it collides with virtual machine template 0',
    );
    cloud.call(OTHER, 'one.template.rename', 1, 'x');
  });

  test('is missing before it is forbidden', () => {
    const cloud = freshCloud();
    make(cloud);
    expect(refusalOf(() => cloud.call(OTHER, 'one.template.info', 0))).toBe(
      'AUTHORIZATION [one.template.info] User [3] : Not authorized to perform USE TEMPLATE [0].',
    );
    expect(refusalOf(() => cloud.call(OTHER, 'one.template.info', -1))).toBe(
      'NO_EXISTS [one.template.info] Error getting virtual machine template Pool.',
    );
    expect(refusalOf(() => cloud.call(OTHER, 'one.template.info', 99999))).toBe(
      'NO_EXISTS [one.template.info] Error getting virtual machine template [99999].',
    );
  });

  test('is updated, but for what only administrators write', () => {
    const cloud = freshCloud();
    const id = make(cloud);
    cloud.call(ADMIN_SESSION, 'one.template.update', id, 'EMULATOR=e\nNIC=[NETWORK_ID=0,MAC="02:00:00:00:00:01"]', 1);
    const update = (text: string, type: number) =>
      refusalOf(() => cloud.call(TESTER, 'one.template.update', id, text, type));
    const cannot = 'INTERNAL [one.template.update] Cannot update template.';
    expect(update('EMULATOR=f', 1)).toBe(`${cannot} User Template includes a restricted attribute EMULATOR`);
    expect(update('CPU=2\n', 0)).toBe(`${cannot} Tried to change restricted attribute: NIC`);
    expect(update('<A', 0)).toBe(`${cannot} Parse error: XML Template malformed.`);
    expect(update('A=1\n', 2)).toBe('XML_RPC_API [one.template.update] Wrong update type');
    cloud.call(TESTER, 'one.template.update', id, 'CPU=2\nNIC=[NETWORK_ID=1,MAC="02:00:00:00:00:01"]', 0);
    expect([...cloud.templates.get(id).template].map(({ name }) => name)).toEqual(['CPU', 'EMULATOR', 'NIC']);
    cloud.call(TESTER, 'one.template.update', id, 'CPU=3\n', 1);
    expect(cloud.templates.get(id).template.get('CPU')).toBe('3');
  });

  test('is listed to whom may use it, the newest first', () => {
    const cloud = freshCloud();
    for (const name of ['a', 'b', 'c']) make(cloud, `NAME=${name}`);
    cloud.call(TESTER, 'one.template.chmod', 1, -1, -1, -1, -1, -1, -1, 1, -1, -1);
    const ids = (session: string) => cloud.call(session, 'one.templatepool.info', -2, 0, -2000).map(({ id }) => id);
    expect([ids(TESTER), ids(OTHER)]).toEqual([[2, 1, 0], [1]]);
  });

  test('is cloned under a new name', () => {
    const cloud = freshCloud();
    make(cloud);
    expect(cloud.call(TESTER, 'one.template.clone', 0, 'c')).toBe(1);
    expect(cloud.templates.get(1)).toMatchObject({ name: 'c', uid: 2 });
    expect(cloud.templates.get(1).template.get('CPU')).toBe('1');
    expect(refusalOf(() => cloud.call(TESTER, 'one.template.clone', 0, 'c'))).toBe(
      'ALLOCATE [one.template.clone] Error allocating a new virtual machine template. NAME is already taken by TEMPLATE 1.',
    );
    expect(refusalOf(() => cloud.call(OTHER, 'one.template.clone', 0, 'c'))).toContain('USE TEMPLATE [0]');
  });

  test('is gone when deleted', () => {
    const cloud = freshCloud();
    make(cloud);
    expect(cloud.call(TESTER, 'one.template.delete', 0)).toBe(0);
    expect(refusalOf(() => cloud.call(TESTER, 'one.template.delete', 0))).toBe(
      'NO_EXISTS [one.template.delete] Error getting virtual machine template [0].',
    );
  });
});

describe('the images of a template', () => {
  test('are cloned with it, named after it', () => {
    const cloud = withImage();
    make(cloud, 'NAME=t\nDISK=[TYPE=fs,SIZE=5]\nDISK=[IMAGE=i,IMAGE_UNAME=tester,TARGET=vdz]');
    const id = cloud.call(TESTER, 'one.template.clone', 0, 'c', true);
    expect(cloud.images.get(1)).toMatchObject({ name: 'c-disk-1', uid: 2 });
    const disks = cloud.templates
      .get(id)
      .template.vectors('DISK')
      .map((disk) => Object.fromEntries(disk));
    expect(disks).toEqual([
      { TYPE: 'fs', SIZE: '5' },
      { TARGET: 'vdz', IMAGE_ID: '1' },
    ]);
  });

  test('that cannot all be cloned leave nothing behind', () => {
    const cloud = withImage();
    make(cloud, 'NAME=t\nDISK=[IMAGE_ID=0]\nDISK=[IMAGE_ID=99]');
    expect(refusalOf(() => cloud.call(TESTER, 'one.template.clone', 0, 'c', true))).toMatch(
      /^ACTION \[one.template.clone\] Failed to clone images: /,
    );
    expect(cloud.templates.size).toBe(1);
    cloud.clock.advanceNow(60_000);
    expect([...cloud.images].filter((image) => image.state === 'READY').map(({ id }) => id)).toEqual([0]);
  });

  test('are deleted with it as far as that goes', () => {
    const cloud = withImage();
    make(cloud, 'NAME=t\nDISK=[IMAGE_ID=0]\nDISK=[IMAGE_ID=99]');
    expect(cloud.call(TESTER, 'one.template.delete', 0, true)).toBe(0);
    cloud.clock.advanceNow(60_000);
    expect(cloud.images.size).toBe(0);
  });

  test('get its mode', () => {
    const cloud = withImage();
    make(cloud, 'NAME=t\nDISK=[IMAGE_ID=0]');
    cloud.call(TESTER, 'one.template.chmod', 0, 1, 1, 0, 1, 0, 0, 0, 0, 0, true);
    expect([cloud.templates.get(0).permissions, cloud.images.get(0).permissions]).toEqual([0o640, 0o640]);
    cloud.call(ADMIN_SESSION, 'one.image.chown', 0, 0, -1);
    expect(refusalOf(() => cloud.call(TESTER, 'one.template.chmod', 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, true))).toBe(
      'ACTION [one.template.chmod] Cannot chmod image: 0',
    );
    expect(cloud.templates.get(0).permissions).toBe(0o600);
  });

  test('show in the extended template', () => {
    const cloud = withImage();
    make(cloud, 'NAME=t\nDISK=[IMAGE_ID=0]\nNIC=[NETWORK_ID=0]');
    const { template } = cloud.call(TESTER, 'one.template.info', 0, true);
    expect(Object.fromEntries(template.vector('DISK') ?? [])).toMatchObject({
      DISK_ID: '0',
      IMAGE: 'i',
      IMAGE_ID: '0',
      DATASTORE: 'default',
      SIZE: '10',
    });
    expect(Object.fromEntries(template.vector('NIC') ?? [])).toEqual({ NETWORK_ID: '0' });
    expect([...(cloud.templates.get(0).template.vector('DISK') ?? [])]).toEqual([['IMAGE_ID', '0']]);
  });
});
