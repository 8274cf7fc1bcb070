/** Answers as the Gatekeeper writes them: JSON without a charset, and refusals that repeat their status as a number. */

import { Expected } from '../../kernel/expected.ts';
import type { Refuse } from '../breakage.ts';
import { plainAnswer } from '../plain.ts';

const NO_SNIFF = { 'X-Content-Type-Options': 'nosniff' };
const JSON_HEADERS = { 'Content-Type': 'application/json', ...NO_SNIFF };
const NONE = {};

/** What ends a request early; the message is the server's own. */
export class Refusal extends Expected {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** What an answer with one element says of its number. */
export const ONE = { 'Record-Count': '1' };

export const json = (value: unknown, headers: Readonly<Record<string, string>> = NONE, status = 200): Response =>
  jsonText(JSON.stringify(value), headers, status);

/** As {@link json}, of what has been written already. */
export const jsonText = (text: string, headers: Readonly<Record<string, string>>, status = 200): Response =>
  plainAnswer(status, text, headers === NONE ? JSON_HEADERS : { ...JSON_HEADERS, ...headers });

export const archive = (bytes: Uint8Array): Response =>
  new Response(Buffer.from(bytes), { headers: { 'Content-Type': 'application/zip', ...NO_SNIFF } });

/** An answer with a status and headers, and no body. */
export const empty = (status: number, headers: Readonly<Record<string, string>> = {}): Response =>
  plainAnswer(status, null, { ...NO_SNIFF, ...headers });

/** How the Gatekeeper refuses what a fault refuses. */
export const gatekeeperRefuses: Refuse = (status, message) => refused(new Refusal(status, message));

export const refused = ({ status, message }: Refusal): Response =>
  plainAnswer(status, JSON.stringify({ error: { code: status, message } }), JSON_HEADERS);
