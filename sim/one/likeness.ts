/** What the objects of the pools are like, field by field, to tell a state that is none: see `kernel/likeness.ts`. */
import type { Holders } from '../kernel/held.ts';
import {
  instance,
  keyOf,
  type Like,
  listOf,
  mapOf,
  orNull,
  record,
  setOf,
  someFlag,
  someNumber,
  someText,
  someWhole,
} from '../kernel/likeness.ts';
import type { Timer } from '../kernel/queue.ts';
import type { Lock, Owned } from './access/acl.ts';
import type { Group, LoginToken, User } from './access/user.ts';
import type { Document } from './document.ts';
import { type DocumentState, StoredDocument } from './flow/stored-document.ts';
import { IdList } from './id-list.ts';
import type { Pool, PoolState } from './pool.ts';
import type { AddressRange } from './resources/address-range.ts';
import type { Cluster } from './resources/cluster.ts';
import { DATASTORE_TYPES, type Datastore, DISK_TYPES } from './resources/datastore.ts';
import { HOST_STATES, type Host, type HostTrouble } from './resources/host.ts';
import { IMAGE_STATES, IMAGE_TYPES, type Image } from './resources/image.ts';
import { Leases } from './resources/lease.ts';
import type { SecurityGroup } from './resources/security-group.ts';
import { VNET_STATES, type Vnet } from './resources/vnet.ts';
import { SubAttributes } from './syntax/sub-attributes.ts';
import { Template } from './syntax/syntax.ts';
import { STATES } from './vm/lifecycle.ts';
import type { ScheduledAction } from './vm/scheduled-action.ts';
import type { Span } from './vm/span.ts';
import type { VmTemplate } from './vm/template.ts';
import type { Trouble } from './vm/trouble.ts';
import type { Disk, DiskSnapshot, Nic, Placement, Vm, Work } from './vm/vm.ts';

const vector = instance(SubAttributes);
const template = instance(Template);
const ids = setOf(someWhole);
const timer = someWhole as Like<Timer>;

/** Which fields there are follows from its kind. */
const someWork: Like<Work> = (value) => someText((value as Partial<Work> | undefined)?.kind);

const lock = record<Lock>({
  level: someWhole as Like<Lock['level']>,
  owner: someWhole,
  time: someWhole,
  requestId: someWhole,
});

const OWNED = {
  id: someWhole,
  uid: someWhole,
  gid: someWhole,
  name: someText,
  permissions: someWhole,
  lock: orNull(lock),
} satisfies { readonly [K in keyof Owned]: Like<Owned[K]> };

const diskSnapshot = record<DiskSnapshot>({
  id: someWhole,
  name: someText,
  date: someWhole,
  parent: someWhole,
  sizeMiB: someNumber,
  active: someFlag,
});

const disk = record<Disk>({
  id: someWhole,
  imageId: orNull(someWhole),
  sizeMiB: someNumber,
  originalSizeMiB: someNumber,
  target: someText,
  devPrefix: someText,
  persistent: someFlag,
  source: vector,
  given: orNull(vector),
  snapshots: listOf(diskSnapshot),
  nextSnapshot: someWhole,
  currentBase: someWhole,
});

const nic = record<Nic>({
  id: someWhole,
  networkId: orNull(someWhole),
  arId: orNull(someWhole),
  mac: orNull(someText),
  ip: orNull(someText),
  ip6: orNull(someText),
  ip6Global: orNull(someText),
  ip6Ula: orNull(someText),
  ip6Link: orNull(someText),
  source: vector,
  guest: vector,
  given: orNull(vector),
  alias: orNull(record<NonNullable<Nic['alias']>>({ parent: someWhole, id: someWhole })),
});

const placement = record<Placement>({
  seq: someWhole,
  hostId: someWhole,
  hostname: someText,
  clusterId: someWhole,
  vmMad: someText,
  tmMad: someText,
  datastoreId: someWhole,
  stime: someWhole,
  etime: someWhole,
  pstime: someWhole,
  petime: someWhole,
  rstime: someWhole,
  retime: someWhole,
  estime: someWhole,
  eetime: someWhole,
  action: someWhole,
  uid: someWhole,
  gid: someWhole,
  requestId: someWhole,
});

const span = record<Span>({
  from: someWhole,
  to: orNull(someWhole),
  boot: someWhole,
  hostId: someWhole,
  shape: record<Span['shape']>({
    vcpu: someNumber,
    memoryMiB: someNumber,
    disks: listOf(record<Span['shape']['disks'][number]>({ id: someWhole, target: someText, sizeMiB: someNumber })),
    nics: listOf(someWhole),
    profile: someText,
  }),
});

const scheduled = record<ScheduledAction>({
  id: someWhole,
  action: someText,
  args: someText,
  time: someWhole,
  repeat: someWhole,
  days: someText,
  endType: someWhole,
  endValue: someWhole,
  warning: someWhole,
  done: someWhole,
  message: someText,
});

const trouble = record<Trouble>({
  marks: listOf(
    record<Trouble['marks'][number]>({ fault: someText, do: someText as Like<never>, timer: orNull(timer) }),
  ),
  guest: orNull(someFlag),
  unseen: listOf(record<Trouble['unseen'][number]>({ from: someWhole, to: orNull(someWhole) })),
});

