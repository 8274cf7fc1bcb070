/** Disks of VMs: what a DISK attribute becomes, and the images behind it. Mirrors `VirtualMachineDisk.cc` and `ImagePool.cc` of OpenNebula 6.10. */
import type { Wanted } from '../access/acl.ts';
import { type Caller, userNamed } from '../access/user.ts';
import type { Cloud } from '../cloud.ts';
import { OneError } from '../error.ts';
import { namesake } from '../name.ts';
import { type Datastore, datastoreSource } from '../resources/datastore.ts';
import {
  acquireImage,
  CDROM_PREFIX,
  DISK_PREFIX,
  IMAGE_STATES,
  type Image,
  isBeingWritten,
  releaseImage,
} from '../resources/image.ts';
import { type Derived, derived, FROM_IMAGE, held, inherit, type Layers, merged } from '../resources/inheritance.ts';
import { joined } from '../resources/vnet.ts';
import { SubAttributes } from '../syntax/sub-attributes.ts';
import type { Template, Vector } from '../syntax/syntax.ts';
import type { Disk, Vm, Work } from './vm.ts';

/** The VM that disks are for, and those it has already. */
interface For {
  readonly vmId: number;
  readonly taken: readonly Disk[];
}

const NOTHING = new SubAttributes([]);

/**
 * The disks of a template. Their images are taken: on refusal all are given back.
 * @throws OneError INTERNAL in the words of an allocation, or of a hot-plug when the VM is there already
 */
export function expandDisks(cloud: Cloud, caller: Caller, template: Template, { vmId, taken }: For): Disk[] {
  const vm = cloud.vms.find(vmId);
  const context = vm === undefined ? template.vector('CONTEXT') : vm.context;
  const hot = vm !== undefined;
  // Only one disk is attached at a time: oned does not look at the others.
  const wanted = hot ? template.vectors('DISK').slice(0, 1) : template.vectors('DISK');
  const begun: Draft[] = [];
  try {
    let id = Math.max(-1, ...taken.map((disk) => disk.id), hot && context ? Number(context.get('DISK_ID')) : -1);
    for (const given of wanted) begun.push(begin(cloud, caller, given, ++id, vmId, hot));
    const used = new Set(taken.map((disk) => disk.target));
    if (hot && context) used.add(context.get('TARGET') ?? '');
    claimTargets(begun, used, hot);
    if (!hot) requireFewDisks(begun, vmId, template.vector('OS')?.get('MACHINE')?.includes('q35') ?? false);
    assignTargets(begun, used, hot ? undefined : template.vector('CONTEXT'));
    if (hot) requireCluster(cloud, vm, begun);
    return begun.map(finish);
  } catch (error) {
    for (const { image } of begun) if (image !== null) releaseImage(image, vmId);
    throw error;
  }
}

interface Draft {
  readonly id: number;
  readonly given: Vector;
  readonly image: Image | null;
  readonly source: Vector;
  readonly devPrefix: string;
  readonly sizeMiB: number;
  target: string;
}

function begin(cloud: Cloud, caller: Caller, given: Vector, id: number, vmId: number, hot: boolean): Draft {
  try {
    const image = imageOf(cloud, caller.uid, given);
    const sizeMiB = wholeNumber(given.get('SIZE'));
    if (image === null) return beginVolatile(id, given, sizeMiB);
    acquireImage(image, vmId, hot);
    try {
      requireSize(image, sizeMiB);
      return {
        id,
        given,
        image,
        source: inheritedFrom(cloud, image),
        devPrefix: given.get('DEV_PREFIX') || prefixOf(image),
        sizeMiB: sizeMiB ?? image.sizeMiB,
        target: given.get('TARGET') || image.template.get('TARGET') || '',
      };
    } catch (error) {
      releaseImage(image, vmId);
      throw error;
    }
  } catch (error) {
    if (hot || !(error instanceof OneError)) throw error;
    throw new OneError(error.code, `DISK ${id}: ${error.message}`);
  }
}

