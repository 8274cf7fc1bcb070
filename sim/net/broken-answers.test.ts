/** Faults between a client and an API: what is answered, what has happened all the same, and that it heals. */
import type { Server } from 'node:http';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { FaultSpec } from '../faults/schema.ts';
import { loadSimulator, type Simulator } from '../index.ts';
import { serverFor } from './listen.ts';
import { Wire } from './wire.ts';

const ORIGIN = 'http://127.0.0.1:1337';
const ALICE = `Basic ${btoa('alice:alice')}`;
const BODY = JSON.stringify({ SERVERLESS_RUNTIME: { FAAS: { FLAVOUR: 'Function' } } });

type Effect = FaultSpec<'api' | 'transport'>['effect'];

async function start() {
  const simulator = await loadSimulator({ timing: { name: 'fast' } });
  const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
    simulator.fetch(new Request(ORIGIN + path, { ...init, headers: { Authorization: ALICE, ...init.headers } }));
  const create = (): Promise<Response> => ask('/serverless-runtimes', { method: 'POST', body: BODY });
  /** Arms a fault as a client does; returns its id. */
  const arm = async (spec: unknown): Promise<string> => {
    const answer = await ask('/_onesim/faults', { method: 'POST', body: JSON.stringify(spec) });
    const { id, error } = JSON.parse(await answer.text());
    return id ?? error.message;
  };
  const heal = (id: string): Promise<Response> => ask(`/_onesim/faults/${id}`, { method: 'DELETE' });
  const kinds = (): string[] => [...simulator.world.journal.since()].map(({ kind }) => kind);
  return { simulator, ask, create, arm, heal, kinds };
}

const runtimes = ({ world: { cloud } }: Simulator): number =>
  [...cloud.documents].filter(({ type }) => type === 1337).length;

const onCreate = (effect: Effect, budget?: object): object => ({
  selector: { layer: 'api', api: 'engine', operation: 'POST /serverless-runtimes' },
  effect,
  ...(budget === undefined ? {} : { budget }),
});

