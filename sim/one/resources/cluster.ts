/** Clusters: hosts with the datastores and networks they can use. Mirrors `Cluster.cc` and `RequestManagerCluster.cc` of OpenNebula 6.10. */
import { authorize, type Guarded } from '../access/acl.ts';
import type { ObjectType } from '../access/acl-rule.ts';
import type { Caller } from '../access/user.ts';
import type { Cloud } from '../cloud.ts';
import { OneError } from '../error.ts';
import { nameProblem, namesake, refuse, taken } from '../name.ts';
import { collision, updateTemplate, usable } from '../owned.ts';
import { Template } from '../syntax/syntax.ts';

export interface Cluster {
  readonly id: number;
  name: string;
  readonly hosts: Set<number>;
  readonly datastores: Set<number>;
  readonly vnets: Set<number>;
  /** GRAPHICS/PORT of VMs in the cluster, with the VM that has it. */
  readonly ports: Map<number, number>;
  template: Template;
}

const DEFAULT_ID = 0;
/** Ids below belong to what every OpenNebula has. */
const FIRST_OWN_ID = 100;

export function bootstrapClusters(cloud: Cloud): void {
  add(cloud, 'default', DEFAULT_ID);
}

function add(cloud: Cloud, name: string, firstId: number): Cluster {
  return cloud.clusters.add((id) => ({
    id: Math.max(id, firstId),
    name,
    hosts: new Set<number>(),
    datastores: new Set<number>(),
    vnets: new Set<number>(),
    ports: new Map<number, number>(),
    template: new Template([
      { name: 'RESERVED_CPU', value: '' },
      { name: 'RESERVED_MEM', value: '' },
    ]),
  }));
}

function reach(cloud: Cloud, caller: Caller, id: number, right: 'USE' | 'ADMIN'): Cluster {
  if (id < 0) authorize(cloud, caller, { right, type: 'CLUSTER' });
  const cluster = cloud.clusters.get(id);
  authorize(cloud, caller, { right, type: 'CLUSTER', object: cluster });
  return cluster;
}

function info(cloud: Cloud, caller: Caller, id: number): Cluster {
  return reach(cloud, caller, id, 'USE');
}

function poolInfo(cloud: Cloud, caller: Caller): Cluster[] {
  return usable(cloud, caller, cloud.clusters, 'CLUSTER');
}

function allocate(cloud: Cloud, caller: Caller, name: string): number {
  authorize(cloud, caller, { right: 'CREATE', type: 'CLUSTER' });
  const other = namesake(cloud.clusters, 'pool', name);
  refuse(nameProblem(name), other === undefined ? undefined : taken('CLUSTER', other));
  return add(cloud, name, FIRST_OWN_ID).id;
}

function remove(cloud: Cloud, caller: Caller, id: number): number {
  const cluster = cloud.clusters.get(id);
  authorize(cloud, caller, { right: 'ADMIN', type: 'CLUSTER', object: cluster });
  const cannot = (why: string) => new OneError('ACTION', `Cannot delete cluster. ${why}`);
  if (id < FIRST_OWN_ID) throw cannot('System Clusters (ID < 100) cannot be deleted.');
  for (const what of ['hosts', 'datastores', 'vnets'] as const) {
    const { size } = cluster[what];
    if (size > 0) throw cannot(`Cluster ${id} is not empty, it contains ${size} ${what}.`);
  }
  cloud.clusters.delete(id);
  cloud.acl.forgetObject('CLUSTER', id);
  return id;
}

function update(cloud: Cloud, caller: Caller, id: number, text: string, type = 0): number {
  updateTemplate(reach(cloud, caller, id, 'ADMIN'), text, type);
  cloud.scheduler.look();
  return id;
}

function rename(cloud: Cloud, caller: Caller, id: number, name: string): number {
  const cluster = cloud.clusters.get(id);
  if (cluster.name === name) return id;
  authorize(cloud, caller, { right: 'ADMIN', type: 'CLUSTER', object: cluster });
  const other = namesake(cloud.clusters, 'pool', name);
  if (other !== undefined) throw new OneError('ACTION', collision('cluster', name, other.id));
  const problem = nameProblem(name);
  if (problem !== undefined) throw new OneError('ACTION', problem);
  cluster.name = name;
  return id;
}

/** Members that may be in several clusters at once, or in none. */
const SHARED = {
  datastores: { type: 'DATASTORE', find: (cloud: Cloud, id: number) => cloud.datastores.get(id) },
  vnets: { type: 'NET', find: (cloud: Cloud, id: number) => cloud.vnets.get(id) },
} as const;

function setMember(
  cloud: Cloud,
  caller: Caller,
  id: number,
  kind: keyof typeof SHARED,
  memberId: number,
  member: boolean,
): number {
  const { type, find } = SHARED[kind];
  const cluster = cloud.clusters.get(id);
  const object = find(cloud, memberId);
  administer(cloud, caller, cluster, type, object);
  if (member) {
    object.clusters.add(id);
    cluster[kind].add(memberId);
  } else {
    object.clusters.delete(id);
    cluster[kind].delete(memberId);
  }
  cloud.scheduler.look();
  return id;
}

/** A host is in one cluster: where it is taken out it falls to the default one. Returns the cluster it is in then. */
function moveHost(cloud: Cloud, caller: Caller, id: number, hostId: number): number {
  const cluster = cloud.clusters.get(id);
  const host = cloud.hosts.get(hostId);
  administer(cloud, caller, cluster, 'HOST', host);
  cloud.clusters.find(host.clusterId)?.hosts.delete(hostId);
  host.clusterId = id;
  cluster.hosts.add(hostId);
  for (const vmId of host.vms) {
    const history = cloud.vms.find(vmId)?.history ?? [];
    const last = history.pop();
    if (last !== undefined) history.push({ ...last, clusterId: id });
  }
  cloud.scheduler.look();
  return id;
}

function administer(cloud: Cloud, caller: Caller, cluster: Cluster, type: ObjectType, object: Guarded): void {
  authorize(cloud, caller, { right: 'ADMIN', type: 'CLUSTER', object: cluster }, { right: 'ADMIN', type, object });
}

const member =
  (kind: keyof typeof SHARED, value: boolean) =>
  (cloud: Cloud, caller: Caller, id: number, memberId: number): number =>
    setMember(cloud, caller, id, kind, memberId, value);

export const CLUSTER_OPERATIONS = {
  'one.cluster.allocate': allocate,
  'one.cluster.delete': remove,
  'one.cluster.update': update,
  'one.cluster.rename': rename,
  'one.cluster.info': info,
  'one.clusterpool.info': poolInfo,
  'one.cluster.addhost': moveHost,
  'one.cluster.delhost': (cloud: Cloud, caller: Caller, _id: number, hostId: number): number =>
    moveHost(cloud, caller, DEFAULT_ID, hostId),
  'one.cluster.adddatastore': member('datastores', true),
  'one.cluster.deldatastore': member('datastores', false),
  'one.cluster.addvnet': member('vnets', true),
  'one.cluster.delvnet': member('vnets', false),
} as const;
