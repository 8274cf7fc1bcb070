import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BOOT, exposed, HOUR, MINUTE, monitor, span, vmWith, vnf } from './testing.ts';

describe('the exposition', () => {
  const aName = fc.string({ unit: fc.constantFrom('a', '"', '\\', '\n', '=', ',', ' }', ' ', 'é'), maxLength: 8 });

  test('parses, announces each family once, repeats no label set, and escapes what must be (T8)', () => {
    fc.assert(
      fc.property(fc.array(aName, { maxLength: 6 }), (names) => {
        const vms = names.map((name, id) => vmWith({ VC_ID: `${name}-${id}`, VNF_NAME: name }, [span(BOOT, null)], id));
        const samples = exposed(monitor(vms).metrics, BOOT + HOUR);
        const keys = samples.map(({ name, labels }) => JSON.stringify([name, Object.entries(labels)]));
        expect(new Set(keys).size).toBe(keys.length);
        const shown = samples.filter(({ name }) => name === 'vm_up').map(({ labels }) => [labels.id, labels.instance]);
        expect(shown).toEqual(names.map((name, id) => [`${name}-${id}`, name]));
        expect(samples).toHaveLength(36 * names.length);
      }),
      { seed: 1, numRuns: 50 },
    );
  });

  test('comes in chunks that hold no more than a part of it', () => {
    const vms = Array.from({ length: 300 }, (_, id) => vmWith({}, [span(BOOT, null)], id));
    const chunks = [...monitor(vms).metrics.exposition(BOOT + HOUR)];
    expect(chunks.length).toBeGreaterThan(10);
    expect(Math.max(...chunks.map((chunk) => chunk.length))).toBeLessThan(100_000);
  });

  test('is empty without VMs, and leaves out those that died long ago', () => {
    expect([...monitor([]).metrics.exposition(BOOT)]).toEqual([]);
    const { metrics } = monitor([vnf([span(BOOT, BOOT + HOUR)])]);
    expect(exposed(metrics, BOOT + HOUR + 4 * MINUTE)).not.toEqual([]);
    expect(exposed(metrics, BOOT + HOUR + 6 * MINUTE)).toEqual([]);
  });

  test('shows a VM that is no network function under its own name', () => {
    const { metrics } = monitor([vmWith({}, [span(BOOT, null)], 0)]);
    expect(exposed(metrics, BOOT + HOUR).find(({ name }) => name === 'vm_up')?.labels).toEqual({
      id: '00000000-0000-4000-8000-000000000000',
      instance: 'one-0',
      job: 'vm',
    });
  });
});
