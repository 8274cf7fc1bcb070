/**
 * What goes wrong with a VM beyond one answer of its driver: guests that run although OpenNebula thinks otherwise, or the
 * reverse, and VMs that the probes on the host have lost sight of. OpenNebula finds out as it does in life: by the next
 * full report of the host's probes (SYNC_STATE_VM). When the fault behind it ends, what still suffers from it is healed.
 */
import type { Attempt, Fault, Stretch } from '../../faults/fault.ts';
import type { Effect } from '../../faults/schema.ts';
import type { Timer } from '../../kernel/queue.ts';
import type { Cloud } from '../cloud.ts';
import { isSilent } from '../resources/host.ts';
import { type DriverAction, GUEST_STATES, HOSTLESS_STATES, type Step } from './lifecycle.ts';
import { report } from './monitoring.ts';
import { currentPlacement } from './placement.ts';
import { closeSpan, hasGuest, openSpan, reshape, reshapeTo, type Shape } from './span.ts';
import type { Vm } from './vm.ts';

type VmEffect = Effect<'vm'>;

/** What one fault has done to a VM. */
interface Mark {
  readonly fault: string;
  readonly do: VmEffect['do'];
  /** What is still to come of it. */
  timer: Timer | null;
}

export interface Trouble {
  marks: readonly Mark[];
  /** Whether the guest runs, whatever OpenNebula thinks; `null`: as it thinks. */
  guest: boolean | null;
  /** When the probes on the host did not see it. */
  readonly unseen: Stretch[];
}

/** An answer of the driver that is not the whole truth. */
export interface Aftermath {
  readonly fault: string;
  readonly effect: VmEffect;
  /** How long the driver takes to do it again. */
  readonly againMs: number;
}

interface TroubleEvent {
  readonly vm: number;
  readonly fault: string;
  readonly what: 'noticed' | 'breaks' | 'again' | 'seen';
  readonly message: string;
}

/** oned's SYNC_STATE_VM: how often the probes report the state of all VMs, and not only what has changed. */
const SYNC_MS = 180_000;

/** What a selector may ask of any VM. */
export function vmFacts(cloud: Cloud, vm: Vm) {
  const service = vm.userTemplate.get('SERVICE_ID');
  return {
    name: vm.name,
    host: currentPlacement(vm)?.hostname ?? '',
    user: cloud.users.find(vm.uid)?.name ?? '',
    ...(service === undefined ? {} : { service: Number(service) }),
  };
}

/** What the judge is asked about a VM. */
export function vmAttempt(cloud: Cloud, vm: Vm, operation: DriverAction | 'monitor'): Attempt<'vm'> {
  const facts = vmFacts(cloud, vm);
  const host = currentPlacement(vm)?.hostId ?? -1;
  const hostState = cloud.hosts.find(host)?.state;
  const serviceState = facts.service === undefined ? undefined : cloud.flow.stateOf(facts.service);
  return {
    layer: 'vm',
    operation,
    vm: vm.id,
    ...facts,
    state: vm.state,
    label: (key) => vm.userTemplate.get(key),
    states: {
      vm: vm.state,
      ...(hostState === undefined ? {} : { host: hostState }),
      ...(serviceState === undefined ? {} : { service: serviceState }),
    },
  };
}

export class Troubles {
  readonly #cloud: Cloud;
  readonly #schedule: (delayMs: number, event: TroubleEvent) => Timer;
  /** VMs without a host whose guests run all the same, and where. */
  readonly zombies = new Map<number, number>();

