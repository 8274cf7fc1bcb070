/** How images come to be: registered, cloned, or saved from a disk. Mirrors `Image.cc` and `RequestManagerAllocate.cc` of OpenNebula 6.10. */
import { authorize, forbidden, newPermissions } from '../access/acl.ts';
import { imageDemand } from '../access/quota.ts';
import type { Caller } from '../access/user.ts';
import type { Cloud } from '../cloud.ts';
import { OneError } from '../error.ts';
import { nameProblem, namesake, taken } from '../name.ts';
import { parseTemplate } from '../parse.ts';
import { Template } from '../syntax/syntax.ts';
import type { Disk } from '../vm/vm.ts';
import type { Datastore } from './datastore.ts';
import {
  CDROM_PREFIX,
  DISK_PREFIX,
  type Image,
  type ImageType,
  isFile,
  isType,
  stateText,
  typeOf,
  unlockImage,
} from './image.ts';

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

export const IMAGE_MAKING_OPERATIONS = {
  'one.image.allocate': allocate,
  'one.image.clone': clone,
} as const;
