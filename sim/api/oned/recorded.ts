/**
 * For tests: the cloud of the recordings, furnished over the wire from an empty one, and a client that sends what was
 * sent when they were made. Ids, times, addresses and what chance decides are mapped; all else must be the same.
 */
import { Judge } from '../../faults/judge.ts';
import { Clock } from '../../kernel/clock.ts';
import { Journal } from '../../kernel/journal.ts';
import { Random } from '../../kernel/random.ts';
import { Metrics } from '../../metrics/metrics.ts';
import { CLOUD_DEFAULTS, Cloud } from '../../one/cloud.ts';
import { TIMINGS, type Timing } from '../../one/timing.ts';
import { type Recording, recordedLines } from '../recording.ts';
import { onedApi } from './api.ts';
import { decodeAnswer, encodeCall, type Value } from './xmlrpc.ts';

type Bodied<T> = T & { readonly body: string };

export interface RecordedCall extends Recording {
  readonly request: Bodied<Recording['request']>;
  readonly response: Bodied<Recording['response']>;
  readonly rpc: { readonly method: string; readonly args: readonly unknown[]; readonly auth: string };
}

export const recordings = (file: string): ReadonlyMap<string, RecordedCall> =>
  new Map(recordedLines<RecordedCall>(file).map((recording) => [recording.case, recording]));

export const ONEADMIN = 'oneadmin:opennebula';

/** A day between the scheduler's rounds, so that it places nothing. */
export const UNSCHEDULED: Timing = { ...TIMINGS.fast, schedulerIntervalMs: 86_400_000 };

/** A second after a minute in which no probe looks at hosts: what they see is not what was recorded. */
export const RECORDED_EPOCH_MS = Date.UTC(2026, 10, 21, 21, 1, 1);

function emptyCloud(): Cloud {
  const clock = new Clock(RECORDED_EPOCH_MS);
  const random = new Random(1);
  const journal = new Journal(clock);
  const ground = { clock, random, journal, judge: new Judge(clock, journal, random) };
  return new Cloud(ground, { ...CLOUD_DEFAULTS, timing: UNSCHEDULED });
}

/** A cloud, as a fresh OpenNebula is unless it is given, and a client of its XML-RPC. */
export class Wire {
  readonly cloud: Cloud;
  readonly metrics: Metrics;
  /** Our ids for those of the recordings. */
  readonly documents = new Map<number, number>();
  readonly vms = new Map<number, number>();
  readonly #door: (request: Request) => Response | Promise<Response>;

  /** @param door what answers in place of the API alone, such as a simulator around the cloud */
  constructor(cloud = emptyCloud(), door?: (request: Request) => Promise<Response>) {
    this.cloud = cloud;
    this.metrics = new Metrics(cloud.random, cloud);
    const app = onedApi({ cloud: this.cloud, metrics: this.metrics, bodyLimit: 1_000_000 });
    this.#door = door ?? ((request) => app.fetch(request, { cause: cloud.journal.append('request', request.url) }));
  }

  async send(method: string, path: string, body: string | Uint8Array): Promise<Response> {
    const init = method === 'POST' || method === 'PUT' ? { method, body } : { method };
    return this.#door(new Request(`http://localhost${path}`, init));
  }

  /** What a method returns. @throws Error with what is refused */
  async call(session: string, method: string, ...params: Value[]): Promise<Value> {
    const response = await this.send('POST', '/RPC2', encodeCall({ method, params: [session, ...params] }));
    const answer = decodeAnswer(await response.text());
    if (!Array.isArray(answer) || answer[0] !== true) throw new Error(`${method}: ${JSON.stringify(answer, asText)}`);
    return answer[1] as Value;
  }

  /** As {@link call}, for oneadmin and a method that returns an id. */
  async admin(method: string, ...params: Value[]): Promise<number> {
    return Number(await this.call(ONEADMIN, method, ...params));
  }

  /** Sends what was sent when it was recorded, and gives what is answered beside what was. */
  async play({ rpc, request, response }: RecordedCall): Promise<{ answered: Answer; recorded: Answer }> {
    const body = rpc.method === '' ? request.body : this.#ours(rpc.method, request.body);
    const answer = await this.send(request.method, request.path, body);
    const answered = {
      status: answer.status,
      type: answer.headers.get('Content-type'),
      body: timeless(await answer.text()),
    };
    this.#learn(rpc.method, response.body, answered.body);
    const type = response.headers.find(([name]) => name === 'Content-type')?.[1] ?? null;
    const recorded = { status: response.status, type, body: timeless(this.#translated(rpc.method, response.body)) };
    return { answered, recorded };
  }

  #idsOf(method: string): ReadonlyMap<number, number> {
    return /^one\.document/.test(method) ? this.documents : this.vms;
  }

  /** The recorded request with our ids. */
  #ours(method: string, body: string): string {
    const ids = this.#idsOf(method);
    if (!/^one\.(document|vm)\w*\./.test(method)) return body;
    let isFirst = true;
    return body.replace(/<int>(\d+)<\/int>|<string>(\d+),(\d+)<\/string>/g, (all, id, one, other) => {
      if (one !== undefined)
        return `<string>${ids.get(Number(one)) ?? one},${ids.get(Number(other)) ?? other}</string>`;
      const ours = isFirst && !method.includes('pool') ? (ids.get(Number(id)) ?? id) : undefined;
      isFirst = false;
      return ours === undefined ? all : `<int>${ours}</int>`;
    });
  }

