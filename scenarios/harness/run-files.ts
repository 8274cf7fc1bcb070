/** `onesim run` and `onesim replay`: scenario files, the laws, and a report. */
import { writeFile } from 'node:fs/promises';
import { type Machine, PROFILES, Problem, reason, suggestion } from '../../sim/index.ts';
import { type Judged, junit } from './junit.ts';
import { fingerprint, type Law } from './law.ts';
import { judge, loadLaws, type Verdict } from './laws.ts';
import { readScenario } from './read-scenario.ts';
import { failureReport, summary } from './report.ts';
import { CREDENTIALS, type Credentials } from './request.ts';
import { runScenario } from './runner.ts';
import type { Scenario } from './scenario.ts';
import { type Trace, writeTrace } from './trace.ts';
import { inProcess, overHttp, type Transport } from './transport.ts';
import { WALL_CLOCK } from './wall-clock.ts';

type Client = Pick<Machine, 'readFile' | 'out'>;

/** As everywhere on the command line: 0 fine, 1 a law was broken, 2 bad usage, 4 nothing was checked. */
type ExitCode = 0 | 1 | 4;

const REPORTS = ['junit', 'ndjson'] as const;
type Report = (typeof REPORTS)[number];

interface Settings {
  readonly files: readonly string[];
  readonly target: string | undefined;
  readonly credentials: Credentials;
  readonly reports: ReadonlyMap<Report, string>;
}

/** @throws Problem */
export async function runFiles(args: readonly string[], machine: Client): Promise<ExitCode> {
  const settings = settingsOf(args);
  // Every file is read before the first is run: a mistake in the last must not cost the time of all others.
  const scenarios = await Promise.all(settings.files.map((file) => load(file, machine)));
  const laws = await loadLaws();
  const judged: Judged[] = [];
  const traces: Trace[] = [];
  let requests = 0;
  for (const [n, scenario] of scenarios.entries()) {
    const file = settings.files[n] ?? '';
    const trace = await runScenario(scenario, await transportOf(settings, scenario), {
      credentials: settings.credentials,
    });
    const verdict = judge(laws, trace);
    requests += trace.lines.filter(({ kind }) => kind === 'exchange').length;
    for (const line of summary(scenario.name ?? file, trace, verdict)) machine.out(line);
    const reports = reportsOf(laws, trace, verdict, file);
    for (const lines of reports.values()) for (const line of lines) machine.out(line);
    judged.push({ name: scenario.name ?? file, verdict, reports });
    traces.push(trace);
  }
  await write(settings, 'junit', () => junit(laws, judged));
  await write(settings, 'ndjson', () => traces.map(writeTrace).join(''));
  if (judged.some(({ verdict }) => verdict.violations.length > 0)) return 1;
  if (requests > 0) return 0;
  machine.out('Nothing was asked of the target, so nothing was checked.');
  return 4;
}

/** A scenario that is in no file, against a server. @throws Problem */
export async function judgeTarget(
  laws: readonly Law[],
  scenario: Scenario,
  machine: Pick<Client, 'out'>,
  target: string,
  session: string | undefined,
): Promise<ExitCode> {
  const given = session === undefined ? [] : ['--auth', session];
  const settings = settingsOf([scenario.name ?? '', '--target', target, ...given]);
  const { credentials } = settings;
  const trace = await runScenario(scenario, await transportOf(settings, scenario), { credentials });
  const verdict = judge(laws, trace);
  for (const line of summary(scenario.name ?? '', trace, verdict)) machine.out(line);
  for (const lines of reportsOf(laws, trace, verdict, '').values()) for (const line of lines) machine.out(line);
  return verdict.violations.length > 0 ? 1 : 0;
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
function reportsOf(laws: readonly Law[], trace: Trace, verdict: Verdict, file: string): Map<string, string[]> {
  const reports = new Map<string, string[]>();
  for (const violation of verdict.violations) {
    const lines = reports.get(violation.law);
    if (lines === undefined) reports.set(violation.law, failureReport(laws, trace, violation, file));
    else lines.push(`  also      ${fingerprint(violation)}, at ${violation.at / 1000} s`);
  }
  return reports;
}

async function write({ reports }: Settings, kind: Report, content: () => string): Promise<void> {
  const file = reports.get(kind);
  if (file === undefined) return;
  try {
    await writeFile(file, content());
  } catch (error) {
    throw new Problem(`--report: cannot write ${file}: ${reason(error)}`);
  }
}

// ---- the command line ---------------------------------------------------------------------------------------------

const FLAGS = ['--target', '--auth', '--other-auth', '--admin-auth', '--report'] as const;
type Flag = (typeof FLAGS)[number];

/** @throws Problem */
function settingsOf(args: readonly string[]): Settings {
  const files: string[] = [];
  const given = new Map<Flag, string>();
  for (let n = 0; n < args.length; n++) {
    const arg = args[n] ?? '';
    if (!arg.startsWith('-')) {
      files.push(arg);
      continue;
    }
    const [word = '', ...rest] = arg.split('=');
    const flag = FLAGS.find((each) => each === word);
    if (flag === undefined) throw new Problem(`unknown flag ${JSON.stringify(word)}${suggestion(word, FLAGS)}`);
    const value = rest.length > 0 ? rest.join('=') : args[++n];
    if (value === undefined || value === '') throw new Problem(`${flag} needs a value`);
    given.set(flag, value);
  }
  if (files.length === 0) throw new Problem('name the scenario files to run');
  const target = given.get('--target');
  if (target !== undefined && !(URL.canParse(target) && /^https?:$/.test(new URL(target).protocol))) {
    throw new Problem(`--target: expected a URL such as http://127.0.0.1:1337, not ${JSON.stringify(target)}`);
  }
  return {
    files,
    target: target?.replace(/\/+$/, ''),
    credentials: credentialsOf(given, target),
    reports: reportFiles(given.get('--report')),
  };
}

/** Those of our own worlds, unless others are given: then only they. */
function credentialsOf(given: ReadonlyMap<Flag, string>, target: string | undefined): Credentials {
  const named = {
    owner: given.get('--auth'),
    other: given.get('--other-auth'),
    admin: given.get('--admin-auth'),
  };
  for (const session of Object.values(named)) {
    if (session !== undefined && !/^[^:]+:/.test(session)) throw new Problem('credentials are given as user:password');
  }
  return target === undefined || named.owner === undefined ? { ...CREDENTIALS, ...defined(named) } : named;
}

const defined = (named: Credentials): Partial<Credentials> =>
  Object.fromEntries(Object.entries(named).filter(([, session]) => session !== undefined));

function reportFiles(value: string | undefined): ReadonlyMap<Report, string> {
  const files = new Map<Report, string>();
  for (const part of value?.split(',') ?? []) {
    const [word = '', ...rest] = part.split('=');
    const kind = REPORTS.find((each) => each === word);
    if (kind === undefined)
      throw new Problem(`--report: unknown form ${JSON.stringify(word)}${suggestion(word, REPORTS)}`);
    if (rest.length === 0 || rest.join('=') === '')
      throw new Problem(`--report: ${kind} needs a file, as in ${kind}=FILE`);
    files.set(kind, rest.join('='));
  }
  return files;
}
