/** Instances for those who steer the platform and do not ask it: started and ended at once, without a request. */
import type { JsonObject } from '../../one/flow/json.ts';
import type { Catalogue } from './catalogue.ts';
import type { FunctionInstance, ServiceInstance } from './furnishing.ts';
import type { Instances } from './instances.ts';
import { NotInstantiated } from './instantiation.ts';
import { type Records, vmIdsOf } from './records.ts';

interface DoorWorld {
  readonly functions: Catalogue;
  readonly services: Catalogue;
  readonly records: Records;
  readonly instances: Instances;
}

/** What has been started, or why nothing has. */
type Started = { readonly instance: JsonObject } | { readonly refused: string };

export interface InstanceDoor {
  /** Instances of services, and of functions that are part of none, with their status and the ids of their VMs. */
  list(): readonly JsonObject[];
  find(uuid: string): JsonObject | undefined;
  /** undefined when no service and no function has that uuid. */
  start(uuid: string): Started | undefined;
  /** False when no instance has that uuid. */
  end(uuid: string): boolean;
}

export function instanceDoor({ functions, services, records, instances }: DoorWorld): InstanceDoor {
  const ofFunction = (instance: FunctionInstance): JsonObject => ({
    uuid: instance.uuid,
    function: instance.functionUuid,
    status: records.revisionOf(instance).status,
    vms: vmIdsOf(instance),
  });
  const partsOf = ({ functionInstances }: ServiceInstance): FunctionInstance[] =>
    functionInstances.flatMap((uuid) => records.functionInstance(uuid) ?? []);
  const ofService = (instance: ServiceInstance): JsonObject => ({
    uuid: instance.uuid,
    service: instance.serviceUuid,
    status: records.revisionOf(instance).status,
    vms: partsOf(instance).flatMap(vmIdsOf),
    functionInstances: partsOf(instance).map(ofFunction),
  });
  const start = (uuid: string): JsonObject | undefined => {
    const service = services.find(uuid);
    if (service !== undefined) return ofService(instances.startService(service));
    const element = functions.find(uuid);
    return element && ofFunction(instances.startFunction(element));
  };

  return {
    list() {
      const inServices = new Set(records.serviceInstances.flatMap(({ functionInstances }) => functionInstances));
      const alone = records.functionInstances.filter(({ uuid }) => !inServices.has(uuid));
      return [...records.serviceInstances.map(ofService), ...alone.map(ofFunction)];
    },
    find(uuid) {
      const service = records.serviceInstance(uuid);
      if (service !== undefined) return ofService(service);
      const instance = records.functionInstance(uuid);
      return instance && ofFunction(instance);
    },
    start(uuid) {
      try {
        const instance = start(uuid);
        return instance && { instance };
      } catch (error) {
        if (error instanceof NotInstantiated) return { refused: error.message };
        throw error;
      }
    },
    end: (uuid) => instances.end(uuid),
  };
}
