/**
 * What is asked of a server at each level. A level holds those before it: reading alone, one runtime and what is refused
 * of it, a whole life, and several clients at once. Three runtimes live at most, and each scenario deletes its own.
 */
import fc from 'fast-check';
import { laneOf } from '../concurrency/lanes.ts';
import { isAnybodys } from '../request.ts';
import { isRequest, type Scenario, type Specification, type Step } from '../scenario.ts';

export const LEVELS = ['read', 'crud', 'lifecycle', 'concurrent'] as const;
export type Level = (typeof LEVELS)[number];

export const atLeast = (level: Level, wanted: Level): boolean => LEVELS.indexOf(level) >= LEVELS.indexOf(wanted);

export interface Wanted {
  readonly level: Level;
  readonly profile: NonNullable<Scenario['profile']>;
  /** A flavour that there is a service template for. */
  readonly flavour: string;
  /** Whether anybody is known there. */
  readonly someone: boolean;
  /** Whether there is a second tenant. */
  readonly others: boolean;
  /** Begins the name of everything that is made. */
  readonly mark: string;
}

/** What can be asked without changing anything, by methods that change nothing anywhere. */
const READS: readonly Step[] = [
  { id: 'version', op: 'version', expect: { status: 200 } },
  { id: 'config', op: 'config', expect: { status: 200 } },
  { id: 'schema', op: 'schema', expect: { status: 200 } },
  { id: 'public', op: 'version', auth: 'none', expect: { status: 200 } },
  { id: 'public-wrong', op: 'schema', auth: 'wrong', expect: { status: 200 } },
  { id: 'missing', op: 'get', ref: 'none', expect: { status: 404 } },
  { id: 'nobody', op: 'get', ref: 'none', auth: 'none', expect: { status: 401 } },
  { id: 'stranger', op: 'get', ref: 'none', auth: 'wrong', expect: { status: 401 } },
  { id: 'scheme', op: 'get', ref: 'none', auth: 'scheme', expect: { status: 401 } },
  { id: 'missing-again', op: 'get', ref: 'none', expect: { status: 404 } },
  { id: 'no-list', op: 'request', method: 'GET', path: '/serverless-runtimes', expect: { status: 404 } },
  { id: 'no-path', op: 'request', method: 'GET', path: '/no-such-path', expect: { status: 404 } },
  { id: 'head', op: 'request', method: 'HEAD', path: '/server/version', expect: { status: 200 } },
];

/** What is refused, whoever asks for it. */
const REFUSED: readonly Step[] = [
  { id: 'no-update', op: 'put', ref: 'none', args: {}, expect: { status: 404 } },
  { id: 'no-deletion', op: 'delete', ref: 'none', expect: { status: 404 } },
  { id: 'no-json', op: 'create', sendText: '{', expect: { status: 400 } },
  { id: 'no-json-for-nobody', op: 'put', ref: 'none', sendText: '{', expect: { status: 400 } },
  { id: 'no-function', op: 'create', send: { SERVERLESS_RUNTIME: {} }, expect: { status: 400 } },
  {
    id: 'no-number',
    op: 'create',
    send: { SERVERLESS_RUNTIME: { FAAS: { FLAVOUR: 'no such flavour', CPU: '2' } } },
    expect: { status: 400 },
  },
  { id: 'no-flavour', op: 'create', args: { faas: { FLAVOUR: 'no such flavour' } }, expect: { status: 422 } },
  { id: 'not-let-in', op: 'create', auth: 'none', expect: { status: 401 } },
  { id: 'not-known', op: 'delete', ref: 'none', auth: 'wrong', expect: { status: 401 } },
];

/** One scenario of reading, the same whatever the seed; of what anybody may read, where nobody is known. */
export const reading = ({ profile, someone }: Wanted): Scenario => ({
  ...({ v: 1, name: 'reading', profile } as const),
  steps: READS.filter((step) => someone || (isRequest(step) && isAnybodys(step))),
});

/** So many scenarios that change something; none at level `read`. */
export function changing(wanted: Wanted, seed: number, runs: number): Scenario[] {
  if (wanted.level === 'read') return [];
  const makers = [...(atLeast(wanted.level, 'lifecycle') ? [life] : []), crud];
  const kinds = atLeast(wanted.level, 'concurrent') ? [crowd, ...makers] : makers;
  return fc.sample(draws, { seed, numRuns: runs }).map((draw, n) => {
    const make = kinds[n % kinds.length] ?? crud;
    return make({ ...wanted, mark: `${wanted.mark}-${n + 1}` }, draw);
  });
}