describe('a fault of an API', () => {
  it.each<[string, Effect, number, string, number]>([
    [
      'is refused',
      { do: 'answer', status: 503, message: 'No' },
      503,
      '{"error":"Service Unavailable","message":"No"}',
      0,
    ],
    [
      'is limited',
      { do: 'rate-limit', retryAfterS: 7 },
      429,
      '{"error":"Too Many Requests","message":"Too many requests"}',
      0,
    ],
    [
      'is not let in',
      { do: 'auth-outage' },
      401,
      '{"error":"Unauthorized","message":"Authentication is not available"}',
      0,
    ],
    ['is locked', { do: 'lock' }, 423, '{"error":"Locked","message":"Locked"}', 0],
    [
      'is done, and answered as failed',
      { do: 'done-but-failed' },
      500,
      '{"error":"Internal Server Error","message":"Internal error"}',
      1,
    ],
  ])('a create %s', async (_, effect, status, text, made) => {
    const { simulator, create, arm, heal } = await start();
    const id = await arm(onCreate(effect));
    const before = runtimes(simulator);
    const answer = await create();
    expect([answer.status, await answer.text(), answer.headers.get('X-Onesim-Fault')]).toEqual([status, text, id]);
    if (effect.do === 'rate-limit') expect(answer.headers.get('Retry-After')).toBe('7');
    expect(runtimes(simulator) - before).toBe(made);
    await heal(id);
    const healed = await create();
    expect([healed.status, healed.headers.get('X-Onesim-Fault')]).toEqual([201, null]);
  });

  it.each([204, 205, 304])('an answer has no body where HTTP has none: %i', async (status) => {
    const { ask, arm } = await start();
    await arm({ selector: { layer: 'api' }, effect: { do: 'answer', status, headers: { 'X-Why': 'a fault' } } });
    for (const path of ['/server/version', '/functions', '/service', '/metrics']) {
      const { status: answered, body, headers } = await ask(path);
      expect([answered, body, headers.get('X-Why')]).toEqual([status, null, 'a fault']);
    }
  });

  it('a create is done twice, and answered once', async () => {
    const { simulator, create, arm } = await start();
    await arm(onCreate({ do: 'done-twice' }, { hits: 1 }));
    const before = runtimes(simulator);
    expect((await create()).status).toBe(201);
    expect(runtimes(simulator) - before).toBe(2);
    expect((await create()).status).toBe(201);
    expect(runtimes(simulator) - before).toBe(3);
  });

  it('an answer waits for simulated time', async () => {
    const { simulator, create, arm } = await start();
    await arm(onCreate({ do: 'delay', ms: 5000 }));
    const { clock } = simulator.world;
    const answered = create();
    await clock.advance(4999);
    expect(clock.waiters.map(({ what }) => what)).toEqual(['POST /serverless-runtimes: fault f1']);
    expect(runtimes(simulator)).toBe(0);
    await clock.advance(1);
    expect((await answered).status).toBe(201);
  });

  it('a read is stale', async () => {
    const { simulator, ask, create, arm, heal } = await start();
    const { SERVERLESS_RUNTIME } = JSON.parse(await (await create()).text());
    const path = `/serverless-runtimes/${SERVERLESS_RUNTIME.ID}`;
    const state = async (): Promise<string> => JSON.parse(await (await ask(path)).text()).SERVERLESS_RUNTIME.FAAS.STATE;
    const id = await arm({
      selector: { layer: 'api', operation: 'GET /serverless-runtimes/{id}', user: 'alice' },
      effect: { do: 'stale-read', ageMs: 30_000 },
    });
    expect(await state()).toBe('PENDING');
    await simulator.world.clock.advance(60_000);
    expect(await state()).toBe('PENDING');
    await simulator.world.clock.advance(40_000);
    expect(await state()).toBe('RUNNING');
    await heal(id);
    expect(await state()).toBe('RUNNING');
  });

  it('each API refuses in its own words', async () => {
    const { ask, arm } = await start();
    await arm({ selector: { layer: 'api' }, effect: { do: 'answer', status: 503, message: 'No' } });
    const call =
      '<?xml version="1.0"?><methodCall><methodName>one.vmpool.info</methodName><params><param><value><string>alice:alice</string></value></param></params></methodCall>';
    const said = async (path: string, init?: RequestInit): Promise<string> => {
      const answer = await ask(path, init);
      return `${answer.status} ${(await answer.text()).replace(/\s+/g, ' ').trim()}`;
    };
    expect(await said('/server/version')).toBe('503 {"error":"Service Unavailable","message":"No"}');
    expect(await said('/functions')).toBe('503 {"error":{"code":503,"message":"No"}}');
    expect(await said('/service')).toBe('503 No');
    expect(await said('/metrics')).toBe('503 No');
    expect(await said('/monitoring/api/v1/prometheus/metrics/list')).toBe('503 {"detail":"No"}');
    expect(await said('/RPC2', { method: 'POST', body: call })).toMatch(
      /^200 .*<boolean>0<\/boolean>.*<string>\[one\.vmpool\.info\] No<\/string>.*<i4>8192<\/i4>/,
    );
    // Whoever breaks things must be able to mend them.
    expect((await ask('/_onesim/clock')).status).toBe(200);
  });

  it.each([
    [{ api: 'engine', operation: 'POST /serverless-runtime' }, /did you mean "POST \/serverless-runtimes"/],
    [{ api: 'oned', operation: 'one.vm.resise' }, /did you mean "one.vm.resize"/],
    [{ api: 'engin' }, /did you mean "engine"/],
    [{ operation: 'POST /serverless-runtimes', user: 'alise' }, /did you mean "alice"/],
  ])('that can match nothing is refused: %j', async (selector, message) => {
    const { arm } = await start();
    expect(await arm({ selector: { layer: 'api', ...selector }, effect: { do: 'lock' } })).toMatch(message);
  });

  it('is the cause of what it makes happen', async () => {
    const { simulator, create, arm, kinds } = await start();
    await arm(onCreate({ do: 'done-but-failed' }));
    await create();
    const { journal } = simulator.world;
    const [pending] = [...journal.since()]
      .filter(({ kind, detail }) => kind === 'vm.state' && detail.to === 'PENDING')
      .slice(-1);
    expect(journal.why(pending?.seq ?? 0).map(({ kind }) => kind)).toEqual(['vm.state', 'fault', 'request']);
    expect(kinds()).not.toContain('defect');
  });
});

