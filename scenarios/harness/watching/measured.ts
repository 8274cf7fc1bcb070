/** What a trace tells of measurements: ranges, expositions and frames of streams, with their series under one name. */

import { legible } from '../answers.ts';
import { faultsOf } from '../scenario.ts';
import type { Answered, Story } from '../story.ts';
import type { StreamLine } from '../trace.ts';
import { type Exposition, keyOf, type Labels, labelsIn, readExposition } from './exposition-text.ts';

/** A series of a range: what was measured, by the instant that was asked for, in milliseconds since the Unix epoch. */
export interface Row {
  /** The same wherever the series is shown. */
  readonly key: string;
  readonly labels: Labels;
  readonly points: readonly (readonly [atMs: number, value: string])[];
}

/** An answered range query of one metric. */
export interface RangeAnswer {
  readonly exchange: Answered;
  /** The present of who answered, at the earliest. */
  readonly nowMs: number;
  /** What was asked for, but for the range. */
  readonly about: string;
  readonly metric: string;
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly stepMs: number;
  readonly rows: readonly Row[];
}

/** What a probe has pushed, as the exposition or a stream shows it. */
export interface Pushed {
  readonly key: string;
  readonly metric: string;
  readonly labels: Labels;
  readonly value: number;
  /** When the probe measured it, in milliseconds since the Unix epoch. */
  readonly timeMs: number;
  /** When it was shown, in milliseconds since the start. */
  readonly at: number;
  readonly exchange?: Answered;
}

interface Scrape {
  readonly exchange: Answered;
  readonly nowMs: number;
  readonly exposition: Exposition;
  readonly pushed: readonly Pushed[];
}

interface Measured {
  readonly ranges: readonly RangeAnswer[];
  readonly scrapes: readonly Scrape[];
  readonly frames: readonly Pushed[];
  /** From this instant on a fault may have touched what is measured, in milliseconds since the Unix epoch. */
  readonly troubledFromMs: number;
  /** By how much faults may set the clocks of probes forward or back. */
  readonly skewMs: number;
}

const known = new WeakMap<Story, Measured>();

export function measuredIn(story: Story): Measured {
  const before = known.get(story);
  if (before !== undefined) return before;
  const measured = {
    ranges: story.answered.flatMap((exchange) => legible(() => rangesIn(story, exchange)) ?? []),
    scrapes: story.answered.flatMap((exchange) => scrapeIn(story, exchange)),
    frames: story.streamed.flatMap(pushedIn),
    ...troublesIn(story),
  };
  known.set(story, measured);
  return measured;
}

/** The VM of a series, where its labels tell. */
export const vmOf = ({ instance = '', exported_instance = instance }: Labels): number | undefined =>
  /^one-\d+$/.test(exported_instance) ? Number(exported_instance.slice('one-'.length)) : undefined;

// ---- time -----------------------------------------------------------------------------------------------------------

/**
 * Where time is not ours, a server tells its own when somebody logs in, to the second: what it does later, it does no
 * earlier than so long after that.
 */
function presentAt(story: Story, { sent, at }: Answered): number {
  if (story.omniscient) return story.run.epochMs + at;
  const login = story.answered.findLast((each) => each.at <= sent && beganAt(each) !== undefined);
  return login === undefined ? Number.NEGATIVE_INFINITY : (beganAt(login) ?? 0) + sent - login.at;
}

const beganAt = ({ op, response }: Answered): number | undefined => {
  const [, began] = (op === 'login' && /"session_began_at":"([^"]+)"/.exec(response.body)) || [];
  const time = began === undefined ? Number.NaN : Date.parse(began);
  return Number.isNaN(time) ? undefined : time;
};

// ---- names ----------------------------------------------------------------------------------------------------------

/** Labels that a scrape gives, and that a probe's own have made way for. */
const OF_SCRAPE = ['__name__', 'group', 'instance', 'job'];

/** As the probe has pushed it, whoever shows it. */
function asPushed(labels: Labels): Labels {
  if (labels.exported_job === undefined) return labels;
  const { exported_job: job, exported_instance: instance = '', ...rest } = labels;
  const own = Object.entries(rest).filter(([name]) => !OF_SCRAPE.includes(name));
  return { ...Object.fromEntries(own), job, instance };
}

const nameOf = (metric: string, labels: Labels): string => `${metric} ${keyOf(asPushed(labels))}`;

// ---- ranges ---------------------------------------------------------------------------------------------------------

interface Series {
  readonly metric: Labels;
  readonly values: readonly (readonly [number, string])[];
}

const rowOf = ({ metric, values }: Series): Row => ({
  key: nameOf(metric.__name__ ?? '', metric),
  labels: metric,
  points: values.map(([seconds, value]) => [Math.round(1_000 * seconds), value]),
});

