/**
 * The life cycle of a virtual machine as tables: the states, what each call does in each state, what each driver step
 * leads to, and what recover does. Mirrors `LifeCycleActions.cc`, `LifeCycleStates.cc` and `VirtualMachine.h` of
 * OpenNebula 6.10. The interpreter is `driver.ts`.
 */

/** State and LCM state numbers, and the short text of the command-line tools. LCM states exist only in state 3, ACTIVE. */
export const STATES = {
  INIT: { state: 0, lcm: 0, short: 'init' },
  PENDING: { state: 1, lcm: 0, short: 'pend' },
  HOLD: { state: 2, lcm: 0, short: 'hold' },
  STOPPED: { state: 4, lcm: 0, short: 'stop' },
  SUSPENDED: { state: 5, lcm: 0, short: 'susp' },
  DONE: { state: 6, lcm: 0, short: 'done' },
  POWEROFF: { state: 8, lcm: 0, short: 'poff' },
  UNDEPLOYED: { state: 9, lcm: 0, short: 'unde' },
  CLONING: { state: 10, lcm: 0, short: 'clon' },
  CLONING_FAILURE: { state: 11, lcm: 0, short: 'fail' },
  PROLOG: { state: 3, lcm: 1, short: 'prol' },
  BOOT: { state: 3, lcm: 2, short: 'boot' },
  RUNNING: { state: 3, lcm: 3, short: 'runn' },
  MIGRATE: { state: 3, lcm: 4, short: 'migr' },
  SAVE_STOP: { state: 3, lcm: 5, short: 'save' },
  SAVE_SUSPEND: { state: 3, lcm: 6, short: 'save' },
  SAVE_MIGRATE: { state: 3, lcm: 7, short: 'save' },
  PROLOG_MIGRATE: { state: 3, lcm: 8, short: 'migr' },
  PROLOG_RESUME: { state: 3, lcm: 9, short: 'prol' },
  EPILOG_STOP: { state: 3, lcm: 10, short: 'epil' },
  EPILOG: { state: 3, lcm: 11, short: 'epil' },
  SHUTDOWN: { state: 3, lcm: 12, short: 'shut' },
  CLEANUP_RESUBMIT: { state: 3, lcm: 15, short: 'clea' },
  UNKNOWN: { state: 3, lcm: 16, short: 'unkn' },
  HOTPLUG: { state: 3, lcm: 17, short: 'hotp' },
  SHUTDOWN_POWEROFF: { state: 3, lcm: 18, short: 'shut' },
  BOOT_UNKNOWN: { state: 3, lcm: 19, short: 'boot' },
  BOOT_POWEROFF: { state: 3, lcm: 20, short: 'boot' },
  BOOT_SUSPENDED: { state: 3, lcm: 21, short: 'boot' },
  BOOT_STOPPED: { state: 3, lcm: 22, short: 'boot' },
  CLEANUP_DELETE: { state: 3, lcm: 23, short: 'clea' },
  HOTPLUG_SNAPSHOT: { state: 3, lcm: 24, short: 'snap' },
  HOTPLUG_NIC: { state: 3, lcm: 25, short: 'hotp' },
  HOTPLUG_SAVEAS: { state: 3, lcm: 26, short: 'hotp' },
  HOTPLUG_SAVEAS_POWEROFF: { state: 3, lcm: 27, short: 'hotp' },
  HOTPLUG_SAVEAS_SUSPENDED: { state: 3, lcm: 28, short: 'hotp' },
  SHUTDOWN_UNDEPLOY: { state: 3, lcm: 29, short: 'shut' },
  EPILOG_UNDEPLOY: { state: 3, lcm: 30, short: 'epil' },
  PROLOG_UNDEPLOY: { state: 3, lcm: 31, short: 'prol' },
  BOOT_UNDEPLOY: { state: 3, lcm: 32, short: 'boot' },
  HOTPLUG_PROLOG_POWEROFF: { state: 3, lcm: 33, short: 'hotp' },
  HOTPLUG_EPILOG_POWEROFF: { state: 3, lcm: 34, short: 'hotp' },
  BOOT_MIGRATE: { state: 3, lcm: 35, short: 'boot' },
  BOOT_FAILURE: { state: 3, lcm: 36, short: 'fail' },
  BOOT_MIGRATE_FAILURE: { state: 3, lcm: 37, short: 'fail' },
  PROLOG_MIGRATE_FAILURE: { state: 3, lcm: 38, short: 'fail' },
  PROLOG_FAILURE: { state: 3, lcm: 39, short: 'fail' },
  EPILOG_FAILURE: { state: 3, lcm: 40, short: 'fail' },
  EPILOG_STOP_FAILURE: { state: 3, lcm: 41, short: 'fail' },
  EPILOG_UNDEPLOY_FAILURE: { state: 3, lcm: 42, short: 'fail' },
  PROLOG_MIGRATE_POWEROFF: { state: 3, lcm: 43, short: 'migr' },
  PROLOG_MIGRATE_POWEROFF_FAILURE: { state: 3, lcm: 44, short: 'fail' },
  PROLOG_MIGRATE_SUSPEND: { state: 3, lcm: 45, short: 'migr' },
  PROLOG_MIGRATE_SUSPEND_FAILURE: { state: 3, lcm: 46, short: 'fail' },
  BOOT_UNDEPLOY_FAILURE: { state: 3, lcm: 47, short: 'fail' },
  BOOT_STOPPED_FAILURE: { state: 3, lcm: 48, short: 'fail' },
  PROLOG_RESUME_FAILURE: { state: 3, lcm: 49, short: 'fail' },
  PROLOG_UNDEPLOY_FAILURE: { state: 3, lcm: 50, short: 'fail' },
  DISK_SNAPSHOT_POWEROFF: { state: 3, lcm: 51, short: 'snap' },
  DISK_SNAPSHOT_REVERT_POWEROFF: { state: 3, lcm: 52, short: 'snap' },
  DISK_SNAPSHOT_DELETE_POWEROFF: { state: 3, lcm: 53, short: 'snap' },
  DISK_SNAPSHOT_SUSPENDED: { state: 3, lcm: 54, short: 'snap' },
  DISK_SNAPSHOT_DELETE_SUSPENDED: { state: 3, lcm: 56, short: 'snap' },
  DISK_SNAPSHOT: { state: 3, lcm: 57, short: 'snap' },
  DISK_SNAPSHOT_DELETE: { state: 3, lcm: 59, short: 'snap' },
  PROLOG_MIGRATE_UNKNOWN: { state: 3, lcm: 60, short: 'migr' },
  PROLOG_MIGRATE_UNKNOWN_FAILURE: { state: 3, lcm: 61, short: 'fail' },
  DISK_RESIZE: { state: 3, lcm: 62, short: 'drsz' },
  DISK_RESIZE_POWEROFF: { state: 3, lcm: 63, short: 'drsz' },
  DISK_RESIZE_UNDEPLOYED: { state: 3, lcm: 64, short: 'drsz' },
  HOTPLUG_NIC_POWEROFF: { state: 3, lcm: 65, short: 'hotp' },
  HOTPLUG_RESIZE: { state: 3, lcm: 66, short: 'hotp' },
  HOTPLUG_SAVEAS_UNDEPLOYED: { state: 3, lcm: 67, short: 'hotp' },
  HOTPLUG_SAVEAS_STOPPED: { state: 3, lcm: 68, short: 'hotp' },
  BACKUP: { state: 3, lcm: 69, short: 'back' },
  BACKUP_POWEROFF: { state: 3, lcm: 70, short: 'back' },
  RESTORE: { state: 3, lcm: 71, short: 'rest' },
} as const satisfies Record<string, { state: number; lcm: number; short: string }>;

