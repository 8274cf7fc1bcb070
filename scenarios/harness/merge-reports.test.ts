/** The verdict of the parts of a run, and what is wrong with parts that are none. */
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { loadContracts } from '../../contracts/contract.ts';
import { Coverage } from './coverage.ts';
import { type Judged, junit } from './junit.ts';
import type { Law } from './law.ts';
import { mergeReports } from './merge-reports.ts';
import { ctrf } from './reports/ctrf.ts';
import { ndjson, readNdjson } from './reports/ndjson.ts';
import type { PartOf, Reported } from './reports/reported.ts';
import { verify } from './verify.ts';
import { shareOf } from './verify-settings.ts';

vi.setConfig({ testTimeout: 30_000 });

const LAWS: Law[] = ['A1', 'A2', 'A3'].map((id) => ({ id, sentence: `<${id}> & more.`, reason: '', judge: () => {} }));
const CONTRACTS = await loadContracts();

const of = (shard: string, rest: Partial<PartOf> = {}): PartOf => ({
  ...{ onesim: '1.0.0', of: 'the stand-in', profile: 'upstream', seed: 1, runs: 100, shard, code: 0 },
  ...rest,
});

function reported(checks: readonly string[], broken: readonly string[] = [], part?: PartOf): Reported {
  const violations = broken.map((law) => ({ law, at: 0, subject: 'runtime 8', expected: '< 1', seen: '2' }));
  const judged: Judged = {
    name: 'a "suite"',
    verdict: { checks: new Map(checks.map((law) => [law, 1])), violations },
    reports: new Map(broken.map((law) => [law, [`✗ ${law}`, 'expected < 1']])),
  };
  const rest = { traces: [], contracts: CONTRACTS, coverage: new Coverage(CONTRACTS) };
  return { laws: LAWS, judged: [judged], ...rest, ...(part === undefined ? {} : { part }) };
}

const part = (...given: Parameters<typeof reported>): string => junit(reported(...given));

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
    ['nothing', [], [], 'name the reports to merge'],
    ['what is no report', ['{}'], [], 'its last line is no verdict'],
    ['what is nothing at all', ['Segmentation fault'], [], ':1: this is no line of a report'],
    ['an empty file', [''], [], 'it is empty: the run that was to write it was broken off'],
    ['traces without a verdict', ['{"kind":"run"}\n'], [], 'its last line is no verdict'],
    ['a verdict with a mistake', ['{"kind":"verdict","v":2}'], [], 'v: expected 1, not 2'],
    ['CTRF of somebody else', ['{"reportFormat":"CTRF","results":{}}'], [], 'this is no CTRF report of ours'],
    ['half a report', [part(['A1']).slice(0, 200)], [], 'this is no whole JUnit report'],
    ['a missing file', [], ['/no/such.xml'], '/no/such.xml: no such file'],
    ['a form that needs more', [part([])], ['--report', 'html=x'], '--report: html can be made of NDJSON reports only'],
    ['another form', [part([])], ['--report', 'htlm=x'], '--report: unknown form "htlm", did you mean "html"?'],
    ['the same part twice', [part([], [], of('1/2')), part([], [], of('1/2'))], [], 'are both part 1/2'],
    [
      'another version',
      [part([], [], of('1/2')), part([], [], of('2/2', { onesim: '2.0.0' }))],
      [],
      'has onesim 2.0.0, ',
    ],
    ['another seed', [part([], [], of('1/2')), part([], [], of('2/2', { seed: 7 }))], [], 'has seed 7, '],
    ['parts of another whole', [part([], [], of('1/2')), part([], [], of('2/3'))], [], 'they are not parts of one run'],
    ['a file that cannot be written', [part([])], ['--report', 'junit=/no/such/x'], 'cannot write /no/such/x'],
  ])('refuses %s', async (_, parts, args, problem) => {
    await expect(merged(parts, ...args)).rejects.toThrow(problem);
  });
});

describe('the parts of a run', () => {
  const FORMS = { junit, ctrf, ndjson } as const;

  test.each(Object.entries(FORMS))('are known from %s: one that is missing makes too little of it', async (_, form) => {
    const parts = [form(reported(['A1'], [], of('1/3'))), form(reported(['A1'], [], of('3/3')))];
    const { code, out } = await merged(parts);
    expect(code).toBe(4);
    expect(out[0]).toBe('✗ part 2/3 is missing');
    const whole = [...parts, form(reported(['A1'], [], of('2/3')))];
    expect((await merged(whole)).code).toBe(0);
  });

  test.each(Object.entries(FORMS))('end as the gravest of them ended: %s', async (_, form) => {
    const parts = ([0, 4, 3] as const).map((code, n) => form(reported(['A1'], [], of(`${n + 1}/3`, { code }))));
    const { code, out } = await merged(parts);
    expect(code).toBe(3);
    expect(out.join('\n')).toMatch(/part 3\/3: something that was made on a server is, or may be, left there/);
  });

  test('as NDJSON make reports of every form', async () => {
    const parts = [ndjson(reported(['A1'], ['A1'], of('1/2', { code: 1 }))), ndjson(reported(['A2'], [], of('2/2')))];
    const forms = ['junit', 'html', 'ctrf', 'sarif', 'github', 'ndjson'];
    const files = forms.map((form) => `${form}=${join(folder, `all.${form}`)}`);
    const { code, out } = await merged(parts, '--report', files.join(','));
    expect(code).toBe(1);
    expect(out.join('\n')).toMatch(/seen 0 of \d+ states/);
    const written = (form: string): Promise<string> => readFile(join(folder, `all.${form}`), 'utf8');
    expect(await written('junit')).toContain('value="1/1"');
    expect(await written('html')).toContain('<h1>Broken</h1>');
    expect(JSON.parse(await written('ctrf')).results.summary).toMatchObject({ failed: 1, passed: 1, skipped: 1 });
    expect(JSON.parse(await written('sarif')).runs[0].results).toHaveLength(1);
    expect(await written('github')).toContain('::error');
    const again = readNdjson(await written('ndjson'), 'all.ndjson');
    expect(again.part).toMatchObject({ shard: '1/1', code: 1 });
    expect(again.judged[0]?.verdict.checks).toEqual(
      new Map([
        ['A1', 1],
        ['A2', 1],
      ]),
    );
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

  test('give reports that merge into the verdict, and what is seen, of all', async () => {
    const machine = { out: () => {}, writeFile: async () => {}, stopped: () => new Promise<void>(() => {}) };
    const played = async (shard: string): Promise<string> => {
      const file = join(folder, 'shard');
      expect(await verify(['--runs', '6', '--shard', shard, '--report', `ndjson=${file}`], machine)).toBe(0);
      return readFile(file, 'utf8');
    };
    const whole = readNdjson(await played('1/1'), 'whole');
    const { code, out } = await merged([await played('1/2'), await played('2/2')], '--report', `ndjson=${folder}/all`);
    expect(code).toBe(0);
    expect(out[0]).toMatch(/^✓ 2 parts: \d+ held, 0 broken/);
    const all = readNdjson(await readFile(`${folder}/all`, 'utf8'), 'all');
    const laws = ({ judged }: typeof all) =>
      [...(judged[0]?.verdict.checks ?? [])].filter(([law]) => /^[LRAPD]\d/.test(law));
    expect(new Map(laws(all))).toEqual(new Map(laws(whole)));
    expect(all.rest?.sightings.seen.state).toEqual(whole.rest?.sightings.seen.state);
  });
});
