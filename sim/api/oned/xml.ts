/**
 * How oned writes XML: elements with nothing between them, values in CDATA sections, fields plain. Names are not
 * escaped. Mirrors `PoolObjectSQL.cc`, `Template.cc` and `ObjectCollection.cc` of OpenNebula 6.10.
 */
import type { Owned } from '../../one/access/acl.ts';
import type { Cloud } from '../../one/cloud.ts';
import type { Attribute, Template } from '../../one/syntax/syntax.ts';
import type { Pieces } from './xmlrpc.ts';

/** An element with a plain value, or with elements inside. */
export const element = (name: string, inner: string | number): string => `<${name}>${inner}</${name}>`;

/** An element with a value in a CDATA section. */
export function cdata(name: string, value: string | number): string {
  const [before, after] = TAGS.get(name) ?? tagsOf(name);
  return before + value + after;
}

/** What stands around the values of an element. Few names make up almost all documents. */
const TAGS = new Map<string, readonly [before: string, after: string]>();
const TAGS_KEPT = 1000;

function tagsOf(name: string): readonly [before: string, after: string] {
  const tags = [`<${name}><![CDATA[`, `]]></${name}>`] as const;
  if (TAGS.size < TAGS_KEPT) TAGS.set(name, tags);
  return tags;
}

/** As {@link cdata}, closing itself when there is no value. */
export const cdataOrNothing = (name: string, value: string): string =>
  value === '' ? `<${name}/>` : cdata(name, value);

/** A set of ids, in order. */
export function ids(name: string, set: Iterable<number>): string {
  let inner = '';
  for (const id of [...set].sort((a, b) => a - b)) inner += `<ID>${id}</ID>`;
  return element(name, inner);
}

/** All objects of a pool, `<X_POOL>…</X_POOL>`, each of which is written when its turn comes. */
export const pool = <T>(name: string, objects: Iterable<T>, show: (object: T) => string): Pieces => ({
  pieces: poolPieces(`${name}_POOL`, objects, show),
});

function* poolPieces<T>(name: string, objects: Iterable<T>, show: (object: T) => string): Generator<string> {
  yield `<${name}>`;
  for (const object of objects) yield show(object);
  yield `</${name}>`;
}

/** A vector attribute: an element a pair. */
export function vector(name: string, pairs: Iterable<readonly [name: string, value: string]>): string {
  let inner = '';
  for (const [key, value] of pairs) inner += cdata(key, value);
  return element(name, inner);
}

export const attribute = ({ name, value }: Attribute): string =>
  typeof value === 'string' ? cdata(name, value) : vector(name, value);

export function templateXml(template: Template, name = 'TEMPLATE'): string {
  let inner = '';
  for (const each of template) inner += attribute(each);
  return element(name, inner);
}

/** ID to NAME of an object that belongs to someone. */
export function heading(cloud: Cloud, { id, uid, gid, name }: Owned): string {
  const [user, group] = [cloud.users.find(uid)?.name ?? '', cloud.groups.find(gid)?.name ?? ''];
  return `<ID>${id}</ID><UID>${uid}</UID><GID>${gid}</GID><UNAME>${user}</UNAME><GNAME>${group}</GNAME><NAME>${name}</NAME>`;
}

const MODES = ['OWNER_U', 'OWNER_M', 'OWNER_A', 'GROUP_U', 'GROUP_M', 'GROUP_A', 'OTHER_U', 'OTHER_M', 'OTHER_A'];

/** PERMISSIONS by the nine bits: there are 512. */
const PERMISSIONS = Array.from({ length: 0o1000 }, (_, bits) =>
  element('PERMISSIONS', MODES.map((mode, i) => element(mode, (bits >> (8 - i)) & 1)).join('')),
);

export const permissions = ({ permissions: bits }: Owned): string => PERMISSIONS[bits] ?? '';

/** LOCK, while there is one. */
export function lock({ lock: held }: Owned): string {
  if (held === null) return '';
  const { level, owner, time, requestId } = held;
  return element(
    'LOCK',
    element('LOCKED', level) + element('OWNER', owner) + element('TIME', time) + element('REQ_ID', requestId),
  );
}