interface Draw {
  readonly sizes: readonly [Size, Size];
  readonly order: readonly number[];
  readonly ops: readonly ('get' | 'put' | 'refused' | 'foreign')[];
  /** How long each of those is held back. */
  readonly holds: readonly number[];
}

interface Size {
  readonly CPU: number;
  readonly MEMORY: number;
}

const size: fc.Arbitrary<Size> = fc.record({ CPU: fc.constantFrom(1, 2), MEMORY: fc.constantFrom(128, 256) });

const draws: fc.Arbitrary<Draw> = fc.record({
  sizes: fc.tuple(size, size),
  order: fc.shuffledSubarray([...REFUSED.keys()], { minLength: 3, maxLength: 5 }),
  ops: fc.array(fc.constantFrom('get', 'put', 'put', 'refused', 'foreign'), {
    minLength: 4,
    maxLength: 8,
    size: 'max',
  }),
  holds: fc.array(fc.constantFrom(0, 0, 40, 250, 600, 1_100), { minLength: 8, maxLength: 8 }),
});

/** Disks only grow, and every update has to say how large. */
const [DISK_MIB, LARGER_MIB] = [1024, 2048];

const wish = ({ flavour }: Wanted, { CPU, MEMORY }: Size, DISK_SIZE: number, name?: string): Specification => ({
  faas: { FLAVOUR: flavour, CPU, MEMORY, DISK_SIZE },
  ...(name === undefined ? {} : { name }),
});

const creation = (wanted: Wanted, bind: string, size: Size): Step => ({
  id: `create-${bind}`,
  op: 'create',
  bind,
  args: wish(wanted, size, DISK_MIB, `${wanted.mark}-${bind}`),
  expect: { status: 201 },
});

const running = (bind: string): Step => ({
  id: `running-${bind}`,
  op: 'get',
  ref: bind,
  after: { event: `create-${bind}.RUNNING` },
});

/** Deleted, gone, and gone it stays. */
const ending = (ref: string): Step[] => [
  { id: `delete-${ref}`, op: 'delete', ref, expect: { status: 204 } },
  { id: `gone-${ref}`, op: 'get', ref, expect: { status: 404 } },
  { id: `again-${ref}`, op: 'delete', ref, expect: { status: 404 } },
];

const foreign = ({ others }: Wanted, ref: string): Step[] =>
  others
    ? (['get', 'put', 'delete'] as const).map((op): Step => {
        const common = { id: `foreign-${op}`, ref, as: 'other', expect: { status: 403 } } as const;
        return op === 'put' ? { ...common, op, args: { faas: {} } } : { ...common, op };
      })
    : [];

/** One runtime, what is refused of it and around it, and its end. */
function crud(wanted: Wanted, { sizes: [size], order }: Draw): Scenario {
  const steps: Step[] = [
    ...order.flatMap((n) => REFUSED[n] ?? []),
    creation(wanted, 'r1', size),
    { id: 'first', op: 'get', ref: 'r1' },
    { id: 'unasked', op: 'get', ref: 'r1', auth: 'none', expect: { status: 401 } },
    { id: 'service', op: 'get', ref: 'r1.service', expect: { status: 404 } },
    ...foreign(wanted, 'r1'),
    running('r1'),
    { id: 'twice', op: 'get', ref: 'r1' },
    { id: 'broken', op: 'put', ref: 'r1', send: { SERVERLESS_RUNTIME: {} } },
    { id: 'same', op: 'put', ref: 'r1', args: wish(wanted, size, DISK_MIB), expect: { status: 200 } },
    ...ending('r1'),
  ];
  return { v: 1, name: 'one runtime', profile: wanted.profile, steps };
}

