/** The laws of lists that come in pages. */
import { legible } from '../answers.ts';
import { type Law, shownBy } from '../law.ts';
import type { Answered, Story } from '../story.ts';

/** A list that was asked for, page by page. */
interface Page {
  readonly exchange: Answered;
  /** Equal for pages of one list. */
  readonly list: string;
  readonly offset: number;
  readonly limit: number;
  /** What is said of the total. */
  readonly total: number;
  /** What is on it; undefined for elements without one. */
  readonly uuids: readonly (string | undefined)[];
  /** Whether it is of a search for newest versions, of which the total is not told. */
  readonly isOfNewest: boolean;
}

const DEFAULTS = { offset: '0', limit: '10' } as const;

/** What the documentation says is the longest page. */
const DOCUMENTED_MOST = 100;

/** As Ruby's to_i: the number that a text begins with, else 0. */
const integerIn = (text: string): number => Number(/^\s*([+-]?\d+)/.exec(text)?.[1] ?? 0);

function pagingOf({ request }: Answered): {
  readonly path: string;
  readonly query: URLSearchParams;
  offset: number;
  limit: number;
} {
  const [path = '', ...search] = request.path.split('?');
  const query = new URLSearchParams(search.join('?'));
  const asked = (name: keyof typeof DEFAULTS): number => integerIn(query.get(name) ?? DEFAULTS[name]);
  return { path, query, offset: asked('offset'), limit: asked('limit') };
}

/** Records of a kind that there is not are no list. */
const lists = (story: Story): readonly Answered[] =>
  story.answered.filter(({ op, request }) => op === 'functions.list' && !request.path.includes('/records/others'));

/** Those that were answered; none when the catalogue has been changed meanwhile. */
function pagesOf(story: Story): readonly Page[] {
  const asked = lists(story);
  if (asked.length === 0 || story.exchanges.some(changesCatalogue)) return [];
  if (!story.omniscient && hasChangedUnderUs(asked)) return [];
  return asked.flatMap((exchange) => {
    const { response } = exchange;
    if (response.status !== 200) return [];
    const { path, query, offset, limit } = pagingOf(exchange);
    const filters = [...query].filter(([name]) => !['offset', 'limit', 'fields'].includes(name)).sort();
    const total = Number(headerOf(exchange, 'record-count') ?? Number.NaN);
    const uuids = legible(() => uuidsIn(response.body));
    if (uuids === undefined) return [];
    const isOfNewest = query.get('version') === 'last';
    return [{ exchange, list: `${path} ${JSON.stringify(filters)}`, offset, limit, total, uuids, isOfNewest }];
  });
}

const uuidsIn = (body: string): (string | undefined)[] =>
  (JSON.parse(body) as readonly { readonly uuid?: string }[]).map(({ uuid }) => uuid);

/** Whether one page was answered in two ways: somebody else has changed the catalogue of a server meanwhile. */
function hasChangedUnderUs(asked: readonly Answered[]): boolean {
  const pages = new Map<string, string>();
  return asked.some((exchange) => {
    const { request, response, auth } = exchange;
    if (auth !== 'good' || response.status !== 200) return false;
    const seen = `${headerOf(exchange, 'record-count')} ${response.body}`;
    const before = pages.get(request.path) ?? seen;
    pages.set(request.path, before);
    return before !== seen;
  });
}

const changesCatalogue = ({ request }: Story['exchanges'][number]): boolean =>
  request.method !== 'GET' && /\/(packages|requests)\b/.test(request.path);

const headerOf = ({ response }: Answered, wanted: string): string | undefined =>
  response.headers.find(([name]) => name.toLowerCase() === wanted)?.[1];

interface Link {
  readonly rel: string;
  readonly offset: number;
}

/** The links that a page has to have, in their order. */
function linksOf({ offset, limit, total }: Page): readonly Link[] {
  return [
    ...(offset > 0 && total > limit ? [{ rel: 'prev', offset: offset - 1 }] : []),
    ...((offset + 1) * limit < total ? [{ rel: 'next', offset: offset + 1 }] : []),
    { rel: 'first', offset: 0 },
    { rel: 'last', offset: Math.max(0, Math.floor((total - 1) / limit)) },
  ];
}

const isWhole = (n: number): boolean => Number.isSafeInteger(n);

