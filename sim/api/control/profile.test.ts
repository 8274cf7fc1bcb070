/** How the load of a VM behaves, chosen while it runs: the future follows, and the past stays. */
import { describe, expect, it } from 'vitest';
import { addHost } from '../../one/resources/host.ts';
import { createSimulator, type World } from '../../simulator.ts';
import { ADMIN, checksAllOf, EPOCH, refused, withVm } from './testing.ts';

const MINUTE = 60_000;

/** A VM that has been running for an hour, with its mean load over some time. */
async function running() {
  const rig = withVm('NAME=one CPU=1 VCPU=2 MEMORY=512 METRIC_PROFILE=idle');
  const { world, id, call } = rig;
  world().clock.advanceNow(60 * MINUTE);
  const load = (fromMs: number, toMs: number): number => {
    const { metrics, clock } = world();
    const range = { since: fromMs, until: toMs, step: 15_000 };
    const [row] = metrics.range('vm_cpu_perc', { core: 'cpu' }, range, clock.now);
    const values = row?.values.map(([, value]) => Number(value)) ?? [];
    return values.reduce((a, b) => a + b, 0) / values.length;
  };
  return { world, call, id, load, set: (profile: unknown) => call('PUT', `/vms/${id}/profile`, { profile }) };
}

describe('the profile of a VM', () => {
  it('is the one that its template names, and steady without', async () => {
    const { call, id } = await running();
    expect((await call('GET', `/vms/${id}/profile`)).body).toEqual({ id, profile: 'idle' });
    const other = withVm();
    expect((await other.call('GET', `/vms/${other.id}/profile`)).body).toEqual({ id: other.id, profile: 'steady' });
  });

  it('changes from now on, and leaves what was measured before', async () => {
    const { world, set, load } = await running();
    const since = world().clock.now;
    const before = load(since - 30 * MINUTE, since);
    expect((await set('noisy')).body).toEqual({ id: 0, profile: 'noisy' });
    world().clock.advanceNow(30 * MINUTE);
    expect(load(since - 30 * MINUTE, since)).toBe(before);
    expect(before).toBeLessThan(5);
    expect(load(since + MINUTE, since + 30 * MINUTE)).toBeGreaterThan(25);
  });

  it('is in a snapshot, with when it changed', async () => {
    const first = createSimulator({ epochMs: EPOCH });
    const { cloud } = first.world;
    addHost(cloud, { name: 'host0' });
    cloud.run(cloud.root, 'one.vm.allocate', 'NAME=one CPU=1 MEMORY=64 METRIC_PROFILE=idle');
    first.world.clock.advanceNow(60 * MINUTE);
    const request = { method: 'PUT', body: '{"profile":"noisy"}' };
    await first.fetch(new Request('http://localhost:1337/_onesim/vms/0/profile', request));
    first.world.clock.advanceNow(10 * MINUTE);
    const second = createSimulator();
    second.restore(first.snapshot());
    const range = { since: EPOCH, until: EPOCH + 70 * MINUTE, step: 15_000 };
    const shown = ({ metrics, clock }: World): unknown => metrics.range('vm_cpu_perc', {}, range, clock.now);
    expect(shown(second.world)).toEqual(shown(first.world));
  });

  it('is one of those that there are', async () => {
    const { set, call, id } = await running();
    expect(refused(await set('bursti'))).toEqual([
      400,
      'bad_request',
      'profile must be one of idle, steady, diurnal, bursty, leaking, saturating, noisy, did you mean "bursty"?',
    ]);
    expect((await set(7)).status).toBe(400);
    expect((await call('PUT', `/vms/${id}/profile`, {})).status).toBe(400);
    expect((await call('PUT', `/vms/${id}/profile`, ' '.repeat(20_000))).status).toBe(413);
    expect((await call('GET', '/vms/99/profile')).status).toBe(404);
    expect((await call('PUT', '/vms/99/profile', { profile: 'idle' })).status).toBe(404);
  });

  it('cannot be chosen once the VM is done', async () => {
    const { world, id, set } = await running();
    world().cloud.call(ADMIN, 'one.vm.action', 'terminate-hard', id);
    world().clock.advanceNow(MINUTE);
    expect(refused(await set('idle'))).toEqual([409, 'conflict', 'VM 0 is done']);
  });
});

checksAllOf((operation) => operation.endsWith('VmProfile'));
