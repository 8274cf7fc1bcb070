/**
 * The stretches of time in which a guest ran, and the shape in which it did: all that the metrics know of a VM, so that
 * what changes today cannot rewrite what was measured yesterday.
 */
import { appended } from '../appended.ts';
import type { Cloud } from '../cloud.ts';
import { failureOf, STEPS, type State, stepOf } from './lifecycle.ts';
import type { Disk, Vm } from './vm.ts';

/** What of a VM shows inside its guest. Never changes, and is shared by all spans and VMs that look alike. */
export interface Shape {
  readonly vcpu: number;
  readonly memoryMiB: number;
  readonly disks: readonly Pick<Disk, 'id' | 'target' | 'sizeMiB'>[];
  /** Ids of the NICs that are interfaces of their own; an alias is an address of another. */
  readonly nics: readonly number[];
  /** USER_TEMPLATE/METRIC_PROFILE; empty for none. */
  readonly profile: string;
}

/** A stretch of time in which a VM ran on one host in one shape. Times are simulated milliseconds since the epoch. */
export interface Span {
  readonly from: number;
  /** null while it runs. */
  to: number | null;
  /** Counts the boots: counters start again when it changes. */
  readonly boot: number;
  readonly hostId: number;
  readonly shape: Shape;
}

/** The shapes that VMs of one cloud have or had. */
export class Shapes {
  #known = new Map<string, Shape>();

  state(): ReadonlyMap<string, Shape> {
    return this.#known;
  }

  restore(known: Map<string, Shape>): void {
    this.#known = known;
  }

  of(vm: Vm): Shape {
    const { memoryMiB } = vm;
    const vcpu = vm.vcpu ?? 1;
    const profile = vm.userTemplate.get('METRIC_PROFILE') ?? '';
    let key = `${vcpu} ${memoryMiB}`;
    for (const { id, target, sizeMiB } of vm.disks) key += ` ${id} ${target} ${sizeMiB}`;
    key += ' |';
    for (const { id, alias } of vm.nics) if (alias === null) key += ` ${id}`;
    key += ` ${profile}`;
    let shape = this.#known.get(key);
    if (shape === undefined) {
      shape = {
        vcpu,
        memoryMiB,
        disks: vm.disks.map(({ id, target, sizeMiB }) => ({ id, target, sizeMiB })),
        nics: vm.nics.filter((nic) => nic.alias === null).map((nic) => nic.id),
        profile,
      };
      this.#known.set(key, shape);
    }
    return shape;
  }
}

/** Whether the guest runs. */
export const hasGuest = (vm: Vm): boolean => vm.spans.at(-1)?.to === null;

/** So many stretches are remembered of a VM: a long life among hosts that come and go must not eat the memory. */
const MOST_SPANS = 32;

/** The guest runs from now on, or has since `from`. */
export function openSpan(
  cloud: Cloud,
  vm: Vm,
  booted: boolean,
  from = cloud.clock.now,
  shape = cloud.shapes.of(vm),
): void {
  const boot = (vm.spans.at(-1)?.boot ?? 0) + (booted ? 1 : 0);
  const hostId = vm.history.at(-1)?.hostId ?? -1;
  const kept = vm.spans.length < MOST_SPANS ? vm.spans : vm.spans.slice(1 - MOST_SPANS);
  vm.spans = appended(kept, { from, to: null, boot, hostId, shape });
}

export function closeSpan(cloud: Cloud, vm: Vm): void {
  const last = vm.spans.at(-1);
  if (last !== undefined) last.to ??= cloud.clock.now;
}

/** Ends the present stretch and begins another, because the guest has moved, looks different or boots again. */
export function reshape(cloud: Cloud, vm: Vm, booted = false): void {
  const last = vm.spans.at(-1);
  if (last === undefined || last.to !== null) return;
  const hostId = vm.history.at(-1)?.hostId ?? -1;
  if (!booted && last.hostId === hostId && last.shape === cloud.shapes.of(vm)) return;
  closeSpan(cloud, vm);
  openSpan(cloud, vm, booted);
}

/** The guest looks like this from now on, whatever OpenNebula thinks. */
export function reshapeTo(cloud: Cloud, vm: Vm, shape: Shape): void {
  if (!hasGuest(vm) || vm.spans.at(-1)?.shape === shape) return;
  closeSpan(cloud, vm);
  openSpan(cloud, vm, false, cloud.clock.now, shape);
}

/** Whether a guest that comes to run out of this state has booted, or goes on where it was. */
export function bootsFrom(state: State): boolean {
  const failure = failureOf(state);
  const step = failure === undefined ? stepOf(state) : STEPS[failure.retry];
  return step?.action === 'deploy' || state === 'POWEROFF';
}
