/** Every flag of the harness's commands, as one table: what it may be, what holds without it, and what it means. */
import { exitCodes, flags } from '../../sim/index.ts';
import { REPORT } from './report-files.ts';
import { type Credentials, SESSIONS, sessionsOf } from './request.ts';
import { LEVELS } from './target/levels.ts';

const { count, duration, flagsHelp, on, optional, session, text, told, url, word } = flags;

/** One of so many parts of the work. */
export interface Shard {
  readonly i: number;
  readonly of: number;
}

const shard = {
  allowed: 'a part of the work such as 2/5, from 1/5 to 5/5',
  otherwise: { i: 1, of: 1 },
  read(given: string): Shard | undefined {
    const [, i, of] = /^(\d{1,5})\/(\d{1,5})$/.exec(given)?.map(Number) ?? [];
    return i !== undefined && of !== undefined && i >= 1 && i <= of ? { i, of } : undefined;
  },
};

const decimal = (meaning: string, least: number, most: number, otherwise: number) => ({
  allowed: `${meaning}, from ${least} to ${most}`,
  otherwise,
  read(given: string): number | undefined {
    const n = /^\d{1,4}(\.\d{1,2})?$/.test(given) ? Number(given) : Number.NaN;
    return n >= least && n <= most ? n : undefined;
  },
});

/** Scenarios, where nobody says how many. */
export const RUNS = { standIn: 200, target: 3, most: 100_000 } as const;

/** So many scenarios are worth the start of a thread: it has to load all, and is slow while its code is cold. */
export const WORTH_A_WORKER = 500;

export const FLAGS = {
  '--target': told(optional(url), 'URL', 'the server to ask', 'the stand-in, in this process'),
  '--stand-in': told(on, '', 'the stand-in, in this process, said aloud'),
  '--auth': told(optional(session), 'USER:PASSWORD', 'who owns what is made'),
  '--other-auth': told(optional(session), 'USER:PASSWORD', 'another tenant, who must not get at it'),
  '--admin-auth': told(optional(session), 'USER:PASSWORD', 'an administrator of the OpenNebula below'),
  '--gatekeeper-auth': told(optional(session), 'USER:PASSWORD', 'a user of the Gatekeeper', SESSIONS.owner),
  '--gatekeeper-other-auth': told(optional(session), 'USER:PASSWORD', 'another user of it', SESSIONS.other),
  '--api': told(
    { ...word('engine', 'gatekeeper', 'all'), otherwise: 'engine' as const },
    'NAME',
    'engine, gatekeeper or all',
  ),
  '--level': told({ ...word(...LEVELS), otherwise: 'read' as const }, 'LEVEL', LEVELS.join(', ')),
  '--profile': told(
    optional(word('upstream', 'contract', 'both', 'auto')),
    'NAME',
    'upstream, contract, both or auto',
    'upstream; until stable both; of a server auto',
  ),
  '--flavour': told({ ...text, otherwise: 'Function' }, 'NAME', 'a flavour that the server has a template for'),
  '--seed': told({ ...count(0, 2_000_000_000), otherwise: 1 }, 'N', 'the scenarios follow from it'),
  '--until-stable': told(on, '', 'goes on until nothing new is seen; what is never seen then needs a reason'),
  '--runs': told(
    optional(count(1, 1_000_000)),
    'N',
    'scenarios',
    `${RUNS.standIn}; of a server ${RUNS.target}; until stable at most ${RUNS.most}`,
  ),
  '--workers': told(
    optional(count(1, 256)),
    'N',
    'how many threads search; the verdict is the same',
    `one a core, and for each ${WORTH_A_WORKER} runs`,
  ),
  '--shard': told(shard, 'I/N', 'the I-th of N parts of the scenarios', '1/1'),
  '--rate': told(decimal('requests a second', 0.01, 1_000, 1), 'N', 'requests a second, at most'),
  '--timeout': told({ ...duration, otherwise: 60_000 }, 'DURATION', 'how long an answer is waited for', '60s'),
  '--max-duration': told(
    { ...duration, otherwise: Number.POSITIVE_INFINITY },
    'DURATION',
    'ends early after so long, such as 90s, 10m or 1h',
    'no end',
  ),
  '--ledger': told(
    { ...text, otherwise: 'onesim-ledger.ndjson' },
    'FILE',
    'where everything that is made there is written down first',
  ),
  '--control': told(optional(url), 'URL', 'the stand-in that the engine at --target runs on'),
  '--against': told(optional(word('stand-in')), 'stand-in', 'plays the same on the stand-in, and tells what differs'),
  '--tolerance': told(
    decimal('a factor', 1, 100, 3),
    'FACTOR',
    'how many times as long, or as short, a step may take there',
  ),
  '--allow-oneadmin': told(on, '', 'lets runtimes be made as oneadmin, who may do anything'),
  '--patience': told({ ...duration, otherwise: 600_000 }, 'DURATION', 'how long one that is busy is waited for', '10m'),
  '--report': told(REPORT, 'FORM=FILE,…', 'writes junit, html, ctrf, sarif, github (annotations) or ndjson', 'none'),
} as const;

