/** A host: what it has, what is taken, and whether it may be used. Mirrors `Host.h` and `HostShare.h` of OpenNebula 6.10. */
import { allows, authorize } from '../access/acl.ts';
import type { Caller } from '../access/user.ts';
import type { Cloud } from '../cloud.ts';
import { OneError } from '../error.ts';
import { nameProblem, namesake, refuse, taken } from '../name.ts';
import { parseTemplate } from '../parse.ts';
import { Template } from '../syntax/syntax.ts';

/** HOST/STATE by name, with the number of `Host.h`. */
export const HOST_STATES = { INIT: 0, MONITORED: 2, ERROR: 3, DISABLED: 4, OFFLINE: 8 } as const;
export type HostState = keyof typeof HOST_STATES;

export interface Host {
  readonly id: number;
  name: string;
  state: HostState;
  previousState: HostState;
  readonly imMad: string;
  readonly vmMad: string;
  clusterId: number;
  /** When it was seen for the first time, in seconds since the Unix epoch. */
  readonly since: number;
  /** What the host has: 100 per CPU, and kilobytes. */
  totalCpu: number;
  totalMemKb: number;
  /** What is taken by VMs, in the same units. */
  usedCpu: number;
  usedMemKb: number;
  /** VMs placed on it, powered-off ones included. */
  readonly vms: Set<number>;
  template: Template;
  /** The journal's entry of what made it as it is now. */
  because: number;
  /** What faults do to it now; most hosts suffer from none. */
  troubles: readonly HostTrouble[];
}

/** What one fault does to a host now. */
export interface HostTrouble {
  readonly fault: string;
  /** It does not answer, and its guests do not run. */
  readonly silent: boolean;
  /** What it has lost of its capacity, in its units. */
  readonly lostCpu: number;
  readonly lostMemKb: number;
  /** How many times as long as usual everything on it takes. */
  readonly slowness: number;
}

export const isSilent = ({ troubles }: Host): boolean => troubles.some(({ silent }) => silent);

export const slowness = ({ troubles }: Host): number => troubles.reduce((product, each) => product * each.slowness, 1);

/** What the dummy probe of the recordings reports of a host; a world file may say otherwise. */
const DEFAULT_CPU = 800;
const DEFAULT_MEM_KB = 16 * 1024 * 1024;

export interface HostWish {
  readonly name: string;
  readonly imMad?: string;
  readonly vmMad?: string;
  readonly clusterId?: number;
  /** 100 per CPU. */
  readonly cpu?: number;
  readonly memKb?: number;
  readonly template?: Template;
}

/** What the host has to offer: nothing while it is offline, whatever is still taken. */
export function capacity({ state, totalCpu, totalMemKb, troubles }: Host): { cpu: number; memKb: number } {
  if (state === 'OFFLINE') return { cpu: 0, memKb: 0 };
  if (troubles.length === 0) return { cpu: totalCpu, memKb: totalMemKb };
  const lost = (part: 'lostCpu' | 'lostMemKb'): number => troubles.reduce((sum, each) => sum + each[part], 0);
  return { cpu: Math.max(0, totalCpu - lost('lostCpu')), memKb: Math.max(0, totalMemKb - lost('lostMemKb')) };
}

/** Adds a host that reports at once. */
export function addHost(cloud: Cloud, wish: HostWish): Host {
  const cluster = cloud.clusters.get(wish.clusterId ?? 0);
  const host = cloud.hosts.add(
    (id): Host => ({
      id,
      name: wish.name,
      state: 'MONITORED',
      previousState: 'MONITORED',
      imMad: wish.imMad ?? 'kvm',
      vmMad: wish.vmMad ?? 'kvm',
      clusterId: cluster.id,
      since: cloud.seconds,
      totalCpu: wish.cpu ?? DEFAULT_CPU,
      totalMemKb: wish.memKb ?? DEFAULT_MEM_KB,
      usedCpu: 0,
      usedMemKb: 0,
      vms: new Set(),
      template: wish.template ?? new Template(),
      because: cloud.clock.cause,
      troubles: [],
    }),
  );
  cluster.hosts.add(host.id);
  cloud.hostUpdated(host);
  cloud.hostTroubles.look(host);
  cloud.scheduler.look();
  return host;
}

