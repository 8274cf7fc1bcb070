/** The catalogue: what has been uploaded of one kind, and how it is searched. Mirrors `son-catalogue-repos`, API v2. */
import { isObject, type Json, type JsonObject, put } from '../../one/flow/json.ts';
import type { CatalogueElement, Descriptor } from './furnishing.ts';

/** By the key of the descriptor in an envelope: what an element is called, and what of it has to be bought. */
const KINDS = {
  vnfd: {
    noun: 'Function',
    valuable: ['connection_points', 'monitoring_rules', 'virtual_deployment_units', 'virtual_links'],
  },
  nsd: {
    noun: 'Service',
    valuable: [
      'connection_points',
      'forwarding_graphs',
      'virtual_links',
      'service_specific_managers',
      'network_functions',
    ],
  },
  pd: { noun: 'Package', valuable: [] },
} as const satisfies Record<string, { noun: string; valuable: readonly string[] }>;

type Kind = keyof typeof KINDS;

/** Parameters of a list that are no filters. */
const NO_FILTERS: ReadonlySet<string> = new Set(['offset', 'limit', 'fields']);

/** Keys of the envelope that can be filtered by. Any other key is one of the descriptor. */
const ENVELOPE_KEYS: ReadonlySet<string> = new Set([
  'uuid',
  'status',
  'signature',
  'md5',
  'created_at',
  'updated_at',
  'username',
]);

export class Catalogue {
  readonly #kind: Kind;
  /** In order of insertion. */
  #elements: readonly CatalogueElement[];
  #byUuid: Map<string, CatalogueElement>;
  #byTrio: Map<string, CatalogueElement>;

  constructor(kind: Kind, elements: readonly CatalogueElement[]) {
    this.#kind = kind;
    this.#elements = elements;
    this.#byUuid = new Map(elements.map((element) => [element.uuid, element]));
    this.#byTrio = new Map(elements.map((element) => [keyOf(element.descriptor), element]));
  }

  state(): readonly CatalogueElement[] {
    return this.#elements;
  }

  /** In the place of all that it holds. */
  restore(elements: readonly CatalogueElement[]): void {
    this.#elements = elements;
    this.#byUuid = new Map(elements.map((element) => [element.uuid, element]));
    this.#byTrio = new Map(elements.map((element) => [keyOf(element.descriptor), element]));
  }

