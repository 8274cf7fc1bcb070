/** Disk images. Mirrors `Image.cc`, `ImagePool.cc`, `ImageManagerActions.cc` and `RequestManagerImage.cc` of OpenNebula 6.10. */
import { authorize, forbidden, newPermissions, type Owned } from '../access/acl.ts';
import { imageDemand } from '../access/quota.ts';
import type { Caller } from '../access/user.ts';
import type { Cloud } from '../cloud.ts';
import { OneError } from '../error.ts';
import { nameProblem, namesake, taken } from '../name.ts';
import { type Kind, listed, ownedOperations, reach, updateTemplate } from '../owned.ts';
import { parseTemplate } from '../parse.ts';
import { Template } from '../syntax/syntax.ts';
import { imageSettled } from '../vm/cloning.ts';
import type { Disk, DiskSnapshot } from '../vm/vm.ts';
import { bootstrapClusters } from './cluster.ts';
import { bootstrapDatastores, type Datastore, type DiskType } from './datastore.ts';

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
type ImageType = keyof typeof IMAGE_TYPES;

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

const isFile = (type: ImageType): boolean => type === 'KERNEL' || type === 'RAMDISK' || type === 'CONTEXT';

/** State as oned names it in refusals: it does not say there which images are persistent. */
export const stateText = (state: ImageState): string => state.replace('_PERS', '');

// ---- registering --------------------------------------------------------------------------------------------------

function allocate(cloud: Cloud, caller: Caller, text: string, datastoreId: number, noCapacityCheck = false): number {
  const template = parseTemplate(text, 'INTERNAL');
  const datastore = cloud.datastores.get(datastoreId);
  if (datastore.type === 'SYSTEM') {
    throw unallocated('New images can only be allocated in a files or image datastore.');
  }
  const sizeMiB = sizeOf(template);
  if (sizeMiB > datastore.freeMiB && !(noCapacityCheck && caller.admin)) {
    throw new OneError('ACTION', 'Not enough space in datastore');
  }
  if (!caller.admin && template.has('SOURCE')) {
    throw forbidden(caller, 'Template includes a restricted attribute SOURCE');
  }
  authorize(cloud, caller, { right: 'CREATE', type: 'IMAGE' }, { right: 'USE', type: 'DATASTORE', object: datastore });
  const demands = [imageDemand({ datastoreId, sizeMiB })];
  cloud.quotas.check(caller, caller, demands);
  const image = create(cloud, caller, template, datastore, sizeMiB);
  cloud.quotas.add(caller, demands);
  write(image);
  return image.id;
}

const unallocated = (why: string): OneError => new OneError('ALLOCATE', `Error allocating a new image. ${why}`);

/** The type that a text names; anything unknown counts as OS here, and is refused later. */
function typeOf(text = ''): ImageType {
  const name = text.toUpperCase();
  return isType(name) ? name : 'OS';
}

const isType = (name: string): name is ImageType => Object.hasOwn(IMAGE_TYPES, name);

/** What the dummy driver says of any file. */
const STAT_MIB = 1024;

function sizeOf(template: Template): number {
  const type = typeOf(template.get('TYPE'));
  if (!template.get('SOURCE')) {
    if (template.get('PATH')) return STAT_MIB;
    if (isFile(type) || type === 'CDROM')
      throw noSize(`Either PATH or SOURCE are required for ${template.get('TYPE')}`);
  }
  const size = /^\s*\+?(\d+)/.exec(template.get('SIZE') ?? '')?.[1];
  if (size === undefined) throw noSize('Wrong number or missing SIZE attribute.');
  return Number(size);
}

const noSize = (why: string): OneError => new OneError('INTERNAL', `Cannot parse image SIZE: ${why}`);

/** Attributes that become fields of the image, and those that oned writes itself. */
const FIELDS = ['NAME', 'TYPE', 'PERSISTENT', 'SIZE', 'FS', 'DRIVER', 'PATH', 'SOURCE', 'FORMAT', 'TM_MAD'];

