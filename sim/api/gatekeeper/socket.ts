/** Streams over real WebSockets at `/ws/<id>`. As the real server's, they check neither origin nor token. */
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Connection, Sink, Streams } from './streams.ts';

/** A client has nothing to say, so what it says is short. */
const MOST_MESSAGE_BYTES = 64 * 1024;

/** Pongs that a client leaves unread pile up no further than this. */
const MOST_UNREAD_BYTES = 64 * 1024;

const OPTIONS = {
  noServer: true,
  maxPayload: MOST_MESSAGE_BYTES,
  autoPong: false,
  /** Milliseconds that a client may take to agree to a close. */
  closeTimeout: 2_000,
};

/** Takes over a connection that asks for an upgrade of its protocol. */
export type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

export function webSockets(streams: Streams): Upgrade {
  const server = new WebSocketServer(OPTIONS);
  const encode = rememberingLast(frameOf);
  return (request, socket, head) => {
    const stream = streamAt(streams, request.url ?? '');
    if (typeof stream === 'number') refuse(socket, stream);
    else
      server.handleUpgrade(request, socket, head, (webSocket) => serve(streams, stream.id, webSocket, socket, encode));
  };
}

/** The stream that a path leads to, or the HTTP status with which its upgrade is refused. */
function streamAt(streams: Streams, path: string): { readonly id: string } | number {
  const [, id] = /^\/ws\/([^?#]*)/.exec(path) ?? [];
  return id === undefined ? 404 : (streams.refusal(`/ws/${id}`) ?? { id });
}

/** Opens a stream without a socket: for who is in this process. @returns the HTTP status when it is refused */
export function connectedTo(streams: Streams, path: string, sink: Sink): Connection | number {
  const stream = streamAt(streams, path);
  return typeof stream === 'number' ? stream : streams.connect(stream.id, sink);
}

type Encode = (text: string) => Buffer;

/** Streams with the same filters are sent the same text one after the other: as the same bytes, also while they wait. */
function rememberingLast(make: Encode): Encode {
  let last = '';
  let bytes = make(last);
  return (text) => {
    if (text !== last) {
      last = text;
      bytes = make(text);
    }
    return bytes;
  };
}

function serve(streams: Streams, id: string, webSocket: WebSocket, socket: Duplex, encode: Encode): void {
  // Whatever goes wrong, 'close' follows.
  webSocket.on('error', () => {});
  const connection = streams.connect(id, {
    send: (text) => {
      if (webSocket.readyState === webSocket.OPEN) socket.write(encode(text));
    },
    close: (code) => webSocket.close(code),
    unread: () => webSocket.bufferedAmount,
    garble: () => void socket.write(RESERVED_BITS),
  });
  webSocket.on('message', () => connection.receive());
  webSocket.on('ping', (data) => {
    if (webSocket.bufferedAmount <= MOST_UNREAD_BYTES && connection.pinged()) webSocket.pong(data);
  });
  webSocket.on('close', () => connection.closed());
}

/** An empty text frame with the bits set that no extension of ours gives a meaning. */
const RESERVED_BITS = Buffer.from([0xf1, 0x00]);

/** Lengths of a payload up to which the header of its frame has two bytes, and four. */
const SHORT = 125;
const MEDIUM = 0xffff;

/**
 * A text as one unmasked frame in one piece. The library would write header and payload as two, which makes a tick of
 * thousands of subscribers a third longer; nothing it sends itself can come between, for it writes at once, too.
 */
export function frameOf(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const head = length <= SHORT ? 2 : length <= MEDIUM ? 4 : 10;
  const frame = Buffer.allocUnsafe(head + length);
  frame[0] = FINAL_TEXT;
  if (head === 2) frame[1] = length;
  else if (head === 4) frame.writeUInt16BE(length, frame.writeUInt8(SHORT + 1, 1));
  else frame.writeBigUInt64BE(BigInt(length), frame.writeUInt8(SHORT + 2, 1));
  frame.write(text, head);
  return frame;
}

const FINAL_TEXT = 0x81;

function refuse(socket: Duplex, status: number): void {
  socket.on('error', () => {});
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
