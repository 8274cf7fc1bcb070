/**
 * Requests: services are instantiated, and their instances ended, on somebody's request, and not at once. Mirrors
 * `son-gtksrv` and the life cycle manager that takes its messages.
 */
import type { Clock } from '../../kernel/clock.ts';
import type { Random } from '../../kernel/random.ts';
import type { Cloud } from '../../one/cloud.ts';
import type { JsonObject } from '../../one/flow/json.ts';
import type { Vm } from '../../one/vm/vm.ts';
import { Refusal } from './answer.ts';
import type { Catalogue } from './catalogue.ts';
import type { ServiceInstance } from './furnishing.ts';
import type { Instances } from './instances.ts';
import { NotInstantiated } from './instantiation.ts';
import { membersIn, textOf } from './json-body.ts';
import { type Records, type Status, vmIdsOf } from './records.ts';

type RequestStatus = 'NEW' | 'INSTANTIATING' | 'TERMINATING' | 'READY' | 'ERROR';

/** Plain data, so that a world can be written down. */
interface ServiceRequest {
  readonly id: string;
  readonly type: 'CREATE' | 'TERMINATE';
  readonly serviceUuid: string;
  readonly status: RequestStatus;
  readonly instance: string | null;
  /** Why it has failed. */
  readonly error: string | null;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** What happens to a request by itself. */
interface RequestEvent {
  readonly id: string;
  readonly step: 'begin' | 'place' | 'fail' | 'deadline';
}

/** How long a message takes to the life cycle manager. */
const MESSAGE_MS = 500;

/** After this time machines that no host can take are given up, and after that one all that do not run yet. */
const PLACEMENT_MS = 60_000;
const DEADLINE_MS = 600_000;

/** The newest of these are kept. */
const MOST_REQUESTS = 10_000;

interface RequestsWorld {
  readonly clock: Clock;
  readonly random: Random;
  readonly cloud: Cloud;
  readonly services: Catalogue;
  readonly records: Records;
  readonly instances: Instances;
}

interface RequestsState {
  readonly requests: Map<string, ServiceRequest>;
  readonly waiting: Map<string, string>;
  readonly made: number;
}

export class Requests {
  readonly #world: RequestsWorld;
  readonly #schedule: (delayMs: number, event: RequestEvent) => unknown;
  /** Oldest first. */
  #requests = new Map<string, ServiceRequest>();
  /** By service instance: the request that waits for it. */
  #waiting = new Map<string, string>();
  #made = 0;

  constructor(world: RequestsWorld) {
    this.#world = world;
    this.#schedule = world.clock.channel<RequestEvent>('gatekeeper.request', ({ id, step }) => {
      const request = this.#requests.get(id);
      if (request !== undefined) this.#steps[step](request);
    });
    world.records.listen((instance) => this.#follow(instance));
  }