export const PAGES: readonly Law[] = [
  {
    id: 'P1',
    sentence: 'The pages of a list have each of its elements once, in the same order, and are as long as they can be.',
    reason: 'Who reads page after page must have read it all.',
    judge(story, check) {
      /** By list: what stands where, and where each element stands. */
      const placed = new Map<string, { readonly at: Map<number, string>; readonly of: Map<string, number> }>();
      for (const page of pagesOf(story)) {
        const { exchange, list, offset, limit, total, uuids, isOfNewest } = page;
        const from = offset * limit;
        if (!isWhole(from)) continue;
        const length = Math.max(0, Math.min(limit, total - from));
        if (!isOfNewest) {
          check(uuids.length === length, () =>
            shownBy(exchange, {
              subject: exchange.request.path,
              expected: `${length} elements`,
              seen: `${uuids.length}`,
              edge: 'length',
            }),
          );
        }
        const { at, of } = placed.get(list) ?? { at: new Map<number, string>(), of: new Map<string, number>() };
        placed.set(list, { at, of });
        for (const [n, uuid] of uuids.entries()) {
          if (uuid === undefined) continue;
          const [other = uuid, place = from + n] = [at.get(from + n), of.get(uuid)];
          at.set(from + n, other);
          of.set(uuid, place);
          check(other === uuid && place === from + n, () =>
            shownBy(exchange, {
              subject: `element ${from + n} of ${list}`,
              expected: other === uuid ? `${uuid} only at ${place}` : other,
              seen: uuid,
              edge: 'order',
            }),
          );
        }
      }
    },
  },
  {
    id: 'P2',
    sentence: 'Record-Count is the length of the whole list, the same on each of its pages.',
    reason: 'It is how a client knows how far it has to read.',
    judge(story, check) {
      const totals = new Map<string, number>();
      for (const { exchange, list, offset, limit, total, uuids, isOfNewest } of pagesOf(story)) {
        if (isOfNewest) continue;
        const from = offset * limit;
        const known = totals.get(list) ?? total;
        totals.set(list, known);
        const reaches = uuids.length > 0 ? total >= from + uuids.length : total <= from || !isWhole(from);
        const isLast = uuids.length === 0 || uuids.length >= limit || total === from + uuids.length;
        check(known === total && reaches && isLast, () =>
          shownBy(exchange, {
            subject: exchange.request.path,
            expected: known === total ? `a total that ${uuids.length} elements from ${from} on fit` : `${known}`,
            seen: `${total}`,
          }),
        );
      }
    },
  },
  {
    id: 'P3',
    sentence:
      'The links of a page count pages: to the one before and after, where there is one, to the first and the last.',
    reason: 'Clients follow them without counting.',
    judge(story, check) {
      for (const page of pagesOf(story)) {
        const { exchange, total, isOfNewest, limit, offset } = page;
        if (isOfNewest || !isWhole(total) || !isWhole(offset) || !isWhole(limit)) continue;
        const { path } = pagingOf(exchange);
        const told = headerOf(exchange, 'link') ?? '';
        const wanted = linksOf(page)
          .map((link) => `<${path}?offset=${link.offset}&limit=${limit}>; rel="${link.rel}"`)
          .join(',');
        const seen = told.replaceAll(/<https?:\/\/[^/]+/g, '<');
        check(seen === wanted, () =>
          shownBy(exchange, { subject: exchange.request.path, expected: wanted, seen: seen || 'no link' }),
        );
      }
    },
  },
  {
    id: 'P4',
    sentence:
      'Past the end a page is empty; an offset below zero and a limit below one are refused, and what is no number counts as zero.',
    reason: 'The last turn of a client’s loop must not be an error, and a mistake must not be an endless loop.',
    judge(story, check) {
      for (const exchange of lists(story)) {
        const { response, auth } = exchange;
        // Who is not let in learns nothing of pages.
        if (auth !== 'good' || response.status === 401 || response.status === 403) continue;
        const { offset, limit } = pagingOf(exchange);
        const isLong = limit > DOCUMENTED_MOST && !story.deviations.has('limit-uncapped');
        const wanted = offset < 0 || limit < 1 || isLong ? 400 : 200;
        check(response.status === wanted, () =>
          shownBy(exchange, { subject: exchange.request.path, expected: `${wanted}`, seen: `${response.status}` }),
        );
        if (response.status !== 200) continue;
        const total = Number(headerOf(exchange, 'record-count'));
        const isPast = offset * limit >= total;
        check(!isPast || response.body === '[]', () =>
          shownBy(exchange, { subject: exchange.request.path, expected: '[]', seen: response.body.slice(0, 200) }),
        );
      }
    },
  },
];
