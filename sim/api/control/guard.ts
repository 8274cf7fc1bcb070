/**
 * Who may use the control API: not a page that a browser happens to show. A page of another origin says so in `Origin`; one
 * that has bound its own name to this machine (DNS rebinding) says so in `Host`. Nobody can rebind an address.
 */
import type { MiddlewareHandler } from 'hono';
import { shortened } from './request.ts';

/** The request comes from where none may come from. */
export class Forbidden extends Error {}

/** @param hosts names by which this machine is called, besides `localhost` and its addresses */
export function guard(hosts: readonly string[]): MiddlewareHandler {
  const ours = (host: string): boolean => isLocal(host) || hosts.includes(host);
  return async (c, next) => {
    const { hostname } = new URL(c.req.url);
    if (!ours(hostname)) {
      const how = `start it with --control-host ${shortened(hostname)} if this machine is called so`;
      throw new Forbidden(`The control API is not called by the name ${shortened(hostname)}; ${how}`);
    }
    const origin = c.req.header('Origin');
    if (origin !== undefined && !(URL.canParse(origin) && ours(new URL(origin).hostname))) {
      throw new Forbidden(`The control API takes no requests from pages of ${shortened(origin)}`);
    }
    await next();
  };
}

/** `localhost`, what is under it (RFC 6761), and every address. */
const isLocal = (host: string): boolean =>
  /^(?:.*\.)?localhost$/.test(host) || /^\d+\.\d+\.\d+\.\d+$/.test(host) || host.startsWith('[');
