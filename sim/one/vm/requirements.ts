/**
 * The requirements that oned adds to those of a VM, so that it can reach its images and networks: AUTOMATIC_REQUIREMENTS
 * and its cousins. Mirrors `VirtualMachine::automatic_requirements` of OpenNebula 6.10.
 */
import { remembered } from '../../kernel/remembered.ts';
import type { Cloud } from '../cloud.ts';
import { OneError } from '../error.ts';
import type { Vm } from './vm.ts';

type Placed = Pick<Vm, 'disks' | 'nics'>;

/** Of the host. The scheduler joins them with the VM's own SCHED_REQUIREMENTS. */
export function automaticRequirements(cloud: Cloud, vm: Placed): string {
  const clusters = commonClusters(cloud, vm);
  return clusters === undefined ? ANYWHERE : hostIn(clusters.join());
}

const ANYWHERE = '!(PUBLIC_CLOUD = YES) & !(PIN_POLICY = PINNED)';

/** Of the system datastore: as of networks, and once its disks have come back from a host, that they can go out again. */
export function automaticDatastores(cloud: Cloud, vm: Placed & Pick<Vm, 'history'>): string {
  const clusters = automaticClusters(cloud, vm);
  const back = vm.history.slice(0, -1).findLast(({ eetime }) => eetime > 0);
  return back === undefined || clusters === '' ? clusters : `${clusters} & (TM_MAD = "${back.tmMad}")`;
}

/** Of networks, and of the system datastore; empty when the VM has nothing to reach. */
export function automaticClusters(cloud: Cloud, vm: Placed): string {
  const clusters = commonClusters(cloud, vm);
  return clusters === undefined ? '' : heldBy(clusters.join());
}

// There are few sets of clusters, and many VMs: each text is written once.
const hostIn = remembered((ids) => `(${either('CLUSTER_ID =', ids)}) & ${ANYWHERE}`);
const heldBy = remembered((ids) => `(${either('"CLUSTERS/ID" @>', ids)})`);

const either = (comparison: string, ids: string): string =>
  (ids === '' ? [] : ids.split(',')).map((id) => `${comparison} ${id}`).join(' | ');

/**
 * @param before what the calling operation writes before the reason
 * @throws OneError when there is no cluster from which the VM could reach all that it has
 */
export function requireCommonCluster(cloud: Cloud, vm: Placed, code: 'INTERNAL' | 'ACTION', before = ''): void {
  if (commonClusters(cloud, vm)?.length === 0) throw new OneError(code, `${before}Incompatible cluster IDs.`);
}

/** The clusters in which everything is that the VM has, in order of id; undefined when it has nothing to reach. */
export function commonClusters(cloud: Cloud, vm: Placed): number[] | undefined {
  const places = needs(cloud, vm);
  const [first] = places;
  if (first === undefined) return undefined;
  const common: number[] = [];
  for (const id of first) if (isIn(places, id)) common.push(id);
  return common.length < 2 ? common : common.sort((a, b) => a - b);
}

function isIn(places: readonly ReadonlySet<number>[], cluster: number): boolean {
  for (const clusters of places) if (!clusters.has(cluster)) return false;
  return true;
}

/** Where each thing is that the VM has. */
function needs(cloud: Cloud, { disks, nics }: Placed): ReadonlySet<number>[] {
  const places: ReadonlySet<number>[] = [];
  for (const { imageId } of disks) {
    const image = imageId === null ? undefined : cloud.images.find(imageId);
    const datastore = image && cloud.datastores.find(image.datastoreId);
    if (datastore !== undefined) places.push(datastore.clusters);
  }
  for (const { networkId } of nics) {
    const vnet = networkId === null ? undefined : cloud.vnets.find(networkId);
    if (vnet !== undefined) places.push(vnet.clusters);
  }
  return places;
}
