/**
 * `onesim verify --target`: what a server is, which known departures from the contract it shows, and whether it keeps the
 * laws at the level that was asked for. Whatever happens, what was made there is deleted.
 */
import { checkExchange } from '../../../contracts/conformance.ts';
import { type Contract, loadContracts } from '../../../contracts/contract.ts';
import { type Machine, Problem } from '../../../sim/index.ts';
import type { Judged } from '../junit.ts';
import type { Law } from '../law.ts';
import { NEVER_TIMES, slownessOf } from '../laws/patience.ts';
import { contractual } from '../laws/record.ts';
import { judge } from '../laws.ts';
import { authorization, type Credentials } from '../request.ts';
import { reportsOf } from '../run-files.ts';
import { runScenario } from '../runner.ts';
import { storyOf } from '../story.ts';
import { ENDED, type Trace } from '../trace.ts';
import { cleanUp, type Left } from './clean-up.ts';
import { applies, type Departure, departuresOf, profileOf, statusUpstream, verdictOf } from './departures.ts';
import { Ledger } from './ledger.ts';
import { atLeast, changing, type Level, reading, type Wanted } from './levels.ts';
import type { Outside } from './outside.ts';
import { type Recognised, recognise } from './recognise.ts';
import { stageOf } from './stage.ts';
import { problemOf, Wire } from './wire.ts';

export interface TargetSettings {
  readonly target: string;
  readonly credentials: Credentials;
  readonly level: Level;
  readonly profile: 'upstream' | 'contract' | 'auto';
  readonly flavour: string;
  readonly seed: number;
  readonly runs: number;
  readonly rate: number;
  readonly timeoutMs: number;
  readonly maxDurationMs: number;
  readonly ledger: string;
  /** The control API of the stand-in that the target runs on, when it is a real engine on a cloud of ours. */
  readonly control: string | undefined;
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
  /** Whether it was ended before all was done. */
  readonly early: boolean;
}

export interface Stop {
  readonly aborted: boolean;
}

/** The longest that nothing is told, and the longest that is waited for what is on a cloud of ours. */
const [QUIET_MS, STAND_IN_MS] = [10_000, 15_000];

export async function verifyEngine(
  laws: readonly Law[],
  settings: TargetSettings,
  outside: Outside,
  machine: Pick<Machine, 'out'>,
  stop: Stop,
): Promise<Outcome> {
  const run = await begin(settings, outside, machine);
  const { wire, ledger, recognised } = run;
  const started = wire.now();
  const ending = {
    get aborted() {
      return stop.aborted || wire.now() - started >= settings.maxDurationMs;
    },
  };
  const level = recognised.doubt === undefined ? settings.level : 'read';
  const contracts = await loadContracts();
  const contract = contractIn(contracts, 'engine.yaml');
  const rows = contract.deviations.filter((row) => applies(row, recognised.version));

  const tidy = async (): Promise<readonly Left[]> => {
    // What a fault holds up on a stand-in is not worth waiting for.
    const patienceMs = settings.control === undefined ? NEVER_TIMES * recognised.bounds.pendingMs : STAND_IN_MS;
    const session = settings.credentials.owner ?? '';
    const gone = ({ n }: { readonly n: number }): Promise<void> => ledger.gone(n);
    return cleanUp(ledger.open, { wire, session, patienceMs, gone });
  };

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
    const tidied = async (): Promise<void> => {
      await stage.disarm();
      await tidy();
      // Nobody minds what is left on a cloud of ours, as long as it leaves room for what comes next.
      if (settings.control === undefined) return;
      if (settings.credentials.admin !== undefined) await stage.terminate();
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
    }
    if (settings.profile === 'auto') profile = profileOf(departures);
    for (const line of departureLines(departures, profile, settings.profile)) machine.out(line);

    const wanted: Wanted = {
      ...{ level, profile, flavour: settings.flavour, mark: ledger.mark },
      others: settings.credentials.other !== undefined,
    };
    const scenarios = [reading(wanted), ...changing(wanted, settings.seed, settings.runs)];
    const expected = profile === 'upstream' ? rows.map(({ id }) => id) : [];
    const first = wire.now();
    for (const [n, scenario] of scenarios.entries()) {
      if (ending.aborted || ledger.open.length > 0) break;
      const trace = await runScenario(scenario, wire.transport(expected, recognised.bounds), {
        credentials: settings.credentials,
        patienceMs: NEVER_TIMES * recognised.bounds.pendingMs + 10_000,
        pollMs: 500,
        signal: ending,
      });
      const each = { name: scenario.name ?? '', ...reported(laws, trace) };
      judged.push(each);
      traces.push(trace);
      await tidy();
      const leftMs = ((wire.now() - first) / (n + 1)) * (scenarios.length - n - 1);
      for (const line of scenarioLines(each, trace, n, scenarios.length, leftMs)) machine.out(line);
    }
  } finally {
    left = await tidy();
  }
  const early = ending.aborted;
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

