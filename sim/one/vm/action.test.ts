/** The calls that move a VM through its life cycle: what they refuse, and in which words; deploy, migrate, recover. */
import { describe, expect, it } from 'vitest';
import { addHost } from '../resources/host.ts';
import { ADMIN_SESSION, furnishedCloud, OTHER, refusalOf, TESTER } from '../testing.ts';
import type { FAILURES, State } from './lifecycle.ts';
import { ROADS, type Scene, sceneIn, sceneOn } from './scene.ts';

const at = (state: string): Scene => sceneIn(furnishedCloud(), state);

const settle = ({ cloud }: Scene): void => void cloud.clock.advanceNow(60_000);

describe('is refused', () => {
  it.each([
    ['PENDING', 'poweroff', 'Error performing action "poweroff": This action is not available for state PENDING'],
    ['RUNNING', 'resume', 'Error performing action "resume": This action is not available for state RUNNING'],
    ['BOOT', 'terminate', 'Error performing action "terminate": Could not terminate VM 0, wrong state BOOT.'],
    ['BOOT', 'terminate-hard', 'Error performing action "terminate-hard": Could not terminate VM 0, wrong state BOOT.'],
    ['RUNNING', 'x', 'Action "x" is not supported'],
    ['RUNNING', 'constructor', 'Action "constructor" is not supported'],
  ])('in %s action %s', (road, action, text) => {
    const { cloud, vm } = at(road);
    expect(refusalOf(() => cloud.call(TESTER, 'one.vm.action', action, vm.id))).toBe(`ACTION [one.vm.action] ${text}`);
  });

  it.each([
    ['one.vm.deploy', [99, false], 'NO_EXISTS [one.vm.deploy] Error getting host [99].'],
    ['one.vm.deploy', [0, false, 99], 'NO_EXISTS [one.vm.deploy] Error getting datastore [99].'],
    [
      'one.vm.deploy',
      [0, false, 1],
      'INTERNAL [one.vm.deploy] Trying to use datastore [1] to deploy the VM, but it is not of type system datastore.',
    ],
  ] as const)('%s of a place that cannot be', (_, [host, enforce, datastore = -1], text) => {
    const { cloud, vm } = at('PENDING');
    expect(refusalOf(() => cloud.call(ADMIN_SESSION, 'one.vm.deploy', vm.id, host, enforce, datastore))).toBe(text);
  });

  it('a deploy to a host that is offline, that is too small when that counts, or elsewhere than the datastore', () => {
    const { cloud, vm } = at('PENDING');
    const deploy = (host: number, enforce = false) =>
      refusalOf(() => cloud.call(ADMIN_SESSION, 'one.vm.deploy', vm.id, host, enforce, 0));
    cloud.call(ADMIN_SESSION, 'one.host.status', 1, 2);
    expect(deploy(1)).toBe('ACTION [one.vm.deploy] Host is offline, cannot use it to deploy VM');
    const small = addHost(cloud, { name: 'small', cpu: 5 });
    expect(deploy(small.id, true)).toBe(
      'ACTION [one.vm.deploy] virtual machine [0] does not fit in host [2]. Not enough CPU: 10/5',
    );
    const cluster = cloud.call(ADMIN_SESSION, 'one.cluster.allocate', 'far');
    const far = addHost(cloud, { name: 'far', clusterId: cluster });
    expect(deploy(far.id)).toBe('ACTION [one.vm.deploy] datastore [0] and host [3] are not in the same cluster [100].');
  });

  it('an overfull deploy only when it counts', () => {
    const { cloud, vm } = at('PENDING');
    const small = addHost(cloud, { name: 'small', cpu: 5 });
    cloud.call(ADMIN_SESSION, 'one.vm.deploy', vm.id, small.id, false);
    expect(vm.state).toBe('PROLOG');
  });

  it.each(['RUNNING', 'POWEROFF', 'BOOT'])('a deploy in %s', (road) => {
    const { cloud, vm } = at(road);
    expect(refusalOf(() => cloud.call(ADMIN_SESSION, 'one.vm.deploy', vm.id, 0))).toBe(
      `ACTION [one.vm.deploy] Deploy action is not available for state ${road}`,
    );
  });

  it('a migration from where it cannot be, to where the VM is, or to where it does not fit', () => {
    const migrate = ({ cloud, vm }: Scene, host: number, live = false, datastore = -1) =>
      refusalOf(() => cloud.call(ADMIN_SESSION, 'one.vm.migrate', vm.id, host, live, false, datastore));
    expect(migrate(at('PENDING'), 1)).toBe('ACTION [one.vm.migrate] Migrate action is not available for state PENDING');
    expect(migrate(at('POWEROFF'), 1, true)).toBe(
      'ACTION [one.vm.migrate] Migrate action is not available for state POWEROFF',
    );
    expect(migrate(at('RUNNING'), 0)).toBe(
      'ACTION [one.vm.migrate] VM is already running on host [0] and datastore [0]',
    );
    const scene = at('RUNNING');
    addHost(scene.cloud, { name: 'small', memKb: 1024 });
    expect(migrate(scene, 2)).toBe(
      'ACTION [one.vm.migrate] virtual machine [0] does not fit in host [2]. Not enough memory: 131072/1024',
    );
    const far = scene.cloud.call(ADMIN_SESSION, 'one.cluster.allocate', 'far');
    addHost(scene.cloud, { name: 'far', clusterId: far });
    expect(migrate(scene, 3)).toBe(
      'ACTION [one.vm.migrate] Cannot migrate  VM [0] to host [3]. Host is in cluster [100], and VM requires to be placed on cluster [0]',
    );
    expect(migrate(scene, 1, true, 1)).toBe(
      'ACTION [one.vm.migrate] A migration to a different system datastore cannot be performed live.',
    );
    expect(migrate(scene, 1, false, 1)).toBe(
      'ACTION [one.vm.migrate] System datastore migration not supported by TM driver',
    );
  });

  it.each([
    ['PENDING', 0, 'Could not perform a recover operation on VM 0, wrong state PENDING.'],
    ['POWEROFF', 1, 'Could not perform a recover operation on VM 0, wrong state POWEROFF.'],
    ['POWEROFF', 2, 'Could not perform a retry on VM 0, wrong state POWEROFF.'],
    ['DONE', 4, 'Cannot delete-recreate a VM already in DONE state'],
    ['RUNNING', 6, 'Wrong recovery operation code'],
    ['RUNNING', -1, 'Wrong recovery operation code'],
  ])('in %s recover %i', (road, operation, text) => {
    const { cloud, vm } = at(road);
    expect(refusalOf(() => cloud.call(ADMIN_SESSION, 'one.vm.recover', vm.id, operation))).toBe(
      `ACTION [one.vm.recover] ${text}`,
    );
  });

  it('a recovery with an unknown number before anything else is looked at', () => {
    const { cloud } = at('PENDING');
    expect(refusalOf(() => cloud.call(OTHER, 'one.vm.recover', 99_999, 9))).toBe(
      'ACTION [one.vm.recover] Wrong recovery operation code',
    );
  });

  it.each(['one.vm.recover', 'one.vm.deploy', 'one.vm.migrate', 'resched', 'unresched'] as const)(
    '%s to an owner, who has no ADMIN right on it',
    (what) => {
      const { cloud, vm } = at('RUNNING');
      const call = (): unknown => {
        switch (what) {
          case 'one.vm.recover':
            return cloud.call(TESTER, what, vm.id, 2);
          case 'one.vm.deploy':
            return cloud.call(TESTER, what, vm.id, 0);
          case 'one.vm.migrate':
            return cloud.call(TESTER, what, vm.id, 1, false);
          default:
            return cloud.call(TESTER, 'one.vm.action', what, vm.id);
        }
      };
      expect(refusalOf(call)).toMatch(/^AUTHORIZATION \[.*\] User \[2\] : Not authorized to perform ADMIN VM \[0\]\.$/);
    },
  );

  it('a chown in DONE', () => {
    const { cloud, vm } = at('DONE');
    expect(refusalOf(() => cloud.call(ADMIN_SESSION, 'one.vm.chown', vm.id, 3, -1))).toBe(
      'ACTION [one.vm.chown] Could not change VM ownership, wrong state',
    );
  });

  it.each([
    ['resume', 'STOPPED', 'Could not resume VM 0, error updating requirements. '],
    ['release', 'HOLD', 'Could not release VM 0, error updating requirements. '],
    ['resched', 'RUNNING', 'Could not set rescheduling flag for VM 0, error updating requirements. '],
  ])('%s when no cluster has all that the VM needs', (action, road, text) => {
    const { cloud, vm } = at(road);
    cloud.call(ADMIN_SESSION, 'one.cluster.delvnet', 0, 0);
    expect(refusalOf(() => cloud.call(ADMIN_SESSION, 'one.vm.action', action, vm.id))).toContain(
      `Error performing action "${action}": ${text}`,
    );
    expect(vm.resched).toBe(false);
  });
});

