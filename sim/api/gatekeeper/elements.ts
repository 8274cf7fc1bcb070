/** What the catalogue holds, as lists and single answers show it to a caller. Mirrors `son-gtkapi`'s functions, services, packages and licences. */
import type { JsonObject } from '../../one/flow/json.ts';
import { jsonText, Refusal } from './answer.ts';
import { type Catalogue, isPrivate, onlyFields } from './catalogue.ts';
import type { CatalogueElement } from './furnishing.ts';
import type { Licences } from './licences.ts';
import { type Listing, pageOf } from './paging.ts';

/** An element as lists show it. */
export class Shown {
  readonly value: JsonObject;
  #text: string | undefined;

  constructor(value: JsonObject) {
    this.value = value;
  }

  /** Written when it is first asked for. */
  get text(): string {
    this.#text ??= JSON.stringify(this.value);
    return this.#text;
  }
}

type Show = (element: CatalogueElement) => Shown;

/** A page of elements. */
export function listElements(catalogue: Catalogue, { query, paging, headers }: Listing, show: Show): Response {
  const found = catalogue.search(query);
  const page = pageOf(found, paging).map(show);
  const count = query.get('version') === 'last' ? page.length : found.length;
  return jsonText(`[${page.map(written(query.get('fields'))).join(',')}]`, headers(found.length, count));
}

/** How an element of a list is shown that also says what the caller may do with it. */
export function withLicence(catalogue: Catalogue, licences: Held): (caller: string) => Show {
  /** By licence. Elements do not change, and are asked for over and over. */
  const known = new WeakMap<CatalogueElement, Map<string, Shown>>();
  const shown = (element: CatalogueElement, licence: string): Shown => {
    const descriptor = licence === 'to buy' ? catalogue.withoutValuables(element.descriptor) : element.descriptor;
    return new Shown(catalogue.render({ ...element, descriptor }, { user_licence: licence }));
  };
  return (caller) => (element) => {
    const licence = licenceOf(element, caller, licences);
    const byLicence = known.get(element) ?? new Map<string, Shown>();
    known.set(element, byLicence);
    const one = byLicence.get(licence) ?? shown(element, licence);
    byLicence.set(licence, one);
    return one;
  };
}

/** Who has licences. */
type Held = Pick<Licences, 'has'>;

function licenceOf(element: CatalogueElement, caller: string, licences: Held): string {
  if (!isPrivate(element)) return 'public';
  if (element.username === caller) return 'owned';
  return licences.has(caller, element.uuid) ? 'licensed' : 'to buy';
}

/** How elements are written: all of each, unless fields are named. */
function written(fields = ''): (shown: Shown) => string {
  const names = fields.split(',').filter((name) => name !== '');
  if (names.length === 0) return ({ text }) => text;
  const kept = new Set(names);
  return ({ value }) => JSON.stringify(onlyFields(value, kept));
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89abAB][0-9a-f]{3}-[0-9a-f]{12}$/;

export const isUuid = (text: string): boolean => UUID.test(text);

/** @throws Refusal 404 */
export function requireUuid(text = ''): string {
  if (!isUuid(text)) throw new Refusal(404, `UUID ${text} not valid`);
  return text;
}

/** @throws Refusal */
export function elementOf(catalogue: Catalogue, uuid: string, caller: string, licences: Held): CatalogueElement {
  const element = catalogue.find(uuid);
  if (element === undefined) throw new Refusal(404, `${catalogue.noun} ${uuid} not found`);
  requireLicence(element, caller, licences);
  return element;
}

/** @throws Refusal 403 */
export function requireLicence(element: CatalogueElement, caller: string, licences: Held): void {
  if (licenceOf(element, caller, licences) !== 'to buy') return;
  throw new Refusal(
    403,
    `Package/service/function ${element.uuid} is private, not owned and not licensed to user ${caller}`,
  );
}
