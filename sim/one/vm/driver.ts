/**
 * What moves VMs through the tables of `lifecycle.ts`: it starts a driver action on entering a step, ends it on the
 * clock, and keeps what goes with a state (host capacity, history, leases, spans). Mirrors `LifeCycleManager.cc` and
 * the dummy drivers of OpenNebula 6.10.
 */
import type { Verdict } from '../../faults/judge.ts';
import { type Distribution, type Stream, sample } from '../../kernel/random.ts';
import type { Cloud } from '../cloud.ts';
import { ctime } from '../ctime.ts';
import { type Host, isSilent, slowness } from '../resources/host.ts';
import { releaseDisks } from './disk.ts';
import { releasePort } from './graphics-port.ts';
import {
  type DriverAction,
  failureOf,
  HOSTLESS_STATES,
  SETTLED_STATES,
  STEPS,
  type State,
  type Step,
  stepOf,
} from './lifecycle.ts';
import { releaseNics } from './nic.ts';
import { ownTiming } from './own-timing.ts';
import { currentPlacement, hostOf, leaveHost, leavePreviousHost, moveBack, place } from './placement.ts';
import { bootsFrom, closeSpan, hasGuest, openSpan, reshape } from './span.ts';
import { type Aftermath, guestRuns, vmAttempt } from './trouble.ts';
import type { Vm, Work } from './vm.ts';
import { settleWork } from './work.ts';

type Draws = Readonly<Record<DriverAction, { readonly draw: Stream; readonly duration: Distribution }>>;

interface DriverEvent {
  readonly vm: number;
  readonly ok: boolean;
  readonly message: string;
  /** What the answer does not say. */
  readonly after: Aftermath | null;
}

export class Driver {
  readonly #cloud: Cloud;
  readonly #schedule: (delayMs: number, event: DriverEvent) => NonNullable<Vm['timer']>;
  readonly #draws: Draws;
  readonly #failing: Stream;
  /** VMs in DONE that are kept. When there are as many as may be, the oldest makes room for the next. */
  #done: number[] = [];
  /** Where the oldest stands; those that came after it follow, round the end. */
  #oldest = 0;

