/**
 * Hosts that fail: that fall silent, for good or again and again, that lose capacity, that are slow. OpenNebula finds out
 * as it does in life: a host that has not been heard of for the time of its monitoring (MONITOR_HOST) is in ERROR and its
 * running VMs are UNKNOWN; once it answers again, both are back.
 */
import type { Attempt, Fault } from '../../faults/fault.ts';
import type { Effect } from '../../faults/schema.ts';
import type { Timer } from '../../kernel/queue.ts';
import type { Cloud } from '../cloud.ts';
import { currentPlacement } from '../vm/placement.ts';
import { closeSpan, hasGuest, openSpan } from '../vm/span.ts';
import { guestRuns } from '../vm/trouble.ts';
import type { Vm } from '../vm/vm.ts';
import { type Host, type HostTrouble, isSilent, setHostState } from './host.ts';

type HostEffect = Effect<'host'>;

interface HostEvent {
  readonly host: number;
  /** The fault that goes on, or none when OpenNebula gives the host up. */
  readonly fault: string | null;
  readonly silent: boolean;
}

/** oned's MONITOR_HOST: a host not heard of for so long is taken for lost. */
const PATIENCE_MS = 120_000;

const NO_TROUBLE = { silent: false, lostCpu: 0, lostMemKb: 0, slowness: 1 } as const;

export class HostTroubles {
  readonly #cloud: Cloud;
  readonly #schedule: (delayMs: number, event: HostEvent) => Timer;
  /** What is still to come: by host, and by fault or none. */
  readonly #timers = new Map<string, Timer>();

