/**
 * A world file: what is there when a stand-in starts. Its form is `fixtures/worlds/schema.json`; here are the same form
 * as types, and the rules that a schema cannot say: what is named must be defined.
 */
import type { ErrorObject, ValidateFunction } from 'ajv';
import type { CatalogueElement, Descriptor, GatekeeperUser } from '../api/gatekeeper/furnishing.ts';
import { readFault, type Vocabulary } from '../faults/flaws.ts';
import { FAULT, type FaultSpec } from '../faults/schema.ts';
import type { Path } from '../kernel/form.ts';
import { suggestion } from '../kernel/nearest.ts';
import { reason } from '../machine.ts';
import { parseRule } from '../one/access/acl-rule.ts';
import type { Json, JsonObject } from '../one/flow/json.ts';
import { Problem } from '../problem.ts';
import { readSource, type Source } from '../source.ts';

/** OpenNebula attributes: single values, vectors, and lists of either. */
export interface Attributes {
  readonly [name: string]: AttributeValue | readonly AttributeValue[];
}
export type AttributeValue = string | number | { readonly [name: string]: string | number };

export type UsableBy = 'everyone' | 'group' | 'owner';

interface Templated {
  readonly name: string;
  readonly usableBy?: UsableBy;
  readonly template: Attributes;
}

export interface Element {
  readonly uuid: string;
  readonly username?: string;
  readonly status?: CatalogueElement['status'];
  readonly md5?: string;
  readonly createdAt: string;
  readonly updatedAt?: string;
  readonly descriptor: Descriptor;
}

/** A function instance. */
export interface Instance {
  readonly uuid: string;
  readonly function: string;
  readonly since: string;
  /** What its descriptor asks for, unless the file says otherwise. */
  readonly vdus?: readonly { readonly id: string; readonly profile?: string; readonly vnfcs: readonly Vnfc[] }[];
}

interface Vnfc {
  readonly vcId?: string;
  readonly vmTemplate?: string;
  readonly host?: string;
  readonly profile?: string;
}

export interface World {
  readonly groups?: readonly { readonly name: string; readonly template?: Attributes }[];
  readonly users?: readonly {
    readonly name: string;
    readonly password: string;
    readonly groups?: readonly string[];
    readonly template?: Attributes;
  }[];
  readonly acl?: { readonly revoke?: readonly string[]; readonly grant?: readonly string[] };
  readonly hosts?: readonly {
    readonly name: string;
    readonly driver?: string;
    readonly cpus?: number;
    readonly memoryMiB?: number;
    readonly template?: Attributes;
  }[];
  readonly images?: readonly Templated[];
  readonly networks?: readonly Templated[];
  readonly vmTemplates?: readonly Templated[];
  readonly serviceTemplates?: readonly {
    readonly usableBy?: UsableBy;
    readonly name: string;
    readonly roles: readonly { readonly name: string; readonly vm_template: string | number }[];
    readonly [key: string]: unknown;
  }[];
  /** Armed from the start. */
  readonly faults?: readonly unknown[];
  readonly gatekeeper?: {
    readonly users?: readonly {
      readonly username: string;
      readonly password: string;
      readonly types?: GatekeeperUser['types'];
    }[];
    readonly functions?: readonly Element[];
    readonly services?: readonly Element[];
    readonly packages?: readonly Element[];
    readonly instances?: readonly Instance[];
    readonly serviceInstances?: readonly {
      readonly uuid: string;
      readonly service: string;
      readonly since: string;
      readonly instances: readonly string[];
    }[];
    readonly vim?: {
      readonly user?: string;
      readonly networks?: { readonly [K in 'internal' | 'external' | 'management']?: string };
    };
  };
}

/** A world that holds together, and where in its file each part stands. */
export interface WorldFile {
  readonly world: World;
  readonly place: (path: Path) => string;
}

/** Reads another file that the world file names, by its path from there. */
export type ReadBeside = (path: string) => Promise<string>;

// ---- reading ------------------------------------------------------------------------------------------------------

/**
 * @param schema what is in `schema.json`
 * @throws Problem with a line for every mistake
 */
