/**
 * Counter-based chance: a draw is a function of (seed, stream, entity, counter) and of nothing else, so one more VM
 * or one more request never shifts another VM's draws. Nothing is stored, so there is nothing to snapshot.
 *
 * The function is Threefry-2x32 with 20 rounds (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as
 * 1, 2, 3", 2011): the stream is the key, entity and counter are the block. For one key it is a bijection, so no two
 * of a stream's entities can ever share a piece of their sequences.
 */

import { remembered } from './remembered.ts';

/** Draws in [0, 1) for one purpose, such as `vm.boot`. Entity and counter are whole numbers, up to 2^53. */
export type Stream = (entity: number, counter: number) => number;

type Key = readonly [number, number];

export class Random {
  readonly seed: number;
  /** Keys of streams by name, once something is drawn: most worlds draw from a few only. */
  readonly #streamKeys = new Map<string, Key>();
  /** Likewise those of UUIDs: there are few names, and a UUID for each VM. */
  readonly #uuidKeys = new Map<string, readonly [high: Key, low: Key]>();

  /** @param seed a whole number, up to 2^53 */
  constructor(seed: number) {
    this.seed = seed;
  }

  /** The stream of a purpose. The same name always gives the same stream. */
  stream(name: string): Stream {
    let streamKey: Key | undefined;
    return (entity, counter) => {
      streamKey ??= this.#keyOf(name);
      encrypt(words, streamKey[0], streamKey[1], entity, counter);
      return ((words[0] as number) * 2 ** 21 + ((words[1] as number) >>> 11)) / 2 ** 53;
    };
  }

  /** The names of all streams and UUIDs that anything has been drawn of. */
  get drawn(): readonly string[] {
    return [...this.#streamKeys.keys(), ...this.#uuidKeys.keys()];
  }

  /** A version 4 UUID, as a function of the same four. */
  uuid(name: string, entity: number, counter = 0): string {
    let halves = this.#uuidKeys.get(name);
    if (halves === undefined) {
      halves = [this.#key(`uuid/high/${name}`), this.#key(`uuid/low/${name}`)];
      this.#uuidKeys.set(name, halves);
    }
    encrypt(words, halves[0][0], halves[0][1], entity, counter);
    writeHex(0, (words[0] as number) >>> 16);
    writeHex(4, words[0] as number);
    writeHex(9, (words[1] as number) >>> 16);
    writeHex(14, ((words[1] as number) & 0x0fff) | 0x4000);
    encrypt(words, halves[1][0], halves[1][1], entity, counter);
    writeHex(19, (((words[0] as number) >>> 16) & 0x3fff) | 0x8000);
    writeHex(24, words[0] as number);
    writeHex(28, (words[1] as number) >>> 16);
    writeHex(32, words[1] as number);
    // Not put together of pieces: such a text would be a tree of them, and there is one for each VM.
    return digits.toString('latin1');
  }

  #keyOf(name: string): Key {
    const known = this.#streamKeys.get(name) ?? this.#key(name);
    this.#streamKeys.set(name, known);
    return known;
  }

  /** The key of a stream: its name, encrypted with the seed. */
  #key(name: string): Key {
    encrypt(words, low(this.seed), high(this.seed), nameHash(name), 0);
    return [words[0] as number, words[1] as number];
  }
}

/** A stable hash of a text, for naming an entity that has no number: a whole number below 2^53. */
export function hash(text: string): number {
  let a = 0x811c9dc5;
  let b = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 0x01000193);
    b = Math.imul(rotate(b, 15) ^ unit, 0x9e3779b1);
  }
  const block = new Uint32Array(2);
  threefry(block, a, b, b, a);
  return ((block[0] as number) >>> 11) * 2 ** 32 + (block[1] as number);
}

/** Of the names of streams, which are the same in every world. */
const nameHash = remembered(hash);

const low = (whole: number): number => whole >>> 0;
const high = (whole: number): number => Math.floor(whole / 2 ** 32) | 0;
const rotate = (word: number, by: number): number => (word << by) | (word >>> (32 - by));

/** The block of an entity and a counter. What they have beyond 32 bits, few have; it goes into the key. */
function encrypt(into: Uint32Array, key0: number, key1: number, entity: number, counter: number): void {
  const highs = Math.imul(high(entity), 0x9e3779b1) ^ Math.imul(high(counter), 0x85ebca6b);
  threefry(into, key0 ^ highs, key1 + highs, low(entity), low(counter));
}

