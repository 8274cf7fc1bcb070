/**
 * Scales services by themselves: every minute and a half the policies of each running service are looked at, and what
 * they ask for is done on behalf of its owner. Mirrors `ServiceAutoScaler.rb` and `scale?` of OneFlow 6.10. While no
 * running service has policies, nothing is in the event queue.
 */
import { refill } from '../../kernel/held.ts';
import type { Cloud } from '../cloud.ts';
import type { Vm } from '../vm/vm.ts';
import { evaluate, parseExpression } from './elasticity.ts';
import { isObject, type Json, type JsonObject } from './json.ts';
import { cronFires, timeOf } from './schedule.ts';
import { nodeIds, type Role, type Service, serviceState } from './service.ts';

const INTERVAL_MS = 90_000;

/** By how much a role's number of VMs is to change, and how long it cools down afterwards, in seconds. */
interface Wanted {
  readonly change: number;
  readonly cooldown: number | undefined;
}

const NOTHING: Wanted = { change: 0, cooldown: undefined };

export class Autoscaler {
  readonly #cloud: Cloud;
  readonly #find: (id: number) => Service | undefined;
  readonly #scale: (service: Service, role: Role, to: number) => void;
  readonly #next: (delayMs: number, event: null) => unknown;
  /** Services with policies. */
  readonly #services = new Set<number>();
  #ticking = false;

  /**
   * @param find a stored service by id
   * @param scale does what a policy asks for; a refusal is its own affair
   */
  constructor(
    cloud: Cloud,
    find: (id: number) => Service | undefined,
    scale: (service: Service, role: Role, to: number) => void,
  ) {
    this.#cloud = cloud;
    this.#find = find;
    this.#scale = scale;
    this.#next = cloud.clock.channel<null>('flow.autoscaler', () => this.#round());
  }

  state(): { readonly services: ReadonlySet<number>; readonly ticking: boolean } {
    return { services: this.#services, ticking: this.#ticking };
  }

  restore({ services, ticking }: ReturnType<Autoscaler['state']>): void {
    refill(this.#services, services);
    this.#ticking = ticking;
  }

  /** A service runs from now on. */
  runs(service: Service): void {
    if (!service.body.roles.some(hasPolicies)) return;
    this.#services.add(service.id);
    this.#tick();
  }

  #tick(): void {
    if (this.#ticking) return;
    this.#ticking = true;
    this.#next(INTERVAL_MS, null);
  }

  #round(): void {
    this.#ticking = false;
    for (const id of this.#services) {
      const service = this.#find(id);
      if (service === undefined || !service.body.roles.some(hasPolicies)) this.#services.delete(id);
      else if (serviceState(service) === 'RUNNING') {
        this.#tick();
        for (const role of service.body.roles) this.#look(service, role);
      }
    }
  }

  #look(service: Service, role: Role): void {
    const { change, cooldown } = this.#wanted(role);
    if (change === 0) return;
    if (cooldown !== undefined) role.cooldown = cooldown;
    this.#scale(service, role, role.cardinality + change);
  }

