/**
 * The scheduler: places PENDING VMs and moves those flagged for rescheduling, in rounds. Mirrors OpenNebula's
 * mm_sched. A round is due only while it could place something, so that an idle cloud has an empty queue.
 */

import { allows } from '../access/acl.ts';
import { callerOf } from '../access/user.ts';
import type { Cloud } from '../cloud.ts';
import { ctime } from '../ctime.ts';
import { OneError } from '../error.ts';
import type { Datastore } from '../resources/datastore.ts';
import { capacity, type Host } from '../resources/host.ts';
import type { Lookup } from '../syntax/expression.ts';
import { byWeight, cannot, joined, meets, NoPlace, weight } from './choice.ts';
import { choosable } from './network-choice.ts';
import { currentPlacement, limits, misfit } from './placement.ts';
import { automaticClusters, automaticRequirements } from './requirements.ts';
import type { Vm } from './vm.ts';

const ROUND: Record<string, never> = {};

/** A host that may take a VM, with the system datastore for its disks and the networks for its NICs. */
interface Place {
  readonly host: Host;
  readonly datastoreId: number;
  /** What oned is told of the networks; empty when none had to be chosen. */
  readonly networks: string;
}

export class Scheduler {
  readonly #cloud: Cloud;
  readonly #schedule: (delayMs: number, event: Record<string, never>) => unknown;
  #epoch: number;
  /** VMs to be placed or moved, in the order in which they asked, and the journal's entry of each one's wish. */
  readonly #waiting = new Map<number, number>();
  #due = false;

  constructor(cloud: Cloud) {
    this.#cloud = cloud;
    this.#epoch = cloud.clock.now;
    this.#schedule = cloud.clock.channel('scheduler', () => {
      this.#due = false;
      this.#round();
    });
  }

  state(): { readonly epoch: number; readonly waiting: ReadonlyMap<number, number>; readonly due: boolean } {
    return { epoch: this.#epoch, waiting: this.#waiting, due: this.#due };
  }

  restore({ epoch, waiting, due }: ReturnType<Scheduler['state']>): void {
    this.#epoch = epoch;
    for (const [vm, cause] of waiting) this.#waiting.set(vm, cause);
    this.#due = due;
  }

  /** A VM wants a place. */
  wake(vm: Vm): void {
    if (!this.#waiting.has(vm.id)) this.#waiting.set(vm.id, this.#cloud.clock.cause);
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
    for (const [id, cause] of this.#waiting) {
      if (dispatched >= maxDispatch || (open === 0 && hosts.length > 0)) {
        cut = true;
        break;
      }
      const vm = cloud.vms.find(id);
      if (vm === undefined || !wantsPlace(vm)) {
        this.#waiting.delete(id);
        continue;
      }
      try {
        const place = this.#places(vm, hosts).find(({ host }) => (taken.get(host.id) ?? 0) < maxPerHost);
        if (place === undefined) {
          cut = true;
          continue;
        }
        cloud.clock.because(cause, () => this.#dispatch(vm, place));
        dispatched++;
        const count = (taken.get(place.host.id) ?? 0) + 1;
        taken.set(place.host.id, count);
        if (count >= maxPerHost) open--;
      } catch (error) {
        if (!(error instanceof NoPlace)) throw error;
        vm.userTemplate.set('SCHED_MESSAGE', `${ctime(cloud.seconds)}: ${error.message}`);
      }
    }
    if (cut) this.look();
  }

  /**
   * Where the VM may go, best first.
   * @throws NoPlace
   */
  #places(vm: Vm, hosts: Host[]): Place[] {
    const cloud = this.#cloud;
    if (hosts.length === 0) throw cannot('No hosts enabled to run VMs');
    const owner = callerOf(cloud, vm.uid);
    const allowed = hosts.filter((host) => allows(cloud, owner, { right: 'MANAGE', type: 'HOST', object: host }));
    if (allowed.length === 0) throw cannot('User is not authorized to use any host');
    const here = vm.resched ? currentPlacement(vm)?.hostId : undefined;
    const roomy = allowed.filter((host) => host.id !== here && misfit(cloud, host, vm) === undefined);
    if (roomy.length === 0) throw cannot('No host with enough capacity to deploy the VM');
    const requirements = joined(automaticRequirements(cloud, vm), vm.userTemplate.get('SCHED_REQUIREMENTS'));
    const meeting = roomy.filter((host) => meets('SCHED_REQUIREMENTS', requirements, ofHost(cloud, host)));
    if (meeting.length === 0) throw cannot(`No host meets capacity and SCHED_REQUIREMENTS: ${requirements}`);
    const datastores = vm.resched ? undefined : this.#datastores(vm);
    const ranking = vm.userTemplate.get('SCHED_RANK');
    const networksIn = vm.resched ? () => '' : choosable(cloud, owner, vm);
    const places: Place[] = [];
    let reached = false;
    for (const host of byWeight(meeting, (host) => weight(ranking, ofHost(cloud, host)) ?? -host.vms.size)) {
      const datastore = datastores?.find(({ clusters }) => clusters.has(host.clusterId));
      if (datastores !== undefined && datastore === undefined) continue;
      const networks = networksIn(host.clusterId);
      reached = true;
      if (networks !== undefined) places.push({ host, datastoreId: datastore?.id ?? KEEP, networks });
    }
    // oned's scheduler says nothing of it, and looks again in its next round.
    if (reached && places.length === 0) throw cannot('No network with enough capacity for the VM');
    return places;
  }

  /** System datastores that may take the VM's disks, best first: the one with the most room, if not said otherwise. */
  #datastores(vm: Vm): readonly Datastore[] {
    const cloud = this.#cloud;
    const own = vm.userTemplate.get('SCHED_DS_REQUIREMENTS');
    const requirements = joined(automaticClusters(cloud, vm), own);
    const meeting = [...cloud.datastores].filter(
      (datastore) =>
        datastore.type === 'SYSTEM' &&
        datastore.enabled &&
        meets('SCHED_DS_REQUIREMENTS', requirements, ofDatastore(datastore)),
    );
    if (meeting.length === 0) {
      throw cannot(`No system datastore meets capacity and SCHED_DS_REQUIREMENTS: ${own ?? requirements}`);
    }
    const ranking = vm.userTemplate.get('SCHED_DS_RANK');
    return byWeight(meeting, (datastore) => weight(ranking, ofDatastore(datastore)) ?? datastore.freeMiB);
  }

  /** @throws NoPlace when oned refuses: the VM is looked at again when something has changed */
  #dispatch(vm: Vm, { host, datastoreId, networks }: Place): void {
    const cloud = this.#cloud;
    try {
      if (vm.resched) cloud.run(cloud.root, 'one.vm.migrate', vm.id, host.id, false, false, KEEP, 0);
      else cloud.run(cloud.root, 'one.vm.deploy', vm.id, host.id, false, datastoreId, networks);
    } catch (error) {
      if (!(error instanceof OneError)) throw error;
      throw cannot(error.message);
    }
    this.#waiting.delete(vm.id);
    if (vm.userTemplate.has('SCHED_MESSAGE')) vm.userTemplate.set('SCHED_MESSAGE', '');
  }
}

