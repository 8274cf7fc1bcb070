/**
 * Every method of oned that there is here: what it takes, and how its result is shown. The operations behind them are
 * those of `Cloud`. Mirrors `RequestManager::register_xml_methods` of OpenNebula 6.10, in whose order they stand.
 */
import type { Metrics } from '../../metrics/metrics.ts';
import { SAMPLES_KEPT_MS } from '../../metrics/monitoring.ts';
import type { Arguments, Cloud } from '../../one/cloud.ts';
import type { Method, Operations } from '../../one/operations.ts';
import type { Host } from '../../one/resources/host.ts';
import type { Template } from '../../one/syntax/syntax.ts';
import type { AccountingRecord } from '../../one/vm/accounting.ts';
import type { Vm } from '../../one/vm/vm.ts';
import { documentXml, ruleXml, vmTemplateXml } from './document-xml.ts';
import { clusterXml, type HostSample, hostSampleXml, hostXml, vdcXml, zoneXml } from './host-xml.ts';
import { pooledVnetXml, securityGroupXml, vnetXml } from './network-xml.ts';
import type { Taken } from './parameters.ts';
import { datastoreXml, imageXml } from './storage-xml.ts';
import { groupDefaults, groupPoolXml, groupXml, userDefaults, userPoolXml, userXml } from './user-xml.ts';
import { accountingXml, sampleXml, shortVmXml, storedVmXml, vmXml } from './vm-xml.ts';
import { element, pool, templateXml } from './xml.ts';
import type { Pieces, Value } from './xmlrpc.ts';

/** What a result is shown with. */
interface Shown {
  readonly cloud: Cloud;
  readonly metrics: Metrics;
  /** The parameters of the call, without the session. */
  readonly params: readonly Value[];
}

/** A method. */
export interface Row<Result> {
  /**
   * A letter a parameter after the session: `i` int, `s` string, `b` boolean, `A` array of ints; behind `|` those that
   * may be missing. `d` asks for secrets in plain text: oned reads it for administrators only, and here there are none.
   */
  readonly takes: string;
  readonly gives: (result: Result, shown: Shown) => Value;
}

type Rows = { readonly [M in Method]: Row<ReturnType<Operations[M]>> };

/** The rows, if what each takes is what its operation takes; anything else does not compile. */
type Agreeing<T extends Rows> = {
  readonly [M in Method]: Taken<T[M]['takes']> extends Arguments<M> ? unknown : { readonly takes: Arguments<M> };
};

const agreed = <T extends Rows>(rows: T & Agreeing<T>): Rows => rows;

const asIs = <T extends Value>(value: T): T => value;

/** A pool, an object a line. */
const poolOf =
  <T>(name: string, show: (cloud: Cloud, object: T) => string) =>
  (objects: readonly T[], { cloud }: Shown): Pieces =>
    pool(name, objects, (object) => show(cloud, object));

const one =
  <T>(show: (cloud: Cloud, object: T) => string) =>
  (object: T, { cloud }: Shown): string =>
    show(cloud, object);

const none = (name: string) => poolOf<unknown>(name, () => '');

/** What there is none of is not shown either. */
const nothing = (): string => '';

/** A server on its own. */
const RAFT =
  '<RAFT><SERVER_ID>-1</SERVER_ID><STATE>0</STATE><TERM>0</TERM><VOTEDFOR>-1</VOTEDFOR><COMMIT>0</COMMIT>' +
  '<LOG_INDEX>-1</LOG_INDEX><LOG_TERM>-1</LOG_TERM><FEDLOG_INDEX>-1</FEDLOG_INDEX></RAFT>';

// ---- monitoring ---------------------------------------------------------------------------------------------------

/** oned's first sample of a host is from when the host was seen for the first time. */
const HOST_PERIOD_S = 120;

const fullVm = (vm: Vm, { cloud, metrics }: Shown): Pieces =>
  vmXml(cloud, vm, metrics.lastVmSample(vm.id, cloud.clock.now));

const storedVms = poolOf('VM', storedVmXml);

/** How far back to look, by the parameter that says so: -1 all the way, 0 for the last sample. */
const lookingBack = (seconds: Value | undefined, now: number): number =>
  typeof seconds === 'number' && seconds > 0 ? now - seconds * 1000 : now - SAMPLES_KEPT_MS;

