/**
 * Scenarios of a person's own on a server that is not ours, as `onesim run --target` plays them: at its pace, with all that
 * they make in the ledger, and deleted before the next.
 */
import { type Machine, PROFILES, Problem } from '../../../sim/index.ts';
import { NEVER_TIMES } from '../laws/patience.ts';
import { counted, lasting } from '../report.ts';
import { runScenario } from '../runner.ts';
import { faultsOf, isRequest, type Scenario, type Step } from '../scenario.ts';
import type { Stop } from '../stop.ts';
import type { Trace } from '../trace.ts';
import type { Transport } from '../transport.ts';
import type { Left } from './clean-up.ts';
import type { Outside } from './outside.ts';
import { changeOf } from './recognise.ts';
import { changesThings, refuseUnnamed } from './roles.ts';
import { beginStay, type StaySettings } from './stay.ts';

export interface VisitSettings extends StaySettings {
  /** That the scenarios are in. */
  readonly files: readonly string[];
  /** Whether oneadmin may make something. */
  readonly isFree: boolean;
}

/** How long nothing is told at least, and where there is nothing new at most. */
const [QUIET_MS, LONGEST_QUIET_MS] = [10_000, 60_000];

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
  for (const [n, scenario] of scenarios.entries()) {
    refuseUnnamed(scenario, settings.files[n] ?? '', settings.credentials, settings.isFree);
  }
  const changes = scenarios.some((each) => each.steps.some(changesThings) || faultsOf(each).length > 0);
  const manner = { changes, serial: scenarios.every(isOneClients), title: counted(scenarios.length, 'scenario') };
  const { wire, ledger, recognised, tidy } = await beginStay(settings, manner, outside, machine, stop);
  if (changes && recognised.doubt !== undefined) {
    throw new Problem('--target: what is not recognised is not changed, and the scenarios change something');
  }
  const ending = {
    get aborted() {
      return stop.aborted || wire.gaveUp || wire.now() >= settings.maxDurationMs;
    },
  };
  const patienceMs = NEVER_TIMES * recognised.bounds.pendingMs + 10_000;
  let left: readonly Left[] = [];
  let done = 0;
  try {
    for (const scenario of scenarios) {
      if (ending.aborted || left.length > 0) break;
      const expected = [...PROFILES[scenario.profile ?? 'upstream']];
      const transport = wire.transport(expected, recognised.bounds);
      const progress = progressOf(scenario, settings.files[done] ?? '', transport, machine);
      const trace = await runScenario(named(scenario, ledger.mark), progress.transport, {
        ...{ credentials: settings.credentials, sessions: settings.sessions, patienceMs, pollMs: 500, signal: ending },
        told: progress.told,
      });
      told(trace, done++);
      left = await tidy();
    }
  } finally {
    left = await tidy();
  }
  for (const { what, why } of left) machine.out(`  left there: ${what}: ${why}`);
  if (wire.throttled > 0)
    machine.out(`  the server asked ${counted(wire.throttled, 'time')} to come again later, and we did`);
  const changed = wire.gaveUp ? undefined : await changeOf(wire, recognised);
  if (changed !== undefined) machine.out(`  ${changed}`);
  return { left, early: changed !== undefined || ending.aborted || done < scenarios.length };
}

/** Tells now and then, while a scenario lasts, how far it has come. */
function progressOf(
  scenario: Scenario,
  file: string,
  transport: Transport,
  { out }: Pick<Machine, 'out'>,
): { readonly transport: Transport; told(): void } {
  const { now, pass } = transport;
  const all = counted(scenario.steps.length + faultsOf(scenario).length, 'step');
  let [over, news, last] = [0, true, now()];
  const look = (): void => {
    if (now() - last < (news ? QUIET_MS : LONGEST_QUIET_MS)) return;
    [last, news] = [now(), false];
    out(`  ${scenario.name ?? file}: ${over} of ${all} done in ${lasting(last)}`);
  };
  const looking: Transport['pass'] = (instant, until = () => false) =>
    pass(instant, () => {
      look();
      return until();
    });
  const told = (): void => {
    over++;
    news = true;
  };
  return { transport: { ...transport, pass: looking }, told };
}

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
