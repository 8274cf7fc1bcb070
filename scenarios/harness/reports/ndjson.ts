/**
 * A verdict as lines of JSON, and the one form that all others can be made from: the traces that were kept, one after the
 * other, and at the end a line with the verdict. A file without it is of a run that was broken off.
 */
import { type Flaw, type FormOf, form, Problem } from '../../../sim/index.ts';
import type { Sightings } from '../coverage.ts';
import type { Violation } from '../law.ts';
import { type Trace, writeTrace } from '../trace.ts';
import { PART, type Part, type PartOf, type Reported } from './reported.ts';

const { anything, constant, list, map, object, text, whole, word } = form;

const laws = list(object({ id: text(), sentence: text() }, {}));
const counts = map(whole(0));

const VERDICT = object(
  {
    kind: word('verdict'),
    v: constant(1),
    laws,
    judged: list(
      object(
        { name: text(), checks: counts, violations: list(anything), reports: map(list(text())) },
        { by: laws, trace: whole(0) },
      ),
    ),
    sightings: object(
      { profiles: list(text()), seen: map(counts), answers: map(counts), departures: map(text()), blows: map(counts) },
      {},
    ),
  },
  { part: PART },
);

export function ndjson({ laws: all, judged, traces, coverage, part }: Reported): string {
  const told = (some: Reported['laws']): FormOf<typeof laws> => some.map(({ id, sentence }) => ({ id, sentence }));
  const line: FormOf<typeof VERDICT> = {
    kind: 'verdict',
    v: 1,
    laws: told(all),
    judged: judged.map(({ name, by, verdict, reports, trace }) => ({
      name,
      ...(by === undefined ? {} : { by: told(by) }),
      checks: Object.fromEntries(verdict.checks),
      violations: verdict.violations,
      reports: Object.fromEntries(reports),
      ...(trace !== undefined && traces.includes(trace) ? { trace: traces.indexOf(trace) } : {}),
    })),
    sightings: coverage.sightings,
    ...(part === undefined ? {} : { part }),
  };
  return `${traces.map(writeTrace).join('')}${JSON.stringify(line)}\n`;
}

/** @throws Problem */
export function readNdjson(content: string, file: string): Part {
  const lines = content.split('\n').flatMap((line, n) => (line === '' ? [] : [lineIn(line, `${file}:${n + 1}`)]));
  const last = lines.pop();
  if (last?.kind !== 'verdict') {
    throw new Problem(`${file}: its last line is no verdict: the run that was to write it was broken off`);
  }
  const flaws: readonly Flaw[] = VERDICT.check(last, []);
  if (flaws.length > 0)
    throw new Problem(flaws.map(({ path, problem }) => `${file}: ${path.join('.')}: ${problem}`).join('\n'));
  const { part, judged, sightings, laws: all } = last as FormOf<typeof VERDICT>;
  const traces = tracesIn(lines, file);
  return {
    part: part as PartOf | undefined,
    laws: all,
    judged: judged.map(({ name, by, checks, violations, reports, trace }) => ({
      name,
      ...(by === undefined ? {} : { by }),
      verdict: {
        checks: new Map(Object.entries(checks)),
        violations: (violations as Violation[]).map((each) => shownIn(traces, each)),
      },
      reports: new Map(Object.entries(reports)),
      ...shownBy(traces[trace ?? -1]),
    })),
    rest: { traces, sightings: sightings as Sightings },
  };
}

type Line = { readonly kind?: unknown; readonly v?: unknown };

function lineIn(line: string, place: string): Line {
  try {
    const value = JSON.parse(line);
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // It is told below.
  }
  throw new Problem(`${place}: this is no line of a report`);
}

/** Each begins with what it is a run of. */
function tracesIn(lines: readonly Line[], file: string): Trace[] {
  const starts = lines.flatMap(({ kind }, n) => (kind === 'run' ? [n] : []));
  if (lines.length > 0 && starts[0] !== 0) throw new Problem(`${file}:1: this is no line of a report`);
  return starts.map((start, n) => {
    const [run, ...rest] = lines.slice(start, starts[n + 1]);
    return { run, lines: rest } as unknown as Trace;
  });
}

const shownBy = (trace: Trace | undefined): { readonly trace?: Trace } => (trace === undefined ? {} : { trace });

/** With the very exchange of the trace, by which a reader finds the trace. */
function shownIn(traces: readonly Trace[], violation: Violation): Violation {
  const { exchange } = violation;
  if (exchange === undefined) return violation;
  const wanted = JSON.stringify(exchange);
  for (const { lines } of traces) {
    for (const line of lines) {
      if (line.kind === 'exchange' && line.seq === exchange.seq && JSON.stringify(line) === wanted) {
        return { ...violation, exchange: line };
      }
    }
  }
  return violation;
}
