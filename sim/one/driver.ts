/**
 * What moves VMs through the tables of `lifecycle.ts`: it starts a driver action on entering a step, ends it on the
 * clock, and keeps what goes with a state (host capacity, history, leases, spans). Mirrors `LifeCycleManager.cc` and
 * the dummy drivers of OpenNebula 6.10.
 */
import { type Distribution, type Stream, sample } from '../kernel/random.ts';
import type { Cloud } from './cloud.ts';
import { releaseDisks } from './disk.ts';
import type { Host } from './host.ts';
import {
  type DriverAction,
  failureOf,
  GUEST_STATES,
  HOSTLESS_STATES,
  SETTLED_STATES,
  STEPS,
  type State,
  stepOf,
} from './lifecycle.ts';
import { releaseNics } from './nic.ts';
import { currentPlacement, leaveHost, moveBack, place } from './placement.ts';
import type { Placement, Vm } from './vm.ts';
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
    const cloud = this.#cloud;
    const before = vm.state;
    this.#stop(vm);
    vm.state = state;
    const because = cloud.journal.append('vm.state', `vm/${vm.id}`, { from: before, to: state });
    cloud.clock.because(because, () => {
      this.#span(vm, before);
      this.#stamp(vm, before);
      if (state in STEPS) this.#start(vm);
      if (SETTLED_STATES.has(state)) vm.work = null;
      if (HOSTLESS_STATES.has(state)) leaveHost(cloud, vm);
      if (state === 'PENDING' || vm.resched) cloud.scheduler.wake(vm);
      if (state === 'DONE') this.#bury(vm);
      cloud.vmEntered(vm, before);
      if (state === 'CLEANUP_DELETE') this.enter(vm, 'DONE');
    });
  }

  /** A VM that has been running on a host since before the world began. */
  adopt(vm: Vm, host: Host, sinceMs: number): void {
    const since = Math.floor(sinceMs / 1000);
    place(this.#cloud, vm, host, 0);
    const placement = vm.history.at(-1) as Placement;
    for (const time of ['stime', 'pstime', 'petime', 'rstime'] as const) placement[time] = since;
    vm.stime = since;
    vm.deployId = deployId(vm);
    openSpan(vm, sinceMs, true);
    this.enter(vm, 'RUNNING');
  }

  /** Sends the step in progress to the driver again. */
  retry(vm: Vm): void {
    this.#stop(vm);
    this.#start(vm);
  }

  /** Ends the step in progress, as the driver does when it reports, or as an administrator pretends it did. */
  finish(vm: Vm, ok: boolean, message = ''): void {
    const step = stepOf(vm.state);
    if (step === undefined) return;
    this.#stop(vm);
    if (!ok && message !== '') this.blame(vm, step.action, message);
    const poweroff = vm.work?.kind === 'migrate' && vm.work.poweroff;
    settleWork(this.#cloud, vm, ok);
    if (!ok && step.failsTo === 'previous host') moveBack(this.#cloud, vm);
    if (ok && isBoot(step.action) && vm.deployId === '') vm.deployId = deployId(vm);
    this.enter(vm, ok ? ((poweroff ? step.okPoweroff : undefined) ?? step.ok) : step.fail);
  }

  /** An administrator decides what becomes of a failed step: recover with success or failure. */
  decide(vm: Vm, ok: boolean): void {
    const failure = failureOf(vm.state);
    if (failure === undefined) {
      this.finish(vm, ok);
      return;
    }
    const poweroff = vm.work?.kind === 'migrate' && vm.work.poweroff;
    const next = ok
      ? ((poweroff ? failure.successPoweroff : undefined) ?? failure.success)
      : ((poweroff ? failure.giveUpPoweroff : undefined) ?? failure.giveUp);
    if (next === undefined) return;
    if (!ok) moveBack(this.#cloud, vm);
    if (ok && failure.success === 'RUNNING' && vm.deployId === '') vm.deployId = `one-${vm.id}`;
    if (ok && failure.via !== undefined) this.enter(vm, failure.via);
    this.enter(vm, next);
  }

  /** Writes the driver's text into the user template, in oned's form. It stays there when the VM recovers. */
  blame(vm: Vm, action: DriverAction, message: string): void {
    const text = `${ctime(this.#cloud.seconds)}: ${ERROR_WORDS[action] ?? `${action.toUpperCase()}: `}${message}`;
    vm.userTemplate.set('ERROR', text.length > 100 ? `${text.slice(0, 100)}... see more details in VM log` : text);
  }

  #start(vm: Vm): void {
    const cloud = this.#cloud;
    const step = stepOf(vm.state);
    if (step === undefined) return;
    const { draw, duration } = this.#draws[step.action];
    const ms = sample(duration, draw(vm.id, vm.steps++));
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
          vm.timer = this.#schedule(ms, { vm: vm.id, ok: false, message: effect.message ?? '' });
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
    const was = isRunning(vm);
    const is = GUEST_STATES.has(vm.state);
    if (was === is) return;
    if (was) closeSpan(vm, this.#cloud.clock.now);
    else openSpan(vm, this.#cloud.clock.now, stepOf(before)?.action === 'deploy');
  }

  /** The times of the current history record. */
  #stamp(vm: Vm, before: State): void {
    const placement = currentPlacement(vm);
    if (placement === undefined) return;
    const now = this.#cloud.seconds;
    const action = stepOf(vm.state)?.action;
    if (stepOf(before)?.action === 'prolog' && placement.petime === 0) placement.petime = now;
    if (action === 'prolog' && placement.pstime === 0) placement.pstime = now;
    else if (action !== undefined && isBoot(action) && placement.rstime === 0) placement.rstime = now;
    else if (action === 'epilog') {
      if (placement.rstime > 0 && placement.retime === 0) placement.retime = now;
      placement.estime = now;
    } else if (vm.state === 'POWEROFF' || vm.state === 'SUSPENDED') {
      if (placement.retime === 0) placement.retime = now;
    }
    if (stepOf(before)?.action === 'epilog' && placement.estime > 0) placement.eetime = now;
  }

  /** DONE: all that the VM held is given back. */
  #bury(vm: Vm): void {
    const cloud = this.#cloud;
    vm.etime = cloud.seconds;
    cloud.quotas.release(vm);
    releaseNics(cloud, vm);
    releaseDisks(cloud, vm);
    this.#done.push(vm.id);
    if (this.#done.length > cloud.config.doneKept) cloud.vms.delete(this.#done.shift() as number);
  }
}

const isBoot = (action: DriverAction): boolean => action === 'deploy' || action === 'restore';

/** What oned writes before a driver's text; other actions are named by their word in capitals. */
const ERROR_WORDS: Partial<Record<DriverAction, string>> = {
  prolog: 'Error executing image transfer script: ',
  epilog: 'Error executing image transfer script: ',
  diskResize: 'Error resizing disk: ',
};

/** The name a hypervisor gives the VM: the dummy driver's, or the libvirt domain's UUID. */
function deployId(vm: Vm): string {
  const placement = currentPlacement(vm);
  return placement?.vmMad === 'dummy' ? `${placement.hostname}:${vm.name}:dummy` : vm.uuid;
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** A time as C's `ctime` writes it, in UTC: `Sat Nov 21 21:06:43 2026`. */
export function ctime(seconds: number): string {
  const t = new Date(seconds * 1000);
  const two = (n: number): string => String(n).padStart(2, '0');
  const day = String(t.getUTCDate()).padStart(2, ' ');
  const clock = `${two(t.getUTCHours())}:${two(t.getUTCMinutes())}:${two(t.getUTCSeconds())}`;
  return `${DAYS[t.getUTCDay()]} ${MONTHS[t.getUTCMonth()]} ${day} ${clock} ${t.getUTCFullYear()}`;
}

function openSpan(vm: Vm, now: number, booted: boolean): void {
  const last = vm.spans.at(-1);
  const hostId = currentPlacement(vm)?.hostId ?? -1;
  const boot = last === undefined ? 1 : last.boot + (booted ? 1 : 0);
  vm.spans.push({ from: now, to: null, boot, hostId, vcpu: vm.vcpu ?? 1, memoryMiB: vm.memoryMiB });
}

const isRunning = (vm: Vm): boolean => vm.spans.at(-1)?.to === null;

function closeSpan(vm: Vm, now: number): void {
  const last = vm.spans.at(-1);
  if (last !== undefined && last.to === null) last.to = now;
}

/** Ends the present stretch and begins another, because the VM has moved or has another shape. */
export function reshape(cloud: Cloud, vm: Vm): void {
  if (!isRunning(vm)) return;
  closeSpan(vm, cloud.clock.now);
  openSpan(vm, cloud.clock.now, false);
}
