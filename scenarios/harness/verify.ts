/**
 * `onesim verify`: generated scenarios against the stand-in in this process, or, with `--target`, against a real server,
 * as far as the level lets it.
 */
import { type Contract, loadContracts } from '../../contracts/contract.ts';
import { exitCodes, type Machine } from '../../sim/index.ts';
import { replaying, saved, verifying } from './again.ts';
import { Coverage } from './coverage.ts';
import { type Hire, hireThreads, inOrder, type SearchedShare, type Share } from './crew.ts';
import { SMALL } from './generator.ts';
import type { Judged } from './junit.ts';
import type { Law } from './law.ts';
import { addUp, loadLaws } from './laws.ts';
import { type Failure, smallest } from './property.ts';
import { counted, failureReport, lasting } from './report.ts';
import { openReports } from './report-files.ts';
import { type Stop, stopOf } from './stop.ts';
import { storyOf } from './story.ts';
import { compareWithStandIn } from './target/against.ts';
import { judgedDepartures } from './target/departures.ts';
import { verifyGatekeeper } from './target/gatekeeper.ts';
import { OUTSIDE, type Outside } from './target/outside.ts';
import { type Outcome, verifyEngine } from './target/target.ts';
import type { Trace } from './trace.ts';
import { TWINS } from './twins.ts';
import { sightLines, sightsOf } from './unseen.ts';
import { type ServerSettings, type StandInSettings, verifySettings } from './verify-settings.ts';

type Client = Pick<Machine, 'out' | 'stopped' | 'writeFile'>;

/** What a run came to, to be written down. */
interface Ended {
  readonly code: exitCodes.ExitCode;
  readonly judged: readonly Judged[];
  readonly traces: readonly Trace[];
  /** What was seen. */
  readonly coverage: Coverage;
}

/**
 * @param version of what judges
 * @param hire gives those who search in the stand-in
 * @throws Problem
 */
export async function verify(
  args: readonly string[],
  machine: Client,
  outside: Outside = OUTSIDE,
  version = '',
  hire: Hire = hireThreads,
): Promise<exitCodes.ExitCode> {
  const settings = verifySettings(args);
  const report = await openReports(settings.reports);
  const stop = stopOf(machine);
  const [laws, contracts] = [await loadLaws(), await loadContracts()];
  const { code, ...ended } =
    settings.on === 'stand-in'
      ? await verifyStandIn(laws, contracts, settings, machine, stop, hire)
      : await verifyTarget(laws, contracts, settings, outside, machine, stop);
  const part = { ...settings.part, onesim: version, code };
  await report({ laws: [...laws, ...TWINS], ...ended, contracts, part });
  return code;
}

// ---- a server -----------------------------------------------------------------------------------------------------

async function verifyTarget(
  laws: readonly Law[],
  contracts: readonly Contract[],
  settings: ServerSettings,
  outside: Outside,
  machine: Client,
  stop: Stop,
): Promise<Ended> {
  const outcomes: Outcome[] = [];
  if (settings.api !== 'gatekeeper') outcomes.push(await verifyEngine(laws, settings, outside, machine, stop));
  if (settings.api !== 'engine' && !stop.aborted) {
    outcomes.push(await verifyGatekeeper(laws, settings, outside, machine, stop));
  }
  let unlike = 0;
  const likeness: Judged[] = [];
  for (const { api, traces, profile } of settings.against ? outcomes : []) {
    const name = `${api}: like the stand-in`;
    const { differences, timings, judged } = await compareWithStandIn(name, traces, profile, settings.tolerance);
    unlike += differences.length;
    likeness.push(judged);
    for (const line of timings) machine.out(`  takes     ${line}`);
    for (const line of differences) machine.out(`  unlike    ${line}`);
    machine.out(`${differences.length === 0 ? '✓ like' : `✗ ${differences.length} times unlike`} the stand-in`);
  }
  const judged = outcomes.flatMap(({ api, departures, profile, judged: scenarios }) => [
    judgedDepartures(api, departures, profile),
    ...scenarios,
  ]);
  const traces = outcomes.flatMap((each) => each.traces);
  const coverage = new Coverage(contracts);
  for (const trace of traces) coverage.add(storyOf(trace));
  return { code: codeOf(outcomes, unlike), judged: [...judged, ...likeness], traces, coverage };
}

