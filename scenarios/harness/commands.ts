/** The commands of the harness, for the command line, by name. */
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
    usage:
      'verify [--runs N] [--seed N] [--profile upstream|contract] [--target URL --auth user:password --level LEVEL]',
    meaning: 'hold generated scenarios against the laws; of a server, as much as the level lets it',
    async run(args, _version, machine) {
      const { verify } = await import('./verify.ts');
      return verify(args, machine);
    },
  },
  reap: {
    usage: 'reap --ledger FILE --target URL --auth user:password',
    meaning: 'delete what a verification that was broken off has left on a server',
    async run(args, _version, machine) {
      const { reap } = await import('./target/reap.ts');
      return reap(args, machine);
    },
  },
  'merge-reports': {
    usage: 'merge-reports FILE… [--report junit=FILE]',
    meaning: 'one verdict from the JUnit reports of the parts of a run',
    async run(args, _version, machine) {
      const { mergeReports } = await import('./merge-reports.ts');
      return mergeReports(args, machine);
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
