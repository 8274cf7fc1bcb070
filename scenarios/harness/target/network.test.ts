/** Against real sockets: what a network does to a client. */
import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { startSim } from '../../../sim/index.ts';
import { verify } from '../verify.ts';
import { OUTSIDE } from './outside.ts';

vi.setConfig({ testTimeout: 30_000 });

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
});

async function ran(...args: string[]) {
  const out: string[] = [];
  const stopped = () => new Promise<void>(() => {});
  const machine = { out: (line: string) => void out.push(line), writeFile: async () => {}, stopped };
  const code = await verify(args, machine, { ...OUTSIDE, durable: async () => async () => {} });
  return { code, out };
}

/** A server that does with a connection what it is told; closed, it closes them all. */
async function listening(answer: (write: (text: string) => void, end: () => void) => void): Promise<string> {
  const server: Server = createServer((socket) => {
    opened.push({ close: () => socket.destroy() });
    socket.on('error', () => {});
    socket.once('data', () =>
      answer(
        (text) => socket.write(text),
        () => socket.destroy(),
      ),
    );
  });
  opened.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}

test('a stand-in on a port keeps the laws of level crud', async () => {
  const running = await startSim({ port: 0, timing: { name: 'instant' }, clock: 1 });
  opened.push(running);
  const args = ['--target', running.urls.engine, '--auth', 'alice:alice', '--other-auth', 'bob:bob'];
  const { code, out } = await ran(...args, '--level', 'crud', '--runs', '1', '--rate', '1000', '--profile', 'upstream');
  expect(code, out.join('\n')).toBe(0);
});

describe('a server that', () => {
  test.each<[string, Parameters<typeof listening>[0], string]>([
    ['closes every connection', (_, end) => end(), 'other side closed'],
    [
      'does not speak HTTP',
      (write) => write('SSH-2.0-OpenSSH_9.2\r\n'),
      'Response does not match the HTTP/1.1 protocol',
    ],
    ['never answers', () => {}, 'no answer came in time'],
    [
      'stops in the middle',
      (write) => write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"1.3'),
      'no answer came in time',
    ],
  ])('%s is named', async (_, answer, problem) => {
    const target = await listening(answer);
    await expect(ran('--target', target, '--timeout', '200ms')).rejects.toThrow(
      `--target: ${target} does not answer: ${problem}`,
    );
  });
});
