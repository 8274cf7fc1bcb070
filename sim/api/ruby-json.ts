/**
 * JSON as Ruby's json 2.6.1 reads and writes it. Mirrors `parser.rl` and `generator.c` of that gem: the messages, the
 * numbers in front of them (the lines of its source that raise) and where they point are what clients see.
 */
import type { Json } from '../one/flow/json.ts';
import { wellFormed } from './bytes.ts';
import { floatText } from './ruby-text.ts';

/** A parsed value. An integer is a `bigint` and a float a `number`, for `1` and `1.0` are not the same to the schema. */
export type Value = null | boolean | bigint | number | string | Value[] | Hash;

/** An object: keys in order of appearance, also those that look like numbers. */
export type Hash = Map<string, Value>;

/** What makes a text no JSON, in the words of the gem. */
export class ParserError extends Error {}

/** What cannot be written as JSON: text that is not UTF-8, infinity, too deep a nesting. */
export class GeneratorError extends Error {}

const MAX_NESTING = 100;

/** Longest integer that is read. The gem knows no limit; here one costs more than its share of the time, like its square. */
const MAX_DIGITS = 1000;

const FAILED = Symbol('no value here');

const FRACTION_START = new Set('.eE');
const FLOAT = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+(?:[Ee][+-]?[0-9]+)?|[Ee][+-]?[0-9]+)(?![0-9Ee.-])/y;
const INTEGER = /-?(?:0|[1-9][0-9]*)(?![0-9])/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: no text may hold them
const PLAIN = /[^"\\\0-\x1f]*"/y;
const HEX = /[0-9a-fA-F]{4}/y;

const LITERALS: Readonly<Record<string, readonly [text: string, value: null | boolean]>> = {
  n: ['null', null],
  t: ['true', true],
  f: ['false', false],
};

/** What the gem does not take for a number, the line that says so, and how far before it the message begins. */
const NOT_NUMBERS: Readonly<Record<string, readonly [text: string, line: number, back: number]>> = {
  N: ['NaN', 225, 0],
  I: ['Infinity', 232, 1],
  '-': ['-Infinity', 248, 0],
};

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  b: '\b',
  f: '\f',
  '"': '"',
  '\\': '\\',
};

/** @throws ParserError */
export function parseJson(source: string): Value {
  /** The position; what is parsed begins here, and when it has been, here it ended. */
  let at = 0;

  const refuse = (line: number, from: number): ParserError =>
    new ParserError(`${line}: unexpected token at '${upToNul(source, from)}'`);

  /** Skips blanks and comments. False when a comment is broken; then `at` is where the gem sees it. */
  function skip(): boolean {
    for (;;) {
      const char = source[at];
      if (char === ' ' || char === '\t' || char === '\r' || char === '\n') at++;
      else if (char !== '/') return true;
      else if (source[at + 1] !== '*' && source[at + 1] !== '/') {
        at = Math.min(at + 1, source.length);
        return false;
      } else {
        const end = source[at + 1] === '*' ? '*/' : '\n';
        const found = source.indexOf(end, at + 2);
        at = found < 0 ? source.length : found + end.length;
        if (found < 0) return false;
      }
    }
  }

  function value(depth: number): Value | typeof FAILED {
    const char = source[at] ?? '';
    if (char === '"') return string();
    if (char === '[') return array(depth + 1);
    if (char === '{') return object(depth + 1);
    if (char >= '0' && char <= '9') return number();
    const notNumber = NOT_NUMBERS[char];
    if (notNumber !== undefined && source.startsWith(notNumber[0], at)) {
      throw refuse(notNumber[1], Math.max(0, at - notNumber[2]));
    }
    const literal = LITERALS[char];
    if (literal !== undefined) {
      if (!source.startsWith(literal[0], at)) return FAILED;
      at += literal[0].length;
      return literal[1];
    }
    return char === '-' ? number() : FAILED;
  }

  function number(): bigint | number | typeof FAILED {
    const start = at;
    const integer = match(INTEGER);
    if (integer === undefined) return FAILED;
    const end = at;
    if (!FRACTION_START.has(source[at] ?? '')) return wholeNumber(integer);
    at = start;
    const float = match(FLOAT);
    if (float !== undefined) return Number(float);
    at = end;
    return wholeNumber(integer);
  }

  function match(pattern: RegExp): string | undefined {
    pattern.lastIndex = at;
    if (!pattern.test(source)) return undefined;
    const start = at;
    at = pattern.lastIndex;
    return source.slice(start, at);
  }

  function string(): string | typeof FAILED {
    const start = at + 1;
    PLAIN.lastIndex = start;
    if (PLAIN.test(source)) {
      at = PLAIN.lastIndex;
      return source.slice(start, at - 1);
    }
    let escaped = false;
    for (let i = start; i < source.length; i++) {
      const char = source[i] ?? '';
      if (char === '"') {
        at = i + 1;
        return escaped ? unescaped(source, start, i) : source.slice(start, i);
      }
      if (char < ' ') return FAILED;
      if (char !== '\\') continue;
      escaped = true;
      i++;
      HEX.lastIndex = i + 1;
      if ((source[i] ?? '') < ' ' || (source[i] === 'u' && !HEX.test(source))) return FAILED;
    }
    return FAILED;
  }

  function array(depth: number): Value[] {
    if (depth > MAX_NESTING) throw new ParserError(`nesting of ${depth} is too deep`);
    const elements: Value[] = [];
    at++;
    if (!skip()) throw refuse(451, at);
    if (source[at] !== ']') {
      for (;;) {
        const element = value(depth);
        if (element === FAILED || !skip()) throw refuse(451, at);
        elements.push(element);
        if (source[at] === ']') break;
        if (source[at] !== ',') throw refuse(451, at);
        at++;
        if (!skip()) throw refuse(451, at);
      }
    }
    at++;
    return elements;
  }

  function object(depth: number): Hash | typeof FAILED {
    if (depth > MAX_NESTING) throw new ParserError(`nesting of ${depth} is too deep`);
    const start = at;
    const hash: Hash = new Map();
    at++;
    for (let first = true; ; first = false) {
      if (!skip()) break;
      if (source[at] === '}') {
        if (!first) break;
        at++;
        return hash;
      }
      const name = source[at] === '"' ? string() : FAILED;
      if (name === FAILED || !skip() || source[at] !== ':') break;
      at++;
      if (!skip()) break;
      const element = value(depth);
      if (element === FAILED) break;
      hash.set(name, element);
      if (!skip()) break;
      if (source[at] === '}') {
        at++;
        return hash;
      }
      if (source[at] !== ',') break;
      at++;
    }
    at = start;
    return FAILED;
  }

  if (!skip()) throw refuse(859, at);
  const result = value(0);
  if (result === FAILED || !skip() || at < source.length) throw refuse(859, at);
  return result;
}

