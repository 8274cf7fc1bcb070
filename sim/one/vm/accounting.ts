/** What VMs have used, and who is told: monitoring, accounting and showback. Mirrors `RequestManagerPoolInfoFilter.cc` and `VirtualMachinePool.cc` of OpenNebula 6.10. */
import { allows, authorize, forbidden } from '../access/acl.ts';
import type { Caller } from '../access/user.ts';
import type { Cloud } from '../cloud.ts';
import { listed } from '../owned.ts';
import type { Host } from '../resources/host.ts';
import { type Placement, type Vm, vmInfo } from './vm.ts';

/** A history record with the VM whose it is. */
export interface AccountingRecord {
  readonly vm: Vm;
  readonly placement: Placement;
}

/** Those in DONE as well, the oldest first, as the database has them. */
function everyVm(cloud: Cloud, caller: Caller, filter: number): Vm[] {
  return listed(cloud, caller, cloud.vms, 'VM', { filter, start: -1, end: -1 }).reverse();
}

function vmMonitoring(cloud: Cloud, caller: Caller, id: number): Vm {
  return vmInfo(cloud, caller, id);
}

/** @param _seconds how far back to look: -1 all the way, 0 for the last sample */
function vmPoolMonitoring(cloud: Cloud, caller: Caller, filter: number, _seconds = -1): Vm[] {
  return everyVm(cloud, caller, filter);
}

function hostMonitoring(cloud: Cloud, caller: Caller, id: number): Host {
  const object = cloud.hosts.get(id);
  authorize(cloud, caller, { right: 'USE', type: 'HOST', object });
  return object;
}

function hostPoolMonitoring(cloud: Cloud, caller: Caller, _seconds = -1): Host[] {
  return [...cloud.hosts].filter((object) => allows(cloud, caller, { right: 'USE', type: 'HOST', object }));
}

/** The records that reach into a time, in seconds since the epoch; -1 for an open end. */
function accounting(cloud: Cloud, caller: Caller, filter: number, start: number, end: number): AccountingRecord[] {
  return everyVm(cloud, caller, filter).flatMap((vm) =>
    vm.history
      .filter(({ stime, etime }) => (start < 0 || etime === 0 || etime > start) && (end < 0 || stime < end))
      .map((placement) => ({ vm, placement })),
  );
}

/** Nothing has a price here, so there is nothing to show. */
function showback(cloud: Cloud, caller: Caller, filter: number, ..._months: [number, number, number, number]): [] {
  everyVm(cloud, caller, filter);
  return [];
}

function calculateShowback(_cloud: Cloud, caller: Caller, ..._months: [number, number, number, number]): string {
  if (!caller.admin) throw forbidden(caller, 'Action reserved for group 0 only');
  return '';
}

export const ACCOUNTING_OPERATIONS = {
  'one.vm.monitoring': vmMonitoring,
  'one.vmpool.monitoring': vmPoolMonitoring,
  'one.vmpool.accounting': accounting,
  'one.vmpool.showback': showback,
  'one.vmpool.calculateshowback': calculateShowback,
  'one.host.monitoring': hostMonitoring,
  'one.hostpool.monitoring': hostPoolMonitoring,
} as const;
