import { describe, expect, test, vi } from 'vitest';
import { type LedgerLine, openEntries, readLedger } from './ledger.ts';
import { leftovers, reaped, type Server, serverOf, TARGET, verified } from './testing.ts';

vi.setConfig({ testTimeout: 30_000 });

async function made({ simulator }: Server, NAME: string, session = 'alice:alice'): Promise<number> {
  const request = new Request(`${TARGET}/serverless-runtimes`, {
    method: 'POST',
    headers: { Authorization: `Basic ${Buffer.from(session).toString('base64')}` },
    body: JSON.stringify({ SERVERLESS_RUNTIME: { NAME, FAAS: { FLAVOUR: 'Function' } } }),
  });
  return JSON.parse(await (await simulator.fetch(request)).text()).SERVERLESS_RUNTIME.ID;
}

const mark = 'onesim-1';
const RUN: LedgerLine = { kind: 'run', v: 1, mark, target: TARGET, user: 'alice' };
/** As an earlier version has it. */
const intent = (n: number, name: string | null) => ({ kind: 'intent', n, mark, name }) as const;
const written = (...lines: readonly LedgerLine[]): string[] => lines.map((line) => `${JSON.stringify(line)}\n`);

describe('onesim reap', () => {
  test('deletes what a run has left, and writes down that it is gone', async () => {
    const target = await serverOf();
    const before = leftovers(target.simulator);
    const id = await made(target, 'onesim-1-r1');
    target.ledger.push(...written(RUN, intent(1, 'onesim-1-r1'), { kind: 'made', n: 1, mark, id }));
    const { code, out } = await reaped(target);
    expect(code).toBe(0);
    expect(out).toEqual([`1 to be deleted at ${TARGET}`, `  gone      runtime ${id}, onesim-1-r1`]);
    await target.outside.clock.sleep(120_000);
    expect(leftovers(target.simulator)).toEqual(before);
    expect((await reaped(target)).out).toEqual([`0 to be deleted at ${TARGET}`]);
  });

  test('finds by its name what was sent and never answered', async () => {
    const target = await serverOf();
    const before = leftovers(target.simulator);
    const id = await made(target, 'onesim-1-r1');
    await made(target, 'onesim-1-r2');
    target.ledger.push(...written(RUN, intent(1, 'onesim-1-r1'), { kind: 'made', n: 1, mark, id }));
    target.ledger.push(...written(intent(2, 'onesim-1-r2')));
    expect((await reaped(target)).code).toBe(0);
    await target.outside.clock.sleep(120_000);
    expect(leftovers(target.simulator)).toEqual(before);
  });

  test.each([
    ['--auth', 'alice:alice', '--other-auth', 'bob:bob'],
    ['--auth', 'bob:bob'],
  ])('deletes what another tenant has made, who is named: %s %s %s %s', async (...flags) => {
    const target = await serverOf();
    const before = leftovers(target.simulator);
    const id = await made(target, 'onesim-1-r1', 'bob:bob');
    await made(target, 'onesim-1-r2', 'bob:bob');
    target.ledger.push(...written(RUN, { ...intent(1, 'onesim-1-r1'), as: 'other' }, { kind: 'made', n: 1, mark, id }));
    target.ledger.push(...written({ ...intent(2, 'onesim-1-r2'), as: 'other' }));
    expect((await reaped(target, flags)).code).toBe(0);
    await target.outside.clock.sleep(120_000);
    expect(leftovers(target.simulator)).toEqual(before);
  });

  test('tells by name what it cannot find, and ends with 3', async () => {
    const target = await serverOf();
    target.ledger.push(...written(RUN, intent(1, 'onesim-1-r1')));
    const { code, out } = await reaped(target);
    expect(code).toBe(3);
    expect(out.at(-1)).toBe(
      '  left      a runtime of unknown id, onesim-1-r1: no answer was seen, so its id is not known',
    );
  });

  test('deletes nothing that has another name, nor anything of another server', async () => {
    const target = await serverOf();
    const id = await made(target, 'somebody else’s');
    const elsewhere = { ...RUN, mark: 'onesim-2', target: 'http://elsewhere' };
    const lines = [RUN, intent(1, 'onesim-1-r1'), { kind: 'made', n: 1, mark, id }] as const;
    target.ledger.push(...written(...lines, elsewhere, { ...intent(1, 'x'), mark: 'onesim-2' } as LedgerLine));
    const { code, out } = await reaped(target);
    expect(code).toBe(0);
    expect(out[0]).toMatch(/also tells of http:\/\/elsewhere: that is left alone/);
    expect(leftovers(target.simulator).runtimes).toBe(1);
  });

  test.each<[string[], string]>([
    [['--target', 'x'], '--target: expected a URL'],
    [['--auth', 'alice'], '--auth: expected user:password'],
    [['more'], 'unexpected argument "more"'],
  ])('refuses %j', async (args, problem) => {
    await expect(reaped(await serverOf(), args)).rejects.toThrow(problem);
  });
});

describe('a ledger', () => {
  test('is written before what it tells of is sent, and leaves nothing open when all has gone well', async () => {
    const target = await serverOf();
    const seen: string[] = [];
    const outside = {
      ...target.outside,
      fetch: (request: Request, timeoutMs: number): Promise<Response> => {
        if (request.method === 'POST' && request.url.endsWith('/serverless-runtimes')) {
          seen.push(JSON.parse(target.ledger.at(-1) ?? '').kind);
        }
        return target.outside.fetch(request, timeoutMs);
      },
    };
    await verified({ outside }, ['--level', 'crud', '--profile', 'upstream']);
    expect(new Set(seen)).toEqual(new Set(['intent']));
    expect(seen.length).toBeGreaterThan(10);
    const lines = readLedger(target.ledger.join(''), 'ledger');
    expect(openEntries(lines)).toEqual([]);
    expect(target.ledger.join('')).not.toContain('alice:alice');
  });

  test('may end in the middle of a line, and go on after it', () => {
    const [run = '', first = ''] = written(RUN, intent(1, 'a'));
    expect(readLedger(`${run}${first.slice(0, 9)}`, 'f')).toHaveLength(1);
    expect(readLedger(`${run}${first.slice(0, 9)}\n${run}${first}`, 'f')).toHaveLength(3);
    expect(() => readLedger(`${run}nonsense\n${first}`, 'f')).toThrow('f:2: this is no line of a ledger');
  });
});
