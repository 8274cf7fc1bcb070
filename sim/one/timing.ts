/**
 * How long things take, by profile: one distribution per driver action, in simulated milliseconds.
 *
 * `realistic` is a small KVM cloud with qcow2 images on local disks: an image is cloned in some seconds (PROLOG), a
 * domain is defined in one to three, a guest needs up to half a minute to shut down over ACPI, saving memory goes at
 * disk speed, a hot resize is a libvirt call below a second; the scheduler looks every 15 s, as oned ships it.
 * `fast` keeps every state visible to a client that polls twice a second. `slow` is a loaded cloud. `instant` passes
 * through every state, in order, within the same instant.
 */
import type { Distribution } from '../kernel/random.ts';
import type { DriverAction } from './vm/lifecycle.ts';

export interface Timing {
  /** Time between two rounds of the scheduler; 0 dispatches at once. */
  readonly schedulerIntervalMs: number;
  /** Time that OneFlow needs to notice and act on a change. */
  readonly flowReactionMs: number;
  readonly actions: Readonly<Record<DriverAction, Distribution>>;
  /** How often an action fails by itself, as a probability. */
  readonly failing: Chances;
  /** Where it is otherwise for some VMs; the first that fits and says something of an action counts. */
  readonly overrides: readonly TimingOverride[];
  /** After so many reads what is due next happens, whatever the clock says; 0: it waits for the clock. */
  readonly progressAfterReads: number;
}

type Chances = Readonly<Partial<Record<DriverAction, number>>>;

export interface TimingOverride {
  /** All parts given must fit; `*` stands for any text. */
  readonly selector: {
    /** Name of the VM template. */
    readonly template?: string;
    readonly host?: string;
    readonly user?: string;
    readonly name?: string;
  };
  readonly actions?: Readonly<Partial<Record<DriverAction, Distribution>>>;
  readonly failing?: Chances;
}

/** What holds where a profile says nothing else. */
const UNDISTURBED = { failing: {}, overrides: [], progressAfterReads: 0 } as const;

const every = (distribution: Distribution): Record<DriverAction, Distribution> => ({
  prolog: distribution,
  deploy: distribution,
  save: distribution,
  restore: distribution,
  shutdown: distribution,
  epilog: distribution,
  migrate: distribution,
  cleanup: distribution,
  resize: distribution,
  diskResize: distribution,
  attachDisk: distribution,
  attachNic: distribution,
  snapshot: distribution,
  diskSnapshot: distribution,
  saveAs: distribution,
  backup: distribution,
});

const lognormal = (median: number, p95: number): Distribution => ({ lognormal: { median, p95 } });

const realistic: Timing = {
  ...UNDISTURBED,
  schedulerIntervalMs: 15_000,
  flowReactionMs: 300,
  actions: {
    prolog: lognormal(3_000, 10_000),
    deploy: lognormal(1_500, 3_000),
    save: lognormal(4_000, 12_000),
    restore: lognormal(3_000, 8_000),
    shutdown: lognormal(6_000, 25_000),
    epilog: lognormal(1_000, 3_000),
    migrate: lognormal(5_000, 15_000),
    cleanup: lognormal(1_000, 3_000),
    resize: lognormal(500, 1_000),
    diskResize: lognormal(700, 2_000),
    attachDisk: lognormal(1_500, 4_000),
    attachNic: lognormal(500, 1_500),
    snapshot: lognormal(2_000, 6_000),
    diskSnapshot: lognormal(1_000, 3_000),
    saveAs: lognormal(8_000, 30_000),
    backup: lognormal(20_000, 60_000),
  },
};

function scaled(timing: Timing, factor: number): Timing {
  const slower = (d: Distribution): Distribution =>
    'lognormal' in d ? lognormal(d.lognormal.median * factor, d.lognormal.p95 * factor) : d;
  const actions = Object.entries(timing.actions).map(([action, d]) => [action, slower(d)]);
  return { ...timing, actions: Object.fromEntries(actions) as Timing['actions'] };
}

export const TIMINGS = {
  instant: { ...UNDISTURBED, schedulerIntervalMs: 0, flowReactionMs: 0, actions: every({ fixed: 0 }) },
  fast: { ...UNDISTURBED, schedulerIntervalMs: 1_000, flowReactionMs: 50, actions: every({ fixed: 500 }) },
  realistic,
  slow: { ...scaled(realistic, 5), schedulerIntervalMs: 30_000 },
} as const satisfies Record<string, Timing>;

export type TimingName = keyof typeof TIMINGS;
