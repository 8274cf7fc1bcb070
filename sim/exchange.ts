/**
 * A request and what becomes of it: the API that has its path answers, unless a fault stands between; the journal and the log
 * are told.
 */
import type { Breakage, Broken, Refuse } from './api/breakage.ts';
import { SNAPSHOT_PATH } from './api/control/state.ts';
import { BodyCutShort, type Edge, noteOf } from './api/edge.ts';
import { METHODS } from './api/oned/methods.ts';
import type { Progress } from './api/progress.ts';
import { hintOf, routeOf, templateOf, unmatched } from './api/unmatched.ts';
import { WorldOver } from './kernel/held.ts';
import { hostEpochMs } from './kernel/pace.ts';
import { remembered } from './kernel/remembered.ts';
import { attempt, type Soon, whenThere } from './kernel/soon.ts';
import type { World } from './simulator.ts';

/** A request and what became of it. */
export interface Exchange {
  readonly api: string;
  readonly method: string;
  readonly path: string;
  readonly user: string;
  readonly status: number;
  /** Simulated milliseconds since the Unix epoch, at the answer. */
  readonly at: number;
  /** The sandbox in which it was; absent in the main world. */
  readonly sandbox?: string;
  /** What was probably meant, when no route takes the request. */
  readonly hint?: string;
}

/** An API of a world, and the paths that are its. */
export interface Api {
  readonly name: string;
  readonly owns: (path: string) => boolean;
  readonly app: {
    fetch(request: Request, edge: Edge): Soon<Response>;
    readonly routes: readonly { readonly method: string; readonly path: string }[];
  };
  /** Refuses in its own words; an API without is not broken by faults. */
  readonly refuse?: Refuse;
}

/** What an API can be asked for, or any of them, as faults name it: `METHOD /path`, or the name of an XML-RPC method. */
export const operationsOf = (apis: readonly Api[], name: string | undefined): string[] =>
  apis
    .filter((api) => api.refuse !== undefined && (name === undefined || api.name === name))
    .flatMap(({ name, app }) => [
      ...(name === 'oned' ? Object.keys(METHODS) : []),
      ...app.routes.filter(({ method, path }) => method !== 'ALL' && !path.includes('*')).map(templateOf),
    ]);

/** An encoded slash separates segments too, as the real servers have it. */
const slashed = (path: string): string => path.replace(/%2f/gi, '/');

/** Which API answers: the first that owns the path, or the one that is named, whatever the path. */
export type Directory = (path: string, only?: string) => Api;

export function directoryOf(apis: readonly Api[]): Directory {
  const owner = remembered((path) => apis.find(({ owns }) => owns(slashed(path))) as Api);
  return (path, only) => (only === undefined ? owner(path) : (apis.find(({ name }) => name === only) as Api));
}

/** A world, and what leads to it. */
interface Reached {
  readonly world: World;
  readonly directory: Directory;
  readonly breakage: Breakage;
  readonly progress: Progress;
}

