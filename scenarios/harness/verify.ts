/**
 * `onesim verify`: generated scenarios against the stand-in in this process, or, with `--target`, against a real server,
 * as far as the level lets it.
 */
import { writeFile } from 'node:fs/promises';
import { loadContracts } from '../../contracts/contract.ts';
import { type Machine, Problem, reason } from '../../sim/index.ts';
import { Coverage } from './coverage.ts';
import { SMALL } from './generator.ts';
import type { Judged } from './junit.ts';
import type { Law } from './law.ts';
import { loadLaws } from './laws.ts';
import { search } from './property.ts';
import { failureReport } from './report.ts';
import { openReports } from './report-files.ts';
import { storyOf } from './story.ts';
import { compareWithStandIn } from './target/against.ts';
import { judgedDepartures } from './target/departures.ts';
import { GATEKEEPER_LAW, verifyGatekeeper } from './target/gatekeeper.ts';
import { OUTSIDE, type Outside } from './target/outside.ts';
import { type Outcome, type Stop, verifyEngine } from './target/target.ts';
import type { Trace } from './trace.ts';
import { TWINS } from './twins.ts';
import { sightLines, sightsOf } from './unseen.ts';
import { type ServerSettings, type StandInSettings, verifySettings } from './verify-settings.ts';

type Client = Pick<Machine, 'out' | 'stopped'>;

/** As everywhere: 0 fine, 1 a law or the contract was broken, 3 something was left behind, 4 too little was checked. */
type ExitCode = 0 | 1 | 3 | 4;

/** What a run came to, to be written down. */
interface Ended {
  readonly code: ExitCode;
  readonly judged: readonly Judged[];
  readonly traces: readonly Trace[];
}

/** @throws Problem */
export async function verify(args: readonly string[], machine: Client, outside: Outside = OUTSIDE): Promise<ExitCode> {
  const settings = verifySettings(args);
  const report = await openReports(settings.reports);
  const stop = stopOf(machine);
  const laws = await loadLaws();
  const contracts = await loadContracts();
  const coverage = new Coverage(contracts);
  const { code, judged, traces } =
    settings.on === 'stand-in'
      ? await verifyStandIn(laws, settings, machine, stop, coverage)
      : await verifyTarget(laws, settings, outside, machine, stop);
  if (settings.on === 'target') for (const trace of traces) coverage.add(storyOf(trace));
  await report({ laws: [...laws, ...TWINS, GATEKEEPER_LAW], judged, traces, contracts, coverage });
  return code;
}

function stopOf(machine: Client): Stop {
  const stop = { aborted: false };
  machine.stopped().then(() => {
    stop.aborted = true;
    machine.out('Stopping: what is under way is waited for, and what was made is deleted. Once more ends at once.');
  });
  return stop;
}

// ---- a server -----------------------------------------------------------------------------------------------------

async function verifyTarget(
  laws: readonly Law[],
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
  for (const { traces, profile } of settings.against ? outcomes : []) {
    const differences = await compareWithStandIn(traces, profile);
    unlike += differences.length;
    for (const line of differences) machine.out(`  unlike    ${line}`);
    machine.out(`${differences.length === 0 ? '✓ like' : `✗ ${differences.length} times unlike`} the stand-in`);
  }
  const judged = outcomes.flatMap(({ api, departures, profile, judged: scenarios }) => [
    judgedDepartures(api, departures, profile),
    ...scenarios,
  ]);
  const traces = outcomes.flatMap((each) => each.traces);
  return { code: codeOf(outcomes, unlike), judged, traces };
}

function codeOf(outcomes: readonly Outcome[], unlike: number): ExitCode {
  if (outcomes.some(({ left }) => left.length > 0)) return 3;
  if (unlike > 0 || outcomes.some(({ broken }) => broken > 0)) return 1;
  const isEnough = ({ judged, early }: Outcome): boolean => judged.length > 0 && !early;
  return outcomes.length > 0 && outcomes.every(isEnough) ? 0 : 4;
}

// ---- the stand-in -------------------------------------------------------------------------------------------------

