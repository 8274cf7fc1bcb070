/** The door to the network: a simulator bound to ports of this machine, with limits for clients that are slow or half there. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { createAdaptorServer, type HttpBindings } from '@hono/node-server';
import { cutOf } from '../api/cut.ts';
import { whenThere } from '../kernel/soon.ts';
import { Problem } from '../problem.ts';
import { sendBroken } from './broken-answer.ts';

/** What is bound: the part of a simulator that clients see. */
export interface Served {
  /** @param only the one API that answers, on a port of its own; without it, each by its paths */
  fetch(request: Request, only?: 'oned' | 'oneflow' | 'monitoring'): Response | Promise<Response>;
  /** Takes over a connection that a client wants to go on with as a WebSocket. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

export interface Ports {
  readonly host: string;
  readonly port: number;
  readonly onedPort: number | 'off';
  readonly oneflowPort: number | 'off';
  readonly managerPort: number | 'off';
}

/** Where each API is. */
export interface Urls {
  readonly engine: string;
  readonly gatekeeper: string;
  readonly oned: string;
  readonly oneflow: string;
  readonly control: string;
  /** The monitoring manager of the Gatekeeper. */
  readonly manager: string;
}

export interface Listening {
  readonly urls: Urls;
  /** Accepts no more, lets the answers that are under way go out, and then closes. */
  close(): Promise<void>;
}

/** Milliseconds until a client that sends nothing, or too slowly, is let go; a PUT that resizes may take minutes. */
const LIMITS = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 2_000,
  /** For a client that takes nothing of the answer that it is being sent. */
  unreadTimeout: 30_000,
  /** In bytes. */
  maxHeaderSize: 16 * 1024,
};

export type Limits = Readonly<typeof LIMITS>;

/** How long answers that are under way may take after a close, in milliseconds. */
const GRACE_MS = 2_000;

/** The flag of each port, and the one API that has it for itself. */
const FLAGS = {
  port: { flag: '--port', only: undefined },
  onedPort: { flag: '--oned-port', only: 'oned' },
  oneflowPort: { flag: '--oneflow-port', only: 'oneflow' },
  managerPort: { flag: '--manager-port', only: 'monitoring' },
} as const;

/** @throws Problem that names the port and its flag */
export async function listen(served: Served, ports: Ports): Promise<Listening> {
  const servers: Server[] = [];
  const open = async (which: keyof typeof FLAGS): Promise<string | undefined> => {
    const port = ports[which];
    if (port === 'off') return undefined;
    const { flag, only } = FLAGS[which];
    const server = serverFor({ ...served, fetch: (request) => served.fetch(request, only) });
    await bind(server, ports.host, port, flag);
    servers.push(server);
    return urlOf(server, ports.host);
  };
  try {
    const main = (await open('port')) ?? '';
    const oned = (await open('onedPort')) ?? main;
    const oneflow = (await open('oneflowPort')) ?? main;
    const manager = (await open('managerPort')) ?? `${main}/monitoring`;
    return {
      urls: {
        engine: main,
        gatekeeper: `${main}/api/v2`,
        oned: `${oned}/RPC2`,
        oneflow,
        control: `${main}/_onesim`,
        manager: `${manager}/api/v1`,
      },
      close: () => closeAll(servers),
    };
  } catch (error) {
    await closeAll(servers);
    throw error;
  }
}

