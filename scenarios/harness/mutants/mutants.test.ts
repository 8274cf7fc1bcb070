/** The harness tested: each seeded bug is found by its law in the smallest scenario that shows it, and without the bug nothing is. */
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { judge, loadLaws } from '../laws.ts';
import { readScenario } from '../read-scenario.ts';
import { runScenario } from '../runner.ts';
import type { Scenario } from '../scenario.ts';
import { inProcess } from '../transport.ts';
import { judgeTwins, TWINS } from '../twins.ts';
import { judgeMutant } from './kill.ts';
import { fileOf } from './mutant.ts';
import { MUTANTS } from './mutants.ts';

const laws = await loadLaws();

async function scenarioOf(file: string): Promise<Scenario> {
  return readScenario(await readFile(new URL(`../../../fixtures/mutants/${file}`, import.meta.url), 'utf8'), file);
}

describe.each(MUTANTS)('$law: $name', (mutant) => {
  test('is found by its law', async () => {
    const found = await judgeMutant(mutant, laws, await scenarioOf(fileOf(mutant)));
    expect(found.map(({ law }) => law)).toContain(mutant.law);
  });

  test('and is not found where it is not', async () => {
    const scenario = await scenarioOf(fileOf(mutant));
    const trace = await runScenario(scenario, await inProcess(scenario));
    const twins = mutant.twin ? (await judgeTwins(trace, inProcess)).violations : [];
    const found = [...judge(laws, trace).violations, ...twins];
    expect(found).toEqual([]);
  });
});

test('every law has a mutant, but the one of what only a person expects', async () => {
  const known = new Set(MUTANTS.map(({ law }) => law));
  const without = [...laws, ...TWINS].map(({ id }) => id).filter((id) => !known.has(id));
  expect(without).toEqual(['E1']);
});