function codeOf(outcomes: readonly Outcome[], unlike: number): exitCodes.ExitCode {
  const isEnough = ({ judged, early }: Outcome): boolean => judged.length > 0 && !early;
  return exitCodes.gravest([
    outcomes.some(({ left }) => left.length > 0) ? 3 : 0,
    unlike > 0 || outcomes.some(({ broken }) => broken > 0) ? 1 : 0,
    outcomes.length > 0 && outcomes.every(isEnough) ? 0 : 4,
  ]);
}

// ---- the stand-in -------------------------------------------------------------------------------------------------

/** Of what was never seen so much is named to somebody who has not asked for all. */
const FEW = 8;
/** Scenarios that are made at once, by one of those who search. */
const SHARE = 50;
/** How long nothing is told, as far as a share of scenarios does not take longer. */
const [QUIET_MS, NIGHTLY_QUIET_MS] = [2_000, 15_000];
/** Every so many scenarios is also run again, in three ways. */
const TWINS_EVERY = 10;

/** With nothing new in so many scenarios, more of them will hardly bring any. */
const STABLE_AFTER = 1_000;
/** Laws that no generated scenario has anything for: expectations, which a person writes. */
const ONLY_BY_HAND = ['E1'];

/** One profile after the other; what is never seen in the one may be in the other. */
async function verifyStandIn(
  laws: readonly Law[],
  contracts: readonly Contract[],
  settings: StandInSettings,
  machine: Client,
  stop: Stop,
  hire: Hire,
): Promise<Ended> {
  const { clock } = OUTSIDE;
  const until = clock.now() + settings.maxDurationMs;
  const coverage = new Coverage(contracts);
  const parts: ProfileEnded[] = [];
  for (const profile of settings.profiles) {
    const seen = new Coverage(contracts);
    const isOver = (): boolean => stop.aborted || clock.now() >= until;
    const crew = hire(Math.min(settings.workers, Math.ceil(settings.runs / SHARE)), laws, contracts);
    const searched = inOrder(sharesOf(settings, profile, isOver), crew);
    const part = await verifyProfile(laws, profile, settings, machine, searched, seen);
    coverage.absorb(seen.sightings);
    parts.push(part);
    if (part.broken) break;
  }
  const isBroken = parts.some(({ broken }) => broken);
  if (!isBroken) for (const line of sightLines(coverage, settings.untilStable ? undefined : FEW)) machine.out(line);
  const isWhole = parts.length === settings.profiles.length && parts.every(({ isEnough }) => isEnough);
  const allSeen = !settings.untilStable || sightsOf(coverage).every(({ open }) => open.length === 0);
  return {
    code: isBroken ? 1 : isWhole && allSeen ? 0 : 4,
    judged: parts.map(({ judged }) => judged),
    traces: parts.flatMap(({ trace }) => trace ?? []),
    coverage,
  };
}

interface ProfileEnded {
  readonly judged: Judged;
  readonly trace: Trace | undefined;
  readonly broken: boolean;
  /** Whether all was done that was asked for, and every law had something to judge. */
  readonly isEnough: boolean;
}

