/**
 * `onesim verify --target`: what a server is, which known departures from the contract it shows, and whether it keeps the
 * laws at the level that was asked for. Whatever happens, what was made there is deleted.
 */
import { checkExchange } from '../../../contracts/conformance.ts';
import { type Contract, loadContracts } from '../../../contracts/contract.ts';
import type { Machine } from '../../../sim/index.ts';
import { saved, verifyingServer, visiting } from '../again.ts';
import { doubtsOf } from '../concurrency/verdicts.ts';
import { distinctNames, type Judged } from '../junit.ts';
import type { Law } from '../law.ts';
import { NEVER_TIMES, slownessOf } from '../laws/patience.ts';
import { contractual } from '../laws/record.ts';
import { judge, type Verdict } from '../laws.ts';
import { counted, lasting } from '../report.ts';
import { reportsOf } from '../run-files.ts';
import { runScenario } from '../runner.ts';
import { writeScenario } from '../scenario.ts';
import type { Stop } from '../stop.ts';
import { storyOf } from '../story.ts';
import { ENDED, type Trace } from '../trace.ts';
import type { Left } from './clean-up.ts';
import { applies, type Departure, departuresOf, profileOf, statusUpstream, verdictOf } from './departures.ts';
import { atLeast, changing, type Level, reading, type Wanted } from './levels.ts';
import type { Outside } from './outside.ts';
import { changeOf } from './recognise.ts';
import { stageOf } from './stage.ts';
import { beginStay, type StaySettings } from './stay.ts';
import type { Wire } from './wire.ts';

export interface TargetSettings extends StaySettings {
  readonly level: Level;
  readonly profile: 'upstream' | 'contract' | 'auto';
  readonly flavour: string;
  readonly seed: number;
  readonly runs: number;
}

/** What a verification came to. */
export interface Outcome {
  readonly api: 'engine' | 'gatekeeper';
  readonly judged: readonly Judged[];
  readonly traces: readonly Trace[];
  readonly departures: readonly Departure[];
  readonly profile: 'upstream' | 'contract';
  readonly broken: number;
  readonly left: readonly Left[];
  /** Whether it was ended before all was done, or was a run on more than one server. */
  readonly early: boolean;
}

/** With so many that cannot be found again no more are made: what comes after them can tell where one is. */
const MOST_LOST = 2;
/** The longest that nothing is told. */
const QUIET_MS = 10_000;

