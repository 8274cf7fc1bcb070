/** Whatever is sent, the stand-in answers as its contracts say, says so itself when it is wrong, and changes nothing when it refuses. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { loadContracts } from '../contracts/contract.ts';
import { type Attack, attacks } from './attack.ts';
import { holdings } from './holdings.ts';
import { standIn } from './stand-in.ts';

const door = await standIn({ maxBody: 1024 * 1024 });
const { simulator } = door;

async function methodsOfXmlRpc(): Promise<string[]> {
  const body = '<?xml version="1.0"?><methodCall><methodName>system.listMethods</methodName></methodCall>';
  const answer = await door.ask('/RPC2', { body });
  return Array.from(answer.text.matchAll(/<string>([\w.]+)<\/string>/g), ([, name = '']) => name);
}

async function activeToken(): Promise<string> {
  const { text } = await door.ask('/sessions', { body: { username: 'sonata', password: '1234' } });
  return JSON.parse(text).token.access_token;
}

/** Sends it, and moves the clock when it waits. A body that a method cannot have is left out. */
async function send({ method, target, headers, body }: Attack): Promise<Response> {
  const request = new Request(`http://127.0.0.1:1337${target}`, {
    method,
    headers,
    ...(body === null || method === 'GET' || method === 'HEAD' ? {} : { body: new Uint8Array(body) }),
  });
  const { clock } = simulator.world;
  let done = false;
  const answering = door.fetch(request).finally(() => {
    done = true;
  });
  answering.catch(() => {});
  await clock.advance(0);
  if (!done) await clock.runUntil(() => done, { maxMs: 3_600_000 });
  return answering;
}

/** OpenNebula's XML-RPC refuses with status 200. */
const isRefusal = (status: number, text: string): boolean =>
  status >= 400 || /<fault>|<boolean>0<\/boolean>/.test(text.slice(0, 200));

const defects = () => [...simulator.world.journal.since()].filter(({ kind }) => kind === 'defect');

const token = await activeToken();
const known = { contracts: await loadContracts(), methods: await methodsOfXmlRpc(), token };

it('answers every request as its contract says, and what it refuses changes nothing', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(attacks(known), { minLength: 1, maxLength: 30 }), async (sequence) => {
      simulator.reset();
      // The same one as before, for the world is the same.
      expect(await activeToken()).toBe(token);
      let before = await holdings(simulator);
      for (const attack of sequence) {
        const start = simulator.world.clock.now;
        const answer = await send(attack);
        const text = await answer.text();
        const after = await holdings(simulator);
        if (isRefusal(answer.status, text) && simulator.world.clock.now === start) expect(after).toBe(before);
        before = after;
        expect(defects()).toEqual([]);
      }
    }),
    { seed: 1, numRuns: 20 },
  );
}, 60_000);
