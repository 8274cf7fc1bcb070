/** Whether somebody wants a run to end early, as with Ctrl-C: what is under way is waited for, and nothing else begins. */
import type { Machine } from '../../sim/index.ts';

export interface Stop {
  readonly aborted: boolean;
}

export function stopOf(machine: Pick<Machine, 'out' | 'stopped'>): Stop {
  const stop = { aborted: false };
  machine.stopped().then(() => {
    stop.aborted = true;
    machine.out('Stopping: what is under way is waited for, and what was made is deleted. Once more ends at once.');
  });
  return stop;
}
