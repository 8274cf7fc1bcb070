/**
 * Which states a function may be seen in one after the other: OpenNebula's life cycle, pushed through the engine's
 * mapping of states. It is derived from the tables that the stand-in runs on, so that it cannot say anything else.
 */
import {
  ACTIONS,
  FAILURES,
  type FunctionState,
  mappedState,
  OPERATIONS,
  STATES,
  STEPS,
  type State,
} from '../../sim/index.ts';

type Edge = readonly [from: State, to: State];

const ALL = Object.keys(STATES) as readonly State[];

/** What happens by itself: drivers end, hosts come and go, the scheduler starts what waits. */
const SPONTANEOUS: readonly Edge[] = [
  ...Object.entries(STEPS).flatMap(([from, step]): Edge[] => {
    const ends = [step.ok, step.fail, ...('okPoweroff' in step ? [step.okPoweroff] : [])];
    return ends.map((to) => [from as State, to]);
  }),
  ...edgesOf({ deploy: OPERATIONS.deploy }),
  // What was stopped or undeployed waits in PENDING, and is taken up where it was left.
  ...Object.values(OPERATIONS.deploy).map((to): Edge => ['PENDING', to]),
  ['INIT', 'PENDING'],
  ['CLONING', 'PENDING'],
  ['CLONING', 'CLONING_FAILURE'],
  ['CLEANUP_DELETE', 'DONE'],
  // The host is not heard of, and is back.
  ['RUNNING', 'UNKNOWN'],
  ['UNKNOWN', 'RUNNING'],
  // The guest powers itself off.
  ['RUNNING', 'POWEROFF'],
  ['UNKNOWN', 'POWEROFF'],
];

/** What happens because somebody asked for it. */
const ASKED: readonly Edge[] = [
  ...edgesOf(ACTIONS),
  ...edgesOf(OPERATIONS),
  ['INIT', 'HOLD'],
  ['INIT', 'CLONING'],
  // Recover: retry, success and failure, delete, and delete to begin again.
  ...Object.entries(FAILURES).flatMap(([from, { retry }]): Edge[] => [
    [from as State, retry],
    [from as State, STEPS[retry].ok],
  ]),
  ...ALL.filter((state) => state !== 'DONE').flatMap((from): Edge[] => [
    [from, 'CLEANUP_DELETE'],
    [from, 'CLEANUP_RESUBMIT'],
  ]),
];

function edgesOf(table: Readonly<Record<string, object>>): Edge[] {
  return Object.values(table).flatMap((edges) =>
    Object.entries(edges).flatMap(([from, to]): Edge[] => (to === 'same' ? [] : [[from as State, to]])),
  );
}

const keyOf = (from: string, to: string): string => `${from} → ${to}`;
const LEGAL = new Set([...SPONTANEOUS, ...ASKED].map(([from, to]) => keyOf(from, to)));

/** Whether the life cycle leads from a state of a VM to another at once. */
export const isLegal = (from: string, to: string): boolean => LEGAL.has(keyOf(from, to));

/** Pairs of function states of which the second can follow the first, over whatever lies between. */
function paths(edges: readonly Edge[]): ReadonlySet<string> {
  const next = new Map<State, State[]>(ALL.map((state) => [state, []]));
  for (const [from, to] of edges) next.get(from)?.push(to);
  const pairs = new Set<string>();
  for (const start of ALL) {
    const reached = new Set([start]);
    for (const state of reached) for (const to of next.get(state) ?? []) reached.add(to);
    for (const state of reached) pairs.add(keyOf(mappedState(start), mappedState(state)));
  }
  return pairs;
}

const UNASKED = paths(SPONTANEOUS);
const ANY = paths([...SPONTANEOUS, ...ASKED]);

/** Whether a function may be seen in one state and later in another. @param asked whether anybody asked for anything */
export const mayFollow = (from: FunctionState, to: FunctionState, asked: boolean): boolean =>
  (asked ? ANY : UNASKED).has(keyOf(from, to));
