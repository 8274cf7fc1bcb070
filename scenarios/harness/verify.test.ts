import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { Coverage } from './coverage.ts';
import { type Hire, hireThreads, type SearchedShare, type Share } from './crew.ts';
import type { Violation } from './law.ts';
import { judge, loadLaws } from './laws.ts';
import { smallest } from './property.ts';
import { runScenario } from './runner.ts';
import type { Scenario } from './scenario.ts';
import { inProcess, type Wrap } from './transport.ts';
import { verify } from './verify.ts';
import { workersFor } from './verify-settings.ts';

vi.setConfig({ testTimeout: 30_000 });

async function ran(...args: string[]) {
  return hired(hireThreads, ...args);
}

async function hired(hire: Hire, ...args: string[]) {
  const out: string[] = [];
  const saved = new Map<string, string>();
  const machine = {
    out: (line: string) => void out.push(line),
    writeFile: async (file: string, text: string) => void saved.set(file, text),
    stopped: () => new Promise<void>(() => {}),
  };
  const code = await verify(args, machine, undefined, '1.0.0', hire);
  return { code, out, saved };
}

test('holds generated scenarios against the laws, and names those that had no chance', async () => {
  const { code, out } = await ran('--runs', '12', '--seed=7', '--profile', 'contract');
  expect(code).toBe(0);
  expect(out[0]).toBe('The stand-in, profile contract, 12 scenarios from seed 7');
  expect(out[1]).toMatch(/^ {2}12 of 12 scenarios, \d+ requests, nothing broken$/);
  expect(out[2]).toMatch(/^✓ \d+ laws held in \d+ checks$/);
  expect(out[3]).toMatch(/^ {2}never judged: .*E1/);
});

test('holds both profiles against them, one after the other, and tells what either has seen', async () => {
  const { code, out } = await ran('--runs', '3', '--profile', 'both');
  expect(code).toBe(0);
  const heads = out.filter((line) => line.startsWith('The stand-in'));
  expect(heads).toEqual(
    ['upstream', 'contract'].map((each) => `The stand-in, profile ${each}, 3 scenarios from seed 1`),
  );
  expect(out.filter((line) => /seen \d+ of \d+ states/.test(line))).toHaveLength(1);
});

test('ends when it is asked to, and says what it has found', async () => {
  const out: string[] = [];
  const machine = { out: (line: string) => void out.push(line), writeFile: async () => {}, stopped: async () => {} };
  expect(await verify(['--runs', '100000', '--workers', '1'], machine)).toBe(4);
  expect(out.join('\n')).toContain('Stopping: ');
});

/** From then on nothing new is seen. */
const SEEN_ALL = 401;

function cameOf(share: Share, isBroken: boolean): SearchedShare {
  const { seed, runs, profile } = share;
  const { sightings } = new Coverage([]);
  const state = { RUNNING: runs, [`STATE_${Math.min(seed, SEEN_ALL)}`]: 1 };
  const violation = { law: 'A1', at: 0, subject: `runtime ${seed}`, expected: 'one', seen: 'another' };
  return {
    share,
    ...{ scenarios: isBroken ? 7 : runs, requests: seed, checks: new Map([['A1', runs]]), doubts: 1 },
    failure: isBroken ? { violation, scenario: { v: 1, steps: [{ id: 'look', op: 'version' }] } } : undefined,
    sightings: { ...sightings, profiles: [profile], seen: { ...sightings.seen, state } },
  };
}

