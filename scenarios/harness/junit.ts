/** A verdict in the XML that CI systems read: one case a law and scenario, named the same whatever the seed. */
import { Problem } from '../../sim/index.ts';
import type { Law } from './law.ts';
import type { Verdict } from './laws.ts';
import { fateOf, PART, type Part, type PartOf, type Reported } from './reports/reported.ts';
import type { Trace } from './trace.ts';

export interface Judged {
  readonly name: string;
  /** What it was judged by, when not by the laws. */
  readonly by?: readonly Pick<Law, 'id' | 'sentence'>[];
  readonly verdict: Verdict;
  /** What is printed of each law that is broken. */
  readonly reports: ReadonlyMap<string, readonly string[]>;
  /** What shows it, where it is one run. */
  readonly trace?: Trace;
}

/** What has had its name before it is told apart by its number: those who read a report go by names. */
export function distinctNames(): (name: string) => string {
  const taken = new Set<string>();
  return (name) => {
    let distinct = name;
    for (let n = 2; taken.has(distinct); n++) distinct = `${name} (${n})`;
    taken.add(distinct);
    return distinct;
  };
}

export function junit({ laws, judged, part }: Pick<Reported, 'laws' | 'judged' | 'part'>): string {
  const properties = Object.entries(part ?? {}).map(
    ([name, value]) => `      <property name="${escaped(name)}" value="${escaped(`${value}`)}"/>`,
  );
  const told = properties.length === 0 ? [] : ['    <properties>', ...properties, '    </properties>'];
  const suites = judged.map((each) => {
    const { name, by = laws, reports } = each;
    const cases = by.map(({ id, sentence }) => {
      const open = `    <testcase classname="${escaped(name)}" name="${escaped(`${id} ${sentence}`)}"`;
      if (fateOf(each, id) === 'idle') return `${open}><skipped message="nothing to judge"/></testcase>`;
      const lines = reports.get(id);
      if (lines === undefined) return `${open}/>`;
      return `${open}><failure message="${escaped(lines[0] ?? id)}">${escaped(lines.join('\n'))}</failure></testcase>`;
    });
    const idle = by.filter(({ id }) => fateOf(each, id) === 'idle').length;
    const head = `  <testsuite name="${escaped(name)}" tests="${by.length}" failures="${reports.size}" skipped="${idle}">`;
    return [head, ...told, ...cases, '  </testsuite>'].join('\n');
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${suites.join('\n')}\n</testsuites>\n`;
}

const CASE = /<testcase classname="([^"]*)" name="([^" ]*) ?([^"]*)"(?:\/>|>(.*?)<\/testcase>)/gs;
const PROPERTY = /<property name="([^"]*)" value="([^"]*)"\/>/g;

/** A report of ours: cases that have passed count as one check. @throws Problem */
export function readJunit(xml: string, file: string): Part {
  if (!/^(<\?xml[^>]*>\s*)?<testsuites[\s>]/.test(xml) || !xml.trimEnd().endsWith('</testsuites>')) {
    throw new Problem(`${file}: this is no whole JUnit report`);
  }
  const suites = new Map<string, [id: string, sentence: string, inner: string][]>();
  for (const [, suite = '', id = '', sentence = '', inner = ''] of xml.matchAll(CASE)) {
    suites.set(suite, [...(suites.get(suite) ?? []), [unescaped(id), unescaped(sentence), inner]]);
  }
  const judged = Array.from(suites, ([suite, cases]): Judged => {
    const failures = cases.flatMap(([id, , inner]) => {
      const [, text] = /<failure[^>]*>(.*)<\/failure>/s.exec(inner) ?? [];
      return text === undefined ? [] : [[id, unescaped(text).split('\n')] as const];
    });
    const checks = cases.map(([id, , inner]) => [id, inner.includes('<skipped') ? 0 : 1] as const);
    return {
      name: unescaped(suite),
      by: cases.map(([id, sentence]) => ({ id, sentence })),
      verdict: { checks: new Map(checks), violations: [] },
      reports: new Map(failures),
    };
  });
  return { judged, laws: [], part: partIn(xml), rest: undefined };
}

/** undefined where it does not say */
function partIn(xml: string): PartOf | undefined {
  const [first = ''] = xml.split('</properties>');
  const said = Array.from(first.matchAll(PROPERTY), ([, name = '', value = '']) => [unescaped(name), unescaped(value)]);
  const { seed, runs, code, ...texts } = Object.fromEntries(said);
  const part = { ...texts, seed: Number(seed), runs: Number(runs), code: Number(code) };
  return PART.check(part, []).length === 0 ? (part as unknown as PartOf) : undefined;
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const CHARACTERS: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', amp: '&' };

/** What XML 1.0 cannot say is left out. */
const escaped = (text: string): string =>
  text.replace(/(?![\t\n\r])[\p{Cc}\ufffe\uffff]/gu, '').replace(/[&<>"]/g, (char) => ESCAPES[char] ?? char);

const unescaped = (text: string): string =>
  text.replace(/&(lt|gt|quot|amp);/g, (whole, name: string) => CHARACTERS[name] ?? whole);
