/** `onesim run --target`: a person's scenarios on somebody else's server, treated as gently as by `verify`. */
import { describe, expect, test, vi } from 'vitest';
import { runFiles } from '../run-files.ts';
import type { Fault, Step } from '../scenario.ts';
import { type Between, leftovers, type Ran, type Server, serverOf, TARGET, told } from './testing.ts';

vi.setConfig({ testTimeout: 30_000 });

const server = (between?: Between): Promise<Server> => serverOf({}, between);

const scenario = (...steps: readonly Step[]): string => JSON.stringify({ v: 1, name: 'mine', steps });
const MAKES: Step = { id: 's1', op: 'create', bind: 'r1', expect: { status: 201 } };
const MISSING: Step = { id: 's3', op: 'get', ref: 'none' };
const FAILS: Fault = { id: 'f1', kind: 'driver', do: 'fail', action: 'deploy' };
const DECLARED: Fault = {
  id: 'f1',
  kind: 'declared',
  fault: { selector: { layer: 'vm', operation: 'deploy' }, effect: { do: 'fail', message: 'no KVM' } },
};
const BY_HAND: Step = { id: 's0', op: 'request', method: 'POST', path: '/_onesim/faults', send: DECLARED.fault };
const RUNS: Step = { id: 's2', op: 'get', ref: 'r1', after: { event: 's1.RUNNING' } };
const FILES: Readonly<Record<string, string>> = {
  'makes.json': scenario(MAKES, RUNS),
  'named.json': scenario({ ...MAKES, args: { name: 'alpha', faas: { FLAVOUR: 'Function' } } }, RUNS),
  'reads.json': scenario({ id: 's1', op: 'version', expect: { status: 200 } }, { id: 's2', op: 'config' }),
  'misses.json': scenario({ id: 's1', op: 'version' }, MISSING),
  'lists.json': scenario({ id: 's1', op: 'functions.list' }, { id: 's2', op: 'functions.list', as: 'other' }),
  'fails.json': JSON.stringify({ v: 1, steps: [MAKES], faults: [FAILS] }),
  'declared.json': JSON.stringify({ v: 1, steps: [MAKES], faults: [DECLARED] }),
  'by-hand.json': scenario(BY_HAND, MAKES),
  'admin.json': scenario({ ...MAKES, as: 'admin' }),
  'other.json': scenario({ ...MAKES, as: 'other' }),
  'others.json': scenario(
    MAKES,
    { ...MAKES, id: 's2', bind: 'r2', as: 'other' },
    { id: 's3', op: 'get', ref: 'r2', as: 'other', after: { event: 's2.RUNNING' } },
    { ...MAKES, id: 's4', bind: 'r3', as: 'other' },
  ),
  'heals.json': scenario(MAKES, { id: 's2', op: 'heal' }),
  'stops.json': JSON.stringify({
    v: 1,
    steps: [MAKES, RUNS],
    faults: [
      { id: 'f1', kind: 'operator', ref: 'r1', action: 'poweroff', after: { event: 's2.answered', delayMs: 0 } },
    ],
  }),
  'waits.json': JSON.stringify({
    v: 1,
    name: 'waits',
    steps: [
      { id: 's1', op: 'version' },
      { id: 's2', op: 'advance', ms: 71_000 },
      { id: 's3', op: 'version', after: { event: 's2.answered', delayMs: 0 } },
      { id: 's4', op: 'advance', ms: 15_000, after: { event: 's3.answered', delayMs: 0 } },
    ],
  }),
  'crowd.json': scenario(
    { id: 's1', op: 'config' },
    { id: 's2', op: 'config', client: 1, after: { event: 's1.sent', delayMs: 0 } },
  ),
};

const ran = (server: Server, args: readonly string[], stopped?: () => Promise<void>): Promise<Ran> =>
  ranAs(server, ['--auth', 'alice:alice', ...args], stopped);

/** With no credentials but those among the arguments. */
async function ranAs({ outside }: Server, args: readonly string[], stopped?: () => Promise<void>): Promise<Ran> {
  const out: string[] = [];
  const machine = {
    out: (line: string) => void out.push(line),
    readFile: async (path: string) => FILES[path] ?? '',
    stopped: stopped ?? (() => new Promise<void>(() => {})),
  };
  return { code: await runFiles(['--target', TARGET, ...args], machine, outside), out };
}