export async function verifyEngine(
  laws: readonly Law[],
  settings: TargetSettings,
  outside: Outside,
  machine: Pick<Machine, 'out' | 'writeFile'>,
  stop: Stop,
): Promise<Outcome> {
  const changes = atLeast(settings.level, 'crud');
  const manner = { title: `level ${settings.level}`, changes, serial: settings.level !== 'concurrent' };
  const { wire, ledger, recognised, tidy } = await beginStay(settings, manner, outside, machine, stop);
  if (recognised.doubt !== undefined && changes) machine.out('  what is not recognised is not changed: level read');
  const started = wire.now();
  const ending = {
    get aborted() {
      return stop.aborted || wire.gaveUp || wire.now() - started >= settings.maxDurationMs;
    },
  };
  if (settings.credentials.owner === undefined) machine.out('  without --auth, what anybody may read');
  const level = recognised.doubt === undefined ? settings.level : 'read';
  const contracts = await loadContracts();
  const contract = contractIn(contracts, 'engine.yaml');
  const rows = contract.deviations.filter((row) => applies(row, recognised.version));

  const departures: Departure[] = [];
  const judged: Judged[] = [];
  const traces: Trace[] = [];
  let profile: Outcome['profile'] = settings.profile === 'auto' ? 'upstream' : settings.profile;
  let left: readonly Left[] = [];
  try {
    const stage = stageOf({
      ...{ wire, ledger, credentials: settings.credentials, words: new Map<string, string>() },
      ...{ flavour: settings.flavour, takesFaults: recognised.takesFaults },
      patienceMs: NEVER_TIMES * recognised.bounds.pendingMs,
      frames: outside.frames,
      control: settings.control ?? settings.target,
      asUpstream: (method, path, status) => statusUpstream(contract, departures, method, path, status),
    });
    const circumstances = {
      ...{ level, credentials: settings.credentials, takesFaults: recognised.takesFaults },
      ownCloud: settings.control !== undefined,
      today: outside.today(),
    };
    const ends = settings.control !== undefined && settings.credentials.admin !== undefined;
    if (ends && recognised.takesFaults) await stage.lookAround();
    const tidied = async (): Promise<void> => {
      await tidy();
      // Nobody minds what is left on a cloud of ours, as long as it leaves room for what comes next.
      if (settings.control === undefined) return;
      if (ends && recognised.takesFaults) await stage.terminate();
      for (const { n } of ledger.open) await ledger.gone(n);
    };
    let told = wire.now();
    for await (const departure of departuresOf(rows, circumstances, stage, tidied)) {
      departures.push(departure);
      if (wire.now() - told > QUIET_MS) {
        machine.out(`  known departures: ${departures.length} of ${rows.length} looked at`);
        told = wire.now();
      }
      if (ending.aborted) break;
      if (settings.control === undefined && ledger.open.length >= MOST_LOST) {
        machine.out('  stopped: what the server is made to make cannot be deleted again');
        break;
      }
    }
    if (settings.profile === 'auto') profile = profileOf(departures);
    for (const line of departureLines(departures, profile, settings.profile)) machine.out(line);

    const wanted: Wanted = {
      ...{ level, profile, flavour: settings.flavour, mark: ledger.mark },
      someone: settings.credentials.owner !== undefined,
      others: settings.credentials.other !== undefined,
    };
    const scenarios = [reading(wanted), ...changing(wanted, settings.seed, settings.runs)];
    const expected = profile === 'upstream' ? rows.map(({ id }) => id) : [];
    const first = wire.now();
    const names = distinctNames();
    for (const [n, scenario] of scenarios.entries()) {
      if (ending.aborted || ledger.open.length > 0) break;
      const trace = await runScenario(scenario, wire.transport(expected, recognised.bounds), {
        credentials: settings.credentials,
        patienceMs: NEVER_TIMES * recognised.bounds.pendingMs + 10_000,
        pollMs: 500,
        signal: ending,
      });
      const verdict = judge(laws, trace);
      const again = await againOf('engine', n + 1, trace, verdict, settings, machine);
      const each = {
        name: names(scenario.name ?? ''),
        verdict,
        reports: reportsOf(laws, trace, verdict, again),
        trace,
      };
      judged.push(each);
      traces.push(trace);
      await tidy();
      const leftMs = ((wire.now() - first) / (n + 1)) * (scenarios.length - n - 1);
      for (const line of scenarioLines(each, trace, n, scenarios.length, leftMs)) machine.out(line);
    }
  } finally {
    left = await tidy();
  }
  const changed = wire.gaveUp ? undefined : await changeOf(wire, recognised);
  if (changed !== undefined) machine.out(`  ${changed}`);
  const early = ending.aborted || changed !== undefined;
  const wrong = wrongOf(departures, profile);
  const broken = wrong + judged.reduce((sum, { verdict }) => sum + verdict.violations.length, 0);
  const outcome: Outcome = { api: 'engine', judged, traces, departures, profile, broken, left, early };
  for (const line of closingLines(outcome, laws, contracts, wire)) machine.out(line);
  return outcome;
}

export function contractIn(contracts: readonly Contract[], file: string): Contract {
  const found = contracts.find((each) => each.file === file);
  if (found === undefined) throw new Error(`there is no contract ${file}`);
  return found;
}

export const wrongOf = (departures: readonly Departure[], profile: Outcome['profile']): number =>
  departures.filter((each) => verdictOf(each, profile) !== undefined).length;

/**
 * How what has failed is had again, on that very server. It is not made smaller there: that would be much to ask.
 * @param n which of the scenarios it is
 */
export async function againOf(
  api: Outcome['api'],
  n: number,
  { run: { scenario } }: Trace,
  { violations }: Verdict,
  settings: TargetSettings,
  machine: Pick<Machine, 'writeFile'>,
): Promise<string[]> {
  if (violations.length === 0) return [];
  const { level, flavour, profile, seed, runs } = settings;
  const file = `onesim-${api}-${seed}-${n}.json`;
  const rest = Object.entries({ api, level, flavour, profile, seed, runs });
  const { lines } = await saved({ file, content: writeScenario(scenario) }, machine, {
    replay: visiting(file, scenario, settings),
    otherwise: verifyingServer(
      settings,
      rest.flatMap(([name, value]) => [`--${name}`, `${value}`]),
    ),
  });
  return lines;
}

// ---- what is told ---------------------------------------------------------------------------------------------------

