/** Graphs of objects as JSON, and back. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decoder, encoder, Unshared } from './graph.ts';

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

const copyOf = <T>(value: T): T => graphs(text(value))[0] as T;

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
    const inner = new Point(2);
    const point = new Point({ y: inner });
    const copy = copyOf([point, point, inner]);
    expect(copy[0]).toBeInstanceOf(Point);
    expect(copy[1]).toBe(copy[0]);
    expect(Object.values(copy[0]?.state() ?? {})[0]).toBe(copy[2]);
    expect(copy[2]?.state()).toBe(2);
  });

  it('has equal instances that never change once', () => {
    const [a, b, c] = copyOf([new Word('a', 'b'), new Word('a', 'b'), new Word('b')]);
    expect(b).toBe(a);
    expect(c?.state()).toEqual(['b']);
  });

  it('gives no numbers to what is unshared', () => {
    const [list, shared] = [[{ deep: [1] }], { n: 1 }];
    expect(copyOf([shared, new Unshared(list), new Unshared(list), shared])).toEqual([shared, list, list, shared]);
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
    ['is no list', '{}', 'it is no list'],
    ['ends too early', '[]', 'it ends too early'],
    ['ends within a record', '[14,["a"],".",16]', 'it ends too early'],
    ['goes on', '[0,1,2]', 'something follows that belongs to nothing'],
    ['has another mark', '[15]', '15 is no mark'],
    ['has an object for a mark', '[{"valueOf":1}]', '{"valueOf":1} is no mark'],
    ['has an object for a text', '[0,{}]', '{} stands in the place of a text or number'],
    ['names an object that has not come', '[1,7]', 'there is no object 7'],
    ['names an object that is not made yet', '[11,"Point",1,0]', 'there is no object 0'],
    ['names a class that there is not', '[11,"Line",0,1]', '"Line" is no kind of object'],
    ['names a property of all objects', '[11,"toString",0,1]', '"toString" is no kind of object'],
    ['names a shape that has not come', '[17,0]', 'there is no shape 1'],
    ['has a list longer than itself', '[2,1e9,1]', 'a list that is longer than what there is'],
    ['has a list shorter than nothing', '[2,-1]', 'a list that is longer than what there is'],
    ['has more keys than values', '[4,2,1,"a",2,0]', 'keys without values, or values without keys'],
    ['has a number for keys', '[4,0,1]', '0 is no list'],
    ['has a shape without keys', '[14,1,"",16]', 'there are no keys in 1'],
    ['has a shape with a key twice', '[14,["a","a"],"..",16,0]', 'there are no keys in ["a","a"]'],
    ['has a shape with too few kinds', '[14,["a","b"],".",16,0]', 'keys without their kinds'],
    ['has a record that differs elsewhere', '[14,["a"],".",16,2,1]', 'a record that differs in what it does not have'],
    [
      'has a record that differs in no number',
      '[14,["a"],".",16,"x",1]',
      'a record that does not say in what it differs',
    ],
  ])('%s', (_, json, message) => {
    const decode = decoder(KINDS);
    expect(() => decode(JSON.parse(json))).toThrow(message);
  });
});

describe('records with the same keys', () => {
  it('are what differs from the one before', () => {
    const [one, two] = [1, 2].map((n) => ({ id: n, name: 'x', at: 5000 * n, list: [n] }));
    expect(text(one, two)).toBe('[[14,["id","name","at","list"],"...o",16,7,1,"x",5000,2,1,1],[16,5,1,5000,2,1,2]]');
  });

  it('are themselves, however many there are and whatever they hold', () => {
    const field = fc.oneof(
      fc.integer(),
      fc.double(),
      fc.maxSafeInteger(),
      fc.string(),
      fc.constant(null),
      fc.boolean(),
    );
    const keys = Array.from({ length: 70 }, (_, n) => (n === 50 ? '__proto__' : `k${n}`));
    const record = fc.array(field, { minLength: 70, maxLength: 70 }).map((values) => {
      const entries: [string, unknown][] = keys.map((key, at) => [key, values[at]]);
      return Object.fromEntries(entries);
    });
    fc.assert(
      fc.property(fc.array(record, { minLength: 50, maxLength: 60 }), (records) => {
        expect(copyOf(records)).toStrictEqual(records);
      }),
      { seed: 1, numRuns: 5 },
    );
    const numbers = fc.array(fc.record({ a: field, b: field }), { maxLength: 100 });
    const sameAgain = fc.property(numbers, (records) => {
      expect(copyOf(records)).toStrictEqual(records);
    });
    fc.assert(sameAgain, { seed: 1, numRuns: 200 });
  });
});
