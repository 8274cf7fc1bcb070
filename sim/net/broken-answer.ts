/** What a fault makes of an answer on its way out, on a real socket: past Node's own writing, which would put it right. */
import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { arriving, type Cut } from '../api/cut.ts';

/** Writes what arrives of an answer, if any. What it returns tells the server that it has nothing left to do. */
export async function sendBroken(response: Response, how: Cut, { socket }: ServerResponse): Promise<Response> {
  if (socket === null || socket.destroyed) return RESPONSE_ALREADY_SENT;
  switch (how.do) {
    case 'hang':
      break;
    case 'refuse':
      socket.end();
      break;
    case 'reset':
      reset(socket);
      break;
    default: {
      const body = Buffer.from(await response.arrayBuffer());
      const { bytes } = arriving(how, body.length);
      const chunked = how.do === 'bad-chunk';
      const length = how.do === 'wrong-length' ? Math.max(0, body.length + how.by) : body.length;
      const framing = chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${length}`;
      const sent = how.do === 'wrong-length' ? body : body.subarray(0, bytes);
      socket.write(`${head(response)}${framing}\r\n\r\n`, 'latin1');
      if (chunked) socket.write(`${sent.length.toString(16)}\r\n`);
      socket.write(sent);
      // No length of a chunk.
      if (chunked) socket.write('\r\nzz\r\n');
      socket.end();
    }
  }
  return RESPONSE_ALREADY_SENT;
}

/** Status line and headers, but for those that say how long the body is. */
function head({ status, headers }: Response): string {
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`];
  for (const [name, value] of headers) if (!FRAMING.has(name)) lines.push(`${name}: ${value}`);
  return `${lines.join('\r\n')}\r\n`;
}

const FRAMING: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding', 'connection']);

/** Only TCP has a reset; any other stream is broken off. */
function reset(socket: Socket): void {
  if ('resetAndDestroy' in socket && socket.constructor.name === 'Socket') socket.resetAndDestroy();
  else (socket as Socket).destroy();
}
