/** Live monitoring: a thousand WebSocket clients over the network, each with a stream of its own, in real time. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocket } from 'ws';
import type { FunctionInstance } from '../../sim/api/gatekeeper/furnishing.ts';
import { UNFURNISHED } from '../../sim/api/gatekeeper/furnishing.ts';
import { hostEpochMs } from '../../sim/kernel/pace.ts';
import type { Cloud } from '../../sim/one/cloud.ts';
import { addHost } from '../../sim/one/resources/host.ts';
import { createSimulator } from '../../sim/simulator.ts';
import type { Benchmark, Result } from './benchmark.ts';

const SUBSCRIBERS = 1000;
const TICK_MS = 3000;
const TICKS = 8;

const FUNCTION = '39cfccd6-9475-4e99-aa88-9a2066ac3976';
const USER = { username: 'sonata', password: '1234', types: ['admin'] as const };

const uuid = (group: string, n: number): string => `${group.repeat(8)}-0000-4000-8000-${String(n).padStart(12, '0')}`;

export const fanout: Benchmark = {
  name: 'fanout',
  what: `${SUBSCRIBERS.toLocaleString('en')} WebSocket clients, server and clients in one process, ${TICKS} ticks of ${TICK_MS / 1000} s`,
  bar: 'no tick missed',
  async run() {
    const simulator = createSimulator({ factor: 1, furnish });
    // Simulated time began when the world was ready, and passes as the host's does.
    const ahead = simulator.world.clock.now - hostEpochMs();
    const now = (): number => hostEpochMs() + ahead;
    const server = createServer();
    server.on('upgrade', (request, socket, head) => simulator.upgrade(request, socket, head));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;

    const bytesBefore = process.memoryUsage().rss;
    const urls = await openStreams((request) => simulator.fetch(request), `127.0.0.1:${port}`);
    const arrivals = new Map<number, number[]>();
    const sockets = await Promise.all(urls.map((url) => subscribe(url, now, arrivals)));
    // Whole ticks only: from the first that all are there for.
    const first = Math.floor(now() / TICK_MS) + 1;
    await passed((first + TICKS) * TICK_MS - TICK_MS / 2 - now());
    const bytes = process.memoryUsage().rss - bytesBefore;
    const late = Array.from({ length: TICKS }, (_, n) => arrivals.get(first + n) ?? []).flat();
    for (const socket of sockets) socket.terminate();
    simulator.close();
    server.close();
    return resultsOf(late, bytes);
  },
};

function resultsOf(late: number[], bytes: number): Result[] {
  late.sort((a, b) => a - b);
  const quantile = (share: number): number => late[Math.floor(share * (late.length - 1))] ?? Number.NaN;
  return [
    { figure: 'frames, of those due', measured: late.length / (TICKS * SUBSCRIBERS), unit: '×', bar: { atLeast: 1 } },
    { figure: 'lateness, median', measured: quantile(0.5), unit: 'ms', bar: null },
    { figure: 'lateness, 99 %', measured: quantile(0.99), unit: 'ms', bar: null },
    { figure: 'lateness, worst', measured: quantile(1), unit: 'ms', bar: null },
    { figure: 'memory, clients included', measured: bytes / 2 ** 20, unit: 'MB', bar: null },
  ];
}

/** A function of which every subscriber watches another instance. */
function furnish(cloud: Cloud) {
  addHost(cloud, { name: 'host0', cpu: 100 * SUBSCRIBERS, memKb: 2 ** 20 * SUBSCRIBERS });
  const descriptor = { vendor: 'eu.sonata-nfv', name: 'vtc-vnf', version: '0.1', descriptor_version: 'vnfd-schema-01' };
  const uploaded = { username: null, status: 'active', md5: '0'.repeat(32), createdAt: 0, updatedAt: 0 } as const;
  return {
    ...UNFURNISHED,
    users: [USER],
    functions: [{ uuid: FUNCTION, ...uploaded, descriptor }],
    instances: Array.from({ length: SUBSCRIBERS }, (_, n) => instance(cloud, n)),
  };
}

function instance(cloud: Cloud, n: number): FunctionInstance {
  const vcId = uuid('b', n);
  const text = `NAME=vtc-${n} CPU=1 VCPU=1 MEMORY=512 VNF_NAME=vtc-vnf VC_ID=${vcId}`;
  const vmId = cloud.run(cloud.root, 'one.vm.allocate', text);
  cloud.driver.adopt(cloud.vms.get(vmId), cloud.hosts.get(0), cloud.clock.now - 3_600_000);
  const vdus = [{ id: 'vdu01', vnfcs: [{ id: '0', vcId, vmId }] }];
  return { uuid: uuid('a', n), functionUuid: FUNCTION, createdAt: 0, vdus };
}

async function openStreams(fetch: (request: Request) => Promise<Response>, host: string): Promise<string[]> {
  const login = await fetch(new Request(`http://${host}/sessions`, { method: 'POST', body: JSON.stringify(USER) }));
  const { token } = (await login.json()) as { token: { access_token: string } };
  const headers = { Authorization: `bearer ${token.access_token}` };
  return Promise.all(
    Array.from({ length: SUBSCRIBERS }, async (_, n) => {
      const path = `/functions/metrics/${uuid('a', n)}/vdu01/${uuid('b', n)}/synch-mon-data?metrics=vm_cpu_perc`;
      const answer = await fetch(new Request(`http://${host}${path}`, { headers }));
      return ((await answer.json()) as { ws_url: string }).ws_url;
    }),
  );
}

/** Connects, and from then on notes by how much each frame is late, by tick. */
function subscribe(url: string, now: () => number, arrivals: Map<number, number[]>): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url);
    socket.on('error', reject);
    socket.on('message', (frame) => {
      const time = now();
      if (String(frame).startsWith('{"Status"')) {
        resolve(socket);
        return;
      }
      const tick = Math.floor(time / TICK_MS);
      const late = arrivals.get(tick) ?? [];
      late.push(time - tick * TICK_MS);
      arrivals.set(tick, late);
    });
  });
}

const passed = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
