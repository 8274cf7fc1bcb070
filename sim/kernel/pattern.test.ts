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

it('is nothing but the same text, when it is longer than anybody writes it', () => {
  const long = '*'.repeat(LONGEST_PATTERN);
  expect([fits(long, 'vm.state'), fits(`${long}*`, 'vm.state'), fits(`${long}*`, `${long}*`)]).toEqual([
    true,
    false,
    true,
  ]);
});
