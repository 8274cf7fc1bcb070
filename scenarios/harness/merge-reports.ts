/**
 * `onesim merge-reports`: one verdict from those of the parts of a run. NDJSON has all that a verdict rests on, so that
 * reports of every form can be made of it; JUnit and CTRF have enough for one another.
 */
import { loadContracts } from '../../contracts/contract.ts';
import { exitCodes, flags, type Machine, Problem, reason } from '../../sim/index.ts';
import { Coverage } from './coverage.ts';
import { COMMAND_FLAGS, only } from './flags.ts';
import { type Judged, readJunit } from './junit.ts';
import { fingerprint } from './law.ts';
import { addUp } from './laws.ts';
import { type Kind, openReports } from './report-files.ts';
import { readCtrf } from './reports/ctrf.ts';
import { readNdjson } from './reports/ndjson.ts';
import { fateOf, type Part, type PartOf, type Reported } from './reports/reported.ts';
import { sightLines } from './unseen.ts';

type Client = Pick<Machine, 'readFile' | 'out'>;

/** The forms that NDJSON alone is enough for. */
const OF_NDJSON: readonly Kind[] = ['html', 'sarif', 'github', 'ndjson'];

const TABLE = only(COMMAND_FLAGS['merge-reports'].own);

/** Ends as the gravest of its parts, and with 4 where one is missing or no case has passed in any. @throws Problem */
export async function mergeReports(args: readonly string[], machine: Client): Promise<exitCodes.ExitCode> {
  const { flags: told, words: files } = flags.readFlags(TABLE, args);
  if (files.length === 0) throw new Problem('name the reports to merge: NDJSON, or else JUnit or CTRF');
  const parts = await Promise.all(
    files.map(async (file) => [file, partIn(await contentOf(file, machine), file)] as const),
  );
  const missing = missingOf(parts);
  const poor = parts.find(([, { rest }]) => rest === undefined)?.[0];
  const wanted = OF_NDJSON.find((kind) => told['--report'].has(kind));
  if (poor !== undefined && wanted !== undefined) {
    throw new Problem(`--report: ${wanted} can be made of NDJSON reports only, and ${poor} is none`);
  }
  const report = await openReports(told['--report']);

  const judged = mergedJudged(parts.flatMap(([, part]) => part.judged.map((each) => ({ by: part.laws, ...each }))));
  const fates = judged.flatMap((each) =>
    (each.by ?? []).map(({ id, sentence }) => ({ name: `${each.name}: ${id} ${sentence}`, fate: fateOf(each, id) })),
  );
  const of = (fate: string): string[] => fates.flatMap((each) => (each.fate === fate ? [each.name] : []));
  const [held, broken, idle] = [of('held'), of('broken'), of('idle')];
  const codes = parts.flatMap(([, { part }]) => part?.code ?? []);
  const enough = held.length > 0 && missing.length === 0;
  const code = exitCodes.gravest([
    ...codes,
    ...(broken.length > 0 ? [1 as const] : []),
    ...(enough ? [] : [4 as const]),
  ]);

  for (const name of broken) machine.out(`✗ ${name}`);
  for (const line of missing) machine.out(`✗ ${line}`);
  for (const [file, { part }] of parts) {
    if (part !== undefined && part.code > 1)
      machine.out(`✗ ${file}, part ${part.shard}: ${exitCodes.EXIT_CODES[part.code]}`);
  }
  const mark = code === 0 ? '✓' : '✗';
  machine.out(
    `${mark} ${files.length} ${files.length === 1 ? 'part' : 'parts'}: ${held.length} held, ${broken.length} broken, ${idle.length} never judged`,
  );
  for (const name of idle) machine.out(`  never judged  ${name}`);

  const contracts = await loadContracts();
  const coverage = new Coverage(contracts);
  for (const [, { rest }] of parts) if (rest !== undefined) coverage.absorb(rest.sightings);
  if (poor === undefined) for (const line of sightLines(coverage)) machine.out(line);
  const first = parts.flatMap(([, { part }]) => part ?? [])[0];
  await report({
    laws: parts.find(([, { laws }]) => laws.length > 0)?.[1].laws ?? [],
    judged,
    traces: parts.flatMap(([, { rest }]) => rest?.traces ?? []),
    ...{ contracts, coverage },
    ...(first === undefined ? {} : { part: { ...first, shard: '1/1', code } }),
  } satisfies Reported);
  return code;
}

