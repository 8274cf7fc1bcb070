/**
 * What a Gatekeeper is asked at each level: lists, single elements, measurements and streams at all of them; to log out,
 * which ends every session of a user, only where something may be changed. Nothing else is changed at any.
 */
import fc from 'fast-check';
import type { Scenario, Step } from '../scenario.ts';
import { WATCHES, type Watch } from '../watching/looks.ts';
import type { Level } from './levels.ts';
import { atLeast } from './levels.ts';

interface Wanted {
  readonly level: Level;
  readonly profile: NonNullable<Scenario['profile']>;
  /** How many functions the catalogue has. */
  readonly functions: number;
  /** Whether some function runs there, and is measured. */
  readonly isMeasured: boolean;
  /** Whether there is an exposition for Prometheus beside it. */
  readonly isExposed: boolean;
  /** Whether there is a second user. */
  readonly others: boolean;
}

const expecting = (status: number) => ({ expect: { status } });
const page = (id: string, offset: string, limit: string): Step => ({
  ...{ id, op: 'functions.list', given: { offset, limit, fields: 'uuid' } },
  ...expecting(200),
});

const LISTS: readonly Step[] = [
  { id: 'list', op: 'functions.list', ...expecting(200) },
  { id: 'no-token', op: 'functions.list', auth: 'none', ...expecting(401) },
  { id: 'no-bearer', op: 'functions.list', auth: 'scheme', ...expecting(400) },
  { id: 'dead-token', op: 'functions.list', auth: 'wrong', ...expecting(401) },
  page('page', '0', '1'),
  page('second-page', '1', '1'),
  page('by-two', '0', '2'),
  page('second-by-two', '1', '2'),
  page('past-the-end', '1000000', '5'),
  { id: 'below-zero', op: 'functions.list', given: { offset: '-1' } },
  { id: 'of-none', op: 'functions.list', given: { limit: '0' } },
  { id: 'no-number', op: 'functions.list', given: { offset: 'x', limit: '2', fields: 'uuid' } },
  { id: 'fields', op: 'functions.list', given: { fields: 'uuid,vnfd,name' }, ...expecting(200) },
  { id: 'filter', op: 'functions.list', given: { vendor: 'no.such.vendor' }, ...expecting(200) },
  { id: 'function', op: 'functions.get', ...expecting(200) },
  { id: 'second-function', op: 'functions.get', nth: 1, ...expecting(200) },
  { id: 'no-such-function', op: 'functions.get', uuid: 'none', ...expecting(404) },
  { id: 'no-uuid', op: 'functions.get', uuid: 'malformed', ...expecting(404) },
  { id: 'names', op: 'metrics.names', ...expecting(200) },
  { id: 'services', op: 'functions.list', of: 'services', ...expecting(200) },
  { id: 'service-records', op: 'functions.list', of: 'records/services', ...expecting(200) },
  { id: 'records', op: 'functions.list', of: 'records/functions', ...expecting(200) },
  {
    ...{ id: 'public-key', op: 'request', method: 'GET', path: '/api/v2/micro-services/public-key', auth: 'none' },
    ...expecting(200),
  },
  { id: 'no-path', op: 'request', method: 'GET', path: '/api/v2/no-such-path', auth: 'none', ...expecting(404) },
  // The same as before: what has changed meanwhile was changed by somebody else.
  page('page-again', '0', '1'),
  { id: 'list-again', op: 'functions.list', ...expecting(200) },
];

const CPU = 'vm_cpu_perc';
/** Both ends on a multiple of it: what is asked within as long stands on one grid. */
const ALIGN_MS = 300_000;

const history = (id: string, sinceAgoMs: number, untilAgoMs: number, stepMs: number): Step => ({
  ...{ id, op: 'metrics.asynch', metrics: [CPU], sinceAgoMs, untilAgoMs, stepMs, alignMs: ALIGN_MS },
  ...expecting(200),
});
const RECENT = { sinceAgoMs: 140_000, untilAgoMs: 60_000, stepMs: 14_000 } as const;

const HISTORY: readonly Step[] = [
  history('whole', 600_000, 0, 15_000),
  history('first-part', 600_000, 300_000, 15_000),
  history('second-part', 300_000, 0, 15_000),
  history('further-away', 600_000, 0, 45_000),
  { id: 'two', op: 'metrics.asynch', metrics: [CPU, 'vm_mem_perc'], ...RECENT, ...expecting(200) },
  { id: 'in-the-path', op: 'metrics.asynch', metrics: [CPU], ...RECENT, form: '/', ...expecting(200) },
  { id: 'no-step', op: 'metrics.asynch', metrics: [CPU], ...RECENT, given: { step: '' }, ...expecting(400) },
  { id: 'no-metrics', op: 'metrics.asynch', metrics: [], ...RECENT, ...expecting(400) },
  { id: 'history-without-a-token', op: 'metrics.asynch', metrics: [CPU], ...RECENT, auth: 'none', ...expecting(401) },
  { id: 'live-without-metrics', op: 'metrics.synch', metrics: [], ...RECENT, ...expecting(400) },
];

/** A probe pushes every three seconds, and what was pushed half a minute ago has been scraped. */
const [LISTENED_FRAMES, LISTENED_MS] = [10, 40_000];

const live = (id: string, bind: string): Step => ({
  ...{ id, op: 'metrics.synch', metrics: [CPU], ...RECENT, bind },
  ...expecting(200),
});

