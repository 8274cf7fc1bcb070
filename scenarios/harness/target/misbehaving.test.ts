/** `onesim verify --target` on servers, and behind proxies, that do not do what they should. */
import { describe, expect, test, vi } from 'vitest';
import { replayFile, runFiles } from '../run-files.ts';
import {
  answering,
  type Between,
  leftovers,
  rewriting,
  type Server,
  serverOf,
  TARGET,
  told,
  verified,
} from './testing.ts';

// A run is a second of work or less; a busy machine may take longer.
vi.setConfig({ testTimeout: 30_000 });

describe('a proxy that breaks something is caught', () => {
  let looks = 0;
  test.each<[string, string, Between]>([
    ['L13', 'another service', rewriting((body) => body.replace(/"SERVICE_ID":\d+/, `"SERVICE_ID":${++looks + 500}`))],
    ['R5', 'less memory', rewriting((body) => body.replace(/"MEMORY":(\d+)/, '"MEMORY":1$1'))],
    ['L8', 'an ERROR that says nothing', rewriting((body) => body.replace('"STATE":"PENDING"', '"STATE":"ERROR"'))],
    [
      'D6',
      'no media type',
      answering('/serverless-runtimes', (answer) => new Response(answer.body, { status: answer.status })),
    ],
    ['A5', 'a door that is open', (request, door) => door(withCredentials(request))],
    ['A7', 'credentials in an error', answering('/no-such-path', () => new Response('alice:alice', { status: 404 }))],
    [
      'A7',
      'credentials in a header',
      answering('/server/version', (answer) => {
        const headers = new Headers(answer.headers);
        headers.set('X-Debug', `Basic ${Buffer.from('alice:alice').toString('base64')}`);
        return new Response(answer.body, { status: answer.status, headers });
      }),
    ],
    ['S1', 'answers that are lost', losing((request) => request.method === 'PUT')],
  ])('by %s: %s', async (law, _, between) => {
    const ran = await verified(await serverOf({}, between), ['--level', 'crud', '--runs', '2']);
    expect(ran.code).toBe(1);
    expect(told(ran)).toMatch(new RegExp(`✗ ${law}: |also +${law} `));
    expect(told(ran)).not.toContain('left there');
  });

  test('and shows it again when what was saved of it is run there, which the stand-in does not', async () => {
    const shrinking = () => rewriting((body) => body.replace(/"MEMORY":(\d+)/, '"MEMORY":1$1'));
    const ran = await verified(await serverOf({}, shrinking()), ['--level', 'crud', '--runs', '2', '--seed', '5']);
    const lines = ran.out.filter((line) => line.includes('replay'));
    const again = (n: number, users: string) => `onesim run onesim-engine-5-${n}.json --target ${TARGET} ${users}`;
    expect(new Set(lines.map((line) => line.trim()))).toEqual(
      new Set([2, 3].map((n) => `replay    ${again(n, '--auth alice:PASSWORD --other-auth bob:PASSWORD')}`)),
    );
    expect(told(ran)).not.toMatch(/alice:alice|bob:bob/);
    const out: string[] = [];
    const machine = {
      out: (line: string) => void out.push(line),
      readFile: async (file: string) => ran.saved.get(file) ?? '',
      stopped: () => new Promise<void>(() => {}),
    };
    const { outside } = await serverOf({}, shrinking());
    const users = ['--auth', 'alice:alice', '--other-auth', 'bob:bob', '--rate', '1000'];
    expect(await runFiles(['onesim-engine-5-2.json', '--target', TARGET, ...users], machine, outside)).toBe(1);
    expect(out.join('\n')).toMatch(/^✗ R5: /m);
    expect(out).toContain(`  ${lines[0]?.trim()}`);
    expect(await replayFile(['onesim-engine-5-2.json'], machine)).toBe(0);
  });

  test('by R4’s own means: a deletion that is only answered leaves something, and that is code 3', async () => {
    const between: Between = async (request, door) =>
      request.method === 'DELETE' && /\/\d+$/.test(request.url) && !request.url.endsWith('2000000000')
        ? new Response(null, { status: 204, headers: { 'X-Content-Type-Options': 'nosniff' } })
        : door(request);
    const ran = await verified(await serverOf({}, between), ['--level', 'crud', '--profile', 'upstream']);
    expect(ran.code).toBe(3);
    expect(told(ran)).toMatch(/left there: runtime \d+, onesim-test-\S+: it is there after its deletion/);
  });

  test('and what it lets out of credentials is in no report', async () => {
    const leak = answering('/no-such-path', () => new Response('alice:alice YWxpY2U6YWxpY2U=', { status: 404 }));
    const ran = await verified(await serverOf({}, leak), []);
    expect(told(ran)).not.toMatch(/alice:alice|YWxpY2U6YWxpY2U/);
  });
});

