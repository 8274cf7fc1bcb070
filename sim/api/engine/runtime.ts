/**
 * A runtime: a document of OpenNebula whose BODY refers to a service, and what each of its functions has become.
 * Mirrors `ServerlessRuntime` of the Provisioning Engine 1.3.3: `get`, `sync`, `update`, `to_sr`.
 */
import { type Soon, whenThere } from '../../kernel/soon.ts';
import { DOCUMENT_TYPES, type Document, isPlainInXml } from '../../one/document.ts';
import { SERVICE_STATES, type Service } from '../../one/flow/service.ts';
import { Template } from '../../one/syntax/syntax.ts';
import type { Vm } from '../../one/vm/vm.ts';
import { generateJson, type Value } from '../ruby-json.ts';
import { type Body, bodyIn, withMembers, written } from './body.ts';
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
  body: Body;
}

/** The functions a runtime may have, in the order they are handled; also the names of the service's roles. */
export const FUNCTIONS = ['FAAS', 'DAAS'] as const;
export type FunctionName = (typeof FUNCTIONS)[number];

export const VM_TITLE = 'Serverless Runtime Function VM';

/** Where the wait for VMs ends, whatever time-out above it is configured. */
const LAST_TRY = 30;

/** Reads a runtime and brings it up to date with its VMs. @throws Refusal, Crash */
export function read(engine: Engine, id: bigint): Soon<Runtime> {
  const document = readDocument(engine.one, id);
  return whenThere(synchronise(engine, bodyOf(document)), (body) => {
    const runtime = { document, name: document.name, body };
    if (engine.deviations.has('get-writes')) store(engine.one, runtime);
    return runtime;
  });
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

function bodyOf(document: Document): Body {
  const text = document.template.get('BODY');
  const body = text === undefined ? null : bodyIn(text);
  if (body === null) throw new Crash(`document ${document.id} has no body`);
  return body;
}

/** The body as it stands there now, whoever has written it. @throws Crash where it may not be read */
export const stored = (one: OpenNebula, { document }: Runtime): Body =>
  bodyOf(orCrash(() => one.oned('one.document.info', document.id)));

/** Writes the body back. @throws Crash where it is refused */
export function store(one: OpenNebula, { document, body }: Runtime): void {
  const { id, template } = document;
  // Most often it stands there already.
  const content = template.get('BODY') === body.text ? template : asDocument(body.text);
  orCrash(() => one.oned('one.document.update', id, content, REPLACE));
}

const REPLACE = 0;

/** The body, and with it a name, as `DocumentJSON` writes it into XML; or what oned reads there, where that is the same. */
export function asDocument(json: string, name?: string): Template | string {
  if ((name === undefined || isPlainInXml(name)) && !NEEDS_XML.test(json)) {
    const body = { name: 'BODY', value: json };
    return new Template(name === undefined ? [body] : [body, { name: 'NAME', value: name }]);
  }
  const element = name === undefined ? '' : `<NAME>${name}</NAME>`;
  return `<TEMPLATE>${element}<BODY><![CDATA[${json}]]></BODY></TEMPLATE>`;
}

/** What ends a CDATA section, and the only characters that JSON does not escape and XML does not know. */
const NEEDS_XML = /]]>|[\ufffe\uffff]/;

/** The answer: name and id, then the body; a client's own ID comes back besides. */
export const render = ({ document, name, body }: Runtime): string =>
  `{"SERVERLESS_RUNTIME":{"NAME":${written(() => generateJson(name))},"ID":${document.id},${body.shown}}}`;

/** Waits until each role of the service has its VMs, and gives the body whose functions say what these are. */
export function synchronise(engine: Engine, body: Body, turn = 1, log: Value = []): Soon<Body> {
  const { one, config, deviations } = engine;
  const serviceId = idOf(body.get('SERVICE_ID'));
  const shortEnds = !deviations.has('short-timeout-zero');
  const last = shortEnds ? Math.min(LAST_TRY, config.timeout) : LAST_TRY;
  if (turn > config.timeout || turn === last) {
    // Upstream's loop then gives the number it ran from, 1; its bit 0 is taken for the status and its bit 1 for the body.
    if (config.timeout < last) throw new Refusal(500, 0n);
    throw refusal(504, `OpenNebula did not create VMs for the Serverless Runtime Service ${serviceId}`, log);
  }
  const service = serviceOf(one, serviceId);
  if (service.body.roles.some((role) => role.nodes.length < role.cardinality)) {
    const seen = serviceLog(service);
    const later = one.cloud.clock.sleep(1000, `VMs of service ${serviceId}`);
    return later.then(() => synchronise(engine, body, turn + 1, seen));
  }
  return service.body.roles.reduce((described, role) => {
    const node = role.nodes[0];
    const target = described.get(role.name);
    if (node === undefined || !(target instanceof Map)) throw new Crash(`role ${role.name} has no VM or function`);
    const vm = orCrash(() => one.oned('one.vm.info', Number(node.vm_info.VM.ID)));
    return described.with([role.name, withMembers(target, whatIsKnown(vm, deviations))]);
  }, body);
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

/** What there is to know of the VM of a function, new keys in this order. */
function whatIsKnown(vm: Vm, deviations: Deviations): readonly (readonly [string, Value])[] {
  const state = functionState(vm);
  const { cpu, memory } = capacity(vm, deviations);
  const error = vm.template.get('ERROR') ?? 'No VM Error from Cloud Edge Manager';
  return [
    ['VM_ID', BigInt(vm.id)],
    ['STATE', state],
    ...(state === 'ERROR' ? [['ERROR', error] as const] : []),
    ['CPU', cpu],
    ['MEMORY', memory],
    ['DISK_SIZE', BigInt(diskSize(vm))],
    ['ENDPOINT', endpoint(vm)],
  ];
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
