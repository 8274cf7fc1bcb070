/** A virtual machine: its record, and the calls that read it or change what is not its life cycle. Mirrors `VirtualMachine.h` of OpenNebula 6.10. */
import type { Timer } from '../../kernel/queue.ts';
import type { Owned } from '../access/acl.ts';
import type { Caller } from '../access/user.ts';
import type { Cloud } from '../cloud.ts';
import { OneError } from '../error.ts';
import { IdList } from '../id-list.ts';
import { FILTERS, type Kind, listed, ownedOperations, reach } from '../owned.ts';
import { parseTemplate } from '../parse.ts';
import type { Template, Vector } from '../syntax/syntax.ts';
import { STATES, type State } from './lifecycle.ts';
import { changeRefused, restrictedChange } from './restricted.ts';
import type { ScheduledAction } from './scheduled-action.ts';
import { reshape, type Span } from './span.ts';
import type { Trouble } from './trouble.ts';

export interface Vm extends Owned {
  readonly id: number;
  state: State;
  /** The scheduler is asked to move it elsewhere. */
  resched: boolean;
  /** Creation and end, in seconds since the Unix epoch; `etime` is 0 until DONE. */
  stime: number;
  etime: number;
  /** The hypervisor's name for it; empty until it has booted. */
  deployId: string;
  /** Share of a physical CPU, as written in the template (`0.1`). */
  cpu: number;
  /** Virtual CPUs; null when the template does not say. */
  vcpu: number | null;
  memoryMiB: number;
  disks: Disk[];
  nics: Nic[];
  /** CONTEXT as given, after substitution; null without CONTEXT. What oned adds per NIC is derived in `context.ts`. */
  context: Vector | null;
  /** All other attributes of TEMPLATE, those that oned adds included. */
  template: Template;
  userTemplate: Template;
  /** Oldest first; the last record is the current or most recent placement. */
  history: Placement[];
  /** VM snapshots, as hypervisors take them. */
  snapshots: Snapshot[];
  /** What it is to undergo at a given time. */
  scheduled: ScheduledAction[];
  /** What the driver is busy with when the state alone does not say, such as the size a disk had before. */
  work: Work | null;
  /** When it ran, in which shape: all that the metrics know. */
  spans: Span[];
  /** Driver actions started so far: the counter of its draws. */
  steps: number;
  /** What goes wrong with it beyond one answer of its driver; null for most. */
  trouble: Trouble | null;
  /** The driver action in progress. */
  timer: Timer | null;
  /** UUID of OS/UUID; names the VM outside OpenNebula. */
  readonly uuid: string;
}

export interface Disk {
  readonly id: number;
  /** null for a volatile disk. */
  readonly imageId: number | null;
  sizeMiB: number;
  readonly originalSizeMiB: number;
  /** Device name, such as `vda`. */
  readonly target: string;
  readonly devPrefix: string;
  readonly persistent: boolean;
  /** What it took over from its image and datastore; one vector for all disks of an image, empty for a volatile disk. */
  readonly source: Vector;
  /** Attributes of DISK as given that hold against those of `source`; null when there are none. */
  readonly given: Vector | null;
  snapshots: DiskSnapshot[];
  nextSnapshot: number;
  /** The snapshot the disk stands on; -1 for none. */
  currentBase: number;
}

export interface Nic {
  readonly id: number;
  /** null for a NIC without a network of OpenNebula, or whose network is still to be chosen (NETWORK_MODE auto). */
  readonly networkId: number | null;
  readonly arId: number | null;
  readonly mac: string | null;
  readonly ip: string | null;
  /** Of a static IPv6 range. */
  readonly ip6: string | null;
  readonly ip6Global: string | null;
  readonly ip6Ula: string | null;
  readonly ip6Link: string | null;
  /** What it took over from its network and address range; one vector for all NICs of a range. */
  readonly source: Vector;
  /** What the guest is told of its network, by the names CONTEXT has for it; shared likewise. */
  readonly guest: Vector;
  /** Attributes of NIC as given that hold against those of `source`; null when there are none. */
  readonly given: Vector | null;
  /** Set on a NIC_ALIAS: the NIC it belongs to, and its number there. */
  readonly alias: { readonly parent: number; readonly id: number } | null;
}

interface Snapshot {
  readonly id: number;
  readonly name: string;
  /** Seconds since the Unix epoch. */
  readonly time: number;
}

export interface DiskSnapshot {
  readonly id: number;
  name: string;
  readonly date: number;
  readonly parent: number;
  readonly sizeMiB: number;
  active: boolean;
}

/** One record of HISTORY: the VM's time on a host. Times are seconds since the Unix epoch, 0 when not yet. */
export interface Placement {
  readonly seq: number;
  readonly hostId: number;
  readonly hostname: string;
  readonly clusterId: number;
  readonly vmMad: string;
  readonly tmMad: string;
  readonly datastoreId: number;
  stime: number;
  etime: number;
  /** Prolog, running and epilog: start and end. */
  pstime: number;
  petime: number;
  rstime: number;
  retime: number;
  estime: number;
  eetime: number;
  /** Number of the action that ended or marked it, and who called it; 0 and -1 for none. */
  action: number;
  uid: number;
  gid: number;
  requestId: number;
}

