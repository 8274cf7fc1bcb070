/**
 * The metric catalogue: every metric that a guest's probe pushes, with the model that gives its value. Mirrors the VM
 * probe of SONATA's monitoring as of August 2017, its oddities included: free memory for `vm_mem_perc`, kB called MB,
 * and rates over two seconds that are not divided by two.
 */
import type { Shape } from '../one/vm/span.ts';
import type { Guest, Push, Stretch } from './guest.ts';

/** The value of one series in a push; undefined when the push does not carry it. */
export type Model = (push: Push) => number | undefined;

/** The label that tells apart the series of one metric and one guest. */
interface Dimension {
  readonly label: string;
  /** All values it ever had for the guest. */
  readonly values: (guest: Guest) => readonly string[];
}

/** What there is to say of a metric. */
export interface Described {
  readonly name: string;
  readonly help: string;
  readonly type: 'gauge' | 'counter';
  readonly unit: string;
}

export interface Metric extends Described {
  /** null for a metric with a single series. */
  readonly dimension: Dimension | null;
  /** The model of one series: `value` is that of the dimension's label, and stands at `index` among its values. */
  readonly model: (guest: Guest, value: string, index: number) => Model;
}

const core: Dimension = {
  label: 'core',
  values: (guest) => {
    const most = guest.stretches.reduce((max, stretch) => Math.max(max, coresOf(stretch)), 1);
    return ['cpu', ...Array.from({ length: most }, (_, i) => `cpu${i}`)];
  },
};

const inf: Dimension = {
  label: 'inf',
  values: (guest) => everSeen(guest, interfaces),
};

/** As `df` lists them: a device file system that holds nothing, one in memory, and the disks. */
const fileSystem: Dimension = {
  label: 'file_system',
  values: (guest) => everSeen(guest, ({ disks }) => ['udev', 'tmpfs', ...disks.map(device)]),
};

/** Whatever some stretch of the guest's life had, in the order in which it came. Most guests never change. */
function everSeen(guest: Guest, of: (shape: Shape) => readonly string[]): readonly string[] {
  const { stretches } = guest;
  const [first] = stretches;
  if (first === undefined) return [];
  if (stretches.every(({ shape }) => shape === first.shape)) return of(first.shape);
  return [...new Set(stretches.flatMap(({ shape }) => of(shape)))];
}

const interfaces = ({ nics }: Shape): string[] => ['lo', ...nics.map(ethernet)];

export const ethernet = (nic: number): string => `eth${nic}`;

/** The root is on the first partition of the first disk; other disks are not partitioned. */
const device = ({ target }: Shape['disks'][number], i: number): string => `/dev/${target}${i === 0 ? '1' : ''}`;

/** What an interface counts in one direction. */
const perDirection = (direction: 'rx' | 'tx', verb: string): readonly Metric[] => [
  {
    name: `vm_net_${direction}_MB`,
    help: `Data ${verb} since the boot`,
    type: 'gauge',
    unit: '10^6 bytes',
    dimension: inf,
    model: (guest, value) => {
      const bytes = traffic(guest, value, direction);
      return present(value, ({ at, stretch }) => Math.round(bytes(at, stretch) / 10_000) / 100);
    },
  },
  {
    name: `vm_net_${direction}_bps`,
    help: `Data ${verb} between two passes of the probe`,
    type: 'gauge',
    unit: 'bits in 2 s',
    dimension: inf,
    model: (guest, value) => {
      const bytes = traffic(guest, value, direction);
      return present(
        value,
        betweenPasses((at, stretch) => 8 * bytes(at, stretch)),
      );
    },
  },
  {
    name: `vm_net_${direction}_pps`,
    help: `Packets ${verb} between two passes of the probe`,
    type: 'gauge',
    unit: 'packets in 2 s',
    dimension: inf,
    model: (guest, value) => {
      const bytes = traffic(guest, value, direction);
      const bytesPerPacket = 300 + 600 * guest.trait(`${value}/packet`);
      return present(
        value,
        betweenPasses((at, stretch) => Math.floor(bytes(at, stretch) / bytesPerPacket)),
      );
    },
  },
];

/** Memory as the probe reports it: free where the name does not say so, and in kB where it says MB. */
const MEMORY: readonly Metric[] = [
  {
    name: 'vm_mem_free_MB',
    help: 'Free memory',
    type: 'gauge',
    unit: 'kB',
    dimension: null,
    model: freeKb,
  },
  {
    name: 'vm_mem_perc',
    help: 'Share of memory that is free',
    type: 'gauge',
    unit: 'percent',
    dimension: null,
    model: (guest) => {
      const free = freeKb(guest);
      return (push) => Math.round((10_000 * free(push)) / totalKb(push.stretch)) / 100;
    },
  },
  {
    name: 'vm_mem_total_MB',
    help: 'Memory of the machine',
    type: 'gauge',
    unit: 'kB',
    dimension: null,
    model: () => (push) => totalKb(push.stretch),
  },
];

