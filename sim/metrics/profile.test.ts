import { describe, expect, test } from 'vitest';
import { BOOT, HOUR, MINUTE, monitor, span, VC_ID, vnf } from './testing.ts';

describe('a profile', () => {
  const column = (profile: string, name: string, matchers: Record<string, string> = {}): number[] => {
    const { metrics } = monitor([vnf([span(BOOT, null, { profile })])]);
    const range = { since: BOOT + HOUR, until: BOOT + 25 * HOUR, step: MINUTE };
    const rows = metrics.range(name, { id: VC_ID, ...matchers }, range, range.until);
    return (rows[0]?.values ?? []).map(([, value]) => Number(value));
  };
  const cpu = (profile: string): number[] => column(profile, 'vm_cpu_perc');
  const mean = (values: number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  const spread = (values: number[]): number => mean(values.map((value) => Math.abs(value - mean(values))));

  test('idle shows plain zeros, and now and then a little work', () => {
    const zeros = cpu('idle').filter((value) => value === 0).length / 1441;
    expect(zeros).toBeGreaterThan(0.9);
    expect(zeros).toBeLessThan(1);
    expect(Math.max(...cpu('idle'))).toBeLessThan(20);
  });

  test('steady stays around its mean, noisy strays far, bursty is quiet or high', () => {
    expect(spread(cpu('steady'))).toBeLessThan(5);
    expect(spread(cpu('noisy'))).toBeGreaterThan(12);
    const values = cpu('bursty');
    expect(values.filter((value) => value < 10).length).toBeGreaterThan(800);
    expect(values.filter((value) => value > 25).length).toBeGreaterThan(100);
  });

  test('diurnal is high in the afternoon and low at night', () => {
    const at = (hour: number): number => {
      const first = ((hour - 16 + 24) % 24) * 60 - 24;
      return mean(cpu('diurnal').slice(Math.max(0, first), first + 60));
    };
    expect(at(15)).toBeGreaterThan(at(3) + 40);
    expect(at(9)).toBeGreaterThan(at(3));
  });

  test('leaking loses memory until there is none, saturating its processor and its disk', () => {
    const free = column('leaking', 'vm_mem_perc');
    expect(free[0]).toBeGreaterThan(50);
    expect(free.at(-1)).toBeLessThan(5);
    expect(mean(cpu('saturating').slice(120))).toBeGreaterThan(80);
    const used = column('saturating', 'vm_disk_used_1k_blocks', { file_system: '/dev/vda1' });
    expect(used.at(-1)).toBeGreaterThan(1.1 * (used[0] ?? 0));
  });

  test('is named in any case, and is steady when there is none of that name', () => {
    expect(cpu('IDLE')).toEqual(cpu('idle'));
    expect(cpu('__proto__')).toEqual(cpu('steady'));
    expect(cpu('')).toEqual(cpu('steady'));
  });
});
