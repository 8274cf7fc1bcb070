/** A request that no route takes: which one was probably meant, and what does not fit. */
import { nearest } from '../kernel/nearest.ts';

export interface Route {
  readonly method: string;
  /** With parameters as `:name`, `:name{pattern}` or `:name?`. */
  readonly path: string;
}

export interface Unmatched {
  readonly reason: 'no such method' | 'no such path';
  /** Method and path of the nearest route; empty when none is near. */
  readonly nearest: string;
}

/** The route that takes a request; of several the one with the fewest parameters. */
export function routeOf(routes: readonly Route[], method: string, path: string): Route | undefined {
  const given = path.split('/');
  let best: Route | undefined;
  for (const { route, parts } of spelt(routes)) {
    if (route.method !== soughtBy(method) || filled(parts, given) !== path) continue;
    if (best === undefined || parameters(route) < parameters(best)) best = route;
  }
  return best;
}

/** A route as OpenAPI writes it: `GET /runtimes/{id}`. */
export const templateOf = ({ method, path }: Route): string =>
  `${method} ${path.replace(/:(\w+)(?:\{.*?\})?\??/g, '{$1}')}`;

/** `undefined` when a route takes the request. */
export function unmatched(routes: readonly Route[], method: string, path: string): Unmatched | undefined {
  const sought = soughtBy(method);
  const given = path.split('/');
  const otherMethods: Route[] = [];
  /** Each path as it would be with the parameters of this one. */
  const others = new Map<string, Route>();
  for (const { route, parts } of spelt(routes)) {
    const whole = filled(parts, given);
    if (whole !== path) {
      if (!others.has(whole) || route.method === sought) others.set(whole, route);
    } else if (route.method === sought) return undefined;
    else otherMethods.push(route);
  }
  const [other] = otherMethods;
  if (other !== undefined) return { reason: 'no such method', nearest: templateOf(other) };
  const near = others.get(nearest(path, others.keys()) ?? '');
  return { reason: 'no such path', nearest: near === undefined ? '' : templateOf(near) };
}

/** HEAD is answered wherever GET is. */
const soughtBy = (method: string): string => (method === 'HEAD' ? 'GET' : method);

/** Each route with the segments of its path; twice, where the last may be left out. */
function* spelt(routes: readonly Route[]): Generator<{ readonly route: Route; readonly parts: readonly string[] }> {
  for (const route of routes) {
    // What is there for all methods is middleware, and a star is the fallback itself.
    if (route.method === 'ALL' || route.path.includes('*')) continue;
    const parts = route.path.split('/');
    yield { route, parts };
    if (route.path.endsWith('?')) yield { route, parts: parts.slice(0, -1) };
  }
}

/** The path of a route with the parameters of another. */
const filled = (parts: readonly string[], given: readonly string[]): string =>
  parts.map((part, at) => (part.startsWith(':') ? given[at] || part : part)).join('/');

const parameters = ({ path }: Route): number => path.split('/:').length;

/** For the log and for an answer. */
export const hintOf = ({ reason, nearest }: Unmatched): string =>
  `${reason}${nearest === '' ? '' : `; the nearest is ${nearest}`}`;
