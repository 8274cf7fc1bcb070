/** The cloud of the recordings, for tests: what `fixtures/golden/oneflow.ndjson` was made on, and a client of its OneFlow. */
import { callerOf } from '../../one/access/user.ts';
import type { Cloud } from '../../one/cloud.ts';
import { isObject, type Json, type JsonObject } from '../../one/flow/json.ts';
import { ROLE_STATES, type Service, serviceState } from '../../one/flow/service.ts';
import { createServiceTemplate } from '../../one/flow/service-template.ts';
import { addHost } from '../../one/resources/host.ts';
import { freshCloud } from '../../one/testing.ts';
import { TIMINGS } from '../../one/timing.ts';
import { type Recording, recordedLines } from '../recording.ts';
import { oneflowApi } from './api.ts';

export const RECORDINGS: ReadonlyMap<string, Recording> = new Map(
  recordedLines('oneflow.ndjson').map((recording) => [recording.case, recording]),
);

/** Time that passes where the recordings waited for a VM or a service to settle. */
const A_WHILE_MS = 5_000;

const VM_TEMPLATES = 14;

/** Service templates of the recordings: id there, name, VM templates of its roles. */
const TEMPLATES = [
  [0, 'Function', 0],
  [1, 'Function-Data', 0, 1],
  [2, 'nature', 0],
  [3, 'FAILED_DEPLOY', 2],
  [4, 'DenyVMTemplate', 3],
  [5, 'NoDisk', 4],
  [6, 'NoContext', 5],
  [30, 'Sized', 6],
  [31, 'TwoDisk', 7],
  [32, 'Vcpu4', 8],
  [33, 'NoMem', 9],
  [34, 'Ready', 10],
  [35, 'Net6', 11],
  [36, 'NetX', 12],
  [37, 'BadNet', 13],
] as const;

/** What the recordings made first: a template whose services cannot reserve their network. */
const FAILING_NETWORK = JSON.parse(RECORDINGS.get('st_create_failed_net')?.request.body ?? 'null') as Json;

/** The scheduler looks every second, and every driver action takes half of one. */
export const RECORDED_TIMING = { ...TIMINGS.fast, schedulerIntervalMs: 1_000 };

type Door = (path: string, init: RequestInit) => Promise<Response>;

function doorOf(cloud: Cloud): Door {
  const app = oneflowApi({ cloud, maxBodyBytes: 1_000_000 });
  return async (path, init) => app.request(path, init);
}

/** The cloud, a client of it, and which of its ids stand for those of the recordings. */
export class RecordedCloud {
  readonly cloud: Cloud;
  readonly documents: Map<number, number>;
  readonly vms = new Map<number, number>();
  readonly #door: Door;

  /**
   * @param documents our ids of the service templates, by those of the recordings
   * @param door what answers in place of the API alone, such as a simulator around the cloud
   */
  constructor(cloud: Cloud, documents = new Map<number, number>(), door = doorOf(cloud)) {
    this.cloud = cloud;
    this.documents = documents;
    this.#door = door;
  }

  /** Made without a detour over any protocol. */
  static furnished(): RecordedCloud {
    const cloud = freshCloud(RECORDED_TIMING);
    const made = new RecordedCloud(cloud);
    const { root } = cloud;
    for (const name of ['host0', 'host1']) addHost(cloud, { name, imMad: 'dummy', vmMad: 'dummy' });
    cloud.run(root, 'one.image.allocate', 'NAME=fimg TYPE=DATABLOCK SIZE=200 DEV_PREFIX=vd', 1);
    cloud.run(root, 'one.image.chmod', 0, 1, 1, 0, 1, 0, 0, 1, 0, 0);
    cloud.run(root, 'one.vn.allocate', 'NAME=fnet VN_MAD=dummy BRIDGE=br0 AR=[TYPE=IP4, IP="10.0.0.1", SIZE=200]', -1);
    made.wait();
    for (let id = 0; id < VM_TEMPLATES; id++) {
      const disk = id === 2 ? 9999 : 0;
      const text = `NAME=vm-${id} CPU=0.1 MEMORY=128 DISK=[IMAGE_ID=${disk}] NIC=[NETWORK_ID=0] CONTEXT=[NETWORK=YES]`;
      cloud.run(root, 'one.template.allocate', text);
      cloud.run(root, 'one.template.chmod', id, 1, 1, 0, 1, 0, 0, 1, 0, 0);
    }
    for (const [id, name, ...vmTemplates] of TEMPLATES) {
      const roles = vmTemplates.map((template, i) => ({
        name: i === 0 ? 'FAAS' : 'DAAS',
        cardinality: 1,
        vm_template: template,
      }));
      made.#publish(id, { name, deployment: 'straight', roles });
    }
    made.#publish(158, FAILING_NETWORK);
    return made;
  }

