/** What a report tells of: one verdict for each thing that was judged, and what it rests on. */
import type { Contract } from '../../../contracts/contract.ts';
import { type exitCodes, type FormOf, form } from '../../../sim/index.ts';
import type { Coverage, Sightings } from '../coverage.ts';
import type { Judged } from '../junit.ts';
import type { Law, Violation } from '../law.ts';
import type { Trace } from '../trace.ts';

const { object, text, whole } = form;

export interface Reported {
  readonly laws: readonly Pick<Law, 'id' | 'sentence'>[];
  readonly judged: readonly Judged[];
  readonly traces: readonly Trace[];
  readonly contracts: readonly Contract[];
  /** What was seen of all that there is to see. */
  readonly coverage: Coverage;
  readonly part?: PartOf;
}

/** Which part of which run it is: parts of one run differ in nothing but their number, and what they came to. */
export const PART = object(
  {
    /** The version that has judged. */
    onesim: text(),
    /** What was judged. */
    of: text(),
    profile: text(),
    /** Of the whole run. */
    seed: whole(0),
    runs: whole(0),
    shard: text({ pattern: '^[1-9][0-9]{0,4}/[1-9][0-9]{0,4}$', meaning: 'a part such as 2/5' }),
    code: whole(0, 4),
  },
  {},
);

export type PartOf = Omit<FormOf<typeof PART>, 'code'> & { readonly code: exitCodes.ExitCode };

/** What can be read back of a report. */
export interface Part {
  readonly judged: readonly Judged[];
  readonly laws: Reported['laws'];
  readonly part: PartOf | undefined;
  /** Only NDJSON has all. */
  readonly rest: { readonly traces: readonly Trace[]; readonly sightings: Sightings } | undefined;
}

export interface Broken {
  readonly judged: Judged;
  readonly violation: Violation;
  readonly sentence: string;
  /** The run that shows it, where it was kept. */
  readonly trace: Trace | undefined;
}

export function brokenIn({ laws, judged, traces }: Reported): Broken[] {
  return judged.flatMap((each) =>
    each.verdict.violations.map((violation) => {
      const { exchange, law } = violation;
      const shows = exchange && traces.find(({ lines }) => lines.includes(exchange));
      const sentence = (each.by ?? laws).find(({ id }) => id === law)?.sentence ?? '';
      return { judged: each, violation, sentence, trace: shows ?? each.trace };
    }),
  );
}

/** What became of a law: broken, held in so many checks, or never judged. */
export function fateOf({ verdict, reports }: Judged, law: string): 'broken' | 'idle' | 'held' {
  if (reports.has(law)) return 'broken';
  return (verdict.checks.get(law) ?? 0) === 0 ? 'idle' : 'held';
}
