/**
 * What OpenNebula has been like: of its VMs, hosts and datastores the facts that its exporter shows, and since when. Each
 * change is written down when it happens, so that any past can be asked for; what no scrape can have found is left out.
 */
import type { Clock } from '../kernel/clock.ts';
import { Unshared } from '../kernel/graph.ts';
import type { Cloud } from '../one/cloud.ts';
import type { Datastore } from '../one/resources/datastore.ts';
import { capacity, HOST_STATES, type Host } from '../one/resources/host.ts';
import { STATES } from '../one/vm/lifecycle.ts';
import { currentPlacement, limits } from '../one/vm/placement.ts';
import type { Vm } from '../one/vm/vm.ts';
import { SCRAPE_MS } from './series.ts';

export interface VmFacts {
  /** OpenNebula's two numbers of its state. */
  readonly state: number;
  readonly lcmState: number;
  /** Of the last host that it was on; -1 for none. */
  readonly hostId: number;
  readonly cpu: number;
  readonly vcpu: number;
  readonly memoryMiB: number;
  /** Disk ids, and the sizes of the disks in the same order. */
  readonly disks: readonly number[];
  readonly sizesMiB: readonly number[];
  readonly nics: number;
}

/** Shares of a processor in percent, memory in kilobytes. */
export interface HostFacts {
  readonly state: number;
  readonly totalCpu: number;
  readonly maxCpu: number;
  readonly usedCpu: number;
  readonly totalMemKb: number;
  readonly maxMemKb: number;
  readonly usedMemKb: number;
  readonly vms: number;
}

export interface DatastoreFacts {
  readonly totalMiB: number;
  readonly usedMiB: number;
  readonly freeMiB: number;
  readonly images: number;
}

export interface CloudFacts {
  readonly vms: number;
  readonly hosts: number;
  readonly datastores: number;
}

/** Facts since a time, in milliseconds since the Unix epoch; null once what they are about is gone. */
interface Told<F> {
  readonly at: number;
  readonly facts: F | null;
}

/** Oldest first. */
export type Track<F> = readonly Told<F>[];

type Tracks<F> = ReadonlyMap<number, Track<F>>;

interface ChronicleState {
  readonly vms: Map<number, Told<VmFacts>[]>;
  readonly hosts: Map<number, Told<HostFacts>[]>;
  readonly datastores: Map<number, Told<DatastoreFacts>[]>;
  readonly cloud: Map<number, Told<CloudFacts>[]>;
}

export class Chronicle {
  readonly #clock: Clock;
  #told: ChronicleState = { vms: new Map(), hosts: new Map(), datastores: new Map(), cloud: new Map() };
  /** VMs that are not DONE. */
  #alive = 0;

