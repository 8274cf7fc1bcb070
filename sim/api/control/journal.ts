/** `/_onesim/journal`: what happened, filtered, counted, waited for, followed as server-sent events, exported as NDJSON. */
import { type Context, Hono } from 'hono';
import { turnOfTheHost } from '../../kernel/clock.ts';
import type { Entry, Journal } from '../../kernel/journal.ts';
import type { Controlled } from './controlled.ts';
import { entryAnswer, filterOfQuery, selects } from './entry.ts';
import { count } from './request.ts';

const MOST_ENTRIES = 10_000;
/** How long a wait may take, in milliseconds of the host: less than most clients and proxies give up after. */
const LONGEST_WAIT_MS = 600_000;
const USUAL_WAIT_MS = 30_000;

export function journalRoutes(world: Pick<Controlled, 'journal' | 'pace'>): Hono {
  const { journal, pace } = world;
  return new Hono()
    .get('/journal', (c) => {
      const { after, meant } = asked(c, journal, ['limit']);
      const limit = count(c.req.query('limit'), 'limit', 1, MOST_ENTRIES, 100);
      const { entries, next } = page(journal, after, limit, meant);
      return c.json({ entries: entries.map(entryAnswer), next });
    })
    .get('/journal/count', (c) => {
      const { after, meant } = asked(c, journal, []);
      let counted = 0;
      for (const entry of journal.since(after)) if (meant(entry)) counted++;
      return c.json({ count: counted });
    })
    .get('/journal/wait', async (c) => {
      const { after, meant } = asked(c, journal, ['count', 'timeoutMs']);
      const wanted = count(c.req.query('count'), 'count', 1, MOST_ENTRIES, 1);
      const timeoutMs = count(c.req.query('timeoutMs'), 'timeoutMs', 0, LONGEST_WAIT_MS, USUAL_WAIT_MS);
      const giveUp = new AbortController();
      const cancel = timeoutMs === 0 ? giveUp.abort() : pace.hostAfter(timeoutMs, () => giveUp.abort());
      const signal = AbortSignal.any([giveUp.signal, c.req.raw.signal]);
      const { entries, next } = await waited(journal, after, wanted, meant, signal).finally(() => cancel?.());
      return c.json({ reached: entries.length >= wanted, entries: entries.map(entryAnswer), next });
    })
    .get('/journal/export', (c) => {
      const { after, meant } = asked(c, journal, []);
      // Up to here: an export that is read slowly is not to follow the journal for ever.
      const last = journal.length;
      const text = lines(journal, after, last, meant);
      return c.body(streamOf(text), 200, { 'Content-Type': 'application/x-ndjson' });
    })
    .get('/journal/events', (c) => {
      const { after, meant } = asked(c, journal, ['limit']);
      const seen = c.req.header('Last-Event-ID');
      const last = count(seen, 'Last-Event-ID', 0, Number.MAX_SAFE_INTEGER, after);
      // Whoever has seen more than there is saw another world, which this one has replaced.
      const start = seen !== undefined && last > journal.length ? 0 : last;
      const limit = count(c.req.query('limit'), 'limit', 1, Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY);
      return c.body(followed(world, start, limit, meant), 200, {
        'Content-Type': 'text/event-stream',
        'Cache-Control': 'no-store',
      });
    });
}

/** Which entries a request asks for. `after=now` means the present end of the journal. */
function asked(c: Context, journal: Journal, others: readonly string[]) {
  const filter = filterOfQuery(c.req.query(), ['after', ...others]);
  const after = c.req.query('after');
  return {
    after: after === 'now' ? journal.length : count(after, 'after', 0, Number.MAX_SAFE_INTEGER, 0),
    meant: (entry: Entry): boolean => selects(filter, entry, journal),
  };
}

