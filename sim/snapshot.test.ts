/** A world written down and put back in one simulator: what belongs to connections, and what to the world. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Unreadable, Unsettled } from './kernel/held.ts';
import { createSimulator, type Simulator } from './simulator.ts';
import { readSnapshot, writeSnapshot } from './snapshot.ts';
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
  it.each([
    ['a limit of half a CPU', { quota: 'CPU=0.5' }],
    ['a disk that is larger than can be counted', { disk: Number.MAX_SAFE_INTEGER }],
  ])('has %s', async (_, { quota, disk }: { quota?: string; disk?: number }) => {
    const simulator = await loadSimulator({ timing: { name: 'instant' } });
    const { cloud, clock } = simulator.world;
    if (quota !== undefined) cloud.call('oneadmin:opennebula', 'one.user.quota', 2, `VM=[${quota}]`);
    await ask(simulator, 'POST /serverless-runtimes', RUNTIME);
    await clock.advance(120_000);
    const resized = { FLAVOUR: 'Function', CPU: 1, MEMORY: 128, DISK_SIZE: disk };
    const answer = ask(simulator, 'PUT /serverless-runtimes/8', { SERVERLESS_RUNTIME: { FAAS: resized } });
    await clock.advance(120_000);
    await answer;
    const other = createSimulator();
    other.restore(simulator.snapshot());
    expect(other.snapshot()).toBe(simulator.snapshot());
  });

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

// biome-ignore lint/suspicious/noExplicitAny: what is forged is of no type
type Forged = any;

/** A snapshot in which something is another, with checksums that are right. */
function forged(text: string, change: (parts: Forged) => void): string {
  const parts = readSnapshot(text, Object.keys(JSON.parse(text).parts));
  change(parts);
  return writeSnapshot(parts);
}

describe('a snapshot whose checksums are right', () => {
  it.each<[string, (parts: Forged) => void, string]>([
    [
      'a pool that is no list',
      ({ vms }) => Object.assign(vms, { items: {} }),
      'The part "vms" of the snapshot does not fit',
    ],
    [
      'a VM without disks',
      ({ vms }) => Reflect.deleteProperty(vms.items[0], 'disks'),
      'items.0.disks: expected a list, not undefined',
    ],
    [
      'a VM in no state',
      ({ vms }) => Object.assign(vms.items[0], { state: 'FLYING' }),
      'items.0.state: expected one of INIT, ',
    ],
    [
      'a VM with a colour',
      ({ vms }) => Object.assign(vms.items[0], { colour: 'red' }),
      'items.0: expected 28 fields, not 29',
    ],
    [
      'a disk of text',
      ({ vms }) => Object.assign(vms.items[0].disks, ['x']),
      'items.0.disks.0: expected a record, not "x"',
    ],
    ['a VM twice', ({ vms }) => vms.items.push(vms.items[0]), 'the ids of its objects are not those of its list'],
    [
      'an id that is used already',
      ({ users }) => Object.assign(users, { next: 0 }),
      'the ids of its objects are not those',
    ],
    [
      'a user in a list of groups',
      ({ users }) => Object.assign(users.items[0], { groups: [0] }),
      'items.0.groups: expected a Set, not a Array',
    ],
    [
      'a host without limits',
      ({ hosts }) => Object.assign(hosts.items[0], { totalCpu: null }),
      'items.0.totalCpu: expected a number, not null',
    ],
    [
      'an image of no type',
      ({ images }) => Object.assign(images.items[0], { type: 'TAPE' }),
      'items.0.type: expected one of OS, ',
    ],
    [
      'a network without ranges',
      ({ vnets }) => Object.assign(vnets.items[0], { ranges: null }),
      'items.0.ranges: expected a list, not null',
    ],
    [
      'an entry without a kind',
      ({ journal }) => Object.assign(journal.entries[0], { kind: 1 }),
      '0.kind: expected a text, not 1',
    ],
    ['a journal with a gap', ({ journal }) => journal.entries.pop(), 'entries are missing'],
    [
      'a fault of no layer',
      ({ faults }) => Object.assign(faults.faults.get('f1'), { selector: { layer: 'x' } }),
      'a fault that is none: "x" is not vm, ',
    ],
    [
      'a fault in no state',
      ({ faults }) => Object.assign(faults.faults.get('f1'), { state: 'x' }),
      'state: expected one of waiting, ',
    ],
    ['an event on no channel', ({ clock }) => clock.queue.cells[0].splice(1, 1, 'x'), 'there is no channel x'],
    ['an event nowhere', ({ clock }) => clock.queue.slots.push([99, 0, 0]), 'events without a place'],
    ['a free place that there is not', ({ clock }) => clock.queue.free.push(1e9), 'events without a place'],
    ['a clock of text', ({ clock }) => Object.assign(clock, { now: 'noon' }), 'now: expected a number, not "noon"'],
    ['a seed of text', ({ settings }) => Object.assign(settings, { seed: '1' }), 'seed: expected a number, not "1"'],
    [
      'a setting too few',
      ({ settings }) => Reflect.deleteProperty(settings.cloud, 'maxDispatch'),
      'cloud.maxDispatch: expected, and not there',
    ],
    [
      'furniture of another kind',
      ({ furnishing }) => Object.assign(furnishing, { users: {} }),
      'users: expected a Array, not a Object',
    ],
    [
      'a holder of something else',
      (parts) => Object.assign(parts, { quotas: 7 }),
      'The part "quotas" of the snapshot does not fit: expected',
    ],
  ])('and that has %s is refused whole', async (_, change, message) => {
    const simulator = await loadSimulator({ timing: { name: 'fast' } });
    simulator.world.judge.arm({ selector: { layer: 'vm' }, effect: { do: 'stick' } });
    await ask(simulator, 'POST /serverless-runtimes', RUNTIME);
    const text = simulator.snapshot();
    const wrong = forged(text, change);
    expect(() => simulator.restore(wrong)).toThrow(Unreadable);
    expect(() => simulator.restore(wrong)).toThrow(message);
    expect(simulator.snapshot()).toBe(text);
    simulator.restore(forged(text, () => {}));
    expect(simulator.snapshot()).toBe(text);
  });

  it('is taken whole or refused, whatever stands in it', async () => {
    const simulator = await loadSimulator({ timing: { name: 'fast' } });
    await ask(simulator, 'POST /serverless-runtimes', RUNTIME);
    await simulator.world.clock.advance(60_000);
    const text = simulator.snapshot();
    const names = Object.keys(JSON.parse(text).parts);
    const other = createSimulator();
    const anything = fc.oneof(fc.integer({ min: -2, max: 40 }), fc.string(), fc.constant(null), fc.constant([]));
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.nat(), anything, (name, at, value) => {
        const forgery = forgedTape(text, name, at, value);
        try {
          other.restore(forgery);
        } catch (error) {
          expect(error).toBeInstanceOf(Unreadable);
        }
        expect(() => other.snapshot()).not.toThrow();
      }),
      { seed: 1, numRuns: 40 },
    );
  });
});

/** One of the values that a part consists of is another. */
function forgedTape(text: string, name: string, at: number, value: unknown): string {
  const document = JSON.parse(text);
  const tape = document.parts[name];
  tape[at % tape.length] = value;
  document.checksums[name] = createHash('sha256').update(JSON.stringify(tape)).digest('base64url');
  return JSON.stringify(document);
}
