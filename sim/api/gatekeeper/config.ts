/** The configuration of the Gatekeeper. */

export interface GatekeeperConfig {
  /** Whether the leaky buckets refuse anything, as USE_RATE_LIMIT=yes. */
  readonly rateLimits: boolean;
  /** Host and port in the URLs of streams; null for those that the client has called. */
  readonly streamHost: string | null;
}

export const GATEKEEPER_DEFAULTS: GatekeeperConfig = { rateLimits: false, streamHost: null };
