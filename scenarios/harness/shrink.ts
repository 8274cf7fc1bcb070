/**
 * Makes a scenario that fails smaller, as long as it fails in the same way: steps and faults are taken out, many at a
 * time, then one by one and in pairs, then values become the simplest that do, and times the shortest. A candidate that fails otherwise, in
 * another law, operation, status or edge, is not taken: that would be another bug.
 */
import { eventNames, flawsOf } from './read-scenario.ts';
import { type After, type Fault, faultsOf, type Scenario, type Step } from './scenario.ts';
import { boundName } from './step-parts.ts';

/** Whether a candidate still fails in the way that is looked into. */
type Fails = (candidate: Scenario) => Promise<boolean>;

export interface Shrunk {
  readonly scenario: Scenario;
  /** How many candidates were run. */
  readonly runs: number;
}

export async function shrink(scenario: Scenario, fails: Fails, mostRuns = 1_000): Promise<Shrunk> {
  let best = scenario;
  let runs = 0;
  const tried = new Set<string>([JSON.stringify(scenario)]);
  /** Takes the candidate when it fails too. */
  const take = async (candidate: Scenario): Promise<boolean> => {
    const key = JSON.stringify(candidate);
    if (runs >= mostRuns || tried.has(key) || flawsOf(candidate).length > 0) return false;
    tried.add(key);
    runs++;
    if (!(await fails(candidate))) return false;
    best = candidate;
    return true;
  };

  let size = Number.POSITIVE_INFINITY;
  while (weight(best) < size && runs < mostRuns) {
    size = weight(best);
    for (let chunk = Math.ceil(idsOf(best).length / 2); chunk >= 1; chunk = Math.floor(chunk / 2)) {
      await removeChunks(() => best, chunk, take);
    }
    await removePairs(() => best, take);
    for (let found = true; found; ) {
      found = false;
      for (const simpler of simplifications(best)) {
        found = await take(simpler);
        if (found) break;
      }
    }
    await shortenTimes(() => best, take);
  }
  return { scenario: best, runs };
}

const idsOf = ({ steps, faults = [] }: Scenario): string[] => [...steps, ...faults].map(({ id }) => id);
const weight = (scenario: Scenario): number => JSON.stringify(scenario).length;

type Take = (candidate: Scenario) => Promise<boolean>;

async function removeChunks(best: () => Scenario, chunk: number, take: Take): Promise<void> {
  // From the end: what comes last depends on most, and nothing depends on it.
  for (let end = idsOf(best()).length; end > 0; end -= chunk) {
    const ids = idsOf(best()).slice(Math.max(0, end - chunk), end);
    if (ids.length > 0) await take(without(best(), new Set(ids)));
  }
}

async function removePairs(best: () => Scenario, take: Take): Promise<void> {
  const ids = idsOf(best());
  for (const [n, first] of ids.entries()) {
    for (const second of ids.slice(n + 1)) {
      const present = idsOf(best());
      if (present.includes(first) && present.includes(second)) await take(without(best(), new Set([first, second])));
    }
  }
}

/** The scenario without some steps and faults, and without what depends on them. */
export function without(scenario: Scenario, ids: ReadonlySet<string>): Scenario {
  const kept = scenario.steps.filter(({ id }) => !ids.has(id));
  const bound = new Set(kept.flatMap((step) => ('bind' in step && step.bind !== undefined ? [step.bind] : [])));
  const holds = (ref: string | undefined): boolean => ref === undefined || ref === 'none' || bound.has(boundName(ref));
  const steps = kept.filter((step) => holds('ref' in step ? step.ref : undefined));
  const faults = faultsOf(scenario).filter(
    (fault) => !ids.has(fault.id) && holds('ref' in fault ? fault.ref : undefined),
  );
  const rest = { ...scenario, steps, faults };
  const events = eventNames(rest);
  const anchored = <T extends Step | Fault>(item: T): T =>
    item.after === undefined || events.has(item.after.event) ? item : dropped(item, 'after');
  return { ...rest, steps: steps.map(anchored), faults: faults.map(anchored) };
}

function dropped<T extends object>(thing: T, key: string): T {
  return Object.fromEntries(Object.entries(thing).filter(([each]) => each !== key)) as T;
}

/** Keys without which a step or a fault is simpler. */
const SPARE = [
  'after',
  'pausesMs',
  'lane',
  'client',
  'args',
  'forMs',
  'withinMs',
  'times',
  'skip',
  'message',
  'probability',
  'expect',
  'given',
  'form',
  'nth',
  'alignMs',
];