/** @throws OneError ALLOCATE */
function create(
  cloud: Cloud,
  caller: Caller,
  template: Template,
  datastore: Datastore,
  sizeMiB: number,
  cloningId = -1,
): Image {
  const value = (name: string): string => template.get(name) ?? '';
  const name = value('NAME');
  const problem = nameProblem(name);
  if (problem !== undefined) throw unallocated(problem);
  const type = typeOf(value('TYPE'));
  requirePlace(type, datastore);
  const other = namesake(cloud.images, 'owner', name, caller.uid);
  if (other !== undefined) throw unallocated(taken('IMAGE', other));
  if (value('TYPE') !== '' && !isType(value('TYPE').toUpperCase())) throw unallocated('Unknown type ');
  const path = value('PATH');
  const source = value('SOURCE');
  if (cloningId === -1) {
    if (source !== '' && path !== '') throw unallocated('PATH and SOURCE cannot be both set.');
    if (source !== '' && value('FORMAT') === '') throw unallocated('SOURCE needs FORMAT to be set.');
  }
  const kept = template.clone();
  for (const field of FIELDS) kept.remove(field);
  if (isFile(type)) kept.remove('DEV_PREFIX');
  else if (!kept.get('DEV_PREFIX')) kept.set('DEV_PREFIX', type === 'CDROM' ? CDROM_PREFIX : DISK_PREFIX);
  const persistent = !isFile(type) && value('PERSISTENT').toUpperCase() === 'YES';
  const sharing = kept.get('PERSISTENT_TYPE')?.toUpperCase() === 'SHAREABLE';
  if (sharing && !persistent) kept.remove('PERSISTENT_TYPE');
  const image = cloud.images.add(
    (id): Image => ({
      id,
      uid: caller.uid,
      gid: caller.gid,
      name,
      permissions: newPermissions(cloud, caller),
      lock: null,
      state: 'LOCKED',
      type,
      diskType: datastore.diskType,
      persistent,
      sizeMiB,
      regtime: cloud.seconds,
      source,
      path,
      format: value('FORMAT'),
      fs: value('FS'),
      datastoreId: datastore.id,
      vms: new Set(),
      clones: new Set(),
      cloningId,
      snapshots: [],
      nextSnapshot: 0,
      currentBase: -1,
      template: kept,
    }),
  );
  datastore.images.add(image.id);
  cloud.datastoreUpdated(datastore);
  return image;
}

function requirePlace(type: ImageType, datastore: Datastore): void {
  if (type === 'BACKUP') throw unallocated('IMAGES of type BACKUP can only be registered in an BACKUP_DS datastore');
  if (isFile(type) && datastore.type !== 'FILE') {
    throw unallocated('IMAGES of type KERNEL, RAMDISK and CONTEXT cannot be registered in an IMAGE_DS datastore');
  }
  if (!isFile(type) && datastore.type !== 'IMAGE') {
    throw unallocated('Only IMAGES of type KERNEL, RAMDISK and CONTEXT can be registered in a FILE_DS datastore');
  }
}

/** The datastore driver writes a new image; here it takes no time. */
function write(image: Image): void {
  if (image.source === '') {
    image.source = 'dummy_path';
    image.format ||= 'raw';
  }
  unlockImage(image);
}

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

