import { Ajv } from 'ajv';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { generateJson, parseJson, type Value } from '../ruby-json.ts';
import { RUNTIME_SCHEMA, STRICT_RUNTIME_SCHEMA, schemaValue, violation } from './schema.ts';

const problem = (body: string): string | undefined => violation(RUNTIME_SCHEMA, parseJson(body));
const inRuntime = (rest: string): string => `{"SERVERLESS_RUNTIME":{"FAAS":{"FLAVOUR":"f"},${rest}}}`;
const inFunction = (rest: string): string => `{"SERVERLESS_RUNTIME":{"FAAS":{"FLAVOUR":"f",${rest}}}}`;

describe('violation', () => {
  it.each([
    ['[]', "The property '#/' of type array did not match the following type: object"],
    ['null', "The property '#/' of type null did not match the following type: object"],
    ['true', "The property '#/' of type boolean did not match the following type: object"],
    ['"x"', "The property '#/' of type string did not match the following type: object"],
    ['"5"', "The property '#/' of type integer did not match the following type: object"],
    ['{"SERVERLESS_RUNTIME":{}}', "The property '#/SERVERLESS_RUNTIME' did not contain a required property of 'FAAS'"],
    [
      inFunction('"CPU":1.0'),
      "The property '#/SERVERLESS_RUNTIME/FAAS/CPU' of type number did not match the following type: integer",
    ],
    [
      inFunction('"STATE":"FOO"'),
      `The property '#/SERVERLESS_RUNTIME/FAAS/STATE' value "FOO" did not match one of the following values: PENDING, RUNNING, UPDATING, ERROR`,
    ],
    [
      '{"SERVERLESS_RUNTIME":{"NAME":1,"FAAS":{"CPU":"x"}}}',
      "The property '#/SERVERLESS_RUNTIME/NAME' of type integer did not match the following type: string",
    ],
    [
      '{"SERVERLESS_RUNTIME":{"FAAS":{"CPU":"x"}}}',
      "The property '#/SERVERLESS_RUNTIME/FAAS/CPU' of type string did not match the following type: integer",
    ],
    [
      inRuntime('"DAAS":{}'),
      "The property '#/SERVERLESS_RUNTIME/DAAS' did not contain a required property of 'FLAVOUR'",
    ],
  ])('%s', (body, message) => {
    expect(problem(body)).toBe(message);
  });

  it.each([
    '{}',
    '{"X":1}',
    '"{}"',
    inRuntime('"UNKNOWN":[1,{}],"DEVICE_INFO":{"LATENCY_TO_PE":5}'),
    inRuntime('"DEVICE_INFO":{"LATENCY_TO_PE":5.5}'),
    inFunction('"CPU":1000000000000000000000000000000,"FOO":null'),
  ])('%s passes', (body) => {
    expect(problem(body)).toBeUndefined();
  });

  it('misses SERVERLESS_RUNTIME only where the contract is kept', () => {
    expect(violation(STRICT_RUNTIME_SCHEMA, parseJson('{}'))).toBe(
      "The property '#/' did not contain a required property of 'SERVERLESS_RUNTIME'",
    );
  });

  it('agrees with another validator on what is valid', () => {
    const validate = new Ajv({ strict: false, validateFormats: false }).compile(
      JSON.parse(generateJson(schemaValue(RUNTIME_SCHEMA))),
    );
    const leaf = fc.constantFrom<Value>(null, true, 7n, 1.5, 'RUNNING', 'x', []);
    const object = (keys: readonly string[], of: fc.Arbitrary<Value>): fc.Arbitrary<Value> =>
      fc.array(fc.tuple(fc.constantFrom(...keys), of), { maxLength: 5 }).map((entries) => new Map(entries));
    const functions = object(['FLAVOUR', 'CPU', 'STATE', 'ENDPOINT', 'X'], leaf);
    const parts = object(['POLICY', 'REQUIREMENTS', 'LATENCY_TO_PE', 'GEOGRAPHIC_LOCATION'], leaf);
    const runtime = object(
      ['FAAS', 'DAAS', 'SCHEDULING', 'DEVICE_INFO', 'NAME', 'ID'],
      fc.oneof(functions, parts, leaf),
    );
    const body = fc.oneof(object(['SERVERLESS_RUNTIME', 'X'], fc.oneof(runtime, leaf)), leaf);
    fc.assert(
      fc.property(body, (value) => {
        const verdict = validate(JSON.parse(generateJson(value)));
        expect(violation(RUNTIME_SCHEMA, value) === undefined).toBe(verdict);
      }),
      { seed: 1, numRuns: 1000 },
    );
  });
});
