/** Moving the clock over the control API, every answer held against its contract. */
import { describe, expect, it, vi } from 'vitest';
import { checksAllOf, EPOCH, refused, start, withVm } from './testing.ts';

describe('the clock', () => {
  it('says what time it is and what comes next', async () => {
    const { call } = withVm();
    expect((await call('GET', '/clock')).body).toEqual({
      now: '2026-01-01T00:00:00.000Z',
      factor: 0,
      fired: 0,
      events: [],
      nextDue: '2026-01-01T00:00:15.000Z',
      waiters: [],
    });
  });

  it('advances, step by step, or until nothing is left', async () => {
    const { call } = withVm();
    const move = async (body: object): Promise<[string, number, boolean]> => {
      const { now, fired, nextDue } = (await call('POST', '/clock', body)).body;
      return [now.slice(11), fired, nextDue === null];
    };
    expect(await move({ action: 'advance', ms: 14_999 })).toEqual(['00:00:14.999Z', 0, false]);
    expect(await move({ action: 'step' })).toEqual(['00:00:15.000Z', 1, false]);
    expect(await move({ action: 'step', n: 1 })).toEqual([expect.any(String), 1, false]);
    expect(await move({ action: 'runUntilIdle' })).toEqual([expect.any(String), 1, true]);
    expect(await move({ action: 'advance', ms: 0.4 })).toEqual([expect.any(String), 0, true]);
  });

  it('runs until something has happened, and tells what did', async () => {
    const { call, id } = withVm();
    const running = { kind: 'vm.state', subject: `vm/${id}`, detail: { to: 'RUNNING' } };
    const { body } = await call('POST', '/clock', { action: 'runUntil', entry: running });
    expect(body.events.map(({ detail }) => detail)).toEqual([
      { from: 'PENDING', to: 'PROLOG' },
      { from: 'PROLOG', to: 'BOOT' },
      { from: 'BOOT', to: 'RUNNING' },
    ]);
    expect(body.events.at(-1)?.at).toBe(body.now);
  });

  it.each<[object, string]>([
    [{ entry: { kind: 'never' } }, 'Nothing is scheduled, so what is waited for cannot happen'],
    [{ entry: { detail: { to: 'RUNNING' } }, maxMs: 1000 }, 'Not within 1000 ms of simulated time'],
    [{ entry: { detail: { to: 'RUNNING' } }, maxEvents: 2 }, 'Not within 2 events'],
  ])('says what it did not come to: %j', async (parts, message) => {
    const { call } = withVm();
    expect(refused(await call('POST', '/clock', { action: 'runUntil', ...parts }))).toEqual([409, 'conflict', message]);
  });

  it('names the requests that wait when nothing else comes', async () => {
    const { world, call } = start();
    const woken = world().clock.sleep(5000, 'a resize of vm/3');
    expect(refused(await call('POST', '/clock', { action: 'runUntil', entry: {}, maxMs: 10 }))[2]).toBe(
      'Not within 10 ms of simulated time; waiting: a resize of vm/3 until 2026-01-01T00:00:05.000Z',
    );
    await call('POST', '/clock', { action: 'advance', ms: 5000 });
    await woken;
  });

  it('says who waits for what when nothing else moves', async () => {
    const { world, call } = start();
    const woken = world().clock.sleep(5000, 'a resize of vm/3');
    const waiters = [{ what: 'a resize of vm/3', due: '2026-01-01T00:00:05.000Z' }];
    const { body } = await call('POST', '/clock', { action: 'advance', ms: 4000 });
    expect(body).toMatchObject({ fired: 0, nextDue: '2026-01-01T00:00:05.000Z', waiters });
    expect((await call('POST', '/clock', { action: 'advance', ms: 1000 })).body).toMatchObject({
      fired: 1,
      waiters: [],
    });
    await woken;
  });

  it('runs, at a pace, and stands still again', async () => {
    const { call } = start();
    const factor = async (body: object): Promise<number> => (await call('POST', '/clock', body)).body.factor;
    try {
      expect(await factor({ action: 'scale', factor: 60 })).toBe(60);
      expect(await factor({ action: 'resume' })).toBe(60);
      expect(await factor({ action: 'freeze' })).toBe(0);
      expect(await factor({ action: 'resume' })).toBe(1);
    } finally {
      expect(await factor({ action: 'freeze' })).toBe(0);
    }
  });

  it('does not become idle while something keeps itself alive', async () => {
    const { world, call } = start();
    const again = world().clock.channel<null>('again', () => void again(1000, null));
    again(1000, null);
    expect(refused(await call('POST', '/clock', { action: 'runUntilIdle', maxEvents: 10 }))).toEqual([
      409,
      'conflict',
      'Not idle within 10 events',
    ]);
  });

  it.each<[unknown, string]>([
    ['', 'The body must be JSON'],
    ['{', 'The body must be JSON'],
    [[], 'The body must be an object'],
    ['null', 'The body must be an object'],
    [{}, 'The body lacks "action"'],
    [{ action: 1 }, 'action must be a text'],
    [{ action: { a: 1 } }, 'action must be a text'],
    [{ action: 'advence', ms: 1 }, 'Unknown action "advence", did you mean "advance"?'],
    [{ action: 'constructor' }, 'Unknown action "constructor"'],
    [{ action: 'x'.repeat(1000) }, `Unknown action "${'x'.repeat(64)}…"`],
    [{ action: 'runUntil' }, 'The body lacks "entry"'],
    [{ action: 'runUntil', entry: 1 }, 'entry must be an object'],
    [{ action: 'runUntil', entry: { knd: 'x' } }, 'entry has no part "knd", did you mean "kind"?'],
    [{ action: 'runUntil', entry: { kind: 1 } }, 'entry.kind must be a text'],
    [{ action: 'runUntil', entry: { because: 0 } }, 'entry.because must be the number of an entry'],
    [{ action: 'advance', entry: {}, ms: 1 }, 'The body has no part "entry"'],
    [{ action: 'advance' }, 'The body lacks "ms"'],
    [{ action: 'advance', ms: '1' }, 'ms must be a number between 0 and 253402300799999'],
    [{ action: 'advance', ms: -1 }, 'ms must be a number between 0 and 253402300799999'],
    [{ action: 'advance', ms: null }, 'ms must be a number between 0 and 253402300799999'],
    ['{"action":"advance","ms":1e400}', 'ms must be a number between 0 and 253402300799999'],
    [{ action: 'advance', ms: 253_402_300_799_999 }, 'ms must not lead beyond 9999-12-31T23:59:59.999Z'],
    [{ action: 'advance', ms: 1, n: 1 }, 'The body has no part "n"'],
    [{ action: 'freeze', factor: 1 }, 'The body has no part "factor"'],
    [{ action: 'scale' }, 'The body lacks "factor"'],
    [{ action: 'scale', factor: 0 }, 'factor must be a number between 0.001 and 1000000'],
    [{ action: 'scale', factor: 1e300 }, 'factor must be a number between 0.001 and 1000000'],
    [
      { action: 'runUntil', entry: { detail: { to: { toString: 1 } } } },
      'entry.detail.to must be a text, a number, true, false or null',
    ],
    [{ action: 'step', n: 1.5 }, 'n must be a whole number between 1 and 1000000000'],
    [{ action: 'runUntilIdle', maxEvent: 1 }, 'The body has no part "maxEvent", did you mean "maxEvents"?'],
  ])('refuses %j', async (body, message) => {
    const { world, call } = start();
    expect(refused(await call('POST', '/clock', body))).toEqual([400, 'bad_request', message]);
    expect(world().clock.now).toBe(EPOCH);
  });

  it('is let go of when its world is replaced, however far it was to go', async () => {
    const { world, call } = withVm();
    await call('POST', '/faults', { selector: { layer: 'host' }, effect: { do: 'flapping', upMs: 1, downMs: 1 } });
    const { clock } = world();
    const moving = call('POST', '/clock', { action: 'advance', ms: 200_000_000_000_000 });
    await vi.waitUntil(() => clock.moving, { interval: 1 });
    await call('POST', '/reset');
    const [status, code, message] = refused(await moving);
    expect([status, code]).toEqual([503, 'unavailable']);
    expect(message).toContain('has been replaced');
    expect(clock.moving).toBe(false);
  });

  it.each([
    { action: 'advance', ms: 200_000_000_000_000 },
    { action: 'step', n: 1_000_000_000 },
    { action: 'runUntilIdle', maxEvents: 1_000_000_000 },
    { action: 'runUntil', entry: { kind: 'never' }, maxMs: 200_000_000_000_000, maxEvents: 1_000_000_000 },
  ])('goes no further when who moves it has hung up: %j', async (body) => {
    const { world, call, fetch } = withVm();
    await call('POST', '/faults', { selector: { layer: 'host' }, effect: { do: 'flapping', upMs: 1, downMs: 1 } });
    const { clock } = world();
    const client = new AbortController();
    const request = { method: 'POST', body: JSON.stringify(body), signal: client.signal };
    const moving = fetch(new Request('http://localhost:1337/_onesim/clock', request));
    await vi.waitUntil(() => clock.moving, { interval: 1 });
    client.abort();
    await moving;
    expect(clock.moving).toBe(false);
    expect(clock.now).toBeLessThan(EPOCH + 1e9);
  });

  it('refuses a body that nests without end', async () => {
    const deep = `{"action":${'['.repeat(4500)}${']'.repeat(4500)}}`;
    expect((await start().call('POST', '/clock', deep)).status).toBe(400);
  });

  it('refuses a body that is too large', async () => {
    const { call } = start();
    expect(refused(await call('POST', '/clock', `"${'x'.repeat(10_000)}"`))[0]).toBe(413);
  });
});

checksAllOf((id) => /Clock$/.test(id));
