/** Every operation of the cloud by the name of its XML-RPC method: what the APIs call, and all they can do. */
import { USER_OPERATIONS } from './access/account.ts';
import { ACL_OPERATIONS } from './access/acl.ts';
import { GROUP_OPERATIONS } from './access/group.ts';
import { DOCUMENT_OPERATIONS } from './document.ts';
import { CLUSTER_OPERATIONS } from './resources/cluster.ts';
import { DATASTORE_OPERATIONS } from './resources/datastore.ts';
import { HOST_OPERATIONS } from './resources/host.ts';
import { IMAGE_OPERATIONS } from './resources/image.ts';
import { RESERVATION_OPERATIONS } from './resources/reservation.ts';
import { SECURITY_GROUP_OPERATIONS } from './resources/security-group.ts';
import { VNET_OPERATIONS } from './resources/vnet.ts';
import { ZONE_OPERATIONS } from './resources/zone.ts';
import { SYSTEM_OPERATIONS } from './system.ts';
import { ACCOUNTING_OPERATIONS } from './vm/accounting.ts';
import { ACTION_OPERATIONS } from './vm/action.ts';
import { HOTPLUG_OPERATIONS } from './vm/hotplug.ts';
import { INSTANTIATE_OPERATIONS } from './vm/instantiate.ts';
import { RESIZE_OPERATIONS } from './vm/resize.ts';
import { SCHEDULED_ACTION_OPERATIONS } from './vm/scheduled-action.ts';
import { SNAPSHOT_OPERATIONS } from './vm/snapshot.ts';
import { TEMPLATE_OPERATIONS } from './vm/template.ts';
import { VM_OPERATIONS } from './vm/vm.ts';

export const OPERATIONS = {
  ...ACCOUNTING_OPERATIONS,
  ...ACL_OPERATIONS,
  ...ACTION_OPERATIONS,
  ...CLUSTER_OPERATIONS,
  ...DATASTORE_OPERATIONS,
  ...DOCUMENT_OPERATIONS,
  ...GROUP_OPERATIONS,
  ...HOST_OPERATIONS,
  ...HOTPLUG_OPERATIONS,
  ...IMAGE_OPERATIONS,
  ...INSTANTIATE_OPERATIONS,
  ...RESERVATION_OPERATIONS,
  ...RESIZE_OPERATIONS,
  ...SECURITY_GROUP_OPERATIONS,
  ...SCHEDULED_ACTION_OPERATIONS,
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