export type State = keyof typeof STATES;

/** What the drivers of a host do to a VM: each takes time, and may fail. */
export type DriverAction =
  | 'prolog'
  | 'deploy'
  | 'save'
  | 'restore'
  | 'shutdown'
  | 'epilog'
  | 'migrate'
  | 'cleanup'
  | 'resize'
  | 'diskResize'
  | 'attachDisk'
  | 'attachNic'
  | 'snapshot'
  | 'diskSnapshot'
  | 'saveAs'
  | 'backup';

export interface Step {
  readonly action: DriverAction;
  /** The state it leads to when the driver succeeds. */
  readonly ok: State;
  readonly fail: State;
  /** Where a migration that was asked to power off goes instead of `ok`. */
  readonly okPoweroff?: State;
  /** Whether recover with retry sends the step to the driver again; otherwise it does nothing. */
  readonly retries?: true;
  /** How many times the driver acts, one after the other, if not once: disks first, then the system directory. */
  readonly acts?: 2;
  /** A failing migration step leaves the VM on the host it came from, which until then keeps the VM's place. */
  readonly failsTo?: 'previous host';
}

/** States in which a driver is at work. */
export const STEPS = {
  PROLOG: { action: 'prolog', ok: 'BOOT', fail: 'PROLOG_FAILURE', retries: true },
  PROLOG_RESUME: { action: 'prolog', acts: 2, ok: 'BOOT_STOPPED', fail: 'PROLOG_RESUME_FAILURE', retries: true },
  PROLOG_UNDEPLOY: { action: 'prolog', acts: 2, ok: 'BOOT_UNDEPLOY', fail: 'PROLOG_UNDEPLOY_FAILURE', retries: true },
  BOOT: { action: 'deploy', ok: 'RUNNING', fail: 'BOOT_FAILURE', retries: true },
  BOOT_UNKNOWN: { action: 'deploy', ok: 'RUNNING', fail: 'UNKNOWN', retries: true },
  BOOT_POWEROFF: { action: 'deploy', ok: 'RUNNING', fail: 'POWEROFF', retries: true },
  BOOT_SUSPENDED: { action: 'restore', ok: 'RUNNING', fail: 'SUSPENDED', retries: true },
  BOOT_STOPPED: { action: 'restore', ok: 'RUNNING', fail: 'BOOT_STOPPED_FAILURE', retries: true },
  BOOT_UNDEPLOY: { action: 'deploy', ok: 'RUNNING', fail: 'BOOT_UNDEPLOY_FAILURE', retries: true },
  BOOT_MIGRATE: { action: 'restore', ok: 'RUNNING', fail: 'BOOT_MIGRATE_FAILURE', retries: true },
  MIGRATE: { action: 'migrate', ok: 'RUNNING', fail: 'RUNNING', failsTo: 'previous host', retries: true },
  SAVE_MIGRATE: {
    action: 'save',
    ok: 'PROLOG_MIGRATE',
    fail: 'RUNNING',
    failsTo: 'previous host',
    retries: true,
  },
  PROLOG_MIGRATE: {
    action: 'prolog',
    ok: 'BOOT_MIGRATE',
    okPoweroff: 'BOOT',
    fail: 'PROLOG_MIGRATE_FAILURE',
    retries: true,
  },
  PROLOG_MIGRATE_POWEROFF: {
    action: 'prolog',
    ok: 'POWEROFF',
    fail: 'PROLOG_MIGRATE_POWEROFF_FAILURE',
    retries: true,
  },
  PROLOG_MIGRATE_SUSPEND: {
    action: 'prolog',
    ok: 'SUSPENDED',
    fail: 'PROLOG_MIGRATE_SUSPEND_FAILURE',
    retries: true,
  },
  PROLOG_MIGRATE_UNKNOWN: { action: 'prolog', ok: 'BOOT', fail: 'PROLOG_MIGRATE_UNKNOWN_FAILURE', retries: true },
  SAVE_SUSPEND: { action: 'save', ok: 'SUSPENDED', fail: 'RUNNING', retries: true },
  SAVE_STOP: { action: 'save', ok: 'EPILOG_STOP', fail: 'RUNNING', retries: true },
  SHUTDOWN: { action: 'shutdown', ok: 'EPILOG', fail: 'RUNNING', retries: true },
  SHUTDOWN_POWEROFF: { action: 'shutdown', ok: 'POWEROFF', fail: 'RUNNING', retries: true },
  SHUTDOWN_UNDEPLOY: { action: 'shutdown', ok: 'EPILOG_UNDEPLOY', fail: 'RUNNING', retries: true },
  EPILOG: { action: 'epilog', acts: 2, ok: 'DONE', fail: 'EPILOG_FAILURE', retries: true },
  EPILOG_STOP: { action: 'epilog', acts: 2, ok: 'STOPPED', fail: 'EPILOG_STOP_FAILURE', retries: true },
  EPILOG_UNDEPLOY: { action: 'epilog', acts: 2, ok: 'UNDEPLOYED', fail: 'EPILOG_UNDEPLOY_FAILURE', retries: true },
  CLEANUP_RESUBMIT: { action: 'cleanup', ok: 'PENDING', fail: 'PENDING' },
  HOTPLUG: { action: 'attachDisk', ok: 'RUNNING', fail: 'RUNNING' },
  HOTPLUG_PROLOG_POWEROFF: { action: 'attachDisk', ok: 'POWEROFF', fail: 'POWEROFF' },
  HOTPLUG_EPILOG_POWEROFF: { action: 'attachDisk', ok: 'POWEROFF', fail: 'POWEROFF' },
  HOTPLUG_NIC: { action: 'attachNic', ok: 'RUNNING', fail: 'RUNNING' },
  HOTPLUG_NIC_POWEROFF: { action: 'attachNic', ok: 'POWEROFF', fail: 'POWEROFF' },
  HOTPLUG_RESIZE: { action: 'resize', ok: 'RUNNING', fail: 'RUNNING' },
  HOTPLUG_SNAPSHOT: { action: 'snapshot', ok: 'RUNNING', fail: 'RUNNING' },
  HOTPLUG_SAVEAS: { action: 'saveAs', ok: 'RUNNING', fail: 'RUNNING' },
  HOTPLUG_SAVEAS_POWEROFF: { action: 'saveAs', ok: 'POWEROFF', fail: 'POWEROFF' },
  HOTPLUG_SAVEAS_SUSPENDED: { action: 'saveAs', ok: 'SUSPENDED', fail: 'SUSPENDED' },
  HOTPLUG_SAVEAS_UNDEPLOYED: { action: 'saveAs', ok: 'UNDEPLOYED', fail: 'UNDEPLOYED' },
  HOTPLUG_SAVEAS_STOPPED: { action: 'saveAs', ok: 'STOPPED', fail: 'STOPPED' },
  DISK_RESIZE: { action: 'diskResize', ok: 'RUNNING', fail: 'RUNNING' },
  DISK_RESIZE_POWEROFF: { action: 'diskResize', ok: 'POWEROFF', fail: 'POWEROFF' },
  DISK_RESIZE_UNDEPLOYED: { action: 'diskResize', ok: 'UNDEPLOYED', fail: 'UNDEPLOYED' },
  DISK_SNAPSHOT: { action: 'diskSnapshot', ok: 'RUNNING', fail: 'RUNNING' },
  DISK_SNAPSHOT_POWEROFF: { action: 'diskSnapshot', ok: 'POWEROFF', fail: 'POWEROFF' },
  DISK_SNAPSHOT_SUSPENDED: { action: 'diskSnapshot', ok: 'SUSPENDED', fail: 'SUSPENDED' },
  DISK_SNAPSHOT_DELETE: { action: 'diskSnapshot', ok: 'RUNNING', fail: 'RUNNING' },
  DISK_SNAPSHOT_DELETE_POWEROFF: { action: 'diskSnapshot', ok: 'POWEROFF', fail: 'POWEROFF' },
  DISK_SNAPSHOT_DELETE_SUSPENDED: { action: 'diskSnapshot', ok: 'SUSPENDED', fail: 'SUSPENDED' },
  DISK_SNAPSHOT_REVERT_POWEROFF: { action: 'diskSnapshot', ok: 'POWEROFF', fail: 'POWEROFF' },
  BACKUP: { action: 'backup', ok: 'RUNNING', fail: 'RUNNING' },
  BACKUP_POWEROFF: { action: 'backup', ok: 'POWEROFF', fail: 'POWEROFF' },
  RESTORE: { action: 'backup', ok: 'POWEROFF', fail: 'POWEROFF' },
} as const satisfies Partial<Record<State, Step>>;