/** In whichever form it is. @throws Problem */
function partIn(content: string, file: string): Part {
  if (content.trimStart() === '')
    throw new Problem(`${file}: it is empty: the run that was to write it was broken off`);
  if (content.trimStart().startsWith('<')) return readJunit(content, file);
  return /^\s*\{\s*"reportFormat"/.test(content) ? readCtrf(content, file) : readNdjson(content, file);
}

async function contentOf(file: string, machine: Client): Promise<string> {
  try {
    return await machine.readFile(file);
  } catch (error) {
    throw new Problem(`${file}: ${reason(error)}`);
  }
}

/** What is the same in all parts of a run. */
const SAME = ['onesim', 'of', 'profile', 'seed', 'runs'] as const satisfies readonly (keyof PartOf)[];

/** Of which parts no report is there; those that are have to be parts of one run. @throws Problem */
function missingOf(parts: readonly (readonly [file: string, part: Part])[]): string[] {
  const known = parts.flatMap(([file, { part }]) => (part === undefined ? [] : [{ file, ...part }]));
  const [first] = known;
  if (first === undefined) return [];
  const by = new Map<string, string>();
  for (const part of known) {
    const odd = SAME.find((key) => part[key] !== first[key]);
    if (odd !== undefined) {
      throw new Problem(
        `${part.file} has ${odd} ${part[odd]}, ${first.file} ${first[odd]}: they are not parts of one run`,
      );
    }
    if (numbers(part)[1] !== numbers(first)[1]) {
      throw new Problem(
        `${part.file} is part ${part.shard}, ${first.file} part ${first.shard}: they are not parts of one run`,
      );
    }
    const twin = by.get(part.shard);
    if (twin !== undefined) throw new Problem(`${twin} and ${part.file} are both part ${part.shard}`);
    by.set(part.shard, part.file);
  }
  const [, of] = numbers(first);
  const all = Array.from({ length: of }, (_, n) => `${n + 1}/${of}`);
  return all.filter((shard) => !by.has(shard)).map((shard) => `part ${shard} is missing`);
}

const numbers = ({ shard }: PartOf): readonly [i: number, of: number] => {
  const [i = 1, of = 1] = shard.split('/').map(Number);
  return [i, of];
};

/** What has the same name is one: checks are added up, and of each law the first part to find it broken tells why. */
function mergedJudged(all: readonly Judged[]): Judged[] {
  const merged = new Map<string, Judged>();
  for (const each of all) {
    const known = merged.get(each.name);
    merged.set(each.name, known === undefined ? each : together(known, each));
  }
  return [...merged.values()];
}

function together(one: Judged, other: Judged): Judged {
  const checks = new Map(one.verdict.checks);
  addUp(checks, other.verdict.checks);
  const violations = new Map(one.verdict.violations.map((each) => [fingerprint(each), each]));
  for (const each of other.verdict.violations) {
    if (!violations.has(fingerprint(each))) violations.set(fingerprint(each), each);
  }
  const laws = [...(one.by ?? []), ...(other.by ?? [])];
  return {
    name: one.name,
    by: [...new Map(laws.map((law) => [law.id, law])).values()],
    verdict: { checks, violations: [...violations.values()] },
    reports: new Map([...other.reports, ...one.reports]),
    ...(one.verdict.violations.length > 0 ? shownIn(one) : shownIn(other)),
  };
}

const shownIn = ({ trace }: Judged): Pick<Judged, 'trace'> => (trace === undefined ? {} : { trace });
