/** Pages of lists: `offset` numbers the page, as the links and every client understand it. Mirrors `son-gtkapi`'s paging. */
import { Refusal } from './answer.ts';

/** As given, however large: the links repeat it. */
interface Paging {
  /** Number of the page, from 0. */
  readonly offset: bigint;
  readonly limit: bigint;
}

const DEFAULT_OFFSET = '0';
const DEFAULT_LIMIT = '10';

/** What the documentation says is the most, and the server never asks. */
const DOCUMENTED_MOST = 100n;

/** @throws Refusal 400 */
function parsePaging(query: ReadonlyMap<string, string>, capped: boolean): Paging {
  const offset = toInteger(query.get('offset') ?? DEFAULT_OFFSET);
  const limit = toInteger(query.get('limit') ?? DEFAULT_LIMIT);
  if (offset < 0n) throw new Refusal(400, 'offset must not be negative');
  if (limit < 1n) throw new Refusal(400, 'limit must be 1 or more');
  if (capped && limit > DOCUMENTED_MOST) throw new Refusal(400, `limit must be ${DOCUMENTED_MOST} or less`);
  return { offset, limit };
}

/** As Ruby's to_i: the number that the text begins with, which single underscores may divide, else 0. */
const toInteger = (text: string): bigint => BigInt(/^\s*([+-]?\d+(?:_\d+)*)/.exec(text)?.[1]?.replaceAll('_', '') ?? 0);

/** What a list was asked for with. */
export interface Listing {
  readonly query: ReadonlyMap<string, string>;
  readonly paging: Paging;
  /** The headers of an answer. @param count what is said of the total, if not the total itself */
  headers(total: number, count?: number): Readonly<Record<string, string>>;
}

/** @param url as requested; @param capped whether pages have a greatest length. @throws Refusal 400 */
export function listingOf(url: string, capped: boolean): Listing {
  const at = url.indexOf('?');
  const [whole, search] = at < 0 ? [url, ''] : [url.slice(0, at), url.slice(at)];
  const query = new Map(new URLSearchParams(search));
  const paging = parsePaging(query, capped);
  return {
    query,
    paging,
    headers: (total, count = total) => ({ Link: linkHeader(whole, paging, total), 'Record-Count': `${count}` }),
  };
}

export function pageOf<T>(all: readonly T[], { offset, limit }: Paging): readonly T[] {
  const from = offset * limit;
  return from >= BigInt(all.length) ? [] : all.slice(Number(from), Number(from + limit));
}

/** The Link header of a page. @param url without a query string; filters are not repeated in the links */
function linkHeader(url: string, { offset, limit }: Paging, total: number): string {
  const t = BigInt(total);
  const last = t === 0n ? 0n : (t - 1n) / limit;
  const targets: (readonly [rel: string, offset: bigint])[] = [
    ...(offset > 0n && t > limit ? [['prev', offset - 1n] as const] : []),
    ...((offset + 1n) * limit < t ? [['next', offset + 1n] as const] : []),
    ['first', 0n],
    ['last', last],
  ];
  return targets.map(([rel, to]) => `<${url}?offset=${to}&limit=${limit}>; rel="${rel}"`).join(',');
}
