/**
 * What moves VMs through the tables of `lifecycle.ts`: it starts a driver action on entering a step, ends it on the
 * clock, and keeps what goes with a state (host capacity, history, leases, spans). Mirrors `LifeCycleManager.cc` and
 * the dummy drivers of OpenNebula 6.10.
 */
import { type Distribution, type Stream, sample } from '../../kernel/random.ts';
import type { Cloud } from '../cloud.ts';
import { ctime } from '../ctime.ts';
import type { Host } from '../resources/host.ts';
import { releaseDisks } from './disk.ts';
import { releasePort } from './graphics-port.ts';
import {
  type DriverAction,
  failureOf,
  GUEST_STATES,
  HOSTLESS_STATES,
  SETTLED_STATES,
  STEPS,
  type State,
  type Step,
  stepOf,
} from './lifecycle.ts';
import { releaseNics } from './nic.ts';
import { currentPlacement, hostOf, leaveHost, leavePreviousHost, moveBack, place } from './placement.ts';
import { bootsFrom, closeSpan, hasGuest, openSpan, reshape } from './span.ts';
import type { Vm, Work } from './vm.ts';
import { settleWork } from './work.ts';

type Draws = Readonly<Record<DriverAction, { readonly draw: Stream; readonly duration: Distribution }>>;

interface DriverEvent {
  readonly vm: number;
  readonly ok: boolean;
  readonly message: string;
}

export class Driver {
  readonly #cloud: Cloud;
  readonly #schedule: (delayMs: number, event: DriverEvent) => NonNullable<Vm['timer']>;
  readonly #draws: Draws;
  /** VMs in DONE, oldest first: what is forgotten when there are too many. */
  readonly #done: number[] = [];

