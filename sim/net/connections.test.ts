/** Clients that are slow, half there, gone, or speak no HTTP, on the whole stand-in behind its server, without a port. */
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { loadSimulator, type Simulator } from '../index.ts';
import { type Limits, serverFor } from './listen.ts';
import { Wire } from './wire.ts';

let simulator: Simulator;
let server: ReturnType<typeof serverFor>;
/** What Node warns of, such as listeners that pile up. */
const warnings = vi.spyOn(process, 'emitWarning');

function serve(limits: Partial<Limits> = {}): void {
  server = serverFor(simulator, limits);
}

beforeAll(async () => {
  simulator = await loadSimulator({ timing: { name: 'fast' } });
});

beforeEach(() => {
  serve();
});

afterEach(() => {
  server.close();
  expect(warnings.mock.calls).toEqual([]);
  expect([...simulator.world.journal.since()].filter(({ kind }) => kind === 'defect')).toEqual([]);
});

/** Waits for what the server does of itself, and not for a time. */
const happens = (what: () => boolean): Promise<unknown> => vi.waitUntil(what, { interval: 1 });

const connect = (reads?: boolean): Wire => new Wire(server, reads);

const ALICE = `Authorization: Basic ${Buffer.from('alice:alice').toString('base64')}`;
const head = (line: string, ...headers: string[]): string =>
  [`${line} HTTP/1.1`, 'Host: localhost', ...headers, '', ''].join('\r\n');
const VERSION = head('GET /server/version');

const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1]);

/** That somebody else is still served. */
async function othersAreServed(): Promise<void> {
  const other = connect().send(VERSION);
  expect(await other.until(/"1\.3\.3"/)).toMatch(/^HTTP\/1\.1 200 /);
  other.destroy();
}

