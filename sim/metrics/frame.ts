/** Filters of the WebSocket server, which reads the Pushgateway and shows a client the records that pass its filters. */
import { labelPairs } from './exposition.ts';
import type { Series } from './series.ts';

/** A filter hits a label, written `name="value"`, that starts with its tag and contains its value anywhere. */
export interface Filter {
  readonly tag: string;
  readonly value: string;
}

/** Reads filters such as `["id='…'","type='vnf'"]`, given as a list or printed. What is not `tag=value` is dropped. */
export function parseFilters(given: string | readonly string[]): Filter[] {
  const filters: Filter[] = [];
  for (const part of (typeof given === 'string' ? given : given.join(',')).replace(/[[\]"'\s]/g, '').split(',')) {
    const at = part.includes('=') ? part.indexOf('=') : part.indexOf(':');
    if (at < 0) continue;
    const tag = part.slice(0, at);
    filters.push({ tag: tag === 'type' ? 'job' : tag, value: part.slice(at + 1) });
  }
  return filters;
}

/** A text that is part of the id of every record that passes the filters; undefined when that cannot be said. */
export function idAskedFor(filters: readonly Filter[]): string | undefined {
  // A filter that hits twice makes up for one that misses; but names of labels differ in the third letter at last.
  const hitOnce = filters.every(({ tag }) => tag === 'id' || tag.length >= 3);
  return hitOnce ? filters.find(({ tag }) => tag === 'id')?.value : undefined;
}

/** Whether a series gets as many hits as there are filters. */
export const passes = ({ labels }: Series, filters: readonly Filter[]): boolean =>
  filters.length === 0 || hits(labelPairs(labels), filters) === filters.length;

function hits(labels: readonly string[], filters: readonly Filter[]): number {
  let count = 0;
  for (const { tag, value } of filters) {
    for (const label of labels) if (label.startsWith(tag) && label.includes(value)) count++;
  }
  return count;
}
