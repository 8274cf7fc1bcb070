import { Server } from 'node:net';
import { describe, expect, test, vi } from 'vitest';
import type { Machine } from '../machine.ts';
import { run } from './command.ts';

/** A machine with some files, and what was printed on it. */
function machine(files: Readonly<Record<string, string>> = {}, env: Machine['env'] = {}) {
  const out: string[] = [];
  const err: string[] = [];
  const fake: Machine = {
    pid: 1,
    home: '/home/me',
    env,
    isTerminal: false,
    async readFile(path) {
      const text = files[path];
      if (text === undefined) throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' });
      return text;
    },
    async writeFile() {
      throw new Error('nothing is to be written');
    },
    fetch: async () => Response.json('1.3.3'),
    out: (line) => out.push(line),
    err: (line) => err.push(line),
    stopped: async () => {},
  };
  return { out, err, run: (...args: string[]) => run(args, '1.2.3', fake) };
}

describe('onesim', () => {
  test.each([[['--help']], [['-h']], [['serve', '--help']], [['http', '--help']]])(
    '%j prints the help',
    async (args) => {
      const { out, run } = machine();
      expect(await run(...args)).toBe(0);
      expect(out.join('\n')).toMatch(/^onesim 1\.2\.3: .*onesim \[serve\].*onesim http.*--port N/s);
    },
  );

  test('--version prints the version', async () => {
    const { out, run } = machine();
    expect(await run('--version')).toBe(0);
    expect(out).toEqual(['1.2.3']);
  });

  test.each([
    [['sreve'], ['onesim: unknown command "sreve", did you mean "serve"?', 'Try onesim --help']],
    [['constructor'], ['onesim: unknown command "constructor"', 'Try onesim --help']],
    [['--prot', '1'], ['onesim: unknown flag "--prot", did you mean "--port"?']],
    [['serve', '--prot=1'], ['onesim: unknown flag "--prot", did you mean "--port"?']],
    [['--config', 'no.yaml'], ['onesim: --config: cannot read no.yaml: no such file']],
    [['--world', './no.yaml'], ['onesim: ./no.yaml: no such file']],
    [['--timing', './no.yaml'], ['onesim: ./no.yaml: no such file']],
  ])('%j is bad usage', async (args, lines) => {
    const { err, run } = machine();
    expect(await run(...args)).toBe(2);
    expect(err).toEqual(lines);
  });

  test('reads the configuration file that lies where it is started', async () => {
    const { err, run } = machine({ 'onesim.config.yaml': 'prot: 1\n' });
    expect(await run()).toBe(2);
    expect(err).toEqual(['onesim: onesim.config.yaml:1:1: unknown key "prot", did you mean "port"?']);
  });

  test('names the port that is no port, wherever it was given', async () => {
    const { err, run } = machine({}, { ONESIM_PORT: 'x' });
    expect(await run('serve')).toBe(2);
    expect(err).toEqual(['onesim: ONESIM_PORT: expected a whole number from 0 to 65535, not "x"']);
  });

  test.each([
    [['--port', '4711'], 'port 4711 is in use; choose another with --port, or --port 0 for a free one'],
    [
      ['--port', '4712', '--oned-port', '4711'],
      'port 4711 is in use; choose another with --oned-port, or --oned-port 0',
    ],
  ])('names the port that is in use, and its flag: %j', async (args, message) => {
    const listen = vi.spyOn(Server.prototype, 'listen').mockImplementation(function (
      this: Server,
      ...given: unknown[]
    ) {
      const [port, , bound] = given as [number, string, () => void];
      const error = Object.assign(new Error('listen EADDRINUSE'), { code: 'EADDRINUSE' });
      vi.spyOn(this, 'address').mockReturnValue({ address: '127.0.0.1', family: 'IPv4', port });
      queueMicrotask(() => (port === 4711 ? this.emit('error', error) : bound()));
      return this;
    });
    try {
      const { err, run } = machine();
      expect(await run(...args)).toBe(2);
      expect(err).toEqual([expect.stringContaining(`onesim: ${message}`)]);
    } finally {
      listen.mockRestore();
    }
  });

  test('http hands over to the client tool', async () => {
    const { out, run } = machine({ '/home/me/.provision_engine_auth': 'a:b' });
    expect(await run('http', 'get', 'http://localhost/server/version')).toBe(0);
    expect(out).toEqual(['Response Code: 200', '"1.3.3"']);
  });
});