test('what a scenario makes is in the ledger before it is sent, under a name of its own, and deleted at its end', async () => {
  const target = await server();
  const before = leftovers(target.simulator);
  const outcome = await ran(target, ['makes.json', 'makes.json', '--rate', '100']);
  expect(outcome.code, told(outcome)).toBe(0);
  expect(outcome.out[0]).toBe(`${TARGET}: Provisioning Engine 1.3.3, a stand-in, 2 scenarios`);
  const lines = target.ledger.map((line) => JSON.parse(line));
  expect(lines.map(({ kind }) => kind)).toEqual(['run', 'intent', 'made', 'gone', 'intent', 'made', 'gone']);
  expect(lines[1].name).toBe('onesim-test-s1');
  await target.outside.clock.sleep(120_000);
  expect(leftovers(target.simulator)).toEqual(before);
});

test('a name that a person has chosen is kept, and is no name to search by', async () => {
  const lost: Between = async (request, door) => {
    const answer = await door(request);
    if (request.method === 'POST') throw new Error('other side closed');
    return answer;
  };
  const outcome = await ran(await server(lost), ['named.json', '--rate', '100']);
  expect(outcome.code).toBe(3);
  expect(told(outcome)).toContain('left there: a runtime of unknown id, alpha: ');
});

test('--rate is kept, one request at a time unless the scenario has several clients', async () => {
  let [flying, most] = [0, 0];
  const times: number[] = [];
  const target = await server(async (request, door) => {
    times.push(target.simulator.world.clock.now);
    most = Math.max(most, ++flying);
    // A slow server: what does not wait for it overlaps.
    await target.simulator.world.clock.sleep(3_000, 'a slow server');
    return door(request).finally(() => flying--);
  });
  expect((await ran(target, ['reads.json'])).code).toBe(0);
  expect(most).toBe(1);
  expect(Math.min(...times.slice(1).map((time, n) => time - (times[n] ?? 0)))).toBeGreaterThanOrEqual(1_000);
  await ran(target, ['crowd.json']);
  expect(most).toBe(2);
});

