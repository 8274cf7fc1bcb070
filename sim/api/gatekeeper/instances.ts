/** Instances that are made and ended while the platform runs. Mirrors what SONATA's service and function life cycle managers do. */
import type { Clock } from '../../kernel/clock.ts';
import { hash, type Random } from '../../kernel/random.ts';
import type { Cloud } from '../../one/cloud.ts';
import type { Catalogue } from './catalogue.ts';
import type { CatalogueElement, FunctionInstance, ServiceInstance, Vim } from './furnishing.ts';
import { endMachines, instantiate, NotInstantiated, vdusOf } from './instantiation.ts';
import { functionsOf } from './package-archive.ts';
import { type Records, vmIdsOf } from './records.ts';

interface InstancesWorld {
  readonly clock: Clock;
  readonly random: Random;
  readonly cloud: Cloud;
  readonly vim: Vim;
  readonly functions: Catalogue;
  readonly services: Catalogue;
  readonly records: Records;
}

export class Instances {
  readonly #world: InstancesWorld;
  #made = 0;

  constructor(world: InstancesWorld) {
    this.#world = world;
  }

  state(): number {
    return this.#made;
  }

  restore(made: number): void {
    this.#made = made;
  }

  /** Instantiates a service: an instance of each of its functions, or nothing. @throws NotInstantiated */
  startService(service: CatalogueElement): ServiceInstance {
    const { clock, functions, records } = this.#world;
    const parts = functionsOf(service.descriptor).map((trio) => {
      const element = functions.named(trio);
      if (element !== undefined) return element;
      const { vendor, name, version } = trio;
      throw new NotInstantiated(`there is no function ${vendor} ${name} ${version}`, [0, 0]);
    });
    const made: FunctionInstance[] = [];
    for (const part of parts) {
      try {
        made.push(this.#machinesOf(part));
      } catch (error) {
        if (error instanceof NotInstantiated) for (const instance of made) this.#end(instance);
        throw error;
      }
    }
    for (const instance of made) records.add(instance);
    const uuid = this.#uuid();
    const functionInstances = made.map((instance) => instance.uuid);
    const instance = { uuid, serviceUuid: service.uuid, createdAt: clock.now, functionInstances };
    records.addService(instance);
    return instance;
  }

  /** Instantiates a function by itself. @throws NotInstantiated */
  startFunction(element: CatalogueElement): FunctionInstance {
    const instance = this.#machinesOf(element);
    this.#world.records.add(instance);
    return instance;
  }

  /** Ends the machines of a service or function instance. Its record stays, and says so. False when there is none. */
  end(uuid: string): boolean {
    const { records } = this.#world;
    const service = records.serviceInstance(uuid);
    const parts = (service?.functionInstances ?? [uuid]).flatMap((part) => records.functionInstance(part) ?? []);
    for (const part of parts) this.#end(part);
    return service !== undefined || parts.length > 0;
  }

  #machinesOf(element: CatalogueElement): FunctionInstance {
    const { clock, random, cloud, vim } = this.#world;
    const uuid = this.#uuid();
    const vdus = vdusOf(element.descriptor, (number) => vcIdOf(random, uuid, number));
    return instantiate(cloud, vim, { uuid, function: element, createdAt: clock.now, vdus });
  }

  #end(instance: FunctionInstance): void {
    endMachines(this.#world.cloud, vmIdsOf(instance));
  }

  #uuid(): string {
    return this.#world.random.uuid('gatekeeper.instance', this.#made++);
  }
}

/** The UUID of a machine of an instance, by its number. */
export const vcIdOf = (random: Random, instance: string, number: number): string =>
  random.uuid('gatekeeper.vc', hash(instance), number);
