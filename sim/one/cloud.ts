/** The fake OpenNebula: its pools, and the one door through which users act on them. Mirrors what oned, its scheduler and OneFlow are together. */
import type { Concerned } from '../faults/fault.ts';
import type { Judge } from '../faults/judge.ts';
import type { Clock } from '../kernel/clock.ts';
import { type Holders, heldMap } from '../kernel/held.ts';
import type { Journal } from '../kernel/journal.ts';
import { fits } from '../kernel/pattern.ts';
import type { Random } from '../kernel/random.ts';
import { Acl } from './access/acl.ts';
import { Quotas } from './access/quota.ts';
import type { Caller, Group, User } from './access/user.ts';
import { authenticate, bootstrapIdentity, Sessions } from './access/user.ts';
import type { Document } from './document.ts';
import { OneError } from './error.ts';
import { Flow } from './flow/flow.ts';
import type { IdList } from './id-list.ts';
import { heldPools } from './likeness.ts';
import { type Method, OPERATIONS, type Operations } from './operations.ts';
import { Pool } from './pool.ts';
import type { Cluster } from './resources/cluster.ts';
import type { Datastore } from './resources/datastore.ts';
import type { Host } from './resources/host.ts';
import { HostTroubles } from './resources/host-trouble.ts';
import { bootstrapStorage, type Image } from './resources/image.ts';
import { bootstrapSecurityGroups, type SecurityGroup } from './resources/security-group.ts';
import type { Vnet } from './resources/vnet.ts';
import type { Timing } from './timing.ts';
import { Agenda } from './vm/agenda.ts';
import { Driver } from './vm/driver.ts';
import type { State } from './vm/lifecycle.ts';
import { Scheduler } from './vm/scheduler.ts';
import { Shapes } from './vm/span.ts';
import type { VmTemplate } from './vm/template.ts';
import { Troubles } from './vm/trouble.ts';
import type { Vm } from './vm/vm.ts';

export interface CloudConfig {
  readonly timing: Timing;
  /** Most VMs that the scheduler places in one round, and on one host in one round. */
  readonly maxDispatch: number;
  readonly maxPerHost: number;
  /** How many VMs in DONE stay readable; older ones are forgotten, so that a long run does not eat the memory. */
  readonly doneKept: number;
  /** Period of OneFlow's second look at what it waits for, and its default cooldown. */
  readonly flowWaitMs: number;
  readonly flowCooldownSeconds: number;
}

export const CLOUD_DEFAULTS = {
  maxDispatch: 30,
  maxPerHost: 1,
  doneKept: 10_000,
  flowWaitMs: 30_000,
  flowCooldownSeconds: 300,
} as const;

/** Parts of the world that a cloud stands on. */
export interface Ground {
  readonly clock: Clock;
  readonly random: Random;
  readonly journal: Journal;
  readonly judge: Judge;
}

/** Is told what happens to VMs, hosts and datastores, after it has happened. */
export interface Observer {
  /** A VM has entered a state. */
  vmState?(vm: Vm, before: State): void;
  /** A VM's user template has changed. */
  vmUpdate?(vm: Vm): void;
  /** A VM that has been DONE for long is not kept any more. */
  vmForgotten?(id: number): void;
  /** What a VM may take of its host has changed. */
  vmCapacity?(vm: Vm): void;
  /** A host has come, has another state or capacity, or gives VMs more or less. */
  hostUpdate?(host: Host): void;
  hostGone?(host: Host): void;
  /** A datastore has come, or has other images. */
  datastoreUpdate?(datastore: Datastore): void;
  datastoreGone?(datastore: Datastore): void;
}

export type Arguments<M extends Method> = Parameters<Operations[M]> extends [Cloud, Caller, ...infer A] ? A : never;
type Result<M extends Method> = ReturnType<Operations[M]>;

export class Cloud {
  readonly clock: Clock;
  readonly random: Random;
  readonly journal: Journal;
  readonly judge: Judge;
  readonly config: CloudConfig;

  readonly users = new Pool<User>('user');
  readonly groups = new Pool<Group>('group');
  readonly hosts = new Pool<Host>('host');
  readonly clusters = new Pool<Cluster>('cluster');
  readonly datastores = new Pool<Datastore>('datastore');
  readonly images = new Pool<Image>('image');
  readonly vnets = new Pool<Vnet>('virtual network');
  readonly securityGroups = new Pool<SecurityGroup>('security group');
  readonly templates = new Pool<VmTemplate>('virtual machine template');
  readonly documents = new Pool<Document>('document');
  /** Ids of the documents of each type. */
  readonly documentTypes = new Map<number, IdList>();
  readonly vms = new Pool<Vm>('virtual machine');

  /**
   * What the probe of its host has measured last of a VM, by the name in MONITORING. Who measures sets it when the world
   * is wired; until then nothing is measured.
   */
  monitored: (vmId: number, name: string) => number | undefined = () => undefined;

  /** Shapes that guests have or had. */
  readonly shapes = new Shapes();

  readonly acl = new Acl();
  readonly sessions = new Sessions();
  readonly quotas: Quotas;
  readonly driver: Driver;
  readonly scheduler: Scheduler;
  readonly agenda: Agenda;
  readonly troubles: Troubles;
  readonly hostTroubles: HostTroubles;
  readonly flow: Flow;
  readonly #observers: Observer[] = [];

