/** How VMs come to be: where they start, what goes where, what is refused, and what waits. */
import { describe, expect, it } from 'vitest';
import type { Cloud } from '../cloud.ts';
import { ADMIN_SESSION, furnishedCloud, OTHER, refusalOf, TESTER } from '../testing.ts';
import { sceneIn } from './scene.ts';
import type { Vm } from './vm.ts';

const instantiate = (cloud: Cloud, extra = '', name = 'x', hold = false, persistent = false): Vm =>
  cloud.vms.get(cloud.call(TESTER, 'one.template.instantiate', 0, name, hold, extra, persistent));

const allocate = (cloud: Cloud, text: string, session = TESTER): Vm =>
  cloud.vms.get(cloud.call(session, 'one.vm.allocate', text));

const ALLOCATING = 'ALLOCATE [one.template.instantiate] Error allocating a new virtual machine template. ';

describe('a new VM', () => {
  it('is in PENDING, or in HOLD when that is asked for; the attribute alone does not hold it', () => {
    const cloud = furnishedCloud();
    expect(instantiate(cloud).state).toBe('PENDING');
    const held = instantiate(cloud, '', 'x', true);
    expect([held.state, held.template.get('SUBMIT_ON_HOLD')]).toEqual(['HOLD', 'YES']);
    expect(instantiate(cloud, 'SUBMIT_ON_HOLD=YES').state).toBe('PENDING');
    expect(allocate(cloud, 'CPU=1 MEMORY=1 DEPLOY_ID=x', ADMIN_SESSION).state).toBe('HOLD');
  });

  it('is named as asked, else after its template or as oned does', () => {
    const cloud = furnishedCloud();
    expect(instantiate(cloud, '', 'mine').name).toBe('mine');
    expect(instantiate(cloud, '', '').name).toBe('Function-vm-1');
    expect(allocate(cloud, 'CPU=1 MEMORY=1').name).toBe('one-2');
  });

  it('keeps what oned knows in TEMPLATE, and all else in USER_TEMPLATE', () => {
    const cloud = furnishedCloud();
    const vm = instantiate(cloud, 'VCPU=2\nMEMORY_RESIZE_MODE=balLooning\nHOT_RESIZE=[A=B]\nSCHED_RANK=ID\nFOO=BAR');
    expect([...vm.template].map(({ name }) => name).sort()).toEqual(['MEMORY_RESIZE_MODE', 'TEMPLATE_ID']);
    expect(vm.template.get('MEMORY_RESIZE_MODE')).toBe('BALLOONING');
    expect([...vm.userTemplate].map(({ name }) => name).sort()).toEqual(['FOO', 'HOT_RESIZE', 'SCHED_RANK']);
    expect(vm).toMatchObject({ cpu: 0.1, vcpu: 2, memoryMiB: 128 });
  });

  it('has of each attribute either what its template says or what the extra text says', () => {
    const cloud = furnishedCloud();
    expect(instantiate(cloud, 'DISK=[IMAGE_ID=0, SIZE=500]').disks.map(({ sizeMiB }) => sizeMiB)).toEqual([500]);
    expect(instantiate(cloud, 'DISK=[]').disks).toEqual([]);
  });
});

