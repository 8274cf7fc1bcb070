/** Service templates: documents of type 101, whose BODY says which roles a service has. Mirrors `service_template.rb` of OneFlow 6.10. */

import type { Caller } from '../access/user.ts';
import type { Cloud } from '../cloud.ts';
import { DOCUMENT_TYPES, isPlainInXml } from '../document.ts';
import type { Modes } from '../owned.ts';
import { Template } from '../syntax/syntax.ts';
import { FlowCrash, FlowError, passedOn } from './flow-error.ts';
import { contains, copyJson, isObject, type Json, type JsonObject } from './json.ts';
import { validateTemplate } from './service-schema.ts';
import { StoredDocument } from './stored-document.ts';

/** A role as the template describes it; other keys are kept and copied. */
export interface RoleTemplate extends JsonObject {
  name: string;
  cardinality: number;
  /** Id of the VM template. */
  vm_template: number;
}

export interface ServiceTemplateBody extends JsonObject {
  name: string;
  roles: RoleTemplate[];
}

/** A document of type 101 in `cloud.documents`. */
export type ServiceTemplate = StoredDocument & {
  readonly body: ServiceTemplateBody;
};

type FlowType = 'service' | 'serviceTemplate';

/** Ids travel to oned as 32-bit integers. */
const MAX_ID = 2 ** 31 - 1;

/**
 * A document of OneFlow, if the caller may use it. oned does not look at the type; its client does, afterwards.
 * @throws FlowError
 */
export function flowDocument(cloud: Cloud, caller: Caller, type: FlowType, id: number): StoredDocument {
  if (id > MAX_ID || id < -MAX_ID - 1) throw new FlowError(500, 'Integer is too big! Must be signed 32-bit integer!');
  const document = asked(() => cloud.run(caller, 'one.document.info', id));
  if (document.type !== DOCUMENT_TYPES[type] || !(document instanceof StoredDocument)) {
    throw new FlowError(500, `[DocumentInfo] Error getting document [${id}].`);
  }
  return document;
}

/** Those that the caller may use, newest first. @throws FlowError */
export function flowDocuments(cloud: Cloud, caller: Caller, type: FlowType): StoredDocument[] {
  const documents = asked(() => cloud.run(caller, 'one.documentpool.info', -2, -1, -1, DOCUMENT_TYPES[type]));
  return documents.filter((document) => document instanceof StoredDocument);
}

/** OneFlow writes the name into XML as it is, and the body into a CDATA section: whether oned reads there what was meant. */
export const isPlainBody = (body: NamedBody): boolean => isPlainInXml(body.name) && !contains(body, ']]>');

type NamedBody = JsonObject & { readonly name: string };

/** @param plain of {@link isPlainBody} @throws FlowError */
export function createFlowDocument(
  cloud: Cloud,
  caller: Caller,
  type: FlowType,
  body: NamedBody,
  plain = isPlainBody(body),
): StoredDocument {
  const { name } = body;
  const number = DOCUMENT_TYPES[type];
  const text = plain
    ? new Template([{ name: 'NAME', value: name }])
    : `<TEMPLATE><NAME>${name}</NAME><BODY><![CDATA[${JSON.stringify(body)}]]></BODY></TEMPLATE>`;
  const id = asked(() => cloud.run(caller, 'one.document.allocate', text, number));
  const document = cloud.documents.get(id);
  if (!(document instanceof StoredDocument)) throw new Error(`document ${id} has no place for a body`);
  document.body = body;
  return document;
}

/** Runs a call; what oned refuses becomes OneFlow's answer. */
export function asked<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw passedOn(error);
  }
}

// ---- operations ---------------------------------------------------------------------------------------------------

export const serviceTemplates = (cloud: Cloud, caller: Caller): ServiceTemplate[] =>
  flowDocuments(cloud, caller, 'serviceTemplate').filter(isReadable);

export function serviceTemplate(cloud: Cloud, caller: Caller, id: number): ServiceTemplate {
  const document = flowDocument(cloud, caller, 'serviceTemplate', id);
  if (!isReadable(document)) throw new FlowCrash("undefined method `[]' for nil:NilClass");
  return document;
}

/** What others have written through oned may be anything. */
function isReadable(document: StoredDocument): document is ServiceTemplate {
  const roles = document.body?.roles;
  return Array.isArray(roles) && roles.every(isObject);
}

