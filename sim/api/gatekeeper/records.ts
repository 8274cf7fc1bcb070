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

export class Records {
  readonly #clock: Clock;
  readonly #vms: Machines['vms'];
  readonly #functions: Catalogue;
  readonly #instances: ReadonlyMap<string, FunctionInstance>;
  readonly #serviceInstances: ReadonlyMap<string, ServiceInstance>;
  /** By the uuid of a function or service instance. */
  readonly #revisions = new Map<string, Revision>();
  /** By VM: the function instance that it is part of. */
  readonly #byVm = new Map<number, FunctionInstance>();
  /** By function instance: the service instances that consist of it and others. */
  readonly #around = new Map<string, ServiceInstance[]>();

  constructor({ clock, cloud, furnishing }: RecordsWorld, functions: Catalogue) {
    this.#clock = clock;
    this.#vms = cloud.vms;
    this.#functions = functions;
    this.#instances = new Map(furnishing.instances.map((instance) => [instance.uuid, instance]));
    this.#serviceInstances = new Map(furnishing.serviceInstances.map((instance) => [instance.uuid, instance]));
    for (const instance of furnishing.instances) {
      for (const vmId of vmIdsOf(instance)) this.#byVm.set(vmId, instance);
      this.#begin(instance, this.#statusOf(instance));
    }
    for (const service of furnishing.serviceInstances) {
      for (const uuid of service.functionInstances) {
        this.#around.set(uuid, [...(this.#around.get(uuid) ?? []), service]);
      }
      this.#begin(service, this.#statusOfService(service));
    }
    cloud.observe({ vmState: (vm) => this.#follow(vm) });
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
    this.#revise(instance, this.#statusOf(instance));
    for (const service of this.#around.get(instance.uuid) ?? []) this.#revise(service, this.#statusOfService(service));
  }

  #begin({ uuid, createdAt }: FunctionInstance | ServiceInstance, status: Status): void {
    this.#revisions.set(uuid, { status, version: 1, updatedAt: createdAt });
  }

  #revise(record: FunctionInstance | ServiceInstance, status: Status): void {
    const before = this.revisionOf(record);
    if (status === before.status) return;
    this.#revisions.set(record.uuid, { status, version: before.version + 1, updatedAt: this.#clock.now });
  }

  #statusOf(instance: FunctionInstance): Status {
    return together(vmIdsOf(instance).map((id) => statusOfVm(this.#vms.find(id))));
  }

  #statusOfService({ functionInstances }: ServiceInstance): Status {
    return together(functionInstances.map((uuid) => this.revisionOf({ uuid }).status));
  }
}

const vmIdsOf = ({ vdus }: FunctionInstance): number[] => vdus.flatMap(({ vnfcs }) => vnfcs.map(({ vmId }) => vmId));

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