describe('a client that is half there', () => {
  const SOON: Partial<Limits> = {
    headersTimeout: 5,
    requestTimeout: 10,
    connectionsCheckingInterval: 2,
  };

  test.each([
    ['nothing', ''],
    ['half a line', 'GET /server/ver'],
    ['half a header', 'GET /server/version HTTP/1.1\r\nHost: lo'],
    ['half a body', `${head('POST /serverless-runtimes', ALICE, 'Content-Length: 100')}{"SERV`],
    ['half a chunk', `${head('POST /serverless-runtimes', ALICE, 'Transfer-Encoding: chunked')}64\r\n{"SERV`],
    ['a promise of a body', head('POST /RPC2', 'Content-Length: 100', 'Expect: 100-continue')],
  ])('sends %s, and is let go', async (_what, bytes) => {
    serve(SOON);
    server.emit('listening');
    const wire = connect().send(bytes);
    expect(await wire.closing()).toMatch(/^(HTTP\/1\.1 100 Continue\r\n\r\n)?HTTP\/1\.1 408 Request Timeout\r\n/);
    await othersAreServed();
  });

  test('sends a byte at a time, and is let go all the same', async () => {
    serve(SOON);
    server.emit('listening');
    const wire = connect();
    const drip = async (): Promise<void> => {
      for (const byte of 'GET /server/version HTTP/1.1\r\n'.repeat(1000)) {
        if (wire.closed) return;
        wire.send(byte);
        await new Promise((resolve) => wire.once('data', resolve).once('close', resolve));
      }
    };
    const [answer] = await Promise.all([wire.closing(), drip()]);
    expect(answer).toMatch(/^HTTP\/1\.1 (408|400) /);
  });

  test.each([
    ['/serverless-runtimes', 'POST'],
    ['/serverless-runtimes/8', 'PUT'],
    ['/RPC2', 'POST'],
    ['/service_template', 'POST'],
    ['/sessions', 'POST'],
    ['/_onesim/clock', 'POST'],
    ['/_onesim/faults', 'POST'],
  ])('is gone in the middle of a body for %s, and nothing has happened', async (path, method) => {
    for (const framing of ['Content-Length: 100\r\n\r\n{"a', 'Transfer-Encoding: chunked\r\n\r\n3\r\n{"a\r\n']) {
      const answered = simulator.world.journal.length;
      const wire = connect().send(`${method} ${path} HTTP/1.1\r\nHost: localhost\r\n${ALICE}\r\n${framing}`);
      await happens(() => simulator.world.journal.length > answered);
      wire.destroy();
      await happens(() => simulator.world.journal.length > answered + 1);
      const [, answer] = [...simulator.world.journal.since(answered)];
      expect(answer).toMatchObject({ kind: 'answer', detail: { status: 400 } });
    }
    await othersAreServed();
  });

  test('is gone while its answer is waited for, which is then thrown away', async () => {
    const body = JSON.stringify({ SERVERLESS_RUNTIME: { FAAS: { FLAVOUR: 'Function' } } });
    simulator.reset();
    const post = head('POST /serverless-runtimes', ALICE, `Content-Length: ${body.length}`) + body;
    expect(
      statusOf(
        await connect()
          .send(post)
          .until(/\r\n\r\n/),
      ),
    ).toBe(201);
    await simulator.world.clock.advance(60_000);
    const larger = body.replace('"Function"', '"Function","CPU":2,"MEMORY":256,"DISK_SIZE":2048');
    const put = head('PUT /serverless-runtimes/8', ALICE, `Content-Length: ${larger.length}`) + larger;
    const wire = connect().send(put);
    await happens(() => simulator.world.clock.waiters.length > 0);
    wire.destroy();
    await simulator.world.clock.advance(60_000);
    expect(simulator.world.clock.waiters).toEqual([]);
    await othersAreServed();
  });

  test('takes nothing of its answer, and is let go; one whose answer takes long is not', async () => {
    serve({ unreadTimeout: 20_000 });
    expect(server.timeout).toBe(20_000);
    const unread = connect(false).send(head('GET /metrics'));
    await happens(() => unread.writableLength > 0);
    // As a socket says when nothing has moved for that long.
    unread.emit('timeout');
    await unread.closing();

    const { length } = simulator.world.journal;
    const waiting = connect().send(`${head('POST /serverless-runtimes', ALICE, 'Content-Length: 100')}{`);
    await happens(() => simulator.world.journal.length > length);
    waiting.emit('timeout');
    expect(waiting.destroyed).toBe(false);
    waiting.destroy();

    const idle = connect().send(VERSION);
    await idle.until(/"1\.3\.3"/);
    idle.emit('timeout');
    await idle.closing();
  });
});