/** A new image in which a disk is going to be saved: it stays LOCKED until the driver is done. */
export function saveDiskAs(cloud: Cloud, caller: Caller, disk: Disk, name: string, type: string): Image {
  const from = disk.imageId === null ? undefined : cloud.images.find(disk.imageId);
  if (from === undefined) throw new OneError('INTERNAL', 'Cannot save volatile disks');
  const datastore = cloud.datastores.get(from.datastoreId);
  authorize(cloud, caller, { right: 'CREATE', type: 'IMAGE' }, { right: 'USE', type: 'DATASTORE', object: datastore });
  const demands = [imageDemand({ datastoreId: datastore.id, sizeMiB: disk.sizeMiB })];
  cloud.quotas.check(caller, caller, demands);
  const template = new Template([
    { name: 'NAME', value: name },
    { name: 'TYPE', value: type || from.type },
    { name: 'DEV_PREFIX', value: disk.devPrefix },
    { name: 'FORMAT', value: from.format },
    { name: 'SAVED_DISK_ID', value: String(disk.id) },
    { name: 'SAVED_IMAGE_ID', value: String(from.id) },
  ]);
  const image = create(cloud, caller, template, datastore, disk.sizeMiB);
  image.source = 'dummy_path';
  cloud.quotas.add(caller, demands);
  return image;
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
  cloud.datastores.find(image.datastoreId)?.images.delete(id);
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

function clone(cloud: Cloud, caller: Caller, id: number, name: string, datastoreId = -1): number {
  const source = cloud.images.get(id);
  if (isFile(source.type)) throw new OneError('ACTION', 'KERNEL, RAMDISK, BACKUP and CONTEXT cannot be cloned.');
  if (source.snapshots.length > 0) throw new OneError('ACTION', 'Cannot clone images with snapshots');
  const datastore = cloud.datastores.get(datastoreId === -1 ? source.datastoreId : datastoreId);
  const original = cloud.datastores.get(source.datastoreId);
  if (datastore.type !== 'IMAGE') throw new OneError('ACTION', 'Clone only supported for IMAGE_DS Datastores');
  if (datastore.dsMad !== original.dsMad) {
    throw new OneError('ACTION', 'Clone only supported to same DS_MAD Datastores');
  }
  if (source.sizeMiB > datastore.freeMiB) throw new OneError('ACTION', 'Not enough space in datastore');
  authorize(
    cloud,
    caller,
    { right: 'CREATE', type: 'IMAGE' },
    { right: 'USE', type: 'IMAGE', object: source },
    { right: 'USE', type: 'DATASTORE', object: datastore },
    ...(datastore === original ? [] : [{ right: 'USE', type: 'DATASTORE', object: original } as const]),
  );
  const demands = [imageDemand({ datastoreId: datastore.id, sizeMiB: source.sizeMiB })];
  cloud.quotas.check(caller, caller, demands);
  const template = source.template.clone();
  for (const [field, value] of [
    ['NAME', name],
    ['TYPE', source.type],
    ['PATH', source.source],
    ['FORMAT', source.format],
    ['PERSISTENT', source.persistent ? 'YES' : 'NO'],
  ] as const) {
    template.set(field, value);
  }
  if (source.state !== 'READY' && source.state !== 'USED' && source.state !== 'CLONE') {
    refuseName(cloud, caller, name);
    throw unallocated(`Cannot clone image in state: ${stateText(source.state)}`);
  }
  const image = create(cloud, caller, template, datastore, source.sizeMiB, id);
  cloud.quotas.add(caller, demands);
  beginClone(source, image);
  endClone(source, image);
  return image.id;
}

/** oned looks at the name first, and at the source's state after it. */
function refuseName(cloud: Cloud, caller: Caller, name: string): void {
  const problem = nameProblem(name);
  if (problem !== undefined) throw unallocated(problem);
  const other = namesake(cloud.images, 'owner', name, caller.uid);
  if (other !== undefined) throw unallocated(taken('IMAGE', other));
}

function beginClone(source: Image, image: Image): void {
  source.clones.add(image.id);
  if (source.state === 'READY') source.state = source.persistent ? 'CLONE' : 'USED';
}

function endClone(source: Image, image: Image): void {
  source.clones.delete(image.id);
  if (source.clones.size === 0 && source.vms.size === 0) source.state = 'READY';
  image.cloningId = -1;
  write(image);
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
  'one.image.allocate': allocate,
  'one.image.info': info,
  'one.image.delete': remove,
  'one.image.enable': enable,
  'one.image.persistent': persist,
  'one.image.chtype': changeType,
  'one.image.clone': clone,
  'one.image.update': update,
  'one.image.chmod': owned.chmod,
  'one.image.chown': owned.chown,
  'one.image.rename': owned.rename,
  'one.image.lock': owned.lock,
  'one.image.unlock': owned.unlock,
  'one.imagepool.info': poolInfo,
} as const;
