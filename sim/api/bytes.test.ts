import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesOf, textOf, wellFormed } from './bytes.ts';

describe('bytes as text', () => {
  it('reads UTF-8, and keeps a byte order mark', () => {
    expect(textOf(new TextEncoder().encode('\ufeffé€😀'))).toBe('\ufeffé€😀');
  });

  it('tells text that is UTF-8 from text that is not', () => {
    expect(wellFormed('é😀')).toBe(true);
    expect(wellFormed(textOf(Uint8Array.of(0x61, 0xe9, 0x62)))).toBe(false);
  });

  it('knows a character from its beginning, and from what only looks like one', () => {
    for (const wrong of [
      [0xc0, 0x80],
      [0xe0, 0x80, 0x80],
      [0xed, 0xa0, 0x80],
      [0xf4, 0x90, 0x80, 0x80],
      [0xe2, 0x82],
    ]) {
      expect([...textOf(Uint8Array.from(wrong))]).toHaveLength(wrong.length);
    }
    expect(textOf(Uint8Array.of(0xff, 0xe2, 0x82, 0xac, 0x80))).toBe('\udcff€\udc80');
  });

  it('is quick with what is no text at all', () => {
    expect(textOf(new Uint8Array(1_000_000).fill(0xff))).toHaveLength(1_000_000);
  });

  it('loses no byte', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        expect([...bytesOf(textOf(bytes))]).toEqual([...bytes]);
      }),
      { seed: 1 },
    );
  });
});
