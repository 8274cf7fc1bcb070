/**
 * The load of one guest as a function of time, with its exact integral: counters are read off the integral, so they
 * rise without any sample being stored, and a point costs the same however long ago the guest booted.
 *
 * 1 is a machine whose cores are all busy; demand beyond that is possible, and is cut off where a core is measured.
 */
import type { Random, Stream } from '../kernel/random.ts';
import type { Profile } from './profile.ts';

const DAY_MS = 86_400_000;
const DAY_LOW_MS = 3 * 3_600_000;

/** Starting up keeps the whole machine busy, and wears off. */
const START = { height: 0.9, afterS: 20 };

const OCTAVES = [
  { periodMs: 37_000, weight: 0.45 },
  { periodMs: 421_000, weight: 0.35 },
  { periodMs: 4_001_000, weight: 0.2 },
] as const;

/** The streams that all guests draw from, each under its own entity. */
export interface Chance {
  readonly ripples: readonly {
    readonly draw: Stream;
    readonly periodMs: number;
    readonly weight: number;
  }[];
  readonly burst: Stream;
  /** What never changes for an entity, such as the phase of its probe. */
  readonly trait: Stream;
  /** What differs from sample to sample. */
  readonly jitter: Stream;
}

export const chanceOf = (random: Random): Chance => ({
  ripples: OCTAVES.map((octave) => ({
    ...octave,
    draw: random.stream(`metrics.ripple.${octave.periodMs}`),
  })),
  burst: random.stream('metrics.burst'),
  trait: random.stream('metrics.trait'),
  jitter: random.stream('metrics.jitter'),
});

