/** What every API shares at its edge: who a request is journalled as, paths as routes are found by, and bodies of bounded size. */
import { getPath } from 'hono/utils/url';
import type { Soon } from '../kernel/soon.ts';
import { bytesIn } from './plain.ts';

/** Handed to each API with a request, as Hono's environment. */
export interface Edge {
  /** The journal entry of the request: whatever the request makes happen names it as its cause. */
  readonly cause: number;
}

/** What was asked for and by whom, and why it was refused, where path, header and status do not say so. */
export interface Note {
  readonly operation: string;
  readonly user: string;
  readonly error?: string;
}

const notes = new WeakMap<Response, Note>();

/** The same answer, with what the journal is to know of it. */
export function noting(response: Response, what: Note): Response {
  notes.set(response, what);
  return response;
}

export const noteOf = (response: Response): Note | undefined => notes.get(response);

/** The path that a route is looked up with: an encoded slash separates segments too, as the real servers have it. */
export function routePath(request: Request): string {
  const path = getPath(request);
  return path.includes('%2') ? path.replace(/%2f/gi, '/') : path;
}

/** A body that is larger than the server takes. Each API answers it in its own words, with status 413. */
export class BodyTooLarge extends Error {
  constructor(limitBytes: number) {
    super(`The body is larger than ${limitBytes} bytes`);
  }
}

/** A body that stops before its end: its client has gone, and nobody is left to read an answer. */
export class BodyCutShort extends Error {}

/** Reads a body, and no further than the limit. @throws BodyTooLarge; BodyCutShort */
export function readBody(request: Request, limitBytes: number): Soon<Uint8Array> {
  const bytes = bytesIn(request);
  if (bytes === undefined) return readWhole(request, limitBytes);
  if (bytes.byteLength > limitBytes) throw new BodyTooLarge(limitBytes);
  return bytes;
}

async function readWhole(request: Request, limitBytes: number): Promise<Uint8Array> {
  const declared = Number(request.headers.get('Content-Length') ?? 0);
  if (declared > limitBytes) throw new BodyTooLarge(limitBytes);
  try {
    return await read(request, declared, limitBytes);
  } catch (error) {
    if (error instanceof BodyTooLarge) throw error;
    throw new BodyCutShort(error instanceof Error ? error.message : String(error));
  }
}

async function read(request: Request, declared: number, limitBytes: number): Promise<Uint8Array> {
  // Asked for as a whole, it never becomes a stream, which would cost more than most calls.
  if (declared > 0) {
    // The network lets no more through than was declared; whoever calls in process may have declared anything.
    const whole = new Uint8Array(await request.arrayBuffer());
    if (whole.byteLength > limitBytes) throw new BodyTooLarge(limitBytes);
    return whole;
  }
  if (request.body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body) {
    size += chunk.byteLength;
    if (size > limitBytes) throw new BodyTooLarge(limitBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}
