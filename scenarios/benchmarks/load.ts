/**
 * A client in a process of its own, which asks for one URL over and over on connections that stay open. It reads no more
 * of an answer than its length, so that the server is what is measured: Node's own client is slower than Node's server.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';

/** A request, that is asked over and over. */
export interface Asked {
  readonly url: string;
  readonly authorization?: string;
  /** With it the request is a POST. */
  readonly body?: string;
}

/** What is asked, and by how many connections at once. */
export interface Load extends Asked {
  readonly connections: number;
  readonly ms: number;
}

/** Set in the process of a client. */
const CLIENT = 'ONESIM_BENCHMARK_CLIENT';

export class Client {
  readonly #process: ChildProcess = fork(fileURLToPath(import.meta.url), [], {
    env: { ...process.env, [CLIENT]: 'yes' },
  });

  /** Asks for so long. Gives how many answers there were a second. */
  rate(load: Load): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#process.once('message', (answer: number | string) => {
        if (typeof answer === 'number') resolve(answer);
        else reject(new Error(answer));
      });
      this.#process.send(load);
    });
  }

  close(): void {
    this.#process.disconnect();
  }
}

// ---- in the client's process --------------------------------------------------------------------------------------

if (process.env[CLIENT] !== undefined) {
  process.on('message', (load: Load) => {
    asking(load).then(
      (rate) => process.send?.(rate),
      (error: unknown) => process.send?.(String(error)),
    );
  });
}

async function asking(load: Load): Promise<number> {
  const from = performance.now();
  const end = from + load.ms;
  const counts = await Promise.all(Array.from({ length: load.connections }, () => askUntil(end, load)));
  const answers = counts.reduce((sum, count) => sum + count, 0);
  return (answers / (performance.now() - from)) * 1000;
}

/** Asks on one connection, the next time when the answer is there. Gives how many answers there were. */
function askUntil(end: number, { url, authorization, body }: Load): Promise<number> {
  const { hostname, port, host, pathname } = new URL(url);
  const head = [`${body === undefined ? 'GET' : 'POST'} ${pathname} HTTP/1.1`, `Host: ${host}`];
  if (authorization !== undefined) head.push(`Authorization: ${authorization}`);
  if (body !== undefined) head.push(`Content-Length: ${Buffer.byteLength(body)}`);
  const request = `${head.join('\r\n')}\r\n\r\n${body ?? ''}`;
  return new Promise((resolve, reject) => {
    const socket: Socket = connect(Number(port), hostname);
    let answers = 0;
    /** Bytes of an answer, known from the first; all are alike but for the date. */
    let length = 0;
    let read = 0;
    let first = '';
    socket.setNoDelay(true);
    socket.on('error', reject);
    socket.on('connect', () => socket.write(request));
    socket.on('close', () => reject(new Error(`connection closed after ${answers} answers`)));
    socket.on('data', (bytes) => {
      read += bytes.length;
      if (length === 0) {
        first += bytes.toString('latin1');
        length = lengthOf(first);
      }
      if (length === 0 || read < length) return;
      if (read > length) reject(new Error('the answers are not alike'));
      read = 0;
      answers++;
      if (performance.now() < end) socket.write(request);
      else {
        socket.removeAllListeners('close');
        socket.destroy();
        resolve(answers);
      }
    });
  });
}

/** Of the whole answer, once its head is there; 0 before. @throws Error unless the answer is a success */
function lengthOf(answer: string): number {
  const head = answer.indexOf('\r\n\r\n');
  if (head < 0) return 0;
  const body = /^content-length: (\d+)\r$/im.exec(answer.slice(0, head + 1));
  if (!answer.startsWith('HTTP/1.1 2') || body === null) throw new Error(`unexpected answer ${answer.slice(0, head)}`);
  return head + 4 + Number(body[1]);
}
