/** The clock's promises: the order of events, moving in any steps, requests that wait, and what ends in an error. */
import { MessageChannel } from 'node:worker_threads';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Clock } from './clock.ts';
import type { Timer } from './queue.ts';

const EPOCH = Date.UTC(2024, 0, 1);

/** A clock on which every event is written down when it fires, and may schedule others. */
function recorder() {
  const clock = new Clock(EPOCH);
  const fired: string[] = [];
  const schedule = clock.channel<Planned>('planned', ({ name, next }) => {
    fired.push(`${clock.now - EPOCH} ${name}`);
    for (const [i, follower] of next.entries())
      schedule(follower.delayMs, { name: `${name}.${i}`, next: follower.next });
  });
  return { clock, fired, schedule };
}

interface Planned {
  readonly name: string;
  readonly next: readonly Follower[];
}
interface Follower {
  readonly delayMs: number;
  readonly next: readonly Follower[];
}

/** Events that schedule events that schedule events, often at the same instant. */
const { plan } = fc.letrec<{ plan: readonly Follower[]; follower: Follower }>((tie) => ({
  plan: fc.array(tie('follower'), { maxLength: 4, depthIdentifier: 'plan' }),
  follower: fc.record({
    delayMs: fc.oneof(fc.constant(0), fc.nat(20)),
    next: fc.oneof({ depthIdentifier: 'plan', depthSize: 'small' }, fc.constant([]), tie('plan')),
  }),
}));

function planned(followers: readonly Follower[]) {
  const world = recorder();
  for (const [i, { delayMs, next }] of followers.entries()) world.schedule(delayMs, { name: `${i}`, next });
  return world;
}

it('lets the host have its turn on a long way', async () => {
  const clock = new Clock(0);
  const { port1, port2 } = new MessageChannel();
  const tick = clock.channel<null>('tick', () => {
    if (clock.now === 50_000) port1.postMessage('as from a client');
    tick(1, null);
  });
  tick(1, null);
  const heard = new Promise<number>((resolve) => {
    port2.once('message', () => resolve(clock.now));
  });
  await clock.advance(200_000);
  port1.close();
  expect(await heard).toBeLessThan(200_000);
});

describe('the order of events', () => {
  it('is that of a list sorted by instant, then by when they were scheduled, without what was cancelled', () => {
    const schedules = fc.array(fc.record({ delayMs: fc.nat(50), cancelled: fc.boolean() }), { maxLength: 200 });
    fc.assert(
      fc.property(schedules, (events) => {
        const { clock, fired, schedule } = recorder();
        const timers = events.map(({ delayMs }, i) => schedule(delayMs, { name: `${i}`, next: [] }));
        for (const [i, { cancelled }] of events.entries()) if (cancelled) clock.cancel(timers[i] as Timer);
        clock.advanceNow(50);
        const expected = events
          .map(({ delayMs, cancelled }, i) => ({ delayMs, cancelled, i }))
          .filter(({ cancelled }) => !cancelled)
          .sort((a, b) => a.delayMs - b.delayMs || a.i - b.i)
          .map(({ delayMs, i }) => `${delayMs} ${i}`);
        expect(fired).toEqual(expected);
        expect(clock.pending).toBe(0);
      }),
      { seed: 2 },
    );
  });

  it('does not depend on how the way is divided', async () => {
    await fc.assert(
      fc.asyncProperty(plan, fc.nat(80), fc.nat(80), async (followers, a, b) => {
        const [jump, two, small, now] = [
          planned(followers),
          planned(followers),
          planned(followers),
          planned(followers),
        ];
        await jump.clock.advance(a + b);
        await two.clock.advance(a);
        await two.clock.advance(b);
        await small.clock.advance(0);
        for (let i = 0; i < a + b; i++) await small.clock.advance(1);
        now.clock.advanceNow(a + b);
        for (const { clock, fired } of [two, small, now]) {
          expect(fired).toEqual(jump.fired);
          expect(clock.now).toBe(jump.clock.now);
          expect(clock.nextDue).toBe(jump.clock.nextDue);
        }
      }),
      { seed: 3, numRuns: 60 },
    );
  });

  it('is the same event by event', async () => {
    await fc.assert(
      fc.asyncProperty(plan, async (followers) => {
        const [jump, steps, idle] = [planned(followers), planned(followers), planned(followers)];
        await jump.clock.advance(1000);
        while (steps.clock.nextDue !== null) await steps.clock.step();
        await idle.clock.runUntilIdle();
        expect(steps.fired).toEqual(jump.fired);
        expect(idle.fired).toEqual(jump.fired);
      }),
      { seed: 4, numRuns: 60 },
    );
  });
});

