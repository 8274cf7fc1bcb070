/** `onesim run` and `onesim replay`: scenario files, the laws, and a report. */
import { loadContracts } from '../../contracts/contract.ts';
import { type exitCodes, flags, type Machine, Problem, reason } from '../../sim/index.ts';
import { Coverage } from './coverage.ts';
import { COMMAND_FLAGS, gatekeeperUsers, only } from './flags.ts';
import type { Judged } from './junit.ts';
import type { Law } from './law.ts';
import { judge, loadLaws, type Verdict } from './laws.ts';
import { readScenario } from './read-scenario.ts';
import { failureReport, furtherReport, summary } from './report.ts';
import { openReports, type ReportFiles } from './report-files.ts';
import { credentialsOf } from './request.ts';
import { runScenario } from './runner.ts';
import type { Scenario } from './scenario.ts';
import { type Stop, stopOf } from './stop.ts';
import { storyOf } from './story.ts';
import { OUTSIDE, type Outside } from './target/outside.ts';
import { type VisitSettings, visit } from './target/visit.ts';
import { type Trace, writeTrace } from './trace.ts';
import { inProcess } from './transport.ts';

type Client = Pick<Machine, 'readFile' | 'out' | 'stopped'>;

interface Settings extends Omit<VisitSettings, 'target'> {
  readonly files: readonly string[];
  readonly target: string | undefined;
  readonly reports: ReportFiles;
}

/** @throws Problem */
export async function runFiles(
  args: readonly string[],
  machine: Client,
  outside: Outside = OUTSIDE,
): Promise<exitCodes.ExitCode> {
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
  const told = (trace: Trace, n: number): void => {
    const file = settings.files[n] ?? '';
    const name = trace.run.scenario.name ?? file;
    const story = storyOf(trace);
    const verdict = judge(laws, trace, story);
    coverage.add(story);
    requests += trace.lines.filter(({ kind }) => kind === 'exchange').length;
    for (const line of summary(name, trace, verdict)) machine.out(line);
    const reports = reportsOf(laws, trace, verdict, file);
    for (const lines of reports.values()) for (const line of lines) machine.out(line);
    judged.push({ name, verdict, reports, trace });
    traces.push(trace);
  };
  const stop = stopOf(machine);
  const { target } = settings;
  const { left, early } =
    target === undefined
      ? await playHere(scenarios, settings, outside, stop, told)
      : await visit(scenarios, { ...settings, target }, outside, machine, stop, told);
  if (early) machine.out(`  ended early, ${traces.length} of ${scenarios.length} scenarios begun`);
  const code = codeOf();
  await report({ laws, judged, traces, contracts, coverage });
  return code;

  function codeOf(): exitCodes.ExitCode {
    if (left.length > 0) return 3;
    if (judged.some(({ verdict }) => verdict.violations.length > 0)) return 1;
    if (requests > 0) return early ? 4 : 0;
    machine.out('Nothing was asked of the target, so nothing was checked.');
    return 4;
  }
}

/** On stand-ins in this process. */
async function playHere(
  scenarios: readonly Scenario[],
  { credentials, sessions, maxDurationMs }: Settings,
  { clock }: Outside,
  stop: Stop,
  told: (trace: Trace, n: number) => void,
): Promise<Awaited<ReturnType<typeof visit>>> {
  const started = clock.now();
  const signal = {
    get aborted() {
      return stop.aborted || clock.now() - started >= maxDurationMs;
    },
  };
  for (const [n, scenario] of scenarios.entries()) {
    if (signal.aborted) break;
    told(await runScenario(scenario, await inProcess(scenario), { credentials, sessions, signal }), n);
  }
  return { left: [], early: signal.aborted };
}

const TIMES = 3;

/** @throws Problem */
export async function replayFile(args: readonly string[], machine: Client): Promise<exitCodes.ExitCode> {
  const { words: files, given } = flags.readFlags(only(['--target']), args);
  const [file] = files;
  if (file === undefined || files.length > 1) throw new Problem('replay takes one file');
  if (given.has('--target'))
    throw new Problem('replay is for the stand-in; onesim run FILE --target URL asks a server');
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

/** One report for each law that is broken: what is told of its first breach, and how many more kinds there are. */
export function reportsOf(laws: readonly Law[], trace: Trace, verdict: Verdict, file: string): Map<string, string[]> {
  const reports = new Map<string, string[]>();
  for (const violation of verdict.violations) {
    const lines = reports.get(violation.law);
    if (lines === undefined) reports.set(violation.law, failureReport(laws, trace, violation, file));
    else lines.push(furtherReport(violation));
  }
  return reports;
}

// ---- the command line ---------------------------------------------------------------------------------------------

const RUN_FLAGS = only([...COMMAND_FLAGS.run.own, ...COMMAND_FLAGS.run.ofTargets]);

/** @throws Problem */
function settingsOf(args: readonly string[]): Settings {
  const { flags: told, words, given } = flags.readFlags(RUN_FLAGS, args);
  if (words.length === 0) throw new Problem('name the scenario files to run');
  const [target, owner] = [told['--target'], told['--auth']];
  const stray = COMMAND_FLAGS.run.ofTargets.find((name) => given.has(name));
  if (target === undefined && stray !== undefined) {
    throw new Problem(`${stray} says something of a server, and no --target is given`);
  }
  if (target !== undefined && owner?.startsWith('oneadmin:') && !told['--allow-oneadmin']) {
    throw new Problem('--auth: oneadmin may do too much for a test; --allow-oneadmin lets it');
  }
  const named = { owner, other: told['--other-auth'], admin: told['--admin-auth'] };
  return {
    files: words,
    target,
    credentials: credentialsOf(named, target),
    sessions: gatekeeperUsers(told, target),
    rate: told['--rate'],
    timeoutMs: told['--timeout'],
    maxDurationMs: told['--max-duration'],
    ledger: told['--ledger'],
    control: undefined,
    reports: told['--report'],
  };
}
