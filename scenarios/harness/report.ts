/** What a person at a terminal is told of a run: what was checked, and of a failure all that repeats it. */
import type { Law, Violation } from './law.ts';
import type { Verdict } from './laws.ts';
import { authorization, CREDENTIALS, curl, JSON_BODY, type Plea, WRONG_PASSWORD } from './request.ts';
import { isWatch, type Step } from './scenario.ts';
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

/** @param again the last lines: how it is had again */
export function failureReport(
  laws: readonly Pick<Law, 'id' | 'sentence'>[],
  trace: Trace,
  violation: Violation,
  again: readonly string[],
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
    ...again,
  ];
}

/** One line for a further breach of the same law. */
export function furtherReport({ law, exchange, subject, at }: Violation): string {
  const where = exchange === undefined ? '' : ` in step ${exchange.step ?? exchange.op}`;
  return `  also      ${law} at ${seconds(at)}${where}: ${subject}`;
}

/** So many of the last steps are told, and of them so many by what makes them by hand: of what was made small, all. */
const [TOLD, BY_HAND] = [12, 10];

/** The exchanges of the steps up to the one that shows it, and how they are made by hand. */
function stepsReport({ run, lines }: Trace, { exchange, at }: Violation): string[] {
  const exchanges = lines.filter((line): line is ExchangeLine => line.kind === 'exchange' && line.step !== null);
  const told = exchanges
    .filter((line) => line.at <= at && (exchange === undefined || line.seq <= exchange.seq))
    .sort((a, b) => a.sent - b.sent);
  const rows = told.slice(-TOLD).map(({ sent, step, as, auth, request, response, problem }) => {
    const credentials = auth === 'good' ? as : `${as}, ${auth} credentials`;
    return `    ${seconds(sent).padStart(12)}  ${step}  ${request.method} ${request.path} (${credentials}) → ${response?.status ?? problem}`;
  });
  // The harness looks, too, on its own behalf.
  const all = exchange?.step === null && exchange.request.method === 'GET' ? [...told, exchange] : told;
  const byHand = all.slice(-BY_HAND).map((line) => curl(run.target, sentIn(line, run), identified(line, run)));
  if (all.length > byHand.length) byHand.unshift(`the last ${byHand.length} of ${all.length}:`);
  return [
    `  steps     ${told.length}${told.length > rows.length ? `, the last ${rows.length}:` : ':'}`,
    ...rows,
    ...byHand.map((line, n) => `${n === 0 ? '  by hand   ' : '            '}${line}`),
  ];
}

const stepOf = ({ step }: ExchangeLine, { scenario }: Trace['run']): Step | undefined =>
  scenario.steps.find(({ id }) => id === step);

/** With the headers that it had, but for those that say who asks. */
function sentIn(line: ExchangeLine, run: Trace['run']): Plea {
  const { request } = line;
  const step = stepOf(line, run);
  if (step?.op !== 'request') return { ...request, headers: request.body === null ? {} : JSON_BODY };
  const given = Object.entries(step.headers ?? {}).map(([name, value]) => [
    name,
    isIdentity(name) ? withoutCredentials(value) : value,
  ]);
  const isTyped = given.some(([name]) => name?.toLowerCase() === 'content-type');
  // What goes over the network has a type even so.
  const type = run.transport === 'http' && request.body !== null && !isTyped ? PLAIN_TEXT : {};
  return { ...request, headers: { ...type, ...Object.fromEntries(given) } };
}

const PLAIN_TEXT = { 'Content-Type': 'text/plain;charset=UTF-8' };

const isIdentity = (header: string): boolean => header.toLowerCase() === 'authorization';

/** The scheme of an Authorization, and a place for the rest. */
const withoutCredentials = (value: string): string =>
  /^(basic|bearer)?\s*$/i.test(value) ? value : value.replace(/^((?:basic|bearer)\s+)?.*$/i, '$1CREDENTIALS');

/** Who asks, as curl is told it. The password is left to the reader, and who has which role on a server that is not ours. */
function identified(line: ExchangeLine, run: Trace['run']): readonly string[] {
  const { auth, as, request } = line;
  const step = stepOf(line, run);
  if (auth === 'none' || request.path.startsWith('/_onesim/')) return [];
  if (step === undefined && request.path.startsWith('/api/v2/')) return ['-H', 'Authorization: bearer TOKEN'];
  if (step !== undefined && isWatch(step)) {
    if (step.op === 'login' || step.op.startsWith('prometheus.')) return [];
    const token = { good: 'bearer TOKEN', wrong: 'bearer dead', scheme: 'Basic c29uYXRh' }[auth];
    return ['-H', `Authorization: ${token}`];
  }
  if (step?.op === 'request' && Object.keys(step.headers ?? {}).some(isIdentity)) return [];
  if (auth === 'scheme')
    return Object.entries(authorization('', auth)).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const user = run.transport === 'http' ? as.toUpperCase() : (CREDENTIALS[as]?.split(':')[0] ?? as);
  return ['-u', auth === 'wrong' ? `${user}:${WRONG_PASSWORD}` : user];
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
