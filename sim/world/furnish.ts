/** Puts what a world file says into a fresh cloud, through the cloud's own operations: what they refuse is refused with the file's line. */
import { createHash } from 'node:crypto';
import type { CatalogueElement, FunctionInstance, GatekeeperFurnishing, Vim } from '../api/gatekeeper/furnishing.ts';
import { vcIdOf } from '../api/gatekeeper/instances.ts';
import { instantiate, NotInstantiated, vdusOf } from '../api/gatekeeper/instantiation.ts';
import type { Path } from '../kernel/form.ts';
import { createGroup, createUser, ONEADMIN, ONEADMIN_GROUP, setPassword, USERS_GROUP } from '../one/access/user.ts';
import type { Cloud } from '../one/cloud.ts';
import { OneError } from '../one/error.ts';
import { FlowError } from '../one/flow/flow-error.ts';
import type { JsonObject } from '../one/flow/json.ts';
import { createServiceTemplate, modesOf } from '../one/flow/service-template.ts';
import type { Modes } from '../one/owned.ts';
import { addHost, type Host } from '../one/resources/host.ts';
import { type Attribute, Template, templateText } from '../one/syntax/syntax.ts';
import { misfit } from '../one/vm/placement.ts';
import { Problem } from '../problem.ts';
import {
  type Attributes,
  type Element,
  type Instance,
  isList,
  namedIn,
  REFERENCES,
  type UsableBy,
  type World,
  type WorldFile,
} from './world-file.ts';

/** Ids by name. */
type Ids = ReadonlyMap<string, number>;

/** Something of the file that becomes an object of the cloud. */
type Make<T> = (item: T, path: Path) => number;

/**
 * Fills a cloud in which nothing has happened yet. Returns what the Gatekeeper is to know.
 * @throws Problem
 */
export function furnish(cloud: Cloud, { world, place }: WorldFile): GatekeeperFurnishing {
  const make = <T extends { readonly name: string }>(list: keyof World, items: readonly T[] = [], act: Make<T>): Ids =>
    new Map(
      items.map((item, i): [string, number] => [item.name, refusedAt(place, [list, i], () => act(item, [list, i]))]),
    );
  const { root } = cloud;

  const groups = new Map([
    ...make('groups', world.groups, ({ name, template }) => createGroup(cloud, name, templateOf(template)).id),
    ['oneadmin', ONEADMIN_GROUP],
    ['users', USERS_GROUP],
  ]);
  make('users', world.users, (user) => furnishUser(cloud, user, groups));
  for (const rule of world.acl?.revoke ?? []) cloud.acl.withdraw(rule);
  for (const [i, rule] of (world.acl?.grant ?? []).entries()) {
    refusedAt(place, ['acl', 'grant', i], () => cloud.acl.addText(rule));
  }
  const hosts = make('hosts', world.hosts, ({ name, driver = 'kvm', cpus, memoryMiB, template }) => {
    const capacity = {
      ...(cpus === undefined ? {} : { cpu: cpus * 100 }),
      ...(memoryMiB === undefined ? {} : { memKb: memoryMiB * 1024 }),
    };
    return addHost(cloud, { name, imMad: driver, vmMad: driver, template: templateOf(template), ...capacity }).id;
  });
  const images = make('images', world.images, ({ name, usableBy, template }) => {
    const id = cloud.run(root, 'one.image.allocate', textOf(name, template), IMAGE_DATASTORE);
    return cloud.run(root, 'one.image.chmod', id, ...modes(usableBy));
  });
  const networks = make('networks', world.networks, ({ name, usableBy, template }) => {
    const id = cloud.run(root, 'one.vn.allocate', textOf(name, template));
    const { state, template: made } = cloud.vnets.get(id);
    // oned answers with the id, and writes what is wrong with a range into the network, behind the time.
    if (state === 'ERROR') throw new OneError('INTERNAL', (made.get('ERROR') ?? '').replace(/^.*? : /, ''));
    return cloud.run(root, 'one.vn.chmod', id, ...modes(usableBy));
  });
  const vmTemplates = make('vmTemplates', world.vmTemplates, ({ name, usableBy, template }) => {
    const id = cloud.run(root, 'one.template.allocate', textOf(name, template, { images, networks }));
    return cloud.run(root, 'one.template.chmod', id, ...modes(usableBy));
  });
  make('serviceTemplates', world.serviceTemplates, ({ usableBy, ...body }) => {
    const roles = body.roles.map((role) => ({ ...role, vm_template: idOf(vmTemplates, role.vm_template) }));
    const { id } = createServiceTemplate(cloud, root, jsonOf({ ...body, roles }));
    return cloud.run(root, 'one.document.chmod', id, ...modes(usableBy));
  });
  return furnishGatekeeper(cloud, { world, place }, { hosts, networks, vmTemplates });
}

