/** Disk images. Mirrors `Image.cc`, `ImagePool.cc`, `ImageManagerActions.cc` and `RequestManagerImage.cc` of OpenNebula 6.10. */
import { authorize, type Owned } from '../access/acl.ts';
import { imageDemand } from '../access/quota.ts';
import type { Caller } from '../access/user.ts';
import type { Cloud } from '../cloud.ts';
import { OneError } from '../error.ts';
import { type Kind, listed, ownedOperations, reach, updateTemplate } from '../owned.ts';
import type { Template } from '../syntax/syntax.ts';
import { imageSettled } from '../vm/cloning.ts';
import type { DiskSnapshot } from '../vm/vm.ts';
import { bootstrapClusters } from './cluster.ts';
import { bootstrapDatastores, type DiskType } from './datastore.ts';

export const IMAGE_STATES = {
  INIT: 0,
  READY: 1,
  USED: 2,
  DISABLED: 3,
  LOCKED: 4,
  ERROR: 5,
  CLONE: 6,
  DELETE: 7,
  USED_PERS: 8,
  LOCKED_USED: 9,
  LOCKED_USED_PERS: 10,
} as const;
export type ImageState = keyof typeof IMAGE_STATES;

/** IMAGE/TYPE by name, with its number. Files go into a datastore of their own and are never disks. */
export const IMAGE_TYPES = { OS: 0, CDROM: 1, DATABLOCK: 2, KERNEL: 3, RAMDISK: 4, CONTEXT: 5, BACKUP: 6 } as const;
export type ImageType = keyof typeof IMAGE_TYPES;

export interface Image extends Owned {
  state: ImageState;
  type: ImageType;
  readonly diskType: DiskType;
  persistent: boolean;
  sizeMiB: number;
  /** Seconds since the Unix epoch. */
  readonly regtime: number;
  source: string;
  readonly path: string;
  format: string;
  readonly fs: string;
  readonly datastoreId: number;
  readonly vms: Set<number>;
  /** Images that are being made from it; and the one that it is being made from, -1 for none. */
  readonly clones: Set<number>;
  cloningId: number;
  /** What a persistent image keeps of its last disk's snapshots. */
  snapshots: DiskSnapshot[];
  nextSnapshot: number;
  /** The snapshot that it stands on; -1 for none. */
  currentBase: number;
  template: Template;
}

/** oned.conf's DEFAULT_DEVICE_PREFIX and DEFAULT_CDROM_DEVICE_PREFIX. */
export const DISK_PREFIX = 'sd';
export const CDROM_PREFIX = 'hd';

export const IMAGES: Kind<Image> = {
  type: 'IMAGE',
  pool: (cloud) => cloud.images,
  unique: 'owner',
  handOver: (cloud, caller, image, to) => cloud.quotas.move(caller, [imageDemand(image)], image, to),
};

/** Cluster 0 and the datastores 0 to 2 of a fresh OpenNebula. */
export function bootstrapStorage(cloud: Cloud): void {
  bootstrapClusters(cloud);
  bootstrapDatastores(cloud);
}

/** The type that a text names; anything unknown counts as OS here, and is refused later. */
export function typeOf(text = ''): ImageType {
  const name = text.toUpperCase();
  return isType(name) ? name : 'OS';
}

export const isType = (name: string): name is ImageType => Object.hasOwn(IMAGE_TYPES, name);

export const isFile = (type: ImageType): boolean => type === 'KERNEL' || type === 'RAMDISK' || type === 'CONTEXT';

/** State as oned names it in refusals: it does not say there which images are persistent. */
export const stateText = (state: ImageState): string => state.replace('_PERS', '');

// ---- states ----------------------------------------------------------------------------------------------------------

/** States of an image that is being written or was in error, and what comes of them when that has ended well. */
const WRITTEN: { readonly [S in ImageState]?: ImageState } = {
  LOCKED: 'READY',
  LOCKED_USED: 'USED',
  LOCKED_USED_PERS: 'USED_PERS',
};

/** Whether a driver is still busy with it, so that a VM has to wait. */
export const isBeingWritten = (image: Image): boolean => WRITTEN[image.state] !== undefined;

/** The driver has done its work, or an administrator says so. */
export function unlockImage(image: Image): void {
  if (image.state === 'ERROR') image.state = image.vms.size === 0 ? 'READY' : image.persistent ? 'USED_PERS' : 'USED';
  else image.state = WRITTEN[image.state] ?? image.state;
}

// ---- use by VMs ---------------------------------------------------------------------------------------------------

/** What happens to an image when a VM takes it, by its state. */
const TAKEN: { readonly [S in ImageState]?: (image: Image) => ImageState } = {
  READY: (image) => (image.persistent ? 'USED_PERS' : 'USED'),
  LOCKED: (image) => (image.persistent ? 'LOCKED_USED_PERS' : 'LOCKED_USED'),
  USED: () => 'USED',
  USED_PERS: () => 'USED_PERS',
  LOCKED_USED: () => 'LOCKED_USED',
  LOCKED_USED_PERS: () => 'LOCKED_USED_PERS',
};

/**
 * Takes an image for a disk of a VM.
 * @param hot the VM exists already, and does not wait for an image that is being written
 * @throws OneError INTERNAL
 */
