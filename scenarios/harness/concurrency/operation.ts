/**
 * What was asked of one object, and when: the material of every search for an order in which it may have happened. An
 * operation is a chain of phases, for a request to a real server takes effect in several places, one after the other.
 */

/** The states that a phase may lead to from one; or why it cannot be taken there. */
export type Phase<S> = (state: S) => readonly S[] | string;

/** From when until when, by one and the same clock, whichever it is. */
export interface Span {
  readonly invoked: number;
  /** Infinity where no answer came, or none that counts: it may still take effect, at any time, or never. */
  readonly returned: number;
}

export interface Operation<S> extends Span {
  /** As a person is to read it, such as `s3 PUT 200`. */
  readonly name: string;
  /** Of one that was never answered each may also have been left out. */
  readonly phases: readonly Phase<S>[];
  /** It only looks: what may have happened before it may as well happen after it. */
  readonly looks?: boolean;
}

/** An object that operations are asked of. */
export interface Thing<S> {
  readonly initial: S;
  /** The same for two states that nothing can tell apart. */
  keyOf(state: S): string;
}

export const isOpen = ({ returned }: Span): boolean => returned === Number.POSITIVE_INFINITY;

/** Whether two were under way at the same time. */
export const overlap = (a: Span, b: Span): boolean => a !== b && a.invoked <= b.returned && b.invoked <= a.returned;

/** A phase that may come next, and how many phases are behind the operation then. */
export type Move<S> = readonly [phase: Phase<S>, after: number];

/** What may come next of an operation, by how many phases it has behind it: of one that is open, any that is left. */
export const movesOf = <S>(operation: Operation<S>): readonly (readonly Move<S>[])[] =>
  operation.phases.map((_, taken) => {
    const last = isOpen(operation) ? operation.phases.length : taken + 1;
    return operation.phases.slice(taken, last).map((phase, n): Move<S> => [phase, taken + n + 1]);
  });

/** How many phases each of some operations has behind it, as a text. */
export const nameOf = (taken: readonly number[]): string => String.fromCharCode(...taken);
