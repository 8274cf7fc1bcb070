/** For tests: a VM, and how to get it into each state that a real oned was recorded in. */
import type { Cloud } from '../cloud.ts';
import { ADMIN_SESSION, TESTER } from '../testing.ts';
import type { State } from './lifecycle.ts';
import { report } from './monitoring.ts';
import type { Vm } from './vm.ts';

export interface Scene {
  readonly cloud: Cloud;
  readonly vm: Vm;
  act(name: string): void;
  deploy(): void;
  /** Lets the driver go on until the VM is in a state. */
  until(state: State): void;
  /** Makes an action of the driver fail, with a text. */
  fail(action: string, message?: string): void;
}

/** How a VM gets into each state of the recording. */
export const ROADS: Readonly<Record<string, (scene: Scene) => void>> = {
  PENDING: () => {},
  HOLD: () => {},
  RUNNING: running,
  POWEROFF: (scene) => settled(scene, 'poweroff', 'POWEROFF'),
  SUSPENDED: (scene) => settled(scene, 'suspend', 'SUSPENDED'),
  STOPPED: (scene) => settled(scene, 'stop', 'STOPPED'),
  UNDEPLOYED: (scene) => settled(scene, 'undeploy', 'UNDEPLOYED'),
  DONE: (scene) => settled(scene, 'terminate-hard', 'DONE'),
  UNKNOWN: (scene) => {
    running(scene);
    report(scene.cloud, scene.vm, 'FAILURE');
  },
  PROLOG: ({ deploy }) => deploy(),
  BOOT: ({ deploy, until }) => {
    deploy();
    until('BOOT');
  },
  HOTPLUG_RESIZE: (scene) => {
    running(scene);
    scene.cloud.call(TESTER, 'one.vm.resize', scene.vm.id, 'CPU=1\nVCPU=1\nMEMORY=192', true);
  },
  DISK_RESIZE: (scene) => {
    running(scene);
    scene.cloud.call(TESTER, 'one.vm.diskresize', scene.vm.id, 0, '300');
  },
  SHUTDOWN: (scene) => begun(scene, 'terminate'),
  SHUTDOWN_POWEROFF: (scene) => begun(scene, 'poweroff'),
  SHUTDOWN_UNDEPLOY: (scene) => begun(scene, 'undeploy'),
  SAVE_SUSPEND: (scene) => begun(scene, 'suspend'),
  SAVE_STOP: (scene) => begun(scene, 'stop'),
  EPILOG: (scene) => {
    begun(scene, 'terminate-hard');
    scene.until('EPILOG');
  },
  BOOT_POWEROFF: (scene) => {
    settled(scene, 'poweroff', 'POWEROFF');
    scene.act('resume');
  },
  BOOT_SUSPENDED: (scene) => {
    settled(scene, 'suspend', 'SUSPENDED');
    scene.act('resume');
  },
  PROLOG_RESUME: (scene) => {
    settled(scene, 'stop', 'STOPPED');
    scene.deploy();
  },
  PROLOG_FAILURE: (scene) => failing(scene, 'prolog', 'PROLOG_FAILURE'),
  BOOT_FAILURE: (scene) => failing(scene, 'deploy', 'BOOT_FAILURE'),
  PROLOG_RESUME_FAILURE: (scene) => {
    settled(scene, 'stop', 'STOPPED');
    failing(scene, 'prolog', 'PROLOG_RESUME_FAILURE', tmFailure('mv'));
  },
  BOOT_STOPPED_FAILURE: (scene) => {
    settled(scene, 'stop', 'STOPPED');
    failing(scene, 'restore', 'BOOT_STOPPED_FAILURE');
  },
  BOOT_UNDEPLOY_FAILURE: (scene) => {
    settled(scene, 'undeploy', 'UNDEPLOYED');
    failing(scene, 'deploy', 'BOOT_UNDEPLOY_FAILURE');
  },
  EPILOG_FAILURE: (scene) => {
    begun(scene, 'terminate-hard');
    scene.fail('epilog');
    scene.until('EPILOG_FAILURE');
  },
};

/** What the recorded drivers said when they were made to fail. */
const tmFailure = (script: string): string =>
  `ERROR MESSAGE --8<------ Scripted dummy ${script} failure ERROR MESSAGE ------>8--`;
const SAID: Readonly<Record<string, string>> = {
  deploy: 'host0:vmx:dummy',
  prolog: tmFailure('clone'),
  epilog: tmFailure('delete'),
};

function running({ deploy, until }: Scene): void {
  deploy();
  until('RUNNING');
}

function begun(scene: Scene, action: string): void {
  running(scene);
  scene.act(action);
}

function settled(scene: Scene, action: string, state: State): void {
  begun(scene, action);
  scene.until(state);
}

/** Deploys with a driver that fails. */
function failing({ fail, deploy, until }: Scene, action: string, state: State, message?: string): void {
  fail(action, message);
  deploy();
  until(state);
}

/** A VM of tester's, in PENDING or HOLD, on a cloud with VM template 0 whose scheduler is not to be heard of. */
export function sceneOn(cloud: Cloud, hold = false): Scene {
  const { clock, judge } = cloud;
  const vm = cloud.vms.get(cloud.call(TESTER, 'one.template.instantiate', 0, 'vmx', hold));
  return {
    cloud,
    vm,
    act: (name) => void cloud.call(TESTER, 'one.vm.action', name, vm.id),
    deploy: () => void cloud.call(ADMIN_SESSION, 'one.vm.deploy', vm.id, 0),
    until(next) {
      for (let events = 0; vm.state !== next; events++) {
        if (events > 20) throw new Error(`VM is ${vm.state}, not ${next}`);
        clock.advanceNow((clock.nextDue ?? clock.now) - clock.now);
      }
      judge.disarmAll();
    },
    fail(action, message = SAID[action] ?? '') {
      judge.arm({ selector: { layer: 'vm', operation: action }, effect: { do: 'fail', message } });
    },
  };
}

/** As {@link sceneOn}, with the VM in a state. */
export function sceneIn(cloud: Cloud, state: string): Scene {
  const scene = sceneOn(cloud, state === 'HOLD');
  ROADS[state]?.(scene);
  if (scene.vm.state !== state) throw new Error(`the road to ${state} leads to ${scene.vm.state}`);
  return scene;
}
