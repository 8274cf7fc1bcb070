import { describe, expect, test } from 'vitest';
import { portProblem, type Served, serverFor } from './listen.ts';
import { Wire } from './wire.ts';

/** Sends bytes to a server, and gives what it answers, and which connections it was asked to take over. */
async function talk(bytes: string, enough?: RegExp) {
  const upgrades: string[] = [];
  const requests: string[] = [];
  const served: Served = {
    async fetch(request) {
      const { pathname } = new URL(request.url);
      requests.push(`${request.method} ${pathname} ${await request.text()}`);
      return new Response('hello');
    },
    upgrade(request, socket) {
      upgrades.push(request.url ?? '');
      socket.destroy();
    },
  };
  const wire = new Wire(serverFor(served)).send(bytes);
  const answer = enough === undefined ? await wire.closing() : await wire.until(enough);
  wire.destroy();
  return { answer, upgrades, requests };
}

const request = (line: string, ...headers: string[]): string =>
  [line, 'Host: localhost', 'Connection: close', ...headers, '', ''].join('\r\n');

describe('a server', () => {
  test('hands requests to the simulator', async () => {
    const { answer, requests } = await talk(`${request('POST /x HTTP/1.1', 'Content-Length: 2')}{}`);
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]+\r\n\r\nhello$/);
    expect(requests).toEqual(['POST /x {}']);
  });

  test.each([
    ['GARBAGE\r\n\r\n', '400 Bad Request'],
    ['GET /\0 HTTP/1.1\r\n\r\n', '400 Bad Request'],
    [`${request('POST / HTTP/1.1', 'Transfer-Encoding: chunked')}zz\r\n`, '400 Bad Request'],
    [request('GET / HTTP/1.1', `X: ${'a'.repeat(20_000)}`), '431 Request Header Fields Too Large'],
  ])('refuses what is no request: %#', async (bytes, status) => {
    const { answer } = await talk(bytes);
    expect(answer).toBe(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
  });

  test('hands WebSockets over', async () => {
    const { upgrades, requests } = await talk(
      request('GET /ws/1 HTTP/1.1', 'Connection: Upgrade', 'Upgrade: WebSocket'),
    );
    expect([upgrades, requests]).toEqual([['/ws/1'], []]);
  });

  test('leaves an offer of HTTP/2 alone, and answers the request', async () => {
    const offer = 'POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nConnection: Upgrade, HTTP2-Settings\r\n';
    const { requests, upgrades } = await talk(`${offer}Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n{}`, /hello$/);
    expect([requests, upgrades]).toEqual([['POST /x {}'], []]);
  });
});

describe('a port that cannot be had', () => {
  test.each([
    ['EADDRINUSE', 'port 2633 is in use; choose another with --oned-port, or --oned-port 0 for a free one'],
    ['EACCES', 'port 2633 may not be opened by this user; choose another with --oned-port'],
    ['EADDRNOTAVAIL', '10.9.9.9 is no address of this machine (--host)'],
    ['EWHATEVER', 'cannot listen on port 2633 (--oned-port): listen EWHATEVER'],
  ])('is named with its flag: %s', (code, message) => {
    const error = Object.assign(new Error(`listen ${code}`), { code });
    expect(portProblem(error, '10.9.9.9', 2633, '--oned-port').message).toBe(message);
  });
});
