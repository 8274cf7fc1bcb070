/** The request log: one line an answer, for people or for programs. */
import type { Exchange } from './simulator.ts';

export type LogForm = 'pretty' | 'json';

/** By the hundreds of the status, as terminals colour them: green, cyan, yellow, red. */
const COLOURS: Readonly<Record<number, number>> = { 2: 32, 3: 36, 4: 33, 5: 31 };

export function logLine(exchange: Exchange, form: LogForm, coloured: boolean): string {
  const { api, method, path, user, status, at } = exchange;
  const time = new Date(at).toISOString();
  if (form === 'json') return JSON.stringify({ event: 'request', at: time, api, method, path, user, status });
  const colour = COLOURS[Math.floor(status / 100)];
  const shown = coloured && colour !== undefined ? `\u001b[${colour}m${status}\u001b[0m` : String(status);
  return `${time}  ${shown}  ${method.padEnd(6)} ${printable(path)}${user === '' ? '' : `  ${printable(user)}`}  ${api}`;
}

/** A client must not write to the terminal of whoever reads the log. */
const printable = (text: string): string => text.replace(/[^\u0020-\u007e\u00a1-\uffff]/g, '?').slice(0, 2000);
