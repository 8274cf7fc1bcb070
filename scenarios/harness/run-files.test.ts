import { readdirSync } from 'node:fs';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { readJunit } from './junit.ts';
import { fileOf } from './mutants/mutant.ts';
import { MUTANTS } from './mutants/mutants.ts';
import { replayFile, runFiles } from './run-files.ts';
import type { Wrap } from './transport.ts';
import { TWINS } from './twins.ts';

vi.setConfig({ testTimeout: 30_000 });

const step = (expected: number): string =>
  JSON.stringify({ v: 1, name: 'a <test>', steps: [{ id: 's1', op: 'version', expect: { status: expected } }] });
const troubled = (fault: string): string =>
  `{"v":1,"steps":[{"id":"a","op":"create","bind":"r1"},{"id":"b","op":"get","ref":"r1"}],"faults":[${fault}]}`;
const FILES: Readonly<Record<string, string>> = {
  'good.json': step(200),
  'bad.json': step(201),
  'idle.json': '{"v":1,"steps":[]}',
  'broken.json': '{"v":1,"stepz":[]}',
  // The user is looked for when the fault is armed, and not before: it may come until then.
  'stranger.json': troubled(
    '{"id":"f","kind":"declared","after":{"event":"a.answered"},"fault":{"selector":{"layer":"vm","user":"alcie"},"effect":{"do":"fail"}}}',
  ),
  'homeless.json': troubled('{"id":"f","kind":"hostDown","ref":"r1","after":{"event":"a.answered"}}'),
  'unmade.json':
    '{"v":1,"steps":[{"id":"a","op":"create","args":{"faas":{"FLAVOUR":"no"}},"bind":"r1"},{"id":"b","op":"get","ref":"r1"}]}',
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

type Ended = ReturnType<typeof runFiles>;
type Client = Parameters<typeof runFiles>[1];

async function ran(command: (args: readonly string[], client: Client) => Ended, ...args: string[]) {
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

  test.each<[string, object, string]>([
    [
      'headers',
      { headers: { 'Content-Type': 'text/plain', 'X-Foo': '1', 'X-None': '' }, sendText: '@a' },
      "-X POST -u alice -H 'Content-Type: text/plain' -H 'X-Foo: 1' -H 'X-None;' --data-raw '@a'",
    ],
    ['no media type', { sendText: '{"a":1}' }, `-X POST -u alice -H 'Content-Type:' --data-binary '{"a":1}'`],
    [
      'more than one line',
      { sendText: "{\n\u001b'\\" },
      String.raw`-X POST -u alice -H 'Content-Type:' --data-binary $'{\u000a\u001b\'\\'`,
    ],
    [
      'a long body',
      { sendText: 'a'.repeat(9_000) },
      `-X POST -u alice -H 'Content-Type:' --data-binary '@BODY of 9000 characters'`,
    ],
    ['another scheme', { auth: 'scheme' }, "-X POST -H 'Authorization: Bearer token'"],
    ['a wrong password', { auth: 'wrong' }, "-X POST -u 'alice:no such password'"],
    ['nobody', { auth: 'none', as: 'other' }, '-X POST'],
    [
      'credentials of its own',
      { headers: { authorization: 'Basic YWxpY2U6YWxpY2U=' } },
      "-X POST -H 'authorization: Basic CREDENTIALS'",
    ],
  ])('tells what was sent by hand with %s, after the steps before it', async (_, rest, sent) => {
    const steps = [
      { id: 's1', op: 'create', bind: 'r1', args: { name: "it's" } },
      { id: 's2', op: 'request', method: 'POST', path: '/serverless-runtimes', ...rest, expect: { status: 299 } },
    ];
    const { out, client } = machine();
    expect(await runFiles(['x'], { ...client, readFile: async () => JSON.stringify({ v: 1, steps }) })).toBe(1);
    const begin = out.findIndex((line) => line.startsWith('  by hand   '));
    const url = "'http://127.0.0.1:1337/serverless-runtimes'";
    expect(out.slice(begin, begin + 2)).toEqual([
      `  by hand   curl -i -X POST -u alice -H 'Content-Type: application/json' --data-binary '{"SERVERLESS_RUNTIME":{"NAME":"it'\\''s","FAAS":{"FLAVOUR":"Function"}}}' ${url}`,
      `            curl -i ${sent} ${url}`,
    ]);
  });

  test('tells the last ten by hand where there are more', async () => {
    const steps = Array.from({ length: 11 }, (_, n) => ({ id: `s${n}`, op: n % 2 === 0 ? 'version' : 'config' }));
    const last = { id: 'last', op: 'functions.list', as: 'other', expect: { status: 299 } };
    const { out, client } = machine();
    await runFiles(['x'], { ...client, readFile: async () => JSON.stringify({ v: 1, steps: [...steps, last] }) });
    const begin = out.indexOf('  by hand   the last 10 of 12:');
    expect(out.slice(begin + 1, begin + 11).every((line) => line.startsWith('            curl '))).toBe(true);
    expect(out[begin + 10]).toContain(
      "curl -i -H 'Authorization: bearer TOKEN' 'http://127.0.0.1:1337/api/v2/functions",
    );
  });

  test('ends with 4 when nothing was checked', async () => {
    expect((await ran(runFiles, 'idle.json')).code).toBe(4);
  });

  test.each<[string, string, string]>([
    [
      'a fault that the stand-in refuses, in its words',
      'stranger.json',
      'f: it was refused: selector.user: nothing is called "alcie", did you mean "alice"?',
    ],
    ['a fault of a host that nothing is on', 'homeless.json', 'f: its VM is on no host'],
    ['a step whose runtime was not made', 'unmade.json', 'b: what it refers to was not made'],
  ])('ends with 4 when it left out %s', async (_, file, why) => {
    for (const command of [runFiles, replayFile] as const) {
      const { code, out } = await ran((args, client) => command(args, client), file);
      expect(code, out.join('\n')).toBe(4);
      expect(out[1]?.slice(0, `  left out  ${why}`.length)).toBe(`  left out  ${why}`);
      expect(out.at(-1)).toBe('Something was left out, so less was checked than the scenario asks for.');
    }
  });

  test('writes what CI reads', async () => {
    const file = join(await mkdtemp(join(tmpdir(), 'onesim-')), 'report.xml');
    await ran(runFiles, 'bad.json', '--report', `junit=${file}`);
    const report = await readFile(file, 'utf8');
    expect(report).toContain('<testsuite name="a &lt;test&gt;" tests=');
    expect(report).toMatch(/name="E1 Every step[^"]*"><failure message="✗ E1/);
    expect(report).toMatch(/name="L1 [^"]*"><skipped message="nothing to judge"\/>/);
  });

  test('gives two scenarios of one name two suites', async () => {
    const file = join(await mkdtemp(join(tmpdir(), 'onesim-')), 'report.xml');
    await ran(runFiles, 'good.json', 'bad.json', 'good.json', '--report', `junit=${file}`);
    const { judged } = readJunit(await readFile(file, 'utf8'), file);
    expect(judged.map(({ name, reports }) => [name, [...reports.keys()]])).toEqual([
      ['a <test>', []],
      ['a <test> (2)', ['E1']],
      ['a <test> (3)', []],
    ]);
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
      'a form of report like none',
      ['good.json', '--report', 'foo=x'],
      '--report: unknown form "foo". The forms are junit, html, ctrf, sarif, github and ndjson',
    ],
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
    expect(out.at(-1)).toBe('  3 of 3 runs left the same trace, and came to the same verdict');
    expect((await ran(replayFile, 'good.json')).code).toBe(0);
  });

  test.each(MUTANTS.filter(({ law, twin }) => twin && law !== 'D3').map((mutant) => [mutant.law, mutant] as const))(
    'shows again what breaks %s, a law between two runs',
    async (law, mutant) => {
      const file = fileOf(mutant);
      const out: string[] = [];
      const readFrom = (path: string) => readFile(new URL(`../../fixtures/mutants/${path}`, import.meta.url), 'utf8');
      const client = { readFile: readFrom, out: (line: string) => void out.push(line), stopped: never };
      expect(await replayFile([file], client, mutant.wrap), out.join('\n')).toBe(1);
      const { sentence } = TWINS.find(({ id }) => id === law) ?? {};
      expect(out).toContain(`✗ ${law}: ${sentence}`);
      expect(out).toContain(`  replay    onesim replay ${file}`);
      expect(out.at(-1)).toBe('  3 of 3 runs left the same trace, and came to the same verdict');
      const clean: string[] = [];
      expect(await replayFile([file], { ...client, out: (line) => void clean.push(line) }), clean.join('\n')).toBe(0);
    },
  );

  test('tells a scenario that is another each time from a failure: that is a mistake of ours', async () => {
    const { out, client } = machine();
    let worlds = 0;
    const moody: Wrap = () => {
      const version = `1.${++worlds}.0`;
      return async () => Response.json(version);
    };
    expect(await replayFile(['good.json'], client, moody)).toBe(1);
    expect(out).toContain('✗ D3: The same scenario gives the same trace, byte for byte.');
    expect(out.at(-1)).toBe(
      '✗ D3: 3 runs of it left 3 different traces: a mistake of onesim, please report it, with good.json',
    );
  });

  test('ends with 4 when nothing was asked', async () => {
    const { code, out } = await ran(replayFile, 'idle.json');
    expect(code).toBe(4);
    expect(out.at(-1)).toBe('Nothing was asked of the target, so nothing was checked.');
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
