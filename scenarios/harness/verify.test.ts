import { describe, expect, test, vi } from 'vitest';
import { verify } from './verify.ts';

vi.setConfig({ testTimeout: 30_000 });

async function ran(...args: string[]) {
  const out: string[] = [];
  const stopped = () => new Promise<void>(() => {});
  const code = await verify(args, { out: (line) => void out.push(line), stopped });
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

test('holds both profiles against them, one after the other, and tells what either has seen', async () => {
  const { code, out } = await ran('--runs', '3', '--profile', 'both');
  expect(code).toBe(0);
  const heads = out.filter((line) => line.startsWith('The stand-in'));
  expect(heads).toEqual(
    ['upstream', 'contract'].map((each) => `The stand-in, profile ${each}, 3 scenarios from seed 1`),
  );
  expect(out.filter((line) => /seen \d+ of \d+ states/.test(line))).toHaveLength(1);
});

test('ends when it is asked to, and says what it has found', async () => {
  const out: string[] = [];
  const machine = { out: (line: string) => void out.push(line), stopped: async () => {} };
  expect(await verify(['--runs', '100000'], machine)).toBe(4);
  expect(out.join('\n')).toContain('Stopping: ');
});

describe('refuses', () => {
  test.each<[string[], string]>([
    [['--run', '1'], 'unknown flag "--run", did you mean "--runs"?'],
    [['--runs', '0'], '--runs: expected a whole number from 1 to 1000000, not "0"'],
    [['--seed'], '--seed needs a value'],
    [['--profile', 'real'], '--profile: expected upstream, contract, both or auto, not "real"'],
    [['--profile', 'auto'], '--profile: the stand-in is upstream, contract or both, as it is told'],
    [['--profile', 'both', '--target', 'http://a'], '--profile: a server has one; auto takes the one that it shows'],
    [['--tolerance', '0'], '--tolerance: expected a factor, from 1 to 100, not "0"'],
    [['--level', 'crud'], '--level says something of a server, and no --target is given'],
    [['more'], 'unexpected argument "more"'],
    [['--stand-in=yes'], '--stand-in takes no value'],
    [['--stand-in', '--target', 'http://a'], '--target and --stand-in are two things'],
    [['--shard', '3/2'], '--shard: expected a part of the work such as 2/5, from 1/5 to 5/5, not "3/2"'],
    [['--max-duration', '10'], '--max-duration: expected a duration such as 500ms, 90s, 10m, 1h or 1d, not "10"'],
    [['--report', 'junit=/no/such/x'], '--report: cannot write /no/such/x: no such file'],
    [['--target', 'x'], '--target: expected a URL such as http://127.0.0.1:1337, not "x"'],
    [['--target', 'http://a', '--rate', '0'], '--rate: expected requests a second, from 0.01 to 1000, not "0"'],
    [['--target', 'http://a', '--level', 'all'], '--level: expected read, crud, lifecycle or concurrent, not "all"'],
    [['--target', 'http://a', '--level', 'crud'], '--level crud makes runtimes: say whose, with --auth user:password'],
    [['--target', 'http://a', '--auth', 'oneadmin:x'], '--auth: oneadmin may do too much for a test;'],
    [['--target', 'http://a', '--auth', 'alice'], 'credentials are given as user:password'],
    [['--target', 'http://127.0.0.1:1'], '--target: http://127.0.0.1:1 does not answer: '],
  ])('%j', async (args, problem) => {
    const refused = await ran(...args).catch((error: Error) => error.message);
    expect(String(refused).slice(0, problem.length)).toBe(problem);
  });
});