/** A server that is not bound yet. It takes whatever comes as a connection. */
export function serverFor(served: Served, limits: Partial<Limits> = {}): Server {
  const { unreadTimeout, ...serverOptions } = { ...LIMITS, ...limits };
  const server = createAdaptorServer({
    fetch: (request: Request, env) =>
      whenThere(served.fetch(request), (response) => {
        const how = cutOf(response);
        return how === undefined ? response : sendBroken(response, how, (env as HttpBindings).outgoing);
      }),
    // HTTP/1.0 has requests that name no host.
    hostname: 'localhost',
    serverOptions,
  }) as Server;
  server.timeout = unreadTimeout;
  /** The newest answer of each connection. */
  const answers = new WeakMap<Duplex, ServerResponse>();
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    answers.set(socket, response);
    response.on('timeout', dropUnread);
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (request.headers.upgrade?.toLowerCase() === 'websocket') {
      // A connection that breaks while it is being taken over must not take the process with it.
      socket.on('error', () => socket.destroy());
      served.upgrade(request, socket, head);
      return;
    }
    const readAgain = (): void => {
      if (socket.destroyed) return;
      // These two Node leaves behind, and adds again.
      socket.removeAllListeners('resume').removeAllListeners('pause');
      socket.unshift(Buffer.concat([headWithoutUpgrade(request), head]));
      server.emit('connection', socket);
    };
    const before = answers.get(socket);
    if (before === undefined || before.writableFinished) readAgain();
    else before.once('close', readAgain);
  });
  server.on('clientError', refuseClient);
  return server;
}

/**
 * Nothing has moved for a while: an answer that takes long is waited for, as one whose body waits for simulated time; one
 * that nobody takes is given up.
 */
function dropUnread(this: ServerResponse): void {
  if (this.writableEnded || this.writableLength > 0) this.destroy();
}

/**
 * An offer of another protocol, such as the HTTP/2 that Java's client offers with every request, may be left alone. Node
 * does not: it gives up the connection. So the request is put back without the offer, and read again.
 */
function headWithoutUpgrade({ method, url, httpVersion, headers, rawHeaders }: IncomingMessage): Buffer {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  if (/\bclose\b/i.test(headers.connection ?? '')) lines.push('Connection: close');
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    if (!OFFER.has(name.toLowerCase())) lines.push(`${name}: ${rawHeaders[i + 1]}`);
  }
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

const OFFER: ReadonlySet<string> = new Set(['upgrade', 'http2-settings', 'connection']);

/** What Node's parser says of a request that is none, and how HTTP says it. */
const CLIENT_ERRORS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

/** An error of Node's network layer. */
type Failure = Error & { readonly code?: string };

function refuseClient(error: Failure, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = CLIENT_ERRORS[error.code ?? ''] ?? '400 Bad Request';
  socket.end(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
}

function bind(server: Server, address: string, port: number, flag: string): Promise<void> {
  return new Promise((resolve, reject) => {
    // Later errors, such as too many open files, cost one connection and must not cost the process.
    server.on('error', (error: Failure) => reject(portProblem(error, address, port, flag)));
    server.listen(port, address, () => resolve());
  });
}

const BIND_ERRORS: Readonly<Record<string, (port: number, flag: string, address: string) => string>> = {
  EADDRINUSE: (port, flag) => `port ${port} is in use; choose another with ${flag}, or ${flag} 0 for a free one`,
  EACCES: (port, flag) => `port ${port} may not be opened by this user; choose another with ${flag}`,
  EADDRNOTAVAIL: (_port, _flag, address) => `${address} is no address of this machine (--host)`,
  ENOTFOUND: (_port, _flag, address) => `${address} is no address that can be found (--host)`,
};

export function portProblem(error: Failure, address: string, port: number, flag: string): Problem {
  const words = BIND_ERRORS[error.code ?? ''];
  return new Problem(words?.(port, flag, address) ?? `cannot listen on port ${port} (${flag}): ${error.message}`);
}

/** Addresses that mean every one of the machine; a client reaches it by the loopback one. */
const WILDCARDS: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '[::1]' };

function urlOf(server: Server, address: string): string {
  const { port } = server.address() as AddressInfo;
  return `http://${WILDCARDS[address] ?? (address.includes(':') ? `[${address}]` : address)}:${port}`;
}

/** Resolves when the last answer has gone out, or after the grace. */
async function closeAll(servers: readonly Server[]): Promise<void> {
  const closed = servers.map(
    (server) =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
  );
  const late = AbortSignal.timeout(GRACE_MS);
  await Promise.race([Promise.all(closed), new Promise((resolve) => late.addEventListener('abort', resolve))]);
  for (const server of servers) server.closeAllConnections();
}
