import { describe, expect, test } from 'vitest';
import { verify } from './verify.ts';

async function ran(...args: string[]) {
  const out: string[] = [];
  const code = await verify(args, { out: (line) => void out.push(line) });
  return { code, out };
}

test('holds generated scenarios against the laws, and names those that had no chance', async () => {
  const { code, out } = await ran('--runs', '12', '--seed=7', '--profile', 'contract');
  expect(code).toBe(0);
  expect(out[0]).toBe('The stand-in, profile contract, 12 scenarios from seed 7');
  expect(out[1]).toMatch(/^ {2}12 of 12 scenarios, \d+ requests, nothing broken$/);
  expect(out[2]).toMatch(/^✓ \d+ laws held in \d+ checks$/);
  expect(out[3]).toMatch(/^ {2}never judged: .*E1/);
});

describe('refuses', () => {
  test.each<[string[], string]>([
    [['--run', '1'], 'unknown flag "--run", did you mean "--runs"?'],
    [['--runs', '0'], '--runs: expected a whole number from 1 to 1000000, not "0"'],
    [['--seed'], '--seed needs a value'],
    [['--profile', 'real'], '--profile: "real" is not upstream, contract'],
    [['--target', 'x'], '--target: expected a URL such as http://127.0.0.1:1337, not "x"'],
    [['--target', 'http://127.0.0.1:1'], '--target: http://127.0.0.1:1 does not answer: '],
  ])('%j', async (args, problem) => {
    const refused = await ran(...args).catch((error: Error) => error.message);
    expect(String(refused).slice(0, problem.length)).toBe(problem);
  });
});
