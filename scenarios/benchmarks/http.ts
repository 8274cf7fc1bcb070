/** GET of a runtime over HTTP, with journal and log, against a bare Hono that gives the same bytes. */
import { openSync, writeSync } from 'node:fs';
import { devNull } from 'node:os';
import { logLine } from '../../sim/command-line/request-log.ts';
import { startSim } from '../../sim/start.ts';
import type { Benchmark } from './benchmark.ts';
import { besideBareHono, CONNECTIONS, type Server } from './contest.ts';
import { AUTHORIZATION, REQUEST } from './crowd.ts';

export const http: Benchmark = {
  name: 'http',
  what: `GET of a runtime over HTTP, journal and log on, ${CONNECTIONS} connections, beside bare hono + node-server`,
  bar: '60 % of the requests of bare hono a second',
  run: async () => besideBareHono(await startStandIn(), { atLeast: 0.6 }),
};

/** As `onesim serve` does it with its log going nowhere, and with one runtime that is RUNNING. */
async function startStandIn(): Promise<Server> {
  const log = openSync(devNull, 'w');
  let lines = '';
  const flush = (): void => {
    writeSync(log, lines);
    lines = '';
  };
  const { urls, close } = await startSim({
    port: 0,
    timing: { name: 'instant' },
    onAnswer(exchange) {
      if (lines === '') setImmediate(flush);
      lines += `${logLine(exchange, 'json', false)}\n`;
    },
  });
  const runtimes = `${urls.engine}/serverless-runtimes`;
  const made = await fetch(runtimes, { method: 'POST', headers: { Authorization: AUTHORIZATION }, body: REQUEST });
  const { SERVERLESS_RUNTIME: runtime } = (await made.json()) as { SERVERLESS_RUNTIME: { ID: number } };
  const url = `${runtimes}/${runtime.ID}`;
  for (let tries = 0; !(await (await ask(url)).text()).includes('"RUNNING"'); tries++) {
    if (tries > 1000) throw new Error('the runtime does not come up');
  }
  return { asked: { url, authorization: AUTHORIZATION }, close };
}

const ask = (url: string): Promise<Response> => fetch(url, { headers: { Authorization: AUTHORIZATION } });