export async function readWorld(
  text: string,
  file: string,
  schema: object,
  readBeside: ReadBeside,
): Promise<WorldFile> {
  const source = await readSource(text, file);
  const world = await withDescriptors(source, readBeside);
  const validate = await validatorOf(schema);
  if (!validate(world)) {
    const problems = (validate.errors ?? []).map((error) => schemaProblem(source, error));
    throw new Problem([...new Set(problems.filter((problem) => problem !== undefined))].join('\n'));
  }
  const problems = [...repeatedIn(world), ...danglingIn(world), ...faultFlaws(world)].map(
    ({ path, problem, key }) => `${key ? source.placeOfKey(path) : source.place(path)}: ${problem}`,
  );
  if (problems.length > 0) throw new Problem(problems.join('\n'));
  return { world, place: source.place };
}

const validators = new WeakMap<object, ValidateFunction<World>>();

async function validatorOf(schema: object): Promise<ValidateFunction<World>> {
  const { default: ajv } = await import('ajv');
  const options = { allErrors: true, verbose: true, allowUnionTypes: true };
  const validate = validators.get(schema) ?? new ajv.Ajv(options).compile<World>(withoutFaults(schema));
  validators.set(schema, validate);
  return validate;
}

/** Faults have a check of their own, whose words are better than those of their schema. */
const withoutFaults = (schema: { readonly properties?: object }): object => ({
  ...schema,
  properties: { ...schema.properties, faults: { type: 'array' } },
});

const faultFlaws = ({ faults = [] }: World): Flaw[] => faults.flatMap((fault, i) => FAULT.check(fault, ['faults', i]));

/** The faults of a world that is there now. @throws Problem when one of them can touch nothing */
export function faultsIn({ world: { faults = [] }, place }: WorldFile, vocabulary: Vocabulary): FaultSpec[] {
  return faults.map((fault, i) => {
    const spec = readFault(fault, vocabulary);
    if (!Array.isArray(spec)) return spec;
    throw new Problem(spec.map(({ path, problem }) => `${place(['faults', i, ...path])}: ${problem}`).join('\n'));
  });
}

/** The value, with the files that stand where descriptors are to stand. */
async function withDescriptors(source: Source, readBeside: ReadBeside): Promise<unknown> {
  const value = structuredClone(source.value ?? {});
  for (const list of ['functions', 'services', 'packages']) {
    const elements = at(at(value, 'gatekeeper'), list);
    if (!Array.isArray(elements)) continue;
    for (const [i, element] of elements.entries()) {
      const path: unknown = at(element, 'descriptor');
      if (typeof path !== 'string') continue;
      const place = source.place(['gatekeeper', list, i, 'descriptor']);
      element.descriptor = await readDescriptor(path, place, readBeside);
    }
  }
  return value;
}

const at = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;

async function readDescriptor(path: string, place: string, readBeside: ReadBeside): Promise<unknown> {
  let text: string;
  try {
    text = await readBeside(path);
  } catch (error) {
    throw new Problem(`${place}: cannot read ${path}: ${reason(error)}`);
  }
  const { value } = await readSource(text, path);
  if (typeof value !== 'object') throw new Problem(`${path}:1:1: expected a descriptor`);
  return value;
}

// ---- what the schema refuses --------------------------------------------------------------------------------------

function schemaProblem(source: Source, error: ErrorObject): string | undefined {
  const path = error.instancePath
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
  const { params, parentSchema = {}, data } = error;
  // What is wrong with a name is said by propertyNames, of which this is the reason.
  if (error.propertyName !== undefined && error.keyword !== 'propertyNames') return undefined;
  const here = source.place(path);
  switch (error.keyword) {
    case 'additionalProperties': {
      const key = String(params.additionalProperty);
      const meant = suggestion(key, Object.keys(parentSchema.properties ?? {}));
      return `${source.placeOfKey([...path, key])}: unknown key ${JSON.stringify(key)}${meant}`;
    }
    case 'required':
      return `${here}: ${JSON.stringify(params.missingProperty)} is missing`;
    case 'enum': {
      const words: string[] = params.allowedValues;
      return `${here}: ${shown(data)} is not ${words.join(', ')}${suggestion(String(data), words)}`;
    }
    case 'type':
      return `${here}: expected ${[params.type].flat().map(named).join(' or ')}, not ${shown(data)}`;
    case 'pattern':
      return `${here}: ${shown(data)} is not of the right form${parentSchema.description ? `: ${parentSchema.description}` : ''}`;
    case 'propertyNames':
      return `${source.placeOfKey([...path, params.propertyName])}: ${shown(params.propertyName)} cannot be the name of an attribute`;
    default:
      return `${here}: ${error.message}`;
  }
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  object: 'keys with values',
  array: 'a list',
};

