/**
 * Performs what VMs have on their agenda, with the rights of oneadmin, as its time comes. Mirrors
 * `ScheduledActionManager.cc` and `RequestManagerSchedAction.cc` of OpenNebula 6.10.
 */
import type { Timer } from '../../kernel/queue.ts';
import type { Caller } from '../access/user.ts';
import type { Cloud } from '../cloud.ts';
import { ctime } from '../ctime.ts';
import { type ErrorCode, OneError } from '../error.ts';
import { parseTemplate } from '../parse.ts';
import type { Vector } from '../syntax/syntax.ts';
import { vmAction } from './action.ts';
import { vmBackup } from './backup.ts';
import { managed } from './hotplug.ts';
import { isWaiting, pass, planOf, type ScheduledAction } from './scheduled-action.ts';
import {
  vmDiskSnapshotCreate,
  vmDiskSnapshotDelete,
  vmDiskSnapshotRevert,
  vmSnapshotCreate,
  vmSnapshotDelete,
  vmSnapshotRevert,
} from './snapshot.ts';
import type { Vm } from './vm.ts';

/** What an action does with ARGS. */
interface Performed {
  /** What ARGS have to be, and how many of them at least if not all. */
  readonly format: string;
  readonly least?: number;
  /** Where in ARGS numbers stand. */
  readonly numbers: readonly number[];
  readonly perform: (cloud: Cloud, vm: number, args: readonly string[]) => unknown;
}

const PERFORMED: Readonly<Record<string, Performed>> = {
  backup: {
    format: 'datastore-id, reset',
    least: 1,
    numbers: [0],
    perform: (cloud, vm, [datastore, reset]) => vmBackup(cloud, cloud.root, vm, Number(datastore), reset === '1'),
  },
  'snapshot-create': {
    format: 'snapshot-name',
    numbers: [],
    perform: (cloud, vm, [name = '']) => vmSnapshotCreate(cloud, cloud.root, vm, name),
  },
  'snapshot-revert': {
    format: 'snapshot-id',
    numbers: [0],
    perform: (cloud, vm, [id]) => vmSnapshotRevert(cloud, cloud.root, vm, Number(id)),
  },
  'snapshot-delete': {
    format: 'snapshot-id',
    numbers: [0],
    perform: (cloud, vm, [id]) => vmSnapshotDelete(cloud, cloud.root, vm, Number(id)),
  },
  'disk-snapshot-create': {
    format: 'disk-id, snapshot-name',
    numbers: [0],
    perform: (cloud, vm, [disk, name = '']) => vmDiskSnapshotCreate(cloud, cloud.root, vm, Number(disk), name),
  },
  'disk-snapshot-revert': {
    format: 'disk-id, snapshot-id',
    numbers: [0, 1],
    perform: (cloud, vm, [disk, id]) => vmDiskSnapshotRevert(cloud, cloud.root, vm, Number(disk), Number(id)),
  },
  'disk-snapshot-delete': {
    format: 'disk-id, snapshot-id',
    numbers: [0, 1],
    perform: (cloud, vm, [disk, id]) => vmDiskSnapshotDelete(cloud, cloud.root, vm, Number(disk), Number(id)),
  },
};

/** oned's MANAGER_TIMER: how long until it looks again at what it could not do. */
const ROUND_MS = 15_000;

/** The end of the year 9999: nobody waits longer. */
const LAST_SECOND = 253_402_300_799;

export class Agenda {
  readonly #cloud: Cloud;
  readonly #schedule: (delayMs: number, vm: number) => Timer;
  /** When each VM is looked at next. */
  #timers = new Map<number, Timer>();
  #next = 0;

