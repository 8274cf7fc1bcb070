/**
 * A soak: `npm run soak [minutes]`. A large cloud lives on at sixty times the host's pace, over the network, with clients that
 * come and go and faults of every layer that come and go as well; the heap has to stay flat. Prints a line a minute.
 */
import { request as ask } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { Random } from '../../sim/kernel/random.ts';
import { serverFor } from '../../sim/net/listen.ts';
import { CLOUD_DEFAULTS } from '../../sim/one/cloud.ts';
import { AUTHORIZATION, REQUEST, roomFor, Tenant } from './crowd.ts';

const VMS = 10_000;
const FACTOR = 60;
const CLIENTS = 20;
/** Of the host's time. */
const FAULT_EVERY_MS = 2_000;
const PAUSE_MS = 100;
/** Largest growth of the heap from the second quarter of the time to the last, as a share. */
const FLAT = 0.05;

const VC_ID = '00000000-0000-4000-8000-000000000001';

const minutes = Number(process.argv[2] ?? 60);
const chance = new Random(1).stream('soak');
const print = (line: string): boolean => process.stdout.write(`${line}\n`);

/** What goes wrong, one after the other; each for a while or a number of times. */
const FAULTS: readonly object[] = [
  { selector: { layer: 'vm', operation: 'deploy' }, effect: { do: 'fail', message: 'No KVM' }, budget: { hits: 3 } },
  { selector: { layer: 'vm', operation: 'shutdown' }, effect: { do: 'stick' }, budget: { hits: 2 } },
  { selector: { layer: 'vm', operation: 'prolog' }, effect: { do: 'delay', ms: 60_000 }, budget: { hits: 5 } },
  { selector: { layer: 'host', host: 'host1' }, effect: { do: 'down' }, budget: { forMs: 90_000 } },
  { selector: { layer: 'host', host: 'host0' }, effect: { do: 'degraded', factor: 3 }, budget: { forMs: 120_000 } },
  { selector: { layer: 'api', api: 'engine' }, effect: { do: 'answer', status: 503 }, budget: { hits: 20 } },
  { selector: { layer: 'api', api: 'engine' }, effect: { do: 'done-but-failed' }, budget: { hits: 3 } },
  { selector: { layer: 'api', api: 'engine' }, effect: { do: 'stale-read', reads: 2 }, budget: { hits: 20 } },
  { selector: { layer: 'transport', api: 'engine' }, effect: { do: 'reset' }, budget: { hits: 10 } },
  { selector: { layer: 'transport', api: 'engine' }, effect: { do: 'hang' }, budget: { hits: 3 } },
  {
    selector: { layer: 'transport', api: 'engine' },
    effect: { do: 'slow-body', bytesPerS: 1000 },
    budget: { hits: 5 },
  },
  { selector: { layer: 'metrics', metric: 'vm_cpu_perc' }, effect: { do: 'gap' }, budget: { forMs: 60_000 } },
  { selector: { layer: 'websocket' }, effect: { do: 'drop' }, budget: { hits: 10 } },
  { selector: { layer: 'websocket' }, effect: { do: 'close' }, budget: { hits: 1 } },
];

const simulator = roomFor(2 * VMS);
const tenant = new Tenant(simulator);
for (let made = 0; made < VMS; made += 100) {
  for (let i = 0; i < 100; i++) await tenant.create();
  tenant.settle();
}
tenant.requireRunning(VMS);
// The cloud keeps so many VMs that are gone; from here on their number does not grow.
for (let gone = 0; gone < CLOUD_DEFAULTS.doneKept; gone++) await tenant.cycle();
// One that the streams show.
const { cloud } = simulator.world;
cloud.run(cloud.root, 'one.vm.allocate', `CPU=1 MEMORY=64 VNF_NAME=soaked VC_ID=${VC_ID}`);
tenant.settle();
const server = serverFor({ fetch: simulator.answer, upgrade: simulator.upgrade });
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const { port } = server.address() as AddressInfo;
simulator.world.pace.set(FACTOR);

const end = performance.now() + minutes * 60_000;
const going = (): boolean => performance.now() < end;
const counts = { answers: 0, broken: 0, runtimes: 0, faults: 0, frames: 0 };

