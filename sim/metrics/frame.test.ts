import { describe, expect, test } from 'vitest';
import { parseFilters } from './frame.ts';

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
