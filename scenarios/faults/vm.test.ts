/** Faults of VMs: what causes them, what every API shows, and how it ends. */
import { describe, expect, it } from 'vitest';
import { trial } from './trial.ts';

const MINUTE = 60_000;
const on = (operation: string) => ({ layer: 'vm', operation });
const WELL = { engine: 'RUNNING', oned: 'RUNNING', oneflow: 'RUNNING', metrics: true };

it('nothing is wrong without a fault', async () => {
  const { symptoms, pass } = await trial();
  await pass(MINUTE);
  expect(await symptoms()).toEqual(WELL);
});

describe('fail', () => {
  it('shows at every API, leads back to the fault, and is over when the boot is tried again', async () => {
    const { arm, symptoms, pass, rpc, vm, vmInfo, blames, fault } = await trial();
    const id = await arm({ selector: on('deploy'), effect: { do: 'fail', message: 'No KVM' }, budget: { hits: 1 } });
    await pass(MINUTE);
    expect(await symptoms()).toEqual({
      engine: 'ERROR',
      oned: 'BOOT_FAILURE',
      oneflow: 'FAILED_DEPLOYING',
      metrics: false,
    });
    expect(await vmInfo('ERROR')).toMatch(/DEPLOY: No KVM$/);
    expect(await blames(id)).toBe(true);
    expect(await fault(id)).toMatchObject({ state: 'exhausted', hits: 1, left: 0 });
    await rpc('one.vm.recover', vm, 2);
    await pass(MINUTE);
    expect(await symptoms()).toMatchObject({ engine: 'RUNNING', oned: 'RUNNING', metrics: true });
  });
});

describe('delay', () => {
  it('holds the VM in its state for so much longer', async () => {
    const { arm, symptoms, pass } = await trial();
    await arm({ selector: on('prolog'), effect: { do: 'delay', ms: 10 * MINUTE } });
    await pass(9 * MINUTE);
    expect(await symptoms()).toMatchObject({ engine: 'PENDING', oned: 'PROLOG', oneflow: 'DEPLOYING', metrics: false });
    await pass(2 * MINUTE);
    expect(await symptoms()).toEqual(WELL);
  });
});

describe('stick', () => {
  it('lasts until the fault is removed, however long that is', async () => {
    const { arm, disarm, symptoms, pass, blames } = await trial();
    const id = await arm({ selector: on('deploy'), effect: { do: 'stick' }, budget: { hits: 1 } });
    await pass(600 * MINUTE);
    expect(await symptoms()).toEqual({ engine: 'PENDING', oned: 'BOOT', oneflow: 'DEPLOYING', metrics: false });
    await disarm(id);
    await pass(MINUTE);
    expect(await symptoms()).toEqual(WELL);
    expect(await blames(id)).toBe(true);
  });

  it('ends with the time of its budget', async () => {
    const { arm, symptoms, pass } = await trial();
    await arm({ selector: on('deploy'), effect: { do: 'stick' }, budget: { forMs: 5 * MINUTE } });
    await pass(4 * MINUTE);
    expect(await symptoms()).toMatchObject({ oned: 'BOOT' });
    await pass(3 * MINUTE);
    expect(await symptoms()).toEqual(WELL);
  });
});

describe('late-failure', () => {
  it('breaks what seemed well, and a resume brings it back', async () => {
    const { arm, symptoms, pass, rpc, vm, vmInfo, blames } = await trial();
    const effect = { do: 'late-failure', afterMs: 2 * MINUTE, message: 'Guest panicked' };
    const id = await arm({ selector: on('deploy'), effect, budget: { hits: 1 } });
    await pass(MINUTE);
    expect(await symptoms()).toEqual(WELL);
    await pass(2 * MINUTE);
    expect(await symptoms()).toMatchObject({ engine: 'ERROR', oned: 'UNKNOWN', metrics: false });
    expect(await vmInfo('ERROR')).toMatch(/MONITOR: Guest panicked$/);
    expect(await blames(id)).toBe(true);
    await rpc('one.vm.action', 'resume', vm);
    await pass(MINUTE);
    expect(await symptoms()).toMatchObject({ engine: 'RUNNING', oned: 'RUNNING', metrics: true });
  });

  it('does not come when the fault is removed before', async () => {
    const { arm, disarm, symptoms, pass } = await trial();
    const id = await arm({ selector: on('deploy'), effect: { do: 'late-failure', afterMs: 5 * MINUTE } });
    await pass(MINUTE);
    await disarm(id);
    await pass(10 * MINUTE);
    expect(await symptoms()).toEqual(WELL);
  });
});

