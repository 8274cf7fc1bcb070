/** `onesim verify --target`: levels, known departures, ends that come early, and what is unlike the stand-in. */
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { readJunit } from '../junit.ts';
import { verify } from '../verify.ts';
import { LEVELS } from './levels.ts';
import { answering, type Between, leftovers, rewriting, serverOf, TARGET, told, verified } from './testing.ts';

// A run is a second of work or less; a busy machine may take longer.
vi.setConfig({ testTimeout: 30_000 });

describe.each(['upstream', 'contract'] as const)('a stand-in in profile %s', (profile) => {
  test.each(LEVELS)('keeps all laws at level %s, and nothing is left of it', async (level) => {
    const target = await serverOf({ profile });
    const before = leftovers(target.simulator);
    const ran = await verified(target, ['--level', level, '--runs', '3']);
    expect(ran.code, told(ran)).toBe(0);
    expect(told(ran)).toContain(`✓ engine, profile ${profile}: nothing broken`);
    await target.outside.clock.sleep(120_000);
    expect(leftovers(target.simulator)).toEqual(before);
  });
});

test('without --auth nobody is asked as, and what anybody may read is read', async () => {
  const who = new Set<string>();
  const { outside } = await serverOf({}, (request, door) => {
    const [, session = ''] = (request.headers.get('authorization') ?? '').split('Basic ');
    who.add(Buffer.from(session, 'base64').toString().split(':')[0] ?? '');
    return door(request);
  });
  const out: string[] = [];
  const stopped = () => new Promise<void>(() => {});
  const machine = { out: (line: string) => void out.push(line), writeFile: async () => {}, stopped };
  const code = await verify(['--target', TARGET, '--rate', '1000', '--profile', 'upstream'], machine, outside);
  expect(code, out.join('\n')).toBe(0);
  expect(out.join('\n')).toContain('without --auth, what anybody may read');
  expect([...who]).toEqual(['']);
});

describe('known departures', () => {
  /** A real engine on a cloud of ours lets every probe be played. */
  const ALL = ['--level', 'lifecycle', '--runs', '1', '--admin-auth', 'oneadmin:opennebula', '--control', TARGET];

  test('are all shown in profile upstream, but for those that no probe can be played for', async () => {
    const target = await serverOf();
    const before = leftovers(target.simulator);
    const ran = await verified(target, ALL);
    expect(ran.code, told(ran)).toBe(0);
    await target.outside.clock.sleep(120_000);
    expect(leftovers(target.simulator).vms).toBe(before.vms);
    expect(ran.out.filter((line) => line.includes('unobserved'))).toEqual([
      '    unobserved: it sends a blank that HTTP clients strip: basic-without-credentials-500',
      '    unobserved: it needs a server with a time-out of 3: short-timeout-zero',
    ]);
  });

  test.each(['get-200', 'rename-shows-late', 'put-504-as-500'] as const)(
    'that a server does not show any more are stale: %s',
    async (id) => {
      const ran = await verified(await serverOf({ deviations: { [id]: false } }), [...ALL, '--profile', 'upstream']);
      const wrong = ran.out.filter((line) => line.startsWith('  ✗ ')).map((line) => line.trim());
      expect(wrong).toEqual([`✗ ${id}: stale: the server keeps the contract here`]);
      expect(ran.code, told(ran)).toBe(1);
    },
  );

  test('that a server was too fast for are looked at again', async () => {
    let hasted = false;
    const hasty: Between = async (request, door) => {
      if (hasted || request.method !== 'PUT' || !(await request.clone().text()).includes('newname'))
        return door(request);
      const seen = await door(new Request(request.url, { headers: request.headers }));
      hasted = (await seen.clone().text()).includes('"PENDING"');
      return hasted ? seen : door(request);
    };
    const ran = await verified(await serverOf({}, hasty), ['--level', 'crud', '--runs', '1']);
    expect(hasted).toBe(true);
    expect(ran.code, told(ran)).toBe(0);
    expect(told(ran)).toMatch(/ shown .*rename-before-423/);
  });

  test('are a suite of the report, with a case each, and what is wrong with them is in all others', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'onesim-'));
    const [file, annotations] = [join(folder, 'report.xml'), join(folder, 'annotations')];
    const target = await serverOf({ deviations: { 'unknown-path-html': false } });
    await verified(target, ['--profile', 'upstream', '--report', `junit=${file},github=${annotations}`]);
    expect(await readFile(annotations, 'utf8')).toMatch(/^::error title=unknown-path-html [^\n]*stale[^\n]*\n$/);
    const report = await readFile(file, 'utf8');
    expect(report).toContain('<testsuite name="engine: known departures" tests="23" failures="1" skipped="20">');
    expect(report).toMatch(/name="unknown-path-html [^"]*"><failure message="✗ unknown-path-html: stale:/);
    expect(report).toContain('<testsuite name="reading"');
  });

  test('stand beside suites of which each has a name of its own, whatever the seed', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'onesim-'));
    for (const seed of ['1', '7']) {
      const file = join(folder, `${seed}.xml`);
      await verified(await serverOf(), [
        '--level',
        'lifecycle',
        '--runs',
        '4',
        '--seed',
        seed,
        '--report',
        `junit=${file}`,
      ]);
      const { judged } = readJunit(await readFile(file, 'utf8'), file);
      expect(judged.map(({ name }) => name)).toEqual([
        ...[
          'engine: known departures',
          'reading',
          'a whole life',
          'one runtime',
          'a whole life (2)',
          'one runtime (2)',
        ],
      ]);
      const laws = judged.slice(1).map(({ by }) => by?.map(({ id }) => id) ?? []);
      for (const ids of laws) expect(new Set(ids).size).toBe(ids.length);
    }
  });

  test('that a server shows where the contract must be kept are told', async () => {
    const ran = await verified(await serverOf({ profile: 'contract', deviations: { 'rename-shows-late': true } }), [
      ...['--level', 'crud', '--profile', 'contract'],
    ]);
    expect(ran.code).toBe(1);
    expect(told(ran)).toContain('✗ rename-shows-late: shown, where the contract must be kept');
  });

  test('that have not been looked at for too long are stale, whatever the server does', async () => {
    const target = await serverOf();
    const outside = { ...target.outside, today: () => '2028-01-01' };
    const ran = await verified({ outside }, []);
    expect(ran.code).toBe(1);
    expect(told(ran)).toContain('✗ get-200: stale: the row has to be looked at again since 2027-11-01');
  });

  test('of a later version are none of an earlier one', async () => {
    const ran = await verified(
      await serverOf(
        {},
        answering('/server/version', () => Response.json('1.2.0')),
      ),
      [],
    );
    expect(told(ran)).toContain('0 of 0 known departures shown');
    expect(ran.code).toBe(1);
  });
});

