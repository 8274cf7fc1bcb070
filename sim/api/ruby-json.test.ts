import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Json } from '../one/json.ts';
import { JsonProblem, parseJson, prettyJson } from './ruby-json.ts';

test.each([
  ['', "859: unexpected token at ''"],
  ['{', "859: unexpected token at '{'"],
  ['{bad', "859: unexpected token at '{bad'"],
  ['{"x"', '859: unexpected token at \'{"x"\''],
  ['not json', "859: unexpected token at 'not json'"],
  ['{} x', "859: unexpected token at 'x'"],
  ['\ufeff{}', "859: unexpected token at '\ufeff{}'"],
  ['{"a":{"b":NaN}}', "225: unexpected token at 'NaN}}'"],
  ['[1,x]', "451: unexpected token at 'x]'"],
  ['{ "cardinality" : 3,\n  "force" :  }', '859: unexpected token at \'{ "cardinality" : 3,\n  "force" :  }\''],
  [`${'['.repeat(101)}${']'.repeat(101)}`, 'nesting of 101 is too deep'],
  ['['.repeat(101), 'nesting of 101 is too deep'],
])('refuses %j in the words of the gem', (source, message) => {
  expect(() => parseJson(source)).toThrow(new JsonProblem(message));
});

test.each([
  ['/* a */ {"a": 1} // b\n', { a: 1 }],
  ['["\\q\\u0041\\n", /**/ 1e3]', ['qA\n', 1000]],
  [`${'['.repeat(100)}${']'.repeat(100)}`, JSON.parse(`${'['.repeat(100)}${']'.repeat(100)}`)],
])('reads %j', (source, value) => {
  expect(parseJson(source)).toEqual(value);
});

test('prints empty collections over two lines', () => {
  expect(prettyJson({ a: [], b: {}, c: [1, { d: null }] })).toBe(
    '{\n  "a": [\n\n  ],\n  "b": {\n  },\n  "c": [\n    1,\n    {\n      "d": null\n    }\n  ]\n}',
  );
});

test('reads what it has printed', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(JSON.stringify(parseJson(prettyJson(value as Json)))).toBe(JSON.stringify(value));
    }),
    { seed: 1, numRuns: 300 },
  );
});