describe('what is no HTTP', () => {
  test.each([
    ['no request', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['an unknown method', head('FOO /')],
    ['a path without a slash', head('GET x')],
    ['a control character in the path', head('GET /\x01')],
    ['bytes beyond ASCII in the path', head('GET /\xff')],
    ['a NUL in a header', head('GET /', 'X: \0')],
    ['a header with a blank in its name', head('GET /', 'X Y: z')],
    ['a folded header', head('GET /', 'X: y', ' z')],
    ['two lengths', `${head('POST /', 'Content-Length: 1', 'Content-Length: 2')}ab`],
    ['a length and chunks', `${head('POST /', 'Content-Length: 3', 'Transfer-Encoding: chunked')}0\r\n\r\n`],
    ['a negative length', `${head('POST /', 'Content-Length: -1')}a`],
    ['a length of 30 digits', `${head('POST /', `Content-Length: ${'9'.repeat(30)}`)}a`],
    ['a chunk of impossible size', `${head('POST /', ALICE, 'Transfer-Encoding: chunked')}${'f'.repeat(30)}\r\n`],
    ['a request without a host', 'GET / HTTP/1.1\r\n\r\n'],
  ])('%s gets 400, and the connection is closed', async (_what, bytes) => {
    const answer = await connect().send(bytes).closing();
    expect([statusOf(answer), /Connection: close/.test(answer)]).toEqual([400, true]);
    await othersAreServed();
  });

  test.each([
    ['one that is too long', head('GET /', `X: ${'x'.repeat(20_000)}`)],
    ['megabytes of them', `GET / HTTP/1.1\r\n${`X: ${'x'.repeat(1000)}\r\n`.repeat(2000)}\r\n`],
    ['a line that is too long', head(`GET /${'x'.repeat(20_000)}`)],
  ])('headers: %s gets 431', async (_what, bytes) => {
    expect(statusOf(await connect().send(bytes).closing())).toBe(431);
  });

  test.each([
    ['a host that is none', 'GET /server/version HTTP/1.1\r\nHost: a b\r\n\r\n'],
    ['a URL that is none', head('GET http://[')],
    ['an asterisk', head('OPTIONS *')],
    ['a backslash', head('GET /a\\b')],
  ])('%s gets 400', async (_what, bytes) => {
    const wire = connect().send(bytes);
    expect(statusOf(await wire.until(/\r\n\r\n/))).toBe(400);
    wire.destroy();
  });

  test('a tunnel is not dug', async () => {
    expect(await connect().send(head('CONNECT example.org:443')).closing()).toBe('');
  });
});

describe('a path', () => {
  test.each([
    ['/server/../server/version', 200],
    ['/serverless-runtimes/../server/version', 200],
    ['/../../../../etc/passwd', 404],
    ['/%2e%2e/%2e%2e/etc/passwd', 404],
    ['//server/version', 404],
    ['/server//version', 404],
    ['/server/version/', 404],
    ['/server%2fversion', 200],
    ['/server/version#fragment', 200],
    ['http://elsewhere.example/server/version', 200],
    ['https://elsewhere.example:99/server/version', 200],
    ['/%00', 404],
    ['/%', 404],
    ['/%ff', 404],
    ['/_onesim/../server/version', 200],
    [`/server/version?${'a=1&'.repeat(3000)}`, 200],
  ])('%s gets %i', async (target, status) => {
    const wire = connect().send(head(`GET ${target}`, 'Connection: close'));
    expect(statusOf(await wire.closing())).toBe(status);
  });
});

describe('a method', () => {
  test.each([
    ['OPTIONS', 404],
    ['TRACE', 404],
    ['PATCH', 404],
    ['PROPFIND', 404],
    ['M-SEARCH', 404],
    ['PURGE', 404],
  ])('%s on a path of the engine gets %i', async (method, status) => {
    expect(
      statusOf(
        await connect()
          .send(head(`${method} /server/version`, 'Connection: close'))
          .closing(),
      ),
    ).toBe(status);
  });

  test('HEAD gets the headers of GET and no body, known path or not', async () => {
    for (const [path, status] of [
      ['/server/version', 200],
      ['/metrics', 200],
      ['/nope', 404],
      ['/api/v2/nope', 404],
      ['/_onesim/nope', 404],
    ] as const) {
      const answer = await connect()
        .send(head(`HEAD ${path}`, 'Connection: close'))
        .closing();
      expect(statusOf(answer), path).toBe(status);
      expect(answer.endsWith('\r\n\r\n'), path).toBe(true);
    }
  });

  test('an expectation that nobody can meet gets 417', async () => {
    const wire = connect().send(head('POST /sessions', 'Expect: the unexpected', 'Content-Length: 2'));
    expect(statusOf(await wire.until(/\r\n\r\n/))).toBe(417);
    wire.destroy();
  });
});

describe('a body that is too large', () => {
  const LARGE = 5 * 1024 * 1024;

  test.each([
    ['/serverless-runtimes', /413 [\s\S]*\{"error":"Payload Too Large"/],
    ['/sessions', /413 [\s\S]*\{"error":\{"code":413,/],
    ['/_onesim/faults', /413 [\s\S]*\{"error":\{"code":"too_large"/],
    ['/service_template', /413 /],
    ['/RPC2', /200 [\s\S]*<i4>-509<\/i4>/],
  ])('for %s is refused before it has come, in the words of its API', async (path, words) => {
    for (const framing of [`Content-Length: ${LARGE}`, 'Transfer-Encoding: chunked']) {
      const wire = connect().send(head(`POST ${path}`, ALICE, framing));
      if (framing.startsWith('Transfer')) wire.send(`500000\r\n${'x'.repeat(LARGE)}\r\n`);
      expect(await wire.until(words)).toMatch(words);
      wire.destroy();
    }
  });
});

describe('many requests', () => {
  test('in one go are all answered, in their order', async () => {
    const paths = Array.from({ length: 500 }, (_, i) => `/functions/${i}/x`);
    const wire = connect().send(paths.map((path) => head(`GET ${path}`)).join(''));
    const received = await wire.until(/\/functions\/499\/x/);
    expect(Array.from(received.matchAll(/"message":"(\S+) not supported"/g), ([, path]) => path)).toEqual(paths);
    wire.destroy();
  });

  test('that offer another protocol are all answered, one by one or in one go', async () => {
    const offer = (path: string): string => head(`GET ${path}`, 'Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c');
    const wire = connect();
    for (let i = 0; i < 30; i++) await wire.send(offer(`/functions/${i}/x`)).until(new RegExp(`/functions/${i}/x`));
    wire.send(Array.from({ length: 30 }, (_, i) => offer(`/functions/${30 + i}/x`)).join(''));
    const received = await wire.until(/\/functions\/59\/x/);
    expect(received.match(/ not supported"/g)).toHaveLength(60);
    wire.send(head('GET /server/version', 'Connection: close, Upgrade', 'Upgrade: h2c'));
    await wire.closing();
  });

  test('leave nothing behind but a bounded journal', async () => {
    const bounded = await loadSimulator({ timing: { name: 'fast' }, journalSize: 100 });
    server = serverFor(bounded);
    const wire = connect();
    const listeners = () => Math.max(...wire.eventNames().map((name) => wire.listenerCount(name)));
    for (let i = 0; i < 20; i++) {
      wire.send(VERSION.repeat(100) + head(`GET /functions/${i}/x`));
      await wire.until(new RegExp(`/functions/${i}/x`));
      expect(listeners()).toBeLessThan(5);
    }
    const { journal, clock } = bounded.world;
    expect(journal.length).toBeGreaterThan(4000);
    expect([...journal.since()]).toHaveLength(100);
    expect(clock.waiters).toEqual([]);
    wire.destroy();
  });
});

describe('an upgrade', () => {
  const SOCKET = [
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  ];

  test.each([
    ['on a path that has no stream', 'GET /server/version', SOCKET, 404],
    ['on the path before the ids', 'GET /ws', SOCKET, 404],
    ['with an absolute URL', 'GET http://localhost/ws/x', SOCKET, 404],
    ['by POST', 'POST /ws/x', SOCKET, 405],
    ['without a key', 'GET /ws/x', SOCKET.slice(0, 3), 400],
    ['with a key that is none', 'GET /ws/x', [...SOCKET.slice(0, 3), 'Sec-WebSocket-Key: x'], 400],
    ['of another version', 'GET /ws/x', [...SOCKET.slice(0, 2), 'Sec-WebSocket-Version: 1', ...SOCKET.slice(3)], 400],
  ])('%s is refused, and the connection closed', async (_what, line, headers, status) => {
    const answer = await connect()
      .send(head(line, ...headers))
      .closing();
    expect(statusOf(answer)).toBe(status);
    await othersAreServed();
  });

  test('of a client that is gone at once does no harm', async () => {
    const wire = connect().send(head('GET /ws/x', ...SOCKET));
    wire.destroy();
    await wire.closing();
    await othersAreServed();
  });
});
