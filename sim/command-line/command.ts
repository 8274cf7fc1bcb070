/** The commands of `onesim`, as one table, and what goes wrong with them before they begin. */
import { flagNames, flagsHelp } from '../config.ts';
import { suggestion } from '../kernel/nearest.ts';
import type { Machine } from '../machine.ts';
import { Problem } from '../problem.ts';
import { EXIT_CODES, type ExitCode, exitCodesHelp } from './exit-codes.ts';

export interface Command {
  readonly usage: string;
  readonly meaning: string;
  /** What its own `--help` says; without it, that of all commands. */
  help?(): Promise<string>;
  /** Subcommands and flags that may stand behind it. */
  words?(): Promise<readonly string[]>;
  /** @param commands all there are, by name */
  run(args: readonly string[], version: string, machine: Machine, commands: Commands): Promise<number>;
}

/** What a command needs is loaded when it runs, so that help and version are there at once. */
const COMMANDS: Commands = {
  serve: {
    usage: '[serve] [flags]',
    meaning: 'start the stand-in',
    words: async () => flagNames(),
    async run(args, version, machine) {
      const { serve } = await import('./serve.ts');
      await serve(args, version, machine);
      return 0;
    },
  },
  http: {
    usage: 'http get|post|put|delete URI [FILE]',
    meaning: 'ask a Provisioning Engine, with the credentials in ~/.provision_engine_auth',
    async run(args, _version, machine) {
      const { http } = await import('./http-client.ts');
      return http(args, machine);
    },
  },
  clock: controlling('clock', '[freeze|resume|scale|advance|step|run-until|…]', 'the time of a running stand-in'),
  fault: controlling('fault', '[add|rm|clear]', 'what breaks in it'),
  journal: controlling('journal', '[count|wait|why]', 'what happened in it, and why'),
  snapshot: controlling('snapshot', 'save|restore FILE', 'write its world down, or go on with one'),
  reset: controlling('reset', '', 'put its world back as it was loaded'),
  completion: {
    usage: 'completion',
    meaning: 'print what completes commands in bash and zsh: eval "$(onesim completion)"',
    async run(_args, _version, machine, commands) {
      const { completionScript } = await import('./completion.ts');
      machine.out(await completionScript(commands));
      return 0;
    },
  },
  sandbox: controlling('sandbox', '[open|close] [NAME]', 'worlds beside its main one, for tests that run at a time'),
};

type Controlling = Parameters<typeof import('./control-commands.ts').control>[0];

function controlling(name: Controlling, usage: string, meaning: string): Command {
  return {
    usage: `${name} ${usage}`.trimEnd(),
    meaning,
    async help() {
      const { helpOf } = await import('./control-commands.ts');
      return helpOf(name);
    },
    async words() {
      const { wordsOf } = await import('./control-commands.ts');
      return wordsOf(name);
    },
    async run(args, _version, machine) {
      const { control } = await import('./control-commands.ts');
      return control(name, args, machine);
    },
  };
}

const DEFAULT_COMMAND = 'serve';

export type Commands = Readonly<Record<string, Command>>;

/**
 * Runs a command line. Returns the exit code: 2 for bad usage or configuration.
 * @param more commands that stand on the simulator rather than in it
 */
export async function run(
  args: readonly string[],
  version: string,
  machine: Machine,
  more: Commands = {},
): Promise<number> {
  const commands: Commands = { ...COMMANDS, ...more };
  const [first] = args;
  const named = first !== undefined && !first.startsWith('-');
  const name = named ? first : DEFAULT_COMMAND;
  const rest = named ? args.slice(1) : args;
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) {
    machine.err(`onesim: unknown command ${JSON.stringify(name)}${suggestion(name, Object.keys(commands))}`);
    machine.err('Try onesim --help');
    return 2;
  }
  if (rest.includes('--help') || rest.includes('-h')) {
    machine.out((await (named ? command.help?.() : undefined)) ?? help(version, commands));
    return 0;
  }
  if (!named && rest.includes('--version')) {
    machine.out(version);
    return 0;
  }
  try {
    return await command.run(rest, version, machine, commands);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    for (const line of error.message.split('\n')) machine.err(`onesim: ${line}`);
    return 2;
  }
}

/** What is longer has its meaning on a line of its own. */
const USAGE_WIDTH = 42;

function help(version: string, commands: Commands): string {
  const rows = Object.values(commands).map(({ usage, meaning }) => [`onesim ${usage}`, meaning] as const);
  rows.push(['onesim --help | --version', '']);
  return [
    `onesim ${version}: a local OpenNebula that you can break on purpose`,
    '',
    ...rows.flatMap(([usage, meaning]) =>
      usage.length <= USAGE_WIDTH
        ? [`  ${usage.padEnd(USAGE_WIDTH)}  ${meaning}`.trimEnd()]
        : [`  ${usage}`, `  ${' '.repeat(USAGE_WIDTH)}  ${meaning}`],
    ),
    '',
    'Each command but serve and http has help of its own: onesim verify --help. All of them end with',
    '',
    ...exitCodesHelp(Object.keys(EXIT_CODES).map(Number) as ExitCode[]),
    '',
    'Flags of serve. Each has a variable too (ONESIM_PORT for --port) and a key in the configuration file; flags come',
    'before variables, variables before the file.',
    '',
    flagsHelp(),
  ].join('\n');
}
