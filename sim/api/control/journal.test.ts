/** The journal over the control API, every answer held against its contract. */
import { describe, expect, it, vi } from 'vitest';
import { createSimulator } from '../../simulator.ts';
import { checksAllOf, refused, start, withVm } from './testing.ts';

describe('the journal', () => {
  it('is read page by page', async () => {
    const { call } = withVm();
    await call('POST', '/clock', { action: 'runUntilIdle' });
    const whole = (await call('GET', '/journal')).body;
    const seqs: number[] = [];
    // Reading is journalled as well, so there is always more.
    for (let next = 0; next < whole.next; ) {
      const page = (await call('GET', `/journal?after=${next}&limit=2`)).body;
      seqs.push(...page.entries.map(({ seq }) => seq));
      next = page.next;
    }
    expect(seqs.slice(0, whole.entries.length)).toEqual(whole.entries.map(({ seq }) => seq));
    expect(whole.next).toBe(whole.entries.at(-1)?.seq);
    expect((await call('GET', '/journal?after=999')).body).toEqual({ entries: [], next: 999 });
  });

  it('is filtered by kind, subject, detail and cause', async () => {
    const { call, id } = withVm();
    await call('POST', '/faults', {
      selector: { layer: 'vm', operation: 'deploy' },
      effect: { do: 'fail', message: 'No KVM' },
    });
    await call('POST', '/clock', { action: 'runUntilIdle' });
    const states = async (query: string): Promise<string[]> =>
      (await call('GET', `/journal?${query}`)).body.entries.map(({ kind, detail }) => detail.to ?? kind);
    expect(await states('kind=vm.state')).toEqual(['PENDING', 'PROLOG', 'BOOT', 'BOOT_FAILURE']);
    expect(await states(`subject=vm/${id}&kind=fault`)).toEqual(['fault']);
    expect(await states('subject=vm/*&detail.to=BOOT*')).toEqual(['BOOT', 'BOOT_FAILURE']);
    const [fault] = (await call('GET', '/journal?kind=fault')).body.entries;
    expect(await states(`because=${fault?.seq}`)).toEqual(['BOOT_FAILURE']);
    expect(await states('kind=vm.*&detail.from=PENDING&detail.to=RUNNING')).toEqual([]);
    expect((await call('GET', '/journal/count?kind=vm.state')).body).toEqual({ count: 4 });
    expect((await call('GET', '/journal/count?kind=vm.state&detail.__proto__=x')).body).toEqual({ count: 0 });
    expect((await call('GET', '/journal/count?kind=vm.state&detail.constructor=*')).body).toEqual({ count: 0 });
  });

  it('says of a call to OpenNebula what was called, by whom, and how it was refused', async () => {
    const { world, fetch } = createSimulator();
    const answered = async (method: string, ...params: string[]): Promise<unknown> => {
      const values = params.map((param) => `<param><value>${param}</value></param>`).join('');
      const body = `<methodCall><methodName>${method}</methodName><params>${values}</params></methodCall>`;
      await fetch(new Request('http://localhost:1337/RPC2', { method: 'POST', body }));
      return [...world.journal.since()].findLast(({ kind }) => kind === 'answer')?.detail;
    };
    const told = { status: 200, operation: 'one.vm.info', user: 'oneadmin' };
    expect(await answered('one.vm.info', 'oneadmin:opennebula', '<i4>7</i4>')).toEqual({ ...told, error: 'NO_EXISTS' });
    expect(await answered('one.vm.info', 'oneadmin:x', '<i4>7</i4>')).toEqual({ ...told, error: 'AUTHENTICATION' });
    expect(await answered('one.vm.info', 'oneadmin:opennebula')).toEqual({ ...told, error: 'fault -501' });
    expect(await answered('one.vmm.info', 'secret')).toEqual({
      status: 200,
      operation: 'one.vmm.info',
      user: '',
      error: 'fault -506',
    });
    expect(await answered('one.host.info', 'oneadmin:opennebula', '<i4>7</i4>')).toMatchObject({ error: 'NO_EXISTS' });
    expect(await answered('system.listMethods')).toEqual({ status: 200, operation: 'system.listMethods', user: '' });
    expect(await answered('one.user.info', 'oneadmin:opennebula', '<i4>0</i4>')).toEqual({
      ...told,
      operation: 'one.user.info',
    });
  });

  it('is waited for', async () => {
    const { call, id } = withVm();
    const waiting = call('GET', `/journal/wait?kind=vm.state&subject=vm/${id}&count=2&after=now`);
    await call('POST', '/clock', { action: 'step', n: 2 });
    const { body } = await waiting;
    expect(body.reached).toBe(true);
    expect(body.entries.map(({ detail }) => detail.to)).toEqual(['PROLOG', 'BOOT']);
    const none = (await call('GET', `/journal/wait?kind=never&timeoutMs=0`)).body;
    expect([none.reached, none.entries]).toEqual([false, []]);
  });

  it('does not wait longer than it is told', async () => {
    const { call } = start();
    expect((await call('GET', '/journal/wait?kind=never&timeoutMs=1')).body.reached).toBe(false);
  });

  it('is not waited for when its world is replaced', async () => {
    const { call } = start();
    const waiting = call('GET', '/journal/wait?kind=never&timeoutMs=600000');
    await call('POST', '/reset');
    expect(refused(await waiting).slice(0, 2)).toEqual([503, 'unavailable']);
  });

  it('is followed to the end of its world, and the next one from its beginning', async () => {
    const { call } = withVm();
    await call('POST', '/clock', { action: 'runUntilIdle' });
    const following = call('GET', '/journal/events?kind=vm.state&after=now');
    await call('POST', '/reset');
    expect((await following).body).toBe('');
    const { body } = await call('GET', '/journal/events?limit=1', undefined, { 'Last-Event-ID': '999' });
    expect(body).toMatch(/^event: request\nid: 1\n/);
  });

  it('tells who follows it that the connection lives, while nothing happens', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const simulator = createSimulator();
      const events = new Request('http://localhost:1337/_onesim/journal/events?kind=never');
      const { body } = await simulator.fetch(events);
      const reader = body?.getReader();
      const read = reader?.read();
      await vi.advanceTimersByTimeAsync(15_000);
      expect(Buffer.from((await read)?.value ?? []).toString()).toBe(':\n\n');
      await reader?.cancel();
      simulator.close();
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it('is followed as server-sent events, and again from where one was', async () => {
    const { call, id } = withVm();
    const events = async (query: string, headers: Record<string, string> = {}): Promise<string[][]> => {
      const { text } = await call('GET', `/journal/events?${query}`, undefined, headers);
      return [...text.matchAll(/^event: (.*)\nid: (.*)\ndata: (.*)\n\n/gm)].map(
        ([, name = '', seq = '', data = '']) => [name, seq, JSON.parse(data).detail.to ?? ''],
      );
    };
    const following = events(`kind=vm.state&subject=vm/${id}&limit=3&after=now`);
    await call('POST', '/clock', { action: 'runUntilIdle' });
    const followed = await following;
    expect(followed.map(([name, , to]) => [name, to])).toEqual([
      ['vm.state', 'PROLOG'],
      ['vm.state', 'BOOT'],
      ['vm.state', 'RUNNING'],
    ]);
    const [, seq = ''] = followed[0] ?? [];
    expect(await events('kind=vm.state&limit=2', { 'Last-Event-ID': seq })).toEqual(followed.slice(1));
  });

  it('tells who follows it what the ring has dropped', async () => {
    const { call } = start({ journalCapacity: 4 });
    for (let i = 0; i < 5; i++) await call('GET', '/livez');
    const { text } = await call('GET', '/journal/events?after=2&limit=1');
    // Ten entries, and the request itself; four are held.
    expect(text.split('\n').slice(0, 3)).toEqual(['event: lost', 'id: 7', 'data: {"lost":5}']);
  });

  it('is exported whole', async () => {
    const { call } = withVm();
    await call('POST', '/clock', { action: 'runUntilIdle' });
    const { text } = await call('GET', '/journal/export?kind=vm.*');
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line: string) => JSON.parse(line));
    expect(lines).toEqual((await call('GET', '/journal?kind=vm.*')).body.entries);
    expect((await call('GET', '/journal/export?kind=never')).body).toBe('');
  });

  it.each(['/journal/count', '/journal/wait', '/journal/events', '/journal/export'])(
    '%s refuses what it does not know',
    async (path) => {
      expect(refused(await start().call('GET', `${path}?knd=x`))).toEqual([
        400,
        'bad_request',
        'The query has no part "knd", did you mean "kind"?',
      ]);
    },
  );

  it.each(['after=-1', 'after=x', 'after=1.5', 'after=', 'limit=0', 'limit=10001', `after=${'9'.repeat(400)}`])(
    'refuses %s',
    async (query) => {
      const [status, code] = refused(await start().call('GET', `/journal?${query}`));
      expect([status, code]).toEqual([400, 'bad_request']);
    },
  );
});

checksAllOf((id) => /Journal$/.test(id));
