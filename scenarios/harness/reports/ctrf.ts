/** A verdict as Common Test Report Format, which dashboards of many CI systems read. Its times are the simulated ones. */
import { fateOf, type Reported } from './reported.ts';

const STATUS = { held: 'passed', broken: 'failed', idle: 'skipped' } as const;

export function ctrf({ laws, judged, traces }: Reported): string {
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
  const results = { tool: { name: 'onesim' }, summary, tests };
  return `${JSON.stringify({ reportFormat: 'CTRF', specVersion: '0.0.0', results }, null, 2)}\n`;
}
