import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Problem } from './problem.ts';
import { readSource } from './source.ts';

const WORLD = `users:
  - { name: alice, password: secret }
hosts: &hosts
  - name: host0
more: *hosts
`;

describe('a source', () => {
  test('is plain JSON, with aliases resolved', async () => {
    const { value } = await readSource(WORLD, 'w.yaml');
    expect(value).toEqual({
      users: [{ name: 'alice', password: 'secret' }],
      hosts: [{ name: 'host0' }],
      more: [{ name: 'host0' }],
    });
  });

  test.each([
    [['users', 0, 'password'], 'w.yaml:2:30', 'w.yaml:2:20'],
    [['hosts', 0, 'name'], 'w.yaml:4:11', 'w.yaml:4:5'],
    [['more', 0, 'name'], 'w.yaml:4:11', 'w.yaml:4:5'],
    [['users', 7, 'name'], 'w.yaml:2:3', 'w.yaml:1:1'],
    [[], 'w.yaml:1:1', 'w.yaml:1:1'],
  ])('knows where %j stands', async (path, place, placeOfKey) => {
    const source = await readSource(WORLD, 'w.yaml');
    expect([source.place(path), source.placeOfKey(path)]).toEqual([place, placeOfKey]);
  });

  test('may be JSON, or empty', async () => {
    expect((await readSource('{"a": [1]}', 'w.json')).value).toEqual({ a: [1] });
    const { value, place } = await readSource('# nothing\n', 'w.yaml');
    expect([value, place(['a'])]).toEqual([null, 'w.yaml:1:1']);
  });

  const bomb = ['a: &a [x, x, x, x, x, x, x, x, x, x]', ...'bcdefg'].map((line, i, all) =>
    i === 0
      ? line
      : `${line}: &${line} [${Array(10)
          .fill(`*${all[i - 1]?.[0]}`)
          .join(', ')}]`,
  );

  test.each([
    ['two keys of one name', 'a: 1\na: 2\n', /^w\.yaml:2:1: Map keys must be unique/],
    ['a broken flow', 'a: [1, 2\nb: 3\n', /^w\.yaml:2:1: /],
    ['an alias of nothing', 'a: *nothing\n', /^w\.yaml:1:4: there is no anchor &nothing$/],
    ['two documents', 'a: 1\n---\nb: 2\n', /^w\.yaml:2:1: .*multiple documents/],
    ['aliases that multiply', bomb.join('\n'), /^w\.yaml: Excessive alias count/],
    ['an alias of what it is in', 'a: &a [*a, *a]\n', /^w\.yaml: nested deeper than 100 levels$/],
    ['too many aliases', `a: &a 1\nb: [${'*a, '.repeat(1001)}]`, /^w\.yaml:2:4005: more than 1000 aliases$/],
    ['what is too deep', '['.repeat(200) + ']'.repeat(200), /^w\.yaml: nested deeper than 100 levels$/],
    ['what is far too deep', '['.repeat(50_000), /^w\.yaml:?.*$/],
  ])('is refused for %s', async (_what, text, message) => {
    await expect(readSource(text, 'w.yaml')).rejects.toThrow(message);
    await expect(readSource(text, 'w.yaml')).rejects.toBeInstanceOf(Problem);
  });

  test('is read or refused, whatever the text', async () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc
        .array(
          fc.constantFrom('a: ', '- ', '[', ']', '{', '}', '&a ', '*a', '"', '\n', '  ', '? ', '| ', '!!x ', '%'),
          {
            maxLength: 30,
          },
        )
        .map((parts) => parts.join('')),
    );
    await fc.assert(
      fc.asyncProperty(text, async (given) => {
        const read = await readSource(given, 'w.yaml').catch((error: unknown) => error);
        if (!(read instanceof Problem)) expect(read).toMatchObject({ file: 'w.yaml' });
      }),
      { seed: 1, numRuns: 500 },
    );
  });
});
