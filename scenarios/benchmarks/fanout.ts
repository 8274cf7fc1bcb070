/** Live monitoring: thousands of WebSocket clients over the network, each with a stream of its own, in real time. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FunctionInstance } from '../../sim/api/gatekeeper/furnishing.ts';
import { UNFURNISHED } from '../../sim/api/gatekeeper/furnishing.ts';
import { hostEpochMs } from '../../sim/kernel/pace.ts';
import type { Cloud } from '../../sim/one/cloud.ts';
import { addHost } from '../../sim/one/resources/host.ts';
import { createSimulator } from '../../sim/simulator.ts';
import type { Benchmark, Result } from './benchmark.ts';

const TICK_MS = 3000;
const TICKS = 8;

const FUNCTION = '39cfccd6-9475-4e99-aa88-9a2066ac3976';
const USER = { username: 'sonata', password: '1234', types: ['admin'] as const };

const uuid = (group: string, n: number): string => `${group.repeat(8)}-0000-4000-8000-${String(n).padStart(12, '0')}`;

/** So many clients, and the figures that they have to reach besides missing no frame. */
interface Crowd {
  readonly clients: number;
  readonly latenessMs?: number;
  readonly megabytes?: number;
}

export const fanout = benchmark('fanout', { clients: 1000 }, 'no tick missed');

export const subscribers = benchmark(
  'subscribers',
  { clients: 5000, latenessMs: 250, megabytes: 300 },
  'no tick missed, 99 % of the frames at most 250 ms late, at most 300 MB',
);

function benchmark(name: string, crowd: Crowd, bar: string): Benchmark {
  const { clients } = crowd;
  const what = `${clients.toLocaleString('en')} WebSocket clients, the clients in a process of their own, ${TICKS} ticks of ${TICK_MS / 1000} s`;
  return { name, what, bar, run: () => run(crowd) };
}

async function run(crowd: Crowd): Promise<Result[]> {
  const { clients } = crowd;
  const simulator = createSimulator({ factor: 1, furnish: (cloud) => furnish(cloud, clients) });
  // Simulated time began when the world was ready, and passes as the host's does.
  const ahead = simulator.world.clock.now - hostEpochMs();
  const now = (): number => hostEpochMs() + ahead;
  const server = createServer();
  server.on('upgrade', (request, socket, head) => simulator.upgrade(request, socket, head));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;

  const urls = await openStreams((request) => simulator.fetch(request), `127.0.0.1:${port}`, clients);
  // Loaded here, so that it is a file of its own in the built form, too: it is started as a process.
  const { Audience } = await import('./audience.ts');
  const audience = new Audience();
  await audience.connect(urls, TICK_MS, ahead);
  const cpuBefore = process.cpuUsage();
  // Whole ticks only: from the first that all are there for.
  const first = Math.floor(now() / TICK_MS) + 1;
  await passed((first + TICKS) * TICK_MS - TICK_MS / 2 - now());
  const cpu = process.cpuUsage(cpuBefore);
  const late = await audience.lateness(first, TICKS);
  const bytes = process.memoryUsage().rss;
  audience.close();
  simulator.close();
  server.close();
  return resultsOf(crowd, late, { cpuMs: (cpu.user + cpu.system) / 1000 / TICKS, bytes });
}

interface Spent {
  readonly cpuMs: number;
  readonly bytes: number;
}

function resultsOf({ clients, latenessMs, megabytes }: Crowd, late: number[], { cpuMs, bytes }: Spent): Result[] {
  late.sort((a, b) => a - b);
  const quantile = (share: number): number => late[Math.floor(share * (late.length - 1))] ?? Number.NaN;
  return [
    { figure: 'frames, of those due', measured: late.length / (TICKS * clients), unit: '×', bar: { atLeast: 1 } },
    { figure: 'lateness, median', measured: quantile(0.5), unit: 'ms', bar: null },
    { figure: 'lateness, 99 %', measured: quantile(0.99), unit: 'ms', bar: atMost(latenessMs) },
    { figure: 'lateness, worst', measured: quantile(1), unit: 'ms', bar: null },
    { figure: 'CPU of the server, a tick', measured: cpuMs, unit: 'ms', bar: null },
    { figure: 'memory of the server', measured: bytes / 2 ** 20, unit: 'MB', bar: atMost(megabytes) },
  ];
}

const atMost = (figure: number | undefined): Result['bar'] => (figure === undefined ? null : { atMost: figure });

/** A function of which every subscriber watches another instance. */
function furnish(cloud: Cloud, clients: number) {
  addHost(cloud, { name: 'host0', cpu: 100 * clients, memKb: 2 ** 20 * clients });
  const descriptor = { vendor: 'eu.sonata-nfv', name: 'vtc-vnf', version: '0.1', descriptor_version: 'vnfd-schema-01' };
  const uploaded = { username: null, status: 'active', md5: '0'.repeat(32), createdAt: 0, updatedAt: 0 } as const;
  return {
    ...UNFURNISHED,
    users: [USER],
    functions: [{ uuid: FUNCTION, ...uploaded, descriptor }],
    instances: Array.from({ length: clients }, (_, n) => instance(cloud, n)),
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

async function openStreams(
  fetch: (request: Request) => Promise<Response>,
  host: string,
  clients: number,
): Promise<string[]> {
  const login = await fetch(new Request(`http://${host}/sessions`, { method: 'POST', body: JSON.stringify(USER) }));
  const { token } = (await login.json()) as { token: { access_token: string } };
  const headers = { Authorization: `bearer ${token.access_token}` };
  return Promise.all(
    Array.from({ length: clients }, async (_, n) => {
      const path = `/functions/metrics/${uuid('a', n)}/vdu01/${uuid('b', n)}/synch-mon-data?metrics=vm_cpu_perc`;
      const answer = await fetch(new Request(`http://${host}${path}`, { headers }));
      return ((await answer.json()) as { ws_url: string }).ws_url;
    }),
  );
}

const passed = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
