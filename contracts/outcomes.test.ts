import { expect, test } from 'vitest';
import { loadContracts } from './contract.ts';
import { outcomesMarkdown } from './outcomes.ts';
import { engineRecordings } from './recordings.ts';

const contracts = await loadContracts();
const markdown = outcomesMarkdown(contracts, await engineRecordings());

test('the table that is kept is the one that is made', async () => {
  await expect(markdown).toMatchFileSnapshot('./outcomes.md');
});

test('has every operation, every deviation and every documented status', () => {
  for (const { operations, unmatched, deviations } of contracts) {
    if (deviations.length === 0) continue;
    for (const { id, answers } of [...operations, unmatched]) {
      const section = markdown.split('### ').find((each) => each.split('\n')[0]?.endsWith(`: ${id}`)) ?? '';
      for (const status of answers.keys()) expect(section, id).toMatch(new RegExp(` ${status}[ ,]`));
      const concerned = deviations.filter((row) => row.operations.includes(id));
      for (const row of concerned) expect(section, id).toContain(`(\`${row.id}\`)`);
    }
  }
});
