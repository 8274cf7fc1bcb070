/** Quotas: how much users and groups may have, and have. Mirrors `Quota*.cc` of OpenNebula 6.10. */

import { refill } from '../../kernel/held.ts';
import type { Cloud } from '../cloud.ts';
import { OneError } from '../error.ts';
import type { State } from '../vm/lifecycle.ts';
import type { Disk, Nic, Vm } from '../vm/vm.ts';
import { forbidden } from './acl.ts';
import { type Amounts, Book, DEFAULT, type Demand, excess, UNLIMITED } from './quota-book.ts';
import type { Caller } from './user.ts';

/** Who has to have room for it. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** States of a VM in which it does not count as running. In all others it keeps what it was counted for before. */
const PAUSES: ReadonlySet<State> = new Set<State>(['POWEROFF', 'SUSPENDED', 'STOPPED', 'UNDEPLOYED']);
const RUNS: ReadonlySet<State> = new Set<State>(['PENDING', 'RUNNING']);

type Capacity = Pick<Vm, 'cpu' | 'memoryMiB'>;
type Holdings = Capacity & { readonly disks: readonly Disk[]; readonly nics: readonly Nic[] };

interface QuotasState {
  readonly users: Map<number, Book>;
  readonly groups: Map<number, Book>;
  readonly userDefaults: Book;
  readonly groupDefaults: Book;
  readonly paused: ReadonlySet<number>;
}

export class Quotas {
  readonly #cloud: Cloud;
  #users = new Map<number, Book>();
  #groups = new Map<number, Book>();
  userDefaults = new Book(UNLIMITED);
  groupDefaults = new Book(UNLIMITED);
  /** VMs that are there but do not count as running. */
  readonly #paused = new Set<number>();

  constructor(cloud: Cloud) {
    this.#cloud = cloud;
    cloud.observe({
      vmState: (vm) => {
        if (PAUSES.has(vm.state)) this.#pause(vm);
        else if (RUNS.has(vm.state)) this.#unpause(vm);
      },
    });
  }

