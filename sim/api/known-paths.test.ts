/** Paths that were asked for before lead where they led at first. */
import { Hono } from 'hono';
import { expect, it } from 'vitest';
import { KnownPaths } from './known-paths.ts';

function answering() {
  const app = new Hono({ router: new KnownPaths() });
  app.get('/things/list', (c) => c.text('list'));
  app.get('/things/:id', (c) => c.text(`get ${c.req.param('id')}`));
  app.put('/things/:id', (c) => c.text(`put ${c.req.param('id')}`));
  return async (method: string, path: string): Promise<string> => (await app.request(path, { method })).text();
}

it('finds the first route of the method that has the path, as often as it is asked', async () => {
  const answer = answering();
  for (let times = 0; times < 3; times++) {
    expect(await answer('GET', '/things/list')).toBe('list');
    expect(await answer('PUT', '/things/list')).toBe('put list');
    expect(await answer('GET', '/things/a%20b')).toBe('get a b');
    expect(await answer('GET', '/things/7')).toBe('get 7');
    expect(await answer('DELETE', '/things/7')).toBe('404 Not Found');
    expect(await answer('GET', '/other things')).toBe('404 Not Found');
  }
});
