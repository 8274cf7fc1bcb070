/**
 * Makes scenarios of clients that are at it at the same time: a few runtimes, two to four lanes of at most six requests
 * each, and somebody who looks at what they have left. Who goes on first at each waiting point is drawn at random, or by
 * priorities: one lane runs until it has to wait, then the next one, and at a few points a lane falls behind all others
 * (PCT, of depth 2 or 3).
 */
import fc from 'fast-check';
import { xmlRpc } from '../request.ts';
import type { Scenario, Specification, Step } from '../scenario.ts';

const [MOST_LANES, MOST_STEPS] = [4, 6];
/** Points at which one request may be held back: before it is sent, and at its handler's first waits. */
const POINTS = 4;

/** The instants of interest after an event: within the tick, around what a driver takes, and around a look of the engine. */
const HOLDS = [0, 0, 0, 0, 1, 250, 499, 500, 501, 999, 1_000, 1_500] as const;

type Draw = readonly [deed: Deed, n: number];
type Deed = (id: string, runtimes: readonly string[], n: number) => Step | undefined;

const size = fc.record({
  CPU: fc.constantFrom(1, 2, 3, 4),
  MEMORY: fc.constantFrom(64, 128, 256, 512),
  DISK_SIZE: fc.constantFrom(1024, 2048, 4096),
});

/** What an update may ask for: little, since each resize keeps all others away. */
const wishes: fc.Arbitrary<Specification> = fc.oneof(
  size.map((faas) => ({ faas })),
  fc.tuple(size, fc.constantFrom('alpha', 'beta', 'gamma')).map(([faas, name]) => ({ faas, name })),
  // The sizes of a new runtime: nothing to resize.
  fc.constantFrom('alpha', 'beta', 'gamma').map((name) => ({ faas: AS_MADE, name })),
  fc.constantFrom('1', '2').map((zone) => ({ faas: AS_MADE, scheduling: { REQUIREMENTS: `ZONE_${zone} != "x"` } })),
  fc.constantFrom(5, 7).map((LATENCY_TO_PE) => ({ faas: AS_MADE, deviceInfo: { LATENCY_TO_PE } })),
);
export const AS_MADE = { CPU: 1, MEMORY: 128, DISK_SIZE: 1024 };

const of = (runtimes: readonly string[], n: number): string => runtimes[n % runtimes.length] ?? 'none';

const deeds: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 5, arbitrary: fc.constant<Deed>((id, runtimes, n) => ({ id, op: 'get', ref: of(runtimes, n) })) },
  {
    weight: 7,
    arbitrary: wishes.map(
      (args): Deed =>
        (id, runtimes, n) => ({ id, op: 'put', ref: of(runtimes, n), args }),
    ),
  },
  { weight: 2, arbitrary: fc.constant<Deed>((id, runtimes, n) => ({ id, op: 'delete', ref: of(runtimes, n) })) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(1, 16, 16).map(
      (CPU): Deed =>
        (id) => ({ id, op: 'create', args: { faas: { CPU } }, bind: id }),
    ),
  },
);

/** What two lanes may both begin with. */
const DUELS: readonly Deed[] = [
  (id, [ref = 'none']) => ({ id, op: 'delete', ref }),
  (id, [ref = 'none']) => ({ id, op: 'put', ref, args: { faas: AS_MADE, name: id } }),
  (id, [ref = 'none']) => ({
    id,
    op: 'put',
    ref,
    args: { faas: { CPU: id.length + 1, MEMORY: 128, DISK_SIZE: 1024 } },
  }),
  (id) => ({ id, op: 'create', args: { faas: { ...AS_MADE, CPU: 16 } }, bind: id }),
];

/** For each lane, how long each of its steps is held back at each of its points. */
type Schedule = (lanes: readonly (readonly Draw[])[]) => readonly (readonly (readonly number[])[])[];

const atRandom: fc.Arbitrary<Schedule> = fc
  .array(fc.constantFrom(...HOLDS), { minLength: POINTS * MOST_STEPS, maxLength: POINTS * MOST_STEPS })
  .chain((holds) => fc.constantFrom(0, 1, 2).map((sparse): Schedule => byChance(holds, sparse)));

/** @param sparse how many of three points are left as they are */
const byChance =
  (holds: readonly number[], sparse: number): Schedule =>
  (lanes) =>
    lanes.map((lane, l) =>
      lane.map((_, n) =>
        Array.from({ length: POINTS }, (__, point) => {
          const index = (l * 7 + n * POINTS + point * 5) % holds.length;
          return index % 3 < sparse ? 0 : (holds[index] ?? 0);
        }),
      ),
    );

/** How much later a lane gets up than the one before it. */
const TICK_MS = 1;

