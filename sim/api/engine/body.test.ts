/** Bodies that stay as they are, and the two ways in which they are written. */
import { describe, expect, it } from 'vitest';
import { type Hash, parseJson, type Value } from '../ruby-json.ts';
import { Body, bodyIn } from './body.ts';
import { Crash } from './refusal.ts';

const body = (json: string): Body => new Body(parseJson(json) as Hash);

describe('a change', () => {
  it('makes another body, with new members last', () => {
    const before = body('{"ID":1,"NAME":"a"}');
    const changed = before.with(['X', null], ['ID', 2n]);
    expect(changed.text).toBe('{"ID":2,"NAME":"a","X":null}');
    expect(before.text).toBe('{"ID":1,"NAME":"a"}');
  });

  it('that changes nothing makes none', () => {
    const before = body('{"ID":1,"SIZE":1.0}');
    expect(before.with(['ID', 1n])).toBe(before);
    expect(before.with()).toBe(before);
    // An integer and a float are not the same.
    expect(before.with(['SIZE', 1n]).text).toBe('{"ID":1,"SIZE":1}');
  });
});

it('is known by the text that was written', () => {
  const written = body('{"ID":1}').with(['X', 1.0]);
  expect(bodyIn(written.text)).toBe(written);
  const read = bodyIn('{ "ID" : 2 }');
  expect(read?.text).toBe('{"ID":2}');
  expect(bodyIn('{ "ID" : 2 }')).toBe(read);
  expect([bodyIn('[]'), bodyIn('{')]).toEqual([null, null]);
});

/** Arrays in one another. */
const nested = (levels: number): Value => (levels === 0 ? null : [nested(levels - 1)]);

it('is one level deeper in an answer than in its document', () => {
  const deepest = new Body(new Map([['A', nested(98)]]));
  expect(deepest.shown).toBe(deepest.text.slice(1, -1));
  const deeper = new Body(new Map([['A', nested(99)]]));
  expect(deeper.text).toContain('null');
  expect(() => deeper.shown).toThrow(new Crash('nesting of 101 is too deep'));
});

it('cannot be written when Ruby cannot write it', () => {
  expect(() => new Body(new Map([['A', '\udce9']])).text).toThrow(Crash);
});
