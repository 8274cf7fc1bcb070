/**
 * Regular expressions as RE2 has them, matched against a whole text in time linear in its length: no input makes it
 * backtrack. Mirrors the syntax of Go's `regexp`, without Unicode classes; what RE2 refuses is refused in Go's words.
 */
import { compiled, type Edge, type Node, PatternError, type Ranges, run, WORD } from './automaton.ts';

const MOST_CHARS = 4096;
const MOST_REPEATS = 1000;
const DEEPEST = 200;
const LAST = 0x10ffff;

const DIGIT: Ranges = [[0x30, 0x39]];
const BLANK: Ranges = [
  [0x09, 0x0a],
  [0x0c, 0x0d],
  [0x20, 0x20],
];
const NEWLINE: Ranges = [[0x0a, 0x0a]];

const CLASSES: Readonly<Record<string, Ranges>> = {
  d: DIGIT,
  w: WORD,
  s: BLANK,
  D: inverted(DIGIT),
  W: inverted(WORD),
  S: inverted(BLANK),
};

const NAMED: Readonly<Record<string, Ranges>> = {
  alnum: rangesOf('09AZaz'),
  alpha: rangesOf('AZaz'),
  ascii: [[0, 0x7f]],
  blank: rangesOf('\t\t  '),
  cntrl: [
    [0, 0x1f],
    [0x7f, 0x7f],
  ],
  digit: DIGIT,
  graph: rangesOf('!~'),
  lower: rangesOf('az'),
  print: rangesOf(' ~'),
  punct: rangesOf('!/:@[`{~'),
  space: rangesOf('\t\r  '),
  upper: rangesOf('AZ'),
  word: WORD,
  xdigit: rangesOf('09AFaf'),
};

const ESCAPES: Readonly<Record<string, number>> = { a: 7, f: 12, t: 9, n: 10, r: 13, v: 11 };

const EDGES: Readonly<Record<string, Edge>> = { A: 'begin', z: 'end', b: 'word', B: 'no-word' };

/** Whether a text as a whole matches. @throws PatternError */
export function wholeMatcher(source: string): (text: string) => boolean {
  if (source.length > MOST_CHARS) throw new PatternError(`expression of more than ${MOST_CHARS} characters`);
  const program = compiled(new Reader(source).whole());
  return (text) =>
    run(
      program,
      Array.from(text, (character) => character.codePointAt(0) ?? 0),
    );
}

interface Flags {
  readonly i: boolean;
  readonly m: boolean;
  readonly s: boolean;
}

class Reader {
  readonly #source: string;
  readonly #characters: readonly string[];
  #at = 0;
  #depth = 0;

  constructor(source: string) {
    // As Prometheus anchors it; so errors show it.
    this.#source = `^(?:${source})$`;
    this.#characters = Array.from(source);
  }

  whole(): Node {
    const node = this.#either({ i: false, m: false, s: false });
    if (this.#at < this.#characters.length) throw new PatternError(`unexpected ): \`${this.#source}\``);
    return node;
  }

  get #next(): string | undefined {
    return this.#characters[this.#at];
  }

