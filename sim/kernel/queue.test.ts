/** The event queue against a naive model: a list, searched for the least `(due, seq)`. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventQueue, type Timer } from './queue.ts';

type Command = { readonly push: number } | { readonly cancel: number } | { readonly pop: true };

/** Few different instants, so that ties are common. */
const command = fc.oneof(
  { weight: 5, arbitrary: fc.record({ push: fc.nat(12) }) },
  { weight: 3, arbitrary: fc.record({ cancel: fc.nat() }) },
  { weight: 2, arbitrary: fc.constant({ pop: true as const }) },
);

interface Modelled {
  readonly due: number;
  readonly seq: number;
  readonly timer: Timer;
}

const first = (model: readonly Modelled[]): Modelled | undefined =>
  model.toSorted((a, b) => a.due - b.due || a.seq - b.seq)[0];

function pop(queue: EventQueue): unknown {
  const { event } = queue;
  queue.pop();
  return event;
}

describe('EventQueue', () => {
  it('gives events out by (due, seq), whatever is pushed and cancelled in between', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 400, size: 'max' }), (commands: readonly Command[]) => {
        const queue = new EventQueue();
        const given: Modelled[] = [];
        let model: Modelled[] = [];
        for (const step of commands) {
          if ('push' in step) {
            const seq = given.length + 1;
            const event = { due: step.push, seq, timer: queue.push(step.push, 0, seq, 0) };
            given.push(event);
            model.push(event);
          } else if ('cancel' in step) {
            const event = given[step.cancel % Math.max(1, given.length)];
            if (event === undefined) continue;
            expect(queue.cancel(event.timer)).toBe(model.includes(event));
            model = model.filter((other) => other !== event);
          } else {
            const event = first(model);
            if (event === undefined) continue;
            expect({ due: queue.due, seq: queue.seq, event: queue.event }).toEqual({
              due: event.due,
              seq: event.seq,
              event: event.seq,
            });
            queue.pop();
            model = model.filter((other) => other !== event);
          }
          expect(queue.size).toBe(model.length);
          expect(queue.due).toBe(first(model)?.due ?? Number.POSITIVE_INFINITY);
        }
      }),
      { seed: 1, numRuns: 150 },
    );
  });

  it('keeps the order when it grows and when most of a large queue is cancelled', () => {
    const queue = new EventQueue();
    const due = (i: number): number => (i * 7919) % 1009;
    const timers = Array.from({ length: 20_000 }, (_, i) => queue.push(due(i), 0, i, 0));
    const kept = timers.flatMap((timer, i) => (i % 9 !== 0 && queue.cancel(timer) ? [] : [i]));
    const order = Array.from(kept, () => pop(queue));
    expect(order).toEqual(kept.toSorted((a, b) => due(a) - due(b) || a - b));
    expect(queue.size).toBe(0);
  });

  it('is restored however many events were pending, in their order', () => {
    const queue = new EventQueue();
    for (let i = 0; i < 5000; i++) queue.push((i * 7919) % 1009, 0, i, 0);
    const copy = new EventQueue();
    copy.restore(structuredClone(queue.state(() => 'all')), () => 0);
    expect(copy.size).toBe(5000);
    expect(Array.from({ length: 5000 }, () => pop(copy))).toEqual(Array.from({ length: 5000 }, () => pop(queue)));
  });

  it('cancels nothing by the timer of an event whose place another has taken', () => {
    const queue = new EventQueue();
    const gone = queue.push(1, 0, 'gone', 0);
    queue.pop();
    const next = queue.push(1, 0, 'next', 0);
    expect(queue.cancel(gone)).toBe(false);
    expect(queue.size).toBe(1);
    expect(queue.cancel(next)).toBe(true);
    expect(queue.cancel(next)).toBe(false);
    expect(queue.size).toBe(0);
  });

  it('stays small when far events are scheduled and cancelled again and again', () => {
    const queue = new EventQueue();
    queue.push(0, 0, 'near', 0);
    const cells = new Set<number>();
    for (let i = 0; i < 10_000; i++) {
      const timer = queue.push(1e9, 0, i, 0);
      cells.add(timer % 2 ** 22);
      queue.cancel(timer);
    }
    expect(cells.size).toBeLessThan(200);
  });

  it('holds on to no event that has left it', () => {
    const queue = new EventQueue();
    const timers = Array.from({ length: 1000 }, (_, i) => queue.push(i, 0, { i }, 0));
    for (const timer of timers.slice(1)) queue.cancel(timer);
    queue.pop();
    expect(queue.event).toBeUndefined();
    expect(queue.size).toBe(0);
  });
});
