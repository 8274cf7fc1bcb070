/** The calls that move a VM through its life cycle: action, deploy, migrate, recover. Mirrors `RequestManagerVirtualMachine.cc` of OpenNebula 6.10. */
import { authorize, forbidden } from '../access/acl.ts';
import type { Caller } from '../access/user.ts';
import type { Cloud } from '../cloud.ts';
import { OneError } from '../error.ts';
import { parseTemplate } from '../parse.ts';
import type { Datastore } from '../resources/datastore.ts';
import type { Host } from '../resources/host.ts';
import { lookAgain } from './cloning.ts';
import { takePort } from './graphics-port.ts';
import { ACTIONS, type Action, edge, failureOf, isActive, OPERATIONS, type State, stepOf } from './lifecycle.ts';
import { connect } from './network-choice.ts';
import { currentPlacement, mark, moveTo, place, requireFit, turnPage } from './placement.ts';
import { commonClusters, requireCommonCluster } from './requirements.ts';
import { restrictedAttribute } from './restricted.ts';
import { reshape } from './span.ts';
import type { Vm, Work } from './vm.ts';
import { abandonWork } from './work.ts';

/** Actions that oned grants to administrators of the VM only (`VM_ADMIN_OPERATIONS` as shipped). */
const ADMIN_ACTIONS: ReadonlySet<string> = new Set(['resched', 'unresched']);

/** Actions that end a pending reschedule. */
const CLEARS_RESCHED: ReadonlySet<string> = new Set([
  'suspend',
  'stop',
  'terminate',
  'terminate-hard',
  'undeploy',
  'undeploy-hard',
  'poweroff',
  'poweroff-hard',
  'reboot',
  'reboot-hard',
]);

/** Actions after which the scheduler looks for a place, and what oned calls them when there can be none. */
const ASKED_AGAIN: { readonly [A in Action]?: string } = {
  resume: 'resume',
  release: 'release',
  resched: 'set rescheduling flag for',
};

const isAction = (name: string): name is Action => Object.hasOwn(ACTIONS, name);

export function vmAction(cloud: Cloud, caller: Caller, name: string, id: number): number {
  const vm = cloud.vms.get(id);
  authorize(cloud, caller, { right: ADMIN_ACTIONS.has(name) ? 'ADMIN' : 'MANAGE', type: 'VM', object: vm });
  if (!isAction(name)) throw new OneError('ACTION', `Action "${name}" is not supported`);
  const refuse = (why: string): never => {
    throw new OneError('ACTION', `Error performing action "${name}": ${why}`);
  };
  const to = edge(ACTIONS[name], vm.state);
  if (to === undefined) {
    return name.startsWith('terminate')
      ? refuse(`Could not terminate VM ${id}, wrong state ${vm.state}.`)
      : refuse(`This action is not available for state ${vm.state}`);
  }
  if (vm.state === 'DONE') return id;
  const asked = ASKED_AGAIN[name];
  if (asked !== undefined && (name === 'resched' || to === 'PENDING')) {
    const before = `Error performing action "${name}": Could not ${asked} VM ${id}, error updating requirements. `;
    requireCommonCluster(cloud, vm, 'ACTION', before);
  }
  if (name === 'resume') cloud.quotas.takeRunning(vm);
  if (CLEARS_RESCHED.has(name)) vm.resched = false;
  if (name === 'resched' || name === 'unresched') {
    vm.resched = name === 'resched';
    if (vm.resched) cloud.scheduler.wake(vm);
  }
  if (name === 'reboot' || name === 'reboot-hard') reshape(cloud, vm, true);
  if (to === 'same') return id;
  if (name === 'resume') {
    if (vm.state === 'POWEROFF' || vm.state === 'SUSPENDED') turnPage(cloud, vm);
    // By the action that a placement has ended with the next deploy knows how to bring the VM back: it stays.
    if (to !== 'PENDING') mark(cloud, vm, name, caller);
  } else if (vm.state !== 'PENDING' && vm.state !== 'HOLD') mark(cloud, vm, name, caller);
  if (to === vm.state) cloud.driver.retry(vm);
  else cloud.driver.enter(vm, to);
  return id;
}

