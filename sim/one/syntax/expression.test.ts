import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ExpressionProblem, type Lookup, matches, rank } from './expression.ts';

type Golden = { expression: string; value?: boolean | number; error?: string };

// The answers of OpenNebula's own scanner and grammars about one object, with lines counted from 0.
const golden: { object: Record<string, string | string[]>; requirements: Golden[]; rank: Golden[] } = JSON.parse(
  readFileSync(new URL('../../../fixtures/golden/scheduler-expressions.json', import.meta.url), 'utf8'),
);
const inGolden: Lookup = (name) => golden.object[name];

function answer<T>(ask: () => T): Pick<Golden, 'error'> | { value: T } {
  try {
    return { value: ask() };
  } catch (problem) {
    if (problem instanceof ExpressionProblem) return { error: problem.message };
    throw problem;
  }
}

const host: Record<string, string | number | string[]> = {
  HOSTNAME: 'node-7.example.org',
  CLUSTER_ID: 0,
  FREE_CPU: '350',
  RUNNING_VMS: 3,
  LOAD: '0.75',
  HYPERVISOR: 'kvm',
  ENERGY_RENEWABLE: 'YES',
  'CLUSTERS/ID': ['0', '100'],
};
const ofHost: Lookup = (name) => host[name];

describe('requirements', () => {
  it.each([
    ['(CLUSTER_ID = 0) & !(PUBLIC_CLOUD = YES) & !(PIN_POLICY = PINNED)', true],
    ['("CLUSTERS/ID" @> 100)', true],
    ['("CLUSTERS/ID" @> 1)', false],
    ['HOSTNAME = "node-*"', true],
    ['HOSTNAME != "node-*"', false],
    ['FREE_CPU > 350', false],
    ['FREE_CPU > 349 & LOAD < 0.8', true],
    ['FREE_CPU = "350"', true],
    ['HYPERVISOR > 1', false],
    ['ENERGY_RENEWABLE=YES', true],
    ['MISSING = 1', false],
    ['MISSING != 1', false],
    ['!(MISSING = 1)', true],
    ['HYPERVISOR = ""', false],
    ['HYPERVISOR != ""', false],
    ['', true],
  ])('%s is %s', (requirements, held) => {
    expect(matches(requirements, ofHost)).toBe(held);
  });

  it('bind all operators alike, from left to right', () => {
    expect(matches('FREE_CPU = 350 | FREE_CPU = 350 & FREE_CPU = 1', ofHost)).toBe(false);
    expect(matches('!FREE_CPU = 1 & FREE_CPU = 1', ofHost)).toBe(false);
  });

  it('refuse an empty half', () => {
    expect(() => matches('(CLUSTER_ID = 0) & (  )', ofHost)).toThrow(
      "syntax error, unexpected ')', expecting '!' or STRING or '(' at line 0, columns 23:24",
    );
  });

  it.each(golden.requirements)('agree with the scheduler on $expression', ({ expression, ...expected }) => {
    expect(answer(() => matches(expression, inGolden))).toEqual(expected);
  });
});

describe('a rank', () => {
  it.each([
    ['FREE_CPU', 350],
    ['-RUNNING_VMS', -3],
    ['FREE_CPU - RUNNING_VMS * 100', 50],
    ['(FREE_CPU - 50) * LOAD / 2', 112],
    ['RUNNING_VMS - 1 - 1', 1],
    ['MISSING + 1', 1],
    ['HYPERVISOR', 0],
    ['FREE_CPU / 0', -2147483648],
    ['', 0],
  ])('%s is %s', (expression, value) => {
    expect(rank(expression, ofHost)).toBe(value);
  });

  it('takes a minus before a digit as a sign, as the scheduler does', () => {
    expect(() => rank('FREE_CPU -1', ofHost)).toThrow('syntax error, unexpected INTEGER, expecting $end');
  });

  it.each(golden.rank)('agrees with the scheduler on $expression', ({ expression, ...expected }) => {
    expect(answer(() => rank(expression, inGolden))).toEqual(expected);
  });
});

describe('both', () => {
  it('never fail in another way than by an ExpressionProblem, whatever the text', () => {
    const parts = fc.constantFrom(...'!&|=<>@()+-*/^"\\[]?. \n\0é19', 'A', '1.5', '@>', '!=', 'A=1', '"a*"', '""');
    const texts = fc.oneof(
      fc.array(parts, { maxLength: 30 }).map((list) => list.join('')),
      fc.string({ unit: 'binary' }),
    );
    fc.assert(
      fc.property(texts, (text) => {
        answer(() => matches(text, ofHost));
        answer(() => rank(text, ofHost));
      }),
      { seed: 1, numRuns: 1000 },
    );
  });

  it('keep parentheses in their place: doubled ones change nothing', () => {
    const { condition } = fc.letrec<{ condition: string }>((tie) => ({
      condition: fc.oneof(
        { depthSize: 'small' },
        fc.constantFrom('FREE_CPU = 350', 'FREE_CPU = 1', 'MISSING = 1'),
        tie('condition').map((inner) => `!(${inner})`),
        fc
          .tuple(tie('condition'), fc.constantFrom('&', '|'), tie('condition'))
          .map(([a, sign, b]) => `(${a}) ${sign} (${b})`),
      ),
    }));
    fc.assert(
      fc.property(condition, condition, (a, b) => {
        expect(matches(`((${a}))`, ofHost)).toBe(matches(a, ofHost));
        expect(matches(`!(${a})`, ofHost)).toBe(!matches(a, ofHost));
        expect(matches(`(${a}) & (${b})`, ofHost)).toBe(matches(a, ofHost) && matches(b, ofHost));
        expect(matches(`(${a}) | (${b})`, ofHost)).toBe(matches(a, ofHost) || matches(b, ofHost));
      }),
      { seed: 1 },
    );
  });

  it('give up on bottomless parentheses, as bison does', () => {
    const deep = (depth: number) => `${'('.repeat(depth)}FREE_CPU = 350${')'.repeat(depth)}`;
    expect(matches(deep(9000), ofHost)).toBe(true);
    expect(() => matches(deep(100_000), ofHost)).toThrow('memory exhausted at line 0, columns 9999:10000');
    expect(() => rank('('.repeat(100_000), ofHost)).toThrow('memory exhausted');
  });

  it('answer the same after more expressions than are remembered', () => {
    const first = matches('FREE_CPU > 0', ofHost);
    for (let number = 0; number < 3000; number++) expect(matches(`FREE_CPU > ${number}`, ofHost)).toBe(number < 350);
    expect(matches('FREE_CPU > 0', ofHost)).toBe(first);
  });
});
