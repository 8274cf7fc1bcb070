/** onesim's own API, every answer held against its contract. */
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { checkedFetch } from '../../../contracts/checked.ts';
import { loadContracts } from '../../../contracts/contract.ts';
import { addHost } from '../../one/resources/host.ts';
import { createSimulator } from '../../simulator.ts';

const contracts = await loadContracts();
const coverage = { answers: new Map<string, number>(), deviations: new Map<string, number>() };

const EPOCH = Date.UTC(2026, 0, 1);
const ADMIN = 'oneadmin:opennebula';

interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: the contract has checked it
  readonly body: any;
  readonly headers: Headers;
}

function start() {
  const simulator = createSimulator({ epochMs: EPOCH, maxBodyBytes: 10_000 });
  const fetch = checkedFetch(simulator.fetch, contracts, simulator.world.config.deviations, coverage);
  const call = async (method: string, path: string, body?: unknown): Promise<Answer> => {
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    const request = new Request(`http://x/_onesim${path}`, { method, ...(text === undefined ? {} : { body: text }) });
    const response = await fetch(request);
    const answer = await response.text();
    const json = response.headers.get('Content-Type')?.startsWith('application/json') === true;
    return { status: response.status, body: json ? JSON.parse(answer) : answer, headers: response.headers };
  };
  return { world: () => simulator.world, call };
}

/** With a VM in PENDING, which will be placed in the next round of the scheduler. */
function withVm(text = 'NAME=one CPU=1 MEMORY=64 CONTEXT=[A="it\'s"]') {
  const { world, call } = start();
  const { cloud } = world();
  addHost(cloud, { name: 'host0' });
  const id = cloud.call(ADMIN, 'one.vm.allocate', text);
  return { world, call, id };
}

const refused = (answer: Answer): [number, string, string] => [
  answer.status,
  answer.body.error.code,
  answer.body.error.message,
];

describe('health', () => {
  it.each(['/livez', '/readyz'])('%s is fine', async (path) => {
    expect(await start().call('GET', path)).toMatchObject({ status: 200, body: { status: 'ok' } });
  });
});