describe('advance', () => {
  it('moves to whole instants and tells what it did', async () => {
    const { clock, schedule } = recorder();
    schedule(10.4, { name: 'a', next: [] });
    schedule(25, { name: 'b', next: [] });
    expect(await clock.advance(20.2)).toEqual({ now: EPOCH + 20, fired: 1, nextDue: EPOCH + 25 });
    expect(clock.advanceNow(5)).toEqual({ now: EPOCH + 25, fired: 1, nextDue: null });
    expect(await clock.advanceTo(EPOCH)).toEqual({ now: EPOCH + 25, fired: 0, nextDue: null });
  });

  it('takes a negative delay for none', () => {
    const { clock, fired, schedule } = recorder();
    schedule(-5, { name: 'a', next: [] });
    clock.advanceNow(-5);
    expect(fired).toEqual(['0 a']);
    expect(clock.now).toBe(EPOCH);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, 1e16])('refuses %s ms', async (ms) => {
    const { clock, schedule } = recorder();
    schedule(1, { name: 'a', next: [] });
    expect(() => schedule(ms, { name: 'b', next: [] })).toThrow(RangeError);
    expect(() => clock.advanceNow(ms)).toThrow(RangeError);
    await expect(clock.advance(ms)).rejects.toThrow(RangeError);
    await expect(clock.sleep(ms, 'for ever')).rejects.toThrow(RangeError);
    expect(clock.pending).toBe(1);
    expect(clock.now).toBe(EPOCH);
  });

  it('adds up calls that overlap, and gives all their events', async () => {
    const { clock, fired, schedule } = recorder();
    const wait = clock.sleep(3, 'a request');
    schedule(12, { name: 'late', next: [] });
    const moved = await Promise.all([clock.advance(5), clock.advance(5), clock.advance(5)]);
    await wait;
    expect(clock.now).toBe(EPOCH + 15);
    expect(moved.at(-1)).toEqual({ now: EPOCH + 15, fired: 2, nextDue: null });
    expect(fired).toEqual(['12 late']);
  });

  it('adds to the call that goes furthest', async () => {
    const clock = new Clock(EPOCH);
    const wait = clock.sleep(1, 'a request');
    await Promise.all([clock.advance(10), clock.advanceTo(EPOCH + 2), clock.advance(5)]);
    expect(clock.now).toBe(EPOCH + 15);
    await wait;
  });

  it('can be called by a request that it woke', async () => {
    const { clock } = recorder();
    const request = clock.sleep(3, 'a request').then(() => clock.advance(10));
    await clock.advance(5);
    expect((await request).now).toBe(EPOCH + 15);
  });

  it('refuses to be called by an event', () => {
    const clock = new Clock(EPOCH);
    const schedule = clock.channel<number>('reentrant', (ms) => clock.advanceNow(ms));
    schedule(1, 5);
    schedule(3, 0);
    expect(() => clock.advanceNow(10)).toThrow('an event cannot move the clock that fires it');
  });
});

describe('passTo', () => {
  it('moves the clock at once, and tells who follows it, while nothing is due on the way', () => {
    const { clock, fired, schedule } = recorder();
    schedule(11, { name: 'later', next: [] });
    let told = 0;
    clock.onHead = () => told++;
    expect(clock.passTo(EPOCH + 10)).toBe(true);
    expect([clock.now - EPOCH, fired, told]).toEqual([10, [], 1]);
    expect(clock.passTo(EPOCH + 4)).toBe(true);
    expect(clock.now - EPOCH).toBe(10);
  });

  it('leaves alone what takes more than that: an event, a request that runs, another who moves the clock', async () => {
    const { clock, fired, schedule } = recorder();
    schedule(10, { name: 'due', next: [] });
    expect(clock.passTo(EPOCH + 10)).toBe(false);
    const moving = clock.advance(5);
    expect(clock.passTo(EPOCH + 7)).toBe(false);
    expect([clock.now - EPOCH, fired]).toEqual([0, []]);
    await moving;
    expect(clock.passTo(EPOCH + 7)).toBe(true);
  });
});

