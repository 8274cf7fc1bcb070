/** Datastores: where images and the disks of VMs lie. Mirrors `Datastore.cc` and the TM_MAD_CONF of OpenNebula 6.10. */
import type { Owned } from '../access/acl.ts';
import type { Caller } from '../access/user.ts';
import type { Cloud } from '../cloud.ts';
import { type Kind, ownedOperations, reach, updateTemplate, usable } from '../owned.ts';
import { Template } from '../syntax/syntax.ts';
import { FROM_DATASTORE, inherit } from './inheritance.ts';

/** DATASTORE/TYPE by name, with its number and the word that TEMPLATE/TYPE has for it. */
export const DATASTORE_TYPES = {
  IMAGE: { number: 0, word: 'IMAGE_DS' },
  SYSTEM: { number: 1, word: 'SYSTEM_DS' },
  FILE: { number: 2, word: 'FILE_DS' },
} as const;
type DatastoreType = keyof typeof DATASTORE_TYPES;

/** DISK_TYPE of images and datastores by name, with its number. */
export const DISK_TYPES = { FILE: 0, CD_ROM: 1, BLOCK: 2, RBD: 3 } as const;
export type DiskType = keyof typeof DISK_TYPES;

export interface Datastore extends Owned {
  readonly type: DatastoreType;
  readonly diskType: DiskType;
  readonly dsMad: string;
  readonly tmMad: string;
  readonly clusters: Set<number>;
  totalMiB: number;
  freeMiB: number;
  usedMiB: number;
  readonly images: Set<number>;
  /** Whether the scheduler may use it. */
  enabled: boolean;
  template: Template;
}

/** What the dummy driver reports of any datastore. */
const CAPACITY = { totalMiB: 20_480, freeMiB: 20_480, usedMiB: 9720 } as const;

/** Where disks of an image come to lie, when it is cloned and when it is linked: what the dummy driver does. */
const TARGETS = { CLONE_TARGET: 'SYSTEM', LN_TARGET: 'NONE' } as const;

const COMMON = { TM_MAD: 'dummy', RESTRICTED_DIRS: '/', SAFE_DIRS: '/var/tmp' } as const;

const bootstrap = (name: string, type: DatastoreType, own: Readonly<Record<string, string>>) => {
  const all = Object.entries({ ...COMMON, ...own, TYPE: DATASTORE_TYPES[type].word });
  return { name, type, attributes: all.map(([key, value]) => ({ name: key, value })) };
};

const BOOTSTRAP = [
  bootstrap('system', 'SYSTEM', { ALLOW_ORPHANS: 'NO', DS_MIGRATE: 'YES', SHARED: 'YES' }),
  bootstrap('default', 'IMAGE', { ALLOW_ORPHANS: 'NO', DISK_TYPE: 'FILE', DS_MAD: 'dummy', ...TARGETS }),
  bootstrap('files', 'FILE', { ALLOW_ORPHANS: 'NO', DS_MAD: 'dummy', ...TARGETS }),
];

/** The three datastores of a fresh OpenNebula, in cluster 0. */
export function bootstrapDatastores(cloud: Cloud): void {
  for (const { name, type, attributes } of BOOTSTRAP) {
    addDatastore(cloud, {
      uid: 0,
      gid: 0,
      name,
      permissions: 0o640,
      type,
      diskType: 'FILE',
      dsMad: type === 'SYSTEM' ? '-' : 'dummy',
      tmMad: 'dummy',
      clusters: new Set([0]),
      template: new Template(attributes),
    });
  }
}

const FIRST_OWN_ID = 100;

/** What nobody decides about a new datastore. */
type Given = 'id' | 'lock' | 'images' | 'enabled' | keyof typeof CAPACITY;

/** Adds a datastore to the pool and to its clusters. Ids from 3 to 99 are kept for oned itself. */
export function addDatastore(cloud: Cloud, made: Omit<Datastore, Given>): Datastore {
  const datastore = cloud.datastores.add((next): Datastore => {
    const id = next < BOOTSTRAP.length ? next : Math.max(next, FIRST_OWN_ID);
    return { id, lock: null, images: new Set<number>(), enabled: true, ...CAPACITY, ...made };
  });
  for (const cluster of made.clusters) cloud.clusters.find(cluster)?.datastores.add(datastore.id);
  cloud.datastoreUpdated(datastore);
  return datastore;
}

/** What a disk takes over from the datastore of its image, or from the system datastore when it has no image. */
export function datastoreSource(datastore: Datastore, disk: Map<string, string>): void {
  disk.set('DATASTORE', datastore.name);
  disk.set('DATASTORE_ID', String(datastore.id));
  disk.set('TM_MAD', datastore.tmMad);
  disk.set('CLUSTER_ID', [...datastore.clusters].sort((a, b) => a - b).join(','));
  inherit(disk, datastore.template, FROM_DATASTORE);
}

// ---- operations ---------------------------------------------------------------------------------------------------

export const DATASTORES: Kind<Datastore> = { type: 'DATASTORE', pool: (cloud) => cloud.datastores, unique: 'pool' };

function info(cloud: Cloud, caller: Caller, id: number): Datastore {
  return reach(cloud, caller, DATASTORES, id, 'USE', true);
}

function poolInfo(cloud: Cloud, caller: Caller): Datastore[] {
  return usable(cloud, caller, cloud.datastores, 'DATASTORE');
}

function update(cloud: Cloud, caller: Caller, id: number, text: string, type = 0): number {
  updateTemplate(reach(cloud, caller, DATASTORES, id, 'MANAGE'), text, type);
  return id;
}

const owned = ownedOperations(DATASTORES);

export const DATASTORE_OPERATIONS = {
  'one.datastore.info': info,
  'one.datastore.update': update,
  'one.datastore.chmod': owned.chmod,
  'one.datastore.chown': owned.chown,
  'one.datastore.rename': owned.rename,
  'one.datastorepool.info': poolInfo,
} as const;
