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

/** On our own worlds theirs, unless others are given; on a server nobody is known but who is given. */
export const credentialsOf = (named: Credentials, target: string | undefined): Credentials =>
  target === undefined ? { ...CREDENTIALS, ...defined(named) } : named;

/** Users of the Gatekeeper: those that SONATA comes with, unless others are given; on a server then only they. */
export const sessionsOf = (named: Credentials, target: string | undefined): Credentials =>
  target === undefined || named.owner === undefined ? { ...SESSIONS, ...defined(named) } : named;

const defined = (named: Credentials): Partial<Credentials> =>
  Object.fromEntries(Object.entries(named).filter(([, session]) => session !== undefined));

/** Whether it is the same whoever sends it, so that nobody has to be known who does. */
export const isAnybodys = ({ op, auth = 'good' }: RequestStep): boolean =>
  auth === 'none' || auth === 'scheme' || op === 'schema' || op === 'version' || op === 'config';

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

export const JSON_BODY = { 'Content-Type': 'application/json' };

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

/** Nobody's. */
export const WRONG_PASSWORD = 'no such password';

/** @param session `user:password` */
export function authorization(session: string, auth: Auth): Readonly<Record<string, string>> {
  switch (auth) {
    case 'good':
      return basic(session);
    case 'wrong':
      return basic(`${session.split(':')[0]}:${WRONG_PASSWORD}`);
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

/** As a shell takes it for one word, on one line. */
export function quoted(text: string): string {
  if (/^[\w-]+$/.test(text)) return text;
  if (!/\p{Cc}/u.test(text)) return `'${text.replaceAll("'", "'\\''")}'`;
  const coded = text
    .replace(/[\\']/g, '\\$&')
    .replace(/\p{Cc}/gu, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return `$'${coded}'`;
}

/** The longest body that stands in a command; a longer one is left to a file. */
const LONGEST_BODY = 8_192;

/**
 * How the same request is made with curl.
 * @param identified who asks, as flags
 */
export function curl(target: string, { method, path, headers, body }: Plea, identified: readonly string[]): string {
  // curl takes braces and brackets for lists of addresses, unless told not to.
  const parts = ['curl', /[[\]{}]/.test(path) ? '-gi' : '-i'];
  if (method === 'HEAD') parts.push('-I');
  else if (method !== 'GET' || body !== null) parts.push('-X', method);
  parts.push(...identified);
  const named = Object.entries(headers);
  // What has no value is sent by a semicolon, and what curl would add by itself is kept back by none.
  for (const [name, value] of named) parts.push('-H', value === '' ? `${name};` : `${name}: ${value}`);
  if (body !== null && !named.some(([name]) => name.toLowerCase() === 'content-type')) {
    parts.push('-H', 'Content-Type:');
  }
  if (body !== null && body.length > LONGEST_BODY) parts.push('--data-binary', `@BODY of ${body.length} characters`);
  // What begins with @ would be taken for the name of a file.
  else if (body !== null) parts.push(body.startsWith('@') ? '--data-raw' : '--data-binary', body);
  return [...parts, `${target}${path}`].map(quoted).join(' ');
}