  constructor(cloud: Cloud) {
    this.#clock = cloud.clock;
    const count = (): void => {
      const { hosts, datastores } = cloud;
      const facts = { vms: this.#alive, hosts: hosts.size, datastores: datastores.size };
      this.#note(this.#told.cloud, 0, facts);
    };
    const ofDatastore = (datastore: Datastore): void => {
      this.#note(this.#told.datastores, datastore.id, datastoreFacts(datastore));
      count();
    };
    const ofVm = (vm: Vm): void => {
      const was = this.#told.vms.get(vm.id)?.at(-1)?.facts ?? null;
      const facts = vm.state === 'DONE' ? null : vmFacts(vm, was);
      this.#note(this.#told.vms, vm.id, facts, MOST_TOLD_OF_VM);
      this.#alive += Number(facts !== null) - Number(was !== null);
      if ((facts === null) !== (was === null)) count();
    };
    for (const datastore of cloud.datastores) ofDatastore(datastore);
    cloud.observe({
      vmState: ofVm,
      vmForgotten: (id) => void this.#told.vms.delete(id),
      vmCapacity: ofVm,
      hostUpdate: (host) => {
        this.#note(this.#told.hosts, host.id, hostFacts(cloud, host));
        count();
      },
      hostGone: ({ id }) => {
        this.#note(this.#told.hosts, id, null);
        count();
      },
      datastoreUpdate: ofDatastore,
      datastoreGone: ({ id }) => {
        this.#note(this.#told.datastores, id, null);
        count();
      },
    });
  }

  /** Facts never change, so nobody can tell whether two are one. */
  state(): Unshared<ChronicleState> {
    return new Unshared(this.#told);
  }

  restore(told: ChronicleState): void {
    this.#told = told;
    this.#alive = [...told.vms.values()].filter((track) => track.at(-1)?.facts !== null).length;
  }

  get vms(): Tracks<VmFacts> {
    return this.#told.vms;
  }

  get hosts(): Tracks<HostFacts> {
    return this.#told.hosts;
  }

  get datastores(): Tracks<DatastoreFacts> {
    return this.#told.datastores;
  }

  /** Of the one cloud there is, by the number 0. */
  get cloud(): Tracks<CloudFacts> {
    return this.#told.cloud;
  }

  #note<F extends object>(tracks: Map<number, Told<F>[]>, id: number, facts: F | null, most = MOST_TOLD): void {
    const at = this.#clock.now;
    const track = tracks.get(id);
    if (track === undefined) {
      if (facts !== null) tracks.set(id, [{ at, facts }]);
      return;
    }
    const last = track.at(-1);
    if (last !== undefined && same(last.facts, facts)) return;
    if (last !== undefined && firstScrape(last.at) >= at) {
      track.pop();
      if (same(track.at(-1)?.facts, facts)) return;
    }
    track.push({ at, facts });
    if (track.length >= 2 * most) track.splice(0, most);
  }
}

/** So much at least is remembered of each, for a long life must not eat the memory: over a day of changes at every scrape. */
const MOST_TOLD = 6_000;
/** There are many VMs, and each has a life of a dozen states. */
const MOST_TOLD_OF_VM = 32;

const firstScrape = (fromMs: number): number => SCRAPE_MS * Math.ceil(fromMs / SCRAPE_MS);

/** What was so at a time. */
export function factsAt<F>(track: Track<F>, atMs: number): F | null {
  let low = 0;
  let high = track.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((track[middle]?.at ?? Number.POSITIVE_INFINITY) <= atMs) low = middle + 1;
    else high = middle;
  }
  return track[low - 1]?.facts ?? null;
}

function same<F extends object>(a: F | null | undefined, b: F | null): boolean {
  if (a === b) return true;
  if (a === null || a === undefined || b === null) return false;
  for (const name in a) if (a[name] !== b[name] && !equalLists(a[name], b[name])) return false;
  return true;
}

const equalLists = (a: unknown, b: unknown): boolean =>
  Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, i) => item === b[i]);

/** @param before its lists stay where they are the same */
function vmFacts(vm: Vm, before: VmFacts | null): VmFacts {
  const { state, lcm } = STATES[vm.state];
  let nics = 0;
  for (const { alias } of vm.nics) if (alias === null) nics++;
  return {
    state,
    lcmState: lcm,
    hostId: currentPlacement(vm)?.hostId ?? -1,
    cpu: vm.cpu,
    vcpu: vm.vcpu ?? 1,
    memoryMiB: vm.memoryMiB,
    disks: listed(before?.disks, vm.disks, ({ id }) => id),
    sizesMiB: listed(before?.sizesMiB, vm.disks, ({ sizeMiB }) => sizeMiB),
    nics,
  };
}

/** A number of each item: the list of before, if it says so. */
function listed<T>(
  before: readonly number[] | undefined,
  items: readonly T[],
  of: (item: T) => number,
): readonly number[] {
  const isSame = before?.length === items.length && items.every((item, at) => of(item) === before[at]);
  return isSame ? before : items.map(of);
}

function hostFacts(cloud: Cloud, host: Host): HostFacts {
  const total = capacity(host);
  const max = host.state === 'OFFLINE' ? { cpu: 0, memKb: 0 } : limits(cloud, host);
  return {
    state: HOST_STATES[host.state],
    totalCpu: total.cpu,
    maxCpu: max.cpu,
    usedCpu: host.usedCpu,
    totalMemKb: total.memKb,
    maxMemKb: max.memKb,
    usedMemKb: host.usedMemKb,
    vms: host.vms.size,
  };
}

const datastoreFacts = ({ totalMiB, usedMiB, freeMiB, images }: Datastore): DatastoreFacts => ({
  totalMiB,
  usedMiB,
  freeMiB,
  images: images.size,
});
