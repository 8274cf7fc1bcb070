/** Actions that a VM is to undergo at a given time. Mirrors `ScheduledAction.cc` of OpenNebula 6.10, for actions that happen once. */
import type { Clock } from '../../kernel/clock.ts';
import type { Timer } from '../../kernel/queue.ts';
import type { Caller } from '../access/user.ts';
import type { Cloud } from '../cloud.ts';
import { OneError } from '../error.ts';
import { parseTemplate } from '../parse.ts';
import type { Vector } from '../syntax/syntax.ts';
import { vmAction } from './action.ts';
import { managed } from './hotplug.ts';
import { ACTIONS } from './lifecycle.ts';
import {
  vmDiskSnapshotCreate,
  vmDiskSnapshotDelete,
  vmDiskSnapshotRevert,
  vmSnapshotCreate,
  vmSnapshotDelete,
  vmSnapshotRevert,
} from './snapshot.ts';
import type { Vm } from './vm.ts';

export interface ScheduledAction {
  readonly id: number;
  action: string;
  args: string;
  /** Seconds since the Unix epoch. */
  time: number;
  /** When it was done, in seconds; -1 while it waits. */
  done: number;
  message: string;
}

interface Due {
  readonly vm: number;
  readonly id: number;
}

type Perform = (cloud: Cloud, caller: Caller, vm: number, args: readonly string[]) => void;

/** What each action needs of ARGS, a list with commas. */
const PERFORM: Readonly<Record<string, Perform>> = {
  ...Object.fromEntries(
    Object.keys(ACTIONS).map((name): [string, Perform] => [
      name,
      (cloud, caller, vm) => vmAction(cloud, caller, name, vm),
    ]),
  ),
  'snapshot-create': (cloud, caller, vm, [name = '']) => vmSnapshotCreate(cloud, caller, vm, name),
  'snapshot-revert': (cloud, caller, vm, [id]) => vmSnapshotRevert(cloud, caller, vm, Number(id)),
  'snapshot-delete': (cloud, caller, vm, [id]) => vmSnapshotDelete(cloud, caller, vm, Number(id)),
  'disk-snapshot-create': (cloud, caller, vm, [disk, name = '']) =>
    vmDiskSnapshotCreate(cloud, caller, vm, Number(disk), name),
  'disk-snapshot-revert': (cloud, caller, vm, [disk, id]) =>
    vmDiskSnapshotRevert(cloud, caller, vm, Number(disk), Number(id)),
  'disk-snapshot-delete': (cloud, caller, vm, [disk, id]) =>
    vmDiskSnapshotDelete(cloud, caller, vm, Number(disk), Number(id)),
};

/** The end of the year 9999: nobody waits longer. */
const LAST_SECOND = 253_402_300_799;

/** Performs scheduled actions when their time has come, with the rights of oneadmin, as oned's scheduler does. */
export class Agenda {
  readonly #clock: Clock;
  readonly #schedule: (delayMs: number, due: Due) => Timer;
  /** What is waited for, by the id of the action. */
  readonly #timers = new Map<number, Timer>();
  #next = 0;

  constructor(cloud: Cloud) {
    this.#clock = cloud.clock;
    this.#schedule = cloud.clock.channel<Due>('vm.scheduled', ({ vm: vmId, id }) => {
      this.#timers.delete(id);
      const vm = cloud.vms.find(vmId);
      const planned = vm?.scheduled.find((candidate) => candidate.id === id);
      if (vm === undefined || vm.state === 'DONE' || planned === undefined) return;
      planned.done = cloud.seconds;
      try {
        const perform = PERFORM[planned.action];
        if (perform === undefined) throw new OneError('ACTION', `Action "${planned.action}" is not supported`);
        perform(cloud, cloud.root, vmId, planned.args.split(','));
      } catch (error) {
        if (!(error instanceof OneError)) throw error;
        planned.message = error.message;
      }
    });
  }

  add(vm: Vm, wanted: Vector): number {
    const planned: ScheduledAction = { id: this.#next++, action: '', args: '', time: 0, done: -1, message: '' };
    vm.scheduled.push(planned);
    this.set(vm, planned, wanted);
    return planned.id;
  }

  /** Changes an action to what a SCHED_ACTION says, and waits for its time. A TIME of `+n` counts from the VM's start. */
  set(vm: Vm, planned: ScheduledAction, wanted: Vector): void {
    const time = wanted.get('TIME') ?? '';
    planned.action = wanted.get('ACTION') ?? planned.action;
    planned.args = wanted.get('ARGS') ?? planned.args;
    if (/^\+?\d+$/.test(time)) planned.time = time.startsWith('+') ? vm.stime + Number(time) : Number(time);
    planned.done = -1;
    this.cancel(planned);
    if (planned.time > LAST_SECOND) return;
    const timer = this.#schedule(planned.time * 1000 - this.#clock.now, { vm: vm.id, id: planned.id });
    this.#timers.set(planned.id, timer);
  }

  cancel({ id }: ScheduledAction): void {
    const timer = this.#timers.get(id);
    if (timer !== undefined) this.#clock.cancel(timer);
    this.#timers.delete(id);
  }
}

function parse(text: string): Vector {
  const wanted = parseTemplate(text, 'INTERNAL').vector('SCHED_ACTION');
  if (wanted === undefined) throw new OneError('ACTION', 'No SCHED_ACTION attribute in template');
  return wanted;
}

function requirePlanned(vm: Vm, id: number): ScheduledAction {
  const planned = vm.scheduled.find((candidate) => candidate.id === id);
  if (planned === undefined) throw new OneError('ACTION', `Sched action ${id} doesn't exist`);
  return planned;
}

/** Each returns the scheduled action's id. */
function schedAdd(cloud: Cloud, caller: Caller, vmId: number, text: string): number {
  const wanted = parse(text);
  return cloud.agenda.add(managed(cloud, caller, vmId), wanted);
}

function schedUpdate(cloud: Cloud, caller: Caller, vmId: number, id: number, text: string): number {
  const wanted = parse(text);
  const vm = managed(cloud, caller, vmId);
  cloud.agenda.set(vm, requirePlanned(vm, id), wanted);
  return id;
}

function schedDelete(cloud: Cloud, caller: Caller, vmId: number, id: number): number {
  const vm = managed(cloud, caller, vmId);
  const planned = requirePlanned(vm, id);
  cloud.agenda.cancel(planned);
  vm.scheduled = vm.scheduled.filter((other) => other !== planned);
  return id;
}

export const SCHEDULED_ACTION_OPERATIONS = {
  'one.vm.schedadd': schedAdd,
  'one.vm.schedupdate': schedUpdate,
  'one.vm.scheddelete': schedDelete,
} as const;