function wholeNumber(digits: string): bigint {
  if (digits.length > MAX_DIGITS) throw new ParserError(`integer of ${digits.length} characters is too long`);
  return BigInt(digits);
}

/** A C string ends at the first NUL. */
function upToNul(source: string, from: number): string {
  const end = source.indexOf('\0', from);
  return source.slice(from, end < 0 ? undefined : end);
}

function unescaped(source: string, start: number, end: number): string {
  let text = '';
  let run = start;
  for (let i = source.indexOf('\\', start); i >= 0 && i < end; i = source.indexOf('\\', Math.max(run, i + 1))) {
    text += source.slice(run, i);
    const char = source[++i] ?? '';
    const plain = ESCAPES[char];
    if (plain !== undefined) {
      text += plain;
      run = i + 1;
    } else if (char !== 'u') {
      run = i;
    } else {
      const [character, next] = codePoint(source, i + 1, end, run);
      text += character;
      run = next;
    }
  }
  return text + source.slice(run, end);
}

/** The character of a `\u` escape, and where the text goes on. The half of a pair that stands alone swallows what follows it. */
function codePoint(source: string, hex: number, end: number, run: number): readonly [text: string, next: number] {
  const code = Number.parseInt(source.slice(hex, hex + 4), 16);
  const next = hex + 4;
  if ((code & 0xfc00) !== 0xd800) return [String.fromCharCode(code), next];
  if (next > end - 6) throw new ParserError(`521: incomplete surrogate pair at '${upToNul(source, run)}'`);
  if (!source.startsWith('\\u', next)) return ['?', next + 1];
  const low = Number.parseInt(source.slice(next + 2, next + 6), 16);
  const point = ((code & 0x3f) << 10) | ((((code >> 6) & 0xf) + 1) << 16) | (low & 0x3ff);
  return [String.fromCodePoint(point), next + 6];
}

/** @throws GeneratorError */
export const generateJson = (value: Value): string => generate(value, 0);

/** What stands between the braces of an object of that depth. @throws GeneratorError */
export function generateMembers(members: Iterable<readonly [string, Value]>, depth: number): string {
  if (depth > MAX_NESTING) throw new GeneratorError(`nesting of ${depth} is too deep`);
  let text = '';
  for (const [key, value] of members) {
    text += `${text === '' ? '' : ','}${quoted(key)}:${generate(value, depth)}`;
  }
  return text;
}

function generate(value: Value, depth: number): string {
  if (typeof value === 'string') return quoted(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new GeneratorError(`${floatText(value)} not allowed in JSON`);
    return floatText(value);
  }
  if (value instanceof Map) return `{${generateMembers(value, depth + 1)}}`;
  if (!Array.isArray(value)) return String(value);
  if (depth + 1 > MAX_NESTING) throw new GeneratorError(`nesting of ${depth + 1} is too deep`);
  return `[${value.map((element) => generate(element, depth + 1)).join(',')}]`;
}

/** Printable ASCII without what is escaped. */
const UNESCAPED = /^[ !#-[\]-~]*$/;

function quoted(text: string): string {
  if (UNESCAPED.test(text)) return `"${text}"`;
  const json = JSON.stringify(text);
  // What is not UTF-8 comes out escaped.
  if (json.includes('\\ud') && !wellFormed(text))
    throw new GeneratorError('source sequence is illegal/malformed utf-8');
  return json;
}

/**
 * `JSON.pretty_generate`: two blanks a level, and empty collections over two lines. It refuses nothing.
 * @param numberText how a `number` is written; a parsed value has floats only
 */
export function prettyJson(
  value: Value | Json,
  numberText: (value: number) => string = floatText,
  indent = '',
): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number') return numberText(value);
  if (typeof value !== 'object' || value === null) return String(value);
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    const items = value.map((item: Value | Json) => inner + prettyJson(item, numberText, inner));
    return `[\n${items.join(',\n')}\n${indent}]`;
  }
  const entries: Iterable<readonly [string, Value | Json]> = value instanceof Map ? value : Object.entries(value);
  const members = Array.from(
    entries,
    ([key, item]) => `${inner}${JSON.stringify(key)}: ${prettyJson(item, numberText, inner)}`,
  );
  return members.length === 0 ? `{\n${indent}}` : `{\n${members.join(',\n')}\n${indent}}`;
}
