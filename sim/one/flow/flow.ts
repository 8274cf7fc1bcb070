/**
 * OneFlow: services of several VMs, deployed, scaled, watched and removed as one. Mirrors `oneflow-server.rb` of
 * OpenNebula 6.10. All it does in the cloud it does through `cloud.run`: calls with the rights of the user, background
 * work with those of whoever began it.
 *
 * Where OneFlow answers first and creates the VMs afterwards, here they are there when the call returns: a service
 * that cannot be deployed has failed by the first look at it. Everything later takes its time on the clock.
 */
import type { Holders } from '../../kernel/held.ts';
import { allows } from '../access/acl.ts';
import { type Caller, callerOf } from '../access/user.ts';
import type { Cloud } from '../cloud.ts';
import { OneError, Unreachable } from '../error.ts';
import { Autoscaler } from './autoscaler.ts';
import { FlowCrash, FlowError } from './flow-error.ts';
import { copyJson, equalJson, isObject, type Json, type JsonObject } from './json.ts';
import { type Act, attempt, type Batch, chownRole, scheduleRole } from './role.ts';
import {
  log,
  MAY,
  type Node,
  type Role,
  roleNamed,
  type Service,
  type ServiceBody,
  type ServiceState,
  serviceState,
  setCardinality,
} from './service.ts';
import { Lifecycle } from './service-lifecycle.ts';
import { making } from './service-making.ts';
import { validateRole } from './service-schema.ts';
import {
  asked,
  createFlowDocument,
  flowDocument,
  flowDocuments,
  modesOf,
  type ServiceTemplate,
  serviceTemplate,
  serviceTemplates,
} from './service-template.ts';
import { resolved } from './service-values.ts';
import { StoredDocument } from './stored-document.ts';

/** What the instantiation answers: the service as it was allocated, before anything was deployed. */
export interface Instantiated {
  readonly service: Service;
  /** State 0, roles without nodes; `service.body` is already further on. */
  readonly body: JsonObject;
}

/** Keys of a service that an update may not change. */
const IMMUTABLE = [
  'custom_attrs',
  'custom_attrs_values',
  'deployment',
  'log',
  'name',
  'networks',
  'networks_values',
  'ready_status_gate',
  'state',
  'start_time',
] as const;

const ROLE_IMMUTABLE = ['cardinality', 'last_vmname', 'nodes', 'parents', 'state', 'vm_template'] as const;

export class Flow {
  readonly #cloud: Cloud;
  readonly #lifecycle: Lifecycle;
  readonly #autoscaler: Autoscaler;

