/** The driver at work: how operations go on over time, as a real oned was seen to do it, and what comes of failures. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { setHostState } from '../resources/host.ts';
import { ADMIN_SESSION, BY_THE_SECOND, furnishedCloud, TESTER } from '../testing.ts';
import { STATES, type State } from './lifecycle.ts';
import { report } from './monitoring.ts';
import { type Scene, sceneIn, sceneOn } from './scene.ts';

interface Timeline {
  readonly result: readonly [boolean, string | number, number] | null;
  readonly 'polled(ms,STATE/LCM)': readonly (readonly [number, string])[];
  readonly 'events(ms)': readonly (readonly [number, string])[];
}

const timelines = JSON.parse(
  readFileSync(new URL('../../../fixtures/golden/vm-timelines.json', import.meta.url), 'utf8'),
) as Record<string, Timeline>;

type Call = (scene: Scene) => unknown;

const deploy: Call = ({ cloud, vm }) => cloud.call(ADMIN_SESSION, 'one.vm.deploy', vm.id, 0);
const act =
  (name: string): Call =>
  ({ cloud, vm }) =>
    cloud.call(TESTER, 'one.vm.action', name, vm.id);
const recover =
  (operation: number): Call =>
  ({ cloud, vm }) =>
    cloud.call(ADMIN_SESSION, 'one.vm.recover', vm.id, operation);
const resize: Call = ({ cloud, vm }) => cloud.call(TESTER, 'one.vm.resize', vm.id, `MEMORY=${vm.memoryMiB + 1}`, true);
const grow: Call = ({ cloud, vm }) => {
  const size = String((vm.disks[0]?.sizeMiB ?? 0) + 1);
  return cloud.call(TESTER, 'one.vm.diskresize', vm.id, 0, size);
};
const failing =
  (action: string, call: Call): Call =>
  (scene) => {
    scene.fail(action);
    return call(scene);
  };
const seen =
  (what: Parameters<typeof report>[2]): Call =>
  ({ cloud, vm }) => {
    report(cloud, vm, what);
    return null;
  };

const [FAILURE, SUCCESS, RETRY, DELETE, RECREATE] = [0, 1, 2, 3, 4] as const;

/** What was called in each case. */
const CALLS: Readonly<Record<string, Call>> = {
  instantiate_deploy_running: deploy,
  reboot: act('reboot'),
  'reboot-hard': act('reboot-hard'),
  resize_hot: resize,
  diskresize_running: grow,
  poweroff: act('poweroff'),
  resize_poweroff: resize,
  diskresize_poweroff: grow,
  resume_from_poweroff: act('resume'),
  'poweroff-hard': act('poweroff-hard'),
  suspend: act('suspend'),
  resume_from_suspended: act('resume'),
  stop: act('stop'),
  resume_from_stopped: act('resume'),
  deploy_from_stopped: deploy,
  undeploy: act('undeploy'),
  diskresize_undeployed: grow,
  resume_from_undeployed: act('resume'),
  deploy_from_undeployed: deploy,
  'undeploy-hard': act('undeploy-hard'),
  terminate: act('terminate'),
  'terminate-hard': act('terminate-hard'),
  terminate_pending: act('terminate'),
  release_hold: act('release'),
  hold: act('hold'),
  prolog_failure: failing('prolog', deploy),
  prolog_failure_recover_retry: recover(RETRY),
  prolog_failure_recover_success: recover(SUCCESS),
  recover_delete_running: recover(DELETE),
  prolog_failure_recover_failure: recover(FAILURE),
  prolog_failure_recover_delete: recover(DELETE),
  boot_failure: failing('deploy', deploy),
  boot_failure_recover_retry: recover(RETRY),
  boot_failure_recover_success: recover(SUCCESS),
  recover_delete_recreate_running: recover(RECREATE),
  boot_failure_terminate: act('terminate'),
  poweroff_driver_failure: failing('shutdown', act('poweroff')),
  terminate_driver_failure: failing('shutdown', act('terminate')),
  'terminate-hard_driver_failure': failing('shutdown', act('terminate-hard')),
  suspend_driver_failure: failing('save', act('suspend')),
  stop_driver_failure: failing('save', act('stop')),
  resize_driver_failure: failing('resize', resize),
  diskresize_driver_failure: failing('diskResize', grow),
  reboot_driver_failure: act('reboot'),
  terminate_epilog_failure: failing('epilog', act('terminate')),
  epilog_failure_recover_success: recover(SUCCESS),
  resume_poweroff_driver_failure: failing('deploy', act('resume')),
  resume_suspended_driver_failure: failing('restore', act('resume')),
  monitor_unknown: seen('FAILURE'),
  unknown_monitor_running: seen('RUNNING'),
  monitor_poweroff: seen('POWEROFF'),
};

