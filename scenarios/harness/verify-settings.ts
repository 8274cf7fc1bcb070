/** What `onesim verify` can be told: one table of flags, and what they have to do with one another. */
import { flags, Problem } from '../../sim/index.ts';
import { REPORT, type ReportFiles } from './report-files.ts';
import { credentialsOf } from './run-files.ts';
import { atLeast, LEVELS } from './target/levels.ts';
import type { TargetSettings } from './target/target.ts';

const { count, duration, on, optional, readFlags, session, text, url, word } = flags;

/** One of so many parts of the work. */
export interface Shard {
  readonly i: number;
  readonly of: number;
}

const shard = {
  allowed: 'a part of the work such as 2/5, from 1/5 to 5/5',
  read(given: string): Shard | undefined {
    const [, i, of] = /^(\d{1,5})\/(\d{1,5})$/.exec(given)?.map(Number) ?? [];
    return i !== undefined && of !== undefined && i >= 1 && i <= of ? { i, of } : undefined;
  },
};

/** Requests a second. */
const rate = {
  allowed: 'requests a second, from 0.01 to 1000',
  read: (given: string): number | undefined =>
    /^\d{1,4}(\.\d{1,2})?$/.test(given) && Number(given) >= 0.01 && Number(given) <= 1_000 ? Number(given) : undefined,
};

const FLAGS = {
  '--target': optional(url),
  '--stand-in': on,
  '--auth': optional(session),
  '--other-auth': optional(session),
  '--admin-auth': optional(session),
  '--gatekeeper-auth': optional(session),
  '--api': { ...word('engine', 'gatekeeper', 'all'), otherwise: 'engine' as const },
  '--level': { ...word(...LEVELS), otherwise: 'read' as const },
  '--profile': optional(word('upstream', 'contract', 'auto')),
  '--flavour': { ...text, otherwise: 'Function' },
  '--seed': { ...count(0, 2_000_000_000), otherwise: 1 },
  '--until-stable': on,
  '--runs': optional(count(1, 1_000_000)),
  '--shard': { ...shard, otherwise: { i: 1, of: 1 } },
  '--rate': { ...rate, otherwise: 1 },
  '--timeout': { ...duration, otherwise: 60_000 },
  '--max-duration': { ...duration, otherwise: Number.POSITIVE_INFINITY },
  '--ledger': { ...text, otherwise: 'onesim-ledger.ndjson' },
  '--control': optional(url),
  '--against': optional(word('stand-in')),
  '--allow-oneadmin': on,
  '--report': REPORT,
} as const;

/** Flags that mean something only where there is a server. */
const OF_TARGETS: readonly (keyof typeof FLAGS)[] = [
  '--auth',
  '--other-auth',
  '--admin-auth',
  '--gatekeeper-auth',
  '--api',
  '--level',
  '--flavour',
  '--rate',
  '--timeout',
  '--ledger',
  '--control',
  '--against',
  '--allow-oneadmin',
];

/** Scenarios, where nobody says how many. */
const [RUNS, RUNS_OF_TARGET, MOST_RUNS] = [200, 3, 100_000];

interface Common {
  readonly seed: number;
  readonly runs: number;
  readonly maxDurationMs: number;
  readonly reports: ReportFiles;
}

export interface StandInSettings extends Common {
  readonly on: 'stand-in';
  readonly profile: 'upstream' | 'contract';
  readonly shard: Shard;
  /** Ends once nothing new is seen, rather than after so many scenarios; then all that is never seen has to have a reason. */
  readonly untilStable: boolean;
}

export interface ServerSettings extends Common, TargetSettings {
  readonly on: 'target';
  readonly api: 'engine' | 'gatekeeper' | 'all';
  /** `user:password` of a user of the Gatekeeper. */
  readonly gatekeeper: string | undefined;
  readonly against: boolean;
}

/** @throws Problem */
export function verifySettings(args: readonly string[]): StandInSettings | ServerSettings {
  const { flags: told, given, words } = readFlags(FLAGS, args);
  const [word] = words;
  if (word !== undefined) throw new Problem(`unexpected argument ${JSON.stringify(word)}`);
  const target = told['--target'];
  if (target !== undefined && told['--stand-in']) throw new Problem('--target and --stand-in are two things');
  const untilStable = told['--until-stable'];
  const usual = target !== undefined ? RUNS_OF_TARGET : untilStable ? MOST_RUNS : RUNS;
  const share = shareOf(told['--runs'] ?? usual, told['--shard']);
  const common = {
    seed: told['--seed'] + share.from,
    runs: share.count,
    maxDurationMs: told['--max-duration'],
    reports: told['--report'],
  };
  if (target === undefined) {
    const stray = OF_TARGETS.find((name) => given.has(name));
    if (stray !== undefined) throw new Problem(`${stray} says something of a server, and no --target is given`);
    const profile = told['--profile'] ?? 'upstream';
    if (profile === 'auto') throw new Problem('--profile: the stand-in is upstream or contract, as it is told');
    return { on: 'stand-in', ...common, profile, shard: told['--shard'], untilStable };
  }
  if (untilStable) throw new Problem('--until-stable is for the stand-in: a server would be asked without end');
  const [level, owner] = [told['--level'], told['--auth']];
  if (atLeast(level, 'crud') && owner === undefined && told['--api'] !== 'gatekeeper') {
    throw new Problem(`--level ${level} makes runtimes: say whose, with --auth user:password`);
  }
  if (owner?.startsWith('oneadmin:') && !told['--allow-oneadmin']) {
    throw new Problem('--auth: oneadmin may do too much for a test; --allow-oneadmin lets it');
  }
  const named = { owner, other: told['--other-auth'], admin: told['--admin-auth'] };
  return {
    on: 'target',
    ...common,
    target,
    level,
    credentials: credentialsOf(named, target),
    api: told['--api'],
    gatekeeper: told['--gatekeeper-auth'],
    profile: told['--profile'] ?? 'auto',
    flavour: told['--flavour'],
    rate: told['--rate'],
    timeoutMs: told['--timeout'],
    ledger: told['--ledger'],
    control: told['--control'],
    against: told['--against'] !== undefined,
  };
}

/** The scenarios of a shard follow those of the one before it: together they are those of the whole. */
export function shareOf(runs: number, { i, of }: Shard): { readonly from: number; readonly count: number } {
  const from = Math.floor((runs * (i - 1)) / of);
  return { from, count: Math.floor((runs * i) / of) - from };
}
