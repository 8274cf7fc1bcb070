/** The event queue: events scheduled and fired a second while 100,000 are pending. */
import { Clock } from '../../sim/kernel/clock.ts';
import type { Timer } from '../../sim/kernel/queue.ts';
import { type Distribution, Random, sample } from '../../sim/kernel/random.ts';
import type { Bar, Benchmark, Result } from './benchmark.ts';

const PENDING = 100_000;
const EVENTS = 1_000_000;
const ROUNDS = 5;
const BAR: Bar = { atLeast: 1_000_000 };

interface Case {
  readonly figure: string;
  /** How long before an event fires. */
  readonly delay: Distribution;
  readonly event: (vm: number) => unknown;
  /** Whether as many events again are scheduled and cancelled before they fire. */
  readonly cancelling: boolean;
  readonly bar: Bar | null;
}

const vmId = (vm: number): unknown => vm;
const driverEvent = (vm: number): unknown => ({ vm, ok: true, message: '' });
const HALF_A_MINUTE: Distribution = { exponential: { mean: 30_000 } };

const CASES: readonly Case[] = [
  { figure: 'within minutes', delay: HALF_A_MINUTE, event: vmId, cancelling: false, bar: BAR },
  { figure: 'within hours', delay: { uniform: [1, 7_200_000] }, event: vmId, cancelling: false, bar: BAR },
  { figure: 'all at the same instants', delay: { fixed: 1000 }, event: vmId, cancelling: false, bar: BAR },
  { figure: 'events are objects', delay: HALF_A_MINUTE, event: driverEvent, cancelling: false, bar: BAR },
  { figure: 'every second one cancelled', delay: HALF_A_MINUTE, event: vmId, cancelling: true, bar: null },
];

export const queue: Benchmark = {
  name: 'queue',
  what: `schedule and fire, ${PENDING.toLocaleString('en')} events pending; each that fires schedules the next`,
  bar: '1,000,000 events a second',
  async run() {
    return CASES.map(measure);
  },
};

function measure({ figure, delay, event, cancelling, bar }: Case): Result {
  const clock = new Clock(0);
  const draw = new Random(1).stream('benchmark');
  // Drawn before, so that chance is not what is measured.
  const delays = Array.from({ length: 2 ** 16 }, (_, i) => 1 + sample(delay, draw(i, 0)));
  let fired = 0;
  let drawn = 0;
  const next = (): number => delays[drawn++ % delays.length] as number;
  const schedule = clock.channel<unknown>('event', () => {
    fired++;
    if (cancelling) clock.cancel(doomed[fired % PENDING] as Timer);
    const timer = schedule(next(), event(fired));
    if (cancelling) doomed[fired % PENDING] = schedule(1e9 + next(), event(fired));
    return timer;
  });
  const doomed = cancelling ? Array.from({ length: PENDING }, () => schedule(1e9 + next(), event(0))) : [];
  for (let i = doomed.length; i < PENDING + doomed.length; i++) schedule(next(), event(i));

  const rates = Array.from({ length: ROUNDS + 1 }, () => {
    const goal = fired + EVENTS;
    const from = performance.now();
    const before = fired;
    while (fired < goal) clock.advanceNow(1000);
    return ((fired - before) / (performance.now() - from)) * 1000;
  });
  // The first round only warms up; of the others, the one in the middle.
  const measured = rates.slice(1).sort((a, b) => a - b)[Math.floor(ROUNDS / 2)] as number;
  return { figure, measured, unit: 'events/s', bar };
}