  #take(text: string): boolean {
    const taken = this.#characters.slice(this.#at, this.#at + text.length).join('') === text;
    if (taken) this.#at += text.length;
    return taken;
  }

  #either(given: Flags): Node {
    if (++this.#depth > DEEPEST) throw new PatternError(`expression nests too deeply: \`${this.#source}\``);
    let flags = given;
    const choices: Node[] = [];
    let parts: Node[] = [];
    while (this.#next !== undefined && this.#next !== ')') {
      if (this.#take('|')) {
        choices.push({ is: 'sequence', parts });
        parts = [];
        continue;
      }
      const start = this.#at;
      const changed = this.#flagGroup(flags);
      if (changed !== undefined) {
        flags = changed;
        continue;
      }
      const atoms = this.#take('\\Q') ? this.#quoted(flags) : [this.#atom(flags)];
      const last = atoms.pop();
      parts.push(...atoms);
      if (last !== undefined) parts.push(this.#repeated(last, start));
    }
    this.#depth--;
    choices.push({ is: 'sequence', parts });
    return choices.length === 1 ? { is: 'sequence', parts } : { is: 'either', choices };
  }

  /** `(?i)` and the like, which hold to the end of the group. */
  #flagGroup(flags: Flags): Flags | undefined {
    const [whole, on = '', off = ''] =
      /^\(\?([imsU]*)(?:-([imsU]+))?\)/.exec(this.#characters.slice(this.#at, this.#at + 12).join('')) ?? [];
    if (whole === undefined) return undefined;
    this.#at += whole.length;
    return changedBy(flags, on, off);
  }

  #repeated(node: Node, start: number): Node {
    let repeated = node;
    let operator = '';
    for (;;) {
      const from = this.#at;
      const bounds = this.#bounds();
      if (bounds === undefined) return repeated;
      this.#take('?');
      const text = this.#characters.slice(from, this.#at).join('');
      if (operator !== '') throw new PatternError(`invalid nested repetition operator: \`${operator}${text}\``);
      operator = text;
      const [least, most] = bounds;
      if (least > MOST_REPEATS || (most !== Number.POSITIVE_INFINITY && (most > MOST_REPEATS || most < least)))
        throw new PatternError(`invalid repeat count: \`${text}\``);
      if (start === from) throw new PatternError(`missing argument to repetition operator: \`${text}\``);
      repeated = { is: 'repeat', of: node, least, most };
    }
  }

  #bounds(): readonly [number, number] | undefined {
    if (this.#take('*')) return [0, Number.POSITIVE_INFINITY];
    if (this.#take('+')) return [1, Number.POSITIVE_INFINITY];
    if (this.#take('?')) return [0, 1];
    const [whole, least, comma, most] =
      /^\{(\d{1,9})(,?)(\d{0,9})\}/.exec(this.#characters.slice(this.#at, this.#at + 24).join('')) ?? [];
    if (whole === undefined || (comma === '' && most !== '')) return undefined;
    this.#at += whole.length;
    return [Number(least), comma === '' ? Number(least) : most === '' ? Number.POSITIVE_INFINITY : Number(most)];
  }

  #atom(flags: Flags): Node {
    const start = this.#at;
    const character = this.#characters[this.#at++] ?? '';
    switch (character) {
      case '(':
        return this.#group(flags);
      case '[':
        return characters(this.#bracket(flags, start), flags);
      case '.':
        return { is: 'characters', ranges: flags.s ? [[0, LAST]] : inverted(NEWLINE) };
      case '^':
        return { is: 'edge', edge: flags.m ? 'line-begin' : 'begin' };
      case '$':
        return { is: 'edge', edge: flags.m ? 'line-end' : 'end' };
      case '\\':
        return this.#escape(flags);
      case '*':
      case '+':
      case '?':
        throw new PatternError(`missing argument to repetition operator: \`${character}\``);
      default:
        return characters(only(character.codePointAt(0) ?? 0), flags);
    }
  }

  #group(flags: Flags): Node {
    let inner = flags;
    if (this.#next === '?') {
      const text = this.#characters.slice(this.#at, this.#at + 64).join('');
      const [whole, , , on = '', off = ''] =
        /^\?(P?<([A-Za-z_][A-Za-z_0-9]*)>|([imsU]*)(?:-([imsU]+))?:)/.exec(text) ?? [];
      if (whole === undefined) {
        const shown = /^\?(<[=!]?|P[^<]?|[^A-Za-z]|[A-Za-z]*.?)/.exec(text)?.[0] ?? '?';
        throw new PatternError(`invalid or unsupported Perl syntax: \`(${shown}\``);
      }
      this.#at += whole.length;
      inner = changedBy(flags, on, off);
    }
    const node = this.#either(inner);
    if (!this.#take(')')) throw new PatternError(`missing closing ): \`${this.#source}\``);
    return node;
  }

  #escape(flags: Flags): Node {
    const letter = this.#next ?? '';
    const edge = EDGES[letter];
    if (edge !== undefined) {
      this.#at++;
      return { is: 'edge', edge };
    }
    const ranges = CLASSES[letter];
    if (ranges !== undefined) {
      this.#at++;
      return { is: 'characters', ranges };
    }
    return characters(only(this.#escaped()), flags);
  }

  /** What is between `\Q` and `\E`: a repetition behind it is one of its last character. */
  #quoted(flags: Flags): Node[] {
    const atoms: Node[] = [];
    while (this.#next !== undefined && !this.#take('\\E'))
      atoms.push(characters(only(this.#characters[this.#at++]?.codePointAt(0) ?? 0), flags));
    return atoms;
  }

  /** The code point behind a backslash. */
  #escaped(): number {
    const letter = this.#characters[this.#at++];
    if (letter === undefined) throw new PatternError('trailing backslash at end of expression: ``');
    const known = ESCAPES[letter];
    if (known !== undefined) return known;
    const rest = this.#characters.slice(this.#at, this.#at + 10).join('');
    const [number, hex, long] = letter === 'x' ? (/^(?:([0-9a-fA-F]{2})|\{([0-9a-fA-F]{1,8})\})/.exec(rest) ?? []) : [];
    const code = Number.parseInt(hex ?? long ?? '', 16);
    if (number !== undefined && code <= LAST) {
      this.#at += number.length;
      return code;
    }
    // Octal, but for backward references, which RE2 does not have.
    const [octal] = letter === '0' ? (/^[0-7]{0,2}/.exec(rest) ?? []) : [];
    if (octal !== undefined) {
      this.#at += octal.length;
      return Number.parseInt(`0${octal}`, 8);
    }
    if (/^[!-/:-@[-`{-~]$/.test(letter)) return letter.codePointAt(0) ?? 0;
    throw new PatternError(`invalid escape sequence: \`\\${letter}\``);
  }

  #bracket(flags: Flags, start: number): Ranges {
    const inverts = this.#take('^');
    const ranges: (readonly [number, number])[] = [];
    for (let first = true; this.#next !== ']' || first; first = false) {
      if (this.#next === undefined) {
        throw new PatternError(`missing closing ]: \`${this.#characters.slice(start).join('')})$\``);
      }
      const named = this.#namedClass();
      if (named !== undefined) {
        ranges.push(...named);
        continue;
      }
      const from = this.#at;
      const low = this.#oneOfBracket();
      if (typeof low !== 'number') {
        ranges.push(...low);
        continue;
      }
      const isRange = this.#next === '-' && ![']', undefined].includes(this.#characters[this.#at + 1]);
      if (isRange) this.#at++;
      const high = isRange ? this.#oneOfBracket() : low;
      if (typeof high !== 'number' || high < low) {
        throw new PatternError(`invalid character class range: \`${this.#characters.slice(from, this.#at).join('')}\``);
      }
      ranges.push([low, high]);
    }
    this.#at++;
    const folded = flags.i ? caseless(ranges) : ranges;
    return inverts ? inverted(folded) : folded;
  }

  /** `[:alpha:]` inside of brackets. */
  #namedClass(): Ranges | undefined {
    const [whole, not, name = ''] =
      /^\[:(\^?)([a-z]+):\]/.exec(this.#characters.slice(this.#at, this.#at + 16).join('')) ?? [];
    if (whole === undefined) return undefined;
    const ranges = Object.hasOwn(NAMED, name) ? NAMED[name] : undefined;
    if (ranges === undefined) throw new PatternError(`invalid character class range: \`${whole}\``);
    this.#at += whole.length;
    return not === '' ? ranges : inverted(ranges);
  }

  #oneOfBracket(): number | Ranges {
    const character = this.#characters[this.#at++] ?? '';
    if (character !== '\\') return character.codePointAt(0) ?? 0;
    const ranges = CLASSES[this.#next ?? ''];
    if (ranges === undefined) return this.#escaped();
    this.#at++;
    return ranges;
  }
}

const changedBy = (flags: Flags, on: string, off: string): Flags => ({
  i: off.includes('i') ? false : on.includes('i') || flags.i,
  m: off.includes('m') ? false : on.includes('m') || flags.m,
  s: off.includes('s') ? false : on.includes('s') || flags.s,
});

const only = (code: number): Ranges => [[code, code]];

const characters = (ranges: Ranges, { i }: Flags): Node => ({
  is: 'characters',
  ranges: i ? caseless(ranges) : ranges,
});

/** Pairs of characters, the first and the last of each stretch. */
function rangesOf(pairs: string): Ranges {
  return Array.from({ length: pairs.length / 2 }, (_, i) => [pairs.charCodeAt(2 * i), pairs.charCodeAt(2 * i + 1)]);
}

function inverted(ranges: Ranges): Ranges {
  const gaps: (readonly [number, number])[] = [];
  let next = 0;
  for (const [low, high] of ranges.toSorted((a, b) => a[0] - b[0])) {
    if (low > next) gaps.push([next, low - 1]);
    next = Math.max(next, high + 1);
  }
  if (next <= LAST) gaps.push([next, LAST]);
  return gaps;
}

/** With the other case of each letter; of the long stretches, of the ASCII letters. */
function caseless(ranges: Ranges): Ranges {
  const more = ranges.flatMap(([low, high]): (readonly [number, number])[] => {
    if (low === high) {
      const text = String.fromCodePoint(low);
      return [text.toLowerCase(), text.toUpperCase()]
        .map((other) => other.codePointAt(0) ?? 0)
        .map((code) => [code, code]);
    }
    return [
      [Math.max(low, 0x41) + 0x20, Math.min(high, 0x5a) + 0x20] as const,
      [Math.max(low, 0x61) - 0x20, Math.min(high, 0x7a) - 0x20] as const,
    ].filter(([first, last]) => first <= last);
  });
  return [...ranges, ...more];
}