async function verifyProfile(
  laws: readonly Law[],
  profile: 'upstream' | 'contract',
  { seed, runs, shard, untilStable }: StandInSettings,
  machine: Client,
  shares: AsyncIterable<SearchedShare>,
  coverage: Coverage,
): Promise<ProfileEnded> {
  const { clock } = OUTSIDE;
  const started = clock.now();
  const checks = new Map<string, number>();
  let [done, requests, doubts, told] = [0, 0, 0, started];
  /** How much had been seen, and after how many scenarios it last was more. */
  let [sights, grown] = [0, 0];
  const isStable = (): boolean => untilStable && done - grown >= STABLE_AFTER;
  const part = shard.of > 1 ? `, part ${shard.i} of ${shard.of}` : '';
  const many = untilStable ? `until nothing new is seen in ${STABLE_AFTER} scenarios,` : counted(runs, 'scenario');
  machine.out(`The stand-in, profile ${profile}, ${many} from seed ${seed}${part}`);
  const name = `the stand-in, profile ${profile}`;
  let broken: { readonly failure: Failure; readonly share: Share; readonly scenarios: number } | undefined;
  for await (const { share, ...searched } of shares) {
    done += searched.scenarios;
    requests += searched.requests;
    doubts += searched.doubts;
    coverage.absorb(searched.sightings);
    if (coverage.size > sights) [sights, grown] = [coverage.size, done];
    addUp(checks, searched.checks);
    const { failure, scenarios } = searched;
    if (failure !== undefined) {
      broken = { failure, share, scenarios };
      break;
    }
    const leftMs = ((clock.now() - started) / done) * (runs - done);
    const isEnd = done === runs || isStable();
    if (!isEnd && clock.now() - told < (untilStable ? NIGHTLY_QUIET_MS : QUIET_MS)) continue;
    told = clock.now();
    const left = untilStable
      ? `; ${sights} things seen, the last ${done - grown} scenarios ago`
      : isEnd
        ? ''
        : `; about ${lasting(leftMs)} to go`;
    const sofar = untilStable ? counted(done, 'scenario') : `${done} of ${counted(runs, 'scenario')}`;
    machine.out(`  ${sofar}, ${counted(requests, 'request')}, nothing broken${left}`);
    if (isStable()) break;
  }
  if (broken !== undefined) {
    const { failure, share, scenarios } = broken;
    const found = await smallest(laws, failure);
    const file = `onesim-${found.violation.law}-${share.seed}.json`;
    const otherwise = verifying(share.seed, (share.skip ?? 0) + scenarios, profile);
    const { content } = found;
    const again = await saved({ file, content }, machine, { replay: replaying(file), otherwise });
    const ours = [
      '  report    this is a mistake of onesim itself, whatever it judges: please report it with all that is told here',
      `            ${again.isSaved ? `and with ${file}; ` : ''}it was come upon by ${otherwise}`,
    ];
    const end = found.violation.law === 'D3' ? [...again.lines, ...ours] : again.lines;
    const lines = failureReport([...laws, ...TWINS], found.trace, found.violation, end);
    for (const line of lines) machine.out(line);
    machine.out(`✗ broken after ${counted(done, 'scenario')} and ${counted(requests, 'request')}`);
    const reports = new Map([[found.violation.law, lines]]);
    const judged = { name, verdict: { checks, violations: [found.violation] }, reports, trace: found.trace };
    return { judged, trace: found.trace, broken: true, isEnough: false };
  }
  const all = [...laws, ...TWINS];
  const idle = all.filter(({ id }) => !checks.get(id)).map(({ id }) => id);
  const count = [...checks.values()].reduce((sum, each) => sum + each, 0);
  if (count > 0) machine.out(`✓ ${all.length - idle.length} laws held in ${count} checks`);
  if (idle.length > 0) machine.out(`  never judged: ${idle.join(', ')}`);
  if (doubts > 0) machine.out(`  let pass ${doubts} times, since too much would have been right`);
  if (untilStable) {
    const since = done - grown;
    machine.out(isStable() ? `  nothing new in the last ${since} scenarios` : '✗ there is still something new to see');
  }
  const vacuous = idle.filter((id) => !ONLY_BY_HAND.includes(id));
  return {
    judged: { name, verdict: { checks, violations: [] }, reports: new Map() },
    trace: undefined,
    broken: false,
    isEnough: untilStable ? isStable() && vacuous.length === 0 : count > 0 && done === runs,
  };
}

/** What there is to do, as long as it is not over. */
function* sharesOf(
  { seed, from, runs }: StandInSettings,
  profile: Share['profile'],
  isOver: () => boolean,
): Generator<Share> {
  for (let done = 0; done < runs && !isOver(); ) {
    // A part of a run has the scenarios that the whole has in its place.
    const skip = (from + done) % SHARE;
    const count = Math.min(SHARE - skip, runs - done);
    yield { seed: seed + from + done - skip, skip, runs: count, budget: SMALL, profile, twinsEvery: TWINS_EVERY };
    done += count;
  }
}