export interface Failure {
  /**
   * The step that failed: recover with retry does it once more, recover with success goes on to where it would have
   * led.
   */
  readonly retry: keyof typeof STEPS;
  /** Whether recover with success shows the step's state on the way. */
  readonly shows?: true;
  /** Where recover with failure goes on from, as if the step had succeeded there; without it the VM stays where it is. */
  readonly failsTo?: 'previous host';
}

/** States in which a driver has failed and someone has to decide. */
export const FAILURES = {
  PROLOG_FAILURE: { retry: 'PROLOG' },
  PROLOG_RESUME_FAILURE: { retry: 'PROLOG_RESUME' },
  PROLOG_UNDEPLOY_FAILURE: { retry: 'PROLOG_UNDEPLOY' },
  PROLOG_MIGRATE_FAILURE: { retry: 'PROLOG_MIGRATE', failsTo: 'previous host' },
  PROLOG_MIGRATE_POWEROFF_FAILURE: { retry: 'PROLOG_MIGRATE_POWEROFF', failsTo: 'previous host' },
  PROLOG_MIGRATE_SUSPEND_FAILURE: { retry: 'PROLOG_MIGRATE_SUSPEND', failsTo: 'previous host' },
  PROLOG_MIGRATE_UNKNOWN_FAILURE: { retry: 'PROLOG_MIGRATE_UNKNOWN', failsTo: 'previous host' },
  BOOT_FAILURE: { retry: 'BOOT' },
  BOOT_MIGRATE_FAILURE: { retry: 'BOOT_MIGRATE' },
  BOOT_STOPPED_FAILURE: { retry: 'BOOT_STOPPED' },
  BOOT_UNDEPLOY_FAILURE: { retry: 'BOOT_UNDEPLOY' },
  EPILOG_FAILURE: { retry: 'EPILOG', shows: true },
  EPILOG_STOP_FAILURE: { retry: 'EPILOG_STOP', shows: true },
  EPILOG_UNDEPLOY_FAILURE: { retry: 'EPILOG_UNDEPLOY', shows: true },
} as const satisfies Partial<Record<State, Failure>>;

