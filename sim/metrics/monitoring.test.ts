import { expect, test } from 'vitest';
import { Random } from '../kernel/random.ts';
import { Metrics } from './metrics.ts';

const BOOT = Date.parse('2026-01-01T00:00:10Z');
const at = (seconds: number): number => BOOT + seconds * 1000;

/** A VM that ran for 100 s, was off for 50 s, and runs again. */
const metrics = new Metrics(new Random(1), {
  vms: { nextId: 1, find: () => VM },
  observe: () => {},
});
const SHAPE = { vcpu: 2, memoryMiB: 1024, disks: [], nics: [0], profile: '' };
const VM = {
  id: 0,
  uuid: '00000000-0000-4000-8000-000000000000',
  spans: [
    { from: BOOT, to: at(100), boot: 1, hostId: 0, shape: SHAPE },
    { from: at(150), to: null, boot: 2, hostId: 0, shape: SHAPE },
  ],
  userTemplate: new Map<string, string>(),
};

const times = (after: number, upTo: number): number[] =>
  Array.from(metrics.vmSamples(0, after, upTo), ({ timestamp }) => timestamp - BOOT / 1000);

test('a VM is sampled every half minute while it runs', () => {
  expect(times(0, at(200))).toEqual([200, 170, 80, 50, 20]);
  expect(times(at(50), at(170))).toEqual([170, 80]);
});

test('a VM that has only just booted has no sample', () => {
  expect(times(0, at(10))).toEqual([]);
  expect([...metrics.vmSamples(7, 0, at(200))]).toEqual([]);
});

test('counters rise from sample to sample, and start again with the boot', () => {
  const [second, first, ...before] = metrics.vmSamples(0, 0, at(200));
  expect(second?.netRx).toBeGreaterThan(first?.netRx ?? Number.POSITIVE_INFINITY);
  expect(first?.diskWriteOps).toBeLessThan(before[0]?.diskWriteOps ?? 0);
  expect(first?.cpu).toBeLessThanOrEqual(200);
  expect(first?.memoryKb).toBeLessThan(1024 * 1024);
});
