import { Hono } from 'hono';
import { expect, test } from 'vitest';
import { loadContracts } from './contract.ts';
import { compareRoutes, operationsOf } from './routes.ts';

const operations = [
  { method: 'GET', path: '/things/{id}' },
  { method: 'DELETE', path: '/things/{id}' },
  { method: 'GET', path: '/things/{id}/parts' },
  { method: 'GET', path: '/things/{id}/parts/{part}' },
];

test('an application that serves exactly what is documented has no differences', () => {
  const app = new Hono()
    .use('*', (_, next) => next())
    .get('/things/:id{[0-9]+}', (c) => c.body(null))
    .delete('/things/:thing', (c) => c.body(null))
    .get('/things/:id/parts/:part?', (c) => c.body(null));
  expect(compareRoutes(app.routes, operations)).toEqual({ undocumented: [], unserved: [] });
});

test('tells what is served without a document, and what is documented and not served', () => {
  const app = new Hono().get('/things/:id', (c) => c.body(null)).post('/things/:id', (c) => c.body(null));
  expect(compareRoutes(app.routes, operations)).toEqual({
    undocumented: ['POST /things/{}'],
    unserved: ['DELETE /things/{}', 'GET /things/{}/parts', 'GET /things/{}/parts/{}'],
  });
});

test('a contract with two base paths asks for every route twice', async () => {
  const gatekeeper = (await loadContracts()).find(({ file }) => file === 'gatekeeper.yaml');
  const paths = gatekeeper ? operationsOf(gatekeeper).map(({ method, path }) => `${method} ${path}`) : [];
  expect(paths).toContain('GET /functions/{uuid}');
  expect(paths).toContain('GET /api/v2/functions/{uuid}');
  expect(new Set(paths).size).toBe(2 * 78);
});
