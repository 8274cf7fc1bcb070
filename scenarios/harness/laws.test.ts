/** The stand-in keeps every law, whatever is done to it; a failure prints the smallest scenario, and saves it for `onesim replay`. */
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { replaying, replayLine } from './again.ts';
import { SMALL } from './generator.ts';
import { loadLaws } from './laws.ts';
import { type Failure, search, smallest } from './property.ts';
import { failureReport } from './report.ts';
import { TWINS } from './twins.ts';

const laws = await loadLaws();

async function reported(failure: Failure | undefined): Promise<string> {
  if (failure === undefined) return '';
  const found = await smallest(laws, failure);
  const file = join(await mkdtemp(join(tmpdir(), 'onesim-')), `${found.violation.law}.json`);
  await writeFile(file, found.content);
  return [...failureReport(laws, found.trace, found.violation, [replayLine(replaying(file))]), found.content].join(
    '\n',
  );
}

/** What no scenario of the generator can show in one run: expectations, which only a person writes. */
const UNJUDGED = ['E1'];

describe.each(['upstream', 'contract'] as const)('in profile %s', (profile) => {
  test('no generated scenario breaks a law, and every law had its chance to be broken', async () => {
    const { failure, checks } = await search(laws, { seed: 1, runs: 60, budget: SMALL, profile, twinsEvery: 10 });
    expect(await reported(failure)).toBe('');
    expect([...laws, ...TWINS].map(({ id }) => id).filter((id) => !checks.get(id))).toEqual(UNJUDGED);
  }, 60_000);
});

test('every law has its own id, a sentence and a reason', () => {
  expect(new Set(laws.map(({ id }) => id)).size).toBe(laws.length);
  for (const { sentence, reason } of laws) expect(`${sentence} ${reason}`).toMatch(/^\p{Lu}.*\. \p{Lu}.*\.$/u);
});