describe('done-but-failed', () => {
  const effect = { do: 'done-but-failed', message: 'Timeout' };

  it('a boot: OpenNebula says it failed, the guest runs; the probes put it right after three minutes', async () => {
    const { arm, symptoms, pass, blames } = await trial();
    const id = await arm({ selector: on('deploy'), effect, budget: { hits: 1 } });
    await pass(MINUTE);
    expect(await symptoms()).toMatchObject({ engine: 'ERROR', oned: 'BOOT_FAILURE', metrics: true });
    expect(await blames(id)).toBe(true);
    await pass(3 * MINUTE);
    expect(await symptoms()).toMatchObject({ engine: 'RUNNING', oned: 'RUNNING', metrics: true });
    expect(await blames(id)).toBe(true);
  });

  it('a shutdown: OpenNebula says it runs, the guest is gone', async () => {
    const { arm, symptoms, pass, rpc, vm } = await trial();
    await pass(MINUTE);
    await arm({ selector: on('shutdown'), effect, budget: { hits: 1 } });
    await rpc('one.vm.action', 'poweroff', vm);
    await pass(MINUTE);
    expect(await symptoms()).toMatchObject({ engine: 'RUNNING', oned: 'RUNNING', metrics: false });
    await pass(3 * MINUTE);
    expect(await symptoms()).toMatchObject({ oned: 'POWEROFF', metrics: false });
  });

  it('a resize: OpenNebula has the old size, the guest the new one', async () => {
    const { arm, pass, rpc, vm, vmInfo, ask, symptoms } = await trial();
    await pass(MINUTE);
    const memory = async (): Promise<number> =>
      Number(
        new RegExp(`^vm_mem_total_MB\\{[^}]*one-${vm}[^}]*\\} (\\d+)`, 'm').exec((await ask('/metrics')).text)?.[1],
      );
    const before = await memory();
    await arm({ selector: on('resize'), effect, budget: { hits: 1 } });
    await rpc('one.vm.resize', vm, 'MEMORY=512', false);
    await pass(MINUTE);
    expect(await symptoms()).toEqual(WELL);
    expect(await vmInfo('MEMORY')).toMatch(/ 128$/);
    expect(await memory()).toBeGreaterThan(3 * before);
  });

  it('is put right at once when the fault is removed', async () => {
    const { arm, disarm, symptoms, pass } = await trial();
    const id = await arm({ selector: on('deploy'), effect });
    await pass(MINUTE);
    await disarm(id);
    await pass(MINUTE);
    expect(await symptoms()).toMatchObject({ engine: 'RUNNING', oned: 'RUNNING', metrics: true });
  });
});

describe('done-twice', () => {
  it('a boot: the guest boots again, and only its counters and the journal tell', async () => {
    const { arm, symptoms, pass, control, vm, simulator } = await trial();
    const id = await arm({ selector: on('deploy'), effect: { do: 'done-twice' }, budget: { hits: 1 } });
    await pass(MINUTE);
    expect(await symptoms()).toEqual(WELL);
    const { entries } = await control('GET', `/journal?kind=fault&subject=vm/${vm}&detail.fault=${id}`);
    expect(entries).toMatchObject([{ detail: { do: 'done-twice' } }, { detail: { do: 'again' } }]);
    expect(simulator.world.cloud.vms.get(vm).spans.map(({ boot }) => boot)).toEqual([1, 2]);
  });

  it('a prolog takes twice as long', async () => {
    const { arm, symptoms, pass } = await trial({ timing: { name: 'fast' } });
    await arm({ selector: on('prolog'), effect: { do: 'done-twice' } });
    await pass(1900);
    expect(await symptoms()).toMatchObject({ oned: 'PROLOG' });
    await pass(200);
    expect(await symptoms()).toMatchObject({ oned: 'BOOT' });
  });
});

