/** When the guests of VMs ran, as the journal tells: what a probe inside can have measured. */
import { GUEST_STATES, type State } from '../../../sim/index.ts';
import type { Change, Story } from '../story.ts';

/** From its start up to its end; all in milliseconds since the Unix epoch. */
interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** Nobody hears of a guest whose host is away, and it may run all the same. */
const mayRun = (state: State): boolean => GUEST_STATES.has(state) || state === 'UNKNOWN';

/** Whether a VM was there before anybody asked for anything, or the journal does not say since when it is. */
const isOlder = ([first]: readonly Change[]): boolean =>
  first === undefined || first.from !== 'INIT' || first.entry.cause === 0;

/** The stretches of time in which a guest may have run; undefined where the journal does not say. */
export function stretchesOf(story: Story, vm: number): readonly Stretch[] | undefined {
  const changes = story.changesOf(vm);
  if (!story.omniscient || isOlder(changes)) return undefined;
  const stretches: Stretch[] = [];
  for (const { at, from, to } of changes) {
    const last = stretches.at(-1);
    const instant = story.run.epochMs + at;
    if (mayRun(from) && !mayRun(to) && last !== undefined) stretches.splice(-1, 1, { ...last, to: instant });
    if (!mayRun(from) && mayRun(to)) stretches.push({ from: instant, to: Number.POSITIVE_INFINITY });
  }
  return stretches;
}

/** Whether something happened to a VM at this very instant: what is measured then may be of before it or of after. */
export const changesAt = (story: Story, vm: number, ms: number): boolean =>
  story.changesOf(vm).some(({ at }) => story.run.epochMs + at === ms);

/** Whether something happened to any VM or host at this very instant. */
export const anyChangesAt = (story: Story, ms: number): boolean =>
  story.entries.some(({ at, kind }) => at === ms && (kind === 'vm.state' || kind.startsWith('host.')));

/** Whether a guest ran from one instant to another without a break, for all that is known. */
export function hasRun(story: Story, vm: number | undefined, fromMs: number, toMs: number): boolean {
  if (!story.omniscient || isHostTroubled(story)) return false;
  // A machine of the world runs ever since, unless something has happened to one of them.
  if (vm === undefined) return !hasWorldChanged(story);
  const isUntouched = !story.disturbed(vm, 0, toMs - story.run.epochMs);
  return isUntouched && (stretchesOf(story, vm) ?? []).some(({ from, to }) => from <= fromMs && toMs < to);
}

/** A host that goes and comes back stops its guests, whatever OpenNebula thinks of them. */
const isHostTroubled = once((story) =>
  story.entries.some(
    ({ kind, subject }) => kind.startsWith('host.') || (kind === 'fault' && subject.startsWith('host/')),
  ),
);

const hasWorldChanged = once((story) =>
  story.changes.some(({ at, entry }) => at > 0 && isOlder(story.changesOf(vmIn(entry.subject)))),
);

const vmIn = (subject: string): number => Number(subject.slice('vm/'.length));

/** What is asked of a story over and over, and is always the same. */
function once<T>(answer: (story: Story) => T): (story: Story) => T {
  const known = new WeakMap<Story, { readonly told: T }>();
  return (story) => {
    const before = known.get(story) ?? { told: answer(story) };
    known.set(story, before);
    return before.told;
  };
}
