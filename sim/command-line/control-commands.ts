/** `onesim clock|fault|journal|snapshot|reset|sandbox`: a running stand-in, driven from the command line over its control API. */
import { CONFIG_DEFAULTS } from '../config.ts';
import { ControlError, controlClient } from '../control-client.ts';
import { suggestion } from '../kernel/nearest.ts';
import { type Machine, reason } from '../machine.ts';
import { Problem } from '../problem.ts';
import { CLOCK } from './clock-commands.ts';
import { FAULT } from './fault-commands.ts';
import { readFlags } from './flags.ts';
import { JOURNAL } from './journal-commands.ts';
import { RESET, SANDBOX, SNAPSHOT } from './state-commands.ts';
import { FLAGS, type Subcommand, type Subcommands } from './subcommand.ts';

/** By command, its subcommands; the first is meant when none is named. */
const COMMANDS: Readonly<Record<'clock' | 'fault' | 'journal' | 'snapshot' | 'reset' | 'sandbox', Subcommands>> = {
  clock: CLOCK,
  fault: FAULT,
  journal: JOURNAL,
  snapshot: SNAPSHOT,
  reset: RESET,
  sandbox: SANDBOX,
};

/** For completion: the subcommands of a command, and the flags. */
export const wordsOf = (name: keyof typeof COMMANDS): string[] => [
  ...Object.keys(COMMANDS[name]),
  ...Object.keys(FLAGS),
];

/** Returns the exit code. @throws Problem */
export async function control(name: keyof typeof COMMANDS, args: readonly string[], machine: Machine): Promise<number> {
  const subcommands = COMMANDS[name];
  const { flags, words, given } = readFlags(FLAGS, args);
  const { called, sub, rest } = subcommandIn(name, subcommands, words);
  const foreign = [...given].find((flag) => !['--url', '--json', ...(sub.flags ?? [])].includes(flag));
  if (foreign !== undefined) throw new Problem(`${called} has no flag ${foreign}\n${usage(name, subcommands)}`);
  const [least, most] = sub.words;
  if (rest.length < least || rest.length > most) throw new Problem(`usage: onesim ${called} ${sub.usage}`.trimEnd());
  const base = flags['--url'] ?? usualUrl(machine);
  const client = controlClient(base, (target, init) => machine.fetch(target, init));
  try {
    const { json, lines, code = 0 } = await sub.run({ client, words: rest, flags, machine });
    for (const line of flags['--json'] ? [JSON.stringify(json)] : lines) machine.out(line);
    return code;
  } catch (error) {
    if (error instanceof ControlError) throw new Problem(error.message);
    // What fetch throws says what happened only in its cause.
    const cause = error instanceof TypeError && error.cause instanceof Error ? error.cause : undefined;
    if (cause === undefined) throw error;
    throw new Problem(
      `cannot reach ${base}: ${reason(cause)}; name a stand-in with --url, or start one with onesim serve`,
    );
  }
}

function subcommandIn(name: string, subcommands: Subcommands, words: readonly string[]) {
  const [usual = ''] = Object.keys(subcommands);
  const [first = usual] = words;
  if (Object.hasOwn(subcommands, first)) {
    return { called: `${name} ${first}`, sub: subcommands[first] as Subcommand, rest: words.slice(1) };
  }
  // A word that is no subcommand is a misspelt one, unless it can be meant for the usual one.
  if (first.includes('=')) return { called: name, sub: subcommands[usual] as Subcommand, rest: words };
  const meant = suggestion(first, Object.keys(subcommands));
  throw new Problem(`unknown command ${JSON.stringify(`${name} ${first}`)}${meant}\n${usage(name, subcommands)}`);
}

const usage = (name: string, subcommands: Subcommands): string =>
  Object.entries(subcommands)
    .map(([sub, { usage, meaning }]) => `  onesim ${`${name} ${sub} ${usage}`.trimEnd()}: ${meaning}`)
    .join('\n');

/** @param name of a command */
export const helpOf = (name: keyof typeof COMMANDS): string =>
  `${usage(name, COMMANDS[name])}\n\n  --url URL: where the stand-in is, or a sandbox of it; --json: the answer as it came`;

/** Where serve listens, when it is told by the same variables. */
function usualUrl({ env }: Machine): string {
  const { host, port } = CONFIG_DEFAULTS;
  return `http://${env.ONESIM_HOST ?? host}:${env.ONESIM_PORT ?? port}`;
}
