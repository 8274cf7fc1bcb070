/** The request log: one line an answer, for people or for programs. */
import type { Exchange } from '../exchange.ts';

export type LogForm = 'pretty' | 'json';

/** By the hundreds of the status, as terminals colour them: green, cyan, yellow, red. */
const COLOURS: Readonly<Record<number, number>> = { 2: 32, 3: 36, 4: 33, 5: 31 };

export function logLine(exchange: Exchange, form: LogForm, coloured: boolean): string {
  const { api, method, path, user, status, at, hint, sandbox } = exchange;
  const time = timeOf(at);
  if (form === 'json') return jsonLine(exchange, time);
  const colour = COLOURS[Math.floor(status / 100)];
  const shown = coloured && colour !== undefined ? `\u001b[${colour}m${status}\u001b[0m` : String(status);
  return `${time}  ${shown}  ${method.padEnd(6)} ${printable(path)}${user === '' ? '' : `  ${printable(user)}`}  ${api}${sandbox === undefined ? '' : `  in ${sandbox}`}${hint === undefined ? '' : `  (${hint})`}`;
}

/** Written piece by piece: as an object it would cost more than all else that is done for most requests. */
function jsonLine({ api, method, path, user, status, hint, sandbox }: Exchange, time: string): string {
  const request = `"api":"${api}","method":${JSON.stringify(method)},"path":${JSON.stringify(path)}`;
  const where = sandbox === undefined ? '' : `,"sandbox":"${sandbox}"`;
  const more = hint === undefined ? where : `${where},"hint":${JSON.stringify(hint)}`;
  return `{"event":"request","at":"${time}",${request},"user":${JSON.stringify(user)},"status":${status}${more}}`;
}

/** Many answers are given at one instant. */
let latest = { at: 0, text: new Date(0).toISOString() };

function timeOf(at: number): string {
  if (at !== latest.at) latest = { at, text: new Date(at).toISOString() };
  return latest.text;
}

/** A client must not write to the terminal of whoever reads the log. */
const printable = (text: string): string => text.replace(/[^\u0020-\u007e\u00a1-\uffff]/g, '?').slice(0, 2000);
