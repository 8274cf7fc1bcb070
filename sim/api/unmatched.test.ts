/** Which route is named to somebody who has missed it. */
import { expect, it } from 'vitest';
import { unmatched } from './unmatched.ts';

const ROUTES = [
  { method: 'ALL', path: '/*' },
  { method: 'GET', path: '/runtimes' },
  { method: 'POST', path: '/runtimes' },
  { method: 'GET', path: '/runtimes/:id{\\d+}' },
  { method: 'PUT', path: '/runtimes/:id{\\d+}' },
  { method: 'GET', path: '/runtimes/schema' },
  { method: 'GET', path: '/kpis/:name?' },
];

it.each([
  ['GET', '/runtimes', undefined],
  ['HEAD', '/runtimes/7', undefined],
  ['GET', '/kpis', undefined],
  ['GET', '/kpis/x', undefined],
  ['PATCH', '/runtimes/7', 'no such method: GET /runtimes/{id}'],
  ['GET', '/runtime/7', 'no such path: GET /runtimes/{id}'],
  ['PUT', '/runtime/7', 'no such path: PUT /runtimes/{id}'],
  ['GET', '/runtimes/schemas', undefined],
  ['GET', '/something/else/entirely', 'no such path: '],
])('%s %s: %s', (method, path, expected) => {
  const missed = unmatched(ROUTES, method, path);
  expect(missed && `${missed.reason}: ${missed.nearest}`).toBe(expected);
});
