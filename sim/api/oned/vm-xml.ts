/** VM: its full body, and the one that a list of VMs has. Mirrors `VirtualMachine::to_xml` and `to_xml_short` of OpenNebula 6.10. */
import { Latest } from '../../kernel/remembered.ts';
import type { VmSample } from '../../metrics/monitoring.ts';
import type { Cloud } from '../../one/cloud.ts';
import { type Derived, derived, type Layers, merged, prevailing } from '../../one/resources/inheritance.ts';
import { SubAttributes } from '../../one/syntax/sub-attributes.ts';
import type { Vector } from '../../one/syntax/syntax.ts';
import { contextAttributes } from '../../one/vm/context.ts';
import { diskLayers } from '../../one/vm/disk.ts';
import { STATES, type State } from '../../one/vm/lifecycle.ts';
import { nicLayers, nicRules } from '../../one/vm/nic.ts';
import { automaticClusters, automaticDatastores, automaticRequirements } from '../../one/vm/requirements.ts';
import type { Disk, Nic, Placement, Vm } from '../../one/vm/vm.ts';
import { Passage } from './byte-writer.ts';
import { attribute, cdata, element, heading, lock, permissions, templateXml, vector } from './xml.ts';
import type { Pieces } from './xmlrpc.ts';

// ---- full ---------------------------------------------------------------------------------------------------------

/** What of a VM is not in every picture of it. */
interface Picture {
  /** The last of the probe on the host, if there is one. */
  readonly sample: VmSample | undefined;
  readonly history: readonly Placement[];
  readonly scheduled: Vm['scheduled'];
}

/** To who asks for this VM. What a VM in DONE had before it is gone, but for the ids. */
export const vmXml = (cloud: Cloud, vm: Vm, sample: VmSample | undefined): Pieces => ({
  pieces: pictured(cloud, vm, { sample, history: vm.history, scheduled: vm.state === 'DONE' ? [] : vm.scheduled }),
});

/** The body that oned stores, which a list of whole VMs shows: the present placement, and of scheduled actions the ids. */
export const storedVmXml = (cloud: Cloud, vm: Vm): string =>
  pictured(cloud, vm, { sample: undefined, history: vm.history.slice(-1), scheduled: [] }).join('');

/** What accounting adds to each placement. */
const accountedVmXml = (cloud: Cloud, vm: Vm): string =>
  pictured(cloud, vm, { sample: undefined, history: [], scheduled: [] }).join('');

type Piece = string | Passage;

function pictured(cloud: Cloud, vm: Vm, { sample, history, scheduled }: Picture): Piece[] {
  const { state, lcm } = STATES[vm.state];
  return [
    `<VM>${heading(cloud, vm)}${permissions(vm)}<LAST_POLL>${sample?.timestamp ?? 0}</LAST_POLL>` +
      // Once a change has been published, the previous state is the present one.
      `<STATE>${state}</STATE><LCM_STATE>${lcm}</LCM_STATE>` +
      `<PREV_STATE>${state}</PREV_STATE><PREV_LCM_STATE>${lcm}</PREV_LCM_STATE>${times(vm)}${lock(vm)}` +
      `<MONITORING>${sample === undefined ? '' : sampleXml(vm.id, sample)}</MONITORING>` +
      `<SCHED_ACTIONS>${vm.scheduled.map(({ id }) => element('ID', id)).join('')}</SCHED_ACTIONS><TEMPLATE>`,
    ...vmTemplate(cloud, vm),
    `${scheduled.map((action) => scheduledAction(vm.id, action)).join('')}</TEMPLATE>`,
    userTemplate(vm),
    `${historyRecords(vm, history)}${vm.disks.map(diskSnapshots).join('')}${backups(vm)}</VM>`,
  ];
}

