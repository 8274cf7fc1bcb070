/**
 * All guests of a cloud, found by the `id` they push, without a scan. Guests that are gone stay, for the past, as long as the
 * cloud keeps their VMs.
 */
import type { Disturbances } from './disturbance.ts';
import { Guest, type ProbedVm } from './guest.ts';
import type { Chance } from './load.ts';

/** What of the cloud the metrics depend on. */
export interface VmSource {
  readonly vms: {
    readonly nextId: number;
    find(id: number): ProbedVm | undefined;
  };
  /** Reports VMs whose user template changes, and those that it does not keep any more. */
  observe(observer: { vmUpdate(vm: ProbedVm): void; vmForgotten(id: number): void }): void;
}

/** Guests whose metrics are of one kind. */
export interface Pushers extends Iterable<Guest> {
  /** Changes whenever there are others. */
  readonly version: number;
  /** Those whose id is this. */
  withId(id: string): readonly Guest[];
  /** Those whose id may contain this. */
  withIdLike(part: string): Iterable<Guest>;
}

/** Guests that are always the same. */
export const fixedPushers = (guests: readonly Guest[]): Pushers => ({
  version: 0,
  [Symbol.iterator]: () => guests.values(),
  withId: (id) => guests.filter((guest) => guest.id === id),
  withIdLike: () => guests,
});

/** Those of several. */
export const joined = (...all: readonly Pushers[]): Pushers => ({
  get version() {
    return all.reduce((sum, { version }) => sum + version, 0);
  },
  *[Symbol.iterator]() {
    for (const each of all) yield* each;
  },
  withId: (id) => all.flatMap((each) => each.withId(id)),
  *withIdLike(part) {
    for (const each of all) yield* each.withIdLike(part);
  },
});

const UUID_LENGTH = 36;

export class Fleet implements Pushers {
  readonly #chance: Chance;
  readonly #disturbances: Disturbances;
  readonly #vms: VmSource['vms'];
  /** By VM id, in that order. */
  readonly #guests = new Map<number, Guest>();
  readonly #byId = new Map<string, Guest[]>();
  /** Guests that push under the same labels, oldest first. */
  readonly #byLabels = new Map<string, Guest[]>();
  /** Ids that are no UUIDs, so that they may contain another. */
  readonly #oddIds = new Set<string>();
  /** VMs below this id have been seen. */
  #seen = 0;
  #version = 0;

  constructor(chance: Chance, source: VmSource, disturbances: Disturbances) {
    this.#chance = chance;
    this.#disturbances = disturbances;
    this.#vms = source.vms;
    source.observe({
      vmUpdate: (vm) => {
        const known = this.#guests.get(vm.id);
        if (known === undefined) return;
        this.#drop(known);
        this.#add(vm);
      },
      vmForgotten: (id) => {
        const known = this.#guests.get(id);
        if (known === undefined) return;
        this.#drop(known);
        this.#guests.delete(id);
      },
    });
  }

  get version(): number {
    this.#catchUp();
    return this.#version;
  }

  /** The VMs that have been seen. */
  state(): { readonly vms: readonly ProbedVm[]; readonly seen: number } {
    return { vms: Array.from(this.#guests.values(), ({ vm }) => vm), seen: this.#seen };
  }

  restore({ vms, seen }: ReturnType<Fleet['state']>): void {
    for (const vm of vms) this.#add(vm);
    this.#seen = seen;
  }

  /** In order of VM id. Of several VMs that push under the same labels the newest counts. */
  *[Symbol.iterator](): Generator<Guest> {
    this.#catchUp();
    for (const guest of this.#guests.values()) if (this.#counts(guest)) yield guest;
  }

  /** The guest of a VM. */
  ofVm(vmId: number): Guest | undefined {
    this.#catchUp();
    return this.#guests.get(vmId);
  }

  /** The guests whose id is this. */
  withId(id: string): Guest[] {
    this.#catchUp();
    return (this.#byId.get(id) ?? []).filter((guest) => this.#counts(guest));
  }

  /** The guests that may have an id that contains this text: at once for a UUID, else all. */
  withIdLike(part: string): Iterable<Guest> {
    if (part.length !== UUID_LENGTH) return this;
    const guests = this.withId(part);
    for (const id of this.#oddIds) if (id.includes(part)) guests.push(...this.withId(id));
    return guests;
  }

  /** Takes in the VMs made since. Their ids rise, and are never reused. */
  #catchUp(): void {
    for (const { nextId } = this.#vms; this.#seen < nextId; this.#seen++) {
      const vm = this.#vms.find(this.#seen);
      if (vm !== undefined) this.#add(vm);
    }
  }

  #add(vm: ProbedVm): void {
    this.#version++;
    const guest = new Guest(this.#chance, vm, this.#disturbances);
    this.#guests.set(vm.id, guest);
    enlist(this.#byId, guest.id, guest);
    enlist(this.#byLabels, guest.pushedUnder, guest);
    if (guest.id.length !== UUID_LENGTH) this.#oddIds.add(guest.id);
  }

  #drop(guest: Guest): void {
    this.#version++;
    strike(this.#byId, guest.id, guest);
    strike(this.#byLabels, guest.pushedUnder, guest);
    if (!this.#byId.has(guest.id)) this.#oddIds.delete(guest.id);
  }

  #counts(guest: Guest): boolean {
    return this.#byLabels.get(guest.pushedUnder)?.at(-1) === guest;
  }
}

function enlist(index: Map<string, Guest[]>, key: string, guest: Guest): void {
  const same = index.get(key);
  if (same === undefined) index.set(key, [guest]);
  else {
    same.push(guest);
    same.sort((a, b) => a.vm.id - b.vm.id);
  }
}

function strike(index: Map<string, Guest[]>, key: string, guest: Guest): void {
  const rest = (index.get(key) ?? []).filter((other) => other !== guest);
  if (rest.length > 0) index.set(key, rest);
  else index.delete(key);
}