describe('a server that asks to come again later', () => {
  const [SECOND, HOUR] = [1_000, 3_600_000];

  /** It answers only the n-th request in this way; `sent` has when each came. */
  async function busyOnce(n: number, headers: (now: number) => Record<string, string>) {
    const sent: number[] = [];
    const target: Server = await server((request, door) => {
      const { now } = target.simulator.world.clock;
      return sent.push(now) === n
        ? Promise.resolve(new Response('', { status: 503, headers: headers(now) }))
        : door(request);
    });
    return { target, sent };
  }

  const date = (ms: number): string => new Date(ms).toUTCString();
  const asctime = (ms: number): string =>
    date(ms).replace(
      /^(...), (..) (...) (....) (.*) GMT$/,
      (_, day, of, month, year, time) => `${day} ${month} ${of.replace(/^0/, ' ')} ${time} ${year}`,
    );

  test.each<[string, (now: number) => Record<string, string>]>([
    ['in seconds', () => ({ 'Retry-After': '20' })],
    ['by a date', (now) => ({ 'Retry-After': date(now + 20 * SECOND) })],
    [
      'by a date of its own clock',
      (now) => ({ 'Retry-After': date(now + HOUR + 20 * SECOND), Date: date(now + HOUR) }),
    ],
    ['by a date in an old form', (now) => ({ 'Retry-After': asctime(now + 20 * SECOND) })],
  ])('%s is obeyed', async (_, headers) => {
    const { target, sent } = await busyOnce(5, headers);
    const outcome = await ran(target, ['reads.json']);
    expect(outcome.code, told(outcome)).toBe(0);
    expect(told(outcome)).toContain('asked 1 time to come again later, and we did');
    const gap = (sent[5] ?? 0) - (sent[4] ?? 0);
    expect(gap).toBeGreaterThanOrEqual(19 * SECOND);
    expect(gap).toBeLessThan(22 * SECOND);
  });

  test.each<[string, number, string[]]>([
    ['as long as it asks', 600 * SECOND, []],
    ['for as much as --max-duration has left', 2 * HOUR, ['--max-duration', '3h']],
  ])('is left alone %s', async (_, ms, flags) => {
    const { target, sent } = await busyOnce(5, () => ({ 'Retry-After': `${ms / SECOND}` }));
    const outcome = await ran(target, ['reads.json', ...flags]);
    expect(outcome.code, told(outcome)).toBe(0);
    expect(told(outcome)).toContain(`  the server asks to be left alone for ${ms / 60_000}.0 min, and is`);
    expect((sent[5] ?? 0) - (sent[4] ?? 0)).toBeGreaterThanOrEqual(ms);
  });

  test.each<[string, number, string[]]>([
    ['for longer than an hour', 2 * HOUR, []],
    ['for longer than --max-duration has left', 600 * SECOND, ['--max-duration', '5m']],
  ])('%s is asked nothing more, and what is left there is told', async (_, ms, flags) => {
    // The ledger is what `reap` finds it by.
    const { target, sent } = await busyOnce(7, () => ({ 'Retry-After': `${ms / SECOND}` }));
    const outcome = await ran(target, ['makes.json', 'makes.json', ...flags]);
    expect(outcome.code, told(outcome)).toBe(3);
    expect(sent).toHaveLength(7);
    const why = `the server asks to be left alone for ${ms / 60_000}.0 min`;
    expect(told(outcome)).toContain(`  ${why}, which is not waited for: nothing more is asked of it`);
    expect(told(outcome)).toMatch(/left there: runtime \d+, onesim-test-s1: the server asks to be left alone/);
    expect(told(outcome)).toContain('1 of 2 scenarios begun');
    expect(told(outcome)).toContain('0 broken');
  });

  test('is waited for no longer when somebody ends the run', async () => {
    let end = (): void => {};
    const stopped = new Promise<void>((resolve) => {
      end = resolve;
    });
    const { target, sent } = await busyOnce(5, () => ({ 'Retry-After': '1800' }));
    const { clock } = target.outside;
    const sleep = (ms: number): Promise<void> => {
      if (sent.length === 5 && clock.now() > 60 * SECOND) end();
      return clock.sleep(ms);
    };
    const outside = { ...target.outside, clock: { ...clock, now: clock.now, sleep } };
    const outcome = await ran({ ...target, outside }, ['reads.json'], () => stopped);
    expect(outcome.code, told(outcome)).toBe(4);
    expect(clock.now()).toBeLessThan(70 * SECOND);
    expect(sent).toHaveLength(5);
  });
});

/** Their ids. */
async function faultsOn({ simulator }: Server): Promise<readonly string[]> {
  const answer = await simulator.fetch(new Request(`${TARGET}/_onesim/faults`));
  return JSON.parse(await answer.text()).faults.map(({ id }: { readonly id: string }) => id);
}

test('now and then it is told how far a scenario has come that lasts', async () => {
  const target = await server();
  const outcome = await ran(target, ['waits.json', 'reads.json', '--rate', '100']);
  expect(outcome.code, told(outcome)).toBe(0);
  const lines = outcome.out.filter((line) => line.includes(' done in '));
  expect(lines).toEqual(
    ['10\\.\\d s', '1\\.2 min', '1\\.3 min'].map((time, n) =>
      expect.stringMatching(`^  waits: ${n < 2 ? 1 : 3} of 4 steps done in ${time}$`),
    ),
  );
});

