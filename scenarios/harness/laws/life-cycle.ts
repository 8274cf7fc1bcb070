/** The laws of a runtime's life: which states follow which, and what ends. */
import { type FunctionState, mappedState } from '../../../sim/index.ts';
import { anyOf, type Belief, either, later, seen, UNBORN } from '../belief.ts';
import { type Check, type Law, shownBy } from '../law.ts';
import { isLegal } from '../state-graph.ts';
import { type Answered, type Change, isDemanding, isMutation, overlap, type Runtime, type Story } from '../story.ts';
import { judgeWaits } from './patience.ts';

/** Longer than any state lasts that nothing holds up. */
const PENDING_BOUND_MS = 600_000;
export const UPDATING_BOUND_MS = 300_000;

/** VMs of the runtimes that a run has made, each with its runtime. */
function* vmsOf(story: Story): Generator<readonly [vm: number, runtime: Runtime]> {
  for (const runtime of story.runtimes.values()) {
    for (const { VM_ID } of runtime.first.functions.values()) yield [VM_ID, runtime];
  }
}

/** Whether anybody has asked for anything of a runtime that may still be going on. */
const asked = (story: Story, runtime: Runtime, vm: number, until: number): boolean =>
  story.disturbed(vm, 0, until) ||
  story.unsure(runtime.id, until) ||
  story.healings.length > 0 ||
  runtime.exchanges.some((exchange) => exchange !== runtime.created && isMutation(exchange) && exchange.sent <= until);

/** Stretches of time that a VM's function spends in one state; the last one is open. */
interface Stay {
  readonly state: FunctionState;
  readonly change: Change;
  readonly from: number;
  readonly to: number;
}

function staysOf(story: Story, vm: number): Stay[] {
  const changes = story.changesOf(vm).filter(({ to }) => to !== 'DONE');
  const ends = story.changesOf(vm).find(({ to }) => to === 'DONE')?.at ?? story.end;
  const stays: Stay[] = [];
  for (const change of changes) {
    const state = mappedState(change.to);
    const last = stays.at(-1);
    if (last?.state === state) continue;
    if (last !== undefined) stays.splice(-1, 1, { ...last, to: change.at });
    stays.push({ state, change, from: change.at, to: ends });
  }
  return stays;
}