const vm = record<Vm>({
  ...OWNED,
  state: keyOf(STATES),
  resched: someFlag,
  stime: someWhole,
  etime: someWhole,
  deployId: someText,
  cpu: someNumber,
  vcpu: orNull(someNumber),
  memoryMiB: someNumber,
  disks: listOf(disk),
  nics: listOf(nic),
  context: orNull(vector),
  template,
  userTemplate: template,
  history: listOf(placement),
  snapshots: listOf(record<Vm['snapshots'][number]>({ id: someWhole, name: someText, time: someWhole })),
  scheduled: listOf(scheduled),
  work: orNull(someWork),
  spans: listOf(span),
  steps: someWhole,
  trouble: orNull(trouble),
  timer: orNull(timer),
  uuid: someText,
});

const user = record<User>({
  id: someWhole,
  name: someText,
  password: someText,
  driver: someText,
  enabled: someFlag,
  gid: someWhole,
  groups: ids,
  tokens: listOf(record<LoginToken>({ token: someText, expires: someNumber, egid: someWhole })),
  secrets: someWhole,
  template,
});

const group = record<Group>({ id: someWhole, name: someText, users: ids, admins: ids, template });

const host = record<Host>({
  id: someWhole,
  name: someText,
  state: keyOf(HOST_STATES),
  previousState: keyOf(HOST_STATES),
  imMad: someText,
  vmMad: someText,
  clusterId: someWhole,
  since: someWhole,
  totalCpu: someNumber,
  totalMemKb: someNumber,
  usedCpu: someNumber,
  usedMemKb: someNumber,
  vms: ids,
  template,
  because: someWhole,
  troubles: listOf(
    record<HostTrouble>({
      fault: someText,
      silent: someFlag,
      lostCpu: someNumber,
      lostMemKb: someNumber,
      slowness: someNumber,
    }),
  ),
});

const cluster = record<Cluster>({
  id: someWhole,
  name: someText,
  hosts: ids,
  datastores: ids,
  vnets: ids,
  ports: mapOf(someWhole, someWhole),
  template,
});

const datastore = record<Datastore>({
  ...OWNED,
  type: keyOf(DATASTORE_TYPES),
  diskType: keyOf(DISK_TYPES),
  dsMad: someText,
  tmMad: someText,
  clusters: ids,
  totalMiB: someNumber,
  freeMiB: someNumber,
  usedMiB: someNumber,
  images: ids,
  enabled: someFlag,
  template,
});

const image = record<Image>({
  ...OWNED,
  state: keyOf(IMAGE_STATES),
  type: keyOf(IMAGE_TYPES),
  diskType: keyOf(DISK_TYPES),
  persistent: someFlag,
  sizeMiB: someNumber,
  regtime: someWhole,
  source: someText,
  path: someText,
  format: someText,
  fs: someText,
  datastoreId: someWhole,
  vms: ids,
  clones: ids,
  cloningId: someWhole,
  snapshots: listOf(diskSnapshot),
  nextSnapshot: someWhole,
  currentBase: someWhole,
  template,
});

const prefix = orNull(listOf(someWhole));

const range = record<AddressRange>({
  id: someWhole,
  type: someText as Like<AddressRange['type']>,
  size: someWhole,
  mac: someWhole,
  ip: orNull(someWhole),
  ip6: prefix,
  globalPrefix: prefix,
  ulaPrefix: prefix,
  attributes: vector,
  leases: instance(Leases),
  allocated: someFlag,
  parentId: orNull(someWhole),
});

const vnet = record<Vnet>({
  ...OWNED,
  state: keyOf(VNET_STATES),
  clusters: ids,
  bridge: someText,
  bridgeType: someText,
  vnMad: someText,
  phydev: someText,
  vlanId: someText,
  vlanIdAutomatic: someFlag,
  outerVlanId: someText,
  outerVlanIdAutomatic: someFlag,
  parentId: orNull(someWhole),
  ranges: listOf(range),
  nextRange: someWhole,
  template,
});

const securityGroup = record<SecurityGroup>({ ...OWNED, template });
const vmTemplate = record<VmTemplate>({ ...OWNED, regtime: someWhole, template });
const document = instance(StoredDocument) as Like<Document>;

/** JSON is whatever it is. */
const json: Like<never> = () => undefined;

/** What a document consists of. */
export const someDocument = record<DocumentState>({
  ...OWNED,
  type: someWhole,
  template,
  body: json,
  edited: someFlag,
  taken: json,
});

/** By the name of the pool. */
const OBJECTS = {
  users: user,
  groups: group,
  hosts: host,
  clusters: cluster,
  datastores: datastore,
  images: image,
  vnets: vnet,
  securityGroups: securityGroup,
  templates: vmTemplate,
  documents: document,
  vms: vm,
} as const;

type PoolName = keyof typeof OBJECTS;

/** Pools as holders that take over nothing but objects of theirs. */
export function heldPools(pools: { readonly [N in PoolName]: Pool<Identified> }): Holders {
  return Object.fromEntries(
    Object.entries(pools).map(([name, pool]) => {
      const like = record<PoolState<Identified>>({
        items: listOf<Identified>(OBJECTS[name as PoolName]),
        ids: instance(IdList),
        next: someWhole,
      });
      const restore = (state: PoolState<Identified>): void => {
        const why = like(state) ?? numbering(state);
        if (why !== undefined) throw new Error(why);
        pool.restore(state);
      };
      return [name, { state: () => pool.state(), restore }];
    }),
  );
}

interface Identified {
  readonly id: number;
}

/** Objects stand in the order of their ids, each once, and the list has the same. */
function numbering({ items, ids, next }: PoolState<Identified>): string | undefined {
  const listed = [...ids.down()].reverse();
  const isInOrder = items.every(
    ({ id }, at) => id === listed[at] && id >= 0 && id < next && id > (listed[at - 1] ?? -1),
  );
  return isInOrder && listed.length === items.length ? undefined : 'the ids of its objects are not those of its list';
}
