/** The configuration of the Gatekeeper. */

export interface GatekeeperConfig {
  /** Whether the leaky buckets refuse anything, as USE_RATE_LIMIT=yes. */
  readonly rateLimits: boolean;
  /** Host and port in the URLs of streams; null for those that the client has called. */
  readonly streamHost: string | null;
}

export const GATEKEEPER_DEFAULTS: GatekeeperConfig = { rateLimits: false, streamHost: null };

/** What every path of the Gatekeeper begins with, where it has no `/api/v2`. */
export const GATEKEEPER_PATHS = [
  '/functions',
  '/services',
  '/records',
  '/packages',
  '/sessions',
  '/users',
  '/kpis',
  '/available-services',
  '/micro-services',
  '/ws',
] as const;
