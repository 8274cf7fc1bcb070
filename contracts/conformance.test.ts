import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ENGINE_DEVIATIONS } from '../sim/api/engine/deviations.ts';
import { GATEKEEPER_DEVIATIONS } from '../sim/api/gatekeeper/deviations.ts';
import { checkExchange, type Exchange, type Verdict } from './conformance.ts';
import { loadContracts } from './contract.ts';
import { engineRecordings } from './recordings.ts';

const contracts = await loadContracts();
const UPSTREAM: ReadonlySet<string> = new Set([...ENGINE_DEVIATIONS, ...GATEKEEPER_DEVIATIONS]);
const CONTRACT: ReadonlySet<string> = new Set();

const FAAS = { FLAVOUR: 'Function', VM_ID: 3, STATE: 'RUNNING', CPU: 2, MEMORY: 128, DISK_SIZE: 1024, ENDPOINT: '' };
const RUNTIME = { SERVERLESS_RUNTIME: { NAME: 'a', ID: 5, FAAS, SERVICE_ID: 4 } };
const JSON_HEADERS = { 'Content-Type': 'application/json', 'X-Content-Type-Options': 'nosniff' };

/** A reading of a runtime in profile contract, with something changed. */
function reading(
  change: Partial<Omit<Exchange, 'headers' | 'body'>> & { headers?: object; body?: unknown } = {},
): Exchange {
  const { headers = {}, body = RUNTIME, ...rest } = change;
  return {
    method: 'GET',
    path: '/serverless-runtimes/5',
    status: 201,
    ...rest,
    headers: headersOf({ ...JSON_HEADERS, ...headers }),
    body: typeof body === 'string' ? body : JSON.stringify(body),
  };
}

function headersOf(values: Record<string, string | null>): Headers {
  return new Headers(Object.entries(values).flatMap(([name, value]) => (value === null ? [] : [[name, value]])));
}

/** Law and pointer of each violation. */
function broken({ violations }: Verdict): string[] {
  return violations.map(({ law, pointer }) => `${law} ${pointer}`.trim());
}

function withFaas(change: object): unknown {
  return { SERVERLESS_RUNTIME: { ...RUNTIME.SERVERLESS_RUNTIME, FAAS: { ...FAAS, ...change } } };
}

const error = (message: unknown, title = 'Serverless Runtime not found'): unknown => ({ error: title, message });

describe('an answer that keeps the contract has no violations', () => {
  test.each<[string, Exchange]>([
    ['a runtime', reading()],
    ['keys of the caller’s own', reading({ body: withFaas({ COLOUR: 'red' }) })],
    [
      'a DAAS that was not wanted',
      reading({ body: { SERVERLESS_RUNTIME: { ...RUNTIME.SERVERLESS_RUNTIME, DAAS: { FLAVOUR: '' } } } }),
    ],
    ['a function in error, with its reason', reading({ body: withFaas({ STATE: 'ERROR', ERROR: 'No KVM' }) })],
    ['HEAD, without a body', reading({ method: 'HEAD', body: '' })],
    ['a media type in capitals', reading({ headers: { 'Content-Type': 'Application/JSON' } })],
    ['an additional header', reading({ headers: { 'X-Other': '1' } })],
    [
      'nothing, after a deletion',
      reading({ method: 'DELETE', status: 204, headers: { 'Content-Type': null }, body: '' }),
    ],
    ['404', reading({ status: 404, body: error('') })],
    ['an unknown path', reading({ path: '/nope', status: 404, body: error('GET /nope', 'Not Found') })],
  ])('%s', (_, exchange) => {
    expect(checkExchange(contracts, exchange, CONTRACT)).toMatchObject({ violations: [], deviation: undefined });
  });
});

