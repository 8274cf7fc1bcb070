/** The state of a function, from the LCM state of its virtual machine. Mirrors `STATE_MAP` of the Provisioning Engine 1.3.3. */
import { isActive, type State } from '../../one/vm/lifecycle.ts';
import type { Vm } from '../../one/vm/vm.ts';

export type FunctionState = 'PENDING' | 'RUNNING' | 'UPDATING' | 'ERROR';

/** LCM states by function state; any other is UPDATING. */
const LCM_STATES: readonly (readonly [FunctionState, readonly State[]])[] = [
  [
    'PENDING',
    [
      'BOOT',
      'PROLOG',
      'BOOT_UNKNOWN',
      'BOOT_POWEROFF',
      'BOOT_SUSPENDED',
      'BOOT_STOPPED',
      'BOOT_UNDEPLOY',
      'PROLOG_UNDEPLOY',
      'CLEANUP_RESUBMIT',
    ],
  ],
  ['RUNNING', ['RUNNING']],
  [
    'ERROR',
    [
      'UNKNOWN',
      'BOOT_FAILURE',
      'BOOT_MIGRATE_FAILURE',
      'BOOT_UNDEPLOY_FAILURE',
      'BOOT_STOPPED_FAILURE',
      'PROLOG_FAILURE',
      'PROLOG_MIGRATE_FAILURE',
      'PROLOG_MIGRATE_POWEROFF_FAILURE',
      'PROLOG_MIGRATE_SUSPEND_FAILURE',
      'PROLOG_RESUME_FAILURE',
      'PROLOG_UNDEPLOY_FAILURE',
      'PROLOG_MIGRATE_UNKNOWN',
      'PROLOG_MIGRATE_UNKNOWN_FAILURE',
    ],
  ],
];

const BY_LCM_STATE: ReadonlyMap<State, FunctionState> = new Map(
  LCM_STATES.flatMap(([state, lcmStates]) => lcmStates.map((lcmState) => [lcmState, state] as const)),
);

/** What the state of a VM alone makes of its function. */
export function mappedState(state: State): FunctionState {
  // Outside ACTIVE the LCM state is LCM_INIT, and that counts as PENDING: a VM that is powered off, suspended or done, too.
  return isActive(state) ? (BY_LCM_STATE.get(state) ?? 'UPDATING') : 'PENDING';
}

export function functionState(vm: Vm): FunctionState {
  const state = mappedState(vm.state);
  const awaited = vm.context?.get('REPORT_READY') === 'YES' && vm.userTemplate.get('READY') !== 'YES';
  return state === 'RUNNING' && awaited ? 'PENDING' : state;
}
