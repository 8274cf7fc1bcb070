/**
 * JSON as Ruby's json 2.6.1 reads and prints it, for the servers that are written in Ruby. It reads a little more than
 * the standard (comments, any escape), and its messages quote the text from where it gave up.
 */
import type { Json, JsonObject } from '../one/json.ts';
import { put } from '../one/json.ts';

/** The message is the parser's: the line of its source that gave up, and the rest of the text. */
export class JsonProblem extends Error {}

/** Its own limit, as the parser counts: the value itself is the first level. */
const MAX_NESTING = 100;

/** @throws JsonProblem */
export function parseJson(text: string): Json {
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    return new Reader(text).document();
  }
  checkNesting(value, 1);
  return value;
}

function checkNesting(value: Json, depth: number): void {
  if (typeof value !== 'object' || value === null) return;
  if (depth > MAX_NESTING) throw tooDeep(depth);
  for (const inner of Object.values(value)) checkNesting(inner, depth + 1);
}

const tooDeep = (depth: number): JsonProblem => new JsonProblem(`nesting of ${depth} is too deep`);

/** Lines of the parser's source that appear in its messages. */
const LINES = {
  document: 859,
  array: 451,
  NaN: 225,
  Infinity: 232,
  '-Infinity': 249,
} as const;

const IGNORED = /(?:[ \t\r\n]|\/\*[\s\S]*?\*\/|\/\/[^\n]*\n)*/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: a string may not hold them
const STRING = /"(?:[^"\\\u0000-\u001f]|\\u[0-9a-fA-F]{4}|\\[^u\u0000-\u001f])*"/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[Ee][+-]?\d+)?(?![0-9])/y;
const WORD = /null|true|false/y;
const ESCAPES: Readonly<Record<string, string>> = {
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

/** Reads what JSON.parse refuses: what the parser refuses too has to be refused in its words. */
class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): Json {
    this.#skip();
    const start = this.#at;
    const value = this.#value(0);
    if (value === undefined) throw this.#unexpected('document', start);
    this.#skip();
    if (this.#at < this.#text.length) throw this.#unexpected('document', this.#at);
    return value;
  }

  /** `undefined` where the parser gives up without a word: the message comes from what encloses it. */
  #value(depth: number): Json | undefined {
    const next = this.#text.charAt(this.#at);
    if (next === '{') return this.#object(depth + 1);
    if (next === '[') return this.#array(depth + 1);
    if (next === '"') return this.#string();
    for (const word of ['NaN', 'Infinity', '-Infinity'] as const) {
      if (this.#text.startsWith(word, this.#at)) throw this.#unexpected(word, this.#at);
    }
    const literal = this.#match(WORD) ?? this.#match(NUMBER);
    return literal === undefined ? undefined : (JSON.parse(literal) as Json);
  }

  #object(depth: number): JsonObject | undefined {
    if (depth > MAX_NESTING) throw tooDeep(depth);
    const object: JsonObject = {};
    this.#at++;
    this.#skip();
    if (this.#take('}')) return object;
    do {
      this.#skip();
      const key = this.#text.charAt(this.#at) === '"' ? this.#string() : undefined;
      this.#skip();
      if (key === undefined || !this.#take(':')) return undefined;
      this.#skip();
      const value = this.#value(depth);
      if (value === undefined) return undefined;
      put(object, key, value);
      this.#skip();
    } while (this.#take(','));
    return this.#take('}') ? object : undefined;
  }

  #array(depth: number): Json[] {
    if (depth > MAX_NESTING) throw tooDeep(depth);
    const array: Json[] = [];
    this.#at++;
    this.#skip();
    if (this.#take(']')) return array;
    do {
      this.#skip();
      const start = this.#at;
      const value = this.#value(depth);
      if (value === undefined) throw this.#unexpected('array', start);
      array.push(value);
      this.#skip();
    } while (this.#take(','));
    if (!this.#take(']')) throw this.#unexpected('array', this.#at);
    return array;
  }

  #string(): string | undefined {
    const quoted = this.#match(STRING);
    return quoted
      ?.slice(1, -1)
      .replace(/\\(?:u([0-9a-fA-F]{4})|([\s\S]))/g, (_all, hex: string | undefined, char: string) =>
        hex === undefined ? (ESCAPES[char] ?? char) : String.fromCharCode(Number.parseInt(hex, 16)),
      );
  }

  #skip(): void {
    this.#match(IGNORED);
  }

  #take(char: string): boolean {
    if (this.#text.charAt(this.#at) !== char) return false;
    this.#at++;
    return true;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text)?.[0];
    if (match !== undefined) this.#at += match.length;
    return match;
  }

  #unexpected(where: keyof typeof LINES, at: number): JsonProblem {
    return new JsonProblem(`${LINES[where]}: unexpected token at '${this.#text.slice(at)}'`);
  }
}

/** JSON.pretty_generate: two blanks a level, and empty collections over two lines. */
export function prettyJson(value: Json, indent = ''): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    const items = value.map((item) => inner + prettyJson(item, inner));
    return `[\n${items.join(',\n')}\n${indent}]`;
  }
  const members = Object.entries(value).map(
    ([key, item]) => `${inner}${JSON.stringify(key)}: ${prettyJson(item, inner)}`,
  );
  return members.length === 0 ? `{\n${indent}}` : `{\n${members.join(',\n')}\n${indent}}`;
}
