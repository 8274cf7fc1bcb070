import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Expression, type Operand, parseExpression } from './elasticity.ts';

const operandText = (operand: Operand): string => ('number' in operand ? String(operand.number) : operand.attribute);

function text(expression: Expression): string {
  if ('of' in expression) return expression.op === '!' ? `!${text(expression.of)}` : `(${text(expression.of)})`;
  if ('number' in expression.left || 'attribute' in expression.left) {
    const { left, op, right } = expression as Extract<Expression, { left: Operand }>;
    return `${operandText(left)} ${op} ${operandText(right)}`;
  }
  const { left, op, right } = expression as { left: Expression; op: string; right: Expression };
  return `${text(left)} ${op} ${text(right)}`;
}

test('reads comparisons, connectives, negation and groups', () => {
  expect(parseExpression('CPU > 80')).toEqual({
    expression: { op: '>', left: { attribute: 'CPU' }, right: { number: 80 } },
  });
  expect(parseExpression(' !(a=1)&&b <> -2.5 ')).toEqual({
    expression: {
      op: '!',
      of: {
        op: '&&',
        left: { op: '(', of: { op: '=', left: { attribute: 'A' }, right: { number: 1 } } },
        right: { op: '<>', left: { attribute: 'B' }, right: { number: -2.5 } },
      },
    },
  });
});

test.each(['"CPU" >= 1', "'CPU' >= 1", '1 < 2', 'a==1|b==2', '((x<1))'])('reads %s', (source) => {
  expect(parseExpression(source)).toHaveProperty('expression');
});

test.each(['', 'CPU', 'CPU >', 'CPU > 1 &&', '(CPU > 1', 'CPU > 1)', '"CPU > 1', 'CPU ~ 1', '1a > 2', '('.repeat(500)])(
  'refuses %s',
  (source) => {
    const parsed = parseExpression(source);
    expect('failure' in parsed && parsed.failure).toMatch(/^Expected .* at line 1, column \d+ \(byte \d+\)/s);
  },
);

test('says what would have fitted, and where', () => {
  expect(parseExpression('CPU >')).toEqual({
    failure: "Expected one of ' ', '-', [0-9], '\"', ''', [a-zA-Z] at line 1, column 6 (byte 6) after CPU >",
  });
});

test('reads what it has written', () => {
  const operand = fc.oneof(
    fc.record({ number: fc.integer({ min: -99, max: 99 }) }),
    fc.record({ attribute: fc.stringMatching(/^[A-Z][A-Z0-9_]{0,5}$/) }),
  );
  const comparison = fc.record({ op: fc.constantFrom('==', '!=', '>', '<='), left: operand, right: operand });
  const { expression } = fc.letrec<{ expression: Expression; condition: Expression }>((tie) => ({
    condition: fc.oneof(
      { maxDepth: 3 },
      comparison as fc.Arbitrary<Expression>,
      fc.record({ op: fc.constant('(' as const), of: tie('expression') }),
    ),
    expression: fc.oneof(
      { maxDepth: 3 },
      tie('condition'),
      fc.record({ op: fc.constantFrom('&&', '||'), left: tie('condition'), right: tie('expression') }),
    ) as fc.Arbitrary<Expression>,
  }));
  fc.assert(
    fc.property(expression, (tree) => {
      expect(parseExpression(text(tree))).toEqual({ expression: tree });
    }),
    { seed: 1, numRuns: 300 },
  );
});
