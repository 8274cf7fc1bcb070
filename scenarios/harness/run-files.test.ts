import { readdirSync } from 'node:fs';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { replayFile, runFiles } from './run-files.ts';

vi.setConfig({ testTimeout: 30_000 });

const step = (expected: number): string =>
  JSON.stringify({ v: 1, name: 'a <test>', steps: [{ id: 's1', op: 'version', expect: { status: expected } }] });
const FILES: Readonly<Record<string, string>> = {
  'good.json': step(200),
  'bad.json': step(201),
  'idle.json': '{"v":1,"steps":[]}',
  'broken.json': '{"v":1,"stepz":[]}',
};

function machine() {
  const out: string[] = [];
  const readFrom = async (path: string): Promise<string> => {
    const content = FILES[path];
    if (content === undefined) throw Object.assign(new Error('ENOENT'), { code: 'ENOENT' });
    return content;
  };
  return { out, client: { readFile: readFrom, out: (line: string) => void out.push(line), stopped: never } };
}

/** Nobody ends it early. */
const never = () => new Promise<void>(() => {});

async function ran(command: typeof replayFile, ...args: string[]) {
  const { out, client } = machine();
  const code = await command(args, client);
  return { code, out };
}

describe('the scenarios that come with it', () => {
  const folder = new URL('../../fixtures/scenarios/', import.meta.url);
  const names = readdirSync(folder).filter((name) => name !== 'schema.json');

  test.each(names)('%s breaks no law', async (name) => {
    const out: string[] = [];
    const readFrom = (path: string): Promise<string> => readFile(new URL(path, folder), 'utf8');
    const code = await runFiles([name], {
      readFile: readFrom,
      out: (line: string) => void out.push(line),
      stopped: never,
    });
    expect(code, out.join('\n')).toBe(0);
  });
});

describe('onesim run', () => {
  test('ends with 0 when every law holds', async () => {
    const { code, out } = await ran(runFiles, 'good.json');
    expect(code).toBe(0);
    expect(out).toEqual([
      expect.stringMatching(/^✓ a <test>: 1 request in 0\.000 s of its time, \d+ checks of \d+ laws, 0 broken$/),
    ]);
  });

  test('ends with 1 and all that repeats it when one is broken', async () => {
    const { code, out } = await ran(runFiles, 'good.json', 'bad.json');
    expect(code).toBe(1);
    expect(out.slice(2)).toEqual([
      '✗ E1: Every step is answered as the scenario expects.',
      '  at 0.000 s, step s1',
      '  expected  status 201',
      '  seen      200',
      '  steps     1:',
      '         0.000 s  s1  GET /server/version (owner) → 200',
      "  by hand   curl -i -u alice 'http://127.0.0.1:1337/server/version'",
      '  replay    onesim replay bad.json',
    ]);
  });

  test('ends with 4 when nothing was checked', async () => {
    expect((await ran(runFiles, 'idle.json')).code).toBe(4);
  });

  test('writes what CI reads', async () => {
    const file = join(await mkdtemp(join(tmpdir(), 'onesim-')), 'report.xml');
    await ran(runFiles, 'bad.json', '--report', `junit=${file}`);
    const report = await readFile(file, 'utf8');
    expect(report).toContain('<testsuite name="a &lt;test&gt;" tests=');
    expect(report).toMatch(/name="E1 Every step[^"]*"><failure message="✗ E1/);
    expect(report).toMatch(/name="L1 [^"]*"><skipped message="nothing to judge"\/>/);
  });

  test.each<[string, string[], string]>([
    ['no file', [], 'name the scenario files to run'],
    ['a file that is not there', ['no.json'], 'no.json: no such file'],
    [
      'a file that is no scenario',
      ['good.json', 'broken.json'],
      'broken.json:1:8: unknown key "stepz", did you mean "steps"?',
    ],
    ['a flag', ['good.json', '--taget', 'x'], 'unknown flag "--taget", did you mean "--target"?'],
    ['a flag without its value', ['good.json', '--target'], '--target needs a value'],
    [
      'a target',
      ['good.json', '--target', 'here'],
      '--target: expected a URL such as http://127.0.0.1:1337, not "here"',
    ],
    ['credentials', ['good.json', '--auth', 'me'], '--auth: expected user:password'],
    ['a form of report', ['good.json', '--report', 'junt=x'], '--report: unknown form "junt", did you mean "junit"?'],
    [
      'a form of report given twice',
      ['good.json', '--report', 'junit=x', '--report', 'junit=y'],
      '--report: junit is given twice',
    ],
    ['a file given twice', ['good.json', '--report', 'junit=x,html=x'], '--report: x is given twice'],
    ['a report without a file', ['good.json', '--report', 'junit'], '--report: junit needs a file, as in junit=FILE'],
    ['a flag of servers', ['good.json', '--rate', '2'], '--rate says something of a server, and no --target is given'],
    [
      'a report that cannot be written',
      ['good.json', '--report=ndjson=/no/such/folder/x'],
      '--report: cannot write /no/such/folder/x: no such file',
    ],
  ])('refuses %s', async (_, args, problem) => {
    const refused = await ran(runFiles, ...args).catch((error: Error) => error.message);
    expect(String(refused).slice(0, problem.length)).toBe(problem);
  });
});

describe('a run that somebody ends', () => {
  test('begins no other file, writes what it has found, and ends with 4', async () => {
    const file = join(await mkdtemp(join(tmpdir(), 'onesim-')), 'report.xml');
    const { out, client } = machine();
    let read = 0;
    const ending = {
      ...client,
      // The run is ended while its files are read: that is as early as it can be.
      stopped: async () => void (read > 0),
      readFile: (path: string) => {
        read++;
        return client.readFile(path);
      },
    };
    expect(await runFiles(['good.json', 'bad.json', '--report', `junit=${file}`], ending)).toBe(4);
    expect(out.join('\n')).toContain('Stopping: ');
    expect(await readFile(file, 'utf8')).toContain('</testsuites>');
  });
});

describe('onesim replay', () => {
  test('replays three times, and says whether it came to the same', async () => {
    const { code, out } = await ran(replayFile, 'bad.json');
    expect(code).toBe(1);
    expect(out.at(-1)).toBe('  3 of 3 runs left the same trace');
    expect((await ran(replayFile, 'good.json')).code).toBe(0);
  });

  test.each<[string[], string]>([
    [['good.json', 'bad.json'], 'replay takes one file'],
    [
      ['good.json', '--target', 'http://localhost'],
      'replay is for the stand-in; onesim run FILE --target URL asks a server',
    ],
  ])('refuses %j', async (args, problem) => {
    await expect(ran(replayFile, ...args)).rejects.toThrow(problem);
  });
});
