import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nameProblem, namesake, taken, userNameProblem } from './name.ts';

describe('a name', () => {
  test.each([
    ['', 'Invalid NAME, it cannot be empty'],
    ['x'.repeat(129), 'Invalid NAME, max length is 128 chars'],
    ['a:b', "Invalid NAME, char ':' is not allowed"],
    ['<b>&', "Invalid NAME, char '<' is not allowed"],
    ['a\nb', "Invalid NAME, char '\n' is not allowed"],
    // The length is in bytes.
    ['é'.repeat(65), 'Invalid NAME, max length is 128 chars'],
  ])('%j is refused: %s', (name, problem) => {
    expect(nameProblem(name)).toBe(problem);
  });

  test.each(['x'.repeat(128), 'with blank', 'a.b-c_d', 'é'.repeat(64), '(service_1)'])('%s is fine', (name) => {
    expect(nameProblem(name)).toBeUndefined();
  });

  test('of a user has no blank, and a dot ends the refusal', () => {
    expect(userNameProblem('a b')).toBe("Invalid NAME, char ' ' is not allowed.");
    expect(userNameProblem('')).toBe('Invalid NAME, it cannot be empty.');
    expect(userNameProblem('ab')).toBeUndefined();
  });

  test('is fine exactly when it is not empty, not long and has none of the characters', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 140, unit: 'grapheme-ascii' }), (name) => {
        const fine = name !== '' && name.length <= 128 && !/[&|:\\";/'#{}$<>\t\n\v\f\r]/.test(name);
        expect(nameProblem(name) === undefined).toBe(fine);
      }),
      { seed: 1 },
    );
  });
});

describe('a namesake', () => {
  const pool = [
    { id: 0, uid: 2, name: 'a' },
    { id: 3, uid: 3, name: 'b' },
  ];

  test('counts in the whole pool, among the same owner, or not at all', () => {
    expect(namesake(pool, 'pool', 'b', 2)?.id).toBe(3);
    expect(namesake(pool, 'owner', 'b', 2)).toBeUndefined();
    expect(namesake(pool, 'owner', 'b', 3)?.id).toBe(3);
    expect(namesake(pool, 'none', 'b', 3)).toBeUndefined();
  });

  test('is named in the refusal', () => {
    expect(taken('TEMPLATE', { id: 3, name: 'b' })).toBe('NAME is already taken by TEMPLATE 3.');
  });
});
