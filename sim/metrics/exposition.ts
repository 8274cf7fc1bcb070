/** The text exposition format of Prometheus, version 0.0.4: what the Pushgateway and the exporters show at one instant. */
import type { Described, Metric } from './catalog.ts';
import type { Guest, Push } from './guest.ts';
import type { Labels } from './labels.ts';
import { lastValue, pushedAt, seriesOf } from './series.ts';

/** What a guest pushed last. */
export interface LastPush {
  readonly guest: Guest;
  readonly push: Push;
  /** The guest's labels, as written. */
  readonly labels: string;
}

/** The samples of a metric. */
export interface Family extends Described {
  /** Lines, those of one guest or other subject at a time. */
  texts(atMs: number): Iterable<string>;
}

const CHUNK_LENGTH = 65_536;

/** Written chunk by chunk: each family that has samples with its HELP and TYPE once. */
export function* exposition(families: readonly Family[], atMs: number): Generator<string> {
  let chunk = '';
  for (const family of families) {
    let head = headOf(family);
    for (const text of family.texts(atMs)) {
      chunk += head + text;
      head = '';
      if (chunk.length >= CHUNK_LENGTH) {
        yield chunk;
        chunk = '';
      }
    }
  }
  if (chunk !== '') yield chunk;
}

/** What guests have pushed, in the order given. */
export const pushedFamily = (metric: Metric, pushes: readonly LastPush[]): Family => ({
  name: metric.name,
  help: metric.help,
  type: metric.type,
  unit: metric.unit,
  *texts() {
    for (const { guest, push, labels: own } of pushes) {
      let text = '';
      for (const series of seriesOf(metric, guest)) {
        const value = lastValue(series, push);
        if (value === undefined) continue;
        const labels = series.labels === guest.labels ? own : labelsText(series.labels);
        text += `${metric.name}{${labels}} ${value} ${pushedAt(series, push)}\n`;
      }
      if (text !== '') yield text;
    }
  },
});

/** `name="value"`, sorted by name, as in the exposition format. */
export const labelPairs = (labels: Labels): string[] =>
  labels.map(([name, value]) => `${name}="${escapeLabel(value)}"`);

export const labelsText = (labels: Labels): string => labelPairs(labels).join(',');

const headOf = (metric: Described): string =>
  `# HELP ${metric.name} ${escapeHelp(helpText(metric))}\n# TYPE ${metric.name} ${metric.type}\n`;

/** What a metric is, in a sentence. */
export const helpText = ({ help, unit }: Pick<Described, 'help' | 'unit'>): string => `${help} (${unit}).`;

const escapeHelp = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');

const escapeLabel = (text: string): string => (/["\\\n]/.test(text) ? escapeHelp(text).replaceAll('"', '\\"') : text);