  state(): RequestsState {
    return { requests: this.#requests, waiting: this.#waiting, made: this.#made };
  }

  restore({ requests, waiting, made }: RequestsState): void {
    this.#requests = requests;
    this.#waiting = waiting;
    this.#made = made;
  }

  /** Takes a request in. @throws Refusal 400 */
  add({ type, uuid }: Order): JsonObject {
    const { clock, random, services, records } = this.#world;
    const instance = type === 'TERMINATE' ? uuid : null;
    const serviceUuid = type === 'CREATE' ? uuid : records.serviceInstance(uuid)?.serviceUuid;
    if (serviceUuid === undefined || (type === 'CREATE' && services.find(uuid) === undefined)) {
      throw new Refusal(400, `No ${type} request was created`);
    }
    const id = random.uuid('gatekeeper.request', this.#made++);
    const { now } = clock;
    const request = {
      id,
      type,
      serviceUuid,
      status: 'NEW',
      instance,
      error: null,
      createdAt: now,
      updatedAt: now,
    } as const;
    this.#requests.set(id, request);
    if (this.#requests.size > MOST_REQUESTS) this.#forgetOldest();
    this.#schedule(MESSAGE_MS, { id, step: 'begin' });
    return render(request);
  }

  /** Those that have what is asked for, in order of creation. @throws Refusal 404 for what cannot be asked for */
  search(query: ReadonlyMap<string, string>): readonly JsonObject[] {
    const filters = [...query].filter(([key]) => key !== 'offset' && key !== 'limit');
    if (filters.some(([key]) => !FILTERS.has(key))) throw new Refusal(404, 'No requests were found');
    return [...this.#requests.values()]
      .map(render)
      .filter((request) => filters.every(([key, value]) => request[key] === value));
  }

  find(id: string): JsonObject | undefined {
    const request = this.#requests.get(id);
    return request && render(request);
  }

  readonly #steps: Readonly<Record<RequestEvent['step'], (request: ServiceRequest) => void>> = {
    begin: (request) => {
      if (request.type === 'CREATE') this.#create(request);
      else this.#terminate(request);
    },
    place: (request) => {
      if (request.status === 'INSTANTIATING' && this.#machinesOf(request).some(isUnplaced)) this.#giveUp(request);
    },
    fail: (request) => {
      if (request.status === 'INSTANTIATING') this.#giveUp(request);
    },
    deadline: (request) => {
      const { status, type } = request;
      if (status === 'INSTANTIATING') this.#giveUp(request);
      else if (status === 'TERMINATING' && type === 'TERMINATE')
        this.#change(request, 'ERROR', this.#troubles(request));
    },
  };

  #create(request: ServiceRequest): void {
    const { services, instances } = this.#world;
    const service = services.find(request.serviceUuid);
    if (service === undefined) {
      this.#change(request, 'ERROR', `there is no service ${request.serviceUuid}`);
      return;
    }
    try {
      const instance = instances.startService(service);
      this.#change({ ...request, instance: instance.uuid }, 'INSTANTIATING');
      this.#waiting.set(instance.uuid, request.id);
      this.#schedule(PLACEMENT_MS, { id: request.id, step: 'place' });
      this.#schedule(DEADLINE_MS, { id: request.id, step: 'deadline' });
      // What consists of nothing is ready.
      this.#follow(instance);
    } catch (error) {
      if (!(error instanceof NotInstantiated)) throw error;
      this.#change(request, 'ERROR', error.message);
    }
  }

  #terminate(request: ServiceRequest): void {
    const { records, instances } = this.#world;
    const instance = records.serviceInstance(request.instance ?? '');
    if (instance === undefined) {
      this.#change(request, 'ERROR', `there is no service instance ${request.instance}`);
      return;
    }
    if (records.revisionOf(instance).status === 'terminated') {
      this.#change(request, 'READY');
      return;
    }
    this.#change(request, 'TERMINATING');
    this.#waiting.set(instance.uuid, request.id);
    this.#schedule(DEADLINE_MS, { id: request.id, step: 'deadline' });
    instances.end(instance.uuid);
  }

  /** What a request waits for has come, or cannot come any more. */
  #follow(instance: ServiceInstance): void {
    const { uuid } = instance;
    const { status } = this.#world.records.revisionOf(instance);
    const request = this.#requests.get(this.#waiting.get(uuid) ?? '');
    if (request?.status === 'INSTANTIATING') {
      if (status === 'normal operation') this.#change(request, 'READY');
      // Not now: the cloud is in the middle of what has failed.
      else if (this.#isHopeless(uuid)) this.#schedule(0, { id: request.id, step: 'fail' });
    } else if (request?.status === 'TERMINATING' && status === 'terminated') this.#change(request, 'READY');
  }

  #isHopeless(instance: string): boolean {
    const { records } = this.#world;
    const parts = records.serviceInstance(instance)?.functionInstances ?? [];
    return parts.some((uuid) => HOPELESS.has(records.revisionOf({ uuid }).status));
  }

  /** Nothing of a service is left that could not be instantiated, but for the reason. */
  #giveUp(request: ServiceRequest): void {
    const { records, instances } = this.#world;
    const instance = records.serviceInstance(request.instance ?? '');
    const troubles = this.#troubles(request);
    this.#change(request, 'ERROR', troubles);
    if (instance === undefined) return;
    instances.end(instance.uuid);
    records.removeService(instance);
  }

