/** The files that a verdict is written to, as `--report kind=FILE,…` names them: one table of kinds. */
import { open, writeFile } from 'node:fs/promises';
import { type flags, Problem, reason, suggestion } from '../../sim/index.ts';
import { type Judged, junit } from './junit.ts';
import type { Law } from './law.ts';
import { type Trace, writeTrace } from './trace.ts';

/** What a report tells of. */
export interface Reported {
  readonly laws: readonly Pick<Law, 'id' | 'sentence'>[];
  readonly judged: readonly Judged[];
  readonly traces: readonly Trace[];
}

const KINDS = {
  junit: ({ laws, judged }) => junit(laws, judged),
  ndjson: ({ traces }) => traces.map(writeTrace).join(''),
} as const satisfies Readonly<Record<string, (reported: Reported) => string>>;

type Kind = keyof typeof KINDS;

const isKind = (word: string): word is Kind => Object.hasOwn(KINDS, word);

export type ReportFiles = ReadonlyMap<Kind, string>;

export const REPORT: flags.Flag<ReportFiles> = {
  allowed: 'junit=FILE and the like',
  otherwise: new Map(),
  read(value) {
    const files = new Map<Kind, string>();
    for (const part of value.split(',')) {
      const [kind = '', ...rest] = part.split('=');
      if (!isKind(kind)) {
        const meant = suggestion(kind, Object.keys(KINDS));
        throw new Problem(`--report: unknown form ${JSON.stringify(kind)}${meant}`);
      }
      if (rest.join('=') === '') throw new Problem(`--report: ${kind} needs a file, as in ${kind}=FILE`);
      files.set(kind, rest.join('='));
    }
    return files;
  },
};

/** A file that cannot be written is told before the work is done that it is for. @throws Problem */
export async function openReports(files: ReportFiles): Promise<(reported: Reported) => Promise<void>> {
  for (const file of files.values()) {
    await writing(file, async () => (await open(file, 'a')).close());
  }
  return async (reported) => {
    for (const [kind, file] of files) await writeText(file, KINDS[kind](reported));
  };
}

/** @throws Problem */
export const writeText = (file: string, text: string): Promise<void> => writing(file, () => writeFile(file, text));

async function writing(file: string, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    throw new Problem(`--report: cannot write ${file}: ${reason(error)}`);
  }
}
