/**
 * What OneFlow waits for: the VMs of a role, to reach a state. Successes are noticed as they happen, failures only at
 * the first look and then once a period, as OneFlow subscribes to no event of them. Mirrors `EventManager.rb` of
 * OneFlow 6.10. Nothing is in the event queue while nothing is waited for.
 */
import type { Timer } from '../../kernel/queue.ts';
import type { Cloud } from '../cloud.ts';
import { failureOf, type State } from '../vm/lifecycle.ts';
import type { Vm } from '../vm/vm.ts';

/** Why it is waited for VMs: what is to be done when all are there. */
export type Purpose = keyof typeof GOALS;

/** Waits that are for time to pass, or for networks, which are ready as soon as they exist. */
export type Pause = 'cooldown' | 'deployNets' | 'undeployNets';

const GOALS = {
  deploy: 'RUNNING',
  release: 'RUNNING',
  add: 'RUNNING',
  scaleUp: 'RUNNING',
  hold: 'HOLD',
  undeploy: 'DONE',
  remove: 'DONE',
  scaleDown: 'DONE',
} as const satisfies Record<string, State>;

/** What a wait belongs to, and on whose behalf it goes on afterwards. */
export interface Party {
  readonly service: number;
  /** Empty when it is the whole service. */
  readonly role: string;
  readonly uid: number;
  readonly gid: number;
}

export interface Wait extends Party {
  readonly id: number;
  readonly purpose: Purpose | Pause;
  /** A VM is there when it says READY=YES, instead of when it is RUNNING. */
  readonly gate: boolean;
  /** Whether each VM is still waited for. */
  readonly vms: Map<number, 'awaited' | 'reached' | 'failed'>;
  /** How many are. */
  left: number;
  /** The next look; or the end, when nothing is left. */
  timer: Timer | null;
}

/** States that end every wait: such a VM is nothing to wait for. */
const SETTLED: ReadonlySet<State> = new Set(['STOPPED', 'SUSPENDED', 'POWEROFF', 'UNDEPLOYED', 'DONE']);

interface WaitsState {
  readonly waits: Map<number, Wait>;
  readonly ofService: Map<number, Wait[]>;
  readonly next: number;
}

export class Waits {
  readonly #cloud: Cloud;
  #waits = new Map<number, Wait>();
  #ofService = new Map<number, Wait[]>();
  readonly #look: (delayMs: number, id: number) => Timer;
  readonly #end: (delayMs: number, end: { id: number; ok: boolean }) => Timer;
  #next = 0;

