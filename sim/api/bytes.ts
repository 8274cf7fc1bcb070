/** Bytes as text without loss: what is not UTF-8 stays recognisable, as it does in a Ruby string. */

/** Finds what a byte that is not UTF-8 became, and escaped halves of surrogate pairs. */
const ILL_FORMED = /\p{Surrogate}/u;

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** UTF-8 as text; each byte that is not part of a character becomes the lone surrogate U+DC00 + byte. */
export function textOf(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    let text = '';
    let start = 0;
    for (let at = 0; at < bytes.length; ) {
      const length = characterLength(bytes, at);
      if (length === 0) {
        if (at > start) text += strict.decode(bytes.subarray(start, at));
        text += String.fromCharCode(0xdc00 + (bytes[at] ?? 0));
        start = at + 1;
      }
      at += length || 1;
    }
    return text + strict.decode(bytes.subarray(start));
  }
}

/** Whether every byte of it was part of a character. */
export const wellFormed = (text: string): boolean => !ILL_FORMED.test(text);

/** The bytes that {@link textOf} was given. */
export function bytesOf(text: string): Uint8Array {
  if (wellFormed(text)) return new TextEncoder().encode(text);
  const encoder = new TextEncoder();
  const bytes: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code >= 0xdc80 && code <= 0xdcff) bytes.push(code - 0xdc00);
    else bytes.push(...encoder.encode(character));
  }
  return Uint8Array.from(bytes);
}

/** By the first byte, up to: how long a character is, and between what its second byte is. Unicode, table 3-7. */
const SEQUENCES: readonly (readonly [upTo: number, length: number, low: number, high: number])[] = [
  [0x7f, 1, 0, 0],
  [0xc1, 0, 0, 0],
  [0xdf, 2, 0x80, 0xbf],
  [0xe0, 3, 0xa0, 0xbf],
  [0xec, 3, 0x80, 0xbf],
  [0xed, 3, 0x80, 0x9f],
  [0xef, 3, 0x80, 0xbf],
  [0xf0, 4, 0x90, 0xbf],
  [0xf3, 4, 0x80, 0xbf],
  [0xf4, 4, 0x80, 0x8f],
  [0xff, 0, 0, 0],
];

const OF_FIRST = Array.from({ length: 256 }, (_, first) => SEQUENCES.find(([upTo]) => first <= upTo));

/** Number of bytes of the character that begins at `at`; 0 when none does. */
function characterLength(bytes: Uint8Array, at: number): number {
  const sequence = OF_FIRST[bytes[at] ?? 0xff];
  if (sequence === undefined) return 0;
  for (let i = 1; i < sequence[1]; i++) {
    const next = bytes[at + i] ?? 0;
    if (next < (i === 1 ? sequence[2] : 0x80) || next > (i === 1 ? sequence[3] : 0xbf)) return 0;
  }
  return sequence[1];
}
