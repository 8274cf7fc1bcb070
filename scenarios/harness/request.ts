/** The request that a step stands for, and those that the harness makes for itself. */
import { remembered } from '../../sim/index.ts';
import type { RequestStep, Specification } from './scenario.ts';
import type { Auth } from './step-parts.ts';
import type { Role } from './trace.ts';

/** `user:password` of each role; a role without any cannot be played. */
export type Credentials = Readonly<Record<Role, string | undefined>>;

/** Those of the worlds that come with onesim. */
export const CREDENTIALS: Credentials = { owner: 'alice:alice', other: 'bob:bob', admin: 'oneadmin:opennebula' };

/** Users of the Gatekeeper of those worlds. */
export const SESSIONS: Credentials = { owner: 'sonata:1234', other: 'demo:demo', admin: undefined };

/** Those of our own worlds, unless others are given: then only they. */
export function credentialsOf(named: Credentials, target: string | undefined, ours = CREDENTIALS): Credentials {
  return target === undefined || named.owner === undefined ? { ...ours, ...defined(named) } : named;
}

const defined = (named: Credentials): Partial<Credentials> =>
  Object.fromEntries(Object.entries(named).filter(([, session]) => session !== undefined));

export interface Plea {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

/** A request that goes out as it is. */
export interface Sent extends Omit<Plea, 'path'> {
  readonly url: string;
  /** How much longer each wait of its handler is to last, in process. */
  readonly waitsMs?: readonly number[];
}

export const requestOf = ({ url, method, headers, body }: Sent): Request => new Request(url, { method, headers, body });

/** @param id of the runtime that the step refers to */
export function pleaOf(step: RequestStep, id: number | null): Plea {
  const path = `/serverless-runtimes/${id}`;
  switch (step.op) {
    case 'create':
      return { method: 'POST', path: '/serverless-runtimes', headers: JSON_BODY, body: bodyOf(step) };
    case 'get':
      return { method: 'GET', path, headers: {}, body: null };
    case 'put':
      return { method: 'PUT', path, headers: JSON_BODY, body: bodyOf(step) };
    case 'delete':
      return { method: 'DELETE', path, headers: {}, body: null };
    case 'schema':
      return { method: 'GET', path: '/serverless-runtimes/schema', headers: {}, body: null };
    case 'version':
    case 'config':
      return { method: 'GET', path: `/server/${step.op}`, headers: {}, body: null };
    case 'request': {
      const { method, headers = {} } = step;
      return { method, path: step.path, headers, body: 'send' in step || 'sendText' in step ? bodyOf(step) : null };
    }
    default:
      return step satisfies never;
  }
}

const JSON_BODY = { 'Content-Type': 'application/json' };

interface Body {
  readonly args?: Specification;
  readonly send?: unknown;
  readonly sendText?: string;
}

function bodyOf(step: Body): string {
  if (step.sendText !== undefined) return step.sendText;
  return JSON.stringify('send' in step ? step.send : { SERVERLESS_RUNTIME: runtimeOf(step.args ?? {}) });
}

/** The runtime as the engine wants it. */
function runtimeOf({ name, faas, daas, scheduling, deviceInfo }: Specification): object {
  const flavoured = (fields: object): object => ({ FLAVOUR: 'Function', ...fields });
  return {
    ...(name === undefined ? {} : { NAME: name }),
    FAAS: flavoured(faas ?? {}),
    ...(daas === undefined ? {} : { DAAS: flavoured(daas) }),
    ...(scheduling === undefined ? {} : { SCHEDULING: scheduling }),
    ...(deviceInfo === undefined ? {} : { DEVICE_INFO: deviceInfo }),
  };
}

/** @param session `user:password` */
export function authorization(session: string, auth: Auth): Readonly<Record<string, string>> {
  switch (auth) {
    case 'good':
      return basic(session);
    case 'wrong':
      return basic(`${session.split(':')[0]}:no such password`);
    case 'scheme':
      return { Authorization: 'Bearer token' };
    case 'none':
      return {};
    default:
      return auth satisfies never;
  }
}

const basic = remembered(
  (session): Readonly<Record<string, string>> => ({
    Authorization: `Basic ${Buffer.from(session).toString('base64')}`,
  }),
);

/** A call of OpenNebula's XML-RPC. */
export function xmlRpc(session: string, method: string, ...params: readonly (string | number)[]): Plea {
  const values = [session, ...params].map((value) =>
    typeof value === 'number' ? `<i4>${value}</i4>` : `<string>${value}</string>`,
  );
  const body = `<?xml version="1.0"?><methodCall><methodName>${method}</methodName><params>${values
    .map((value) => `<param><value>${value}</value></param>`)
    .join('')}</params></methodCall>`;
  return { method: 'POST', path: '/RPC2', headers: { 'Content-Type': 'text/xml' }, body };
}

/**
 * How the same request is made with curl.
 * @param identified who asks, as flags
 */
export function curl(
  target: string,
  { method, path, body }: Omit<Plea, 'headers'>,
  identified: readonly string[],
): string {
  const quoted = (text: string): string => (/^[\w-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
  // curl takes braces and brackets for lists of addresses, unless told not to.
  const parts = ['curl', /[[\]{}]/.test(path) ? '-gi' : '-i'];
  if (method === 'HEAD') parts.push('-I');
  else if (method !== 'GET') parts.push('-X', method);
  parts.push(...identified);
  if (body !== null) {
    parts.push('-H', `Content-Type: ${body.startsWith('<') ? 'text/xml' : 'application/json'}`, '--data-binary', body);
  }
  return [...parts, `${target}${path}`].map(quoted).join(' ');
}
