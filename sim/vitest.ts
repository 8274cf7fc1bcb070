/**
 * `import { test } from 'onesim/vitest'`: a vitest `test` whose every run has a world of its own, with a clock that stands
 * still. When a test fails it says from which seed, and how to have that again.
 */
import { test as base } from 'vitest';
import { type ControlClient, controlClient } from './control-client.ts';
import type { Simulator } from './simulator.ts';
import { loadSimulator, type StartOptions } from './start.ts';

/** A world for one test. */
export interface TestWorld {
  readonly simulator: Simulator;
  readonly fetch: Simulator['fetch'];
  /** The control API: time, faults, the journal. */
  readonly control: ControlClient;
  /** What all chance in it follows from. */
  readonly seed: number;
}

/** Overrides the seed of every test, to replay one. */
const SEED = 'ONESIM_SEED';

/** Address of a stand-in that has no port. */
const ORIGIN = 'http://127.0.0.1:1337';

/**
 * As `test`, with settings of one's own for every world.
 * @param options as those of `onesim serve`
 */
export function testWith(options: StartOptions) {
  return base.extend<{ onesim: TestWorld }>({
    onesim: async ({ task, onTestFailed }, use) => {
      const given = process.env[SEED];
      const seed = given === undefined ? (options.seed ?? 1) : seedIn(given);
      using simulator = await loadSimulator({ ...options, seed });
      onTestFailed(() => void process.stderr.write(`${replayLine(seed, task.file.name, task.name)}\n`));
      const control = controlClient(ORIGIN, (url, init) => simulator.fetch(new Request(url, init)));
      await use({ simulator, fetch: simulator.fetch, control, seed });
    },
  });
}

/** A `test` with a fresh world as `onesim`. */
export const test = testWith({});

function seedIn(text: string): number {
  const seed = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(seed)) throw new Error(`${SEED} is no seed: ${text}`);
  return seed;
}

/** What to type for the same run of a test. */
export const replayLine = (seed: number, file: string, name: string): string =>
  `onesim: seed ${seed}; again: ${SEED}=${seed} npx vitest run ${file} -t ${JSON.stringify(name)}`;