/** Memory as the names promise. */
const MEMORY_AS_NAMED: readonly Metric[] = [
  {
    name: 'vm_mem_free_MB',
    help: 'Free memory',
    type: 'gauge',
    unit: 'MB',
    dimension: null,
    model: (guest) => {
      const free = freeKb(guest);
      return (push) => Math.floor(free(push) / 1024);
    },
  },
  {
    name: 'vm_mem_perc',
    help: 'Share of memory in use',
    type: 'gauge',
    unit: 'percent',
    dimension: null,
    model: (guest) => {
      const free = freeKb(guest);
      return (push) => Math.round(10_000 * (1 - free(push) / totalKb(push.stretch))) / 100;
    },
  },
  {
    name: 'vm_mem_total_MB',
    help: 'Memory of the machine',
    type: 'gauge',
    unit: 'MB',
    dimension: null,
    model: () => (push) => Math.floor(totalKb(push.stretch) / 1024),
  },
];

/** What a probe pushes, sorted by name; `asNamed` when memory is to be what its names promise. */
export const catalog = (asNamed: boolean): readonly Metric[] => rows(asNamed ? MEMORY_AS_NAMED : MEMORY);

const rows = (memory: readonly Metric[]): readonly Metric[] => [
  {
    name: 'vm_cpu_perc',
    help: 'Busy time of the whole machine, core cpu, and of each of its cores',
    type: 'gauge',
    unit: 'percent',
    dimension: core,
    model: (guest, _, index) => (index === 0 ? machine(guest) : oneCore(guest, index - 1)),
  },
  {
    name: 'vm_disk_total_1k_blocks',
    help: 'Size of the file system',
    type: 'gauge',
    unit: '1 KiB blocks',
    dimension: fileSystem,
    model: (guest, name) => {
      const measure = fileSystemOf(guest, name);
      return (push) => measure(push)?.total;
    },
  },
  {
    name: 'vm_disk_usage_perc',
    help: 'Share of the file system in use',
    type: 'gauge',
    unit: 'percent',
    dimension: fileSystem,
    model: (guest, name) => {
      const measure = fileSystemOf(guest, name);
      return (push) => {
        const measured = measure(push);
        if (measured === undefined) return undefined;
        const { used, total } = measured;
        return total === 0 ? 0 : Math.ceil((100 * used) / total);
      };
    },
  },
  {
    name: 'vm_disk_used_1k_blocks',
    help: 'Space in use on the file system',
    type: 'gauge',
    unit: '1 KiB blocks',
    dimension: fileSystem,
    model: (guest, name) => {
      const measure = fileSystemOf(guest, name);
      return (push) => measure(push)?.used;
    },
  },
  ...memory,
  ...perDirection('rx', 'received'),
  ...perDirection('tx', 'sent'),
  {
    name: 'vm_up',
    help: 'Time of the push, as a sign of life',
    type: 'gauge',
    unit: 'Unix seconds',
    dimension: null,
    model: () => (push) => push.at / 1000,
  },
];

/** More than any machine has; keeps the draws of one core apart from those of the next. */
const MOST_CORES = 65_536;

const coresOf = ({ shape }: Stretch): number => Math.max(1, shape.vcpu);

/** Busy hundredths of a percent of each core. */
function busy(guest: Guest, index: number): (push: Push) => number {
  const inner = guest.inner[index];
  if (inner !== undefined) {
    const own = busy(inner, 0);
    return ({ at }) => orNothing(own, inner.seenAt(at));
  }
  const share = 0.8 + 0.4 * guest.trait(`cpu${index}`);
  return ({ at, stretch }) => {
    const load = stretch.load.at(at, stretch.uptimeBefore + at - stretch.from);
    const stray =
      1 + stretch.profile.jitter * (2 * guest.chance.jitter(guest.entity, (at / 1000) * MOST_CORES + index) - 1);
    return Math.round(10_000 * Math.min(1, load * share * stray));
  };
}

function oneCore(guest: Guest, index: number): Model {
  const hundredths = busy(guest, index);
  return (push) => (index < coresOf(push.stretch) ? hundredths(push) / 100 : undefined);
}

/** The mean of the cores that the machine has at the time. */
export function machine(guest: Guest): Model {
  const cores: ((push: Push) => number)[] = [];
  return (push) => {
    const count = coresOf(push.stretch);
    let sum = 0;
    for (let i = 0; i < count; i++) {
      cores[i] ??= busy(guest, i);
      sum += cores[i]?.(push) ?? 0;
    }
    return Math.round(sum / count) / 100;
  };
}

