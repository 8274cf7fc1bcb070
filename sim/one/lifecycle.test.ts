/** The life cycle, checked as tables, and against what a real oned did with each call in each state. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Cloud } from './cloud.ts';
import { ERROR_NUMBERS, OneError } from './error.ts';
import { ACTIONS, FAILURES, GUEST_STATES, OPERATIONS, STATES, STEPS, type State, stepOf } from './lifecycle.ts';
import { report } from './monitoring.ts';
import type { Method } from './operations.ts';
import { ADMIN_SESSION, furnishedCloud, TESTER } from './testing.ts';
import type { Vm } from './vm.ts';

const golden = <T>(name: string): T =>
  JSON.parse(readFileSync(new URL(`../../fixtures/golden/${name}`, import.meta.url), 'utf8')) as T;

describe('the tables', () => {
  it('give every state numbers of its own', () => {
    const numbers = Object.values(STATES).map(({ state, lcm }) => `${state}/${lcm}`);
    expect(new Set(numbers).size).toBe(numbers.length);
  });

  it('let every LCM state be a step, a failure, or one in which nothing is under way', () => {
    const rest = (Object.keys(STATES) as State[]).filter(
      (state) => STATES[state].lcm > 0 && stepOf(state) === undefined && !(state in FAILURES),
    );
    expect(rest.sort()).toEqual(['CLEANUP_DELETE', 'RUNNING', 'UNKNOWN']);
  });

  it('reach every state that oned uses', () => {
    const reached = new Set<string>(['INIT', 'PENDING', 'HOLD', 'CLONING', 'UNKNOWN']);
    reached.add('CLONING_FAILURE');
    for (const edges of [...Object.values(ACTIONS), ...Object.values(OPERATIONS)]) {
      for (const to of Object.values(edges)) reached.add(to);
    }
    for (const step of Object.values(STEPS)) for (const to of [step.ok, step.fail]) reached.add(to);
    reached.add('CLEANUP_RESUBMIT');
    expect(Object.keys(STATES).filter((state) => !reached.has(state))).toEqual([]);
  });

  it('end every guest in a state in which it no longer runs, or in RUNNING', () => {
    for (const state of GUEST_STATES) {
      const step = stepOf(state);
      if (step === undefined) continue;
      expect(GUEST_STATES.has(step.fail), `${state} failing`).toBe(true);
    }
  });
});

// ---- what oned did ------------------------------------------------------------------------------------------------

interface Scene {
  readonly cloud: Cloud;
  readonly vm: Vm;
  act(name: string): void;
  deploy(): void;
  /** Lets the driver go on until the VM is in a state. */
  until(state: State): void;
  fail(action: string): void;
}

/** How a VM gets into each state of the recording. */
const ROADS: Readonly<Record<string, (scene: Scene) => void>> = {
  PENDING: () => {},
  HOLD: ({ act }) => act('hold'),
  RUNNING: running,
  POWEROFF: (scene) => settled(scene, 'poweroff', 'POWEROFF'),
  SUSPENDED: (scene) => settled(scene, 'suspend', 'SUSPENDED'),
  STOPPED: (scene) => settled(scene, 'stop', 'STOPPED'),
  UNDEPLOYED: (scene) => settled(scene, 'undeploy', 'UNDEPLOYED'),
  DONE: ({ act }) => act('terminate'),
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
    scene.cloud.call(TESTER, 'one.vm.resize', scene.vm.id, 'CPU=1\nMEMORY=64', true);
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
    begun(scene, 'terminate');
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
    failing(scene, 'prolog', 'PROLOG_RESUME_FAILURE');
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
    begun(scene, 'terminate');
    scene.fail('epilog');
    scene.until('EPILOG_FAILURE');
  },
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
function failing({ fail, deploy, until }: Scene, action: string, state: State): void {
  fail(action);
  deploy();
  until(state);
}

/** A VM of tester's, in PENDING, on a cloud whose scheduler is not heard of: its rounds are a day apart. */
function scene(): Scene {
  const cloud = furnishedCloud();
  const { clock, judge } = cloud;
  const vm = cloud.vms.get(cloud.call(TESTER, 'one.template.instantiate', 0, 'vmx'));
  return {
    cloud,
    vm,
    act: (name) => void cloud.call(TESTER, 'one.vm.action', name, vm.id),
    deploy: () => void cloud.call(ADMIN_SESSION, 'one.vm.deploy', vm.id, 0),
    until(state) {
      for (let events = 0; vm.state !== state; events++) {
        if (events > 20) throw new Error(`VM is ${vm.state}, not ${state}`);
        clock.advanceNow((clock.nextDue ?? clock.now) - clock.now);
      }
      judge.disarmAll();
    },
    fail(action) {
      judge.arm({ selector: { layer: 'vm', action }, effect: { do: 'fail' } });
    },
  };
}

interface Recorded {
  readonly result: readonly [boolean, string | number, number];
  /** The states that oned published, in order. */
  readonly events?: readonly string[];
  readonly after?: string;
}

describe('a call in a state, as oned answered it', () => {
  const matrix = golden<Record<string, Record<string, Recorded>>>('vm-matrix.json');
  const calls = golden<Record<string, { method: Method; args: unknown[]; auth: string }>>('vm-matrix-calls.json');

  it('is recorded for every state that a road leads to', () => {
    expect(Object.keys(ROADS).sort()).toEqual(Object.keys(matrix).sort());
  });

  for (const [state, row] of Object.entries(matrix)) {
    describe(state, () => {
      for (const [operation, recorded] of Object.entries(row)) {
        it(operation, () => {
          const { cloud, vm, ...rest } = scene();
          ROADS[state]?.({ cloud, vm, ...rest });
          expect(vm.state).toBe(state);
          const seen: string[] = [];
          cloud.observe({ vmState: ({ state: next }) => void seen.push(published(next)) });
          const { method, args, auth } = calls[operation] as (typeof calls)[string];
          const actual = answer(() =>
            (cloud.call as (...args: unknown[]) => unknown).call(
              cloud,
              auth,
              method,
              ...args.map((arg) => (arg === '$VM' ? vm.id : arg)),
            ),
          );
          expect(actual).toEqual(mapped(recorded.result, vm.id, operation));
          if (recorded.events === undefined) return;
          // oned shows ACTIVE/LCM_INIT on the way from a state without a host to the first step.
          const events = recorded.events.filter((event) => event !== 'ACTIVE/LCM_INIT');
          for (let i = 0; seen.length < events.length && i < 20; i++) {
            cloud.clock.advanceNow((cloud.clock.nextDue ?? cloud.clock.now) - cloud.clock.now);
          }
          expect(seen.slice(0, Math.max(events.length, 0))).toEqual(events);
        });
      }
    });
  }
});

const published = (state: State): string => (STATES[state].state === 3 ? `ACTIVE/${state}` : `${state}/LCM_INIT`);

function answer(call: () => unknown): readonly [boolean, unknown, number] {
  try {
    return [true, call(), 0];
  } catch (error) {
    if (!(error instanceof OneError)) throw error;
    return [false, error.message, ERROR_NUMBERS[error.code]];
  }
}

/** The recording with our VM's id for the recorded one. */
function mapped(result: Recorded['result'], id: number, operation: string): readonly unknown[] {
  const [ok, value, code] = result;
  if (ok) return [true, operation === 'diskresize' ? value : id, code];
  return [false, String(value).replaceAll(/VM (\[?)\d+/g, (_, bracket: string) => `VM ${bracket}${id}`), code];
}