/** Where the recorded drivers were slower or faster than a second an action: only the order of states counts. */
const OTHER_PACE: ReadonlySet<string> = new Set([
  'diskresize_poweroff',
  'diskresize_undeployed',
  'prolog_failure_recover_success',
  'monitor_unknown',
  'unknown_monitor_running',
  'monitor_poweroff',
]);

const stateOf = (numbers: string): State => {
  const found = Object.entries(STATES).find(([, { state, lcm }]) => `${state}/${lcm}` === numbers);
  return found?.[0] as State;
};

/** Where a VM that is new in the recording stood before the call. */
const startOf = (name: string, { 'polled(ms,STATE/LCM)': polled }: Timeline): State =>
  name === 'release_hold' ? 'HOLD' : stateOf(polled[0]?.[1] ?? '');

describe('an operation with a driver that takes a second for each action', () => {
  it('is known for each recorded case', () => {
    expect(Object.keys(CALLS).sort()).toEqual(Object.keys(timelines).sort());
  });

  /** VMs by their recorded id; those that the monitor was asked about come last, without one. */
  const scenes = new Map<unknown, Scene>();
  for (const [name, timeline] of Object.entries(timelines)) {
    it(`${name} goes as oned did it`, () => {
      const id = timeline.result?.[0] === true && timeline.result[1] !== 0 ? timeline.result[1] : undefined;
      let scene = id === undefined ? [...scenes.values()].at(-1) : scenes.get(id);
      // Where the recording goes on with a VM that runs again, what was done for that was not recorded.
      if (scene === undefined || (startOf(name, timeline) === 'RUNNING' && scene.vm.state !== 'RUNNING')) {
        const cloud = furnishedCloud({ ...BY_THE_SECOND, schedulerIntervalMs: 86_400_000 });
        scene = sceneIn(cloud, startOf(name, timeline));
        scenes.set(id ?? name, scene);
      }
      const { cloud, vm } = scene;
      const began = cloud.clock.now;
      const events: [number, string][] = [];
      cloud.observe({
        vmState({ state }) {
          const shown = STATES[state].state === 3 ? `ACTIVE/${state}` : `${state}/LCM_INIT`;
          events.push([(cloud.clock.now - began) / 1000, shown]);
        },
      });
      const returned = (CALLS[name] as Call)(scene);
      cloud.clock.advanceNow(10_000);
      cloud.judge.disarmAll();
      // oned shows ACTIVE/LCM_INIT on the way from a state without a host; what happened at 0 ms came before the call.
      const recorded = timeline['events(ms)'].filter(([ms, event]) => ms > 0 && event !== 'ACTIVE/LCM_INIT');
      expect(events.map(([, event]) => event)).toEqual(recorded.map(([, event]) => event));
      if (!OTHER_PACE.has(name)) {
        expect(events.map(([s]) => s)).toEqual(recorded.map(([ms]) => Math.round(ms / 1000)));
      }
      if (timeline.result !== null) expect(returned).toBe(timeline.result[1] === 0 ? 0 : vm.id);
    });
  }
});

