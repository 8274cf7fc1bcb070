/** `one.vm.info` over HTTP, against a bare Hono that gives the same bytes. The clock stands still, and so does what is shown. */
import { encodeCall } from '../../sim/api/oned/xmlrpc.ts';
import type { Benchmark } from './benchmark.ts';
import { besideBareHono, CONNECTIONS, type Server, serving } from './contest.ts';
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
  const { origin, close } = await serving((request) => simulator.answer(request));
  const body = encodeCall({ method: 'one.vm.info', params: ['oneadmin:opennebula', 0] });
  return { asked: { url: `${origin}/RPC2`, body }, close };
}
