/** Timing that is not the same for all: overrides, actions that fail by themselves, and progress by being looked at. */
import { describe, expect, it } from 'vitest';
import { loadSimulator, type Simulator } from './index.ts';
import { TIMINGS, type TimingName } from './one/timing.ts';
import { createSimulator } from './simulator.ts';
import { readTiming } from './world/timing-file.ts';
import { furnishing } from './world/worlds.ts';

const ADMIN = 'oneadmin:opennebula';

async function world(text: string): Promise<Simulator> {
  const timing = await readTiming(text, 't.yaml');
  return createSimulator({ timing, furnish: await furnishing('default') });
}

/** A VM of the world's template `Function`. */
const instantiate = ({ world: { cloud } }: Simulator, name: string, session = ADMIN): number => {
  const [template] = [...cloud.templates].filter((each) => each.name === 'Function');
  return cloud.call(session, 'one.template.instantiate', template?.id ?? -1, name, false, '', false);
};

const stateOf = ({ world: { cloud } }: Simulator, vm: number): string => cloud.vms.get(vm).state;

describe('a profile', () => {
  const LIFE = ['PENDING', 'PROLOG', 'BOOT', 'RUNNING'];

  it.each(Object.keys(TIMINGS) as TimingName[])(
    '%s passes through every state in its order, and shows each unless it takes no time',
    async (name) => {
      const simulator = createSimulator({ timing: TIMINGS[name], furnish: await furnishing('default') });
      const { clock, journal } = simulator.world;
      const seen = new Map<string, number>();
      const vm = instantiate(simulator, 'one');
      while (stateOf(simulator, vm) !== 'RUNNING') {
        seen.set(stateOf(simulator, vm), clock.now);
        clock.advanceNow((clock.nextDue ?? clock.now) - clock.now);
      }
      const entered = [...journal.since()].filter(({ kind, subject }) => kind === 'vm.state' && subject === `vm/${vm}`);
      expect(entered.map(({ detail }) => detail.to)).toEqual(LIFE);
      expect([...seen.keys()]).toEqual(name === 'instant' ? ['PENDING'] : LIFE.slice(0, -1));
    },
  );
});

describe('an override', () => {
  it.each([
    ['name: slow*', 'slow-1', 'fast-1'],
    ['user: alice', 'alice', 'oneadmin'],
  ])('holds for the VMs it selects: %s', async (selector, chosen, other) => {
    const simulator = await world(
      `base: fast\noverrides: [{ selector: { ${selector} }, actions: { deploy: { fixed: 60000 } } }]`,
    );
    const session = (name: string): string => (name === 'alice' ? 'alice:alice' : ADMIN);
    const [slow, quick] = [chosen, other].map((name) => instantiate(simulator, name, session(name)));
    simulator.world.clock.advanceNow(10_000);
    expect([stateOf(simulator, slow ?? -1), stateOf(simulator, quick ?? -1)]).toEqual(['BOOT', 'RUNNING']);
    simulator.world.clock.advanceNow(60_000);
    expect(stateOf(simulator, slow ?? -1)).toBe('RUNNING');
  });

  it.each(['template: Function', 'host: "*"', 'template: Func*, name: one'])('fits by %s', async (selector) => {
    const simulator = await world(`base: fast\noverrides: [{ selector: { ${selector} }, failing: { deploy: 1 } }]`);
    const vm = instantiate(simulator, 'one');
    simulator.world.clock.advanceNow(10_000);
    expect(stateOf(simulator, vm)).toBe('BOOT_FAILURE');
  });
});

describe('an action that fails now and then', () => {
  it('does so about as often as is said, the same again with the same seed, and moves no other time', async () => {
    const failures = async (chance: number): Promise<boolean[]> => {
      const simulator = await world(`base: instant\nfailing: { prolog: ${chance} }`);
      const vms = Array.from({ length: 300 }, (_, i) => instantiate(simulator, `n${i}`));
      simulator.world.clock.advanceNow(60_000);
      return vms.map((vm) => stateOf(simulator, vm) === 'PROLOG_FAILURE');
    };
    const once = await failures(0.3);
    // Those for which there was no room have not begun.
    expect(once.filter(Boolean).length).toBeGreaterThan(0);
    expect(await failures(0.3)).toEqual(once);
  });
});

describe('progress by being looked at', () => {
  it('takes a client that only polls through every state', async () => {
    const simulator = await world('base: realistic\nprogressAfterReads: 2');
    const headers = { Authorization: `Basic ${btoa('alice:alice')}` };
    const ask = async (path: string, init: RequestInit = {}) => {
      const answer = await simulator.fetch(new Request(`http://localhost:1337${path}`, { ...init, headers }));
      return JSON.parse(await answer.text()).SERVERLESS_RUNTIME;
    };
    const body = JSON.stringify({ SERVERLESS_RUNTIME: { FAAS: { FLAVOUR: 'Function' } } });
    const { ID, FAAS } = await ask('/serverless-runtimes', { method: 'POST', body });
    const seen = [FAAS.STATE];
    for (let reads = 0; seen.at(-1) !== 'RUNNING' && reads < 40; reads++) {
      seen.push((await ask(`/serverless-runtimes/${ID}`)).FAAS.STATE);
    }
    expect(seen.length).toBeGreaterThan(4);
    expect([...new Set(seen)]).toEqual(['PENDING', 'RUNNING']);
    const { now } = simulator.world.clock;
    for (let reads = 0; reads < 10; reads++) await ask(`/serverless-runtimes/${ID}`);
    expect((await ask(`/serverless-runtimes/${ID}`)).FAAS.STATE).toBe('RUNNING');
    expect(simulator.world.clock.now - now).toBeLessThan(3_600_000);
  });

  it('is off unless it is asked for: reads change nothing', async () => {
    const simulator = await loadSimulator();
    const { clock } = simulator.world;
    instantiate(simulator, 'one');
    const { pending } = clock;
    for (let reads = 0; reads < 10; reads++) await simulator.fetch(new Request('http://localhost:1337/server/version'));
    expect([clock.now, clock.pending]).toEqual([Date.UTC(2026, 0, 1), pending]);
  });
});
