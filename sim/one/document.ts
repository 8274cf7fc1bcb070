/** Documents: generic typed objects, in which others keep their state. All types share one pool. Mirrors `Document.h` of OpenNebula 6.10. */
import { authorize, newPermissions, type Owned } from './access/acl.ts';
import type { Caller } from './access/user.ts';
import type { Cloud } from './cloud.ts';
import { OneError } from './error.ts';
import { StoredDocument } from './flow/stored-document.ts';
import { IdList } from './id-list.ts';
import { tooLong } from './name.ts';
import { type Kind, listed, ownedOperations, reach, updateTemplate } from './owned.ts';
import { parseTemplate } from './parse.ts';
import type { Template } from './syntax/syntax.ts';

/** The types in use. oned itself accepts any number. */
export const DOCUMENT_TYPES = { service: 100, serviceTemplate: 101, serverlessRuntime: 1337 } as const;

export interface Document extends Owned {
  readonly type: number;
  /** Attributes; OneFlow and the Provisioning Engine keep JSON text in BODY. */
  template: Template;
}

const DOCUMENTS: Kind<Document> = { type: 'DOCUMENT', pool: (cloud) => cloud.documents, unique: 'none' };

/**
 * Whether a name comes out of XML as it went in. A server that keeps documents of its own writes name and body into XML;
 * where oned would read there what it wrote, it gives the template as such, and nothing has to be written and read again.
 */
export const isPlainInXml = (name: string): boolean => /^(?! )[ -%'-;=?-~]+(?<! )$/.test(name);

function allocate(cloud: Cloud, caller: Caller, text: string | Template, type: number): number {
  const template = typeof text === 'string' ? parseTemplate(text, 'INTERNAL') : text;
  authorize(cloud, caller, { right: 'CREATE', type: 'DOCUMENT' });
  return create(cloud, caller, template, type).id;
}

/** The name is an attribute NAME of the template, which then loses it. @throws OneError INTERNAL */
function create(cloud: Cloud, caller: Caller, template: Template, type: number): Document {
  const name = template.get('NAME') ?? '';
  if (tooLong(name)) throw new OneError('INTERNAL', 'NAME is too long; max length is 128 chars.');
  // The name goes into the document's XML as it is.
  if (/[&<]/.test(name)) throw new OneError('INTERNAL', 'Error transforming the Document to XML.');
  template.remove('NAME');
  const { uid, gid } = caller;
  const permissions = newPermissions(cloud, caller);
  const document = cloud.documents.add(
    (id) =>
      new StoredDocument({ id, type, uid, gid, name: name === '' ? `document-${id}` : name, permissions, template }),
  );
  const ofType = cloud.documentTypes.get(type) ?? new IdList();
  cloud.documentTypes.set(type, ofType);
  ofType.add(document.id);
  return document;
}

function info(cloud: Cloud, caller: Caller, id: number): Document {
  return reach(cloud, caller, DOCUMENTS, id, 'USE', true);
}

function update(cloud: Cloud, caller: Caller, id: number, text: string | Template, type = 0): number {
  updateTemplate(reach(cloud, caller, DOCUMENTS, id, 'MANAGE'), text, type);
  return id;
}

function remove(cloud: Cloud, caller: Caller, id: number): number {
  const document = cloud.documents.get(id);
  authorize(cloud, caller, { right: 'MANAGE', type: 'DOCUMENT', object: document });
  cloud.documents.delete(id);
  cloud.documentTypes.get(document.type)?.delete(id);
  cloud.acl.forgetObject('DOCUMENT', id);
  return id;
}

function clone(cloud: Cloud, caller: Caller, id: number, name: string): number {
  const source = cloud.documents.get(id);
  authorize(cloud, caller, { right: 'USE', type: 'DOCUMENT', object: source }, { right: 'CREATE', type: 'DOCUMENT' });
  const template = source.template.clone();
  template.set('NAME', name);
  try {
    return create(cloud, caller, template, source.type).id;
  } catch (error) {
    if (!(error instanceof OneError)) throw error;
    throw new OneError('ALLOCATE', `Error allocating a new document. ${error.message}`);
  }
}

function poolInfo(cloud: Cloud, caller: Caller, filter: number, start: number, end: number, type: number): Document[] {
  const ids = cloud.documentTypes.get(type) ?? new IdList();
  return listed(cloud, caller, cloud.documents, 'DOCUMENT', { filter, start, end, ids });
}

const owned = ownedOperations(DOCUMENTS);

export const DOCUMENT_OPERATIONS = {
  'one.document.allocate': allocate,
  'one.document.info': info,
  'one.document.update': update,
  'one.document.delete': remove,
  'one.document.clone': clone,
  'one.document.chmod': owned.chmod,
  'one.document.chown': owned.chown,
  'one.document.rename': owned.rename,
  'one.document.lock': owned.lock,
  'one.document.unlock': owned.unlock,
  'one.documentpool.info': poolInfo,
} as const;
