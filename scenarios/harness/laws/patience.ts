/**
 * How long a state has lasted, as far as looks from outside tell: at least from the answer that shows it first to the
 * sending of the one that shows it last. Time is not ours there, so one bound is for being slow, and three times it for never.
 */
import type { FunctionState } from '../../../sim/index.ts';
import { type Check, shownBy } from '../law.ts';
import type { Answered, Runtime, Story } from '../story.ts';

interface Wait {
  readonly vm: number;
  readonly state: FunctionState;
  readonly lastedMs: number;
  readonly exchange: Answered;
}

/** What has been deleted, or has failed, has gone after so long. */
export const GOES_MS = 300_000;

/** Past so many times its bound a state is taken for one that does not end. */
export const NEVER_TIMES = 3;

/** Every unbroken run of looks that show one state. */
function* waitsIn({ sights, first }: Runtime): Generator<Wait> {
  for (const { VM_ID: vm } of first.functions.values()) {
    let [since, state, exchange]: [number, FunctionState | undefined, Answered | undefined] = [0, undefined, undefined];
    for (const sight of sights) {
      const seen = [...sight.shown.functions.values()].find(({ VM_ID }) => VM_ID === vm);
      if (seen === undefined) continue;
      if (seen.STATE !== state) {
        if (state !== undefined && exchange !== undefined) {
          yield { vm, state, lastedMs: Math.max(0, exchange.sent - since), exchange };
        }
        [since, state] = [sight.exchange.at, seen.STATE];
      }
      ({ exchange } = sight);
    }
    if (state !== undefined && exchange !== undefined) {
      yield { vm, state, lastedMs: Math.max(0, exchange.sent - since), exchange };
    }
  }
}

const boundOf = ({ run: { bounds } }: Story, state: FunctionState): number | undefined =>
  state === 'PENDING' ? bounds?.pendingMs : state === 'UPDATING' ? bounds?.updatingMs : undefined;

/** Holds the looks at a runtime against the bound of a state. */
export function judgeWaits(story: Story, runtime: Runtime, state: FunctionState, check: Check): void {
  const bound = boundOf(story, state);
  if (bound === undefined) return;
  for (const wait of waitsIn(runtime)) {
    if (wait.state !== state) continue;
    check(wait.lastedMs <= NEVER_TIMES * bound, () =>
      shownBy(wait.exchange, {
        subject: `vm/${wait.vm}`,
        expected: `${state} to end within ${(NEVER_TIMES * bound) / 1000} s`,
        seen: `${state} for ${wait.lastedMs / 1000} s and more`,
        edge: 'liveness',
      }),
    );
  }
}

/** What lasted longer than its bound, and is no breach yet. */
export function slownessOf(story: Story): string[] {
  return [...story.runtimes.values()].flatMap((runtime) =>
    [...waitsIn(runtime)].flatMap(({ state, lastedMs }) => {
      const bound = boundOf(story, state);
      if (bound === undefined || lastedMs <= bound) return [];
      return [`runtime ${runtime.id}: ${state} for ${lastedMs / 1000} s, where ${bound / 1000} s are expected`];
    }),
  );
}
