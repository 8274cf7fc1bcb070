import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PatternError } from './automaton.ts';
import { wholeMatcher } from './pattern.ts';

/** Patterns that mean the same to RE2 and to JavaScript. */
const aPattern = fc.letrec((tie) => ({
  pattern: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom('a', 'b', '.', '\\d', '\\w', '\\S', '[ab]', '[^a-c]', '[\\d_]', '\\.', '\\x41', 'é', '\\b', ''),
    fc.tuple(tie('pattern'), tie('pattern')).map(([a, b]) => `${a}${b}`),
    fc.tuple(tie('pattern'), tie('pattern')).map(([a, b]) => `(?:${a}|${b})`),
    fc
      .tuple(tie('pattern'), fc.constantFrom('*', '+', '?', '{2}', '{1,}', '{0,2}', '*?', '+?'))
      .map(([a, times]) => `(${a})${times}`),
  ),
})).pattern as fc.Arbitrary<string>;

const aText = fc.array(fc.constantFrom('a', 'b', 'c', '1', '_', '.', ' ', 'A', 'é', '\n'), { maxLength: 8 });

test('a pattern matches what JavaScript says it matches', () => {
  fc.assert(
    fc.property(aPattern, fc.array(aText, { minLength: 5, maxLength: 5 }), (pattern, texts) => {
      const matches = wholeMatcher(pattern);
      const theirs = new RegExp(`^(?:${pattern})$`, 'u');
      for (const text of texts.map((characters) => characters.join(''))) {
        expect(matches(text), JSON.stringify(text)).toBe(theirs.test(text));
      }
    }),
    { seed: 1, numRuns: 2000 },
  );
});

describe('what only RE2 has', () => {
  test.each([
    ['(?i)abc', 'aBC', true],
    ['(?i:a)b', 'Ab', true],
    ['(?i:a)b', 'AB', false],
    ['(?i)[a-c]+', 'aBC', true],
    ['(?-i)a', 'A', false],
    ['a.b', 'a\nb', false],
    ['(?s)a.b', 'a\nb', true],
    ['(?s:.)', '\n', true],
    ['\\Qa.b\\E+', 'a.bb', true],
    ['\\Qa.b\\E', 'axb', false],
    ['[[:alpha:]]+', 'abC', true],
    ['[[:^digit:]_]+', 'a_-', true],
    ['[[:digit:]]', 'a', false],
    ['[]a]+', ']a]', true],
    ['[^]a]', ']', false],
    ['(?P<name>x)', 'x', true],
    ['\\Aab\\z', 'ab', true],
    ['\\x{1F600}', '😀', true],
    ['.', '😀', true],
    ['\\0', '\0', true],
    ['\\012', '\n', true],
    ['(?m)a$\nb', 'a\nb', true],
    ['x{0}', '', true],
    ['x{,3}', 'x{,3}', true],
    ['', '', true],
    ['|a', '', true],
    ['a**?', '', undefined],
  ])('%s and %j', (pattern, text, matches) => {
    if (matches === undefined) expect(() => wholeMatcher(pattern)).toThrow('invalid nested repetition operator');
    else expect(wholeMatcher(pattern)(text)).toBe(matches);
  });
});

test.each([
  ['(', 'missing closing ): `^(?:()$`'],
  [')', 'unexpected ): `^(?:))$`'],
  ['[a', 'missing closing ]: `[a)$`'],
  ['[z-a]', 'invalid character class range: `z-a`'],
  ['*', 'missing argument to repetition operator: `*`'],
  ['a{2,1}', 'invalid repeat count: `{2,1}`'],
  ['a{1001}', 'invalid repeat count: `{1001}`'],
  ['a\\', 'trailing backslash at end of expression: ``'],
  ['\\1', 'invalid escape sequence: `\\1`'],
  ['\\p', 'invalid escape sequence: `\\p`'],
  ['(?=a)', 'invalid or unsupported Perl syntax: `(?=`'],
  ['(?!a)', 'invalid or unsupported Perl syntax: `(?!`'],
  ['(?<=a)', 'invalid or unsupported Perl syntax: `(?<=`'],
])('%s is no pattern', (pattern, message) => {
  expect(() => wholeMatcher(pattern)).toThrow(`error parsing regexp: ${message}`);
});

describe('no pattern takes long', () => {
  const long = 'a'.repeat(20_000);

  test.each(['(a+)+$', '(a|a)*b', '(a|aa)+b', '(.*)*x', '((a*)*)*b', 'a?'.repeat(200)])('%s', (pattern) => {
    expect(wholeMatcher(pattern)(`${long}!`)).toBe(false);
  });

  test.each([
    '((a{1000}){1000}){1000}',
    '((((){1000}){1000}){1000}){1000}',
    '('.repeat(3000),
    `${'('.repeat(1500)}${')'.repeat(1500)}`,
    'a'.repeat(5000),
  ])('%s is refused', (pattern) => {
    expect(() => wholeMatcher(pattern)).toThrow(PatternError);
  });
});
