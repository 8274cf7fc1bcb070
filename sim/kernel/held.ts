/**
 * The state of a world, as parts that are each held in one place. A snapshot asks every holder for its state and writes
 * down what it gets, whatever that is; a restored world gives each holder of its own the same again. So nobody but the
 * holder knows what its state consists of, and a field that is added beside the others is kept as they are.
 *
 * Who holds state of a kind that is new here: implement {@link Held}, and name the holder once, in the table of the
 * layer (`held` of the cloud, of the Gatekeeper, of the world). What `state` returns may consist of plain records,
 * arrays, Maps, Sets, bytes, texts, numbers and instances of the classes in the table of `snapshot.ts`; two
 * references to one object stay two references to one object. Functions, observers and what can be derived stay out.
 */
export interface Held<S = unknown> {
  /** All that the future depends on, as it is: nothing needs to be copied. */
  state(): S;
  /** Takes over what an equal holder gave. Asked of a holder to which nothing has happened, once. */
  restore(state: S): void;
}

/** Holders by the name of their part, in the order in which they are restored. */
export type Holders = Readonly<Record<string, Held>>;

/** A map as a holder of what is in it. */
export const heldMap = <K, V>(map: Map<K, V>): Held<ReadonlyMap<K, V>> => ({
  state: () => map,
  restore(state) {
    map.clear();
    for (const [key, value] of state) map.set(key, value);
  },
});

/** Takes what is in one set into another. */
export function refill<T>(set: Set<T>, values: Iterable<T>): void {
  set.clear();
  for (const value of values) set.add(value);
}

/** A snapshot that cannot be taken over; the message says why, in words for whoever gave it. */
export class Unreadable extends Error {}

/** What those are told who wait for something in a world that is no more. */
export class WorldOver extends Error {
  constructor() {
    super('The world that this request waited for has been replaced, or its server stops');
  }
}

/** A world of which no snapshot can be taken right now. */
export class Unsettled extends Error {}
