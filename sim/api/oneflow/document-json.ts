/** Documents of OneFlow as it prints them: oned's XML turned into JSON, so all but BODY are texts. Mirrors `DocumentJSON` and `to_hash` of OpenNebula's Ruby binding. */
import type { Cloud } from '../../one/cloud.ts';
import type { Json, JsonObject } from '../../one/flow/json.ts';
import type { StoredDocument } from '../../one/flow/stored-document.ts';

const PERMISSIONS = ['OWNER', 'GROUP', 'OTHER'].flatMap((who) => ['U', 'M', 'A'].map((right) => `${who}_${right}`));

/** @param body shown instead of the document's own */
export function documentJson(cloud: Cloud, document: StoredDocument, body = document.body): JsonObject {
  const { id, uid, gid, name, type, permissions, lock } = document;
  const bit = (i: number): string => String((permissions >> (8 - i)) & 1);
  return {
    ID: String(id),
    UID: String(uid),
    GID: String(gid),
    UNAME: cloud.users.find(uid)?.name ?? '',
    GNAME: cloud.groups.find(gid)?.name ?? '',
    NAME: name,
    TYPE: String(type),
    PERMISSIONS: Object.fromEntries(PERMISSIONS.map((key, i) => [key, bit(i)])),
    ...(lock === null
      ? {}
      : {
          LOCK: {
            LOCKED: String(lock.level),
            OWNER: String(lock.owner),
            TIME: String(lock.time),
            REQ_ID: String(lock.requestId),
          },
        }),
    TEMPLATE: { ...otherAttributes(document), ...(body === undefined ? {} : { BODY: body }) },
  };
}

/** What others have written beside BODY. An empty element has no text, so it becomes an empty object. */
function otherAttributes(document: StoredDocument): JsonObject {
  if (document.isLive) return {};
  const others: JsonObject = {};
  for (const { name, value } of document.template) {
    if (name === 'BODY') continue;
    const shown: Json = typeof value === 'string' ? value || {} : Object.fromEntries(value);
    const before = others[name];
    others[name] = before === undefined ? shown : Array.isArray(before) ? [...before, shown] : [before, shown];
  }
  return others;
}

export const poolJson = (cloud: Cloud, documents: readonly StoredDocument[]): JsonObject => ({
  DOCUMENT_POOL: documents.length === 0 ? {} : { DOCUMENT: documents.map((document) => documentJson(cloud, document)) },
});
