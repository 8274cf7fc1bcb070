/**
 * A guest: a VM as the probe inside it, and Prometheus outside, see it. The probe pushes every 3 s to a Pushgateway
 * that Prometheus scrapes every 15 s; when it does so follows from when the VM ran, and from nothing else.
 */
import { hash } from '../kernel/random.ts';
import type { Span } from '../one/vm/span.ts';
import type { Trouble } from '../one/vm/trouble.ts';
import type { Vm } from '../one/vm/vm.ts';
import { type Disturbances, UNDISTURBED } from './disturbance.ts';
import { byName, type Labels } from './labels.ts';
import { type Chance, Load } from './load.ts';
import type { ContainerName } from './platform.ts';
import { type Profile, profileOf } from './profile.ts';

const PUSH_MS = 3000;

/** What of a VM shows in its metrics. */
export interface ProbedVm extends Pick<Vm, 'id' | 'uuid'> {
  /** When the probes on its host did not see it; null where they always did. */
  readonly trouble?: Pick<Trouble, 'unseen'> | null;
  readonly spans: readonly Span[];
  /** Set where it is no virtual machine but a container. */
  readonly container?: ContainerName;
  readonly userTemplate: { get(name: string): string | undefined };
}

/** A span with what went before it in the same boot, and in the life of the VM. */
export interface Stretch extends Pick<Span, 'shape'> {
  readonly from: number;
  /** The first instant at which the VM no longer ran; infinite while it does. */
  readonly to: number;
  readonly profile: Profile;
  readonly load: Load;
  /** The stretch before this one, if the guest has not booted since. */
  readonly before: Stretch | null;
  /** Running time before this stretch: since the boot, and ever. */
  readonly uptimeBefore: number;
  readonly ageBefore: number;
  /** Add {@link Load.byTime} and {@link Load.byUptime} to get the work done since the boot. */
  readonly workBase: number;
  /** The first push since the boot; infinite if there was none until the end of this stretch. */
  readonly firstPush: number;
}

/** One push of the probe. */
export interface Push {
  /** A whole second, in milliseconds. */
  readonly at: number;
  readonly stretch: Stretch;
}

export class Guest {
  readonly vm: ProbedVm;
  /** Values of the labels `id`, `instance` and `job` as pushed. */
  readonly id: string;
  readonly instance: string;
  readonly job: 'vnf' | 'vm' | 'containers';
  readonly chance: Chance;
  readonly disturbances: Disturbances;
  /** What runs on it: each keeps a core of its own busy, and its memory and traffic are part of this one's. */
  readonly inner: readonly Guest[];
  /** Names this guest to the streams of chance. */
  readonly entity: number;
  /** One for each profile that the guest has had. */
  #loads: readonly (readonly [Profile, Load])[] = [];
  #phaseMs: number | undefined;
  #labels: Labels | undefined;
  #stretches: readonly Stretch[] = [];
  #known: Span | undefined;
  #knownTo: number | null = null;

  constructor(chance: Chance, vm: ProbedVm, disturbances = UNDISTURBED, inner: readonly Guest[] = []) {
    const vcId = vm.userTemplate.get('VC_ID');
    this.vm = vm;
    this.id = vcId ?? vm.uuid;
    this.instance = vm.container?.host ?? vm.userTemplate.get('VNF_NAME') ?? `one-${vm.id}`;
    if (vm.container === undefined) this.job = vcId === undefined ? 'vm' : 'vnf';
    else this.job = 'containers';
    this.chance = chance;
    this.disturbances = disturbances;
    this.inner = inner;
    this.entity = hash(this.id);
  }

  /** As pushed: what all its series have in common. */
  get labels(): Labels {
    this.#labels ??= labelsOf(this);
    return this.#labels;
  }

  /** Equal for two guests when the Pushgateway cannot tell their series apart. */
  get pushedUnder(): string {
    return `${this.job} ${this.id} ${this.instance}`;
  }