/** Runs a step; what the cloud refuses is refused with the place that asked for it. */
function refusedAt<T>(place: WorldFile['place'], path: Path, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof OneError) && !(error instanceof FlowError)) throw error;
    throw new Problem(`${place(path)}: ${error.message}`);
  }
}

// ---- users --------------------------------------------------------------------------------------------------------

type Gatekept = NonNullable<World['gatekeeper']>;
type FileUser = NonNullable<World['users']>[number];

/** A new user, or another password for oneadmin. */
function furnishUser(cloud: Cloud, { name, password, groups = [], template }: FileUser, ids: Ids): number {
  if (name === 'oneadmin') {
    setPassword(cloud, cloud.users.get(ONEADMIN), password);
    return ONEADMIN;
  }
  const gids = groups.map((group) => idOf(ids, group));
  return createUser(cloud, { name, password, groups: gids, template: templateOf(template) }).id;
}

// ---- templates ----------------------------------------------------------------------------------------------------

/** The `default` datastore of a fresh OpenNebula. */
const IMAGE_DATASTORE = 1;

/** What `chmod` is given, by who may use an object. */
const MODES: Readonly<Record<UsableBy, Modes>> = {
  everyone: modesOf('644'),
  group: modesOf('640'),
  owner: modesOf('600'),
};

const modes = (usableBy: UsableBy = 'everyone'): Modes => MODES[usableBy];

/** References have been checked, so whatever is named is there. */
function idOf(ids: Ids, name: string | number): number {
  const id = typeof name === 'number' ? name : ids.get(name);
  if (id === undefined) throw new Error(`${name} has not been made`);
  return id;
}

const textOf = (name: string, attributes: Attributes, ids: Parameters<typeof templateOf>[1] = {}): string => {
  const template = templateOf(attributes, ids);
  template.set('NAME', name);
  return templateText(template);
};

/** With the ids of what it names, as far as they are given. */
function templateOf(attributes: Attributes = {}, ids: { readonly [K in 'images' | 'networks']?: Ids } = {}): Template {
  const list: Attribute[] = [];
  for (const [name, given] of Object.entries(attributes)) {
    const reference = REFERENCES.find(({ attribute }) => attribute === name);
    for (const value of isList(given) ? given : [given]) {
      if (typeof value !== 'object') {
        list.push({ name, value: String(value) });
        continue;
      }
      const known = reference && ids[reference.list];
      const named = reference && namedIn(value, reference);
      const vector = new Map(Object.entries(value).map(([key, sub]) => [key, String(sub)]));
      if (known !== undefined && named !== undefined && reference !== undefined) {
        vector.delete(reference.by);
        vector.set(reference.id, String(idOf(known, named)));
      }
      list.push({ name, value: vector });
    }
  }
  return new Template(list);
}

/** A value of a file, which is JSON by the way it was read. */
const jsonOf = (value: object): JsonObject => JSON.parse(JSON.stringify(value)) as JsonObject;

// ---- the Gatekeeper -----------------------------------------------------------------------------------------------

function furnishGatekeeper(cloud: Cloud, { world, place }: WorldFile, ids: VmIds): GatekeeperFurnishing {
  const { users = [], functions = [], services = [], packages = [], ...records } = world.gatekeeper ?? {};
  const vim = vimOf(cloud, records.vim, ids.networks);
  const elements = functions.map(catalogued);
  return {
    users: users.map(({ username, password, types = ['customer'] }) => ({ username, password, types })),
    functions: elements,
    services: services.map(catalogued),
    packages: packages.map(catalogued),
    instances: (records.instances ?? []).map((instance, i) => {
      const element = elements.find(({ uuid }) => uuid === instance.function);
      if (element === undefined) throw new Error(`there is no function ${instance.function}`);
      return furnishInstance(cloud, place, ['gatekeeper', 'instances', i], { instance, element, vim }, ids);
    }),
    serviceInstances: (records.serviceInstances ?? []).map(({ uuid, service, since, instances }) => ({
      uuid,
      serviceUuid: service,
      createdAt: Date.parse(since),
      functionInstances: instances,
    })),
    vim,
  };
}

