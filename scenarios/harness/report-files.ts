/** The files that a verdict is written to, as `--report kind=FILE,…` names them: one table of kinds. */
import { writeFile } from 'node:fs/promises';
import { type flags, Problem, reason, suggestion } from '../../sim/index.ts';
import { junit } from './junit.ts';
import { annotations } from './reports/annotations.ts';
import { ctrf } from './reports/ctrf.ts';
import { ndjson } from './reports/ndjson.ts';
import { page } from './reports/page.ts';
import type { Reported } from './reports/reported.ts';
import { sarif } from './reports/sarif.ts';

const KINDS = {
  junit,
  html: page,
  ctrf,
  sarif,
  /** GitHub's workflow commands; `/dev/stdout` shows them at once. */
  github: annotations,
  ndjson,
} as const satisfies Readonly<Record<string, (reported: Reported) => string>>;

export type Kind = keyof typeof KINDS;

const isKind = (word: string): word is Kind => Object.hasOwn(KINDS, word);

export type ReportFiles = ReadonlyMap<Kind, string>;

export const REPORT: flags.Flag<ReportFiles> = {
  allowed: 'junit=FILE and the like',
  otherwise: new Map(),
  read: (value) => value.split(',').map(fileIn).reduce(joined),
  joined,
};

function fileIn(part: string): ReportFiles {
  const [kind = '', ...rest] = part.split('=');
  const file = rest.join('=');
  if (!isKind(kind)) {
    const kinds = Object.keys(KINDS);
    const meant = suggestion(kind, kinds) || '.';
    const all = `${kinds.slice(0, -1).join(', ')} and ${kinds.at(-1)}`;
    throw new Problem(`--report: unknown form ${JSON.stringify(kind)}${meant} The forms are ${all}`);
  }
  if (file === '') throw new Problem(`--report: ${kind} needs a file, as in ${kind}=FILE`);
  return new Map([[kind, file]]);
}

/** One would overwrite the other; a device takes both. */
function joined(before: ReportFiles, more: ReportFiles): ReportFiles {
  for (const [kind, file] of more) {
    if (before.has(kind)) throw new Problem(`--report: ${kind} is given twice`);
    const isTaken = [...before.values()].includes(file) && !file.startsWith('/dev/');
    if (isTaken) throw new Problem(`--report: ${file} is given twice`);
  }
  return new Map([...before, ...more]);
}

/** A file that cannot be written is told before the work is done that it is for. @throws Problem */
export async function openReports(files: ReportFiles): Promise<(reported: Reported) => Promise<void>> {
  for (const file of files.values()) {
    // Nothing in it must pass for the verdict of this run, should that be broken off.
    await writeText(file, '');
  }
  return async (reported) => {
    for (const [kind, file] of files) await writeText(file, KINDS[kind](reported));
  };
}

/** @throws Problem */
async function writeText(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text);
  } catch (error) {
    throw new Problem(`--report: cannot write ${file}: ${reason(error)}`);
  }
}