  constructor(ground: Ground, config: CloudConfig) {
    this.clock = ground.clock;
    this.random = ground.random;
    this.journal = ground.journal;
    this.judge = ground.judge;
    this.config = config;
    this.quotas = new Quotas(this);
    bootstrapIdentity(this);
    bootstrapStorage(this);
    bootstrapSecurityGroups(this);
    this.driver = new Driver(this);
    this.scheduler = new Scheduler(this);
    this.agenda = new Agenda(this);
    this.flow = new Flow(this);
    this.troubles = new Troubles(this);
    this.hostTroubles = new HostTroubles(this);
    this.judge.someIn = (concerned, pattern) => someIn(this, concerned, pattern);
  }

  /** By the name of the part. Proven sessions are not among them: they are proven again. */
  get held(): Holders {
    return { ...heldPools(this.pools), ...this.parts };
  }

  /** By name. */
  get pools() {
    const { users, groups, hosts, clusters, datastores, images, vnets, templates, documents, vms } = this;
    const { securityGroups } = this;
    return { users, groups, hosts, clusters, datastores, images, vnets, securityGroups, templates, documents, vms };
  }

  /** What holds state beside the pools. */
  get parts(): Holders {
    const { shapes, acl, quotas, driver, scheduler, agenda, troubles, hostTroubles, flow } = this;
    const documentTypes = heldMap(this.documentTypes);
    const parts = { documentTypes, shapes, acl, quotas, driver, scheduler, agenda, troubles, hostTroubles };
    return { ...parts, ...flow.held };
  }

  /** Simulated time in whole seconds since the Unix epoch, as oned stamps everything. */
  get seconds(): number {
    return Math.floor(this.clock.now / 1000);
  }

  /** oneadmin, on whose behalf the scheduler and OneFlow's background work act. */
  get root(): Caller {
    return ROOT;
  }

  /**
   * What a client does with a session `user:password`.
   * @throws OneError with oned's whole message, `[method] …`
   */
  call<M extends Method>(session: string, method: M, ...args: Arguments<M>): Result<M> {
    try {
      return this.#invoke(authenticate(this, session), method, args);
    } catch (error) {
      throw named(method, error);
    }
  }

  /** As {@link call}, for a caller that has been authenticated before. */
  run<M extends Method>(caller: Caller, method: M, ...args: Arguments<M>): Result<M> {
    try {
      return this.#invoke(caller, method, args);
    } catch (error) {
      throw named(method, error);
    }
  }

  /** Authenticates a session for a method, for a server that acts on a client's behalf. */
  authenticate(session: string, method: string): Caller {
    try {
      return authenticate(this, session);
    } catch (error) {
      throw named(method, error);
    }
  }

  observe(observer: Observer): void {
    this.#observers.push(observer);
  }

  vmEntered(vm: Vm, before: State): void {
    for (const observer of this.#observers) observer.vmState?.(vm, before);
  }

  vmUpdated(vm: Vm): void {
    for (const observer of this.#observers) observer.vmUpdate?.(vm);
  }

  /** Takes a VM that is DONE out of the pool. */
  forgetVm(id: number): void {
    this.vms.delete(id);
    for (const observer of this.#observers) observer.vmForgotten?.(id);
  }

  vmCapacityChanged(vm: Vm): void {
    for (const observer of this.#observers) observer.vmCapacity?.(vm);
  }

  hostUpdated(host: Host): void {
    for (const observer of this.#observers) observer.hostUpdate?.(host);
  }

  hostRemoved(host: Host): void {
    for (const observer of this.#observers) observer.hostGone?.(host);
  }

  datastoreUpdated(datastore: Datastore): void {
    for (const observer of this.#observers) observer.datastoreUpdate?.(datastore);
  }

  datastoreRemoved(datastore: Datastore): void {
    for (const observer of this.#observers) observer.datastoreGone?.(datastore);
  }

  #invoke<M extends Method>(caller: Caller, method: M, args: Arguments<M>): Result<M> {
    const operation = OPERATIONS[method] as unknown as (
      cloud: Cloud,
      caller: Caller,
      ...args: Arguments<M>
    ) => Result<M>;
    return operation(this, caller, ...args);
  }
}

/** What a client of the method gets to see of an error. */
function named(method: string, error: unknown): unknown {
  if (!(error instanceof OneError)) return error;
  return new OneError(error.code, `[${method}] ${error.message}`, error.objectId);
}

/** Whether any has a state that fits a pattern. */
function someIn(cloud: Cloud, concerned: Concerned, pattern: string): boolean {
  const states = {
    vm: () => Array.from(cloud.vms, ({ state }) => state),
    host: () => Array.from(cloud.hosts, ({ state }) => state),
    service: () => Array.from(cloud.documents, ({ id }) => cloud.flow.stateOf(id)),
  }[concerned]();
  return states.some((state) => state !== undefined && fits(pattern, state));
}

const ROOT: Caller = { uid: 0, gid: 0, groups: new Set([0]), name: 'oneadmin', groupName: 'oneadmin', admin: true };