  /** What an element is called in messages. */
  get noun(): string {
    return KINDS[this.#kind].noun;
  }

  get elements(): readonly CatalogueElement[] {
    return this.#elements;
  }

  find(uuid: string): CatalogueElement | undefined {
    return this.#byUuid.get(uuid);
  }

  /** The element with the same vendor, name and version. */
  named(trio: Trio): CatalogueElement | undefined {
    return this.#byTrio.get(keyOf(trio));
  }

  add(element: CatalogueElement): void {
    this.#elements = [...this.#elements, element];
    this.#byUuid.set(element.uuid, element);
    this.#byTrio.set(keyOf(element.descriptor), element);
  }

  remove(element: CatalogueElement): void {
    this.#elements = this.#elements.filter(({ uuid }) => uuid !== element.uuid);
    this.#byUuid.delete(element.uuid);
    this.#byTrio.delete(keyOf(element.descriptor));
  }

  /** What passes every filter in a query string, in order of insertion; with `version=last` the newest of each name. */
  search(query: ReadonlyMap<string, string>): readonly CatalogueElement[] {
    const newest = query.get('version') === 'last';
    const filters = [...query].filter(([key]) => !NO_FILTERS.has(key) && !(newest && key === 'version'));
    const found = this.#elements.filter((element) =>
      filters.every(([key, wanted]) => this.#matches(element, key, wanted)),
    );
    return newest ? newestOf(found) : found;
  }

  /** As the API shows it, with more keys in its envelope. */
  render(element: CatalogueElement, more: JsonObject = {}): JsonObject {
    const { uuid, username, status, md5, createdAt, updatedAt, descriptor } = element;
    return {
      created_at: timestamp(createdAt),
      md5,
      signature: null,
      status,
      updated_at: timestamp(updatedAt),
      ...more,
      username,
      uuid,
      [this.#kind]: descriptor,
    };
  }

  /** What a caller who would have to buy an element sees of its descriptor. */
  withoutValuables(descriptor: Descriptor): Descriptor {
    const valuable: readonly string[] = KINDS[this.#kind].valuable;
    const { vendor, name, version } = descriptor;
    const rest = Object.entries(descriptor).filter(([key]) => !valuable.includes(key));
    return { ...Object.fromEntries(rest), vendor, name, version };
  }

  #matches(element: CatalogueElement, key: string, wanted: string): boolean {
    // Mongo's own id of an element is its uuid.
    if (key === '_id') return element.uuid === wanted;
    if (ENVELOPE_KEYS.has(key)) return this.render(element)[key] === wanted;
    return valuesAt(element.descriptor, key.split('.')).has(wanted);
  }
}

/** What no two elements of a kind have in common. */
export type Trio = Pick<Descriptor, 'vendor' | 'name' | 'version'>;

const keyOf = ({ vendor, name, version }: Trio): string => JSON.stringify([vendor, name, version]);

/** Milliseconds, and the zone as an offset. */
export const timestamp = (timeMs: number): string => new Date(timeMs).toISOString().replace('Z', '+00:00');

/**
 * All that Mongo finds at a path: an array is looked up by index, and by what its members have, though not by those of an
 * array within it. A step at a time for all together, since the ways through a descriptor may be very many.
 */
function valuesAt(descriptor: Descriptor, path: readonly string[]): ReadonlySet<Json> {
  let reached: ReadonlySet<Json> = new Set([descriptor]);
  for (const key of path) {
    if (reached.size === 0) break;
    reached = new Set([...reached].flatMap((value) => membersAt(value, key)));
  }
  return new Set([...reached].flatMap((value) => (Array.isArray(value) ? value : [value])));
}

function membersAt(value: Json, key: string): readonly Json[] {
  if (!Array.isArray(value)) return ownAt(value, key);
  const indexed = /^(?:0|[1-9]\d*)$/.test(key) ? value.slice(Number(key), Number(key) + 1) : [];
  return [...indexed, ...value.flatMap((member) => (Array.isArray(member) ? [] : ownAt(member, key)))];
}

function ownAt(value: Json, key: string): readonly Json[] {
  const member = isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  return member === undefined ? [] : [member];
}

/** Of elements with the same vendor and name the one with the greatest version, compared as text. */
function newestOf(elements: readonly CatalogueElement[]): readonly CatalogueElement[] {
  const newest = new Map<string, CatalogueElement>();
  for (const element of elements) {
    const { vendor, name, version } = element.descriptor;
    const key = JSON.stringify([vendor, name]);
    const known = newest.get(key);
    if (known === undefined || version > known.descriptor.version) newest.set(key, element);
  }
  const kept = new Set(newest.values());
  return elements.filter((element) => kept.has(element));
}

/** Only some keys of a value, at every level of it. */
export function onlyFields(value: Json, fields: ReadonlySet<string>): Json {
  if (Array.isArray(value)) return value.map((member) => onlyFields(member, fields));
  if (!isObject(value)) return value;
  const kept: JsonObject = {};
  for (const [key, member] of Object.entries(value)) if (fields.has(key)) put(kept, key, onlyFields(member, fields));
  return kept;
}

/** Whether only its owner, and whoever has a licence, may see all of it. */
export function isPrivate({ descriptor }: CatalogueElement): boolean {
  // The VNFD schema spells the key with s, the NSD schema with c.
  const licences = descriptor.licences ?? descriptor.licenses;
  const [first] = Array.isArray(licences) ? licences : [];
  return isObject(first) && first.type !== 'public';
}
