/** Bodies made from the contract: what is flawed breaks its schema in one place, what is at an edge keeps it. */
import { describe, expect, test } from 'vitest';
import { loadContracts } from '../../contracts/contract.ts';
import { errorsOf, valueAt } from '../../contracts/schema.ts';
import { edged, flawed } from './bodies.ts';

const [engine] = await loadContracts();
const schema = engine?.operations.find(({ method, path }) => method === 'PUT' && path.includes('{id}'))?.requestSchema;
if (schema === undefined) throw new Error('the contract has no body of an update');

const WHOLE = { SERVERLESS_RUNTIME: { FAAS: { FLAVOUR: 'Function', CPU: 1 }, DAAS: { FLAVOUR: 'Data' } } };

describe('flawed bodies', () => {
  const bodies = flawed(schema, WHOLE);

  test('break the schema, each where its flaw is and nowhere else', () => {
    expect(errorsOf(schema, WHOLE)).toEqual([]);
    for (const body of bodies) {
      const places = errorsOf(schema, body).map(({ instancePath }) => instancePath);
      expect(new Set(places).size, JSON.stringify(body)).toBe(1);
    }
  });

  test.each([
    '/SERVERLESS_RUNTIME',
    '/SERVERLESS_RUNTIME/NAME',
    '/SERVERLESS_RUNTIME/FAAS/CPU',
    '/SERVERLESS_RUNTIME/DAAS/STATE',
    '/SERVERLESS_RUNTIME/SCHEDULING/POLICY',
    '/SERVERLESS_RUNTIME/DEVICE_INFO/LATENCY_TO_PE',
  ])('there is one of another type at %s', (place) => {
    const found = bodies.filter((body) => errorsOf(schema, body).some(({ instancePath }) => instancePath === place));
    expect(found.length).toBeGreaterThan(2);
  });

  test('there is one without anything that is required', () => {
    const missing = bodies.flatMap((body) =>
      errorsOf(schema, body).flatMap(({ keyword, params }) => (keyword === 'required' ? [params.missingProperty] : [])),
    );
    expect(new Set(missing)).toEqual(new Set(['SERVERLESS_RUNTIME', 'FAAS', 'FLAVOUR']));
  });

  test('leave what they are made from as it was', () => {
    expect(WHOLE).toEqual({ SERVERLESS_RUNTIME: { FAAS: { FLAVOUR: 'Function', CPU: 1 }, DAAS: { FLAVOUR: 'Data' } } });
  });
});

describe('bodies at an edge', () => {
  const bodies = edged(schema, WHOLE, (path) => !path.includes('DAAS'));

  test('keep the schema', () => {
    for (const body of bodies) expect(errorsOf(schema, body), JSON.stringify(body)).toEqual([]);
  });

  test.each([
    ['/SERVERLESS_RUNTIME/FAAS/CPU', 2 ** 31],
    ['/SERVERLESS_RUNTIME/NAME', ''],
    ['/SERVERLESS_RUNTIME/FAAS/STATE', 'ERROR'],
    ['/SERVERLESS_RUNTIME/SCHEDULING', {}],
  ])('one has at %s %j', (place, value) => {
    expect(bodies.map((body) => valueAt(body, place))).toContainEqual(value);
  });

  test('are only where they are wanted', () => {
    expect(bodies.map((body) => valueAt(body, '/SERVERLESS_RUNTIME/DAAS'))).toEqual(
      bodies.map(() => WHOLE.SERVERLESS_RUNTIME.DAAS),
    );
  });
});
