/** The README's example of a test, word for word but for where `onesim` comes from; `sim/readme.test.ts` compares them. */
import { expect, it } from 'vitest';
import { loadSimulator } from '../sim/index.ts';

it('is RUNNING a minute later', async () => {
  const simulator = await loadSimulator({ seed: 7 });
  const headers = { Authorization: `Basic ${btoa('alice:alice')}` };
  const ask = async (path: string, init: RequestInit = {}) => {
    const answer = await simulator.fetch(new Request(`http://localhost:1337${path}`, { ...init, headers }));
    return JSON.parse(await answer.text()).SERVERLESS_RUNTIME;
  };

  const body = JSON.stringify({ SERVERLESS_RUNTIME: { FAAS: { FLAVOUR: 'Function' } } });
  const { ID } = await ask('/serverless-runtimes', { method: 'POST', body });
  await simulator.world.clock.advance(60_000);
  expect((await ask(`/serverless-runtimes/${ID}`)).FAAS.STATE).toBe('RUNNING');
});
