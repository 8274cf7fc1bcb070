/**
 * A server held against the stand-in: the same scenario on both, and what differs in status, in shape and in the states
 * that are gone through. Ids, names and addresses are each one's own, and times are told, not judged.
 */
import type { FunctionState } from '../../../sim/index.ts';
import { runScenario } from '../runner.ts';
import type { Scenario } from '../scenario.ts';
import { storyOf } from '../story.ts';
import type { Trace } from '../trace.ts';
import { inProcess } from '../transport.ts';

/** A line for every difference. @param profile of the stand-in */
export async function compareWithStandIn(
  traces: readonly Trace[],
  profile: NonNullable<Scenario['profile']>,
): Promise<string[]> {
  const differences: string[] = [];
  for (const trace of traces) {
    const scenario: Scenario = { ...standard(trace.run.scenario), profile, timing: 'realistic' };
    const ours = await runScenario(scenario, await inProcess(scenario));
    differences.push(...unlike(trace, ours).map((line) => `${scenario.name ?? ''}: ${line}`));
  }
  return differences;
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

/** What of two runs of one scenario is not the same. */
function unlike(theirs: Trace, ours: Trace): string[] {
  const mine = answersOf(ours);
  const lines = [...answersOf(theirs)].flatMap(([step, { status, shape }]) => {
    const own = mine.get(step);
    if (own === undefined) return [`${step}: it answers ${status}, the stand-in was not asked`];
    if (own.status !== status) return [`${step}: it answers ${status}, the stand-in ${own.status}`];
    if (own.shape !== shape) return [`${step}: it answers ${shape}, the stand-in ${own.shape}`];
    return [];
  });
  const known = edgesOf(ours);
  const edges = [...edgesOf(theirs)].filter((edge) => !known.has(edge));
  return [...lines, ...edges.map((edge) => `it goes ${edge}, the stand-in does not`)];
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
