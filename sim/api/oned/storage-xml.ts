/** IMAGE and DATASTORE. Mirrors `Image::to_xml` and `Datastore::to_xml` of OpenNebula 6.10. */
import type { Cloud } from '../../one/cloud.ts';
import { DATASTORE_TYPES, type Datastore, DISK_TYPES } from '../../one/resources/datastore.ts';
import { IMAGE_STATES, IMAGE_TYPES, type Image } from '../../one/resources/image.ts';
import { snapshotsXml } from './vm-xml.ts';
import { cdata, heading, ids, lock, permissions, templateXml } from './xml.ts';

export function imageXml(cloud: Cloud, image: Image): string {
  const state = IMAGE_STATES[image.state];
  return (
    `<IMAGE>${heading(cloud, image)}${lock(image)}${permissions(image)}<TYPE>${IMAGE_TYPES[image.type]}</TYPE>` +
    `<DISK_TYPE>${DISK_TYPES[image.diskType]}</DISK_TYPE><PERSISTENT>${image.persistent ? 1 : 0}</PERSISTENT>` +
    `<REGTIME>${image.regtime}</REGTIME>${cdata('SOURCE', image.source)}${cdata('PATH', image.path)}` +
    `${cdata('FORMAT', image.format)}${cdata('FS', image.fs)}<SIZE>${image.sizeMiB}</SIZE><STATE>${state}</STATE>` +
    `<PREV_STATE>${state}</PREV_STATE><RUNNING_VMS>${image.vms.size}</RUNNING_VMS>` +
    `<CLONING_OPS>${image.clones.size}</CLONING_OPS><CLONING_ID>${image.cloningId}</CLONING_ID>` +
    `<TARGET_SNAPSHOT>-1</TARGET_SNAPSHOT><DATASTORE_ID>${image.datastoreId}</DATASTORE_ID>` +
    `<DATASTORE>${cloud.datastores.find(image.datastoreId)?.name ?? ''}</DATASTORE>${ids('VMS', image.vms)}` +
    `${ids('CLONES', image.clones)}<APP_CLONES></APP_CLONES>${templateXml(image.template)}${snapshotsXml(image, image.template.get('ALLOW_ORPHANS') ?? 'NO')}` +
    '<BACKUP_INCREMENTS></BACKUP_INCREMENTS><BACKUP_DISK_IDS></BACKUP_DISK_IDS></IMAGE>'
  );
}

export function datastoreXml(cloud: Cloud, datastore: Datastore): string {
  const { id, dsMad, tmMad, type, diskType, totalMiB, freeMiB, usedMiB } = datastore;
  return (
    `<DATASTORE>${heading(cloud, datastore)}${permissions(datastore)}${cdata('DS_MAD', dsMad)}` +
    `${cdata('TM_MAD', tmMad)}${cdata('BASE_PATH', `/var/lib/one//datastores/${id}`)}` +
    `<TYPE>${DATASTORE_TYPES[type].number}</TYPE><DISK_TYPE>${DISK_TYPES[diskType]}</DISK_TYPE><STATE>${datastore.enabled ? 0 : 1}</STATE>` +
    `${ids('CLUSTERS', datastore.clusters)}<TOTAL_MB>${totalMiB}</TOTAL_MB><FREE_MB>${freeMiB}</FREE_MB>` +
    `<USED_MB>${usedMiB}</USED_MB>${ids('IMAGES', datastore.images)}${templateXml(datastore.template)}</DATASTORE>`
  );
}