export type Work =
  | { readonly kind: 'resize'; readonly cpu: number; readonly vcpu: number | null; readonly memoryMiB: number }
  | { readonly kind: 'diskResize'; readonly diskId: number; readonly sizeMiB: number }
  | { readonly kind: 'attachDisk'; readonly diskId: number }
  | { readonly kind: 'detachDisk'; readonly diskId: number }
  | { readonly kind: 'attachNic'; readonly nicId: number }
  | { readonly kind: 'detachNic'; readonly nicId: number }
  | { readonly kind: 'createSnapshot'; readonly snapshotId: number }
  | { readonly kind: 'revertSnapshot'; readonly snapshotId: number }
  | { readonly kind: 'deleteSnapshot'; readonly snapshotId: number }
  | { readonly kind: 'createDiskSnapshot'; readonly diskId: number; readonly snapshotId: number }
  | { readonly kind: 'revertDiskSnapshot'; readonly diskId: number; readonly snapshotId: number }
  | { readonly kind: 'deleteDiskSnapshot'; readonly diskId: number; readonly snapshotId: number }
  | { readonly kind: 'saveAs'; readonly imageId: number }
  | { readonly kind: 'migrate'; readonly poweroff: boolean }
  | { readonly kind: 'updateNic' }
  | { readonly kind: 'updateconf' };

const VMS: Kind<Vm> = {
  type: 'VM',
  pool: (cloud) => cloud.vms,
  unique: 'none',
  handOver(cloud, caller, vm, to) {
    if (vm.state === 'DONE') throw new OneError('ACTION', 'Could not change VM ownership, wrong state');
    cloud.quotas.move(caller, cloud.quotas.demands(vm), vm, to);
    cloud.scheduler.look();
  },
};

export function vmInfo(cloud: Cloud, caller: Caller, id: number, _decrypt = false): Vm {
  return reach(cloud, caller, VMS, id, 'USE', true);
}

/** Replaces (0) the user template or appends (1) to it. Nothing of it changes the VM. */
function update(cloud: Cloud, caller: Caller, id: number, text: string, append = 0): number {
  if (append !== 0 && append !== 1) throw new OneError('XML_RPC_API', 'Wrong update type');
  const vm = reach(cloud, caller, VMS, id, 'MANAGE');
  const template = parseTemplate(text, 'ACTION');
  const restricted = caller.admin ? undefined : restrictedChange(template, vm.userTemplate, append === 1);
  if (restricted !== undefined) throw changeRefused(restricted, append === 1);
  if (append === 0) vm.userTemplate = template;
  else vm.userTemplate.append(template);
  reshape(cloud, vm);
  cloud.vmUpdated(vm);
  cloud.scheduler.look();
  return id;
}

/** Filters of a listing by state, below the state numbers. */
const ANY_STATE = -2;
const NOT_DONE = -1;
const LAST_STATE = 11;

/** VMs by owner, page and state; with a negative `end` less than -1, `-end` VMs after `start`. The youngest first. */
function poolInfo(
  cloud: Cloud,
  caller: Caller,
  filter: number,
  start: number,
  end: number,
  state = NOT_DONE,
  query = '',
): Vm[] {
  if (state < ANY_STATE || state > LAST_STATE) throw new OneError('XML_RPC_API', 'Incorrect filter_flag, state');
  if (query !== '') throw new OneError('INTERNAL', 'JSON query search is not supported by the SQL backend');
  const where = (vm: Vm): boolean => {
    if (state === ANY_STATE) return true;
    return state === NOT_DONE ? vm.state !== 'DONE' : STATES[vm.state].state === state;
  };
  return listed(cloud, caller, cloud.vms, 'VM', { filter, start, end, where });
}

/** The VMs of a list of ids, as far as they exist and may be used. */
function poolInfoSet(cloud: Cloud, caller: Caller, ids: string, _extended = true): Vm[] {
  const wanted = new IdList();
  const numbers = ids
    .split(',')
    .filter((id) => /^\d+$/.test(id))
    .map(Number);
  for (const id of [...new Set(numbers)].sort((a, b) => a - b)) wanted.add(id);
  return listed(cloud, caller, cloud.vms, 'VM', { filter: FILTERS.ALL, start: -1, end: -1, ids: wanted });
}

const owned = ownedOperations(VMS);

export const VM_OPERATIONS = {
  'one.vm.info': vmInfo,
  'one.vm.update': update,
  'one.vm.chmod': owned.chmod,
  'one.vm.chown': owned.chown,
  'one.vm.rename': owned.rename,
  'one.vm.lock': owned.lock,
  'one.vm.unlock': owned.unlock,
  'one.vmpool.info': poolInfo,
  'one.vmpool.infoextended': poolInfo,
  'one.vmpool.infoset': poolInfoSet,
} as const;