/** Changes a host's state, with what its VMs make of it. */
export function setHostState(cloud: Cloud, host: Host, state: HostState): void {
  if (host.state === state) return;
  const cause = cloud.journal.append('host.state', `host/${host.id}`, { from: host.state, to: state });
  host.previousState = state;
  host.state = state;
  host.because = cause;
  cloud.hostUpdated(host);
  cloud.clock.because(cause, () => {
    for (const id of [...host.vms]) {
      const vm = cloud.vms.get(id);
      if (state === 'ERROR' && vm.state === 'RUNNING') {
        cloud.driver.lose(vm);
      } else if (state === 'MONITORED' && vm.state === 'UNKNOWN') {
        cloud.driver.enter(vm, 'RUNNING');
      }
    }
    cloud.scheduler.look();
    cloud.hostTroubles.look(host);
  });
}

function hostAllocate(
  cloud: Cloud,
  caller: Caller,
  name: string,
  imMad: string,
  vmMad: string,
  clusterId = -1,
): number {
  if (imMad === '') throw new OneError('INTERNAL', 'IM_MAD_NAME cannot be empty.');
  if (vmMad === '') throw new OneError('INTERNAL', 'VMM_MAD_NAME cannot be empty.');
  const cluster = cloud.clusters.get(Math.max(0, clusterId));
  authorize(
    cloud,
    caller,
    { right: 'CREATE', type: 'HOST' },
    ...(cluster.id === 0 ? [] : [{ right: 'ADMIN', type: 'CLUSTER', object: cluster } as const]),
  );
  if (name.length < 1 || name.length > 64) {
    throw new OneError(
      'INTERNAL',
      'Invalid HOSTNAME, HOSTNAME length should be greater than 1, but smaller than 64 characters',
    );
  }
  const other = namesake(cloud.hosts, 'pool', name);
  refuse(nameProblem(name), other && taken('HOST', other));
  return addHost(cloud, { name, imMad, vmMad, clusterId: cluster.id }).id;
}

function administered(cloud: Cloud, caller: Caller, id: number): Host {
  const host = cloud.hosts.get(id);
  authorize(cloud, caller, { right: 'ADMIN', type: 'HOST', object: host });
  return host;
}

function hostInfo(cloud: Cloud, caller: Caller, id: number, _decrypt = false): Host {
  const host = cloud.hosts.get(id);
  authorize(cloud, caller, { right: 'USE', type: 'HOST', object: host });
  return host;
}

/** By the number of `one.host.status`. */
const STATUS: readonly HostState[] = ['MONITORED', 'DISABLED', 'OFFLINE'];

function hostStatus(cloud: Cloud, caller: Caller, id: number, status: number): number {
  const host = administered(cloud, caller, id);
  const state = STATUS[status];
  if (state === undefined) throw new OneError('INTERNAL', 'Wrong status code');
  setHostState(cloud, host, state);
  return id;
}

function hostDelete(cloud: Cloud, caller: Caller, id: number): number {
  const host = administered(cloud, caller, id);
  if (host.vms.size > 0) {
    throw new OneError('ACTION', 'Cannot delete host. Can not remove a host with running VMs');
  }
  cloud.clusters.find(host.clusterId)?.hosts.delete(id);
  cloud.hosts.delete(id);
  cloud.hostRemoved(host);
  return id;
}

function hostUpdate(cloud: Cloud, caller: Caller, id: number, text: string, append = 0): number {
  const template = parseTemplate(text, 'INTERNAL', 'Cannot update template. ');
  const host = administered(cloud, caller, id);
  if (append === 0) host.template = template;
  else host.template.append(template);
  cloud.hostUpdated(host);
  cloud.scheduler.look();
  return id;
}

function hostRename(cloud: Cloud, caller: Caller, id: number, name: string): number {
  const problem = nameProblem(name);
  if (problem !== undefined) throw new OneError('ACTION', problem);
  const host = administered(cloud, caller, id);
  const other = namesake(cloud.hosts, 'pool', name);
  if (other !== undefined && other !== host) {
    throw new OneError('ACTION', `host cannot be renamed to ${name} because it collides with host ${other.id}`);
  }
  host.name = name;
  cloud.scheduler.look();
  return id;
}

/** All hosts the caller may use, youngest first. */
function hostPool(cloud: Cloud, caller: Caller): Host[] {
  return [...cloud.hosts]
    .filter((host) => allows(cloud, caller, { right: 'USE', type: 'HOST', object: host }))
    .reverse();
}

export const HOST_OPERATIONS = {
  'one.host.allocate': hostAllocate,
  'one.host.info': hostInfo,
  'one.host.status': hostStatus,
  'one.host.delete': hostDelete,
  'one.host.update': hostUpdate,
  'one.host.rename': hostRename,
  'one.hostpool.info': hostPool,
} as const;