describe('is refused', () => {
  it.each([
    ['MEMORY=0', 'MEMORY attribute must be a positive integer value.'],
    ['MEMORY=1.5', 'MEMORY attribute must be a positive integer value.'],
    ['MEMORY=abc\nCPU=abc', 'MEMORY attribute must be a positive integer value.'],
    ['CPU=0', 'CPU attribute must be a positive float or integer value.'],
    ['CPU=abc', 'CPU attribute must be a positive float or integer value.'],
    ['VCPU=0', 'VCPU attribute must be a positive integer value.'],
    ['VCPU=1.5', 'VCPU attribute must be a positive integer value.'],
    ['MEMORY_RESIZE_MODE=FOO', 'Unknown MEMORY_RESIZE_MODE: FOO'],
    ['DISK=[IMAGE_ID=99]', 'DISK 0: Image with ID: 99 does not exist'],
    [
      'DISK=[IMAGE=x]',
      'DISK 0: User 2 does not own an image with name: x . Set IMAGE_UNAME or IMAGE_UID of owner in DISK.',
    ],
    ['DISK=[TYPE=fs]', 'DISK 0: SIZE attribute must be a positive integer value.'],
    ['DISK=[TYPE=foo,SIZE=1]', 'DISK 0: Unknown disk type FOO'],
    ['DISK=[IMAGE_ID=0,SIZE=100]', 'DISK 0: SIZE of 100MB is less than the image [0] size of 200MB.'],
    ['NIC=[NETWORK_ID=99]', 'Virtual network with ID: 99 does not exist'],
    [
      'NIC=[NETWORK=x]',
      'User 2 does not own a network with name: x . Set NETWORK_UNAME or NETWORK_UID of owner in NIC.',
    ],
    ['SCHED_REQUIREMENTS=A\nSCHED_REQUIREMENTS=B', 'Only one SCHED_REQUIREMENTS attribute can be defined.'],
    ['CONTEXT=[TOKEN=YES]', 'TOKEN set, but onegate endpoint was not defined in oned.conf.'],
  ])('%j, and nothing is taken', (extra, text) => {
    const cloud = furnishedCloud();
    expect(refusalOf(() => instantiate(cloud, extra))).toBe(ALLOCATING + text);
    expect(cloud.vms.size).toBe(0);
    expect(cloud.vnets.get(0).ranges[0]?.leases.size).toBe(0);
    expect(cloud.images.get(0)).toMatchObject({ state: 'READY' });
    expect([...cloud.quotas.user(2)]).toEqual([]);
  });

  it.each([
    [
      'CPU=-1',
      'AUTHORIZATION [one.template.instantiate] User [2] : user [2] CPU attribute must be a positive float or integer value.',
    ],
    [
      'NIC=[NETWORK_ID=0,MAC="02:00:00:00:00:01"]',
      'AUTHORIZATION [one.template.instantiate] User [2] : User Template includes a restricted attribute NIC.',
    ],
    [
      'RAW=[DATA=x]',
      'AUTHORIZATION [one.template.instantiate] User [2] : User Template includes a restricted attribute RAW.',
    ],
    [
      'A=[',
      'INTERNAL [one.template.instantiate] Parse error: syntax error, unexpected $end, expecting CBRACKET or VARIABLE at line 0, columns 3:4',
    ],
  ])('%j in other words', (extra, text) => {
    expect(refusalOf(() => instantiate(furnishedCloud(), extra))).toBe(text);
  });

  it('a template that is not there, and one that the caller may not use', () => {
    const cloud = furnishedCloud();
    expect(refusalOf(() => cloud.call(TESTER, 'one.template.instantiate', 9999, 'x'))).toBe(
      'NO_EXISTS [one.template.instantiate] Error getting virtual machine template [9999].',
    );
    cloud.call(ADMIN_SESSION, 'one.template.chmod', 0, -1, -1, -1, 0, 0, 0, 0, 0, 0);
    expect(refusalOf(() => instantiate(cloud))).toBe(
      'AUTHORIZATION [one.template.instantiate] User [2] : Not authorized to perform USE TEMPLATE [0].',
    );
  });

  it('a name that is too long', () => {
    expect(refusalOf(() => instantiate(furnishedCloud(), '', 'x'.repeat(129)))).toBe(
      `${ALLOCATING}Invalid NAME, max length is 128 chars`,
    );
  });

  it('what cannot be reached from one cluster', () => {
    const cloud = furnishedCloud();
    cloud.call(ADMIN_SESSION, 'one.cluster.delvnet', 0, 0);
    expect(refusalOf(() => instantiate(cloud))).toBe(`${ALLOCATING}Incompatible cluster IDs.`);
    expect(cloud.vnets.get(0).ranges[0]?.leases.size).toBe(0);
  });

  it.each([
    ['NAME=al\nCPU=0.1', 'INTERNAL [one.vm.allocate] MEMORY attribute must be a positive integer value.'],
    [
      'CPU=1 MEMORY=1 RAW=[DATA=x]',
      'AUTHORIZATION [one.vm.allocate] User [2] : VM Template includes a restricted attribute DATA.',
    ],
    ['CPU=1 MEMORY=1 DISK=[IMAGE_ID=99]', 'INTERNAL [one.vm.allocate] DISK 0: Image with ID: 99 does not exist'],
  ])('%j, allocated without a template', (text, refusal) => {
    expect(refusalOf(() => allocate(furnishedCloud(), text))).toBe(refusal);
  });

  it.each(['VCPU_MAX=abc', 'VCPU=5\nVCPU_MAX=2\nMEMORY=500\nMEMORY_MAX=200'])('not %j', (extra) => {
    expect(instantiate(furnishedCloud(), extra).state).toBe('PENDING');
  });
});