const refused = (text: string): OneError => new OneError('INTERNAL', text);

/** A number that is beyond what oned can hold is none to it. */
function wholeNumber(text = ''): number | undefined {
  const value = /^\s*[-+]?\d+$/.test(text) ? Number(text) : Number.NaN;
  return Math.abs(value) <= 2 ** 63 ? value : undefined;
}

function beginVolatile(id: number, given: Vector, sizeMiB: number | undefined): Draft {
  const type = (given.get('TYPE') ?? '').toUpperCase();
  if (type !== 'FS' && type !== 'SWAP') throw refused(`Unknown disk type ${type}`);
  if (sizeMiB === undefined || sizeMiB <= 0) throw refused('SIZE attribute must be a positive integer value.');
  const target = given.get('TARGET') ?? '';
  return {
    id,
    given,
    image: null,
    source: NOTHING,
    devPrefix: given.get('DEV_PREFIX') || DISK_PREFIX,
    sizeMiB,
    target,
  };
}

/** The image that a DISK names; null for a volatile disk. */
export function imageOf(cloud: Cloud, uid: number, given: Vector): Image | null {
  const id = wholeNumber(given.get('IMAGE_ID'));
  if (id !== undefined) {
    const image = cloud.images.find(id);
    if (image === undefined) throw refused(`Image with ID: ${id} does not exist`);
    return image;
  }
  const name = given.get('IMAGE') ?? '';
  if (name === '') return null;
  const owner = ownerOf(cloud, uid, given);
  const image = owner === undefined ? undefined : namesake(cloud.images, 'owner', name, owner);
  if (image === undefined) {
    const who = `User ${owner ?? uid} does not own an image with name: ${name} .`;
    throw refused(`${who} Set IMAGE_UNAME or IMAGE_UID of owner in DISK.`);
  }
  return image;
}

/** Whose image of that name is meant: IMAGE_UID, else IMAGE_UNAME, else the caller. */
function ownerOf(cloud: Cloud, uid: number, given: Vector): number | undefined {
  const id = given.get('IMAGE_UID');
  if (id) return wholeNumber(id);
  const name = given.get('IMAGE_UNAME');
  return name ? userNamed(cloud, name)?.id : uid;
}

function requireSize(image: Image, sizeMiB: number | undefined): void {
  if (sizeMiB === undefined || sizeMiB === image.sizeMiB) return;
  if (image.persistent) throw refused(`SIZE attribute is not supported for persistent image [${image.id}].`);
  if (image.type === 'CDROM') throw refused(`SIZE attribute is not supported for CDROM image [${image.id}].`);
  if (sizeMiB < image.sizeMiB) {
    throw refused(`SIZE of ${sizeMiB}MB is less than the image [${image.id}] size of ${image.sizeMiB}MB.`);
  }
}

const prefixOf = (image: Image): string =>
  image.template.get('DEV_PREFIX') || (image.type === 'CDROM' ? CDROM_PREFIX : DISK_PREFIX);

/** Whether a disk of the image is read only whatever is asked for. */
const isFixed = (image: Image): boolean =>
  image.type === 'CDROM' || image.template.get('PERSISTENT_TYPE')?.toUpperCase() === 'IMMUTABLE';

const INHERITED: Derived<Vector> = new WeakMap();

/** What all disks of an image take over. */
function inheritedFrom(cloud: Cloud, image: Image): Vector {
  const datastore = cloud.datastores.find(image.datastoreId);
  if (datastore === undefined) throw refused('Associated datastore for the image does not exist');
  const { name, state, sizeMiB, source, type, diskType, format, persistent, template } = image;
  const fields = [name, state, sizeMiB, source, type, diskType, format, persistent, template.contents];
  const { name: datastoreName, tmMad, clusters } = datastore;
  const from = [...fields, datastore.id, datastoreName, tmMad, joined(clusters), datastore.template.contents];
  return derived(INHERITED, image, from, () => new SubAttributes(imageSource(image, datastore)));
}

