/**
 * SONATA's service platform: a machine, and the containers on it, as the probes in the one and beside the others' Docker
 * daemon see them. The platform itself is not simulated as containers; these stand for it, so that its dashboards have
 * something to show.
 */
import { hash } from '../kernel/random.ts';
import { remembered } from '../kernel/remembered.ts';
import { type Metric, type Model, machine, totalKb, traffic, usedKb } from './catalog.ts';
import type { Disturbances } from './disturbance.ts';
import { fixedPushers, type Pushers } from './fleet.ts';
import { Guest, type ProbedVm } from './guest.ts';
import type { Chance } from './load.ts';

/** What runs, by its name: the image, how it behaves, and what it may have of memory. */
const CONTAINERS = {
  'son-gtkapi': { image: 'sonatanfv/son-gtkapi', profile: 'diurnal', memoryMiB: 512 },
  'son-gtkfnct': { image: 'sonatanfv/son-gtkfnct', profile: 'idle', memoryMiB: 512 },
  'son-gtkkpi': { image: 'sonatanfv/son-gtkkpi', profile: 'idle', memoryMiB: 256 },
  'son-gtklic': { image: 'sonatanfv/son-gtklic', profile: 'idle', memoryMiB: 256 },
  'son-gtkpkg': { image: 'sonatanfv/son-gtkpkg', profile: 'idle', memoryMiB: 512 },
  'son-gtkrec': { image: 'sonatanfv/son-gtkrec', profile: 'idle', memoryMiB: 512 },
  'son-gtksrv': { image: 'sonatanfv/son-gtksrv', profile: 'idle', memoryMiB: 512 },
  'son-gtkusr': { image: 'sonatanfv/son-gtkusr', profile: 'idle', memoryMiB: 256 },
  'son-catalogue-repos': { image: 'sonatanfv/son-catalogue-repos', profile: 'bursty', memoryMiB: 1024 },
  'son-broker': { image: 'rabbitmq', profile: 'steady', memoryMiB: 1024 },
  'son-monitor-manager': { image: 'sonatanfv/son-monitor-manager', profile: 'steady', memoryMiB: 512 },
  'son-monitor-prometheus': { image: 'sonatanfv/son-monitor-prometheus', profile: 'steady', memoryMiB: 4096 },
  'son-monitor-pushgateway': { image: 'sonatanfv/son-monitor-pushgateway', profile: 'steady', memoryMiB: 512 },
} as const;

/** The machine that all of them are on. Its own work takes the cores and the memory that no container can have. */
const HOST = { name: 'sonata-sp', vcpu: 16, memoryMiB: 32_768, diskMiB: 204_800, profile: 'idle' };

/** What tells a container from others, as labels of its series. */
export interface ContainerName {
  /** Of the machine that it is on. */
  readonly host: string;
  readonly image: string;
  readonly imageName: string;
  readonly name: string;
}

/** What is probed of the platform. */
export interface Platform {
  readonly host: ProbedVm;
  readonly containers: readonly ProbedVm[];
}

/** The platform as it has been since a time. */
export const platformSince = (sinceMs: number): Platform => ({
  host: hostSince(sinceMs),
  containers: containersSince(sinceMs),
});

/** A machine like others, which is the last below those of all VMs. */
function hostSince(sinceMs: number): ProbedVm {
  const { name, vcpu, memoryMiB, diskMiB, profile } = HOST;
  const shape = { vcpu, memoryMiB, disks: [{ id: 0, target: 'vda', sizeMiB: diskMiB }], nics: [0], profile };
  return {
    id: -1 - Object.keys(CONTAINERS).length,
    uuid: idOf(name).replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-4$3-8$4-$5'),
    spans: [{ from: sinceMs, to: null, boot: 1, hostId: -1, shape }],
    // What a probe reports as the name of its node.
    userTemplate: new Map([['VNF_NAME', name]]),
  };
}

/** The containers, as machines that a probe looks at: one processor each. Their numbers are below those of all VMs. */
const containersSince = (sinceMs: number): ProbedVm[] =>
  Object.entries(CONTAINERS).map(([name, { image, profile, memoryMiB }], i) => ({
    id: -1 - i,
    uuid: idOf(name),
    spans: [
      { from: sinceMs, to: null, boot: 1, hostId: -1, shape: { vcpu: 1, memoryMiB, disks: [], nics: [0], profile } },
    ],
    userTemplate: new Map<string, string>(),
    container: { host: HOST.name, image: `${image}:latest`, imageName: image, name },
  }));

/** As Docker's ids look. */
const idOf = remembered((name) =>
  Array.from({ length: 8 }, (_, i) => hash(`${name} ${i}`).toString(16).padStart(8, '0').slice(-8)).join(''),
);

const MB = 1e6;

const hundredths = (value: number): number => Math.round(100 * value) / 100;

/** The machine and the containers of a platform, each as what pushes its metrics. */
export function pushersOf(
  { host, containers }: Platform,
  chance: Chance,
  disturbances: Disturbances,
): { readonly host: Pushers; readonly containers: Pushers } {
  const inner = containers.map((container) => new Guest(chance, container, disturbances));
  return {
    host: fixedPushers([new Guest(chance, host, disturbances, inner)]),
    containers: fixedPushers(inner),
  };
}

const row = (name: string, help: string, unit: string, model: (guest: Guest) => Model): Metric => ({
  name,
  help,
  type: 'gauge',
  unit,
  dimension: null,
  model,
});

const traded = (name: string, help: string, direction: 'rx' | 'tx'): Metric =>
  row(name, help, '10^6 bytes', (guest) => {
    const bytes = traffic(guest, 'eth0', direction);
    return ({ at, stretch }) => hundredths(bytes(at, stretch) / MB);
  });

/** What a container takes from its disks, or leaves there, for all that it does. */
const stored = (name: string, help: string, bytesPerWork: number): Metric =>
  row(
    name,
    help,
    '10^6 bytes',
    (guest) =>
      ({ at, stretch }) =>
        hundredths((guest.since(at, stretch).work * bytesPerWork) / MB),
  );

/** What there is to say of a container, sorted by name. Mirrors the container probe of SONATA's monitoring. */
export const CONTAINER_CATALOG: readonly Metric[] = [
  stored('cnt_block_in_MB', 'Data read from block devices', 400e3),
  stored('cnt_block_ou_MB', 'Data written to block devices', 900e3),
  row('cnt_cpu_perc', 'Busy time of the container', 'percent', machine),
  {
    ...row(
      'cnt_created',
      'When the container was created',
      'Unix seconds',
      () =>
        ({ stretch }) =>
          Math.floor(stretch.from / 1000),
    ),
    type: 'counter',
  },
  row(
    'cnt_mem_limit_MB',
    'Memory that the container may use',
    '10^6 bytes',
    () =>
      ({ stretch }) =>
        hundredths((1024 * totalKb(stretch)) / MB),
  ),
  row('cnt_mem_perc', 'Share of its memory that the container uses', 'percent', (guest) => {
    const used = usedKb(guest);
    return (push) => hundredths((100 * used(push)) / totalKb(push.stretch));
  }),
  row('cnt_mem_usage_MB', 'Memory that the container uses', '10^6 bytes', (guest) => {
    const used = usedKb(guest);
    return (push) => hundredths((1024 * used(push)) / MB);
  }),
  traded('cnt_net_rx_MB', 'Data received', 'rx'),
  traded('cnt_net_tx_MB', 'Data sent', 'tx'),
  row('cnt_status', '1 up, 0 exited, 2 created, 3 paused, 4 other', 'number', () => () => 1),
];
