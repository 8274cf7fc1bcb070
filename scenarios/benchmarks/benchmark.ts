/** A benchmark: what it measures, the figure it has to reach, and how it is run. */

/** What a measured figure is held against. */
export type Bar = { readonly atLeast: number } | { readonly atMost: number };

export interface Result {
  /** What was measured, such as `GET of a runtime, of bare hono`. */
  readonly figure: string;
  readonly measured: number;
  /** Such as `events/s`, `MB`, or `×` for a ratio. */
  readonly unit: string;
  /** `null` for a figure that only helps to read the others. */
  readonly bar: Bar | null;
}

export interface Benchmark {
  /** By which it is chosen on the command line. */
  readonly name: string;
  /** What is done, in one line. */
  readonly what: string;
  /** The required figure, in words. */
  readonly bar: string;
  /** Called in a process of its own, which has `gc()`; it may start more. */
  run(): Promise<readonly Result[]>;
}

/** How many times the bar was measured; `null` without a bar. */
export function ratio({ measured, bar }: Result): number | null {
  if (bar === null) return null;
  return measured / ('atLeast' in bar ? bar.atLeast : bar.atMost);
}

export function meetsBar({ measured, bar }: Result): boolean {
  if (bar === null) return true;
  return 'atLeast' in bar ? measured >= bar.atLeast : measured <= bar.atMost;
}
