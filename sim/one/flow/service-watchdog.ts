/** Looks after the VMs of services that run: what changes by itself is noticed a reaction time later. Mirrors `ServiceWatchDog.rb` of OneFlow 6.10. */
import { refill } from '../../kernel/held.ts';
import type { Cloud } from '../cloud.ts';
import { failureOf, type State } from '../vm/lifecycle.ts';
import type { Vm } from '../vm/vm.ts';
import { nodeIds, type Role, roleNamed, roleState, type Service } from './service.ts';

/** What a VM of a service has become. */
export type Sight = 'error' | 'done' | 'running';

interface Sighting {
  readonly service: number;
  readonly role: string;
  readonly vm: number;
  readonly sight: Sight;
}

/** States of a VM in which its service is no longer well. Those of failure come on top. */
const WORRYING: ReadonlySet<State> = new Set(['POWEROFF', 'UNKNOWN']);

export class Watchdog {
  readonly #cloud: Cloud;
  readonly #find: (id: number) => Service | undefined;
  readonly #watched = new Set<number>();
  readonly #bark: (delayMs: number, sighting: Sighting) => void;

  /**
   * @param find a stored service by id
   * @param react is told what a VM of a watched service has become
   */
  constructor(
    cloud: Cloud,
    find: (id: number) => Service | undefined,
    react: (service: Service, role: Role, vm: number, sight: Sight) => void,
  ) {
    this.#cloud = cloud;
    this.#find = find;
    this.#bark = cloud.clock.channel<Sighting>('flow.watchdog', ({ service: id, role: name, vm, sight }) => {
      const service = this.#watched.has(id) ? find(id) : undefined;
      const role = service === undefined ? undefined : roleNamed(service, name);
      if (service !== undefined && role !== undefined) react(service, role, vm, sight);
    });
  }

  state(): ReadonlySet<number> {
    return this.#watched;
  }

  restore(watched: ReadonlySet<number>): void {
    refill(this.#watched, watched);
  }

  /** Watches a service from now on; what its VMs are already is looked at once. */
  watch(service: Service): void {
    this.#watched.add(service.id);
    for (const role of service.body.roles) {
      for (const id of nodeIds(role)) {
        const vm = this.#cloud.vms.find(id);
        const sight = vm === undefined ? 'done' : sightOf(vm);
        if (sight !== undefined && !(sight === 'running' && roleState(role) === 'RUNNING')) {
          this.#see({ service: service.id, role: role.name, vm: id, sight });
        }
      }
    }
  }

  unwatch(service: Service): void {
    this.#watched.delete(service.id);
  }

  /** A VM has entered a state. */
  vmState(service: number, vm: Vm): void {
    const sight = this.#watched.has(service) ? sightOf(vm) : undefined;
    if (sight === undefined) return;
    const role = this.#find(service)?.body.roles.find(({ nodes }) => nodes.some((node) => node.deploy_id === vm.id));
    if (role !== undefined) this.#see({ service, role: role.name, vm: vm.id, sight });
  }

  #see(sighting: Sighting): void {
    this.#bark(this.#cloud.config.timing.flowReactionMs, sighting);
  }
}

function sightOf(vm: Vm): Sight | undefined {
  if (vm.state === 'DONE') return 'done';
  if (vm.state === 'RUNNING') return 'running';
  return WORRYING.has(vm.state) || failureOf(vm.state) !== undefined ? 'error' : undefined;
}
