/** The records of what runs, and how their status follows the machines behind them. Mirrors the repositories that `son-gtkrec` asks. */
import type { Clock } from '../../kernel/clock.ts';
import type { Cloud } from '../../one/cloud.ts';
import { failureOf, GUEST_STATES } from '../../one/vm/lifecycle.ts';
import type { Vm } from '../../one/vm/vm.ts';
import { Refusal } from './answer.ts';
import type { Catalogue } from './catalogue.ts';
import type { CatalogueElement, FunctionInstance, ServiceInstance } from './furnishing.ts';

export type Status = 'offline' | 'normal operation' | 'degraded operation' | 'failed' | 'terminated';

/** What changes in a record. */
export interface Revision {
  readonly status: Status;
  /** Raised with every change. */
  readonly version: number;
  readonly updatedAt: number;
}

/** What of the cloud the records depend on. */
type Machines = Pick<Cloud, 'vms' | 'observe'>;

export interface RecordsWorld {
  readonly clock: Clock;
  readonly cloud: Machines;
  readonly furnishing: {
    readonly instances: readonly FunctionInstance[];
    readonly serviceInstances: readonly ServiceInstance[];
  };
}

/** Is told of a service instance of which a part has another status. */
type Listener = (instance: ServiceInstance) => void;

/** Beyond so many function instances the oldest that are terminated are forgotten. */
const MOST_INSTANCES = 10_000;

interface RecordsState {
  readonly instances: Map<string, FunctionInstance>;
  readonly serviceInstances: Map<string, ServiceInstance>;
  readonly revisions: Map<string, Revision>;
  readonly byVm: Map<number, FunctionInstance>;
  readonly around: Map<string, ServiceInstance[]>;
}

export class Records {
  readonly #clock: Clock;
  readonly #vms: Machines['vms'];
  readonly #functions: Catalogue;
  #instances = new Map<string, FunctionInstance>();
  #serviceInstances = new Map<string, ServiceInstance>();
  /** By the uuid of a function or service instance. */
  #revisions = new Map<string, Revision>();
  /** By VM: the function instance that it is part of. */
  #byVm = new Map<number, FunctionInstance>();
  /** By function instance: the service instances that consist of it and others. */
  #around = new Map<string, ServiceInstance[]>();
  readonly #listeners: Listener[] = [];

