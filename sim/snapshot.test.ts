/** A world written down and put back in one simulator: what belongs to connections, and what to the world. */
import { describe, expect, it } from 'vitest';
import { Unreadable, Unsettled } from './kernel/held.ts';
import { createSimulator, type Simulator } from './simulator.ts';
import { loadSimulator } from './start.ts';

const RUNTIME = { SERVERLESS_RUNTIME: { FAAS: { FLAVOUR: 'Function' } } };
const RESIZED = { SERVERLESS_RUNTIME: { FAAS: { FLAVOUR: 'Function', CPU: 2, MEMORY: 200, DISK_SIZE: 2048 } } };

const ask = (simulator: Simulator, call: string, body?: object): Promise<Response> => {
  const [method = '', path = ''] = call.split(' ');
  const headers = { Authorization: `Basic ${btoa('alice:alice')}` };
  const text = body === undefined ? {} : { body: JSON.stringify(body) };
  return simulator.fetch(new Request(`http://127.0.0.1:1337${path}`, { method, headers, ...text }));
};

/** A runtime that is being resized: its request waits for time to pass. */
async function resizing() {
  const simulator = await loadSimulator({ timing: { name: 'fast' } });
  await ask(simulator, 'POST /serverless-runtimes', RUNTIME);
  await simulator.world.clock.advance(120_000);
  const settled = simulator.snapshot();
  const answer = ask(simulator, 'PUT /serverless-runtimes/8', RESIZED);
  await simulator.world.clock.advance(0);
  expect(simulator.world.clock.waiters).toMatchObject([{ what: 'resize of VM 1' }]);
  return { simulator, settled, answer };
}

describe('while a request waits', () => {
  it('there is no snapshot, and the request is named', async () => {
    const { simulator, answer } = await resizing();
    expect(() => simulator.snapshot()).toThrow(Unsettled);
    expect(() => simulator.snapshot()).toThrow('resize of VM 1 (until 2026-01-01T00:02:01.000Z)');
    await simulator.world.clock.advance(120_000);
    expect((await answer).status).toBe(200);
    expect(() => simulator.snapshot()).not.toThrow();
  });

  it.each([
    ['restored', (simulator: Simulator, settled: string) => simulator.restore(settled)],
    ['reset', (simulator: Simulator) => simulator.reset()],
    ['closed', (simulator: Simulator) => simulator.close()],
  ])('the world may be %s: the request is answered at once, with 503', async (_, act) => {
    const { simulator, settled, answer } = await resizing();
    act(simulator, settled);
    const response = await answer;
    expect(response.status).toBe(503);
    expect(await response.text()).toContain('has been replaced, or its server stops');
    expect(simulator.world.clock.waiters).toEqual([]);
  });

  it('there is none while the clock is on its way either', async () => {
    const { world, snapshot } = await loadSimulator();
    const moving = world.clock.runUntil(() => {
      expect(snapshot).toThrow('The clock is being moved');
      return true;
    });
    await moving;
    expect(snapshot).not.toThrow();
  });
});

describe('a restored world', () => {
  it('has the settings of its own, and the addresses of where it is', async () => {
    const contract = await loadSimulator({ seed: 9, profile: 'contract', timing: { name: 'slow' }, engineCpu: 3 });
    const { world, restore } = createSimulator({
      gatekeeper: { rateLimits: true, streamHost: 'here:1', streamBase: '' },
    });
    const before = world.config;
    const simulator = createSimulator({ gatekeeper: before.gatekeeper });
    restore(contract.snapshot());
    simulator.restore(contract.snapshot());
    const { config } = simulator.world;
    expect([config.seed, config.deviations.size, config.timing]).toEqual([9, 0, contract.world.config.timing]);
    expect(config.engine).toMatchObject({ capacity: { cpu: { default: 3 } }, port: before.engine.port });
    expect(config.gatekeeper).toEqual({ rateLimits: false, streamHost: 'here:1', streamBase: '' });
  });

  it('is forgotten by a reset, which begins as the simulator began', async () => {
    const other = await loadSimulator({ seed: 9 });
    const simulator = await loadSimulator({ seed: 2 });
    const begun = simulator.snapshot();
    simulator.restore(other.snapshot());
    simulator.reset();
    expect(simulator.snapshot()).toBe(begun);
  });

  it('is the one before when the text cannot be taken, whatever is wrong with it', async () => {
    const simulator = await loadSimulator();
    const text = simulator.snapshot();
    const { world } = simulator;
    for (const wrong of [
      '',
      '[]',
      'null',
      '{"format":"onesim snapshot","version":{"toString":1}}',
      text.slice(1),
      text.replace('"users":', '"user":'),
      text.replace(/\d{13}/, '1'),
    ]) {
      expect(() => simulator.restore(wrong)).toThrow(Unreadable);
    }
    expect(simulator.world).toBe(world);
    expect(simulator.snapshot()).toBe(text);
  });
});