  constructor(cloud: Cloud) {
    this.#cloud = cloud;
    this.#schedule = cloud.clock.channel<DriverEvent>('vm.driver', ({ vm: id, ok, message }) => {
      const vm = cloud.vms.get(id);
      vm.timer = null;
      this.finish(vm, ok, message);
    });
    const { actions } = cloud.config.timing;
    this.#draws = Object.fromEntries(
      Object.entries(actions).map(([action, duration]) => [
        action,
        { draw: cloud.random.stream(`vm.${action}`), duration },
      ]),
    ) as Draws;
  }

  /** Puts a VM into a state, with all that goes with it, and starts the state's driver action if it has one. */
  enter(vm: Vm, state: State): void {
    this.#enter(vm, state, true);
  }

  /** Through a step that no driver has to do any more, to where it leads, within the same instant. */
  pass(vm: Vm, state: keyof typeof STEPS): void {
    this.#enter(vm, state, false);
    this.#leave(vm, STEPS[state], true);
  }

  /** A VM that has been running on a host since before the world began. */
  adopt(vm: Vm, host: Host, sinceMs: number): void {
    const since = Math.floor(sinceMs / 1000);
    const placement = place(this.#cloud, vm, host, 0);
    for (const time of ['stime', 'pstime', 'petime', 'rstime'] as const) placement[time] = since;
    vm.stime = since;
    vm.deployId = deployId(vm);
    openSpan(this.#cloud, vm, true, sinceMs);
    this.enter(vm, 'RUNNING');
  }

  /** Sends the step in progress to the driver again. */
  retry(vm: Vm): void {
    this.#stop(vm);
    this.#start(vm);
  }

  /** Ends the step in progress, as the driver reports. */
  finish(vm: Vm, ok: boolean, message = ''): void {
    const step = stepOf(vm.state);
    if (step === undefined) return;
    this.#stop(vm);
    if (!ok) this.#blame(vm, step, message);
    if (ok && isBoot(step.action) && vm.deployId === '') vm.deployId = deployId(vm);
    this.#leave(vm, step, ok);
  }

  /** An administrator says that the step in progress, or the one that failed, has succeeded or failed. */
  decide(vm: Vm, ok: boolean): void {
    const failure = failureOf(vm.state);
    const step = failure === undefined ? stepOf(vm.state) : STEPS[failure.retry];
    if (step === undefined) return;
    if (failure !== undefined && !ok && (failure.failsTo === undefined || !moveBack(this.#cloud, vm))) return;
    this.#stop(vm);
    if (ok && (isBoot(step.action) || step.action === 'migrate') && vm.deployId === '') vm.deployId = `one-${vm.id}`;
    if (ok && failure?.shows) this.pass(vm, failure.retry);
    else this.#leave(vm, step, ok || failure !== undefined);
  }

  #enter(vm: Vm, state: State, acts: boolean): void {
    const cloud = this.#cloud;
    const before = vm.state;
    this.#stop(vm);
    vm.state = state;
    const because = cloud.journal.append('vm.state', `vm/${vm.id}`, { from: before, to: state });
    cloud.clock.because(because, () => {
      this.#span(vm, before);
      this.#stamp(vm, before);
      if (acts && state in STEPS) this.#start(vm);
      if (SETTLED_STATES.has(state)) vm.work = null;
      if (HOSTLESS_STATES.has(state)) leaveHost(cloud, vm);
      if (state === 'PENDING' || state === 'UNDEPLOYED') releasePort(cloud, vm);
      if (state === 'PENDING' || vm.resched) cloud.scheduler.wake(vm);
      if (state === 'DONE') this.#bury(vm);
      cloud.vmEntered(vm, before);
      if (state === 'CLEANUP_DELETE') this.enter(vm, 'DONE');
      else if (state === 'RUNNING' && hostOf(cloud, vm)?.state === 'ERROR') this.lose(vm);
    });
  }

  /** Nobody knows any more how a running VM is. */
  lose(vm: Vm): void {
    vm.resched = false;
    this.enter(vm, 'UNKNOWN');
  }

  /** Out of a step, to where its end leads. */
  #leave(vm: Vm, step: Step, ok: boolean): void {
    const cloud = this.#cloud;
    const poweroff = vm.work?.kind === 'migrate' && vm.work.poweroff;
    settleWork(cloud, vm, ok);
    if (step.failsTo === 'previous host') {
      if (ok) leavePreviousHost(cloud, vm);
      else moveBack(cloud, vm);
    }
    this.enter(vm, ok ? ((poweroff ? step.okPoweroff : undefined) ?? step.ok) : step.fail);
  }

  /**
   * Writes the driver's text into the user template, in oned's form. It stays there when the VM recovers. oned counts
   * neither the date nor the reference to the log.
   */
  #blame(vm: Vm, step: Step, message: string): void {
    if (message === '' || message === '-') return;
    const text = `${errorWord(step.action, vm.work)}: ${message}`;
    const shown = text.length > 100 ? `${text.slice(0, 100)}... see more details in VM log` : text;
    vm.userTemplate.set('ERROR', `${ctime(this.#cloud.seconds)}: ${shown}`);
  }

  #start(vm: Vm): void {
    const cloud = this.#cloud;
    const step = stepOf(vm.state);
    if (step === undefined) return;
    const { draw, duration } = this.#draws[step.action];
    const once = sample(duration, draw(vm.id, vm.steps++));
    const ms = step.acts === undefined ? once : once + sample(duration, draw(vm.id, vm.steps++));
    const verdict = cloud.judge.idle
      ? undefined
      : cloud.judge.judge({
          layer: 'vm',
          action: step.action,
          vm: vm.id,
          name: vm.name,
          host: currentPlacement(vm)?.hostname ?? '',
          user: cloud.users.find(vm.uid)?.name ?? '',
        });
    if (verdict === undefined) {
      vm.timer = this.#schedule(ms, { vm: vm.id, ok: true, message: '' });
      return;
    }
    const { fault, effect } = verdict;
    const cause = cloud.journal.append('fault', `vm/${vm.id}`, { fault: fault.id, do: effect.do, action: step.action });
    cloud.clock.because(cause, () => {
      switch (effect.do) {
        case 'fail':
          vm.timer = this.#schedule(once, { vm: vm.id, ok: false, message: effect.message ?? '' });
          return;
        case 'delay':
          vm.timer = this.#schedule(ms + effect.ms, { vm: vm.id, ok: true, message: '' });
          return;
        case 'stick':
          return;
        default:
          effect satisfies never;
      }
    });
  }

  #stop(vm: Vm): void {
    if (vm.timer !== null) this.#cloud.clock.cancel(vm.timer);
    vm.timer = null;
  }

  /** Opens and closes the stretches of time in which a guest runs. */
  #span(vm: Vm, before: State): void {
    const was = hasGuest(vm);
    const is = GUEST_STATES.has(vm.state);
    if (was && is) {
      if (before === 'MIGRATE') reshape(this.#cloud, vm);
    } else if (was) closeSpan(this.#cloud, vm);
    else if (is) openSpan(this.#cloud, vm, bootsFrom(before));
  }

  /** The times of the current history record. */
  #stamp(vm: Vm, before: State): void {
    const placement = currentPlacement(vm);
    if (placement === undefined) return;
    const now = this.#cloud.seconds;
    const failed = failureOf(vm.state) !== undefined;
    const ended = stepOf(before)?.action;
    const begun = stepOf(vm.state)?.action;
    if (ended === 'prolog' && !failed) placement.petime ||= now;
    if (ended === 'epilog' && !failed) placement.eetime ||= now;
    if (begun === 'prolog') placement.pstime ||= now;
    if (begun === 'epilog') {
      if (placement.rstime > 0) placement.retime ||= now;
      placement.estime ||= now;
    }
    if (vm.state === 'RUNNING' || (begun !== undefined && isBoot(begun))) {
      placement.rstime ||= now;
      placement.retime = 0;
      placement.etime = 0;
    }
    if (vm.state === 'POWEROFF' || vm.state === 'SUSPENDED') placement.retime ||= now;
    if (failed && ended !== undefined && isBoot(ended)) {
      placement.retime = now;
      // As observed: oned closes the record of a VM that it could not bring back.
      if (vm.state !== 'BOOT_FAILURE' && vm.state !== 'BOOT_MIGRATE_FAILURE') placement.etime = now;
    }
  }

  /** DONE: all that the VM held is given back. */
  #bury(vm: Vm): void {
    const cloud = this.#cloud;
    vm.etime = cloud.seconds;
    cloud.quotas.release(vm);
    releaseNics(cloud, vm);
    releaseDisks(cloud, vm);
    releasePort(cloud, vm);
    this.#done.push(vm.id);
    if (this.#done.length > cloud.config.doneKept) cloud.vms.delete(this.#done.shift() as number);
  }
}

