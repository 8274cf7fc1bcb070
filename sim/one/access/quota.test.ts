import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Cloud } from '../cloud.ts';
import { addHost } from '../resources/host.ts';
import { ADMIN_SESSION, freshCloud, OTHER, refusalOf, TESTER } from '../testing.ts';
import { METRICS, type Quota, type QuotaKind } from './quota-book.ts';

const SMALL = 'CPU=1\nMEMORY=64\nDISK=[TYPE=fs,SIZE=10]';
const MINUTE = 60_000;

/** A cloud with one large host, an image of 100 MiB and a network of 10 addresses that all may use. */
function cloudWithHost(): Cloud {
  const cloud = freshCloud();
  addHost(cloud, { name: 'host0', imMad: 'dummy', vmMad: 'dummy', clusterId: 0 });
  cloud.run(cloud.root, 'one.image.allocate', 'NAME=i\nTYPE=DATABLOCK\nSIZE=100\nDEV_PREFIX=vd', 1);
  cloud.images.get(0).permissions = 0o644;
  const network = 'NAME=n\nVN_MAD=dummy\nBRIDGE=b\nAR=[TYPE=IP4,IP=10.0.0.1,SIZE=10]';
  cloud.run(cloud.root, 'one.vn.allocate', network, -1);
  cloud.clock.advanceNow(MINUTE);
  return cloud;
}

const limit = (cloud: Cloud, text: string) => cloud.call(ADMIN_SESSION, 'one.user.quota', 2, text);
const allocate = (cloud: Cloud, text = SMALL) => cloud.call(TESTER, 'one.vm.allocate', text);

/** All that is counted, as `VM VMS 2`. */
function used(book: Iterable<Quota>): string[] {
  return [...book].flatMap((quota) =>
    METRICS[quota.kind]
      .map((metric) => [quota.kind, quota.id < 0 ? '' : quota.id, metric, quota.used(metric)] as const)
      .filter(([, , , amount]) => amount !== 0)
      .map((parts) => parts.filter((part) => part !== '').join(' ')),
  );
}

