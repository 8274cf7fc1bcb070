/** How Ruby 3.1 turns values into text, and text into integers: `to_s`, `inspect`, `to_i`. */
import type { Value } from './ruby-json.ts';

/** No more digits than these are looked at: the number is out of all bounds as it is, and reading it takes time. */
const MAX_DIGITS = 1000;

/** `String#to_i`: blanks, a sign, digits with single underscores between them; what follows does not matter. */
export function toInteger(text: string): bigint {
  const [, sign = '', digits = '0'] = /^[\s\0]*([+-]?)([0-9]+(?:_[0-9]+)*)/.exec(text) ?? [];
  const size = BigInt(digits.replaceAll('_', '').slice(0, MAX_DIGITS));
  return sign === '-' ? -size : size;
}

/** `Float#to_s`: the shortest digits that read back as the same number, always with a point. */
export function floatText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity';
  const [mantissa = '', power = '0'] = Math.abs(value).toExponential().split('e');
  const exponent = Number(power);
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const digits = mantissa.replace('.', '');
  if (exponent >= 16 || exponent < -4) {
    const size = String(Math.abs(exponent)).padStart(2, '0');
    return `${sign}${digits.slice(0, 1)}.${digits.slice(1) || '0'}e${exponent < 0 ? '-' : '+'}${size}`;
  }
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  return `${sign}${digits.slice(0, exponent + 1).padEnd(exponent + 1, '0')}.${digits.slice(exponent + 1) || '0'}`;
}

/** What `"#{value}"` puts into a text. */
export function toText(value: Value): string {
  if (value === null) return '';
  return typeof value === 'string' ? value : inspect(value);
}

export function inspect(value: Value): string {
  if (value === null) return 'nil';
  if (typeof value === 'string') return `"${value.replace(SPECIAL, escaped)}"`;
  if (typeof value === 'number') return floatText(value);
  if (Array.isArray(value)) return `[${value.map(inspect).join(', ')}]`;
  if (value instanceof Map) return `{${[...value].map(([key, v]) => `${inspect(key)}=>${inspect(v)}`).join(', ')}}`;
  return String(value);
}

/** Quotes, what would start an interpolation, what cannot be printed, and what is no character. */
const SPECIAL = /["\\]|#(?=[{$@])|[\p{Cc}\p{Cf}\p{Cn}\p{Co}\p{Surrogate}\u2028\u2029]/gu;

const NAMED: Readonly<Record<string, string>> = {
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\f': '\\f',
  '\v': '\\v',
  '\b': '\\b',
  '\x07': '\\a',
  '\x1b': '\\e',
  '\x7f': '\\x7F',
};

function escaped(character: string): string {
  const named = NAMED[character];
  if (named !== undefined) return named;
  const code = character.codePointAt(0) ?? 0;
  const hex = code.toString(16).toUpperCase();
  if (character === '"' || character === '\\' || character === '#') return `\\${character}`;
  if (code >= 0xdc80 && code <= 0xdcff) return `\\x${(code - 0xdc00).toString(16).toUpperCase()}`;
  return code > 0xffff ? `\\u{${hex}}` : `\\u${hex.padStart(4, '0')}`;
}
