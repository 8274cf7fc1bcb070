/**
 * What OpenNebula's probe on a host sees of a VM from outside: MONITORING. Mirrors the probes of the KVM driver, and
 * agrees with what the probe inside pushes, since both ask the same models.
 */
import { ethernet, freeKb, machine, totalKb, traffic } from './catalog.ts';
import type { Guest, Push } from './guest.ts';

export interface VmSample {
  /** Seconds since the Unix epoch. */
  readonly timestamp: number;
  /** Percent of one core. */
  readonly cpu: number;
  readonly memoryKb: number;
  /** Bytes, and operations, since the boot. */
  readonly netRx: number;
  readonly netTx: number;
  readonly diskReadBytes: number;
  readonly diskReadOps: number;
  readonly diskWriteBytes: number;
  readonly diskWriteOps: number;
}

/** MONITORING by name: the attributes of a VM that are measured. */
export const MONITORED = {
  CPU: 'cpu',
  DISKRDBYTES: 'diskReadBytes',
  DISKRDIOPS: 'diskReadOps',
  DISKWRBYTES: 'diskWriteBytes',
  DISKWRIOPS: 'diskWriteOps',
  MEMORY: 'memoryKb',
  NETRX: 'netRx',
  NETTX: 'netTx',
  TIMESTAMP: 'timestamp',
} as const satisfies Record<string, keyof VmSample>;

/** After this, oned forgets a sample. */
export const SAMPLES_KEPT_MS = 12 * 3_600_000;

/** oned's MONITOR_VM. */
const PERIOD_MS = 30_000;

/** What starting up reads from the disks, and what a second of full load reads and writes. */
const DISK = { bootBytes: 180e6, readPerLoad: 400e3, writePerLoad: 900e3, bytesPerRead: 24e3, bytesPerWrite: 12e3 };

/** The samples after one time and up to another, the newest first. */
export function* vmSamples(guest: Guest, afterMs: number, upToMs: number): Generator<VmSample> {
  const measure = modelOf(guest);
  for (const stretch of guest.stretches.toReversed()) {
    let at = PERIOD_MS * Math.floor(Math.min(upToMs, stretch.to - 1) / PERIOD_MS);
    for (; at >= stretch.from && at > afterMs; at -= PERIOD_MS) {
      if (isSeen(guest, at)) yield measure({ at, stretch });
    }
    if (at <= afterMs) return;
  }
}

/** Whether the host's probes saw it then. */
const isSeen = ({ vm }: Guest, atMs: number): boolean =>
  vm.trouble?.unseen.every(({ from, to }) => atMs < from || (to !== null && atMs >= to)) !== false;

function modelOf(guest: Guest): (push: Push) => VmSample {
  const load = machine(guest);
  const free = freeKb(guest);
  const counts = new Map<string, ReturnType<typeof traffic>>();
  const count = (nic: number, direction: 'rx' | 'tx'): ReturnType<typeof traffic> => {
    const key = `${nic} ${direction}`;
    const known = counts.get(key) ?? traffic(guest, ethernet(nic), direction);
    counts.set(key, known);
    return known;
  };
  return (push) => {
    const { at, stretch } = push;
    const { nics, vcpu } = stretch.shape;
    const sum = (direction: 'rx' | 'tx'): number =>
      nics.reduce((all, nic) => all + count(nic, direction)(at, stretch), 0);
    const { work, uptimeMs } = guest.since(at, stretch);
    const started = 1 - Math.exp(-uptimeMs / 20_000);
    const read = Math.floor(DISK.bootBytes * started + DISK.readPerLoad * work);
    const written = Math.floor(DISK.writePerLoad * work);
    return {
      timestamp: at / 1000,
      cpu: Math.round(100 * (load(push) ?? 0) * Math.max(1, vcpu)) / 100,
      memoryKb: totalKb(stretch) - free(push),
      netRx: sum('rx'),
      netTx: sum('tx'),
      diskReadBytes: read,
      diskReadOps: Math.floor(read / DISK.bytesPerRead),
      diskWriteBytes: written,
      diskWriteOps: Math.floor(written / DISK.bytesPerWrite),
    };
  };
}
