/**
 * Behaviour profiles: how a guest behaves over time, as data. USER_TEMPLATE/METRIC_PROFILE of a VM names one: so it is
 * chosen by a VM template, by an instance in a world file, by OpenNebula's own calls, or by the control API.
 */

export interface Profile {
  /** Share of the machine that is busy all the time, 0 to 1. */
  readonly base: number;
  /** How far slow noise swings around the base, as a share of it, 0 to 1. */
  readonly ripple: number;
  /** What a daily wave adds at its peak, 15:00 UTC; nothing at 03:00. */
  readonly day: number;
  /** One burst in every `everyS`, of the same area (load × seconds) each time, so the shorter the higher. */
  readonly burst: {
    readonly everyS: number;
    readonly area: number;
    readonly shortestS: number;
    readonly longestS: number;
  } | null;
  /** What load gains in the long run after a boot, and how fast. */
  readonly ramp: { readonly height: number; readonly afterS: number } | null;
  /** How far one sample of one core strays from the load, as a share of it. */
  readonly jitter: number;
  /** Share of memory in use once the guest has started, and what it loses per hour of uptime. */
  readonly memory: number;
  readonly leakPerHour: number;
  /** Share of the root file system that fills up per day of running. */
  readonly fillPerDay: number;
}

const steady: Profile = {
  base: 0.22,
  ripple: 0.5,
  day: 0,
  burst: null,
  ramp: null,
  jitter: 0.12,
  memory: 0.4,
  leakPerHour: 0,
  fillPerDay: 0.001,
};

export const PROFILES = {
  idle: {
    ...steady,
    base: 0,
    ripple: 0,
    burst: { everyS: 300, area: 0.4, shortestS: 4, longestS: 12 },
    memory: 0.18,
    fillPerDay: 0,
  },
  steady,
  diurnal: { ...steady, base: 0.08, day: 0.55 },
  bursty: {
    ...steady,
    base: 0.05,
    burst: { everyS: 600, area: 60, shortestS: 50, longestS: 200 },
  },
  leaking: { ...steady, memory: 0.3, leakPerHour: 0.05 },
  saturating: {
    ...steady,
    base: 0.15,
    ramp: { height: 0.95, afterS: 1800 },
    memory: 0.5,
    fillPerDay: 0.08,
  },
  noisy: { ...steady, base: 0.5, ripple: 1, jitter: 0.45 },
} as const satisfies Record<string, Profile>;

type ProfileName = keyof typeof PROFILES;

export const PROFILE_NAMES = Object.keys(PROFILES) as readonly ProfileName[];

/** The name as it is in the table, in any case; a VM that names none, or one that does not exist, is steady. */
export const nameOfProfile = (name: string | undefined): ProfileName =>
  PROFILE_NAMES.find((known) => known === name?.toLowerCase()) ?? 'steady';

/** The profile of that name. */
export const profileOf = (name: string | undefined): Profile => PROFILES[nameOfProfile(name)];
