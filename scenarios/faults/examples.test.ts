/** The worked examples: each is a scenario that comes out as it says, and breaks no law. */
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { runFiles } from '../harness/run-files.ts';

const folder = new URL('../../fixtures/faults/', import.meta.url);
const names = readdirSync(folder).filter((name) => name.endsWith('.yaml'));

test.each(names)('%s', { timeout: 30_000 }, async (name) => {
  const out: string[] = [];
  const readFrom = (path: string): Promise<string> => readFile(new URL(path, folder), 'utf8');
  const code = await runFiles([name], { readFile: readFrom, out: (line: string) => void out.push(line) });
  expect(code, out.join('\n')).toBe(0);
});