const named = (type: string): string => TYPE_NAMES[type] ?? type;

/** More of a text is not shown: it may be a whole file that is no world. */
const LONGEST_SHOWN = 100;

function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'string' && value.length > LONGEST_SHOWN) {
    return `${JSON.stringify(value.slice(0, LONGEST_SHOWN))}…`;
  }
  return typeof value === 'object' && value !== null ? 'keys with values' : JSON.stringify(value);
}

// ---- what names must be of one thing only -------------------------------------------------------------------------

/** What is wrong with a part of the file. */
interface Flaw {
  readonly path: Path;
  readonly problem: string;
  /** The key is meant, not its value. */
  readonly key?: true;
}

/** Names of two things: whatever refers to one of them might mean the other. */
function* repeatedIn(world: World): Iterable<Flaw> {
  const { gatekeeper = {} } = world;
  const { groups, users, hosts, images, networks, vmTemplates, serviceTemplates } = world;
  for (const [list, items] of Object.entries({
    groups,
    users,
    hosts,
    images,
    networks,
    vmTemplates,
    serviceTemplates,
  })) {
    yield* repeated([list], items, 'name');
  }
  yield* repeated(['gatekeeper', 'users'], gatekeeper.users, 'username');
  for (const list of ['functions', 'services', 'packages', 'instances', 'serviceInstances'] as const) {
    yield* repeated<{ readonly uuid: string }>(['gatekeeper', list], gatekeeper[list], 'uuid');
  }
  const vnfcs = (gatekeeper.instances ?? []).flatMap(({ vdus = [] }, i) =>
    vdus.flatMap((vdu, v) =>
      vdu.vnfcs.flatMap(({ vcId }, n) =>
        vcId === undefined ? [] : { vcId, path: ['gatekeeper', 'instances', i, 'vdus', v, 'vnfcs', n] },
      ),
    ),
  );
  yield* repeated([], vnfcs, 'vcId', ({ path }) => path);
}

function* repeated<T>(
  list: Path,
  items: readonly T[] = [],
  key: keyof T & string,
  pathOf: (item: T, index: number) => Path = (_item, i) => [...list, i],
): Iterable<Flaw> {
  const seen = new Set<unknown>();
  for (const [i, item] of items.entries()) {
    const name = item[key];
    if (seen.has(name)) yield { path: [...pathOf(item, i), key], problem: `${key} ${shown(name)} comes a second time` };
    seen.add(name);
  }
}

// ---- what is named must be defined --------------------------------------------------------------------------------

/** A name that is used, what it should name, and those that there are. */
function* missing(path: Path, what: string, name: string, known: Iterable<string>): Iterable<Flaw> {
  const names = new Set(known);
  if (names.has(name)) return;
  yield { path, problem: `there is no ${what} ${JSON.stringify(name)}${suggestion(name, names)}` };
}

