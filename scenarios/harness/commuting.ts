/** What two runtimes that have nothing to do with each other are asked for at one instant, asked in the other order. */
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

/** The scenario with every pair of neighbours swapped that may be; none when there is none. */
export function swapped(scenario: Scenario, trace: Trace): Scenario | undefined {
  const { steps } = scenario;
  if (countsTurns(scenario) || steps.some((step) => laneOf(step) !== undefined)) return undefined;
  const exchanges = new Map(trace.lines.filter((line) => line.kind === 'exchange').map((line) => [line.step, line]));
  /** When faults have come or gone. */
  const troubles = trace.lines.flatMap((line) => (line.kind === 'fault' ? [line.at] : []));
  /** Whether somebody may come between: a fault, or who begins when somebody else's event says so. */
  const intrudes = (one: ExchangeLine, other: ExchangeLine, second: Step): boolean => {
    const end = Math.max(one.at, other.at);
    const isTold = ({ id, after }: Step): boolean => after !== undefined && id !== second.id;
    return (
      troubles.some((at) => at >= one.sent && at <= end) ||
      steps.some((step) => isTold(step) && isUnderWay(exchanges.get(step.id), one, end))
    );
  };
  const order = [...steps];
  let pairs = 0;
  for (let n = 0; n + 1 < order.length; n++) {
    const [first, second, next] = order.slice(n, n + 3);
    if (first === undefined || second === undefined || !areApart(first, second)) continue;
    const [one, other] = [exchanges.get(first.id), exchanges.get(second.id)];
    if (one === undefined || other === undefined || one.sent !== other.sent) continue;
    const over = n === 0 ? 0 : exchanges.get(steps[n - 1]?.id ?? '')?.at;
    // One of them may have waited for its client; the other one, if it were first, would not.
    if (over !== one.sent || intrudes(one, other, second)) continue;
    if (second.after === undefined) {
      // One after the other, in no time.
      if (one.at !== one.sent || other.at !== other.sent) continue;
      order.splice(n, 2, second, first);
    } else {
      // Both at once; what comes next still waits for the one that it has waited for.
      const { after: _, ...free } = second;
      order.splice(n, 2, free as Step, { ...first, after: { event: `${second.id}.sent` } });
      if (next !== undefined && next.after === undefined) {
        order.splice(n + 2, 1, { ...next, after: { event: `${second.id}.answered` } });
      }
    }
    pairs++;
    n++;
  }
  return pairs === 0 ? undefined : { ...scenario, steps: order };
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

/** Whether it was not over when another one was sent, and began before an instant was. */
const isUnderWay = (exchange: ExchangeLine | undefined, { sent, entry }: ExchangeLine, end: number): boolean =>
  exchange !== undefined &&
  exchange.sent <= end &&
  exchange.at >= sent &&
  (exchange.until ?? Number.POSITIVE_INFINITY) >= (entry ?? 0);