/** @param only the API that answers whatever the path */
export function answer(reached: Reached, request: Request, only?: string): Soon<Response> {
  const { world, directory, breakage, progress } = reached;
  const caughtUp = world.pace.catchUp();
  const ready = progress.isOn ? whenThere(caughtUp, () => progressed(progress, request)) : caughtUp;
  return whenThere(ready, () => {
    const { clock, journal, pace, config } = world;
    const { method } = request;
    const path = pathOf(request.url);
    const api = directory(path, only);
    const { name, app, refuse } = api;
    const user = userOf(request);
    const note = (): number => journal.append('request', path, { api: name, method, user });
    // Nothing happens in a world by its being read and replaced; to be refused is to be noted all the same.
    const isAside = name === 'control' && slashed(path) === SNAPSHOT_PATH;
    let cause = isAside ? 0 : note();
    const failed = (error: unknown): Response => {
      if (error instanceof BodyCutShort) return new Response(null, { status: 400 });
      if (error instanceof WorldOver) return Response.json({ error: error.message }, { status: 503 });
      // A mistake of ours: the client is told so, the journal keeps what happened, and the server goes on.
      const message = error instanceof Error ? error.message : String(error);
      clock.because(cause, () => journal.append('defect', path, { message }));
      return Response.json({ error: 'Internal error of the simulator', message }, { status: 500 });
    };
    const answered =
      refuse === undefined || breakage.idle
        ? attempt(() => app.fetch(request, { cause }), failed)
        : attempt(async () => {
            const broken = await brokenOf(api, request, { api: name, method, path, user, cause });
            const serve = (each: Request, because: number): Soon<Response> =>
              attempt(() => app.fetch(each, { cause: because }), failed);
            return breakage.around(broken, request, serve, refuse);
          }, failed);
    return whenThere(answered, (response) => {
      const { status } = response;
      // Where the host's time moves ours, the journal keeps both.
      const said = pace.factor > 0 ? { status, hostMs: hostEpochMs() } : { status };
      const detail = name === 'oned' ? { ...said, ...noteOf(response) } : said;
      if (isAside && status >= 400) cause = note();
      if (cause > 0) clock.because(cause, () => journal.append('answer', path, detail));
      const exchange = { api: name, method, path, user, status, at: clock.now };
      const missed = MISSED.has(status) ? unmatched(app.routes, method, slashed(path)) : undefined;
      if (missed !== undefined) clock.because(cause, () => journal.append('unmatched', path, { method, ...missed }));
      config.onAnswer(missed === undefined ? exchange : { ...exchange, hint: hintOf(missed) });
      return response;
    });
  });
}

/** What is read may have to move first; of an XML-RPC call its name says whether it reads. */
async function progressed(progress: Progress, request: Request): Promise<void> {
  const path = pathOf(request.url);
  if (path.startsWith('/_onesim')) return;
  const reads =
    path === '/RPC2' ? /<methodName>\s*one\.\w+\.info/.test(await request.clone().text()) : request.method === 'GET';
  if (reads) await progress.read();
}

/** What faults are told of a request. OpenNebula's protocol says in the body who calls what. */
async function brokenOf(
  { name, app }: Api,
  request: Request,
  { api, method, path, user, cause }: Omit<Broken, 'operations'>,
): Promise<Broken> {
  const route = routeOf(app.routes, method, slashed(path));
  const operations = [...(route === undefined ? [] : [templateOf(route)]), `${method} ${path}`];
  if (name !== 'oned') return { api, method, path, user, cause, operations };
  const call = await request.clone().text();
  const [, called] = /<methodName>\s*([\w.]+)/.exec(call) ?? [];
  const [, session = ''] = /<param>\s*<value>\s*(?:<string>)?([^<:]*):/.exec(call) ?? [];
  return {
    api,
    method,
    path,
    user: session,
    cause,
    operations: called === undefined ? operations : [called, ...operations],
  };
}

/** Statuses of an answer to a request that no route takes. */
const MISSED: ReadonlySet<number> = new Set([404, 405]);

const LONG_QUERY = 256;

/** The path of a URL, without its query string. */
function pathOf(url: string): string {
  const start = url.indexOf('/', url.indexOf('://') + 3);
  const end = url.indexOf('?', start);
  if (end < 0) return url.slice(start);
  const path = url.slice(start, end);
  // A slice keeps the whole text in memory; the journal is to keep the path, and not a query string of any length.
  return url.length - end > LONG_QUERY ? Buffer.from(path, 'latin1').toString('latin1') : path;
}

/** Who a request says it comes from; never more of the credentials than the name. */
function userOf(request: Request): string {
  const header = request.headers.get('Authorization');
  return header === null ? '' : userIn(header);
}

const userIn = remembered((authorization) => {
  if (/^bearer /i.test(authorization)) return claimant(authorization.slice(7));
  if (!authorization.startsWith('Basic ')) return '';
  const session = Buffer.from(authorization.slice(6), 'base64').toString('latin1');
  const colon = session.indexOf(':');
  return colon < 0 ? '' : session.slice(0, colon);
});

/** Whom a token names; whether it is right is not asked. */
function claimant(token: string): string {
  try {
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as unknown;
    const { preferred_username: name } = claims as { preferred_username?: unknown };
    return typeof name === 'string' ? name : '';
  } catch {
    return '';
  }
}
