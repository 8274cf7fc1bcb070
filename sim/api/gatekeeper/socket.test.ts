import { createServer, type Server } from 'node:http';
import { Duplex } from 'node:stream';
import { afterEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { createSimulator, PROFILES, type Simulator } from '../../simulator.ts';
import { frameOf } from './socket.ts';
import { MOST_UNREAD_BYTES } from './streams.ts';
import { Client, INSTANCE, TODAY, userGuide, VC } from './testing.ts';

/** One end of a connection that never leaves this process. */
class End extends Duplex {
  peer: End | undefined;
  #wanted: (() => void) | undefined;
  override _read(): void {
    const wanted = this.#wanted;
    this.#wanted = undefined;
    wanted?.();
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.peer?.deliver(chunk, done);
  }

  override _final(done: () => void): void {
    this.peer?.push(null);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (this.peer?.destroyed === false) queueMicrotask(() => this.peer?.destroy());
    done(error);
  }

  /** What is written is done when the other end wants more. */
  deliver(chunk: Buffer, done: () => void): void {
    if (this.push(chunk)) done();
    else this.#wanted = done;
  }
}

function connection(): [End, End] {
  const [one, other] = [new End(), new End()];
  one.peer = other;
  other.peer = one;
  return [one, other];
}

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

interface Open {
  readonly socket: WebSocket;
  readonly near: End;
  readonly frames: unknown[];
  readonly closed: Promise<number>;
}

class Rig {
  readonly simulator: Simulator;
  readonly #server: Server = createServer();

  constructor(deviations: ReadonlySet<string> = PROFILES.upstream) {
    this.simulator = createSimulator({ epochMs: TODAY, furnish: userGuide, deviations });
    this.#server.on('upgrade', (request, socket, head) => this.simulator.upgrade(request, socket, head));
  }

  /** A WebSocket to the simulator, over no network. */
  open(url: string): Open {
    const [near, far] = connection();
    this.#server.emit('connection', far);
    const socket = new WebSocket(url, { createConnection: () => near as never });
    closers.push(() => socket.terminate());
    socket.on('error', () => {});
    const frames: unknown[] = [];
    socket.on('message', (text) => frames.push(JSON.parse(text.toString())));
    const closed = new Promise<number>((resolve) => socket.on('close', resolve));
    return { socket, near, frames, closed };
  }

  /** Of a stream of some metrics. */
  async url(metrics = 'vm_cpu_perc'): Promise<string> {
    const client = await Client.loggedIn(this.simulator.fetch);
    const parameters = `metrics=${metrics}&since=0&until=1&step=1`;
    const { body } = await client.get(`/functions/metrics/${INSTANCE}/vdu01/${VC}/synch-mon-data?${parameters}`);
    return (body as { ws_url: string }).ws_url;
  }
}

const frame = (socket: WebSocket): Promise<unknown> =>
  new Promise((resolve) => socket.once('message', (text) => resolve(JSON.parse(text.toString()))));

test('a stream is read over a real WebSocket', async () => {
  const rig = new Rig();
  const { socket, frames, closed } = rig.open(await rig.url());
  expect(await frame(socket)).toEqual({ Status: 'Socket Opened' });
  const reply = frame(socket);
  socket.send('hello');
  expect(await reply).toEqual({ Error: 'Current version doesnt support incomming messages' });
  for (let i = 0; i < 3; i++) {
    const next = frame(socket);
    await rig.simulator.world.clock.advance(3000);
    expect(await next).toEqual({ vm_cpu_perc: [expect.anything(), expect.anything()] });
  }
  expect(frames).toHaveLength(5);
  socket.close();
  expect(await closed).toBe(1005);
});

test('an unknown id is told so, and closed without a code; so is one that was used', async () => {
  const rig = new Rig();
  for (const id of ['0123456789abcdef0123456789abcdef', '', 'x/y', '%zz?x=1']) {
    const { socket, closed } = rig.open(`ws://onesim/ws/${id}`);
    expect(await frame(socket)).toEqual({ Status: 'Socket NOT found' });
    expect(await closed).toBe(1005);
  }
  const url = await rig.url();
  const first = rig.open(url);
  await frame(first.socket);
  first.socket.close();
  await first.closed;
  const second = rig.open(url);
  expect(await frame(second.socket)).toEqual({ Status: 'Socket NOT found' });
});

test.each([
  ['upstream', [['vm_up']]],
  ['contract', [['vm_mem_perc'], ['vm_up']]],
] as const)('of several metrics, a stream in profile %s carries %j', async (profile, expected) => {
  const rig = new Rig(PROFILES[profile]);
  const { socket, frames } = rig.open(await rig.url('vm_mem_perc,vm_up'));
  await frame(socket);
  const next = frame(socket);
  await rig.simulator.world.clock.advance(3000);
  await next;
  const pong = new Promise((resolve) => socket.once('pong', resolve));
  socket.ping();
  await pong;
  expect(frames.slice(1).map((one) => Object.keys(one as object))).toEqual(expected);
});

test('no other path becomes a WebSocket', async () => {
  const rig = new Rig();
  for (const path of ['/', '/ws', '/api/v2/functions', '/ws0/x']) {
    const { socket } = rig.open(`ws://onesim${path}`);
    const status = await new Promise((resolve) =>
      socket.on('unexpected-response', (_, { statusCode }) => resolve(statusCode)),
    );
    expect(status).toBe(404);
  }
});

test('pings are answered', async () => {
  const rig = new Rig();
  const { socket } = rig.open(await rig.url());
  await frame(socket);
  const pong = new Promise((resolve) => socket.on('pong', (bytes) => resolve(bytes.toString())));
  socket.ping('are you there');
  expect(await pong).toBe('are you there');
});

test('when the simulator closes, or is reset, clients are told that it goes away', async () => {
  const rig = new Rig();
  const first = rig.open(await rig.url());
  await frame(first.socket);
  rig.simulator.reset();
  expect(await first.closed).toBe(1001);
  const second = rig.open(await rig.url());
  await frame(second.socket);
  rig.simulator.close();
  expect(await second.closed).toBe(1001);
});

test('a message that is too large ends the connection, and not the process', async () => {
  const rig = new Rig();
  const { clock } = rig.simulator.world;
  const { pending } = clock;
  const { socket, near, closed } = rig.open(await rig.url());
  await frame(socket);
  expect(clock.pending).toBe(pending + 1);
  const over = new Promise((resolve) => near.peer?.once('close', resolve));
  socket.send('x'.repeat(1_000_000));
  expect(await closed).toBe(1009);
  await over;
  expect(clock.pending).toBe(pending);
});

test('bytes that are no frames end the connection, and not the process', async () => {
  const rig = new Rig();
  const { socket, near, closed } = rig.open(await rig.url());
  await frame(socket);
  near.write(Buffer.alloc(64, 0xff));
  expect(await closed).toBe(1002);
  const half = rig.open(await rig.url());
  await frame(half.socket);
  half.near.destroy();
  expect(await half.closed).toBe(1006);
  const next = rig.open(await rig.url());
  expect(await frame(next.socket)).toEqual({ Status: 'Socket Opened' });
});

test('a client that never reads and floods costs bounded memory, and no other client anything', async () => {
  const rig = new Rig();
  const { socket, near } = rig.open(await rig.url());
  const { socket: healthy, frames } = rig.open(await rig.url());
  await Promise.all([frame(socket), frame(healthy)]);
  socket.pause();
  near.pause();
  for (let i = 0; i < 40_000; i++) {
    socket.send('hello');
    socket.ping('x'.repeat(125));
  }
  const { clock } = rig.simulator.world;
  for (let i = 0; i < 100; i++) {
    const next = frame(healthy);
    await clock.advance(3000);
    await next;
  }
  expect(frames).toHaveLength(101);
  const server = near.peer;
  expect(server).toBeDefined();
  expect((server?.writableLength ?? 0) + near.readableLength).toBeLessThan(2 * MOST_UNREAD_BYTES);
  expect(clock.pending).toBeGreaterThan(0);
});

test('a fault refuses the upgrade, and sends what is no frame', async () => {
  const rig = new Rig();
  const { judge, clock } = rig.simulator.world;
  judge.arm({ selector: { layer: 'websocket' }, effect: { do: 'refuse-upgrade', status: 502 }, budget: { hits: 1 } });
  const url = await rig.url();
  const refused = rig.open(url);
  const error = new Promise<Error>((resolve) => refused.socket.once('error', resolve));
  expect((await error).message).toBe('Unexpected server response: 502');
  const { socket, closed } = rig.open(url);
  await frame(socket);
  judge.arm({ selector: { layer: 'websocket' }, effect: { do: 'bad-frame' } });
  await clock.advance(3000);
  // What a client makes of it: a violation of the protocol.
  expect(await closed).toBe(1006);
});

test.each([
  [0, '8100'],
  [1, '8101'],
  [125, '817d'],
  [126, '817e007e'],
  [65_535, '817effff'],
  [65_536, '817f0000000000010000'],
])('a text of %d bytes is one unmasked frame', (n, head) => {
  const text = 'é'.repeat(n >> 1) + 'x'.repeat(n & 1);
  expect(frameOf(text).toString('hex')).toBe(head + Buffer.from(text).toString('hex'));
});
