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

/** STATE of a VM that is ACTIVE. */
const ACTIVE = 3;

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
  // The guest powers itself off, or is found running though it was put to rest.
  ['RUNNING', 'POWEROFF'],
  ['UNKNOWN', 'POWEROFF'],
  ['POWEROFF', 'RUNNING'],
  ['SUSPENDED', 'RUNNING'],
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
  // Only what may be on a host is cleaned up there.
  ...ALL.filter((state) => state !== 'DONE').flatMap((from): Edge[] => [
    [from, STATES[from].state === ACTIVE ? 'CLEANUP_DELETE' : 'DONE'],
    [from, 'CLEANUP_RESUBMIT'],
  ]),
];

function edgesOf(table: Readonly<Record<string, object>>): Edge[] {
  return Object.values(table).flatMap((edges) =>
    Object.entries(edges).flatMap(([from, to]): Edge[] => (to === 'same' ? [] : [[from as State, to]])),
  );
}

export const keyOf = (from: string, to: string): string => `${from} → ${to}`;
const LEGAL = new Set([...SPONTANEOUS, ...ASKED].map(([from, to]) => keyOf(from, to)));

/** Every step that the life cycle knows. What leads back to where it was is no change of state, and in no journal. */
export const EDGES: readonly string[] = [
  ...new Set([...SPONTANEOUS, ...ASKED].filter(([from, to]) => from !== to).map(([from, to]) => keyOf(from, to))),
];

/** Whether the life cycle leads from a state of a VM to another at once. */
export const isLegal = (from: string, to: string): boolean => LEGAL.has(keyOf(from, to));

const nextOf = (edges: readonly Edge[]): ReadonlyMap<State, readonly State[]> => {
  const next = new Map<State, State[]>(ALL.map((state) => [state, []]));
  for (const [from, to] of edges) next.get(from)?.push(to);
  return next;
};

const [UNASKED, ANY] = [nextOf(SPONTANEOUS), nextOf([...SPONTANEOUS, ...ASKED])];

/** All that some states may have become, over whatever lies between. @param asked whether anybody asked for anything */
export function reachable(states: Iterable<State>, asked: boolean): ReadonlySet<State> {
  const reached = new Set(states);
  for (const state of reached) for (const to of (asked ? ANY : UNASKED).get(state) ?? []) reached.add(to);
  return reached;
}

const SHOWN = new Map<FunctionState, Set<State>>();
for (const state of ALL) SHOWN.set(mappedState(state), (SHOWN.get(mappedState(state)) ?? new Set()).add(state));

/** The states that the engine shows as one. */
export const statesShownAs = (state: FunctionState): ReadonlySet<State> => SHOWN.get(state) ?? new Set();
