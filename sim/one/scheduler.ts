/**
 * The scheduler: places PENDING VMs and moves those flagged for rescheduling, in rounds. Mirrors OpenNebula's
 * mm_sched. A round is due only while it could place something, so that an idle cloud has an empty queue.
 */

import { allows } from './acl.ts';
import type { Cloud } from './cloud.ts';
import { ctime } from './ctime.ts';
import { OneError } from './error.ts';
import { ExpressionProblem, matches, rank } from './expression.ts';
import type { Host } from './host.ts';
import { currentPlacement, limits, misfit } from './placement.ts';
import { automaticRequirements } from './requirements.ts';
import { callerOf } from './user.ts';
import type { Vm } from './vm.ts';

const ROUND: Record<string, never> = {};

export class Scheduler {
  readonly #cloud: Cloud;
  readonly #schedule: (delayMs: number, event: Record<string, never>) => unknown;
  readonly #epoch: number;
  /** VMs to be placed or moved, in the order in which they asked. */
  readonly #waiting = new Set<number>();
  #due = false;

  constructor(cloud: Cloud) {
    this.#cloud = cloud;
    this.#epoch = cloud.clock.now;
    this.#schedule = cloud.clock.channel('scheduler', () => {
      this.#due = false;
      this.#round();
    });
  }

  /** A VM wants a place. */
  wake(vm: Vm): void {
    this.#waiting.add(vm.id);
    this.look();
  }

  /** Something has changed that may let a waiting VM be placed: it is looked at in the next round. */
  look(): void {
    if (this.#due || this.#waiting.size === 0) return;
    this.#due = true;
    const interval = this.#cloud.config.timing.schedulerIntervalMs;
    const since = this.#cloud.clock.now - this.#epoch;
    this.#schedule(interval === 0 ? 0 : interval - (since % interval), ROUND);
  }

  #round(): void {
    const cloud = this.#cloud;
    const { maxDispatch, maxPerHost } = cloud.config;
    const hosts = [...cloud.hosts].filter((host) => host.state === 'MONITORED');
    const taken = new Map<number, number>();
    let open = hosts.length;
    let dispatched = 0;
    let cut = false;
    for (const id of this.#waiting) {
      if (dispatched >= maxDispatch || (open === 0 && hosts.length > 0)) {
        cut = true;
        break;
      }
      const vm = cloud.vms.find(id);
      if (vm === undefined || !wantsPlace(vm)) {
        this.#waiting.delete(id);
        continue;
      }
      const choice = this.#choose(vm, hosts);
      if (typeof choice === 'string') {
        this.#explain(vm, choice);
        continue;
      }
      const host = choice.find((candidate) => (taken.get(candidate.id) ?? 0) < maxPerHost);
      if (host === undefined) {
        cut = true;
        continue;
      }
      this.#waiting.delete(id);
      if (!this.#dispatch(vm, host)) continue;
      dispatched++;
      const count = (taken.get(host.id) ?? 0) + 1;
      taken.set(host.id, count);
      if (count >= maxPerHost) open--;
    }
    if (cut) this.look();
  }

  /** Hosts that may take the VM, best first; or why there is none, in the scheduler's words. */
  #choose(vm: Vm, hosts: Host[]): Host[] | string {
    const cloud = this.#cloud;
    if (hosts.length === 0) return 'Cannot dispatch VM: No hosts enabled to run VMs';
    const owner = callerOf(cloud, vm.uid);
    const allowed = hosts.filter((host) => allows(cloud, owner, { right: 'MANAGE', type: 'HOST', object: host }));
    if (allowed.length === 0) return 'Cannot dispatch VM: User is not authorized to use any host';
    const here = vm.resched ? currentPlacement(vm)?.hostId : undefined;
    const roomy = allowed.filter((host) => host.id !== here && misfit(cloud, host, vm) === undefined);
    if (roomy.length === 0) return 'Cannot dispatch VM: No host with enough capacity to deploy the VM';
    const own = vm.userTemplate.get('SCHED_REQUIREMENTS');
    const automatic = automaticRequirements(vm);
    const requirements = own === undefined ? automatic : `${automatic} & ( ${own} )`;
    try {
      const meeting = own === undefined ? roomy : roomy.filter((host) => matches(requirements, look(cloud, host)));
      if (meeting.length === 0) {
        return `Cannot dispatch VM: No host meets capacity and SCHED_REQUIREMENTS: ${requirements}`;
      }
      const ranking = vm.userTemplate.get('SCHED_RANK');
      const weight = (host: Host): number => weigh(cloud, host, ranking);
      // Of equals the youngest host comes first, as observed.
      return meeting
        .map((host) => ({ host, weight: weight(host) }))
        .sort((a, b) => b.weight - a.weight || b.host.id - a.host.id)
        .map(({ host }) => host);
    } catch (error) {
      if (!(error instanceof ExpressionProblem)) throw error;
      return `Error in SCHED_REQUIREMENTS: '${requirements}', error: ${error.message}`;
    }
  }

  #dispatch(vm: Vm, host: Host): boolean {
    const cloud = this.#cloud;
    try {
      if (vm.resched) cloud.run(cloud.root, 'one.vm.migrate', vm.id, host.id, false, false, -1, 0);
      else cloud.run(cloud.root, 'one.vm.deploy', vm.id, host.id, false, -1, '');
    } catch (error) {
      if (!(error instanceof OneError)) throw error;
      this.#explain(vm, `Cannot dispatch VM: ${error.message}`);
      return false;
    }
    if (vm.userTemplate.has('SCHED_MESSAGE')) vm.userTemplate.set('SCHED_MESSAGE', '');
    return true;
  }

  #explain(vm: Vm, why: string): void {
    vm.userTemplate.set('SCHED_MESSAGE', `${ctime(this.#cloud.seconds)}: ${why}`);
  }
}

