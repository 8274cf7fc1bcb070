/** What a guest's life in OpenNebula does to its measurements: nothing before it boots, and all that follows from its states. */
import { describe, expect, test } from 'vitest';
import { Random } from '../kernel/random.ts';
import { furnishedCloud, TESTER } from '../one/testing.ts';
import { Metrics } from './metrics.ts';
import { framed } from './testing.ts';

const MINUTE = 60_000;

/** A VM that is about to be deployed. */
function start() {
  const cloud = furnishedCloud();
  const metrics = new Metrics(new Random(1), cloud);
  const id = cloud.call(TESTER, 'one.template.instantiate', 0, 'one', false, 'METRIC_PROFILE=steady');
  const act = (action: string) => cloud.call(TESTER, 'one.vm.action', action, id);
  const pass = (ms: number): number => {
    cloud.clock.advanceNow(ms);
    return cloud.clock.now;
  };
  const deployed = (): number => {
    cloud.run(cloud.root, 'one.vm.deploy', id, 0);
    while (cloud.vms.get(id).state !== 'RUNNING') cloud.clock.advanceNow(1000);
    return cloud.clock.now;
  };
  /** The value in the last push. */
  const last = (name: string, label = ''): { readonly value: number; readonly time: number } | undefined =>
    framed(metrics, name, [], cloud.clock.now)?.find(({ labels }) => labels.some((each) => each.includes(label)));
  return { cloud, metrics, act, pass, deployed, last };
}

describe('a guest', () => {
  test('is not measured before it boots', () => {
    const { pass, last, deployed } = start();
    pass(10 * MINUTE);
    expect(last('vm_up')).toBeUndefined();
    const booted = deployed();
    pass(3000);
    expect(last('vm_up')?.time).toBeGreaterThanOrEqual(booted - 1000);
  });

  test('is busy while it starts, and then as its profile says', () => {
    const { deployed, pass, last } = start();
    deployed();
    pass(5000);
    const starting = last('vm_cpu_perc', 'core="cpu"')?.value ?? 0;
    pass(10 * MINUTE);
    expect(starting).toBeGreaterThan(60);
    expect(last('vm_cpu_perc', 'core="cpu"')?.value).toBeLessThan(50);
  });

  test('neither works nor trades while it is suspended, and goes on where it was', () => {
    const { deployed, pass, last, act, cloud } = start();
    deployed();
    pass(30 * MINUTE);
    act('suspend');
    pass(MINUTE);
    expect(cloud.vms.get(0).state).toBe('SUSPENDED');
    const asleep = last('vm_net_rx_MB', 'inf="eth0"');
    pass(60 * MINUTE);
    expect(last('vm_net_rx_MB', 'inf="eth0"')).toEqual(asleep);
    act('resume');
    pass(10_000);
    const awake = last('vm_net_rx_MB', 'inf="eth0"');
    expect(awake?.time).toBeGreaterThan((asleep?.time ?? 0) + 60 * MINUTE);
    expect(awake?.value).toBeGreaterThanOrEqual(asleep?.value ?? Number.NaN);
    // An hour of work would be seen.
    expect((awake?.value ?? 0) - (asleep?.value ?? 0)).toBeLessThan(0.1 * (asleep?.value ?? 0));
  });

  test.each(['reboot', 'reboot-hard'])('counts again from nothing after a %s', (action) => {
    const { deployed, pass, last, act } = start();
    deployed();
    pass(30 * MINUTE);
    const before = last('vm_net_tx_MB', 'inf="eth0"')?.value ?? 0;
    act(action);
    pass(10_000);
    expect(last('vm_net_tx_MB', 'inf="eth0"')?.value).toBeLessThan(0.2 * before);
    pass(10_000);
    expect(last('vm_cpu_perc', 'core="cpu"')?.value).toBeGreaterThan(30);
  });

  test('ends with the VM, and is shown for five more minutes', () => {
    const { deployed, pass, metrics, act } = start();
    deployed();
    pass(10 * MINUTE);
    act('terminate-hard');
    const end = pass(0);
    pass(30 * MINUTE);
    const shown = (at: number): number =>
      metrics.range('vm_up', {}, { since: at, until: at, step: 1 }, end + 30 * MINUTE).length;
    expect(shown(end + 5 * MINUTE - 4000)).toBe(1);
    expect(shown(end + 5 * MINUTE + 1)).toBe(0);
  });
});