describe('a driver that fails', () => {
  const failed = (action: string, message: string, call: Call, road = 'RUNNING') => {
    const scene = sceneIn(furnishedCloud(), road);
    scene.fail(action, message);
    call(scene);
    scene.cloud.clock.advanceNow(60_000);
    return scene;
  };

  it.each([
    ['deploy', 'no KVM', 'PENDING', deploy, 'BOOT_FAILURE', 'DEPLOY: no KVM'],
    ['prolog', 'no room', 'PENDING', deploy, 'PROLOG_FAILURE', 'Error executing image transfer script: no room'],
    ['shutdown', 'no answer', 'RUNNING', act('poweroff'), 'RUNNING', 'SHUTDOWN: no answer'],
    ['resize', 'no memory', 'RUNNING', resize, 'RUNNING', 'RESIZE: no memory'],
  ] as const)('%s leaves its text in the user template', (action, message, road, call, state, text) => {
    const { cloud, vm } = failed(action, message, call, road);
    expect(vm.state).toBe(state);
    expect(vm.userTemplate.get('ERROR')).toMatch(/^Sat Nov 21 00:0[01]:\d\d 2026: /);
    expect(vm.userTemplate.get('ERROR')?.slice(26)).toBe(text);
    cloud.judge.disarmAll();
    cloud.call(ADMIN_SESSION, 'one.vm.recover', vm.id, RETRY);
    cloud.clock.advanceNow(60_000);
    expect(vm.state).toBe('RUNNING');
    expect(vm.userTemplate.get('ERROR')?.slice(26)).toBe(text);
  });

  it('has 100 characters of its text kept, the date not counted, as recorded', () => {
    const said = 'ERROR MESSAGE --8<------ Scripted dummy clone failure ERROR MESSAGE ------>8--';
    const { vm } = failed('prolog', said, deploy, 'PENDING');
    expect(vm.userTemplate.get('ERROR')?.slice(26)).toBe(
      'Error executing image transfer script: ERROR MESSAGE --8<------ Scripted dummy clone failure ERROR M... see more details in VM log',
    );
  });

  it.each(['', '-'])('and says %j leaves nothing', (message) => {
    expect(failed('deploy', message, deploy, 'PENDING').vm.userTemplate.has('ERROR')).toBe(false);
  });

  it('in a hot resize puts everything back, but for a VCPU that the VM did not have before', () => {
    const call: Call = ({ cloud, vm }) => cloud.call(TESTER, 'one.vm.resize', vm.id, 'CPU=2\nVCPU=2\nMEMORY=999', true);
    const { cloud, vm } = failed('resize', '', call);
    expect(vm).toMatchObject({ state: 'RUNNING', cpu: 0.1, memoryMiB: 128, vcpu: 2 });
    expect(cloud.hosts.get(0)).toMatchObject({ usedCpu: 10, usedMemKb: 128 * 1024 });
    expect(cloud.quotas.user(vm.uid).find({ kind: 'VM', id: -1 })?.used('MEMORY')).toBe(128);
  });

  it('in a disk resize puts the size back', () => {
    const { cloud, vm } = failed('diskResize', '', grow);
    expect(vm.disks[0]?.sizeMiB).toBe(200);
    expect(cloud.quotas.user(vm.uid).find({ kind: 'VM', id: -1 })?.used('SYSTEM_DISK_SIZE')).toBe(200);
  });
});

describe('a fault of the driver', () => {
  it('that delays makes the action last so much longer', () => {
    const scene = sceneOn(furnishedCloud());
    scene.cloud.judge.arm({ selector: { layer: 'vm', operation: 'prolog' }, effect: { do: 'delay', ms: 7000 } });
    scene.deploy();
    scene.cloud.clock.advanceNow(7499);
    expect(scene.vm.state).toBe('PROLOG');
    scene.cloud.clock.advanceNow(1);
    expect(scene.vm.state).toBe('BOOT');
  });

  it.each([
    ['success', 1, 'RUNNING'],
    ['failure', 0, 'BOOT_FAILURE'],
    ['delete', 3, 'DONE'],
  ])('that sticks leaves the VM until someone recovers it with %s', (_, operation, state) => {
    const scene = sceneOn(furnishedCloud());
    const { cloud, vm } = scene;
    cloud.judge.arm({ selector: { layer: 'vm', operation: 'deploy' }, effect: { do: 'stick' } });
    scene.deploy();
    cloud.clock.advanceNow(3_600_000);
    expect(vm.state).toBe('BOOT');
    cloud.call(ADMIN_SESSION, 'one.vm.recover', vm.id, operation);
    expect(vm.state).toBe(state);
  });

  it('that sticks is over when the step is retried', () => {
    const scene = sceneOn(furnishedCloud());
    const { cloud, vm } = scene;
    cloud.judge.arm({ selector: { layer: 'vm' }, trigger: { times: 1 }, effect: { do: 'stick' } });
    scene.deploy();
    cloud.call(ADMIN_SESSION, 'one.vm.recover', vm.id, RETRY);
    cloud.clock.advanceNow(1000);
    expect(vm.state).toBe('RUNNING');
  });

  it('is not asked about a step that only passes by', () => {
    const scene = sceneIn(furnishedCloud(), 'EPILOG_FAILURE');
    const fault = scene.cloud.judge.arm({ selector: { layer: 'vm' }, effect: { do: 'fail' } });
    const steps = scene.vm.steps;
    scene.cloud.call(ADMIN_SESSION, 'one.vm.recover', scene.vm.id, SUCCESS);
    expect(scene.vm).toMatchObject({ state: 'DONE', steps });
    expect(fault.seen).toBe(0);
  });
});