describe('requests in flight', () => {
  /** A request as the edge has them: it waits, does a few turns of promises, and waits again. */
  async function request(clock: Clock, waits: readonly number[], log: string[], name: string): Promise<void> {
    for (const ms of waits) {
      await clock.sleep(ms, name);
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
      await new Request('http://onesim/', { method: 'POST', body: '{}' }).json();
      log.push(`${name} ${clock.now - EPOCH}`);
    }
  }

  it('continue at the instant they waited for, before the clock goes on', async () => {
    const { clock, fired, schedule } = recorder();
    for (const delayMs of [5, 10, 15]) schedule(delayMs, { name: 'event', next: [] });
    const all = [request(clock, [5, 0, 0, 5, 1], fired, 'a'), request(clock, [5, 0, 10], fired, 'b')];
    await clock.advance(20);
    expect(fired).toEqual([
      '5 event',
      ...['a 5', 'b 5', 'a 5', 'b 5', 'a 5'],
      ...['10 event', 'a 10', 'a 11', '15 event', 'b 15'],
    ]);
    await Promise.all(all);
  });

  it('run the same in one jump, in steps of a millisecond and event by event', async () => {
    const waits = fc.array(fc.oneof(fc.constant(0), fc.nat(9)), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(fc.array(waits, { minLength: 1, maxLength: 4 }), async (requests) => {
        const logs = await Promise.all(
          [
            (clock: Clock) => clock.advance(50),
            async (clock: Clock) => {
              for (let i = 0; i < 50; i++) await clock.advance(1);
            },
            (clock: Clock) => clock.runUntilIdle(),
            (clock: Clock) => Promise.all([clock.advance(20), clock.advanceTo(EPOCH + 50), clock.advance(0)]),
          ].map(async (move) => {
            const clock = new Clock(EPOCH);
            const log: string[] = [];
            const all = requests.map((each, i) => request(clock, each, log, `${i}`));
            await move(clock);
            await Promise.all(all);
            return log;
          }),
        );
        for (const log of logs) expect(log).toEqual(logs[0]);
      }),
      { seed: 5, numRuns: 30 },
    );
  });

  it('come to their first wait before the clock moves', async () => {
    const clock = new Clock(EPOCH);
    const log: string[] = [];
    const late = Promise.resolve().then(() => request(clock, [5], log, 'a'));
    await clock.advance(5);
    await late;
    expect(log).toEqual(['a 5']);
  });

  it('can be listed with what they wait for, soonest first', async () => {
    const clock = new Clock(EPOCH);
    const all = [
      clock.sleep(20, 'PUT runtimes/2'),
      clock.sleep(10, 'PUT runtimes/1'),
      clock.sleep(20, 'DELETE runtimes/3'),
    ];
    expect(clock.waiters).toEqual([
      { what: 'PUT runtimes/1', due: EPOCH + 10 },
      { what: 'PUT runtimes/2', due: EPOCH + 20 },
      { what: 'DELETE runtimes/3', due: EPOCH + 20 },
    ]);
    await clock.advance(10);
    expect(clock.waiters.map(({ what }) => what)).toEqual(['PUT runtimes/2', 'DELETE runtimes/3']);
    await clock.advance(10);
    await Promise.all(all);
    expect(clock.waiters).toEqual([]);
  });

  it('continue after advanceNow returns, and before the next advance goes on', async () => {
    const clock = new Clock(EPOCH);
    const log: string[] = [];
    const wait = request(clock, [5, 5], log, 'a');
    clock.advanceNow(5);
    expect(log).toEqual([]);
    await clock.advance(5);
    await wait;
    expect(log).toEqual(['a 5', 'a 10']);
  });
});

describe('what never ends', () => {
  it.each(['advance', 'advanceNow', 'runUntil'] as const)('ends %s with an error that names it', async (move) => {
    const clock = new Clock(EPOCH);
    const other = clock.channel<null>('other', () => {});
    const schedule = clock.channel<null>('restless', () => {
      schedule(0, null);
    });
    other(3, null);
    schedule(7, null);
    const run = {
      advance: () => clock.advance(10),
      advanceNow: () => clock.advanceNow(10),
      runUntil: () => clock.runUntil(() => false),
    };
    await expect(async () => run[move]()).rejects.toThrow(
      'time stands still at 2024-01-01T00:00:00.007Z: channel restless schedules itself again without delay, for ever',
    );
    expect(clock.now).toBe(EPOCH + 7);
    // Nothing is lost: it is still in the queue, and can be stepped through.
    expect(clock.nextDue).toBe(EPOCH + 7);
    expect(await clock.step(3)).toMatchObject({ fired: 3, now: EPOCH + 7 });
  });

  it('ends a request that waits for nothing, again and again', async () => {
    const clock = new Clock(EPOCH);
    let stopped = false;
    const request = (async () => {
      while (!stopped) await clock.sleep(0, 'GET nothing');
    })();
    await expect(clock.advance(1)).rejects.toThrow('the wait "GET nothing" schedules itself again');
    stopped = true;
    await clock.advance(1);
    await request;
    expect(clock.now).toBe(EPOCH + 1);
  });

  it('is not mistaken for a hundred thousand events at one instant, each with a chain of its own', () => {
    const clock = new Clock(EPOCH);
    const schedule = clock.channel<number>('chain', (left) => {
      if (left > 0) schedule(0, left - 1);
    });
    for (let i = 0; i < 100_000; i++) schedule(0, 5);
    expect(clock.advanceNow(0).fired).toBe(600_000);
  });

  it('is refused by runUntilIdle after as many events as asked', async () => {
    const clock = new Clock(EPOCH);
    const schedule = clock.channel<null>('every minute', () => {
      schedule(60_000, null);
    });
    schedule(0, null);
    await expect(clock.runUntilIdle(100)).rejects.toThrow('not idle within 100 events');
    expect(clock.now).toBe(EPOCH + 99 * 60_000);
  });
});

