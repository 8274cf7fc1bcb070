/** What a report tells of: one verdict for each thing that was judged, and what it rests on. */
import type { Contract } from '../../../contracts/contract.ts';
import type { Coverage } from '../coverage.ts';
import type { Judged } from '../junit.ts';
import type { Law, Violation } from '../law.ts';
import type { Trace } from '../trace.ts';

export interface Reported {
  readonly laws: readonly Pick<Law, 'id' | 'sentence'>[];
  readonly judged: readonly Judged[];
  readonly traces: readonly Trace[];
  readonly contracts: readonly Contract[];
  /** What was seen of all that there is to see. */
  readonly coverage: Coverage;
}

export interface Broken {
  readonly judged: Judged;
  readonly violation: Violation;
  readonly sentence: string;
  /** The run that shows it, where it was kept. */
  readonly trace: Trace | undefined;
}

export function brokenIn({ laws, judged, traces }: Reported): Broken[] {
  return judged.flatMap((each, n) =>
    each.verdict.violations.map((violation) => {
      const { exchange, law } = violation;
      const shows = exchange && traces.find(({ lines }) => lines.includes(exchange));
      const sentence = (each.by ?? laws).find(({ id }) => id === law)?.sentence ?? '';
      return { judged: each, violation, sentence, trace: shows ?? traces[n] };
    }),
  );
}

/** What became of a law: broken, held in so many checks, or never judged. */
export function fateOf({ verdict, reports }: Judged, law: string): 'broken' | 'idle' | 'held' {
  if (reports.has(law)) return 'broken';
  return (verdict.checks.get(law) ?? 0) === 0 ? 'idle' : 'held';
}