function reported(laws: readonly Law[], trace: Trace): Omit<Judged, 'name'> {
  const verdict = judge(laws, trace);
  return { verdict, reports: reportsOf(laws, trace, verdict, '') };
}

interface Begun {
  readonly wire: Wire;
  readonly ledger: Ledger;
  readonly recognised: Recognised;
}

/** @throws Problem */
async function begin(settings: TargetSettings, outside: Outside, machine: Pick<Machine, 'out'>): Promise<Begun> {
  const { target, credentials, level, rate, timeoutMs } = settings;
  const changes = atLeast(level, 'crud');
  const durable = changes ? await outside.durable(settings.ledger) : async () => {};
  const ledger = new Ledger(outside.mark(), durable);
  const secrets = Object.values(credentials).filter((session) => session !== undefined);
  const wire = new Wire(outside, ledger, { target, rate, serial: level !== 'concurrent', timeoutMs, secrets });
  let recognised: Recognised;
  try {
    recognised = await recognise(wire, settings.control);
  } catch (error) {
    throw new Problem(`--target: ${target} does not answer: ${problemOf(error)}`);
  }
  const { version, doubt, takesFaults } = recognised;
  machine.out(
    doubt === undefined
      ? `${target}: Provisioning Engine ${version}${takesFaults ? (settings.control === undefined ? ', a stand-in' : ', on a stand-in') : ''}, level ${level}`
      : `${target}: no Provisioning Engine that is known: ${doubt}`,
  );
  if (doubt !== undefined) {
    if (changes) machine.out('  what is not recognised is not changed: level read');
    return { wire, ledger, recognised };
  }
  await refuseStrangers(wire, credentials);
  if (!changes) return { wire, ledger, recognised };
  await ledger.begin(target, credentials.owner?.split(':')[0] ?? '');
  machine.out(`  all that is made is called ${ledger.mark}-…, and is in ${settings.ledger}`);
  return { wire, ledger, recognised };
}

/** Credentials that do not hold would make every other answer look wrong. @throws Problem */
async function refuseStrangers(wire: Wire, credentials: Credentials): Promise<void> {
  const roles = { '--auth': credentials.owner, '--other-auth': credentials.other };
  for (const [flag, session] of Object.entries(roles)) {
    if (session === undefined) continue;
    const headers = authorization(session, 'good');
    const answer = await wire.send(new Request(`${wire.target}/serverless-runtimes/2000000000`, { headers }));
    if (answer.status === 401) throw new Problem(`${flag}: ${wire.target} does not let ${session.split(':')[0]} in`);
  }
}

// ---- what is told ---------------------------------------------------------------------------------------------------

const seconds = (ms: number): string =>
  ms < 60_000 ? `${(ms / 1_000).toFixed(1)} s` : `${(ms / 60_000).toFixed(1)} min`;

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
  const took = seconds(trace.lines.at(-1)?.at ?? 0);
  const mark = verdict.violations.length === 0 ? '✓' : '✗';
  const skipped = trace.lines.filter((line) => line.kind === 'skip').filter(({ why }) => why !== ENDED);
  return [
    `  ${mark} ${n + 1} of ${of}  ${name}: ${exchanges} requests in ${took}, ${checks} checks${n + 1 < of ? `; about ${seconds(leftMs)} to go` : ''}`,
    ...skipped.map(({ id, why }) => `      left out  ${id}: ${why}`),
    ...slownessOf(storyOf(trace)).map((line) => `      slow      ${line}`),
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
  const met = [...new Set(traces.flatMap((trace) => metIn(trace, contracts)))].filter((id) => !shown.includes(id));
  return [
    ...(met.length > 0 ? [`  met besides in what was asked: ${met.join(', ')}`] : []),
    ...(idle.length > 0 ? [`  never judged: ${idle.join(', ')}`] : []),
    ...(wire.throttled > 0 ? [`  the server asked ${wire.throttled} times to come again later, and we did`] : []),
    ...left.map(({ entry, why }) => `  left there: ${leftName(entry)}: ${why}`),
    `${broken === 0 ? '✓' : '✗'} ${api}, profile ${profile}: ${broken === 0 ? 'nothing' : broken} broken, ${count} checks, ${judged.length} scenarios, ${wire.sent} requests in ${seconds(wire.now())}${early ? ', ended early' : ''}`,
  ];
}

export const leftName = ({ id, names, mark, n }: Left['entry']): string =>
  `${id === undefined ? 'a runtime of unknown id' : `runtime ${id}`}, ${names[0] ?? `creation ${n} of ${mark}`}`;

/** Departures without which an answer would have been a violation. */
function metIn({ run, lines }: Trace, contracts: readonly Contract[]): string[] {
  const expected = new Set(run.deviations);
  return lines.flatMap((line) => {
    if (line.kind !== 'exchange' || line.response === null) return [];
    const { response } = line;
    return checkExchange(contracts, contractual({ ...line, response }), expected).deviation ?? [];
  });
}
