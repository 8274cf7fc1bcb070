/** Answers as the Gatekeeper writes them: JSON without a charset, and refusals that repeat their status as a number. */

const NO_SNIFF = { 'X-Content-Type-Options': 'nosniff' };

/** What ends a request early; the message is the server's own. */
export class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export const json = (value: unknown, headers: Readonly<Record<string, string>> = {}, status = 200): Response =>
  new Response(JSON.stringify(value), {
    status,
    headers: { 'Content-Type': 'application/json', ...NO_SNIFF, ...headers },
  });

export const archive = (bytes: Uint8Array): Response =>
  new Response(Buffer.from(bytes), { headers: { 'Content-Type': 'application/zip', ...NO_SNIFF } });

/** An answer with a status and headers, and no body. */
export const empty = (status: number, headers: Readonly<Record<string, string>> = {}): Response =>
  new Response(null, { status, headers: { ...NO_SNIFF, ...headers } });

export const refused = ({ status, message }: Refusal): Response =>
  new Response(JSON.stringify({ error: { code: status, message } }), {
    status,
    headers: { 'Content-Type': 'application/json', ...NO_SNIFF },
  });
