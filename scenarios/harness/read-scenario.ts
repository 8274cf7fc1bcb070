/** Reads a scenario file, and names every mistake in it by its place. */
import { type Flaw, type Path, Problem, readSource, type Source, suggestion } from '../../sim/index.ts';
import { inLanes } from './concurrency/lanes.ts';
import { faultFlaws } from './read-faults.ts';
import { type Fault, faultsOf, named, SCENARIO, type Scenario, type Step } from './scenario.ts';
import { boundName, FAULT_EVENTS, STEP_EVENTS } from './step-parts.ts';

/**
 * @param elsewhere whether it is for a server that is not ours, with a world that is not the scenario's
 * @throws Problem with a line for every mistake
 */
export async function readScenario(content: string, file: string, elsewhere = false): Promise<Scenario> {
  const source = await readSource(content, file);
  refuse(source, SCENARIO.check(source.value, []));
  const scenario = named(source.value as Parameters<typeof named>[0]);
  refuse(source, [...flawsOf(scenario), ...(await faultFlaws(scenario, elsewhere))]);
  return scenario;
}

function refuse(source: Source, flaws: readonly Flaw[]): void {
  if (flaws.length === 0) return;
  const lines = flaws.map(
    ({ path, problem, key }) => `${key ? source.placeOfKey(path) : source.place(path)}: ${problem}`,
  );
  throw new Problem([...new Set(lines)].join('\n'));
}

/** The steps that make what others refer to. */
const MADE_BY = { runtime: 'create', stream: 'metrics.synch' } as const;
const OTHER = { runtime: 'stream', stream: 'runtime' } as const;

/** What a schema cannot say: names are given once, and what is named is there, before it is used. */
export function flawsOf(scenario: Scenario): Flaw[] {
  const flaws: Flaw[] = [];
  const { steps } = scenario;
  const faults = faultsOf(scenario);
  const ids = new Set<string>();
  const bound = { runtime: new Set<string>(), stream: new Set<string>() };
  const unique = (id: string, path: Path): void => {
    if (ids.has(id)) flaws.push({ path, problem: `${JSON.stringify(id)} is used twice` });
    ids.add(id);
  };
  const events = eventNames(scenario);
  const anchored = ({ id, after }: Step | Fault, path: Path): void => {
    if (after === undefined) return;
    const at = [...path, 'after', 'event'];
    if (!events.has(after.event)) {
      const meant = suggestion(after.event, events);
      flaws.push({ path: at, problem: `there is no event ${JSON.stringify(after.event)}${meant}` });
    } else if (after.event.startsWith(`${id}.`)) flaws.push({ path: at, problem: 'it cannot wait for itself' });
  };
  const referred = (reference: string, what: keyof typeof bound, path: Path, when: string): void => {
    const name = boundName(reference);
    if (bound[what].has(name)) return;
    const other = OTHER[what];
    const is = bound[other].has(name) ? `, which is a ${other}` : '';
    const meant = is === '' ? suggestion(name, bound[what]) : '';
    flaws.push({ path, problem: `no ${MADE_BY[what]} ${when} binds ${JSON.stringify(name)}${is}${meant}` });
  };

  for (const [n, step] of steps.entries()) {
    const path = ['steps', n];
    unique(step.id, [...path, 'id']);
    anchored(step, path);
    if ('ref' in step && step.ref !== undefined && !(step.ref === 'none' && step.op !== 'prometheus.query')) {
      referred(step.ref, step.op.startsWith('ws.') ? 'stream' : 'runtime', [...path, 'ref'], 'before it');
    }
    if ('bind' in step && step.bind !== undefined) {
      const isTaken = Object.values(bound).some((names) => names.has(step.bind ?? ''));
      if (isTaken) flaws.push({ path: [...path, 'bind'], problem: `${step.bind} is bound twice` });
      bound[step.op === 'create' ? 'runtime' : 'stream'].add(step.bind);
    }
    const bodies = ['args', 'send', 'sendText'].filter((key) => key in step);
    if (bodies.length > 1) flaws.push({ path, problem: `${bodies.join(' and ')} cannot both be the body` });
  }
  for (const [n, fault] of faults.entries()) {
    const path = ['faults', n];
    unique(fault.id, [...path, 'id']);
    anchored(fault, path);
    if ('ref' in fault && fault.ref !== undefined) referred(fault.ref, 'runtime', [...path, 'ref'], 'in the file');
    if (fault.kind === 'driver' && (fault.do === 'delay') !== (fault.ms !== undefined)) {
      flaws.push({ path, problem: fault.do === 'delay' ? '"ms" is missing' : `"ms" means nothing to ${fault.do}` });
    }
  }
  return [...flaws, ...circlesIn(scenario)];
}

/** What begins only once something else has begun. */
interface Waiting {
  /** Of those, and no others. */
  readonly on: readonly string[];
  /** How it is said of it and another. */
  readonly word: 'waits for' | 'follows';
  readonly path: Path;
}

function waitingIn(scenario: Scenario): ReadonlyMap<string, Waiting> {
  const waiting = new Map<string, Waiting>();
  const told = ({ after }: Step | Fault, path: Path): Waiting => ({
    on: after === undefined ? [] : [after.event.split('.')[0] ?? ''],
    word: 'waits for',
    path: [...path, 'after', 'event'],
  });
  for (const [n, [step, behind]] of inLanes(scenario.steps).entries()) {
    const own = told(step, ['steps', n]);
    waiting.set(step.id, step.after === undefined ? { ...own, on: behind, word: 'follows' } : own);
  }
  for (const [n, fault] of faultsOf(scenario).entries()) waiting.set(fault.id, told(fault, ['faults', n]));
  return waiting;
}

/** Circles of steps and faults each of which begins only after the next: none ever would. */
function circlesIn(scenario: Scenario): Flaw[] {
  const waiting = waitingIn(scenario);
  const flaws: Flaw[] = [];
  const done = new Set<string>();
  const visit = (id: string, way: readonly string[]): void => {
    const begun = way.indexOf(id);
    if (begun >= 0) {
      const circle = way.slice(begun);
      const turns = circle.map((each, n) => `${each} ${waiting.get(each)?.word} ${circle[n + 1] ?? id}`);
      // Steps follow those before them only, so that somebody in it waits.
      const path =
        circle.flatMap((each) => waiting.get(each) ?? []).find(({ word }) => word === 'waits for')?.path ?? [];
      if (circle.length > 1) flaws.push({ path, problem: `they wait in a circle: ${turns.join(', ')}` });
      return;
    }
    if (done.has(id)) return;
    for (const next of waiting.get(id)?.on ?? []) visit(next, [...way, id]);
    done.add(id);
  };
  for (const id of waiting.keys()) visit(id, []);
  return flaws;
}

export function eventNames(scenario: Scenario): Set<string> {
  const of = (things: readonly { readonly id: string }[], kinds: readonly string[]): string[] =>
    things.flatMap(({ id }) => kinds.map((kind) => `${id}.${kind}`));
  return new Set(['start', ...of(scenario.steps, STEP_EVENTS), ...of(faultsOf(scenario), FAULT_EVENTS)]);
}