describe('runUntil', () => {
  it('stops at the event that makes it true', async () => {
    const { clock, fired, schedule } = recorder();
    for (const delayMs of [1, 2, 3]) schedule(delayMs, { name: 'e', next: [] });
    expect(await clock.runUntil(() => fired.length === 2)).toEqual({ now: EPOCH + 2, fired: 2, nextDue: EPOCH + 3 });
    expect(await clock.runUntil(() => true)).toMatchObject({ fired: 0 });
  });

  it('says why what is waited for does not happen', async () => {
    const { clock, schedule } = recorder();
    schedule(100, { name: 'a', next: [] });
    schedule(200, { name: 'b', next: [] });
    await expect(clock.runUntil(() => false, { maxMs: 150 })).rejects.toThrow('not within 150 ms of simulated time');
    await expect(clock.runUntil(() => false, { maxEvents: 0 })).rejects.toThrow('not within 0 events');
    await expect(clock.runUntil(() => false)).rejects.toThrow('nothing is scheduled');
  });
});

describe('an event that throws', () => {
  it.each(['advance', 'advanceNow'] as const)('fails %s at its instant and leaves the clock in order', async (move) => {
    const { clock, fired, schedule } = recorder();
    const fail = clock.channel<string>('failing', (message) => {
      throw new Error(message);
    });
    schedule(1, { name: 'before', next: [] });
    clock.because(0, () => fail(2, 'broken'));
    schedule(2, { name: 'after', next: [] });
    await expect(async () => clock[move](10)).rejects.toThrow('broken');
    expect({ now: clock.now, cause: clock.cause, pending: clock.pending }).toEqual({
      now: EPOCH + 2,
      cause: 0,
      pending: 1,
    });
    await clock.advance(0);
    expect(fired).toEqual(['1 before', '2 after']);
    expect((await clock.advance(1)).now).toBe(EPOCH + 3);
  });

  it('fails only the call that met it, when calls overlap', async () => {
    const clock = new Clock(EPOCH);
    const fail = clock.channel<null>('failing', () => {
      throw new Error('broken');
    });
    const wait = clock.sleep(1, 'a request');
    fail(3, null);
    const settled = await Promise.allSettled([clock.advance(5), clock.advance(5)]);
    expect(settled.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
    expect(clock.now).toBe(EPOCH + 10);
    await wait;
  });
});

describe('causes', () => {
  it('pass from who schedules to what fires, and end there', () => {
    const clock = new Clock(EPOCH);
    const seen: number[] = [];
    const schedule = clock.channel<number>('caused', (more) => {
      seen.push(clock.cause);
      if (more > 0) clock.because(clock.cause + 1, () => schedule(1, more - 1));
    });
    clock.because(7, () => schedule(1, 2));
    schedule(1, 0);
    clock.because(50, () => {
      clock.advanceNow(10);
      expect(clock.cause).toBe(50);
    });
    expect(seen).toEqual([7, 0, 8, 9]);
    expect(clock.cause).toBe(0);
  });
});

describe('channels', () => {
  it('have one handler each', () => {
    const { clock } = recorder();
    expect(() => clock.channel('planned', () => {})).toThrow('channel planned is already open');
  });
});

it('is let go of by whoever moves it or sleeps on it, once it is abandoned', async () => {
  const clock = new Clock(0);
  const tick = clock.channel<null>('tick', () => {
    if (clock.now === 50) clock.abandon(new Error('It is over'));
    tick(1, null);
  });
  tick(1, null);
  const sleeping = clock.sleep(90, 'a nap');
  const moving = [clock.advance(1e12), clock.step(1e9), clock.runUntilIdle(), clock.runUntil(() => false), sleeping];
  for (const moved of await Promise.allSettled(moving)) {
    expect(moved).toMatchObject({ status: 'rejected', reason: { message: 'It is over' } });
  }
  expect([clock.now, clock.moving]).toEqual([50, false]);
  await expect(clock.sleep(1, 'another')).rejects.toThrow('It is over');
  expect(await clock.advanceTo(100)).toMatchObject({ now: 50, fired: 0 });
});