  constructor(cloud: Cloud) {
    this.#cloud = cloud;
    const stored = (id: number): Service | undefined => this.#stored(id);
    this.#autoscaler = new Autoscaler(cloud, stored, (service, role, to) =>
      attempt(() => this.scale(cloud.root, service.id, role.name, to, false)),
    );
    this.#lifecycle = new Lifecycle(cloud, stored, (service) => this.#autoscaler.runs(service));
  }

  get held(): Holders {
    return { ...this.#lifecycle.held, 'flow.autoscaler': this.#autoscaler };
  }

  /** @throws FlowError 401 `Invalid credentials`, also when oned cannot be asked */
  authenticate(session: string): Caller {
    try {
      return this.#cloud.authenticate(session, 'one.user.info');
    } catch (error) {
      if (error instanceof OneError || error instanceof Unreachable) throw new FlowError(401, 'Invalid credentials');
      throw error;
    }
  }

  // ---- service templates --------------------------------------------------------------------------------------------

  /** The service templates that the caller may use, newest first. */
  templates(caller: Caller): ServiceTemplate[] {
    return serviceTemplates(this.#cloud, caller);
  }

  /**
   * Makes a service and deploys it.
   * @throws FlowError 400 for values that are missing, 500 for a result that the schema forbids, and what oned refuses
   */
  instantiate(caller: Caller, templateId: number, mergeTemplate?: Json): Instantiated {
    const cloud = this.#cloud;
    const template = serviceTemplate(cloud, caller, templateId);
    const { body: made, plain } = making(template.body, mergeTemplate);
    const body = Object.assign({}, made, { start_time: cloud.seconds });
    const service = this.#load(createFlowDocument(cloud, caller, 'service', this.#body(body), plain));
    const act = { cloud, caller, service };
    this.#lifecycle.begin(act, () => this.#makeNetworks(act));
    return { service, body };
  }

  // ---- services -----------------------------------------------------------------------------------------------------

  /** The services that the caller may use, newest first. */
  services(caller: Caller): Service[] {
    const known = flowDocuments(this.#cloud, caller, 'service').filter(({ id }) => !this.#lifecycle.isLost(id));
    return known.map((document) => this.#load(document));
  }

  /** @throws FlowError 404, 401; 500 for a document of another type */
  info(caller: Caller, id: number): Service {
    const document = flowDocument(this.#cloud, caller, 'service', id);
    if (this.#lifecycle.isLost(id)) throw new FlowError(404, `[one.document.info] Error getting document [${id}].`);
    return this.#load(document);
  }

  /** Undeploys the service. @throws FlowError 500 in a transient or failed state, 404, 401 */
  delete(caller: Caller, id: number): void {
    const act = this.#act(caller, id);
    requireState(act.service, 'undeploy', 'Service cannot be undeployed in state');
    this.#lifecycle.undeploy(act);
  }

  /** Goes on where a failure stopped it; or removes it, whatever its state. @throws FlowError 500, 404, 401 */
  recover(caller: Caller, id: number, options: { readonly delete?: boolean } = {}): void {
    const act = this.#act(caller, id);
    if (options.delete === true) {
      this.#lifecycle.recoverDelete(act);
    } else {
      this.#lifecycle.recover(act);
      this.#store(act);
    }
  }

  /** @param force missing is an exception in OneFlow, as it puts nothing in its place into a JSON text */
  scale(caller: Caller, id: number, roleName: string, cardinality: number, force: boolean | undefined): void {
    const act = this.#act(caller, id);
    const { service } = act;
    requireState(service, 'scale', 'Service cannot be scaled in state');
    // From here on a refusal leaves the service without its watchdog, unless it is one of the bounds.
    this.#lifecycle.unwatch(act);
    const role = roleNamed(service, roleName);
    if (role === undefined) throw new FlowError(500, `Role ${roleName} not found`);
    if (force === undefined) {
      throw new FlowCrash(`859: unexpected token at '{ "cardinality" : ${cardinality},\n  "force" :  }'`);
    }
    const bound = force ? undefined : boundOf(role, cardinality);
    if (bound !== undefined) {
      this.#lifecycle.adopt(service);
      throw new FlowError(500, `Can't scale service ${id}: ${bound}`);
    }
    const more = cardinality - role.cardinality;
    if (more === 0) throw new FlowError(500, `Cardinality of ${roleName} is already at ${cardinality}`);
    setCardinality(service, role, cardinality, this.#cloud.seconds);
    if (more < 0) {
      this.#lifecycle.scale(act, role, 'down');
      return;
    }
    // New VMs belong to the service's owner, whoever asks for them.
    const owner = { ...callerOf(this.#cloud, service.uid), gid: service.gid };
    this.#lifecycle.scale({ ...act, caller: owner }, role, 'up');
  }

  release(caller: Caller, id: number): void {
    this.#lifecycle.release(this.#act(caller, id));
  }

  addRole(caller: Caller, id: number, given: Json): void {
    const checked = validateRole(given);
    const act = this.#act(caller, id);
    const { service } = act;
    requireState(service, 'changeRoles', 'Cannot modify roles in state');
    if (roleNamed(service, checked.name) !== undefined) {
      throw new FlowError(500, `Role ${checked.name} already exists`);
    }
    const role = this.#role({ ...checked, state: 0 });
    this.#resolveNetworks(service, [role]);
    service.body.roles.push(role);
    this.#lifecycle.changeRoles(act, role, 'add');
  }

  removeRole(caller: Caller, id: number, name: string): void {
    const act = this.#act(caller, id);
    requireState(act.service, 'changeRoles', 'Cannot modify roles in state');
    const role = roleNamed(act.service, name);
    if (role === undefined) throw new FlowError(500, `Role ${name} does not exist`);
    this.#lifecycle.changeRoles(act, role, 'remove');
  }

  /** Replaces the body, or with `append` single keys of it. */
  update(caller: Caller, id: number, given: JsonObject, append: boolean): void {
    const act = this.#act(caller, id);
    const { service } = act;
    requireState(service, 'update', 'Service cannot be updated in state');
    const changed = append ? IMMUTABLE.find((key) => (given[key] ?? null) !== null) : undefined;
    if (changed !== undefined) throw immutable(`service/${changed}`);
    if (!append) checkUnchanged(service, given);
    this.#store(act);
    service.body = this.#body(append ? { ...service.body, ...given } : given);
    service.taken = service.body;
  }

  /** The document and every VM; when a VM cannot be given away, all is taken back. -1 keeps the user or the group. */
  chown(caller: Caller, id: number, uid: number, gid: number): void {
    const act = this.#act(caller, id);
    const { cloud, service } = act;
    const before = { uid: service.uid, gid: service.gid };
    asked(() => cloud.run(caller, 'one.document.chown', id, uid, gid));
    let failure: FlowError | undefined;
    for (const role of service.body.roles) {
      failure = chownRole(act, role, uid, gid);
      if (failure !== undefined) break;
    }
    if (failure === undefined) return;
    log(service, 'E', 'Chown operation failed, will try to rollback all VMs to the old user and group', cloud.seconds);
    const back = { ...act, service: copyOf(service) };
    asked(() => cloud.run(caller, 'one.document.chown', id, before.uid, before.gid));
    for (const role of service.body.roles) chownRole(back, role, before.uid, before.gid);
    throw new FlowError(500, failure.message);
  }

  /** The document only. */
  chmod(caller: Caller, id: number, octet: string): void {
    this.info(caller, id);
    asked(() => this.#cloud.run(caller, 'one.document.chmod', id, ...modesOf(octet)));
  }

  /** The document only; the name in its body stays. */
  rename(caller: Caller, id: number, name: string): void {
    this.info(caller, id);
    asked(() => this.#cloud.run(caller, 'one.document.rename', id, name));
  }

  /** Schedules an action on the VMs of one role, or of all. */
  schedule(caller: Caller, id: number, batch: Batch, roleName?: string): void {
    const act = this.#act(caller, id);
    if (roleName === undefined) {
      for (const role of act.service.body.roles) scheduleRole(act, role, batch);
      return;
    }
    const role = roleNamed(act.service, roleName);
    if (role === undefined) throw new FlowError(500, `Role '${roleName}' not found`);
    const outcome = scheduleRole(act, role, batch);
    if ('failure' in outcome) throw new FlowError(500, outcome.failure);
  }

  /** Deletes the services that are DONE. */
  purgeDone(caller: Caller): void {
    for (const service of this.services(caller)) {
      if (serviceState(service) !== 'DONE') continue;
      asked(() => this.#cloud.run(caller, 'one.document.delete', service.id));
      this.#lifecycle.forget(service);
    }
  }

  // ---- bodies -------------------------------------------------------------------------------------------------------

  /** The service to act on: the stored one, or a copy when the caller may read it but not write it. */
  #act(caller: Caller, id: number): Act {
    const cloud = this.#cloud;
    const service = this.info(caller, id);
    const stored = allows(cloud, caller, {
      right: 'MANAGE',
      type: 'DOCUMENT',
      object: service,
    });
    return { cloud, caller, service: stored ? service : copyOf(service) };
  }

  /** @throws FlowError when the service acted on was only a copy */
  #store({ cloud, caller, service }: Act): void {
    if (cloud.documents.find(service.id) === service) return;
    asked(() => cloud.run(caller, 'one.document.update', service.id, '', 0));
  }

  /** The state of a stored service. */
  stateOf(id: number): ServiceState | undefined {
    const service = this.#stored(id);
    return service === undefined ? undefined : serviceState(service);
  }

  #stored(id: number): Service | undefined {
    const document = this.#cloud.documents.find(id);
    return document instanceof StoredDocument && document.taken !== undefined ? this.#load(document) : undefined;
  }

  /** The document as a service, its body in the form that is worked with. */
  #load(document: StoredDocument): Service {
    const { body } = document;
    if (body === undefined) throw new FlowCrash("undefined method `[]' for nil:NilClass");
    if (document.taken !== body) {
      const ours = document.isLive ? (body as ServiceBody) : this.#body(body);
      document.body = ours;
      document.taken = ours;
      this.#lifecycle.adopt(document as Service);
    }
    return document as Service;
  }

  /** A body with all that OneFlow fills in when it reads one. */
  #body(given: JsonObject): ServiceBody {
    const body = copyJson(given);
    const { name, roles, state } = body;
    body.name = String(name ?? '');
    body.roles = Array.isArray(roles) ? roles.filter(isObject).map((role) => this.#role(role)) : [];
    body.state = typeof state === 'number' ? state : 0;
    return body as ServiceBody;
  }

  /** Likewise, in place. */
  #role(role: JsonObject): Role {
    const { name, cardinality, vm_template: vmTemplate, state, cooldown, nodes, on_hold: onHold } = role;
    role.name = String(name ?? '');
    role.cardinality = Number(cardinality) || 0;
    role.vm_template = Number(vmTemplate) || 0;
    role.state = typeof state === 'number' ? state : 0;
    role.cooldown = typeof cooldown === 'number' ? cooldown : this.#cloud.config.flowCooldownSeconds;
    role.nodes = Array.isArray(nodes) ? nodes.filter(isNode) : [];
    role.on_hold = onHold === true;
    return role as Role;
  }

  // ---- networks -----------------------------------------------------------------------------------------------------

  /** Networks that are to be reserved are; those from a template cannot be, as there are no such templates. */
  #makeNetworks(act: Act): void {
    const { cloud, caller, service } = act;
    const values = service.body.networks_values;
    if (!Array.isArray(values)) return;
    for (const value of values.filter(isObject)) {
      for (const [name, net] of Object.entries(value)) {
        if (!isObject(net) || 'id' in net) continue;
        const called = `${name}-${service.id}`;
        if ('template_id' in net) {
          const id = Number.parseInt(String(net.template_id), 10) || 0;
          throw new FlowError(404, `[one.vntemplate.instantiate] Error getting virtual network template [${id}].`);
        }
        if (!('reserve_from' in net)) continue;
        const extra = typeof net.extra === 'string' ? net.extra : '';
        const from = Number.parseInt(String(net.reserve_from), 10) || 0;
        net.id = extra !== '' && asked(() => cloud.run(caller, 'one.vn.reserve', from, `${extra}\nNAME="${called}"\n`));
      }
    }
    this.#resolveNetworks(service, service.body.roles);
  }

  /** `$pub` in the contents of a role is the id of the network of that name. */
  #resolveNetworks(service: Service, roles: readonly Role[]): void {
    const values = service.body.networks_values;
    if (!Array.isArray(values)) return;
    const ids: JsonObject = {};
    for (const value of [...values].reverse().filter(isObject)) {
      for (const [name, net] of Object.entries(value)) ids[name] = isObject(net) ? (net.id ?? '') : '';
    }
    for (const role of roles) {
      if (typeof role.vm_template_contents !== 'string') continue;
      role.vm_template_contents = resolved(role.vm_template_contents, ids);
    }
  }
}

function isNode(node: Json): node is Node {
  return isObject(node) && typeof node.deploy_id === 'number' && isObject(node.vm_info);
}

function copyOf(service: Service): Service {
  const copy = new StoredDocument(service);
  copy.body = copyJson(service.body);
  return copy as Service;
}

function requireState(service: Service, what: keyof typeof MAY, refusal: string): void {
  const state = serviceState(service);
  if (!MAY[what](state)) throw new FlowError(500, `${refusal}: ${state}`);
}

function boundOf(role: Role, cardinality: number): string | undefined {
  const { min_vms: min, max_vms: max } = role;
  const least = typeof min === 'number' ? min : undefined;
  if (cardinality < (least ?? 0)) return `Minimum cardinality is ${least ?? ''}`;
  return typeof max === 'number' && cardinality > max ? `Maximum cardinality is ${max}` : undefined;
}

const immutable = (what: string): FlowError => new FlowError(500, `Immutable value: \`${what}\` can not be changed`);

/** @throws FlowError for the first key that is not as it was read */
function checkUnchanged({ body }: Service, given: JsonObject): void {
  const roles = Array.isArray(given.roles) ? given.roles.filter(isObject) : [];
  if (roles.length !== body.roles.length) throw immutable('service/roles size');
  const changed = IMMUTABLE.find((key) => !same(given[key], body[key]));
  if (changed !== undefined) throw immutable(`service/${changed}`);
  for (const role of roles) {
    const stored = body.roles.find(({ name }) => name === role.name);
    if (stored === undefined) throw new FlowError(500, 'To change `service/name` use rename operation');
    const key = ROLE_IMMUTABLE.find((candidate) => !same(role[candidate], stored[candidate]));
    if (key !== undefined) throw immutable(`role/${key}`);
  }
}

/** Absent and null are the same to Ruby. */
const same = (one: Json | undefined, other: Json | undefined): boolean => equalJson(one ?? null, other ?? null);