/** Oneadmin, and the first network of the cloud for all, unless the world says otherwise. */
function vimOf(cloud: Cloud, given: Gatekept['vim'], networks: Ids): Vim {
  const { user = 'oneadmin', networks: named = {} } = given ?? {};
  const uid = [...cloud.users].find(({ name }) => name === user)?.id;
  if (uid === undefined) throw new Error(`there is no user ${user}`);
  const types = ['internal', 'external', 'management'] as const;
  return {
    uid,
    networks: types.flatMap((type) => (named[type] === undefined ? [] : [{ type, id: idOf(networks, named[type]) }])),
  };
}

/** By what the file says: worlds that are made of one file have the same elements. */
const elementsMade = new WeakMap<Element, CatalogueElement>();

function catalogued(element: Element): CatalogueElement {
  const known = elementsMade.get(element) ?? asCatalogued(element);
  elementsMade.set(element, known);
  return known;
}

function asCatalogued({ createdAt, updatedAt = createdAt, ...element }: Element): CatalogueElement {
  const { uuid, username = null, status = 'active', descriptor } = element;
  const md5 = element.md5 ?? createHash('md5').update(JSON.stringify(descriptor)).digest('hex');
  return {
    uuid,
    username,
    status,
    md5,
    createdAt: Date.parse(createdAt),
    updatedAt: Date.parse(updatedAt),
    descriptor,
  };
}

interface VmIds {
  readonly hosts: Ids;
  readonly networks: Ids;
  readonly vmTemplates: Ids;
}

interface Wanted {
  readonly instance: Instance;
  readonly element: CatalogueElement;
  readonly vim: Vim;
}

/** Makes an instance whose machines have been running since it was deployed. @throws Problem */
function furnishInstance(
  cloud: Cloud,
  place: WorldFile['place'],
  path: Path,
  { instance, element, vim }: Wanted,
  ids: VmIds,
): FunctionInstance {
  const { uuid, since } = instance;
  const vnfcs = (instance.vdus ?? []).flatMap((vdu) => vdu.vnfcs);
  const pathOf = (v: number, n: number): Path =>
    instance.vdus === undefined ? path : [...path, 'vdus', v, 'vnfcs', n];
  let made: FunctionInstance;
  try {
    if (Date.parse(since) > cloud.clock.now) {
      const epoch = new Date(cloud.clock.now).toISOString();
      throw new NotInstantiated(`it runs since ${since}, and simulated time starts at ${epoch} (--epoch)`, [0, 0]);
    }
    const vcId = (number: number): string => vnfcs[number]?.vcId ?? vcIdOf(cloud.random, uuid, number);
    let number = 0;
    const vdus = instance.vdus?.map((vdu) => ({
      id: vdu.id,
      vnfcs: vdu.vnfcs.map(({ vmTemplate, profile = vdu.profile }) => ({
        vcId: vcId(number++),
        ...(vmTemplate === undefined ? {} : { vmTemplate: idOf(ids.vmTemplates, vmTemplate) }),
        ...(profile === undefined ? {} : { profile }),
      })),
    }));
    const createdAt = Date.parse(since);
    const plan = { uuid, function: element, createdAt, vdus: vdus ?? vdusOf(element.descriptor, vcId) };
    made = instantiate(cloud, vim, plan);
  } catch (error) {
    if (!(error instanceof NotInstantiated)) throw error;
    throw new Problem(`${place(pathOf(...error.at))}: ${error.message}`);
  }
  for (const [v, vdu] of made.vdus.entries()) {
    for (const [n, { vmId }] of vdu.vnfcs.entries()) {
      const { host } = instance.vdus?.[v]?.vnfcs[n] ?? {};
      refusedAt(place, pathOf(v, n), () =>
        settle(cloud, vmId, host === undefined ? host : cloud.hosts.get(idOf(ids.hosts, host)), since),
      );
    }
  }
  return made;
}

/** Puts a machine on its host, or on the first that takes it, where it has been running since. @throws OneError */
function settle(cloud: Cloud, vmId: number, named: Host | undefined, since: string): void {
  const vm = cloud.vms.get(vmId);
  const host = named ?? [...cloud.hosts].find((each) => misfit(cloud, each, vm) === undefined);
  if (host === undefined) throw new OneError('ACTION', 'it fits in no host');
  const why = misfit(cloud, host, vm);
  if (why !== undefined) throw new OneError('ACTION', `it does not fit in host ${host.name}. ${why}`);
  cloud.driver.adopt(vm, host, Date.parse(since));
}
