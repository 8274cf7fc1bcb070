/** Chance: reproducible, independent between entities and streams, and distributed as promised. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Distribution, hash, quantile, Random, type Stream, sample, threefry } from './random.ts';

const whole = fc.maxSafeNat();

describe('threefry', () => {
  // The known answers that the authors publish with their implementation (kat_vectors, threefry2x32 20).
  it.each([
    [
      [0, 0],
      [0, 0],
      [0x6b200159, 0x99ba4efe],
    ],
    [
      [0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x1cb996fc, 0xbb002be7],
    ],
    [
      [0x13198a2e, 0x03707344],
      [0x243f6a88, 0x85a308d3],
      [0xc4923a9c, 0x483df7a0],
    ],
  ] as const)('of key %j and block %j is %j', ([key0, key1], [block0, block1], expected) => {
    const block = new Uint32Array(2);
    threefry(block, key0, key1, block0, block1);
    expect([...block]).toEqual(expected);
  });
});

describe('a draw', () => {
  it('is always the same, and does not depend on what else was drawn before', () => {
    fc.assert(
      fc.property(whole, fc.string(), whole, whole, fc.array(whole), (seed, name, entity, counter, others) => {
        const alone = new Random(seed).stream(name)(entity, counter);
        const random = new Random(seed);
        const stream = random.stream(name);
        for (const other of others) {
          stream(other, counter);
          random.stream(`${name}.${other}`)(entity, counter);
        }
        expect(stream(entity, counter)).toBe(alone);
        expect(alone).toBeGreaterThanOrEqual(0);
        expect(alone).toBeLessThan(1);
      }),
      { seed: 1 },
    );
  });

  it('changes with each of seed, stream, entity and counter, in all their 53 bits', () => {
    const bit = fc.integer({ min: 0, max: 52 });
    const flip = (value: number, at: number): number => {
      const power = 2 ** at;
      return Math.floor(value / power) % 2 === 0 ? value + power : value - power;
    };
    fc.assert(
      fc.property(whole, whole, whole, bit, (seed, entity, counter, at) => {
        const draw = new Random(seed).stream('vm.boot')(entity, counter);
        expect(new Random(flip(seed, at)).stream('vm.boot')(entity, counter)).not.toBe(draw);
        expect(new Random(seed).stream('vm.boot')(flip(entity, at), counter)).not.toBe(draw);
        expect(new Random(seed).stream('vm.boot')(entity, flip(counter, at))).not.toBe(draw);
        expect(new Random(seed).stream(`vm.boot${at}`)(entity, counter)).not.toBe(draw);
      }),
      { seed: 2 },
    );
  });

  it('is the same in every version of onesim', () => {
    const random = new Random(1);
    expect(random.stream('vm.boot')(0, 0)).toBe(0.501730969916878);
    expect(random.uuid('runtime', 5)).toBe('b06b26fc-8d1d-4dcc-8527-f27f79d11458');
    expect(hash('vm_cpu_perc{id="1"}')).toBe(8873312039474509);
  });
});

/** Pearson's statistic of the draws in 64 equal boxes: 63 expected; beyond 120 once in a hundred thousand times. */
function chiSquare(draws: readonly number[]): number {
  const boxes = Array.from({ length: 64 }, () => 0);
  for (const u of draws) boxes[Math.floor(u * 64)] = (boxes[Math.floor(u * 64)] ?? 0) + 1;
  const expected = draws.length / 64;
  return boxes.reduce((sum, seen) => sum + (seen - expected) ** 2 / expected, 0);
}

function correlation(a: readonly number[], b: readonly number[]): number {
  const product = a.reduce((sum, x, i) => sum + (x - 0.5) * ((b[i] ?? 0) - 0.5), 0);
  return (product / a.length) * 12;
}

const COUNT = 64_000;
const draws = (draw: (i: number) => number): number[] => Array.from({ length: COUNT }, (_, i) => draw(i));

describe('draws in a row', () => {
  const random = new Random(20_240_101);
  const boot = random.stream('vm.boot');
  const along: Readonly<Record<string, Stream>> = {
    'of the entities': (_, i) => boot(i, 0),
    'of one entity': (_, i) => boot(13, i),
    'of entities far apart': (_, i) => boot(i * 2 ** 37, 3),
    'of a counter in milliseconds since 1970': (_, i) => boot(13, 1.7e12 + i * 14_000),
    'of streams': (_, i) => random.stream(`vm.${i}`)(0, 0),
    'of seeds': (_, i) => new Random(i).stream('vm.boot')(0, 0),
    'of named entities': (_, i) => boot(hash(`host-${i}`), 0),
  };

  it.each(Object.entries(along))('%s are even, in their high and in their low bits', (_, draw) => {
    const row = draws((i) => draw(0, i));
    expect(chiSquare(row)).toBeLessThan(120);
    expect(chiSquare(row.map((u) => (u * 2 ** 20) % 1))).toBeLessThan(120);
    // Too even would not be chance either.
    expect(chiSquare(row)).toBeGreaterThan(25);
  });

  it.each(Object.entries(along))('%s know nothing of their neighbours', (_, draw) => {
    const row = draws((i) => draw(0, i));
    const limit = 4.5 / Math.sqrt(COUNT);
    for (const lag of [1, 2, 7, 64])
      expect(Math.abs(correlation(row.slice(0, -lag), row.slice(lag)))).toBeLessThan(limit);
    // Pairs fill the square evenly: 8 x 8 boxes.
    const pairs = row.slice(1).map((u, i) => (Math.floor((row[i] ?? 0) * 8) + u) / 8);
    expect(chiSquare(pairs)).toBeLessThan(120);
  });

  it('of one entity are never those of another, shifted', () => {
    const firsts = new Set<number>();
    for (let entity = 0; entity < 2000; entity++) for (let i = 0; i < 50; i++) firsts.add(boot(entity, i));
    expect(firsts.size).toBe(100_000);
  });
});