/** Attributes that a disk gets from its image and datastore. */
function imageSource(image: Image, datastore: Datastore): Map<string, string> {
  const source = new Map([
    ['DEV_PREFIX', prefixOf(image)],
    ['IMAGE', image.name],
    ['IMAGE_ID', String(image.id)],
    ['IMAGE_STATE', String(IMAGE_STATES[image.state])],
    ['ORIGINAL_SIZE', String(image.sizeMiB)],
    ['SOURCE', image.source],
    ['TYPE', image.type === 'CDROM' ? 'CDROM' : image.diskType],
  ]);
  if (image.format !== '') {
    source.set('DRIVER', image.format.toLowerCase());
    source.set('FORMAT', image.format.toLowerCase());
  }
  const kept = !isFixed(image) && image.persistent;
  source.set('SAVE', kept ? 'YES' : 'NO');
  source.set('CLONE', kept || isFixed(image) ? 'NO' : 'YES');
  source.set('READONLY', isFixed(image) || image.template.get('READONLY')?.toUpperCase() === 'YES' ? 'YES' : 'NO');
  if (kept) source.set('PERSISTENT', 'YES');
  if (kept && image.template.get('PERSISTENT_TYPE')?.toUpperCase() === 'SHAREABLE' && image.format === 'raw') {
    source.set('SHAREABLE', 'YES');
  }
  inherit(source, image.template, FROM_IMAGE);
  datastoreSource(datastore, source);
  return source;
}

/** Attributes that oned writes itself, whatever is given. */
const OWN = new Set([
  'DISK_ID',
  'SIZE',
  'TARGET',
  'TM_MAD_SYSTEM',
  'CLONING',
  'DISK_SNAPSHOT_TOTAL_SIZE',
  'DRIVER',
  'FORMAT',
  'IMAGE',
  'IMAGE_ID',
  'IMAGE_STATE',
  'ORIGINAL_SIZE',
  'SOURCE',
  'TYPE',
  'SAVE',
  'CLONE',
  'PERSISTENT',
  'DATASTORE',
  'DATASTORE_ID',
  'TM_MAD',
  'CLUSTER_ID',
]);
const OWN_VOLATILE = new Set(['DISK_ID', 'SIZE', 'TARGET', 'TM_MAD_SYSTEM', 'DEV_PREFIX']);

function finish({ id, given, image, source, devPrefix, sizeMiB, target }: Draft): Disk {
  return {
    id,
    imageId: image?.id ?? null,
    sizeMiB,
    originalSizeMiB: image?.sizeMiB ?? sizeMiB,
    target,
    devPrefix,
    persistent: source.get('PERSISTENT') === 'YES',
    source,
    given: derived(KEPT, given, [source], () => keptBeside(source, given, image)),
    snapshots: image?.snapshots.map((snapshot) => ({ ...snapshot })) ?? [],
    nextSnapshot: image?.nextSnapshot ?? 0,
    currentBase: image?.currentBase ?? -1,
  };
}

const KEPT: Derived<Vector | null> = new WeakMap();

/** What of a disk holds beside what it takes over. */
function keptBeside(source: Vector, given: Vector, image: Image | null): Vector | null {
  const own = image === null ? OWN_VOLATILE : OWN;
  return held(
    [...given].filter(([name, value]) => {
      if (own.has(name) || (name === 'READONLY' && image !== null && isFixed(image))) return false;
      return value !== '' || !source.has(name);
    }),
  );
}

// ---- targets ------------------------------------------------------------------------------------------------------

/** Notes the device names that are asked for. */
function claimTargets(drafts: readonly Draft[], used: Set<string>, hot: boolean): void {
  for (const { target } of drafts) if (target !== '') claim(target, used, hot);
}

function claim(target: string, used: Set<string>, hot: boolean): void {
  if (used.has(target)) {
    throw refused(hot ? `Target ${target} is already in use.` : `Two disks have defined the same target ${target}`);
  }
  used.add(target);
}