function vmSamples(vm: Vm, { cloud, metrics }: Shown, seconds?: Value): string {
  const { now } = cloud.clock;
  const samples = [...metrics.vmSamples(vm.id, lookingBack(seconds, now), now)];
  const wanted = seconds === 0 ? samples.slice(0, 1) : samples.reverse();
  return wanted.map((sample) => element('MONITORING', sampleXml(vm.id, sample))).join('');
}

function* hostSamples(host: Host, { cloud, metrics }: Shown, afterMs: number): Generator<HostSample> {
  if (host.state !== 'MONITORED') return;
  const vms = [...host.vms];
  const newest = cloud.seconds - ((cloud.seconds - host.since) % HOST_PERIOD_S);
  for (let timestamp = newest; timestamp >= host.since; timestamp -= HOST_PERIOD_S) {
    const at = timestamp * 1000;
    if (at <= afterMs) return;
    yield { timestamp, vms: vms.flatMap((id) => metrics.lastVmSample(id, at) ?? []) };
  }
}

function lastOfHost(host: Host, shown: Shown): HostSample | undefined {
  for (const sample of hostSamples(host, shown, shown.cloud.clock.now - SAMPLES_KEPT_MS)) return sample;
  return undefined;
}

const fullHost = (host: Host, shown: Shown): string => hostXml(shown.cloud, host, lastOfHost(host, shown));

function samplesOfHost(host: Host, shown: Shown, seconds?: Value): string {
  const samples = [...hostSamples(host, shown, lookingBack(seconds, shown.cloud.clock.now))];
  const wanted = seconds === 0 ? samples.slice(0, 1) : samples.reverse();
  return wanted.map((sample) => hostSampleXml(host, sample)).join('');
}

const monitoringData = (samples: readonly string[]): string => element('MONITORING_DATA', samples.join(''));

function accounted(records: readonly AccountingRecord[], { cloud }: Shown): string {
  const each = records.map(({ vm, placement }) => accountingXml(cloud, vm, placement));
  return element('HISTORY_RECORDS', each.join(''));
}

const configuration = (settings: Template): string => templateXml(settings, 'OPENNEBULA_CONFIGURATION');

// ---- the table ----------------------------------------------------------------------------------------------------

const MODES = 'iiiiiiiii';

