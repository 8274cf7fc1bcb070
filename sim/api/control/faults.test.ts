/** Faults as resources, every answer held against its contract. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checksAllOf, refused, start, withVm } from './testing.ts';

const BOOT = { selector: { layer: 'vm', operation: 'deploy' }, effect: { do: 'fail' }, budget: { hits: 1 } };

describe('a fault', () => {
  it('is armed, read with what it has done and what is left, and removed', async () => {
    const { call } = withVm();
    const { status, body, headers } = await call('POST', '/faults', BOOT);
    const active = [{ from: '2026-01-01T00:00:00.000Z', to: null }];
    expect([status, body]).toEqual([201, { ...BOOT, id: 'f1', state: 'armed', seen: 0, hits: 0, left: 1, active }]);
    expect(headers.get('Location')).toBe('/_onesim/faults/f1');
    await call('POST', '/clock', { action: 'runUntilIdle' });
    const spent = (await call('GET', '/faults/f1')).body;
    expect(spent).toMatchObject({ state: 'exhausted', seen: 1, hits: 1, left: 0 });
    expect((await call('GET', '/faults')).body).toEqual({ faults: [spent] });
    expect((await call('DELETE', '/faults/f1')).status).toBe(204);
    for (const method of ['GET', 'DELETE']) expect(refused(await call(method, '/faults/f1'))[0]).toBe(404);
    expect((await call('GET', '/faults')).body).toEqual({ faults: [] });
  });

  it('may be given a name, which nobody else has', async () => {
    const { call } = start();
    expect((await call('POST', '/faults', { ...BOOT, id: 'no-boot', note: 'KVM is gone' })).body.id).toBe('no-boot');
    expect(refused(await call('POST', '/faults', { ...BOOT, id: 'no-boot' }))).toEqual([
      409,
      'conflict',
      'There is a fault no-boot already',
    ]);
  });

  it('goes with all others at once', async () => {
    const { call, world } = start();
    await call('POST', '/faults', BOOT);
    await call('POST', '/faults', BOOT);
    expect((await call('DELETE', '/faults')).status).toBe(204);
    expect(world().judge.idle).toBe(true);
  });

  it('leads back to the request that armed it', async () => {
    const { call, world } = start();
    await call('POST', '/faults', BOOT);
    const armed = [...world().journal.since()].find(({ kind }) => kind === 'fault.armed');
    expect(world().journal.entry(armed?.cause ?? 0)).toMatchObject({ kind: 'request', subject: '/_onesim/faults' });
  });

  it('has a schema', async () => {
    const { body } = await start().call('GET', '/faults/schema');
    expect(body.oneOf.length).toBe(7);
  });

  it('is refused when it is too large', async () => {
    expect(refused(await start().call('POST', '/faults', `"${'x'.repeat(10_000)}"`))[0]).toBe(413);
  });

  const vm = { layer: 'vm' };
  const stick = { do: 'stick' };

  it.each([
    { selector: vm, effect: stick },
    {
      selector: { ...vm, operation: 'pro*', vm: 0, name: '*', host: 'h*', user: 'oneadmin', label: { ROLE: 'F*' } },
      effect: { do: 'delay', ms: 0.5 },
    },
    { selector: { ...vm, state: 'BOOT*', service: 900 }, trigger: {}, effect: { do: 'fail', message: '' } },
    { selector: vm, trigger: { skip: 0, every: 3, times: 1, probability: 1 }, effect: { do: 'fail' } },
    { selector: vm, trigger: { words: ['success 2', 'failure', '-'] }, effect: { do: 'fail', message: 'no' } },
    { selector: vm, trigger: { window: { fromMs: 10, to: '2030-01-01T00:00:00Z' } }, effect: { do: 'zombie' } },
    { selector: { ...vm, operation: 'monitor' }, effect: { do: 'unknown', forMs: 5000 }, budget: { forMs: 60_000 } },
    { selector: { layer: 'host' }, trigger: { after: { event: 'vm.HOTPLUG_RESIZE' } }, effect: { do: 'down' } },
    { selector: vm, trigger: { after: { event: 'answer.2*', subject: '/serverless-runtimes' } }, effect: stick },
    { selector: vm, trigger: { after: { event: 'fault.later' } }, effect: stick },
    { selector: vm, trigger: { after: { event: 'host.silent', subject: 'host/0' } }, effect: stick },
    { selector: vm, trigger: { after: { event: 'vm.*', subject: 'vm/77', delayMs: 5 } }, effect: stick },
    { selector: vm, trigger: { window: { from: '2020-01-01T00:00:00Z' } }, effect: stick },
    { selector: { layer: 'host' }, trigger: { when: { vm: 'BOOT*' } }, effect: { do: 'flapping', upMs: 1, downMs: 2 } },
    { selector: { layer: 'oneflow', operation: 'deploy' }, effect: { do: 'fail-deploying' } },
    { selector: { layer: 'api', api: 'engine', user: 'one*' }, effect: { do: 'rate-limit', retryAfterS: 3 } },
    { selector: { layer: 'transport' }, effect: { do: 'fin-mid-body' } },
    { selector: { layer: 'metrics', metric: 'vm_cpu_*' }, effect: { do: 'spike', factor: 10 } },
    { selector: { layer: 'websocket' }, effect: { do: 'close', code: 1011 } },
  ])('may be %j', async (fault) => {
    expect((await start().call('POST', '/faults', fault)).status).toBe(201);
  });

  it.each<[unknown, string | RegExp]>([
    ['', 'The body must be JSON'],
    ['[]', 'The fault: expected keys with values, not a list'],
    ['"x"', 'The fault: expected keys with values, not "x"'],
    [{}, 'The fault: "selector" is missing'],
    [{ selector: vm }, 'The fault: "effect" is missing'],
    [{ selector: vm, effect: stick, trigge: {} }, 'trigge: unknown key "trigge", did you mean "trigger"?'],
    ['{"selector":{"layer":"vm"},"effect":{"do":"stick"},"__proto__":{}}', '__proto__: unknown key "__proto__"'],
    [{ selector: null, effect: stick }, 'selector: expected keys with values, not null'],
    [{ selector: {}, effect: stick }, 'selector: "layer" is missing'],
    [{ selector: { layer: 'wm' }, effect: stick }, /^selector\.layer: "wm" is not .*, did you mean "vm"\?$/],
    [{ selector: { ...vm, oprtion: 'x' }, effect: stick }, /unknown key "oprtion", did you mean "operation"\?$/],
    [{ selector: { ...vm, operation: 1 }, effect: stick }, 'selector.operation: expected a text, not 1'],
    [{ selector: { ...vm, vm: '1' }, effect: stick }, 'selector.vm: expected a whole number of at least 0, not "1"'],
    [{ selector: { ...vm, label: { A: 1 } }, effect: stick }, 'selector.label.A: expected a text, not 1'],
    [{ selector: vm, trigger: { skip: 0.5 }, effect: stick }, /^trigger\.skip: expected a whole number/],
    [{ selector: vm, trigger: { probability: 0 }, effect: stick }, /^trigger\.probability: expected a number above 0/],
    [
      { selector: vm, trigger: { window: { from: 'noon' } }, effect: stick },
      /^trigger\.window\.from: expected an inst/,
    ],
    [{ selector: vm, budget: { hits: 0 }, effect: stick }, /^budget\.hits: expected a whole number of at least 1/],
    [{ selector: vm, effect: {} }, 'effect: "do" is missing'],
    [{ selector: vm, effect: { do: 'stik' } }, /^effect\.do: "stik" is not .*, did you mean "stick"\?$/],
    [{ selector: vm, effect: { do: 'down' } }, /^effect\.do: "down" is not /],
    [
      { selector: { layer: 'host' }, effect: { do: 'flapping', upMs: 0.1, downMs: 1 } },
      'effect.upMs: expected a number from 1 to 31536000000, not 0.1',
    ],
    [{ selector: vm, effect: { do: { toString: 1 } } }, /^effect\.do: keys with values is not fail, /],
    [{ selector: vm, effect: { do: 'x'.repeat(5000) } }, /^effect\.do: "x{79}… is not fail, /],
    [
      { selector: vm, trigger: { words: Array(4000).fill(1) }, effect: stick },
      /^(trigger\.words\.\d+: [^;]*(; )?){20}$/,
    ],
    [{ selector: vm, effect: { do: 'delay' } }, 'effect: "ms" is missing'],
    [{ selector: vm, effect: { do: 'delay', ms: 1e300 } }, /^effect\.ms: expected a number from 0 to 31536000000/],
  ])('may not be %j', async (fault, message) => {
    const { world, call } = start();
    const [status, code, text] = refused(await call('POST', '/faults', fault));
    expect([status, code]).toEqual([400, 'bad_request']);
    expect(text).toEqual(typeof message === 'string' ? message : expect.stringMatching(message));
    expect(world().judge.idle).toBe(true);
  });

  it.each<[object, string | RegExp]>([
    [{ selector: { ...vm, operation: 'deplyo' } }, /"deplyo", did you mean "deploy"\?: .*prolog/],
    [{ selector: { ...vm, operation: 'zz*' } }, /^selector\.operation: nothing is called "zz\*": /],
    [{ selector: { ...vm, operation: 'monitor' } }, /^selector\.operation: nothing is called "monitor"/],
    [{ selector: { ...vm, operation: 'deploy' }, effect: { do: 'zombie' } }, /nothing is called "deploy": shutdown$/],
    [{ selector: { ...vm, state: 'BOTT' } }, 'selector.state: nothing is called "BOTT", did you mean "BOOT"?'],
    [{ selector: { ...vm, name: 'onr' } }, 'selector.name: nothing is called "onr", did you mean "one"?'],
    [{ selector: { ...vm, host: 'host1' } }, 'selector.host: nothing is called "host1", did you mean "host0"?'],
    [{ selector: { ...vm, user: 'oneadmn' } }, 'selector.user: nothing is called "oneadmn", did you mean "oneadmin"?'],
    [{ trigger: { when: { host: 'EROR' } } }, /^trigger\.when\.host: nothing is called "EROR", did you mean "ERROR"\?/],
    [{ trigger: { after: { event: 'vm.RUNING' } } }, /"vm\.RUNING", did you mean "vm\.RUNNING"\?$/],
    [{ trigger: { after: { event: 'vn.RUNNING' } } }, /"vn\.RUNNING", did you mean "vm\.RUNNING"\?$/],
    [{ trigger: { after: { event: 'boot' } } }, /^trigger\.after\.event: nothing is called "boot"/],
    [{ trigger: { after: { event: 'vm.state' } } }, /^trigger\.after\.event: nothing is called "vm.state"/],
    [{ trigger: { after: { event: 'request.engin' } } }, /"request\.engin", did you mean "request\.engine"\?$/],
    [{ trigger: { after: { event: 'answer.2000' } } }, /^trigger\.after\.event: nothing is called "answer\.2000"/],
    [{ trigger: { after: { event: 'fault.' } } }, /^trigger\.after\.event: nothing is called "fault\."/],
    [
      { trigger: { after: { event: 'vm.RUNNING', subject: 'host/0' } } },
      'trigger.after.subject: vm.RUNNING happens to vm/ID, such as vm/0',
    ],
    [
      { trigger: { window: { to: '2025-12-31T23:59:59Z' } } },
      'trigger.window: it is over: it is 2026-01-01T00:00:00.000Z now',
    ],
    [{ trigger: { window: { fromMs: 0, to: '2026-01-01T00:00:00Z' } } }, /^trigger\.window: it is over: /],
    [
      { trigger: { window: { from: '2026-01-02T00:00:00Z', toMs: 1000 } } },
      'trigger.window: it ends before it begins, as it is 2026-01-01T00:00:00.000Z now',
    ],
    [{ trigger: { times: 1 }, budget: { hits: 1 } }, 'trigger.times: it says the same as budget.hits'],
    [{ trigger: { window: { fromMs: 5, toMs: 5 } } }, 'trigger.window: it ends before it begins'],
    [{ trigger: { window: { from: '2026-13-01T00:00:00Z' } } }, 'trigger.window.from: there is no such instant'],
    [{ trigger: { window: { to: '2026-02-31T00:00:00Z' } } }, 'trigger.window.to: there is no such instant'],
    [{ effect: { do: 'fail', message: 'No \ud800' } }, 'effect.message: it has half a character in it'],
    [{ trigger: { words: [] }, effect: { do: 'fail' } }, 'trigger.words: there must be one at least'],
    [{ trigger: { words: ['-'] } }, /^trigger\.words: they are for the layer vm and the effect fail/],
    [
      { selector: { layer: 'metrics', metric: 'vm_cpu_prc' }, effect: { do: 'gap' } },
      /^selector\.metric: nothing is called "vm_cpu_prc", did you mean "vm_cpu_perc"/,
    ],
  ])('that can touch nothing is refused: %j', async (fault, message) => {
    const { call } = withVm();
    const [status, , text] = refused(await call('POST', '/faults', { selector: vm, effect: stick, ...fault }));
    expect([status, text]).toEqual([400, typeof message === 'string' ? message : expect.stringMatching(message)]);
  });

  it.each([
    [{ 'X-A': 'a\r\nX-B: b' }, 'effect.headers.X-A: "a\\r\\nX-B: b" is no value of a header'],
    [{ 'X A': 'a' }, 'effect.headers.X A: "X A" is no name of a header'],
    [{ 'Content-Length': '1' }, /^effect\.headers\.Content-Length: how an answer is framed is for the layer transport/],
  ])('adds no header that there cannot be: %j', async (headers, message) => {
    const fault = { selector: { layer: 'api' }, effect: { do: 'answer', status: 503, headers } };
    const [status, , text] = refused(await start().call('POST', '/faults', fault));
    expect([status, text]).toEqual([400, typeof message === 'string' ? message : expect.stringMatching(message)]);
  });

  it('of any shape is taken or refused, and nothing else', async () => {
    const { call } = start();
    const part = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom('vm', 'host', 'fail', 'down', 1));
    const body = fc.oneof(
      fc.jsonValue({ maxDepth: 4 }),
      fc.record({
        selector: fc.record({ layer: part, operation: part }, { requiredKeys: [] }),
        trigger: fc.dictionary(fc.constantFrom('skip', 'window', 'when', 'words', 'after'), part),
        effect: fc.record({ do: part, ms: part }, { requiredKeys: ['do'] }),
      }),
    );
    await fc.assert(
      fc.asyncProperty(body, async (value) => {
        expect([201, 400]).toContain((await call('POST', '/faults', JSON.stringify(value))).status);
      }),
      { seed: 1, numRuns: 200 },
    );
  });
});

checksAllOf((id) => /Faults?$|^getFaultSchema$/.test(id));
