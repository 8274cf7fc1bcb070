/** Faults of hosts: what causes them, what every API shows, and how it ends. */
import { describe, expect, it } from 'vitest';
import { type Trial, trial } from './trial.ts';

const MINUTE = 60_000;
const WELL = { engine: 'RUNNING', oned: 'RUNNING', oneflow: 'RUNNING', metrics: true };
const MONITORED = '2';
const ERROR = '3';

/** The host that the runtime is on. */
const hostOf = ({ simulator, vm }: Trial) => {
  const { hostId = -1, hostname = '' } = simulator.world.cloud.vms.get(vm).history.at(-1) ?? {};
  return { id: hostId, name: hostname };
};

async function running() {
  const it = await trial();
  await it.pass(5 * MINUTE);
  expect(await it.symptoms()).toEqual(WELL);
  return { ...it, host: hostOf(it) };
}

const state = async ({ hostInfo }: Trial, host: number): Promise<string> =>
  (await hostInfo(host, 'STATE')).split(' ')[0] ?? '';

describe('down', () => {
  it('takes the samples at once, the VMs when OpenNebula gives the host up, and gives all back', async () => {
    const it = await running();
    const { arm, disarm, symptoms, pass, blames, host, fault } = it;
    const id = await arm({ selector: { layer: 'host', host: host.name }, effect: { do: 'down' } });
    await pass(MINUTE);
    expect(await symptoms()).toEqual({ ...WELL, metrics: false });
    expect(await state(it, host.id)).toBe(MONITORED);
    await pass(2 * MINUTE);
    expect(await symptoms()).toMatchObject({ engine: 'ERROR', oned: 'UNKNOWN', metrics: false });
    expect(await state(it, host.id)).toBe(ERROR);
    expect(await blames(id)).toBe(true);
    expect(await fault(id)).toMatchObject({ state: 'armed', hits: 1 });
    await disarm(id);
    await pass(MINUTE);
    expect(await symptoms()).toEqual(WELL);
    expect(await state(it, host.id)).toBe(MONITORED);
    expect(await blames(id)).toBe(true);
  });

  it('takes the network function on it along, in the records and in the history of the Gatekeeper', async () => {
    const { arm, pass, ask } = await trial();
    const uuid = 'e60558d6-91c3-4196-abad-46079a0e3c61';
    const login = async (): Promise<string> => {
      const answer = await ask('/sessions', { body: { username: 'sonata', password: '1234' } });
      return (answer.json().token as { access_token?: string }).access_token ?? '';
    };
    const status = async (): Promise<string> => {
      const answer = await ask(`/records/functions/${uuid}`, { token: await login() });
      return String(answer.json().status);
    };
    const isShown = async (): Promise<boolean> => (await ask('/metrics')).text.includes('instance="vtc-vnf"');
    await pass(MINUTE);
    const well = await status();
    await arm({ selector: { layer: 'host', host: 'host0' }, effect: { do: 'down' }, budget: { forMs: 20 * MINUTE } });
    await pass(10 * MINUTE);
    expect(await status()).not.toBe(well);
    expect(await isShown()).toBe(false);
    await pass(15 * MINUTE);
    expect(await status()).toBe(well);
    expect(await isShown()).toBe(true);
  });

  it('that is over before anyone has missed the host leaves a hole in the samples, and no other trace', async () => {
    const { arm, symptoms, pass, host, ask, vm } = await running();
    await arm({ selector: { layer: 'host', host: host.name }, effect: { do: 'down' }, budget: { forMs: MINUTE } });
    await pass(30_000);
    expect(await symptoms()).toEqual({ ...WELL, metrics: false });
    await pass(MINUTE);
    expect(await symptoms()).toEqual(WELL);
    const history = await ask(`/_onesim/vms/${vm}/history`);
    expect(history.text).not.toContain('UNKNOWN');
  });

  it('fails what its driver was asked for meanwhile: a resize', async () => {
    const { arm, pass, rpc, vm, vmInfo, host, symptoms } = await running();
    await arm({ selector: { layer: 'host', host: host.name }, effect: { do: 'down' } });
    await rpc('one.vm.resize', vm, 'MEMORY=256', false);
    await pass(20_000);
    expect(await vmInfo('ERROR')).toMatch(/RESIZE: ssh: connect to host \S+ port 22: No route to host$/);
    expect(await vmInfo('MEMORY')).toMatch(/\b128$/);
    await pass(3 * MINUTE);
    expect(await symptoms()).toMatchObject({ engine: 'ERROR', oned: 'UNKNOWN' });
  });

  it('may begin in the midst of one', async () => {
    const { arm, pass, rpc, vm, vmInfo, host, symptoms, fault } = await running();
    const id = await arm({
      selector: { layer: 'host', host: host.name },
      trigger: { when: { vm: 'HOTPLUG_RESIZE' } },
      effect: { do: 'down' },
      budget: { forMs: 10 * MINUTE },
    });
    await pass(MINUTE);
    expect((await fault(id)).hits).toBe(0);
    await rpc('one.vm.resize', vm, 'MEMORY=256', false);
    expect((await fault(id)).hits).toBe(1);
    await pass(3 * MINUTE);
    expect(await vmInfo('ERROR')).toMatch(/RESIZE: ssh/);
    expect(await symptoms()).toMatchObject({ engine: 'ERROR', oned: 'UNKNOWN', metrics: false });
    await pass(10 * MINUTE);
    expect(await symptoms()).toEqual(WELL);
  });

  it('stops a VM that was to boot there, with the host as the reason', async () => {
    const it = await trial();
    const { arm, symptoms, pass, vmInfo, blames } = it;
    const id = await arm({ selector: { layer: 'host' }, effect: { do: 'down' } });
    await pass(MINUTE);
    expect(await symptoms()).toEqual({
      engine: 'ERROR',
      oned: 'PROLOG_FAILURE',
      oneflow: 'FAILED_DEPLOYING',
      metrics: false,
    });
    expect(await vmInfo('ERROR')).toMatch(/No route to host$/);
    expect(await blames(id)).toBe(true);
  });

  it('of every host leaves the scheduler none, until they are back', async () => {
    const { arm, disarm, pass, rpc } = await trial();
    const id = await arm({ selector: { layer: 'host', host: 'host*' }, effect: { do: 'down' } });
    await pass(3 * MINUTE);
    const made = await rpc('one.template.instantiate', 0, 'late', false, '', false);
    const vm = Number(/<i4>(\d+)<\/i4>/.exec(made)?.[1]);
    await pass(10 * MINUTE);
    const waiting = await rpc('one.vm.info', vm);
    expect(waiting).toContain('<STATE>1</STATE>');
    expect(waiting).toContain('Cannot dispatch VM: No hosts enabled to run VMs');
    await disarm(id);
    await pass(MINUTE);
    expect(await rpc('one.vm.info', vm)).toContain('<LCM_STATE>3</LCM_STATE>');
  });
});

