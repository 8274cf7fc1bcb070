/**
 * A server held against the stand-in: the same scenario on both, and what differs in status, in shape, in the states that
 * are gone through, and in how long that takes. Ids, names and addresses are each one's own.
 */
import type { FunctionState } from '../../../sim/index.ts';
import type { Judged } from '../junit.ts';
import type { Violation } from '../law.ts';
import { runScenario } from '../runner.ts';
import type { Scenario } from '../scenario.ts';
import { storyOf } from '../story.ts';
import type { Trace } from '../trace.ts';
import { inProcess } from '../transport.ts';
import { comparedTimings, timingLines, timingsOf, unlikeTimings } from './timings.ts';

/** What a server and the stand-in are held against each other for. */
const LIKENESS = [
  { id: 'F1', sentence: 'Every step is answered with the status and the shape that the stand-in answers with.' },
  { id: 'F2', sentence: 'A runtime goes from one state to another only where one on the stand-in does.' },
  { id: 'F3', sentence: 'Each of these steps takes as long as on the stand-in, within the tolerance.' },
] as const;

type Likeness = (typeof LIKENESS)[number]['id'];

export interface Fidelity {
  readonly judged: Judged;
  /** A line for every difference. */
  readonly differences: readonly string[];
  /** A line for every step of the life cycle: how long it takes on either side. */
  readonly timings: readonly string[];
}

/**
 * @param name of what is compared
 * @param profile of the stand-in
 * @param tolerance how many times as long, or as short, a step may take there
 */
export async function compareWithStandIn(
  name: string,
  traces: readonly Trace[],
  profile: NonNullable<Scenario['profile']>,
  tolerance: number,
): Promise<Fidelity> {
  const checks = new Map<Likeness, number>();
  const reports = new Map<Likeness, string[]>();
  const held = (law: Likeness, count: number, lines: readonly string[]): void => {
    checks.set(law, (checks.get(law) ?? 0) + count);
    if (lines.length > 0) reports.set(law, [...(reports.get(law) ?? []), ...lines]);
  };
  const mine: Trace[] = [];
  for (const trace of traces) {
    const scenario: Scenario = { ...standard(trace.run.scenario), profile, timing: 'realistic' };
    const ours = await runScenario(scenario, await inProcess(scenario));
    const told = (lines: readonly string[]): string[] => lines.map((line) => `${scenario.name ?? ''}: ${line}`);
    held('F1', answersOf(trace).size, told(unlikeAnswers(trace, ours)));
    held('F2', edgesOf(trace).size, told(unlikeEdges(trace, ours)));
    mine.push(ours);
  }
  const compared = comparedTimings(timingsOf(traces), timingsOf(mine), tolerance);
  held('F3', compared.length, unlikeTimings(compared, tolerance));
  const violations = Array.from(reports, ([law, lines]) =>
    lines.map((seen): Violation => ({ law, at: 0, subject: name, expected: 'as the stand-in does', seen, edge: seen })),
  );
  const judged: Judged = { name, by: LIKENESS, verdict: { checks, violations: violations.flat() }, reports };
  return { judged, differences: [...reports.values()].flat(), timings: timingLines(compared) };
}

/** With a flavour that the stand-in has. */
function standard(scenario: Scenario): Scenario {
  const steps = scenario.steps.map((step) => {
    if (!('args' in step) || step.args?.faas === undefined || step.op !== 'create') return step;
    const { FLAVOUR } = step.args.faas;
    const known = FLAVOUR === undefined || step.expect?.status !== 201;
    return known ? step : { ...step, args: { ...step.args, faas: { ...step.args.faas, FLAVOUR: 'Function' } } };
  });
  return { ...scenario, steps };
}

function unlikeAnswers(theirs: Trace, ours: Trace): string[] {
  const mine = answersOf(ours);
  return [...answersOf(theirs)].flatMap(([step, { status, shape }]) => {
    const own = mine.get(step);
    if (own === undefined) return [`${step}: it answers ${status}, the stand-in was not asked`];
    if (own.status !== status) return [`${step}: it answers ${status}, the stand-in ${own.status}`];
    if (own.shape !== shape) return [`${step}: it answers ${shape}, the stand-in ${own.shape}`];
    return [];
  });
}

function unlikeEdges(theirs: Trace, ours: Trace): string[] {
  const known = edgesOf(ours);
  return [...edgesOf(theirs)].flatMap((edge) => (known.has(edge) ? [] : [`it goes ${edge}, the stand-in does not`]));
}

interface Shape {
  readonly status: number | string;
  readonly shape: string;
}

/** Of those that race with another it is left to chance which is first. */
function answersOf({ run, lines }: Trace): Map<string, Shape> {
  const races = run.scenario.steps.filter(({ after }) => after?.event.endsWith('.sent'));
  const racing = new Set(races.flatMap(({ id, after }) => [id, after?.event.replace(/\.sent$/, '')]));
  return new Map(
    lines.flatMap((line): [string, Shape][] => {
      if (line.kind !== 'exchange' || line.step === null || racing.has(line.step)) return [];
      const { response, problem } = line;
      if (response === null) return [[line.step, { status: problem ?? 'nothing', shape: '' }]];
      return [[line.step, { status: response.status, shape: shapeOf(response.body) }]];
    }),
  );
}

/** Keys and kinds of values of a JSON body, in any order; of any other whether there is one. */
function shapeOf(body: string): string {
  if (body === '') return 'nothing';
  try {
    return described(JSON.parse(body));
  } catch {
    return 'a text';
  }
}

function described(value: unknown): string {
  if (Array.isArray(value)) return `[${[...new Set(value.map(described))].sort().join(' | ')}]`;
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, each]) => `${key}: ${described(each)}`).join(', ')}}`;
}

/** Pairs of states that looks show one after the other; what lies between is a matter of when one looks. */
function edgesOf(trace: Trace): Set<string> {
  const edges = new Set<string>();
  for (const { sights } of storyOf(trace).runtimes.values()) {
    let before: FunctionState | undefined;
    for (const { shown } of sights) {
      const state = shown.functions.get('FAAS')?.STATE;
      if (state !== undefined && before !== undefined && state !== before) edges.add(`${before} → ${state}`);
      before = state ?? before;
    }
  }
  return edges;
}
