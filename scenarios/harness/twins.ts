/** Laws that hold between two runs of one scenario, or of one and a scenario that must come to the same. */
import { type Swap, swapped } from './commuting.ts';
import { laneOf } from './concurrency/lanes.ts';
import type { Law, Violation } from './law.ts';
import type { Verdict } from './laws.ts';
import { runScenario } from './runner.ts';
import { isRequest, type Scenario, type Step } from './scenario.ts';
import type { Line, Trace } from './trace.ts';
import { writeTrace } from './trace.ts';
import type { Transport } from './transport.ts';

interface Twin extends Omit<Law, 'judge'> {
  /** None where the law could not be broken. @param trace of the one run */
  twinOf(scenario: Scenario, trace: Trace): Other | undefined;
}

interface Other {
  readonly scenario: Scenario;
  /** What the other run is made over. */
  readonly over?: (transport: Transport) => Transport;
  /** What has to be equal, line by line. */
  essence(trace: Trace): readonly string[];
}

export const TWINS: readonly Twin[] = [
  {
    id: 'D3',
    sentence: 'The same scenario gives the same trace, byte for byte.',
    reason: 'What cannot be repeated cannot be repaired.',
    twinOf: (scenario) => ({ scenario, essence: wholly }),
  },
  {
    id: 'M4',
    sentence: 'Reads that are put in between change no timing and no outcome.',
    reason: 'Who watches must not disturb.',
    twinOf: (scenario) => (isRacing(scenario) ? undefined : changed(scenario, watched)),
  },
  {
    id: 'M5',
    sentence: 'What a runtime is called changes nothing but its name.',
    reason: 'A test that passes for one name must pass for all.',
    twinOf: (scenario) => (isBroken(scenario) ? undefined : changed(scenario, renamed)),
  },
  {
    id: 'M6',
    sentence: 'Of two runtimes that are asked for something at one instant, each comes to the same whichever is first.',
    reason: 'What one tenant does must not decide how long another waits.',
    twinOf(scenario, trace) {
      const swap = swapped(scenario, trace);
      return swap && { scenario: swap.scenario, essence: (either) => outcomeOf(either, swap) };
    },
  },
  {
    id: 'D4',
    sentence: 'Many small advances come to the same as a big one.',
    reason: 'How time is made to pass is nobody’s business but the tester’s.',
    twinOf: (scenario) => changed(scenario, divided),
  },
  {
    id: 'D5',
    sentence:
      'A world that is put back from its snapshot, whenever nobody waits for an answer, goes on as if nothing had been.',
    reason: 'What is found after a snapshot must be what would have been found without it.',
    twinOf: (scenario) => ({ scenario, over: reborn, essence: wholly }),
  },
];

/** Before the first time that passes, and then ever more rarely: a snapshot of all takes its time. */
function reborn(transport: Transport): Transport {
  let passes = 0;
  return {
    ...transport,
    pass(instant, until) {
      passes++;
      if ((passes & (passes - 1)) === 0) transport.god?.rebirth();
      return transport.pass(instant, until);
    },
  };
}

/**
 * Whether two clients may be at it in one instant: then a step more decides who is first, and that is no wrong; nor is it
 * when a fault counts requests.
 */
const isRacing = (scenario: Scenario): boolean =>
  scenario.steps.some((step) => laneOf(step) !== undefined || step.after?.event.endsWith('.sent')) ||
  isBroken(scenario);

/** What the other's names end in. */
const ANOTHER = '-by another name';

/** Answers that come slowly, or in part, take longer with a longer name, and that is no wrong. */
const isBroken = ({ faults = [] }: Scenario): boolean => faults.some(({ kind }) => kind === 'declared');

function renamed(step: Step): Step[] {
  if (!('args' in step) || step.args?.name === undefined) return [step];
  return [{ ...step, args: { ...step.args, name: `${step.args.name}${ANOTHER}` } }];
}

const wholly = (trace: Trace): readonly string[] => writeTrace(trace).split('\n');

