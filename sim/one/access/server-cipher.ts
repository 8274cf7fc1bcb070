/**
 * Sessions of servers that act for users they have authenticated themselves: `serveradmin:<user>:<token>`, by which
 * OneFlow and Sunstone call oned. Mirrors `UserPool::authenticate_server` and the auth driver `server_cipher` of
 * OpenNebula 6.10 (`server_cipher_auth.rb`): a token is `<server>:<user>:<expires>` under AES-256-CBC in base 64, whose
 * key are the first 32 and whose initial vector the first 16 characters of the SHA-256, in hex, of the server's
 * password; that hash is what oned stores as the password of such a user.
 */
import { createDecipheriv } from 'node:crypto';

const CIPHER = 'aes-256-cbc';

/** Whether the users of a driver are servers. */
export const isServerDriver = (driver: string): boolean => driver.startsWith('server_');

/** What stands behind the server's name in a session; `undefined` when it is no delegation. */
export interface Delegation {
  readonly user: string;
  /** The group that the session is limited to; -1 for none. */
  readonly egid: number;
  readonly token: string;
}

/** `<user>:<token>` or `<user>:<egid>:<token>`. */
export function delegationIn(secret: string): Delegation | undefined {
  const [, user = '', egid = '-1', token = ''] = /^([^:]*):(?:([^:]*):)?([^:]*)$/.exec(secret) ?? [];
  if (user === '' || !/^\s*[-+]?\d{1,9}$/.test(egid)) return undefined;
  return { user, egid: Number(egid), token };
}

/** Until when a token holds, in seconds since the Unix epoch; `undefined` when the server did not make it. */
export function expiryOf(
  server: { readonly name: string; readonly password: string },
  token: string,
): number | undefined {
  let text: string;
  try {
    const decipher = createDecipheriv(CIPHER, server.password.slice(0, 32), server.password.slice(0, 16));
    text = decipher.update(token, 'base64', 'utf8') + decipher.final('utf8');
  } catch {
    return undefined;
  }
  const parts = text.split(':');
  // As in the driver, nobody compares the user in the token with the one in the session.
  return parts[0] === server.name ? Number.parseInt(parts.at(-1) ?? '', 10) || 0 : undefined;
}
