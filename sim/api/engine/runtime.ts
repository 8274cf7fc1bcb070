/**
 * A runtime: a document of OpenNebula whose BODY refers to a service, and what each of its functions has become.
 * Mirrors `ServerlessRuntime` of the Provisioning Engine 1.3.3: `get`, `sync`, `update`, `to_sr`.
 */
import { remembered } from '../../kernel/remembered.ts';
import { DOCUMENT_TYPES, type Document } from '../../one/document.ts';
import { SERVICE_STATES, type Service } from '../../one/flow/service.ts';
import type { Vm } from '../../one/vm/vm.ts';
import { GeneratorError, generateJson, generateObject, type Hash, parseJson, type Value } from '../ruby-json.ts';
import type { EngineConfig } from './config.ts';
import type { Deviations } from './deviations.ts';
import { Declined, type OpenNebula, orCrash, titled } from './opennebula.ts';
import { Crash, Refusal, refusal } from './refusal.ts';
import { functionState } from './state.ts';

/** What one request works with. */
export interface Engine {
  readonly one: OpenNebula;
  readonly config: EngineConfig;
  readonly deviations: Deviations;
}

export interface Runtime {
  readonly document: Document;
  /** As it was when the document was read. */
  name: string;
  readonly body: Hash;
}

/** The functions a runtime may have, in the order they are handled; also the names of the service's roles. */
export const FUNCTIONS = ['FAAS', 'DAAS'] as const;
export type FunctionName = (typeof FUNCTIONS)[number];

export const VM_TITLE = 'Serverless Runtime Function VM';

/** Where the wait for VMs ends, whatever time-out above it is configured. */
const LAST_TRY = 30;

/** Reads a runtime and brings it up to date with its VMs. @throws Refusal, Crash */
export async function read(engine: Engine, id: bigint): Promise<Runtime> {
  const document = readDocument(engine.one, id);
  const runtime = { document, name: document.name, body: bodyOf(document) };
  await synchronise(engine, runtime.body);
  if (engine.deviations.has('get-writes')) store(engine.one, runtime);
  return runtime;
}

function readDocument(one: OpenNebula, id: bigint): Document {
  const title = 'Failed to read Serverless Runtime Document';
  if (id > 0x7fffffffn || id < -0x80000000n) {
    throw refusal(500, title, 'Integer is too big! Must be signed 32-bit integer!');
  }
  try {
    const document = one.oned('one.document.info', Number(id));
    if (document.type === DOCUMENT_TYPES.serverlessRuntime) return document;
  } catch (error) {
    if (!(error instanceof Declined)) throw error;
    if (error.status !== 404) throw refusal(error.status, title, error.message);
  }
  throw notFound();
}

/** What a client is told of an id that names no runtime. */
export const notFound = (): Refusal => refusal(404, 'Serverless Runtime not found', '');

function bodyOf(document: Document): Hash {
  const text = document.template.get('BODY');
  const body = text === undefined ? null : parsed(text);
  if (!(body instanceof Map)) throw new Crash(`document ${document.id} has no body`);
  return copyOf(body) as Hash;
}

/** A client asks for the same runtime over and over: its body is parsed once, and copied to be worked on. */
const parsed = remembered((text): Value => {
  try {
    return parseJson(text);
  } catch {
    return null;
  }
});

function copyOf(value: Value): Value {
  if (Array.isArray(value)) return value.map(copyOf);
  if (!(value instanceof Map)) return value;
  const copy: Hash = new Map();
  for (const [key, member] of value) copy.set(key, copyOf(member));
  return copy;
}

/** Writes the body back. @throws Crash where it is refused */
export function store(one: OpenNebula, { document, body }: Runtime): void {
  const text = written(() => generateJson(body));
  const unchanged = document.template.get('BODY') === text;
  // To append nothing asks for the same right, and says the same to oned as to write once more what stands there.
  if (unchanged) orCrash(() => one.oned('one.document.update', document.id, '', APPEND));
  else
    orCrash(() => one.oned('one.document.update', document.id, `<TEMPLATE>${bodyElement(text)}</TEMPLATE>`, REPLACE));
}

const [REPLACE, APPEND] = [0, 1];

/** The body as the attribute of a document, as `DocumentJSON` writes it. */
export const bodyElement = (json: string): string => `<BODY><![CDATA[${json}]]></BODY>`;

/** The answer: name and id, then the body; a client's own ID comes back besides. */
export const render = ({ document, name, body }: Runtime): string => {
  const entries: [string, Value][] = [['NAME', name], ['ID', BigInt(document.id)], ...body];
  return `{"SERVERLESS_RUNTIME":${written(() => generateObject(entries, 2))}}`;
};

/** @throws Crash where Ruby cannot write it as JSON */
export function written(write: () => string): string {
  try {
    return write();
  } catch (error) {
    if (error instanceof GeneratorError) throw new Crash(error.message);
    throw error;
  }
}

