/** The text exposition format of Prometheus, version 0.0.4: what the Pushgateway shows of all guests at one instant. */
import type { Metric } from './catalog.ts';
import type { Guest, Push } from './guest.ts';
import { type Labels, lastValue, pushedAt, seriesOf } from './series.ts';

/** What a guest pushed last. */
export interface LastPush {
  readonly guest: Guest;
  readonly push: Push;
}

const CHUNK_LENGTH = 65_536;

/** Written chunk by chunk: each family with its HELP and TYPE once, and in it the guests in the order given. */
export function* exposition(metrics: readonly Metric[], pushes: readonly LastPush[]): Generator<string> {
  let chunk = '';
  for (const metric of metrics) {
    let head = headOf(metric);
    for (const { guest, push } of pushes) {
      for (const series of seriesOf(metric, guest)) {
        const value = lastValue(series, push);
        if (value === undefined) continue;
        chunk += `${head}${metric.name}{${labelPairs(series.labels).join(',')}} ${value} ${pushedAt(series, push)}\n`;
        head = '';
      }
      if (chunk.length >= CHUNK_LENGTH) {
        yield chunk;
        chunk = '';
      }
    }
  }
  if (chunk !== '') yield chunk;
}

/** `name="value"`, sorted by name, as in the exposition format. */
export const labelPairs = (labels: Labels): string[] =>
  labels.map(([name, value]) => `${name}="${escapeLabel(value)}"`);

const headOf = (metric: Metric): string =>
  `# HELP ${metric.name} ${escapeHelp(helpText(metric))}\n# TYPE ${metric.name} ${metric.type}\n`;

/** What a metric is, in a sentence. */
export const helpText = ({ help, unit }: Pick<Metric, 'help' | 'unit'>): string => `${help} (${unit}).`;

const escapeHelp = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');

const escapeLabel = (text: string): string => (/["\\\n]/.test(text) ? escapeHelp(text).replaceAll('"', '\\"') : text);
