/** The commands of the harness, for the command line: `onesim run`, `onesim verify` and `onesim replay`. */
import type { Command } from '../../sim/index.ts';

/** What a command needs is loaded when it runs. */
export const HARNESS_COMMANDS: Readonly<Record<string, Command>> = {
  run: {
    usage: 'run FILE… [--target URL] [--report junit=FILE,ndjson=FILE]',
    meaning: 'run scenario files, with their faults, and judge them',
    async run(args, _version, machine) {
      const { runFiles } = await import('./run-files.ts');
      return runFiles(args, machine);
    },
  },
  verify: {
    usage: 'verify [--runs N] [--seed N] [--profile upstream|contract] [--target URL --auth user:password]',
    meaning: 'hold generated scenarios against the laws; of a server, only what changes nothing',
    async run(args, _version, machine) {
      const { verify } = await import('./verify.ts');
      return verify(args, machine);
    },
  },
  replay: {
    usage: 'replay FILE',
    meaning: 'replay a failure, three times, against the stand-in',
    async run(args, _version, machine) {
      const { replayFile } = await import('./run-files.ts');
      return replayFile(args, machine);
    },
  },
};
