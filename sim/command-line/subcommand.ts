/** A subcommand of those that drive a running stand-in: its flags, and what its words mean. */
import type { EntryFilter } from '../api/control/entry.ts';
import { pace } from '../config.ts';
import type { ControlClient } from '../control-client.ts';
import type { Machine } from '../machine.ts';
import { Problem } from '../problem.ts';
import { count, duration, on, optional, type readFlags, text, url } from './flags.ts';

export const FLAGS = {
  '--url': optional(url),
  '--json': on,
  '--max': optional(duration),
  '--max-events': optional(count(1, 1_000_000_000)),
  '--seed': optional(count(0, Number.MAX_SAFE_INTEGER)),
  '--clock': optional(pace),
  '--empty': on,
  '--limit': optional(count(1, 10_000)),
  '--kind': optional(text),
  '--subject': optional(text),
  '--because': optional(count(1, 2 ** 31)),
  '--after': optional(count(0, 2 ** 31)),
};

export type Flags = ReturnType<typeof readFlags<typeof FLAGS>>['flags'];

/** What a subcommand is given. */
interface Call {
  readonly client: ControlClient;
  readonly words: readonly string[];
  readonly flags: Flags;
  readonly machine: Machine;
}

export interface Subcommand {
  /** What follows its name. */
  readonly usage: string;
  readonly meaning: string;
  /** Flags it takes besides `--url` and `--json`. */
  readonly flags?: readonly (keyof typeof FLAGS)[];
  /** How many words it takes at least and at most. */
  readonly words: readonly [number, number];
  /** Returns what `--json` prints, and the lines that stand for it otherwise. */
  run(call: Call): Promise<{ readonly json: unknown; readonly lines: readonly string[]; readonly code?: number }>;
}

export type Subcommands = Readonly<Record<string, Subcommand>>;

export const MANY = Number.POSITIVE_INFINITY;

// ---- words -------------------------------------------------------------------------------------------------------------

export function numberIn(name: string, given: string): number {
  if (!/^\d{1,12}(\.\d{1,6})?$/.test(given))
    throw new Problem(`${name}: expected a number, not ${JSON.stringify(given)}`);
  return Number(given);
}

export function durationIn(name: string, given: string): number {
  const ms = duration.read(given);
  if (ms === undefined) throw new Problem(`${name}: expected ${duration.allowed}, not ${JSON.stringify(given)}`);
  return ms;
}

/** The words that name a part of an entry's detail. */
export function detailIn(words: readonly string[]): Pick<EntryFilter, 'detail'> {
  const parts = words.filter((word) => word.includes('='));
  if (parts.length === 0) return {};
  return {
    detail: Object.fromEntries(
      parts.map((part) => [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1)]),
    ),
  };
}
