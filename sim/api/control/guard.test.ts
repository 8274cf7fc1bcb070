/** Who may use the control API, and who may not, whatever the operation. */
import { describe, expect, it } from 'vitest';
import { loadContracts } from '../../../contracts/contract.ts';
import { createSimulator } from '../../simulator.ts';
import { refused, start } from './testing.ts';

const operations = (await loadContracts())
  .flatMap((contract) => contract.operations)
  .filter(({ path }) => path.startsWith('/_onesim'));

describe.each(operations)('$method $path', ({ method, path }) => {
  const target = path.slice('/_onesim'.length).replace(/\{\w+\}/g, '0');

  it('is not for a page of another origin', async () => {
    const { world, call } = start();
    const answer = await call(method, target, undefined, { Origin: 'http://example.org' });
    expect(refused(answer)).toEqual([
      403,
      'forbidden',
      'The control API takes no requests from pages of http://example.org',
    ]);
    expect([...world().journal.since()].map(({ kind }) => kind)).toEqual(['request', 'answer']);
  });
});

describe('the clock', () => {
  it.each(['null', 'file://', 'http://localhost.example.org', 'http://127.0.0.1.example.org', '127.0.0.1', ''])(
    'is not for a page of %j',
    async (origin) => {
      expect((await start().call('GET', '/clock', undefined, { Origin: origin })).status).toBe(403);
    },
  );

  it.each(['http://localhost:3000', 'http://127.0.0.1:8080', 'https://app.localhost', 'http://[::1]:1'])(
    'is for a page of %s',
    async (origin) => {
      expect((await start().call('GET', '/clock', undefined, { Origin: origin })).status).toBe(200);
    },
  );

  it('is not there by a name that somebody has bound to this machine', async () => {
    const { call } = start();
    expect(refused(await call('GET', '/clock', undefined, {}, 'http://rebound.example.org:1337'))).toEqual([
      403,
      'forbidden',
      'The control API is not called by the name rebound.example.org; ' +
        'start it with --control-host rebound.example.org if this machine is called so',
    ]);
  });

  it('is there by the names it is told', async () => {
    const { call } = start({ controlHosts: ['onesim.test'] });
    expect((await call('GET', '/clock', undefined, {}, 'http://onesim.test:1337')).status).toBe(200);
    const headers = { Origin: 'http://onesim.test' };
    expect((await call('GET', '/clock', undefined, headers, 'http://192.0.2.7:1337')).status).toBe(200);
  });

  it('is not there at all when there is no control API', async () => {
    const { world, fetch } = createSimulator({ control: false });
    // The engine takes the path, as a real one does.
    const advance = { method: 'POST', body: '{"action":"advance","ms":1000}' };
    expect((await fetch(new Request('http://localhost:1337/_onesim/clock', advance))).status).toBe(404);
    expect([...world.journal.since()][0]?.detail.api).toBe('engine');
  });
});
