/** Graphs of objects as JSON, and back. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decoder, encoder, Verbatim } from './graph.ts';

class Point {
  readonly #x: unknown;

  constructor(x: unknown) {
    this.#x = x;
  }

  static revive(state: unknown): Point {
    return new Point(state);
  }

  state(): unknown {
    return this.#x;
  }
}

class Word {
  static readonly unchanging = true;
  readonly #letters: string[];

  constructor(...letters: string[]) {
    this.#letters = letters;
  }

  static revive(letters: string[]): Word {
    return new Word(...letters);
  }

  state(): readonly string[] {
    return this.#letters;
  }
}

const KINDS = { Point, Word };

const text = (...values: unknown[]): string => {
  const encode = encoder(KINDS);
  return JSON.stringify(values.map((value) => encode(value)));
};

const graphs = (json: string): unknown[] => {
  const decode = decoder(KINDS);
  return (JSON.parse(json) as unknown[]).map((value) => decode(value));
};

// biome-ignore lint/suspicious/noExplicitAny: tests look into what they have put in
const copyOf = (value: unknown): any => graphs(text(value))[0];

describe('a graph', () => {
  it('is the same after it has been text, whatever it consists of', () => {
    const values = fc.anything({ withMap: true, withSet: true, withBigInt: true, withTypedArray: false });
    const anything = fc.oneof(
      values,
      fc.uint8Array(),
      fc.dictionary(fc.constantFrom('$', '__proto__', 'of', 'a'), values),
    );
    fc.assert(
      fc.property(anything, (value) => {
        const json = text(value);
        const [copy] = graphs(json);
        expect(copy).toStrictEqual(value);
        expect(text(copy)).toBe(json);
      }),
      { seed: 1, numRuns: 1000 },
    );
  });

  it('keeps one object one, in records, lists, maps and sets, also across values', () => {
    const shared = { n: 1 };
    const [a, b] = graphs(text({ list: [shared, shared], set: new Set([shared]) }, new Map([[shared, shared]]))) as [
      { list: object[]; set: Set<object> },
      Map<object, object>,
    ];
    const [first] = a.list;
    expect(a.list[1]).toBe(first);
    expect([...a.set][0]).toBe(first);
    expect([...b]).toEqual([[first, first]]);
    expect([...b][0]?.[0]).toBe(first);
  });

  it('may lead back to itself', () => {
    const ring: { next?: object; map: Map<string, object> } = { map: new Map() };
    ring.next = ring;
    ring.map.set('ring', ring);
    const copy = copyOf(ring);
    expect(copy.next).toBe(copy);
    expect(copy.map.get('ring')).toBe(copy);
  });

  it('holds instances of the classes that are named', () => {
    const point = new Point({ y: new Point(2) });
    const copy = copyOf([point, point]);
    expect(copy[0]).toBeInstanceOf(Point);
    expect(copy[1]).toBe(copy[0]);
    expect(copy[0].state().y.state()).toBe(2);
  });

  it('has equal instances that never change once', () => {
    const [a, b, c] = copyOf([new Word('a', 'b'), new Word('a', 'b'), new Word('b')]);
    expect(b).toBe(a);
    expect(c.state()).toEqual(['b']);
  });

  it('takes what is verbatim as it is', () => {
    const list = [{ $: 'no mark', deep: [1] }];
    expect(copyOf({ list: new Verbatim(list) })).toEqual({ list });
  });

  it('leaves what it is made of as it was', () => {
    const record = { map: new Map([[1, 2]]), minus: -0, plain: [1, 'a', null] };
    text(record);
    expect(record).toStrictEqual({ map: new Map([[1, 2]]), minus: -0, plain: [1, 'a', null] });
  });

  it.each([
    ['a function', { act: () => 1 }, 'a function is nothing that can be kept'],
    ['a symbol', [Symbol('s')], 'a symbol is nothing that can be kept'],
    ['an instance of another class', new URL('http://a/'), 'a URL is nothing that can be kept'],
    ['a date', new Date(0), 'a Date is nothing that can be kept'],
  ])('does not hold %s', (_, value, message) => {
    expect(() => text(value)).toThrow(message);
  });
});

describe('a text that was not written here', () => {
  it.each([
    ['names an object that has not come', '[{"$":7}]', 'there is no object 7'],
    ['names a class that there is not', '[{"$":"Line","of":1}]', '"Line" is no kind of object'],
    ['names a property of all objects', '[{"$":"toString","of":1}]', '"toString" is no kind of object'],
  ])('%s', (_, json, message) => {
    expect(() => graphs(json)).toThrow(message);
  });
});
