/** The files that a verdict is written to, as `--report kind=FILE,…` names them: one table of kinds. */
import { open, writeFile } from 'node:fs/promises';
import { type flags, Problem, reason, suggestion } from '../../sim/index.ts';
import { junit } from './junit.ts';
import { annotations } from './reports/annotations.ts';
import { ctrf } from './reports/ctrf.ts';
import { page } from './reports/page.ts';
import type { Reported } from './reports/reported.ts';
import { sarif } from './reports/sarif.ts';
import { writeTrace } from './trace.ts';

const KINDS = {
  junit: ({ laws, judged }) => junit(laws, judged),
  html: page,
  ctrf,
  sarif,
  /** GitHub's workflow commands; \`/dev/stdout\` shows them at once. */
  github: annotations,
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