/** @throws FlowError 400 for what the schema forbids */
export function createServiceTemplate(cloud: Cloud, caller: Caller, given: Json): ServiceTemplate {
  const body = validateTemplate(given, 400);
  body.registration_time = cloud.seconds;
  const { id } = createFlowDocument(cloud, caller, 'serviceTemplate', body);
  return serviceTemplate(cloud, caller, id);
}

/** @param read gives the new body; asked for only when the template is there */
export function updateServiceTemplate(
  cloud: Cloud,
  caller: Caller,
  id: number,
  read: () => Json,
  append = false,
): ServiceTemplate {
  const template = serviceTemplate(cloud, caller, id);
  const given = read();
  if (!isObject(given)) throw new FlowCrash('no implicit conversion of String into Integer');
  const registered = template.body.registration_time ?? null;
  if (!append) given.registration_time ??= registered;
  if ((given.registration_time ?? null) !== (append ? null : registered)) {
    throw new FlowError(500, 'Immutable value: `service_template/registration_time` can not be changed');
  }
  const body = validateTemplate(append ? { ...template.body, ...given } : given, 400);
  writeBody(cloud, caller, template, body);
  return serviceTemplate(cloud, caller, id);
}

/** Replaces the body, with the right that oned asks for. */
function writeBody(cloud: Cloud, caller: Caller, document: StoredDocument, body: JsonObject): void {
  asked(() => cloud.run(caller, 'one.document.update', document.id, '', 0));
  document.body = body;
}

/** @param extent what goes with it: `none`, its VM `templates`, or `all`: also their images */
export function deleteServiceTemplate(cloud: Cloud, caller: Caller, id: number, extent: string): void {
  if (extent !== 'none') {
    for (const vmTemplate of new Set(serviceTemplate(cloud, caller, id).body.roles.map((role) => role.vm_template))) {
      asked(() => cloud.run(caller, 'one.template.info', vmTemplate));
      if (extent !== 'templates' && extent !== 'all') throw new FlowError(500, 'Wrong type NilClass. Not allowed!');
      asked(() => cloud.run(caller, 'one.template.delete', vmTemplate, extent === 'all'));
    }
  }
  flowDocument(cloud, caller, 'serviceTemplate', id);
  asked(() => cloud.run(caller, 'one.document.delete', id));
}

/** The longest name a VM template's copy gets. */
const COPY_NAME = 119;

/** Any extent but `none` copies the VM templates too, once each. */
export function cloneServiceTemplate(
  cloud: Cloud,
  caller: Caller,
  id: number,
  name: string | undefined,
  extent: string,
): ServiceTemplate {
  flowDocument(cloud, caller, 'serviceTemplate', id);
  if (name === undefined) throw new FlowError(500, 'Wrong type NilClass. Not allowed!');
  const copyId = asked(() => cloud.run(caller, 'one.document.clone', id, name));
  const copy = serviceTemplate(cloud, caller, copyId);
  const body = copyJson(copy.body);
  body.registration_time = cloud.seconds;
  copy.body = body;
  if (extent === 'none') return copy;
  const copies = new Map<number, number>();
  try {
    for (const role of body.roles) {
      const original = role.vm_template;
      const known = copies.get(original);
      role.vm_template = known ?? cloneVmTemplate(cloud, caller, original, name, extent === 'all');
      copies.set(original, role.vm_template);
    }
  } catch (error) {
    // The copy itself stays, as in OneFlow; it still names the originals.
    copy.body = {
      ...copyJson(serviceTemplate(cloud, caller, id).body),
      registration_time: cloud.seconds,
    };
    for (const made of copies.values()) asked(() => cloud.run(caller, 'one.template.delete', made, extent === 'all'));
    throw error;
  }
  return copy;
}

function cloneVmTemplate(cloud: Cloud, caller: Caller, id: number, name: string, images: boolean): number {
  const original = asked(() => cloud.run(caller, 'one.template.info', id)).name;
  const whole = `${original}-${name}`;
  const copied =
    whole.length > COPY_NAME ? `${original.slice(0, Math.max(0, COPY_NAME - name.length + 1))}-${name}` : whole;
  return asked(() => cloud.run(caller, 'one.template.clone', id, copied, images));
}

/** The modes of an octal text such as `640`, one digit each for owner, group and others. */
export function modesOf(octet: string): Modes {
  const bits = [0, 1, 2].flatMap((i) => {
    const digit = Number.parseInt(octet.charAt(i), 10) || 0;
    return [4, 2, 1].map((bit) => ((digit & bit) === 0 ? 0 : 1));
  });
  return bits as Modes;
}