/** The datastore that a VM has. */
const KEEP = -1;

const wantsPlace = (vm: Vm): boolean =>
  vm.state === 'PENDING' ||
  (vm.resched && (vm.state === 'RUNNING' || vm.state === 'POWEROFF' || vm.state === 'UNKNOWN'));

type Value = string | number | undefined;

/** What an expression may ask of a host: its own fields, then its template and its cluster's. */
const ofHost =
  (cloud: Cloud, host: Host): Lookup =>
  (name) =>
    HOST_VALUES[name]?.(host, cloud) ?? host.template.get(name) ?? clusterValue(cloud, host, name);

const ofDatastore =
  (datastore: Datastore): Lookup =>
  (name) =>
    DATASTORE_VALUES[name]?.(datastore) ?? datastore.template.get(name);

const DATASTORE_VALUES: Readonly<Record<string, (datastore: Datastore) => Value | readonly number[]>> = {
  ID: ({ id }) => id,
  NAME: ({ name }) => name,
  'CLUSTERS/ID': ({ clusters }) => [...clusters],
  TM_MAD: ({ tmMad }) => tmMad,
  TOTAL_MB: ({ totalMiB }) => totalMiB,
  FREE_MB: ({ freeMiB }) => freeMiB,
  USED_MB: ({ usedMiB }) => usedMiB,
};

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
  TOTAL_CPU: (host) => capacity(host).cpu,
  TOTAL_MEM: (host) => capacity(host).memKb,
  CPU_USAGE: (host) => host.usedCpu,
  MEM_USAGE: (host) => host.usedMemKb,
  MAX_CPU: (host, cloud) => limits(cloud, host).cpu,
  MAX_MEM: (host, cloud) => limits(cloud, host).memKb,
  FREE_CPU: (host, cloud) => limits(cloud, host).cpu - host.usedCpu,
  FREE_MEMORY: (host, cloud) => limits(cloud, host).memKb - host.usedMemKb,
  FREE_MEM: (host, cloud) => limits(cloud, host).memKb - host.usedMemKb,
};
