import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Passage } from './byte-writer.ts';
import { type Call, decodeAnswer, decodeCall, encodeAnswer, encodeCall, Fault, type Value } from './xmlrpc.ts';

/** Characters that XML can carry, with those that it reserves more often than they come. */
const character = fc.oneof(
  fc.constantFrom('&', '<', '>', '"', "'", '\r', '\n', '\t', ']', 'é', '€', '😀'),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
);
const anyText = fc
  .array(character, { maxLength: 30 })
  .map((all) => all.join(''))
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what XML does not have
  .map((all) => all.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, ''));

const { value: anyValue } = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    anyText,
    fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array({ maxLength: 20 }),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((double) => ({ double: double + 0 })),
    anyText.map((dateTime) => ({ dateTime })),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(fc.tuple(anyText, tie('value')), { maxLength: 4 }).map((members) => new Map(members)),
  ),
}));

describe('what is written', () => {
  it('is read again as it was: a call', () => {
    const anyCall: fc.Arbitrary<Call> = fc.record({ method: anyText, params: fc.array(anyValue, { maxLength: 4 }) });
    fc.assert(
      fc.property(anyCall, (call) => {
        expect(decodeCall(encodeCall(call))).toEqual(call);
      }),
      { seed: 1 },
    );
  });

  it('is read again as it was: an answer', () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        expect(decodeAnswer(encodeAnswer(value))).toEqual(value);
      }),
      { seed: 1 },
    );
  });

  it('is read again as it was: a fault', () => {
    fc.assert(
      fc.property(fc.integer({ min: -999, max: 0 }), anyText, (code, message) => {
        expect(() => decodeAnswer(encodeAnswer(new Fault(code, message)))).toThrow(new Fault(code, message));
      }),
      { seed: 1 },
    );
  });

  it('is read again as it was: a text that is longer than what is written at a time', () => {
    const long = 'é<&>\r😀'.repeat(30_000);
    expect(decodeAnswer(encodeAnswer(['first', long, new Uint8Array(200_000), 'last']))).toEqual([
      'first',
      long,
      new Uint8Array(200_000),
      'last',
    ]);
  });

  it('may be given in pieces, and is read as one', () => {
    expect(decodeAnswer(encodeAnswer({ pieces: ['<A>', 'é&', '</A>'] }))).toBe('<A>é&</A>');
  });

  it('may be given as a passage, which is written as a text is', () => {
    fc.assert(
      fc.property(fc.array(anyText, { maxLength: 4 }), (texts) => {
        const passages = texts.map((text) => new Passage(text));
        expect(encodeAnswer({ pieces: passages })).toBe(encodeAnswer({ pieces: texts }));
        expect(encodeAnswer({ pieces: passages })).toBe(encodeAnswer(texts.join('')));
      }),
      { seed: 1 },
    );
    const long = '<é>'.repeat(30_000);
    expect(encodeAnswer({ pieces: [new Passage(long)] })).toBe(encodeAnswer(long));
  });
});

const call = (params: string): string =>
  `<methodCall><methodName>m</methodName><params>${params}</params></methodCall>`;
const param = (value: string): string => call(`<param><value>${value}</value></param>`);
const read = (value: string): Value | undefined => decodeCall(param(value)).params[0];

describe('a value', () => {
  it.each([
    ['plain', 'plain'],
    ['', ''],
    ['<string></string>', ''],
    ['<string> a <!-- not this --> b<![CDATA[ <c> ]]></string>', ' a  b <c> '],
    ['<int>+7</int>', 7],
    ['<i4>-2147483648</i4>', -2_147_483_648],
    ['<boolean>1</boolean>', true],
    ['<nil/>', null],
    ['<double>-1.5</double>', { double: -1.5 }],
    ['<array><data/></array>', []],
    ['<string>&#65;&#x42;&amp;&lt;</string>', 'AB&<'],
  ])('%s is %j', (xml, value) => {
    expect(read(xml)).toEqual(value);
  });

  it('may have 64 bits', () => {
    expect(read('<ex.i8>9223372036854775807</ex.i8>')).toBe(2n ** 63n - 1n);
    expect(() => read('<i8>9223372036854775808</i8>')).toThrow('represents a number beyond the range');
  });

  it.each([
    ['<int></int>', '<int> XML element content is empty'],
    ['<int> 1</int>', "<int> content ' 1' starts with white space"],
    [
      '<int>-2147483649</int>',
      '<int> value -2147483649 is below the range allowed by XML-RPC (minimum is -2147483648)',
    ],
    ['<i8>1e3</i8>', "<i8> value '1e3' contains non-numerical junk: 'e3'"],
    ['<boolean>true</boolean>', "<boolean> XML element content must be either '0' or '1' according to XML-RPC."],
    ['<double>one</double>', "<double> element value 'one' is not a valid floating point number."],
    ['<double></double>', "<double> element value '' is not a valid floating point number."],
    ['<float>1</float>', 'Unknown value type -- XML element is named <float>'],
    ['<int>1</int><int>2</int>', '<value> has 2 child elements.  Only zero or one make sense.'],
    ['<int><b/></int>', 'The child of a <value> element is neither <array> nor <struct>,'],
    ['<array></array>', '<array> element has 0 children.  Only one <data> makes sense.'],
    ['<array><value/></array>', '<array> element has <value> child.  Only <data> makes sense.'],
    ['<array><data><int>1</int></data></array>', '<int> element where <value> expected'],
    ['<struct><value/></struct>', '<value> element found where only <member> makes sense'],
    ['<struct><member><name>n</name></member></struct>', '<member> element has 1 children.'],
    ['<struct><member><a/><value/></member></struct>', '<member> has no <name> child'],
    ['<struct><member><name/><a/></member></struct>', '<member> has no <value> child'],
  ])('%s is refused', (xml, why) => {
    expect(() => read(xml)).toThrow(`Call XML not a proper XML-RPC call.  ${why}`);
  });

  it('is not nested deeper than 64', () => {
    const nested = (depth: number): string =>
      '<array><data><value>'.repeat(depth) + '</value></data></array>'.repeat(depth);
    expect(read(nested(63))).toBeDefined();
    expect(() => read(nested(64))).toThrow('Nested data structure too deep.');
  });

  it('is refused at once when it is a number with a million digits', () => {
    expect(() => read(`<int>${'9'.repeat(1_000_000)}</int>`)).toThrow('represents a number beyond the range');
  });
});

describe('a call', () => {
  it.each([
    [
      '<methodResponse/>',
      'XML-RPC call should be a <methodCall> element.  Instead, we have a <methodResponse> element.',
    ],
    ['<methodCall/>', '<methodCall> has no <methodName> child'],
    ['<methodCall><methodName><b/></methodName></methodCall>', 'A <methodName> element should not have children.'],
    [call('<value/>'), '<value> element where <param> expected'],
    [call('<param/>'), '<param> element has 0 children.'],
  ])('%s is refused', (xml, why) => {
    expect(() => decodeCall(xml)).toThrow(why);
  });

  it('needs no parameters', () => {
    expect(decodeCall('<methodCall><methodName>m</methodName></methodCall>')).toEqual({ method: 'm', params: [] });
  });
});