function times({ resched, stime, etime, deployId }: Vm): string {
  return (
    `<RESCHED>${resched ? 1 : 0}</RESCHED><STIME>${stime}</STIME><ETIME>${etime}</ETIME>` +
    `<DEPLOY_ID>${deployId}</DEPLOY_ID>`
  );
}

/** What is in MONITORING of a VM. */
export const sampleXml = (id: number, sample: VmSample): string =>
  cdata('CPU', sample.cpu) +
  cdata('DISKRDBYTES', sample.diskReadBytes) +
  cdata('DISKRDIOPS', sample.diskReadOps) +
  cdata('DISKWRBYTES', sample.diskWriteBytes) +
  cdata('DISKWRIOPS', sample.diskWriteOps) +
  cdata('ID', id) +
  cdata('MEMORY', sample.memoryKb) +
  cdata('NETRX', sample.netRx) +
  cdata('NETTX', sample.netTx) +
  cdata('TIMESTAMP', sample.timestamp);

/** Whoever asks for a VM asks again, and little of it has changed by then. */
const CONTEXTS: Derived<Passage> = new Latest();
const DEVICES: Derived<Passage> = new Latest();
const RULES: Derived<Passage> = new Latest();
const USER_TEMPLATES: Derived<Passage> = new Latest();

function contextPassage(cloud: Cloud, vm: Vm): Passage {
  // It tells of nothing else, and neither ever changes, but is replaced.
  return derived(CONTEXTS, vm, [vm.context, ...vm.nics], () => {
    return new Passage(vector('CONTEXT', contextAttributes(cloud, vm) ?? []));
  });
}

/** A disk or NIC: what of it may change counts by what it says. */
function devicePassage(name: string, device: Disk | Nic, layers: Layers): Passage {
  const from: unknown[] = [name];
  for (const layer of layers) {
    const pairs = layer === null || layer instanceof SubAttributes ? [] : [...layer];
    from.push(layer instanceof SubAttributes ? layer : pairs.length);
    for (const [key, value] of pairs) from.push(key, value);
  }
  return derived(DEVICES, device, from, () => new Passage(vector(name, merged(...layers))));
}

const rulePassage = (rule: Vector): Passage =>
  derived(RULES, rule, [], () => new Passage(vector('SECURITY_GROUP_RULE', rule)));

const userTemplate = (vm: Vm): Passage =>
  derived(USER_TEMPLATES, vm, [vm.userTemplate.contents], () => {
    return new Passage(templateXml(vm.userTemplate, 'USER_TEMPLATE'));
  });

/** What is in TEMPLATE: what is kept of the submitted text, what became fields, and what oned adds, sorted by name. */
function vmTemplate(cloud: Cloud, vm: Vm): Piece[] {
  const parts: (readonly [name: string, xml: Piece])[] = [];
  const add = (name: string, xml: Piece): void => {
    parts.push([name, xml]);
  };
  const clusters = automaticClusters(cloud, vm);
  if (clusters !== '') {
    add('AUTOMATIC_DS_REQUIREMENTS', cdata('AUTOMATIC_DS_REQUIREMENTS', automaticDatastores(cloud, vm)));
    add('AUTOMATIC_NIC_REQUIREMENTS', cdata('AUTOMATIC_NIC_REQUIREMENTS', clusters));
  }
  add('AUTOMATIC_REQUIREMENTS', cdata('AUTOMATIC_REQUIREMENTS', automaticRequirements(cloud, vm)));
  if (vm.context !== null) add('CONTEXT', contextPassage(cloud, vm));
  add('CPU', cdata('CPU', cpuText(vm.cpu)));
  for (const disk of vm.disks) add('DISK', devicePassage('DISK', disk, diskLayers(cloud, vm, disk)));
  add('MEMORY', cdata('MEMORY', vm.memoryMiB));
  for (const nic of vm.nics) {
    const name = nic.alias === null ? 'NIC' : 'NIC_ALIAS';
    add(name, devicePassage(name, nic, nicLayers(vm, nic)));
  }
  let os: Vector = new Map();
  for (const each of vm.template) {
    if (each.name === 'OS' && typeof each.value !== 'string') os = each.value;
    else if (each.name === 'GRAPHICS' && typeof each.value !== 'string') add('GRAPHICS', graphics(vm, each.value));
    else if (each.name !== 'BACKUP_CONFIG') add(each.name, attribute(each));
  }
  add('OS', vector('OS', withEntry(os, 'UUID', vm.uuid)));
  if (vm.work?.kind === 'resize') add('RESIZE', resizing(vm.work));
  for (const rule of nicRules(cloud, vm)) add('SECURITY_GROUP_RULE', rulePassage(rule));
  for (const snapshot of vm.snapshots) add('SNAPSHOT', snapshotXml(vm, snapshot));
  const placement = vm.history.at(-1);
  if (placement !== undefined) add('TM_MAD_SYSTEM', cdata('TM_MAD_SYSTEM', placement.tmMad));
  if (vm.vcpu !== null) add('VCPU', cdata('VCPU', vm.vcpu));
  add('VMID', cdata('VMID', vm.id));
  parts.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const pieces: Piece[] = [''];
  for (const [, xml] of parts) {
    const before = pieces.at(-1);
    if (typeof xml === 'string' && typeof before === 'string') pieces[pieces.length - 1] = before + xml;
    else pieces.push(xml);
  }
  return pieces;
}

