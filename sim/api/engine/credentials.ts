/** Who asks: the `Authorization` header as the Provisioning Engine takes it apart. Mirrors `auth?` of its server and Ruby's base64. */
import { textOf } from '../bytes.ts';
import type { Deviations } from './deviations.ts';
import { Crash, refusal } from './refusal.ts';

export interface Credentials {
  /** `user:password` for oned. */
  readonly session: string;
  /** `user:password` for OneFlow; null when there is neither, for then its client takes the server's own account. */
  readonly flowSession: string | null;
}

/** @throws Refusal 401; Crash */
export function credentialsOf(header: string | null, deviations: Deviations): Credentials {
  if (header === null) throw refusal(401, 'Authentication required', '');
  const encoded = header.startsWith('Basic') ? header.split(/[ \t]+/)[1] : undefined;
  // What carries headers has cut the blank off that upstream saw behind the scheme.
  const bare = /^Basic[ \t]*$/.test(header);
  if (bare && deviations.has('basic-without-credentials-500')) throw new Crash('Basic without credentials');
  if (bare || !header.startsWith('Basic ') || encoded === undefined) {
    throw refusal(401, 'Unsupported authentication scheme', header);
  }
  return split(textOf(lenientBase64(encoded)), deviations);
}

function split(text: string, deviations: Deviations): Credentials {
  const [user = '', ...rest] = text.split(':');
  const password = deviations.has('password-cut-at-colon') ? (rest[0] ?? '') : rest.join(':');
  const session = `${user}:${password}`;
  if (session === ':') return { session, flowSession: null };
  return {
    session,
    flowSession: password === '' ? `${user}:${user}` : session,
  };
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** As `Base64.decode64`: skips what is not of the alphabet, and ends at padding or where a quantum is incomplete. */
export function lenientBase64(text: string): Uint8Array {
  if (text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text)) return Buffer.from(text, 'base64');
  const bytes: number[] = [];
  let quantum: number[] = [];
  for (const char of text) {
    if (char === '=' && quantum.length >= 2) break;
    const sextet = ALPHABET.indexOf(char);
    if (sextet < 0) continue;
    quantum.push(sextet);
    if (quantum.length < 4) continue;
    bytes.push(...octets(quantum));
    quantum = [];
  }
  if (quantum.length >= 2) bytes.push(...octets(quantum));
  return Uint8Array.from(bytes);
}

/** The octets in two to four sextets. */
function octets(sextets: readonly number[]): number[] {
  const [a = 0, b = 0, c = 0, d = 0] = sextets;
  const all = [(a << 2) | (b >> 4), ((b << 4) | (c >> 2)) & 0xff, ((c << 6) | d) & 0xff];
  return all.slice(0, sextets.length - 1);
}

/** How Ruby's `Base64.encode64` writes bytes: lines of 60 characters, each ended. */
export function encode64(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('base64');
  return text.replace(/.{1,60}/g, '$&\n');
}
