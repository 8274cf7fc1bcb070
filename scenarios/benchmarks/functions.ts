/** A full page of the Gatekeeper's functions over HTTP, against a bare Hono that gives the same bytes. */
import { type GatekeeperFurnishing, UNFURNISHED } from '../../sim/api/gatekeeper/furnishing.ts';
import { createSimulator } from '../../sim/simulator.ts';
import { loadSimulator } from '../../sim/start.ts';
import type { Benchmark } from './benchmark.ts';
import { besideBareHono, CONNECTIONS, type Server, serving } from './contest.ts';

/** More than one page, as one has 10 unless told otherwise. */
const FUNCTIONS = 25;

export const functions: Benchmark = {
  name: 'functions',
  what: `a page of 10 of the Gatekeeper's ${FUNCTIONS} functions, ${CONNECTIONS} connections, beside bare hono + node-server`,
  bar: '40 % of the requests of bare hono a second',
  run: async () => besideBareHono(await startStandIn(), { atLeast: 0.4 }),
};

async function startStandIn(): Promise<Server> {
  const furnishing = manyFunctions((await loadSimulator()).world.furnishing);
  const simulator = createSimulator({ furnish: () => furnishing });
  const { origin, close } = await serving((request) => simulator.answer(request));
  const body = JSON.stringify(furnishing.users[0]);
  const { token } = (await (await fetch(`${origin}/api/v2/sessions`, { method: 'POST', body })).json()) as Login;
  return { asked: { url: `${origin}/api/v2/functions`, authorization: `Bearer ${token.access_token}` }, close };
}

interface Login {
  readonly token: { readonly access_token: string };
}

/** The users of a furnishing, and its first function under many names. */
function manyFunctions({ users, functions: [first] }: GatekeeperFurnishing): GatekeeperFurnishing {
  if (first === undefined) throw new Error('the default world has no function');
  const functions = Array.from({ length: FUNCTIONS }, (_, i) => ({
    ...first,
    uuid: `${first.uuid.slice(0, -12)}${String(i).padStart(12, '0')}`,
    descriptor: { ...first.descriptor, name: `${first.descriptor.name}-${i}` },
  }));
  return { ...UNFURNISHED, users, functions };
}