  #publish(recordedId: number, body: Json): void {
    const { root } = this.cloud;
    const { id } = createServiceTemplate(this.cloud, root, body);
    this.cloud.run(root, 'one.document.chmod', id, 1, 1, 0, 1, 0, 0, 1, 0, 0);
    this.documents.set(recordedId, id);
  }

  /** Sends what was sent when it was recorded, and gives what is answered beside what was. */
  async play(name: string): Promise<{ answered: Answer; recorded: Answer }> {
    const recording = RECORDINGS.get(name);
    if (recording === undefined) throw new Error(`no recording is called ${name}`);
    const { method, path, headers, body } = recording.request;
    const mapped = path.replace(
      /^(\/service(?:_template)?\/)(\d+)/,
      (_all, route, id) => `${route}${this.#ours(Number(id))}`,
    );
    const init = { method, headers: new Headers(headers.map(([k, v]): [string, string] => [k, v])) };
    const response = await this.#door(mapped, body === undefined ? init : { ...init, body });
    const { status } = response;
    const text = await response.text();
    const html = recording.response.html !== undefined;
    const document = documentOf(text);
    const recordedDocument = documentOf(recording.response.body ?? '');
    if (recordedDocument !== undefined && document !== undefined) {
      this.documents.set(Number(recordedDocument.ID), Number(document.ID));
      for (const [i, id] of nodesOf(recordedDocument).entries()) this.vms.set(id, nodesOf(document)[i] ?? -1);
    }
    return {
      answered: { status, headers: sorted([...response.headers]), body: html ? 'HTML' : timeless(text) },
      recorded: {
        status: recording.response.status,
        headers: sorted(recording.response.headers.map(([k, v]) => [k.toLowerCase(), v])),
        body: html ? 'HTML' : timeless(this.#translated(recording.response.body ?? '')),
      },
    };
  }

  /** Sends an action that was not recorded as such. Gives the answer's status and body. */
  async send(method: string, path: string, body?: Json, user = 'tester:testerpass'): Promise<[number, string]> {
    const headers = { Authorization: `Basic ${Buffer.from(user).toString('base64')}` };
    const init = { method, headers };
    const response = await this.#door(path, body === undefined ? init : { ...init, body: JSON.stringify(body) });
    return [response.status, await response.text()];
  }

  /** A service of the tester's own template, made now and given the id of the recordings. */
  async instantiate(recordedId: number, template: Json): Promise<Service> {
    const tester = callerOf(this.cloud, 2);
    const made = createServiceTemplate(this.cloud, tester, template);
    const { service } = this.cloud.flow.instantiate(tester, made.id);
    this.documents.set(recordedId, service.id);
    return service;
  }

  /** As {@link instantiate}, of a template of the cloud. */
  deploy(recordedId: number, templateName = 'Function'): Service {
    const tester = callerOf(this.cloud, 2);
    const template = this.cloud.flow.templates(tester).find(({ name }) => name === templateName);
    const { service } = this.cloud.flow.instantiate(tester, template?.id ?? -1);
    this.documents.set(recordedId, service.id);
    return service;
  }

  /** Lets VMs and services settle. */
  wait(ms = A_WHILE_MS): void {
    this.cloud.clock.advanceNow(ms);
  }

  #ours(id: number): number {
    return this.documents.get(id) ?? id;
  }

  /** The recorded answer with our ids in place of its own. */
  #translated(text: string): string {
    const vm = (id: string): string => String(this.vms.get(Number(id)) ?? id);
    const document = (id: string): string => String(this.#ours(Number(id)));
    return text
      .replace(/("ID": ")(\d+)("(?:,\s+"\w+": "[^"]*")+,\s+"TYPE": "10[01]")/g, (_a, b, id, c) => b + document(id) + c)
      .replace(
        /("deploy_id": )(\d+)(,\s+"vm_info": \{\s+"VM": \{\s+"ID": ")(\d+)/g,
        (_a, b, id, c) => b + vm(id) + c + vm(id),
      )
      .replace(/(\(service_|Can't scale service |document \[|DOCUMENT \[)(\d+)/g, (_a, b, id) => b + document(id))
      .replace(/( VM \[| VM )(\d+)/g, (_a, b, id) => b + vm(id));
  }
}

interface Answer {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
}

const sorted = (headers: readonly (readonly [string, string])[]): (readonly [string, string])[] =>
  headers.map(([k, v]) => [k, v] as const).sort(([a], [b]) => (a < b ? -1 : 1));

/** Times differ from run to run. */
const timeless = (text: string): string => text.replace(/"(timestamp|start_time|registration_time)": \d+/g, '"$1": 0');

function documentOf(text: string): JsonObject | undefined {
  if (!text.startsWith('{\n  "DOCUMENT": ')) return undefined;
  const { DOCUMENT } = JSON.parse(text) as { DOCUMENT: JsonObject };
  return DOCUMENT;
}

function nodesOf({ TEMPLATE }: JsonObject): number[] {
  const body = isObject(TEMPLATE) && isObject(TEMPLATE.BODY) ? TEMPLATE.BODY : {};
  const roles = Array.isArray(body.roles) ? body.roles.filter(isObject) : [];
  return roles.flatMap(({ nodes }) =>
    Array.isArray(nodes) ? nodes.filter(isObject).map((n) => Number(n.deploy_id)) : [],
  );
}

/** A service in a line, as the timelines show it: `RUNNING [FAAS:RUNNING:1/1]`. */
export function inALine(cloud: Cloud, id: number): string {
  const service = cloud.documents.find(id) as Service | undefined;
  if (service === undefined) return 'GONE';
  const roles = service.body.roles.map(
    (role) => `${role.name}:${ROLE_STATES[role.state]}:${role.nodes.length}/${role.cardinality}`,
  );
  return `${serviceState(service)} [${roles.join(' ')}]`;
}
