/** What the catalogue holds, as lists and single answers show it to a caller. Mirrors `son-gtkapi`'s functions, services, packages and licences. */
import type { Json, JsonObject } from '../../one/flow/json.ts';
import { json, Refusal } from './answer.ts';
import { type Catalogue, isPrivate, onlyFields } from './catalogue.ts';
import type { CatalogueElement } from './furnishing.ts';
import { type Listing, pageOf } from './paging.ts';

/** An element as it is shown. */
type Show = (element: CatalogueElement) => JsonObject;

/** A page of elements. */
export function listElements(catalogue: Catalogue, { query, paging, headers }: Listing, show: Show): Response {
  const found = catalogue.search(query);
  const page = pageOf(found, paging).map(show);
  const count = query.get('version') === 'last' ? page.length : found.length;
  return json(reduced(page, query.get('fields')), headers(found.length, count));
}

/** How an element of a list is shown that also says what the caller may do with it. */
export const withLicence =
  (catalogue: Catalogue, caller: string): Show =>
  (element) => {
    const licence = !isPrivate(element) ? 'public' : element.username === caller ? 'owned' : 'to buy';
    const descriptor = licence === 'to buy' ? catalogue.withoutValuables(element.descriptor) : element.descriptor;
    return catalogue.render({ ...element, descriptor }, { user_licence: licence });
  };

function reduced(page: readonly JsonObject[], fields: string | undefined): readonly Json[] {
  const names = (fields ?? '').split(',').filter((name) => name !== '');
  if (names.length === 0) return page;
  const kept = new Set(names);
  return page.map((element) => onlyFields(element, kept));
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89abAB][0-9a-f]{3}-[0-9a-f]{12}$/;

/** @throws Refusal 404 */
export function requireUuid(text = ''): string {
  if (!UUID.test(text)) throw new Refusal(404, `UUID ${text} not valid`);
  return text;
}

/** @throws Refusal */
export function elementOf(catalogue: Catalogue, uuid: string, caller: string): CatalogueElement {
  const element = catalogue.find(uuid);
  if (element === undefined) throw new Refusal(404, `${catalogue.noun} ${uuid} not found`);
  requireLicence(element, caller);
  return element;
}

/** @throws Refusal 403 */
export function requireLicence(element: CatalogueElement, caller: string): void {
  if (!isPrivate(element) || element.username === caller) return;
  throw new Refusal(
    403,
    `Package/service/function ${element.uuid} is private, not owned and not licensed to user ${caller}`,
  );
}