/** As C++ writes a float: with six digits, and most have no more. */
function cpuText(cpu: number): string {
  const text = String(cpu);
  return text.length <= 6 ? text : String(Number(cpu.toPrecision(6)));
}

const withEntry = (given: Vector, name: string, value: string): [string, string][] => merged(given, [[name, value]]);

/** oned.conf's VNC_PORTS: ports from 5900 on, of which those from 32768 on are reserved. */
const FIRST_PORT = 5900;
const PORTS = 32_768 - FIRST_PORT;

/** States in which a VM that has been deployed no longer holds its port. */
const PORTLESS: ReadonlySet<State> = new Set<State>(['UNDEPLOYED', 'DONE']);

function graphics(vm: Vm, given: Vector): string {
  const holds = vm.history.length > 0 && !PORTLESS.has(vm.state) && !given.has('PORT');
  return vector('GRAPHICS', holds ? withEntry(given, 'PORT', String(FIRST_PORT + (vm.id % PORTS))) : given);
}

const resizing = ({ cpu, memoryMiB, vcpu }: Pick<Vm, 'cpu' | 'memoryMiB' | 'vcpu'>): string =>
  element('RESIZE', cdata('CPU', cpuText(cpu)) + cdata('MEMORY', memoryMiB) + cdata('VCPU', vcpu ?? 0));

function scheduledAction(vmId: number, planned: Vm['scheduled'][number]): string {
  const { id, action, args, time, repeat, days, endType, endValue, done, message, warning } = planned;
  return element(
    'SCHED_ACTION',
    `<ID>${id}</ID><PARENT_ID>${vmId}</PARENT_ID><TYPE>VM</TYPE><ACTION>${action}</ACTION><ARGS>${args}</ARGS>` +
      `<TIME>${time}</TIME><REPEAT>${repeat}</REPEAT><DAYS>${days}</DAYS><END_TYPE>${endType}</END_TYPE>` +
      `<END_VALUE>${endValue}</END_VALUE><DONE>${done}</DONE><MESSAGE>${message}</MESSAGE><WARNING>${warning}</WARNING>`,
  );
}

/** Calls that are under way on a snapshot, as oned names them there. */
const SNAPSHOT_WORK: Partial<Record<NonNullable<Vm['work']>['kind'], string>> = {
  createSnapshot: 'CREATE',
  revertSnapshot: 'REVERT',
  deleteSnapshot: 'DELETE',
};

