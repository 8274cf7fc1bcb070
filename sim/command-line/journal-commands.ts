/** `onesim journal`: what happened in a running stand-in, and why. */
import type { EntryFilter } from '../api/control/entry.ts';
import { Problem } from '../problem.ts';
import { entryLine } from './lines.ts';
import { detailIn, type Flags, MANY, numberIn, type Subcommands } from './subcommand.ts';

const FILTER = ['--kind', '--subject', '--because', '--after'] as const;

export const JOURNAL: Subcommands = {
  show: {
    usage: '[KEY=VALUE…] [--kind K] [--subject S] [--because N] [--after N] [--limit N]',
    meaning: 'what happened, oldest first',
    flags: [...FILTER, '--limit'],
    words: [0, MANY],
    async run({ client, words, flags }) {
      const limit = flags['--limit'];
      const { entries } = await client.journal.read({ ...filterIn(words, flags), ...(limit && { limit }) });
      return { json: entries, lines: entries.map(entryLine) };
    },
  },
  count: {
    usage: '[KEY=VALUE…] [--kind K] [--subject S] [--because N] [--after N]',
    meaning: 'how often',
    flags: FILTER,
    words: [0, MANY],
    async run({ client, words, flags }) {
      const json = await client.journal.count(filterIn(words, flags));
      return { json, lines: [String(json)] };
    },
  },
  wait: {
    usage: '[KEY=VALUE…] [--kind K] [--subject S] [--because N] [--after N] [--max DURATION]',
    meaning: 'until that has happened, at most 30s of real time',
    flags: [...FILTER, '--max'],
    words: [0, MANY],
    async run({ client, words, flags }) {
      const { '--max': timeoutMs = 30_000 } = flags;
      const { reached, entries } = await client.journal.wait({ ...filterIn(words, flags), timeoutMs });
      if (!reached) return { json: [], lines: [`that has not happened within ${timeoutMs} ms`], code: 1 };
      return { json: entries, lines: entries.map(entryLine) };
    },
  },
  why: {
    usage: 'VM',
    meaning: 'how a VM, such as 13, came to be what it is',
    words: [1, 1],
    async run({ client, words: [vm = ''] }) {
      const json = await client.vms.history(numberIn('VM', vm.replace(/^vm\//, '')));
      // What stands above needs no telling again.
      const told = new Set<number>();
      const lines = json.history.flatMap(({ entry, because }) => {
        const fresh = because.filter(({ seq }) => !told.has(seq));
        for (const { seq } of [entry, ...fresh]) told.add(seq);
        return [entryLine(entry), ...fresh.map((cause) => `    because ${entryLine(cause)}`)];
      });
      return {
        json,
        lines: [...lines, `VM ${json.id} is ${json.lcmState === 'LCM_INIT' ? json.state : json.lcmState}`],
      };
    },
  },
};

function filterIn(words: readonly string[], flags: Flags): EntryFilter & { readonly after?: number } {
  const [wrong] = words.filter((word) => !word.includes('='));
  if (wrong !== undefined) throw new Problem(`journal: ${JSON.stringify(wrong)} is no KEY=VALUE`);
  const { '--kind': kind, '--subject': subject, '--because': because, '--after': after } = flags;
  return {
    ...(kind && { kind }),
    ...(subject && { subject }),
    ...(because && { because }),
    ...(after !== undefined && { after }),
    ...detailIn(words),
  };
}
