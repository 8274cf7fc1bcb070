/**
 * The life of OneFlow services: what an action does at once, what follows when what it waits for has come, and what
 * the watchdog does when a VM changes by itself. Mirrors `LifeCycleManager.rb` and `ServiceWatchDog.rb` of OneFlow 6.10.
 */

import type { Held, Holders } from '../../kernel/held.ts';
import { IdMap } from '../../kernel/id-map.ts';
import { callerOf } from '../access/user.ts';
import type { Cloud } from '../cloud.ts';
import { FlowError } from './flow-error.ts';
import { type Act, attempt, deployRole, type Outcome, recoverDeployment, releaseRole, shutdownRole } from './role.ts';
import {
  allRoles,
  canDeployAgain,
  canScaleAgain,
  canUndeployAgain,
  isHeld,
  isStraight,
  isUsedUp,
  log,
  MAY,
  networksOf,
  nextRoles,
  nodeIds,
  RECOVERY,
  type Role,
  roleNamed,
  roleState,
  type Service,
  type ServiceState,
  serviceState,
  setCardinality,
  setRoleState,
  setServiceState,
} from './service.ts';
import { COURSES, type Course, FAILURES } from './service-course.ts';
import { ServiceTroubles } from './service-trouble.ts';
import { type Pause, type Purpose, type Wait, Waits } from './service-wait.ts';
import { type Sight, Watchdog } from './service-watchdog.ts';

const SCALE_WAYS = { up: 0, down: 1 } as const;

export class Lifecycle {
  readonly #cloud: Cloud;
  readonly #waits: Waits;
  readonly #watchdog: Watchdog;
  readonly #troubles: ServiceTroubles;
  /** The service that each VM belongs to, until it is done. */
  readonly #serviceOf = new IdMap<number>();
  readonly #find: (id: number) => Service | undefined;
  readonly #tellRuns: (service: Service) => void;