describe('the name that the hypervisor gives a VM', () => {
  it('is there from the first boot on, and stays', () => {
    const scene = sceneIn(furnishedCloud(), 'BOOT');
    expect(scene.vm.deployId).toBe('');
    scene.until('RUNNING');
    expect(scene.vm.deployId).toBe('host0:vmx:dummy');
    scene.act('undeploy');
    scene.until('UNDEPLOYED');
    expect(scene.vm.deployId).toBe('host0:vmx:dummy');
  });

  it.each(['BOOT', 'BOOT_FAILURE'])('is made up when an administrator says that a VM in %s has booted', (state) => {
    const scene = sceneIn(furnishedCloud(), state);
    scene.cloud.call(ADMIN_SESSION, 'one.vm.recover', scene.vm.id, SUCCESS);
    expect(scene.vm).toMatchObject({ state: 'RUNNING', deployId: `one-${scene.vm.id}` });
  });

  it('is forgotten when the VM is made anew', () => {
    const scene = sceneIn(furnishedCloud(), 'RUNNING');
    scene.cloud.call(ADMIN_SESSION, 'one.vm.recover', scene.vm.id, RECREATE);
    expect(scene.vm.deployId).toBe('');
  });
});

describe('time', () => {
  it('is drawn for each VM by itself: one more VM changes nothing for another', () => {
    const history = (others: number): number[] => {
      const scene = sceneOn(
        furnishedCloud({ ...BY_THE_SECOND, actions: realistic(), schedulerIntervalMs: 86_400_000 }),
      );
      const times: number[] = [];
      scene.cloud.observe({ vmState: (vm) => void (vm === scene.vm && times.push(scene.cloud.clock.now)) });
      for (let i = 0; i < others; i++) {
        const id = scene.cloud.call(TESTER, 'one.template.instantiate', 0, '');
        scene.cloud.call(ADMIN_SESSION, 'one.vm.deploy', id, 1);
      }
      scene.deploy();
      scene.cloud.clock.advanceNow(600_000);
      return times;
    };
    expect(history(3)).toEqual(history(0));
    expect(history(0)).toHaveLength(3);
  });

  const realistic = () =>
    Object.fromEntries(
      Object.keys(BY_THE_SECOND.actions).map((action) => [action, { lognormal: { median: 3000, p95: 9000 } }]),
    ) as typeof BY_THE_SECOND.actions;
});

describe('a VM that comes to run on a host that is lost', () => {
  it('is UNKNOWN because of the host', () => {
    const scene = sceneOn(furnishedCloud());
    const { cloud, vm } = scene;
    scene.deploy();
    scene.until('BOOT');
    const host = cloud.hosts.get(vm.history.at(-1)?.hostId ?? -1);
    setHostState(cloud, host, 'ERROR');
    cloud.clock.advanceNow(60_000);
    expect(vm.state).toBe('UNKNOWN');
    const entry = [...cloud.journal.since()].find(({ detail }) => detail.to === 'UNKNOWN');
    expect(cloud.journal.entry(entry?.cause ?? 0)).toMatchObject({ kind: 'host.state', subject: `host/${host.id}` });
  });
});
