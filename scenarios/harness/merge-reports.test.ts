import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Judged } from './junit.ts';
import { junit } from './junit.ts';
import type { Law } from './law.ts';
import { mergeReports } from './merge-reports.ts';
import { verify } from './verify.ts';
import { shareOf } from './verify-settings.ts';

const LAWS: Law[] = ['A1', 'A2', 'A3'].map((id) => ({ id, sentence: `<${id}> & more.`, reason: '', judge: () => {} }));

function part(checks: readonly string[], broken: readonly string[] = []): string {
  const judged: Judged = {
    name: 'a "suite"',
    verdict: { checks: new Map(checks.map((law) => [law, 1])), violations: [] },
    reports: new Map(broken.map((law) => [law, [`✗ ${law}`, 'expected < 1']])),
  };
  return junit(LAWS, [judged]);
}

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'onesim-'));
});

async function merged(parts: readonly string[], ...args: string[]) {
  const names = parts.map((_, n) => join(folder, `part-${n}.xml`));
  for (const [n, name] of names.entries()) await writeFile(name, parts[n] ?? '');
  const out: string[] = [];
  const machine = { out: (line: string) => void out.push(line), readFile: (path: string) => readFile(path, 'utf8') };
  return { code: await mergeReports([...names, ...args], machine), out };
}

describe('onesim merge-reports', () => {
  test('says what held in some part and was broken in none', async () => {
    const { code, out } = await merged([part(['A1']), part(['A2'])]);
    expect(code).toBe(0);
    expect(out).toEqual(['✓ 2 parts: 2 held, 0 broken, 1 never judged', '  never judged  a "suite": A3 <A3> & more.']);
  });

  test('says what was broken in one of them, and writes a report like theirs', async () => {
    const file = join(folder, 'all.xml');
    const { code, out } = await merged([part(['A1']), part(['A1', 'A2'], ['A1'])], '--report', `junit=${file}`);
    expect(code).toBe(1);
    expect(out.slice(0, 2)).toEqual(['✗ a "suite": A1 <A1> & more.', '✗ 2 parts: 1 held, 1 broken, 1 never judged']);
    expect(await readFile(file, 'utf8')).toBe(part(['A1', 'A2'], ['A1']));
  });

  test('of one part is that part, and of nothing judged is 4', async () => {
    const file = join(folder, 'one.xml');
    expect((await merged([part([])], '--report', `junit=${file}`)).code).toBe(4);
    expect(await readFile(file, 'utf8')).toBe(part([]));
  });

  test.each<[string, readonly string[], readonly string[], string]>([
    ['nothing', [], [], 'name the JUnit reports to merge'],
    ['what is no report', ['{}'], [], 'this is no whole JUnit report'],
    ['half a report', [part(['A1']).slice(0, 200)], [], 'this is no whole JUnit report'],
    ['a missing file', [], ['/no/such.xml'], '/no/such.xml: no such file'],
    ['another form', [part([])], ['--report', 'html=x'], '--report: expected junit=FILE, not "html=x"'],
    ['a file that cannot be written', [part([])], ['--report', 'junit=/no/such/x'], 'cannot write /no/such/x'],
  ])('refuses %s', async (_, parts, args, problem) => {
    await expect(merged(parts, ...args)).rejects.toThrow(problem);
  });
});

describe('shards', () => {
  test.each([1, 2, 3, 7, 10])('of which there are %i are together the whole', (of) => {
    const shares = Array.from({ length: of }, (_, n) => shareOf(200, { i: n + 1, of }));
    let next = 0;
    for (const { from, count } of shares) {
      expect(from).toBe(next);
      next = from + count;
    }
    expect(next).toBe(200);
  });

  test('give reports that merge into the verdict of all', async () => {
    const parts: string[] = [];
    for (const i of [1, 2]) {
      const file = join(folder, `shard-${i}.xml`);
      const machine = { out: () => {}, stopped: () => new Promise<void>(() => {}) };
      const code = await verify(['--runs', '6', '--shard', `${i}/2`, '--report', `junit=${file}`], machine);
      expect(code).toBe(0);
      parts.push(await readFile(file, 'utf8'));
    }
    const { code, out } = await merged(parts);
    expect(code).toBe(0);
    expect(out[0]).toMatch(/^✓ 2 parts: \d+ held, 0 broken/);
  }, 30_000);
});
