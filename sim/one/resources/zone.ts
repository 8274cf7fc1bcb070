/** What there is one of in every OpenNebula that is on its own: the zone, and the virtual data centre. Mirrors `Zone.cc` and `Vdc.cc` of OpenNebula 6.10. */
import { authorize } from '../access/acl.ts';
import type { ObjectType } from '../access/acl-rule.ts';
import type { Caller } from '../access/user.ts';
import type { Cloud } from '../cloud.ts';
import { FILTERS, listed, usable } from '../owned.ts';
import { Pool } from '../pool.ts';
import { Template } from '../syntax/syntax.ts';

/** It cannot be changed, so all worlds have the same. */
export interface Standing {
  readonly id: number;
  readonly name: string;
  readonly template: Template;
}

function standing(objectName: string, name: string, attribute: string, value: string): Pool<Standing> {
  const pool = new Pool<Standing>(objectName);
  pool.add((id) => ({ id, name, template: new Template([{ name: attribute, value }]) }));
  return pool;
}

const zones = standing('zone', 'OpenNebula', 'ENDPOINT', 'http://localhost:2633/RPC2');
const vdcs = standing(
  'VDC',
  'default',
  'DESCRIPTION',
  'Every new group is added to this VDC. Use it to store default access rules for your groups. NOTE: You may need to ' +
    'remove a group from the default VDC before assigning it to other VDC.',
);

function reach(cloud: Cloud, caller: Caller, pool: Pool<Standing>, type: ObjectType, id: number): Standing {
  if (id < 0) authorize(cloud, caller, { right: 'USE', type });
  const object = pool.get(id);
  authorize(cloud, caller, { right: 'USE', type, object });
  return object;
}

function zoneInfo(cloud: Cloud, caller: Caller, id: number): Standing {
  return reach(cloud, caller, zones, 'ZONE', id);
}

function zonePool(cloud: Cloud, caller: Caller): Standing[] {
  return usable(cloud, caller, zones, 'ZONE');
}

function vdcInfo(cloud: Cloud, caller: Caller, id: number): Standing {
  return reach(cloud, caller, vdcs, 'VDC', id);
}

function vdcPool(cloud: Cloud, caller: Caller): Standing[] {
  return usable(cloud, caller, vdcs, 'VDC');
}

// ---- what there is none of ----------------------------------------------------------------------------------------

/** A pool that stays empty: a fresh OpenNebula has no such objects, and here nobody can make one. */
function emptyPool(objectName: string, type: ObjectType) {
  const pool = new Pool<Standing>(objectName);
  return (cloud: Cloud, caller: Caller, filter: number = FILTERS.ALL, start = -1, end = -1): Standing[] =>
    listed(cloud, caller, pool, type, { filter, start, end });
}

export const ZONE_OPERATIONS = {
  'one.zone.info': zoneInfo,
  'one.zonepool.info': zonePool,
  'one.vdc.info': vdcInfo,
  'one.vdcpool.info': vdcPool,
  'one.backupjobpool.info': emptyPool('backup job', 'BACKUPJOB'),
  'one.hookpool.info': emptyPool('hook', 'HOOK'),
  'one.vmgrouppool.info': emptyPool('vm group', 'VMGROUP'),
  'one.vntemplatepool.info': emptyPool('virtual network template', 'VNTEMPLATE'),
  'one.vrouterpool.info': emptyPool('virtual router', 'VROUTER'),
} as const;
