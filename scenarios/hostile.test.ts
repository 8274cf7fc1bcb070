/** Whatever is sent, the stand-in answers as its contracts say, and what it refuses changes nothing. */
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { loadContracts } from '../contracts/contract.ts';
import { type Attack, attacks, HOSTILE_BODIES, HOSTILE_IDS, operationsServed } from './attack.ts';
import { holdings } from './holdings.ts';
import { type Json, standIn } from './stand-in.ts';

const MOST = 1024 * 1024;
const door = await standIn({ maxBody: MOST });
const { simulator } = door;
const contracts = await loadContracts();
/** The Gatekeeper's paths with its prefix have the same handlers as those without. */
const operations = operationsServed(contracts).filter(({ path }) => !path.startsWith('/api/v2'));

const basic = (session: string) => ({ Authorization: `Basic ${Buffer.from(session).toString('base64')}` });

async function methodsOfXmlRpc(): Promise<string[]> {
  const body = '<?xml version="1.0"?><methodCall><methodName>system.listMethods</methodName></methodCall>';
  const { text } = await door.ask('/RPC2', { body });
  return Array.from(text.matchAll(/<string>([\w.]+)<\/string>/g), ([, name = '']) => name);
}

/** A world in which alice's runtime 8 runs, and somebody is logged in; always the same. Returns the token. */
async function begin(): Promise<string> {
  simulator.reset();
  const { text } = await door.ask('/sessions', { body: { username: 'sonata', password: '1234' } });
  const user = 'alice:alice';
  await door.ask('/serverless-runtimes', { user, body: { SERVERLESS_RUNTIME: { FAAS: { FLAVOUR: 'Function' } } } });
  await door.pass(60_000);
  expect((await door.ask('/serverless-runtimes/8', { user })).text).toContain('"STATE":"RUNNING"');
  return JSON.parse(text).token.access_token;
}

/** Sends it, and moves the clock when it waits. A body that a method cannot have is left out. */
async function send({ method, target, headers, body }: Attack): Promise<Response> {
  const request = new Request(`http://127.0.0.1:1337${target}`, {
    method,
    headers,
    ...(body === null || method === 'GET' || method === 'HEAD' ? {} : { body: Buffer.from(body, 'latin1') }),
  });
  const { clock } = simulator.world;
  let done = false;
  const answering = door.fetch(request).finally(() => {
    done = true;
  });
  // Awaited below, after the clock has moved.
  answering.catch(() => {});
  await clock.advance(0);
  // What is loaded when it is first asked for takes time that no clock of ours has.
  const isIdle = (): boolean => done || clock.nextDue === null;
  if (!isIdle()) await clock.runUntil(isIdle, { maxMs: 3_600_000 });
  return answering;
}

/** OpenNebula's XML-RPC refuses with status 200. */
const isRefusal = (status: number, text: string): boolean =>
  status >= 400 || /<fault>|<boolean>0<\/boolean>/.test(text.slice(0, 200));

/** What has been done by then is undone, which takes the time that a service takes to come down. */
const UNDONE = /^\{"error":"Failed to create Serverless Runtime Document"/;

/** Mistakes of ours, which a client must not be able to cause. */
const defects = () => [...simulator.world.journal.since()].filter(({ kind }) => kind === 'defect');

describe('any sequence of requests', () => {
  it('is answered as the contracts say, and what is refused changes nothing', async () => {
    const token = await begin();
    const known = { contracts, methods: await methodsOfXmlRpc(), token };
    await fc.assert(
      fc.asyncProperty(fc.array(attacks(known), { minLength: 5, maxLength: 20 }), async (sequence) => {
        expect(await begin()).toBe(token);
        let before = await holdings(simulator);
        for (const attack of sequence) {
          const { clock } = simulator.world;
          const start = clock.now;
          const answer = await send(attack);
          const text = await answer.text();
          const after = await holdings(simulator);
          if (isRefusal(answer.status, text) && clock.now === start && !UNDONE.test(text)) expect(after).toBe(before);
          before = after;
          expect(defects()).toEqual([]);
        }
      }),
      { seed: 1, numRuns: 8 },
    );
  }, 120_000);
});

/**
 * Reads that answer whatever the id: OneFlow takes the number that a text begins with, or 0, and template 0 is for
 * everybody to see; of a metric or a label that does not exist there are no series or values.
 */
const ANSWERED = ['/service_template/', '/monitoring/api/v1/prometheus/metrics/name/', '/api/v1/label/'];

describe('every operation', () => {
  beforeEach(async () => {
    await begin();
  });

  it('refuses ids that nothing has, and is none the worse for them', async () => {
    const before = await holdings(simulator);
    // Some servers read what is no number as 0: whoever asks may not touch what is there.
    const headers = basic('bob:bob');
    for (const { method, path } of operations.filter((operation) => operation.path.includes('{'))) {
      for (const id of HOSTILE_IDS) {
        const target = path.replace(/\{[^}]+\}/g, () => id);
        const { status } = await send({ method, target, headers, body: null });
        const harmless =
          method === 'OPTIONS' || (method === 'GET' && ANSWERED.some((prefix) => path.startsWith(prefix)));
        if (!harmless) expect(status, `${method} ${target.slice(0, 200)}`).toBeGreaterThanOrEqual(400);
      }
    }
    expect(await holdings(simulator)).toBe(before);
    expect(defects()).toEqual([]);
  }, 30_000);

  it('takes nothing from bodies that make no sense', async () => {
    const before = await holdings(simulator);
    const headers = basic('alice:alice');
    for (const { method, path } of operations.filter(({ method }) => method === 'POST' || method === 'PUT')) {
      // Takes no notice of a body, or needs none.
      if (/reset|sandboxes|purge_done|^\/api\/v1\/labels$/.test(path)) continue;
      const target = path.replace(/\{[^}]+\}/g, () => (path.startsWith('/service/') ? '7' : '8'));
      for (const [what, bytes] of Object.entries(HOSTILE_BODIES)) {
        const answer = await send({ method, target, headers, body: Buffer.from(bytes).toString('latin1') });
        const text = await answer.text();
        const refused = isRefusal(answer.status, text);
        if (UNDONE.test(text)) await begin();
        // OneFlow answers an action that a template does not have with success.
        if (path !== '/service_template/{id}/action') expect(refused, `${method} ${target}: ${what}`).toBe(true);
      }
    }
    expect(await holdings(simulator)).toBe(before);
    expect(defects()).toEqual([]);
  }, 30_000);
});