  constructor(cloud: Cloud) {
    this.#cloud = cloud;
    this.#schedule = cloud.clock.channel<HostEvent>('host.trouble', (event) => {
      this.#timers.delete(keyOf(event.host, event.fault));
      const host = cloud.hosts.find(event.host);
      if (host !== undefined) this.#happens(host, event);
    });
    cloud.judge.follow('host', {
      began: () => {
        for (const host of cloud.hosts) this.look(host);
      },
      ended: (fault) => {
        for (const host of cloud.hosts) this.#heal(host, fault);
      },
    });
  }

  state(): ReadonlyMap<string, Timer> {
    return this.#timers;
  }

  restore(timers: ReadonlyMap<string, Timer>): void {
    for (const [key, timer] of timers) this.#timers.set(key, timer);
  }

  /** A VM on it has entered a state that a fault may wait for. */
  vmEntered(vm: Vm): void {
    const placement = currentPlacement(vm);
    const host = placement === undefined ? undefined : this.#cloud.hosts.find(placement.hostId);
    if (host !== undefined) this.look(host);
  }

  /** What faults hold on a host from now on. */
  look(host: Host): void {
    const { judge, journal, clock } = this.#cloud;
    if (!judge.armed('host')) return;
    for (;;) {
      const suffered = new Set(host.troubles.map(({ fault }) => fault));
      const verdict = judge.hold(this.#thing(host), ({ id }) => suffered.has(id));
      if (verdict === undefined) return;
      const { fault, effect } = verdict;
      const cause = journal.append('fault', `host/${host.id}`, { fault: fault.id, do: effect.do });
      clock.because(cause, () => this.#begin(host, fault.id, effect));
    }
  }

  #thing(host: Host): Attempt<'host'> {
    const vms = Array.from(host.vms, (id) => this.#cloud.vms.get(id).state);
    return {
      layer: 'host',
      host: host.name,
      state: host.state,
      label: (key) => host.template.get(key),
      states: { host: host.state, vm: vms },
    };
  }

  #begin(host: Host, fault: string, effect: HostEffect): void {
    switch (effect.do) {
      case 'down':
      case 'flapping':
        this.#set(host, { ...NO_TROUBLE, fault });
        this.#turn(host, fault, true, effect);
        return;
      case 'capacity': {
        const { cpu = 0, memoryMiB = 0, factor = 1 } = effect;
        const lostCpu = cpu * 100 + host.totalCpu * (1 - factor);
        this.#set(host, {
          ...NO_TROUBLE,
          fault,
          lostCpu: Math.round(lostCpu),
          lostMemKb: Math.round(memoryMiB * 1024 + host.totalMemKb * (1 - factor)),
        });
        return;
      }
      case 'degraded':
        this.#set(host, { ...NO_TROUBLE, fault, slowness: effect.factor });
        return;
      default:
        effect satisfies never;
    }
  }

  #happens(host: Host, { fault: id, silent }: HostEvent): void {
    if (id === null) {
      if (host.state === 'MONITORED' || host.state === 'INIT') {
        this.#cloud.clock.because(host.because, () => setHostState(this.#cloud, host, 'ERROR'));
      }
      return;
    }
    const effect = this.#cloud.judge.find(id)?.effect as HostEffect | undefined;
    if (effect !== undefined) this.#turn(host, id, silent, effect);
  }

  /** A host falls silent because of a fault, or answers again as far as that fault goes. */
  #turn(host: Host, fault: string, silent: boolean, effect: HostEffect): void {
    const was = isSilent(host);
    this.#set(host, { ...NO_TROUBLE, fault, silent });
    if (effect.do === 'flapping') this.#later(silent ? effect.downMs : effect.upMs, host, fault, !silent);
    this.#heard(host, was);
  }

  /** What follows when a host has fallen silent, or answers again. */
  #heard(host: Host, was: boolean): void {
    const is = isSilent(host);
    if (was === is) return;
    const cloud = this.#cloud;
    const cause = cloud.journal.append(is ? 'host.silent' : 'host.answers', `host/${host.id}`);
    host.because = cause;
    cloud.clock.because(cause, () => {
      this.#respan(host);
      if (is) {
        for (const id of host.vms) cloud.driver.interrupt(cloud.vms.get(id), host);
        this.#later(PATIENCE_MS, host, null, true);
      } else {
        this.#cancel(host, null);
        if (host.state === 'ERROR') setHostState(cloud, host, 'MONITORED');
      }
    });
  }

  /** Guests stop with their host, and go on with it. */
  #respan(host: Host): void {
    const cloud = this.#cloud;
    const zombies = [...cloud.troubles.zombies].filter(([, on]) => on === host.id).map(([id]) => id);
    for (const id of [...host.vms, ...zombies]) {
      const vm = cloud.vms.find(id);
      if (vm === undefined) continue;
      const runs = guestRuns(cloud, vm);
      if (hasGuest(vm) && !runs) closeSpan(cloud, vm);
      else if (!hasGuest(vm) && runs) openSpan(cloud, vm, false);
    }
  }

  #heal(host: Host, { id }: Fault): void {
    if (!host.troubles.some(({ fault }) => fault === id)) return;
    const was = isSilent(host);
    this.#cancel(host, id);
    host.troubles = host.troubles.filter(({ fault }) => fault !== id);
    this.#cloud.hostUpdated(host);
    this.#heard(host, was);
    this.#cloud.scheduler.look();
  }

  #set(host: Host, trouble: HostTrouble): void {
    host.troubles = [...host.troubles.filter(({ fault }) => fault !== trouble.fault), trouble];
    this.#cloud.hostUpdated(host);
  }

  #later(delayMs: number, host: Host, fault: string | null, silent: boolean): void {
    this.#timers.set(keyOf(host.id, fault), this.#schedule(delayMs, { host: host.id, fault, silent }));
  }

  #cancel(host: Host, fault: string | null): void {
    const timer = this.#timers.get(keyOf(host.id, fault));
    if (timer !== undefined) this.#cloud.clock.cancel(timer);
    this.#timers.delete(keyOf(host.id, fault));
  }
}

const keyOf = (host: number, fault: string | null): string => `${host} ${fault ?? ''}`;
