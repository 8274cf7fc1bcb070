/** Real and scaled time, on a host whose clock and timer the test turns by hand. */
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { Clock } from './clock.ts';
import { type Host, Pace } from './pace.ts';

const EPOCH = Date.UTC(2024, 0, 1);
const FACTORS = [0.5, 1, 60, 10_000] as const;

/** One timer, as Pace needs no more: a second one set without cancelling the first is a failure. */
class HandHost implements Host {
  time = 5000.25;
  waits: number[] = [];
  #alarm: { readonly at: number; readonly callback: () => void } | undefined;

  now(): number {
    return this.time;
  }

  after(ms: number, callback: () => void): () => void {
    expect(this.#alarm).toBeUndefined();
    const alarm = { at: this.time + ms, callback };
    this.#alarm = alarm;
    this.waits.push(ms);
    return () => {
      if (this.#alarm === alarm) this.#alarm = undefined;
    };
  }

  get armedFor(): number | undefined {
    return this.#alarm?.at;
  }

  /** Passes host time, letting the timer go off when it is due. */
  async pass(ms: number): Promise<void> {
    const end = this.time + ms;
    for (let alarm = this.#alarm; alarm !== undefined && alarm.at <= end; alarm = this.#alarm) {
      this.time = alarm.at;
      this.#alarm = undefined;
      alarm.callback();
      // Each request that is woken takes the clock a turn of the real host's loop.
      for (let turn = 0; turn < 50; turn++) await setImmediate();
    }
    this.time = end;
  }
}

function paced(factor: number) {
  const host = new HandHost();
  const clock = new Clock(EPOCH);
  const pace = new Pace(clock, host);
  const fired: string[] = [];
  const schedule = clock.channel<string>('e', (name) => {
    fired.push(`${name} at ${clock.now - EPOCH}`);
  });
  pace.set(factor);
  return { host, clock, pace, fired, schedule };
}

describe('Pace', () => {
  it.each(FACTORS)('at %d, wakes for each event once its time has come, and never before', async (factor) => {
    const { host, clock, fired, schedule } = paced(factor);
    schedule(60_000, 'late');
    schedule(30_000, 'soon');
    await host.pass(30_000 / factor - 0.5);
    expect(fired).toEqual([]);
    await host.pass(2);
    expect(fired).toEqual(['soon at 30000']);
    expect(clock.now - EPOCH).toBeGreaterThanOrEqual(30_000);
    expect(clock.now - EPOCH).toBeLessThanOrEqual(30_000 + Math.ceil(2 * factor));
    await host.pass(30_000 / factor);
    expect(fired).toEqual(['soon at 30000', 'late at 60000']);
    expect(host.armedFor).toBeUndefined();
  });

  it.each(FACTORS)('at %d, catches up to the instant that the host is at', async (factor) => {
    const { host, clock, pace } = paced(factor);
    await host.pass(1234.5);
    expect(clock.now).toBe(EPOCH);
    await pace.catchUp();
    expect(clock.now).toBe(EPOCH + Math.floor(1234.5 * factor));
  });

  it('fires the same events in the same order at any factor, whoever looks in between', async () => {
    const delays = fc.array(fc.nat(2000), { maxLength: 30 });
    const looks = fc.array(fc.nat(400), { maxLength: 10 });
    await fc.assert(
      fc.asyncProperty(delays, looks, fc.constantFrom(...FACTORS), async (events, passes, factor) => {
        const [jump, run] = [paced(0), paced(factor)];
        for (const world of [jump, run]) {
          for (const [i, delayMs] of events.entries()) {
            world.schedule(delayMs, `${i}`);
            void world.clock
              .sleep(delayMs, `${i}`)
              .then(() => world.fired.push(`${i} woke at ${world.clock.now - EPOCH}`));
          }
        }
        await jump.clock.advance(2000);
        for (const ms of passes) {
          await run.host.pass(ms / factor);
          await run.pace.catchUp();
        }
        await run.host.pass(2000 / factor + 2);
        expect(run.fired).toEqual(jump.fired);
      }),
      { seed: 1, numRuns: 50 },
    );
  });

  it('keeps each wait within what the host can wait', async () => {
    const { host, fired, schedule } = paced(0.5);
    const days = 86_400_000;
    schedule(40 * days, 'far');
    await host.pass(79 * days);
    expect(fired).toEqual([]);
    expect(Math.max(...host.waits)).toBe(2 ** 31 - 1);
    await host.pass(1 * days);
    expect(fired).toEqual([`far at ${40 * days}`]);
    expect(host.waits.length).toBeLessThan(10);
  });

  it('freezes and resumes without a jump', async () => {
    const { host, clock, pace, fired, schedule } = paced(1);
    schedule(1000, 'e');
    await host.pass(400);
    await pace.catchUp();
    pace.set(0);
    expect(host.armedFor).toBeUndefined();
    await host.pass(10_000);
    await pace.catchUp();
    expect(clock.now).toBe(EPOCH + 400);
    pace.set(1);
    await host.pass(599);
    expect(fired).toEqual([]);
    await host.pass(1);
    expect(fired).toEqual(['e at 1000']);
  });

  it('goes on from where it is when the factor changes', async () => {
    const { host, clock, pace, fired, schedule } = paced(1);
    schedule(7000, 'e');
    await host.pass(1000);
    pace.set(60);
    expect(pace.factor).toBe(60);
    await host.pass(99);
    expect(fired).toEqual([]);
    await host.pass(1);
    expect(fired).toEqual(['e at 7000']);
    pace.set(0.5);
    await host.pass(100);
    await pace.catchUp();
    expect(clock.now).toBe(EPOCH + 7050);
  });

  it('goes on from where the clock was moved by hand', async () => {
    const { host, clock, pace, fired, schedule } = paced(1);
    schedule(3_600_500, 'e');
    await host.pass(200);
    await pace.catchUp();
    await clock.advance(3_600_000);
    await host.pass(299);
    expect(fired).toEqual([]);
    await host.pass(1);
    expect(fired).toEqual(['e at 3600500']);
    expect(clock.now).toBe(EPOCH + 3_600_500);
  });

  it('waits for what is first: the newest, the earlier, or what is left after a cancellation', async () => {
    const { host, clock, schedule } = paced(1);
    expect(host.armedFor).toBeUndefined();
    const start = host.time;
    const first = schedule(1000, 'a');
    expect(host.armedFor).toBe(start + 1000);
    schedule(500, 'b');
    expect(host.armedFor).toBe(start + 500);
    await host.pass(500);
    expect(host.armedFor).toBe(start + 1000);
    schedule(700, 'c');
    clock.cancel(first);
    expect(host.armedFor).toBe(start + 1200);
  });

  it('does not ask the host for less than it can do', async () => {
    const { host, fired, schedule } = paced(10_000);
    schedule(0, 'at once');
    schedule(1, 'soon');
    await host.pass(1);
    expect(host.waits).toEqual([1]);
    expect(fired).toEqual(['at once at 0', 'soon at 1']);
  });

  it('wakes requests that wait', async () => {
    const { host, clock } = paced(60);
    const woken = clock.sleep(6000, 'PUT').then(() => clock.sleep(6000, 'PUT'));
    await host.pass(200);
    await woken;
    expect(clock.now).toBe(EPOCH + 12_000);
  });

  it('is armed again after an event that throws', async () => {
    const { host, clock, pace, schedule } = paced(1);
    const fail = clock.channel<null>('failing', () => {
      throw new Error('broken');
    });
    fail(10, null);
    schedule(20, 'e');
    host.time += 15;
    const thrown: unknown[] = [];
    pace.onFailure = (why) => thrown.push(why);
    await pace.catchUp();
    expect(thrown).toEqual([new Error('broken')]);
    expect(host.armedFor).toBe(5000.25 + 20);
  });
});

it('freezes time that cannot pass, and says why', async () => {
  const { host, clock, pace } = paced(1);
  const stuck: string[] = [];
  pace.onFailure = (why) => stuck.push(String(why));
  const again = clock.channel<null>('again', () => {
    again(0, null);
  });
  again(10, null);
  await host.pass(20);
  await vi.waitUntil(() => stuck.length > 0, { interval: 1 });
  expect(stuck).toEqual([expect.stringContaining('channel again schedules itself again without delay')]);
  expect([pace.factor, host.armedFor, clock.now - EPOCH]).toEqual([0, undefined, 10]);
  await pace.catchUp();
});

it('is slower than it was asked to be, where the host cannot do all that happens', async () => {
  const { host, clock, pace } = paced(1);
  const busy = clock.channel<null>('busy', () => {
    host.time += 10;
    busy(1, null);
  });
  busy(1, null);
  host.time += 1000;
  await pace.catchUp();
  expect(clock.now - EPOCH).toBe(21);
  pace.set(0);
  await pace.catchUp();
  expect([clock.now - EPOCH, clock.moving]).toEqual([21, false]);
  pace.set(1);
  host.time += 1000;
  const moving = pace.catchUp();
  pace.set(0);
  const frozen = clock.now;
  await moving;
  expect(clock.now).toBe(frozen);
});