/** The first `limit` of what is meant, and what to ask for next. */
function page(journal: Journal, after: number, limit: number, meant: (entry: Entry) => boolean) {
  const entries: Entry[] = [];
  let next = after;
  for (const entry of journal.since(after)) {
    next = entry.seq;
    if (meant(entry)) entries.push(entry);
    if (entries.length === limit) break;
  }
  return { entries, next };
}

/** As {@link page}; when that is not full, with what is written until `signal` says that nobody waits any more. */
async function waited(
  journal: Journal,
  after: number,
  wanted: number,
  meant: (entry: Entry) => boolean,
  signal: AbortSignal,
): Promise<ReturnType<typeof page>> {
  const { entries, next } = page(journal, after, wanted, meant);
  let from = next;
  while (entries.length < wanted && !signal.aborted) {
    await nextEntry(journal, signal);
    // What is written in one turn is looked at together: entry by entry, a thousand who wait would leave no time for others.
    await turnOfTheHost();
    if (journal.over !== undefined) throw journal.over;
    const more = page(journal, from, wanted - entries.length, meant);
    entries.push(...more.entries);
    from = more.next;
  }
  return { entries, next: from };
}

function nextEntry(journal: Journal, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      forget();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const forget = journal.onNext(done);
    signal.addEventListener('abort', done);
  });
}

/** What comes is asked for as it is read. `ReadableStream.from` does the same, from Node 20.6 on. */
const streamOf = (chunks: Iterator<Uint8Array>): ReadableStream<Uint8Array> =>
  new ReadableStream({
    pull(controller) {
      const { done, value } = chunks.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
  });

/** Entries a chunk: an export of any length takes little memory. */
const CHUNK = 1000;

function* lines(
  journal: Journal,
  after: number,
  last: number,
  meant: (entry: Entry) => boolean,
): Generator<Uint8Array> {
  const encoder = new TextEncoder();
  for (let from = after; from < last; ) {
    const { entries, next } = page(journal, from, CHUNK, (entry) => entry.seq <= last && meant(entry));
    if (entries.length > 0) {
      yield encoder.encode(entries.map((entry) => `${JSON.stringify(entryAnswer(entry))}\n`).join(''));
    }
    if (next === from) return;
    from = next;
  }
}

/** After so much of the host's time without an entry a follower is sent a comment, so that nobody takes its connection for dead. */
const QUIET_MS = 15_000;

/**
 * Entries as server-sent events, those to come included, until their world is replaced. Nothing is kept for a client that
 * reads slowly: it is sent what the ring still holds, and an event `lost` with the number of what it has missed.
 */
function followed(
  { journal, pace }: Pick<Controlled, 'journal' | 'pace'>,
  after: number,
  limit: number,
  meant: (entry: Entry) => boolean,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let from = after;
  let left = limit;
  let forget: (() => void) | undefined;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      while (true) {
        const oldest = journal.oldest;
        const lost = from > 0 ? Math.max(0, oldest - 1 - from) : 0;
        const { entries, next } = page(journal, from, Math.min(left, CHUNK), meant);
        from = next;
        if (entries.length > 0 || lost > 0) {
          left -= entries.length;
          controller.enqueue(
            encoder.encode((lost > 0 ? event('lost', oldest - 1, { lost }) : '') + entries.map(sent).join('')),
          );
          if (left <= 0) controller.close();
          return;
        }
        if (journal.over !== undefined) {
          controller.close();
          return;
        }
        const isQuiet = await new Promise<boolean>((resolve) => {
          const unheard = journal.onNext(() => resolve(false));
          const unmoved = pace.hostAfter(QUIET_MS, () => resolve(true));
          forget = () => {
            unheard();
            unmoved();
          };
        });
        forget?.();
        // As above.
        await turnOfTheHost();
        if (isQuiet) {
          controller.enqueue(encoder.encode(':\n\n'));
          return;
        }
      }
    },
    cancel: () => forget?.(),
  });
}

const event = (name: string, id: number, data: object): string =>
  `event: ${name}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`;

const sent = (entry: Entry): string => event(entry.kind, entry.seq, entryAnswer(entry));
