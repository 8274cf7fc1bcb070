/**
 * The points at which a handler waits, and how a scenario decides who goes on first. A handler of the stand-in waits for
 * nothing but its world's clock; that clock then is the scheduler, and a step says how much longer each of its waits is
 * to last: who is to come first gets up earlier.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Soon, World } from '../../../sim/index.ts';

type Clock = World['clock'];

/** What is left of the pauses of the request on whose behalf code runs. */
const pauses = new AsyncLocalStorage<number[]>();

const slowed = new WeakSet<Clock>();

/** Has every wait of what `act` begins last so much longer, in milliseconds, one after the other. */
export function pausing<T>(clock: Clock, waitsMs: readonly number[], act: () => Soon<T>): Soon<T> {
  if (waitsMs.length === 0) return act();
  if (!slowed.has(clock)) slow(clock);
  underWay++;
  const answering = pauses.run([...waitsMs], act);
  if (answering instanceof Promise) answering.then(end, end);
  else end();
  return answering;
}

/** How many requests there are with pauses. */
let underWay = 0;

/** While Node follows who acts on whose behalf, every promise of the process takes longer. */
function end(): void {
  underWay--;
  if (underWay === 0) pauses.disable();
}

function slow(clock: Clock): void {
  const sleep = clock.sleep.bind(clock);
  const longer = (ms: number, what: string): Promise<void> => sleep(ms + (pauses.getStore()?.shift() ?? 0), what);
  Object.defineProperty(clock, 'sleep', { value: longer });
  slowed.add(clock);
}
