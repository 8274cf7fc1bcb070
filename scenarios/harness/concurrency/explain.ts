/** Why a history has no order: its lanes, how far it can be put in order, and what stands against each next step. */
import type { Asked } from './history.ts';
import type { Linearization } from './linearizable.ts';
import { isOpen } from './operation.ts';

export type Failure<S> = Extract<Linearization<S>, { readonly found: false }>;

/** A line for each client, the longest order that there is, and a line for each step that cannot follow. */
export function explained<S>(operations: readonly Asked<S>[], { prefix, obstacles }: Failure<S>): string[] {
  const lanes = new Map<string, Asked<S>[]>();
  for (const each of operations) lanes.set(laneOf(each), [...(lanes.get(laneOf(each)) ?? []), each]);
  return [
    ...[...lanes].map(([lane, asked]) => `${lane}: ${asked.map(told).join(', ')}`),
    `in order: ${ordered(prefix, operations).join(', ') || 'nothing'}`,
    ...obstacles.map(({ operation, why }) => `then not ${operation.name}: ${why}`),
  ];
}

const laneOf = <S>({ lane }: Asked<S>): string => lane;

const told = <S>(each: Asked<S>): string => {
  const { sent, at } = each.exchange;
  return `${each.name} (${sent}–${isOpen(each) ? '…' : at} ms)`;
};

/** Each operation where it is over; what is not is told with how far it is. */
function ordered<S>(prefix: readonly { readonly name: string }[], operations: readonly Asked<S>[]): string[] {
  const counts = new Map<string, number>();
  const wholes = new Map(operations.map(({ name, phases }) => [name, phases.length]));
  const lines: string[] = [];
  for (const { name } of prefix) {
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    if (count === wholes.get(name)) lines.push(name);
  }
  for (const [name, count] of counts) {
    const whole = wholes.get(name) ?? count;
    if (count < whole) lines.push(`${name} (${count} of ${whole} steps)`);
  }
  return lines;
}
