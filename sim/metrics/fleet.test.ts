import { describe, expect, test } from 'vitest';
import type { Metrics } from './metrics.ts';
import { BOOT, exposed, HOUR, MINUTE, monitor, OTHER_VC_ID, span, type TestVm, VC_ID, vmWith, vnf } from './testing.ts';

describe('a fleet that changes', () => {
  const now = BOOT + HOUR;
  const range = { since: now, until: now, step: 1 };
  const found = (metrics: Metrics, id: string): (string | undefined)[] =>
    metrics.range('vm_up', { id }, range, now).map(({ metric }) => metric.exported_instance);

  test('shows a VM made after the first question', () => {
    const vms = [vnf([span(BOOT, null)])];
    const { metrics } = monitor(vms);
    expect(found(metrics, OTHER_VC_ID)).toEqual([]);
    vms.push(vmWith({ VC_ID: OTHER_VC_ID, VNF_NAME: 'new' }, [span(BOOT, null)], 1));
    expect(found(metrics, OTHER_VC_ID)).toEqual(['new']);
  });

  test('shows a VM that boots, ends or moves after the first question', () => {
    const vm = vnf([]);
    const { metrics } = monitor([vm]);
    const cores = (at: number): number =>
      metrics.range('vm_cpu_perc', {}, { since: at, until: at, step: 1 }, at).length;
    expect(cores(now)).toBe(0);
    vm.spans.push(span(BOOT, null));
    expect(cores(now)).toBe(2);
    for (const old of vm.spans) old.to = now;
    vm.spans.push(span(now, null, { vcpu: 2 }));
    expect(cores(now + MINUTE)).toBe(3);
    for (const old of vm.spans) old.to ??= now + MINUTE;
    expect(cores(now + HOUR)).toBe(0);
    expect(cores(now + MINUTE)).toBe(3);
  });

  test('finds a VM by the id that it has now', () => {
    const vm = vnf([span(BOOT, null)]);
    const { metrics, update } = monitor([vm]);
    expect(found(metrics, VC_ID)).toEqual(['vtc-vnf']);
    update(vm, { VC_ID: OTHER_VC_ID, VNF_NAME: 'fw-vnf' });
    expect(found(metrics, VC_ID)).toEqual([]);
    expect(found(metrics, OTHER_VC_ID)).toEqual(['fw-vnf']);
    update(vm, { VC_ID });
    expect(found(metrics, VC_ID)).toEqual(['fw-vnf']);
  });

  test('shows the newest of two VMs with the same labels, and the other again when that has others', () => {
    const vms = [vnf([span(BOOT, null, { vcpu: 4 })], {}, 0), vnf([span(BOOT, null, { vcpu: 1 })], {}, 1)];
    const { metrics, update } = monitor(vms);
    const cores = (): number => metrics.range('vm_cpu_perc', { id: VC_ID }, range, now).length;
    expect(cores()).toBe(2);
    expect(exposed(metrics, now).filter(({ name }) => name === 'vm_up')).toHaveLength(1);
    update(vms[1] as TestVm, { VNF_NAME: 'other' });
    expect(cores()).toBe(7);
    update(vms[1] as TestVm, { VC_ID: OTHER_VC_ID });
    expect(cores()).toBe(5);
  });
});