function snapshotXml({ work, disks }: Vm, { id, name, time }: Vm['snapshots'][number]): string {
  const busy = work !== null && 'snapshotId' in work && !('diskId' in work) && work.snapshotId === id;
  const action = busy ? SNAPSHOT_WORK[work.kind] : undefined;
  const size = disks.reduce((sum, disk) => sum + disk.sizeMiB, 0);
  return element(
    'SNAPSHOT',
    (action === undefined ? '' : cdata('ACTION', action) + cdata('ACTIVE', 'YES')) +
      cdata('HYPERVISOR_ID', action === 'CREATE' ? '' : `snap-${id}`) +
      cdata('NAME', name) +
      cdata('SNAPSHOT_ID', id) +
      cdata('SYSTEM_DISK_SIZE', size) +
      cdata('TIME', time),
  );
}

const diskSnapshots = (disk: Disk): string =>
  disk.snapshots.length === 0 ? '' : snapshotsXml(disk, disk.source.get('ALLOW_ORPHANS') ?? 'NO', disk.id);

/** SNAPSHOTS of a disk, or of an image. */
export function snapshotsXml(
  { snapshots, currentBase, nextSnapshot }: Pick<Disk, 'snapshots' | 'currentBase' | 'nextSnapshot'>,
  orphans: string,
  diskId?: number,
): string {
  const each = snapshots.map((snapshot) => {
    const children = snapshots.filter(({ parent }) => parent === snapshot.id).map((child) => child.id);
    return element(
      'SNAPSHOT',
      (snapshot.active ? cdata('ACTIVE', 'YES') : '') +
        (children.length > 0 ? cdata('CHILDREN', children.join(',')) : '') +
        cdata('DATE', snapshot.date) +
        cdata('ID', snapshot.id) +
        cdata('NAME', snapshot.name) +
        cdata('PARENT', snapshot.parent) +
        cdata('SIZE', snapshot.sizeMiB),
    );
  });
  return element(
    'SNAPSHOTS',
    cdata('ALLOW_ORPHANS', orphans) +
      cdata('CURRENT_BASE', currentBase) +
      (diskId === undefined ? '' : cdata('DISK_ID', diskId)) +
      cdata('NEXT_SNAPSHOT', nextSnapshot) +
      each.join(''),
  );
}

function backups({ template }: Vm): string {
  const config = template.vector('BACKUP_CONFIG');
  const shown = config === undefined ? '<BACKUP_CONFIG/>' : vector('BACKUP_CONFIG', config);
  return `<BACKUPS>${shown}<BACKUP_IDS></BACKUP_IDS></BACKUPS>`;
}

// ---- history ------------------------------------------------------------------------------------------------------

function historyRecords(vm: Vm, placements: readonly Placement[]): string {
  if (placements.length === 0) return '<HISTORY_RECORDS/>';
  return element('HISTORY_RECORDS', placements.map((placement) => placementXml(vm.id, placement)).join(''));
}

export const accountingXml = (cloud: Cloud, vm: Vm, placement: Placement): string =>
  placementXml(vm.id, placement, accountedVmXml(cloud, vm));

function placementXml(vmId: number, p: Placement, vmBody = ''): string {
  return (
    `<HISTORY><OID>${vmId}</OID><SEQ>${p.seq}</SEQ><HOSTNAME>${p.hostname}</HOSTNAME><HID>${p.hostId}</HID>` +
    `<CID>${p.clusterId}</CID><STIME>${p.stime}</STIME><ETIME>${p.etime}</ETIME>` +
    `${cdata('VM_MAD', p.vmMad)}${cdata('TM_MAD', p.tmMad)}<DS_ID>${p.datastoreId}</DS_ID>` +
    `<PSTIME>${p.pstime}</PSTIME><PETIME>${p.petime}</PETIME><RSTIME>${p.rstime}</RSTIME>` +
    `<RETIME>${p.retime}</RETIME><ESTIME>${p.estime}</ESTIME><EETIME>${p.eetime}</EETIME>` +
    `<ACTION>${p.action}</ACTION><UID>${p.uid}</UID><GID>${p.gid}</GID><REQUEST_ID>${p.requestId}</REQUEST_ID>` +
    `${vmBody}</HISTORY>`
  );
}

