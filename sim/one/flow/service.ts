/**
 * A OneFlow service: roles, their nodes, and the states both go through. Mirrors `service.rb`, `role.rb` and the
 * strategies of OneFlow 6.10. The body has the keys of OneFlow's own JSON, in its order.
 */
import { appended } from '../appended.ts';
import { isObject, type JsonObject } from './json.ts';
import type { StoredDocument } from './stored-document.ts';

/** Service states; the index is the number. */
export const SERVICE_STATES = [
  'PENDING',
  'DEPLOYING',
  'RUNNING',
  'UNDEPLOYING',
  'WARNING',
  'DONE',
  'FAILED_UNDEPLOYING',
  'FAILED_DEPLOYING',
  'SCALING',
  'FAILED_SCALING',
  'COOLDOWN',
  'DEPLOYING_NETS',
  'UNDEPLOYING_NETS',
  'FAILED_DEPLOYING_NETS',
  'FAILED_UNDEPLOYING_NETS',
  'HOLD',
] as const;

export type ServiceState = (typeof SERVICE_STATES)[number];

/** Role states; the index is the number. */
export const ROLE_STATES = [
  'PENDING',
  'DEPLOYING',
  'RUNNING',
  'UNDEPLOYING',
  'WARNING',
  'DONE',
  'FAILED_UNDEPLOYING',
  'FAILED_DEPLOYING',
  'SCALING',
  'FAILED_SCALING',
  'COOLDOWN',
  'HOLD',
] as const;

export type RoleState = (typeof ROLE_STATES)[number];

// Types and not interfaces, so that they count as JSON.
export type LogEntry = {
  /** Seconds since the Unix epoch. */
  timestamp: number;
  severity: 'I' | 'E';
  message: string;
};

/** A VM of a role, as it was when it was created. */
export type Node = {
  deploy_id: number;
  vm_info: {
    VM: {
      ID: string;
      UID: string;
      GID: string;
      UNAME: string;
      GNAME: string;
      NAME: string;
    };
  };
};

export interface Role extends JsonObject {
  name: string;
  cardinality: number;
  vm_template: number;
  /** Index into {@link ROLE_STATES}. */
  state: number;
  nodes: Node[];
  /** Seconds. */
  cooldown: number;
  on_hold: boolean;
}

/** BODY of the document: what the service template said, merged, and what has become of it. */
export interface ServiceBody extends JsonObject {
  name: string;
  roles: Role[];
  /** Index into {@link SERVICE_STATES}. */
  state: number;
  /** Absent before the first change of state; the last 50 entries. */
  log?: LogEntry[];
}

/** A document of type 100 in `cloud.documents`. */
export type Service = StoredDocument & { readonly body: ServiceBody };

export const serviceState = (service: Service): ServiceState => SERVICE_STATES[service.body.state] ?? 'PENDING';
export const roleState = (role: Role): RoleState => ROLE_STATES[role.state] ?? 'PENDING';

/** States in which something is under way. */
const TRANSIENT: ReadonlySet<ServiceState> = new Set([
  'DEPLOYING',
  'UNDEPLOYING',
  'SCALING',
  'COOLDOWN',
  'DEPLOYING_NETS',
  'UNDEPLOYING_NETS',
]);

const FAILED: ReadonlySet<ServiceState> = new Set([
  'FAILED_DEPLOYING',
  'FAILED_UNDEPLOYING',
  'FAILED_SCALING',
  'FAILED_DEPLOYING_NETS',
  'FAILED_UNDEPLOYING_NETS',
]);

/** What may be asked of a service in its state. */
export const MAY = {
  undeploy: (state: ServiceState) =>
    (!TRANSIENT.has(state) || state === 'UNDEPLOYING') && !FAILED.has(state) && state !== 'DONE',
  update: (state: ServiceState) => !TRANSIENT.has(state) && !FAILED.has(state),
  scale: (state: ServiceState) => state === 'RUNNING',
  changeRoles: (state: ServiceState) => state === 'RUNNING',
} as const;

/** How recover goes on, by the state of the service. */
export const RECOVERY: Partial<
  Record<ServiceState, 'deploy' | 'undeploy' | 'scale' | 'undeployNets' | 'deployNets' | 'warm'>
> = {
  PENDING: 'deploy',
  DEPLOYING: 'deploy',
  FAILED_DEPLOYING: 'deploy',
  UNDEPLOYING: 'undeploy',
  FAILED_UNDEPLOYING: 'undeploy',
  FAILED_UNDEPLOYING_NETS: 'undeploy',
  SCALING: 'scale',
  FAILED_SCALING: 'scale',
  DEPLOYING_NETS: 'deployNets',
  FAILED_DEPLOYING_NETS: 'deployNets',
  UNDEPLOYING_NETS: 'undeployNets',
  COOLDOWN: 'warm',
};

const LOG_KEPT = 50;

/** Messages are many and alike, so they are shared. */
const NEW_STATE = SERVICE_STATES.map((state) => `New state: ${state}`);

export function setServiceState(service: Service, state: ServiceState, seconds: number): void {
  service.body.state = SERVICE_STATES.indexOf(state);
  log(service, 'I', NEW_STATE[service.body.state] ?? '', seconds);
}