  /** What was made has an id of its own here. */
  #learn(method: string, recorded: string, answered: string): void {
    if (!/\.(allocate|instantiate|clone)$/.test(method)) return;
    const [theirs, ours] = [recorded, answered].map((body) => /<boolean>1<[\s\S]*?<i4>(\d+)</.exec(body)?.[1]);
    if (theirs === undefined || ours === undefined) return;
    const ids = /^one\.document/.test(method) ? this.documents : this.vms;
    ids.set(Number(theirs), Number(ours));
  }

  /** The recorded answer with our ids. */
  #translated(method: string, body: string): string {
    const of = (ids: ReadonlyMap<number, number>) => (all: string, before: string, id: string, after: string) =>
      ids.has(Number(id)) ? `${before}${ids.get(Number(id))}${after}` : all;
    const vm = of(this.vms);
    const object = of(this.#idsOf(method));
    const translated = body
      .replace(/(&lt;OID&gt;|&lt;VMID&gt;&lt;!\[CDATA\[|&lt;TARGET&gt;&lt;!\[CDATA\[one-|vm-)(\d+)(\b)/g, vm)
      .replace(/( \[| VM )(\d+)(\b)/g, object);
    if (/<boolean>0/.test(body)) return translated.replace(/(<i4>)(\d+)(<\/i4>)/g, object);
    if (/^one\.(document|vm)|instantiate/.test(method)) {
      return translated
        .replace(/(&lt;(?:DOCUMENT|VM)&gt;&lt;ID&gt;)(\d+)(\b)/g, object)
        .replace(/(<value><i4>)(\d+)(<\/i4>)/, object);
    }
    return translated.replace(/&lt;VMS&gt;.*?&lt;\/VMS&gt;/g, (list) => list.replace(/(ID&gt;)(\d+)(\b)/g, vm));
  }
}

interface Answer {
  readonly status: number;
  readonly type: string | null;
  readonly body: string;
}

const asText = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value);

/** What differs from one run of a real oned to the next. */
function timeless(body: string): string {
  return body
    .replace(/at line \d+/g, 'at line N')
    .replace(/\b1[78]\d{8}\b/g, 'TIME')
    .replace(/\b[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}/g, 'CTIME')
    .replace(/(REQUEST_ID|REQ_ID)&gt;\d+/g, '$1&gt;N')
    .replace(/10\.0\.0\.\d+/g, 'IP')
    .replace(/02:00:0a:00:00:[0-9a-f]{2}/g, 'MAC')
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'UUID')
    .replace(/\borahost(\d)/g, 'host$1')
    .replace(/(TOKEN_PASSWORD&gt;&lt;!\[CDATA\[)[0-9a-f]{64}/g, '$1SECRET')
    .replace(/(serveradmin&lt;\/NAME&gt;&lt;PASSWORD&gt;&lt;!\[CDATA\[)[0-9a-f]{64}/g, '$1SECRET');
}

// ---- furnishing ---------------------------------------------------------------------------------------------------

const DISK = 'DISK=[IMAGE_ID=0]';
const NIC = 'NIC=[NETWORK_ID=0]';
const CONTEXT = 'CONTEXT=[NETWORK=YES]';
const SSH_CONTEXT = 'CONTEXT=[NETWORK=YES, SSH_PUBLIC_KEY="$USER[SSH_PUBLIC_KEY]"]';
const CAPACITY = 'CPU=0.1 MEMORY=128';

const VM_TEMPLATES = [
  ['Function-vm', `${CAPACITY} ${DISK} ${NIC} ${SSH_CONTEXT}`],
  ['Data-vm', `${CAPACITY} ${DISK} ${NIC} ${SSH_CONTEXT}`],
  ['Fail-vm', `${CAPACITY} DISK=[IMAGE_ID=9999] ${NIC} ${SSH_CONTEXT}`],
  ['Deny-vm', `${CAPACITY} ${DISK} ${NIC} ${SSH_CONTEXT}`],
  ['NoDisk-vm', `${CAPACITY} ${CONTEXT}`],
  ['NoContextNoNic-vm', `${CAPACITY} ${DISK}`],
  ['Sized', `${CAPACITY} DISK=[IMAGE_ID=0, SIZE=300] ${NIC} ${CONTEXT}`],
  ['TwoDisk', `${CAPACITY} ${DISK} DISK=[TYPE=fs, SIZE=50, FORMAT=ext4] ${NIC} ${CONTEXT}`],
  ['Vcpu4', `CPU=0.5 VCPU=4 MEMORY=512 VCPU_MAX=5 MEMORY_MAX=600 ${DISK} ${NIC} ${CONTEXT}`],
  ['NoMem', `CPU=0.1 MEMORY=0 ${DISK}`],
  ['Ready', `${CAPACITY} ${DISK} ${NIC} CONTEXT=[NETWORK=YES, REPORT_READY=YES]`],
  ['Net6', `${CAPACITY} ${DISK} NIC=[NETWORK_ID=1] ${CONTEXT}`],
  ['NetX', `${CAPACITY} ${DISK} NIC=[NETWORK_ID=2] ${CONTEXT}`],
  ['BadNet', `${CAPACITY} ${DISK} NIC=[NETWORK_ID=777] ${CONTEXT}`],
] as const;

const VNETS = [
  'NAME=fnet VN_MAD=dummy BRIDGE=br0 AR=[TYPE=IP4, IP="10.0.0.1", SIZE=200]',
  'NAME=fnet6 VN_MAD=dummy BRIDGE=br1 AR=[TYPE=IP4_6, IP="10.6.0.1", SIZE=50, GLOBAL_PREFIX="2001:db8::"]',
  'NAME=fnetx VN_MAD=dummy BRIDGE=br2 EXTERNAL_IP="198.51.100.7" AR=[TYPE=IP4, IP="10.7.0.1", SIZE=50]',
];

const USABLE_BY_ALL = [1, 1, 0, 1, 0, 0, 1, 0, 0];

const SERVICE_TEMPLATE = 101;

/** The cloud of the recordings, made by an administrator from an empty one with nothing but XML-RPC. */
export async function furnishedWire(wire = new Wire()): Promise<Wire> {
  for (const name of ['tester', 'other', 'nodocs']) await wire.admin('one.user.allocate', name, `${name}pass`, '', []);
  for (const name of ['host0', 'host1']) await wire.admin('one.host.allocate', name, 'dummy', 'dummy', -1);
  const image = await wire.admin('one.image.allocate', 'NAME=fimg TYPE=DATABLOCK SIZE=200 DEV_PREFIX=vd', 1);
  await wire.admin('one.image.chmod', image, ...USABLE_BY_ALL);
  for (const text of VNETS) {
    await wire.admin('one.vn.chmod', await wire.admin('one.vn.allocate', text, -1), ...USABLE_BY_ALL);
  }
  for (const [name, text] of VM_TEMPLATES) {
    const id = await wire.admin('one.template.allocate', `NAME="${name}" ${text}`);
    if (name !== 'Deny-vm') await wire.admin('one.template.chmod', id, ...USABLE_BY_ALL);
  }
  return wire;
}

/** A service template as `one.documentpool.info` showed it. */
export interface ShownTemplate {
  readonly recordedId: number;
  readonly name: string;
  /** TEMPLATE, in XML. */
  readonly template: string;
}

/**
 * The service templates of the recordings, oldest first, usable by all.
 * @param make makes one and gives its id: here as a document, as OneFlow itself does it
 */
export async function furnishServiceTemplates(
  wire: Wire,
  documentPool: RecordedCall,
  make = (shown: ShownTemplate): Promise<number> => asDocument(wire, shown),
): Promise<void> {
  const shown = decodeAnswer(documentPool.response.body);
  const pool = Array.isArray(shown) ? String(shown[1]) : '';
  const documents = [...pool.matchAll(/<ID>(\d+)<\/ID>.*?<NAME>(.*?)<\/NAME>.*?(<TEMPLATE>.*?<\/TEMPLATE>)/g)];
  for (const [, recorded = '', name = '', template = ''] of documents.reverse()) {
    const id = await make({ recordedId: Number(recorded), name, template });
    await wire.admin('one.document.chmod', id, ...USABLE_BY_ALL);
    wire.documents.set(Number(recorded), id);
  }
}

function asDocument(wire: Wire, { name, template }: ShownTemplate): Promise<number> {
  const text = template.replace('<TEMPLATE>', `<TEMPLATE><NAME>${name}</NAME>`);
  return wire.admin('one.document.allocate', text, SERVICE_TEMPLATE);
}
