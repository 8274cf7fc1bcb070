/**
 * `onesim merge-reports`: one verdict from those of the parts of a run. A JUnit report is what every part of whatever kind
 * can give, so that is what is read: cases of the same name are one case, and it has failed where one of them has.
 */
import { flags, type Machine, Problem, reason } from '../../sim/index.ts';
import { writeText } from './report-files.ts';

const { readFlags } = flags;

type Client = Pick<Machine, 'readFile' | 'out'>;

interface Case {
  readonly suite: string;
  readonly name: string;
  /** What stands between its tags, as XML; undefined for one that passed. */
  readonly skipped: string | undefined;
  readonly failures: readonly string[];
}

const FLAGS = {
  '--report': {
    allowed: 'junit=FILE',
    otherwise: undefined,
    read: (given: string): string | undefined => /^junit=(.+)$/s.exec(given)?.[1],
  },
} as const;

/** Ends with 0, or 1 when a case has failed in some part, or 4 when no case has passed in any. @throws Problem */
export async function mergeReports(args: readonly string[], machine: Client): Promise<0 | 1 | 4> {
  const { flags: told, words: files } = readFlags(FLAGS, args);
  if (files.length === 0) throw new Problem('name the JUnit reports to merge');
  const parts = await Promise.all(files.map(async (file) => casesIn(await contentOf(file, machine), file)));
  const merged = mergedCases(parts.flat());
  const out = told['--report'];
  if (out !== undefined) await writeText(out, written(merged));
  const failed = merged.filter(({ failures }) => failures.length > 0);
  const idle = merged.filter(({ skipped, failures }) => skipped !== undefined && failures.length === 0);
  for (const { suite, name } of failed) machine.out(`✗ ${unescaped(suite)}: ${unescaped(name)}`);
  const mark = failed.length === 0 ? '✓' : '✗';
  const passed = merged.length - failed.length - idle.length;
  machine.out(`${mark} ${files.length} parts: ${passed} held, ${failed.length} broken, ${idle.length} never judged`);
  for (const { suite, name } of idle) machine.out(`  never judged  ${unescaped(suite)}: ${unescaped(name)}`);
  if (failed.length > 0) return 1;
  return passed > 0 ? 0 : 4;
}

async function contentOf(file: string, machine: Client): Promise<string> {
  try {
    return await machine.readFile(file);
  } catch (error) {
    throw new Problem(`${file}: ${reason(error)}`);
  }
}

const CASE = /<testcase classname="([^"]*)" name="([^"]*)"(?:\/>|>(.*?)<\/testcase>)/gs;

/** The cases of a report of ours. @throws Problem */
function casesIn(xml: string, file: string): Case[] {
  if (!/^(<\?xml[^>]*>\s*)?<testsuites[\s>]/.test(xml) || !xml.trimEnd().endsWith('</testsuites>')) {
    throw new Problem(`${file}: this is no whole JUnit report`);
  }
  return [...xml.matchAll(CASE)].map(([, suite = '', name = '', inner = '']) => ({
    suite,
    name,
    skipped: /<skipped[^>]*\/>/.exec(inner)?.[0],
    failures: inner.match(/<failure.*?<\/failure>/gs) ?? [],
  }));
}

/** Failed where one has, skipped where all are. */
function mergedCases(cases: readonly Case[]): Case[] {
  const merged = new Map<string, Case>();
  for (const each of cases) {
    const key = `${each.suite}\n${each.name}`;
    const known = merged.get(key);
    const skipped = known === undefined || known.skipped !== undefined ? each.skipped : undefined;
    merged.set(key, { ...each, skipped, failures: [...(known?.failures ?? []), ...each.failures] });
  }
  return [...merged.values()];
}

function written(cases: readonly Case[]): string {
  const suites = [...new Set(cases.map(({ suite }) => suite))].map((suite) => {
    const own = cases.filter((each) => each.suite === suite);
    const failed = own.filter(({ failures }) => failures.length > 0).length;
    const idle = own.filter(({ failures, skipped }) => failures.length === 0 && skipped !== undefined).length;
    const lines = own.map(({ name, skipped, failures }) => {
      const open = `    <testcase classname="${suite}" name="${name}"`;
      // A case has one failure in JUnit: the first part to find it tells it.
      const inner = failures[0] ?? skipped;
      return inner === undefined ? `${open}/>` : `${open}>${inner}</testcase>`;
    });
    const head = `  <testsuite name="${suite}" tests="${own.length}" failures="${failed}" skipped="${idle}">`;
    return [head, ...lines, '  </testsuite>'].join('\n');
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${suites.join('\n')}\n</testsuites>\n`;
}

const CHARACTERS: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', amp: '&' };

const unescaped = (text: string): string =>
  text.replace(/&(lt|gt|quot|amp);/g, (whole, name: string) => CHARACTERS[name] ?? whole);