  /**
   * @param find a stored service by id
   * @param runs is told of each service that runs from now on
   */
  constructor(cloud: Cloud, find: (id: number) => Service | undefined, runs: (service: Service) => void) {
    this.#cloud = cloud;
    this.#find = find;
    this.#tellRuns = runs;
    this.#waits = new Waits(cloud, (wait, ok) => this.#waited(wait, ok));
    this.#watchdog = new Watchdog(cloud, find, (...sighting) => this.#sighted(...sighting));
    this.#troubles = new ServiceTroubles(cloud, find, {
      warn: (service) => this.#all(service, 'WARNING'),
      calm: (service) => this.#all(service, 'RUNNING'),
      warmed: (wait) => this.#waited(wait, true),
    });
    cloud.observe({
      vmState: (vm) => {
        const service = this.#serviceOf.get(vm.id);
        if (service === undefined) return;
        this.#waits.vmState(service, vm);
        this.#watchdog.vmState(service, vm);
        if (vm.state === 'DONE') this.#serviceOf.delete(vm.id);
      },
      vmUpdate: (vm) => {
        const service = this.#serviceOf.get(vm.id);
        if (service !== undefined) this.#waits.vmUpdate(service, vm);
      },
    });
  }

  /** By the name of the part. */
  get held(): Holders {
    return {
      'flow.waits': this.#waits,
      'flow.watchdog': this.#watchdog,
      'flow.services': this.#heldServices,
      'flow.troubles': this.#troubles,
    };
  }

  readonly #heldServices: Held<ReadonlyMap<number, number>> = {
    state: () => new Map(this.#serviceOf.entries()),
    restore: (services) => {
      for (const [vm, service] of services) this.#serviceOf.set(vm, service);
    },
  };

  /** Whether OneFlow does not know the service any more. */
  isLost(id: number): boolean {
    return this.#troubles.isLost(id);
  }

  /** The service and all its roles. */
  #all(service: Service, state: 'RUNNING' | 'WARNING'): void {
    this.#become({ cloud: this.#cloud, caller: this.#cloud.root, service }, state);
    for (const role of service.body.roles) setRoleState(role, state);
  }

  // ---- actions ------------------------------------------------------------------------------------------------------

  /** @param makeNetworks asks for the service's own networks; a refusal fails the service, and is passed on */
  begin(act: Act, makeNetworks: () => void): void {
    try {
      makeNetworks();
    } catch (error) {
      this.#become(act, 'FAILED_DEPLOYING');
      throw error;
    }
    this.#become(act, 'DEPLOYING_NETS');
    this.#networksMade(act);
  }

  /** Networks are ready as soon as they exist, unless their driver failed. */
  #networksMade(act: Act): void {
    const { vnets } = act.cloud;
    const failed = networksOf(act.service, 'all').some((id) => vnets.find(id)?.state === 'ERROR');
    if (failed) this.#become(act, 'FAILED_DEPLOYING_NETS');
    else this.#deploy(act);
  }

  /** The first roles are deployed. */
  #deploy(act: Act): void {
    const { service } = act;
    const roles = nextRoles(service, 'deploy');
    if (roles.length === 0) {
      if (allRoles(service, 'RUNNING')) this.#runs(act);
      return;
    }
    const failure = this.#start(act, roles, COURSES.deploy);
    if (failure !== undefined) this.#become(act, 'FAILED_DEPLOYING');
    else this.#become(act, service.body.on_hold === true ? 'HOLD' : 'DEPLOYING');
  }

  undeploy(act: Act): void {
    this.unwatch(act);
    const roles = nextRoles(act.service, 'shutdown');
    if (roles.length === 0) this.#remove(act);
    else this.#undertake(act, roles, COURSES.undeploy);
  }

  /** A role gets another number of VMs, which is checked and set already. */
  scale(act: Act, role: Role, way: keyof typeof SCALE_WAYS): void {
    this.unwatch(act);
    role.scale_way = SCALE_WAYS[way];
    this.#undertake(act, [role], way === 'up' ? COURSES.scaleUp : COURSES.scaleDown);
  }

  release(act: Act): void {
    const roles = nextRoles(act.service, 'release');
    if (roles.length === 0) throw new FlowError(500, 'Service has no roles in HOLD');
    this.#undertake(act, roles, COURSES.release);
  }

  /** A role has joined the service, or is to leave it. */
  changeRoles(act: Act, role: Role, way: 'add' | 'remove'): void {
    this.unwatch(act);
    this.#undertake(act, [role], COURSES[way]);
  }

  /** Whatever is waited for is given up, and the service goes, whatever its state. */
  recoverDelete(act: Act): void {
    this.#giveUp(act);
    this.undeploy(act);
  }

  /** Goes on from where it stands. */
  recover(act: Act): void {
    const { service } = act;
    this.#giveUp(act);
    const state = serviceState(service);
    const way = RECOVERY[state];
    switch (way) {
      case 'deploy':
        for (const role of service.body.roles) {
          if (canDeployAgain(service, role)) this.#again(act, role, 'deploy', recoverDeployment(act, role));
        }
        return;
      case 'undeploy':
        for (const role of service.body.roles) {
          if (!canUndeployAgain(service, role)) continue;
          const outcome = shutdownRole(act, role, true);
          this.#again(act, role, 'undeploy', 'nodes' in outcome ? outcome : { nodes: [] });
        }
        return;
      case 'scale':
        this.#recoverScaling(act);
        return;
      case 'deployNets':
      case 'undeployNets':
        this.#pause(act, way, '', this.#cloud.config.timing.flowReactionMs);
        return;
      case 'warm':
        this.#become(act, 'RUNNING');
        for (const role of service.body.roles) setRoleState(role, 'RUNNING');
        return;
      case undefined:
        throw new FlowError(500, `Service cannot be recovered in state: ${state}`);
      default:
        way satisfies never;
    }
  }

  /** Forgets a service whose document has gone or was written anew by somebody else. */
  forget(service: Service): void {
    this.#waits.cancel(service.id);
    this.#watchdog.unwatch(service);
  }

  /** Takes up the nodes of a service that was written by somebody else. */
  adopt(service: Service): void {
    for (const role of service.body.roles) this.#index(service, role);
    if (['RUNNING', 'WARNING'].includes(serviceState(service))) this.#watchdog.watch(service);
    if (serviceState(service) === 'RUNNING') this.#tellRuns(service);
  }

  /** The watchdog looks away until the service runs again. */
  unwatch(act: Act): void {
    if (this.#isStored(act)) this.#watchdog.unwatch(act.service);
  }

  /** Nothing is waited for any more. */
  #giveUp(act: Act): void {
    if (this.#isStored(act)) this.#waits.cancel(act.service.id);
  }

  #recoverScaling(act: Act): void {
    const { service } = act;
    for (const role of service.body.roles) {
      if (!canScaleAgain(role)) continue;
      if (role.scale_way === SCALE_WAYS.up) {
        this.#again(act, role, 'scaleUp', recoverDeployment(act, role));
      } else {
        const outcome = role.scale_way === SCALE_WAYS.down ? shutdownRole(act, role, true) : { nodes: [] };
        this.#again(act, role, 'scaleDown', 'nodes' in outcome ? outcome : { nodes: [] });
      }
    }
  }

  #again(act: Act, role: Role, purpose: Purpose, outcome: Outcome): void {
    this.#index(act.service, role);
    if ('nodes' in outcome) this.#waitFor(act, role, purpose, outcome.nodes);
  }

  /** Does one thing to each of the roles; the service becomes what they do. @throws FlowError when one fails */
  #undertake(act: Act, roles: readonly Role[], course: Course): void {
    const failure = this.#start(act, roles, course);
    this.#become(act, failure === undefined ? course.doing : course.failing);
    if (failure !== undefined) throw failure;
  }

  /** Does one thing to each of the roles, until one fails. */
  #start(act: Act, roles: readonly Role[], course: Course): FlowError | undefined {
    for (const role of roles) {
      const deploys = course.act === deployRole;
      if (deploys && roleState(role) === 'PENDING' && isHeld(act.service, role)) role.on_hold = true;
      const outcome = (deploys ? this.#refusal(act, role, course) : undefined) ?? course.act(act, role);
      this.#index(act.service, role);
      if ('failure' in outcome) {
        setRoleState(role, course.failing);
        return new FlowError(500, `Error ${course.verb} role ${role.name}: ${outcome.failure}`);
      }
      if (deploys && role.on_hold && roleState(role) === 'PENDING') {
        setRoleState(role, 'HOLD');
        this.#waitFor(act, role, 'hold', outcome.nodes);
        continue;
      }
      setRoleState(role, course.doing);
      this.#waitFor(act, role, course.purpose, outcome.nodes);
    }
    return undefined;
  }

  /** A fault keeps the role from being deployed. */
  #refusal({ cloud, service }: Act, role: Role, { doing }: Course): Outcome | undefined {
    const failure = this.#troubles.refusal(service, doing === 'SCALING' ? 'scale' : 'deploy');
    if (failure === undefined) return undefined;
    const message = `Role ${role.name} : Instantiate failed for template ${role.vm_template}; ${failure}`;
    log(service, 'E', message, cloud.seconds);
    return { failure };
  }

  /** Nothing comes of what is done to a copy, made for a caller who may read the service but not change it. */
  #isStored({ service }: Act): boolean {
    return this.#find(service.id) === service;
  }

  #index(service: Service, role: Role): void {
    if (this.#find(service.id) !== service) return;
    for (const id of nodeIds(role)) {
      const { state } = this.#cloud.vms.find(id) ?? { state: 'DONE' };
      if (state !== 'DONE') this.#serviceOf.set(id, service.id);
    }
  }

  #waitFor(act: Act, role: Role, purpose: Purpose, vms: readonly number[]): void {
    if (!this.#isStored(act)) return;
    const { service, caller } = act;
    const party = {
      service: service.id,
      role: role.name,
      uid: caller.uid,
      gid: caller.gid,
    };
    this.#waits.forVms(purpose, party, vms, service.body.ready_status_gate === true);
  }

  #pause(act: Act, purpose: Pause, role: string, delayMs: number): void {
    if (!this.#isStored(act)) return;
    const { service, caller } = act;
    this.#waits.forTime(purpose, { service: service.id, role, uid: caller.uid, gid: caller.gid }, delayMs);
  }

  #become(act: Act, state: ServiceState): void {
    const { cloud, service } = act;
    setServiceState(service, state, cloud.seconds);
    if (!this.#isStored(act)) return;
    cloud.journal.append('service.state', `service/${service.id}`, { to: state });
    if (state === 'RUNNING') this.#tellRuns(service);
    this.#troubles.changed(service);
  }

  // ---- what follows a wait ------------------------------------------------------------------------------------------

  #waited(wait: Wait, ok: boolean): void {
    const service = this.#find(wait.service);
    if (service === undefined) return;
    const caller = { ...callerOf(this.#cloud, wait.uid), gid: wait.gid };
    const act: Act = { cloud: this.#cloud, caller, service };
    const { purpose } = wait;
    const role = roleNamed(service, wait.role);
    if (purpose === 'cooldown' && this.#troubles.staysCold(service, wait)) return;
    if (purpose === 'deployNets') this.#networksMade(act);
    else if (purpose === 'undeployNets') this.#remove(act);
    else if (role !== undefined && ok) this.#reached(act, role, wait);
    else if (role !== undefined && purpose in FAILURES) this.#failed(act, role, wait);
  }

  #reached(act: Act, role: Role, wait: Wait): void {
    const { service } = act;
    const { purpose } = wait;
    switch (purpose) {
      case 'deployNets':
      case 'undeployNets':
        return;
      case 'deploy':
        this.#deployed(act, role, COURSES.deploy);
        return;
      case 'release':
        this.#deployed(act, role, COURSES.releaseNext);
        return;
      case 'hold':
        this.#held(act, role);
        return;
      case 'add':
        setRoleState(role, 'RUNNING');
        this.#runs(act);
        return;
      case 'scaleUp':
      case 'scaleDown':
        if (purpose === 'scaleDown') this.#dropNodes(role, wait);
        this.#become(act, 'COOLDOWN');
        setRoleState(role, 'COOLDOWN');
        delete role.scale_way;
        this.#pause(act, 'cooldown', role.name, role.cooldown * 1000);
        return;
      case 'cooldown':
        this.#become(act, 'RUNNING');
        setRoleState(role, 'RUNNING');
        this.#watchdog.watch(service);
        if (isUsedUp(service, role)) this.#undeployUnused(act);
        return;
      case 'undeploy':
        this.#undeployed(act, role, wait);
        return;
      case 'remove':
        this.#removed(act, role);
        return;
      default:
        purpose satisfies never;
    }
  }

  #deployed(act: Act, role: Role, next: Course): void {
    const { service } = act;
    setRoleState(role, 'RUNNING');
    const unused = isUsedUp(service, role);
    if (allRoles(service, 'RUNNING')) this.#runs(act);
    // When the next role cannot be deployed, OneFlow does not look: the service stays as it is.
    else if (isStraight(service))
      this.#start(act, nextRoles(service, next.act === releaseRole ? 'release' : 'deploy'), next);
    if (unused) this.#undeployUnused(act);
  }

  #held(act: Act, role: Role): void {
    const { service } = act;
    // Released or removed before anyone looked.
    if (roleState(role) !== 'HOLD') return;
    if (allRoles(service, 'HOLD') && serviceState(service) !== 'HOLD') this.#become(act, 'HOLD');
    else if (isStraight(service)) this.#start(act, nextRoles(service, 'hold'), COURSES.deploy);
  }

  #failed(act: Act, role: Role, wait: Wait): void {
    const state = FAILURES[wait.purpose as keyof typeof FAILURES];
    this.#giveUp(act);
    this.#become(act, state);
    setRoleState(role, state);
    if (['undeploy', 'remove', 'scaleDown'].includes(wait.purpose)) this.#dropNodes(role, wait);
  }

  #undeployed(act: Act, role: Role, wait: Wait): void {
    const { service } = act;
    const others = service.body.roles.filter((other) => other !== role);
    if (others.every((other) => roleState(other) === 'DONE')) {
      // The role itself is not written any more, so it shows its last state until the document goes.
      this.#deleteNetworks(act);
      this.#become(act, 'UNDEPLOYING_NETS');
      this.#pause(act, 'undeployNets', '', this.#cloud.config.timing.flowReactionMs);
      return;
    }
    setRoleState(role, 'DONE');
    this.#dropNodes(role, wait);
    if (isStraight(service)) this.#start(act, nextRoles(service, 'shutdown'), COURSES.undeploy);
  }

  #removed(act: Act, role: Role): void {
    const { service } = act;
    service.body.roles = service.body.roles.filter((other) => other !== role);
    if (allRoles(service, 'DONE')) {
      this.#deleteNetworks(act);
      this.#remove(act);
    } else {
      this.#runs(act);
    }
  }

  /** The service runs; the watchdog looks after it from now on if all its roles do. */
  #runs(act: Act): void {
    this.#become(act, 'RUNNING');
    if (allRoles(act.service, 'RUNNING')) this.#watchdog.watch(act.service);
  }

  #dropNodes(role: Role, { vms }: Wait): void {
    role.nodes = role.nodes.filter((node) => vms.get(node.deploy_id) !== 'reached');
  }

  #deleteNetworks(act: Act): void {
    for (const id of networksOf(act.service, 'made')) {
      attempt(() => act.cloud.run(act.caller, 'one.vn.delete', id));
    }
  }

  /** The document goes, if the caller may delete it. */
  #remove(act: Act): void {
    const { cloud, caller, service } = act;
    if (typeof attempt(() => cloud.run(caller, 'one.document.delete', service.id)) !== 'number') return;
    this.forget(service);
    cloud.journal.append('service.state', `service/${service.id}`, {
      to: 'DONE',
    });
  }

  #undeployUnused(act: Act): void {
    if (MAY.undeploy(serviceState(act.service))) attempt(() => this.undeploy(act));
  }

  // ---- what the watchdog sees ---------------------------------------------------------------------------------------

  #sighted(service: Service, role: Role, vm: number, sight: Sight): void {
    const act: Act = { cloud: this.#cloud, caller: this.#cloud.root, service };
    switch (sight) {
      case 'error':
        if (serviceState(service) !== 'WARNING') this.#become(act, 'WARNING');
        setRoleState(role, 'WARNING');
        return;
      case 'done':
        if (!role.nodes.some((node) => node.deploy_id === vm)) return;
        if (role.cardinality > 0) setCardinality(service, role, role.cardinality - 1, this.#cloud.seconds);
        role.nodes = role.nodes.filter((node) => node.deploy_id !== vm);
        break;
      case 'running':
        setRoleState(role, 'RUNNING');
        if (allRoles(service, 'RUNNING') && serviceState(service) !== 'RUNNING') this.#become(act, 'RUNNING');
        break;
      default:
        sight satisfies never;
    }
    if (isUsedUp(service, role)) this.#undeployUnused(act);
  }
}
