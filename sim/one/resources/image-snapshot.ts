/** Snapshots that a persistent image has from its disk: what can be done to them while no VM uses it. Mirrors `ImageManager::delete_snapshot` and its neighbours of OpenNebula 6.10. */
import { imageDemand } from '../access/quota.ts';
import type { Caller } from '../access/user.ts';
import type { Cloud } from '../cloud.ts';
import { OneError } from '../error.ts';
import { reach } from '../owned.ts';
import type { DiskSnapshot } from '../vm/vm.ts';
import { IMAGES, type Image, stateText } from './image.ts';

/** @param cannot what the image cannot do in its state */
function settled(cloud: Cloud, caller: Caller, id: number, cannot: string): Image {
  const image = reach(cloud, caller, IMAGES, id, 'MANAGE');
  if (image.type !== 'OS' && image.type !== 'DATABLOCK') {
    throw refused('IMAGES of type KERNEL, RAMDISK, BACKUP and CONTEXT does not have snapshots.');
  }
  if (image.state !== 'READY') throw refused(`Cannot ${cannot} in state ${stateText(image.state)}`);
  return image;
}

const refused = (why: string): OneError => new OneError('ACTION', why);

function requireSnapshot({ snapshots }: Image, id: number): DiskSnapshot {
  const snapshot = snapshots.find((each) => each.id === id);
  if (snapshot === undefined) throw refused('Snapshot does not exist');
  return snapshot;
}

/** Each returns the snapshot's id; here the driver takes no time. */
function snapshotDelete(cloud: Cloud, caller: Caller, id: number, snapshotId: number): number {
  const image = settled(cloud, caller, id, 'delete snapshot');
  const snapshot = requireSnapshot(image, snapshotId);
  const mayBeAnybodys = image.template.get('ALLOW_ORPHANS')?.toUpperCase() === 'YES';
  if (!mayBeAnybodys && snapshot.active) throw refused('Cannot delete the active snapshot');
  if (!mayBeAnybodys && image.snapshots.some(({ parent }) => parent === snapshotId)) {
    throw refused('Cannot delete snapshot with children');
  }
  image.snapshots = image.snapshots.filter((other) => other !== snapshot);
  return snapshotId;
}

/** The image becomes what it was, and as large. */
function snapshotRevert(cloud: Cloud, caller: Caller, id: number, snapshotId: number): number {
  const image = settled(cloud, caller, id, 'revert to snapshot');
  const { sizeMiB } = requireSnapshot(image, snapshotId);
  cloud.quotas.remove(image, [imageDemand(image)]);
  image.sizeMiB = sizeMiB;
  cloud.quotas.add(image, [imageDemand(image)]);
  for (const snapshot of image.snapshots) snapshot.active = snapshot.id === snapshotId;
  image.currentBase = snapshotId;
  return snapshotId;
}

/** All snapshots go, and the image stays as it is. */
function snapshotFlatten(cloud: Cloud, caller: Caller, id: number, snapshotId: number): number {
  const image = settled(cloud, caller, id, 'flatten snapshot');
  requireSnapshot(image, snapshotId);
  image.snapshots = [];
  image.nextSnapshot = 0;
  image.currentBase = -1;
  return snapshotId;
}

export const IMAGE_SNAPSHOT_OPERATIONS = {
  'one.image.snapshotdelete': snapshotDelete,
  'one.image.snapshotrevert': snapshotRevert,
  'one.image.snapshotflatten': snapshotFlatten,
} as const;
