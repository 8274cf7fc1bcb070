import { describe, expect, test } from 'vitest';
import { parseFilters } from './frame.ts';
import { BOOT, framed, HOUR, monitor, OTHER_VC_ID, span, VC_ID, vmWith, vnf } from './testing.ts';

describe('filters', () => {
  test('are read as the gatekeeper registers them', () => {
    const filters = [
      { tag: 'id', value: 'fa88' },
      { tag: 'job', value: 'vnf' },
    ];
    expect(parseFilters(["id='fa88'", "type='vnf'"])).toEqual(filters);
    expect(parseFilters(`["id='fa88'","type='vnf'"]`)).toEqual(filters);
    expect(parseFilters(' [ id : "fa88" , type=vnf ] ')).toEqual(filters);
  });

  test('end their tag at the first sign', () => {
    expect(parseFilters('a=b=c,d:e:f,g:h=i')).toEqual([
      { tag: 'a', value: 'b=c' },
      { tag: 'd', value: 'e:f' },
      { tag: 'g:h', value: 'i' },
    ]);
  });

  test('are dropped without a sign', () => {
    expect(parseFilters([])).toEqual([]);
    expect(parseFilters('')).toEqual([]);
    expect(parseFilters('id,[],"x"')).toEqual([]);
  });

  test('may be the single characters of one filter, as son-monitor prints it: then one without tag and value is left', () => {
    expect(parseFilters(JSON.stringify([...'exported_instance=vtc-vnf']))).toEqual([{ tag: '', value: '' }]);
  });
});

describe('a frame', () => {
  const vms = [
    vnf([span(BOOT, BOOT + HOUR)], {}, 0),
    vmWith({ VC_ID: OTHER_VC_ID, VNF_NAME: 'fw-vnf' }, [span(BOOT, null)], 1),
    vmWith({ VC_ID: `old-${VC_ID}`, VNF_NAME: 'fw-vnf' }, [span(BOOT, null)], 2),
  ];
  const { metrics } = monitor(vms);
  const ids = (filters: string[], at = BOOT + 2 * HOUR): (string | undefined)[] | undefined =>
    framed(metrics, 'vm_up', parseFilters(filters), at)?.map(({ labels }) => /^id="(.*)"$/.exec(labels[0] ?? '')?.[1]);

  test('holds the records with as many hits as there are filters', () => {
    expect(ids([])).toEqual([VC_ID, OTHER_VC_ID, `old-${VC_ID}`]);
    expect(ids(["type='vnf'"])).toEqual([VC_ID, OTHER_VC_ID, `old-${VC_ID}`]);
    expect(ids(["type='vnf'", 'instance=fw'])).toEqual([OTHER_VC_ID, `old-${VC_ID}`]);
    expect(ids([`id='${OTHER_VC_ID}'`, "type='vnf'"])).toEqual([OTHER_VC_ID]);
    expect(ids(['i=vnf', 'type=vnf'])).toEqual([VC_ID, OTHER_VC_ID, `old-${VC_ID}`]);
    expect(ids(['=', 'j=j'])).toEqual([]);
    expect(ids(['id=nobody', 'i=-'])).toEqual([VC_ID, OTHER_VC_ID, `old-${VC_ID}`]);
  });

  test('looks for a value anywhere in a label', () => {
    expect(ids(['id=fa8869e3'])).toEqual([VC_ID, `old-${VC_ID}`]);
    expect(ids([`id=${VC_ID}`])).toEqual([VC_ID, `old-${VC_ID}`]);
    expect(ids(['id="'])).toEqual([VC_ID, OTHER_VC_ID, `old-${VC_ID}`]);
  });

  test('is empty when nothing matches, and is not sent while nobody has pushed the metric', () => {
    expect(ids(['id=nobody'])).toEqual([]);
    expect(ids([], BOOT - 1)).toBeUndefined();
    expect(framed(metrics, 'vm_cpu', [], BOOT + HOUR)).toBeNull();
  });

  test('repeats the last push of a dead VM for ever, with its time', () => {
    const [record] = framed(metrics, 'vm_up', parseFilters([`id=${VC_ID}`, 'instance=vtc']), BOOT + 1000 * HOUR) ?? [];
    expect(record?.value).toBe((record?.time ?? 0) / 1000);
    expect(BOOT + HOUR - (record?.time ?? 0)).toBeLessThanOrEqual(3000);
  });
});
