/** The worked examples: each is a scenario that comes out as it says, and breaks no law. */
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { readScenario } from '../harness/read-scenario.ts';
import { runFiles } from '../harness/run-files.ts';

const folder = new URL('../../fixtures/faults/', import.meta.url);
const names = readdirSync(folder).filter((name) => name.endsWith('.yaml'));

test.each(names)('%s', { timeout: 30_000 }, async (name) => {
  const out: string[] = [];
  const readFrom = (path: string): Promise<string> => readFile(new URL(path, folder), 'utf8');
  const stopped = () => new Promise<void>(() => {});
  const code = await runFiles([name], { readFile: readFrom, out: (line: string) => void out.push(line), stopped });
  expect(code, out.join('\n')).toBe(0);
});

test('a fault in a scenario is refused with its place', async () => {
  const content =
    'v: 1\nsteps: []\nfaults:\n  - { id: f, kind: declared, fault: { selector: { layer: host }, effect: { do: dwn } } }\n';
  await expect(readScenario(content, 'a.yaml')).rejects.toThrow(
    'a.yaml:4:80: "dwn" is not down, flapping, capacity, degraded, did you mean "down"?',
  );
});