function* danglingIn(world: World): Iterable<Flaw> {
  const { users = [], groups = [], acl = {}, vmTemplates = [], serviceTemplates = [], gatekeeper = {} } = world;
  const named = (list: readonly { readonly name: string }[] | undefined): string[] =>
    (list ?? []).map(({ name }) => name);

  for (const [i, user] of users.entries()) {
    for (const [g, group] of (user.groups ?? []).entries()) {
      yield* missing(['users', i, 'groups', g], 'group', group, ['oneadmin', 'users', ...named(groups)]);
    }
  }
  for (const list of ['revoke', 'grant'] as const) {
    for (const [i, rule] of (acl[list] ?? []).entries()) {
      const problem = `${JSON.stringify(rule)} is not a rule such as "@1 DOCUMENT/* CREATE *"`;
      if (parseRule(rule) === undefined) yield { path: ['acl', list, i], problem };
    }
  }
  for (const [i, { template }] of vmTemplates.entries()) {
    for (const reference of REFERENCES) {
      for (const { vector, path } of vectorsOf(template, reference.attribute)) {
        const name = namedIn(vector, reference);
        if (name === undefined) continue;
        const known = named(world[reference.list]);
        yield* missing(['vmTemplates', i, 'template', ...path, reference.by], reference.what, name, known);
      }
    }
  }
  for (const [i, { roles }] of serviceTemplates.entries()) {
    for (const [r, { vm_template: name }] of roles.entries()) {
      if (typeof name === 'number') continue;
      yield* missing(['serviceTemplates', i, 'roles', r, 'vm_template'], 'VM template', name, named(vmTemplates));
    }
  }
  const { functions = [], services = [], instances = [], serviceInstances = [], vim = {} } = gatekeeper;
  if (vim.user !== undefined) {
    yield* missing(['gatekeeper', 'vim', 'user'], 'user', vim.user, ['oneadmin', ...named(users)]);
  }
  for (const [type, network] of Object.entries(vim.networks ?? {})) {
    yield* missing(['gatekeeper', 'vim', 'networks', type], 'network', network, named(world.networks));
  }
  for (const [i, instance] of instances.entries()) {
    const path = ['gatekeeper', 'instances', i] as const;
    const uuids = functions.map(({ uuid }) => uuid);
    yield* missing([...path, 'function'], 'function', instance.function, uuids);
    const vdus = vdusOf(functions.find(({ uuid }) => uuid === instance.function)?.descriptor);
    for (const [v, vdu] of (instance.vdus ?? []).entries()) {
      if (vdus !== undefined) yield* missing([...path, 'vdus', v, 'id'], 'VDU', vdu.id, vdus);
      for (const [n, { vmTemplate, host }] of vdu.vnfcs.entries()) {
        const vnfc = [...path, 'vdus', v, 'vnfcs', n] as const;
        if (vmTemplate !== undefined) {
          yield* missing([...vnfc, 'vmTemplate'], 'VM template', vmTemplate, named(vmTemplates));
        }
        if (host !== undefined) yield* missing([...vnfc, 'host'], 'host', host, named(world.hosts));
      }
    }
  }
  for (const [i, { service, instances: parts }] of serviceInstances.entries()) {
    const path = ['gatekeeper', 'serviceInstances', i] as const;
    const uuids = services.map(({ uuid }) => uuid);
    yield* missing([...path, 'service'], 'service', service, uuids);
    for (const [n, part] of parts.entries()) {
      const known = instances.map(({ uuid }) => uuid);
      yield* missing([...path, 'instances', n], 'function instance', part, known);
    }
  }
}

function vdusOf(vnfd: JsonObject | undefined): string[] | undefined {
  const vdus: Json | undefined = vnfd?.virtual_deployment_units;
  return Array.isArray(vdus) ? vdus.map((vdu) => String(at(vdu, 'id'))) : undefined;
}

/** Attributes that name another object of the world: by a name, which is checked, or by an id, which is not. */
export const REFERENCES = [
  { attribute: 'DISK', by: 'IMAGE', id: 'IMAGE_ID', list: 'images', what: 'image' },
  { attribute: 'NIC', by: 'NETWORK', id: 'NETWORK_ID', list: 'networks', what: 'network' },
] as const;

type Reference = (typeof REFERENCES)[number];

/** What a vector names in this way. Names come as texts, but nothing forbids an image called 7. */
export function namedIn(vector: AttributeValue, { by }: Reference): string | undefined {
  const name = typeof vector === 'object' ? vector[by] : undefined;
  return name === undefined ? undefined : String(name);
}

function vectorsOf(template: Attributes, attribute: string): { vector: AttributeValue; path: Path }[] {
  const value = template[attribute];
  if (value === undefined) return [];
  return isList(value)
    ? value.map((vector, i) => ({ vector, path: [attribute, i] }))
    : [{ vector: value, path: [attribute] }];
}

export const isList = (value: Attributes[string]): value is readonly AttributeValue[] => Array.isArray(value);
