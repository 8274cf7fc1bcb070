/** Of several codes the gravest is told. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EXIT_CODES, type ExitCode, exitCodesHelp, gravest } from './exit-codes.ts';

const CODES = [0, 1, 2, 3, 4] as const satisfies readonly ExitCode[];

test.each<[readonly ExitCode[], ExitCode]>([
  [[], 0],
  [[0, 0], 0],
  [[0, 4], 4],
  [[4, 1], 1],
  [[1, 3, 4], 3],
  [[3, 2], 2],
])('of %j it is %i', (codes, expected) => {
  expect(gravest(codes)).toBe(expected);
});

test('their order does not matter, and neither does how often one is there', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...CODES)), (codes) => {
      expect(gravest([...codes, ...codes.toReversed()])).toBe(gravest(codes));
      expect(gravest(codes) === 0).toBe(codes.every((code) => code === 0));
    }),
    { seed: 1, numRuns: 100 },
  );
});

test('each has a meaning in the help', () => {
  expect(exitCodesHelp([0, 70])).toEqual([`  0   ${EXIT_CODES[0]}`, `  70  ${EXIT_CODES[70]}`]);
});