describe('flapping', () => {
  it('that is quick leaves holes; that is slow takes the VMs along again and again', async () => {
    const { arm, disarm, symptoms, pass, host } = await running();
    const selector = { layer: 'host', host: host.name };
    const quick = await arm({ selector, effect: { do: 'flapping', upMs: MINUTE, downMs: MINUTE } });
    const seen: unknown[] = [];
    for (let half = 0; half < 6; half++) {
      await pass(half === 0 ? 30_000 : MINUTE);
      seen.push(await symptoms());
    }
    const [without, well] = [{ ...WELL, metrics: false }, WELL];
    expect(seen).toEqual([without, well, without, well, without, well]);
    await disarm(quick);
    const slow = await arm({ selector, effect: { do: 'flapping', upMs: 5 * MINUTE, downMs: 5 * MINUTE } });
    const states: string[] = [];
    for (let half = 0; half < 4; half++) {
      await pass(half === 0 ? 4 * MINUTE : 5 * MINUTE);
      states.push((await symptoms()).oned);
    }
    expect(states).toEqual(['UNKNOWN', 'RUNNING', 'UNKNOWN', 'RUNNING']);
    await disarm(slow);
    await pass(MINUTE);
    expect(await symptoms()).toEqual(WELL);
  });
});

describe('capacity', () => {
  it('that is lost lets a create wait, and an enforced resize be refused, until it is back', async () => {
    const it = await trial();
    const { arm, disarm, symptoms, pass, vmInfo, hostInfo, fault } = it;
    const id = await arm({ selector: { layer: 'host' }, effect: { do: 'capacity', factor: 0 } });
    expect((await fault(id)).hits).toBe(2);
    expect(await hostInfo(0, 'TOTAL_CPU')).toBe('0');
    await pass(10 * MINUTE);
    expect(await symptoms()).toMatchObject({ engine: 'PENDING', oned: 'PENDING', metrics: false });
    expect(await vmInfo('SCHED_MESSAGE')).toMatch(/No host with enough capacity to deploy the VM$/);
    await disarm(id);
    await pass(MINUTE);
    expect(await symptoms()).toEqual(WELL);
    expect(await hostInfo(0, 'TOTAL_CPU')).not.toBe('0');
  });

  it('may be a part of it', async () => {
    const { arm, hostInfo, simulator } = await trial();
    const { totalCpu, totalMemKb } = simulator.world.cloud.hosts.get(0);
    await arm({ selector: { layer: 'host', host: 'host0' }, effect: { do: 'capacity', cpu: 2, memoryMiB: 1024 } });
    expect(await hostInfo(0, 'TOTAL_CPU')).toBe(String(totalCpu - 200));
    expect(await hostInfo(0, 'TOTAL_MEM')).toBe(String(totalMemKb - 1024 * 1024));
  });
});

describe('degraded', () => {
  it('makes everything on the host take longer', async () => {
    const { arm, disarm, symptoms, pass } = await trial({ timing: { name: 'fast' } });
    const id = await arm({ selector: { layer: 'host' }, effect: { do: 'degraded', factor: 100 } });
    await pass(50_000);
    expect(await symptoms()).toMatchObject({ oned: 'PROLOG' });
    await pass(50_000);
    expect(await symptoms()).toMatchObject({ oned: 'BOOT' });
    await pass(10_000);
    expect(await symptoms()).toEqual(WELL);
    await disarm(id);
  });
});