describe('what a scenario arms there', () => {
  test.each(['fails.json', 'declared.json', 'by-hand.json'])('is disarmed at its end: %s', async (file) => {
    let armed = 0;
    const target = await server(async (request, door) => {
      if (request.method === 'POST' && request.url.endsWith('/_onesim/faults')) armed++;
      return door(request);
    });
    const outcome = await ran(target, [file, 'makes.json', '--rate', '100']);
    expect(outcome.code, told(outcome)).toBe(0);
    expect(armed).toBe(1);
    expect(await faultsOn(target)).toEqual([]);
  });

  test('is disarmed before what was made is deleted, when somebody ends it early, too', async () => {
    const asked: string[] = [];
    let end = (): void => {};
    const stopped = new Promise<void>((resolve) => {
      end = resolve;
    });
    const target = await server(async (request, door) => {
      if (request.method === 'DELETE') asked.push(new URL(request.url).pathname.replace(/[^/]*$/, ''));
      const answer = await door(request);
      if (answer.status === 201 && request.url.endsWith('/serverless-runtimes')) end();
      return answer;
    });
    const outcome = await ran(target, ['fails.json', 'makes.json', '--rate', '100'], () => stopped);
    expect(outcome.code, told(outcome)).toBe(4);
    expect(asked).toEqual(['/_onesim/faults/', '/serverless-runtimes/']);
    expect(await faultsOn(target)).toEqual([]);
  });

  test.each<[string, Between, string]>([
    [
      'cannot be disarmed',
      async (request, door) =>
        request.method === 'DELETE' && request.url.includes('/_onesim/')
          ? Response.json({}, { status: 503 })
          : door(request),
      `left there: the fault ${TARGET}/_onesim/faults/f1: its deletion was answered with 503`,
    ],
    [
      'may have been armed',
      async (request, door) => {
        const answer = await door(request);
        if (request.url.endsWith('/_onesim/faults')) throw new Error('other side closed');
        return answer;
      },
      `left there: a fault of ${TARGET}/_onesim/faults: no answer tells whether it was armed, nor what it is called`,
    ],
  ])('and %s is named, and nothing else is played', async (_, between, problem) => {
    const outcome = await ran(await server(between), ['fails.json', 'makes.json', '--rate', '100']);
    expect(outcome.code).toBe(3);
    expect(told(outcome)).toContain(problem);
    expect(told(outcome)).toContain('1 of 2 scenarios begun');
  });
});

test.each([8, 10])(
  'ended early after %i requests, what was made is deleted and what was found is told',
  async (most) => {
    let n = 0;
    let end = (): void => {};
    const stopped = new Promise<void>((resolve) => {
      end = resolve;
    });
    const target = await server((request, door) => {
      if (++n === most) end();
      return door(request);
    });
    const before = leftovers(target.simulator);
    const outcome = await ran(target, ['makes.json', 'makes.json'], () => stopped);
    expect(outcome.code, told(outcome)).toBe(4);
    expect(told(outcome)).toMatch(/ended early, 1 of 2 scenarios begun/);
    await target.outside.clock.sleep(120_000);
    expect(leftovers(target.simulator)).toEqual(before);
  },
);

test('so does --max-duration', async () => {
  const outcome = await ran(await server(), ['makes.json', 'makes.json', '--max-duration', '5s']);
  expect(outcome.code, told(outcome)).toBe(4);
});

describe('refuses', () => {
  test('to change what is not recognised, before anything is made', async () => {
    const methods = new Set<string>();
    const garbage: Between = async ({ method }) => {
      methods.add(method);
      return new Response('\u0000<html>', { status: 200 });
    };
    await expect(ran(await server(garbage), ['makes.json'])).rejects.toThrow('what is not recognised is not changed');
    expect([...methods]).toEqual(['GET']);
  });

  test('credentials that do not hold, and those of oneadmin', async () => {
    const target = await server();
    await expect(ran(target, ['makes.json', '--auth', 'alice:wrong'])).rejects.toThrow('does not let alice in');
    await expect(ran(target, ['makes.json', '--auth', 'oneadmin:x'])).rejects.toThrow('--allow-oneadmin lets it');
    await expect(ran(target, ['makes.json', '--other-auth', 'oneadmin:x'])).rejects.toThrow('--allow-oneadmin lets it');
    expect(target.ledger).toEqual([]);
  });

  test.each<[string, string, ...string[]]>([
    ['makes.json', 'makes.json: step s1 is done as owner: say who that is, with --auth user:password'],
    ['fails.json', 'fails.json: step s1 is done as owner: say who that is, with --auth user:password'],
    ['other.json', 'other.json: step s1 is done as other: say who that is, with --other-auth user:password'],
    ['admin.json', 'admin.json: step s1 is done as admin: say who that is, with --admin-auth user:password'],
    ['misses.json', 'misses.json: step s3 is done as owner: say who that is, with --auth user:password'],
    [
      'heals.json',
      'heals.json: step s2 is done as admin: say who that is, with --admin-auth user:password',
      ...['--auth', 'alice:alice'],
    ],
    [
      'stops.json',
      'stops.json: fault f1 is done as admin: say who that is, with --admin-auth user:password',
      ...['--auth', 'alice:alice'],
    ],
    [
      'admin.json',
      'admin.json: step s1: oneadmin may do too much for a test; --allow-oneadmin lets it',
      ...['--admin-auth', 'oneadmin:opennebula'],
    ],
  ])('%s before anything is asked: %s', async (file, problem, ...flags) => {
    let asked = 0;
    const target = await server((request, door) => {
      asked++;
      return door(request);
    });
    await expect(ranAs(target, ['reads.json', file, ...flags])).rejects.toThrow(problem);
    expect(asked).toBe(0);
    expect(target.ledger).toEqual([]);
  });
});

