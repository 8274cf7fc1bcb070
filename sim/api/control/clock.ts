/** `/_onesim/clock`: what time it is, and every way to move it. */
import { Hono } from 'hono';
import { type Moved, NotReached } from '../../kernel/clock.ts';
import { suggestion } from '../../kernel/nearest.ts';
import type { Controlled } from './controlled.ts';
import { type EntryAnswer, type EntryFilter, entryAnswer, filterOfBody, selects } from './entry.ts';
import { BadRequest, type Bounds, Conflict, jsonOf, LAST_INSTANT, number, object, shortened, time } from './request.ts';

/** The clock, and what a move of it did. */
export interface ClockAnswer {
  readonly now: string;
  /** Simulated seconds a second; 0 when frozen. */
  readonly factor: number;
  /** Number of events that fired. */
  readonly fired: number;
  /** What was journalled meanwhile: the first {@link MOST_EVENTS} of it. The journal has the rest, after the last of these. */
  readonly events: readonly EntryAnswer[];
  readonly nextDue: string | null;
  /** Requests that wait for time to pass. */
  readonly waiters: readonly { readonly what: string; readonly due: string }[];
}

/** How many journal entries an answer holds. */
const MOST_EVENTS = 100;

/** What runUntil may take, when it is not told. */
const DAY_MS = 86_400_000;

export function clockRoutes(world: Controlled): Hono {
  return new Hono()
    .get('/clock', (c) => c.json(clockAnswer(world)))
    .post('/clock', async (c) => {
      const body = await jsonOf(c.req.raw, world.maxBodyBytes);
      const before = world.journal.length;
      const { signal } = c.req.raw;
      const moved = await move(world, body, () => signal.aborted).catch((error: unknown) => {
        if (!(error instanceof NotReached)) throw error;
        throw new Conflict(`${sentence(error.message)}${waitedFor(world.clock.waiters)}`);
      });
      return c.json(clockAnswer(world, { moved, before }));
    });
}

const events: Bounds = { least: 1, most: 1_000_000_000, whole: true };
const span: Bounds = { least: 0, most: LAST_INSTANT, whole: false };

/** What a request says beside the action. */
interface Said {
  readonly numbers: Readonly<Record<string, number>>;
  readonly entry: EntryFilter;
  /** Whether who asked has hung up: then time goes no further. */
  readonly isGone: () => boolean;
}

interface Move {
  readonly numbers: Readonly<Record<string, Bounds>>;
  readonly needs?: string;
  readonly run: (world: Controlled, said: Said) => Promise<Moved | undefined>;
}

/** What a client may do to the clock. */
const MOVES: Readonly<Record<string, Move>> = {
  freeze: { numbers: {}, run: async ({ pace }) => void pace.set(0) },
  resume: { numbers: {}, run: async ({ pace }) => void pace.set(pace.factor || 1) },
  scale: {
    numbers: { factor: { least: 0.001, most: 1_000_000, whole: false } },
    needs: 'factor',
    run: async ({ pace }, { numbers: { factor = 1 } }) => void pace.set(factor),
  },
  advance: {
    numbers: { ms: span },
    needs: 'ms',
    run: async ({ clock }, { numbers: { ms = 0 }, isGone }) => {
      if (clock.now + ms > LAST_INSTANT) throw new BadRequest(`ms must not lead beyond ${time(LAST_INSTANT)}`);
      return clock.advance(Math.round(ms), isGone);
    },
  },
  step: { numbers: { n: events }, run: ({ clock }, { numbers: { n = 1 }, isGone }) => clock.step(n, isGone) },
  runUntilIdle: {
    numbers: { maxEvents: events },
    run: ({ clock }, { numbers: { maxEvents }, isGone }) => clock.runUntilIdle(maxEvents, isGone),
  },
  runUntil: { numbers: { maxMs: span, maxEvents: events }, needs: 'entry', run: runUntil },
};

/** Fires event by event until one is journalled that is meant. */
async function runUntil({ clock, journal }: Controlled, { numbers, entry, isGone }: Said): Promise<Moved> {
  const { maxMs = DAY_MS, maxEvents = 1_000_000 } = numbers;
  let seen = journal.length;
  const happened = (): boolean => {
    if (isGone()) return true;
    const fresh = [...journal.since(seen)];
    seen = journal.length;
    return fresh.some((each) => selects(entry, each, journal));
  };
  return clock.runUntil(happened, { maxMs, maxEvents });
}

const sentence = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);

/** Who waits for what, when nothing comes. */
function waitedFor(waiters: Controlled['clock']['waiters']): string {
  if (waiters.length === 0) return '';
  return `; waiting: ${waiters.map(({ what, due }) => `${what} until ${time(due)}`).join(', ')}`;
}

async function move(world: Controlled, body: unknown, isGone: () => boolean): Promise<Moved | undefined> {
  const { action } = object(body, 'The body', undefined, ['action']);
  if (typeof action !== 'string') throw new BadRequest('action must be a text');
  const chosen = Object.hasOwn(MOVES, action) ? MOVES[action] : undefined;
  if (chosen === undefined) {
    throw new BadRequest(`Unknown action "${shortened(action)}"${suggestion(action, Object.keys(MOVES))}`);
  }
  const { needs, numbers, run } = chosen;
  const others = needs === 'entry' ? ['action', 'entry'] : ['action'];
  const given = object(body, 'The body', [...others, ...Object.keys(numbers)], needs === undefined ? [] : [needs]);
  const values: Record<string, number> = {};
  for (const [name, bounds] of Object.entries(numbers)) {
    const value = given[name];
    if (value !== undefined) values[name] = number(value, name, bounds);
  }
  const filter = needs === 'entry' ? filterOfBody(given.entry, 'entry') : {};
  return run(world, { numbers: values, entry: filter, isGone });
}

/** @param done what was moved, and the last entry of the journal before */
function clockAnswer(
  { clock, pace, journal }: Controlled,
  done?: { readonly moved: Moved | undefined; readonly before: number },
): ClockAnswer {
  const answered: EntryAnswer[] = [];
  if (done !== undefined) {
    for (const entry of journal.since(done.before)) {
      answered.push(entryAnswer(entry));
      if (answered.length === MOST_EVENTS) break;
    }
  }
  return {
    now: time(clock.now),
    factor: pace.factor,
    fired: done?.moved?.fired ?? 0,
    events: answered,
    nextDue: clock.nextDue === null ? null : time(clock.nextDue),
    waiters: clock.waiters.map(({ what, due }) => ({ what, due: time(due) })),
  };
}
