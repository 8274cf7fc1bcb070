/** How datastores come, are switched off, and go. Mirrors `Datastore::insert` and the TM_MAD_CONF and DS_MAD_CONF shipped with OpenNebula 6.10. */
import { authorize, newPermissions } from '../access/acl.ts';
import type { Caller } from '../access/user.ts';
import type { Cloud } from '../cloud.ts';
import { OneError } from '../error.ts';
import { nameProblem, namesake, refuse, taken } from '../name.ts';
import { reach } from '../owned.ts';
import { parseTemplate } from '../parse.ts';
import type { Template } from '../syntax/syntax.ts';
import { addDatastore, DATASTORE_TYPES, DATASTORES, type Datastore, type DiskType } from './datastore.ts';

/** What a transfer driver says of its datastores; what it does is the same for all. */
interface TransferDriver {
  readonly shared: 'YES' | 'NO';
  readonly orphans: string;
  readonly image: Readonly<Record<string, string>>;
}

const OVER_SSH = {
  TM_MAD_SYSTEM: 'ssh',
  LN_TARGET_SSH: 'SYSTEM',
  CLONE_TARGET_SSH: 'SYSTEM',
  DISK_TYPE_SSH: 'FILE',
} as const;
const LINKED = { LN_TARGET: 'NONE', CLONE_TARGET: 'SYSTEM' } as const;

const TRANSFER_DRIVERS: Readonly<Record<string, TransferDriver>> = {
  dummy: { shared: 'YES', orphans: 'NO', image: LINKED },
  shared: { shared: 'YES', orphans: 'FORMAT', image: { ...LINKED, ...OVER_SSH } },
  qcow2: { shared: 'YES', orphans: 'FORMAT', image: { ...LINKED, ...OVER_SSH, DRIVER: 'qcow2' } },
  ssh: { shared: 'NO', orphans: 'YES', image: { LN_TARGET: 'SYSTEM', CLONE_TARGET: 'SYSTEM' } },
};

const DATASTORE_DRIVERS: ReadonlySet<string> = new Set(['dummy', 'fs']);

/** DISK_TYPE by what a template may call it. */
const NAMED: Readonly<Record<string, DiskType>> = { FILE: 'FILE', BLOCK: 'BLOCK', RBD: 'RBD', CDROM: 'CD_ROM' };

const WORDS: ReadonlyMap<string, Datastore['type']> = new Map(
  Object.entries(DATASTORE_TYPES).map(([type, { word }]) => [word, type as Datastore['type']]),
);

const refused = (why: string): OneError => new OneError('INTERNAL', why);

function allocate(cloud: Cloud, caller: Caller, text: string, clusterId: number): number {
  const template = parseTemplate(text, 'INTERNAL');
  const cluster = cloud.clusters.get(clusterId === -1 ? 0 : clusterId);
  authorize(
    cloud,
    caller,
    { right: 'CREATE', type: 'DATASTORE' },
    { right: 'ADMIN', type: 'CLUSTER', object: cluster },
  );
  const name = template.get('NAME') ?? '';
  const other = namesake(cloud.datastores, 'pool', name);
  refuse(nameProblem(name), other && taken('DATASTORE', other));
  const word = template.get('TYPE')?.toUpperCase() ?? '';
  const type = WORDS.get(word) ?? 'IMAGE';
  const dsMad = driverOf(template, type, word === 'BACKUP_DS');
  const tmMad = template.get('TM_MAD') ?? '';
  const transfer = transferDriver(tmMad);
  const diskType = diskTypeOf(template, type);
  for (const field of ['NAME', 'BASE_PATH', 'DISK_TYPE']) template.remove(field);
  describe(template, type, transfer, diskType);
  const { uid, gid } = caller;
  const permissions = newPermissions(cloud, caller);
  const made = { uid, gid, name, permissions, type, diskType, dsMad, tmMad, template };
  const { id } = addDatastore(cloud, { ...made, clusters: new Set([cluster.id]) });
  cloud.scheduler.look();
  return id;
}

/** Backups need a driver, and none is configured here. */
function driverOf(template: Template, type: Datastore['type'], backup: boolean): string {
  const name = template.get('DS_MAD') ?? '';
  if (type === 'SYSTEM') {
    if (name !== '') throw refused('SYSTEM datastores cannot have DS_MAD defined.');
    return '-';
  }
  if (name === '') throw refused('No DS_MAD in template.');
  if (backup || !DATASTORE_DRIVERS.has(name)) throw refused(`DS_MAD named "${name}" is not defined in oned.conf`);
  return name;
}

function transferDriver(name: string): TransferDriver {
  if (name === '') throw refused('No TM_MAD in template.');
  const driver = Object.hasOwn(TRANSFER_DRIVERS, name) ? TRANSFER_DRIVERS[name] : undefined;
  if (driver === undefined) throw refused(`TM_MAD named "${name}" is not defined in oned.conf`);
  return driver;
}

function diskTypeOf(template: Template, type: Datastore['type']): DiskType {
  const name = template.get('DISK_TYPE')?.toUpperCase() ?? '';
  if (name === '' || type === 'FILE') return 'FILE';
  const diskType = Object.hasOwn(NAMED, name) ? NAMED[name] : undefined;
  if (diskType === undefined) throw refused('Unknown DISK_TYPE in template.');
  if (diskType === 'CD_ROM') {
    throw refused(`Invalid DISK_TYPE for ${type === 'SYSTEM' ? 'a System' : 'an Image'} Datastore.`);
  }
  return diskType;
}

/** What oned writes into the template of a new datastore. */
function describe(template: Template, type: Datastore['type'], driver: TransferDriver, diskType: DiskType): void {
  const own: Record<string, string> =
    type === 'SYSTEM' ? { SHARED: driver.shared, DS_MIGRATE: 'YES' } : { ...driver.image };
  for (const [name, value] of Object.entries({ ...own, ALLOW_ORPHANS: driver.orphans })) template.set(name, value);
  if (type !== 'FILE') template.set('DISK_TYPE', diskType);
  for (const name of type === 'SYSTEM' ? ['LN_TARGET', 'CLONE_TARGET'] : ['SHARED']) template.remove(name);
  if (!template.get('SAFE_DIRS') && !template.get('RESTRICTED_DIRS')) {
    template.set('SAFE_DIRS', '/var/tmp');
    template.set('RESTRICTED_DIRS', '/');
  }
}

function remove(cloud: Cloud, caller: Caller, id: number): number {
  const datastore = reach(cloud, caller, DATASTORES, id, 'ADMIN');
  if (datastore.images.size > 0) {
    throw new OneError('ACTION', `Cannot delete datastore. Datastore ${id} is not empty.`);
  }
  cloud.datastores.delete(id);
  cloud.datastoreRemoved(datastore);
  for (const cluster of datastore.clusters) cloud.clusters.find(cluster)?.datastores.delete(id);
  cloud.acl.forgetObject('DATASTORE', id);
  return id;
}

/** The scheduler puts no VM into a datastore that is switched off. */
function enable(cloud: Cloud, caller: Caller, id: number, on: boolean): number {
  const datastore = reach(cloud, caller, DATASTORES, id, 'MANAGE');
  if (datastore.type !== 'SYSTEM') throw refused('Only SYSTEM_DS can be disabled or enabled');
  datastore.enabled = on;
  cloud.scheduler.look();
  return id;
}

export const DATASTORE_MAKING_OPERATIONS = {
  'one.datastore.allocate': allocate,
  'one.datastore.delete': remove,
  'one.datastore.enable': enable,
} as const;