function requireFewDisks(drafts: readonly Draft[], vmId: number, q35: boolean): void {
  const count = (prefix: string) => drafts.filter(({ devPrefix }) => devPrefix === prefix).length;
  if (count('hd') > 4 && !q35) throw refused(`Non-q35 VM ${vmId} has more than 4 hd disks`);
  if (count('sd') > 256) throw refused(`VM ${vmId} has more than 256 disks`);
}

/** Device names for those that have none: first OS disk, CD-ROMs, the context disk's place, then the others. */
function assignTargets(drafts: readonly Draft[], used: Set<string>, context: Vector | undefined): void {
  const open = drafts.filter(({ target }) => target === '');
  const first = open.find(({ image }) => image?.type === 'OS');
  const assign = (draft: Draft): void => {
    draft.target = freeTarget(draft.devPrefix, used);
    used.add(draft.target);
  };
  if (first !== undefined) assign(first);
  for (const draft of open) if (draft.image?.type === 'CDROM') assign(draft);
  if (context !== undefined) claim(contextTarget(context, used), used, false);
  for (const draft of open) if (draft !== first && draft.image?.type !== 'CDROM') assign(draft);
}

/** The device name of the context CD-ROM, beside those in use. */
export function contextTarget(context: Vector, used: ReadonlySet<string>): string {
  return context.get('TARGET') || freeTarget(context.get('DEV_PREFIX') || CDROM_PREFIX, used);
}

function freeTarget(prefix: string, used: ReadonlySet<string>): string {
  for (let index = 0; ; index++) {
    const target = prefix + letters(index);
    if (!used.has(target)) return target;
  }
}

/** a … z, aa, ab, … */
function letters(index: number): string {
  const last = String.fromCharCode(97 + (index % 26));
  return index < 26 ? last : letters(Math.floor(index / 26) - 1) + last;
}

/** A disk can be attached only where the VM is. */
function requireCluster(cloud: Cloud, vm: Vm, drafts: readonly Draft[]): void {
  const clusterId = vm.history.at(-1)?.clusterId;
  for (const { image } of drafts) {
    const clusters = image === null ? undefined : cloud.datastores.find(image.datastoreId)?.clusters;
    if (clusterId !== undefined && clusters?.has(clusterId) === false) {
      throw refused(`Image [${image?.id}] is not part of cluster [${clusterId}]`);
    }
  }
}

// ---- giving back --------------------------------------------------------------------------------------------------

/** Gives the images of a VM's disks back. */
export function releaseDisks(cloud: Cloud, vm: Pick<Vm, 'id' | 'disks'>): void {
  for (const disk of vm.disks) releaseDisk(cloud, vm, disk);
}

/**
 * Gives the image of a disk back. A persistent one has grown with its disk, and keeps its snapshots. As in oned, an image counts a VM once,
 * so it comes free with the first of several disks of the same VM.
 */
export function releaseDisk(cloud: Cloud, vm: Pick<Vm, 'id'>, disk: Disk): void {
  const image = disk.imageId === null ? undefined : cloud.images.find(disk.imageId);
  if (image === undefined) return;
  if (image.state === 'USED_PERS' && image.type !== 'CDROM') {
    if (disk.sizeMiB > disk.originalSizeMiB) image.sizeMiB = disk.sizeMiB;
    image.snapshots = disk.snapshots;
    image.nextSnapshot = disk.snapshots.length === 0 ? 0 : disk.nextSnapshot;
    image.currentBase = disk.snapshots.length === 0 ? -1 : disk.currentBase;
  }
  releaseImage(image, vm.id);
}

// ---- rights -------------------------------------------------------------------------------------------------------

/**
 * The rights on images that a template needs. When it is instantiated, oned has written each image's name into its
 * DISK before it asks, and then looks for an image of that name among the caller's own: others it does not ask for.
 */