function* simplifications(scenario: Scenario): Generator<Scenario> {
  for (const key of ['swarm', 'profile', 'seed', 'functions']) if (key in scenario) yield dropped(scenario, key);
  // Where nothing takes time there is nothing to wait for.
  if (scenario.timing !== 'instant') {
    yield { ...scenario, timing: 'instant' };
    if (scenario.timing !== undefined) yield dropped(scenario, 'timing');
  }
  for (const [n, step] of scenario.steps.entries()) {
    for (const simpler of simplerItems(step)) yield { ...scenario, steps: scenario.steps.with(n, simpler) };
  }
  const faults = faultsOf(scenario);
  if (faults.length === 0 && 'faults' in scenario) yield dropped(scenario, 'faults');
  for (const [n, fault] of faults.entries()) {
    for (const simpler of simplerItems(fault)) yield { ...scenario, faults: faults.with(n, simpler) };
  }
}

function* simplerItems<T extends Step | Fault>(item: T): Generator<T> {
  for (const key of SPARE) if (key in item) yield dropped(item, key);
  if ('pausesMs' in item) yield { ...item, pausesMs: item.pausesMs?.slice(0, -1) };
  if ('args' in item && item.args !== undefined) {
    for (const key of Object.keys(item.args)) yield { ...item, args: dropped(item.args, key) };
    const { faas } = item.args;
    for (const key of Object.keys(faas ?? {}))
      yield { ...item, args: { ...item.args, faas: dropped(faas ?? {}, key) } };
  }
}

// ---- times --------------------------------------------------------------------------------------------------------

/** A time that a step or a fault has. */
interface Time<T> {
  readonly ms: number;
  /** The same with another. */
  readonly with: (ms: number) => T;
}

function timesOf<T extends Step | Fault>(item: T): Time<T>[] {
  const { after } = item;
  const times: Time<T>[] = LASTING.flatMap((key) => {
    const ms: unknown = Reflect.get(item, key);
    return typeof ms === 'number' ? [{ ms, with: (other) => ({ ...item, [key]: other }) }] : [];
  });
  if (after !== undefined) {
    const { event, delayMs = 0 } = after;
    const told = (ms: number): After => (ms === 0 ? { event } : { event, delayMs: ms });
    times.push({ ms: delayMs, with: (ms) => ({ ...item, after: told(ms) }) });
  }
  const pauses = 'pausesMs' in item ? (item.pausesMs ?? []) : [];
  return [
    ...times,
    ...pauses.map((ms, n): Time<T> => ({ ms, with: (other) => ({ ...item, pausesMs: pauses.with(n, other) }) })),
  ];
}

/** Keys of times. */
const LASTING = ['ms', 'forMs', 'withinMs'];

function timesIn(scenario: Scenario): Time<Scenario>[] {
  const faults = faultsOf(scenario);
  return [
    ...scenario.steps.flatMap((step, n) =>
      timesOf(step).map((time) => ({
        ms: time.ms,
        with: (ms: number) => ({ ...scenario, steps: scenario.steps.with(n, time.with(ms)) }),
      })),
    ),
    ...faults.flatMap((fault, n) =>
      timesOf(fault).map((time) => ({
        ms: time.ms,
        with: (ms: number) => ({ ...scenario, faults: faults.with(n, time.with(ms)) }),
      })),
    ),
  ];
}

/**
 * Each time becomes nothing, or one tick of the clock, or else the shortest that does, to the tick: half of it, or half
 * of what is between that and one that is too short, until the tick before is too short. So a deadline shows itself.
 */
async function shortenTimes(best: () => Scenario, take: Take): Promise<void> {
  for (const n of timesIn(best()).keys()) {
    const lasts = async (ms: number): Promise<boolean> => {
      const time = timesIn(best())[n];
      return time !== undefined && take(time.with(ms));
    };
    let enough = timesIn(best())[n]?.ms ?? 0;
    let tooShort = -1;
    for (const ms of [0, 1]) {
      if (ms >= enough) break;
      if (await lasts(ms)) enough = ms;
      else tooShort = ms;
    }
    while (enough - tooShort > 1) {
      const middle = Math.floor((enough + tooShort) / 2);
      if (await lasts(middle)) enough = middle;
      else tooShort = middle;
    }
  }
}