describe('use', () => {
  test('is counted without any limit, for the user and its group', () => {
    const cloud = cloudWithHost();
    allocate(cloud, 'CPU=1.5\nMEMORY=64\nDISK=[IMAGE_ID=0]\nDISK=[TYPE=fs,SIZE=10]\nNIC=[NETWORK_ID=0]');
    const all = [
      'NETWORK 0 LEASES 1',
      'VM VMS 1',
      'VM RUNNING_VMS 1',
      'VM CPU 1.5',
      'VM RUNNING_CPU 1.5',
      'VM MEMORY 64',
      'VM RUNNING_MEMORY 64',
      'VM SYSTEM_DISK_SIZE 110',
      'IMAGE 0 RVMS 1',
    ];
    expect(used(cloud.quotas.user(2))).toEqual(all);
    expect(used(cloud.quotas.group(1))).toEqual(all);
    cloud.call(TESTER, 'one.vm.action', 'terminate-hard', 0);
    cloud.clock.advanceNow(MINUTE);
    expect([...cloud.quotas.user(2), ...cloud.quotas.group(1)]).toEqual([]);
  });

  test('of oneadmin is not counted', () => {
    const cloud = cloudWithHost();
    cloud.call(ADMIN_SESSION, 'one.vm.allocate', SMALL);
    expect([...cloud.quotas.user(0), ...cloud.quotas.group(0)]).toEqual([]);
  });

  test('of running pauses while the VM is off', () => {
    const cloud = cloudWithHost();
    allocate(cloud);
    cloud.clock.advanceNow(MINUTE);
    const running = () => used(cloud.quotas.user(2)).filter((line) => line.includes('RUNNING'));
    expect(running()).toEqual(['VM RUNNING_VMS 1', 'VM RUNNING_CPU 1', 'VM RUNNING_MEMORY 64']);
    cloud.call(TESTER, 'one.vm.action', 'poweroff-hard', 0);
    cloud.clock.advanceNow(MINUTE);
    expect(cloud.vms.get(0).state).toBe('POWEROFF');
    expect(running()).toEqual([]);
    cloud.call(TESTER, 'one.vm.resize', 0, 'CPU=2', false);
    expect(running()).toEqual([]);
    cloud.call(TESTER, 'one.vm.action', 'resume', 0);
    expect(running()).toEqual(['VM RUNNING_VMS 1', 'VM RUNNING_CPU 2', 'VM RUNNING_MEMORY 64']);
  });

  test('returns to nothing when all VMs are gone, whatever was done to them', () => {
    const act = fc.oneof(
      fc.record({ do: fc.constant('allocate' as const), cpu: fc.integer({ min: 1, max: 30 }) }),
      fc.record({
        do: fc.constantFrom(
          ...(['poweroff-hard', 'resume', 'suspend', 'stop', 'undeploy', 'terminate-hard', 'hold', 'release'] as const),
        ),
        vm: fc.integer({ min: 0, max: 3 }),
        settle: fc.boolean(),
      }),
      fc.record({
        do: fc.constant('resize' as const),
        vm: fc.integer({ min: 0, max: 3 }),
        cpu: fc.integer({ min: 1, max: 30 }),
      }),
      fc.record({ do: fc.constantFrom('grow' as const, 'give' as const), vm: fc.integer({ min: 0, max: 3 }) }),
      fc.record({ do: fc.constant('wait' as const) }),
    );
    fc.assert(
      fc.property(fc.array(act, { maxLength: 25 }), (acts) => {
        const cloud = cloudWithHost();
        for (let vm = 0; vm < 3; vm++) allocate(cloud);
        cloud.clock.advanceNow(MINUTE);
        const attempt = (work: () => unknown) => {
          try {
            work();
          } catch (error) {
            expect(String(error)).toMatch(/not available|wrong state|Cannot resize|Error getting|does not exist/);
          }
        };
        for (const each of acts) {
          if (each.do === 'wait') cloud.clock.advanceNow(MINUTE);
          else if (each.do === 'allocate') {
            attempt(() =>
              allocate(cloud, `CPU=${each.cpu / 100}\nMEMORY=64\nDISK=[TYPE=fs,SIZE=10]\nNIC=[NETWORK_ID=0]`),
            );
          } else if (each.do === 'resize') {
            attempt(() => cloud.run(cloud.root, 'one.vm.resize', each.vm, `CPU=${each.cpu / 100}\nMEMORY=65`, false));
          } else if (each.do === 'grow') {
            const disk = cloud.vms.find(each.vm)?.disks[0];
            attempt(() => cloud.run(cloud.root, 'one.vm.diskresize', each.vm, 0, String((disk?.sizeMiB ?? 0) + 1)));
          } else if (each.do === 'give') {
            attempt(() => {
              const vm = cloud.vms.get(each.vm);
              if (vm.state === 'DONE') return;
              cloud.quotas.move(cloud.root, cloud.quotas.demands(vm), vm, { uid: 3, gid: -1 });
              vm.uid = 3;
            });
          } else {
            attempt(() => cloud.run(cloud.root, 'one.vm.action', each.do, each.vm));
            if ('settle' in each && each.settle) cloud.clock.advanceNow(MINUTE);
          }
        }
        const total = [...cloud.vms].filter((vm) => vm.state !== 'DONE');
        const counted = [...cloud.quotas.group(1)].find(({ kind }) => kind === 'VM');
        expect(counted?.used('VMS') ?? 0).toBe(total.length);
        expect(counted?.used('CPU') ?? 0).toBeCloseTo(total.reduce((sum, vm) => sum + vm.cpu, 0));
        for (const vm of total) cloud.run(cloud.root, 'one.vm.recover', vm.id, 3);
        cloud.clock.advanceNow(MINUTE);
        expect([...cloud.vms].every((vm) => vm.state === 'DONE')).toBe(true);
        expect([...cloud.quotas.user(2), ...cloud.quotas.user(3), ...cloud.quotas.group(1)]).toEqual([]);
      }),
      { seed: 1, numRuns: 60 },
    );
  });
});

