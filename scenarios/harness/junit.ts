/** A verdict in the XML that CI systems read: one case a law and scenario, named the same whatever the seed. */
import type { Law } from './law.ts';
import type { Verdict } from './laws.ts';

export interface Judged {
  readonly name: string;
  /** What it was judged by, when not by the laws. */
  readonly by?: readonly Pick<Law, 'id' | 'sentence'>[];
  readonly verdict: Verdict;
  /** What is printed of each law that is broken. */
  readonly reports: ReadonlyMap<string, readonly string[]>;
}

export function junit(laws: readonly Pick<Law, 'id' | 'sentence'>[], judged: readonly Judged[]): string {
  const suites = judged.map(({ name, verdict, reports, by = laws }) => {
    const cases = by.map(({ id, sentence }) => {
      const open = `    <testcase classname="${escaped(name)}" name="${escaped(`${id} ${sentence}`)}"`;
      if ((verdict.checks.get(id) ?? 0) === 0 && !reports.has(id))
        return `${open}><skipped message="nothing to judge"/></testcase>`;
      const lines = reports.get(id);
      if (lines === undefined) return `${open}/>`;
      return `${open}><failure message="${escaped(lines[0] ?? id)}">${escaped(lines.join('\n'))}</failure></testcase>`;
    });
    const idle = by.filter(({ id }) => (verdict.checks.get(id) ?? 0) === 0 && !reports.has(id)).length;
    const head = `  <testsuite name="${escaped(name)}" tests="${by.length}" failures="${reports.size}" skipped="${idle}">`;
    return [head, ...cases, '  </testsuite>'].join('\n');
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${suites.join('\n')}\n</testsuites>\n`;
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** What XML 1.0 cannot say is left out. */
const escaped = (text: string): string =>
  text.replace(/(?![\t\n\r])[\p{Cc}\ufffe\uffff]/gu, '').replace(/[&<>"]/g, (char) => ESCAPES[char] ?? char);
