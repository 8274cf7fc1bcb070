/** What there is one of in every OpenNebula that is on its own: the zone, and the virtual data centre. Mirrors `Zone.cc` and `Vdc.cc` of OpenNebula 6.10. */
import { authorize } from '../access/acl.ts';
import type { ObjectType } from '../access/acl-rule.ts';
import { type Caller, ONEADMIN_GROUP } from '../access/user.ts';
import type { Cloud } from '../cloud.ts';
import { OneError } from '../error.ts';
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

/** How the servers of the zone agree, of which there is one. */
function raftStatus(cloud: Cloud, caller: Caller): null {
  authorize(cloud, caller, { right: 'ADMIN', type: 'ZONE', object: zones.get(0) });
  return null;
}

function vdcInfo(cloud: Cloud, caller: Caller, id: number): Standing {
  return reach(cloud, caller, vdcs, 'VDC', id);
}

function vdcPool(cloud: Cloud, caller: Caller): Standing[] {
  return usable(cloud, caller, vdcs, 'VDC');
}

// ---- what there is none of ----------------------------------------------------------------------------------------

/** A pool that stays empty: here nobody can make such an object. */
function empty(objectName: string, type: ObjectType) {
  const pool = new Pool<Standing>(objectName);
  return {
    info: (cloud: Cloud, caller: Caller, id: number): Standing => reach(cloud, caller, pool, type, id),
    pool: (cloud: Cloud, caller: Caller, filter: number = FILTERS.ALL, start = -1, end = -1): Standing[] =>
      listed(cloud, caller, pool, type, { filter, start, end }),
  };
}

const backupJobs = empty('backup job', 'BACKUPJOB');
const hooks = empty('hook', 'HOOK');
const marketplaces = empty('marketplace', 'MARKETPLACE');
const marketplaceApps = empty('marketplaceapp', 'MARKETPLACEAPP');
const vmGroups = empty('vm group', 'VMGROUP');
const vnetTemplates = empty('virtual network template', 'VNTEMPLATE');
const virtualRouters = empty('virtual router', 'VROUTER');

/** What hooks have done: nothing. */
function hookLog(_cloud: Cloud, caller: Caller, _since: number, _until: number, _hook: number, _code: number): null {
  if (!caller.groups.has(ONEADMIN_GROUP)) {
    throw new OneError('AUTHORIZATION', `User [${caller.uid}] not authorized to perform action on hook.`);
  }
  return null;
}

export const ZONE_OPERATIONS = {
  'one.zone.info': zoneInfo,
  'one.zonepool.info': zonePool,
  'one.vdc.info': vdcInfo,
  'one.vdcpool.info': vdcPool,
  'one.zone.raftstatus': raftStatus,
  'one.backupjob.info': backupJobs.info,
  'one.backupjobpool.info': backupJobs.pool,
  'one.hook.info': hooks.info,
  'one.hookpool.info': hooks.pool,
  'one.hooklog.info': hookLog,
  'one.market.info': marketplaces.info,
  'one.marketpool.info': marketplaces.pool,
  'one.marketapp.info': marketplaceApps.info,
  'one.marketapppool.info': marketplaceApps.pool,
  'one.vmgroup.info': vmGroups.info,
  'one.vmgrouppool.info': vmGroups.pool,
  'one.vntemplate.info': vnetTemplates.info,
  'one.vntemplatepool.info': vnetTemplates.pool,
  'one.vrouter.info': virtualRouters.info,
  'one.vrouterpool.info': virtualRouters.pool,
} as const;
