/**
 * What the Provisioning Engine asks of OpenNebula: calls to oned and to OneFlow with the credentials of the request,
 * and what their refusals mean. Mirrors `client.rb` and `map_error_oned` of the Provisioning Engine 1.3.3.
 */

import { Expected } from '../../kernel/expected.ts';
import type { Caller } from '../../one/access/user.ts';
import type { Cloud } from '../../one/cloud.ts';
import { type ErrorCode, OneError, Unreachable } from '../../one/error.ts';
import type { Flow } from '../../one/flow/flow.ts';
import { FlowCrash, FlowError } from '../../one/flow/flow-error.ts';
import type { Method, Operations } from '../../one/operations.ts';
import { bytesOf } from '../bytes.ts';
import type { EngineConfig } from './config.ts';
import type { Credentials } from './credentials.ts';
import { Crash, refusal } from './refusal.ts';

/** OpenNebula said no, or nothing. The status is the one that the engine makes of it. */
export class Declined extends Expected {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Any other code is 500. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  AUTHENTICATION: 401,
  AUTHORIZATION: 403,
  NO_EXISTS: 404,
};

type Arguments<M extends Method> = Parameters<Operations[M]> extends [Cloud, Caller, ...infer A] ? A : never;

export class OpenNebula {
  readonly cloud: Cloud;
  readonly #credentials: Credentials;
  readonly #config: EngineConfig;
  readonly #cause: number;
  /** Whether a call can carry the session. */
  readonly #sessionFits: boolean;

  /** @param cause the journal entry that what it does is to name */
  constructor(cloud: Cloud, credentials: Credentials, config: EngineConfig, cause: number) {
    this.#cause = cause;
    this.cloud = cloud;
    this.#credentials = credentials;
    this.#config = config;
    this.#sessionFits = fits(credentials.session);
  }

  /** @throws Declined */
  oned<M extends Method>(method: M, ...args: Arguments<M>): ReturnType<Operations[M]> {
    const { session } = this.#credentials;
    if (!this.#sessionFits) throw new Declined(500, xmlProblem(session));
    for (const argument of args) {
      if (typeof argument === 'string' && !fits(argument)) throw new Declined(500, xmlProblem(argument));
    }
    try {
      return this.cloud.clock.because(this.#cause, () => this.cloud.call(session, method, ...args));
    } catch (error) {
      if (error instanceof OneError) throw new Declined(STATUS[error.code] ?? 500, error.message);
      if (error instanceof Unreachable) throw new Declined(500, error.message);
      throw error;
    }
  }

  /** @throws Declined */
  flow<T>(ask: (flow: Flow, caller: Caller) => T): T {
    const { flow, root, clock } = this.cloud;
    const { flowSession } = this.#credentials;
    try {
      return clock.because(this.#cause, () => ask(flow, flowSession === null ? root : flow.authenticate(flowSession)));
    } catch (error) {
      if (error instanceof FlowCrash) throw new Declined(error.status, error.body);
      if (error instanceof FlowError) throw new Declined(error.status, error.message);
      if (error instanceof Unreachable) {
        const { host } = new URL(this.#config.oneflow_server);
        throw new Declined(503, `Error connecting to server (${error.message}).\nServer: ${host}`);
      }
      throw error;
    }
  }

  /**
   * Recovers a VM as the cloud's administrator: what the contract promises, and its owner's rights do not allow. Not a
   * VM of somebody else's, for a body may name any.
   */
  recoverFor(ownerId: number, vmId: number, operation: number): void {
    const { clock, root, vms } = this.cloud;
    if (vms.find(vmId)?.uid !== ownerId) return;
    clock.because(this.#cause, () => this.cloud.run(root, 'one.vm.recover', vmId, operation));
  }

  /** The user's own `user:password`, as the VMs are to know it. */
  get session(): string {
    return this.#credentials.session;
  }
}

/** Says what an attempt was for, when OpenNebula declines it. @throws Refusal */
export function titled<T>(title: string, attempt: () => T): T {
  try {
    return attempt();
  } catch (error) {
    if (error instanceof Declined) throw refusal(error.status, title, error.message);
    throw error;
  }
}

/** Where the real server trips over the refusal itself. @throws Crash */
export function orCrash<T>(attempt: () => T): T {
  try {
    return attempt();
  } catch (error) {
    if (error instanceof Declined) throw new Crash(`${error.status} ${error.message}`);
    throw error;
  }
}

/** Whether OpenNebula grants it; its refusal is not looked at. */
export function granted(attempt: () => unknown): Declined | null {
  try {
    attempt();
    return null;
  } catch (error) {
    if (error instanceof Declined) return error;
    throw error;
  }
}

/** What no XML can hold: control characters, and bytes that are not UTF-8. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const UNFIT_FOR_XML = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\p{Surrogate}]/u;

const fits = (text: string): boolean => !UNFIT_FOR_XML.test(text);

/** How many bytes of a text oned's XML parser quotes. */
const QUOTED = 40;

/** What follows a text parameter in a call, as far as it can be quoted. */
const TAIL = '</string></value></param><param><value><i4>';

/** The answer of oned's XML-RPC server to a call that is not XML, since this text stands in it. */
function xmlProblem(text: string): string {
  const bytes = bytesOf(text.slice(0, QUOTED) + TAIL);
  const quoted = [...bytes.subarray(0, QUOTED)].map(printable).join('');
  const offset = Buffer.byteLength(text.slice(0, text.search(UNFIT_FOR_XML)));
  return (
    'Call XML not a proper XML-RPC call.  Call is not valid XML.  ' +
    `Invalid XML "content".  Problem with token at '${quoted}...': Invalid token, starting ${offset} bytes in`
  );
}

const printable = (byte: number): string =>
  byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`;