it('takes a service down again whose runtime cannot be made', async () => {
  await begin();
  const user = 'alice:alice';
  const body = { SERVERLESS_RUNTIME: { NAME: '\0', FAAS: { FLAVOUR: 'Function' } } };
  const { status, text } = await door.ask('/serverless-runtimes', { user, body });
  expect([status, text]).toEqual([500, expect.stringMatching(UNDONE)]);
  await door.pass(600_000);
  const services = (await door.ask('/service', { user })).json().DOCUMENT_POOL?.DOCUMENT as Json;
  expect(Object.values(services).map(({ ID }: Json) => ID)).toEqual(['7']);
  const vms = [...simulator.world.cloud.vms].filter(({ state }) => state !== 'DONE');
  expect(vms.map(({ id }) => id)).toEqual([0, 1]);
});

describe('a body that is too large', () => {
  const REFUSALS: readonly (readonly [path: string, status: number, words: RegExp])[] = [
    [
      '/serverless-runtimes',
      413,
      /^\{"error":"Payload Too Large","message":"The body is larger than 1048576 bytes\."\}$/,
    ],
    ['/sessions', 413, /^\{"error":\{"code":413,"message":"The body is larger than 1048576 bytes"\}\}$/],
    ['/_onesim/clock', 413, /^\{"error":\{"code":"too_large","message":"The body is larger than 1048576 bytes"\}\}$/],
    ['/_onesim/faults', 413, /"too_large"/],
    ['/service_template', 413, /^The body is larger than 1048576 bytes$/],
    ['/RPC2', 200, /<i4>-509<\/i4>[\s\S]*XML-RPC request too large\. {2}Max allowed is 1048576 bytes/],
  ];
  const user = 'alice:alice';

  it.each(REFUSALS)('is refused by %s in its own words', async (path, status, words) => {
    const text = 'x'.repeat(MOST + 1);
    const chunks = new ReadableStream({
      pull(controller) {
        controller.enqueue(new Uint8Array(64 * 1024));
      },
    });
    const bodies: RequestInit[] = [
      { body: text },
      { body: text, headers: { 'Content-Length': '5' } },
      { body: text, headers: { 'Content-Length': '-1' } },
      { body: 'x', headers: { 'Content-Length': `${MOST + 1}` } },
      { body: 'x', headers: { 'Content-Length': '1e99' } },
    ];
    for (const { body, headers } of bodies) {
      const request = new Request(`http://127.0.0.1:1337${path}`, {
        method: 'POST',
        headers: { ...basic(user), ...headers },
        ...(body === undefined ? {} : { body }),
      });
      const answer = await door.fetch(request);
      expect([answer.status, await answer.text()]).toEqual([status, expect.stringMatching(words)]);
    }
    // One that never ends is not read to its end, so it cannot go through the contract's check.
    const endless = { method: 'POST', headers: basic(user), body: chunks, duplex: 'half' } as RequestInit;
    const answer = await simulator.fetch(new Request(`http://127.0.0.1:1337${path}`, endless));
    expect([answer.status, await answer.text()]).toEqual([status, expect.stringMatching(words)]);
  });

  it.each(REFUSALS)('is taken by %s when it is as large as it may be', async (path, _status, words) => {
    const { text } = await door.ask(path, { user, body: ' '.repeat(MOST) });
    expect(text).not.toMatch(words);
  });
});
