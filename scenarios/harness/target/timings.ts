/**
 * How long the steps of the life cycle take on a server, held against the stand-in. All times are a client's: from the
 * request that asked for it, or the look that first showed a state, to the look that first showed the next one. On the
 * stand-in the journal tells them to the millisecond.
 */
import { type FunctionState, mappedState } from '../../../sim/index.ts';
import { type Runtime, type Story, storyOf } from '../story.ts';
import type { Trace } from '../trace.ts';

/** How long a step took, within what can be known: it happened after the last look before it. */
interface Span {
  readonly leastMs: number;
  readonly mostMs: number;
}

/** By step, such as `PENDING → RUNNING`. */
export type Timings = ReadonlyMap<string, readonly Span[]>;

export function timingsOf(traces: readonly Trace[]): Timings {
  const timings = new Map<string, Span[]>();
  for (const trace of traces) {
    const story = storyOf(trace);
    for (const runtime of story.runtimes.values()) {
      const spans = story.omniscient ? journalled(runtime, story) : seen(runtime);
      for (const [edge, span] of spans) timings.set(edge, [...(timings.get(edge) ?? []), span]);
    }
  }
  return timings;
}

type Spans = readonly (readonly [edge: string, span: Span])[];

function journalled({ created, first }: Runtime, story: Story): Spans {
  const spans: (readonly [string, Span])[] = [];
  let [state, since]: [FunctionState, number] = ['PENDING', created.sent];
  for (const { at, to } of story.changesOf(first.functions.get('FAAS')?.VM_ID ?? -1)) {
    const next = mappedState(to);
    if (next === state) continue;
    spans.push([`${state} → ${next}`, { leastMs: at - since, mostMs: at - since }]);
    [state, since] = [next, at];
  }
  return spans;
}

function seen({ created, sights }: Runtime): Spans {
  const spans: (readonly [string, Span])[] = [];
  let state: FunctionState | undefined;
  /** When it began, for sure and at the earliest; and when it was last looked at. */
  let [since, earliest, looked] = [created.at, created.sent, created.at];
  for (const { exchange, shown } of sights) {
    const now = shown.functions.get('FAAS')?.STATE;
    if (now === undefined) continue;
    if (state !== undefined && now !== state) {
      const leastMs = Math.max(0, looked - since);
      spans.push([`${state} → ${now}`, { leastMs, mostMs: exchange.at - earliest }]);
      [since, earliest] = [exchange.at, looked];
    }
    state = now;
    looked = exchange.at;
  }
  return spans;
}

/** The median and the 95th percentile of a step, on both sides. */
export interface Compared {
  readonly edge: string;
  readonly quantiles: readonly {
    readonly name: 'median' | 'p95';
    readonly theirs: Span;
    readonly ours: Span;
    /** Whether they can be the same but for the tolerance. */
    readonly isLike: boolean;
  }[];
}

const QUANTILES = [
  ['median', 0.5],
  ['p95', 0.95],
] as const;

/** Of the steps that both have made. @param tolerance how many times as long, or as short, a step may take */
export function comparedTimings(theirs: Timings, ours: Timings, tolerance: number): Compared[] {
  return [...theirs].flatMap(([edge, spans]) => {
    const own = ours.get(edge);
    if (own === undefined) return [];
    const quantiles = QUANTILES.map(([name, q]) => {
      const [there, here] = [quantile(spans, q), quantile(own, q)];
      return { name, theirs: there, ours: here, isLike: isLike(there, here, tolerance) };
    });
    return [{ edge, quantiles }];
  });
}

/** What the way to a server may take besides, and what is too short to be compared. */
const SLACK_MS = 1_000;

/** Within what is known of it: a server that is looked at seldom is not taken for a slow one. */
const isLike = (theirs: Span, ours: Span, tolerance: number): boolean =>
  theirs.leastMs <= ours.mostMs * tolerance + SLACK_MS && theirs.mostMs + SLACK_MS >= ours.leastMs / tolerance;

function quantile(spans: readonly Span[], q: number): Span {
  const at = (values: readonly number[]): number =>
    [...values].sort((a, b) => a - b)[Math.max(0, Math.ceil(q * values.length) - 1)] ?? 0;
  return { leastMs: at(spans.map(({ leastMs }) => leastMs)), mostMs: at(spans.map(({ mostMs }) => mostMs)) };
}

/** A line for each step, with both sides. */
export const timingLines = (compared: readonly Compared[]): string[] =>
  compared.map(
    ({ edge, quantiles }) =>
      `${edge}: ${quantiles.map(({ name, theirs, ours }) => `${name} ${told(theirs)}, the stand-in ${told(ours)}`).join('; ')}`,
  );

/** What is not like, as a difference is told. */
export const unlikeTimings = (compared: readonly Compared[], tolerance: number): string[] =>
  compared.flatMap(({ edge, quantiles }) =>
    quantiles.flatMap(({ name, theirs, ours, isLike: like }) =>
      like
        ? []
        : [`${edge}: its ${name} is ${told(theirs)}, the stand-in’s ${told(ours)}: more than ${tolerance} times apart`],
    ),
  );

const seconds = (ms: number): string => (ms / 1_000).toFixed(ms < 10_000 ? 2 : 1);

const told = ({ leastMs, mostMs }: Span): string => {
  const [least, most] = [seconds(leastMs), seconds(mostMs)];
  return least === most ? `${most} s` : `${least} to ${most} s`;
};