function vmDeploy(
  cloud: Cloud,
  caller: Caller,
  id: number,
  hostId: number,
  enforce = false,
  datastoreId = -1,
  extra = '',
): number {
  const chosen = parseTemplate(extra, 'INTERNAL');
  const vm = cloud.vms.get(id);
  const host = cloud.hosts.get(hostId);
  authorize(cloud, caller, { right: 'ADMIN', type: 'VM', object: vm }, { right: 'MANAGE', type: 'HOST', object: host });
  const restricted = caller.admin ? undefined : restrictedAttribute(chosen);
  if (restricted !== undefined) {
    throw forbidden(caller, `NIC includes a restricted attribute ${restricted.sub ?? restricted.name}`);
  }
  const datastore = datastoreId < 0 ? defaultDatastore(cloud, host) : cloud.datastores.get(datastoreId);
  if (datastore.type !== 'SYSTEM') {
    throw new OneError(
      'INTERNAL',
      `Trying to use datastore [${datastore.id}] to deploy the VM, but it is not of type system datastore.`,
    );
  }
  if (!datastore.clusters.has(host.clusterId)) {
    throw new OneError(
      'ACTION',
      `datastore [${datastore.id}] and host [${host.id}] are not in the same cluster [${host.clusterId}].`,
    );
  }
  if (host.state === 'OFFLINE') throw new OneError('ACTION', 'Host is offline, cannot use it to deploy VM');
  const to = edge(OPERATIONS.deploy, vm.state);
  if (to === undefined || to === 'same') {
    throw new OneError('ACTION', `Deploy action is not available for state ${vm.state}`);
  }
  if (enforce) requireFit(cloud, host, vm);
  // Who comes back has its networks.
  if (lastEpilog(vm) === undefined) connect(cloud, caller, vm, chosen);
  if (vm.state === 'STOPPED' || vm.state === 'UNDEPLOYED') cloud.quotas.takeRunning(vm);
  // A VM that waits in PENDING after a stop or an undeploy goes on where it was left.
  const before = vm.history.length === 0 ? undefined : lastEpilog(vm);
  place(cloud, vm, host, datastore.id);
  takePort(cloud, vm);
  cloud.driver.enter(vm, before ?? to);
  return id;
}

/** The first system datastore of the host's cluster. */
function defaultDatastore(cloud: Cloud, { clusterId }: Host): Datastore {
  for (const datastore of cloud.datastores) {
    if (datastore.type === 'SYSTEM' && datastore.clusters.has(clusterId)) return datastore;
  }
  throw new OneError('ACTION', `No system datastore found for cluster [${clusterId}].`);
}

/** The prolog of a VM that has been stopped or undeployed before; `undefined` for one that starts from its images. */
function lastEpilog(vm: Vm): State | undefined {
  const action = currentPlacement(vm)?.action;
  if (action === undefined) return undefined;
  return PROLOG_AFTER[action];
}

/** By the action that ended the last placement: stop, and the two undeploys. */
const PROLOG_AFTER: Readonly<Record<number, State>> = {
  9: 'PROLOG_RESUME',
  5: 'PROLOG_UNDEPLOY',
  6: 'PROLOG_UNDEPLOY',
};

function vmMigrate(
  cloud: Cloud,
  caller: Caller,
  id: number,
  hostId: number,
  live: boolean,
  _enforce = false,
  datastoreId = -1,
  type = 0,
): number {
  const vm = cloud.vms.get(id);
  const host = cloud.hosts.get(hostId);
  authorize(cloud, caller, { right: 'ADMIN', type: 'VM', object: vm }, { right: 'MANAGE', type: 'HOST', object: host });
  if (host.state === 'OFFLINE') throw new OneError('ACTION', 'Host is offline, cannot use it to deploy VM');
  const to = edge(live ? OPERATIONS['live-migrate'] : OPERATIONS.migrate, vm.state);
  const placement = currentPlacement(vm);
  if (to === undefined || to === 'same' || placement === undefined) {
    throw new OneError('ACTION', `Migrate action is not available for state ${vm.state}`);
  }
  const datastore = datastoreId < 0 ? placement.datastoreId : datastoreId;
  if (placement.hostId === hostId && placement.datastoreId === datastore) {
    throw new OneError('ACTION', `VM is already running on host [${hostId}] and datastore [${datastore}]`);
  }
  if (placement.hostId !== hostId) requireFit(cloud, host, vm);
  requireCluster(cloud, vm, host);
  if (placement.datastoreId !== datastore) {
    if (live) throw new OneError('ACTION', 'A migration to a different system datastore cannot be performed live.');
    throw new OneError('ACTION', 'System datastore migration not supported by TM driver');
  }
  vm.resched = false;
  const poweroff = !live && type > 0;
  vm.work = { kind: 'migrate', poweroff };
  mark(cloud, vm, live ? 'live-migrate' : (MIGRATE_ACTIONS[type] ?? 'migrate'), caller);
  moveTo(cloud, vm, host, stepOf(to)?.failsTo === 'previous host');
  cloud.driver.enter(vm, to);
  return id;
}

const MIGRATE_ACTIONS = ['migrate', 'poweroff-migrate', 'poweroff-hard-migrate'] as const;

