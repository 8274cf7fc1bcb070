/** Streams of a server that is not ours, over real WebSockets. */
import { WebSocket } from 'ws';
import type { Call, Ear } from '../watching/stream-door.ts';

/** A close without a code. */
const NO_CODE = 1005;

const HANDSHAKE_MS = 15_000;

/** @returns the HTTP status of a refusal. Rejects when nobody answers. */
export const called = (
  address: string,
  ear: Ear,
  socket = new WebSocket(address, { handshakeTimeout: HANDSHAKE_MS }),
): Promise<Call | number> =>
  new Promise((resolve, reject) => {
    let isOpen = false;
    socket.on('open', () => {
      isOpen = true;
      resolve({ send: (text) => socket.send(text), close: () => closed(socket) });
    });
    socket.on('unexpected-response', (request, response) => {
      resolve(response.statusCode ?? 0);
      request.destroy();
    });
    socket.on('message', (data) => ear.frame(data.toString()));
    socket.on('error', (error) => {
      if (isOpen) ear.garbage();
      else reject(error);
    });
    socket.on('close', (code) => {
      if (isOpen) ear.closed(code === NO_CODE ? null : code);
    });
  });

const closed = (socket: WebSocket): Promise<void> =>
  new Promise((resolve) => {
    socket.on('close', () => resolve());
    socket.close();
  });
