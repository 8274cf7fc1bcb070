/** Every operation of the cloud by the name of its XML-RPC method: what the APIs call, and all they can do. */
import { USER_OPERATIONS } from './account.ts';
import { ACCOUNTING_OPERATIONS } from './accounting.ts';
import { ACL_OPERATIONS } from './acl.ts';
import { ACTION_OPERATIONS } from './action.ts';
import { CLUSTER_OPERATIONS } from './cluster.ts';
import { DATASTORE_OPERATIONS } from './datastore.ts';
import { DOCUMENT_OPERATIONS } from './document.ts';
import { GROUP_OPERATIONS } from './group.ts';
import { HOST_OPERATIONS } from './host.ts';
import { HOTPLUG_OPERATIONS } from './hotplug.ts';
import { IMAGE_OPERATIONS } from './image.ts';
import { INSTANTIATE_OPERATIONS } from './instantiate.ts';
import { RESERVATION_OPERATIONS } from './reservation.ts';
import { RESIZE_OPERATIONS } from './resize.ts';
import { SCHEDULED_ACTION_OPERATIONS } from './scheduled-action.ts';
import { SECURITY_GROUP_OPERATIONS } from './security-group.ts';
import { SNAPSHOT_OPERATIONS } from './snapshot.ts';
import { SYSTEM_OPERATIONS } from './system.ts';
import { TEMPLATE_OPERATIONS } from './template.ts';
import { VM_OPERATIONS } from './vm.ts';
import { VNET_OPERATIONS } from './vnet.ts';
import { ZONE_OPERATIONS } from './zone.ts';

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