describe('an answer that breaks the contract is told by law and place', () => {
  test.each<[string, Exchange, string[]]>([
    ['an undocumented status', reading({ status: 418 }), ['status']],
    ['a documented status of another operation', reading({ status: 423, body: error('PENDING') }), ['status']],
    ['a missing header', reading({ headers: { 'X-Content-Type-Options': null } }), ['header X-Content-Type-Options']],
    ['a wrong header', reading({ headers: { 'X-Content-Type-Options': 'sniff' } }), ['header X-Content-Type-Options']],
    [
      'no challenge in a 401',
      reading({ status: 401, body: error('', 'Authentication required') }),
      ['header WWW-Authenticate'],
    ],
    ['a media type', reading({ headers: { 'Content-Type': 'text/html' } }), ['media-type']],
    [
      'a media type with a charset',
      reading({ headers: { 'Content-Type': 'application/json;charset=utf-8' } }),
      ['media-type'],
    ],
    ['no media type', reading({ headers: { 'Content-Type': null } }), ['media-type']],
    ['a body that is no JSON', reading({ body: '{' }), ['body']],
    ['no body', reading({ body: '' }), ['body']],
    ['an extra property', reading({ body: { ...RUNTIME, extra: 1 } }), ['body']],
    ['a missing property', reading({ body: withFaas({ VM_ID: undefined }) }), ['body /SERVERLESS_RUNTIME/FAAS']],
    ['a wrong type', reading({ body: withFaas({ CPU: '2' }) }), ['body /SERVERLESS_RUNTIME/FAAS/CPU']],
    ['a wrong title', reading({ status: 404, body: error('', 'Not found') }), ['body /error']],
    ['a body on HEAD', reading({ method: 'HEAD' }), ['no-body']],
    [
      'text on 204',
      reading({ method: 'DELETE', status: 204, body: 'x', headers: { 'Content-Type': null } }),
      ['no-body'],
    ],
    ['a media type on 204', reading({ method: 'DELETE', status: 204, body: '' }), ['media-type']],
    ['success on an unknown path', reading({ path: '/nope', status: 200 }), ['status']],
  ])('%s', (_, exchange, expected) => {
    expect(broken(checkExchange(contracts, exchange, CONTRACT))).toEqual(expected);
  });

  test('a function in error without a reason', () => {
    const verdict = checkExchange(contracts, reading({ body: withFaas({ STATE: 'ERROR' }) }), CONTRACT);
    expect(broken(verdict)).toContain('body /SERVERLESS_RUNTIME/FAAS');
  });

  test('success for a body that the contract refuses', () => {
    const requestBody = '{"SERVERLESS_RUNTIME":{}}';
    const exchange = reading({ method: 'POST', path: '/serverless-runtimes', status: 201, requestBody });
    expect(broken(checkExchange(contracts, exchange, CONTRACT))).toEqual(['request /SERVERLESS_RUNTIME']);
  });

  test('with what was expected, what was seen, and the line of the contract', async () => {
    const exchange = reading({ status: 404, body: error('', 'Gone') });
    const [violation] = checkExchange(contracts, exchange, CONTRACT).violations;
    expect(violation).toMatchObject({
      operation: 'readRuntime',
      pointer: '/error',
      expected: expect.stringContaining('Serverless Runtime not found'),
      seen: '"Gone"',
      where: expect.stringMatching(/^contracts\/engine\.yaml:\d+$/),
    });
    const lines = (await readFile(new URL('engine.yaml', import.meta.url), 'utf8')).split('\n');
    expect(lines[Number(violation?.where.split(':')[1]) - 1]).toMatch(/^\s+["']404["']:/);
  });
});

describe('a deviation that is on accepts its answer and nothing wider', () => {
  const HTML = { 'Content-Type': 'text/html', 'X-Content-Type-Options': null };

  test.each<[string, Exchange]>([
    ['get-200', reading({ status: 200 })],
    ['crash-html', reading({ status: 500, headers: HTML, body: '<html></html>' })],
    ['no-www-authenticate', reading({ status: 401, body: error('', 'Authentication required') })],
    [
      'unknown-path-html',
      reading({ path: '/x', status: 404, headers: { 'Content-Type': 'text/html;charset=utf-8' }, body: '<p>' }),
    ],
    [
      'put-error-null-message',
      reading({
        method: 'PUT',
        status: 500,
        body: error(
          null,
          'Cannot update Serverless Runtime Function VM FAAS on an error state. A recovery was attempted',
        ),
      }),
    ],
  ])('%s', (id, exchange) => {
    expect(checkExchange(contracts, exchange, UPSTREAM)).toMatchObject({ violations: [], deviation: id });
    expect(checkExchange(contracts, exchange, new Set([id]))).toMatchObject({ violations: [], deviation: id });
    const others = new Set([...UPSTREAM].filter((other) => other !== id));
    expect(checkExchange(contracts, exchange, others).violations).not.toEqual([]);
  });

  test.each<[string, Exchange]>([
    ['another status', reading({ status: 202 })],
    ['its status with a broken body', reading({ status: 200, body: withFaas({ CPU: '2' }) })],
    ['its status without a required header', reading({ status: 200, headers: { 'X-Content-Type-Options': null } })],
    ['HTML with another status', reading({ status: 404, headers: HTML, body: '<html></html>' })],
    ['null under another title', reading({ method: 'PUT', status: 500, body: error(null, 'Internal Server Error') })],
    [
      'HTML on an operation that is not in the row',
      reading({ path: '/server/version', status: 500, headers: HTML, body: '' }),
    ],
  ])('not %s', (_, exchange) => {
    const verdict = checkExchange(contracts, exchange, UPSTREAM);
    expect(verdict.violations).not.toEqual([]);
    expect(verdict.deviation).toBeUndefined();
  });
});

/** What the recording's web server refused by itself, before the engine saw the request. */
const WEB_SERVERS = [
  'http_long_header',
  'http_long_uri',
  'http_very_long_uri',
  'http_lowercase_method',
  'path_traversal',
  'post_no_body',
];

describe('the recordings of the real server', async () => {
  const all = await engineRecordings();

  test('keep the contract with the deviations on, but for what its web servers refused by themselves', () => {
    const against = all.filter(({ exchange }) => checkExchange(contracts, exchange, UPSTREAM).violations.length > 0);
    expect(all.length).toBeGreaterThan(400);
    expect(against.map(({ name }) => name).filter((name) => !WEB_SERVERS.includes(name))).toEqual([]);
    expect([...new Set(against.map(({ name }) => name))].sort()).toEqual([...WEB_SERVERS].sort());
  });

  test('show every deviation that widens the contract, and break it where one is off', () => {
    const widening = contracts
      .filter(({ file }) => file === 'engine.yaml')
      .flatMap(({ deviations }) => deviations.filter(({ effect }) => effect.accepts.length > 0));
    expect(widening.length).toBeGreaterThan(5);
    for (const { id } of widening) {
      const shown = all.filter(({ exchange }) => checkExchange(contracts, exchange, UPSTREAM).deviation === id);
      expect(shown.length, id).toBeGreaterThan(0);
      const off = new Set([...UPSTREAM].filter((other) => other !== id));
      for (const { name, exchange } of shown) {
        expect(checkExchange(contracts, exchange, off).violations, `${id}: ${name}`).not.toEqual([]);
      }
    }
  });
});

test('nothing that can be sent or answered makes the check itself fail', () => {
  const paths = contracts.flatMap(({ operations }) => operations.map(({ path }) => path));
  fc.assert(
    fc.property(
      fc.record({
        method: fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'FOO', ''),
        path: fc.oneof(
          fc.string(),
          fc.webPath({ size: 'small' }),
          fc
            .tuple(fc.constantFrom(...paths), fc.string())
            .map(([path, text]) => path.replaceAll(/\{\w+\}/g, () => text)),
        ),
        requestBody: fc.oneof(fc.string(), fc.json()),
        status: fc.oneof(fc.constantFrom(200, 201, 204, 400, 401, 404, 500), fc.integer({ min: -1, max: 999 })),
        headers: fc
          .constantFrom({}, JSON_HEADERS, { 'Content-Type': ';;' }, { 'Content-Type': 'text/html' })
          .map((values) => new Headers(values as Record<string, string>)),
        body: fc.oneof(fc.string({ unit: 'binary' }), fc.json(), fc.constant(JSON.stringify(RUNTIME))),
      }),
      fc.constantFrom(UPSTREAM, CONTRACT),
      (exchange, deviations) => {
        for (const { where, law } of checkExchange(contracts, exchange, deviations).violations) {
          expect(where).toMatch(/^contracts\/\w+\.yaml:\d+$/);
          expect(law).not.toBe('');
        }
      },
    ),
    { seed: 1, numRuns: 2000 },
  );
});