describe('uuid', () => {
  it('is a version 4 UUID, different for everything that is different', () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 10; seed++) {
      for (let entity = 0; entity < 1000; entity++) seen.add(new Random(seed).uuid('runtime', entity));
    }
    expect(seen.size).toBe(10_000);
    for (const uuid of seen)
      expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    const random = new Random(1);
    expect(random.uuid('a', 1)).not.toBe(random.uuid('b', 1));
    expect(random.uuid('a', 1)).not.toBe(random.uuid('a', 1, 1));
  });
});

describe('hash', () => {
  it('tells near texts apart', () => {
    const texts = Array.from({ length: 200_000 }, (_, i) => `vm_cpu_perc{id="${i}"}`);
    const hashes = new Set(texts.map(hash));
    expect(hashes.size).toBe(texts.length);
    expect([...hashes].every((h) => Number.isSafeInteger(h) && h >= 0)).toBe(true);
    expect(hash('')).not.toBe(hash('\0'));
    expect(hash('ab')).not.toBe(hash('ba'));
  });
});

describe('sample', () => {
  const stream = new Random(7).stream('sample');
  const sorted = (distribution: Distribution): number[] =>
    draws((i) => sample(distribution, stream(i, 0))).sort((a, b) => a - b);
  const at = (values: readonly number[], p: number): number => values[Math.floor(values.length * p)] ?? Number.NaN;
  const mean = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;
  const within = (actual: number, expected: number, part: number): void =>
    expect(Math.abs(actual / expected - 1)).toBeLessThan(part);

  it('fixed is the value', () => expect(sample({ fixed: 250 }, 0.9)).toBe(250));

  it('uniform lies between its ends, and reaches both', () => {
    const values = sorted({ uniform: [100, 300] });
    within(at(values, 0), 100, 0.001);
    within(values.at(-1) ?? 0, 300, 0.001);
    within(mean(values), 200, 0.01);
  });

  it('lognormal has its median and its 95th percentile', () => {
    const distribution: Distribution = { lognormal: { median: 12_000, p95: 40_000 } };
    expect(sample(distribution, 0.5)).toBeCloseTo(12_000, 3);
    expect(sample(distribution, 0.95)).toBeCloseTo(40_000, 3);
    const values = sorted(distribution);
    within(at(values, 0.5), 12_000, 0.02);
    within(at(values, 0.95), 40_000, 0.02);
    expect(sample({ lognormal: { median: 5, p95: 5 } }, 0.99)).toBe(5);
  });

  it('exponential has its mean, and never goes below 0', () => {
    const values = sorted({ exponential: { mean: 5000 } });
    within(mean(values), 5000, 0.02);
    within(at(values, 0.5), 5000 * Math.LN2, 0.02);
    expect(values[0]).toBeGreaterThanOrEqual(0);
  });

  it('is finite and never falls as the draw rises, to the ends of [0, 1)', () => {
    const ends = [0, 2 ** -53, 1e-9, 0.02424, 0.02425, 0.3, 0.5, 0.97575, 0.97576, 1 - 1e-9, 1 - 2 ** -53];
    const all: Distribution[] = [
      { uniform: [0, 9] },
      { lognormal: { median: 1, p95: 3 } },
      { exponential: { mean: 2 } },
    ];
    for (const distribution of all) {
      const values = ends.map((u) => sample(distribution, u));
      expect(values.every(Number.isFinite)).toBe(true);
      expect(values).toEqual(values.toSorted((a, b) => a - b));
    }
  });
});

describe('quantile', () => {
  // Any table of the standard normal distribution.
  it.each([
    [0.5, 0],
    [0.84134474606854, 1],
    [0.97724986805182, 2],
    [0.99865010196837, 3],
    [0.95, 1.6448536269514722],
    [0.001, -3.090232306167813],
  ])('of %d is %d', (p, z) => expect(quantile(p)).toBeCloseTo(z, 7));

  it('is odd around one half', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-6, max: 0.5, noNaN: true }), (p) => {
        expect(quantile(p) + quantile(1 - p)).toBeCloseTo(0, 7);
      }),
      { seed: 3 },
    );
  });
});
