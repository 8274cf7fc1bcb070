import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  GeneratorError,
  generateJson,
  generateMembers,
  ParserError,
  parseJson,
  prettyJson,
  type Value,
} from './ruby-json.ts';

const refusalOf = (text: string): string => {
  try {
    parseJson(text);
  } catch (error) {
    if (error instanceof ParserError) return error.message;
    throw error;
  }
  return 'accepted';
};

const deep = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;

const value: fc.Arbitrary<Value> = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constant(null),
    fc.boolean(),
    fc.bigInt(),
    fc.double({ noDefaultInfinity: true, noNaN: true }),
    fc.string({ unit: 'grapheme' }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(fc.tuple(fc.string(), tie('value')), { maxLength: 4 }).map((entries) => new Map(entries)),
  ),
})).value;

describe('parseJson', () => {
  it('keeps the order of keys, and the last value of a key that comes twice', () => {
    expect([...(parseJson('{"b":1,"10":2,"a":3,"b":4}') as Map<string, Value>)]).toEqual([
      ['b', 4n],
      ['10', 2n],
      ['a', 3n],
    ]);
  });

  it('tells integers from floats', () => {
    expect(parseJson('[1,1.0,-0,-0.0,1e2,1E-2,1000000000000000000000000000000]')).toEqual([
      1n,
      1,
      0n,
      -0,
      100,
      0.01,
      1000000000000000000000000000000n,
    ]);
  });

  it('takes comments and any value at the top', () => {
    expect(parseJson('/* a */ "x" // b\n')).toBe('x');
    expect(parseJson('{/*c*/"a"/**/:/***/1/* */}')).toEqual(new Map([['a', 1n]]));
  });

  it('reads escapes as Ruby does', () => {
    expect(parseJson(String.raw`"\u20ac\n\/\x\ud83d\ude00"`)).toBe('€\n/x😀');
    // The half of a pair that stands alone becomes a question mark and swallows the next character.
    expect(parseJson(String.raw`"\ud83dabcdef"`)).toBe('?bcdef');
  });

  it.each([
    ['', "859: unexpected token at ''"],
    ['{', "859: unexpected token at '{'"],
    ['{"x"', `859: unexpected token at '{"x"'`],
    ['not json', "859: unexpected token at 'not json'"],
    ['\ufeff{}', "859: unexpected token at '\ufeff{}'"],
    ['{"a":1} x', "859: unexpected token at 'x'"],
    ['{"a":{"b":1,}}', `859: unexpected token at '{"a":{"b":1,}}'`],
    ['{"a":NaN}}}', "225: unexpected token at 'NaN}}}'"],
    ['{"a":Infinity}', "232: unexpected token at ':Infinity}'"],
    ['{"a":-Infinity}', "248: unexpected token at '-Infinity}'"],
    ['{"a":[1,]}', "451: unexpected token at ']}'"],
    ['[1 2]', "451: unexpected token at '2]'"],
    ['[1', "451: unexpected token at ''"],
    ['[01]', "451: unexpected token at '01]'"],
    ['[1.5.2]', "451: unexpected token at '.5.2]'"],
    ['[{"a":}]', `451: unexpected token at '{"a":}]'`],
    ['["a\tb"]', `451: unexpected token at '"a\tb"]'`],
    ['{} /* open', "859: unexpected token at ''"],
    ['{} / x', "859: unexpected token at ' x'"],
    ['x\0y', "859: unexpected token at 'x'"],
    [String.raw`"ab\ud83d"`, String.raw`521: incomplete surrogate pair at 'ab\ud83d"'`],
    [`${'{"a":'.repeat(101)}1`, 'nesting of 101 is too deep'],
    [deep(101), 'nesting of 101 is too deep'],
    [deep(100), 'accepted'],
    ['9'.repeat(1000), 'accepted'],
    [`[-${'9'.repeat(1000)}]`, 'integer of 1001 characters is too long'],
  ])('%j: %s', (text, message) => {
    expect(refusalOf(text)).toBe(message);
  });

  it('accepts what JSON.parse accepts, and throws nothing but its own error', () => {
    const text = fc.oneof(
      fc.json(),
      fc.string({ unit: fc.constantFrom(...'{}[]:,"\\/*untrflsaeNI-+.01eE \n\u0000é') }),
      fc.tuple(fc.json(), fc.nat(), fc.string({ maxLength: 2 })).map(([json, at, junk]) => {
        const cut = at % (json.length + 1);
        return json.slice(0, cut) + junk + json.slice(cut);
      }),
    );
    fc.assert(
      fc.property(text, (source) => {
        const accepted = refusalOf(source) === 'accepted';
        let standard = true;
        try {
          JSON.parse(source);
        } catch {
          standard = false;
        }
        if (standard) expect(accepted).toBe(true);
      }),
      { seed: 1, numRuns: 2000 },
    );
  });
});

describe('generateJson', () => {
  it('writes no blanks, and floats with a point', () => {
    expect(generateJson(parseJson(' { "a" : [ 1 , 1.0 , 2.50 , null ] , "b" : { } } '))).toBe(
      '{"a":[1,1.0,2.5,null],"b":{}}',
    );
  });

  it('leaves characters raw that need no escape', () => {
    expect(generateJson('fl€ur/\u2028\u007f\u0001')).toBe('"fl€ur/\u2028\u007f\\u0001"');
  });

  it('writes a key twice when it is given twice', () => {
    expect(
      generateMembers(
        [
          ['ID', 77n],
          ['ID', 999n],
        ],
        1,
      ),
    ).toBe('"ID":77,"ID":999');
  });

  it('refuses text that is not UTF-8, infinity and what is nested too deeply', () => {
    expect(() => generateJson('\udce9')).toThrow(GeneratorError);
    expect(() => generateJson(parseJson('1e400'))).toThrow(GeneratorError);
    expect(() => generateJson([parseJson(deep(100))])).toThrow('nesting of 101 is too deep');
  });

  it('writes what reads back as the same value', () => {
    fc.assert(
      fc.property(value, (original) => {
        expect(parseJson(generateJson(original))).toEqual(original);
      }),
      { seed: 1 },
    );
  });
});

describe('prettyJson', () => {
  it('writes two blanks a level, and empty collections over two lines', () => {
    expect(prettyJson(parseJson('{"a":[],"b":{},"2":[1,1.0,{"d":null}]}'))).toBe(
      '{\n  "a": [\n\n  ],\n  "b": {\n  },\n  "2": [\n    1,\n    1.0,\n    {\n      "d": null\n    }\n  ]\n}',
    );
  });

  it('writes what reads back as the same value', () => {
    fc.assert(
      fc.property(value, (original) => {
        expect(parseJson(prettyJson(original))).toEqual(original);
      }),
      { seed: 1 },
    );
  });
});