export function acquireImage(image: Image, vmId: number, hot: boolean): void {
  const cannot = (why: string) => new OneError('INTERNAL', `Cannot acquire image ${image.id}, ${why}`);
  if (isFile(image.type) || image.type === 'BACKUP') {
    const what = `Image ${image.id} (${image.name}) of type ${image.type}`;
    throw new OneError('INTERNAL', `${what} cannot be used as DISK.`);
  }
  const next = TAKEN[image.state]?.(image);
  if (next === undefined) throw cannot(`it is in state: ${image.state}`);
  const inUse = image.state === 'USED_PERS' || image.state === 'LOCKED_USED_PERS';
  if (inUse && image.template.get('PERSISTENT_TYPE')?.toUpperCase() !== 'SHAREABLE') {
    throw cannot('it is persistent and already in use');
  }
  if (hot && isBeingWritten(image)) throw cannot('it is locked');
  image.vms.add(vmId);
  image.state = next;
}

/** What becomes of an image when the last VM has given it back. */
const FREED: { readonly [S in ImageState]?: ImageState } = {
  USED: 'READY',
  USED_PERS: 'READY',
  LOCKED_USED: 'LOCKED',
  LOCKED_USED_PERS: 'LOCKED',
};

export function releaseImage(image: Image, vmId: number): void {
  image.vms.delete(vmId);
  const next = FREED[image.state];
  if (next === undefined) return;
  if (image.vms.size === 0 && image.clones.size === 0) image.state = next;
}

// ---- operations ---------------------------------------------------------------------------------------------------

function info(cloud: Cloud, caller: Caller, id: number): Image {
  return reach(cloud, caller, IMAGES, id, 'USE', true);
}

function poolInfo(cloud: Cloud, caller: Caller, filter: number, start: number, end: number): Image[] {
  return listed(cloud, caller, cloud.images, 'IMAGE', { filter, start, end });
}

function remove(cloud: Cloud, caller: Caller, id: number, force = false): number {
  const image = cloud.images.get(id);
  const locked = isBeingWritten(image);
  if (locked && !force) {
    const why = 'Force delete may leave some files on Datastore';
    throw new OneError('INTERNAL', `Image locked, use --force flag to remove the image. ${why}`, id);
  }
  authorize(cloud, caller, { right: locked ? 'ADMIN' : 'MANAGE', type: 'IMAGE', object: image });
  const used = image.vms.size;
  if (used > 0) throw new OneError('ACTION', `Cannot delete image. There are ${used} VMs using it.`);
  if (image.clones.size > 0) {
    throw new OneError('ACTION', `Cannot delete image. There are ${image.clones.size} active clone operations.`);
  }
  cloud.images.delete(id);
  const datastore = cloud.datastores.find(image.datastoreId);
  datastore?.images.delete(id);
  if (datastore !== undefined) cloud.datastoreUpdated(datastore);
  cloud.quotas.remove(image, [imageDemand(image)]);
  cloud.acl.forgetObject('IMAGE', id);
  return id;
}

function enable(cloud: Cloud, caller: Caller, id: number, on: boolean): number {
  const image = reach(cloud, caller, IMAGES, id, 'MANAGE');
  const { state } = image;
  if (!['READY', 'DISABLED', 'ERROR'].includes(state)) {
    const what = `Could not ${on ? 'enable' : 'disable'} image`;
    throw new OneError('INTERNAL', `${what}: Image cannot be in state ${stateText(state)}.`);
  }
  if (!on) image.state = 'DISABLED';
  else if (state === 'DISABLED') image.state = 'READY';
  else unlockImage(image);
  imageSettled(cloud, image);
  return id;
}

function persist(cloud: Cloud, caller: Caller, id: number, persistent: boolean): number {
  const image = reach(cloud, caller, IMAGES, id, 'MANAGE');
  if (isFile(image.type)) throw new OneError('ACTION', 'KERNEL, RAMDISK and CONTEXT must be non-persistent');
  if (FREED[image.state] !== undefined || image.state === 'CLONE') {
    const what = `Could not make image ${persistent ? 'persistent' : 'non-persistent'}`;
    throw new OneError('INTERNAL', `${what}: Image cannot be in state ${stateText(image.state)}.`);
  }
  image.persistent = persistent;
  return id;
}

function changeType(cloud: Cloud, caller: Caller, id: number, text: string): number {
  const image = reach(cloud, caller, IMAGES, id, 'MANAGE');
  const type = typeOf(text);
  if (isFile(image.type) !== isFile(type) || type === 'BACKUP') {
    throw new OneError('ACTION', 'Cannot change image type to an incompatible type for the current datastore.');
  }
  if (text !== '' && !isType(text.toUpperCase())) throw new OneError('INTERNAL', 'Unknown type ');
  if (image.snapshots.length > 0 && type !== 'OS' && type !== 'DATABLOCK') {
    throw new OneError('INTERNAL', 'Image with snapshots can be only of type OS or DATABLOCK');
  }
  image.type = type;
  return id;
}

function update(cloud: Cloud, caller: Caller, id: number, text: string, type = 0): number {
  updateTemplate(reach(cloud, caller, IMAGES, id, 'MANAGE'), text, type, (attributes, append) => {
    if (caller.admin || !attributes.has('SOURCE')) return;
    const what = append ? 'User Template includes a restricted attribute' : 'Tried to change restricted attribute:';
    throw new OneError('INTERNAL', `Cannot update template. ${what} SOURCE`);
  });
  return id;
}

const owned = ownedOperations(IMAGES);

export const IMAGE_OPERATIONS = {
  'one.image.info': info,
  'one.image.delete': remove,
  'one.image.enable': enable,
  'one.image.persistent': persist,
  'one.image.chtype': changeType,
  'one.image.update': update,
  'one.image.chmod': owned.chmod,
  'one.image.chown': owned.chown,
  'one.image.rename': owned.rename,
  'one.image.lock': owned.lock,
  'one.image.unlock': owned.unlock,
  'one.imagepool.info': poolInfo,
} as const;
