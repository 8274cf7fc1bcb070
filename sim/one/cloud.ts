/** The fake OpenNebula: its pools, and the one door through which users act on them. Mirrors what oned, its scheduler and OneFlow are together. */
import type { Judge } from '../faults/judge.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Journal } from '../kernel/journal.ts';
import type { Random } from '../kernel/random.ts';
import { Acl } from './access/acl.ts';
import { Quotas } from './access/quota.ts';
import type { Caller, Group, User } from './access/user.ts';
import { authenticate, bootstrapIdentity, Sessions } from './access/user.ts';
import type { Document } from './document.ts';
import { OneError } from './error.ts';
import { Flow } from './flow/flow.ts';
import type { IdList } from './id-list.ts';
import { type Method, OPERATIONS, type Operations } from './operations.ts';
import { Pool } from './pool.ts';
import type { Cluster } from './resources/cluster.ts';
import type { Datastore } from './resources/datastore.ts';
import type { Host } from './resources/host.ts';
import { bootstrapStorage, type Image } from './resources/image.ts';
import type { Vnet } from './resources/vnet.ts';
import type { Timing } from './timing.ts';
import { Driver } from './vm/driver.ts';
import type { State } from './vm/lifecycle.ts';
import { Agenda } from './vm/scheduled-action.ts';
import { Scheduler } from './vm/scheduler.ts';
import { Shapes } from './vm/span.ts';
import type { VmTemplate } from './vm/template.ts';
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

/** Is told what happens to VMs, after it has happened. */
export interface Observer {
  /** A VM has entered a state. */
  vmState?(vm: Vm, before: State): void;
  /** A VM's user template has changed. */
  vmUpdate?(vm: Vm): void;
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
  readonly templates = new Pool<VmTemplate>('virtual machine template');
  readonly documents = new Pool<Document>('document');
  /** Ids of the documents of each type. */
  readonly documentTypes = new Map<number, IdList>();
  readonly vms = new Pool<Vm>('virtual machine');

  /** Shapes that guests have or had. */
  readonly shapes = new Shapes();

  readonly acl = new Acl();
  readonly sessions = new Sessions();
  readonly quotas: Quotas;
  readonly driver: Driver;
  readonly scheduler: Scheduler;
  readonly agenda: Agenda;
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
    this.driver = new Driver(this);
    this.scheduler = new Scheduler(this);
    this.agenda = new Agenda(this);
    this.flow = new Flow(this);
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
    return this.#named(method, () => this.#invoke(authenticate(this, session), method, args));
  }

  /** As {@link call}, for a caller that has been authenticated before. */
  run<M extends Method>(caller: Caller, method: M, ...args: Arguments<M>): Result<M> {
    return this.#named(method, () => this.#invoke(caller, method, args));
  }

  /** Authenticates a session for a method, for a server that acts on a client's behalf. */
  authenticate(session: string, method: string): Caller {
    return this.#named(method, () => authenticate(this, session));
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

  #invoke<M extends Method>(caller: Caller, method: M, args: Arguments<M>): Result<M> {
    const operation = OPERATIONS[method] as unknown as (
      cloud: Cloud,
      caller: Caller,
      ...args: Arguments<M>
    ) => Result<M>;
    return operation(this, caller, ...args);
  }

  #named<T>(method: string, act: () => T): T {
    try {
      return act();
    } catch (error) {
      if (!(error instanceof OneError)) throw error;
      throw new OneError(error.code, `[${method}] ${error.message}`, error.objectId);
    }
  }
}

const ROOT: Caller = { uid: 0, gid: 0, groups: new Set([0]), name: 'oneadmin', groupName: 'oneadmin', admin: true };
