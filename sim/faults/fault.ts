/** A fault as a resource: what it applies to, when, what it does, and how often. Mirrors OpenNebula's dummy drivers and Toxiproxy's toxics. */

/** Which driver actions it applies to; every part that is given must match, and `*` in a text matches anything. */
export interface Selector {
  readonly layer: 'vm';
  /** Driver action, such as `deploy`. */
  readonly action?: string;
  readonly vm?: number;
  /** VM name. */
  readonly name?: string;
  /** Host name. */
  readonly host?: string;
  /** Owner's name. */
  readonly user?: string;
}

export type Effect =
  /** The driver reports failure, with this text. */
  | { readonly do: 'fail'; readonly message?: string }
  /** The driver needs this much longer. */
  | { readonly do: 'delay'; readonly ms: number }
  /** The driver never answers. */
  | { readonly do: 'stick' };

export interface Trigger {
  /** Lets this many matches pass first. */
  readonly skip?: number;
  /** Applies to this many matches, then to none; without it, to all. */
  readonly times?: number;
  /** Applies to a match with this probability, drawn from the world's seed. */
  readonly probability?: number;
}

export interface FaultSpec {
  readonly selector: Selector;
  readonly trigger?: Trigger;
  readonly effect: Effect;
}

export interface Fault extends FaultSpec {
  readonly id: string;
  /** How many matches it has seen, and how many it has touched. */
  seen: number;
  hits: number;
}
