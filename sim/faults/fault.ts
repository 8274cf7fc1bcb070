/** A fault as a resource: what was written, and what has become of it. Plain data, so that a snapshot can hold it. */
import type { FaultSpec, Layer, Selector } from './schema.ts';

/** `waiting` for its time or its event; `armed`; `exhausted`: its budget or its time is over, and it touches nothing more. */
type FaultState = 'waiting' | 'armed' | 'exhausted';

/** A stretch of time in which it acted, in simulated milliseconds; it has not ended while `to` is null. */
export interface Stretch {
  readonly from: number;
  to: number | null;
}

export type Fault<L extends Layer = Layer> = FaultSpec<L> & {
  readonly id: string;
  readonly armedAt: number;
  state: FaultState;
  /** It has ended, and what it did is healed. */
  over: boolean;
  /** How many matches it has seen, and how many it has touched. */
  seen: number;
  hits: number;
  /** Oldest first. */
  readonly active: Stretch[];
};

/** What a selector's part is compared with: any of several fits. */
type Fact = string | number | readonly (string | number)[];

/** Whose states a trigger may ask for. */
export type Concerned = 'vm' | 'host' | 'service';

/**
 * Something that is about to happen, or something that a condition may hold on. The facts are the parts of a selector
 * of that layer; a part that has no fact fits nothing.
 */
export type Attempt<L extends Layer = Layer> = {
  readonly layer: L;
  readonly label?: (key: string) => string | undefined;
  /** States of the VMs, the host or the service that it concerns, where it concerns any. */
  readonly states?: { readonly [C in Concerned]?: string | readonly string[] };
} & { readonly [K in Exclude<keyof Selector<L>, 'layer' | 'label'>]?: Fact };

/** Most touches; without it, no bound. */
export const mostHits = ({ budget, trigger }: FaultSpec): number =>
  budget?.hits ?? trigger?.times ?? Number.POSITIVE_INFINITY;
