import { describe, expect, test } from 'vitest';
import { TIMINGS } from '../one/timing.ts';
import { readTiming } from './timing-file.ts';

describe('a timing file', () => {
  test('changes what it names, and leaves the rest as in its base', async () => {
    const text = 'base: fast\nschedulerIntervalMs: 250\nactions:\n  deploy: { uniform: [10, 20] }\n';
    expect(await readTiming(text, 't.yaml')).toEqual({
      ...TIMINGS.fast,
      schedulerIntervalMs: 250,
      actions: { ...TIMINGS.fast.actions, deploy: { uniform: [10, 20] } },
    });
  });

  test('is the realistic profile when it says nothing', async () => {
    expect(await readTiming('', 't.yaml')).toEqual(TIMINGS.realistic);
  });

  test('takes every distribution, and JSON', async () => {
    const actions = {
      prolog: { fixed: 5 },
      deploy: { uniform: [0, 1] },
      save: { lognormal: { median: 10, p95: 30 } },
      restore: { exponential: { mean: 7 } },
    };
    expect((await readTiming(JSON.stringify({ actions }), 't.json')).actions).toMatchObject(actions);
  });

  test.each([
    ['bsae: fast', 't.yaml:1:1: unknown key "bsae", did you mean "base"?'],
    ['base: fats', 't.yaml:1:7: "fats" is not instant, fast, realistic, slow, did you mean "fast"?'],
    ['- 1', 't.yaml:1:1: expected keys with values, not a list'],
    ['actions: { dploy: { fixed: 1 } }', 't.yaml:1:12: unknown key "dploy", did you mean "deploy"?'],
    ['actions: { deploy: 5 }', 't.yaml:1:20: expected keys with values, not 5'],
    ['actions: { deploy: {} }', 't.yaml:1:20: expected one of fixed, uniform, lognormal, exponential'],
    ['actions: { deploy: { uniform: 5 } }', 't.yaml:1:31: expected a list, not 5'],
    ['actions: { deploy: { uniform: [9, 5] } }', 't.yaml:1:31: expected [least, most]'],
    ['actions: { deploy: { fixed: -1 } }', 't.yaml:1:29: expected a number from 0 to 31536000000, not -1'],
    ['actions: { deploy: { fixed: .nan } }', 't.yaml:1:29: expected a number from 0 to 31536000000, not null'],
    ['actions: { deploy: { lognormal: { median: 10 } } }', 't.yaml:1:33: "p95" is missing'],
    ['actions: { deploy: { lognormal: { median: 9, p95: 5 } } }', 't.yaml:1:51: expected at least the median, 9'],
    ['failing: { deploy: 2 }', 't.yaml:1:20: expected a number above 0, at most 1, not 2'],
    ['overrides: [{ selector: { hots: a } }]', 't.yaml:1:27: unknown key "hots", did you mean "host"?'],
    ['overrides: [{ actions: {} }]', 't.yaml:1:13: "selector" is missing'],
    ['progressAfterReads: -1', 't.yaml:1:21: expected a whole number from 0 to 1000000, not -1'],
    ['schedulerIntervalMs: soon', 't.yaml:1:22: expected a number from 0 to 31536000000, not "soon"'],
  ])('is refused: %s', async (text, message) => {
    await expect(readTiming(text, 't.yaml')).rejects.toThrow(new Error(message));
  });
});
