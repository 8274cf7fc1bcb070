/** Points in time as scheduled policies of OneFlow name them: a date, or a cron expression. Mirrors what Ruby's Time.parse and parse-cron accept. */

const DATE =
  /\b\d{1,4}[-/.]\d{1,2}(?:[-/.]\d{1,4})?\b|\b\d{8}(?:T?\d{4,6})?\b|\b\d{1,2}(?:st|nd|rd|th)?\s+[a-z]{3,9}\b/i;
const CLOCK = /\b(\d{1,2}):(\d{2})(?::(\d{2}))?\b/;
const MONTH = /\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b/i;
const DAY = /\b(\d{4})-(\d{1,2})(?:-(\d{1,2}))?\b/;

/** Seconds since the epoch, or a text in which a date, a month or a time of day can be found. */
export function isTime(text: string): boolean {
  if (/^\d+$/m.test(text)) return true;
  const clock = CLOCK.exec(text);
  if (clock !== null && !(Number(clock[1]) <= 24 && Number(clock[2]) < 60 && Number(clock[3] ?? 0) <= 60)) return false;
  const day = DAY.exec(text);
  if (day !== null && !isDay(Number(day[1]), Number(day[2]), Number(day[3] ?? 1))) return false;
  return clock !== null || DATE.test(text) || MONTH.test(text);
}

function isDay(year: number, month: number, day: number): boolean {
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

/** A time as {@link isTime} takes it, in seconds since the epoch; without a zone it is UTC. `undefined` for a time of day alone. */
export function timeOf(text: string): number | undefined {
  if (/^\d+$/.test(text)) return Number(text);
  const ms = Date.parse(/[zZ]|[+-]\d{2}:?\d{2}$/.test(text) ? text : `${text} UTC`);
  return Number.isNaN(ms) ? undefined : Math.floor(ms / 1000);
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const FIELDS = [
  { min: 0, max: 59, names: [] },
  { min: 0, max: 23, names: [] },
  { min: 1, max: 31, names: [] },
  { min: 1, max: 12, names: MONTHS },
  { min: 0, max: 7, names: DAYS },
] as const;
const NICKNAMES: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

/** Minute, hour, day, month and weekday, each a list of values, ranges and steps; or a nickname. */
export const isCron = (text: string): boolean => cronFields(text) !== undefined;

/** The longest stretch of time that is looked through for a recurrence. */
const LONGEST_SECONDS = 366 * 86_400;

/** Whether a recurrence falls after one time and up to another, both in seconds since the epoch. */
export function cronFires(text: string, after: number, until: number): boolean {
  const fields = cronFields(text);
  if (fields === undefined) return false;
  const first = Math.floor(Math.max(after, until - LONGEST_SECONDS) / 60) + 1;
  for (let minute = first; minute * 60 <= until; minute++) {
    const date = new Date(minute * 60_000);
    const day = date.getUTCDay();
    const values = [date.getUTCMinutes(), date.getUTCHours(), date.getUTCDate(), date.getUTCMonth() + 1, day];
    if (fields.every((field, i) => field.has(values[i] ?? -1))) return true;
  }
  return false;
}

/** The values of each field; `undefined` when it is no recurrence. Sunday is 0, and 7 means it too. */
function cronFields(text: string): ReadonlySet<number>[] | undefined {
  const expression = text.trim().toLowerCase();
  const parts = (NICKNAMES[expression] ?? expression).split(/\s+/);
  if (parts.length !== FIELDS.length) return undefined;
  const sets = FIELDS.map((field, i) => fieldValues(parts[i] ?? '', field));
  const [minutes, hours, days, months, weekdays] = sets;
  if (!minutes || !hours || !days || !months || !weekdays) return undefined;
  return [minutes, hours, days, months, weekdays.has(7) ? new Set([...weekdays, 0]) : weekdays];
}

function fieldValues(text: string, { min, max, names }: (typeof FIELDS)[number]): Set<number> | undefined {
  const value = (word: string): number => {
    const name = (names as readonly string[]).indexOf(word.slice(0, 3));
    return name >= 0 ? name + min : /^\d+$/.test(word) ? Number(word) : Number.NaN;
  };
  const values = new Set<number>();
  for (const part of text.split(',')) {
    const [, range = '', step = '1'] = /^([^/]+)(?:\/(\d+))?$/.exec(part) ?? [];
    const [from = Number.NaN, to = from, ...more] = range === '*' ? [min, max] : range.split('-').map(value);
    if (!(from >= min && to <= max && from <= to) || more.length > 0 || Number(step) === 0) return undefined;
    for (let each = from; each <= to; each += Number(step)) values.add(each);
  }
  return values;
}