/** The scenario with other steps, which must come to the same but for names; none where they are the same. */
function changed(scenario: Scenario, otherwise: (step: Step) => Step[]): Other | undefined {
  const steps = scenario.steps.flatMap(otherwise);
  const isSame = steps.length === scenario.steps.length && steps.every((step, n) => step === scenario.steps[n]);
  const essence = (trace: Trace): string[] => outcome(trace).map((line) => line.replaceAll(ANOTHER, ''));
  return isSame ? undefined : { scenario: { ...scenario, steps }, essence };
}

/** Whether something was not waited for any longer: how long that is depends on what else there is to wait for. */
const isCut = ({ lines }: Trace): boolean => lines.some(({ kind }) => kind === 'skip');

/** Marks the steps that only one of the two has. */
const EXTRA = 'extra-';

/** A step, and a look at its runtime by somebody with a lane of his own. */
function watched(step: Step): Step[] {
  if (!isRequest(step)) return [step];
  const ref = 'bind' in step ? step.bind : 'ref' in step ? step.ref : undefined;
  if (ref === undefined || ref === 'none' || ref.endsWith('.service')) return [step];
  return [step, { id: `${EXTRA}${step.id}`, op: 'get', ref, client: 15 }];
}

function divided(step: Step): Step[] {
  if (step.op !== 'advance' || step.ms < 3) return [step];
  const part = Math.floor(step.ms / 3);
  const { id } = step;
  const [first, second] = [`${EXTRA}${id}-1`, `${EXTRA}${id}-2`];
  return [
    { ...step, id: first, ms: part },
    { id: second, op: 'advance', ms: part },
    // The last part keeps the name: what is told from it comes when all has passed.
    { id, op: 'advance', ms: step.ms - 2 * part },
  ];
}

/** What clients and VMs came to, without what is counted. */
function outcome({ run, lines }: Trace): readonly string[] {
  const sticky = run.deviations.includes('get-writes');
  return lines.flatMap((line) => essenceOf(line, sticky)).sort();
}

/** What they and the VMs came to before somebody else came. */
function outcomeOf({ run, lines }: Trace, { steps, until }: Swap): readonly string[] {
  const isTheirs = (line: Line): boolean => line.kind === 'exchange' && steps.includes(line.step ?? '');
  return outcome({ run, lines: lines.filter((line) => line.at < until && (line.kind === 'event' || isTheirs(line))) });
}

function essenceOf(line: Line, sticky: boolean): string[] {
  if (line.kind === 'exchange') {
    const { step, op, sent, at, response } = line;
    if (step === null || step.startsWith(EXTRA)) return [];
    // Upstream, a look at a runtime in ERROR leaves the message in its document.
    const body = sticky ? response?.body.replace(/,"ERROR":"(?:[^"\\]|\\.)*"/g, '') : response?.body;
    return [JSON.stringify([step, op, sent, at, response?.status, body])];
  }
  if (line.kind === 'stream') return [JSON.stringify([line.step, line.at, line.event, line.text])];
  if (line.kind !== 'event' || line.entry.kind !== 'vm.state') return [];
  return [JSON.stringify([line.entry.subject, line.at, line.entry.detail])];
}

/**
 * Holds a run against each of its twins, as far as one could differ from it.
 * @param transport makes a new world of the scenario's
 * @param trace of the scenario itself
 */
export async function judgeTwins(
  trace: Trace,
  transport: (scenario: Scenario) => Promise<Transport>,
  twins: readonly Twin[] = TWINS,
): Promise<Verdict> {
  const { scenario } = trace.run;
  const checks = new Map<string, number>();
  const violations: Violation[] = [];
  for (const { id, twinOf } of twins) {
    const twin = twinOf(scenario, trace);
    if (twin === undefined) continue;
    const made = await transport(twin.scenario);
    const other = await runScenario(twin.scenario, twin.over?.(made) ?? made);
    if (twin.scenario !== scenario && (isCut(trace) || isCut(other))) continue;
    checks.set(id, 1);
    const [mine, its] = [twin.essence(trace), twin.essence(other)];
    const n = mine.findIndex((line, index) => line !== its[index]);
    const at = n < 0 && its.length > mine.length ? mine.length : n;
    if (at < 0) continue;
    violations.push({
      law: id,
      at: 0,
      subject: `line ${at + 1} of the trace`,
      expected: mine[at] ?? 'the end',
      seen: its[at] ?? 'the end',
    });
  }
  return { checks, violations };
}
