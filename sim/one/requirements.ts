/**
 * The requirements that oned adds to those of a VM, so that it can reach its images and networks: AUTOMATIC_REQUIREMENTS
 * and its cousins. Mirrors `VirtualMachine::automatic_requirements` of OpenNebula 6.10.
 */
import type { Cloud } from './cloud.ts';
import { OneError } from './error.ts';
import type { Vm } from './vm.ts';

type Placed = Pick<Vm, 'disks' | 'nics'>;

/** Of the host. The scheduler joins them with the VM's own SCHED_REQUIREMENTS. */
export function automaticRequirements(cloud: Cloud, vm: Placed): string {
  const clusters = clustersOf(cloud, vm).map((id) => `CLUSTER_ID = ${id}`);
  const anywhere = '!(PUBLIC_CLOUD = YES) & !(PIN_POLICY = PINNED)';
  return clusters.length === 0 ? anywhere : `(${clusters.join(' | ')}) & ${anywhere}`;
}

/** Of the system datastore and of networks; empty when the VM has nothing to place there. */
export function automaticClusters(cloud: Cloud, vm: Placed): string {
  const clusters = clustersOf(cloud, vm).map((id) => `"CLUSTERS/ID" @> ${id}`);
  return clusters.length === 0 ? '' : `(${clusters.join(' | ')})`;
}

/**
 * @param before what the calling operation writes before the reason
 * @throws OneError when there is no cluster from which the VM could reach all that it has
 */
export function requireCommonCluster(cloud: Cloud, vm: Placed, code: 'INTERNAL' | 'ACTION', before = ''): void {
  if (clustersOf(cloud, vm).length > 0 || needs(cloud, vm).length === 0) return;
  throw new OneError(code, `${before}Incompatible cluster IDs.`);
}

/** The clusters in which everything is that the VM has, in order of id. */
function clustersOf(cloud: Cloud, vm: Placed): number[] {
  const [first, ...others] = needs(cloud, vm);
  if (first === undefined) return [];
  return [...first].filter((id) => others.every((clusters) => clusters.has(id))).sort((a, b) => a - b);
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