/** What the guest's kernel keeps for itself is missing in its total, as in /proc/meminfo. */
export const totalKb = ({ shape }: Stretch): number => 4 * Math.ceil(shape.memoryMiB * 256 * 0.976);

export function freeKb(guest: Guest): (push: Push) => number {
  const ownFree = ownFreeKb(guest);
  if (guest.inner.length === 0) return ownFree;
  const inner = guest.inner.map((one) => ({ one, used: usedKb(one) }));
  return (push) => inner.reduce((free, { one, used }) => free - orNothing(used, one.seenAt(push.at)), ownFree(push));
}

export function usedKb(guest: Guest): (push: Push) => number {
  const free = freeKb(guest);
  return (push) => totalKb(push.stretch) - free(push);
}

const orNothing = (measure: (push: Push) => number, push: Push | null): number => (push === null ? 0 : measure(push));

/** What would be free if nothing ran on it. */
function ownFreeKb(guest: Guest): (push: Push) => number {
  const own = 0.85 + 0.3 * guest.trait('memory');
  return ({ at, stretch }) => {
    const { memory, leakPerHour } = stretch.profile;
    const uptimeMs = stretch.uptimeBefore + at - stretch.from;
    const started = 1 - 0.6 * Math.exp(-uptimeMs / 45_000);
    const working = 0.06 * Math.min(1, stretch.load.at(at, uptimeMs));
    const used = memory * own * started + working + (leakPerHour * uptimeMs) / 3_600_000;
    const total = totalKb(stretch);
    return total - 4 * Math.round((total * Math.min(0.985, used)) / 4);
  };
}

interface Filled {
  readonly used: number;
  readonly total: number;
}

/** What a file system holds; undefined while the guest has none of that name. */
function fileSystemOf(guest: Guest, name: string): (push: Push) => Filled | undefined {
  if (name === 'udev') return ({ stretch }) => ({ used: 0, total: stretch.shape.memoryMiB * 512 });
  if (name === 'tmpfs') {
    return ({ stretch: { shape } }) => ({
      used: Math.floor(shape.memoryMiB / 2),
      total: Math.floor(shape.memoryMiB * 102.4),
    });
  }
  let known = -1;
  let atFirst = 0;
  return ({ at, stretch }) => {
    const { disks } = stretch.shape;
    const index = disks.findIndex((disk, i) => device(disk, i) === name);
    const disk = disks[index];
    if (disk === undefined) return undefined;
    if (disk.id !== known) {
      known = disk.id;
      atFirst = 0.08 + 0.3 * guest.trait(`disk${known}`);
    }
    const total = Math.floor(disk.sizeMiB * 1024 * 0.96);
    const days = (stretch.ageBefore + at - stretch.from) / 86_400_000;
    const filled = index === 0 ? stretch.profile.fillPerDay * days : 0;
    return { used: Math.floor(total * Math.min(0.99, atFirst + filled)), total };
  };
}

/** An interface reports while the guest has it. */
function present(name: string, model: Model): Model {
  if (name === 'lo') return model;
  const nic = Number(name.slice('eth'.length));
  return (push) => (push.stretch.shape.nics.includes(nic) ? model(push) : undefined);
}

/** Whole bytes over an interface since the boot. What `lo` sends, it receives. */
export function traffic(
  guest: Guest,
  name: string,
  direction: 'rx' | 'tx',
): (atMs: number, stretch: Stretch) => number {
  const ownTraffic = trafficOf(guest, name, direction);
  if (guest.inner.length === 0 || name === 'lo') return ownTraffic;
  const inner = guest.inner.map((one) => ({ one, traffic: trafficOf(one, name, direction) }));
  return (atMs, stretch) => {
    let bytes = ownTraffic(atMs, stretch);
    for (const { one, traffic: part } of inner) {
      const seen = one.seenAt(atMs);
      if (seen !== null) bytes += part(seen.at, seen.stretch);
    }
    return bytes;
  };
}

function trafficOf(guest: Guest, name: string, direction: 'rx' | 'tx'): (atMs: number, stretch: Stretch) => number {
  const local = name === 'lo';
  const own = 0.5 + guest.trait(local ? name : `${name}/${direction}`);
  const [atRest, underLoad] = local ? [150, 40_000] : [900, 2_000_000];
  return (atMs, stretch) => {
    const { work, uptimeMs } = guest.since(atMs, stretch);
    return Math.floor(own * ((atRest * uptimeMs) / 1000 + underLoad * work));
  };
}

/** What a count rose by in the 2 s before a push. The first pass after a boot has nothing to compare with. */
function betweenPasses(count: (atMs: number, stretch: Stretch) => number): Model {
  return ({ at, stretch }) => (at === stretch.firstPush ? undefined : count(at, stretch) - count(at - 2000, stretch));
}