// ---- short --------------------------------------------------------------------------------------------------------

const SHORT_DISK = [
  'DISK_ID',
  'DATASTORE',
  'DATASTORE_ID',
  'IMAGE',
  'IMAGE_ID',
  'SIZE',
  'TYPE',
  'CLONE',
  'CLONE_TARGET',
  'LN_TARGET',
  'DISK_SNAPSHOT_TOTAL_SIZE',
];
const SHORT_NIC = ['IP', 'MAC', 'NETWORK', 'NETWORK_ID', 'NIC_ID', 'SECURITY_GROUPS'];
const SHORT_USER_TEMPLATE: ReadonlySet<string> = new Set([
  'LABELS',
  'ERROR',
  'SCHED_MESSAGE',
  'SCHED_RANK',
  'SCHED_DS_RANK',
  'SCHED_REQUIREMENTS',
  'SCHED_DS_REQUIREMENTS',
  'USER_PRIORITY',
  'PUBLIC_CLOUD',
  'SCHED_ACTION',
]);

/** The body that oned keeps for lists: it is written when a VM changes, so monitoring never shows in it. */
export function shortVmXml(cloud: Cloud, vm: Vm): string {
  const { state, lcm } = STATES[vm.state];
  let template = `<CPU>${cpuText(vm.cpu)}</CPU><MEMORY>${vm.memoryMiB}</MEMORY><VCPU>${vm.vcpu ?? ''}</VCPU>`;
  for (const disk of vm.disks) template += chosen('DISK', SHORT_DISK, diskLayers(cloud, vm, disk));
  for (const nic of vm.nics) {
    template += chosen(nic.alias === null ? 'NIC' : 'NIC_ALIAS', SHORT_NIC, nicLayers(vm, nic));
  }
  const screen = vm.template.vector('GRAPHICS');
  if (screen !== undefined) template += graphics(vm, screen);
  return (
    `<VM>${heading(cloud, vm)}<LAST_POLL>0</LAST_POLL><STATE>${state}</STATE><LCM_STATE>${lcm}</LCM_STATE>` +
    `${times(vm)}<TEMPLATE>${template}</TEMPLATE><MONITORING/>${shortUserTemplate(vm)}${shortHistory(vm)}</VM>`
  );
}

function chosen(name: string, names: readonly string[], layers: Layers): string {
  let inner = '';
  for (const each of names) {
    const value = prevailing(layers, each);
    if (value !== undefined) inner += cdata(each, value);
  }
  return element(name, inner);
}

function shortUserTemplate({ userTemplate }: Vm): string {
  if (userTemplate.size === 0) return '<USER_TEMPLATE/>';
  let inner = '';
  for (const each of userTemplate) if (SHORT_USER_TEMPLATE.has(each.name)) inner += attribute(each);
  return element('USER_TEMPLATE', inner);
}

function shortHistory(vm: Vm): string {
  const p = vm.history.at(-1);
  if (p === undefined) return '<HISTORY_RECORDS/>';
  return (
    `<HISTORY_RECORDS><HISTORY><OID>${vm.id}</OID><SEQ>${p.seq}</SEQ>${cdata('HOSTNAME', p.hostname)}` +
    `<HID>${p.hostId}</HID><CID>${p.clusterId}</CID><DS_ID>${p.datastoreId}</DS_ID>` +
    `${cdata('VM_MAD', p.vmMad)}${cdata('TM_MAD', p.tmMad)}${cdata('ACTION', p.action)}</HISTORY></HISTORY_RECORDS>`
  );
}
