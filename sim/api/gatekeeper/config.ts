/** The configuration of the Gatekeeper. */

export interface GatekeeperConfig {
  /** Whether the leaky buckets refuse anything, as USE_RATE_LIMIT=yes. */
  readonly rateLimits: boolean;
  /** Host and port in the URLs of streams; null for those that the client has called. */
  readonly streamHost: string | null;
  /** In front of their paths. */
  readonly streamBase: string;
}

export const GATEKEEPER_DEFAULTS: GatekeeperConfig = { rateLimits: false, streamHost: null, streamBase: '' };

/** What every path of the Gatekeeper begins with, where it has no `/api/v2`. */
export const GATEKEEPER_PATHS = [
  '/functions',
  '/services',
  '/records',
  '/packages',
  '/requests',
  '/licences',
  '/sessions',
  '/users',
  '/kpis',
  '/available-services',
  '/micro-services',
  '/ws',
] as const;