export const LIFE_CYCLE: readonly Law[] = [
  {
    id: 'L1',
    sentence: 'Each state that is seen follows from the one before over the life cycle, and is that of the VM.',
    reason: 'A client that waits for a state must not miss it, nor see one that never was.',
    judge(story, check) {
      for (const [vm, runtime] of vmsOf(story)) {
        for (const { entry, at, from, to } of story.changesOf(vm)) {
          check(isLegal(from, to), () => ({
            at,
            subject: entry.subject,
            expected: `a state that can follow ${from}`,
            seen: to,
            edge: `${from} → ${to}`,
          }));
        }
        judgeSights(story, runtime, vm, check);
      }
    },
  },
  {
    id: 'L2',
    sentence: 'What was created with 201, its owner can read until somebody deletes it.',
    reason: 'A client keeps the id and nothing else; there is no list to find it again.',
    judge({ runtimes, unsure, isServiceTouched }, check) {
      for (const { id, exchanges, first } of runtimes.values()) {
        const gone = exchanges.find(({ op }) => op === 'delete');
        for (const exchange of exchanges) {
          // A service that OneFlow has lost takes its runtime with it.
          if (unsure(id, exchange.at) || isServiceTouched(first.SERVICE_ID, exchange.at)) continue;
          if (exchange.op !== 'get' || exchange.as !== 'owner' || exchange.auth !== 'good') continue;
          if (gone !== undefined && gone.sent <= exchange.at) continue;
          check(exchange.response.status !== 404, () =>
            shownBy(exchange, { subject: `runtime ${id}`, expected: 'not 404', seen: '404' }),
          );
        }
      }
    },
  },
  {
    id: 'L3',
    sentence:
      'A runtime leaves PENDING within its bound, unless its requirements, an operator or a fault hold it there.',
    reason: 'A client has to know when to give up.',
    judge(story, check) {
      for (const [vm, runtime] of vmsOf(story)) {
        if (isDemanding(runtime) || !story.omniscient) continue;
        judgeStays(story, vm, 'PENDING', PENDING_BOUND_MS, check);
      }
      for (const runtime of story.runtimes.values()) judgeWaits(story, runtime, 'PENDING', check);
    },
  },
  {
    id: 'L4',
    sentence: 'UPDATING ends within its bound, unless a fault or an operator holds it there.',
    reason: 'While it lasts every update is refused.',
    judge(story, check) {
      for (const runtime of story.runtimes.values()) judgeWaits(story, runtime, 'UPDATING', check);
      if (!story.omniscient) return;
      for (const [vm] of vmsOf(story)) judgeStays(story, vm, 'UPDATING', UPDATING_BOUND_MS, check);
    },
  },
  {
    id: 'L5',
    sentence: 'UPDATING begins only with a request, a fault or an operator.',
    reason: 'Nothing that a client did not ask for may take its runtime out of service.',
    judge(story, check) {
      for (const [vm, runtime] of vmsOf(story)) {
        judgeBeginnings(story, vm, 'UPDATING', ['request', 'fault', 'host.state'], check);
        if (story.omniscient) continue;
        for (const { exchange, shown } of runtime.sights) {
          const fields = [...shown.functions.values()].find(({ VM_ID }) => VM_ID === vm);
          if (fields?.STATE !== 'UPDATING') continue;
          check(asked(story, runtime, vm, exchange.at), () =>
            seenAs(exchange, vm, 'a state that nobody asked to leave', 'UPDATING'),
          );
        }
      }
    },
  },
  {
    id: 'L6',
    sentence: 'RUNNING becomes ERROR only with a cause in the journal.',
    reason: 'A failure that nothing explains cannot be reproduced.',
    judge(story, check) {
      for (const [vm] of vmsOf(story)) {
        for (const { entry, at, from, to } of story.changesOf(vm)) {
          if (mappedState(from) !== 'RUNNING' || mappedState(to) !== 'ERROR') continue;
          const causes = story.why(entry).slice(1);
          check(
            causes.some(({ kind }) => ['fault', 'host.state', 'request'].includes(kind)) ||
              isHostDown(story, entry.seq),
            () => ({
              at,
              subject: `vm/${vm}`,
              expected: 'a cause in the journal',
              seen: `${from} → ${to}`,
              edge: 'RUNNING → ERROR',
            }),
          );
        }
      }
    },
  },
  {
    id: 'L7',
    sentence: 'ERROR ends only by a recovery, a deletion or a host that is back.',
    reason: 'What has failed must not pretend that nothing was.',
    judge(story, check) {
      for (const [vm] of vmsOf(story)) {
        for (const { entry, at, from, to } of story.changesOf(vm)) {
          if (mappedState(from) !== 'ERROR' || mappedState(to) === 'ERROR') continue;
          const causes = story.why(entry).slice(1);
          check(
            causes.some(({ kind }) => ['host.state', 'request'].includes(kind)),
            () => ({ at, subject: `vm/${vm}`, expected: `${from} to last`, seen: to, edge: `${from} → ${to}` }),
          );
        }
      }
    },
  },
  {
    id: 'L8',
    sentence: 'A function in ERROR says why, and one that never was in ERROR says nothing of the kind.',
    reason: 'The message is all that a client gets to see of the cause.',
    judge({ runtimes }, check) {
      for (const { id, sights } of runtimes.values()) {
        const failed = new Set<string>();
        for (const { exchange, shown } of sights) {
          for (const [name, { STATE, ERROR }] of shown.functions) {
            const subject = `${name} of runtime ${id}`;
            // It stays in the document after the function has recovered: nothing removes it.
            const earlier = failed.has(name);
            if (STATE === 'ERROR') failed.add(name);
            const says = typeof ERROR === 'string' && ERROR !== '';
            check(STATE !== 'ERROR' || says, () =>
              shownBy(exchange, {
                subject,
                expected: 'a reason in ERROR',
                seen: JSON.stringify(ERROR) ?? 'none',
                edge: 'silent',
              }),
            );
            // Between two looks it may have been in ERROR and come back; only a first look can be sure.
            if (exchange.op !== 'create' || earlier) continue;
            check(STATE === 'ERROR' || !says, () =>
              shownBy(exchange, { subject, expected: `no ERROR in ${STATE}`, seen: `${ERROR}`, edge: 'loud' }),
            );
          }
        }
      }
    },
  },
];

/** Whether some host was not heard of when an entry was written: a VM that comes up there is lost at once. */
function isHostDown(story: Story, seq: number): boolean {
  const states = new Map<string, unknown>();
  for (const entry of story.entries) {
    if (entry.seq >= seq) break;
    if (entry.kind === 'host.state') states.set(entry.subject, entry.detail.to);
  }
  return [...states.values()].includes('ERROR');
}