describe('a run that is ended early', () => {
  test.each([5, 60, 90])('after %i requests deletes what it has made, and says what it has found', async (most) => {
    let n = 0;
    let end = (): void => {};
    const stopped = new Promise<void>((resolve) => {
      end = resolve;
    });
    const target = await serverOf({}, (request, door) => {
      if (++n === most) end();
      return door(request);
    });
    const before = leftovers(target.simulator);
    const ran = await verified(target, ['--level', 'lifecycle', '--runs', '5'], () => stopped);
    expect(ran.code, told(ran)).toBe(4);
    expect(ran.out.at(-1)).toMatch(/ended early$/);
    await target.outside.clock.sleep(120_000);
    expect(leftovers(target.simulator)).toEqual(before);
  });

  test('by its own time is the same', async () => {
    const ran = await verified(await serverOf(), ['--level', 'lifecycle', '--runs', '100', '--max-duration', '60s']);
    expect(ran.code, told(ran)).toBe(4);
    expect(ran.out.at(-1)).toMatch(/ended early$/);
  });
});

test('--rate is kept, one request at a time', async () => {
  let [flying, most] = [0, 0];
  const times: number[] = [];
  const target = await serverOf({}, async (request, door) => {
    times.push(target.simulator.world.clock.now);
    most = Math.max(most, ++flying);
    return door(request).finally(() => flying--);
  });
  await verified(target, ['--rate', '0.5']);
  expect(most).toBe(1);
  const gaps = times.slice(1).map((time, n) => time - (times[n] ?? 0));
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(2_000);
});

test('--against stand-in finds nothing unlike itself, and a proxy that changes an answer', async () => {
  const args = ['--level', 'lifecycle', '--runs', '2', '--against', 'stand-in'];
  const same = await verified(await serverOf({ timing: { name: 'realistic' } }), args);
  expect(same.code, told(same)).toBe(0);
  expect(same.out.at(-1)).toBe('✓ like the stand-in');
  expect(told(same)).toMatch(/takes +PENDING → RUNNING: median [\d.]+ (to [\d.]+ )?s, the stand-in [\d.]+ s; p95 /);
  const other = await verified(
    await serverOf(
      {},
      rewriting((body) => body.replace('"ENDPOINT":', '"EXTRA":1,"ENDPOINT":')),
    ),
    args,
  );
  expect(other.code).toBe(1);
  expect(told(other)).toMatch(/unlike +a whole life: create-r1: it answers .*EXTRA: number/);
  // That one is a fast cloud as well, and what is fast is tolerated when one says so.
  expect(told(other)).toMatch(/unlike +PENDING → RUNNING: its median is .*: more than 3 times apart/);
  const file = join(await mkdtemp(join(tmpdir(), 'onesim-')), 'report.xml');
  const patient = await verified(await serverOf(), [...args, '--tolerance', '100', '--report', `junit=${file}`]);
  expect(patient.code, told(patient)).toBe(0);
  expect(await readFile(file, 'utf8')).toContain(
    '<testsuite name="engine: like the stand-in" tests="3" failures="0" skipped="0">',
  );
});
