/** An entry of the journal as this API shows it, and which entries a client asks for. */
import type { Entry, Journal } from '../../kernel/journal.ts';
import { fits } from '../../kernel/pattern.ts';
import { BadRequest, count, object, shortened, time } from './request.ts';

/** An {@link Entry} with its time in ISO 8601. */
export interface EntryAnswer extends Omit<Entry, 'at'> {
  readonly at: string;
}

export const entryAnswer = (entry: Entry): EntryAnswer => ({ ...entry, at: time(entry.at) });

/** Which entries are meant: every part that is given must fit, `*` in a text stands for anything. */
export interface EntryFilter {
  readonly kind?: string;
  readonly subject?: string;
  /** An entry that led to it, directly or not. */
  readonly because?: number;
  /** By key of the entry's detail. */
  readonly detail?: Readonly<Record<string, string>>;
}

const FILTER_PARTS = ['kind', 'subject', 'because', 'detail'] as const;

export function selects(filter: EntryFilter, entry: Entry, journal: Journal): boolean {
  const { kind, subject, because, detail } = filter;
  if (kind !== undefined && !fits(kind, entry.kind)) return false;
  if (subject !== undefined && !fits(subject, entry.subject)) return false;
  for (const key in detail) {
    const isThere = Object.hasOwn(entry.detail, key);
    if (!isThere || !fits(detail[key] ?? '', String(entry.detail[key]))) return false;
  }
  return because === undefined || journal.why(entry.cause).some(({ seq }) => seq === because);
}

const DETAIL = 'detail.';

/** Reads a filter from a query string, where a detail is `detail.KEY=pattern`. `others` may stand beside it. */
export function filterOfQuery(query: Readonly<Record<string, string>>, others: readonly string[]): EntryFilter {
  const known = [...FILTER_PARTS.slice(0, -1), ...others];
  const isDetail = ([key]: readonly [string, string]): boolean => key.startsWith(DETAIL);
  const given = Object.entries(query);
  const detail = Object.fromEntries(given.filter(isDetail).map(([key, value]) => [key.slice(DETAIL.length), value]));
  const rest = Object.fromEntries(given.filter((each) => !isDetail(each)));
  const { kind, subject, because } = object(rest, 'The query', known, []) as Record<string, string | undefined>;
  return {
    ...(kind === undefined ? {} : { kind }),
    ...(subject === undefined ? {} : { subject }),
    ...(because === undefined ? {} : { because: count(because, 'because', 1, Number.MAX_SAFE_INTEGER, 0) }),
    ...(Object.keys(detail).length === 0 ? {} : { detail }),
  };
}

/** Reads a filter from a body, in which it stands under `where`. */
export function filterOfBody(body: unknown, where: string): EntryFilter {
  const { kind, subject, because, detail } = object(body, where, FILTER_PARTS, []);
  for (const [name, value] of Object.entries({ kind, subject })) {
    if (value !== undefined && typeof value !== 'string') throw new BadRequest(`${where}.${name} must be a text`);
  }
  if (because !== undefined && !(Number.isSafeInteger(because) && (because as number) >= 1)) {
    throw new BadRequest(`${where}.because must be the number of an entry`);
  }
  const texts = Object.entries(detail === undefined ? {} : object(detail, `${where}.detail`, undefined, []));
  for (const [key, value] of texts) {
    if (typeof value === 'object' && value !== null) {
      throw new BadRequest(`${where}.detail.${shortened(key)} must be a text, a number, true, false or null`);
    }
  }
  return {
    ...(kind === undefined ? {} : { kind: kind as string }),
    ...(subject === undefined ? {} : { subject: subject as string }),
    ...(because === undefined ? {} : { because: because as number }),
    ...(texts.length === 0 ? {} : { detail: Object.fromEntries(texts.map(([key, value]) => [key, String(value)])) }),
  };
}
