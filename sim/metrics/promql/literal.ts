/** Literals of PromQL: durations, numbers and quoted strings. Mirrors Prometheus 2.42, with its words for what is none. */

const DURATION = /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/;
const UNITS_MS = [31_536_000_000, 604_800_000, 86_400_000, 3_600_000, 60_000, 1000, 1];

/** What Go counts nanoseconds with ends here. */
const LONGEST_MS = 9_223_372_036_854;

/** Milliseconds of a duration such as `1h30m`, or why it is none. */
export function durationOf(text: string): number | string {
  if (text === '0') return 0;
  const [whole, ...counts] = DURATION.exec(text) ?? [];
  if (whole === undefined || text === '') return `not a valid duration string: ${JSON.stringify(text)}`;
  const sum = counts.reduce((all, count, i) => all + Number(count ?? 0) * (UNITS_MS[i] ?? 0), 0);
  return sum > LONGEST_MS ? 'duration out of range' : sum;
}

/** The value of a number, NaN and Inf included; undefined when it is none. */
export function numberOf(text: string): number | undefined {
  const lower = text.toLowerCase();
  if (lower === 'nan') return Number.NaN;
  if (lower === 'inf') return Number.POSITIVE_INFINITY;
  if (/^0x[0-9a-f]+$/.test(lower)) return Number(lower);
  // As Go has it, a leading zero means octal where that can be.
  if (/^0[0-7]+$/.test(text)) return Number.parseInt(text, 8);
  return /^(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/.test(lower) ? Number(lower) : undefined;
}

const SIMPLE: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
};

/** By the letter: how many digits follow, and of what base. */
const CODES: Readonly<Record<string, readonly [digits: number, base: number]>> = {
  x: [2, 16],
  u: [4, 16],
  U: [8, 16],
};

/** What stands between the quotes, or why it cannot be read. */
export function textOf(literal: string): { readonly text: string } | string {
  const quote = literal[0] ?? '';
  const end = literal.length - 1;
  if (quote === '`') return { text: literal.slice(1, end) };
  let text = '';
  for (let at = 1; at < end; at++) {
    const character = literal[at] ?? '';
    if (character === '\n') return 'unterminated quoted string';
    if (character !== '\\') {
      text += character;
      continue;
    }
    const letter = literal[++at] ?? '';
    const simple = letter === quote ? quote : SIMPLE[letter];
    if (simple !== undefined) {
      text += simple;
      continue;
    }
    const [digits, base] = CODES[letter] ?? (/[0-7]/.test(letter) ? [3, 8] : [0, 0]);
    if (digits === 0) return `unknown escape sequence ${named(letter)}`;
    const from = letter in CODES ? at + 1 : at;
    const written = literal.slice(from, from + digits);
    const bad = Array.from(written).find((digit) => Number.isNaN(Number.parseInt(digit, base)));
    if (bad !== undefined) return `illegal character ${named(bad)} in escape sequence`;
    const code = Number.parseInt(written, base);
    if (written.length < digits) return 'escape sequence not terminated';
    if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return 'escape sequence is an invalid Unicode code point';
    text += String.fromCodePoint(code);
    at = from + digits - 1;
  }
  return { text };
}

/** As Go's `%#U`. */
const named = (character: string): string =>
  `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')} '${character}'`;
