// The scanner of the template language. Mirrors the flex rules of oned's (the longest match wins, then the first rule;
// characters that no rule matches are skipped), and counts columns as its parser does.

import { copied } from './copied.ts';
import { SyntaxProblem } from './syntax-problem.ts';

export type Token =
  | '$end'
  | 'EQUAL'
  | 'COMMA'
  | 'OBRACKET'
  | 'CBRACKET'
  | 'EQUAL_EMPTY'
  | 'CCDATA'
  | 'STRING'
  | 'VARIABLE';

const NEWLINE = 0x0a;
const QUOTE = 0x22;
const HASH = 0x23;
const COMMA = 0x2c;
const EQUAL = 0x3d;
const OBRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CBRACKET = 0x5d;

/** What the scanner's rules are made of, as sets of characters; every character beyond ASCII is plain. */
const BLANK = 1;
const SPACE = 2;
const WORD = 4;
const PLAIN = 8;
const SETS = Uint8Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code);
  if (/[ \t]/.test(character)) return BLANK | SPACE;
  if (character === '\n') return SPACE;
  if (/\w/.test(character)) return WORD | PLAIN;
  return /[=#,[\]]/.test(character) ? 0 : PLAIN;
});

/** Every rule is decided in time linear in what it matches, however hostile the text. */
export class Scanner {
  readonly #source: string;
  /** The last match, blanks and comments included: it is where an error at the end of the text is reported. */
  #start = 0;
  #end = 0;
  /** No rule matched there, so it was skipped byte by byte. */
  #skipped = false;
  /** The scanner does not count the lines that end in what it skips. */
  #uncountedLines = 0;
  /** The last match is a quoted string. */
  #quoted = false;
  /** After an equals sign the scanner looks for a value, until it has found one. */
  #wantsValue = false;
  /** A quote was opened that nothing closes: what follows the text might. */
  #isOpen = false;
  /** Where the next newline and the next end of a CDATA section are, as far as known. */
  #newline = -1;
  #cdataEnd = -1;

  constructor(source: string) {
    // oned's texts are C strings.
    const zero = source.indexOf('\0');
    this.#source = zero < 0 ? source : source.slice(0, zero);
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  next(): Token {
    while (this.#end < this.#source.length) {
      this.#start = this.#end;
      this.#skipped = false;
      const token = this.#wantsValue ? this.#matchValue() : this.#match();
      if (token !== undefined) return token;
    }
    return '$end';
  }

  /** The characters of the last token. */
  text(): string {
    return this.#source.slice(this.#start, this.#end);
  }

  /** The last token as a value: without its quotes, with its escaped quotes plain. */
  value(): string {
    const text = this.#quoted ? this.#source.slice(this.#start + 1, this.#end - 1) : this.text();
    return text.includes('\\"') ? text.replaceAll('\\"', '"') : copied(text);
  }

  /** bison's message; the columns count bytes from the start of the text, and are never set back at a new line. */
  unexpected(token: Token, ...expected: Token[]): SyntaxProblem {
    const last = 1 + Buffer.byteLength(this.#source.slice(0, this.#end));
    const first = last - (this.#skipped ? 1 : Buffer.byteLength(this.text()));
    const line = this.#source.slice(0, this.#end).split('\n').length - 1 - this.#uncountedLines;
    const where = `at line ${line}, columns ${first}:${last}`;
    return new SyntaxProblem(`syntax error, unexpected ${token}, expecting ${expected.join(' or ')} ${where}`);
  }

  #match(): Token | undefined {
    const source = this.#source;
    const start = this.#start;
    const first = source.charCodeAt(start);
    if (first < 128 && ((SETS[first] ?? 0) & WORD) !== 0) {
      this.#end = this.#skip(start + 1, WORD);
      return 'VARIABLE';
    }
    const afterBlanks = this.#skip(start, BLANK);
    const afterSpaces = this.#skip(afterBlanks, SPACE);
    const punctuation = source.charCodeAt(afterSpaces);
    if (punctuation === COMMA || punctuation === CBRACKET) {
      this.#end = this.#skip(afterSpaces + 1, SPACE);
      return punctuation === COMMA ? 'COMMA' : 'CBRACKET';
    }
    if (source.charCodeAt(afterBlanks) === EQUAL) {
      this.#end = this.#skip(afterBlanks + 1, BLANK);
      this.#wantsValue = source.charCodeAt(this.#end) !== NEWLINE;
      if (this.#wantsValue) return 'EQUAL';
      this.#end++;
      return 'EQUAL_EMPTY';
    }
    if (source.charCodeAt(afterBlanks) === HASH && this.#nextNewline(afterBlanks) < source.length) {
      this.#end = this.#nextNewline(afterBlanks) + 1;
      return undefined;
    }
    this.#skipped = afterSpaces === start;
    this.#end = this.#skipped ? start + 1 : afterSpaces;
    return undefined;
  }

  #matchValue(): Token | undefined {
    const start = this.#start;
    const afterBlanks = this.#skip(start, BLANK);
    const bracketEnd = this.#source.charCodeAt(afterBlanks) === OBRACKET ? this.#skip(afterBlanks + 1, SPACE) : start;
    const cdataEnd = this.#nextCdataEnd(start) < this.#nextNewline(start) ? this.#nextNewline(start) : start;
    const quotedEnd = this.#quotedEnd(start);
    const plainEnd = this.#skip(start, PLAIN);
    const longest = Math.max(bracketEnd, cdataEnd, quotedEnd, plainEnd);
    if (longest === start) {
      if (this.#source.charCodeAt(start) === NEWLINE) this.#uncountedLines++;
      this.#skipped = true;
      this.#end = Math.max(afterBlanks, start + 1);
      return undefined;
    }
    this.#end = longest;
    this.#wantsValue = false;
    this.#quoted = longest === quotedEnd;
    if (longest === bracketEnd) return 'OBRACKET';
    return longest === cdataEnd ? 'CCDATA' : 'STRING';
  }

  /** A quote with a backslash before it may be the last, but only where no later one fits: the longest match wins. */
  #quotedEnd(start: number): number {
    const source = this.#source;
    if (source.charCodeAt(start) !== QUOTE) return start;
    let end = start;
    for (let at = source.indexOf('"', start + 1); at >= 0; at = source.indexOf('"', at + 1)) {
      end = at + 1;
      if (source.charCodeAt(at - 1) !== BACKSLASH) return end;
    }
    this.#isOpen = true;
    return end;
  }

  #skip(from: number, set: number): number {
    const source = this.#source;
    let at = from;
    for (; at < source.length; at++) {
      const code = source.charCodeAt(at);
      if (((code < 128 ? (SETS[code] ?? 0) : PLAIN) & set) === 0) break;
    }
    return at;
  }

  #nextNewline(from: number): number {
    if (this.#newline < from) this.#newline = indexOrEnd(this.#source, '\n', from);
    return this.#newline;
  }

  #nextCdataEnd(from: number): number {
    if (this.#cdataEnd < from) this.#cdataEnd = indexOrEnd(this.#source, ']]>', from);
    return this.#cdataEnd;
  }
}

function indexOrEnd(text: string, part: string, from: number): number {
  const at = text.indexOf(part, from);
  return at < 0 ? text.length : at;
}
