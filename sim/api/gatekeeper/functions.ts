/** Functions, as lists and single answers show them to a caller. Mirrors `son-gtkapi`'s functions and licences. */
import type { Json, JsonObject } from '../../one/json.ts';
import { json, Refusal } from './answer.ts';
import { type Catalogue, isPrivate, onlyFields, withoutValuables } from './catalogue.ts';
import type { CatalogueElement } from './furnishing.ts';
import { linkHeader, pageOf, parsePaging } from './paging.ts';

/** A page of functions. @param url as requested; @param capped whether pages have a greatest length. @throws Refusal */
export function listFunctions(functions: Catalogue, url: string, caller: string, capped: boolean): Response {
  const at = url.indexOf('?');
  const [whole, search] = at < 0 ? [url, ''] : [url.slice(0, at), url.slice(at)];
  const query = new Map(new URLSearchParams(search));
  const paging = parsePaging(query, capped);
  const found = functions.search(query);
  const page = pageOf(found, paging).map((element) => listed(functions, element, caller));
  const count = query.get('version') === 'last' ? page.length : found.length;
  return json(reduced(page, query.get('fields')), {
    Link: linkHeader(whole, paging, found.length),
    'Record-Count': `${count}`,
  });
}

/** An element of a list, which also says what the caller may do with it. */
function listed(functions: Catalogue, element: CatalogueElement, caller: string): JsonObject {
  const licence = !isPrivate(element) ? 'public' : element.username === caller ? 'owned' : 'to buy';
  const descriptor = licence === 'to buy' ? withoutValuables(element.descriptor) : element.descriptor;
  return functions.render({ ...element, descriptor }, { user_licence: licence });
}

function reduced(page: readonly JsonObject[], fields: string | undefined): readonly Json[] {
  const names = (fields ?? '').split(',').filter((name) => name !== '');
  if (names.length === 0) return page;
  const kept = new Set(names);
  return page.map((element) => onlyFields(element, kept));
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89abAB][0-9a-f]{3}-[0-9a-f]{12}$/;

/** @throws Refusal */
export function getFunction(functions: Catalogue, uuid: string, caller: string): Response {
  if (!UUID.test(uuid)) throw new Refusal(404, `UUID ${uuid} not valid`);
  const element = functions.find(uuid);
  if (element === undefined) throw new Refusal(404, `Function ${uuid} not found`);
  requireLicence(element, caller);
  return json(functions.render(element), { 'Record-Count': '1' });
}

/** @throws Refusal 403 */
export function requireLicence(element: CatalogueElement, caller: string): void {
  if (!isPrivate(element) || element.username === caller) return;
  throw new Refusal(
    403,
    `Package/service/function ${element.uuid} is private, not owned and not licensed to user ${caller}`,
  );
}
