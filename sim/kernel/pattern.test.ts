/** What fits a pattern with stars. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fits, LONGEST_PATTERN } from './pattern.ts';

const few = (most: number, ...letters: string[]) =>
  fc.array(fc.constantFrom(...letters), { maxLength: most }).map((all) => all.join(''));

it('is what a regular expression with .* in the place of each star takes', () => {
  fc.assert(
    fc.property(few(6, 'a', 'b', '*'), few(8, 'a', 'b'), (pattern, text) => {
      expect(fits(pattern, text)).toBe(new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(text));
    }),
    { seed: 1, numRuns: 5000 },
  );
});

it('is found in no time, however many stars there are', () => {
  const before = process.cpuUsage().user;
  for (const pattern of ['*'.repeat(LONGEST_PATTERN), '*a'.repeat(LONGEST_PATTERN / 2), '*'.repeat(10_000)]) {
    for (let i = 0; i < 100_000; i++) fits(pattern, 'vm.state');
  }
  expect(process.cpuUsage().user - before).toBeLessThan(2_000_000);
});