describe('a rescheduling flag', () => {
  const flagged = (road = 'RUNNING'): Scene => {
    const scene = at(road);
    scene.cloud.call(ADMIN_SESSION, 'one.vm.action', 'resched', scene.vm.id);
    expect(scene.vm.resched).toBe(true);
    return scene;
  };
  const disk = (cloud: Scene['cloud'], id: number) => cloud.call(TESTER, 'one.vm.disksnapshotcreate', id, 0, 's');

  it.each([
    ...['suspend', 'stop', 'terminate', 'terminate-hard', 'undeploy', 'undeploy-hard', 'poweroff', 'poweroff-hard'],
    ...['reboot', 'reboot-hard'],
  ])('is cleared by %s', (action) => {
    const { vm, act } = flagged();
    act(action);
    expect(vm.resched).toBe(false);
  });

  it.each([
    ['unresched', ({ cloud, vm }: Scene) => cloud.call(ADMIN_SESSION, 'one.vm.action', 'unresched', vm.id)],
    ['migrate', ({ cloud, vm }: Scene) => cloud.call(ADMIN_SESSION, 'one.vm.migrate', vm.id, 1, false)],
    ['a hot resize', ({ cloud, vm }: Scene) => cloud.call(TESTER, 'one.vm.resize', vm.id, 'CPU=1', true)],
    ['attach', ({ cloud, vm }: Scene) => cloud.call(TESTER, 'one.vm.attach', vm.id, 'DISK=[IMAGE_ID=0]')],
    ['detachnic', ({ cloud, vm }: Scene) => cloud.call(TESTER, 'one.vm.detachnic', vm.id, 0)],
    ['a snapshot', ({ cloud, vm }: Scene) => cloud.call(TESTER, 'one.vm.snapshotcreate', vm.id, 's')],
    ['updateconf', ({ cloud, vm }: Scene) => cloud.call(TESTER, 'one.vm.updateconf', vm.id, 'CONTEXT=[A=1]')],
    ['delete', ({ cloud, vm }: Scene) => cloud.call(ADMIN_SESSION, 'one.vm.recover', vm.id, 3)],
    ['recreate', ({ cloud, vm }: Scene) => cloud.call(ADMIN_SESSION, 'one.vm.recover', vm.id, 4)],
  ])('is cleared by %s', (_, call) => {
    const scene = flagged();
    call(scene);
    expect(scene.vm.resched).toBe(false);
  });

  it.each([
    ['a disk snapshot', 'RUNNING', ({ cloud, vm }: Scene) => disk(cloud, vm.id)],
    ['a disk resize', 'RUNNING', ({ cloud, vm }: Scene) => cloud.call(TESTER, 'one.vm.diskresize', vm.id, 0, '300')],
    ['a cold resize', 'POWEROFF', ({ cloud, vm }: Scene) => cloud.call(TESTER, 'one.vm.resize', vm.id, 'CPU=1', true)],
  ])('is left alone by %s', (_, road, call) => {
    const scene = flagged(road);
    call(scene);
    expect(scene.vm.resched).toBe(true);
  });
});

