/**
 * Makes scenarios: commands of a few clients, faults told from what they do, and a suffix without faults in which all
 * has to come back. In each scenario whole families of commands and faults are off (swarm), which finds what only shows
 * when one thing happens many times in a row.
 */
import fc from 'fast-check';
import { DEEDS, type Deed, type Families, wishes } from './deeds.ts';
import { DELAYS, INTENSITIES, TROUBLES } from './mischief.ts';
import { neighbours } from './neighbours.ts';
import type { Scenario, Specification, Step } from './scenario.ts';
import { retrospect, WATCH_TROUBLES, WATCHES, woven } from './watching/looks.ts';

export interface Budget {
  readonly steps: number;
  readonly faults: number;
  /** Looks at what is not the engine's. */
  readonly watches: number;
}

export const SMALL: Budget = { steps: 20, faults: 4, watches: 6 };

/** Which of the families a scenario has: each off in about half of them. */
const swarm = (families: object): fc.Arbitrary<string[]> => fc.subarray(Object.keys(families));

function drawn<T>(
  families: Families<T>,
  on: readonly string[],
  count: number,
): fc.Arbitrary<readonly (readonly [T, number])[]> {
  const chosen = on.flatMap((family) => families[family] ?? []);
  if (chosen.length === 0) return fc.constant([]);
  return fc.array(fc.tuple(fc.oneof(...chosen), fc.nat(1_000)), { maxLength: count, size: 'max' });
}

interface Creation {
  readonly args: Specification;
  /** Whether the next one waits until it runs. */
  readonly settled: boolean;
}

/** @param profile the deviations that the stand-in is to have */
export function scenarios(budget: Budget, profile: 'upstream' | 'contract' = 'upstream'): fc.Arbitrary<Scenario> {
  const creations = fc.array(fc.record({ args: wishes, settled: fc.boolean() }), {
    minLength: 1,
    maxLength: 4,
    size: 'max',
  });
  const seed = fc.nat(0xffff).map((n) => `0x${n.toString(16)}`);
  const timing = fc.constantFrom('instant', 'fast', 'fast', 'realistic');
  return fc
    .tuple(
      swarm(DEEDS),
      fc.oneof(fc.constant([]), swarm(TROUBLES)),
      fc.constantFrom(1, 1, 2, 3),
      fc.oneof(fc.constant<string[]>([]), swarm(WATCHES)),
      fc.constantFrom<(keyof typeof WATCH_TROUBLES)[]>([], [], ['probes'], ['wires'], ['probes', 'wires']),
    )
    .chain(([ops, kinds, clients, views, dark]) =>
      fc
        .tuple(
          seed,
          timing,
          creations,
          drawn(DEEDS, ops, budget.steps),
          drawn(TROUBLES, kinds, budget.faults),
          drawn(WATCHES, views, budget.watches),
          drawn(WATCH_TROUBLES, views.length > 0 ? dark : [], 2),
          fc.constantFrom(0, 0, 6, 24),
          fc.oneof(fc.constant(undefined), neighbours),
          fc.constantFrom(...Object.values(INTENSITIES)),
        )
        .map(([chosen, pace, made, deeds, troubles, watches, shadows, more, both, lain]): Scenario => {
          const { steps: alone, runtimes } = stepsOf(made, deeds, clients);
          // Where nothing goes wrong they come to run for sure.
          const plain = both === undefined || troubles.length > 0 ? alone : [...alone, ...both(alone)];
          const functions = watches.length > 0 ? more : 0;
          const steps = watches.length > 0 ? woven(plain, watches, functions + 1, clients) : plain;
          const faults = [...troubles, ...shadows].flatMap(([trouble, n], index) =>
            [trouble(`f${index + 1}`, steps, runtimes, n) ?? []].flat(),
          );
          return {
            v: 1,
            seed: chosen,
            profile,
            timing: pace as NonNullable<Scenario['timing']>,
            ...(functions > 0 && { functions }),
            swarm: { ops: [...ops, ...views], faults: [...kinds, ...dark] },
            steps: [...steps, ...suffix(runtimes), ...(watches.length > 0 ? retrospect(runtimes) : [])],
            faults: lain(faults),
          };
        }),
    );
}

function stepsOf(
  creations: readonly Creation[],
  deeds: readonly (readonly [Deed, number])[],
  clients: number,
): { readonly steps: readonly Step[]; readonly runtimes: readonly string[] } {
  const steps: Step[] = [];
  const runtimes: string[] = [];
  let number = 0;
  const add = (make: (id: string) => Step | undefined, lane: number): void => {
    const step = make(`s${number + 1}`);
    if (step === undefined) return;
    number++;
    const before = steps.at(-1);
    const apart = clients > 1 && lane > 0 && before !== undefined && 'ref' in before && 'ref' in step;
    // Some follow what is sent rather than what is answered: then two clients are at it at once.
    const own =
      apart && lane % 2 === 1
        ? { after: { event: `${before.id}.sent`, delayMs: DELAYS[lane % DELAYS.length] ?? 0 } }
        : {};
    const client = step.op === 'advance' || step.op === 'heal' ? {} : { client: lane % clients };
    steps.push({ ...step, ...client, ...own } as Step);
  };
  const share = Math.ceil(deeds.length / creations.length);
  for (const [index, { args, settled }] of creations.entries()) {
    const bind = `r${index + 1}`;
    add((id) => ({ id, op: 'create', args, bind }), 0);
    runtimes.push(bind);
    if (settled) {
      const created = steps.at(-1)?.id ?? '';
      add((id) => ({ id, op: 'get', ref: bind, after: { event: `${created}.RUNNING` } }), 0);
    }
    for (const [deed, n] of deeds.slice(index * share, (index + 1) * share)) {
      add((id) => deed(id, runtimes, n), n);
      const last = steps.at(-1);
      if (last?.op !== 'put' || n % 3 > 0) continue;
      // Somebody looks while it is under way.
      const after = { event: `${last.id}.sent`, delayMs: 200 };
      steps.push({ id: `${last.id}-look`, op: 'get', ref: last.ref, client: 14, after });
    }
  }
  return { steps, runtimes };
}

/** All is healed, time passes, and everybody is looked at, twice. */
function suffix(runtimes: readonly string[]): Step[] {
  const looks = (turn: string): Step[] => runtimes.map((ref): Step => ({ id: `${turn}-${ref}`, op: 'get', ref }));
  return [
    { id: 'calm', op: 'advance', ms: 400_000 },
    { id: 'heal', op: 'heal' },
    { id: 'quiet', op: 'advance', ms: 600_000 },
    ...looks('first'),
    ...looks('second'),
  ];
}
