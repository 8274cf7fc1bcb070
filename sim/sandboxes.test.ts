/** Worlds of their own beside the main one: chosen by a header or a path, and kept apart. */
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { checkedFetch } from '../contracts/checked.ts';
import { loadContracts } from '../contracts/contract.ts';
import type { Exchange } from './exchange.ts';
import { loadSimulator, type StartOptions, startSim } from './start.ts';

const contracts = await loadContracts();

const ALICE = { Authorization: `Basic ${btoa('alice:alice')}` };
const RUNTIME = { SERVERLESS_RUNTIME: { FAAS: { FLAVOUR: 'Function' } } };
const STREAM =
  '/functions/e60558d6-91c3-4196-abad-46079a0e3c61/vdu01/fa8869e3-cc5f-4a5e-8520-932226d804e1/synch-mon-data' +
  '/metrics=vm_cpu_perc&since=1504011287&until=1504012281&step=14';

/** What the tests look into; what is asked for has some of it. */
interface Body {
  readonly SERVERLESS_RUNTIME: { readonly ID: number; readonly FAAS: { readonly STATE: string } };
  readonly faults: readonly unknown[];
  readonly now: string;
  readonly parts: unknown;
  readonly factor: number;
  readonly token: { readonly access_token: string };
  readonly ws_url: string;
  readonly error: { readonly code: string; readonly message: string };
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}

