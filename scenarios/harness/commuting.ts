/**
 * What two runtimes that have nothing to do with each other are asked for at one instant, asked in the other order, and
 * how long nobody else comes.
 */
import { laneOf } from './concurrency/lanes.ts';
import { faultsOf, type Scenario, type Step } from './scenario.ts';
import type { ExchangeLine, Trace } from './trace.ts';

/** Operations on one runtime; to make one takes the next of everybody's ids. */
const OF_ONE = ['get', 'put', 'delete'];

/** Layers whose faults touch nothing but what is looked at. */
const OF_WHO_LOOKS: readonly string[] = ['metrics', 'websocket'];

/** Whether it counts requests, or attempts of any machine: then it matters who comes first. */
const countsTurns = (scenario: Scenario): boolean =>
  faultsOf(scenario).some(
    (fault) =>
      (fault.kind === 'declared' && !OF_WHO_LOOKS.includes(fault.fault.selector.layer)) ||
      (fault.kind === 'driver' &&
        (fault.times !== undefined || fault.skip !== undefined || fault.probability !== undefined)),
  );

export interface Swap {
  /** With the two steps in the other order. */
  readonly scenario: Scenario;
  readonly steps: readonly string[];
  /** When somebody else comes, or a fault: from then on who came first may matter to what they find. */
  readonly until: number;
}

/** The first pair of neighbours that may be swapped; none when there is none. */
export function swapped(scenario: Scenario, trace: Trace): Swap | undefined {
  const { steps } = scenario;
  if (countsTurns(scenario) || steps.some((step) => laneOf(step) !== undefined)) return undefined;
  const exchanges = trace.lines.filter((line) => line.kind === 'exchange');
  const exchangeOf = new Map(exchanges.map((line) => [line.step, line]));
  const troubles = trace.lines.flatMap((line) => (line.kind === 'fault' ? [line.at] : []));
  for (const [n, first] of steps.entries()) {
    const second = steps[n + 1];
    if (second === undefined || !areApart(first, second)) continue;
    const [one, other] = [exchangeOf.get(first.id), exchangeOf.get(second.id)];
    if (one === undefined || other === undefined || one.sent !== other.sent) continue;
    // One after the other, in no time.
    if (second.after === undefined && (one.at !== one.sent || other.at !== other.sent)) continue;
    const { sent, entry } = one;
    // One of them may have waited for its client; the other one, if it were first, would not.
    if (n > 0 && exchangeOf.get(steps[n - 1]?.id ?? '')?.at !== sent) continue;
    const isOver = ({ at, until }: ExchangeLine): boolean => at < sent || (until !== null && until < (entry ?? 0));
    const others = exchanges.filter((line) => line !== one && line !== other && !isOver(line));
    const until = Math.min(...others.map((line) => line.sent), ...troubles.filter((at) => at >= sent));
    if (until > sent)
      return { scenario: { ...scenario, steps: exchanged(steps, n) }, steps: [first.id, second.id], until };
  }
  return undefined;
}

/** @param n of the first of the two */
function exchanged(steps: readonly Step[], n: number): Step[] {
  const [first, second, ...rest] = steps.slice(n) as [Step, Step, ...Step[]];
  const before = steps.slice(0, n);
  if (second.after === undefined) return [...before, second, first, ...rest];
  // Both at once; what comes next still waits for the one that it has waited for.
  const { after: _, ...free } = second;
  const both = [free as Step, { ...first, after: { event: `${second.id}.sent` } }];
  const [next, ...later] = rest;
  if (next === undefined || next.after !== undefined) return [...before, ...both, ...rest];
  return [...before, ...both, { ...next, after: { event: `${second.id}.answered` } }, ...later];
}

const runtimeOf = (step: Step): string | undefined =>
  OF_ONE.includes(step.op) && 'ref' in step && step.ref !== 'none' ? step.ref : undefined;

/** Whether they are of two runtimes, and one follows the other, or goes when it goes. */
function areApart(first: Step, second: Step): boolean {
  const [one, other] = [runtimeOf(first), runtimeOf(second)];
  const { after } = second;
  const isNext = after === undefined || (after.event === `${first.id}.sent` && (after.delayMs ?? 0) === 0);
  const areTwo = one !== undefined && other !== undefined && one.split('.')[0] !== other.split('.')[0];
  return first.after === undefined && isNext && areTwo;
}
