/** The parts of a world that its control API moves, shows and breaks. */
import type { Vocabulary } from '../../faults/flaws.ts';
import type { Judge } from '../../faults/judge.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Journal } from '../../kernel/journal.ts';
import type { Pace } from '../../kernel/pace.ts';
import type { Cloud } from '../../one/cloud.ts';
import type { InstanceDoor } from './instances.ts';
import type { SandboxDoor } from './sandboxes.ts';
import type { Kept } from './state.ts';

export interface Controlled {
  readonly clock: Clock;
  readonly pace: Pace;
  readonly journal: Journal;
  readonly judge: Judge;
  /** What a fault may name. */
  readonly vocabulary: Vocabulary;
  readonly cloud: Cloud;
  /** The Gatekeeper's. */
  readonly instances: InstanceDoor;
  /** Names by which this machine is called, besides `localhost`. */
  readonly controlHosts: readonly string[];
  /** Largest body that is read. */
  readonly maxBodyBytes: number;
  readonly sandboxes: SandboxDoor;
  /** How the world as a whole is kept and put back. */
  readonly kept: Kept;
}
