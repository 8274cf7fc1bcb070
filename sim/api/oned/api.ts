/** OpenNebula's XML-RPC interface, over the fake OpenNebula. Mirrors oned's RequestManager, and the server of XML-RPC for C/C++ that carries it. */
import { type Context, Hono } from 'hono';
import { nearest } from '../../kernel/nearest.ts';
import { remembered } from '../../kernel/remembered.ts';
import type { Metrics } from '../../metrics/metrics.ts';
import type { Cloud } from '../../one/cloud.ts';
import { ERROR_NUMBERS, OneError } from '../../one/error.ts';
import type { Method } from '../../one/operations.ts';
import type { Refuse } from '../breakage.ts';
import { BodyTooLarge, type Edge, type Note, noting, readBody } from '../edge.ts';
import { KnownPaths } from '../known-paths.ts';
import { plainAnswer } from '../plain.ts';
import { documentText } from './encoding.ts';
import { SYSTEM_METHODS } from './introspection.ts';
import { METHODS, type Row } from './methods.ts';
import { errorPage } from './pages.ts';
import { parameters, requireString, signature } from './parameters.ts';
import { UNSIMULATED } from './unsimulated.ts';
import { type Call, decodeCall, encodeAnswer, FAULT_CODES, Fault, type Value } from './xmlrpc.ts';

/** What the API needs of a world. */
export interface OnedWorld {
  readonly cloud: Cloud;
  readonly metrics: Metrics;
  /** Largest body that is read, in bytes. */
  readonly bodyLimit: number;
}

type Env = { Bindings: Edge };

export function onedApi(world: OnedWorld): Hono<Env> {
  const app = new Hono<Env>({ router: new KnownPaths() });

  app.all('/RPC2', async (c) => {
    if (c.req.raw.method !== 'POST') return errorPage(405, 'POST is the only HTTP method this server understands');
    let body: Uint8Array;
    try {
      body = await readBody(c.req.raw, world.bodyLimit);
    } catch (error) {
      if (!(error instanceof BodyTooLarge)) throw error;
      const limit = `Max allowed is ${world.bodyLimit} bytes`;
      return xml(new Fault(FAULT_CODES.LIMIT_EXCEEDED, `XML-RPC request too large.  ${limit}`));
    }
    if (body.byteLength === 0) {
      return errorPage(400, 'According to your content-length HTTP header, your request is empty (zero length)');
    }
    return world.cloud.clock.because(causeOf(c), () => answer(world, body));
  });

  app.notFound((c) => errorPage(404, noSuchPath(c.req.path)));

  app.onError((error) => {
    throw error;
  });

  return app;
}

/** A test may leave it out. */
const causeOf = (c: Context<Env>): number => c.env?.cause ?? 0;

const XML_HEADERS = { 'Content-type': 'text/xml; charset=utf-8' };

const xml = (value: Value | Fault): Response => plainAnswer(200, encodeAnswer(value), XML_HEADERS);

/** How oned refuses what a fault refuses: in the answer to the call, whose HTTP status is 200. */
export const onedRefuses: Refuse = (status, message, { operations }) => {
  const text = `[${operations[0]}] ${message}`;
  return xml([false, text, ERROR_NUMBERS[REFUSED_BY_STATUS[status] ?? 'INTERNAL'], -1, -1n]);
};

const REFUSED_BY_STATUS: Readonly<Record<number, OneError['code']>> = {
  400: 'XML_RPC_API',
  401: 'AUTHENTICATION',
  403: 'AUTHORIZATION',
  404: 'NO_EXISTS',
  409: 'ACTION',
  423: 'ACTION',
};

const noSuchPath = (path: string): string =>
  'This XML-RPC For C/C++ Abyss XML-RPC server responds to only one URI path.  ' +
  `I don't know what URI path that is, but it's not the one you requested: '${path}'.  (Typically, it's '/RPC2')`;

/** Clients that wait for something ask the same over and over. @throws Fault */
const callOf = remembered(decodeCall);

function answer(world: OnedWorld, body: Uint8Array): Response {
  let call: Call | undefined;
  try {
    call = callOf(documentText(body));
    const value = dispatch(world, call);
    return noting(xml(value), noteOfCall(call, refusalIn(value)));
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return call === undefined ? xml(error) : noting(xml(error), noteOfCall(call, `fault ${error.code}`));
  }
}

/** The protocol says in the body who calls what, and answers with 200 whatever comes of it. */
function noteOfCall({ method, params: [session] }: Call, error: string | undefined): Note {
  const user = typeof session === 'string' ? session.slice(0, Math.max(0, session.indexOf(':'))) : '';
  return { operation: method, user, ...(error === undefined ? {} : { error }) };
}

function refusalIn(value: Value): string | undefined {
  if (!Array.isArray(value) || value[0] !== false) return undefined;
  return ERROR_NAMES.get(value[2] as number);
}

const ERROR_NAMES = new Map<number, string>(Object.entries(ERROR_NUMBERS).map(([name, number]) => [number, name]));

/** @throws Fault */
function dispatch(world: OnedWorld, call: Call): Value {
  const { method, params } = call;
  const system = SYSTEM_METHODS.get(method);
  if (system !== undefined) return system(params, (inner) => dispatch(world, inner));
  if (!isMethod(method)) {
    const known = UNSIMULATED.has(method);
    const meant = known ? undefined : nearest(method, [...Object.keys(METHODS), ...SYSTEM_METHODS.keys()]);
    const hint = meant === undefined ? '' : signatureOf(meant);
    const problem = known ? 'a method of OpenNebula that is not simulated' : 'no such method';
    world.cloud.journal.append('misuse', method, { problem, meant: hint });
    throw new Fault(FAULT_CODES.NO_SUCH_METHOD, `Method '${method}' not defined`);
  }
  try {
    return perform(world, method, params);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    world.cloud.journal.append('misuse', method, { problem: error.message, meant: signatureOf(method) });
    throw error;
  }
}

const isMethod = (name: string): name is Method => Object.hasOwn(METHODS, name);

const signatureOf = (name: string): string => (isMethod(name) ? signature(name, METHODS[name].takes) : name);

/** Authenticates, then looks at the parameters, as oned does. @throws Fault */
function perform({ cloud, metrics }: OnedWorld, method: Method, params: readonly Value[]): Value {
  const { takes, gives } = METHODS[method] as Row<unknown>;
  const session = requireString(params, 0);
  try {
    const caller = cloud.authenticate(session, method);
    const taken = parameters(params, takes, caller.admin);
    const run = cloud.run as (...args: unknown[]) => unknown;
    const result = run.call(cloud, caller, method, ...taken);
    return [true, gives(result, { cloud, metrics, params: taken }), 0];
  } catch (error) {
    if (!(error instanceof OneError)) throw error;
    return [false, error.message, ERROR_NUMBERS[error.code], error.objectId, -1n];
  }
}