describe('migrate', () => {
  const migrate = ({ cloud, vm }: Scene, live: boolean, type = 0) =>
    cloud.call(ADMIN_SESSION, 'one.vm.migrate', vm.id, 1, live, false, -1, type);

  const walk = (scene: Scene): State[] => {
    const states: State[] = [];
    scene.cloud.observe({ vmState: ({ state }) => void states.push(state) });
    return states;
  };

  it.each([
    ['RUNNING', true, 0, ['MIGRATE', 'RUNNING']],
    ['RUNNING', false, 0, ['SAVE_MIGRATE', 'PROLOG_MIGRATE', 'BOOT_MIGRATE', 'RUNNING']],
    ['RUNNING', false, 1, ['SAVE_MIGRATE', 'PROLOG_MIGRATE', 'BOOT', 'RUNNING']],
    ['RUNNING', false, 2, ['SAVE_MIGRATE', 'PROLOG_MIGRATE', 'BOOT', 'RUNNING']],
    ['POWEROFF', false, 0, ['PROLOG_MIGRATE_POWEROFF', 'POWEROFF']],
    ['SUSPENDED', false, 0, ['PROLOG_MIGRATE_SUSPEND', 'SUSPENDED']],
    ['UNKNOWN', false, 0, ['PROLOG_MIGRATE_UNKNOWN', 'BOOT', 'RUNNING']],
  ])('from %s (live %s, type %i) goes through %j', (road, live, type, states) => {
    const scene = at(road);
    const seen = walk(scene);
    migrate(scene, live, type);
    settle(scene);
    expect(seen).toEqual(states);
    expect([...(scene.cloud.hosts.get(0).vms ?? [])]).toEqual([]);
    expect([...(scene.cloud.hosts.get(1).vms ?? [])]).toEqual([scene.vm.id]);
    expect(scene.vm.history.map(({ hostId }) => hostId)).toEqual([0, 1]);
  });

  it.each([
    [true, 'migrate'],
    [false, 'save'],
  ])('that fails (live %s) leaves the VM running where it was', (live, action) => {
    const scene = at('RUNNING');
    scene.fail(action, 'no');
    migrate(scene, live);
    expect([0, 1].map((id) => scene.cloud.hosts.get(id).vms.size)).toEqual([1, 1]);
    settle(scene);
    expect(scene.vm.state).toBe('RUNNING');
    expect([0, 1].map((id) => scene.cloud.hosts.get(id).usedCpu)).toEqual([10, 0]);
    expect(scene.vm.history.map(({ hostId }) => hostId)).toEqual([0, 1, 0]);
    // Its memory was being written when it went on.
    expect(scene.vm.spans.map(({ boot, hostId }) => [boot, hostId])).toEqual(
      live
        ? [[1, 0]]
        : [
            [1, 0],
            [1, 0],
          ],
    );
  });

  it('keeps the place on the old host while it can still fail back to it', () => {
    const scene = at('RUNNING');
    migrate(scene, true);
    expect(refusalOf(() => scene.cloud.call(ADMIN_SESSION, 'one.host.delete', 0))).toContain('running VMs');
    settle(scene);
    expect(scene.cloud.call(ADMIN_SESSION, 'one.host.delete', 0)).toBe(0);
    scene.act('poweroff');
    settle(scene);
    scene.act('resume');
    settle(scene);
    expect(scene.vm.state).toBe('RUNNING');
  });

  it('of a VM that is deleted meanwhile leaves nothing on either host', () => {
    const scene = at('RUNNING');
    migrate(scene, true);
    scene.cloud.call(ADMIN_SESSION, 'one.vm.recover', scene.vm.id, 3);
    expect([0, 1].map((id) => scene.cloud.hosts.get(id))).toMatchObject([
      { usedCpu: 0, usedMemKb: 0 },
      { usedCpu: 0, usedMemKb: 0 },
    ]);
  });
});