type Name = keyof typeof FLAGS;

/** The flags of a command. */
export const only = <const K extends Name>(names: readonly K[]): Pick<typeof FLAGS, K> =>
  Object.fromEntries(names.map((name) => [name, FLAGS[name]])) as Pick<typeof FLAGS, K>;

/** Users of the Gatekeeper, by role, as the flags name them. */
export const gatekeeperUsers = (
  told: { readonly [K in '--gatekeeper-auth' | '--gatekeeper-other-auth']: string | undefined },
  target: string | undefined,
): Credentials =>
  sessionsOf({ owner: told['--gatekeeper-auth'], other: told['--gatekeeper-other-auth'], admin: undefined }, target);

/** Flags that mean something only where there is a server. */
export const OF_TARGETS = [
  '--auth',
  '--other-auth',
  '--admin-auth',
  '--gatekeeper-auth',
  '--gatekeeper-other-auth',
  '--api',
  '--level',
  '--flavour',
  '--rate',
  '--timeout',
  '--ledger',
  '--control',
  '--against',
  '--tolerance',
  '--allow-oneadmin',
] as const satisfies readonly Name[];

/** By command: its flags, those of servers apart, and what it may end with. */
export const COMMAND_FLAGS = {
  verify: {
    own: [
      '--target',
      '--stand-in',
      '--profile',
      '--seed',
      '--runs',
      '--until-stable',
      '--workers',
      '--shard',
      '--max-duration',
      '--report',
    ],
    ofTargets: OF_TARGETS,
    codes: [0, 1, 2, 3, 4],
  },
  run: {
    own: [
      '--target',
      '--auth',
      '--other-auth',
      '--admin-auth',
      '--gatekeeper-auth',
      '--gatekeeper-other-auth',
      '--max-duration',
      '--report',
    ],
    ofTargets: ['--rate', '--timeout', '--ledger', '--allow-oneadmin'],
    codes: [0, 1, 2, 3, 4],
  },
  replay: { own: [], ofTargets: [], codes: [0, 1, 2, 4] },
  reap: {
    own: ['--ledger', '--target', '--auth', '--other-auth', '--admin-auth', '--rate', '--timeout', '--patience'],
    ofTargets: [],
    codes: [0, 2, 3],
  },
  'merge-reports': { own: ['--report'], ofTargets: [], codes: [0, 1, 2, 3, 4] },
} as const satisfies Readonly<Record<string, CommandFlags>>;

interface CommandFlags {
  readonly own: readonly Name[];
  readonly ofTargets: readonly Name[];
  readonly codes: readonly exitCodes.ExitCode[];
}

/** What `--help` says behind the name and the meaning of a command. */
export function commandHelp(command: keyof typeof COMMAND_FLAGS): string[] {
  const { own, ofTargets, codes }: CommandFlags = COMMAND_FLAGS[command];
  const section = (title: string, lines: readonly string[]): string[] =>
    lines.length === 0 ? [] : ['', title, '', ...lines];
  const lines = flagsHelp(only([...own, ...ofTargets]));
  return [
    ...section('Flags', lines.slice(0, own.length)),
    ...section('Flags of a server (with --target)', lines.slice(own.length)),
    ...section('It ends with', exitCodes.exitCodesHelp(codes)),
  ];
}