  constructor(cloud: Cloud) {
    this.#cloud = cloud;
    this.#schedule = cloud.clock.channel<number>('vm.scheduled', (id) => {
      this.#timers.delete(id);
      this.#round(cloud.vms.get(id));
    });
  }

  state(): { readonly timers: Map<number, Timer>; readonly next: number } {
    return { timers: this.#timers, next: this.#next };
  }

  restore({ timers, next }: ReturnType<Agenda['state']>): void {
    this.#timers = timers;
    this.#next = next;
  }

  /** Puts something on a VM's agenda. Returns its id. */
  add(vm: Vm, plan: ReturnType<typeof planOf>): number {
    const planned: ScheduledAction = { id: this.#next++, ...plan, done: -1, message: '' };
    vm.scheduled.push(planned);
    this.look(vm);
    return planned.id;
  }

  /** A VM's agenda has changed. */
  look(vm: Vm, earliestMs = this.#cloud.clock.now): void {
    this.stop(vm);
    const time = Math.min(...vm.scheduled.filter(isWaiting).map((planned) => planned.time));
    if (time > LAST_SECOND) return;
    const delayMs = Math.max(time * 1000, earliestMs) - this.#cloud.clock.now;
    this.#timers.set(vm.id, this.#schedule(delayMs, vm.id));
  }

  /** Nothing on a VM's agenda will be done, unless it changes. */
  stop({ id }: Vm): void {
    const timer = this.#timers.get(id);
    if (timer !== undefined) this.#cloud.clock.cancel(timer);
    this.#timers.delete(id);
  }

  /** Does what has been due for longest. As in oned, one thing a round: what is refused holds up all that comes later. */
  #round(vm: Vm): void {
    const { clock, seconds } = this.#cloud;
    const isDue = (planned: ScheduledAction): boolean => isWaiting(planned) && planned.time <= seconds;
    const [planned] = vm.scheduled.filter(isDue).sort((a, b) => a.time - b.time || a.id - b.id);
    if (planned !== undefined) this.#perform(vm, planned);
    if (vm.state !== 'DONE') this.look(vm, vm.scheduled.some(isDue) ? clock.now + ROUND_MS : clock.now);
  }

  #perform(vm: Vm, planned: ScheduledAction): void {
    const cloud = this.#cloud;
    try {
      perform(cloud, vm.id, planned);
      pass(planned, cloud.seconds);
    } catch (error) {
      if (!(error instanceof OneError)) throw error;
      planned.message = `${ctime(cloud.seconds)} : ${error.message}`;
    }
  }
}

/** @throws OneError with what the action's owner is told */
function perform(cloud: Cloud, vm: number, { action, args }: ScheduledAction): void {
  const performed = PERFORMED[action];
  // What stands behind the last comma counts only when there is something.
  const given = args.split(',');
  if (given.at(-1) === '') given.pop();
  if (performed !== undefined) {
    const { format, numbers, least: wanted = format.split(',').length } = performed;
    if (given.length < wanted || numbers.some((i) => !/^\s*[-+]?\d+$/.test(given[i] ?? ''))) {
      throw new OneError('ACTION', `Missing or malformed ARGS for: ${action}. Format: ${format}`);
    }
  }
  try {
    if (performed === undefined) vmAction(cloud, cloud.root, action, vm);
    else performed.perform(cloud, vm, given);
  } catch (error) {
    if (error instanceof OneError) throw new OneError(error.code, `[${action}] ${error.message}`);
    throw error;
  }
}

// ---- operations ---------------------------------------------------------------------------------------------------

/** @param code what the method says when there is none */
function parse(text: string, code: ErrorCode): Vector {
  const wanted = parseTemplate(text, 'INTERNAL').vector('SCHED_ACTION');
  if (wanted === undefined) throw new OneError(code, 'No SCHED_ACTION attribute in template');
  return wanted;
}

/** Each returns the scheduled action's id. */
function schedAdd(cloud: Cloud, caller: Caller, vmId: number, text: string): number {
  const vm = managed(cloud, caller, vmId);
  if (vm.state === 'DONE') {
    const why = `Unable to create Scheduled Action for Virtual Machine ${vmId}, it's in DONE state`;
    throw new OneError('INTERNAL', why, vmId);
  }
  return cloud.agenda.add(vm, planOf(parse(text, 'ACTION'), vm.stime, 'ACTION'));
}

function schedUpdate(cloud: Cloud, caller: Caller, vmId: number, id: number, text: string): number {
  const vm = managed(cloud, caller, vmId);
  const wanted = parse(text, 'INTERNAL');
  const planned = vm.scheduled.find((candidate) => candidate.id === id);
  if (planned === undefined) throw new OneError('INTERNAL', `SCHED_ACTION with id = ${id} doesn't exist`);
  if (vm.state === 'DONE') {
    throw new OneError('INTERNAL', `Unable to get Scheduled Action id = ${id}. It doesn't exist or is malformed.`);
  }
  Object.assign(planned, planOf(wanted, vm.stime, 'INTERNAL', planned));
  cloud.agenda.look(vm);
  return id;
}

function schedDelete(cloud: Cloud, caller: Caller, vmId: number, id: number): number {
  const vm = managed(cloud, caller, vmId);
  const others = vm.scheduled.filter((planned) => planned.id !== id);
  const isThere = others.length < vm.scheduled.length && vm.state !== 'DONE';
  vm.scheduled = others;
  if (!isThere) throw new OneError('NO_EXISTS', `Error getting scheduled action [${id}].`, id);
  cloud.agenda.look(vm);
  return id;
}

export const AGENDA_OPERATIONS = {
  'one.vm.schedadd': schedAdd,
  'one.vm.schedupdate': schedUpdate,
  'one.vm.scheddelete': schedDelete,
} as const;
