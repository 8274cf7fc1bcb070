/** The built command line from its start until it is ready, and what it then holds in memory, against a bare Hono server. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pass } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Benchmark, Result } from './benchmark.ts';

const ROUNDS = 9;
/** How long after it is ready a server counts as idle. */
const IDLE_AFTER_MS = 700;

/** npm runs scripts in the folder of the package. */
const BUILT = 'dist/main.js';
const SERVE = ['serve', '--log', 'json', '--port', '0', '--oned-port', 'off', '--oneflow-port', 'off'];

/** Without our own variables, which would be settings. */
const ENVIRONMENT = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('ONESIM_')));

/** What anybody would write who wants one answer over HTTP. */
const BARE = `
import { serve } from ${JSON.stringify(import.meta.resolve('@hono/node-server'))};
import { Hono } from ${JSON.stringify(import.meta.resolve('hono'))};
const app = new Hono();
app.get('/', (c) => c.text('hello'));
serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, () => console.log('ready'));
`;

interface Start {
  readonly ms: number;
  readonly rssMB: number;
}

export const startup: Benchmark = {
  name: 'startup',
  what: 'the built command line until it is ready, and its memory when idle, beside a bare hono server',
  bar: 'twice the bare server',
  async run() {
    if (!existsSync(BUILT)) throw new Error(`${BUILT} is missing: npm run build`);
    const folder = await mkdtemp(join(tmpdir(), 'onesim-benchmark-'));
    const bare = join(folder, 'bare.mjs');
    await writeFile(bare, BARE);
    const ours: Start[] = [];
    const theirs: Start[] = [];
    try {
      for (let round = 0; round < ROUNDS; round++) {
        ours.push(await started([BUILT, ...SERVE]));
        theirs.push(await started([bare]));
      }
    } finally {
      await rm(folder, { recursive: true });
    }
    const results: Result[] = [
      ...compared('start', 'ms', ours, theirs, ({ ms }) => ms),
      ...compared('idle memory', 'MB', ours, theirs, ({ rssMB }) => rssMB),
    ];
    return results;
  },
};

function compared(
  figure: string,
  unit: string,
  ours: readonly Start[],
  theirs: readonly Start[],
  of: (start: Start) => number,
): Result[] {
  const [we, they] = [ours, theirs].map((starts) => middle(starts.map(of))) as [number, number];
  return [
    { figure: `${figure}, of the bare server`, measured: we / they, unit: '×', bar: { atMost: 2 } },
    { figure: '  the stand-in', measured: we, unit, bar: null },
    { figure: '  the bare server', measured: they, unit, bar: null },
  ];
}

/** Starts a server, waits for the line that says it is ready, and ends it. */
async function started(args: readonly string[]): Promise<Start> {
  const from = performance.now();
  const server = spawn(process.execPath, args, { env: ENVIRONMENT, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(server, 'exit');
  const ready = once(createInterface(server.stdout), 'line');
  const failed = ended.then(([code]) => Promise.reject(new Error(`${args[0]} ended with ${code}`)));
  await Promise.race([ready, failed]);
  const ms = performance.now() - from;
  await pass(IDLE_AFTER_MS);
  const { stdout } = await promisify(execFile)('ps', ['-o', 'rss=', '-p', String(server.pid)]);
  failed.catch(() => {});
  server.kill();
  await ended;
  return { ms, rssMB: Number(stdout) / 1000 };
}

const middle = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;