export function diskRights(cloud: Cloud, caller: Caller, template: Template, instantiated: boolean): Wanted[] {
  const wanted: Wanted[] = [];
  for (const given of template.vectors('DISK')) {
    const id = wholeNumber(given.get('IMAGE_ID'));
    const byId = id === undefined ? undefined : cloud.images.find(id);
    const name = (instantiated ? byId?.name : undefined) ?? given.get('IMAGE');
    const owner = ownerOf(cloud, caller.uid, given);
    const byName = name && owner !== undefined ? namesake(cloud.images, 'owner', name, owner) : undefined;
    const object = name ? byName : byId;
    if (object !== undefined) wanted.push({ right: 'USE', type: 'IMAGE', object });
  }
  return wanted;
}

// ---- as oned shows it ---------------------------------------------------------------------------------------------

/** TEMPLATE/DISK of a VM, sorted by name. */
export const diskAttributes = (cloud: Cloud, vm: Vm, disk: Disk): [name: string, value: string][] =>
  merged(...diskLayers(cloud, vm, disk));

/** What {@link diskAttributes} are made of. */
export function diskLayers(cloud: Cloud, vm: Vm, disk: Disk): Layers {
  const own: [string, string][] = [
    ['DISK_ID', String(disk.id)],
    ['SIZE', String(disk.sizeMiB)],
    ['TARGET', disk.target],
  ];
  if (disk.imageId === null) {
    const source = new Map([['DEV_PREFIX', disk.devPrefix]]);
    const datastore = cloud.datastores.find(vm.history.at(-1)?.datastoreId ?? -1);
    if (datastore !== undefined) datastoreSource(datastore, source);
    return [source, disk.given, own, workAttributes(vm.work, disk)];
  }
  own.push(['DISK_SNAPSHOT_TOTAL_SIZE', String(disk.snapshots.reduce((sum, each) => sum + each.sizeMiB, 0))]);
  const image = cloud.images.find(disk.imageId);
  if (image !== undefined && isBeingWritten(image)) own.push(['CLONING', 'YES']);
  return [disk.source, disk.given, own, workAttributes(vm.work, disk)];
}

/** What the driver is busy with shows on the disk. */
function workAttributes(work: Work | null, disk: Disk): [string, string][] {
  if (work === null || !('diskId' in work) || work.diskId !== disk.id) return [];
  switch (work.kind) {
    case 'attachDisk':
    case 'detachDisk':
      return [['ATTACH', 'YES']];
    case 'diskResize':
      return [
        ['RESIZE', 'YES'],
        ['SIZE_PREV', String(work.sizeMiB)],
      ];
    default:
      return [
        ['DISK_SNAPSHOT_ACTIVE', 'YES'],
        ['DISK_SNAPSHOT_ID', String(work.snapshotId)],
      ];
  }
}

/** DISK of a VM template as `one.template.info` shows it when asked for all there is to know. */
export function extendedDisk(cloud: Cloud, caller: Caller, given: Vector, id: number): [name: string, value: string][] {
  const named = wholeNumber(given.get('IMAGE_ID')) !== undefined || given.get('IMAGE');
  let image: Image | null = null;
  try {
    if (named) image = imageOf(cloud, caller.uid, given);
  } catch (error) {
    if (!(error instanceof OneError)) throw error;
  }
  if (image === null) return merged(given, [['DISK_ID', String(id)]]);
  const { source, given: kept } = finish({
    id,
    given,
    image,
    source: inheritedFrom(cloud, image),
    devPrefix: '',
    sizeMiB: 0,
    target: '',
  });
  const own: [string, string][] = [
    ['DISK_ID', String(id)],
    ['SIZE', given.get('SIZE') || String(image.sizeMiB)],
    ['DISK_SNAPSHOT_TOTAL_SIZE', '0'],
  ];
  const target = given.get('TARGET') || image.template.get('TARGET');
  if (target) own.push(['TARGET', target]);
  return merged(source, kept, own);
}
