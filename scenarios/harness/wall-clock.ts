/** The host's time, for targets whose time is not ours. */
import type { WallClock } from './transport.ts';

export const WALL_CLOCK: WallClock = {
  epochMs: performance.timeOrigin,
  now: () => performance.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

/** ISO date. */
export const today = (): string => new Date(performance.timeOrigin + performance.now()).toISOString().slice(0, 10);