  /** @param ended is told, a reaction time after the last VM, whether all is well */
  constructor(cloud: Cloud, ended: (wait: Wait, ok: boolean) => void) {
    this.#cloud = cloud;
    this.#look = cloud.clock.channel<number>('flow.look', (id) => {
      const wait = this.#waits.get(id);
      if (wait !== undefined) this.#lookAgain(wait);
    });
    this.#end = cloud.clock.channel<{ id: number; ok: boolean }>('flow.waited', ({ id, ok }) => {
      const wait = this.#waits.get(id);
      if (wait === undefined) return;
      this.#forget(wait);
      ended(wait, ok);
    });
  }

  state(): WaitsState {
    return { waits: this.#waits, ofService: this.#ofService, next: this.#next };
  }

  restore({ waits, ofService, next }: WaitsState): void {
    this.#waits = waits;
    this.#ofService = ofService;
    this.#next = next;
  }

  /** @param gate whether VMs have to say that they are ready, where they are to run */
  forVms(purpose: Purpose, party: Party, vms: readonly number[], gate: boolean): void {
    const wait = this.#add(purpose, party, gate && GOALS[purpose] === 'RUNNING', vms);
    this.#check(wait);
    // A VM that failed before the first look ends nothing, unless another one is waited for with it.
    if (wait.left === 0) this.#over(wait, true);
    else this.#lookLater(wait);
  }

  forTime(purpose: Pause, party: Party, delayMs: number): void {
    const wait = this.#add(purpose, party, false, []);
    wait.timer = this.#end(delayMs, { id: wait.id, ok: true });
  }

  #add(purpose: Wait['purpose'], party: Party, gate: boolean, awaited: readonly number[]): Wait {
    const { service, role, uid, gid } = party;
    const id = this.#next++;
    const vms: Wait['vms'] = new Map();
    for (const vm of awaited) vms.set(vm, 'awaited');
    const wait: Wait = { id, purpose, service, role, uid, gid, gate, vms, left: vms.size, timer: null };
    this.#waits.set(id, wait);
    const others = this.#ofService.get(service);
    if (others === undefined) this.#ofService.set(service, [wait]);
    else others.push(wait);
    return wait;
  }

  /** Stops waiting for anything of a service. */
  cancel(service: number): void {
    for (const wait of this.#ofService.get(service) ?? []) {
      this.#waits.delete(wait.id);
      if (wait.timer !== null) this.#cloud.clock.cancel(wait.timer);
    }
    this.#ofService.delete(service);
  }

  /** A VM of the service has entered a state. */
  vmState(service: number, vm: Vm): void {
    this.#notice(service, vm, (wait) => SETTLED.has(vm.state) || (!wait.gate && vm.state === goalOf(wait)));
  }

  /** A VM's user template has changed. */
  vmUpdate(service: number, vm: Vm): void {
    this.#notice(service, vm, (wait) => wait.gate && isReady(vm));
  }

  #notice(service: number, vm: Vm, counts: (wait: Wait) => boolean): void {
    for (const wait of this.#ofService.get(service) ?? []) {
      if (wait.vms.get(vm.id) !== 'awaited' || !counts(wait)) continue;
      settle(wait, vm.id, 'reached');
      if (wait.left === 0) this.#over(wait, true);
      else this.#lookLater(wait);
    }
  }

  #lookAgain(wait: Wait): void {
    wait.timer = null;
    // Somebody has deleted the service's document behind its back.
    if (this.#cloud.documents.find(wait.service) === undefined) {
      this.#forget(wait);
      return;
    }
    this.#check(wait);
    if ([...wait.vms.values()].includes('failed')) this.#over(wait, false);
    else if (wait.left === 0) this.#over(wait, true);
    else this.#lookLater(wait);
  }

  #check(wait: Wait): void {
    for (const [id, standing] of wait.vms) {
      if (standing !== 'awaited') continue;
      const vm = this.#cloud.vms.find(id);
      if (vm === undefined || SETTLED.has(vm.state) || this.#isThere(wait, vm)) settle(wait, id, 'reached');
      else if (failureOf(vm.state) !== undefined) settle(wait, id, 'failed');
    }
  }

  #isThere(wait: Wait, vm: Vm): boolean {
    return wait.gate ? isReady(vm) : vm.state === goalOf(wait);
  }

  #lookLater(wait: Wait): void {
    if (wait.timer !== null) this.#cloud.clock.cancel(wait.timer);
    wait.timer = this.#look(this.#cloud.config.flowWaitMs, wait.id);
  }

  #over(wait: Wait, ok: boolean): void {
    if (wait.timer !== null) this.#cloud.clock.cancel(wait.timer);
    wait.timer = this.#end(this.#cloud.config.timing.flowReactionMs, {
      id: wait.id,
      ok,
    });
  }

  #forget(wait: Wait): void {
    this.#waits.delete(wait.id);
    const others = (this.#ofService.get(wait.service) ?? []).filter((other) => other !== wait);
    if (others.length === 0) this.#ofService.delete(wait.service);
    else this.#ofService.set(wait.service, others);
  }
}

/** It is waited for no longer. */
function settle(wait: Wait, vm: number, how: 'reached' | 'failed'): void {
  wait.vms.set(vm, how);
  wait.left--;
}

const goalOf = ({ purpose }: Wait): State | undefined => (purpose in GOALS ? GOALS[purpose as Purpose] : undefined);

const isReady = (vm: Vm): boolean => vm.userTemplate.get('READY')?.trim() === 'YES';
