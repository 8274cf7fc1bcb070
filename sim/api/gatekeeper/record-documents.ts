/** Records as the API shows them: the vnfr of a function instance and the nsr of a service instance. Mirrors `vnfr-schema-01` and `nsr-schema-01`. */
import type { Random } from '../../kernel/random.ts';
import type { Cloud } from '../../one/cloud.ts';
import { isObject, type Json, type JsonObject } from '../../one/flow/json.ts';
import type { Nic } from '../../one/vm/vm.ts';
import { type Catalogue, timestamp } from './catalogue.ts';
import type { Descriptor, FunctionInstance, ServiceInstance } from './furnishing.ts';
import { type Listing, pageOf } from './paging.ts';
import type { Records, Revision } from './records.ts';

interface DocumentsWorld {
  readonly random: Random;
  readonly cloud: Pick<Cloud, 'vms'>;
  readonly functions: Catalogue;
  readonly services: Catalogue;
  readonly records: Records;
}

/** How many records of a kind there are, some of them in order of creation, and one of them. */
export interface RecordDocuments {
  count(): number;
  page(paging: Listing['paging']): readonly JsonObject[];
  find(uuid: string): JsonObject | undefined;
}

/** By the kind in a path. */
export function recordDocuments(world: DocumentsWorld): Readonly<Record<'functions' | 'services', RecordDocuments>> {
  const { random, cloud, functions, services, records } = world;
  // All of it runs in one cloud, which has a name of its own in the platform.
  const vim = random.uuid('gatekeeper.vim', 0);

  const vnfr = (instance: FunctionInstance): JsonObject => {
    const vnfd = functions.find(instance.functionUuid)?.descriptor;
    const units = listOf(vnfd?.virtual_deployment_units).filter(isObject);
    return {
      ...commonOf(instance, records.revisionOf(instance)),
      descriptor_reference: instance.functionUuid,
      descriptor_version: 'vnfr-schema-01',
      ...picked(vnfd, ['virtual_links', 'lifecycle_events']),
      virtual_deployment_units: instance.vdus.map(({ id, vnfcs }): JsonObject => {
        const unit = units.find((each) => each.id === id);
        const points = listOf(unit?.connection_points).filter(isObject);
        return {
          id,
          vdu_reference: `${vnfd?.name ?? instance.functionUuid}:${id}`,
          number_of_instances: vnfcs.length,
          ...picked(unit, ['vm_image', 'resource_requirements', 'monitoring_parameters']),
          vnfc_instance: vnfcs.map((vnfc): JsonObject => {
            const nics = cloud.vms.find(vnfc.vmId)?.nics ?? [];
            return { id: vnfc.id, vim_id: vim, vc_id: vnfc.vcId, connection_points: connected(points, nics) };
          }),
        };
      }),
    };
  };

  const nsr = (instance: ServiceInstance): JsonObject => ({
    ...commonOf(instance, records.revisionOf(instance)),
    descriptor_reference: instance.serviceUuid,
    descriptor_version: 'nsr-schema-01',
    network_functions: instance.functionInstances.map((uuid) => ({ vnfr_id: uuid })),
    ...picked(services.find(instance.serviceUuid)?.descriptor, [
      'connection_points',
      'forwarding_graphs',
      'monitoring_parameters',
      'virtual_links',
    ]),
  });

  return {
    functions: {
      count: () => records.functionInstances.length,
      page: (paging) => pageOf(records.functionInstances, paging).map(vnfr),
      find: (uuid) => mapped(records.functionInstance(uuid), vnfr),
    },
    services: {
      count: () => records.serviceInstances.length,
      page: (paging) => pageOf(records.serviceInstances, paging).map(nsr),
      find: (uuid) => mapped(records.serviceInstance(uuid), nsr),
    },
  };
}

const mapped = <T, U>(value: T | undefined, act: (value: T) => U): U | undefined =>
  value === undefined ? undefined : act(value);

function commonOf(
  { uuid, createdAt }: FunctionInstance | ServiceInstance,
  { status, version, updatedAt }: Revision,
): JsonObject {
  return {
    uuid,
    status,
    version: `${version}`,
    created_at: timestamp(createdAt),
    updated_at: timestamp(updatedAt),
  };
}

const listOf = (value: Json | undefined): Json[] => (Array.isArray(value) ? value : []);

/** What is copied from a descriptor, as far as it is there. */
function picked(from: Descriptor | JsonObject | undefined, keys: readonly string[]): JsonObject {
  const found = keys.filter((key) => from !== undefined && Object.hasOwn(from, key));
  return Object.fromEntries(found.map((key) => [key, from?.[key] ?? null]));
}

/** What a guest assumes that is not told its network's mask. */
const USUAL_MASK = '255.255.255.0';

/** The connection points of a VDU with the addresses of a machine: its first NIC is the first of them. */
function connected(points: readonly JsonObject[], nics: readonly Nic[]): JsonObject[] {
  const interfaces = nics.filter(({ alias }) => alias === null);
  return interfaces.slice(0, points.length).map((nic, i): JsonObject => {
    const { id = `eth${i}`, type = 'internal' } = points[i] ?? {};
    const floating = nic.source.get('EXTERNAL_IP');
    const address = floating ?? nic.ip ?? nic.ip6Global ?? nic.ip6Ula ?? nic.ip6 ?? nic.ip6Link;
    // A floating address is none of the guest's own, so there is no mask to it.
    const netmask = floating === undefined && nic.ip !== null ? { netmask: nic.guest.get('MASK') ?? USUAL_MASK } : {};
    return { id, type, interface: { address, hardware_address: nic.mac, ...netmask } };
  });
}
