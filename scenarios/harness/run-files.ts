/** `onesim run` and `onesim replay`: scenario files, the laws, and a report. */
import { loadContracts } from '../../contracts/contract.ts';
import { type exitCodes, flags, type Machine, Problem, reason } from '../../sim/index.ts';
import { replaying, replayLine, visiting } from './again.ts';
import { Coverage } from './coverage.ts';
import { COMMAND_FLAGS, gatekeeperUsers, only } from './flags.ts';
import { distinctNames, type Judged } from './junit.ts';
import type { Law } from './law.ts';
import { addUp, judge, loadLaws, type Verdict } from './laws.ts';
import { readScenario } from './read-scenario.ts';
import { failureReport, furtherReport, summary } from './report.ts';
import { openReports, type ReportFiles } from './report-files.ts';
import { credentialsOf } from './request.ts';
import { runScenario } from './runner.ts';
import type { Scenario } from './scenario.ts';
import { type Stop, stopOf } from './stop.ts';
import { storyOf } from './story.ts';
import { OUTSIDE, type Outside } from './target/outside.ts';
import { isOneadmin } from './target/roles.ts';
import { type VisitSettings, visit } from './target/visit.ts';
import { type Trace, writeTrace } from './trace.ts';
import { inProcess, type Wrap } from './transport.ts';
import { judgeTwins, TWINS } from './twins.ts';

type Client = Pick<Machine, 'readFile' | 'out' | 'stopped'>;

interface Settings extends Omit<VisitSettings, 'target'> {
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
  const scenarios = await Promise.all(settings.files.map((file) => load(file, machine, settings.target !== undefined)));
  const report = await openReports(settings.reports);
  const laws = await loadLaws();
  const judged: Judged[] = [];
  const traces: Trace[] = [];
  const contracts = await loadContracts();
  const coverage = new Coverage(contracts);
  let requests = 0;
  const { target } = settings;
  const names = distinctNames();
  const told = (trace: Trace, n: number): void => {
    const file = settings.files[n] ?? '';
    const name = names(trace.run.scenario.name ?? file);
    const story = storyOf(trace);
    const verdict = judge(laws, trace, story);
    coverage.add(story);
    requests += trace.lines.filter(({ kind }) => kind === 'exchange').length;
    for (const line of summary(name, trace, verdict)) machine.out(line);
    const replay = target === undefined ? replaying(file) : visiting(file, trace.run.scenario, { ...settings, target });
    const reports = reportsOf(laws, trace, verdict, [replayLine(replay)]);
    for (const lines of reports.values()) for (const line of lines) machine.out(line);
    judged.push({ name, verdict, reports, trace });
    traces.push(trace);
  };
  const stop = stopOf(machine);
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
    const less = requests === 0 ? NOTHING_ASKED : traces.some(leavesOut) ? LEFT_OUT : undefined;
    if (less !== undefined) machine.out(less);
    return less !== undefined || early ? 4 : 0;
  }
}

const NOTHING_ASKED = 'Nothing was asked of the target, so nothing was checked.';
const LEFT_OUT = 'Something was left out, so less was checked than the scenario asks for.';

/** Whether a step or a fault was. */
const leavesOut = ({ lines }: Trace): boolean => lines.some(({ kind }) => kind === 'skip');

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

/** @param wrap a seeded bug, for tests. @throws Problem */
export async function replayFile(args: readonly string[], machine: Client, wrap?: Wrap): Promise<exitCodes.ExitCode> {
  const { words: files, given } = flags.readFlags(only(['--target']), args);
  const [file] = files;
  if (file === undefined || files.length > 1) throw new Problem('replay takes one file');
  if (given.has('--target'))
    throw new Problem('replay is for the stand-in; onesim run FILE --target URL asks a server');
  const scenario = await load(file, machine, false);
  const laws = await loadLaws();
  const door = (each: Scenario) => inProcess(each, wrap);
  const replay = async (): Promise<{ readonly trace: Trace; readonly verdict: Verdict }> => {
    const trace = await runScenario(scenario, await door(scenario));
    const [mine, twins] = [judge(laws, trace), await judgeTwins(trace, door)];
    const checks = new Map(mine.checks);
    addUp(checks, twins.checks);
    return { trace, verdict: { checks, violations: [...mine.violations, ...twins.violations] } };
  };
  const last = await replay();
  const all = [last, await replay(), await replay()];
  const { trace, verdict } = last;
  const reports = reportsOf([...laws, ...TWINS], trace, verdict, [replayLine(replaying(file))]);
  for (const line of summary(scenario.name ?? file, trace, verdict)) machine.out(line);
  for (const lines of reports.values()) for (const line of lines) machine.out(line);
  const traces = new Set(all.map((each) => writeTrace(each.trace))).size;
  const verdicts = new Set(all.map((each) => JSON.stringify(each.verdict.violations))).size;
  if (traces > 1 || verdicts > 1) {
    const unlike = traces > 1 ? `left ${traces} different traces` : `came to ${verdicts} different verdicts`;
    machine.out(`✗ D3: ${all.length} runs of it ${unlike}: a mistake of onesim, please report it, with ${file}`);
    return 1;
  }
  machine.out(`  ${all.length} of ${all.length} runs left the same trace, and came to the same verdict`);
  if (verdict.violations.length > 0) return 1;
  const isAsked = trace.lines.some(({ kind }) => kind === 'exchange');
  if (isAsked && !leavesOut(trace)) return 0;
  machine.out(isAsked ? LEFT_OUT : NOTHING_ASKED);
  return 4;
}

async function load(file: string, machine: Client, elsewhere: boolean): Promise<Scenario> {
  let content: string;
  try {
    content = await machine.readFile(file);
  } catch (error) {
    throw new Problem(`${file}: ${reason(error)}`);
  }
  return readScenario(content, file, elsewhere);
}

/** One report for each law that is broken: what is told of its first breach, and how many more kinds there are. */
export function reportsOf(
  laws: readonly Pick<Law, 'id' | 'sentence'>[],
  trace: Trace,
  verdict: Verdict,
  again: readonly string[],
): Map<string, string[]> {
  const reports = new Map<string, string[]>();
  for (const violation of verdict.violations) {
    const lines = reports.get(violation.law);
    if (lines === undefined) reports.set(violation.law, failureReport(laws, trace, violation, again));
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
  const { '--target': target, '--allow-oneadmin': isFree } = told;
  const stray = COMMAND_FLAGS.run.ofTargets.find((name) => given.has(name));
  if (target === undefined && stray !== undefined) {
    throw new Problem(`${stray} says something of a server, and no --target is given`);
  }
  const tenant = (['--auth', '--other-auth'] as const).find((name) => isOneadmin(told[name]));
  if (target !== undefined && tenant !== undefined && !isFree) {
    throw new Problem(`${tenant}: oneadmin may do too much for a test; --allow-oneadmin lets it`);
  }
  const named = { owner: told['--auth'], other: told['--other-auth'], admin: told['--admin-auth'] };
  return {
    files: words,
    target,
    isFree,
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