export function setRoleState(role: Role, state: RoleState): void {
  role.state = ROLE_STATES.indexOf(state);
  const policies = state === 'SCALING' ? role.elasticity_policies : undefined;
  // Once its role scales, an expression has to hold as often in a row as at first.
  if (Array.isArray(policies)) for (const policy of policies) if (isObject(policy)) delete policy.true_evals;
}

export function log(service: Service, severity: LogEntry['severity'], message: string, timestamp: number): void {
  const entries = appended(service.body.log ?? [], { timestamp, severity, message });
  service.body.log = entries.length > LOG_KEPT ? entries.slice(1) : entries;
}

export const roleNamed = (service: Service, name: string): Role | undefined =>
  service.body.roles.find((role) => role.name === name);

export const nodeIds = (role: Role): number[] => role.nodes.map((node) => node.deploy_id);

export const allRoles = (service: Service, state: RoleState): boolean =>
  service.body.roles.every((role) => roleState(role) === state);

export const parentsOf = (role: Role): readonly string[] =>
  Array.isArray(role.parents) ? role.parents.filter((parent) => typeof parent === 'string') : [];

const GOING: ReadonlySet<RoleState> = new Set(['UNDEPLOYING', 'DONE', 'FAILED_UNDEPLOYING']);

/** Which roles are next, by what is done with them and by the service's strategy. */
export type Phase = 'deploy' | 'shutdown' | 'hold' | 'release';

const NONE: Readonly<Record<Phase, (role: Role) => boolean>> = {
  deploy: (role) => roleState(role) === 'PENDING' || roleState(role) === 'SCALING',
  shutdown: (role) => !GOING.has(roleState(role)),
  hold: (role) => roleState(role) === 'PENDING',
  release: (role) => roleState(role) === 'HOLD',
};

/** Parents first on the way up; children first on the way down. */
const STRAIGHT: Readonly<Record<Phase, (role: Role, service: Service) => boolean>> = {
  deploy: (role, service) => roleState(role) === 'PENDING' && parentsAre(service, role, 'RUNNING'),
  shutdown: (role, service) =>
    !GOING.has(roleState(role)) &&
    !service.body.roles.some((other) => roleState(other) !== 'DONE' && parentsOf(other).includes(role.name)),
  hold: (role, service) => roleState(role) === 'PENDING' && parentsAre(service, role, 'HOLD'),
  release: (role, service) => roleState(role) === 'HOLD' && parentsAre(service, role, 'RUNNING'),
};

export function nextRoles(service: Service, phase: Phase): Role[] {
  const chosen = isStraight(service) ? STRAIGHT[phase] : NONE[phase];
  return service.body.roles.filter((role) => chosen(role, service));
}

export const isStraight = (service: Service): boolean => service.body.deployment === 'straight';

/** A parent that does not exist is never in any state. */
function parentsAre(service: Service, role: Role, state: RoleState): boolean {
  return parentsOf(role).every((name) => {
    const parent = roleNamed(service, name);
    return parent !== undefined && roleState(parent) === state;
  });
}

/** Whether the service asks to be removed when its last node is gone, and that has happened with this role. */
export const isUsedUp = (service: Service, role: Role): boolean =>
  service.body.automatic_deletion === true &&
  role.nodes.length === 0 &&
  service.body.roles.every(({ nodes }) => nodes.length === 0);

/** Sets the number of VMs a role is to have, with the log entry that says so. */
export function setCardinality(service: Service, role: Role, to: number, seconds: number): void {
  const way = to > role.cardinality ? 'up' : 'down';
  log(service, 'I', `Role ${role.name} scaling ${way} from ${role.cardinality} to ${to} nodes`, seconds);
  role.cardinality = to;
}

/** A role is held with its service, and with any of its parents. */
export const isHeld = (service: Service, role: Role): boolean =>
  service.body.on_hold === true || parentsOf(role).some((name) => roleNamed(service, name)?.on_hold === true);

const DEPLOYABLE: ReadonlySet<RoleState> = new Set(['FAILED_DEPLOYING', 'DEPLOYING']);

/** Whether recover deploys the role. One that was never begun waits for its parents, as far as they exist. */
export function canDeployAgain(service: Service, role: Role): boolean {
  if (roleState(role) !== 'PENDING') return DEPLOYABLE.has(roleState(role));
  return parentsOf(role).every((name) => {
    const parent = roleNamed(service, name);
    return parent === undefined || roleState(parent) === 'RUNNING';
  });
}

/** Whether recover undeploys the role. One that was not begun waits for those that name it as a parent. */
export function canUndeployAgain(service: Service, role: Role): boolean {
  const state = roleState(role);
  if (state === 'FAILED_UNDEPLOYING' || state === 'UNDEPLOYING') return true;
  return !service.body.roles.some(
    (other) => other !== role && parentsOf(other).includes(role.name) && roleState(other) !== 'DONE',
  );
}

export const canScaleAgain = (role: Role): boolean => ['FAILED_SCALING', 'SCALING'].includes(roleState(role));

/** Ids of the service's networks: of all it names, or of those that were made for it. */
export function networksOf({ body }: Service, which: 'all' | 'made'): number[] {
  if (!Array.isArray(body.networks_values)) return [];
  return body.networks_values
    .filter(isObject)
    .flatMap((value) => Object.values(value))
    .filter(isObject)
    .filter((net) => which === 'all' || 'template_id' in net || 'reserve_from' in net)
    .map((net) => Number(net.id));
}