/** `from → to` of a call. `same` leaves the state as it is. */
type Edges = { readonly [from in State]?: State | 'same' };

const everyFailure = Object.fromEntries(Object.keys(FAILURES).map((state) => [state, 'CLEANUP_DELETE'])) as Edges;

const terminate: Edges = {
  RUNNING: 'SHUTDOWN',
  UNKNOWN: 'SHUTDOWN',
  SUSPENDED: 'EPILOG',
  POWEROFF: 'EPILOG',
  STOPPED: 'EPILOG',
  UNDEPLOYED: 'EPILOG',
  INIT: 'DONE',
  PENDING: 'DONE',
  HOLD: 'DONE',
  CLONING: 'DONE',
  CLONING_FAILURE: 'DONE',
  DONE: 'same',
  ...everyFailure,
};
const undeploy: Edges = { RUNNING: 'SHUTDOWN_UNDEPLOY', UNKNOWN: 'SHUTDOWN_UNDEPLOY', POWEROFF: 'EPILOG_UNDEPLOY' };
const poweroff: Edges = { RUNNING: 'SHUTDOWN_POWEROFF', UNKNOWN: 'SHUTDOWN_POWEROFF' };
const reboot: Edges = { RUNNING: 'same' };
const resched: Edges = { RUNNING: 'same', UNKNOWN: 'same', POWEROFF: 'same' };

