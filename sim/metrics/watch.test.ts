import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseFilters } from './frame.ts';
import { BOOT, framed, HOUR, MINUTE, monitor, OTHER_VC_ID, span, VC_ID, vmWith, vnf } from './testing.ts';

type Act =
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'start' | 'boot' | 'resize' | 'stop' | 'rename' | 'replace'; readonly vm: number };

const anAct: fc.Arbitrary<Act> = fc.oneof(
  fc.record({ do: fc.constant('wait' as const), ms: fc.nat(2 * MINUTE) }),
  fc.record({ do: fc.constantFrom('start', 'boot', 'resize', 'stop', 'rename', 'replace'), vm: fc.nat(3) }),
);

const FILTERS = [
  [],
  ["type='vnf'"],
  [`id='${VC_ID}'`, "type='vnf'"],
  [`id='${OTHER_VC_ID}'`],
  ['id=3'],
  ['instance=fw'],
];

describe('a watch', () => {
  test('that has been kept shows what one made anew shows, whatever has happened to the guests meanwhile', () => {
    fc.assert(
      fc.property(fc.array(anAct, { maxLength: 25, size: 'max' }), (acts) => {
        const vms = [vnf([span(BOOT, null)])];
        const { metrics, update } = monitor(vms);
        const watches = ['vm_cpu_perc', 'vm_net_rx_bps'].flatMap((name) =>
          FILTERS.map((filters) => ({
            name,
            filters: parseFilters(filters),
            kept: metrics.watch(name, parseFilters(filters)),
          })),
        );
        let now = BOOT + 10_000;
        for (const act of acts) {
          if (act.do === 'wait') now += act.ms;
          else {
            const vm = vms[act.vm % vms.length];
            const last = vm?.spans.at(-1);
            switch (act.do) {
              case 'start':
                vms.push(
                  vmWith({ VC_ID: OTHER_VC_ID, VNF_NAME: `fw-${vms.length % 2}` }, [span(now, null)], vms.length),
                );
                break;
              case 'replace':
                vms.push(vnf([span(now, null, { boot: vms.length })], {}, vms.length));
                break;
              case 'stop':
                if (last?.to === null) last.to = now;
                break;
              case 'boot':
              case 'resize':
                if (last === undefined) break;
                last.to ??= now;
                vm?.spans.push(span(now, null, { boot: last.boot + (act.do === 'boot' ? 1 : 0), vcpu: 3, nics: [0] }));
                break;
              case 'rename':
                if (vm !== undefined) update(vm, { VC_ID: `${OTHER_VC_ID}-${vm.id}` });
            }
          }
          for (const { name, filters, kept } of watches) {
            expect(kept?.frame(now)).toBe(metrics.watch(name, filters)?.frame(now));
          }
        }
      }),
      { seed: 1, numRuns: 60 },
    );
  });

  test('of many guests that may pass finds them all, and those that come', () => {
    const vms = Array.from({ length: 30 }, (_, i) =>
      vmWith({ VC_ID: `guest-${i}`, VNF_NAME: 'fw' }, [span(BOOT, null)], i),
    );
    const { metrics } = monitor(vms);
    const watch = metrics.watch('vm_up', parseFilters(['id=guest']));
    const count = (text = ''): number => text?.split('"time":').length - 1;
    expect(count(watch?.frame(BOOT + HOUR) ?? '')).toBe(30);
    vms.push(vmWith({ VC_ID: 'guest-30', VNF_NAME: 'fw' }, [span(BOOT, null)], 30));
    expect(count(watch?.frame(BOOT + HOUR) ?? '')).toBe(31);
  });

  test('of a metric that does not exist is none', () => {
    expect(monitor([vnf([span(BOOT, null)])]).metrics.watch('vm_cpu', [])).toBeNull();
  });

  test('writes records as the exposition does, quotes and all, in JSON', () => {
    const { metrics } = monitor([vnf([span(BOOT, null)], { VNF_NAME: 'a "b" \\ c' })]);
    const [record] = framed(metrics, 'vm_up', [], BOOT + HOUR) ?? [];
    expect(record?.labels).toEqual([`id="${VC_ID}"`, 'instance="a \\"b\\" \\\\ c"', 'job="vnf"']);
  });
});
