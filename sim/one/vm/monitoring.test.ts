/** What probes report of VMs and hosts, and what becomes of it. */
import { describe, expect, it } from 'vitest';
import { addHost, setHostState } from '../resources/host.ts';
import { ADMIN_SESSION, furnishedCloud, TESTER } from '../testing.ts';
import type { State } from './lifecycle.ts';
import { type Report, report } from './monitoring.ts';
import { ROADS, type Scene, sceneIn } from './scene.ts';

const at = (state: string): Scene => sceneIn(furnishedCloud(), state);

function seen(scene: Scene, what: Report): State[] {
  const states: State[] = [];
  scene.cloud.observe({ vmState: ({ state }) => void states.push(state) });
  report(scene.cloud, scene.vm, what);
  return states;
}

const EXPECTED: Readonly<Record<Report, Readonly<Record<string, readonly State[]>>>> = {
  RUNNING: {
    UNKNOWN: ['RUNNING'],
    BOOT: ['RUNNING'],
    BOOT_POWEROFF: ['RUNNING'],
    BOOT_SUSPENDED: ['RUNNING'],
    BOOT_FAILURE: ['RUNNING'],
    BOOT_STOPPED_FAILURE: ['RUNNING'],
    BOOT_UNDEPLOY_FAILURE: ['RUNNING'],
  },
  POWEROFF: {
    RUNNING: ['SHUTDOWN_POWEROFF', 'POWEROFF'],
    UNKNOWN: ['SHUTDOWN_POWEROFF', 'POWEROFF'],
    SHUTDOWN: ['EPILOG'],
    SHUTDOWN_POWEROFF: ['POWEROFF'],
    SHUTDOWN_UNDEPLOY: ['EPILOG_UNDEPLOY'],
  },
  SUSPENDED: { RUNNING: ['SAVE_SUSPEND', 'SUSPENDED'], UNKNOWN: ['SAVE_SUSPEND', 'SUSPENDED'] },
  FAILURE: { RUNNING: ['UNKNOWN'] },
};

describe.each(Object.keys(EXPECTED) as Report[])('a VM that is reported as %s', (what) => {
  it.each(Object.keys(ROADS))('while oned has it in %s', (state) => {
    expect(seen(at(state), what)).toEqual(EXPECTED[what][state] ?? []);
  });
});

describe('a VM that is seen running though it was stopped', () => {
  it.each(['POWEROFF', 'SUSPENDED'])('comes back from %s, but not within 30 s', (state) => {
    const scene = at(state);
    const { cloud, vm } = scene;
    cloud.clock.advanceNow(29_000);
    expect(seen(scene, 'RUNNING')).toEqual([]);
    cloud.clock.advanceNow(1000);
    expect(seen(scene, 'RUNNING')).toEqual(['RUNNING']);
    expect(vm.history.map(({ action, uid }) => [action, uid])).toEqual([
      [state === 'POWEROFF' ? 19 : 10, 2],
      [44, -1],
    ]);
    expect(cloud.quotas.user(vm.uid).find({ kind: 'VM', id: -1 })?.used('RUNNING_VMS')).toBe(1);
  });

  it('has booted if it was off, and not if it was suspended', () => {
    const boots = (state: string): number[] => {
      const scene = at(state);
      scene.cloud.clock.advanceNow(60_000);
      report(scene.cloud, scene.vm, 'RUNNING');
      return scene.vm.spans.map(({ boot }) => boot);
    };
    expect([boots('POWEROFF'), boots('SUSPENDED')]).toEqual([
      [1, 2],
      [1, 1],
    ]);
  });
});

it('a VM that is found stopped has its record marked by the monitor, and loses its rescheduling flag', () => {
  for (const what of ['POWEROFF', 'SUSPENDED', 'FAILURE'] as const) {
    const { cloud, vm } = at('RUNNING');
    vm.resched = true;
    report(cloud, vm, what);
    expect(vm.resched).toBe(false);
    expect(vm.history.at(-1)).toMatchObject({ action: what === 'FAILURE' ? 0 : 44, uid: -1 });
  }
});

it('no driver is asked for what has happened already', () => {
  const { cloud, vm } = at('RUNNING');
  const fault = cloud.judge.arm({ selector: { layer: 'vm' }, effect: { do: 'fail' } });
  report(cloud, vm, 'POWEROFF');
  expect(vm.state).toBe('POWEROFF');
  expect(fault.seen).toBe(0);
});

describe('a host', () => {
  it('that is lost makes its running VMs unknown, and no others; when it is back they run', () => {
    const { cloud, vm } = at('RUNNING');
    const off = cloud.vms.get(cloud.call(TESTER, 'one.template.instantiate', 0, 'off'));
    const elsewhere = cloud.vms.get(cloud.call(TESTER, 'one.template.instantiate', 0, 'elsewhere'));
    cloud.call(ADMIN_SESSION, 'one.vm.deploy', off.id, 0);
    cloud.call(ADMIN_SESSION, 'one.vm.deploy', elsewhere.id, 1);
    cloud.clock.advanceNow(60_000);
    cloud.call(TESTER, 'one.vm.action', 'poweroff', off.id);
    cloud.clock.advanceNow(60_000);
    const states = () => [vm, off, elsewhere].map(({ state }) => state);
    setHostState(cloud, cloud.hosts.get(0), 'ERROR');
    expect(states()).toEqual(['UNKNOWN', 'POWEROFF', 'RUNNING']);
    expect(vm.spans.at(-1)?.to).toBe(cloud.clock.now);
    setHostState(cloud, cloud.hosts.get(0), 'MONITORED');
    expect(states()).toEqual(['RUNNING', 'POWEROFF', 'RUNNING']);
    expect(vm.spans.map(({ boot }) => boot)).toEqual([1, 1]);
  });

  it('that is lost while a VM boots does not let it run', () => {
    const scene = at('BOOT');
    setHostState(scene.cloud, scene.cloud.hosts.get(0), 'ERROR');
    scene.cloud.clock.advanceNow(60_000);
    expect(scene.vm.state).toBe('UNKNOWN');
  });

  it.each([
    ['disabled', 1],
    ['taken offline', 2],
  ])('that is %s keeps its VMs', (_, status) => {
    const { cloud, vm } = at('RUNNING');
    cloud.call(ADMIN_SESSION, 'one.host.status', 0, status);
    expect(vm.state).toBe('RUNNING');
    expect([...cloud.hosts.get(0).vms]).toEqual([vm.id]);
  });

  it('that a VM was on once may be gone', () => {
    const scene = at('UNDEPLOYED');
    const { cloud, vm } = scene;
    cloud.call(ADMIN_SESSION, 'one.host.delete', 0);
    cloud.call(TESTER, 'one.vm.resize', vm.id, 'CPU=1', true);
    cloud.call(TESTER, 'one.vm.diskresize', vm.id, 0, '300');
    cloud.clock.advanceNow(60_000);
    addHost(cloud, { name: 'host0', imMad: 'dummy', vmMad: 'dummy' });
    cloud.call(ADMIN_SESSION, 'one.vm.deploy', vm.id, 2);
    cloud.clock.advanceNow(60_000);
    expect(vm.state).toBe('RUNNING');
    cloud.call(ADMIN_SESSION, 'one.vm.recover', vm.id, 3);
    expect(vm.state).toBe('DONE');
  });
});
