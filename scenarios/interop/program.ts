/** Programs that the interoperability suite starts: what they print, and their end. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';

/** Whether a program can be started at all. */
export const isInstalled = (name: string): boolean => spawnSync(name, ['--version']).error === undefined;

/** What a program says of its input, and how it ends. */
export function judged(name: string, args: readonly string[], input: string): { status: number; said: string[] } {
  const { status, stdout, stderr, error } = spawnSync(name, args, { input, encoding: 'utf8' });
  if (error !== undefined) throw error;
  return { status: status ?? -1, said: `${stdout}${stderr}`.split('\n').filter((line) => line !== '') };
}

/** A program that runs until it is stopped. Only its last lines are kept. */
export class Program {
  readonly #child: ChildProcess;
  readonly #name: string;
  readonly #lines: string[] = [];

  constructor(name: string, args: readonly string[], onLine: (line: string) => void = () => {}) {
    this.#name = name;
    this.#child = spawn(name, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (line) => {
        if (this.#lines.push(line) > 40) this.#lines.shift();
        onLine(line);
      });
    }
  }

  get #ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Waits until something holds. @throws when the program ends before that, or it takes too long */
  async until(what: string, holds: () => boolean | Promise<boolean>, longestMs = 30_000): Promise<void> {
    for (let waited = 0; !(await holds()); waited += POLL_MS) {
      if (this.#ended || waited > longestMs) {
        const end = this.#ended ? 'ended' : 'took too long';
        throw new Error(`${this.#name} ${end} before ${what}; it said:\n${this.#lines.join('\n')}`);
      }
      await pause(POLL_MS);
    }
  }

  async stop(): Promise<void> {
    if (this.#ended) return;
    const end = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await end;
  }
}

const POLL_MS = 20;

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A port on loopback that nobody has at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
