/** Binary operators, between numbers and between vectors. Mirrors Prometheus 2.42. */

import type { Labels } from '../labels.ts';
import { isComparison, isSet } from './check.ts';
import { type Budget, type Column, keyOf, merged, only, without, withoutName, written } from './column.ts';
import { type Arithmetic, type BinaryOperator, type Comparison, ExecutionError, type Matching } from './expression.ts';

const ARITHMETIC: Readonly<Record<Arithmetic, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
  // 1 to whatever power is 1, and so is -1 to an infinite one, as C has it.
  '^': (a, b) => (a === 1 || (a === -1 && Math.abs(b) === Number.POSITIVE_INFINITY) ? 1 : a ** b),
  atan2: Math.atan2,
};

const COMPARE: Readonly<Record<Comparison, (a: number, b: number) => boolean>> = {
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': (a, b) => a < b,
  '>': (a, b) => a > b,
  '<=': (a, b) => a <= b,
  '>=': (a, b) => a >= b,
};

/** What two numbers make; undefined when a comparison drops them. */
export function operation(operator: BinaryOperator, bool: boolean): (a: number, b: number) => number | undefined {
  if (operator in ARITHMETIC) return ARITHMETIC[operator as Arithmetic];
  const holds = COMPARE[operator as Comparison];
  return bool ? (a, b) => (holds(a, b) ? 1 : 0) : (a, b) => (holds(a, b) ? a : undefined);
}

/** `atan2` keeps the name, though arithmetic: so does Prometheus. */
const keepsName = (operator: BinaryOperator): boolean => isComparison(operator) || operator === 'atan2';

/** A vector and a scalar; of a comparison that holds, the value of the vector is kept on whichever side it is. */
export function withScalar(
  operator: BinaryOperator,
  bool: boolean,
  vector: readonly Column[],
  scalar: Float64Array,
  scalarIsLeft: boolean,
  budget: Budget,
): Column[] {
  const operate = operation(operator, bool);
  const keeps = isComparison(operator) && !bool;
  const made = vector.map(({ labels, values, present }) => {
    const into = budget.column(bool || !keepsName(operator) ? withoutName(labels) : labels, values.length);
    for (let i = 0; i < values.length; i++) {
      if (present[i] === 0) continue;
      const [value, other] = [values[i] ?? 0, scalar[i] ?? 0];
      const result = scalarIsLeft ? operate(other, value) : operate(value, other);
      if (result === undefined) continue;
      into.values[i] = keeps ? value : result;
      into.present[i] = 1;
    }
    return into;
  });
  return merged(made.filter(({ present }) => present.includes(1)));
}

const ONE_TO_ONE: Matching = { on: false, labels: [], group: null, include: [] };

/** @throws ExecutionError when series do not pair up as the matching says */
export function withVector(
  operator: BinaryOperator,
  bool: boolean,
  given: Matching | null,
  left: readonly Column[],
  right: readonly Column[],
  budget: Budget,
): Column[] {
  const matching = given ?? ONE_TO_ONE;
  if (isSet(operator)) return sets(operator, matching, left, right, budget);
  const swapped = matching.group === 'right';
  const [many, one] = swapped ? [right, left] : [left, right];
  const side = swapped ? 'left' : 'right';
  const ones = bySignature(one, matching);
  const asked = anyOf(many);
  for (const [signature, columns] of ones) checkUnique(columns, signature, side, asked, matching);
  const operate = operation(operator, bool);
  const made: Column[] = [];
  const matched = new Map<string, Uint8Array>();
  for (const column of many) {
    const signature = signatureOf(column.labels, matching);
    for (const other of ones.get(signature) ?? []) {
      budget.look(column.values.length);
      const named = pairLabels(column.labels, other.labels, operator, matching);
      const labels = bool ? withoutName(named) : named;
      const into = budget.column(labels, column.values.length);
      for (let i = 0; i < into.values.length; i++) {
        if (column.present[i] === 0 || other.present[i] === 0) continue;
        const [a, b] = [column.values[i] ?? 0, other.values[i] ?? 0];
        const result = swapped ? operate(b, a) : operate(a, b);
        if (result === undefined) continue;
        into.values[i] = result;
        into.present[i] = 1;
      }
      if (!into.present.includes(1)) continue;
      if (matching.group === null) claim(matched, signature, into);
      made.push(into);
    }
  }
  return merged(made, 'multiple matches for labels: grouping labels must ensure unique matches');
}