  constructor({ clock, cloud, furnishing }: RecordsWorld, functions: Catalogue) {
    this.#clock = clock;
    this.#vms = cloud.vms;
    this.#functions = functions;
    for (const instance of furnishing.instances) this.add(instance);
    for (const service of furnishing.serviceInstances) this.addService(service);
    cloud.observe({ vmState: (vm) => this.#follow(vm) });
  }

  state(): RecordsState {
    const [instances, serviceInstances, revisions] = [this.#instances, this.#serviceInstances, this.#revisions];
    return { instances, serviceInstances, revisions, byVm: this.#byVm, around: this.#around };
  }

  /** In the place of all that it holds. */
  restore({ instances, serviceInstances, revisions, byVm, around }: RecordsState): void {
    this.#instances = instances;
    this.#serviceInstances = serviceInstances;
    this.#revisions = revisions;
    this.#byVm = byVm;
    this.#around = around;
  }

  /** A function instance, with its machines. */
  add(instance: FunctionInstance): void {
    if (this.#instances.size >= MOST_INSTANCES) this.#forgetOldest();
    this.#instances.set(instance.uuid, instance);
    for (const vmId of vmIdsOf(instance)) this.#byVm.set(vmId, instance);
    this.#begin(instance, this.#statusOf(instance));
  }

  /** A service instance, whose function instances are there. */
  addService(service: ServiceInstance): void {
    this.#serviceInstances.set(service.uuid, service);
    for (const uuid of service.functionInstances) {
      this.#around.set(uuid, [...(this.#around.get(uuid) ?? []), service]);
    }
    this.#begin(service, this.#statusOfService(service));
  }

  /** Forgets a service instance and what it consists of. */
  removeService(service: ServiceInstance): void {
    this.#serviceInstances.delete(service.uuid);
    this.#revisions.delete(service.uuid);
    for (const uuid of service.functionInstances) this.remove(uuid);
  }

  /** Forgets a function instance. */
  remove(uuid: string): void {
    const instance = this.#instances.get(uuid);
    if (instance === undefined) return;
    this.#instances.delete(uuid);
    this.#revisions.delete(uuid);
    this.#around.delete(uuid);
    for (const vmId of vmIdsOf(instance)) this.#byVm.delete(vmId);
  }

  listen(listener: Listener): void {
    this.#listeners.push(listener);
  }

  /** In order of creation. */
  get functionInstances(): readonly FunctionInstance[] {
    return [...this.#instances.values()];
  }

  get serviceInstances(): readonly ServiceInstance[] {
    return [...this.#serviceInstances.values()];
  }

  functionInstance(uuid: string): FunctionInstance | undefined {
    return this.#instances.get(uuid);
  }

  serviceInstance(uuid: string): ServiceInstance | undefined {
    return this.#serviceInstances.get(uuid);
  }

  revisionOf({ uuid }: { readonly uuid: string }): Revision {
    const revision = this.#revisions.get(uuid);
    if (revision === undefined) throw new Error(`there is no record ${uuid}`);
    return revision;
  }

  /** The function that an instance is of. @throws Refusal 404 */
  functionOf(uuid: string): CatalogueElement {
    const record = this.#instances.get(uuid);
    if (record === undefined) throw new Refusal(404, `Record ${uuid} not found`);
    const element = this.#functions.find(record.functionUuid);
    // Named by its instance, as the server does.
    if (element === undefined) throw new Refusal(404, `Function ${uuid} not found`);
    return element;
  }

  /** The uuid of a record that refers to an element of the catalogue. */
  referrerOf(element: string): string | undefined {
    const ofService = this.serviceInstances.find(({ serviceUuid }) => serviceUuid === element);
    return (ofService ?? this.functionInstances.find(({ functionUuid }) => functionUuid === element))?.uuid;
  }

  #follow(vm: Vm): void {
    const instance = this.#byVm.get(vm.id);
    if (instance === undefined) return;
    if (!this.#revise(instance, this.#statusOf(instance))) return;
    const services = this.#around.get(instance.uuid) ?? [];
    for (const service of services) this.#revise(service, this.#statusOfService(service));
    for (const service of services) for (const listener of this.#listeners) listener(service);
  }

  /** The oldest function instance that has ended, with its service instance when all of that has. */
  #forgetOldest(): void {
    for (const { uuid } of this.#instances.values()) {
      if (this.revisionOf({ uuid }).status !== 'terminated') continue;
      const services = this.#around.get(uuid) ?? [];
      if (services.some((service) => this.revisionOf(service).status !== 'terminated')) continue;
      for (const service of services) this.removeService(service);
      this.remove(uuid);
      return;
    }
  }

  #begin({ uuid, createdAt }: FunctionInstance | ServiceInstance, status: Status): void {
    this.#revisions.set(uuid, { status, version: 1, updatedAt: createdAt });
  }

  /** Whether it has changed. */
  #revise(record: FunctionInstance | ServiceInstance, status: Status): boolean {
    const before = this.revisionOf(record);
    if (status === before.status) return false;
    this.#revisions.set(record.uuid, { status, version: before.version + 1, updatedAt: this.#clock.now });
    return true;
  }

  #statusOf(instance: FunctionInstance): Status {
    return together(vmIdsOf(instance).map((id) => statusOfVm(this.#vms.find(id))));
  }

  #statusOfService({ functionInstances }: ServiceInstance): Status {
    return together(functionInstances.map((uuid) => this.revisionOf({ uuid }).status));
  }
}

export const vmIdsOf = ({ vdus }: FunctionInstance): number[] =>
  vdus.flatMap(({ vnfcs }) => vnfcs.map(({ vmId }) => vmId));

/** A machine that the cloud has forgotten has been gone for long. */
function statusOfVm(vm: Vm | undefined): Status {
  if (vm === undefined || vm.state === 'DONE') return 'terminated';
  if (vm.state === 'UNKNOWN' || failureOf(vm.state) !== undefined) return 'failed';
  return GUEST_STATES.has(vm.state) ? 'normal operation' : 'offline';
}

/** The status of what consists of parts with these. */
export function together(parts: readonly Status[]): Status {
  const [first = 'normal operation'] = parts;
  if (parts.every((status) => status === first)) return first;
  if (parts.some((status) => status === 'normal operation' || status === 'degraded operation')) {
    return 'degraded operation';
  }
  return parts.includes('failed') ? 'failed' : 'offline';
}