/** The actions of `one.vm.action`: from which state to which. Anything else is refused. */
export const ACTIONS = {
  terminate,
  'terminate-hard': { ...terminate, SHUTDOWN: 'SHUTDOWN' },
  undeploy,
  'undeploy-hard': { ...undeploy, SHUTDOWN_UNDEPLOY: 'SHUTDOWN_UNDEPLOY' },
  poweroff,
  'poweroff-hard': { ...poweroff, SHUTDOWN_POWEROFF: 'SHUTDOWN_POWEROFF' },
  hold: { PENDING: 'HOLD' },
  release: { HOLD: 'PENDING' },
  stop: { RUNNING: 'SAVE_STOP', SUSPENDED: 'EPILOG_STOP' },
  suspend: { RUNNING: 'SAVE_SUSPEND' },
  resume: {
    SUSPENDED: 'BOOT_SUSPENDED',
    POWEROFF: 'BOOT_POWEROFF',
    UNKNOWN: 'BOOT_UNKNOWN',
    STOPPED: 'PENDING',
    UNDEPLOYED: 'PENDING',
  },
  reboot,
  'reboot-hard': reboot,
  resched,
  unresched: resched,
} as const satisfies Record<string, Edges>;

export type Action = keyof typeof ACTIONS;

export const VM_ACTIONS = Object.keys(ACTIONS) as readonly Action[];

