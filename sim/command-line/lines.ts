/** What the control commands print of an entry of the journal, and of the parts of anything, in a line. */
import type { EntryAnswer } from '../api/control/entry.ts';

export const entryLine = ({ seq, at, kind, subject, detail }: EntryAnswer): string =>
  `${at}  ${String(seq).padStart(5)}  ${kind.padEnd(12)} ${subject}${said(detail)}`;

export const said = (parts: Readonly<Record<string, unknown>>): string =>
  Object.entries(parts)
    .map(([key, value]) => ` ${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join('');
