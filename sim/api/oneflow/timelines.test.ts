import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { inALine, RecordedCloud } from './recorded.ts';

type Timeline = { readonly service: number; readonly states: readonly (readonly [number, string])[] };

const TIMELINES = JSON.parse(
  readFileSync(new URL('../../../fixtures/golden/oneflow-timelines.json', import.meta.url), 'utf8'),
) as Readonly<Record<string, Timeline>>;

const TICK_MS = 10;
const FAR_MS = 40_000;

/** What a service goes through from now on, from tick to tick. */
function watch(one: RecordedCloud, id: number, act: () => void, forMs = FAR_MS): string[] {
  const states = [inALine(one.cloud, id)];
  const look = (): void => {
    const now = inALine(one.cloud, id);
    if (now !== states.at(-1)) states.push(now);
  };
  act();
  look();
  for (let ms = 0; ms < forMs; ms += TICK_MS) {
    one.wait(TICK_MS);
    look();
  }
  return states;
}

/** A service of the tester in some state; the VM of its first role is VM 0. */
interface Stage {
  readonly one: RecordedCloud;
  readonly id: number;
  /** What the tester asks of OneFlow. */
  readonly ask: {
    delete: () => void;
    recover: (options?: { delete: boolean }) => void;
    scale: (cardinality: number) => void;
    release: () => void;
  };
  /** What happens to its first VM. */
  readonly vm: {
    action: (name: string) => void;
    fails: () => void;
    becomes: (state: 'UNKNOWN' | 'RUNNING') => void;
    says: (text: string) => void;
  };
}

const role = { name: 'FAAS', cardinality: 1, vm_template: 0 };
const PARENT_AND_CHILD = {
  name: 'PC',
  deployment: 'straight',
  roles: [role, { name: 'DAAS', cardinality: 1, vm_template: 0, parents: ['FAAS'] }],
};
const HELD = { name: 'HOLD', deployment: 'straight', roles: [role], on_hold: true };
const GATE = { name: 'GATE', deployment: 'straight', roles: [role], ready_status_gate: true };

/** @param what a service template of the cloud by name, or one of its own */
async function stage(what: string | typeof HELD | typeof GATE | typeof PARENT_AND_CHILD): Promise<Stage> {
  const one = RecordedCloud.furnished();
  const { cloud } = one;
  const { id } = typeof what === 'string' ? one.deploy(0, what) : await one.instantiate(0, what);
  const tester = cloud.authenticate('tester:testerpass', 'one.user.info');
  const first = () => cloud.vms.get(0);
  return {
    one,
    id,
    ask: {
      delete: () => cloud.flow.delete(tester, id),
      recover: (options) => {
        // OneFlow answers a failing recover with an error; what became of the service is what is looked at here.
        try {
          cloud.flow.recover(tester, id, options);
        } catch (error) {
          expect((error as Error).message).toBe('Error undeploying role FAAS: Error undeploying nodes for role `FAAS`');
        }
      },
      scale: (cardinality) => cloud.flow.scale(tester, id, 'FAAS', cardinality, false),
      release: () => cloud.flow.release(tester, id),
    },
    vm: {
      action: (name) => cloud.run(cloud.root, 'one.vm.action', name, 0),
      fails: () => cloud.driver.finish(first(), false, 'no'),
      becomes: (state) => cloud.driver.enter(first(), state),
      says: (text) => cloud.run(cloud.root, 'one.vm.update', 0, text, 1),
    },
  };
}

/** The same, once it runs. */
async function running(...what: Parameters<typeof stage>): Promise<Stage> {
  const made = await stage(...what);
  made.one.wait();
  made.one.wait();
  return made;
}

async function cooling(): Promise<Stage> {
  const made = await running('Function');
  made.ask.scale(2);
  made.one.wait();
  return made;
}

/** With one VM, as it was from the start. */
async function cooledDown(): Promise<Stage> {
  const made = await cooling();
  made.ask.recover();
  made.ask.scale(1);
  made.one.wait();
  return made;
}

async function booting(): Promise<Stage> {
  const made = await stage('Function');
  made.one.wait(1_700);
  return made;
}

async function failedToBoot(): Promise<Stage> {
  const made = await booting();
  made.vm.fails();
  made.one.wait(31_000);
  return made;
}

async function failedToClear(): Promise<Stage> {
  const made = await running('Function');
  made.ask.delete();
  made.one.wait(700);
  made.vm.fails();
  made.one.wait(31_000);
  return made;
}

async function worried(how: 'poweroff' | 'unknown'): Promise<Stage> {
  const made = await running('Function');
  if (how === 'unknown') made.vm.becomes('UNKNOWN');
  else made.vm.action('poweroff');
  made.one.wait();
  return made;
}

