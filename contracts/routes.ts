/** Whether an application serves exactly the operations that a contract documents. */
import type { Contract } from './contract.ts';

interface Route {
  readonly method: string;
  /** With parameters as `:name`, `:name{pattern}` or `:name?`, or as `{name}`. */
  readonly path: string;
}

/** The operations of a contract, under every base path. */
export function operationsOf(contract: Contract): readonly Route[] {
  return contract.operations.map(({ method, path }) => ({ method, path }));
}

/** What only one side has, as `METHOD /path/{}`, sorted. Routes for all methods are middleware and do not count. */
export function compareRoutes(
  routes: readonly Route[],
  operations: readonly Route[],
): { readonly undocumented: readonly string[]; readonly unserved: readonly string[] } {
  const served = new Set(routes.filter(({ method }) => method !== 'ALL').flatMap(shapesOf));
  const documented = new Set(operations.flatMap(shapesOf));
  return {
    undocumented: [...served].filter((shape) => !documented.has(shape)).sort(),
    unserved: [...documented].filter((shape) => !served.has(shape)).sort(),
  };
}

/** The route with its parameters' names taken away; two of them when the last segment is optional. */
function shapesOf({ method, path }: Route): string[] {
  const shape = path
    .split('/')
    .map((segment) => (/^[:{]/.test(segment) ? '{}' : segment))
    .join('/');
  const whole = `${method.toUpperCase()} ${shape}`;
  return path.endsWith('?') ? [whole, whole.slice(0, -'/{}'.length)] : [whole];
}
