import { expect, test } from 'vitest';
import { ContractViolation, type Coverage, checkedFetch } from './checked.ts';
import { loadContracts } from './contract.ts';

const contracts = await loadContracts();
const HEADERS = { 'Content-Type': 'application/json', 'X-Content-Type-Options': 'nosniff' };

function serving(status: number, body: string | null, headers: Record<string, string> = HEADERS) {
  return async () => new Response(body, { status, headers });
}

const version = () => new Request('http://onesim/server/version?x=1');

test('gives an answer that keeps the contract, still unread', async () => {
  const fetch = checkedFetch(serving(200, '"1.3.3"'), contracts, new Set());
  await expect((await fetch(version())).json()).resolves.toBe('1.3.3');
});

test('hands the request on unread', async () => {
  const bodies: string[] = [];
  const fetch = checkedFetch(
    async (request) => {
      bodies.push(await request.text());
      return new Response('{"error":"Invalid JSON","message":"x"}', { status: 400, headers: HEADERS });
    },
    contracts,
    new Set(),
  );
  await fetch(new Request('http://onesim/serverless-runtimes', { method: 'POST', body: '{' }));
  expect(bodies).toEqual(['{']);
});

test('throws for one that breaks it, and the message says where and what was sent', async () => {
  const fetch = checkedFetch(serving(200, '133'), contracts, new Set());
  const failure = await fetch(version()).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(ContractViolation);
  expect(`${failure}`).toContain('GET /server/version?x=1 was answered with 200');
  expect(`${failure}`).toMatch(/getVersion body: must be string; seen: 133 \(contracts\/engine\.yaml:\d+\)/);
});

test('accepts a deviation only where it is on', async () => {
  const crash = serving(500, '<html></html>', { 'Content-Type': 'text/html' });
  const request = () => new Request('http://onesim/serverless-runtimes/1', { method: 'DELETE' });
  await expect(checkedFetch(crash, contracts, new Set(['crash-html']))(request())).resolves.toHaveProperty(
    'status',
    500,
  );
  await expect(checkedFetch(crash, contracts, new Set(['get-200']))(request())).rejects.toThrow(ContractViolation);
});

test('counts operations by status and deviations, broken answers included', async () => {
  const coverage: Coverage = { answers: new Map(), deviations: new Map() };
  const page = serving(404, '<p>', { ...HEADERS, 'Content-Type': 'text/html;charset=utf-8' });
  await checkedFetch(serving(200, '"1.3.3"'), contracts, new Set(), coverage)(version());
  await checkedFetch(serving(200, '"1.3.3"'), contracts, new Set(), coverage)(version());
  await checkedFetch(serving(500, null), contracts, new Set(), coverage)(version()).catch(() => {});
  await checkedFetch(page, contracts, new Set(['unknown-path-html']), coverage)(new Request('http://onesim/nope'));
  await checkedFetch(serving(200, 'x'), contracts, new Set(), coverage)(new Request('http://onesim/RPC2'));
  expect(Object.fromEntries(coverage.answers)).toEqual({
    'getVersion 200': 2,
    'getVersion 500': 1,
    'unknownRoute 404': 1,
  });
  expect(Object.fromEntries(coverage.deviations)).toEqual({ 'unknown-path-html': 1 });
});