/** The operations with a method of their own, in the same form. */
export const OPERATIONS = {
  deploy: { PENDING: 'PROLOG', HOLD: 'PROLOG', STOPPED: 'PROLOG_RESUME', UNDEPLOYED: 'PROLOG_UNDEPLOY' },
  migrate: {
    RUNNING: 'SAVE_MIGRATE',
    POWEROFF: 'PROLOG_MIGRATE_POWEROFF',
    SUSPENDED: 'PROLOG_MIGRATE_SUSPEND',
    UNKNOWN: 'PROLOG_MIGRATE_UNKNOWN',
  },
  'live-migrate': { RUNNING: 'MIGRATE' },
  resize: {
    RUNNING: 'HOTPLUG_RESIZE',
    POWEROFF: 'same',
    UNDEPLOYED: 'same',
    PENDING: 'same',
    HOLD: 'same',
    INIT: 'same',
    CLONING: 'same',
    CLONING_FAILURE: 'same',
  },
  'disk-resize': { RUNNING: 'DISK_RESIZE', POWEROFF: 'DISK_RESIZE_POWEROFF', UNDEPLOYED: 'DISK_RESIZE_UNDEPLOYED' },
  'disk-attach': { RUNNING: 'HOTPLUG', POWEROFF: 'HOTPLUG_PROLOG_POWEROFF' },
  'disk-detach': { RUNNING: 'HOTPLUG', POWEROFF: 'HOTPLUG_EPILOG_POWEROFF' },
  'nic-attach': { RUNNING: 'HOTPLUG_NIC', POWEROFF: 'HOTPLUG_NIC_POWEROFF' },
  'nic-detach': { RUNNING: 'HOTPLUG_NIC', POWEROFF: 'HOTPLUG_NIC_POWEROFF' },
  'snapshot-create': { RUNNING: 'HOTPLUG_SNAPSHOT' },
  'snapshot-revert': { RUNNING: 'HOTPLUG_SNAPSHOT' },
  'snapshot-delete': { RUNNING: 'HOTPLUG_SNAPSHOT' },
  'disk-snapshot-create': {
    RUNNING: 'DISK_SNAPSHOT',
    POWEROFF: 'DISK_SNAPSHOT_POWEROFF',
    SUSPENDED: 'DISK_SNAPSHOT_SUSPENDED',
  },
  'disk-snapshot-delete': {
    RUNNING: 'DISK_SNAPSHOT_DELETE',
    POWEROFF: 'DISK_SNAPSHOT_DELETE_POWEROFF',
    SUSPENDED: 'DISK_SNAPSHOT_DELETE_SUSPENDED',
  },
  'disk-snapshot-revert': { POWEROFF: 'DISK_SNAPSHOT_REVERT_POWEROFF' },
  'disk-saveas': {
    RUNNING: 'HOTPLUG_SAVEAS',
    POWEROFF: 'HOTPLUG_SAVEAS_POWEROFF',
    SUSPENDED: 'HOTPLUG_SAVEAS_SUSPENDED',
    UNDEPLOYED: 'HOTPLUG_SAVEAS_UNDEPLOYED',
    STOPPED: 'HOTPLUG_SAVEAS_STOPPED',
  },
  updateconf: { RUNNING: 'HOTPLUG' },
  backup: { RUNNING: 'BACKUP', POWEROFF: 'BACKUP_POWEROFF' },
  restore: { POWEROFF: 'RESTORE' },
} as const satisfies Record<string, Edges>;

