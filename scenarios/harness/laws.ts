/** All laws, and what they say of a trace. */
import { loadContracts } from '../../contracts/contract.ts';
import { fingerprint, type Law, type Violation } from './law.ts';
import { AFTERMATH } from './laws/aftermath.ts';
import { CONCURRENCY } from './laws/concurrency.ts';
import { LIFE_CYCLE } from './laws/life-cycle.ts';
import { MONITORING } from './laws/monitoring.ts';
import { PAGES } from './laws/pages.ts';
import { recordLaws } from './laws/record.ts';
import { REPETITION } from './laws/repetition.ts';
import { RESOURCES } from './laws/resources.ts';
import { SESSION_LAWS } from './laws/sessions.ts';
import { STREAMS } from './laws/streams.ts';
import { TENANCY } from './laws/tenancy.ts';
import { storyOf } from './story.ts';
import type { Trace } from './trace.ts';

export async function loadLaws(): Promise<readonly Law[]> {
  return [
    ...LIFE_CYCLE,
    ...AFTERMATH,
    ...RESOURCES,
    ...TENANCY,
    ...SESSION_LAWS,
    ...REPETITION,
    ...PAGES,
    ...MONITORING,
    ...STREAMS,
    ...CONCURRENCY,
    ...recordLaws(await loadContracts()),
  ];
}

export interface Verdict {
  /** How often each law was held against something. */
  readonly checks: ReadonlyMap<string, number>;
  /** The first violation of each kind. */
  readonly violations: readonly Violation[];
}

/** Takes what else was judged into the count. */
export function addUp(checks: Map<string, number>, more: Verdict['checks']): void {
  for (const [law, count] of more) checks.set(law, (checks.get(law) ?? 0) + count);
}

export function judge(laws: readonly Law[], trace: Trace, story = storyOf(trace)): Verdict {
  const checks = new Map<string, number>();
  const violations = new Map<string, Violation>();
  for (const law of laws) {
    let count = 0;
    law.judge(story, (holds, breach) => {
      count++;
      if (holds) return;
      const violation = { law: law.id, ...breach() };
      const key = fingerprint(violation);
      if (!violations.has(key)) violations.set(key, violation);
    });
    checks.set(law.id, count);
  }
  return { checks, violations: [...violations.values()].sort((a, b) => a.at - b.at) };
}
