/** The reader of the exposition format: what it takes, and what it finds wrong. */
import { describe, expect, test } from 'vitest';
import { labelsIn, readExposition } from './exposition-text.ts';

const HEAD = '# HELP up Whether it is up.\n# TYPE up gauge\n';

describe('an exposition', () => {
  test('is read with labels, values and times, what is escaped included', () => {
    const { samples, flaws } = readExposition(`${HEAD}up{a="x\\"y\\\\z\\n",b=""} 1 1700000000000\nup +Inf\n`);
    expect(flaws).toEqual([]);
    expect(samples).toEqual([
      {
        name: 'up',
        labels: { a: 'x"y\\z\n', b: '' },
        key: 'up [["a","x\\"y\\\\z\\n"],["b",""]]',
        value: 1,
        timestamp: 1_700_000_000_000,
      },
      { name: 'up', labels: {}, key: 'up []', value: Number.POSITIVE_INFINITY, timestamp: null },
    ]);
  });

  test.each([
    ['a TYPE twice', `${HEAD}# TYPE up gauge\nup 1\n`, 'a second TYPE of up'],
    ['a type that is none', '# TYPE up gouge\nup 1\n', 'gouge is no type'],
    ['a sample before its TYPE', 'up 1\n', 'no TYPE of up before it'],
    [
      'a family in two places',
      `${HEAD}up 1\n# TYPE down gauge\ndown 1\nup{a="b"} 1\n`,
      'its family stands in two places',
    ],
    ['a label set twice', `${HEAD}up{a="b",c="d"} 1\nup{c="d",a="b"} 2\n`, 'a label set that has a sample already'],
    ['a label twice', `${HEAD}up{a="b",a="c"} 1\n`, 'it is no sample'],
    ['a quotation mark within', `${HEAD}up{a="the "b""} 1\n`, 'it is no sample'],
    ['a value that is none', `${HEAD}up one\n`, 'it is no sample'],
    ['an end in the middle of a line', `${HEAD}up 1`, 'the last line does not end'],
  ])('is refused with %s', (_, text, problem) => {
    expect(readExposition(text).flaws.map((flaw) => flaw.problem)).toContain(problem);
  });
});

test('labels are read without an exposition around them', () => {
  expect(labelsIn('core="cpu",id="1"')).toEqual({ core: 'cpu', id: '1' });
  expect(labelsIn('core=cpu')).toBeUndefined();
});
