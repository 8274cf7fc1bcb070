/** `one.vm.info` over HTTP, against a bare Hono that gives the same bytes. The clock stands still, and so does what is shown. */
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { encodeCall } from '../../sim/api/oned/xmlrpc.ts';
import type { Benchmark } from './benchmark.ts';
import { besideBareHono, CONNECTIONS, type Server } from './contest.ts';
import { roomFor, Tenant } from './crowd.ts';

export const vmInfo: Benchmark = {
  name: 'vm-info',
  what: `one.vm.info of a VM that runs, over HTTP, ${CONNECTIONS} connections, beside bare hono + node-server`,
  bar: '30 % of the requests of bare hono a second',
  run: async () => besideBareHono(await startStandIn(), { atLeast: 0.3 }),
};

async function startStandIn(): Promise<Server> {
  const simulator = roomFor(1);
  const tenant = new Tenant(simulator);
  await tenant.create();
  tenant.settle();
  tenant.requireRunning(1);
  const server = serve({ fetch: (request) => simulator.fetch(request), hostname: '127.0.0.1', port: 0 });
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  const body = encodeCall({ method: 'one.vm.info', params: ['oneadmin:opennebula', 0] });
  const asked = { url: `http://127.0.0.1:${port}/RPC2`, body };
  return { asked, close: () => new Promise((resolve) => server.close(resolve)) };
}
