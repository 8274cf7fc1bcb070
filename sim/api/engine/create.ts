/** The creation of a runtime: a service from the template of its flavours, its VMs, and a document. Mirrors `ServerlessRuntime.create`. */
import { DOCUMENT_TYPES } from '../../one/document.ts';
import type { JsonObject } from '../../one/flow/json.ts';
import type { ServiceTemplate } from '../../one/flow/service-template.ts';
import type { Hash, Value } from '../ruby-json.ts';
import { Body } from './body.ts';
import { abandonService, destroyService } from './delete.ts';
import { roleContents, userTemplate } from './extra-template.ts';
import { Declined, orCrash, titled } from './opennebula.ts';
import { Refusal, refusal } from './refusal.ts';
import { asDocument, type Engine, FUNCTIONS, hasFailed, type Runtime, serviceLog, synchronise } from './runtime.ts';
import { validated } from './validate.ts';

/** @throws Refusal, Crash */
export async function create(engine: Engine, specification: Value): Promise<Runtime> {
  const wanted = validated(engine, specification);
  const serviceId = await instantiate(engine, wanted);
  let body = described(wanted, serviceId);
  try {
    body = await synchronise(engine, body);
  } catch (error) {
    const late = error instanceof Refusal && error.status === 504;
    if (late && !engine.deviations.has('post-504-leaves-service')) await abandonService(engine, serviceId);
    throw error;
  }
  return allocate(engine, wanted.get('NAME'), body, serviceId);
}

/** What the document keeps of what was asked for, and with which service: its name is the document's. */
function described(wanted: Hash, serviceId: number): Body {
  const members: Hash = new Map();
  for (const [key, value] of wanted) if (key !== 'NAME') members.set(key, value);
  return new Body(members.set('SERVICE_ID', BigInt(serviceId)));
}

const SERVICE = 'Serverless Runtime Service';

async function instantiate(engine: Engine, body: Hash): Promise<number> {
  const { one } = engine;
  const templates = titled('Failed to get list of service templates', () =>
    one.flow((flow, caller) => flow.templates(caller)),
  );
  if (templates.length === 0) {
    throw refusal(403, 'User requesting Serverless Runtime creation has no flow templates available for use', '');
  }
  const tuple = tupleOf(body);
  const template = templates.find(({ name }) => name === tuple);
  if (template === undefined) throw noSuchTuple(engine, body, tuple);
  const merge: JsonObject = { roles: roles(engine, body, template) };
  const { service } = titled(`Failed to create ${SERVICE}`, () =>
    one.flow((flow, caller) => flow.instantiate(caller, template.id, merge)),
  );
  const now = titled(`Failed to read ${SERVICE}`, () => one.flow((flow, caller) => flow.info(caller, service.id)));
  if (!hasFailed(now)) return now.id;
  const message = serviceLog(now);
  const left = await destroyService(engine, now.id);
  if (left !== null) message.push(`Failed to delete ${SERVICE} ${now.id}`, left.message);
  throw refusal(500, `${SERVICE} ${now.id} entered FAILED state after creation`, message);
}

type Members = Pick<Hash, 'get'>;

/** The flavours, which are also the name of the service template. */
function tupleOf(body: Members): string {
  const [faas, daas] = FUNCTIONS.map((name) => flavour(body, name));
  return daas ? `${faas}-${daas}` : `${faas}`;
}

function flavour(body: Members, name: string): string {
  const wanted = body.get(name);
  const value = wanted instanceof Map ? wanted.get('FLAVOUR') : undefined;
  return typeof value === 'string' ? value : '';
}

function noSuchTuple({ deviations }: Engine, body: Hash, tuple: string): Refusal {
  const message: Hash = new Map([['FAAS', body.get('FAAS') ?? null]]);
  const echoed = deviations.has('daas-copy-of-faas') ? 'FAAS' : 'DAAS';
  if (body.has('DAAS')) message.set('DAAS', body.get(echoed) ?? null);
  return refusal(422, `Cannot find a valid service template for the specified flavours: ${tuple}`, message);
}

/** What is merged into the roles of the service template: each role's contents. */
function roles({ one, config }: Engine, body: Hash, { id, body: { roles } }: ServiceTemplate): JsonObject[] {
  const user = `${userTemplate(body)}FLAVOURS="${id}"`;
  const merged: JsonObject[] = [];
  for (const name of FUNCTIONS) {
    const wanted = body.get(name);
    if (!(wanted instanceof Map) || flavour(body, name) === '') continue;
    for (const role of roles.filter((candidate) => candidate.name === name)) {
      const { template } = titled(`Failed to read VM Template for Function ${name}`, () =>
        one.oned('one.template.info', role.vm_template),
      );
      merged.push({ name, vm_template_contents: roleContents(wanted, template, one.session, config.capacity, user) });
    }
  }
  return merged;
}

async function allocate(engine: Engine, given: Value | undefined, body: Body, serviceId: number): Promise<Runtime> {
  const { one } = engine;
  // A draw of its own for each service, so that no other runtime's name depends on this one's.
  const name =
    typeof given === 'string' ? given : `${tupleOf(body)}_${one.cloud.random.uuid('engine.name', serviceId)}`;
  const text = asDocument(body.text, name);
  let id: number;
  try {
    id = one.oned('one.document.allocate', text, DOCUMENT_TYPES.serverlessRuntime);
  } catch (error) {
    if (!(error instanceof Declined)) throw error;
    const left = await destroyService(engine, serviceId);
    const more = left === null ? '' : `Failed to delete ${SERVICE} ${serviceId}${left.message}`;
    throw refusal(error.status, 'Failed to create Serverless Runtime Document', error.message + more);
  }
  const document = orCrash(() => one.oned('one.document.info', id));
  return { document, name: document.name, body };
}