const wantsPlace = (vm: Vm): boolean =>
  vm.state === 'PENDING' ||
  (vm.resched && (vm.state === 'RUNNING' || vm.state === 'POWEROFF' || vm.state === 'UNKNOWN'));

/** SCHED_RANK where it is given and can be read, else the shipped policy: the host with the fewest VMs first. */
function weigh(cloud: Cloud, host: Host, ranking: string | undefined): number {
  if (ranking !== undefined && ranking !== '') {
    try {
      return rank(ranking, look(cloud, host));
    } catch (error) {
      if (!(error instanceof ExpressionProblem)) throw error;
    }
  }
  return -host.vms.size;
}

type Value = string | number | undefined;

/** What an expression may ask of a host: its own fields, then its template. */
function look(cloud: Cloud, host: Host): (name: string) => Value {
  return (name) => HOST_VALUES[name]?.(host, cloud) ?? host.template.get(name) ?? clusterValue(cloud, host, name);
}

function clusterValue(cloud: Cloud, host: Host, name: string): string | undefined {
  return cloud.clusters.find(host.clusterId)?.template.get(name);
}

const HOST_VALUES: Readonly<Record<string, (host: Host, cloud: Cloud) => Value>> = {
  ID: (host) => host.id,
  NAME: (host) => host.name,
  HOSTNAME: (host) => host.name,
  CLUSTER_ID: (host) => host.clusterId,
  CLUSTER: (host, cloud) => cloud.clusters.find(host.clusterId)?.name,
  STATE: (host) => host.state,
  IM_MAD: (host) => host.imMad,
  VM_MAD: (host) => host.vmMad,
  HYPERVISOR: (host) => host.template.get('HYPERVISOR') ?? host.vmMad,
  RUNNING_VMS: (host) => host.vms.size,
  TOTAL_CPU: (host) => host.totalCpu,
  TOTAL_MEM: (host) => host.totalMemKb,
  CPU_USAGE: (host) => host.usedCpu,
  MEM_USAGE: (host) => host.usedMemKb,
  MAX_CPU: (host, cloud) => limits(cloud, host).cpu,
  MAX_MEM: (host, cloud) => limits(cloud, host).memKb,
  FREE_CPU: (host, cloud) => limits(cloud, host).cpu - host.usedCpu,
  FREE_MEMORY: (host, cloud) => limits(cloud, host).memKb - host.usedMemKb,
  FREE_MEM: (host, cloud) => limits(cloud, host).memKb - host.usedMemKb,
};