export type Operation = keyof typeof OPERATIONS;

/** Where an action leads from a state; `undefined` when it is refused there. */
export const edge = (edges: Edges, from: State): State | 'same' | undefined => edges[from];

/** The step in progress in a state, if a driver is at work in it. */
export const stepOf = (state: State): Step | undefined => (STEPS as Partial<Record<State, Step>>)[state];

export const failureOf = (state: State): Failure | undefined => (FAILURES as Partial<Record<State, Failure>>)[state];

/** Whether oned counts the state as ACTIVE, that is, whether it is an LCM state. */
export const isActive = (state: State): boolean => STATES[state].state === 3;

/** States in which the guest's operating system runs, and so reports. */
export const GUEST_STATES: ReadonlySet<State> = new Set<State>([
  'RUNNING',
  'MIGRATE',
  'SHUTDOWN',
  'SHUTDOWN_POWEROFF',
  'SHUTDOWN_UNDEPLOY',
  'HOTPLUG',
  'HOTPLUG_NIC',
  'HOTPLUG_RESIZE',
  'HOTPLUG_SAVEAS',
  'HOTPLUG_SNAPSHOT',
  'DISK_RESIZE',
  'DISK_SNAPSHOT',
  'DISK_SNAPSHOT_DELETE',
  'BACKUP',
]);

/** States in which no host holds capacity for the VM. */
export const HOSTLESS_STATES: ReadonlySet<State> = new Set<State>(['PENDING', 'STOPPED', 'UNDEPLOYED', 'DONE']);

/** States in which nothing is under way: whatever the driver was busy with is over. */
export const SETTLED_STATES: ReadonlySet<State> = new Set<State>([
  ...HOSTLESS_STATES,
  'RUNNING',
  'POWEROFF',
  'SUSPENDED',
]);

/** Numbers of the calls as history records them (`HistoryRecord::VMAction`). */
export const ACTION_NUMBERS = {
  migrate: 1,
  'live-migrate': 2,
  undeploy: 5,
  'undeploy-hard': 6,
  hold: 7,
  release: 8,
  stop: 9,
  suspend: 10,
  resume: 11,
  delete: 13,
  'delete-recreate': 14,
  reboot: 15,
  'reboot-hard': 16,
  resched: 17,
  unresched: 18,
  poweroff: 19,
  'poweroff-hard': 20,
  'disk-attach': 21,
  'disk-detach': 22,
  'nic-attach': 23,
  'nic-detach': 24,
  'disk-snapshot-create': 25,
  'disk-snapshot-delete': 26,
  terminate: 27,
  'terminate-hard': 28,
  'disk-resize': 29,
  deploy: 30,
  updateconf: 33,
  resize: 35,
  'snapshot-create': 37,
  'snapshot-delete': 38,
  'snapshot-revert': 39,
  'disk-saveas': 40,
  'disk-snapshot-revert': 41,
  recover: 42,
  monitor: 44,
  'alias-attach': 46,
  'alias-detach': 47,
  'poweroff-migrate': 48,
  'poweroff-hard-migrate': 49,
  backup: 50,
  'nic-update': 51,
  restore: 60,
} as const;

export type HistoryAction = keyof typeof ACTION_NUMBERS;