  /** Made when first asked for: most VMs of a large cloud never are. */
  #loadOf(profile: Profile): Load {
    const known = this.#loads.find(([candidate]) => candidate === profile);
    if (known !== undefined) return known[1];
    const load = new Load(this.chance, profile, this.entity);
    this.#loads = [...this.#loads, [profile, load]];
    return load;
  }

  /** What chance says, once and for all, about something of this guest: in [0, 1). */
  trait(of: string): number {
    return this.chance.trait(this.entity, hash(of));
  }

  /** Oldest first. */
  get stretches(): readonly Stretch[] {
    const { spans } = this.vm;
    const last = spans.at(-1);
    if (last !== this.#known || (last !== undefined && last.to !== this.#knownTo)) {
      this.#stretches = this.#trace(spans);
      this.#known = last;
      this.#knownTo = last?.to ?? null;
    }
    return this.#stretches;
  }

  /** Whether it ran at any time after this one. */
  ranAfter(timeMs: number): boolean {
    const last = this.vm.spans.at(-1);
    return last !== undefined && (last.to === null || last.to > timeMs);
  }

  /** The newest push at or before a time, however old: the Pushgateway keeps it. */
  pushBefore(atMs: number): Push | null {
    const { stretches } = this;
    for (let i = lastFrom(stretches, atMs); i >= 0; i--) {
      const stretch = stretches[i];
      if (stretch === undefined) break;
      const at = this.#lattice(Math.min(atMs, stretch.to - 1));
      if (at >= stretch.from) return { at, stretch };
    }
    return null;
  }

  /** What a probe would see that looked at this time; null while it does not run. */
  seenAt(atMs: number): Push | null {
    const { stretches } = this;
    const stretch = stretches[lastFrom(stretches, atMs)];
    return stretch === undefined || atMs >= stretch.to ? null : { at: atMs, stretch };
  }

  /** Work done since the boot, in load × seconds, and the uptime it took; at a time in a stretch or shortly before. */
  since(atMs: number, stretch: Stretch): { readonly work: number; readonly uptimeMs: number } {
    let within = stretch;
    while (atMs < within.from && within.before !== null) within = within.before;
    const at = Math.min(Math.max(atMs, within.from), within.to);
    const uptimeMs = within.uptimeBefore + at - within.from;
    return {
      work: within.workBase + within.load.byTime(at) + within.load.byUptime(uptimeMs),
      uptimeMs,
    };
  }

  /** The last instant at or before a time at which the probe is due. */
  #lattice(atMs: number): number {
    this.#phaseMs ??= 1000 * Math.floor((PUSH_MS / 1000) * this.trait('probe'));
    return Math.floor((atMs - this.#phaseMs) / PUSH_MS) * PUSH_MS + this.#phaseMs;
  }

  #trace(spans: readonly Span[]): readonly Stretch[] {
    const stretches: Stretch[] = [];
    let boot = Number.NaN;
    let before: Stretch | null = null;
    let age = 0;
    for (const span of spans) {
      if (span.boot !== boot) before = null;
      boot = span.boot;
      const to = span.to ?? Number.POSITIVE_INFINITY;
      const profile = profileOf(span.shape.profile);
      const load = this.#loadOf(profile);
      const uptimeBefore = before === null ? 0 : before.uptimeBefore + before.to - before.from;
      const push = this.#lattice(span.from + PUSH_MS - 1);
      const stretch: Stretch = {
        from: span.from,
        to,
        shape: span.shape,
        profile,
        load,
        before,
        uptimeBefore,
        ageBefore: age,
        workBase: workBaseOf(before, load, span.from, uptimeBefore),
        firstPush: Math.min(before?.firstPush ?? Number.POSITIVE_INFINITY, push < to ? push : Number.POSITIVE_INFINITY),
      };
      stretches.push(stretch);
      age += to - span.from;
      before = stretch;
    }
    return stretches;
  }
}

function labelsOf({ id, instance, job, vm: { container } }: Guest): Labels {
  const own = [['id', id] as const, ['instance', instance] as const, ['job', job] as const];
  if (container === undefined) return own;
  const { image, imageName, name } = container;
  return [...own, ['image', image] as const, ['image_name', imageName] as const, ['name', name] as const].sort(byName);
}

/** What {@link Stretch.workBase} has to be, so that the work of a boot grows on from where it stood. */
function workBaseOf(before: Stretch | null, load: Load, from: number, uptimeBefore: number): number {
  if (before === null) return -load.byTime(from);
  const until = before.workBase + before.load.byTime(before.to);
  const change = before.load === load ? 0 : before.load.byUptime(uptimeBefore) - load.byUptime(uptimeBefore);
  return until - load.byTime(from) + change;
}

/** Index of the last stretch that began at or before a time; -1 for none. */
function lastFrom(stretches: readonly Stretch[], atMs: number): number {
  let low = 0;
  let high = stretches.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((stretches[middle]?.from ?? Number.POSITIVE_INFINITY) <= atMs) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
