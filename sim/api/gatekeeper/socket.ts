/** Streams over real WebSockets at `/ws/<id>`. As the real server's, they check neither origin nor token. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Streams } from './streams.ts';

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
  return (request, socket, head) => {
    const [, id] = /^\/ws\/([^?#]*)/.exec(request.url ?? '') ?? [];
    if (id === undefined) refuse(socket);
    else server.handleUpgrade(request, socket, head, (webSocket) => serve(streams, id, webSocket));
  };
}

function serve(streams: Streams, id: string, webSocket: WebSocket): void {
  // Whatever goes wrong, 'close' follows.
  webSocket.on('error', () => {});
  const connection = streams.connect(id, {
    send: (text) => webSocket.send(text),
    close: (code) => webSocket.close(code),
    unread: () => webSocket.bufferedAmount,
  });
  webSocket.on('message', () => connection.receive());
  webSocket.on('ping', (data) => {
    if (webSocket.bufferedAmount <= MOST_UNREAD_BYTES) webSocket.pong(data);
  });
  webSocket.on('close', () => connection.closed());
}

function refuse(socket: Duplex): void {
  socket.on('error', () => {});
  socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
}
