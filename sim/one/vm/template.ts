/** A VM template. Mirrors `VMTemplate.h` of OpenNebula 6.10. */
import { authorize, forbidden, newPermissions, type Owned } from '../access/acl.ts';
import type { Caller } from '../access/user.ts';
import type { Cloud } from '../cloud.ts';
import { OneError } from '../error.ts';
import { nameProblem, namesake, refuse, taken } from '../name.ts';
import { type Kind, listed, type Modes, ownedOperations, reach, updateTemplate } from '../owned.ts';
import { parseTemplate } from '../parse.ts';
import { IMAGE_OPERATIONS } from '../resources/image.ts';
import { IMAGE_MAKING_OPERATIONS } from '../resources/image-making.ts';
import { Template, type Vector } from '../syntax/syntax.ts';
import { diskRights, extendedDisk, imageOf } from './disk.ts';
import { changeRefused, restrictedAttribute, restrictedChange } from './restricted.ts';
import { plansIn } from './scheduled-action.ts';

export interface VmTemplate extends Owned {
  /** Seconds since the Unix epoch. */
  readonly regtime: number;
  template: Template;
}

const TEMPLATES: Kind<VmTemplate> = { type: 'TEMPLATE', pool: (cloud) => cloud.templates, unique: 'owner' };

function allocate(cloud: Cloud, caller: Caller, text: string): number {
  const template = parseTemplate(text, 'INTERNAL');
  authorize(cloud, caller, { right: 'CREATE', type: 'TEMPLATE' });
  const restricted = caller.admin ? undefined : restrictedAttribute(template);
  if (restricted !== undefined) {
    throw forbidden(caller, `VM Template includes a restricted attribute ${restricted.sub ?? restricted.name}`);
  }
  return create(cloud, caller, template).id;
}

/** The name is an attribute NAME of the template, which then loses it. @throws OneError INTERNAL */
function create(cloud: Cloud, caller: Caller, template: Template): VmTemplate {
  const name = template.get('NAME') ?? '';
  const other = namesake(cloud.templates, TEMPLATES.unique, name, caller.uid);
  refuse(nameProblem(name), other && taken('TEMPLATE', other));
  plansIn(template, 0);
  template.remove('NAME');
  return cloud.templates.add((id) => ({
    id,
    uid: caller.uid,
    gid: caller.gid,
    name,
    permissions: newPermissions(cloud, caller),
    lock: null,
    regtime: cloud.seconds,
    template,
  }));
}

/** @param extended with what each disk takes over from its image */
function info(cloud: Cloud, caller: Caller, id: number, extended = false): VmTemplate {
  const object = cloud.templates.get(id);
  const rights = extended ? diskRights(cloud, caller, object.template, false) : [];
  authorize(cloud, caller, { right: 'USE', type: 'TEMPLATE', object, lockless: true }, ...rights);
  if (!extended) return object;
  return {
    ...object,
    template: withDisks(object.template, (disk, n) => new Map(extendedDisk(cloud, caller, disk, n))),
  };
}

function withDisks(template: Template, change: (disk: Vector, n: number) => Vector): Template {
  let n = 0;
  return new Template(
    Array.from(template, ({ name, value }) => ({
      name,
      value: name === 'DISK' && typeof value !== 'string' ? change(value, n++) : value,
    })),
  );
}

function update(cloud: Cloud, caller: Caller, id: number, text: string, type = 0): number {
  const object = reach(cloud, caller, TEMPLATES, id, 'MANAGE');
  updateTemplate(object, text, type, (attributes, append) => {
    const changed = caller.admin ? undefined : restrictedChange(attributes, object.template, append);
    if (changed !== undefined) {
      throw changeRefused(changed, append);
    }
    requirePlans(attributes);
  });
  return id;
}

/** @throws OneError INTERNAL when a SCHED_ACTION cannot be read */
function requirePlans(attributes: Template): void {
  try {
    plansIn(attributes, 0);
  } catch (error) {
    if (!(error instanceof OneError)) throw error;
    throw new OneError('INTERNAL', `Cannot update template. ${error.message}`);
  }
}

function poolInfo(cloud: Cloud, caller: Caller, filter: number, start: number, end: number): VmTemplate[] {
  return listed(cloud, caller, cloud.templates, 'TEMPLATE', { filter, start, end });
}

// ---- with the images of its disks ---------------------------------------------------------------------------------

