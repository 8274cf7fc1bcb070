/** Reads a scenario file, and names every mistake in it by its place. */
import { type Flaw, type Path, Problem, readSource, type Source, suggestion } from '../../sim/index.ts';
import { type Fault, faultsOf, SCENARIO, type Scenario, type Step } from './scenario.ts';
import { FAULT_EVENTS, STEP_EVENTS } from './step-parts.ts';

/** @throws Problem with a line for every mistake */
export async function readScenario(content: string, file: string): Promise<Scenario> {
  const source = await readSource(content, file);
  refuse(source, SCENARIO.check(source.value, []));
  const scenario = source.value as Scenario;
  refuse(source, flawsOf(scenario));
  return scenario;
}

function refuse(source: Source, flaws: readonly Flaw[]): void {
  if (flaws.length === 0) return;
  const lines = flaws.map(
    ({ path, problem, key }) => `${key ? source.placeOfKey(path) : source.place(path)}: ${problem}`,
  );
  throw new Problem([...new Set(lines)].join('\n'));
}

/** What a schema cannot say: names are given once, and what is named is there, before it is used. */
export function flawsOf(scenario: Scenario): Flaw[] {
  const flaws: Flaw[] = [];
  const { steps } = scenario;
  const faults = faultsOf(scenario);
  const ids = new Set<string>();
  const bound = new Set<string>();
  const named = (id: string, path: Path): void => {
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
  const referred = (ref: string, path: Path, when: string): void => {
    const runtime = ref.replace(/\.service$/, '');
    if (ref === 'none' || bound.has(runtime)) return;
    const meant = suggestion(runtime, bound);
    flaws.push({ path, problem: `no create ${when} binds ${JSON.stringify(runtime)}${meant}` });
  };

  for (const [n, step] of steps.entries()) {
    const path = ['steps', n];
    named(step.id, [...path, 'id']);
    anchored(step, path);
    if ('ref' in step && step.ref !== undefined) referred(step.ref, [...path, 'ref'], 'before it');
    if ('bind' in step && step.bind !== undefined) {
      if (bound.has(step.bind)) flaws.push({ path: [...path, 'bind'], problem: `${step.bind} is bound twice` });
      bound.add(step.bind);
    }
    const bodies = ['args', 'send', 'sendText'].filter((key) => key in step);
    if (bodies.length > 1) flaws.push({ path, problem: `${bodies.join(' and ')} cannot both be the body` });
  }
  for (const [n, fault] of faults.entries()) {
    const path = ['faults', n];
    named(fault.id, [...path, 'id']);
    anchored(fault, path);
    if ('ref' in fault && fault.ref !== undefined) referred(fault.ref, [...path, 'ref'], 'in the file');
    if (fault.kind === 'driver' && (fault.do === 'delay') !== (fault.ms !== undefined)) {
      flaws.push({ path, problem: fault.do === 'delay' ? '"ms" is missing' : `"ms" means nothing to ${fault.do}` });
    }
  }
  return flaws;
}

export function eventNames(scenario: Scenario): Set<string> {
  const of = (things: readonly { readonly id: string }[], kinds: readonly string[]): string[] =>
    things.flatMap(({ id }) => kinds.map((kind) => `${id}.${kind}`));
  return new Set(['start', ...of(scenario.steps, STEP_EVENTS), ...of(faultsOf(scenario), FAULT_EVENTS)]);
}
