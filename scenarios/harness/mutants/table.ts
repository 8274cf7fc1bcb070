/**
 * The kill table, as a program: `tsx scenarios/harness/mutants/table.ts [SEEDS [MOST [FOLDER]]]` prints a row for each
 * mutant, with the median of the scenarios that were run until its law found it, and leaves the smallest scenario that
 * does in the folder. Ends with 1 when one survives.
 */
import { writeFile } from 'node:fs/promises';
import { SMALL } from '../generator.ts';
import { loadLaws } from '../laws.ts';
import { writeScenario } from '../scenario.ts';
import { shrink } from '../shrink.ts';
import { judgeMutant, kill } from './kill.ts';
import { fileOf } from './mutant.ts';
import { MUTANTS } from './mutants.ts';

const [seeds = 50, most = 200] = process.argv.slice(2, 4).map(Number);
const folder = process.argv[4];
const laws = await loadLaws();
const line = (text: string): void => void process.stdout.write(`${text}\n`);

line('| mutant | law | median runs | found in | other laws |');
line('| --- | --- | ---: | ---: | --- |');
let survivors = 0;
for (const mutant of MUTANTS) {
  const kills = [];
  for (let seed = 1; seed <= seeds; seed++) kills.push(await kill(mutant, laws, seed, most, SMALL));
  const runs = kills.map((each) => each.runs ?? Number.POSITIVE_INFINITY).sort((a, b) => a - b);
  const median = runs[Math.floor((seeds - 1) / 2)] ?? Number.POSITIVE_INFINITY;
  const found = runs.filter((each) => each < Number.POSITIVE_INFINITY).length;
  if (found < seeds) survivors++;
  const [{ scenario } = { scenario: undefined }] = kills;
  if (folder !== undefined && scenario !== undefined) {
    const least = await shrink({ ...scenario, name: `${mutant.law}: ${mutant.name}` }, async (candidate) =>
      (await judgeMutant(mutant, laws, candidate)).some(({ law }) => law === mutant.law),
    );
    await writeFile(`${folder}/${fileOf(mutant)}`, writeScenario(least.scenario));
  }
  const others = new Set(kills.flatMap((each) => [...each.laws]));
  others.delete(mutant.law);
  line(`| ${mutant.name} | ${mutant.law} | ${median} | ${found}/${seeds} | ${[...others].sort().join(' ')} |`);
}
line(`\n${MUTANTS.length - survivors} of ${MUTANTS.length} mutants are found with every one of ${seeds} seeds.`);
process.exitCode = survivors > 0 ? 1 : 0;