/** What leads to a timeline's first state, and what happens then. */
const SCRIPTS: Readonly<
  Record<string, readonly [Promise<Stage> | (() => Promise<Stage>), (stage: Stage) => void, number?]>
> = {
  instantiate_to_running: [() => stage('Function'), () => {}],
  scale_up: [() => running('Function'), ({ ask }) => ask.scale(2)],
  scale_down: [
    async () => {
      const made = await cooling();
      made.ask.recover();
      return made;
    },
    ({ ask }) => ask.scale(1),
  ],
  vm_poweroff: [() => running('Function'), ({ vm }) => vm.action('poweroff')],
  vm_resume: [() => worried('poweroff'), ({ vm }) => vm.action('resume')],
  vm_unknown: [() => running('Function'), ({ vm }) => vm.becomes('UNKNOWN')],
  vm_unknown_back: [() => worried('unknown'), ({ vm }) => vm.becomes('RUNNING')],
  delete_running: [() => running('Function'), ({ ask }) => ask.delete()],
  vm_terminated_behind: [() => running('Function'), ({ vm }) => vm.action('terminate')],
  recover_delete_deploying: [booting, ({ ask }) => ask.recover({ delete: true })],
  recover_delete_vm_pending: [() => stage('Function'), ({ ask }) => ask.recover({ delete: true })],
  boot_failure: [booting, ({ vm }) => vm.fails()],
  recover_failed_deploying: [failedToBoot, ({ ask }) => ask.recover()],
  recover_delete_failed: [
    async () => {
      const made = await booting();
      made.vm.fails();
      return made;
    },
    ({ ask }) => ask.recover({ delete: true }),
  ],
  instantiate_failure: [() => stage('FAILED_DEPLOY'), () => {}],
  epilog_failure: [
    () => running('Function'),
    ({ ask, vm, one }) => {
      ask.delete();
      one.wait(700);
      vm.fails();
    },
  ],
  recover_failed_undeploying: [failedToClear, ({ ask }) => ask.recover()],
  shutdown_failure: [
    () => running('Function'),
    ({ ask, vm }) => {
      ask.delete();
      vm.fails();
    },
  ],
  straight_parents: [() => stage(PARENT_AND_CHILD), () => {}],
  straight_parents_delete: [() => running(PARENT_AND_CHILD), ({ ask }) => ask.delete()],
  two_roles: [() => stage('Function-Data'), () => {}],
  two_roles_delete: [() => running('Function-Data'), ({ ask }) => ask.delete()],
  on_hold: [() => stage(HELD), () => {}],
  release: [() => stage(HELD), ({ ask }) => ask.release()],
  gate_ready: [() => running(GATE), ({ vm }) => vm.says('READY=YES')],
  vm_suspend: [() => running('Function'), ({ vm }) => vm.action('suspend')],
  vm_suspend_resume: [
    async () => {
      const made = await running('Function');
      made.vm.action('suspend');
      made.one.wait();
      return made;
    },
    ({ vm }) => vm.action('resume'),
  ],
  recover_cooldown: [cooling, ({ ask }) => ask.recover()],
  delete_cooldown: [
    cooledDown,
    ({ ask }) => expect(ask.delete).toThrow('Service cannot be undeployed in state: COOLDOWN'),
  ],
  delete_warning: [() => worried('poweroff'), ({ ask }) => ask.delete()],
};

/** The recordings looked every few milliseconds, so a state that lasts for less is sometimes in them and sometimes not. */
const SHORT = /^(DEPLOYING_NETS|UNDEPLOYING_NETS) /;

/** In `two_roles` both VMs became RUNNING at different times; here they do at the same. */
const STAGGERED = new Set(['two_roles', 'two_roles_delete']);

describe('the recorded timelines of services', () => {
  test.each(Object.keys(TIMELINES))('%s', async (name) => {
    const [prepare, act] = SCRIPTS[name] ?? [];
    if (typeof prepare !== 'function' || act === undefined) throw new Error(`no script for ${name}`);
    const made = await prepare();
    const seen = watch(made.one, made.id, () => act(made));
    const recorded = (TIMELINES[name]?.states ?? []).map(([, state]) => state);
    const long = (states: readonly string[]): string[] => states.filter((state) => !SHORT.test(state));
    if (STAGGERED.has(name)) {
      expect(long(recorded)).toEqual(expect.arrayContaining(long(seen)));
      expect(seen.at(-1)).toBe(recorded.at(-1));
    } else {
      expect(long(seen)).toEqual(long(recorded));
    }
    for (const state of recorded) if (state.startsWith('UNDEPLOYING_NETS')) expect(seen).toContain(state);
  });
});
