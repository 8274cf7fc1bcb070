/** Where a VM is: the capacity it holds on a host, and the history of its placements. Mirrors `History.h` and `HostShare.cc` of OpenNebula 6.10. */
import type { Cloud } from './cloud.ts';
import { OneError } from './error.ts';
import type { Host } from './host.ts';
import { ACTION_NUMBERS, type HistoryAction } from './lifecycle.ts';
import type { Caller } from './user.ts';
import type { Placement, Vm } from './vm.ts';

export const currentPlacement = (vm: Vm): Placement | undefined => vm.history.at(-1);

/** The host that holds capacity for the VM now. */
export function hostOf(cloud: Cloud, vm: Vm): Host | undefined {
  const placement = currentPlacement(vm);
  return placement === undefined || placement.etime > 0 ? undefined : cloud.hosts.find(placement.hostId);
}

/** What a VM takes of a host, in the host's units. */
const share = (vm: { cpu: number; memoryMiB: number }): { cpu: number; memKb: number } => ({
  cpu: Math.round(vm.cpu * 100),
  memKb: vm.memoryMiB * 1024,
});

/** What VMs may take of a host: what it has, less what the host's or its cluster's RESERVED_ attributes keep. */
export function limits(cloud: Cloud, host: Host): { cpu: number; memKb: number } {
  const cluster = cloud.clusters.find(host.clusterId);
  const reserved = (name: string, total: number): number => {
    const text = host.template.get(name) || cluster?.template.get(name) || '0';
    const number = Number.parseFloat(text);
    if (Number.isNaN(number)) return 0;
    return text.trim().endsWith('%') ? Math.floor((total * number) / 100) : number;
  };
  return {
    cpu: host.totalCpu - reserved('RESERVED_CPU', host.totalCpu),
    memKb: host.totalMemKb - reserved('RESERVED_MEM', host.totalMemKb),
  };
}

/** Why a VM does not fit on a host, in oned's words; `undefined` when it does. `freed` is what it gives back there. */
export function misfit(
  cloud: Cloud,
  host: Host,
  wanted: { cpu: number; memoryMiB: number },
  freed?: { cpu: number; memoryMiB: number },
): string | undefined {
  const max = limits(cloud, host);
  const need = share(wanted);
  const back = freed === undefined ? { cpu: 0, memKb: 0 } : share(freed);
  const cpu = max.cpu - host.usedCpu + back.cpu;
  const memKb = max.memKb - host.usedMemKb + back.memKb;
  if (need.cpu > cpu) return `Not enough CPU: ${need.cpu}/${cpu}`;
  if (need.memKb > memKb) return `Not enough memory: ${need.memKb}/${memKb}`;
  return undefined;
}

function occupy(host: Host, vm: Vm, sign: 1 | -1): void {
  const { cpu, memKb } = share(vm);
  host.usedCpu += sign * cpu;
  host.usedMemKb += sign * memKb;
  if (sign === 1) host.vms.add(vm.id);
  else host.vms.delete(vm.id);
}

/** Changes the VM's capacity, and what it holds of its host. */
export function setCapacity(cloud: Cloud, vm: Vm, to: Pick<Vm, 'cpu' | 'vcpu' | 'memoryMiB'>): void {
  const host = hostOf(cloud, vm);
  if (host !== undefined) occupy(host, vm, -1);
  vm.cpu = to.cpu;
  vm.vcpu = to.vcpu;
  vm.memoryMiB = to.memoryMiB;
  if (host !== undefined) occupy(host, vm, 1);
}

/** Begins a history record on a host and takes the host's capacity. */
export function place(cloud: Cloud, vm: Vm, host: Host, datastoreId: number): void {
  occupy(host, vm, 1);
  const tmMad = cloud.datastores.find(datastoreId)?.tmMad ?? 'dummy';
  vm.history.push(record(vm.history.length, host, tmMad, datastoreId, cloud.seconds));
}

function record(seq: number, host: Host, tmMad: string, datastoreId: number, stime: number): Placement {
  return {
    seq,
    hostId: host.id,
    hostname: host.name,
    clusterId: host.clusterId,
    vmMad: host.vmMad,
    tmMad,
    datastoreId,
    stime,
    etime: 0,
    pstime: 0,
    petime: 0,
    rstime: 0,
    retime: 0,
    estime: 0,
    eetime: 0,
    action: 0,
    uid: -1,
    gid: -1,
    requestId: -1,
  };
}

/** Notes on the open record which call is ending it. */
export function mark(cloud: Cloud, vm: Vm, action: HistoryAction, caller?: Caller): void {
  const placement = currentPlacement(vm);
  if (placement === undefined) return;
  placement.action = ACTION_NUMBERS[action];
  if (caller === undefined) return;
  placement.uid = caller.uid;
  placement.gid = caller.gid;
  placement.requestId = cloud.clock.cause;
}

/** Ends the open record with the call that ends it, and begins the next one on the same host or on another. */
export function turnPage(cloud: Cloud, vm: Vm, action: HistoryAction, caller: Caller | undefined, to?: Host): void {
  const placement = currentPlacement(vm);
  if (placement === undefined) return;
  mark(cloud, vm, action, caller);
  const now = cloud.seconds;
  const from = cloud.hosts.find(placement.hostId);
  placement.etime = now;
  if (placement.retime === 0) placement.retime = now;
  const host = to ?? from;
  if (host === undefined) throw new Error(`VM ${vm.id} is on host ${placement.hostId}, which does not exist`);
  if (host !== from) {
    if (from !== undefined) occupy(from, vm, -1);
    occupy(host, vm, 1);
  }
  const next = record(vm.history.length, host, placement.tmMad, placement.datastoreId, now);
  if (host === from) next.rstime = now;
  vm.history.push(next);
}

/** A migration has failed: a new record on the host the VM came from. */
export function moveBack(cloud: Cloud, vm: Vm): void {
  const from = vm.history.at(-2);
  const host = from === undefined ? undefined : cloud.hosts.find(from.hostId);
  if (host !== undefined) turnPage(cloud, vm, 'migrate', undefined, host);
}

/** Gives back what the VM holds of its host and ends the open record. */
export function leaveHost(cloud: Cloud, vm: Vm): void {
  const placement = currentPlacement(vm);
  if (placement === undefined || placement.etime > 0) return;
  placement.etime = cloud.seconds;
  if (placement.rstime > 0 && placement.retime === 0) placement.retime = cloud.seconds;
  const host = cloud.hosts.find(placement.hostId);
  if (host !== undefined) occupy(host, vm, -1);
  cloud.scheduler.look();
}

/** @throws OneError ACTION when the VM does not fit on the host */
export function requireFit(cloud: Cloud, host: Host, vm: Vm): void {
  const why = misfit(cloud, host, vm);
  if (why !== undefined) {
    throw new OneError('ACTION', `virtual machine [${vm.id}] does not fit in host [${host.id}]. ${why}`);
  }
}