async function start(options: StartOptions = {}) {
  const simulator = await loadSimulator({ timing: { name: 'fast' }, ...options });
  const checked = checkedFetch(simulator.fetch, contracts, simulator.world.config.deviations);
  const ask = async (call: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> => {
    const [method = '', path = ''] = call.split(' ');
    const request = new Request(`http://127.0.0.1:1337${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    // What a sandbox answers under its path is that API's, and not of the control API's contract.
    const inside = /^\/_onesim\/sandboxes\/[^/]+\//.test(path) || 'X-Onesim-Sandbox' in headers;
    const response = await (inside ? simulator.fetch(request) : checked(request));
    const text = await response.text();
    const isJson = response.headers.get('Content-Type')?.includes('json') === true && text !== '';
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
  };
  return { simulator, ask };
}

const inside = (name: string): Record<string, string> => ({ 'X-Onesim-Sandbox': name });
const base = (name: string): string => `/_onesim/sandboxes/${name}`;

describe('a sandbox', () => {
  it.each([
    ['a header', (name: string) => ['', inside(name)] as const],
    ['its path', (name: string) => [base(name), {}] as const],
  ])('is chosen by %s, and shares nothing with the main world or another', async (_, choose) => {
    const { simulator, ask } = await start();
    for (const name of ['a', 'b']) await ask('POST /_onesim/sandboxes', { name });
    const [path, headers] = choose('a');
    const created = await ask(`POST ${path}/serverless-runtimes`, RUNTIME, { ...ALICE, ...headers });
    expect(created.status).toBe(201);
    const { ID: id } = created.body.SERVERLESS_RUNTIME;
    await ask(`POST ${path}/_onesim/clock`, { action: 'advance', ms: 60_000 }, headers);
    const read = await ask(`GET ${path}/serverless-runtimes/${id}`, undefined, { ...ALICE, ...headers });
    expect(read.body.SERVERLESS_RUNTIME.FAAS.STATE).toBe('RUNNING');
    await ask(`POST ${path}/_onesim/faults`, { selector: { layer: 'vm' }, effect: { do: 'fail' } }, headers);

    expect(simulator.world.clock.now).toBe(simulator.world.config.epochMs);
    expect([...simulator.world.judge.faults]).toEqual([]);
    expect((await ask(`GET /serverless-runtimes/${id}`, undefined, ALICE)).status).toBe(404);
    expect((await ask(`GET ${base('b')}/serverless-runtimes/${id}`, undefined, ALICE)).status).toBe(404);
    expect((await ask(`GET ${base('b')}/_onesim/faults`)).body.faults).toEqual([]);
    expect((await ask(`GET ${base('b')}/_onesim/clock`)).body.now).toBe('2026-01-01T00:00:00.000Z');
  });

  it('goes the way that its seed says, whatever others do', async () => {
    const { ask } = await start();
    const run = async (name: string): Promise<unknown> => {
      await ask(`POST ${base(name)}/serverless-runtimes`, RUNTIME, ALICE);
      await ask(`POST ${base(name)}/_onesim/clock`, { action: 'advance', ms: 60_000 });
      return (await ask(`GET ${base(name)}/_onesim/snapshot`)).body.parts;
    };
    for (const [name, seed] of [
      ['a', 1],
      ['b', 2],
      ['c', 1],
    ] as const)
      await ask('POST /_onesim/sandboxes', { name, seed });
    const [a, b, c] = [await run('a'), await run('b'), await run('c')] as { vms: unknown; settings: object }[];
    expect(a?.vms).toEqual(c?.vms);
    expect(a?.vms).not.toEqual(b?.vms);
  });

  it('may be empty', async () => {
    const { simulator, ask } = await start();
    await ask('POST /_onesim/sandboxes', { name: 'bare', world: 'empty' });
    expect(simulator.sandboxes.simulator('bare')?.world.cloud.hosts.size).toBe(0);
    expect(simulator.world.cloud.hosts.size).toBeGreaterThan(0);
  });

  it('may run at a pace of its own', async () => {
    const { simulator, ask } = await start();
    expect((await ask('POST /_onesim/sandboxes', { name: 'quick', clock: 60 })).body.factor).toBe(60);
    expect(simulator.world.pace.factor).toBe(0);
    await ask('DELETE /_onesim/sandboxes/quick');
  });

  it('names itself in the addresses that it gives', async () => {
    const { ask } = await start();
    await ask('POST /_onesim/sandboxes', { name: 'a' });
    const { body } = await ask(`POST ${base('a')}/api/v2/sessions`, { username: 'sonata', password: '1234' });
    const token = { Authorization: `bearer ${body.token.access_token}` };
    const live = await ask(`GET ${base('a')}${STREAM}`, undefined, token);
    expect(live.body.ws_url).toMatch(/^ws:\/\/127\.0\.0\.1:1337\/_onesim\/sandboxes\/a\/ws\/[\da-f]{32}$/);
    const fault = { selector: { layer: 'vm' }, effect: { do: 'fail' } };
    const armed = await ask(`POST ${base('a')}/_onesim/faults`, fault);
    expect(armed.headers.get('Location')).toBe('/_onesim/sandboxes/a/_onesim/faults/f1');
    const byHeader = await ask('POST /_onesim/faults', fault, inside('a'));
    expect(byHeader.headers.get('Location')).toBe('/_onesim/faults/f2');
  });

  it('is named in the log, and its own journal has what happened in it', async () => {
    const log: Exchange[] = [];
    const { simulator, ask } = await start({ onAnswer: (exchange) => void log.push(exchange) });
    await ask('POST /_onesim/sandboxes', { name: 'a' });
    await ask('GET /server/version', undefined, inside('a'));
    expect(log.map(({ path, sandbox }) => [path, sandbox])).toEqual([
      ['/_onesim/sandboxes', undefined],
      ['/server/version', 'a'],
    ]);
    const kinds = (journal = simulator.world.journal): string[] =>
      [...journal.since()].map(({ kind, subject }) => `${kind} ${subject}`).slice(-2);
    expect(kinds()).toContain('answer /_onesim/sandboxes');
    expect([...simulator.world.journal.since()].map(({ kind }) => kind)).toContain('sandbox.opened');
    expect(kinds(simulator.sandboxes.simulator('a')?.world.journal)).toEqual([
      'request /server/version',
      'answer /server/version',
    ]);
  });

  it('has no sandboxes of its own', async () => {
    const { ask } = await start();
    await ask('POST /_onesim/sandboxes', { name: 'a' });
    const answer = await ask('POST /_onesim/sandboxes', {}, inside('a'));
    expect([answer.status, answer.body.error.message]).toEqual([409, 'There can be no sandboxes here']);
  });

  it('survives a reset of the main world, and is no part of its snapshot', async () => {
    const { simulator, ask } = await start();
    const namesKept = (): unknown => [...simulator.world.cloud.vms].map(({ name, state }) => [name, state]);
    const before = namesKept();
    await ask('POST /_onesim/sandboxes', { name: 'a' });
    await ask('POST /_onesim/reset');
    expect((await ask('GET /_onesim/sandboxes/a')).status).toBe(200);
    expect(namesKept()).toEqual(before);
    expect(simulator.snapshot()).not.toContain('sandbox/a');
  });

  it('has the seed and the pace of the main world as it is now, unless it is told otherwise', async () => {
    const { simulator, ask } = await start({ seed: 3 });
    await ask('POST /_onesim/reset', { seed: 9 });
    await ask('POST /_onesim/clock', { action: 'scale', factor: 60 });
    expect((await ask('POST /_onesim/sandboxes', { name: 'a' })).body).toMatchObject({ seed: 9, factor: 60 });
    expect((await ask('POST /_onesim/sandboxes', { name: 'b', seed: 1, clock: 'virtual' })).body).toMatchObject({
      seed: 1,
      factor: 0,
    });
    simulator.close();
  });
});

describe('what cannot be', () => {
  it.each([
    ['by a header', '/serverless-runtimes', inside('tets')],
    ['by a path', `${base('tets')}/serverless-runtimes`, {}],
  ])('a sandbox that is not there is refused %s, and the main world is not asked', async (_, path, headers) => {
    const { simulator, ask } = await start();
    await ask('POST /_onesim/sandboxes', { name: 'test' });
    const before = simulator.world.journal.length;
    const answer = await ask(`POST ${path}`, RUNTIME, { ...ALICE, ...headers });
    expect(answer.status).toBe(404);
    expect(answer.body.error).toEqual({ code: 'not_found', message: 'There is no sandbox tets, did you mean "test"?' });
    expect(simulator.world.journal.length).toBe(before);
  });

  it('one that has been closed', async () => {
    const { ask } = await start();
    await ask('POST /_onesim/sandboxes', { name: 'a' });
    await ask('DELETE /_onesim/sandboxes/a');
    expect((await ask('GET /_onesim/sandboxes/a')).status).toBe(404);
    expect((await ask('DELETE /_onesim/sandboxes/a')).status).toBe(404);
    expect((await ask('GET /serverless-runtimes', undefined, { ...ALICE, ...inside('a') })).status).toBe(404);
  });
});

it('over the network, bodies and WebSockets find their sandbox, and its end is the end of its streams', async () => {
  await using running = await startSim({ port: 0, clock: 0, timing: { name: 'fast' } });
  const { control, engine } = running.urls;
  const post = async (url: string, body: object, headers: Record<string, string> = {}) => {
    const response = await fetch(url, { method: 'POST', body: JSON.stringify(body), headers });
    return { response, body: (await response.json()) as Body };
  };
  await post(`${control}/sandboxes`, { name: 'net', seed: 3 });
  const sandbox = `${control}/sandboxes/net`;
  const { response } = await post(`${sandbox}/serverless-runtimes`, RUNTIME, ALICE);
  expect(response.status).toBe(201);
  expect(running.simulator.world.cloud.documents.size).toBeLessThan(
    running.simulator.sandboxes.simulator('net')?.world.cloud.documents.size ?? 0,
  );

  const login = await post(`${engine}/api/v2/sessions`, { username: 'sonata', password: '1234' }, inside('net'));
  const headers = { Authorization: `bearer ${login.body.token.access_token}` };
  const { ws_url: url } = (await (await fetch(sandbox + STREAM, { headers })).json()) as { ws_url: string };
  const socket = new WebSocket(url);
  const frames: string[] = [];
  socket.on('message', (data) => frames.push(String(data)));
  await once(socket, 'message');
  await post(`${sandbox}/_onesim/clock`, { action: 'advance', ms: 10_000 });
  while (frames.length < 2) await once(socket, 'message');
  expect(frames[0]).toBe('{"Status":"Socket Opened"}');
  expect(frames[1]).toContain('vm_cpu_perc');

  const elsewhere = new WebSocket(url.replace('/net/', '/nat/'));
  const [refusal] = await once(elsewhere, 'error');
  expect(String(refusal)).toContain('404');

  const closed = once(socket, 'close');
  expect((await fetch(sandbox, { method: 'DELETE' })).status).toBe(204);
  expect((await closed)[0]).toBe(1001);
});
