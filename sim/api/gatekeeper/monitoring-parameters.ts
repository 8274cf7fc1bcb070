/** The parameters of monitoring requests, in a query string or, as the user guide writes them, as the last path segment. */
import { Refusal } from './answer.ts';

export type Parameters = ReadonlyMap<string, string>;

/**
 * What a request says, without what it leaves empty. @param url as requested; @param inPath whether the last segment
 * of its path holds parameters, too. The query string wins.
 */
export function parametersOf(url: string, inPath: boolean): Parameters {
  const [path = '', ...query] = url.split('?');
  const segment = inPath ? path.replace(/\/$/, '').replace(/^.*\//, '') : '';
  // In a path, a plus is a plus.
  return new Map([...pairs(segment), ...pairs(query.join('?').replaceAll('+', ' '))]);
}

function pairs(text: string): (readonly [string, string])[] {
  return text.split('&').flatMap((part) => {
    const at = part.indexOf('=');
    const value = at < 0 ? '' : decoded(part.slice(at + 1));
    return value === '' ? [] : [[decoded(part.slice(0, at)), value] as const];
  });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** In the order in which they are missed, and how the server calls them. */
const NAMES = { metrics: 'Metrics list', since: 'Starting date', until: 'Ending date', step: 'Step of collection' };

type Name = keyof typeof NAMES;

/** All that a range needs. */
export const RANGE_PARAMETERS: readonly Name[] = ['metrics', 'since', 'until', 'step'];

/** @throws Refusal 400 for the first that is missing */
export function requireAll(parameters: Parameters, names: readonly Name[], labels: Partial<typeof NAMES> = {}): void {
  const missing = names.find((name) => !parameters.has(name));
  if (missing !== undefined) throw new Refusal(400, `${labels[missing] ?? NAMES[missing]} is missing`);
}

/** The metrics asked for, in order, as they are written. */
export const metricsOf = (parameters: Parameters): string[] =>
  (parameters.get('metrics') ?? '').split(',').filter((name) => name !== '');

/** Whether Prometheus can be asked for it. */
export const isMetricName = (name: string): boolean => /^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name);