const words = new Uint32Array(2);

/** A UUID, as it is being written. */
const digits = Buffer.from('00000000-0000-0000-0000-000000000000');
const DIGITS = Buffer.from('0123456789abcdef');

/** Writes the lower 16 bits as four hexadecimal digits. */
function writeHex(at: number, bits: number): void {
  for (let i = 0; i < 4; i++) digits[at + i] = DIGITS[(bits >>> (12 - 4 * i)) & 15] as number;
}

/** How far each of eight rounds in turn rotates. */
const ROTATIONS = [13, 15, 26, 6, 17, 29, 16, 24] as const;

/** Writes the encrypted block. Every fourth round a part of the key is added, together with its number. */
export function threefry(into: Uint32Array, key0: number, key1: number, block0: number, block1: number): void {
  const key2 = 0x1bd11bda ^ key0 ^ key1;
  let x = (block0 + key0) | 0;
  let y = (block1 + key1) | 0;
  let [k0, k1, k2] = [key1, key2, key0];
  for (let group = 1; group <= 5; group++) {
    const first = (group & 1) === 1 ? 0 : 4;
    for (let round = first; round < first + 4; round++) {
      x = (x + y) | 0;
      y = rotate(y, ROTATIONS[round] as number) ^ x;
    }
    x = (x + k0) | 0;
    y = (y + k1 + group) | 0;
    [k0, k1, k2] = [k1, k2, k0];
  }
  into[0] = x;
  into[1] = y;
}

/** How long something takes, in milliseconds. */
export type Distribution =
  | { readonly fixed: number }
  | { readonly uniform: readonly [min: number, max: number] }
  | { readonly lognormal: { readonly median: number; readonly p95: number } }
  | { readonly exponential: { readonly mean: number } };

/** The value of a distribution at the quantile `u` in [0, 1): one draw gives one value. */
export function sample(distribution: Distribution, u: number): number {
  if ('fixed' in distribution) return distribution.fixed;
  if ('uniform' in distribution) {
    const [min, max] = distribution.uniform;
    return min + (max - min) * u;
  }
  if ('lognormal' in distribution) {
    const { median, p95 } = distribution.lognormal;
    return median * (p95 / median) ** (quantile(u) / Z95);
  }
  return -distribution.exponential.mean * Math.log1p(-u);
}

/** The 95th percentile of the standard normal distribution. */
const Z95 = 1.6448536269514722;

/** Below this, and as far from 1, the quantile has another approximation. */
const LOW = 0.02425;

/**
 * The standard normal quantile (Acklam's rational approximation, relative error below 1.2e-9). Finite at 0 and 1: just
 * beyond the least and the greatest that a draw can be.
 */
export function quantile(p: number): number {
  if (p > 1 - LOW) return -tail(Math.max(1 - p, 2 ** -54));
  if (p < LOW) return tail(Math.max(p, 2 ** -54));
  const q = p - 0.5;
  const r = q * q;
  return (q * horner(CENTRE_TOP, r)) / (horner(CENTRE_BOTTOM, r) * r + 1);
}

function tail(p: number): number {
  const q = Math.sqrt(-2 * Math.log(p));
  return horner(TAIL_TOP, q) / (horner(TAIL_BOTTOM, q) * q + 1);
}

const horner = (coefficients: readonly number[], x: number): number => coefficients.reduce((sum, c) => sum * x + c, 0);

const CENTRE_TOP = [
  -3.969683028665376e1, 2.209460984245205e2, -2.759285104469687e2, 1.38357751867269e2, -3.066479806614716e1,
  2.506628277459239,
];
const CENTRE_BOTTOM = [
  -5.447609879822406e1, 1.615858368580409e2, -1.556989798598866e2, 6.680131188771972e1, -1.328068155288572e1,
];
const TAIL_TOP = [
  -7.784894002430293e-3, -3.223964580411365e-1, -2.400758277161838, -2.549732539343734, 4.374664141464968,
  2.938163982698783,
];
const TAIL_BOTTOM = [7.784695709041462e-3, 3.224671290700398e-1, 2.445134137142996, 3.754408661907416];