describe('a fault of the transport', () => {
  const onRead = (effect: Effect): object => ({
    selector: { layer: 'transport', operation: 'GET /server/version' },
    effect,
  });
  let server: Server | undefined;

  afterEach(() => {
    server?.close();
  });

  /** What comes over a connection of its own, until it is closed, or until `enough`. */
  async function wired(simulator: Simulator, enough?: RegExp): Promise<string> {
    server = serverFor({ fetch: simulator.answer, upgrade: () => {} });
    const wire = new Wire(server).send('GET /server/version HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const text = enough === undefined ? await wire.closing() : await wire.until(enough);
    wire.destroy();
    return text.replace(/^Date: .*\r\n/m, '');
  }

  it.each<[Effect, string | RegExp, string]>([
    [{ do: 'reset' }, '', 'fetch failed'],
    [{ do: 'refuse' }, '', 'fetch failed'],
    [{ do: 'fin-mid-body', afterBytes: 3 }, /content-length: 7\r\n\r\n"1\.$/i, 'terminated'],
    [{ do: 'fin-mid-body' }, /content-length: 7\r\n\r\n"1\.$/i, 'terminated'],
    [{ do: 'wrong-length', by: 5 }, /content-length: 12\r\n\r\n"1\.3\.3"$/i, 'terminated'],
    [{ do: 'wrong-length', by: -2 }, /content-length: 5\r\n\r\n"1\.3\.3"$/i, '"1.3.'],
    [{ do: 'bad-chunk' }, /transfer-encoding: chunked\r\n\r\n3\r\n"1\.\r\nzz\r\n$/i, 'terminated'],
  ])('%j', async (effect, raw, inProcess) => {
    const { simulator, ask, arm, heal } = await start();
    const id = await arm(onRead(effect));
    expect(await wired(simulator)).toMatch(raw === '' ? /^$/ : raw);
    const seen = await ask('/server/version')
      .then(
        (answer) => answer.text(),
        (error) => error,
      )
      .catch((error) => error);
    expect(seen instanceof Error ? seen.message : seen).toBe(inProcess);
    await heal(id);
    expect(await wired(simulator, /"1\.3\.3"/)).toMatch(/^HTTP\/1\.1 200 OK/);
    expect(await (await ask('/server/version')).text()).toBe('"1.3.3"');
  });

  it('an answer that is lost has happened', async () => {
    const { simulator, create, arm } = await start();
    await arm({ selector: { layer: 'transport', operation: 'POST /serverless-runtimes' }, effect: { do: 'reset' } });
    await expect(create()).rejects.toThrow('fetch failed');
    expect(runtimes(simulator)).toBe(1);
  });

  it('a request that is refused, or hangs, has not', async () => {
    const { simulator, create, arm, ask } = await start();
    await arm({ selector: { layer: 'transport', operation: 'POST *' }, effect: { do: 'refuse' }, budget: { hits: 1 } });
    await expect(create()).rejects.toThrow('fetch failed');
    await arm({ selector: { layer: 'transport', operation: 'POST *' }, effect: { do: 'hang' } });
    const patience = new AbortController();
    const hanging = ask('/serverless-runtimes', { method: 'POST', body: BODY, signal: patience.signal });
    await simulator.world.clock.advance(3_600_000);
    patience.abort();
    await expect(hanging).rejects.toThrow(/abort/i);
    expect(runtimes(simulator)).toBe(0);
  });

  it('headers come late, and a body a little at a time', async () => {
    const { simulator, ask, arm } = await start();
    const { clock } = simulator.world;
    await arm({ ...onRead({ do: 'slow-headers', ms: 2000 }), budget: { hits: 1 } });
    let answered = false;
    const late = ask('/server/version').then((answer) => {
      answered = true;
      return answer;
    });
    await clock.advance(1999);
    expect(answered).toBe(false);
    await clock.advance(1);
    expect((await late).status).toBe(200);

    await arm(onRead({ do: 'slow-body', bytesPerS: 1 }));
    const slow = await ask('/server/version');
    const reading = slow.text();
    await clock.runUntilIdle();
    expect(await reading).toBe('"1.3.3"');
    expect(clock.now - Date.UTC(2026, 0, 1)).toBe(9000);
  });

  it('a body that waits for simulated time is not given up, however long nothing moves', async () => {
    const { simulator, arm } = await start();
    await arm(onRead({ do: 'slow-body', bytesPerS: 1 }));
    server = serverFor({ fetch: simulator.answer, upgrade: () => {} });
    const wire = new Wire(server).send('GET /server/version HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const { clock } = simulator.world;
    await vi.waitUntil(() => clock.waiters.length > 0, { interval: 1 });
    await clock.advance(2000);
    await wire.until(/\r\n1\r\n1\r\n$/);
    // As a socket says when nothing has moved for as long as an answer may lie unread.
    wire.emit('timeout');
    expect(wire.destroyed).toBe(false);
    await clock.advance(60_000);
    expect(await wire.until(/\r\n0\r\n/)).toMatch(/3\r\n1\r\n"\r\n0\r\n\r\n$/);
    wire.destroy();
  });
});