  constructor(cloud: Cloud) {
    this.#cloud = cloud;
    this.#schedule = cloud.clock.channel<TroubleEvent>('vm.trouble', (event) => {
      const vm = cloud.vms.find(event.vm);
      const mark = vm?.trouble?.marks.find(({ fault }) => fault === event.fault);
      if (vm === undefined || mark === undefined) return;
      mark.timer = null;
      this.#happens(vm, event);
    });
    cloud.judge.follow('vm', {
      began: () => {
        for (const vm of cloud.vms) if (vm.state === 'RUNNING') this.look(vm);
      },
      ended: (fault) => {
        for (const vm of cloud.vms) if (vm.trouble !== null) this.#heal(vm, fault);
      },
    });
  }

  state(): ReadonlyMap<number, number> {
    return this.zombies;
  }

  restore(zombies: ReadonlyMap<number, number>): void {
    for (const [vm, host] of zombies) this.zombies.set(vm, host);
  }

  /** A VM leaves a step: what was stuck there is over. */
  left({ trouble }: Vm): void {
    if (trouble !== null) trouble.marks = trouble.marks.filter((mark) => mark.do !== 'stick');
  }

  /** The driver will never answer. */
  stuck(vm: Vm, fault: string): void {
    this.#mark(vm, fault, 'stick');
  }

  /** The probes look at a VM that runs: what faults hold on it from now on. */
  look(vm: Vm): void {
    const { judge, journal, clock } = this.#cloud;
    if (!judge.armed('vm')) return;
    while (vm.state === 'RUNNING') {
      const marked = new Set(vm.trouble?.marks.map((mark) => mark.fault));
      const verdict = judge.hold(vmAttempt(this.#cloud, vm, 'monitor'), ({ id }) => marked.has(id));
      if (verdict === undefined) return;
      const { fault, effect } = verdict;
      const detail = { fault: fault.id, do: effect.do, operation: 'monitor' };
      clock.because(journal.append('fault', `vm/${vm.id}`, detail), () => this.#loseSight(vm, fault.id, effect));
    }
  }

  #loseSight(vm: Vm, fault: string, effect: VmEffect): void {
    const mark = this.#mark(vm, fault, effect.do);
    const trouble = troubleOf(vm);
    if (effect.do === 'lost-monitoring') trouble.unseen.push({ from: this.#cloud.clock.now, to: null });
    if (effect.do !== 'unknown') return;
    // The guest does not know that nobody sees it.
    trouble.guest = true;
    if (effect.forMs !== undefined) mark.timer = this.#later(effect.forMs, vm, fault, 'seen');
    this.#cloud.driver.lose(vm);
  }

  /** The driver has answered; what it said was not the whole truth. @param wanted what the guest was to look like */
  follows(vm: Vm, step: Step, { fault, effect, againMs }: Aftermath, wanted: Shape): void {
    const mark = this.#mark(vm, fault, effect.do);
    switch (effect.do) {
      case 'late-failure':
        mark.timer = this.#later(effect.afterMs, vm, fault, 'breaks', effect.message);
        return;
      case 'done-twice':
        if (isBoot(step)) mark.timer = this.#later(againMs, vm, fault, 'again');
        return;
      case 'zombie':
        this.#override(vm, true, false);
        mark.timer = vm.state === 'POWEROFF' ? this.#later(SYNC_MS, vm, fault, 'noticed') : null;
        return;
      case 'done-but-failed':
        if (isBoot(step)) this.#override(vm, true, true);
        else if (step.action === 'shutdown') this.#override(vm, false, false);
        else reshapeTo(this.#cloud, vm, wanted);
        if (vm.trouble?.guest !== null) mark.timer = this.#later(SYNC_MS, vm, fault, 'noticed');
        return;
      default:
        return;
    }
  }

  #override(vm: Vm, guest: boolean, booted: boolean): void {
    troubleOf(vm).guest = guest;
    if (!guest) closeSpan(this.#cloud, vm);
    else if (!hasGuest(vm)) openSpan(this.#cloud, vm, booted);
    guestRuns(this.#cloud, vm);
  }

  #happens(vm: Vm, { what, fault, message }: TroubleEvent): void {
    const cloud = this.#cloud;
    const cause = cloud.journal.append('fault', `vm/${vm.id}`, { fault, do: what });
    cloud.clock.because(cause, () => {
      switch (what) {
        case 'noticed':
        case 'seen':
          this.#notice(vm);
          return;
        case 'again':
          if (hasGuest(vm)) reshape(cloud, vm, true);
          return;
        case 'breaks':
          if (vm.state !== 'RUNNING') return;
          if (message !== '') cloud.driver.complain(vm, 'MONITOR', message);
          report(cloud, vm, 'FAILURE');
          return;
        default:
          what satisfies never;
      }
    });
  }

  /** The probes report what is. */
  #notice(vm: Vm): void {
    const guest = vm.trouble?.guest ?? null;
    if (guest !== null) report(this.#cloud, vm, guest ? 'RUNNING' : 'POWEROFF');
  }

  /** A fault has ended: what it did to the VM, and still lasts, is over. */
  #heal(vm: Vm, { id }: Fault): void {
    const { trouble } = vm;
    const marks = trouble?.marks.filter(({ fault }) => fault === id) ?? [];
    if (trouble === null || marks.length === 0) return;
    trouble.marks = trouble.marks.filter(({ fault }) => fault !== id);
    for (const mark of marks) {
      if (mark.timer !== null) this.#cloud.clock.cancel(mark.timer);
      switch (mark.do) {
        case 'stick':
          this.#cloud.driver.release(vm);
          break;
        case 'zombie':
          if (trouble.guest !== true) break;
          trouble.guest = null;
          this.zombies.delete(vm.id);
          if (!GUEST_STATES.has(vm.state)) closeSpan(this.#cloud, vm);
          break;
        case 'unknown':
        case 'done-but-failed':
          this.#notice(vm);
          break;
        case 'lost-monitoring':
          for (const stretch of trouble.unseen) stretch.to ??= this.#cloud.clock.now;
          break;
        default:
          break;
      }
    }
  }

  #mark(vm: Vm, fault: string, what: VmEffect['do']): Mark {
    const mark: Mark = { fault, do: what, timer: null };
    const trouble = troubleOf(vm);
    // What it did to the VM before is past, and what was to come of that does not come.
    for (const { fault: other, timer } of trouble.marks) {
      if (other === fault && timer !== null) this.#cloud.clock.cancel(timer);
    }
    trouble.marks = [...trouble.marks.filter((other) => other.fault !== fault), mark];
    return mark;
  }

  #later(delayMs: number, vm: Vm, fault: string, what: TroubleEvent['what'], message = ''): Timer {
    return this.#schedule(delayMs, { vm: vm.id, fault, what, message });
  }
}

/** Whether the guest of a VM runs: as its state has it, unless a fault has it otherwise. A host that is silent runs none. */
export function guestRuns(cloud: Cloud, vm: Vm): boolean {
  const believed = GUEST_STATES.has(vm.state);
  const placement = currentPlacement(vm);
  const host = placement === undefined ? undefined : cloud.hosts.find(placement.hostId);
  if (host !== undefined && host.troubles.length > 0 && isSilent(host)) return false;
  const { trouble } = vm;
  if (trouble === null || trouble.guest === null) return believed;
  const isZombie = trouble.guest && HOSTLESS_STATES.has(vm.state) && host !== undefined;
  if (isZombie) cloud.troubles.zombies.set(vm.id, host.id);
  else cloud.troubles.zombies.delete(vm.id);
  if (trouble.guest === believed) trouble.guest = null;
  return trouble.guest ?? believed;
}

function troubleOf(vm: Vm): Trouble {
  vm.trouble ??= { marks: [], guest: null, unseen: [] };
  return vm.trouble;
}

const isBoot = ({ action }: Step): boolean => action === 'deploy' || action === 'restore';