const streams = ({ isExposed }: Wanted): Step[] => [
  live('live', 'first'),
  { id: 'open', op: 'ws.open', ref: 'first' },
  { id: 'read', op: 'ws.read', ref: 'first', frames: LISTENED_FRAMES, withinMs: LISTENED_MS },
  ...(isExposed ? [{ id: 'scrape', op: 'prometheus.scrape', ...expecting(200) } as const] : []),
  {
    ...{ id: 'meanwhile', op: 'metrics.asynch', metrics: [CPU] },
    ...{ sinceAgoMs: 60_000, untilAgoMs: 0, stepMs: 3_000, alignMs: 15_000 },
    ...expecting(200),
  },
  {
    ...{ id: 'each-second', op: 'metrics.asynch', metrics: [CPU] },
    ...{ sinceAgoMs: 30_000, untilAgoMs: 0, stepMs: 1_000 },
    ...expecting(200),
  },
  { id: 'speak', op: 'ws.send', ref: 'first', text: 'hello' },
  { id: 'listen-on', op: 'ws.read', ref: 'first', frames: 2, withinMs: 10_000 },
  { id: 'hang-up', op: 'ws.close', ref: 'first' },
  { id: 'again', op: 'ws.open', ref: 'first' },
  { id: 'stranger', op: 'ws.open', ref: 'none' },
  live('second-live', 'second'),
  { id: 'one', op: 'ws.open', ref: 'second' },
  { id: 'another', op: 'ws.open', ref: 'second' },
  { id: 'both', op: 'ws.read', ref: 'second', frames: 3, withinMs: 12_000 },
  { id: 'both-over', op: 'ws.close', ref: 'second' },
];

/** Who is let in, and who is not. */
const LET_IN: readonly Step[] = [
  { id: 'wrong', op: 'login', auth: 'wrong', ...expecting(401) },
  { id: 'nobody', op: 'login', auth: 'none', ...expecting(400) },
  { id: 'no-password', op: 'login', password: '', ...expecting(400) },
  { id: 'in', op: 'login', ...expecting(200) },
  { id: 'let-in', op: 'functions.list', given: { fields: 'uuid' }, ...expecting(200) },
  { id: 'out-without-a-token', op: 'logout', auth: 'none', ...expecting(401) },
  { id: 'out-with-a-dead-one', op: 'logout', auth: 'wrong', ...expecting(401) },
  { id: 'still-let-in', op: 'functions.list', given: { fields: 'uuid' }, ...expecting(200) },
];

const LEAVING: readonly Step[] = [
  { id: 'out', op: 'logout', ...expecting(204) },
  { id: 'not-let-in', op: 'functions.list', ...expecting(401) },
  { id: 'out-twice', op: 'logout', ...expecting(401) },
  { id: 'in-again', op: 'login', ...expecting(200) },
  { id: 'let-in-again', op: 'functions.list', given: { fields: 'uuid' }, ...expecting(200) },
];

const LEAVING_OF_ANOTHER: readonly Step[] = [
  { id: 'other-in', op: 'login', as: 'other', ...expecting(200) },
  { id: 'other-out', op: 'logout', as: 'other', ...expecting(204) },
  { id: 'other-not-let-in', op: 'functions.list', as: 'other', ...expecting(401) },
  { id: 'not-touched', op: 'functions.list', given: { fields: 'uuid' }, ...expecting(200) },
];

const sessions = ({ level, others }: Wanted): Step[] => [
  ...LET_IN,
  ...(atLeast(level, 'crud') ? [...(others ? LEAVING_OF_ANOTHER : []), ...LEAVING] : []),
];

/** So many looks of all kinds in a scenario that the seed chooses. */
const LOOKS = 4;
/** What is not of the Gatekeeper: its neighbours, and what only an exposition could tell. */
const { elsewhere: _, instants: __, ...CHOSEN } = WATCHES;

/** Those that stand for themselves, and so many that the seed chooses. */
export function looking(wanted: Wanted, seed: number, runs: number): Scenario[] {
  const { profile, isMeasured, functions } = wanted;
  const scenario = (name: string, steps: readonly Step[]): Scenario => ({ v: 1, name, profile, steps });
  const looks = fc.array(fc.tuple(fc.oneof(...Object.values(CHOSEN)), fc.nat(1_000)), {
    ...{ minLength: LOOKS, maxLength: LOOKS, size: 'max' as const },
  });
  return [
    scenario('lists', LISTS),
    scenario('sessions', sessions(wanted)),
    ...(isMeasured ? [scenario('history', HISTORY), scenario('streams', streams(wanted))] : []),
    ...fc.sample(looks, { seed, numRuns: runs }).map((some, n) =>
      scenario(
        `looks ${n + 1}`,
        stepsOf(some, functions).filter((step) => isFor(wanted, step)),
      ),
    ),
  ].filter(({ steps }) => steps.length > 0);
}

const stepsOf = (looks: readonly (readonly [Watch, number])[], functions: number): Step[] =>
  looks.flatMap(([watch, n], index) =>
    watch({ runtimes: [], n, functions, own: `w${index + 1}` }).map(
      (draft, part) => ({ id: `v${index + 1}-${part + 1}`, ...draft }) as Step,
    ),
  );

/** Whether a step can be taken there, and may be. */
function isFor({ level, isMeasured, isExposed, others }: Wanted, step: Step): boolean {
  const { op } = step;
  if ('as' in step && step.as === 'other' && !others) return false;
  // Time is not ours.
  if (op === 'advance') return false;
  if (op === 'logout') return atLeast(level, 'crud');
  if (op === 'prometheus.scrape') return isExposed;
  if (op.startsWith('prometheus.')) return false;
  return isMeasured || !/^(metrics\.a?synch|ws\.)/.test(op);
}
