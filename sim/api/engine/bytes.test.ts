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

  it('loses no byte', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        expect([...bytesOf(textOf(bytes))]).toEqual([...bytes]);
      }),
      { seed: 1 },
    );
  });
});