describe('is the same, whoever of those who search is done first:', () => {
  const FORMS = ['junit', 'html', 'ctrf', 'sarif', 'github', 'ndjson'];
  const [FIRST_BROKEN, NEXT_BROKEN] = [201, 301];
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'onesim-'));
  });

  /** Later shares are done sooner than those before them. */
  const hasty =
    (broken: readonly number[]): Hire =>
    (count) =>
      Array.from({ length: count }, () => ({
        async search(share) {
          for (let turns = 20 - (share.seed % 20); turns > 0; turns--) await null;
          return cameOf(share, broken.includes(share.seed));
        },
        end: async () => {},
      }));

  test.each<[string, number, readonly number[], string[], string]>([
    ['what is right', 0, [], ['--runs', '430'], '  430 of 430 scenarios, 1809 requests, nothing broken'],
    [
      'a part of it',
      0,
      [],
      ['--runs', '900', '--shard', '2/7'],
      '  129 of 129 scenarios, 704 requests, nothing broken',
    ],
    ['what is broken', 1, [NEXT_BROKEN, FIRST_BROKEN], ['--runs', '1000'], 'runtime 201'],
    ['what is seen', 4, [], ['--until-stable'], '  nothing new in the last 1000 scenarios'],
  ])('%s', async (_, expected, broken, args, line) => {
    const ends = [];
    for (const workers of ['1', '2', '3', '7']) {
      const files = FORMS.map((form) => `${form}=${join(folder, form)}`).join(',');
      const { code, out, saved } = await hired(hasty(broken), ...args, '--workers', workers, '--report', files);
      const lines = out.map((each) => each.replace(/; about .* to go/, ''));
      const reports = await Promise.all(FORMS.map((form) => readFile(join(folder, form), 'utf8')));
      ends.push({ code, lines, saved, reports });
    }
    for (const each of ends) expect(each).toEqual(ends[0]);
    expect(ends[0]?.code).toBe(expected);
    expect(ends[0]?.lines.join('\n')).toContain(line);
    expect([...(ends[0]?.saved.keys() ?? [])]).toEqual(broken.length > 0 ? ['onesim-D3-201.json'] : []);
  });
});

describe('a failure', () => {
  const EXPECTING: Scenario = { v: 1, steps: [{ id: 'look', op: 'version', expect: { status: 299 } }] };

  /** Comes upon a failure in the seventh scenario. */
  const comingUpon =
    (violation: Violation, scenario: Scenario): Hire =>
    () => [
      { search: async (share) => ({ ...cameOf(share, true), failure: { violation, scenario } }), end: async () => {} },
    ];

  async function broken(): Promise<Violation> {
    const trace = await runScenario(EXPECTING, await inProcess(EXPECTING));
    const [violation] = judge(await loadLaws(), trace).violations;
    if (violation === undefined) throw new Error('nothing is broken');
    return violation;
  }

  test('is saved, and told with what replays it', async () => {
    const { code, out, saved } = await hired(comingUpon(await broken(), EXPECTING));
    expect(code).toBe(1);
    expect(out).toContain('✗ E1: Every step is answered as the scenario expects.');
    expect(out).toContain('  replay    onesim replay onesim-E1-1.json');
    expect(JSON.parse(saved.get('onesim-E1-1.json') ?? '')).toMatchObject({ v: 1, steps: [{ op: 'version' }] });
  });

  test('that cannot be saved is told and reported all the same, and how to come upon it again', async () => {
    const file = join(await mkdtemp(join(tmpdir(), 'onesim-')), 'report.xml');
    const out: string[] = [];
    const machine = {
      out: (line: string) => void out.push(line),
      writeFile: () => Promise.reject(Object.assign(new Error('EACCES'), { code: 'EACCES' })),
      stopped: () => new Promise<void>(() => {}),
    };
    const hire = comingUpon(await broken(), EXPECTING);
    expect(await verify(['--seed', '101', '--report', `junit=${file}`], machine, undefined, '', hire)).toBe(1);
    expect(out).toContain('✗ E1: Every step is answered as the scenario expects.');
    const end = [
      '  unsaved   cannot write onesim-E1-101.json: permission denied',
      '  again     onesim verify --seed 101 --runs 7 --profile upstream',
    ];
    expect(out.join('\n')).toContain(end.join('\n'));
    expect(out.join('\n')).not.toContain('onesim replay');
    expect(await readFile(file, 'utf8')).toContain(end.join('\n'));
  });

  test('that does not come again each time is told as what it is: a mistake of ours', async () => {
    const violation = {
      ...(await broken()),
      law: 'L2',
      subject: 'runtime 8',
      expected: 'anything but 404',
      seen: '404',
    };
    const { code, out, saved } = await hired(comingUpon(violation, EXPECTING));
    expect(code).toBe(1);
    expect(out.slice(1, 8)).toEqual([
      '✗ D3: The same scenario gives the same trace, byte for byte.',
      '  at 0.000 s, runtime 8',
      '  expected  L2 is broken each time, as it was when it was come upon',
      '  seen      0 of 3 replays break it, and they leave 1 trace',
      '    when it was come upon, L2 expected anything but 404',
      '    and saw 404',
      '  steps     1:',
    ]);
    expect(out.slice(-5, -1)).toEqual([
      expect.stringMatching(/^ {2}by hand /),
      '  replay    onesim replay onesim-D3-1.json',
      '  report    this is a mistake of onesim itself, whatever it judges: please report it with all that is told here',
      '            and with onesim-D3-1.json; it was come upon by onesim verify --seed 1 --runs 7 --profile upstream',
    ]);
    expect([...saved.keys()]).toEqual(['onesim-D3-1.json']);
  });

  test('that comes again each time, but otherwise, is such a mistake, too', async () => {
    let worlds = 0;
    const moody: Wrap = () => {
      const version = `1.${++worlds}.0`;
      return async () => Response.json(version);
    };
    const failure = { violation: await broken(), scenario: EXPECTING };
    const { violation } = await smallest(await loadLaws(), failure, moody);
    expect(violation).toMatchObject({ law: 'D3', seen: '3 of 3 replays break it, and they leave 3 traces' });
    expect((await smallest(await loadLaws(), failure)).violation).toMatchObject({ law: 'E1', seen: '200' });
  });
});