describe('zombie', () => {
  it('is deleted everywhere, and runs all the same until the fault is removed', async () => {
    const { arm, disarm, symptoms, pass, ask, id: runtime, hostInfo, vm, simulator } = await trial();
    await pass(MINUTE);
    const id = await arm({ selector: on('shutdown'), effect: { do: 'zombie' }, budget: { hits: 1 } });
    expect((await ask(`/serverless-runtimes/${runtime}`, { user: 'alice:alice', method: 'DELETE' })).status).toBe(204);
    await pass(5 * MINUTE);
    expect(await symptoms()).toEqual({ engine: 404, oned: 'DONE', oneflow: 404, metrics: true });
    const host = simulator.world.cloud.vms.get(vm).history.at(-1)?.hostId ?? -1;
    expect(await hostInfo(host, 'ZOMBIES')).toBe(`one-${vm}`);
    expect(await hostInfo(host, 'TOTAL_ZOMBIES')).toBe('1');
    await disarm(id);
    await pass(MINUTE);
    expect(await symptoms()).toMatchObject({ oned: 'DONE', metrics: false });
    expect(await hostInfo(host, 'ZOMBIES')).toBe('');
  });

  it('of a poweroff is seen by the probes, and taken up again', async () => {
    const { arm, symptoms, pass, rpc, vm, blames } = await trial();
    await pass(MINUTE);
    const id = await arm({ selector: on('shutdown'), effect: { do: 'zombie' }, budget: { hits: 1 } });
    await rpc('one.vm.action', 'poweroff', vm);
    await pass(MINUTE);
    expect(await symptoms()).toMatchObject({ engine: 'PENDING', oned: 'POWEROFF', metrics: true });
    await pass(3 * MINUTE);
    expect(await symptoms()).toMatchObject({ oned: 'RUNNING', metrics: true });
    expect(await blames(id)).toBe(true);
  });
});

describe('unknown', () => {
  it('is what OpenNebula makes of it; the guest goes on, and all is well when the fault ends', async () => {
    const { arm, symptoms, pass, blames, vm } = await trial();
    await pass(MINUTE);
    const id = await arm({ selector: { layer: 'vm', vm }, effect: { do: 'unknown' }, budget: { forMs: 10 * MINUTE } });
    await pass(MINUTE);
    expect(await symptoms()).toMatchObject({ engine: 'ERROR', oned: 'UNKNOWN', metrics: true });
    expect(await blames(id)).toBe(true);
    await pass(10 * MINUTE);
    expect(await symptoms()).toEqual(WELL);
  });

  it('holds on VMs that come to run later, each for its time, once', async () => {
    const { arm, symptoms, pass, fault } = await trial();
    const id = await arm({ selector: { layer: 'vm' }, effect: { do: 'unknown', forMs: 2 * MINUTE } });
    await pass(MINUTE);
    expect(await symptoms()).toMatchObject({ oned: 'UNKNOWN' });
    await pass(3 * MINUTE);
    expect(await symptoms()).toMatchObject({ engine: 'RUNNING', oned: 'RUNNING' });
    expect((await fault(id)).hits).toBe(2);
  });
});

describe('lost-monitoring', () => {
  it('leaves the VM as it is and its samples out, as long as it lasts', async () => {
    const { arm, disarm, symptoms, pass, rpc, vm, vmInfo } = await trial();
    await pass(5 * MINUTE);
    const samples = async (): Promise<number[]> =>
      [...new Set((await rpc('one.vm.monitoring', vm)).match(/(?<=<TIMESTAMP><!\[CDATA\[)\d+/g))].map(Number);
    const id = await arm({ selector: { ...on('monitor'), vm }, effect: { do: 'lost-monitoring' } });
    const before = await samples();
    const polled = await vmInfo('LAST_POLL');
    await pass(10 * MINUTE);
    expect(await symptoms()).toEqual(WELL);
    expect(await samples()).toEqual(before);
    expect(await vmInfo('LAST_POLL')).toBe(polled);
    await disarm(id);
    await pass(5 * MINUTE);
    const after = await samples();
    expect(after.slice(0, before.length)).toEqual(before);
    expect((after[before.length] ?? 0) - (before.at(-1) ?? 0)).toBeGreaterThanOrEqual(600);
  });
});

describe("the dummy drivers' words", () => {
  it('decide attempt by attempt', async () => {
    const { arm, symptoms, pass, rpc, vm } = await trial();
    await arm({
      selector: on('deploy'),
      trigger: { words: ['failure 30', 'success 20', '-'] },
      effect: { do: 'fail' },
    });
    await pass(25_000);
    expect(await symptoms()).toMatchObject({ oned: 'BOOT' });
    await pass(10_000);
    expect(await symptoms()).toMatchObject({ oned: 'BOOT_FAILURE' });
    await rpc('one.vm.recover', vm, 2);
    await pass(19_000);
    expect(await symptoms()).toMatchObject({ oned: 'BOOT' });
    await pass(2000);
    expect(await symptoms()).toMatchObject({ oned: 'RUNNING' });
  });
});