  /** What keeps the machines of a request from running, or from ending. */
  #troubles(request: ServiceRequest): string {
    const troubled = this.#machinesOf(request).filter(({ state }) => state !== 'RUNNING');
    return troubled.map((vm) => `VM ${vm.id} is ${vm.state}${said(vm)}`).join('; ');
  }

  #machinesOf({ instance }: ServiceRequest): Vm[] {
    const { cloud, records } = this.#world;
    const parts = records.serviceInstance(instance ?? '')?.functionInstances ?? [];
    const ids = parts.flatMap((uuid) => records.functionInstance(uuid) ?? []).flatMap(vmIdsOf);
    return ids.flatMap((id) => cloud.vms.find(id) ?? []);
  }

  #change(request: ServiceRequest, status: RequestStatus, error: string | null = null): void {
    const { instance } = request;
    if (instance !== null && (status === 'READY' || status === 'ERROR')) this.#waiting.delete(instance);
    this.#requests.set(request.id, { ...request, status, error, updatedAt: this.#world.clock.now });
  }

  #forgetOldest(): void {
    for (const { id, status } of this.#requests.values()) {
      if (status !== 'READY' && status !== 'ERROR') continue;
      this.#requests.delete(id);
      return;
    }
  }
}

/** A part that is like this does not come up by itself. */
const HOPELESS: ReadonlySet<Status> = new Set<Status>(['failed', 'terminated']);

/** Whether the scheduler has looked for a host in vain. */
const isUnplaced = ({ state, userTemplate }: Vm): boolean => state === 'PENDING' && !!userTemplate.get('SCHED_MESSAGE');

/** What the cloud says of a machine that does not run. */
function said({ userTemplate }: Vm): string {
  const why = userTemplate.get('ERROR') || userTemplate.get('SCHED_MESSAGE');
  return why ? `: ${why}` : '';
}

const FILTERS: ReadonlySet<string> = new Set([
  'service_uuid',
  'service_instance_uuid',
  'status',
  'request_type',
  'created_at',
  'updated_at',
]);

const render = ({
  id,
  type,
  serviceUuid,
  status,
  instance,
  error,
  createdAt,
  updatedAt,
}: ServiceRequest): JsonObject => ({
  id,
  created_at: new Date(createdAt).toISOString(),
  updated_at: new Date(updatedAt).toISOString(),
  service_uuid: serviceUuid,
  status,
  request_type: type,
  service_instance_uuid: instance,
  began_at: new Date(createdAt).toISOString(),
  callback: null,
  error,
});

/** What a request asks for: a service to be instantiated, or a service instance to be ended. */
interface Order {
  readonly type: 'CREATE' | 'TERMINATE';
  readonly uuid: string;
}

/** By type: the key of what it is about, and what that is called. */
const SUBJECTS = {
  CREATE: ['service_uuid', 'Service UUID'],
  TERMINATE: ['service_instance_uuid', 'Service UUID'],
} as const;

/** What a body asks for. @throws Refusal 400 */
export function orderOf(body: Uint8Array): Order {
  const given = membersIn(body);
  if (given === undefined) throw new Refusal(400, 'Body of the request can not be empty');
  const type = given.request_type ?? 'CREATE';
  if (type === 'UPDATE') throw new Refusal(400, 'Request type UPDATE is not supported');
  if (type !== 'CREATE' && type !== 'TERMINATE') {
    throw new Refusal(400, `${(textOf(type) ?? 'It').slice(0, 100)} is not an acceptable type of request`);
  }
  const [key, label] = SUBJECTS[type];
  const uuid = given[key];
  if (typeof uuid !== 'string' || uuid === '') throw new Refusal(400, `${label} is missing`);
  return { type, uuid };
}