function clone(cloud: Cloud, caller: Caller, id: number, name: string, recursive = false): number {
  const source = cloud.templates.get(id);
  authorize(cloud, caller, { right: 'USE', type: 'TEMPLATE', object: source }, { right: 'CREATE', type: 'TEMPLATE' });
  const template = source.template.clone();
  template.set('NAME', name);
  const made = allocating(() => create(cloud, caller, template));
  if (!recursive) return made.id;
  const cloned: number[] = [];
  try {
    made.template = withDisks(made.template, (disk, n) => {
      const image = imageOf(cloud, caller.uid, disk);
      if (image === null) return disk;
      const copy = IMAGE_MAKING_OPERATIONS['one.image.clone'](cloud, caller, image.id, `${name}-disk-${n}`);
      cloned.push(copy);
      return new Map([...[...disk].filter(([key]) => !NAMES_OF_IMAGES.has(key)), ['IMAGE_ID', String(copy)]]);
    });
  } catch (error) {
    if (!(error instanceof OneError)) throw error;
    cloud.templates.delete(made.id);
    for (const image of cloned) IMAGE_OPERATIONS['one.image.delete'](cloud, caller, image);
    throw new OneError('ACTION', `Failed to clone images: ${error.message}`);
  }
  return made.id;
}

/** What names the old image, in a disk that gets a new one. */
const NAMES_OF_IMAGES: ReadonlySet<string> = new Set([
  'IMAGE',
  'IMAGE_UNAME',
  'IMAGE_UID',
  'OPENNEBULA_MANAGED',
  'IMAGE_ID',
]);

function allocating<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof OneError)) throw error;
    throw new OneError('ALLOCATE', `Error allocating a new virtual machine template. ${error.message}`);
  }
}

/** With `recursive` also the images of its disks, as far as they can be deleted. */
function remove(cloud: Cloud, caller: Caller, id: number, recursive = false): number {
  const object = cloud.templates.get(id);
  authorize(cloud, caller, { right: 'MANAGE', type: 'TEMPLATE', object });
  cloud.templates.delete(id);
  cloud.acl.forgetObject('TEMPLATE', id);
  if (recursive) onImages(cloud, caller, object, (image) => IMAGE_OPERATIONS['one.image.delete'](cloud, caller, image));
  return id;
}

/** With `recursive` also the images of its disks. */
function chmod(cloud: Cloud, caller: Caller, id: number, ...args: [...Modes, recursive?: boolean]): number {
  const [ownerU, ownerM, ownerA, groupU, groupM, groupA, otherU, otherM, otherA, recursive = false] = args;
  const modes: Modes = [ownerU, ownerM, ownerA, groupU, groupM, groupA, otherU, otherM, otherA];
  owned.chmod(cloud, caller, id, ...modes);
  if (!recursive) return id;
  const failed = onImages(cloud, caller, cloud.templates.get(id), (image) =>
    IMAGE_OPERATIONS['one.image.chmod'](cloud, caller, image, ...modes),
  );
  if (failed.length > 0) throw new OneError('ACTION', `Cannot chmod image: ${failed.join(',')}`);
  return id;
}

/** Acts on each image of a template once. Returns those for which that was refused, in order of id. */
function onImages(cloud: Cloud, caller: Caller, { template }: VmTemplate, act: (image: number) => void): number[] {
  const images = new Set<number>();
  const failed: number[] = [];
  for (const disk of template.vectors('DISK')) {
    const image = imageIdOf(cloud, caller, disk);
    if (image !== undefined) images.add(image);
  }
  for (const image of [...images].sort((a, b) => a - b)) {
    try {
      act(image);
    } catch (error) {
      if (!(error instanceof OneError)) throw error;
      failed.push(image);
    }
  }
  return failed;
}

/** The image that a disk names, whether or not there is one of that id. */
function imageIdOf(cloud: Cloud, caller: Caller, disk: Vector): number | undefined {
  const id = disk.get('IMAGE_ID') ?? '';
  if (/^\d+$/.test(id)) return Number(id);
  try {
    return imageOf(cloud, caller.uid, disk)?.id;
  } catch (error) {
    if (!(error instanceof OneError)) throw error;
    return undefined;
  }
}

const owned = ownedOperations(TEMPLATES);

export const TEMPLATE_OPERATIONS = {
  'one.template.allocate': allocate,
  'one.template.info': info,
  'one.template.update': update,
  'one.template.clone': clone,
  'one.template.delete': remove,
  'one.template.chmod': chmod,
  'one.template.chown': owned.chown,
  'one.template.rename': owned.rename,
  'one.template.lock': owned.lock,
  'one.template.unlock': owned.unlock,
  'one.templatepool.info': poolInfo,
} as const;
