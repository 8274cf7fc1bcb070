/** Changing capacity and disks: what is taken, what is kept, what is refused. */
import { describe, expect, it } from 'vitest';
import { ADMIN_SESSION, furnishedCloud, OTHER, refusalOf, TESTER } from '../testing.ts';
import { type Scene, sceneIn } from './scene.ts';

const at = (state: string): Scene => sceneIn(furnishedCloud(), state);
const resize = ({ cloud, vm }: Scene, text: string, session = TESTER) =>
  cloud.call(session, 'one.vm.resize', vm.id, text, true);
const grow = ({ cloud, vm }: Scene, size: string, disk = 0, session = TESTER) =>
  cloud.call(session, 'one.vm.diskresize', vm.id, disk, size);

describe('a resize', () => {
  it.each([
    ['CPU=2\nVCPU=3\nMEMORY=512', { cpu: 2, vcpu: 3, memoryMiB: 512 }],
    ['MEMORY=1.5', { cpu: 0.1, vcpu: null, memoryMiB: 1 }],
    ['VCPU=2.9', { cpu: 0.1, vcpu: 2, memoryMiB: 128 }],
    ['CPU=0\nVCPU=0\nMEMORY=0', { cpu: 0.1, vcpu: null, memoryMiB: 128 }],
    ['CPU=abc', { cpu: 0.1, vcpu: null, memoryMiB: 128 }],
    ['FOO=1', { cpu: 0.1, vcpu: null, memoryMiB: 128 }],
    ['', { cpu: 0.1, vcpu: null, memoryMiB: 128 }],
    ['<TEMPLATE><CPU>1</CPU></TEMPLATE>', { cpu: 1, vcpu: null, memoryMiB: 128 }],
  ])('to %j in POWEROFF gives %j at once', (text, capacity) => {
    const scene = at('POWEROFF');
    resize(scene, text);
    expect(scene.vm).toMatchObject({ ...capacity, state: 'POWEROFF' });
    expect(scene.cloud.hosts.get(0).usedCpu).toBe(Math.round(capacity.cpu * 100));
  });

  it.each([
    ['CPU=-1', 'INTERNAL [one.vm.resize] CPU must be a positive float or integer value.'],
    ['MEMORY=-1', 'INTERNAL [one.vm.resize] MEMORY must be a positive integer value.'],
    ['VCPU=-1', 'INTERNAL [one.vm.resize] VCPU must be a positive integer value.'],
    ['CPU=900', 'ACTION [one.vm.resize] Not enough CPU: 90000/800'],
    ['MEMORY=99999999', 'ACTION [one.vm.resize] Not enough memory: 102399998976/16777216'],
  ])('to %s is refused, whoever asks', (text, refusal) => {
    for (const session of [TESTER, ADMIN_SESSION]) {
      const scene = at('RUNNING');
      expect(refusalOf(() => resize(scene, text, session))).toBe(refusal);
      expect(scene.vm).toMatchObject({ state: 'RUNNING', cpu: 0.1, memoryMiB: 128 });
      expect(scene.vm.history).toHaveLength(1);
    }
  });

  it('that says nothing readable is refused first, then a VM that is not there, then who may not', () => {
    const scene = at('RUNNING');
    expect(refusalOf(() => scene.cloud.call(TESTER, 'one.vm.resize', 99_999, 'CPU=', true))).toMatch(
      /^INTERNAL \[one\.vm\.resize\] Parse error: /,
    );
    expect(refusalOf(() => scene.cloud.call(TESTER, 'one.vm.resize', 99_999, 'CPU=1', true))).toBe(
      'NO_EXISTS [one.vm.resize] Error getting virtual machine [99999].',
    );
    expect(refusalOf(() => resize(scene, 'CPU=1', OTHER))).toBe(
      'AUTHORIZATION [one.vm.resize] User [3] : Not authorized to perform MANAGE VM [0].',
    );
  });

  it.each(['SUSPENDED', 'STOPPED', 'DONE', 'BOOT', 'UNKNOWN'])('in %s is refused', (state) => {
    expect(refusalOf(() => resize(at(state), 'CPU=1'))).toBe(
      `ACTION [one.vm.resize] Cannot resize a VM in state ${state}`,
    );
  });

  it('of a VM that no host holds is not measured by one', () => {
    const scene = at('PENDING');
    resize(scene, 'CPU=900');
    expect(scene.vm.cpu).toBe(900);
  });

  it('counts at once for host and quota, and for the guest when it is done', () => {
    const scene = at('RUNNING');
    resize(scene, 'CPU=2\nVCPU=2\nMEMORY=256');
    expect(scene.vm.state).toBe('HOTPLUG_RESIZE');
    expect(scene.vm.work).toEqual({ kind: 'resize', cpu: 0.1, vcpu: null, memoryMiB: 128 });
    expect(scene.cloud.hosts.get(0).usedCpu).toBe(200);
    expect(scene.cloud.quotas.user(2).find({ kind: 'VM', id: -1 })?.used('RUNNING_MEMORY')).toBe(256);
    expect(scene.vm.spans.map(({ shape }) => shape.vcpu)).toEqual([1]);
    scene.until('RUNNING');
    expect(scene.vm.spans.map(({ shape, boot }) => [shape.vcpu, boot])).toEqual([
      [1, 1],
      [2, 1],
    ]);
    expect(scene.vm.work).toBeNull();
  });

  it('over a quota is refused before the state is looked at', () => {
    const scene = at('SUSPENDED');
    scene.cloud.call(ADMIN_SESSION, 'one.user.quota', 2, 'VM=[MEMORY=200]');
    expect(refusalOf(() => resize(scene, 'MEMORY=201'))).toBe(
      'AUTHORIZATION [one.vm.resize] User [2] : user [2] limit of 200 reached for MEMORY quota in VM.',
    );
  });
});