/** Scenarios between two lines of progress. */
const SHARE = 50;
/** Every so many scenarios is also run again, in three ways. */
const TWINS_EVERY = 10;

/** With nothing new in so many scenarios, more of them will hardly bring any. */
const STABLE_AFTER = 1_000;
/** Laws that no generated scenario has anything for: expectations, which a person writes. */
const ONLY_BY_HAND = ['E1'];

async function verifyStandIn(
  laws: readonly Law[],
  { seed, runs, profile, maxDurationMs, shard, untilStable }: StandInSettings,
  machine: Client,
  stop: Stop,
  coverage: Coverage,
): Promise<Ended> {
  const { clock } = OUTSIDE;
  const started = clock.now();
  const checks = new Map<string, number>();
  let [done, requests] = [0, 0];
  /** How much had been seen, and after how many scenarios it last was more. */
  let [sights, grown] = [0, 0];
  const isStable = (): boolean => untilStable && done - grown >= STABLE_AFTER;
  const part = shard.of > 1 ? `, part ${shard.i} of ${shard.of}` : '';
  machine.out(`The stand-in, profile ${profile}, ${runs} scenarios from seed ${seed}${part}`);
  const ended = (
    code: ExitCode,
    reports: Judged['reports'],
    traces: readonly Trace[],
    violations: Judged['verdict']['violations'],
  ): Ended => ({
    code,
    judged: [{ name: `the stand-in, profile ${profile}`, verdict: { checks, violations }, reports }],
    traces,
  });
  while (done < runs && !isStable() && !stop.aborted && clock.now() - started < maxDurationMs) {
    const share = Math.min(SHARE, runs - done);
    const options = { seed: seed + done, runs: share, budget: SMALL, profile, twinsEvery: TWINS_EVERY, coverage };
    const { scenarios, requests: sent, checks: held, found } = await search(laws, options);
    done += scenarios;
    requests += sent;
    if (coverage.size > sights) [sights, grown] = [coverage.size, done];
    const twins = TWINS.map(({ id }) => [id, Math.ceil(scenarios / TWINS_EVERY)] as const);
    for (const [law, count] of [...held, ...twins]) checks.set(law, (checks.get(law) ?? 0) + count);
    if (found !== undefined) {
      const file = `onesim-${found.violation.law}-${seed + done - scenarios}.json`;
      await save(file, found.content);
      const lines = failureReport([...laws, ...TWINS], found.trace, found.violation, file);
      for (const line of lines) machine.out(line);
      machine.out(`✗ broken after ${done} scenarios and ${requests} requests`);
      return ended(1, new Map([[found.violation.law, lines]]), [found.trace], [found.violation]);
    }
    const leftMs = ((clock.now() - started) / done) * (runs - done);
    const left = done < runs && !untilStable ? `; about ${Math.ceil(leftMs / 1_000)} s to go` : '';
    machine.out(`  ${done} of ${runs} scenarios, ${requests} requests, nothing broken${left}`);
  }
  const idle = laws.filter(({ id }) => !checks.get(id)).map(({ id }) => id);
  const count = [...checks.values()].reduce((sum, each) => sum + each, 0);
  if (count > 0) machine.out(`✓ ${laws.length - idle.length + TWINS.length} laws held in ${count} checks`);
  if (idle.length > 0) machine.out(`  never judged: ${idle.join(', ')}`);
  for (const line of sightLines(coverage)) machine.out(line);
  if (!untilStable) return ended(count === 0 || done < runs ? 4 : 0, new Map(), [], []);
  const vacuous = idle.filter((id) => !ONLY_BY_HAND.includes(id));
  const isWhole = isStable() && vacuous.length === 0 && sightsOf(coverage).every(({ open }) => open.length === 0);
  machine.out(
    isStable() ? `  nothing new in the last ${done - grown} scenarios` : '✗ there is still something new to see',
  );
  return ended(isWhole ? 0 : 4, new Map(), [], []);
}

async function save(file: string, content: string): Promise<void> {
  try {
    await writeFile(file, content);
  } catch (error) {
    throw new Problem(`cannot write ${file}: ${reason(error)}`);
  }
}
