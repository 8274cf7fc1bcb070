/** The parts of a world that its control API moves, shows and breaks. */
import type { Judge } from '../../faults/judge.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Journal } from '../../kernel/journal.ts';
import type { Pace } from '../../kernel/pace.ts';
import type { Cloud } from '../../one/cloud.ts';

export interface Controlled {
  readonly clock: Clock;
  readonly pace: Pace;
  readonly journal: Journal;
  readonly judge: Judge;
  readonly cloud: Cloud;
  /** Largest body that is read. */
  readonly maxBodyBytes: number;
  /** Puts the world back as it was loaded. */
  reset(): void;
}
