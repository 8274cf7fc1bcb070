/** What `onesim verify` is told, and what its flags have to do with one another. */
import { availableParallelism } from 'node:os';
import { flags, Problem } from '../../sim/index.ts';
import { COMMAND_FLAGS, gatekeeperUsers, OF_TARGETS, only, RUNS, type Shard, WORTH_A_WORKER } from './flags.ts';
import type { ReportFiles } from './report-files.ts';
import type { PartOf } from './reports/reported.ts';
import { credentialsOf } from './request.ts';
import { atLeast } from './target/levels.ts';
import type { TargetSettings } from './target/target.ts';

const TABLE = only([...COMMAND_FLAGS.verify.own, ...COMMAND_FLAGS.verify.ofTargets]);

interface Common {
  readonly seed: number;
  readonly runs: number;
  readonly maxDurationMs: number;
  readonly reports: ReportFiles;
  /** Which part of which run it is. */
  readonly part: Omit<PartOf, 'onesim' | 'code'>;
}

export interface StandInSettings extends Common {
  readonly on: 'stand-in';
  readonly profiles: readonly ('upstream' | 'contract')[];
  readonly shard: Shard;
  /** How many scenarios of the whole run come before. */
  readonly from: number;
  /** How many search at the same time. */
  readonly workers: number;
  /** Ends once nothing new is seen, rather than after so many scenarios; then all that is never seen has to have a reason. */
  readonly untilStable: boolean;
}

export interface ServerSettings extends Common, TargetSettings {
  readonly on: 'target';
  readonly api: 'engine' | 'gatekeeper' | 'all';
  readonly against: boolean;
  /** How many times as long, or as short, a step may take there as on the stand-in. */
  readonly tolerance: number;
}

/** @throws Problem */
export function verifySettings(args: readonly string[]): StandInSettings | ServerSettings {
  const { flags: told, given, words } = flags.readFlags(TABLE, args);
  const [word] = words;
  if (word !== undefined) throw new Problem(`unexpected argument ${JSON.stringify(word)}`);
  const target = told['--target'];
  if (target !== undefined && told['--stand-in']) throw new Problem('--target and --stand-in are two things');
  const untilStable = told['--until-stable'];
  const usual = target !== undefined ? RUNS.target : untilStable ? RUNS.most : RUNS.standIn;
  const share = shareOf(told['--runs'] ?? usual, told['--shard']);
  const { i, of } = told['--shard'];
  const common = {
    seed: told['--seed'],
    runs: share.count,
    maxDurationMs: told['--max-duration'],
    reports: told['--report'],
    part: {
      of: target ?? 'the stand-in',
      profile: told['--profile'] ?? (target !== undefined ? 'auto' : untilStable ? 'both' : 'upstream'),
      seed: told['--seed'],
      runs: told['--runs'] ?? usual,
      shard: `${i}/${of}`,
    },
  };
  if (target === undefined) {
    const stray = OF_TARGETS.find((name) => given.has(name));
    if (stray !== undefined) throw new Problem(`${stray} says something of a server, and no --target is given`);
    const profile = told['--profile'] ?? (untilStable ? 'both' : 'upstream');
    if (profile === 'auto') throw new Problem('--profile: the stand-in is upstream, contract or both, as it is told');
    const profiles = profile === 'both' ? (['upstream', 'contract'] as const) : [profile];
    const workers = told['--workers'] ?? workersFor(share.count, availableParallelism());
    return { on: 'stand-in', ...common, from: share.from, profiles, shard: told['--shard'], workers, untilStable };
  }
  if (untilStable) throw new Problem('--until-stable is for the stand-in: a server would be asked without end');
  if (given.has('--workers')) throw new Problem('--workers is for the stand-in: a server is asked one thing at a time');
  const profile = told['--profile'] ?? 'auto';
  if (profile === 'both') throw new Problem('--profile: a server has one; auto takes the one that it shows');
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
    seed: told['--seed'] + share.from,
    target,
    level,
    credentials: credentialsOf(named, target),
    api: told['--api'],
    sessions: gatekeeperUsers(told, target),
    profile,
    flavour: told['--flavour'],
    rate: told['--rate'],
    timeoutMs: told['--timeout'],
    ledger: told['--ledger'],
    control: told['--control'],
    against: told['--against'] !== undefined,
    tolerance: told['--tolerance'],
  };
}

/** Where nobody says how many: no more than there are cores, and none who would hardly have begun when all is done. */
export const workersFor = (runs: number, cores: number): number =>
  Math.max(1, Math.min(cores, Math.floor(runs / WORTH_A_WORKER)));

/** The scenarios of a shard follow those of the one before it: together they are those of the whole. */
export function shareOf(runs: number, { i, of }: Shard): { readonly from: number; readonly count: number } {
  const from = Math.floor((runs * (i - 1)) / of);
  return { from, count: Math.floor((runs * i) / of) - from };
}