const TABLE = {
  'one.vm.deploy': { takes: 'ii|bis', gives: asIs },
  'one.vm.action': { takes: 'si', gives: asIs },
  'one.vm.migrate': { takes: 'iib|bii', gives: asIs },
  'one.vm.allocate': { takes: 's|b', gives: asIs },
  'one.vm.info': { takes: 'i|d', gives: fullVm },
  'one.vm.chown': { takes: 'iii', gives: asIs },
  'one.vm.chmod': { takes: `i${MODES}`, gives: asIs },
  'one.vm.monitoring': { takes: 'i', gives: (vm, shown) => monitoringData([vmSamples(vm, shown)]) },
  'one.vm.attach': { takes: 'is', gives: asIs },
  'one.vm.detach': { takes: 'ii', gives: asIs },
  'one.vm.attachnic': { takes: 'is', gives: asIs },
  'one.vm.detachnic': { takes: 'ii', gives: asIs },
  'one.vm.updatenic': { takes: 'iis|i', gives: asIs },
  'one.vm.rename': { takes: 'is', gives: asIs },
  'one.vm.resize': { takes: 'isb', gives: asIs },
  'one.vm.update': { takes: 'is|i', gives: asIs },
  'one.vm.snapshotcreate': { takes: 'is', gives: asIs },
  'one.vm.snapshotrevert': { takes: 'ii', gives: asIs },
  'one.vm.snapshotdelete': { takes: 'ii', gives: asIs },
  'one.vm.disksaveas': { takes: 'iiss|i', gives: asIs },
  'one.vm.disksnapshotcreate': { takes: 'iis', gives: asIs },
  'one.vm.disksnapshotrevert': { takes: 'iii', gives: asIs },
  'one.vm.disksnapshotdelete': { takes: 'iii', gives: asIs },
  'one.vm.disksnapshotrename': { takes: 'iiis', gives: asIs },
  'one.vm.recover': { takes: 'ii', gives: asIs },
  'one.vm.updateconf': { takes: 'is|i', gives: asIs },
  'one.vm.lock': { takes: 'ii|b', gives: asIs },
  'one.vm.unlock': { takes: 'i', gives: asIs },
  'one.vm.diskresize': { takes: 'iis', gives: asIs },
  'one.vm.schedadd': { takes: 'is', gives: asIs },
  'one.vm.scheddelete': { takes: 'ii', gives: asIs },
  'one.vm.schedupdate': { takes: 'iis', gives: asIs },
  'one.vm.attachsg': { takes: 'iii', gives: asIs },
  'one.vm.detachsg': { takes: 'iii', gives: asIs },
  'one.vm.backup': { takes: 'i|ib', gives: asIs },
  'one.vm.backupcancel': { takes: 'i', gives: asIs },
  'one.vm.attachpci': { takes: 'is', gives: asIs },
  'one.vm.detachpci': { takes: 'ii', gives: asIs },
  'one.vm.restore': { takes: 'iiii', gives: asIs },
  'one.vmpool.info': { takes: 'iiii|s', gives: poolOf('VM', shortVmXml) },
  'one.vmpool.infoextended': { takes: 'iiii|s', gives: storedVms },
  'one.vmpool.infoset': {
    takes: 'sb',
    gives: (vms, shown) => (shown.params[1] === true ? storedVms(vms, shown) : poolOf('VM', shortVmXml)(vms, shown)),
  },
  'one.vmpool.accounting': { takes: 'iii', gives: accounted },
  'one.vmpool.monitoring': {
    takes: 'i|i',
    gives: (vms, shown) => monitoringData(vms.map((vm) => vmSamples(vm, shown, shown.params[1]))),
  },
  'one.vmpool.showback': { takes: 'iiiii', gives: () => element('SHOWBACK_RECORDS', '') },
  'one.vmpool.calculateshowback': { takes: 'iiii', gives: asIs },

  'one.template.update': { takes: 'is|i', gives: asIs },
  'one.template.instantiate': { takes: 'isbs|b', gives: asIs },
  'one.template.allocate': { takes: 's', gives: asIs },
  'one.template.delete': { takes: 'i|b', gives: asIs },
  'one.template.info': { takes: 'i|bd', gives: one(vmTemplateXml) },
  'one.template.chown': { takes: 'iii', gives: asIs },
  'one.template.chmod': { takes: `i${MODES}|b`, gives: asIs },
  'one.template.clone': { takes: 'is|b', gives: asIs },
  'one.template.rename': { takes: 'is', gives: asIs },
  'one.template.lock': { takes: 'ii|b', gives: asIs },
  'one.template.unlock': { takes: 'i', gives: asIs },
  'one.templatepool.info': { takes: 'iii', gives: poolOf('VMTEMPLATE', vmTemplateXml) },
  'one.vntemplate.info': { takes: 'i|d', gives: nothing },

  'one.vntemplatepool.info': { takes: 'iii', gives: none('VNTEMPLATE') },

  'one.host.status': { takes: 'ii', gives: asIs },
  'one.host.update': { takes: 'is|i', gives: asIs },
  'one.host.allocate': { takes: 'sssi', gives: asIs },
  'one.host.delete': { takes: 'i', gives: asIs },
  'one.host.info': { takes: 'i|d', gives: fullHost },
  'one.host.monitoring': { takes: 'i', gives: (host, shown) => monitoringData([samplesOfHost(host, shown)]) },
  'one.host.rename': { takes: 'is', gives: asIs },
  'one.hostpool.info': {
    takes: '',
    gives: (hosts, shown) => pool('HOST', hosts, (host) => fullHost(host, shown)),
  },
  'one.hostpool.monitoring': {
    takes: '|i',
    gives: (hosts, shown) => monitoringData(hosts.map((host) => samplesOfHost(host, shown, shown.params[0]))),
  },

  'one.group.allocate': { takes: 's', gives: asIs },
  'one.group.delete': { takes: 'i', gives: asIs },
  'one.group.info': { takes: 'i|d', gives: one(groupXml) },
  'one.group.quota': { takes: 'is', gives: asIs },
  'one.group.update': { takes: 'is|i', gives: asIs },
  'one.group.addadmin': { takes: 'ii', gives: asIs },
  'one.group.deladmin': { takes: 'ii', gives: asIs },
  'one.grouppool.info': { takes: '', gives: (groups, { cloud }) => groupPoolXml(cloud, groups) },
  'one.groupquota.info': { takes: '', gives: (_, { cloud }) => groupDefaults(cloud) },
  'one.groupquota.update': { takes: 's', gives: (_, { cloud }) => groupDefaults(cloud) },

  'one.vn.reserve': { takes: 'is', gives: asIs },
  'one.vn.add_ar': { takes: 'is', gives: asIs },
  'one.vn.rm_ar': { takes: 'ii|b', gives: asIs },
  'one.vn.update_ar': { takes: 'is', gives: asIs },
  'one.vn.free_ar': { takes: 'ii', gives: asIs },
  'one.vn.hold': { takes: 'is', gives: asIs },
  'one.vn.release': { takes: 'is', gives: asIs },
  'one.vn.allocate': { takes: 'si', gives: asIs },
  'one.vn.update': { takes: 'is|i', gives: asIs },
  'one.vn.delete': { takes: 'i', gives: asIs },
  'one.vn.info': { takes: 'i|d', gives: one(vnetXml) },
  'one.vn.chown': { takes: 'iii', gives: asIs },
  'one.vn.chmod': { takes: `i${MODES}`, gives: asIs },
  'one.vn.rename': { takes: 'is', gives: asIs },
  'one.vn.lock': { takes: 'ii|b', gives: asIs },
  'one.vn.unlock': { takes: 'i', gives: asIs },
  'one.vn.recover': { takes: 'ii', gives: asIs },
  'one.vnpool.info': { takes: 'iii', gives: poolOf('VNET', pooledVnetXml) },

  'one.user.allocate': { takes: 'sss|A', gives: asIs },
  'one.user.update': { takes: 'is|i', gives: asIs },
  'one.user.delete': { takes: 'i', gives: asIs },
  'one.user.info': { takes: 'i|d', gives: one(userXml) },
  'one.user.passwd': { takes: 'is', gives: asIs },
  'one.user.chgrp': { takes: 'ii', gives: asIs },
  'one.user.addgroup': { takes: 'ii', gives: asIs },
  'one.user.delgroup': { takes: 'ii', gives: asIs },
  'one.user.chauth': { takes: 'is|s', gives: asIs },
  'one.user.quota': { takes: 'is', gives: asIs },
  'one.user.login': { takes: 'ssi|i', gives: asIs },
  'one.user.enable': { takes: 'ib', gives: asIs },
  'one.userpool.info': { takes: '', gives: (users, { cloud }) => userPoolXml(cloud, users) },
  'one.userquota.info': { takes: '', gives: (_, { cloud }) => userDefaults(cloud) },
  'one.userquota.update': { takes: 's', gives: (_, { cloud }) => userDefaults(cloud) },

  'one.image.persistent': { takes: 'ib', gives: asIs },
  'one.image.enable': { takes: 'ib', gives: asIs },
  'one.image.update': { takes: 'is|i', gives: asIs },
  'one.image.allocate': { takes: 'si|b', gives: asIs },
  'one.image.delete': { takes: 'i|b', gives: asIs },
  'one.image.info': { takes: 'i|d', gives: one(imageXml) },
  'one.image.chown': { takes: 'iii', gives: asIs },
  'one.image.chmod': { takes: `i${MODES}`, gives: asIs },
  'one.image.chtype': { takes: 'is', gives: asIs },
  'one.image.clone': { takes: 'is|i', gives: asIs },
  'one.image.rename': { takes: 'is', gives: asIs },
  'one.image.snapshotdelete': { takes: 'ii', gives: asIs },
  'one.image.snapshotrevert': { takes: 'ii', gives: asIs },
  'one.image.snapshotflatten': { takes: 'ii', gives: asIs },
  'one.image.restore': { takes: 'iis', gives: asIs },
  'one.image.lock': { takes: 'ii|b', gives: asIs },
  'one.image.unlock': { takes: 'i', gives: asIs },
  'one.imagepool.info': { takes: 'iii', gives: poolOf('IMAGE', imageXml) },

  'one.acl.addrule': { takes: 'sss|s', gives: asIs },
  'one.acl.delrule': { takes: 'i', gives: asIs },
  'one.acl.info': { takes: '', gives: (rules) => pool('ACL', rules, ruleXml) },
  'one.datastore.allocate': { takes: 'si', gives: asIs },
  'one.datastore.delete': { takes: 'i', gives: asIs },

  'one.datastore.info': { takes: 'i|d', gives: one(datastoreXml) },
  'one.datastore.update': { takes: 'is|i', gives: asIs },
  'one.datastore.chown': { takes: 'iii', gives: asIs },
  'one.datastore.chmod': { takes: `i${MODES}`, gives: asIs },
  'one.datastore.rename': { takes: 'is', gives: asIs },
  'one.datastore.enable': { takes: 'ib', gives: asIs },
  'one.datastorepool.info': { takes: '', gives: poolOf('DATASTORE', datastoreXml) },

  'one.cluster.allocate': { takes: 's', gives: asIs },
  'one.cluster.delete': { takes: 'i', gives: asIs },
  'one.cluster.info': { takes: 'i|d', gives: clusterXml },
  'one.cluster.update': { takes: 'is|i', gives: asIs },
  'one.cluster.rename': { takes: 'is', gives: asIs },
  'one.cluster.addhost': { takes: 'ii', gives: asIs },
  'one.cluster.delhost': { takes: 'ii', gives: asIs },
  'one.cluster.adddatastore': { takes: 'ii', gives: asIs },
  'one.cluster.deldatastore': { takes: 'ii', gives: asIs },
  'one.cluster.addvnet': { takes: 'ii', gives: asIs },
  'one.cluster.delvnet': { takes: 'ii', gives: asIs },
  'one.clusterpool.info': { takes: '', gives: (clusters) => pool('CLUSTER', clusters, clusterXml) },

  'one.document.allocate': { takes: 'si', gives: asIs },
  'one.document.delete': { takes: 'i', gives: asIs },
  'one.document.info': { takes: 'i|d', gives: one(documentXml) },
  'one.document.update': { takes: 'is|i', gives: asIs },
  'one.document.chown': { takes: 'iii', gives: asIs },
  'one.document.chmod': { takes: `i${MODES}`, gives: asIs },
  'one.document.clone': { takes: 'is', gives: asIs },
  'one.document.rename': { takes: 'is', gives: asIs },
  'one.document.lock': { takes: 'ii|b', gives: asIs },
  'one.document.unlock': { takes: 'i', gives: asIs },
  'one.documentpool.info': { takes: 'iiii', gives: poolOf('DOCUMENT', documentXml) },

  'one.zone.info': { takes: 'i|d', gives: zoneXml },
  'one.zone.raftstatus': { takes: '', gives: () => RAFT },
  'one.zonepool.info': { takes: '', gives: (zones) => pool('ZONE', zones, zoneXml) },
  'one.secgroup.allocate': { takes: 's', gives: asIs },
  'one.secgroup.delete': { takes: 'i', gives: asIs },
  'one.secgroup.info': { takes: 'i|d', gives: one(securityGroupXml) },
  'one.secgroup.update': { takes: 'is|i', gives: asIs },
  'one.secgroup.chown': { takes: 'iii', gives: asIs },
  'one.secgroup.chmod': { takes: `i${MODES}`, gives: asIs },
  'one.secgroup.clone': { takes: 'is', gives: asIs },
  'one.secgroup.rename': { takes: 'is', gives: asIs },
  'one.secgroup.commit': { takes: 'ib', gives: asIs },
  'one.secgrouppool.info': { takes: 'iii', gives: poolOf('SECURITY_GROUP', securityGroupXml) },
  'one.vmgroup.info': { takes: 'i|d', gives: nothing },
  'one.vmgrouppool.info': { takes: 'iii', gives: none('VM_GROUP') },
  'one.vdc.info': { takes: 'i|d', gives: one(vdcXml) },
  'one.vdcpool.info': { takes: '', gives: poolOf('VDC', vdcXml) },
  'one.vrouter.info': { takes: 'i|d', gives: nothing },
  'one.vrouterpool.info': { takes: 'iii', gives: none('VROUTER') },
  'one.market.info': { takes: 'i|d', gives: nothing },
  'one.marketpool.info': { takes: '', gives: none('MARKETPLACE') },
  'one.marketapp.info': { takes: 'i|d', gives: nothing },
  'one.marketapppool.info': { takes: 'iii', gives: none('MARKETPLACEAPP') },
  'one.hook.info': { takes: 'i|d', gives: nothing },
  'one.hookpool.info': { takes: 'iii', gives: none('HOOK') },
  'one.hooklog.info': { takes: 'iiii', gives: () => element('HOOKLOG', '') },
  'one.backupjob.info': { takes: 'i|d', gives: nothing },
  'one.backupjobpool.info': { takes: 'iii', gives: none('BACKUPJOB') },
  'one.system.version': { takes: '', gives: asIs },
  'one.system.config': { takes: '', gives: configuration },
} as const satisfies Rows;

export const METHODS: Rows = agreed(TABLE);