function withCredentials(request: Request): Request {
  if (request.headers.has('Authorization')) return request;
  const headers = new Headers(request.headers);
  headers.set('Authorization', `Basic ${Buffer.from('alice:alice').toString('base64')}`);
  return new Request(request, { headers });
}

/** Does what is asked, and loses the answer. */
function losing(which: (request: Request) => boolean): Between {
  return async (request, door) => {
    const answer = await door(request);
    if (which(request)) throw new TypeError('fetch failed', { cause: new Error('other side closed') });
    return answer;
  };
}

describe('a server that', () => {
  const refused = async (between: Between, ...args: string[]): Promise<string> =>
    verified(await serverOf({}, between), args).then(
      ({ code }) => `code ${code}`,
      (error: Error) => error.message,
    );

  test('is down is named', async () => {
    const down: Between = async () => {
      throw new TypeError('fetch failed', { cause: Object.assign(new Error('x'), { code: 'ECONNREFUSED' }) });
    };
    expect(await refused(down)).toBe(`--target: ${TARGET} does not answer: nobody listens there`);
  });

  test('hangs up on those who show who they are is named', async () => {
    const lost = losing(({ headers }) => headers.has('Authorization'));
    expect(await refused(lost)).toBe(`--target: ${TARGET} does not answer: other side closed`);
  });

  test('never answers is given up', async () => {
    const silent: Between = () => new Promise(() => {});
    expect(await refused(silent)).toBe(`--target: ${TARGET} does not answer: no answer came in time`);
  });

  test('does not know us is named, before anything is made', async () => {
    const target = await serverOf();
    const ran = verified(target, ['--level', 'crud', '--auth', 'alice:wrong']);
    await expect(ran).rejects.toThrow(`--auth: ${TARGET} does not let alice in`);
    expect(target.ledger).toEqual([]);
    await expect(verified(target, ['--auth', 'alice:wrong'])).rejects.toThrow('does not let alice in');
  });

  test('answers garbage is not changed', async () => {
    const methods = new Set<string>();
    const garbage: Between = async ({ method }) => {
      methods.add(method);
      return new Response('\u0000\uFFFF<html>', { status: 200 });
    };
    const ran = await verified(await serverOf({}, garbage), ['--level', 'lifecycle']);
    expect(ran.code).toBe(1);
    expect(ran.out[0]).toContain('no Provisioning Engine that is known: GET /server/version was answered with 200');
    expect([...methods].sort()).toEqual(['GET', 'HEAD']);
  });

  test('is half compatible breaks the contract where it is not', async () => {
    const half = answering('/server/config', () => new Response('Not here', { status: 404 }));
    const ran = await verified(await serverOf({}, half), []);
    expect(ran.code).toBe(1);
    expect(told(ran)).toContain('step config');
  });

  test('closes connections now and then is told, and what was made is deleted', async () => {
    let n = 0;
    const flaky: Between = (request, door) => losing(() => ++n > 12 && n % 7 === 0)(request, door);
    const target = await serverOf({}, flaky);
    const before = leftovers(target.simulator);
    const ran = await verified(target, ['--level', 'crud', '--runs', '3', '--profile', 'upstream']);
    expect([1, 3]).toContain(ran.code);
    expect(told(ran)).toMatch(/✗ S1|no answer came/);
    await target.outside.clock.sleep(120_000);
    if (ran.code === 1) expect(leftovers(target.simulator)).toEqual(before);
  });

  test('closes every third connection is cleaned up all the same, and a lost creation is searched for', async () => {
    let [n, creations] = [0, 0];
    const lost: Between = losing(({ method }) => (method === 'POST' ? ++creations === 2 : ++n > 6 && n % 3 === 0));
    const target = await serverOf({}, lost);
    const before = leftovers(target.simulator);
    const ran = await verified(target, ['--level', 'crud', '--runs', '1', '--profile', 'upstream']);
    expect(ran.code, told(ran)).toBe(1);
    await target.outside.clock.sleep(120_000);
    expect(leftovers(target.simulator)).toEqual(before);
  });

  test('gives ids in quotation marks is told so, and what was made is deleted', async () => {
    const quoting = rewriting((body) => body.replace(/"ID":(\d+)/, '"ID":"$1"'));
    const target = await serverOf({}, quoting);
    const before = leftovers(target.simulator);
    const ran = await verified(target, ['--level', 'crud', '--runs', '1', '--profile', 'upstream']);
    expect(ran.code, told(ran)).toBe(1);
    expect(told(ran)).toMatch(/✗ D6: [\s\S]*createRuntime body \/SERVERLESS_RUNTIME\/ID/);
    await target.outside.clock.sleep(120_000);
    expect(leftovers(target.simulator)).toEqual(before);
  });

  test('gives no ids is not made to make more than two', async () => {
    const target = await serverOf(
      {},
      rewriting((body) => body.replace(/"ID":\d+,/, '')),
    );
    const before = leftovers(target.simulator);
    const ran = await verified(target, ['--level', 'crud', '--runs', '1']);
    expect(ran.code, told(ran)).toBe(3);
    expect(told(ran)).toContain('  stopped: what the server is made to make cannot be deleted again');
    expect(ran.out.filter((line) => line.includes('left there'))).toEqual([
      expect.stringMatching(/onesim-test-p1: it was answered with 201 and no ID that can be read/),
      expect.stringMatching(/onesim-test-p2: /),
    ]);
    expect(leftovers(target.simulator).runtimes).toBe(before.runtimes + 2);
  });

  test('sends creations on elsewhere has made nothing', async () => {
    const elsewhere: Between = (request, door) =>
      request.method === 'POST'
        ? Promise.resolve(new Response(null, { status: 307, headers: { Location: 'https://elsewhere.example/' } }))
        : door(request);
    const ran = await verified(await serverOf({}, elsewhere), ['--level', 'crud', '--runs', '1']);
    expect(ran.code, told(ran)).toBe(1);
    expect(told(ran)).not.toContain('left there');
  });

  test('loses the answer to a creation is searched for what it has made', async () => {
    let creations = 0;
    const target = await serverOf(
      {},
      losing(({ method, url }) => method === 'POST' && url.endsWith('/serverless-runtimes') && ++creations % 9 === 0),
    );
    const before = leftovers(target.simulator);
    const ran = await verified(target, ['--level', 'crud', '--runs', '3', '--profile', 'upstream']);
    expect(ran.code).toBe(1);
    await target.outside.clock.sleep(120_000);
    expect(leftovers(target.simulator)).toEqual(before);
  });

  test('begins anew under us is told, and nothing of others is deleted', async () => {
    let n = 0;
    const target: Server = await serverOf({}, async (request, door) => {
      // The first runtime that is no probe's.
      if (n > 0 || (await request.clone().text()).includes('onesim-test-1-r1')) n++;
      if (n === 4) target.simulator.reset();
      return door(request);
    });
    const ran = await verified(target, ['--level', 'lifecycle', '--runs', '2', '--profile', 'upstream']);
    expect(ran.code).toBe(1);
    expect(told(ran)).not.toContain('left there');
  });

  test('is put in the place of another while we look makes no verdict', async () => {
    let asked = 0;
    const upgraded: Between = async (request, door) => {
      const answer = await door(request);
      const isLater = request.method === 'GET' && request.url.endsWith('/server/version') && ++asked > 3;
      return isLater ? new Response('"1.4.0"', answer) : answer;
    };
    const ran = await verified(await serverOf({}, upgraded), ['--profile', 'upstream']);
    expect(told(ran)).toContain('the server has changed under us: its version was 1.3.3, and is 1.4.0');
    expect(ran.code, told(ran)).toBe(4);
  });

  test('goes away while we look is told', async () => {
    let asked = 0;
    const gone: Between = async (request, door) => {
      if (++asked > 20)
        throw new TypeError('fetch failed', { cause: Object.assign(new Error('x'), { code: 'ECONNREFUSED' }) });
      return door(request);
    };
    const ran = await verified(await serverOf({}, gone), []);
    expect(told(ran)).toContain('the server does not answer any more: nobody listens there');
    expect([1, 4]).toContain(ran.code);
  });

  test('asks to come again later is obeyed', async () => {
    let asked = 0;
    const busy: Between = (request, door) =>
      ++asked % 5 === 0
        ? Promise.resolve(new Response('', { status: 503, headers: { 'Retry-After': '30' } }))
        : door(request);
    const ran = await verified(await serverOf({}, busy), []);
    expect(ran.code, told(ran)).toBe(0);
    expect(told(ran)).toMatch(/asked \d+ times to come again later, and we did/);
  });

  test('is too slow for its own bounds is slow first, and then never', async () => {
    const stuck = rewriting((body) => body.replace('"STATE":"RUNNING"', '"STATE":"PENDING"'));
    const ran = await verified(await serverOf({}, stuck), ['--level', 'crud', '--runs', '1', '--profile', 'upstream']);
    expect(told(ran)).toMatch(/slow +runtime \d+: PENDING for \d+\.?\d* s, where 120 s are expected/);
    expect(told(ran)).toMatch(/✗ L3: /);
    expect(ran.code).toBe(1);
  });
});
