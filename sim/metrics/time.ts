/** Times and durations as the query API of Prometheus 0.17 reads them, with its words for those it cannot read. */

/** A query that Prometheus would refuse as `bad_data`; the message is its own. */
export class BadData extends Error {
  override readonly name = 'BadData';
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const RFC3339 = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+ -]\d\d:\d\d)$/;
const DURATION = /^(\d+)(ms|s|m|h|d|w|y)$/;

/** Past this, milliseconds are no longer whole numbers that JavaScript can count. */
const FARTHEST_MS = 8.64e15;

const UNITS_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000, y: 31_536_000_000 } as const;

/**
 * Milliseconds since the epoch, from Unix seconds or RFC 3339 with a zone. A zone's unescaped `+` arrives as a blank,
 * and is taken for what it was.
 * @throws BadData
 */
export function parseTime(text: string): number {
  const timeMs = NUMBER.test(text) ? Math.round(Number(text) * 1000) : rfc3339Ms(text);
  if (!(Math.abs(timeMs) <= FARTHEST_MS)) throw new BadData(`cannot parse ${quote(text)} to a valid timestamp`);
  return timeMs;
}

/**
 * Whole milliseconds, from seconds or a whole number with a unit. May be 0 or negative.
 * @throws BadData
 */
export function parseDuration(text: string): number {
  // The small addend keeps 0.29 s from becoming 289 ms.
  const durationMs = NUMBER.test(text) ? Math.floor(Number(text) * 1000 + 1e-6) : durationOf(text);
  if (!(Math.abs(durationMs) <= FARTHEST_MS)) throw new BadData(`cannot parse ${quote(text)} to a valid duration`);
  return durationMs;
}

function rfc3339Ms(text: string): number {
  const [, local = '', fraction = '', zone = ''] = RFC3339.exec(text) ?? [];
  const timeMs = Date.parse(`${local}Z`);
  // The 30th of February is a date to JavaScript, though not the same one.
  if (Number.isNaN(timeMs) || !new Date(timeMs).toISOString().startsWith(local)) return Number.NaN;
  return timeMs + Number(fraction.slice(0, 3).padEnd(3, '0')) - offsetMs(zone);
}

function offsetMs(zone: string): number {
  if (zone === 'Z') return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(4));
  if (hours > 23 || minutes > 59) return Number.NaN;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}

function durationOf(text: string): number {
  const [, count, unit] = DURATION.exec(text) ?? [];
  return unit === undefined ? Number.NaN : Number(count) * UNITS_MS[unit as keyof typeof UNITS_MS];
}

/** Quoted as Go's `%q` does, as far as it differs from JSON. */
const quote = (text: string): string =>
  JSON.stringify(text).replace(/\\\\|\\u00([0-9a-f]{2})/g, (whole, hex) => (hex === undefined ? whole : `\\x${hex}`));
