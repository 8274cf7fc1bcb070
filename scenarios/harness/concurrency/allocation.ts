/**
 * What runtimes draw from together, each an object of its own: the numbers that nobody gets twice, and how many machines
 * a user may have.
 */
import { valueAt } from '../../../contracts/schema.ts';
import { runtimeIn } from '../answers.ts';
import { isMutation, type Story } from '../story.ts';
import type { Role } from '../trace.ts';
import { type Asked, type History, spanOf, whose } from './history.ts';
import type { Phase } from './operation.ts';

// ---- numbers ------------------------------------------------------------------------------------------------------

/** Numbers that are given out by counting, each by where an answer shows it. */
const COUNTERS = {
  'ids of runtimes': ['/ID'],
  'ids of services': ['/SERVICE_ID'],
  'ids of VMs': ['/FAAS/VM_ID', '/DAAS/VM_ID'],
} as const;

/** The state of a counter is the last number that it gave. */
export function idHistories(story: Story): History<number>[] {
  const made = story.answered.filter(({ op, response }) => op === 'create' && response.status === 201);
  if (made.length < 2) return [];
  const shown = made.map((exchange) => ({ exchange, runtime: runtimeIn(exchange.response.body) }));
  return Object.entries(COUNTERS).map(([subject, places]) => ({
    subject,
    thing: { initial: -1, keyOf: String },
    operations: shown.flatMap(({ exchange, runtime }) =>
      places.flatMap((place): Asked<number>[] => {
        const id = valueAt(runtime, place);
        if (typeof id !== 'number') return [];
        const name = `${exchange.step} ${place.slice(1)} ${id}`;
        const give: Phase<number> = (last) => (id > last ? [id] : `${last} was given before`);
        return [{ name, ...spanOf(exchange, true), phases: [give], exchange, lane: whose(story, exchange) }];
      }),
    ),
  }));
}

// ---- quotas -------------------------------------------------------------------------------------------------------

/** Machines that count, and how many of them are on their way out. */
export interface Booked {
  readonly used: number;
  readonly ending: number;
  /** Runtimes that were deleted: each gives back what it has once, however many delete it. */
  readonly deleted: readonly number[];
}

/** The bound that a refusal names. */
const LIMIT = /limit of (\d+) reached for VMS quota in VM/;

/** Of each user who was refused a machine. A machine that ends is counted until it has gone, and nobody sees when. */
export function quotaHistories(story: Story): History<Booked>[] {
  if (!story.omniscient) return [];
  return (['owner', 'other'] as const).flatMap((user): History<Booked>[] => {
    const creations = story.exchanges.filter(({ op, as, auth }) => op === 'create' && as === user && auth === 'good');
    const limits = new Set(creations.flatMap(({ response }) => LIMIT.exec(response?.body ?? '')?.[1] ?? []));
    const [limit] = limits;
    // Whoever changes a quota meanwhile makes it another one.
    if (limit === undefined || limits.size > 1) return [];
    const operations = story.exchanges.flatMap((exchange) => bookingOf(story, user, exchange, Number(limit)));
    const keyOf = ({ used, ending, deleted }: Booked): string => `${used} ${ending} ${deleted}`;
    return [
      { subject: `VMs of the ${user}`, thing: { initial: { used: 0, ending: 0, deleted: [] }, keyOf }, operations },
    ];
  });
}

function bookingOf(story: Story, user: Role, exchange: Story['exchanges'][number], limit: number): Asked<Booked>[] {
  const { op, id, response, step, as, auth, request } = exchange;
  if (auth !== 'good' || !isMutation(exchange)) return [];
  const counts = response !== null && !story.isTouched(exchange);
  const asked = (phases: readonly Phase<Booked>[]): Asked<Booked>[] => {
    const name = `${step} ${request.method} ${counts ? response.status : 'unanswered'}`;
    return [{ name, ...spanOf(exchange, counts), phases, exchange, lane: whose(story, exchange) }];
  };
  if (op === 'create' && as === user) {
    const count = runtimeIn(request.body ?? '')?.DAAS === undefined ? 1 : 2;
    if (counts && response.status === 201) return asked([booked(count, limit)]);
    if (counts && response.status < 500) return [];
    const isRefused = counts && LIMIT.test(response.body);
    // What fails after a machine was made takes it away again.
    return asked([maybe(spent(count - (isRefused ? 1 : 0))), ...(isRefused ? [refused(limit)] : [])]);
  }
  const runtime = op === 'delete' && id !== null ? story.runtimes.get(id) : undefined;
  if (runtime === undefined || runtime.created.as !== user) return [];
  const count = runtime.first.functions.size;
  if (counts && response.status === 204) return asked([freed(runtime.id, count)]);
  return !counts || response.status >= 500 ? asked([maybe(freed(runtime.id, count))]) : [];
}

/** All that it may be, with none to all of those gone that are on their way out. */
const since = (now: Booked): Booked[] =>
  Array.from({ length: now.ending + 1 }, (_, gone) => ({ ...now, used: now.used - gone, ending: now.ending - gone }));

const booked =
  (count: number, limit: number): Phase<Booked> =>
  (now) => {
    const free = since(now).filter(({ used }) => used + count <= limit);
    if (free.length > 0) return free.map((each) => ({ ...each, used: each.used + count }));
    return `${now.used - now.ending} of ${limit} VMs are there, and stay`;
  };

const refused =
  (limit: number): Phase<Booked> =>
  (now) => {
    const full = since(now).filter(({ used }) => used >= limit);
    return full.length > 0 ? full : `${now.used} of ${limit} VMs are there at most`;
  };

const spent =
  (count: number): Phase<Booked> =>
  (now) => [{ ...now, used: now.used + count, ending: now.ending + count }];

const freed =
  (id: number, count: number): Phase<Booked> =>
  (now) =>
    now.deleted.includes(id) ? [now] : [{ ...now, ending: now.ending + count, deleted: [...now.deleted, id].sort() }];

const maybe =
  (phase: Phase<Booked>): Phase<Booked> =>
  (now) => {
    const done = phase(now);
    return typeof done === 'string' ? [now] : [now, ...done];
  };