const byPriority: fc.Arbitrary<Schedule> = fc
  .tuple(
    fc.shuffledSubarray([0, 1, 2, 3], { minLength: MOST_LANES }),
    fc.array(fc.tuple(fc.nat(MOST_LANES - 1), fc.nat(MOST_STEPS - 1), fc.nat(POINTS - 1)), {
      minLength: 1,
      maxLength: 2,
    }),
  )
  .map(
    ([ranks, changes]): Schedule =>
      (lanes) =>
        lanes.map((lane, l) =>
          lane.map((_, n) =>
            Array.from({ length: POINTS }, (__, point) => {
              const falls = changes.findIndex(
                ([of, step, at]) => of % lanes.length === l && step % lane.length === n && at === point,
              );
              const first = n === 0 && point === 0 ? (ranks[l] ?? 0) : 0;
              return TICK_MS * (first + (falls < 0 ? 0 : MOST_LANES + falls));
            }),
          ),
        ),
  );

/** A quota that some of the creations are refused for. */
function quotaStep(vms: number): Step {
  const { method, path, headers, body } = xmlRpc('oneadmin:opennebula', 'one.user.quota', OWNER, `VM=[VMS="${vms}"]`);
  return { id: 'quota', op: 'request', as: 'admin', method: method as 'POST', path, headers, sendText: body ?? '' };
}
/** The id of the user who owns what a scenario makes, in the worlds that come with onesim. */
const OWNER = 2;

/** @param profile the deviations that the stand-in is to have */
export function crowds(profile: NonNullable<Scenario['profile']>): fc.Arbitrary<Scenario> {
  const lane = fc.array(fc.tuple(deeds, fc.nat(1_000)), { minLength: 1, maxLength: MOST_STEPS, size: 'max' });
  return fc
    .record({
      seed: fc.nat(0xffff).map((n) => `0x${n.toString(16)}`),
      timing: fc.constantFrom('instant', 'fast', 'fast', 'realistic'),
      quota: fc.constantFrom(undefined, undefined, 2, 3, 5),
      runtimes: fc.constantFrom(1, 1, 2, 3),
      settled: fc.constantFrom(true, true, true, false),
      lanes: fc.array(lane, { minLength: 2, maxLength: MOST_LANES, size: 'max' }),
      duel: fc.constantFrom(undefined, undefined, undefined, ...DUELS),
      schedule: fc.oneof(
        fc.constant<Schedule>((lanes) => lanes.map((each) => each.map(() => []))),
        atRandom,
        byPriority,
      ),
    })
    .map(({ seed, timing, quota, runtimes: count, settled, lanes: drawn, schedule, duel }): Scenario => {
      const runtimes = Array.from({ length: count }, (_, n) => `r${n + 1}`);
      const prefix = [
        ...(quota === undefined ? [] : [quotaStep(quota)]),
        ...runtimes.flatMap((ref) => made(ref, settled)),
      ];
      const lanes = drawn.map((lane, l) =>
        duel !== undefined && l < 2 ? [[duel, 0] as Draw, ...lane.slice(1)] : lane,
      );
      const holds = schedule(lanes);
      const steps = lanes.flatMap((draws, l) =>
        draws.flatMap(([deed, n], s): Step[] => {
          const step = deed(`${LETTERS[l]}${s + 1}`, runtimes, n);
          const pausesMs = trimmed(holds[l]?.[s] ?? []);
          return step === undefined ? [] : [{ ...step, lane: l + 1, ...(pausesMs.length > 0 && { pausesMs }) } as Step];
        }),
      );
      const created = steps.flatMap((step) => ('bind' in step && step.bind !== undefined ? [step.bind] : []));
      return {
        v: 1,
        seed,
        profile,
        timing: timing as NonNullable<Scenario['timing']>,
        steps: [...prefix, ...steps, ...observers([...runtimes, ...created], quota ?? 1)],
      };
    });
}

const LETTERS = ['a', 'b', 'c', 'd'] as const;

const made = (ref: string, settled: boolean): Step[] => [
  { id: `make-${ref}`, op: 'create', bind: ref, args: { faas: AS_MADE } },
  ...(settled ? [{ id: `up-${ref}`, op: 'get', ref, after: { event: `make-${ref}.RUNNING` } } as const] : []),
];

/** All are looked at, at once and when all is quiet; what then still fits into the quota is tried. */
const observers = (refs: readonly string[], more: number): Step[] => [
  ...refs.map((ref): Step => ({ id: `after-${ref}`, op: 'get', ref })),
  { id: 'calm', op: 'advance', ms: 400_000 },
  ...refs.map((ref): Step => ({ id: `calm-${ref}`, op: 'get', ref })),
  ...Array.from({ length: more }, (_, n): Step => ({ id: `more-${n + 1}`, op: 'create', args: { faas: AS_MADE } })),
  { id: 'quiet', op: 'advance', ms: 60_000 },
];

/** Without the nothing at its end. */
const trimmed = (holds: readonly number[]): readonly number[] =>
  holds.slice(0, holds.findLastIndex((ms) => ms > 0) + 1);
