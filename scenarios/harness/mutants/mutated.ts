/** What seeded bugs are made of: a door that answers otherwise, and a method of one world that does otherwise. */
import type { Simulator, World } from '../../../sim/index.ts';
import type { Wrap } from '../transport.ts';

/** A door behind which a world is not what it was. */
export const mutated =
  (change: (world: World) => void): Wrap =>
  (simulator) => {
    change(simulator.world);
    return (request) => simulator.fetch(request);
  };

export function patch<T extends object, K extends keyof T>(
  object: T,
  method: K,
  instead: (original: T[K]) => T[K],
): void {
  const original = object[method];
  if (typeof original !== 'function') throw new Error(`${String(method)} is no method`);
  Object.defineProperty(object, method, { value: instead(original.bind(object)) });
}

// ---- at the door --------------------------------------------------------------------------------------------------

type Fields = Record<string, unknown>;
type Door = (request: Request) => Promise<Response>;
/** What a request is about, before it is sent. */
interface Plea {
  readonly request: Request;
  readonly method: string;
  readonly path: string;
  readonly id: number;
  readonly body: string;
  readonly door: Door;
  readonly simulator: Simulator;
}
type Bug = (plea: Plea) => Promise<Response>;

/** A bug in what one kind of request does; `bug` makes a new one for each world. */
export function on(methods: string, bug: (simulator: Simulator) => Bug): Wrap {
  return (simulator) => {
    const door: Door = (request) => simulator.fetch(request);
    const act = bug(simulator);
    return async (request) => {
      const { pathname: path } = new URL(request.url);
      if (!path.startsWith('/serverless-runtimes') || !methods.split(' ').includes(request.method))
        return door(request);
      const body = request.method === 'GET' ? '' : await request.clone().text();
      return act({ request, method: request.method, path, id: Number(path.split('/')[2]), body, door, simulator });
    };
  };
}

/** A bug in what is answered. */
export const answering = (methods: string, change: (runtime: Fields, plea: Plea) => void): Wrap =>
  on(methods, () => async (plea) => rewritten(await plea.door(plea.request), (runtime) => change(runtime, plea)));

export async function rewritten(response: Response, change: (runtime: Fields) => void): Promise<Response> {
  if (response.status >= 300 || response.status === 204) return response;
  const content = JSON.parse(await response.text());
  if (content.SERVERLESS_RUNTIME) change(content.SERVERLESS_RUNTIME);
  return new Response(JSON.stringify(content), { status: response.status, headers: response.headers });
}

export const functionsOf = (runtime: Fields): Fields[] =>
  ['FAAS', 'DAAS'].flatMap((name) => (runtime[name] instanceof Object ? [runtime[name] as Fields] : []));

export const vmOf = ({ world }: Simulator, id: number) => world.cloud.vms.find(id);

export const told = (status: number, error: string): Response =>
  Response.json(
    { error, message: '' },
    { status, headers: { 'Content-Type': 'application/json', 'X-Content-Type-Options': 'nosniff' } },
  );
export const missing = (): Response => told(404, 'Serverless Runtime not found');

export const ADMIN = `Basic ${Buffer.from('oneadmin:opennebula').toString('base64')}`;
export const OWNER = `Basic ${Buffer.from('alice:alice').toString('base64')}`;

export function again({ request, method, body }: Plea, authorization: string, other = body): Request {
  const headers = { Authorization: authorization, 'Content-Type': 'application/json' };
  return new Request(request.url, { method, headers, ...(method === 'GET' ? {} : { body: other }) });
}
