/**
 * Scenarios of a person's own on a server that is not ours, as `onesim run --target` plays them: at its pace, with all that
 * they make in the ledger, and deleted before the next.
 */
import { type Machine, PROFILES, Problem } from '../../../sim/index.ts';
import { NEVER_TIMES } from '../laws/patience.ts';
import { runScenario } from '../runner.ts';
import { isRequest, type Scenario, type Step } from '../scenario.ts';
import type { Stop } from '../stop.ts';
import type { Trace } from '../trace.ts';
import { type Left, leftName } from './clean-up.ts';
import type { Outside } from './outside.ts';
import { changeOf } from './recognise.ts';
import { beginStay, type StaySettings } from './stay.ts';

export interface VisitSettings extends StaySettings {
  readonly maxDurationMs: number;
}

interface Visit {
  readonly left: readonly Left[];
  /** Whether it was ended before all was done. */
  readonly early: boolean;
}

/** @param told what came of each scenario, as soon as it has ended. @throws Problem */
export async function visit(
  scenarios: readonly Scenario[],
  settings: VisitSettings,
  outside: Outside,
  machine: Pick<Machine, 'out'>,
  stop: Stop,
  told: (trace: Trace, n: number) => void,
): Promise<Visit> {
  const changes = scenarios.some(({ steps }) => steps.some(changesThings));
  const manner = { changes, serial: scenarios.every(isOneClients), title: `${scenarios.length} scenarios` };
  const { wire, ledger, recognised, tidy } = await beginStay(settings, manner, outside, machine);
  if (changes && recognised.doubt !== undefined) {
    throw new Problem('--target: what is not recognised is not changed, and the scenarios change something');
  }
  const ending = {
    get aborted() {
      return stop.aborted || wire.now() >= settings.maxDurationMs;
    },
  };
  const patienceMs = NEVER_TIMES * recognised.bounds.pendingMs + 10_000;
  let left: readonly Left[] = [];
  let done = 0;
  try {
    for (const scenario of scenarios) {
      if (ending.aborted || ledger.open.length > 0) break;
      const expected = [...PROFILES[scenario.profile ?? 'upstream']];
      const trace = await runScenario(named(scenario, ledger.mark), wire.transport(expected, recognised.bounds), {
        ...{ credentials: settings.credentials, sessions: settings.sessions, patienceMs, pollMs: 500, signal: ending },
      });
      told(trace, done++);
      await tidy();
    }
  } finally {
    left = await tidy();
  }
  for (const { entry, why } of left) machine.out(`  left there: ${leftName(entry)}: ${why}`);
  if (wire.throttled > 0) machine.out(`  the server asked ${wire.throttled} times to come again later, and we did`);
  const changed = await changeOf(wire, recognised);
  if (changed !== undefined) machine.out(`  ${changed}`);
  return { left, early: changed !== undefined || ending.aborted || done < scenarios.length };
}

const changesThings = (step: Step): boolean =>
  step.op === 'request' ? !['GET', 'HEAD'].includes(step.method) : ['create', 'put', 'delete'].includes(step.op);

/** Whether no two requests are meant to be under way at once. */
const isOneClients = ({ steps }: Scenario): boolean =>
  steps.every((step) => !isRequest(step) || (step.client ?? 0) === 0);

/** What has no name of its own gets one that nobody else has, by which it can be found when the answer is lost. */
function named(scenario: Scenario, mark: string): Scenario {
  const steps = scenario.steps.map((step): Step => {
    if (step.op !== 'create' || step.send !== undefined || step.sendText !== undefined) return step;
    return { ...step, args: { name: `${mark}-${step.id}`, ...step.args } };
  });
  return { ...scenario, steps };
}