describe('a VM whose image is still being written', () => {
  /** The image is the one in which another VM's disk is being saved. */
  const waiting = (extra = '') => {
    const scene = sceneIn(furnishedCloud(), 'RUNNING');
    const { cloud } = scene;
    const image = cloud.call(TESTER, 'one.vm.disksaveas', scene.vm.id, 0, 'copy', '', -1);
    const vm = instantiate(cloud, `DISK=[IMAGE_ID=${image}]\n${extra}`);
    expect(vm.state).toBe('CLONING');
    expect(cloud.images.get(image).state).toBe('LOCKED_USED');
    return { ...scene, image, waiter: vm };
  };

  it('goes on when the image is ready', () => {
    const { cloud, waiter, image } = waiting();
    cloud.clock.advanceNow(10_000);
    expect(waiter.state).toBe('PENDING');
    expect(cloud.images.get(image).state).toBe('USED');
  });

  it('goes on to HOLD when its template says so', () => {
    const { cloud, waiter } = waiting('SUBMIT_ON_HOLD=YES');
    cloud.clock.advanceNow(10_000);
    expect(waiter.state).toBe('HOLD');
  });

  it('has waited in vain when the image is in error, until somebody puts that right', () => {
    for (const help of ['recover', 'enable'] as const) {
      const { cloud, waiter, image, fail } = waiting();
      fail('saveAs');
      cloud.call(ADMIN_SESSION, 'one.vm.recover', 0, 0);
      cloud.clock.advanceNow(10_000);
      expect(waiter.state).toBe('CLONING_FAILURE');
      cloud.call(ADMIN_SESSION, 'one.vm.recover', waiter.id, 0);
      cloud.call(ADMIN_SESSION, 'one.vm.recover', waiter.id, 1);
      expect(waiter.state).toBe('CLONING_FAILURE');
      if (help === 'recover') {
        cloud.images.get(image).state = 'USED';
        cloud.call(ADMIN_SESSION, 'one.vm.recover', waiter.id, 1);
      } else cloud.call(TESTER, 'one.image.enable', image, true);
      expect(waiter.state).toBe('PENDING');
    }
  });

  it('can be terminated, and gives the image back', () => {
    const { cloud, waiter, image } = waiting();
    cloud.call(TESTER, 'one.vm.action', 'terminate', waiter.id);
    expect(waiter.state).toBe('DONE');
    cloud.clock.advanceNow(10_000);
    expect(cloud.images.get(image)).toMatchObject({ state: 'READY' });
    expect(cloud.call(TESTER, 'one.image.delete', image)).toBe(image);
  });
});

