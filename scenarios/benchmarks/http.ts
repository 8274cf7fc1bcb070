/** GET of a runtime over HTTP, with journal and log, against a bare Hono that gives the same bytes. */
import { openSync, writeSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { devNull } from 'node:os';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { logLine } from '../../sim/request-log.ts';
import { startSim } from '../../sim/start.ts';
import type { Benchmark, Result } from './benchmark.ts';
import { AUTHORIZATION, REQUEST } from './crowd.ts';
import { Client } from './load.ts';

const CONNECTIONS = 16;
const ROUND_MS = 400;
const WARM_UP_ROUNDS = 4;
const ROUNDS = 15;

/** A server, and what the rounds say of it. */
interface Contender {
  readonly url: string;
  readonly rates: number[];
  /** Microseconds of this process per answer: says the same on a busy machine. */
  readonly costs: number[];
}

export const http: Benchmark = {
  name: 'http',
  what: `GET of a runtime over HTTP, journal and log on, ${CONNECTIONS} connections, beside bare hono + node-server`,
  bar: '60 % of the requests of bare hono a second',
  async run() {
    const stand = await startStandIn();
    const bare = await startBare(stand.url);
    const contenders: readonly [Contender, Contender] = [contender(stand.url), contender(bare.url)];
    const client = new Client();
    for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
      for (const each of contenders) await compete(client, each, round >= 0);
    }
    client.close();
    await Promise.all([stand.close(), bare.close()]);
    const [ours, theirs] = contenders;
    const results: Result[] = [
      {
        figure: 'requests, of bare hono',
        measured: middle(ours.rates.map((rate, i) => rate / (theirs.rates[i] as number))),
        unit: '×',
        bar: { atLeast: 0.6 },
      },
      { figure: '  the stand-in', measured: middle(ours.rates), unit: 'requests/s', bar: null },
      { figure: '  bare hono', measured: middle(theirs.rates), unit: 'requests/s', bar: null },
      { figure: 'time of the processor for one, the stand-in', measured: middle(ours.costs), unit: 'µs', bar: null },
      { figure: '  bare hono', measured: middle(theirs.costs), unit: 'µs', bar: null },
    ];
    return results;
  },
};

const contender = (url: string): Contender => ({ url, rates: [], costs: [] });

async function compete(client: Client, { url, rates, costs }: Contender, counts: boolean): Promise<void> {
  const before = process.cpuUsage();
  const rate = await client.rate({ url, authorization: AUTHORIZATION, connections: CONNECTIONS, ms: ROUND_MS });
  const { user, system } = process.cpuUsage(before);
  if (!counts) return;
  rates.push(rate);
  costs.push((user + system) / (rate * (ROUND_MS / 1000)));
}

interface Server {
  /** Of a runtime. */
  readonly url: string;
  close(): Promise<unknown>;
}

/** As `onesim serve` does it with its log going nowhere, and with one runtime that is RUNNING. */
async function startStandIn(): Promise<Server> {
  const log = openSync(devNull, 'w');
  const lines: string[] = [];
  const { urls, close } = await startSim({
    port: 0,
    timing: { name: 'instant' },
    onAnswer(exchange) {
      if (lines.push(logLine(exchange, 'json', false)) > 1) return;
      setImmediate(() => writeSync(log, `${lines.splice(0).join('\n')}\n`));
    },
  });
  const runtimes = `${urls.engine}/serverless-runtimes`;
  const made = await fetch(runtimes, { method: 'POST', headers: { Authorization: AUTHORIZATION }, body: REQUEST });
  const { SERVERLESS_RUNTIME: runtime } = (await made.json()) as { SERVERLESS_RUNTIME: { ID: number } };
  const url = `${runtimes}/${runtime.ID}`;
  for (let tries = 0; !(await (await ask(url)).text()).includes('"RUNNING"'); tries++) {
    if (tries > 1000) throw new Error('the runtime does not come up');
  }
  return { url, close };
}

const ask = (url: string): Promise<Response> => fetch(url, { headers: { Authorization: AUTHORIZATION } });

/** Gives what the stand-in gives, and does nothing for it. */
async function startBare(original: string): Promise<Server> {
  const answer = await ask(original);
  const { status } = answer;
  const body = await answer.text();
  // The server's own, which it adds to this answer too.
  const added = ['connection', 'content-length', 'date', 'keep-alive'];
  const headers = [...answer.headers].filter(([name]) => !added.includes(name));
  const app = new Hono();
  app.get('/serverless-runtimes/:id', () => new Response(body, { status, headers }));
  const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 });
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}${new URL(original).pathname}`;
  const copy = await ask(url);
  if (copy.status !== status || (await copy.text()) !== body) throw new Error('bare hono does not give the same');
  return { url, close: () => new Promise((resolve) => server.close(resolve)) };
}

const middle = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;