describe('the clock', () => {
  it('says what time it is and what comes next', async () => {
    const { call } = withVm();
    expect((await call('GET', '/clock')).body).toEqual({
      now: '2026-01-01T00:00:00.000Z',
      factor: 0,
      fired: 0,
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
      'Not idle after 10 events',
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
    [{ action: 'step', n: 1.5 }, 'n must be a whole number between 1 and 1000000000'],
    [{ action: 'runUntilIdle', maxEvent: 1 }, 'The body has no part "maxEvent", did you mean "maxEvents"?'],
  ])('refuses %j', async (body, message) => {
    const { world, call } = start();
    expect(refused(await call('POST', '/clock', body))).toEqual([400, 'bad_request', message]);
    expect(world().clock.now).toBe(EPOCH);
  });

  it('refuses a body that nests without end', async () => {
    const deep = `{"action":${'['.repeat(4500)}${']'.repeat(4500)}}`;
    expect((await start().call('POST', '/clock', deep)).status).toBe(400);
  });

  it('refuses a body that is too large', async () => {
    const { call } = start();
    for (const path of ['/clock', '/faults']) {
      expect(refused(await call('POST', path, `"${'x'.repeat(10_000)}"`))[0]).toBe(413);
    }
  });
});

describe('the journal', () => {
  it('is read page by page', async () => {
    const { call } = withVm();
    await call('POST', '/clock', { action: 'runUntilIdle' });
    const whole = (await call('GET', '/journal')).body;
    const seqs: number[] = [];
    // Reading is journalled as well, so there is always more.
    for (let next = 0; next < whole.next; ) {
      const page = (await call('GET', `/journal?after=${next}&limit=2`)).body;
      seqs.push(...page.entries.map(({ seq }: { seq: number }) => seq));
      next = page.next;
    }
    expect(seqs.slice(0, whole.entries.length)).toEqual(whole.entries.map(({ seq }: { seq: number }) => seq));
    expect(whole.next).toBe(whole.entries.at(-1).seq);
    expect((await call('GET', '/journal?after=999')).body).toEqual({ entries: [], next: 999 });
  });

  it.each(['after=-1', 'after=x', 'after=1.5', 'after=', 'limit=0', 'limit=10001', `after=${'9'.repeat(400)}`])(
    'refuses %s',
    async (query) => {
      const [status, code] = refused(await start().call('GET', `/journal?${query}`));
      expect([status, code]).toEqual([400, 'bad_request']);
    },
  );
});

describe('a VM', () => {
  it('is shown with its state and its place', async () => {
    const { call, id } = withVm();
    expect((await call('GET', `/vms/${id}`)).body).toMatchObject({
      state: 'PENDING',
      lcmState: 'LCM_INIT',
      host: null,
    });
    await call('POST', '/clock', { action: 'runUntilIdle' });
    expect((await call('GET', `/vms/${id}`)).body).toEqual({
      id,
      name: 'one',
      user: 'oneadmin',
      group: 'oneadmin',
      state: 'ACTIVE',
      lcmState: 'RUNNING',
      host: 'host0',
      cpu: 1,
      vcpu: null,
      memoryMiB: 64,
      addresses: [],
    });
  });

  it('tells how it came to be what it is, down to the fault', async () => {
    const { call, id } = withVm();
    const armed = await call('POST', '/faults', {
      selector: { layer: 'vm', action: 'deploy' },
      effect: { do: 'fail', message: 'No KVM' },
    });
    await call('POST', '/clock', { action: 'runUntilIdle' });
    const { lcmState, history } = (await call('GET', `/vms/${id}/history`)).body;
    expect(lcmState).toBe('BOOT_FAILURE');
    const { entry, because } = history.at(-1);
    expect(entry).toMatchObject({ kind: 'vm.state', detail: { from: 'BOOT', to: 'BOOT_FAILURE' } });
    expect(because[0]).toMatchObject({ kind: 'fault', detail: { fault: armed.body.id, action: 'deploy' } });
  });

  it('has the context script of its CD-ROM, or none without CONTEXT', async () => {
    const { call, id } = withVm();
    expect((await call('GET', `/vms/${id}/context.sh`)).body).toBe(
      "# Context variables generated by OpenNebula\nA='it'\\''s'\nDISK_ID='0'\nTARGET='hda'\n",
    );
    const bare = withVm('CPU=1 MEMORY=64');
    expect(refused(await bare.call('GET', '/vms/0/context.sh'))).toEqual([404, 'not_found', 'VM 0 has no CONTEXT']);
  });

  it.each(['99', '-1', 'x', '1.5', '9'.repeat(400), '%00', '__proto__'])('%.9s is not there', async (id) => {
    const { call } = withVm();
    for (const part of ['', '/history', '/context.sh']) {
      expect(refused(await call('GET', `/vms/${id}${part}`)).slice(0, 2)).toEqual([404, 'not_found']);
    }
  });
});

describe('a fault', () => {
  const boot = { selector: { layer: 'vm', action: 'deploy' }, trigger: { times: 1 }, effect: { do: 'fail' } };

  it('is armed, listed with what it has done, and disarmed', async () => {
    const { call } = withVm();
    const { status, body, headers } = await call('POST', '/faults', boot);
    expect([status, body]).toEqual([201, { ...boot, id: body.id, seen: 0, hits: 0 }]);
    expect(headers.get('Location')).toBe(`/_onesim/faults/${body.id}`);
    await call('POST', '/clock', { action: 'runUntilIdle' });
    expect((await call('GET', '/faults')).body).toEqual({ faults: [{ ...body, seen: 1, hits: 1 }] });
    expect((await call('DELETE', `/faults/${body.id}`)).status).toBe(204);
    expect(refused(await call('DELETE', `/faults/${body.id}`))[0]).toBe(404);
    expect((await call('GET', '/faults')).body).toEqual({ faults: [] });
  });

  it.each([
    { selector: { layer: 'vm' }, effect: { do: 'stick' } },
    {
      selector: { layer: 'vm', action: 'pro*', vm: 0, name: '*', host: 'h', user: 'u' },
      effect: { do: 'delay', ms: 0.5 },
    },
    { selector: { layer: 'vm' }, trigger: {}, effect: { do: 'fail', message: '' } },
    { selector: { layer: 'vm' }, trigger: { skip: 0, times: 1, probability: 1 }, effect: { do: 'fail' } },
  ])('may be %j', async (fault) => {
    expect((await start().call('POST', '/faults', fault)).status).toBe(201);
  });

  const vm = { layer: 'vm' };
  const stick = { do: 'stick' };
  it.each<[unknown, string]>([
    ['', 'The body must be JSON'],
    ['[]', 'The fault must be an object'],
    ['"x"', 'The fault must be an object'],
    [{}, 'The fault lacks "selector"'],
    [{ selector: vm }, 'The fault lacks "effect"'],
    [{ selector: vm, efect: stick }, 'The fault has no part "efect", did you mean "effect"?'],
    ['{"selector":{"layer":"vm"},"effect":{"do":"stick"},"__proto__":{}}', 'The fault has no part "__proto__"'],
    [{ selector: null, effect: stick }, 'selector must be an object'],
    [{ selector: {}, effect: stick }, 'selector lacks "layer"'],
    [{ selector: { layer: 'wm' }, effect: stick }, 'selector.layer must be one of vm, did you mean "vm"?'],
    [{ selector: { ...vm, acton: 'x' }, effect: stick }, 'selector has no part "acton", did you mean "action"?'],
    [
      { selector: { ...vm, action: 'deplyo' }, effect: stick },
      expect.stringMatching(
        /^selector\.action must be one of .*deploy.*, did you mean "deploy"\?$/,
      ) as unknown as string,
    ],
    [{ selector: { ...vm, action: 1 }, effect: stick }, 'selector.action must be a text'],
    [{ selector: { ...vm, vm: '1' }, effect: stick }, 'selector.vm must be a whole number of at least 0'],
    [{ selector: { ...vm, vm: -1 }, effect: stick }, 'selector.vm must be a whole number of at least 0'],
    [{ selector: { ...vm, name: null }, effect: stick }, 'selector.name must be a text'],
    [{ selector: { ...vm, host: {} }, effect: stick }, 'selector.host must be a text'],
    [{ selector: vm, trigger: 1, effect: stick }, 'trigger must be an object'],
    [{ selector: vm, trigger: { skip: 0.5 }, effect: stick }, 'trigger.skip must be a whole number of at least 0'],
    [{ selector: vm, trigger: { times: 0 }, effect: stick }, 'trigger.times must be a whole number of at least 1'],
    [
      { selector: vm, trigger: { probability: 0 }, effect: stick },
      'trigger.probability must be a number above 0, at most 1',
    ],
    [
      { selector: vm, trigger: { probability: 2 }, effect: stick },
      'trigger.probability must be a number above 0, at most 1',
    ],
    [{ selector: vm, trigger: { time: 1 }, effect: stick }, 'trigger has no part "time", did you mean "times"?'],
    [{ selector: vm, effect: {} }, 'effect lacks "do"'],
    [{ selector: vm, effect: { do: 'stik' } }, 'effect.do must be one of fail, delay, stick, did you mean "stick"?'],
    [{ selector: vm, effect: { do: ['fail'] } }, 'effect.do must be one of fail, delay, stick'],
    [{ selector: vm, effect: { do: 'fail', mesage: '' } }, 'effect has no part "mesage", did you mean "message"?'],
    [{ selector: vm, effect: { do: 'fail', message: 1 } }, 'effect.message must be a text'],
    [{ selector: vm, effect: { do: 'delay' } }, 'effect lacks "ms"'],
    [{ selector: vm, effect: { do: 'delay', ms: -1 } }, 'effect.ms must be a number between 0 and 31536000000'],
    [{ selector: vm, effect: { do: 'delay', ms: 1e300 } }, 'effect.ms must be a number between 0 and 31536000000'],
    [{ selector: vm, effect: { do: 'stick', ms: 1 } }, 'effect has no part "ms"'],
  ])('may not be %j', async (fault, message) => {
    const { world, call } = start();
    const answer = refused(await call('POST', '/faults', fault));
    expect(answer.slice(0, 2)).toEqual([400, 'bad_request']);
    if (typeof message === 'string') expect(answer[2].slice(0, message.length)).toBe(message);
    else expect(answer[2]).toEqual(message);
    expect([...world().judge.faults]).toEqual([]);
  });

  it('of any shape is taken or refused, and nothing else', async () => {
    const { call } = start();
    await fc.assert(
      fc.asyncProperty(fc.jsonValue({ maxDepth: 4 }), async (value) => {
        for (const path of ['/faults', '/clock']) {
          expect([201, 200, 400]).toContain((await call('POST', path, JSON.stringify(value))).status);
        }
      }),
      { seed: 1, numRuns: 100 },
    );
  });
});

describe('a reset', () => {
  it('brings the world back as it was loaded', async () => {
    const { world, call } = withVm();
    await call('POST', '/faults', { selector: { layer: 'vm' }, effect: { do: 'stick' } });
    await call('POST', '/clock', { action: 'advance', ms: 60_000 });
    expect((await call('POST', '/reset')).status).toBe(204);
    expect((await call('GET', '/clock')).body).toMatchObject({ now: '2026-01-01T00:00:00.000Z' });
    expect((await call('GET', '/faults')).body).toEqual({ faults: [] });
    expect((await call('GET', '/vms/0')).status).toBe(404);
    expect(world().cloud.vms.size).toBe(0);
  });
});

describe('anything else', () => {
  it.each([
    ['GET', '/'],
    ['GET', ''],
    ['GET', '/nope'],
    ['PUT', '/clock'],
    ['DELETE', '/faults'],
    ['POST', '/vms/0'],
    ['GET', `/${'x'.repeat(3000)}`],
  ])('%s %.20s is not found', async (method, path) => {
    expect(refused(await start().call(method, path)).slice(0, 2)).toEqual([404, 'not_found']);
  });
});

/** That a server is still loading cannot be met in process. */
const NOT_HERE = new Set(['readyz 503', 'getMetrics 200']);

afterAll(() => {
  const control = contracts.find(({ operations }) => operations.some(({ id }) => id === 'moveClock'));
  const promised = (control?.operations ?? []).flatMap(({ id, answers }) =>
    [...answers.keys()].map((s) => `${id} ${s}`),
  );
  expect(promised.length).toBeGreaterThan(20);
  expect(promised.filter((answer) => !coverage.answers.has(answer) && !NOT_HERE.has(answer))).toEqual([]);
});