  state(): QuotasState {
    const { userDefaults, groupDefaults } = this;
    return { users: this.#users, groups: this.#groups, userDefaults, groupDefaults, paused: this.#paused };
  }

  restore({ users, groups, userDefaults, groupDefaults, paused }: QuotasState): void {
    this.#users = users;
    this.#groups = groups;
    this.userDefaults = userDefaults;
    this.groupDefaults = groupDefaults;
    refill(this.#paused, paused);
  }

  user(uid: number): Book {
    return bookOf(this.#users, uid);
  }

  group(gid: number): Book {
    return bookOf(this.#groups, gid);
  }

  /** For a user or group that is gone. */
  closeUser(uid: number): void {
    this.#users.delete(uid);
  }

  closeGroup(gid: number): void {
    this.#groups.delete(gid);
  }

  // ---- any demand ----

  /** @throws OneError AUTHORIZATION when the owner has no room for all of it */
  check(caller: Caller, owner: Owner, demands: readonly Demand[]): void {
    const why = this.#excess(owner, demands);
    if (why !== undefined) throw forbidden(caller, why);
  }

  /** Counts what an owner has got. */
  add(owner: Owner, demands: readonly Demand[]): void {
    this.#count(owner, demands, 1);
  }

  remove(owner: Owner, demands: readonly Demand[]): void {
    this.#count(owner, demands, -1);
  }

  /** Hands over what an object takes. Ids below 0 stay as they are. @throws OneError AUTHORIZATION */
  move(caller: Caller, demands: readonly Demand[], from: Owner, to: Owner): void {
    this.check(caller, to, demands);
    this.add(to, demands);
    this.remove({ uid: to.uid < 0 ? -1 : from.uid, gid: to.gid < 0 ? -1 : from.gid }, demands);
  }

  // ---- VMs ----

  /** First check of a new VM, before anything is taken for it. */
  checkCreation(caller: Caller, { cpu, memoryMiB }: Capacity): void {
    if (caller.uid !== 0) {
      if (memoryMiB < 0) throw notPositive(caller, 'MEMORY', 'integer');
      if (cpu < 0) throw notPositive(caller, 'CPU', 'float or integer');
    }
    this.check(caller, caller, [creation({ cpu, memoryMiB, disks: [], nics: [] }, true)]);
  }

  /** Second check, with the disks and leases that it got. */
  checkHoldings(caller: Caller, holdings: Holdings): void {
    this.check(caller, caller, demandsOf(holdings, true));
  }

  take(vm: Vm): void {
    this.add(vm, demandsOf(vm, true));
  }

  release(vm: Vm): void {
    this.remove(vm, this.demands(vm));
    this.#paused.delete(vm.id);
  }

  /** All that a VM takes now. */
  demands(vm: Vm): Demand[] {
    return demandsOf(vm, !this.#paused.has(vm.id));
  }

  /** Before a VM runs again. @throws OneError ACTION, as oned words it for this case alone */
  takeRunning(vm: Vm): void {
    if (!this.#paused.has(vm.id)) return;
    const why = this.#excess(vm, [running(vm)]);
    if (why !== undefined) throw new OneError('ACTION', why);
    this.#unpause(vm);
  }

  checkResize(caller: Caller, vm: Vm, to: Capacity): void {
    this.check(caller, vm, [this.#difference(vm, vm, to)]);
  }

  /** After a resize. */
  resized(vm: Vm, before: Capacity): void {
    this.add(vm, [this.#difference(vm, before, vm)]);
  }

  checkDiskResize(caller: Caller, vm: Vm, disk: Disk, moreMiB: number): void {
    const { owner, demand } = this.#growth(vm, disk, moreMiB);
    this.check(caller, owner, [demand]);
  }

  diskResized(vm: Vm, disk: Disk, moreMiB: number): void {
    const { owner, demand } = this.#growth(vm, disk, moreMiB);
    this.add(owner, [demand]);
  }

  /** Before a disk is attached. */
  checkDisk(caller: Caller, vm: Vm, disk: Disk): void {
    this.check(caller, vm, diskDemands(disk));
  }

  diskAttached(vm: Vm, disk: Disk): void {
    this.add(vm, diskDemands(disk));
  }

  diskDetached(vm: Vm, disk: Disk): void {
    this.remove(vm, diskDemands(disk));
  }

  /** Before a NIC is attached. */
  checkNic(caller: Caller, vm: Vm, networkId: number | null): void {
    this.check(caller, vm, leases([{ networkId }]));
  }

  nicAttached(vm: Vm, nic: Nic): void {
    this.add(vm, leases([nic]));
  }

  nicDetached(vm: Vm, nic: Nic): void {
    this.remove(vm, leases([nic]));
  }

  // ---- inside ----

  #pause(vm: Vm): void {
    if (this.#paused.has(vm.id)) return;
    this.#paused.add(vm.id);
    this.remove(vm, [running(vm)]);
  }

  #unpause(vm: Vm): void {
    if (this.#paused.delete(vm.id)) this.add(vm, [running(vm)]);
  }

  /** A persistent image grows in its datastore, at its owner's expense. */
  #growth(vm: Vm, disk: Disk, moreMiB: number): { owner: Owner; demand: Demand } {
    const image = disk.persistent && disk.imageId !== null ? this.#cloud.images.find(disk.imageId) : undefined;
    if (image === undefined) return { owner: vm, demand: diskSpace(disk, moreMiB) };
    return { owner: image, demand: { kind: 'DATASTORE', id: image.datastoreId, amounts: { SIZE: moreMiB } } };
  }

  #difference(vm: Vm, before: Capacity, after: Capacity): Demand {
    const cpu = after.cpu - before.cpu;
    const memory = after.memoryMiB - before.memoryMiB;
    const amounts = { CPU: cpu, MEMORY: memory };
    return this.#paused.has(vm.id)
      ? { kind: 'VM', id: -1, amounts }
      : { kind: 'VM', id: -1, amounts: { CPU: cpu, MEMORY: memory, RUNNING_CPU: cpu, RUNNING_MEMORY: memory } };
  }

  #count({ uid, gid }: Owner, demands: readonly Demand[], sign: 1 | -1): void {
    const user = this.#counts('users', uid) ? this.user(uid) : undefined;
    const group = this.#counts('groups', gid) ? this.group(gid) : undefined;
    for (const demand of demands) {
      user?.add(demand, sign);
      group?.add(demand, sign);
    }
  }

  /** oneadmin and its group have no quotas, nor has who is gone. */
  #counts(pool: 'users' | 'groups', id: number): boolean {
    return id > 0 && this.#cloud[pool].find(id) !== undefined;
  }

  /** What would be too much, in oned's words. */
  #excess({ uid, gid }: Owner, demands: readonly Demand[]): string | undefined {
    const user = this.#counts('users', uid) ? excess(this.user(uid), this.userDefaults, demands) : undefined;
    if (user !== undefined) return `user [${uid}] ${user}`;
    const group = this.#counts('groups', gid) ? excess(this.group(gid), this.groupDefaults, demands) : undefined;
    return group === undefined ? undefined : `group [${gid}] ${group}`;
  }
}

function notPositive(caller: Caller, name: string, kind: string): OneError {
  return forbidden(caller, `user [${caller.uid}] ${name} attribute must be a positive ${kind} value`);
}

function bookOf(books: Map<number, Book>, id: number): Book {
  let book = books.get(id);
  if (book === undefined) {
    book = new Book(DEFAULT);
    books.set(id, book);
  }
  return book;
}

// ---- what things take ---------------------------------------------------------------------------------------------

/** In oned's order of checking: leases, then the VM itself, then images. */
function demandsOf(holdings: Holdings, counted: boolean): Demand[] {
  const demands = leases(holdings.nics);
  demands.push(creation(holdings, counted));
  for (const { imageId } of holdings.disks) if (imageId !== null) demands.push(use(imageId));
  return demands;
}

/** @param counted whether the VM counts as running */
function creation({ cpu, memoryMiB, disks }: Holdings, counted: boolean): Demand {
  let space = 0;
  for (const disk of disks) space += systemSpace(disk, disk.sizeMiB);
  const amounts: Amounts = { VMS: 1, CPU: cpu, MEMORY: memoryMiB, SYSTEM_DISK_SIZE: space };
  if (counted) {
    amounts.RUNNING_VMS = 1;
    amounts.RUNNING_CPU = cpu;
    amounts.RUNNING_MEMORY = memoryMiB;
  }
  return { kind: 'VM', id: -1, amounts };
}

function running({ cpu, memoryMiB }: Capacity): Demand {
  return { kind: 'VM', id: -1, amounts: { RUNNING_VMS: 1, RUNNING_CPU: cpu, RUNNING_MEMORY: memoryMiB } };
}

function diskDemands(disk: Disk): Demand[] {
  return [diskSpace(disk, disk.sizeMiB), ...(disk.imageId === null ? [] : [use(disk.imageId)])];
}

function diskSpace(disk: Disk, sizeMiB: number): Demand {
  return { kind: 'VM', id: -1, amounts: { SYSTEM_DISK_SIZE: systemSpace(disk, sizeMiB) } };
}

/** A persistent image stays in its own datastore; all else is copied to the system datastore. */
function systemSpace(disk: Disk, sizeMiB: number): number {
  return disk.persistent ? 0 : sizeMiB;
}

function leases(nics: readonly Pick<Nic, 'networkId'>[]): Demand[] {
  const demands: Demand[] = [];
  for (const { networkId: id } of nics) if (id !== null) demands.push({ kind: 'NETWORK', id, amounts: { LEASES: 1 } });
  return demands;
}

const use = (imageId: number): Demand => ({ kind: 'IMAGE', id: imageId, amounts: { RVMS: 1 } });

/** What an image takes in its datastore. */
export function imageDemand(image: { readonly datastoreId: number; readonly sizeMiB: number }): Demand {
  return { kind: 'DATASTORE', id: image.datastoreId, amounts: { IMAGES: 1, SIZE: image.sizeMiB } };
}
