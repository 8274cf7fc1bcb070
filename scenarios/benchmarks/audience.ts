/** WebSocket clients in a process of their own, which note by how much each frame is late. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import { hostEpochMs } from '../../sim/kernel/pace.ts';

/** Set in the process of the clients. */
const AUDIENCE = 'ONESIM_BENCHMARK_AUDIENCE';

/** So many clients connect at a time. */
const AT_ONCE = 250;

/** What the clients are told: where to connect, or which ticks to report. */
type Order =
  | { readonly urls: readonly string[]; readonly tickMs: number; readonly aheadMs: number }
  | { readonly first: number; readonly ticks: number };

export class Audience {
  readonly #process: ChildProcess = fork(fileURLToPath(import.meta.url), [], {
    env: { ...process.env, [AUDIENCE]: 'yes' },
    serialization: 'advanced',
  });

  /** Connects a client to each URL. @param aheadMs by how much simulated time is ahead of the host's */
  async connect(urls: readonly string[], tickMs: number, aheadMs: number): Promise<void> {
    await this.#ask({ urls, tickMs, aheadMs });
  }

  /** By how many milliseconds the frames of some ticks were late. */
  lateness(first: number, ticks: number): Promise<number[]> {
    return this.#ask({ first, ticks });
  }

  close(): void {
    this.#process.disconnect();
  }

  #ask(order: Order): Promise<number[]> {
    return new Promise((resolve, reject) => {
      this.#process.once('message', (answer: number[] | string) => {
        if (typeof answer === 'string') reject(new Error(answer));
        else resolve(answer);
      });
      this.#process.send(order);
    });
  }
}

// ---- in the clients' process --------------------------------------------------------------------------------------

if (process.env[AUDIENCE] !== undefined) {
  const arrivals = new Map<number, number[]>();
  process.on('message', (order: Order) => {
    const done =
      'urls' in order
        ? connectAll(order.urls, (late, tick) => arrivals.get(tick)?.push(late) ?? arrivals.set(tick, [late]), order)
        : Promise.resolve(Array.from({ length: order.ticks }, (_, n) => arrivals.get(order.first + n) ?? []).flat());
    done.then(
      (answer) => process.send?.(answer),
      (error: unknown) => process.send?.(String(error)),
    );
  });
  process.on('disconnect', () => process.exit());
}

type Note = (lateMs: number, tick: number) => void;

interface Grid {
  readonly tickMs: number;
  readonly aheadMs: number;
}

async function connectAll(urls: readonly string[], note: Note, grid: Grid): Promise<number[]> {
  for (let i = 0; i < urls.length; i += AT_ONCE) {
    await Promise.all(urls.slice(i, i + AT_ONCE).map((url) => subscribe(url, note, grid)));
  }
  return [];
}

/** Resolves when the connection is open and its stream is found. */
function subscribe(url: string, note: Note, { tickMs, aheadMs }: Grid): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { perMessageDeflate: false, skipUTF8Validation: true });
    socket.on('error', reject);
    socket.on('message', (frame: Buffer) => {
      const time = hostEpochMs() + aheadMs;
      if (frame.subarray(0, 9).toString('latin1') === '{"Status"') {
        resolve();
        return;
      }
      const tick = Math.ceil(pushedAt(frame) / tickMs);
      note(time - tick * tickMs, tick);
    });
  });
}

/**
 * The time of the last record: a guest pushes once between two ticks, and so it tells the tick that the frame is of. What
 * is no data frame is of none, and is missed.
 */
const pushedAt = (frame: Buffer): number =>
  Number(/"time":(\d+)\}\]\}$/.exec(frame.subarray(-32).toString('latin1'))?.[1]);