function requireCluster(cloud: Cloud, vm: Vm, { id, clusterId }: Host): void {
  const clusters = commonClusters(cloud, vm);
  if (clusters === undefined || clusters.includes(clusterId)) return;
  throw new OneError(
    'ACTION',
    `Cannot migrate  VM [${vm.id}] to host [${id}]. Host is in cluster [${clusterId}], and VM requires to be placed on cluster [${clusters.join(',')}]`,
  );
}

/** The operations of recover, by number. */
const RECOVER = ['failure', 'success', 'retry', 'delete', 'delete-recreate', 'delete-db'] as const;

function vmRecover(cloud: Cloud, caller: Caller, id: number, operation: number): number {
  const how = RECOVER[operation];
  if (how === undefined) throw new OneError('ACTION', 'Wrong recovery operation code');
  const vm = cloud.vms.get(id);
  authorize(cloud, caller, { right: 'ADMIN', type: 'VM', object: vm });
  switch (how) {
    case 'failure':
    case 'success':
      pretend(cloud, vm, how === 'success');
      break;
    case 'retry':
      retry(cloud, vm);
      break;
    case 'delete':
    case 'delete-db':
      if (vm.state === 'DONE') break;
      vm.resched = false;
      mark(cloud, vm, 'delete', caller);
      abandonWork(cloud, vm);
      cloud.driver.enter(vm, isActive(vm.state) && how === 'delete' ? 'CLEANUP_DELETE' : 'DONE');
      break;
    case 'delete-recreate':
      recreate(cloud, caller, vm);
      break;
    default:
      how satisfies never;
  }
  return id;
}

function pretend(cloud: Cloud, vm: Vm, ok: boolean): void {
  if (!isActive(vm.state) && vm.state !== 'CLONING_FAILURE') {
    throw new OneError('ACTION', `Could not perform a recover operation on VM ${vm.id}, wrong state ${vm.state}.`);
  }
  if (vm.state === 'CLONING_FAILURE') {
    if (ok) lookAgain(cloud, vm);
  } else if (vm.state === 'UNKNOWN') {
    cloud.driver.enter(vm, 'RUNNING');
  } else {
    if (TAKEN_FOR_ATTACH.has(vm.state)) vm.work = asAttach(vm.work);
    cloud.driver.decide(vm, ok);
  }
}

/**
 * States in which recover takes what is under way for an attach, as oned does: a detach that "succeeds" keeps the
 * device, one that "fails" loses it.
 */
const TAKEN_FOR_ATTACH: ReadonlySet<State> = new Set<State>(['HOTPLUG', 'HOTPLUG_NIC', 'HOTPLUG_NIC_POWEROFF']);

function asAttach(work: Work | null): Work | null {
  if (work?.kind === 'detachDisk') return { ...work, kind: 'attachDisk' };
  return work?.kind === 'detachNic' ? { ...work, kind: 'attachNic' } : work;
}

function retry(cloud: Cloud, vm: Vm): void {
  if (!isActive(vm.state)) {
    throw new OneError('ACTION', `Could not perform a retry on VM ${vm.id}, wrong state ${vm.state}.`);
  }
  const failure = failureOf(vm.state);
  if (failure !== undefined) cloud.driver.enter(vm, failure.retry);
  else if (stepOf(vm.state)?.retries) cloud.driver.retry(vm);
}

/** States that delete-recreate sends straight back to PENDING, having nothing on a host. */
const RECREATED_AT_ONCE: ReadonlySet<State> = new Set<State>(['STOPPED', 'UNDEPLOYED', 'HOLD', 'CLEANUP_RESUBMIT']);
const NOTHING_TO_RECREATE: ReadonlySet<State> = new Set<State>(['PENDING', 'INIT', 'CLONING', 'CLONING_FAILURE']);

function recreate(cloud: Cloud, caller: Caller, vm: Vm): void {
  if (vm.state === 'DONE') throw new OneError('ACTION', 'Cannot delete-recreate a VM already in DONE state');
  if (NOTHING_TO_RECREATE.has(vm.state)) return;
  if (vm.state === 'STOPPED' || vm.state === 'UNDEPLOYED') cloud.quotas.takeRunning(vm);
  vm.resched = false;
  vm.deployId = '';
  for (const disk of vm.disks) if (!disk.persistent) disk.snapshots = [];
  mark(cloud, vm, 'delete-recreate', caller);
  abandonWork(cloud, vm);
  cloud.driver.enter(vm, RECREATED_AT_ONCE.has(vm.state) ? 'PENDING' : 'CLEANUP_RESUBMIT');
}

export const ACTION_OPERATIONS = {
  'one.vm.action': vmAction,
  'one.vm.deploy': vmDeploy,
  'one.vm.migrate': vmMigrate,
  'one.vm.recover': vmRecover,
} as const;