/** Status and body of an answer; undefined when none came, or too late. */
function asked(method: string, path: string, body?: string): Promise<{ status: number; text: string } | undefined> {
  return new Promise((resolve) => {
    const lost = (): void => {
      counts.broken++;
      resolve(undefined);
    };
    const content = body === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': body.length };
    const headers = { Authorization: AUTHORIZATION, ...content };
    const sent = ask({ port, host: '127.0.0.1', method, path, headers, timeout: 5_000, agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      response.on('error', lost);
      response.on('end', () => {
        counts.answers++;
        resolve({ status: response.statusCode ?? 0, text });
      });
    });
    sent.on('error', lost);
    sent.on('timeout', () => sent.destroy());
    sent.end(body);
  });
}

/** Makes a runtime, looks at it for a while, and takes it away: at least as long as somebody answers. */
async function client(): Promise<void> {
  while (going()) {
    const made = await asked('POST', '/serverless-runtimes', REQUEST);
    const id = made?.status === 201 ? /"ID":(\d+)/.exec(made.text)?.[1] : undefined;
    if (id === undefined) {
      await wait(PAUSE_MS);
      continue;
    }
    counts.runtimes++;
    for (let i = 0; i < 5; i++) {
      await asked('GET', `/serverless-runtimes/${id}`);
      await wait(PAUSE_MS);
    }
    for (let i = 0; i < 50 && (await asked('DELETE', `/serverless-runtimes/${id}`))?.status !== 204; i++) {
      await wait(PAUSE_MS * 10);
    }
  }
}

/** Reads the live stream of every metric until it breaks, and begins again. */
async function watcher(): Promise<void> {
  while (going()) {
    const made = await asked(
      'POST',
      '/monitoring/api/v1/ws/new',
      `{"metric":"vm_cpu_perc","filters":["id='${VC_ID}'"]}`,
    );
    const url = made?.status === 200 ? /"ws_url":"(ws[^"]*)"/.exec(made.text)?.[1] : undefined;
    if (url === undefined) await wait(PAUSE_MS * 10);
    else {
      const socket = new WebSocket(url);
      socket.on('message', () => counts.frames++);
      socket.on('error', () => {});
      const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
      await Promise.race([closed, wait(30_000)]);
      socket.terminate();
    }
  }
}

async function breaker(): Promise<void> {
  for (let n = 0; going(); n++) {
    const fault = FAULTS[Math.floor(chance(0, n) * FAULTS.length)];
    const armed = await asked('POST', '/_onesim/faults', JSON.stringify(fault));
    await wait(FAULT_EVERY_MS);
    const id = /"id":"(\w+)"/.exec(armed?.text ?? '')?.[1];
    if (armed?.status === 201) counts.faults++;
    if (id !== undefined) await asked('DELETE', `/_onesim/faults/${id}`);
  }
}

/** In MB, after all garbage has been collected. */
function heap(): number {
  global.gc?.();
  return process.memoryUsage().heapUsed / 1e6;
}

async function observer(): Promise<number[]> {
  const heaps: number[] = [];
  const from = simulator.world.clock.now;
  while (going()) {
    await wait(Math.min(60_000, Math.max(1, end - performance.now())));
    heaps.push(heap());
    const { clock } = simulator.world;
    const hours = ((clock.now - from) / 3_600_000).toFixed(1);
    const said = Object.entries(counts).map(([what, count]) => `${count} ${what}`);
    print(`${hours} h simulated  heap ${heaps.at(-1)?.toFixed(1)} MB  ${cloud.vms.size} VMs  ${said.join(', ')}`);
  }
  return heaps;
}

const [heaps] = await Promise.all([observer(), breaker(), watcher(), ...Array.from({ length: CLIENTS }, client)]);
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const quarter = Math.max(1, Math.floor(heaps.length / 4));
const [early, late] = [mean(heaps.slice(quarter, 2 * quarter)), mean(heaps.slice(-quarter))];
const growth = late / early - 1;
const defects = [...simulator.world.journal.since()].filter(({ kind }) => kind === 'defect').length;
print(
  `heap from ${early.toFixed(1)} to ${late.toFixed(1)} MB: ${(growth * 100).toFixed(1)} % (at most ${FLAT * 100} %)`,
);
print(`${defects} defects in the journal`);
process.exit(growth <= FLAT && defects === 0 ? 0 : 1);
