/** `onesim run` and `onesim replay`: scenario files, the laws, and a report. */
import { loadContracts } from '../../contracts/contract.ts';
import { flags, type Machine, PROFILES, Problem, reason } from '../../sim/index.ts';
import { Coverage } from './coverage.ts';
import type { Judged } from './junit.ts';
import { fingerprint, type Law } from './law.ts';
import { judge, loadLaws, type Verdict } from './laws.ts';
import { readScenario } from './read-scenario.ts';
import { failureReport, summary } from './report.ts';
import { openReports, REPORT, type ReportFiles } from './report-files.ts';
import { CREDENTIALS, type Credentials } from './request.ts';
import { runScenario } from './runner.ts';
import type { Scenario } from './scenario.ts';
import { storyOf } from './story.ts';
import { type Trace, writeTrace } from './trace.ts';
import { inProcess, overHttp, type Transport } from './transport.ts';
import { WALL_CLOCK } from './wall-clock.ts';

const { optional, readFlags, session, url } = flags;

type Client = Pick<Machine, 'readFile' | 'out'>;

/** As everywhere on the command line: 0 fine, 1 a law was broken, 2 bad usage, 4 nothing was checked. */
type ExitCode = 0 | 1 | 4;

interface Settings {
  readonly files: readonly string[];
  readonly target: string | undefined;
  readonly credentials: Credentials;
  readonly reports: ReportFiles;
}

/** @throws Problem */
export async function runFiles(args: readonly string[], machine: Client): Promise<ExitCode> {
  const settings = settingsOf(args);
  // Every file is read before the first is run: a mistake in the last must not cost the time of all others.
  const scenarios = await Promise.all(settings.files.map((file) => load(file, machine)));
  const report = await openReports(settings.reports);
  const laws = await loadLaws();
  const judged: Judged[] = [];
  const traces: Trace[] = [];
  const contracts = await loadContracts();
  const coverage = new Coverage(contracts);
  let requests = 0;
  for (const [n, scenario] of scenarios.entries()) {
    const file = settings.files[n] ?? '';
    const trace = await runScenario(scenario, await transportOf(settings, scenario), {
      credentials: settings.credentials,
    });
    const story = storyOf(trace);
    const verdict = judge(laws, trace, story);
    coverage.add(story);
    requests += trace.lines.filter(({ kind }) => kind === 'exchange').length;
    for (const line of summary(scenario.name ?? file, trace, verdict)) machine.out(line);
    const reports = reportsOf(laws, trace, verdict, file);
    for (const lines of reports.values()) for (const line of lines) machine.out(line);
    judged.push({ name: scenario.name ?? file, verdict, reports });
    traces.push(trace);
  }
  await report({ laws, judged, traces, contracts, coverage });
  if (judged.some(({ verdict }) => verdict.violations.length > 0)) return 1;
  if (requests > 0) return 0;
  machine.out('Nothing was asked of the target, so nothing was checked.');
  return 4;
}

const TIMES = 3;

/** @throws Problem */
export async function replayFile(args: readonly string[], machine: Client): Promise<ExitCode> {
  const { files, target } = settingsOf(args);
  const [file] = files;
  if (file === undefined || files.length > 1) throw new Problem('replay takes one file');
  if (target !== undefined) throw new Problem('replay is for the stand-in; onesim run FILE --target URL asks a server');
  const scenario = await load(file, machine);
  const laws = await loadLaws();
  const seen = new Set<string>();
  let last: { trace: Trace; verdict: Verdict } | undefined;
  for (let n = 0; n < TIMES; n++) {
    const trace = await runScenario(scenario, await inProcess(scenario));
    last = { trace, verdict: judge(laws, trace) };
    seen.add(writeTrace(trace));
  }
  if (last === undefined) return 4;
  const { trace, verdict } = last;
  for (const line of summary(scenario.name ?? file, trace, verdict)) machine.out(line);
  for (const lines of reportsOf(laws, trace, verdict, file).values()) for (const line of lines) machine.out(line);
  if (seen.size > 1) {
    machine.out(`✗ D3: ${TIMES} runs of it left ${seen.size} different traces: a mistake of onesim, please report it`);
    return 1;
  }
  machine.out(`  ${TIMES} of ${TIMES} runs left the same trace`);
  return verdict.violations.length > 0 ? 1 : 0;
}

async function load(file: string, machine: Client): Promise<Scenario> {
  let content: string;
  try {
    content = await machine.readFile(file);
  } catch (error) {
    throw new Problem(`${file}: ${reason(error)}`);
  }
  return readScenario(content, file);
}

async function transportOf({ target }: Settings, scenario: Scenario): Promise<Transport> {
  if (target === undefined) return inProcess(scenario);
  const transport = overHttp(target, [...PROFILES[scenario.profile ?? 'upstream']], WALL_CLOCK);
  try {
    await transport.send(new Request(`${target}/server/version`));
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    throw new Problem(`--target: ${target} does not answer: ${reason(cause)}`);
  }
  return transport;
}

/** One report for each law that is broken: what is told of its first breach, and how many more kinds there are. */
export function reportsOf(laws: readonly Law[], trace: Trace, verdict: Verdict, file: string): Map<string, string[]> {
  const reports = new Map<string, string[]>();
  for (const violation of verdict.violations) {
    const lines = reports.get(violation.law);
    if (lines === undefined) reports.set(violation.law, failureReport(laws, trace, violation, file));
    else lines.push(`  also      ${fingerprint(violation)}, at ${violation.at / 1000} s`);
  }
  return reports;
}

// ---- the command line ---------------------------------------------------------------------------------------------

const FLAGS = {
  '--target': optional(url),
  '--auth': optional(session),
  '--other-auth': optional(session),
  '--admin-auth': optional(session),
  '--report': REPORT,
} as const;

/** @throws Problem */
function settingsOf(args: readonly string[]): Settings {
  const { flags: told, words } = readFlags(FLAGS, args);
  if (words.length === 0) throw new Problem('name the scenario files to run');
  const target = told['--target'];
  const credentials = { owner: told['--auth'], other: told['--other-auth'], admin: told['--admin-auth'] };
  return { files: words, target, credentials: credentialsOf(credentials, target), reports: told['--report'] };
}

/** Those of our own worlds, unless others are given: then only they. */
export function credentialsOf(named: Credentials, target: string | undefined): Credentials {
  return target === undefined || named.owner === undefined ? { ...CREDENTIALS, ...defined(named) } : named;
}

const defined = (named: Credentials): Partial<Credentials> =>
  Object.fromEntries(Object.entries(named).filter(([, session]) => session !== undefined));
