/** The commands of the harness, for the command line, by name. */
import type { Command } from '../../sim/index.ts';
import type { COMMAND_FLAGS } from './flags.ts';

/** What a command needs is loaded when it runs. */
export const HARNESS_COMMANDS: Readonly<Record<keyof typeof COMMAND_FLAGS, Command>> = {
  run: command('run', 'run FILE… [--target URL] [--report FORM=FILE,…]', {
    meaning: 'run scenario files, with their faults, and judge them; without --target on the stand-in, in this process',
    async run(args, _version, machine) {
      const { runFiles } = await import('./run-files.ts');
      return runFiles(args, machine);
    },
  }),
  verify: command('verify', 'verify [--runs N] [--seed N] [--target URL --auth USER:PASSWORD --level LEVEL]', {
    meaning: 'hold generated scenarios against the laws; of a server, as much as the level lets it',
    async run(args, version, machine) {
      const { verify } = await import('./verify.ts');
      return verify(args, machine, undefined, version);
    },
  }),
  reap: command('reap', 'reap --ledger FILE --target URL --auth USER:PASSWORD', {
    meaning: 'delete what a verification that was broken off has left on a server',
    async run(args, _version, machine) {
      const { reap } = await import('./target/reap.ts');
      return reap(args, machine);
    },
  }),
  'merge-reports': command('merge-reports', 'merge-reports FILE… [--report FORM=FILE,…]', {
    meaning: 'one verdict, and reports of any form, from those of the parts of a run',
    async run(args, _version, machine) {
      const { mergeReports } = await import('./merge-reports.ts');
      return mergeReports(args, machine);
    },
  }),
  replay: command('replay', 'replay FILE', {
    meaning: 'replay a failure, three times, against the stand-in',
    async run(args, _version, machine) {
      const { replayFile } = await import('./run-files.ts');
      return replayFile(args, machine);
    },
  }),
};

/** With the help that its flags are told in. */
function command(name: keyof typeof COMMAND_FLAGS, usage: string, rest: Pick<Command, 'meaning' | 'run'>): Command {
  return {
    usage,
    ...rest,
    async words() {
      const { COMMAND_FLAGS } = await import('./flags.ts');
      const { own, ofTargets } = COMMAND_FLAGS[name];
      return [...own, ...ofTargets];
    },
    async help() {
      const { commandHelp } = await import('./flags.ts');
      return [`onesim ${usage}`, '', `  ${rest.meaning}`, ...commandHelp(name)].join('\n');
    },
  };
}