/** A runtime is made, grows, shrinks, gets another name, and ends. */
function life(wanted: Wanted, { sizes: [first, second] }: Draw): Scenario {
  const larger = { CPU: first.CPU + 1, MEMORY: first.MEMORY + 64 };
  const steps: Step[] = [
    creation(wanted, 'r1', first),
    { id: 'early', op: 'put', ref: 'r1', args: wish(wanted, first, DISK_MIB), expect: { status: [200, 423] } },
    running('r1'),
    { id: 'grow', op: 'put', ref: 'r1', args: wish(wanted, larger, LARGER_MIB), expect: { status: 200 } },
    { id: 'grown', op: 'get', ref: 'r1' },
    { id: 'no-more', op: 'put', ref: 'r1', args: wish(wanted, larger, LARGER_MIB), expect: { status: 200 } },
    { id: 'smaller-disk', op: 'put', ref: 'r1', args: wish(wanted, larger, 1), expect: { status: 500 } },
    { id: 'change', op: 'put', ref: 'r1', args: wish(wanted, second, LARGER_MIB), expect: { status: 200 } },
    {
      id: 'rename',
      op: 'put',
      ref: 'r1',
      args: wish(wanted, second, LARGER_MIB, `${wanted.mark}-renamed`),
      expect: { status: 200 },
    },
    {
      id: 'renamed',
      op: 'get',
      ref: 'r1',
      expect: { body: { '/SERVERLESS_RUNTIME/NAME': `${wanted.mark}-renamed` } },
    },
    ...ending('r1'),
  ];
  return { v: 1, name: 'a whole life', profile: wanted.profile, steps };
}

/**
 * Two runtimes, and three lanes at them: two that resize and rename, one that looks and is refused; two updates of one
 * runtime at once, and two deletions, with somebody who looks meanwhile. Nobody deletes what another is resizing: the
 * real engine would lose its machine.
 */
function crowd(wanted: Wanted, { sizes, ops, holds }: Draw): Scenario {
  const refs = ['r1', 'r2'] as const;
  const made = refs.flatMap((ref, n): Step[] => [creation(wanted, ref, sizes[n] ?? sizes[0]), running(ref)]);
  const busy = ops.flatMap((op, n): Step[] => {
    const ref = refs[n % 2] ?? 'r1';
    const common = { id: `s${n + 1}`, ref, lane: op === 'put' ? (n % 2) + 1 : LOOKING, pausesMs: [holds[n] ?? 0] };
    const other = sizes[(n + 1) % 2] ?? sizes[0];
    const name = n % 3 === 1 ? `${wanted.mark}-${ref}-${n}` : undefined;
    switch (op) {
      case 'get':
        return [{ ...common, op }];
      case 'put':
        return [{ ...common, op, args: wish(wanted, other, n % 3 === 0 ? LARGER_MIB : DISK_MIB, name) }];
      case 'refused':
        return [{ ...common, op: 'put', sendText: '{' }];
      case 'foreign':
        return wanted.others ? [{ ...common, op: 'get', as: 'other' }] : [];
      default:
        return op satisfies never;
    }
  });
  const grown = { CPU: sizes[0].CPU + 1, MEMORY: sizes[0].MEMORY };
  const race: Step[] = [
    { id: 'grow', op: 'put', ref: 'r1', lane: 1, args: wish(wanted, grown, LARGER_MIB) },
    { id: 'grow-too', op: 'put', ref: 'r1', lane: 2, args: wish(wanted, sizes[1], LARGER_MIB), after: sent('grow') },
    { id: 'growing', op: 'get', ref: 'r1', lane: LOOKING, after: sent('grow') },
  ];
  const looks = refs.map((ref): Step => ({ id: `look-${ref}`, op: 'get', ref }));
  const end: Step[] = [
    { id: 'delete-r1', op: 'delete', ref: 'r1', lane: 1 },
    { id: 'delete-too', op: 'delete', ref: 'r1', lane: 2 },
    { id: 'raced', op: 'get', ref: 'r1', lane: LOOKING },
    { id: 'gone-r1', op: 'get', ref: 'r1', expect: { status: 404 } },
  ];
  const steps = [...made, ...inOrder([...busy, ...race]), ...looks, ...end, ...ending('r2')];
  return { v: 1, name: 'several clients', profile: wanted.profile, steps };
}

/** The lane of who changes nothing. */
const LOOKING = 3;

/** Lane by lane: so they are read, and nothing else depends on it. */
const inOrder = (steps: readonly Step[]): Step[] => [...steps].sort((a, b) => (laneOf(a) ?? 0) - (laneOf(b) ?? 0));

const sent = (id: string) => ({ event: `${id}.sent`, delayMs: 1 });
