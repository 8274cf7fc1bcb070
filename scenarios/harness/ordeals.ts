/**
 * What is hardly ever come upon by chance: a VM that is put to rest or is lost, and something that goes wrong on the
 * way or on the way back. One table; each row leads along the steps of the life cycle, and to the answers, that it names.
 */
import type { VM_ACTIONS } from '../../sim/index.ts';
import type { After, Fault, Scenario } from './scenario.ts';

type Declared = Extract<Fault, { readonly kind: 'declared' }>['fault'];

/** A driver of the VM that goes wrong. */
interface Mishap {
  readonly action: string;
  readonly effect: Declared['effect'];
  readonly times?: number;
}

/** So long after it has begun, an administrator does something to the VM. */
type Deed = readonly [afterMs: number, action: (typeof VM_ACTIONS)[number]];

interface Ordeal {
  readonly leads: readonly string[];
  /** By operation and status, of whoever asks for the runtime afterwards. */
  readonly answers?: readonly string[];
  readonly mishaps: readonly Mishap[];
  readonly deeds: readonly Deed[];
}

/** Longer than any driver needs that nothing holds up, and than oned takes a report of rest for an old one. */
const SETTLED_MS = 60_000;
const LATER_MS = 1_000;

const FAILING: readonly (readonly [leads: readonly string[], action: string, ...deeds: readonly Deed[1][]])[] = [
  [['SAVE_STOP → RUNNING'], 'save', 'stop'],
  [['SAVE_SUSPEND → RUNNING'], 'save', 'suspend'],
  [['SHUTDOWN_POWEROFF → RUNNING'], 'shutdown', 'poweroff-hard'],
  [['SHUTDOWN_UNDEPLOY → RUNNING'], 'shutdown', 'undeploy'],
  [['EPILOG_STOP → EPILOG_STOP_FAILURE', 'EPILOG_STOP_FAILURE → EPILOG_STOP'], 'epilog', 'stop'],
  [['EPILOG_UNDEPLOY → EPILOG_UNDEPLOY_FAILURE', 'EPILOG_UNDEPLOY_FAILURE → EPILOG_UNDEPLOY'], 'epilog', 'undeploy'],
  [['BOOT_SUSPENDED → SUSPENDED'], 'restore', 'suspend', 'resume'],
  [['BOOT_POWEROFF → POWEROFF'], 'deploy', 'poweroff-hard', 'resume'],
  [['BOOT_STOPPED → BOOT_STOPPED_FAILURE', 'BOOT_STOPPED_FAILURE → BOOT_STOPPED'], 'restore', 'stop', 'resume'],
  [
    ['BOOT_UNDEPLOY → BOOT_UNDEPLOY_FAILURE', 'BOOT_UNDEPLOY_FAILURE → BOOT_UNDEPLOY'],
    ...(['deploy', 'undeploy-hard', 'resume'] as const),
  ],
  [['PROLOG_RESUME → PROLOG_RESUME_FAILURE', 'PROLOG_RESUME_FAILURE → PROLOG_RESUME'], 'prolog', 'stop', 'resume'],
  [
    ['PROLOG_UNDEPLOY → PROLOG_UNDEPLOY_FAILURE', 'PROLOG_UNDEPLOY_FAILURE → PROLOG_UNDEPLOY'],
    ...(['prolog', 'undeploy-hard', 'resume'] as const),
  ],
];

export const ORDEALS: readonly Ordeal[] = [
  {
    leads: ['POWEROFF → RUNNING'],
    mishaps: [{ action: 'shutdown', effect: { do: 'zombie' } }],
    deeds: [[0, 'poweroff-hard']],
  },
  {
    leads: ['SUSPENDED → RUNNING'],
    mishaps: [{ action: 'restore', effect: { do: 'done-but-failed' } }],
    deeds: [
      [0, 'suspend'],
      [SETTLED_MS, 'resume'],
    ],
  },
  {
    leads: ['UNKNOWN → SHUTDOWN_POWEROFF'],
    mishaps: [{ action: 'monitor', effect: { do: 'unknown' } }],
    deeds: [[LATER_MS, 'poweroff-hard']],
  },
  {
    leads: ['UNKNOWN → SHUTDOWN_UNDEPLOY'],
    mishaps: [{ action: 'monitor', effect: { do: 'unknown' } }],
    deeds: [[LATER_MS, 'undeploy-hard']],
  },
  {
    leads: ['UNKNOWN → BOOT_UNKNOWN', 'BOOT_UNKNOWN → UNKNOWN'],
    mishaps: [
      { action: 'monitor', effect: { do: 'unknown' } },
      { action: 'deploy', effect: { do: 'fail' } },
    ],
    deeds: [[LATER_MS, 'resume']],
  },
  // The service goes on without its VM: nobody can read the runtime any more, or be rid of it.
  {
    leads: ['RUNNING → SHUTDOWN'],
    answers: ['readRuntime 500', 'deleteRuntime 500'],
    mishaps: [],
    deeds: [[SETTLED_MS, 'terminate-hard']],
  },
  // A driver fails once, when the VM is put to rest or when it is taken up again.
  ...FAILING.map(
    ([leads, action, ...deeds]): Ordeal => ({
      leads,
      mishaps: [{ action, effect: { do: 'fail' }, times: 1 }],
      deeds: deeds.map((deed, n) => [n * SETTLED_MS, deed]),
    }),
  ),
  {
    leads: ['EPILOG → EPILOG_FAILURE', 'EPILOG_FAILURE → EPILOG'],
    mishaps: [{ action: 'epilog', effect: { do: 'fail' }, times: 1 }],
    deeds: [],
  },
];

/** One runtime that goes through an ordeal, is healed, and deleted. */
export function scenarioOf(ordeal: Ordeal, profile: NonNullable<Scenario['profile']>): Scenario {
  const { leads, deeds } = ordeal;
  return {
    v: 1,
    name: leads.join(', '),
    profile,
    timing: 'fast',
    steps: [
      { id: 's1', op: 'create', bind: 'r1' },
      { id: 's2', op: 'get', ref: 'r1', after: { event: 's1.RUNNING' } },
      { id: 's3', op: 'advance', ms: 290_000 },
      { id: 'h1', op: 'heal' },
      { id: 'look', op: 'get', ref: 'r1' },
      { id: 's4', op: 'delete', ref: 'r1' },
      { id: 's5', op: 'advance', ms: 60_000 },
      { id: 's6', op: 'heal' },
      { id: 's7', op: 'advance', ms: 60_000 },
    ],
    faults: faultsOfOrdeal(ordeal, 'f1', 'r1', { event: deeds.length > 0 ? 's1.RUNNING' : 's4.sent' }),
  };
}

/** The faults of an ordeal. @param id the first of them is called so, and the others begin with it */
export function faultsOfOrdeal({ mishaps, deeds }: Ordeal, id: string, ref: string, after: After): Fault[] {
  const wrong = mishaps.map(({ action, effect, times }, n): Fault => {
    const trigger = times === undefined ? {} : { trigger: { times } };
    const fault = { selector: { layer: 'vm', operation: action }, effect, ...trigger } as Declared;
    return { id: n === 0 ? id : `${id}-too`, kind: 'declared', ref, fault, after, forMs: 300_000 };
  });
  const done = deeds.map(
    ([delayMs, action], n): Fault => ({
      ...{ id: n === 0 && wrong.length === 0 ? id : `${id}-${n + 1}`, kind: 'operator', ref, action },
      after: { event: wrong.length === 0 ? after.event : `${id}.began`, delayMs },
    }),
  );
  return [...wrong, ...done];
}