  constructor(cloud: Cloud) {
    this.#cloud = cloud;
    this.#schedule = cloud.clock.channel<DriverEvent>('vm.driver', ({ vm: id, ok, message, after }) => {
      const vm = cloud.vms.get(id);
      vm.timer = null;
      this.finish(vm, ok, message, after);
    });
    this.#failing = cloud.random.stream('vm.failing');
    const { actions } = cloud.config.timing;
    this.#draws = Object.fromEntries(
      Object.entries(actions).map(([action, duration]) => [
        action,
        { draw: cloud.random.stream(`vm.${action}`), duration },
      ]),
    ) as Draws;
  }

  state(): { readonly done: number[]; readonly oldest: number } {
    return { done: this.#done, oldest: this.#oldest };
  }

  restore({ done, oldest }: ReturnType<Driver['state']>): void {
    this.#done = done;
    this.#oldest = oldest;
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
  finish(vm: Vm, ok: boolean, message = '', after: Aftermath | null = null): void {
    const step = stepOf(vm.state);
    if (step === undefined) return;
    const wanted = after === null ? null : this.#cloud.shapes.of(vm);
    this.#stop(vm);
    if (!ok) this.complain(vm, errorWord(step.action, vm.work), message);
    if (ok && isBoot(step.action) && vm.deployId === '') vm.deployId = deployId(vm);
    this.#leave(vm, step, ok);
    if (after !== null && wanted !== null) this.#cloud.troubles.follows(vm, step, after, wanted);
  }

  /** What was to have no end ends, well. */
  release(vm: Vm): void {
    if (vm.timer === null && stepOf(vm.state) !== undefined) this.#answer(vm, 0, true);
  }

  /** The host of a VM cannot be reached any more: what is in progress there fails. */
  interrupt(vm: Vm, host: Host): void {
    if (vm.timer === null) return;
    this.#stop(vm);
    this.#answer(vm, CONTACT_TIMEOUT_MS, false, unreachable(host));
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
    cloud.troubles.left(vm);
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
      if (state === 'RUNNING' && cloud.judge.armed('vm')) cloud.troubles.look(vm);
      if (cloud.judge.armed('host')) cloud.hostTroubles.vmEntered(vm);
      if (state === 'CLEANUP_DELETE') this.enter(vm, 'DONE');
      else if (vm.state === 'RUNNING') this.#loseWithHost(vm);
    });
  }

  /** On a host that is lost nobody knows how it is. */
  #loseWithHost(vm: Vm): void {
    const host = hostOf(this.#cloud, vm);
    if (host?.state === 'ERROR') this.#cloud.clock.because(host.because, () => this.lose(vm));
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
  complain(vm: Vm, word: string, message: string): void {
    if (message === '' || message === '-') return;
    const text = `${word}: ${message}`;
    const shown = text.length > 100 ? `${text.slice(0, 100)}... see more details in VM log` : text;
    vm.userTemplate.set('ERROR', `${ctime(this.#cloud.seconds)}: ${shown}`);
  }

  #start(vm: Vm): void {
    const cloud = this.#cloud;
    const step = stepOf(vm.state);
    if (step === undefined) return;
    const { draw, duration: usual } = this.#draws[step.action];
    const { duration = usual, failing } = ownTiming(cloud, vm, step.action);
    const host = hostOf(cloud, vm);
    const slow = host === undefined || host.troubles.length === 0 ? 1 : slowness(host);
    const once = slow * sample(duration, draw(vm.id, vm.steps++));
    const ms = step.acts === undefined ? once : once + slow * sample(duration, draw(vm.id, vm.steps++));
    if (host !== undefined && isSilent(host)) {
      cloud.clock.because(host.because, () => this.#answer(vm, CONTACT_TIMEOUT_MS, false, unreachable(host)));
      return;
    }
    const verdict = cloud.judge.armed('vm') ? cloud.judge.judge(vmAttempt(cloud, vm, step.action)) : undefined;
    if (verdict === undefined) {
      const fails = failing > 0 && this.#failing(vm.id, vm.steps) < failing;
      if (fails) this.#answer(vm, once, false, 'The driver fails now and then, as its timing has it');
      else this.#answer(vm, ms, true);
      return;
    }
    const detail = { fault: verdict.fault.id, do: verdict.effect.do, operation: step.action };
    const cause = cloud.journal.append('fault', `vm/${vm.id}`, detail);
    cloud.clock.because(cause, () => this.#suffer(vm, verdict, once, ms));
  }

  /** The driver acts as a fault will have it. */
  #suffer(vm: Vm, { fault, effect, lastsMs }: Verdict<'vm'>, once: number, ms: number): void {
    const after: Aftermath = { fault: fault.id, effect, againMs: once };
    switch (effect.do) {
      case 'fail':
        this.#answer(vm, lastsMs ?? once, false, effect.message);
        return;
      case 'delay':
        this.#answer(vm, lastsMs ?? ms + effect.ms, true);
        return;
      case 'stick':
        this.#cloud.troubles.stuck(vm, fault.id);
        return;
      case 'done-but-failed':
        this.#answer(vm, ms, false, effect.message ?? 'Timeout waiting for the driver', after);
        return;
      case 'done-twice': {
        const boots = isBoot(stepOf(vm.state)?.action ?? 'cleanup');
        this.#answer(vm, boots ? ms : ms + once, true, '', after);
        return;
      }
      case 'late-failure':
      case 'zombie':
        this.#answer(vm, ms, true, '', after);
        return;
      case 'unknown':
      case 'lost-monitoring':
        throw new Error(`${effect.do} is no answer of a driver`);
      default:
        effect satisfies never;
    }
  }

  /** The driver answers the step in progress. */
  #answer(vm: Vm, delayMs: number, ok: boolean, message = '', after: Aftermath | null = null): void {
    vm.timer = this.#schedule(delayMs, { vm: vm.id, ok, message, after });
  }

  #stop(vm: Vm): void {
    if (vm.timer !== null) this.#cloud.clock.cancel(vm.timer);
    vm.timer = null;
  }

  /** Opens and closes the stretches of time in which a guest runs. */
  #span(vm: Vm, before: State): void {
    const was = hasGuest(vm);
    const is = guestRuns(this.#cloud, vm);
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
    cloud.agenda.stop(vm);
    this.#keep(vm.id);
  }

  /** Keeps a VM in DONE, in the place of the oldest when there are too many. */
  #keep(id: number): void {
    const { doneKept } = this.#cloud.config;
    if (this.#done.length < doneKept) {
      this.#done.push(id);
      return;
    }
    const oldest = this.#done[this.#oldest] ?? id;
    if (doneKept > 0) {
      this.#done[this.#oldest] = id;
      this.#oldest = (this.#oldest + 1) % doneKept;
    }
    this.#cloud.forgetVm(oldest);
  }
}

/** How long oned tries to reach a host that does not answer. */
const CONTACT_TIMEOUT_MS = 10_000;

const unreachable = ({ name }: Host): string => `ssh: connect to host ${name} port 22: No route to host`;

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
  updateNic: 'UPDATENIC',
  updateconf: 'UPDATECONF',
};

function errorWord(action: DriverAction, work: Work | null): string {
  return (work === null ? undefined : ERROR_WORDS_BY_WORK[work.kind]) ?? ERROR_WORDS[action];
}

/** The name a hypervisor gives the VM: the dummy driver's, or the libvirt domain's UUID. */
export function deployId(vm: Vm): string {
  const placement = currentPlacement(vm);
  return placement?.vmMad === 'dummy' ? `${placement.hostname}:${vm.name}:dummy` : vm.uuid;
}
