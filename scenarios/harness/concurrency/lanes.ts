/**
 * Lanes: steps of several clients that are at it at the same time. Those of one lane follow one another, the lanes begin
 * together once what stands before them is over, and what stands after them waits for them all.
 */
import type { Step } from '../scenario.ts';

interface InLane {
  readonly id: string;
  readonly lane?: number;
  readonly pausesMs?: readonly number[];
}

/** The lane of a step; `undefined` for one that follows all before it. */
export const laneOf = ({ lane }: InLane): number | undefined => lane;

/** How long a step is held back at each point where it may wait: before it is sent, then at each wait of its handler. */
export const pausesOf = ({ pausesMs }: InLane): readonly number[] => pausesMs ?? [];

/** All steps, each with those that have to be over before. */
export function inLanes(steps: readonly Step[]): (readonly [step: Step, behind: readonly string[]])[] {
  /** What the lanes begin behind, or the next step outside of them. */
  let gate: readonly string[] = [];
  const ends = new Map<number, string>();
  return steps.map((step) => {
    const lane = laneOf(step);
    if (lane === undefined) {
      const behind = ends.size > 0 ? [...ends.values()] : gate;
      ends.clear();
      gate = [step.id];
      return [step, behind] as const;
    }
    const before = ends.get(lane);
    ends.set(lane, step.id);
    return [step, before === undefined ? gate : [before]] as const;
  });
}
