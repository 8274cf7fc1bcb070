/**
 * What goes wrong with services beyond their VMs: deployments that OneFlow refuses, warnings without a reason, cooldowns
 * that do not end, services that OneFlow does not know any more. When the fault behind it ends, all is as before.
 */
import type { Attempt, Fault } from '../../faults/fault.ts';
import type { Effect, Selector } from '../../faults/schema.ts';
import type { Cloud } from '../cloud.ts';
import { nodeIds, type Service, serviceState } from './service.ts';
import type { Wait } from './service-wait.ts';

type FlowEffect = Effect<'oneflow'>;
type Operation = NonNullable<Selector<'oneflow'>['operation']>;

/** What one fault has done to a service. */
interface Mark {
  readonly fault: string;
  readonly do: FlowEffect['do'];
  /** The cooldown that does not end. */
  readonly wait: Wait | null;
}

/** What a service undergoes. */
interface Deeds {
  warn(service: Service): void;
  calm(service: Service): void;
  /** A cooldown ends at last. */
  warmed(wait: Wait): void;
}

export class ServiceTroubles {
  readonly #cloud: Cloud;
  readonly #find: (id: number) => Service | undefined;
  readonly #deeds: Deeds;
  readonly #lookLater: (delayMs: number, service: number) => unknown;
  /** By the service's id. */
  readonly #marks = new Map<number, readonly Mark[]>();

  constructor(cloud: Cloud, find: (id: number) => Service | undefined, deeds: Deeds) {
    this.#cloud = cloud;
    this.#find = find;
    this.#deeds = deeds;
    this.#lookLater = cloud.clock.channel<number>('flow.trouble', (id) => this.#look(id));
    cloud.judge.follow('oneflow', {
      began: () => {
        for (const { id } of cloud.documents) this.#look(id);
      },
      ended: (fault) => {
        for (const id of [...this.#marks.keys()]) this.#heal(id, fault);
      },
    });
  }

  state(): ReadonlyMap<number, readonly Mark[]> {
    return this.#marks;
  }

  restore(marks: ReadonlyMap<number, readonly Mark[]>): void {
    for (const [id, of] of marks) this.#marks.set(id, of);
  }

  /** Whether OneFlow does not know the service any more. */
  isLost(id: number): boolean {
    return this.#marks.size > 0 && this.#suffers(id, 'lost');
  }

  /** The service has come into another state: once that is over, faults are looked for that hold on it now. */
  changed(service: Service): void {
    if (this.#cloud.judge.armed('oneflow')) this.#lookLater(0, service.id);
  }

  /** Why a role is not deployed. */
  refusal(service: Service, operation: Operation): string | undefined {
    const { judge } = this.#cloud;
    const verdict = judge.armed('oneflow') ? judge.judge(this.#thing(service, operation)) : undefined;
    if (verdict?.effect.do !== 'fail-deploying') return undefined;
    this.#journal(service, verdict.fault, verdict.effect);
    return verdict.effect.message ?? 'Cannot deploy';
  }

  /** Whether a cooldown that is over does not end. */
  staysCold(service: Service, wait: Wait): boolean {
    const { judge } = this.#cloud;
    const verdict = judge.armed('oneflow') ? judge.hold(this.#thing(service, 'scale')) : undefined;
    if (verdict?.effect.do !== 'cooldown-stuck') return false;
    this.#journal(service, verdict.fault, verdict.effect);
    this.#mark(service.id, { fault: verdict.fault.id, do: 'cooldown-stuck', wait });
    return true;
  }

  #look(id: number): void {
    const service = this.#find(id);
    if (service === undefined) return;
    const { judge, clock } = this.#cloud;
    const marked = (fault: Fault<'oneflow'>): boolean =>
      this.#marks.get(id)?.some((mark) => mark.fault === fault.id) === true;
    for (;;) {
      const verdict = judge.hold(this.#thing(service, 'watchdog'), marked);
      if (verdict === undefined) return;
      const { fault, effect } = verdict;
      this.#mark(id, { fault: fault.id, do: effect.do, wait: null });
      clock.because(this.#journal(service, fault, effect), () => {
        if (effect.do === 'warning' && serviceState(service) === 'RUNNING') this.#deeds.warn(service);
      });
    }
  }

  #heal(id: number, { id: fault }: Fault): void {
    const marks = this.#marks.get(id) ?? [];
    const rest = marks.filter((mark) => mark.fault !== fault);
    if (rest.length === 0) this.#marks.delete(id);
    else this.#marks.set(id, rest);
    const service = this.#find(id);
    if (service === undefined) return;
    for (const { do: what, wait } of marks.filter((mark) => mark.fault === fault)) {
      if (what === 'warning' && serviceState(service) === 'WARNING') this.#deeds.calm(service);
      if (wait !== null && serviceState(service) === 'COOLDOWN') this.#deeds.warmed(wait);
    }
  }

  #suffers(id: number, what: FlowEffect['do']): boolean {
    return this.#marks.get(id)?.some((mark) => mark.do === what) === true;
  }

  #mark(id: number, mark: Mark): void {
    this.#marks.set(id, [...(this.#marks.get(id) ?? []), mark]);
  }

  #journal(service: Service, fault: Fault<'oneflow'>, effect: FlowEffect): number {
    return this.#cloud.journal.append('fault', `service/${service.id}`, { fault: fault.id, do: effect.do });
  }

  #thing(service: Service, operation: Operation): Attempt<'oneflow'> {
    const cloud = this.#cloud;
    const state = serviceState(service);
    const vms = service.body.roles.flatMap((role) => nodeIds(role).flatMap((id) => cloud.vms.find(id)?.state ?? []));
    return {
      layer: 'oneflow',
      operation,
      service: service.id,
      name: service.body.name,
      user: cloud.users.find(service.uid)?.name ?? '',
      state,
      states: { service: state, vm: vms },
    };
  }
}
