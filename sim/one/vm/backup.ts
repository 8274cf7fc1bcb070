/**
 * Backups of VMs, where there is no datastore to keep them in: what oned answers then. Mirrors `VirtualMachineBackup`
 * and its neighbours of OpenNebula 6.10.
 */
import { authorize } from '../access/acl.ts';
import type { Caller } from '../access/user.ts';
import type { Cloud } from '../cloud.ts';
import { OneError } from '../error.ts';
import { parseTemplate } from '../parse.ts';

const refused = (why: string): OneError => new OneError('ACTION', why);

export function vmBackup(cloud: Cloud, _caller: Caller, id: number, datastoreId = -1, _reset = false): number {
  cloud.vms.get(id);
  cloud.datastores.get(datastoreId);
  throw refused('Datastore needs to be of type BACKUP');
}

function cancel(cloud: Cloud, caller: Caller, id: number): number {
  authorize(cloud, caller, { right: 'ADMIN', type: 'VM', object: cloud.vms.get(id) });
  throw new OneError('INTERNAL', `Could not cancel backup for VM ${id}, no backup in progress`);
}

function restore(
  cloud: Cloud,
  _caller: Caller,
  id: number,
  imageId: number,
  _increment: number,
  diskId: number,
): number {
  const vm = cloud.vms.get(id);
  if (diskId !== -1 && !vm.disks.some((disk) => disk.id === diskId)) throw refused('VM disk does not exist');
  cloud.images.get(imageId);
  throw refused('Image has to be of type BACKUP');
}

function imageRestore(cloud: Cloud, caller: Caller, id: number, datastoreId: number, options: string): string {
  authorize(cloud, caller, { right: 'MANAGE', type: 'IMAGE', object: cloud.images.get(id) });
  const datastore = cloud.datastores.get(datastoreId);
  authorize(cloud, caller, { right: 'MANAGE', type: 'DATASTORE', object: datastore });
  parseTemplate(options, 'INTERNAL');
  throw refused('Can only restore images of type BACKUP');
}

export const BACKUP_OPERATIONS = {
  'one.vm.backup': vmBackup,
  'one.vm.backupcancel': cancel,
  'one.vm.restore': restore,
  'one.image.restore': imageRestore,
} as const;
