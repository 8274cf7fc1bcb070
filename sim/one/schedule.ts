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

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const FIELDS = [
  { min: 0, max: 59, names: [] },
  { min: 0, max: 23, names: [] },
  { min: 1, max: 31, names: [] },
  { min: 1, max: 12, names: MONTHS },
  { min: 0, max: 7, names: DAYS },
] as const;
const NICKNAMES = new Set(['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly']);

/** Minute, hour, day, month and weekday, each a list of values, ranges and steps; or a nickname. */
export function isCron(text: string): boolean {
  const expression = text.trim().toLowerCase();
  if (NICKNAMES.has(expression)) return true;
  const fields = expression.split(/\s+/);
  return fields.length === FIELDS.length && FIELDS.every((field, i) => isField(fields[i] ?? '', field));
}

function isField(text: string, { min, max, names }: (typeof FIELDS)[number]): boolean {
  const value = (word: string): number => {
    const name = (names as readonly string[]).indexOf(word.slice(0, 3));
    return name >= 0 ? name + min : /^\d+$/.test(word) ? Number(word) : Number.NaN;
  };
  return text.split(',').every((part) => {
    const [, range = '', step] = /^([^/]+)(?:\/(\d+))?$/.exec(part) ?? [];
    if (step !== undefined && Number(step) === 0) return false;
    if (range === '*') return true;
    const bounds = range.split('-').map(value);
    return bounds.length <= 2 && bounds.every((bound) => bound >= min && bound <= max);
  });
}
