/** `onesim run --target`: a person's scenarios on somebody else's server, treated as gently as by `verify`. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { runFiles } from '../run-files.ts';
import type { Step } from '../scenario.ts';
import { type Between, leftovers, type Ran, type Server, serverOf, TARGET } from './testing.ts';

vi.setConfig({ testTimeout: 30_000 });

const servers: { close(): void }[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function server(between?: Between): Promise<Server> {
  const made = await serverOf({}, between);
  servers.push(made);
  return made;
}

const scenario = (...steps: readonly Step[]): string => JSON.stringify({ v: 1, name: 'mine', steps });
const MAKES: Step = { id: 's1', op: 'create', bind: 'r1', expect: { status: 201 } };
const RUNS: Step = { id: 's2', op: 'get', ref: 'r1', after: { event: 's1.RUNNING' } };
const FILES: Readonly<Record<string, string>> = {
  'makes.json': scenario(MAKES, RUNS),
  'named.json': scenario({ ...MAKES, args: { name: 'alpha', faas: { FLAVOUR: 'Function' } } }, RUNS),
  'reads.json': scenario({ id: 's1', op: 'version', expect: { status: 200 } }, { id: 's2', op: 'config' }),
  'lists.json': scenario({ id: 's1', op: 'functions.list' }, { id: 's2', op: 'functions.list', as: 'other' }),
  'crowd.json': scenario(
    { id: 's1', op: 'config' },
    { id: 's2', op: 'config', client: 1, after: { event: 's1.sent', delayMs: 0 } },
  ),
};

async function ran({ outside }: Server, args: readonly string[], stopped?: () => Promise<void>): Promise<Ran> {
  const out: string[] = [];
  const machine = {
    out: (line: string) => void out.push(line),
    readFile: async (path: string) => FILES[path] ?? '',
    stopped: stopped ?? (() => new Promise<void>(() => {})),
  };
  const all = ['--target', TARGET, '--auth', 'alice:alice', ...args];
  return { code: await runFiles(all, machine, outside), out };
}

const told = ({ out }: Ran): string => out.join('\n');

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

test('a server that asks to come again later is obeyed', async () => {
  let asked = 0;
  const busy: Between = (request, door) =>
    ++asked % 3 === 0
      ? Promise.resolve(new Response('', { status: 429, headers: { 'Retry-After': '20' } }))
      : door(request);
  const outcome = await ran(await server(busy), ['reads.json']);
  expect(outcome.code, told(outcome)).toBe(0);
  expect(told(outcome)).toMatch(/asked \d times to come again later, and we did/);
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
    expect(target.ledger).toEqual([]);
  });
});

test('the Gatekeeper is asked as who was named, and nobody else', async () => {
  const asked: string[] = [];
  const target = await server(async (request, door) => {
    if (request.url.endsWith('/sessions')) asked.push(await request.clone().text());
    return door(request);
  });
  const outcome = await ran(target, ['lists.json', '--rate', '100', '--gatekeeper-auth', 'demo:demo']);
  expect(outcome.code, told(outcome)).toBe(0);
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