describe('a limit', () => {
  test.each([
    ['VM=[VMS=0]', 'user [2] limit of 0 reached for VMS quota in VM.'],
    ['VM=[CPU=0.5]', 'user [2] limit of 0.5 reached for CPU quota in VM.'],
    ['VM=[RUNNING_MEMORY=63]', 'user [2] limit of 63 reached for RUNNING_MEMORY quota in VM.'],
    ['VM=[SYSTEM_DISK_SIZE=109]', 'user [2] limit of 109 reached for SYSTEM_DISK_SIZE quota in VM.'],
    ['NETWORK=[ID=0,LEASES=0]', 'user [2] limit of 0 reached for LEASES quota in NETWORK with ID: 0.'],
    ['IMAGE=[ID=0,RVMS=0]', 'user [2] limit of 0 reached for RVMS quota in IMAGE with ID: 0.'],
  ])('%s holds', (text, refusal) => {
    const cloud = cloudWithHost();
    const vm = `${SMALL}\nDISK=[IMAGE_ID=0]\nNIC=[NETWORK_ID=0]`;
    allocate(cloud, vm);
    cloud.call(TESTER, 'one.vm.action', 'terminate-hard', 0);
    limit(cloud, text);
    expect(refusalOf(() => allocate(cloud, vm))).toBe(`AUTHORIZATION [one.vm.allocate] User [2] : ${refusal}`);
    expect(used(cloud.quotas.user(2))).toEqual([]);
    expect(used(cloud.quotas.group(1))).toEqual([]);
    cloud.call(OTHER, 'one.vm.allocate', vm);
  });

  test('holds for all members of a group together', () => {
    const cloud = cloudWithHost();
    cloud.call(ADMIN_SESSION, 'one.group.quota', 1, 'VM=[VMS=1]');
    cloud.call(OTHER, 'one.vm.allocate', SMALL);
    expect(refusalOf(() => allocate(cloud))).toBe(
      'AUTHORIZATION [one.vm.allocate] User [2] : group [1] limit of 1 reached for VMS quota in VM.',
    );
  });

  test('comes from the defaults unless it is set, and -2 lifts it', () => {
    const cloud = cloudWithHost();
    cloud.call(ADMIN_SESSION, 'one.userquota.update', 'VM=[VMS=1]');
    allocate(cloud);
    expect(refusalOf(() => allocate(cloud))).toContain('limit of 1 reached for VMS quota in VM.');
    limit(cloud, 'VM=[VMS=2]');
    allocate(cloud);
    expect(refusalOf(() => allocate(cloud))).toContain('limit of 2 reached');
    limit(cloud, 'VM=[VMS=-2]');
    allocate(cloud);
    limit(cloud, 'VM=[CPU=9]');
    expect(refusalOf(() => allocate(cloud))).toContain('limit of 1 reached');
    expect(refusalOf(() => cloud.call(TESTER, 'one.userquota.update', 'VM=[VMS=9]'))).toBe(
      'AUTHORIZATION [one.userquota.update] User [2] : The default quotas can only be updated by users in the oneadmin group.',
    );
  });

  test('holds for a resize, and for resuming in words of its own', () => {
    const cloud = cloudWithHost();
    allocate(cloud);
    cloud.clock.advanceNow(MINUTE);
    limit(cloud, 'VM=[CPU=1.5,RUNNING_VMS=1]');
    expect(refusalOf(() => cloud.call(TESTER, 'one.vm.resize', 0, 'CPU=2', true))).toBe(
      'AUTHORIZATION [one.vm.resize] User [2] : user [2] limit of 1.5 reached for CPU quota in VM.',
    );
    cloud.call(TESTER, 'one.vm.action', 'poweroff-hard', 0);
    cloud.clock.advanceNow(MINUTE);
    limit(cloud, 'VM=[RUNNING_VMS=0]');
    expect(refusalOf(() => cloud.call(TESTER, 'one.vm.action', 'resume', 0))).toBe(
      'ACTION [one.vm.action] user [2] limit of 0 reached for RUNNING_VMS quota in VM',
    );
    expect(cloud.vms.get(0).state).toBe('POWEROFF');
  });

  test.each([
    ['VM=[VMS=-5]', 'Negative limits or bad format in quota VM = [ VMS=-5 ]'],
    ['NETWORK=[LEASES=1]', 'Negative limits or bad format in quota NETWORK = [ LEASES=1 ]'],
    ['IMAGE=[ID=x,RVMS=1]', 'Negative limits or bad format in quota IMAGE = [ ID=x,RVMS=1 ]'],
  ])('%s is refused', (text, refusal) => {
    const cloud = freshCloud();
    expect(refusalOf(() => limit(cloud, text))).toBe(`ACTION [one.user.quota] ${refusal}`);
  });

  test('is set by administrators, for others than oneadmin', () => {
    const cloud = freshCloud();
    expect(refusalOf(() => cloud.call(TESTER, 'one.user.quota', 2, 'VM=[VMS=9]'))).toBe(
      'AUTHORIZATION [one.user.quota] User [2] : Not authorized to perform ADMIN USER [2].',
    );
    expect(refusalOf(() => cloud.call(ADMIN_SESSION, 'one.user.quota', 0, 'VM=[VMS=9]'))).toBe(
      'ACTION [one.user.quota] Cannot set quotas for oneadmin user',
    );
    expect(refusalOf(() => cloud.call(ADMIN_SESSION, 'one.group.quota', 0, 'VM=[VMS=9]'))).toBe(
      'ACTION [one.group.quota] Cannot set quotas for oneadmin group',
    );
  });

  test('that is not mentioned is no longer set', () => {
    const cloud = freshCloud();
    limit(cloud, 'VM=[VMS=5,CPU=2]');
    limit(cloud, 'VM=[CPU=3]');
    const [quota] = cloud.quotas.user(2);
    expect([quota?.limit('VMS'), quota?.limit('CPU')]).toEqual([-1, 3]);
    limit(cloud, 'VM=[CPU=-1]');
    expect([...cloud.quotas.user(2)]).toEqual([]);
  });

  test('of each kind has its own metrics', () => {
    const cloud = freshCloud();
    limit(cloud, 'DATASTORE=[ID=1,SIZE=9,IMAGES=1]\nNETWORK=[ID=0,LEASES=2]\nIMAGE=[ID=3,RVMS=4]\nVM=[VMS=5]');
    const limits = [...cloud.quotas.user(2)].map((quota) => [
      quota.kind,
      quota.id,
      METRICS[quota.kind as QuotaKind].map((metric) => quota.limit(metric)),
    ]);
    expect(limits).toEqual([
      ['DATASTORE', 1, [9, 1]],
      ['NETWORK', 0, [2]],
      ['IMAGE', 3, [4]],
      ['VM', -1, [5, -1, -1, -1, -1, -1, -1]],
    ]);
  });
});
