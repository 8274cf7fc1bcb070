/** What a verification has of the world outside: the network, the time, the disk, and a mark that nobody else has. */
import { randomUUID } from 'node:crypto';
import { open } from 'node:fs/promises';
import { WebSocket } from 'ws';
import type { Stage } from '../../../contracts/probe.ts';
import { Problem, reason } from '../../../sim/index.ts';
import { today, WALL_CLOCK } from '../wall-clock.ts';
import { called } from './call.ts';
import type { Durable } from './ledger.ts';
import type { Network } from './wire.ts';

export interface Outside extends Network {
  /** ISO date. */
  today(): string;
  /** Begins the names of all that a run makes. */
  mark(): string;
  /** @throws Problem when the file cannot be had */
  durable(file: string): Promise<Durable>;
  readonly frames: Stage['frames'];
}

async function durable(file: string): Promise<Durable> {
  const write: Durable = async (line) => {
    const handle = await open(file, 'a');
    try {
      await handle.appendFile(line);
      await handle.datasync();
    } finally {
      await handle.close();
    }
  };
  try {
    // A line that an earlier run could not end must not swallow our first.
    await write('\n');
  } catch (error) {
    throw new Problem(`--ledger: cannot write ${file}: ${reason(error)}`);
  }
  return write;
}

const frames: Stage['frames'] = (url, { send, count, withinMs }) =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { handshakeTimeout: withinMs });
    const seen: unknown[] = [];
    const end = (): void => {
      socket.terminate();
      resolve(seen);
    };
    socket.on('error', reject);
    socket.on('close', end);
    socket.on('open', () => {
      if (send !== undefined) socket.send(send);
      WALL_CLOCK.sleep(withinMs).then(end);
    });
    socket.on('message', (text) => {
      seen.push(value(text.toString()));
      if (seen.length >= count) end();
    });
  });

function value(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

export const OUTSIDE: Outside = {
  clock: WALL_CLOCK,
  fetch: (request, timeoutMs) => fetch(request, { redirect: 'manual', signal: AbortSignal.timeout(timeoutMs) }),
  today,
  mark: () => `onesim-${randomUUID().slice(0, 8)}`,
  durable,
  frames,
  connect: called,
};