test('those who search are waited for when it is to end, and told of', async () => {
  const out: string[] = [];
  let stop = (): void => {};
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
  });
  let begun = 0;
  const hire: Hire = (count) =>
    Array.from({ length: count }, (_, n) => ({
      async search(share) {
        begun++;
        if (begun === 5) stop();
        for (let turns = 10 * n; turns > 0; turns--) await null;
        return cameOf(share, false);
      },
      end: async () => {},
    }));
  const machine = { out: (line: string) => void out.push(line), writeFile: async () => {}, stopped: () => stopped };
  expect(await verify(['--runs', '100000', '--workers', '3'], machine, undefined, '', hire)).toBe(4);
  expect(begun).toBeLessThan(5 + 3);
  expect(out.join('\n')).toContain(` in ${50 * begun} checks`);
});

test('a core has somebody who searches where there is enough to do', () => {
  expect([1, 499, 999, 1000, 100_000].map((runs) => workersFor(runs, 4))).toEqual([1, 1, 1, 2, 4]);
  expect(workersFor(100_000, 1)).toBe(1);
});

describe('refuses', () => {
  test.each<[string[], string]>([
    [['--run', '1'], 'unknown flag "--run", did you mean "--runs"?'],
    [['--runs', '0'], '--runs: expected a whole number from 1 to 1000000, not "0"'],
    [['--seed'], '--seed needs a value'],
    [['--profile', 'real'], '--profile: expected upstream, contract, both or auto, not "real"'],
    [['--profile', 'auto'], '--profile: the stand-in is upstream, contract or both, as it is told'],
    [['--profile', 'both', '--target', 'http://a'], '--profile: a server has one; auto takes the one that it shows'],
    [['--tolerance', '0'], '--tolerance: expected a factor, from 1 to 100, not "0"'],
    [['--level', 'crud'], '--level says something of a server, and no --target is given'],
    [['more'], 'unexpected argument "more"'],
    [['--stand-in=yes'], '--stand-in takes no value'],
    [['--stand-in', '--target', 'http://a'], '--target and --stand-in are two things'],
    [['--workers', '0'], '--workers: expected a whole number from 1 to 256, not "0"'],
    [
      ['--workers', '2', '--target', 'http://a'],
      '--workers is for the stand-in: a server is asked one thing at a time',
    ],
    [['--shard', '3/2'], '--shard: expected a part of the work such as 2/5, from 1/5 to 5/5, not "3/2"'],
    [['--max-duration', '10'], '--max-duration: expected a duration such as 500ms, 90s, 10m, 1h or 1d, not "10"'],
    [['--report', 'junit=/no/such/x'], '--report: cannot write /no/such/x: no such file'],
    [['--target', 'x'], '--target: expected a URL such as http://127.0.0.1:1337, not "x"'],
    [['--target', 'http://a', '--rate', '0'], '--rate: expected requests a second, from 0.01 to 1000, not "0"'],
    [['--target', 'http://a', '--level', 'all'], '--level: expected read, crud, lifecycle or concurrent, not "all"'],
    [['--target', 'http://a', '--level', 'crud'], '--level crud makes runtimes: say whose, with --auth user:password'],
    [['--target', 'http://a', '--auth', 'oneadmin:x'], '--auth: oneadmin may do too much for a test;'],
    [['--target', 'http://a', '--auth', 'alice'], '--auth: expected user:password'],
    [['--target', 'http://127.0.0.1:1'], '--target: http://127.0.0.1:1 does not answer: '],
  ])('%j', async (args, problem) => {
    const refused = await ran(...args).catch((error: Error) => error.message);
    expect(String(refused).slice(0, problem.length)).toBe(problem);
  });
});
