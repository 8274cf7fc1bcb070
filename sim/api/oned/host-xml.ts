/** HOST and its MONITORING, CLUSTER, ZONE and VDC. Mirrors `Host.cc`, `HostShare.cc` and their neighbours of OpenNebula 6.10. */
import type { VmSample } from '../../metrics/monitoring.ts';
import type { Cloud } from '../../one/cloud.ts';
import type { Cluster } from '../../one/resources/cluster.ts';
import { capacity, HOST_STATES, type Host } from '../../one/resources/host.ts';
import type { Standing } from '../../one/resources/zone.ts';
import { type Attribute, Template } from '../../one/syntax/syntax.ts';
import { limits } from '../../one/vm/placement.ts';
import { cdata, element, ids, templateXml } from './xml.ts';

/** What the probe of a host has seen last, and the samples of the VMs on it at the time. */
export interface HostSample {
  /** Seconds since the Unix epoch. */
  readonly timestamp: number;
  readonly vms: readonly VmSample[];
}

export function hostXml(cloud: Cloud, host: Host, sample: HostSample | undefined): string {
  const state = HOST_STATES[host.state];
  return (
    `<HOST><ID>${host.id}</ID><NAME>${host.name}</NAME><STATE>${state}</STATE><PREV_STATE>${state}</PREV_STATE>` +
    `${cdata('IM_MAD', host.imMad)}${cdata('VM_MAD', host.vmMad)}<CLUSTER_ID>${host.clusterId}</CLUSTER_ID>` +
    `<CLUSTER>${cloud.clusters.find(host.clusterId)?.name ?? ''}</CLUSTER>${share(cloud, host)}` +
    `${ids('VMS', host.vms)}${templateXml(described(cloud, host))}` +
    `${sample === undefined ? '<MONITORING/>' : hostSampleXml(host, sample)}</HOST>`
  );
}

/** An offline host has no capacity; what VMs hold of it stays. */
function share(cloud: Cloud, host: Host): string {
  const off = host.state === 'OFFLINE';
  const total = capacity(host);
  const max = off ? { memKb: 0, cpu: 0 } : limits(cloud, host);
  const system = cloud.datastores.find(0);
  return element(
    'HOST_SHARE',
    `<MEM_USAGE>${host.usedMemKb}</MEM_USAGE><CPU_USAGE>${host.usedCpu}</CPU_USAGE>` +
      `<TOTAL_MEM>${total.memKb}</TOTAL_MEM><TOTAL_CPU>${total.cpu}</TOTAL_CPU>` +
      `<MAX_MEM>${max.memKb}</MAX_MEM><MAX_CPU>${max.cpu}</MAX_CPU>` +
      `<RUNNING_VMS>${host.vms.size}</RUNNING_VMS><VMS_THREAD>1</VMS_THREAD>` +
      element(
        'DATASTORES',
        cdata('DISK_USAGE', 0) +
          cdata('FREE_DISK', system?.freeMiB ?? 0) +
          cdata('MAX_DISK', system?.totalMiB ?? 0) +
          cdata('USED_DISK', system?.usedMiB ?? 0),
      ) +
      '<PCI_DEVICES></PCI_DEVICES><NUMA_NODES></NUMA_NODES>',
  );
}

/** What the probe says of a host is in its template, unless somebody has written something else there. */
function described(cloud: Cloud, host: Host): Template {
  const probed = [
    ['HOSTNAME', host.name],
    ['HYPERVISOR', host.vmMad],
    ['IM_MAD', host.imMad],
    ['RESERVED_CPU', ''],
    ['RESERVED_MEM', ''],
    ['VM_MAD', host.vmMad],
  ] as const;
  const missing = probed.filter(([name]) => !host.template.has(name)).map(([name, value]) => ({ name, value }));
  return new Template([...host.template, ...missing, ...zombies(cloud, host)]);
}

/** Guests that nobody should run there. */
function zombies(cloud: Cloud, host: Host): Attribute[] {
  const names = [...cloud.troubles.zombies].filter(([, on]) => on === host.id).map(([id]) => `one-${id}`);
  if (names.length === 0) return [];
  return [
    { name: 'TOTAL_ZOMBIES', value: String(names.length) },
    { name: 'ZOMBIES', value: names.join(', ') },
  ];
}

export function hostSampleXml(host: Host, { timestamp, vms }: HostSample): string {
  const sum = (of: (sample: VmSample) => number): number => vms.reduce((all, sample) => all + of(sample), 0);
  const cpu = Math.min(host.totalCpu, Math.round(sum((vm) => vm.cpu)));
  const memory = Math.min(
    host.totalMemKb,
    sum((vm) => vm.memoryKb),
  );
  const capacity =
    cdata('FREE_CPU', host.totalCpu - cpu) +
    cdata('FREE_MEMORY', host.totalMemKb - memory) +
    cdata('USED_CPU', cpu) +
    cdata('USED_MEMORY', memory);
  const system =
    cdata(
      'NETRX',
      sum((vm) => vm.netRx),
    ) +
    cdata(
      'NETTX',
      sum((vm) => vm.netTx),
    );
  return element(
    'MONITORING',
    element('TIMESTAMP', timestamp) +
      element('ID', host.id) +
      element('CAPACITY', capacity) +
      element('SYSTEM', system),
  );
}

export const clusterXml = ({ id, name, hosts, datastores, vnets, template }: Cluster): string =>
  `<CLUSTER><ID>${id}</ID><NAME>${name}</NAME>${ids('HOSTS', hosts)}${ids('DATASTORES', datastores)}` +
  `${ids('VNETS', vnets)}${templateXml(template)}</CLUSTER>`;

export const zoneXml = ({ id, name, template }: Standing): string =>
  `<ZONE><ID>${id}</ID><NAME>${name}</NAME><STATE>0</STATE>${templateXml(template)}<SERVER_POOL></SERVER_POOL></ZONE>`;

/** Every group but that of the administrators is in it, and every cluster of the zone, for which -10 stands. */
export function vdcXml(cloud: Cloud, { id, name, template }: Standing): string {
  const groups = Array.from(cloud.groups, (group) => group.id).filter((gid) => gid !== 0);
  const all = element('CLUSTER', element('ZONE_ID', 0) + element('CLUSTER_ID', -10));
  return (
    `<VDC><ID>${id}</ID><NAME>${name}</NAME>${ids('GROUPS', groups)}${element('CLUSTERS', all)}` +
    `<HOSTS></HOSTS><DATASTORES></DATASTORES><VNETS></VNETS>${templateXml(template)}</VDC>`
  );
}