/** Waits until each role of the service has its VMs, and writes what they are into the functions of the body. */
export async function synchronise(engine: Engine, body: Hash): Promise<void> {
  const { one, config, deviations } = engine;
  const serviceId = idOf(body.get('SERVICE_ID'));
  const shortEnds = !deviations.has('short-timeout-zero');
  const last = shortEnds ? Math.min(LAST_TRY, config.timeout) : LAST_TRY;
  let log: Value = [];
  for (let turn = 1; turn <= config.timeout && turn !== last; turn++) {
    const service = serviceOf(one, serviceId);
    if (service.body.roles.every((role) => role.nodes.length >= role.cardinality)) {
      for (const role of service.body.roles) {
        const node = role.nodes[0];
        const target = body.get(role.name);
        if (node === undefined || !(target instanceof Map)) throw new Crash(`role ${role.name} has no VM or function`);
        const vm = orCrash(() => one.oned('one.vm.info', Number(node.vm_info.VM.ID)));
        describe(target, vm, deviations);
      }
      return;
    }
    log = serviceLog(service);
    await one.cloud.clock.sleep(1000, `VMs of service ${serviceId}`);
  }
  // Upstream's loop then gives the number it ran from, 1; its bit 0 is taken for the status and its bit 1 for the body.
  if (config.timeout < last) throw new Refusal(500, 0n);
  throw refusal(504, `OpenNebula did not create VMs for the Serverless Runtime Service ${serviceId}`, log);
}

function serviceOf(one: OpenNebula, id: number): Service {
  return titled(`Failed to read Serverless Runtime Service ${id}`, () =>
    one.flow((flow, caller) => flow.info(caller, id)),
  );
}

export const hasFailed = (service: Service): boolean => (SERVICE_STATES[service.body.state] ?? '').includes('FAILED');

export const serviceLog = (service: Service): Value[] =>
  (service.body.log ?? []).map(
    ({ timestamp, severity, message }) =>
      new Map<string, Value>([
        ['timestamp', BigInt(timestamp)],
        ['severity', severity],
        ['message', message],
      ]),
  );

/** An id in a body; upstream asks OpenNebula for what it finds there. */
export function idOf(value: Value | undefined): number {
  if (typeof value !== 'bigint') throw new Crash('an id is missing from the document');
  return Number(value);
}

/** The VM of a function; one with an empty flavour has none, or whatever a client has written there. */
export function vmIdOf({ body }: Runtime, name: FunctionName): number | undefined {
  const fields = body.get(name);
  const id = fields instanceof Map ? fields.get('VM_ID') : undefined;
  return typeof id === 'bigint' ? Number(id) : undefined;
}

/** Tells a function what there is to know of its VM, new keys in this order. */
function describe(fields: Hash, vm: Vm, deviations: Deviations): void {
  const state = functionState(vm);
  fields.set('VM_ID', BigInt(vm.id));
  fields.set('STATE', state);
  if (state === 'ERROR') fields.set('ERROR', vm.template.get('ERROR') ?? 'No VM Error from Cloud Edge Manager');
  const { cpu, memory } = capacity(vm, deviations);
  fields.set('CPU', cpu);
  fields.set('MEMORY', memory);
  fields.set('DISK_SIZE', BigInt(diskSize(vm)));
  fields.set('ENDPOINT', endpoint(vm));
}

function capacity(vm: Vm, deviations: Deviations): { readonly cpu: bigint; readonly memory: bigint } {
  const before = vm.work?.kind === 'resize' ? vm.work : undefined;
  const now = before ?? vm;
  if (before === undefined || !deviations.has('capacity-run-together')) {
    return { cpu: BigInt(now.vcpu ?? 0), memory: BigInt(now.memoryMiB) };
  }
  // Upstream takes the text of all elements of the name: in RESIZE, which keeps the old values, and in TEMPLATE, in its order.
  return {
    cpu: BigInt(`${before.vcpu ?? ''}${vm.vcpu ?? ''}`),
    memory: BigInt(`${vm.memoryMiB}${before.memoryMiB}`),
  };
}

export const diskSize = (vm: Vm): number => vm.disks.find((disk) => disk.id === 0)?.sizeMiB ?? 0;

/** The first of these that the first NIC has. */
const ADDRESSES = ['EXTERNAL_IP', 'IP6', 'IP'] as const;

function endpoint(vm: Vm): string {
  const nic = vm.nics.find(({ id }) => id === 0);
  if (nic === undefined) return '';
  const leased = { EXTERNAL_IP: null, IP6: nic.ip6, IP: nic.ip };
  for (const name of ADDRESSES) {
    const address = leased[name] ?? nic.given?.get(name) ?? nic.source.get(name);
    if (address !== undefined) return address;
  }
  return '';
}
