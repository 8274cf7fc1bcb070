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
    for (let at = 0; at < bytes.length; ) {
      const length = characterLength(bytes, at);
      text +=
        length === 0 ? String.fromCharCode(0xdc00 + (bytes[at] ?? 0)) : strict.decode(bytes.subarray(at, at + length));
      at += Math.max(length, 1);
    }
    return text;
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

/** Number of bytes of the character that begins at `at`; 0 when none does. */
function characterLength(bytes: Uint8Array, at: number): number {
  for (let length = 1; length <= 4 && at + length <= bytes.length; length++) {
    try {
      strict.decode(bytes.subarray(at, at + length));
      return length;
    } catch {
      // not yet a whole character
    }
  }
  return 0;
}