/** At each time, one pair at most of those that match one another. */
function claim(matched: Map<string, Uint8Array>, signature: string, { present }: Column): void {
  const before = matched.get(signature);
  if (before === undefined) {
    matched.set(signature, present.slice());
    return;
  }
  for (let i = 0; i < present.length; i++) {
    if (present[i] === 0) continue;
    if (before[i] === 1) {
      throw new ExecutionError(
        'multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)',
      );
    }
    before[i] = 1;
  }
}

function sets(
  operator: BinaryOperator,
  matching: Matching,
  left: readonly Column[],
  right: readonly Column[],
  budget: Budget,
): Column[] {
  if (operator === 'or') {
    const known = presence(left, matching);
    const added = right.map((column) => masked(column, known.get(signatureOf(column.labels, matching)), false, budget));
    return merged([...left.map(copied), ...added.filter(({ present }) => present.includes(1))]);
  }
  const known = presence(right, matching);
  return left
    .map((column) => masked(column, known.get(signatureOf(column.labels, matching)), operator === 'and', budget))
    .filter(({ present }) => present.includes(1));
}

/** Merging writes into columns, which may be shared. */
const copied = ({ labels, values, present }: Column): Column => ({
  labels,
  values: values.slice(),
  present: present.slice(),
});

function masked({ labels, values, present }: Column, mask: Uint8Array | undefined, keep: boolean, budget: Budget) {
  const into = budget.column(labels, values.length);
  for (let i = 0; i < values.length; i++) {
    if (present[i] === 0 || (mask?.[i] === 1) !== keep) continue;
    into.values[i] = values[i] ?? 0;
    into.present[i] = 1;
  }
  return into;
}

/** For each signature, at which times it is there. */
function presence(columns: readonly Column[], matching: Matching): Map<string, Uint8Array> {
  return new Map([...bySignature(columns, matching)].map(([signature, same]) => [signature, anyOf(same)]));
}

function anyOf(columns: readonly Column[]): Uint8Array {
  const any = new Uint8Array(columns[0]?.present.length ?? 0);
  for (const { present } of columns) for (let i = 0; i < any.length; i++) if (present[i] === 1) any[i] = 1;
  return any;
}

function bySignature(columns: readonly Column[], matching: Matching): Map<string, Column[]> {
  const groups = new Map<string, Column[]>();
  for (const column of columns) {
    const signature = signatureOf(column.labels, matching);
    const same = groups.get(signature);
    if (same === undefined) groups.set(signature, [column]);
    else same.push(column);
  }
  return groups;
}

const matchingLabels = (labels: Labels, { on, labels: names }: Matching): Labels =>
  on ? only(labels, names) : without(labels, ['__name__', ...names]);

const signatureOf = (labels: Labels, matching: Matching): string => keyOf(matchingLabels(labels, matching));

function checkUnique(
  columns: readonly Column[],
  signature: string,
  side: 'left' | 'right',
  asked: Uint8Array,
  matching: Matching,
): void {
  const first = columns[0];
  if (columns.length < 2 || first === undefined) return;
  for (let i = 0; i < asked.length; i++) {
    const [one, other] = columns.filter(({ present }) => asked[i] === 1 && present[i] === 1);
    if (one === undefined || other === undefined) continue;
    const group = signature === '' ? '' : written(matchingLabels(first.labels, matching));
    throw new ExecutionError(
      `found duplicate series for the match group ${group} on the ${side} hand-side of the operation: ` +
        `[${written(other.labels)}, ${written(one.labels)}]` +
        ';many-to-many matching not allowed: matching labels must be unique on one side',
    );
  }
}

function pairLabels(many: Labels, one: Labels, operator: BinaryOperator, matching: Matching): Labels {
  let labels = keepsName(operator) ? many : withoutName(many);
  if (matching.group === null) {
    labels = matching.on ? only(labels, matching.labels) : without(labels, matching.labels);
  }
  if (matching.include.length === 0) return labels;
  const lent = only(one, matching.include);
  return [...without(labels, matching.include), ...lent].sort(([a], [b]) => (a < b ? -1 : 1));
}