  /** Scheduled policies come first, then those of elasticity, then the least number of VMs. */
  #wanted(role: Role): Wanted {
    for (const policy of policiesOf(role, 'scheduled_policies')) {
      const wanted = this.#scheduled(role, policy);
      if (wanted.change !== 0) return wanted;
    }
    for (const policy of policiesOf(role, 'elasticity_policies')) {
      const wanted = this.#elastic(role, policy);
      if (wanted.change !== 0) return { ...wanted, cooldown: wanted.cooldown ?? role.cooldown };
    }
    const least = integer(role.min_vms);
    return role.cardinality < least ? { change: least - role.cardinality, cooldown: 0 } : NOTHING;
  }

  /** A time counts when it lies between the last look and this one; the first look only begins to count. */
  #scheduled(role: Role, policy: JsonObject): Wanted {
    const now = this.#cloud.seconds;
    const last = integer(policy.last_eval);
    policy.last_eval = now;
    if (last === 0) return NOTHING;
    const { start_time: start, recurrence } = policy;
    const time = typeof start === 'string' && start !== '' ? timeOf(start) : undefined;
    const due =
      time !== undefined
        ? time > last && time <= now
        : typeof recurrence === 'string' && cronFires(recurrence, last, now);
    return due
      ? { change: newCardinality(role, policy) - role.cardinality, cooldown: optional(policy.cooldown) }
      : NOTHING;
  }

  /** An expression has to hold as often in a row as the policy says. */
  #elastic(role: Role, policy: JsonObject): Wanted {
    const now = this.#cloud.seconds;
    if (now < integer(policy.last_eval) + integer(policy.period)) return NOTHING;
    policy.last_eval = now;
    const parsed = parseExpression(String(policy.expression));
    if ('failure' in parsed) return NOTHING;
    const vms = nodeIds(role)
      .map((id) => this.#cloud.vms.find(id))
      .filter((vm) => vm?.state === 'RUNNING');
    const { value, text } = evaluate(parsed.expression, (name) =>
      average(vms.map((vm) => vm && attribute(this.#cloud, vm, name))),
    );
    const needed = integer(policy.period_number);
    const held = value ? Math.min(integer(policy.true_evals) + 1, needed) : 0;
    policy.true_evals = held;
    policy.expression_evaluated = text;
    if (!value || held < needed) return NOTHING;
    return { change: newCardinality(role, policy) - role.cardinality, cooldown: optional(policy.cooldown) };
  }
}

const hasPolicies = (role: Role): boolean =>
  integer(role.min_vms) > 0 ||
  policiesOf(role, 'elasticity_policies').length > 0 ||
  policiesOf(role, 'scheduled_policies').length > 0;

const policiesOf = (role: Role, key: 'elasticity_policies' | 'scheduled_policies'): JsonObject[] => {
  const policies = role[key];
  return Array.isArray(policies) ? policies.filter(isObject) : [];
};

const integer = (value: Json | undefined): number => (typeof value === 'number' ? value : 0);
const optional = (value: Json | undefined): number | undefined => (typeof value === 'number' ? value : undefined);

/** What a policy makes of a role's number of VMs, within the role's bounds in the direction it goes. */
function newCardinality({ cardinality, min_vms: min, max_vms: max }: Role, policy: JsonObject): number {
  const adjust = integer(policy.adjust);
  const wanted = adjusted(cardinality, adjust, policy);
  if (adjust > 0) return Math.min(wanted, Math.max(cardinality, integer(max)));
  return adjust < 0 ? Math.max(wanted, integer(min)) : wanted;
}

function adjusted(cardinality: number, adjust: number, { type, min_adjust_step: least }: JsonObject): number {
  switch (type) {
    case 'CHANGE':
      return cardinality + adjust;
    case 'CARDINALITY':
      return adjust;
    case 'PERCENTAGE_CHANGE': {
      const change = (cardinality * adjust) / 100;
      const step = Math.max(1, Math.trunc(Math.abs(change)), integer(least));
      return cardinality + (change > 0 ? step : -step);
    }
    default:
      return cardinality;
  }
}

/** The attribute of a VM that an expression means: what its user wrote, what is measured, what it was made with. */
function attribute(cloud: Cloud, vm: Vm, name: string): number | undefined {
  const { cpu, vcpu, memoryMiB, id, uid, gid, stime, etime } = vm;
  const made = new Map<string, number | null>(Object.entries({ CPU: cpu, VCPU: vcpu, MEMORY: memoryMiB, VMID: id }));
  const fields = new Map(Object.entries({ ID: id, UID: uid, GID: gid, STIME: stime, ETIME: etime }));
  const value =
    vm.userTemplate.get(name) ??
    cloud.monitored(id, name) ??
    made.get(name) ??
    vm.template.get(name) ??
    fields.get(name);
  // An empty text is none, and hides what else there may be.
  return value === undefined || value === '' ? undefined : Number.parseFloat(String(value)) || 0;
}

/** Of those that have it, to two digits. */
function average(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  if (known.length === 0) return undefined;
  return Math.round((known.reduce((sum, value) => sum + value, 0) / known.length) * 100) / 100;
}