describe('a persistent VM', () => {
  it('has a template and persistent images of its own', () => {
    const cloud = furnishedCloud();
    const vm = instantiate(cloud, 'FOO=BAR', 'kept', false, true);
    const copy = cloud.templates.get(1);
    expect(copy).toMatchObject({ name: 'kept', uid: 2 });
    const image = cloud.images.get(1);
    expect(image).toMatchObject({ name: 'kept-disk-0', persistent: true, state: 'USED_PERS', uid: 2 });
    expect(vm.disks[0]).toMatchObject({ imageId: 1, persistent: true });
    expect(vm.template.get('CLONING_TEMPLATE_ID')).toBe('0');
    expect(vm.template.get('TEMPLATE_ID')).toBe('1');
    expect(vm.userTemplate.get('FOO')).toBe('BAR');
    expect(cloud.images.get(0).state).toBe('READY');
    cloud.call(TESTER, 'one.vm.action', 'terminate', vm.id);
    expect(image).toMatchObject({ state: 'READY', persistent: true });
  });

  it('without a name has a template named after the first', () => {
    const cloud = furnishedCloud();
    instantiate(cloud, '', '', false, true);
    expect(cloud.templates.get(1).name).toBe('Function-vm-copy');
  });

  it('that is refused leaves no template and no image', () => {
    const cloud = furnishedCloud();
    expect(refusalOf(() => instantiate(cloud, 'CPU=0', 'kept', false, true))).toContain('CPU attribute must be');
    expect([cloud.templates.size, cloud.images.size, cloud.vms.size]).toEqual([1, 1, 0]);
    cloud.call(ADMIN_SESSION, 'one.template.chmod', 0, -1, -1, -1, 0, 0, 0, 0, 0, 0);
    expect(refusalOf(() => cloud.call(OTHER, 'one.template.instantiate', 0, 'kept', false, '', true))).toContain(
      'Not authorized to perform USE TEMPLATE [0]',
    );
    expect([cloud.templates.size, cloud.images.size]).toEqual([1, 1]);
  });
});

describe('the screen of a VM', () => {
  const port = (vm: Vm): string | undefined => vm.template.vector('GRAPHICS')?.get('PORT');
  const deployed = (cloud: Cloud, extra = 'GRAPHICS=[TYPE=VNC]'): Vm => {
    const vm = instantiate(cloud, extra);
    cloud.call(ADMIN_SESSION, 'one.vm.deploy', vm.id, 0);
    return vm;
  };

  it('has port 5900 and the id from the deploy on, or the next that is free', () => {
    const cloud = furnishedCloud();
    const waiting = instantiate(cloud, 'GRAPHICS=[TYPE=VNC]');
    expect(port(waiting)).toBeUndefined();
    const given = deployed(cloud, 'GRAPHICS=[TYPE=VNC,PORT=5902]');
    expect(port(given)).toBe('5902');
    expect(port(deployed(cloud))).toBe('5902');
    expect(port(deployed(cloud, 'OS=[A=B]'))).toBeUndefined();
  });

  it('gives the port back with UNDEPLOYED and DONE, and keeps it while STOPPED', () => {
    const cloud = furnishedCloud();
    const vm = deployed(cloud);
    const { ports } = cloud.clusters.get(0);
    const then = (action: string): string | undefined => {
      cloud.clock.advanceNow(10_000);
      cloud.call(TESTER, 'one.vm.action', action, vm.id);
      cloud.clock.advanceNow(10_000);
      return port(vm);
    };
    expect(then('stop')).toBe('5900');
    cloud.call(ADMIN_SESSION, 'one.vm.deploy', vm.id, 1);
    expect(then('undeploy')).toBeUndefined();
    expect(ports.size).toBe(0);
    cloud.call(ADMIN_SESSION, 'one.vm.deploy', vm.id, 1);
    expect(port(vm)).toBe('5900');
    then('terminate');
    expect(ports.size).toBe(0);
  });
});