const seenAs = (exchange: Answered, vm: number, expected: string, seen: string, edge = seen) =>
  shownBy(exchange, { subject: `vm/${vm}`, expected, seen, edge });

function judgeSights(story: Story, runtime: Runtime, vm: number, check: Check): void {
  if (!story.omniscient) {
    judgeBelief(story, runtime, vm, check);
    return;
  }
  for (const { exchange, state } of sightsOf(runtime, vm)) {
    const possible = [...story.statesAt(vm, exchange)].map(mappedState);
    check(possible.includes(state), () =>
      seenAs(exchange, vm, possible.join(' or '), state, `${possible.join('|')} shown as ${state}`),
    );
  }
}

const sightsOf = ({ sights }: Runtime, vm: number): { readonly exchange: Answered; readonly state: FunctionState }[] =>
  sights.flatMap(({ exchange, shown }) => {
    const fields = [...shown.functions.values()].find(({ VM_ID }) => VM_ID === vm);
    return fields === undefined ? [] : [{ exchange, state: fields.STATE }];
  });

/** From outside, what is seen has to fit what could be believed until then. */
function judgeBelief(story: Story, runtime: Runtime, vm: number, check: Check): void {
  let [earlier, belief]: [Belief, Belief] = [UNBORN, UNBORN];
  let last: { readonly exchange: Answered; readonly state: FunctionState } | undefined;
  for (const sight of sightsOf(runtime, vm)) {
    const { exchange, state } = sight;
    // Of two looks at once the second may have come first.
    const from = last !== undefined && overlap(last.exchange, exchange) ? either(earlier, belief) : belief;
    const possible = seen(later(from, askedSince(story, runtime, vm, last?.exchange, exchange)), state);
    const before = last?.state ?? 'nothing';
    check(possible.size > 0, () =>
      seenAs(exchange, vm, `a state that can follow ${before}`, state, `${before} → ${state}`),
    );
    [earlier, belief, last] = [from, possible.size > 0 ? possible : anyOf(state), sight];
  }
}

/** Whether anything was asked for, or may have been, between two looks; what is to be scheduled anew moves at any time. */
function askedSince(story: Story, runtime: Runtime, vm: number, since: Answered | undefined, until: Answered): boolean {
  if (story.disturbed(vm, 0, until.at) || story.healings.length > 0 || story.unsure(runtime.id, until.at)) return true;
  return runtime.exchanges.some((each) => {
    if (each === runtime.created || !isMutation(each) || each.sent > until.at) return false;
    return since === undefined || each.at >= since.sent || (each.request.body ?? '').includes('"SCHEDULING"');
  });
}

/** A stay that a fault or an operator has touched, at its beginning or before, may last. */
function judgeStays(story: Story, vm: number, state: FunctionState, bound: number, check: Check): void {
  for (const stay of staysOf(story, vm)) {
    if (stay.state !== state || story.disturbed(vm, 0, stay.to)) continue;
    check(stay.to - stay.from <= bound || hasHostBeenSilent(story, stay), () => ({
      at: stay.from + bound,
      subject: `vm/${vm}`,
      expected: `${state} to end within ${bound / 1000} s`,
      seen: `${stay.change.to} for ${(stay.to - stay.from) / 1000} s`,
      edge: state,
    }));
  }
}

/** Whether a host was away meanwhile: what it was told to do waits until it answers, and nothing says so of the VM. */
function hasHostBeenSilent(story: Story, { from, to }: Stay): boolean {
  const silent = new Set<string>();
  for (const { kind, at, subject } of story.entries) {
    const instant = at - story.run.epochMs;
    if (instant > to) break;
    if (kind === 'host.silent') silent.add(subject);
    // One that answers again in the stay was silent in it.
    else if (kind === 'host.answers' && instant < from) silent.delete(subject);
  }
  return silent.size > 0;
}

function judgeBeginnings(
  story: Story,
  vm: number,
  state: FunctionState,
  causes: readonly string[],
  check: Check,
): void {
  for (const { change } of staysOf(story, vm).filter((stay) => stay.state === state)) {
    const found = story
      .why(change.entry)
      .slice(1)
      .some(({ kind }) => causes.includes(kind));
    check(found, () => ({
      at: change.at,
      subject: `vm/${vm}`,
      expected: 'a request, a fault or an operator',
      seen: `${change.from} → ${change.to} by itself`,
      edge: `${change.from} → ${change.to}`,
    }));
  }
}
