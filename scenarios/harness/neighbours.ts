/** Two runtimes that are updated at one instant, once both of them run: neither may come to something else for the other. */
import fc from 'fast-check';
import type { Step } from './scenario.ts';

type Creation = Extract<Step, { readonly op: 'create' }>;

const sizes = fc.record({
  CPU: fc.constantFrom(1, 2, 3),
  MEMORY: fc.constantFrom(128, 256, 512),
  DISK_SIZE: fc.constantFrom(1024, 2048, 4096),
});

/** Longer than it takes to boot, whatever the timing. */
const SETTLED_MS = 300_000;

/** None where there are no two. */
export const neighbours: fc.Arbitrary<(steps: readonly Step[]) => readonly Step[]> = sizes.map((faas) => (steps) => {
  const [one, other] = steps.filter((step): step is Creation => step.op === 'create' && step.bind !== undefined);
  if (one?.bind === undefined || other?.bind === undefined) return [];
  const first: Step = { id: 'both-1', op: 'put', ref: one.bind, args: { faas }, client: 12 };
  return [
    // Not told from their states: what comes later would follow that, and not what is still to come before.
    { id: 'both-run', op: 'advance', ms: SETTLED_MS },
    { id: 'one-runs', op: 'get', ref: one.bind },
    { id: 'other-runs', op: 'get', ref: other.bind },
    first,
    { ...first, id: 'both-2', ref: other.bind, client: 13, after: { event: 'both-1.sent' } },
    // Nobody comes before both are over.
    { id: 'both-over', op: 'advance', ms: SETTLED_MS },
  ];
});