export class Load {
  readonly #profile: Profile;
  /** How much busier than its profile this guest is. */
  readonly #scale: number;
  readonly #ripples: readonly {
    readonly weight: number;
    readonly noise: Ripple;
  }[];
  readonly #burst: Burst | null;
  #latestAt = Number.NaN;
  #latestUptime = Number.NaN;
  #latest = 0;

  constructor(chance: Chance, profile: Profile, entity: number) {
    this.#profile = profile;
    this.#scale = 0.8 + 0.4 * chance.trait(entity, 0);
    this.#ripples = chance.ripples.map(({ draw, periodMs, weight }) => ({
      weight,
      noise: new Ripple(draw, entity, periodMs),
    }));
    this.#burst = profile.burst && new Burst(chance.burst, entity, profile.burst);
  }

  /** The load at a time, `uptimeMs` after the boot; never negative. */
  at(atMs: number, uptimeMs: number): number {
    // All cores ask for the same.
    if (atMs === this.#latestAt && uptimeMs === this.#latestUptime) return this.#latest;
    this.#latestAt = atMs;
    this.#latestUptime = uptimeMs;
    this.#latest = this.#measure(atMs, uptimeMs);
    return this.#latest;
  }

  #measure(atMs: number, uptimeMs: number): number {
    const { base, ripple, day, ramp } = this.#profile;
    let load = base;
    if (ripple > 0) load += base * ripple * this.#swing('at', atMs);
    if (day > 0) load += (day * (1 - Math.cos(angle(atMs)))) / 2;
    if (this.#burst !== null) load += this.#burst.at(atMs);
    if (ramp !== null) load += ramp.height * (1 - Math.exp(-uptimeMs / 1000 / ramp.afterS));
    return this.#scale * load + START.height * Math.exp(-uptimeMs / 1000 / START.afterS);
  }

  /** The antiderivative, in load × seconds, of the part that depends on the time of day. */
  byTime(atMs: number): number {
    const { base, ripple, day } = this.#profile;
    let area = (base * atMs) / 1000;
    if (ripple > 0) area += base * ripple * this.#swing('area', atMs);
    if (day > 0) area += (day * (atMs - (Math.sin(angle(atMs)) * DAY_MS) / (2 * Math.PI))) / 2000;
    if (this.#burst !== null) area += this.#burst.area(atMs);
    return this.#scale * area;
  }

  /** The integral, in load × seconds, of the part that depends on the uptime, since the boot. */
  byUptime(uptimeMs: number): number {
    const { ramp } = this.#profile;
    const uptimeS = uptimeMs / 1000;
    const start = START.height * worn(uptimeS, START.afterS);
    return ramp === null ? start : start + this.#scale * ramp.height * (uptimeS - worn(uptimeS, ramp.afterS));
  }

  #swing(part: 'at' | 'area', atMs: number): number {
    let sum = 0;
    for (const { weight, noise } of this.#ripples) sum += weight * noise[part](atMs);
    return sum;
  }
}

/** ∫ e^(-t/after) from 0 to `uptimeS`. */
const worn = (uptimeS: number, afterS: number): number => -afterS * Math.expm1(-uptimeS / afterS);

const angle = (atMs: number): number => (2 * Math.PI * (atMs - DAY_LOW_MS)) / DAY_MS;

/**
 * Noise in [-1, 1] that is the derivative of value noise: chance gives the *integral* at the points of a lattice, a
 * smooth step joins them, and so both are closed forms of the two points around a time.
 */
class Ripple {
  readonly #draw: Stream;
  readonly #entity: number;
  readonly #periodMs: number;
  /** Keeps the lattices of two guests apart. */
  readonly #offsetMs: number;
  #cell = Number.NaN;
  #left = 0;
  #right = 0;

  constructor(draw: Stream, entity: number, periodMs: number) {
    this.#draw = draw;
    this.#entity = entity;
    this.#periodMs = periodMs;
    this.#offsetMs = draw(entity, -1) * periodMs;
  }

  at(atMs: number): number {
    const f = this.#enter(atMs);
    return (this.#right - this.#left) * 4 * f * (1 - f);
  }

  /** In seconds. */
  area(atMs: number): number {
    const f = this.#enter(atMs);
    const step = f * f * (3 - 2 * f);
    return (this.#periodMs / 1500) * (this.#left + (this.#right - this.#left) * step);
  }

  /** Makes the cell of the lattice around a time the current one, and says how far into it the time is. */
  #enter(atMs: number): number {
    const position = (atMs + this.#offsetMs) / this.#periodMs;
    const cell = Math.floor(position);
    if (cell !== this.#cell) {
      this.#left = this.#draw(this.#entity, cell);
      this.#right = this.#draw(this.#entity, cell + 1);
      this.#cell = cell;
    }
    return position - cell;
  }
}

/** One burst in every cell of a lattice: chance says when and how long, its area is always the same. */
class Burst {
  readonly #draw: Stream;
  readonly #entity: number;
  readonly #shape: NonNullable<Profile['burst']>;
  #cell = Number.NaN;
  #startS = 0;
  #lengthS = 1;

  constructor(draw: Stream, entity: number, shape: NonNullable<Profile['burst']>) {
    this.#draw = draw;
    this.#entity = entity;
    this.#shape = shape;
  }

  at(atMs: number): number {
    const done = this.#enter(atMs);
    return done > 0 && done < 1 ? this.#shape.area / this.#lengthS : 0;
  }

  area(atMs: number): number {
    const done = this.#enter(atMs);
    return this.#shape.area * (this.#cell + Math.min(1, Math.max(0, done)));
  }

  /** Makes the cell around a time the current one, and says how much of its burst is over: negative before it. */
  #enter(atMs: number): number {
    const { everyS, shortestS, longestS } = this.#shape;
    const cell = Math.floor(atMs / 1000 / everyS);
    if (cell !== this.#cell) {
      this.#lengthS = shortestS + (longestS - shortestS) * this.#draw(this.#entity, 2 * cell);
      this.#startS = cell * everyS + (everyS - this.#lengthS) * this.#draw(this.#entity, 2 * cell + 1);
      this.#cell = cell;
    }
    return (atMs / 1000 - this.#startS) / this.#lengthS;
  }
}
