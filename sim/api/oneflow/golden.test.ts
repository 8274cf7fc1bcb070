import { describe, expect, test } from 'vitest';
import { RECORDINGS, RecordedCloud } from './recorded.ts';
import { LEFT_OUT, PARTS } from './recorded-parts.ts';
import { printJson, readJson } from './ruby-value.ts';

const played = new Set<string>();

async function playAll(cloud: RecordedCloud, cases: readonly string[]): Promise<void> {
  for (const each of cases) {
    played.add(each);
    const { answered, recorded } = await cloud.play(each);
    expect({ case: each, ...answered }).toEqual({ case: each, ...recorded });
  }
}

describe('the recorded answers of OneFlow', () => {
  for (const { name, script } of PARTS) {
    test(name, async () => {
      const cloud = RecordedCloud.furnished();
      await script(cloud, (...cases) => playAll(cloud, cases));
    });
  }

  test('keeps the body that oned shows', async () => {
    const cloud = RecordedCloud.furnished();
    await cloud.play('inst_merge');
    cloud.wait();
    const shown = RECORDINGS.get('service_document')?.response.body ?? '';
    const [, recorded = ''] = /CDATA\[(.*)\]\]&gt;&lt;\/BODY/.exec(shown) ?? [];
    const text = cloud.cloud.documents.get(cloud.documents.get(226) ?? -1).template.get('BODY') ?? '';
    const vmless = (body: string): string =>
      body
        .replace(/\d{9,}/g, 'T')
        .replace(/246|\b0\b/g, 'V')
        .replace(/service_\d+/, 'S');
    expect(vmless(text)).toBe(vmless(recorded));
  });

  test('are all played, but for those left out', () => {
    expect([...played, ...Object.keys(LEFT_OUT)].sort()).toEqual([...RECORDINGS.keys()].sort());
  });

  test('are printed as they were', () => {
    const bodies = [...RECORDINGS.values()]
      .map(({ response }) => response.body ?? '')
      .filter((body) => /^\{\n/.test(body));
    expect(bodies.length).toBeGreaterThan(40);
    for (const body of bodies) expect(printJson(readJson(body))).toBe(body);
  });
});