function rangesIn(story: Story, exchange: Answered): RangeAnswer[] {
  if (exchange.op !== 'metrics.asynch' && exchange.op !== 'prometheus.query') return [];
  if (exchange.response.status !== 200) return [];
  const parameters = parametersOf(exchange.request.path);
  const given = (...names: readonly string[]): string => names.map((name) => parameters.get(name)).find(Boolean) ?? '';
  const range = {
    sinceMs: timeIn(given('since', 'start')),
    untilMs: timeIn(given('until', 'end')),
    stepMs: Math.round(1_000 * Number(given('step') || Number.NaN)),
  };
  if (!Object.values(range).every(Number.isFinite) || range.stepMs <= 0) return [];
  const common = { exchange, nowMs: presentAt(story, exchange), ...range };
  const body = JSON.parse(exchange.response.body);
  if (exchange.op === 'prometheus.query') {
    const about = parameters.get('query') ?? '';
    const [metric = ''] = about.split('{');
    return body.data?.resultType === 'matrix' ? [{ ...common, about, metric, rows: body.data.result.map(rowOf) }] : [];
  }
  if (body.status !== null) return [];
  const asked: readonly string[] = body.metrics.filter((name: string) => METRIC_NAME.test(name));
  return body.requested_data.flatMap((entry: { metrics: { result: readonly Series[] } }, n: number) => {
    const metric = asked[n] ?? '';
    return [{ ...common, about: `${metric} of ${body.vc_uuid}`, metric, rows: entry.metrics.result.map(rowOf) }];
  });
}

const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;

/** Behind the ?, or in the last segment of the path. */
function parametersOf(path: string): URLSearchParams {
  const [whole = '', query] = path.split('?');
  return new URLSearchParams(query ?? whole.slice(whole.lastIndexOf('/') + 1));
}

function timeIn(text: string): number {
  return /^-?\d+(\.\d+)?$/.test(text) ? Math.round(1_000 * Number(text)) : Date.parse(text);
}

// ---- expositions and frames -----------------------------------------------------------------------------------------

function scrapeIn(story: Story, exchange: Answered): Scrape[] {
  if (exchange.op !== 'prometheus.scrape' || exchange.response.status !== 200) return [];
  const exposition = readExposition(exchange.response.body);
  const { at } = exchange;
  const pushed: Pushed[] = [];
  for (const { name: metric, labels, key: own, value, timestamp: timeMs } of exposition.samples) {
    if (timeMs === null) continue;
    const key = labels.exported_job === undefined ? own : nameOf(metric, labels);
    pushed.push({ key, metric, labels, value, timeMs, at, exchange });
  }
  return [{ exchange, nowMs: presentAt(story, exchange), exposition, pushed }];
}

interface FrameRecord {
  readonly labels: readonly string[];
  /** A text where it is no number that JSON has. */
  readonly value: number | string;
  readonly time: number;
}

/** What Python writes for a number that JSON does not have. */
const NOT_IN_JSON = /"value":(NaN|-?Infinity)/g;

/** The records of a data frame; of any other, none. */
export function recordsIn({
  text,
}: StreamLine): { readonly metric: string; readonly records: readonly FrameRecord[] } | undefined {
  if (text === null) return undefined;
  const content = legible(() => Object.entries(JSON.parse(text.replaceAll(NOT_IN_JSON, '"value":"$1"'))));
  const [[metric, records] = ['', undefined]] = content ?? [];
  return Array.isArray(records) && records.every(isRecord) ? { metric, records } : undefined;
}

const isRecord = (value: FrameRecord | null): value is FrameRecord =>
  Array.isArray(value?.labels) && typeof value.time === 'number';

function pushedIn(line: StreamLine): Pushed[] {
  const frame = line.event === 'frame' ? recordsIn(line) : undefined;
  if (frame === undefined) return [];
  const { metric, records } = frame;
  return records.flatMap(({ labels: pairs, value, time }) => {
    const labels = labelsIn(pairs.join(','));
    return labels === undefined
      ? []
      : [{ key: nameOf(metric, labels), metric, labels, value: Number(value), timeMs: time, at: line.at }];
  });
}

// ---- trouble --------------------------------------------------------------------------------------------------------

/** A fault that touches measurements does so from when it begins; a clock that is ahead, before. */
function troublesIn({ run, faults }: Story): Pick<Measured, 'troubledFromMs' | 'skewMs'> {
  const skews = new Map<string, number>();
  for (const each of faultsOf(run.scenario)) {
    if (each.kind !== 'declared' || each.fault.selector.layer !== 'metrics') continue;
    const { effect } = each.fault;
    skews.set(each.id, effect.do === 'clock-skew' ? Math.abs(effect.ms) : 0);
  }
  const begun = faults.filter(({ fault, phase }) => phase === 'began' && skews.has(fault));
  return {
    troubledFromMs: Math.min(...begun.map(({ fault, at }) => run.epochMs + at - (skews.get(fault) ?? 0))),
    skewMs: begun.reduce((sum, { fault }) => sum + (skews.get(fault) ?? 0), 0),
  };
}