describe('what another tenant makes', () => {
  const BOTH = ['others.json', '--other-auth', 'bob:bob', '--rate', '100'];

  test('is looked at and deleted as that tenant', async () => {
    const target = await server();
    const before = leftovers(target.simulator);
    const outcome = await ran(target, BOTH);
    expect(outcome.code, told(outcome)).toBe(0);
    expect(told(outcome)).not.toContain('left out');
    const intents = target.ledger.map((line) => JSON.parse(line)).filter(({ kind }) => kind === 'intent');
    expect(intents.map(({ as }) => as)).toEqual(['owner', 'other', 'other']);
    await target.outside.clock.sleep(120_000);
    expect(leftovers(target.simulator)).toEqual(before);
  });

  test('is looked for as that tenant when the answer is lost', async () => {
    let made = 0;
    const target = await server(async (request, door) => {
      const answer = await door(request);
      if (request.method === 'POST' && ++made === 3) throw new Error('other side closed');
      return answer;
    });
    const before = leftovers(target.simulator);
    const outcome = await ran(target, BOTH);
    expect(made).toBe(3);
    expect(told(outcome)).not.toContain('left there');
    await target.outside.clock.sleep(120_000);
    expect(leftovers(target.simulator)).toEqual(before);
  });
});

describe('who is asked as', () => {
  test('is nobody, unless named, for what anybody may read', async () => {
    const who = new Set<string | null>();
    const target = await server((request, door) => {
      who.add(request.headers.get('authorization'));
      return door(request);
    });
    const outcome = await ranAs(target, ['reads.json', '--rate', '100']);
    expect(outcome.code, told(outcome)).toBe(0);
    expect([...who]).toEqual([null]);
  });

  test('is oneadmin when that is said', async () => {
    const flags = ['--admin-auth', 'oneadmin:opennebula', '--allow-oneadmin', '--rate', '100'];
    const target = await server();
    const before = leftovers(target.simulator);
    const outcome = await ranAs(target, ['admin.json', ...flags]);
    expect(outcome.code, told(outcome)).toBe(0);
    await target.outside.clock.sleep(120_000);
    expect(leftovers(target.simulator)).toEqual(before);
  });

  test('is an administrator without more, for what only one can do', async () => {
    const flags = ['--admin-auth', 'oneadmin:opennebula', '--rate', '100'];
    const outcome = await ran(await server(), ['heals.json', 'stops.json', ...flags]);
    expect(outcome.code, told(outcome)).toBe(0);
  });
});

test('the Gatekeeper is asked as who was named, and nobody else', async () => {
  const asked: string[] = [];
  const target = await server(async (request, door) => {
    if (request.url.endsWith('/sessions')) asked.push(await request.clone().text());
    return door(request);
  });
  const outcome = await ran(target, ['lists.json', '--rate', '100', '--gatekeeper-auth', 'demo:demo']);
  expect(outcome.code, told(outcome)).toBe(4);
  expect(asked).toEqual(['{"username":"demo","password":"demo"}']);
  await ran(target, [
    'lists.json',
    '--rate',
    '100',
    '--gatekeeper-auth',
    'demo:demo',
    '--gatekeeper-other-auth',
    'x:y',
  ]);
  expect(asked.slice(1)).toEqual(['{"username":"demo","password":"demo"}', '{"username":"x","password":"y"}']);
});
