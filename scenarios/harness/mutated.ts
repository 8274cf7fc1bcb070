/** Puts a bug into one method of one object of one world. */
import type { World } from '../../sim/index.ts';
import type { Wrap } from './transport.ts';

/** A door behind which a world is not what it was. */
export const mutated =
  (change: (world: World) => void): Wrap =>
  (simulator) => {
    change(simulator.world);
    return (request) => simulator.fetch(request);
  };

export function patch<T extends object, K extends keyof T>(
  object: T,
  method: K,
  instead: (original: T[K]) => T[K],
): void {
  const original = object[method];
  if (typeof original !== 'function') throw new Error(`${String(method)} is no method`);
  Object.defineProperty(object, method, { value: instead(original.bind(object)) });
}
