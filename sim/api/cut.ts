/**
 * An answer that the network does not carry as it is: broken off, garbled, or never sent. Where there is a socket, the door to
 * the network breaks it; a client in this process sees what its `fetch` would make of that.
 */
import type { Effect } from '../faults/schema.ts';

/** What a socket has to do about an answer. */
export type Cut = Exclude<Effect<'transport'>, { readonly do: 'slow-headers' | 'slow-body' }>;

const cuts = new WeakMap<Response, Cut>();

/** The same answer, to be cut. */
export function cut(response: Response, how: Cut): Response {
  cuts.set(response, how);
  return response;
}

/** What is to become of an answer; `undefined`: it arrives. */
export const cutOf = (response: Response): Cut | undefined => cuts.get(response);

/** How many bytes of a body arrive, and whether it then breaks off. */
export function arriving(how: Cut, length: number): { readonly bytes: number; readonly breaks: boolean } {
  switch (how.do) {
    case 'fin-mid-body':
      return { bytes: Math.min(how.afterBytes ?? Math.floor(length / 2), length), breaks: true };
    case 'wrong-length':
      return { bytes: Math.min(length, length + how.by), breaks: how.by > 0 };
    case 'bad-chunk':
      return { bytes: Math.floor(length / 2), breaks: true };
    default:
      return { bytes: 0, breaks: true };
  }
}

/** What a client in this process gets, as `fetch` gives it: some of the answer, an error, or nothing for ever. */
export async function received(response: Response, how: Cut, signal: AbortSignal): Promise<Response> {
  if (how.do === 'hang') return new Promise((_, reject) => whenAborted(signal, () => reject(signal.reason)));
  if (how.do === 'reset' || how.do === 'refuse') throw failed(how.do === 'reset' ? RESET : CLOSED);
  const body = new Uint8Array(await response.arrayBuffer());
  const { bytes, breaks } = arriving(how, body.byteLength);
  let left = body.subarray(0, bytes);
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (left.byteLength > 0) {
        controller.enqueue(left);
        left = left.subarray(left.byteLength);
      } else if (breaks) controller.error(new TypeError('terminated', { cause: CLOSED }));
      else controller.close();
    },
  });
  return new Response(stream, response);
}

function whenAborted(signal: AbortSignal, act: () => void): void {
  if (signal.aborted) act();
  else signal.addEventListener('abort', act, { once: true });
}

const failed = (cause: Error): TypeError => new TypeError('fetch failed', { cause });
const RESET = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
const CLOSED = Object.assign(new Error('other side closed'), { code: 'UND_ERR_SOCKET' });
