/** The fixture for tests of other projects, used as they use it. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { test, testWith } from './vitest.ts';

describe('each test', () => {
  const seen: unknown[] = [];

  for (const time of ['first', 'second']) {
    test(`has a world of its own: ${time}`, async ({ onesim }) => {
      seen.push(onesim.simulator.world);
      const answer = await onesim.fetch(new Request('http://localhost:1337/server/version'));
      expect(await answer.text()).toBe('"1.3.3"');
      expect((await onesim.control.clock.get()).now).toBe('2026-01-01T00:00:00.000Z');
      await onesim.control.clock.advance(60_000);
      expect(new Set(seen).size).toBe(seen.length);
    });
  }
});

testWith({ seed: 7, world: { name: 'empty' } })('settings are those of serve', ({ onesim }) => {
  expect([onesim.seed, onesim.simulator.world.cloud.vms.size]).toEqual([7, 0]);
});

describe('a test that fails', () => {
  // Beside the sources, so that it finds what they find.
  const folder = mkdtempSync(fileURLToPath(new URL('../.vitest-', import.meta.url)));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('says how to have it again', { timeout: 60_000 }, () => {
    writeFileSync(
      `${folder}/red.test.ts`,
      `import { expect } from 'vitest';
import { test } from '../sim/vitest.ts';
test('is red', ({ onesim }) => expect(onesim.seed).toBe(-1));
`,
    );
    const { stderr, status } = spawnSync(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', folder], {
      cwd: fileURLToPath(new URL('..', import.meta.url)),
      env: { ...process.env, ONESIM_SEED: '42' },
      encoding: 'utf8',
    });
    expect(status).toBe(1);
    expect(stderr).toMatch(/onesim: seed 42; again: ONESIM_SEED=42 npx vitest run .*red\.test\.ts -t "is red"/);
  });
});
