/** A timing file: how long the cloud takes, as changes to one of the profiles. */
import { chance, type Form, list, number, object, text, whole, word } from '../kernel/form.ts';
import type { Distribution } from '../kernel/random.ts';
import { TIMINGS, type Timing, type TimingOverride } from '../one/timing.ts';
import type { DriverAction } from '../one/vm/lifecycle.ts';
import { Problem } from '../problem.ts';
import { readSource } from '../source.ts';

/** Longer than any driver waits, and short enough to be added up. */
const LONGEST_MS = 365 * 24 * 3600 * 1000;

const milliseconds = number(0, LONGEST_MS);

const DISTRIBUTIONS: Form<unknown> = object(
  {},
  {
    fixed: milliseconds,
    uniform: list(milliseconds),
    lognormal: object({ median: number(1, LONGEST_MS), p95: number(1, LONGEST_MS) }, {}),
    exponential: object({ mean: milliseconds }, {}),
  },
);

/** One of the distributions, whose parts make sense together. */
const distribution: Form<Distribution> = {
  schema: DISTRIBUTIONS.schema,
  check(value, path) {
    const flaws = DISTRIBUTIONS.check(value, path);
    if (flaws.length > 0) return flaws;
    const given = value as Partial<Record<string, never>> & {
      uniform?: number[];
      lognormal?: { median: number; p95: number };
    };
    if (Object.keys(given).length !== 1) {
      return [{ path, problem: 'expected one of fixed, uniform, lognormal, exponential' }];
    }
    const { uniform, lognormal } = given;
    if (uniform !== undefined && !(uniform.length === 2 && (uniform[0] ?? 0) <= (uniform[1] ?? 0))) {
      return [{ path: [...path, 'uniform'], problem: 'expected [least, most]' }];
    }
    if (lognormal !== undefined && lognormal.p95 < lognormal.median) {
      return [{ path: [...path, 'lognormal', 'p95'], problem: `expected at least the median, ${lognormal.median}` }];
    }
    return [];
  },
};

const ACTIONS = Object.keys(TIMINGS.realistic.actions) as DriverAction[];

const byAction = <T>(form: Form<T>): Form<Readonly<Partial<Record<DriverAction, T>>>> =>
  object({}, Object.fromEntries(ACTIONS.map((action) => [action, form]))) as Form<
    Readonly<Partial<Record<DriverAction, T>>>
  >;

const actions = byAction(distribution);
const failing = byAction(chance);

const selector = object({}, { template: text(), host: text(), user: text(), name: text() });

const TIMING = object(
  {},
  {
    base: word(...(Object.keys(TIMINGS) as (keyof typeof TIMINGS)[])),
    schedulerIntervalMs: milliseconds,
    flowReactionMs: milliseconds,
    actions,
    failing,
    overrides: list(object({ selector }, { actions, failing })) as Form<readonly TimingOverride[]>,
    progressAfterReads: whole(0, 1_000_000),
  },
);

/**
 * Reads `base: fast`, `schedulerIntervalMs: 1000`, `actions: { deploy: { uniform: [500, 2000] } }`, `failing: { deploy: 0.02 }`,
 * `overrides: [{ selector: { host: host1 }, actions: … }]`, `progressAfterReads: 2`: what is not said is as in the base, which
 * is realistic unless said.
 * @throws Problem
 */
export async function readTiming(given: string, file: string): Promise<Timing> {
  const source = await readSource(given, file);
  const value = source.value ?? {};
  const [flaw] = TIMING.check(value, []);
  if (flaw !== undefined) {
    const place = flaw.key === true ? source.placeOfKey(flaw.path) : source.place(flaw.path);
    throw new Problem(`${place}: ${flaw.problem}`);
  }
  const { base = 'realistic', ...changes } = value as Partial<Timing> & { readonly base?: keyof typeof TIMINGS };
  const { actions: usual, failing: chances, ...profile }: Timing = TIMINGS[base];
  return {
    ...profile,
    ...changes,
    actions: { ...usual, ...changes.actions },
    failing: { ...chances, ...changes.failing },
  };
}
