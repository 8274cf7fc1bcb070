/** `onesim run --target`: faults of hosts on a server that is a stand-in, and on one that is none. */
import { expect, test, vi } from 'vitest';
import { runFiles } from '../run-files.ts';
import { type Between, type Ran, type Server, serverOf, TARGET } from './testing.ts';

vi.setConfig({ testTimeout: 30_000 });

const server = (between?: Between): Promise<Server> => serverOf({}, between);

const STEPS = [
  { id: 'made', op: 'create', bind: 'r1', expect: { status: 201 } },
  { id: 'up', op: 'get', ref: 'r1', after: { event: 'made.RUNNING' } },
];
const state = (wanted: string): object => ({ body: { '/SERVERLESS_RUNTIME/FAAS/STATE': wanted } });
const AFTER = { event: 'up.answered' };
const looks = (lostMs: number): object[] => [
  { id: 'lost', op: 'get', ref: 'r1', after: { event: 'f1.began', delayMs: lostMs }, expect: state('ERROR') },
  { id: 'back', op: 'get', ref: 'r1', after: { event: 'f1.ended', delayMs: 5_000 }, expect: state('RUNNING') },
];
const FILES: Readonly<Record<string, object>> = {
  // It has begun when the host is given up.
  'down.json': {
    steps: [...STEPS, ...looks(100)],
    faults: [{ kind: 'hostDown', ref: 'r1.host', after: AFTER, forMs: 20_000 }],
  },
  'declared.json': {
    steps: [...STEPS, ...looks(121_000)],
    faults: [
      {
        ...{ kind: 'declared', ref: 'r1', after: AFTER, forMs: 140_000 },
        fault: { selector: { layer: 'host' }, effect: { do: 'down' } },
      },
    ],
  },
  'driver.json': { steps: STEPS, faults: [{ kind: 'driver', do: 'fail', action: 'resize' }] },
  'alone.json': { steps: STEPS, faults: [{ kind: 'hostDown', ref: 'r1', after: AFTER }] },
  'misnamed.json': {
    steps: STEPS,
    faults: [
      { kind: 'declared', fault: { selector: { layer: 'vm', user: 'alcie' }, effect: { do: 'fail' } }, after: AFTER },
    ],
  },
};

async function ran({ outside }: Server, file: string): Promise<Ran> {
  const out: string[] = [];
  const machine = {
    out: (line: string) => void out.push(line),
    readFile: async (path: string) => JSON.stringify({ v: 1, ...FILES[path] }),
    stopped: () => new Promise<void>(() => {}),
  };
  const args = ['--target', TARGET, '--auth', 'alice:alice', '--rate', '100', file];
  return { code: await runFiles(args, machine, outside), out };
}

test.each(['down.json', 'declared.json'])(
  "the host of a runtime's machine falls silent, and comes back: %s",
  async (file) => {
    const target = await server();
    const { code, out } = await ran(target, file);
    expect(code, out.join('\n')).toBe(0);
    const silent = [...target.simulator.world.journal.since(0)].filter(({ kind }) => kind === 'host.silent');
    expect(silent).toHaveLength(1);
  },
);

const REFUSES: Between = async (request, door) =>
  request.url.includes('/_onesim/') ? new Response('<html>', { status: 404 }) : door(request);

test.each<[string, string, Between | undefined]>([
  ['alone.json', 'f1: the target takes no faults', REFUSES],
  ['driver.json', 'f1: the target takes no faults', REFUSES],
  ['misnamed.json', 'f1: it was refused: selector.user: nothing is called "alcie", did you mean "alice"?', undefined],
])('what the server does not do is left out, and is less than was asked for: %s', async (file, why, between) => {
  const { code, out } = await ran(await server(between), file);
  expect(out.join('\n')).toContain(`  left out  ${why}`);
  expect(code, out.join('\n')).toBe(4);
});
