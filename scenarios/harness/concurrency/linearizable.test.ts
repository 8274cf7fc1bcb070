import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { believe } from './belief-set.ts';
import { linearize } from './linearizable.ts';
import type { Operation, Phase, Thing } from './operation.ts';

/** A register that clients write to and read from. */
const REGISTER: Thing<number> = { initial: 0, keyOf: String };
const write =
  (value: number): Phase<number> =>
  () => [value];
const read =
  (value: number): Phase<number> =>
  (held) =>
    held === value ? [held] : `it holds ${held}`;
const OPEN = Number.POSITIVE_INFINITY;

const operation = (
  name: string,
  invoked: number,
  returned: number,
  ...phases: readonly Phase<number>[]
): Operation<number> => ({ name, invoked, returned, phases });

describe('there is an order', () => {
  test.each<[string, readonly Operation<number>[]]>([
    ['of nothing', []],
    ['of what follows one another', [operation('w1', 1, 2, write(1)), operation('r1', 3, 4, read(1))]],
    [
      'when the answer that came first was given last',
      [operation('w1', 1, 9, write(1)), operation('r0', 2, 3, read(0))],
    ],
    [
      'when two write at the same time',
      [operation('w1', 1, 5, write(1)), operation('w2', 2, 4, write(2)), operation('r1', 6, 7, read(1))],
    ],
    [
      'when what was never answered was done much later',
      [operation('w1', 1, OPEN, write(1)), operation('r0', 2, 3, read(0)), operation('r1', 8, 9, read(1))],
    ],
    [
      'when what was never answered was never done',
      [operation('w1', 1, OPEN, write(1)), operation('r0', 2, 3, read(0))],
    ],
    [
      'when somebody looks between two phases',
      [operation('w12', 1, 9, write(1), write(2)), operation('r1', 3, 4, read(1)), operation('r2', 5, 6, read(2))],
    ],
  ])('%s', (_, operations) => {
    expect(linearize(REGISTER, operations).found).toBe(true);
  });
});

describe('there is no order', () => {
  test('of a look that misses what was acknowledged', () => {
    const operations = [operation('w1', 1, 2, write(1)), operation('r0', 3, 4, read(0))];
    expect(linearize(REGISTER, operations)).toEqual({
      found: false,
      prefix: [operations[0]],
      obstacles: [{ operation: operations[1], why: 'it holds 1' }],
    });
  });

  test('of two that see two writes in two orders', () => {
    const operations = [
      operation('w1', 1, 9, write(1)),
      operation('w2', 1, 9, write(2)),
      operation('a1', 2, 3, read(1)),
      operation('a2', 4, 5, read(2)),
      operation('b1', 6, 7, read(1)),
    ];
    expect(linearize(REGISTER, operations).found).toBe(false);
  });

  test('of what looks at a phase that is behind it', () => {
    const operations = [operation('w12', 1, 2, write(1), write(2)), operation('r1', 3, 4, read(1))];
    expect(linearize(REGISTER, operations).found).toBe(false);
  });
});

test('what is too much to look through has no verdict', () => {
  const many = Array.from({ length: 8 }, (_, n) => operation(`w${n}`, 1, 9, write(n)));
  expect(linearize(REGISTER, [...many, operation('r', 10, 11, read(99))], 50).found).toBeUndefined();
});

/** Histories of three clients, each with a few reads and writes of few values, whose times overlap as they may. */
const histories = fc
  .array(
    fc.array(
      fc.record({
        waits: fc.nat(2),
        lasts: fc.nat(4),
        value: fc.nat(2),
        kind: fc.constantFrom('read', 'read', 'write', 'both', 'lost'),
      }),
      { maxLength: 4 },
    ),
    { minLength: 1, maxLength: 3 },
  )
  .map((clients) =>
    clients.flatMap((calls, client) => {
      let now = 0;
      return calls.map(({ waits, lasts, value, kind }, n) => {
        const invoked = now + waits + 1;
        now = invoked + lasts;
        const phases = {
          read: [read(value)],
          write: [write(value)],
          both: [write(value), write(0)],
          lost: [write(value)],
        };
        return operation(`${client}.${n} ${kind} ${value}`, invoked, kind === 'lost' ? OPEN : now, ...phases[kind]);
      });
    }),
  );

test('an order is found exactly where something can be believed', () => {
  let impossible = 0;
  fc.assert(
    fc.property(histories, (operations) => {
      const believed = believe(REGISTER, operations, () => undefined, 10_000);
      const { found } = linearize(REGISTER, operations);
      if (!found) impossible++;
      expect(believed.impossible.length === 0).toBe(found);
    }),
    { seed: 1, numRuns: 600 },
  );
  expect(impossible).toBeGreaterThan(100);
});

test('every order that is found is one that the register allows, and that keeps to the times', () => {
  fc.assert(
    fc.property(histories, (operations) => {
      const linearization = linearize(REGISTER, operations);
      if (!linearization.found || linearization.order === undefined) return;
      const taken = new Map<Operation<number>, number>();
      let state = 0;
      for (const [n, each] of linearization.order.entries()) {
        const late = linearization.order.slice(n + 1).some((other) => other.returned < each.invoked);
        expect(late).toBe(false);
        const phase = each.phases[taken.get(each) ?? 0];
        taken.set(each, (taken.get(each) ?? 0) + 1);
        const next = phase?.(state) ?? 'none is left';
        expect(typeof next).not.toBe('string');
        state = typeof next === 'string' ? state : (next[0] ?? state);
      }
      for (const each of operations) if (each.returned < OPEN) expect(taken.get(each)).toBe(each.phases.length);
    }),
    { seed: 2, numRuns: 300 },
  );
});
