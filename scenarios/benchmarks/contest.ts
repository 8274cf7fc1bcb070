/** A server of ours beside a bare Hono that gives the same bytes, round by round, so that both meet the same weather. */
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { Bar, Result } from './benchmark.ts';
import { type Asked, Client } from './load.ts';

export const CONNECTIONS = 16;
const ROUND_MS = 400;
const WARM_UP_ROUNDS = 4;
const ROUNDS = 15;

export interface Server {
  readonly asked: Asked;
  close(): Promise<unknown>;
}

/** A server, and what the rounds say of it. */
interface Contender {
  readonly asked: Asked;
  readonly rates: number[];
  /** Microseconds of this process per answer: says the same on a busy machine. */
  readonly costs: number[];
}

/** Asks the server, which is closed then, and its bare copy in turn. */
export async function besideBareHono(server: Server, bar: Bar): Promise<readonly Result[]> {
  const bare = await startBare(server.asked);
  const contenders: readonly [Contender, Contender] = [contender(server.asked), contender(bare.asked)];
  const client = new Client();
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
    for (const each of contenders) await compete(client, each, round >= 0);
  }
  client.close();
  await Promise.all([server.close(), bare.close()]);
  const [ours, theirs] = contenders;
  return [
    {
      figure: 'requests, of bare hono',
      measured: middle(ours.rates.map((rate, i) => rate / (theirs.rates[i] as number))),
      unit: '×',
      bar,
    },
    { figure: '  the stand-in', measured: middle(ours.rates), unit: 'requests/s', bar: null },
    { figure: '  bare hono', measured: middle(theirs.rates), unit: 'requests/s', bar: null },
    { figure: 'time of the processor for one, the stand-in', measured: middle(ours.costs), unit: 'µs', bar: null },
    { figure: '  bare hono', measured: middle(theirs.costs), unit: 'µs', bar: null },
  ];
}

const contender = (asked: Asked): Contender => ({ asked, rates: [], costs: [] });

async function compete(client: Client, { asked, rates, costs }: Contender, counts: boolean): Promise<void> {
  const before = process.cpuUsage();
  const rate = await client.rate({ ...asked, connections: CONNECTIONS, ms: ROUND_MS });
  const { user, system } = process.cpuUsage(before);
  if (!counts) return;
  rates.push(rate);
  costs.push((user + system) / (rate * (ROUND_MS / 1000)));
}

function ask({ url, authorization, body }: Asked): Promise<Response> {
  const headers: Record<string, string> = authorization === undefined ? {} : { Authorization: authorization };
  return fetch(url, body === undefined ? { headers } : { method: 'POST', headers, body });
}

/** Gives what the stand-in gives, as Hono's own documentation has an answer given, and does nothing for it. */
async function startBare(original: Asked): Promise<Server> {
  const answer = await ask(original);
  const { status } = answer;
  const body = await answer.text();
  // The server's own, which it adds to this answer too.
  const added = ['connection', 'content-length', 'date', 'keep-alive'];
  const headers = Object.fromEntries([...answer.headers].filter(([name]) => !added.includes(name)));
  const path = new URL(original.url).pathname;
  const app = new Hono();
  app.all(path, (c) => c.body(body, status as ContentfulStatusCode, headers));
  const { origin, close } = await serving(app.fetch);
  const asked = { ...original, url: `${origin}${path}` };
  const copy = await ask(asked);
  if (copy.status !== status || (await copy.text()) !== body) throw new Error('bare hono does not give the same');
  return { asked, close };
}

/** A server on a port of its own. */
export async function serving(fetch: (request: Request) => Response | Promise<Response>) {
  const server = serve({ fetch, hostname: '127.0.0.1', port: 0 });
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  return { origin: `http://127.0.0.1:${port}`, close: () => new Promise((resolve) => server.close(resolve)) };
}

const middle = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;
