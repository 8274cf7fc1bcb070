/** What a person at a terminal is told of a run: what was checked, and of a failure all that repeats it. */
import type { Law, Violation } from './law.ts';
import type { Verdict } from './laws.ts';
import { CREDENTIALS, curl } from './request.ts';
import type { ExchangeLine, Trace } from './trace.ts';

/** Longest part of an answer that is shown. */
const SHOWN = 300;

const short = (text: string): string => (text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text);
const seconds = (ms: number): string => `${(ms / 1000).toFixed(3)} s`;

/** A time that nobody needs to the millisecond. */
export const lasting = (ms: number): string =>
  ms < 60_000 ? `${(ms / 1_000).toFixed(1)} s` : `${(ms / 60_000).toFixed(1)} min`;

/** `1 request`, `2 requests`. */
export const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

/** @param replay the file that the scenario is in; empty for one that is in none */
export function failureReport(
  laws: readonly Pick<Law, 'id' | 'sentence'>[],
  trace: Trace,
  violation: Violation,
  replay: string,
): string[] {
  const { law: id, exchange, subject, expected, seen, more = [], where } = violation;
  const sentence = laws.find((law) => law.id === id)?.sentence ?? '';
  const step = exchange === undefined ? [] : [`step ${exchange.step ?? exchange.op}`];
  return [
    `✗ ${id}: ${sentence}`,
    `  at ${[seconds(violation.at), ...new Set([subject, ...step])].join(', ')}`,
    `  expected  ${short(expected)}`,
    `  seen      ${short(seen)}`,
    ...more.map((line) => `    ${line}`),
    ...(where === undefined ? [] : [`  contract  ${where}`]),
    ...stepsReport(trace, violation),
    ...(replay === '' ? [] : [`  replay    onesim replay ${replay}`]),
  ];
}

/** One line for a further breach of the same law. */
export function furtherReport({ law, exchange, subject, at }: Violation): string {
  const where = exchange === undefined ? '' : ` in step ${exchange.step ?? exchange.op}`;
  return `  also      ${law} at ${seconds(at)}${where}: ${subject}`;
}

/** The exchanges of the steps up to the one that shows it, and how to make the last one by hand. */
function stepsReport({ run, lines }: Trace, { exchange, at }: Violation): string[] {
  const exchanges = lines.filter((line): line is ExchangeLine => line.kind === 'exchange' && line.step !== null);
  const told = exchanges
    .filter((line) => line.at <= at && (exchange === undefined || line.seq <= exchange.seq))
    .sort((a, b) => a.sent - b.sent);
  const rows = told.slice(-12).map(({ sent, step, as, auth, request, response, problem }) => {
    const credentials = auth === 'good' ? as : `${as}, ${auth} credentials`;
    return `    ${seconds(sent).padStart(12)}  ${step}  ${request.method} ${request.path} (${credentials}) → ${response?.status ?? problem}`;
  });
  const shown = exchange?.step ? exchange : told.at(-1);
  return [
    `  steps     ${told.length}${told.length > rows.length ? `, the last ${rows.length}:` : ':'}`,
    ...rows,
    ...(shown === undefined ? [] : [`  by hand   ${curl(run.target, shown.request, identified(shown, run))}`]),
  ];
}

/** Who asks, as curl is told it. The password is left to the reader, and who has which role on a server that is not ours. */
function identified({ auth, as, request }: ExchangeLine, { transport }: Trace['run']): readonly string[] {
  if (auth === 'none') return [];
  if (request.path.startsWith('/api/v2/')) return ['-H', 'Authorization: bearer TOKEN'];
  return ['-u', transport === 'http' ? as.toUpperCase() : (CREDENTIALS[as]?.split(':')[0] ?? as)];
}

/** One line for a scenario, and one for what was checked. */
export function summary(name: string, trace: Trace, { checks, violations }: Verdict): string[] {
  const exchanges = trace.lines.filter(({ kind }) => kind === 'exchange').length;
  const skipped = trace.lines.filter((line) => line.kind === 'skip');
  const count = [...checks.values()].reduce((sum, each) => sum + each, 0);
  const held = [...checks].filter(([, each]) => each > 0).length;
  const mark = violations.length === 0 ? '✓' : '✗';
  return [
    `${mark} ${name}: ${counted(exchanges, 'request')} in ${seconds(trace.lines.at(-1)?.at ?? 0)} of its time, ${counted(count, 'check')} of ${counted(held, 'law')}, ${violations.length} broken`,
    ...skipped.map(({ id, why }) => `  left out  ${id}: ${why}`),
  ];
}