const isBoot = (action: DriverAction): boolean => action === 'deploy' || action === 'restore';

const TRANSFER = 'Error executing image transfer script';

/** What oned writes before a driver's text: what was asked of the hypervisor, or that files could not be moved. */
const ERROR_WORDS: Readonly<Record<DriverAction, string>> = {
  prolog: TRANSFER,
  deploy: 'DEPLOY',
  save: 'SAVE',
  restore: 'RESTORE',
  shutdown: 'SHUTDOWN',
  epilog: TRANSFER,
  migrate: 'MIGRATE',
  cleanup: 'CLEANUP',
  resize: 'RESIZE',
  diskResize: 'RESIZEDISK',
  attachDisk: 'ATTACHDISK',
  attachNic: 'ATTACHNIC',
  snapshot: 'SNAPSHOTCREATE',
  diskSnapshot: 'DISKSNAPSHOTCREATE',
  saveAs: TRANSFER,
  backup: 'BACKUP',
};

/** Where one driver action serves several calls. */
const ERROR_WORDS_BY_WORK: { readonly [K in Work['kind']]?: string } = {
  detachDisk: 'DETACHDISK',
  detachNic: 'DETACHNIC',
  revertSnapshot: 'SNAPSHOTREVERT',
  deleteSnapshot: 'SNAPSHOTDELETE',
  revertDiskSnapshot: 'DISKSNAPSHOTREVERT',
  deleteDiskSnapshot: 'DISKSNAPSHOTDELETE',
  updateconf: 'UPDATECONF',
};

function errorWord(action: DriverAction, work: Work | null): string {
  return (work === null ? undefined : ERROR_WORDS_BY_WORK[work.kind]) ?? ERROR_WORDS[action];
}

/** The name a hypervisor gives the VM: the dummy driver's, or the libvirt domain's UUID. */
function deployId(vm: Vm): string {
  const placement = currentPlacement(vm);
  return placement?.vmMad === 'dummy' ? `${placement.hostname}:${vm.name}:dummy` : vm.uuid;
}
