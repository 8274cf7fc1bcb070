/** A verdict as Common Test Report Format, which dashboards of many CI systems read. Its times are the simulated ones. */
import { form, Problem } from '../../../sim/index.ts';
import type { Judged } from '../junit.ts';
import { fateOf, PART, type Part, type PartOf, type Reported } from './reported.ts';

const STATUS = { held: 'passed', broken: 'failed', idle: 'skipped' } as const;

export function ctrf({ laws, judged, traces, part }: Reported): string {
  const tests = judged.flatMap((each) =>
    (each.by ?? laws).map(({ id, sentence }) => {
      const lines = each.reports.get(id);
      return {
        name: `${id} ${sentence}`,
        status: STATUS[fateOf(each, id)],
        duration: 0,
        suite: each.name,
        tags: [id],
        extra: { checks: each.verdict.checks.get(id) ?? 0 },
        ...(lines === undefined ? {} : { message: lines[0], trace: lines.join('\n') }),
      };
    }),
  );
  const count = (status: string): number => tests.filter((test) => test.status === status).length;
  const start = traces[0]?.run.epochMs ?? 0;
  const summary = {
    tests: tests.length,
    passed: count('passed'),
    failed: count('failed'),
    skipped: count('skipped'),
    pending: 0,
    other: 0,
    suites: judged.length,
    start,
    stop: start + Math.max(0, ...traces.map(({ lines }) => lines.at(-1)?.at ?? 0)),
  };
  const tool = { name: 'onesim', ...(part === undefined ? {} : { version: part.onesim }) };
  const results = { tool, summary, tests, ...(part === undefined ? {} : { extra: { part } }) };
  return `${JSON.stringify({ reportFormat: FORMAT, specVersion: '0.0.0', results }, null, 2)}\n`;
}

const FORMAT = 'CTRF';

/** What is read of one that we have written. */
interface Written {
  readonly reportFormat?: unknown;
  readonly results?: {
    readonly extra?: { readonly part?: unknown };
    readonly tests?: unknown;
  };
}

interface Test {
  readonly name: string;
  readonly suite: string;
  readonly tags: readonly [id: string];
  readonly extra: { readonly checks: number };
  readonly trace?: string;
}

const { anything, list, object, text, whole } = form;

const TESTS = list(
  object(
    {
      name: text(),
      status: text(),
      duration: anything,
      suite: text(),
      tags: list(text()),
      extra: object({ checks: whole(0) }, {}),
    },
    { message: text(), trace: text() },
  ),
);

/** @throws Problem */
export function readCtrf(content: string, file: string): Part {
  const { reportFormat, results } = parsed(content);
  const [flaw] = TESTS.check(results?.tests ?? null, ['results', 'tests']);
  if (reportFormat !== FORMAT || flaw !== undefined) {
    throw new Problem(
      `${file}: this is no CTRF report of ours${flaw === undefined ? '' : `: ${flaw.path.join('.')}: ${flaw.problem}`}`,
    );
  }
  const tests = results?.tests as unknown as readonly Test[];
  const suites = [...new Set(tests.map(({ suite }) => suite))];
  const judged = suites.map((name): Judged => {
    const own = tests.filter(({ suite }) => suite === name);
    return {
      name,
      by: own.map(({ name: full, tags: [id] }) => ({ id, sentence: full.slice(id.length + 1) })),
      verdict: { checks: new Map(own.map(({ tags: [id], extra }) => [id, extra.checks])), violations: [] },
      reports: new Map(
        own.flatMap(({ tags: [id], trace }) => (trace === undefined ? [] : [[id, trace.split('\n')] as const])),
      ),
    };
  });
  const part = results?.extra?.part;
  const told = part !== undefined && PART.check(part, []).length === 0 ? (part as PartOf) : undefined;
  return { judged, laws: [], part: told, rest: undefined };
}

function parsed(content: string): Written {
  try {
    return JSON.parse(content) ?? {};
  } catch {
    return {};
  }
}
