/** Every operation of the cloud by the name of its XML-RPC method: what the APIs call, and all they can do. */
import { USER_OPERATIONS } from './access/account.ts';
import { ACL_OPERATIONS } from './access/acl.ts';
import { GROUP_OPERATIONS } from './access/group.ts';
import { DOCUMENT_OPERATIONS } from './document.ts';
import { CLUSTER_OPERATIONS } from './resources/cluster.ts';
import { DATASTORE_OPERATIONS } from './resources/datastore.ts';
import { DATASTORE_MAKING_OPERATIONS } from './resources/datastore-making.ts';
import { HOST_OPERATIONS } from './resources/host.ts';
import { IMAGE_OPERATIONS } from './resources/image.ts';
import { IMAGE_MAKING_OPERATIONS } from './resources/image-making.ts';
import { IMAGE_SNAPSHOT_OPERATIONS } from './resources/image-snapshot.ts';
import { RESERVATION_OPERATIONS } from './resources/reservation.ts';
import { SECURITY_GROUP_OPERATIONS } from './resources/security-group.ts';
import { VNET_OPERATIONS } from './resources/vnet.ts';
import { ZONE_OPERATIONS } from './resources/zone.ts';
import { SYSTEM_OPERATIONS } from './system.ts';
import { ACCOUNTING_OPERATIONS } from './vm/accounting.ts';
import { ACTION_OPERATIONS } from './vm/action.ts';
import { AGENDA_OPERATIONS } from './vm/agenda.ts';
import { BACKUP_OPERATIONS } from './vm/backup.ts';
import { HOTPLUG_OPERATIONS } from './vm/hotplug.ts';
import { INSTANTIATE_OPERATIONS } from './vm/instantiate.ts';
import { NIC_GROUP_OPERATIONS } from './vm/nic-group.ts';
import { NIC_UPDATE_OPERATIONS } from './vm/nic-update.ts';
import { PCI_OPERATIONS } from './vm/pci.ts';
import { RESIZE_OPERATIONS } from './vm/resize.ts';
import { SNAPSHOT_OPERATIONS } from './vm/snapshot.ts';
import { TEMPLATE_OPERATIONS } from './vm/template.ts';
import { VM_OPERATIONS } from './vm/vm.ts';

export const OPERATIONS = {
  ...ACCOUNTING_OPERATIONS,
  ...ACL_OPERATIONS,
  ...ACTION_OPERATIONS,
  ...AGENDA_OPERATIONS,
  ...BACKUP_OPERATIONS,
  ...CLUSTER_OPERATIONS,
  ...DATASTORE_OPERATIONS,
  ...DATASTORE_MAKING_OPERATIONS,
  ...DOCUMENT_OPERATIONS,
  ...GROUP_OPERATIONS,
  ...HOST_OPERATIONS,
  ...HOTPLUG_OPERATIONS,
  ...IMAGE_OPERATIONS,
  ...IMAGE_MAKING_OPERATIONS,
  ...IMAGE_SNAPSHOT_OPERATIONS,
  ...INSTANTIATE_OPERATIONS,
  ...NIC_GROUP_OPERATIONS,
  ...NIC_UPDATE_OPERATIONS,
  ...PCI_OPERATIONS,
  ...RESERVATION_OPERATIONS,
  ...RESIZE_OPERATIONS,
  ...SECURITY_GROUP_OPERATIONS,
  ...SNAPSHOT_OPERATIONS,
  ...SYSTEM_OPERATIONS,
  ...TEMPLATE_OPERATIONS,
  ...USER_OPERATIONS,
  ...VM_OPERATIONS,
  ...VNET_OPERATIONS,
  ...ZONE_OPERATIONS,
} as const;

export type Operations = typeof OPERATIONS;
export type Method = keyof Operations;