export function departureLines(
  departures: readonly Departure[],
  profile: 'upstream' | 'contract',
  wanted: string,
): string[] {
  const of = (outcome: Departure['outcome']) => departures.filter((each) => each.outcome === outcome);
  const names = (some: readonly Departure[]): string => some.map(({ row }) => row.id).join(', ');
  const shown = of('shown');
  const reasons = new Map<string, Departure[]>();
  for (const each of of('unobserved')) reasons.set(each.why, [...(reasons.get(each.why) ?? []), each]);
  return [
    `  profile ${profile}${wanted === 'auto' ? ', as it shows' : ''}: ${shown.length} of ${departures.length} known departures shown`,
    ...(shown.length > 0 ? [`    shown     ${names(shown)}`] : []),
    ...(of('absent').length > 0 ? [`    not shown ${names(of('absent'))}`] : []),
    ...[...reasons].map(([why, some]) => `    unobserved: ${why}: ${names(some)}`),
    ...departures.flatMap((each) => {
      const wrong = verdictOf(each, profile);
      return wrong === undefined ? [] : [`  ✗ ${each.row.id}: ${wrong}`];
    }),
  ];
}

export function scenarioLines(
  { verdict, name, reports }: Judged,
  trace: Trace,
  n: number,
  of: number,
  leftMs: number,
): string[] {
  const exchanges = trace.lines.filter(({ kind }) => kind === 'exchange').length;
  const checks = [...verdict.checks.values()].reduce((sum, each) => sum + each, 0);
  const took = lasting(trace.lines.at(-1)?.at ?? 0);
  const mark = verdict.violations.length === 0 ? '✓' : '✗';
  const skipped = trace.lines.filter((line) => line.kind === 'skip').filter(({ why }) => why !== ENDED);
  return [
    `  ${mark} ${n + 1} of ${of}  ${name}: ${counted(exchanges, 'request')} in ${took}, ${counted(checks, 'check')}${n + 1 < of ? `; about ${lasting(leftMs)} to go` : ''}`,
    ...skipped.map(({ id, why }) => `      left out  ${id}: ${why}`),
    ...slownessOf(storyOf(trace)).map((line) => `      slow      ${line}`),
    ...doubtsOf(storyOf(trace)).map((line) => `      unsure    ${line}`),
    ...[...reports.values()].flat().map((line) => `    ${line}`),
  ];
}

export function closingLines(
  { api, judged, traces, departures, profile, broken, left, early }: Outcome,
  laws: readonly Law[],
  contracts: readonly Contract[],
  wire: Wire,
): string[] {
  const checks = new Map<string, number>();
  for (const { verdict } of judged) {
    for (const [law, count] of verdict.checks) checks.set(law, (checks.get(law) ?? 0) + count);
  }
  const idle = laws.filter(({ id }) => !checks.get(id)).map(({ id }) => id);
  const count = [...checks.values()].reduce((sum, each) => sum + each, 0);
  const shown = departures.filter(({ outcome }) => outcome === 'shown').map(({ row }) => row.id);
  // What has checked nothing is not green.
  const mark = broken > 0 ? '✗' : count > 0 ? '✓' : '–';
  const told = [counted(count, 'check'), counted(judged.length, 'scenario'), counted(wire.sent, 'request')];
  const met = [...new Set(traces.flatMap((trace) => metIn(trace, contracts)))].filter((id) => !shown.includes(id));
  return [
    ...(met.length > 0 ? [`  met besides in what was asked: ${met.join(', ')}`] : []),
    ...(count > 0 && idle.length > 0 ? [`  never judged: ${idle.join(', ')}`] : []),
    ...(wire.throttled > 0
      ? [`  the server asked ${counted(wire.throttled, 'time')} to come again later, and we did`]
      : []),
    ...left.map(({ what, why }) => `  left there: ${what}: ${why}`),
    `${mark} ${api}, profile ${profile}: ${broken === 0 ? 'nothing' : broken} broken, ${told.join(', ')} in ${lasting(wire.now())}${early ? ', ended early' : ''}`,
  ];
}

/** Departures without which an answer would have been a violation. */
function metIn({ run, lines }: Trace, contracts: readonly Contract[]): string[] {
  const expected = new Set(run.deviations);
  return lines.flatMap((line) => {
    if (line.kind !== 'exchange' || line.response === null) return [];
    const { response } = line;
    return checkExchange(contracts, contractual({ ...line, response }), expected).deviation ?? [];
  });
}
