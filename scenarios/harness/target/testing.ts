/** For tests: a stand-in in this process as somebody else's server, with its own time and a network that goes nowhere. */
import { createServer } from 'node:http';
import { duplexPair } from 'node:stream';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { loadSimulator, type Simulator, type StartOptions } from '../../../sim/index.ts';
import { verify } from '../verify.ts';
import { called } from './call.ts';
import type { Outside } from './outside.ts';
import { reap } from './reap.ts';

/** How far simulated time moves at once while an answer is awaited, and how often nothing moves before that. */
const [TICK_MS, TURNS] = [50, 5];

/** What stands between us and the server: it may change a request, an answer, or lose either. */
export type Between = (request: Request, door: (request: Request) => Promise<Response>) => Promise<Response>;

export interface Server {
  readonly simulator: Simulator;
  readonly outside: Outside;
  /** What was written to the ledger. */
  readonly ledger: string[];
}

/** Closed when its test is over. */
export async function serverOf(options: StartOptions = {}, between: Between = (request, door) => door(request)) {
  const simulator = await loadSimulator({ timing: { name: 'fast' }, ...options });
  const ledger: string[] = [];
  const upgrades = createServer();
  upgrades.on('upgrade', (request, socket, head) => simulator.upgrade(request, socket, head));
  const sockets: WebSocket[] = [];

  // Whoever waits moves the time, no further than somebody else is to be woken. While answers are awaited it moves in
  // small steps, and only the youngest request moves it: an older one may be meant to be slow.
  let now = 0;
  let last: Promise<unknown> = Promise.resolve();
  const ends = new Set<{ readonly at: number }>();
  const flights: object[] = [];
  const advance = (ms: () => number): Promise<void> => {
    const advanced = last.then(async () => {
      const step = Math.max(0, ms());
      now += step;
      await simulator.world.clock.advance(step);
    });
    last = advanced;
    return advanced;
  };
  const until = async (over: () => boolean, mostMs: number, flight?: object): Promise<void> => {
    const end = { at: now + mostMs };
    for (let turn = 0; turn < TURNS && !over(); turn++) await advance(() => 0);
    ends.add(end);
    while (!over() && now < end.at) {
      const moves = flight === undefined || flights.at(-1) === flight;
      await advance(() => {
        if (!moves) return 0;
        const nearest = Math.min(...[...ends].map(({ at }) => at)) - now;
        return flights.length > 0 ? Math.min(nearest, TICK_MS) : nearest;
      });
    }
    ends.delete(end);
  };

  const dialled = (address: string): WebSocket => {
    const [near, far] = duplexPair();
    upgrades.emit('connection', far);
    const socket = new WebSocket(address, { createConnection: () => near as never });
    sockets.push(socket);
    return socket;
  };

  const outside: Outside = {
    clock: { epochMs: simulator.world.clock.now, now: () => now, sleep: (ms) => until(() => false, ms) },
    async fetch(request, timeoutMs) {
      let settled = false;
      const coming = between(request, (asked) => simulator.fetch(asked));
      const settle = (): void => {
        settled = true;
      };
      coming.then(settle, settle);
      flights.push(request);
      await until(() => settled, timeoutMs, request);
      flights.splice(flights.indexOf(request), 1);
      if (!settled) throw new DOMException('The operation was aborted due to timeout', 'TimeoutError');
      return coming;
    },
    today: () => '2026-11-22',
    mark: () => 'onesim-test',
    durable: async () => async (line) => void ledger.push(line),
    async frames(url, { send, count, withinMs }) {
      const socket = dialled(url);
      const frames: unknown[] = [];
      socket.on('message', (text) => frames.push(JSON.parse(text.toString())));
      await new Promise((resolve, reject) => socket.on('open', resolve).on('error', reject));
      if (send !== undefined) socket.send(send);
      flights.push(frames);
      await until(() => frames.length >= count, withinMs, frames);
      flights.splice(flights.indexOf(frames), 1);
      return frames;
    },
    connect: (address, ear) => called(address, ear, dialled(address)),
  };
  onTestFinished(() => {
    for (const socket of sockets) socket.terminate();
    simulator.close();
  });
  return { simulator, outside, ledger } satisfies Server;
}

/** A name that a stand-in takes for its own. */
export const TARGET = 'http://127.0.0.1:1337';

/** Options that let a run on simulated time be a quick one. */
const QUICK = ['--target', TARGET, '--auth', 'alice:alice', '--other-auth', 'bob:bob', '--rate', '1000'];

export interface Ran {
  readonly code: number;
  readonly out: readonly string[];
}

export interface Verified extends Ran {
  /** What was written to files. */
  readonly saved: ReadonlyMap<string, string>;
}

export async function verified(
  { outside }: Pick<Server, 'outside'>,
  args: readonly string[],
  stopped: () => Promise<void> = () => new Promise(() => {}),
): Promise<Verified> {
  const out: string[] = [];
  const saved = new Map<string, string>();
  const writeTo = async (file: string, text: string) => void saved.set(file, text);
  const machine = { out: (line: string) => void out.push(line), writeFile: writeTo, stopped };
  const code = await verify([...QUICK, ...args], machine, outside);
  return { code, out, saved };
}

export async function reaped({ outside, ledger }: Server, args: readonly string[] = []): Promise<Ran> {
  const out: string[] = [];
  const machine = { out: (line: string) => void out.push(line), readFile: async () => ledger.join('') };
  const all = ['--target', TARGET, '--auth', 'alice:alice', ...args];
  return { code: await reap(all, machine, outside), out };
}

/** What is left in the cloud of what runs have made. */
export function leftovers({ world }: Simulator): {
  readonly runtimes: number;
  readonly services: number;
  readonly vms: number;
} {
  const documents = [...world.cloud.documents];
  const of = (type: number): number => documents.filter((each) => each.type === type).length;
  const vms = [...world.cloud.vms].filter(({ state }) => state !== 'DONE' && state !== 'SHUTDOWN').length;
  return { runtimes: of(1337), services: of(100), vms };
}

/** Changes the answers to the requests of a path. */
export function answering(path: string, change: (answer: Response) => Response | Promise<Response>): Between {
  return async (request, door) => {
    const answer = await door(request);
    return new URL(request.url).pathname.startsWith(path) ? change(answer) : answer;
  };
}

/** Changes the body of what is answered with success. */
export const rewriting = (change: (body: string) => string): Between =>
  answering('/serverless-runtimes', async (answer) => {
    if (answer.status >= 300 || answer.status === 204) return answer;
    return new Response(change(await answer.text()), answer);
  });

export const told = ({ out }: Ran): string => out.join('\n');
