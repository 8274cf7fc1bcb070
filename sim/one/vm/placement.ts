/** Where a VM is: the capacity it holds on a host, and the history of its placements. Mirrors `History.h` and `HostShare.cc` of OpenNebula 6.10. */

import type { Caller } from '../access/user.ts';
import { appended } from '../appended.ts';
import type { Cloud } from '../cloud.ts';
import { OneError } from '../error.ts';
import { capacity, type Host } from '../resources/host.ts';
import { ACTION_NUMBERS, type HistoryAction } from './lifecycle.ts';
import type { Placement, Vm } from './vm.ts';

export const currentPlacement = (vm: Vm): Placement | undefined => vm.history.at(-1);

/** The host that holds capacity for the VM now; of two during a migration, the one it goes to. */
export function hostOf(cloud: Cloud, vm: Vm): Host | undefined {
  const placement = currentPlacement(vm);
  return placement === undefined ? undefined : holding(cloud, vm, placement);
}

/** The host of a placement, if it holds capacity for the VM. */
function holding(cloud: Cloud, vm: Vm, { hostId }: Placement): Host | undefined {
  const host = cloud.hosts.find(hostId);
  return host?.vms.has(vm.id) ? host : undefined;
}

/** What a VM takes of a host, in the host's units. */
const share = (vm: { cpu: number; memoryMiB: number }): { cpu: number; memKb: number } => ({
  cpu: Math.round(vm.cpu * 100),
  memKb: vm.memoryMiB * 1024,
});

/** What VMs may take of a host: what it has, less what the host's or its cluster's RESERVED_ attributes keep. */
export function limits(cloud: Cloud, host: Host): { cpu: number; memKb: number } {
  const cluster = cloud.clusters.find(host.clusterId);
  const reserved = (name: string): string | undefined => host.template.get(name) || cluster?.template.get(name);
  const { cpu, memKb } = capacity(host);
  return {
    cpu: cpu - amount(reserved('RESERVED_CPU'), cpu),
    memKb: memKb - amount(reserved('RESERVED_MEM'), memKb),
  };
}

/** An amount, or with % a share of the total. */
function amount(text: string | undefined, total: number): number {
  if (!text) return 0;
  const number = Number.parseFloat(text);
  if (Number.isNaN(number)) return 0;
  return text.trim().endsWith('%') ? Math.floor((total * number) / 100) : number;
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

function occupy(cloud: Cloud, host: Host, vm: Vm, sign: 1 | -1): void {
  const { cpu, memKb } = share(vm);
  host.usedCpu += sign * cpu;
  host.usedMemKb += sign * memKb;
  if (sign === 1) host.vms.add(vm.id);
  else host.vms.delete(vm.id);
  cloud.hostUpdated(host);
}

/** Changes the VM's capacity, and what it holds of its host. */
export function setCapacity(cloud: Cloud, vm: Vm, to: Pick<Vm, 'cpu' | 'vcpu' | 'memoryMiB'>): void {
  const host = hostOf(cloud, vm);
  if (host !== undefined) occupy(cloud, host, vm, -1);
  vm.cpu = to.cpu;
  vm.vcpu = to.vcpu;
  vm.memoryMiB = to.memoryMiB;
  if (host !== undefined) occupy(cloud, host, vm, 1);
  cloud.vmCapacityChanged(vm);
  cloud.scheduler.look();
}

/** Begins a history record on a host and takes the host's capacity. */
export function place(cloud: Cloud, vm: Vm, host: Host, datastoreId: number): Placement {
  occupy(cloud, host, vm, 1);
  const tmMad = cloud.datastores.find(datastoreId)?.tmMad ?? 'dummy';
  const placement = record(vm.history.length, host, tmMad, datastoreId, cloud.seconds);
  vm.history = appended(vm.history, placement);
  return placement;
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

/** Notes on the current record what is being done to the VM, and on whose behalf. */
export function mark(cloud: Cloud, vm: Vm, action: HistoryAction, caller?: Caller): void {
  const placement = currentPlacement(vm);
  if (placement === undefined) return;
  placement.action = ACTION_NUMBERS[action];
  placement.uid = caller?.uid ?? -1;
  placement.gid = caller?.gid ?? -1;
  placement.requestId = caller === undefined ? -1 : cloud.clock.cause;
}

/** Ends the record of a VM that is on a host, and begins the next on the same host. */
export function turnPage(cloud: Cloud, vm: Vm): void {
  const host = hostOf(cloud, vm);
  if (host === undefined) return;
  const next = turnTo(cloud, vm, host);
  next.rstime = next.stime;
  if (vm.state === 'POWEROFF' || vm.state === 'SUSPENDED') next.retime = next.stime;
}

function turnTo(cloud: Cloud, vm: Vm, host: Host): Placement {
  const placement = currentPlacement(vm);
  if (placement === undefined) throw new Error(`VM ${vm.id} has not been on any host`);
  const now = cloud.seconds;
  placement.etime = now;
  placement.retime ||= now;
  const next = record(vm.history.length, host, placement.tmMad, placement.datastoreId, now);
  vm.history = appended(vm.history, next);
  return next;
}

/**
 * Ends the record of a VM and begins the next on another host, whose capacity it takes.
 * @param keep whether it may still have to go back, and so keeps its place where it is
 */
export function moveTo(cloud: Cloud, vm: Vm, host: Host, keep: boolean): void {
  turnTo(cloud, vm, host);
  occupy(cloud, host, vm, 1);
  if (!keep) leavePreviousHost(cloud, vm);
}

/** A migration has come to where there is no way back. */
export function leavePreviousHost(cloud: Cloud, vm: Vm): void {
  const previous = vm.history.at(-2);
  if (previous === undefined || previous.hostId === currentPlacement(vm)?.hostId) return;
  free(cloud, vm, previous);
}

/** A migration has failed: a new record on the host the VM came from. False when that host is gone. */
export function moveBack(cloud: Cloud, vm: Vm): boolean {
  const here = currentPlacement(vm);
  const from = vm.history.at(-2);
  const host = from === undefined ? undefined : cloud.hosts.find(from.hostId);
  if (here === undefined || host === undefined) return false;
  turnTo(cloud, vm, host);
  if (!host.vms.has(vm.id)) occupy(cloud, host, vm, 1);
  if (here.hostId !== host.id) free(cloud, vm, here);
  return true;
}

/** Gives back what the VM holds of its hosts and ends the open record. */
export function leaveHost(cloud: Cloud, vm: Vm): void {
  const placement = currentPlacement(vm);
  if (placement === undefined) return;
  if (placement.etime === 0) {
    placement.etime = cloud.seconds;
    if (placement.rstime > 0) placement.retime ||= cloud.seconds;
  }
  leavePreviousHost(cloud, vm);
  free(cloud, vm, placement);
}

function free(cloud: Cloud, vm: Vm, placement: Placement): void {
  const host = holding(cloud, vm, placement);
  if (host === undefined) return;
  occupy(cloud, host, vm, -1);
  cloud.scheduler.look();
}

/** @throws OneError ACTION when the VM does not fit on the host */
export function requireFit(cloud: Cloud, host: Host, vm: Vm): void {
  const why = misfit(cloud, host, vm);
  if (why !== undefined) {
    throw new OneError('ACTION', `virtual machine [${vm.id}] does not fit in host [${host.id}]. ${why}`);
  }
}