describe('recover', () => {
  const recover = ({ cloud, vm }: Scene, operation: number) =>
    cloud.call(ADMIN_SESSION, 'one.vm.recover', vm.id, operation);

  /** Into a failure: what fails, and the call that meets it. */
  const INTO: Readonly<Record<keyof typeof FAILURES, (scene: Scene) => void>> = {
    PROLOG_FAILURE: (scene) => ROADS.PROLOG_FAILURE?.(scene),
    PROLOG_RESUME_FAILURE: (scene) => ROADS.PROLOG_RESUME_FAILURE?.(scene),
    PROLOG_UNDEPLOY_FAILURE: (scene) => {
      ROADS.UNDEPLOYED?.(scene);
      scene.fail('prolog');
      scene.deploy();
    },
    PROLOG_MIGRATE_FAILURE: (scene) => migrateFrom(scene, 'RUNNING', 'prolog'),
    PROLOG_MIGRATE_POWEROFF_FAILURE: (scene) => migrateFrom(scene, 'POWEROFF', 'prolog'),
    PROLOG_MIGRATE_SUSPEND_FAILURE: (scene) => migrateFrom(scene, 'SUSPENDED', 'prolog'),
    PROLOG_MIGRATE_UNKNOWN_FAILURE: (scene) => migrateFrom(scene, 'UNKNOWN', 'prolog'),
    BOOT_FAILURE: (scene) => ROADS.BOOT_FAILURE?.(scene),
    BOOT_MIGRATE_FAILURE: (scene) => migrateFrom(scene, 'RUNNING', 'restore'),
    BOOT_STOPPED_FAILURE: (scene) => ROADS.BOOT_STOPPED_FAILURE?.(scene),
    BOOT_UNDEPLOY_FAILURE: (scene) => ROADS.BOOT_UNDEPLOY_FAILURE?.(scene),
    EPILOG_FAILURE: (scene) => ROADS.EPILOG_FAILURE?.(scene),
    EPILOG_STOP_FAILURE: (scene) => failingEpilog(scene, 'stop'),
    EPILOG_UNDEPLOY_FAILURE: (scene) => failingEpilog(scene, 'undeploy'),
  };

  function migrateFrom(scene: Scene, road: string, action: string): void {
    ROADS[road]?.(scene);
    scene.fail(action);
    scene.cloud.call(ADMIN_SESSION, 'one.vm.migrate', scene.vm.id, 1, false);
  }

  function failingEpilog(scene: Scene, action: string): void {
    ROADS.RUNNING?.(scene);
    scene.fail('epilog');
    scene.act(action);
  }

  const into = (state: keyof typeof FAILURES): Scene => {
    const scene = sceneOn(furnishedCloud());
    INTO[state](scene);
    settle(scene);
    scene.cloud.judge.disarmAll();
    expect(scene.vm.state).toBe(state);
    return scene;
  };

  /** By failure: the state after recover with failure, success and retry; and the host after failure. */
  it.each([
    ['PROLOG_FAILURE', 'PROLOG_FAILURE', 'BOOT', 'PROLOG', 0],
    ['PROLOG_RESUME_FAILURE', 'PROLOG_RESUME_FAILURE', 'BOOT_STOPPED', 'PROLOG_RESUME', 0],
    ['PROLOG_UNDEPLOY_FAILURE', 'PROLOG_UNDEPLOY_FAILURE', 'BOOT_UNDEPLOY', 'PROLOG_UNDEPLOY', 0],
    ['PROLOG_MIGRATE_FAILURE', 'BOOT_MIGRATE', 'BOOT_MIGRATE', 'PROLOG_MIGRATE', 0],
    ['PROLOG_MIGRATE_POWEROFF_FAILURE', 'POWEROFF', 'POWEROFF', 'PROLOG_MIGRATE_POWEROFF', 0],
    ['PROLOG_MIGRATE_SUSPEND_FAILURE', 'SUSPENDED', 'SUSPENDED', 'PROLOG_MIGRATE_SUSPEND', 0],
    ['PROLOG_MIGRATE_UNKNOWN_FAILURE', 'BOOT', 'BOOT', 'PROLOG_MIGRATE_UNKNOWN', 0],
    ['BOOT_FAILURE', 'BOOT_FAILURE', 'RUNNING', 'BOOT', 0],
    ['BOOT_MIGRATE_FAILURE', 'BOOT_MIGRATE_FAILURE', 'RUNNING', 'BOOT_MIGRATE', 1],
    ['BOOT_STOPPED_FAILURE', 'BOOT_STOPPED_FAILURE', 'RUNNING', 'BOOT_STOPPED', 0],
    ['BOOT_UNDEPLOY_FAILURE', 'BOOT_UNDEPLOY_FAILURE', 'RUNNING', 'BOOT_UNDEPLOY', 0],
    ['EPILOG_FAILURE', 'EPILOG_FAILURE', 'DONE', 'EPILOG', 0],
    ['EPILOG_STOP_FAILURE', 'EPILOG_STOP_FAILURE', 'STOPPED', 'EPILOG_STOP', 0],
    ['EPILOG_UNDEPLOY_FAILURE', 'EPILOG_UNDEPLOY_FAILURE', 'UNDEPLOYED', 'EPILOG_UNDEPLOY', 0],
  ] as const)('from %s', (state, failure, success, retry, host) => {
    for (const [operation, after] of [failure, success, retry].entries()) {
      const scene = into(state);
      recover(scene, operation);
      expect([operation, scene.vm.state]).toEqual([operation, after]);
      if (operation === 0) {
        expect(scene.vm.history.at(-1)?.hostId).toBe(host);
        expect([...scene.cloud.hosts.get(host).vms]).toEqual([scene.vm.id]);
        expect(scene.cloud.hosts.get(1 - host).vms.size).toBe(0);
      }
    }
  });

  it('takes whatever is hot-plugged for an attach', () => {
    const detaching = (operation: number) => {
      const scene = at('RUNNING');
      scene.cloud.call(TESTER, 'one.vm.detach', scene.vm.id, 0);
      recover(scene, operation);
      return scene.vm.disks.length;
    };
    expect([detaching(0), detaching(1)]).toEqual([0, 1]);
  });

  it('knows a detach from a VM that is off', () => {
    const detaching = (operation: number) => {
      const scene = at('POWEROFF');
      scene.cloud.call(TESTER, 'one.vm.detach', scene.vm.id, 0);
      recover(scene, operation);
      return scene.vm.disks.length;
    };
    expect([detaching(0), detaching(1)]).toEqual([1, 0]);
  });

  it.each(Object.keys(ROADS).filter((road) => road !== 'DONE'))('with delete from %s ends in DONE', (road) => {
    for (const operation of [3, 5]) {
      const scene = at(road);
      recover(scene, operation);
      expect(scene.vm.state).toBe('DONE');
      expect(scene.cloud.hosts.get(0)).toMatchObject({ usedCpu: 0, usedMemKb: 0 });
      expect(scene.cloud.vnets.get(0).ranges.every((range) => range.leases.size === 0)).toBe(true);
      expect(scene.cloud.images.get(0).state).toBe('READY');
      expect([...scene.cloud.quotas.user(scene.vm.uid)]).toEqual([]);
    }
  });

  it('with delete from DONE does nothing', () => {
    const scene = at('DONE');
    const { etime } = scene.vm;
    settle(scene);
    expect(recover(scene, 3)).toBe(scene.vm.id);
    expect(scene.vm.etime).toBe(etime);
  });

  it.each(['RUNNING', 'POWEROFF', 'SUSPENDED', 'STOPPED', 'UNDEPLOYED', 'HOLD', 'BOOT_FAILURE'])(
    'with delete-recreate from %s makes it anew',
    (road) => {
      const scene = at(road);
      recover(scene, 4);
      settle(scene);
      expect(scene.vm).toMatchObject({ state: 'PENDING', deployId: '' });
      expect(scene.cloud.hosts.get(0).vms.size).toBe(0);
      scene.deploy();
      expect(scene.vm.state).toBe('PROLOG');
    },
  );

  it('with delete leaves an image that was being saved in error', () => {
    const scene = at('RUNNING');
    const image = scene.cloud.call(TESTER, 'one.vm.disksaveas', scene.vm.id, 0, 'copy', '', -1);
    recover(scene, 3);
    expect(scene.cloud.images.get(image).state).toBe('ERROR');
  });
});

describe('a deploy', () => {
  it.each([
    ['STOPPED', 'PROLOG_RESUME'],
    ['UNDEPLOYED', 'PROLOG_UNDEPLOY'],
  ])('brings a VM from %s back through %s, at once or after a resume and a hold', (road, state) => {
    const direct = at(road);
    direct.deploy();
    expect(direct.vm.state).toBe(state);
    const resumed = at(road);
    for (const action of ['resume', 'hold', 'release']) resumed.act(action);
    resumed.deploy();
    expect(resumed.vm.state).toBe(state);
  });

  it('knows the way back after a disk has grown meanwhile', () => {
    const scene = at('UNDEPLOYED');
    scene.cloud.call(TESTER, 'one.vm.diskresize', scene.vm.id, 0, '900');
    settle(scene);
    expect(scene.cloud.hosts.get(0)).toMatchObject({ usedCpu: 0, usedMemKb: 0 });
    expect(scene.vm.history).toHaveLength(1);
    scene.deploy();
    expect(scene.vm.state).toBe('PROLOG_UNDEPLOY');
    expect(scene.cloud.hosts.get(0).usedCpu).toBe(10);
  });
});