describe('a disk resize', () => {
  it.each([
    ['', 'Disk SIZE is not a valid integer'],
    ['abc', 'Disk SIZE is not a valid integer'],
    ['900.5', 'Disk SIZE is not a valid integer'],
    ['-5', 'New disk size has to be greater than current one'],
    ['100', 'New disk size has to be greater than current one'],
    ['200', 'New disk size has to be greater than current one'],
  ])('to %j is refused', (size, text) => {
    expect(refusalOf(() => grow(at('RUNNING'), size))).toBe(`ACTION [one.vm.diskresize] ${text}`);
  });

  it('of a disk that is not there, such as the context, is refused', () => {
    expect(refusalOf(() => grow(at('RUNNING'), '900', 1))).toBe('ACTION [one.vm.diskresize] VM disk does not exist');
  });

  it('looks at the size before the right, and at the state last', () => {
    const scene = at('PENDING');
    expect(refusalOf(() => grow(scene, 'abc', 0, OTHER))).toBe(
      'ACTION [one.vm.diskresize] Disk SIZE is not a valid integer',
    );
    expect(refusalOf(() => grow(scene, '900', 0, OTHER))).toContain('Not authorized to perform MANAGE VM [0]');
    expect(refusalOf(() => grow(scene, '100'))).toContain('New disk size has to be greater');
    expect(refusalOf(() => grow(scene, '900'))).toBe(
      'ACTION [one.vm.diskresize] Could not resize disk for VM 0, wrong state PENDING.',
    );
  });

  it.each([
    ['RUNNING', 'DISK_RESIZE'],
    ['POWEROFF', 'DISK_RESIZE_POWEROFF'],
    ['UNDEPLOYED', 'DISK_RESIZE_UNDEPLOYED'],
  ])('in %s goes through %s and back', (state, through) => {
    const scene = at(state);
    expect(grow(scene, '900')).toBe(0);
    expect(scene.vm.state).toBe(through);
    expect(scene.vm.disks[0]).toMatchObject({ sizeMiB: 900, originalSizeMiB: 200 });
    expect(scene.vm.work).toEqual({ kind: 'diskResize', diskId: 0, sizeMiB: 200 });
    scene.cloud.clock.advanceNow(10_000);
    expect(scene.vm).toMatchObject({ state, work: null });
    expect(scene.cloud.quotas.user(2).find({ kind: 'VM', id: -1 })?.used('SYSTEM_DISK_SIZE')).toBe(900);
  });

  it('shows in the guest from when it is done', () => {
    const scene = at('RUNNING');
    grow(scene, '900');
    scene.until('RUNNING');
    expect(scene.vm.spans.map(({ shape }) => shape.disks[0]?.sizeMiB)).toEqual([200, 900]);
  });
});
