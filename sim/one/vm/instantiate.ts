/**
 * How a VM comes to be: from template text, or from a VM template with extra text. Mirrors `VMTemplateInstantiate` and
 * `VirtualMachine::insert` of OpenNebula 6.10.
 */
import { authorize, forbidden, newPermissions } from '../access/acl.ts';
import type { Caller } from '../access/user.ts';
import type { Cloud } from '../cloud.ts';
import { OneError } from '../error.ts';
import { nameProblem, refuse } from '../name.ts';
import { parseTemplate } from '../parse.ts';
import { IMAGE_OPERATIONS } from '../resources/image.ts';
import type { Attribute, Template } from '../syntax/syntax.ts';
import { waitsForImages } from './cloning.ts';
import { expandContext } from './context.ts';
import { diskRights, expandDisks, imageOf, releaseDisks } from './disk.ts';
import { expandNics, nicRights, releaseNics } from './nic.ts';
import { requireCommonCluster } from './requirements.ts';
import { restrictedAttribute } from './restricted.ts';
import { plansIn } from './scheduled-action.ts';
import { TEMPLATE_OPERATIONS } from './template.ts';
import { undoing } from './undo.ts';
import type { Vm } from './vm.ts';

/** Attributes that oned keeps in TEMPLATE and that are not fields of {@link Vm}. All others go to USER_TEMPLATE. */
const TEMPLATE_ATTRIBUTES: ReadonlySet<string> = new Set([
  'VCPU_MAX',
  'MEMORY_MAX',
  'MEMORY_SLOTS',
  'MEMORY_RESIZE_MODE',
  'CPU_COST',
  'MEMORY_COST',
  'DISK_COST',
  'NIC_DEFAULT',
  'PCI',
  'GRAPHICS',
  'VIDEO',
  'INPUT',
  'OS',
  'CPU_MODEL',
  'FEATURES',
  'RAW',
  'EMULATOR',
  'TOPOLOGY',
  'NUMA_NODE',
  'VMGROUP',
  'HYPERV_OPTIONS',
  'SPICE_OPTIONS',
  'TM_MAD_SYSTEM',
  'SUBMIT_ON_HOLD',
  'CLONING_TEMPLATE_ID',
  'TEMPLATE_ID',
  'BACKUP_CONFIG',
]);

/** Attributes that become fields, and those that oned drops. */
const CONSUMED_ATTRIBUTES: ReadonlySet<string> = new Set([
  'CPU',
  'VCPU',
  'MEMORY',
  'DISK',
  'NIC',
  'NIC_ALIAS',
  'CONTEXT',
  'SCHED_ACTION',
  'NAME',
  'TEMPLATE_NAME',
  'DEPLOY_ID',
]);

/** Creates a VM from template text. Returns its id. */
function vmAllocate(cloud: Cloud, caller: Caller, text: string, hold = false): number {
  const template = parseTemplate(text, 'INTERNAL');
  // oned names the sub-attribute here, and the attribute when it instantiates.
  const restricted = caller.admin ? undefined : restrictedAttribute(template);
  if (restricted !== undefined) {
    throw forbidden(caller, `VM Template includes a restricted attribute ${restricted.sub ?? restricted.name}`);
  }
  authorize(
    cloud,
    caller,
    { right: 'CREATE', type: 'VM' },
    ...diskRights(cloud, caller, template, false),
    ...nicRights(cloud, caller, template),
  );
  const plans = plansIn(template, cloud.seconds);
  return create(cloud, caller, template, { name: template.get('NAME') ?? '', hold, plans }).id;
}

/**
 * Creates a VM from a VM template. `extra` replaces, attribute by attribute, what the template has of the same name; who
 * has read it already gives it as a template. Returns the VM's id.
 */
function templateInstantiate(
  cloud: Cloud,
  caller: Caller,
  id: number,
  name = '',
  hold = false,
  extra: string | Template = '',
  persistent = false,
): number {
  if (persistent) return instantiatePersistent(cloud, caller, id, name, hold, extra);
  return instantiate(cloud, caller, id, name, hold, extra).id;
}

/** A VM that keeps what it writes: from a copy of the template, with persistent copies of its images. */
function instantiatePersistent(
  cloud: Cloud,
  caller: Caller,
  id: number,
  name: string,
  hold: boolean,
  extra: string | Template,
): number {
  const source = cloud.templates.get(id);
  const copy = TEMPLATE_OPERATIONS['one.template.clone'](cloud, caller, id, name || `${source.name}-copy`, true);
  return undoing(
    () => {
      for (const disk of cloud.templates.get(copy).template.vectors('DISK')) {
        const image = imageOf(cloud, caller.uid, disk);
        if (image !== null) IMAGE_OPERATIONS['one.image.persistent'](cloud, caller, image.id, true);
      }
      const vm = instantiate(cloud, caller, copy, name, hold, extra);
      vm.template.set('CLONING_TEMPLATE_ID', String(id));
      return vm.id;
    },
    () => TEMPLATE_OPERATIONS['one.template.delete'](cloud, caller, copy, true),
  );
}

function instantiate(
  cloud: Cloud,
  caller: Caller,
  id: number,
  name: string,
  hold: boolean,
  extra: string | Template,
): Vm {
  const source = cloud.templates.get(id);
  const additions = typeof extra === 'string' ? parseTemplate(extra, 'INTERNAL') : extra;
  const restricted = caller.admin ? undefined : restrictedAttribute(additions);
  if (restricted !== undefined) {
    throw forbidden(caller, `User Template includes a restricted attribute ${restricted.name}`);
  }
  const template = source.template.clone();
  template.append(additions);
  authorize(
    cloud,
    caller,
    { right: 'USE', type: 'TEMPLATE', object: source },
    ...(extra === '' ? [] : [{ right: 'CREATE', type: 'TEMPLATE' } as const]),
    ...diskRights(cloud, caller, template, true),
    ...nicRights(cloud, caller, template),
  );
  template.set('TEMPLATE_ID', String(id));
  const plans = plansIn(template, cloud.seconds);
  try {
    return create(cloud, caller, template, { name, nameFrom: source.name, hold, plans });
  } catch (error) {
    if (error instanceof OneError && error.code === 'INTERNAL') {
      throw new OneError('ALLOCATE', allocating(error.message));
    }
    throw error;
  }
}

const allocating = (why: string): string => `Error allocating a new virtual machine template. ${why}`;

interface Wish {
  readonly name: string;
  /** The VM template's name, from which an unnamed VM gets its own. */
  readonly nameFrom?: string;
  readonly hold: boolean;
  /** What it is to undergo. */
  readonly plans: ReturnType<typeof plansIn>;
}

function create(cloud: Cloud, caller: Caller, template: Template, wish: Wish): Vm {
  if (wish.name !== '') refuse(nameProblem(wish.name));
  const asked = (name: string): number => Number.parseFloat(template.get(name) ?? '') || 0;
  cloud.quotas.checkCreation(caller, { cpu: asked('CPU'), memoryMiB: asked('MEMORY') });
  const { cpu, vcpu, memoryMiB } = capacity(template);
  const vmId = cloud.vms.nextId;
  const nics = expandNics(cloud, caller, template, { vmId, taken: [] });
  const disks = undoing(
    () => expandDisks(cloud, caller, template, { vmId, taken: [] }),
    () => releaseNics(cloud, { id: vmId, nics }),
  );
  const vm = undoing(
    () => {
      cloud.quotas.checkHoldings(caller, { cpu, memoryMiB, disks, nics });
      requireCommonCluster(cloud, { disks, nics }, 'INTERNAL');
      return cloud.vms.add((id): Vm => {
        const { kept, user } = split(template);
        const made: Vm = {
          id,
          uid: caller.uid,
          gid: caller.gid,
          name: wish.name || `${wish.nameFrom ?? 'one'}-${id}`,
          permissions: newPermissions(cloud, caller),
          lock: null,
          state: 'INIT',
          resched: false,
          stime: cloud.seconds,
          etime: 0,
          deployId: '',
          cpu,
          vcpu,
          memoryMiB,
          disks,
          nics,
          context: null,
          template: kept,
          userTemplate: user,
          history: [],
          snapshots: [],
          scheduled: [],
          work: null,
          spans: [],
          steps: 0,
          trouble: null,
          timer: null,
          uuid: uuidOf(cloud, id),
        };
        const context = template.vector('CONTEXT');
        if (context !== undefined) made.context = expandContext(cloud, made, context);
        return made;
      });
    },
    () => {
      releaseNics(cloud, { id: vmId, nics });
      releaseDisks(cloud, { id: vmId, disks });
    },
  );
  cloud.quotas.take(vm);
  for (const plan of wish.plans) cloud.agenda.add(vm, plan);
  // The attribute alone does not hold the VM, unless it has to wait for an image first.
  if (wish.hold) vm.template.set('SUBMIT_ON_HOLD', 'YES');
  const held = wish.hold || template.has('DEPLOY_ID');
  cloud.driver.enter(vm, waitsForImages(cloud, vm) ?? (held ? 'HOLD' : 'PENDING'));
  return vm;
}

/** What a VM is called by its hypervisor, and by the probe in it. */
export const uuidOf = (cloud: Cloud, id: number): string => cloud.random.uuid('vm', id);

function split(template: Template): { kept: Template; user: Template } {
  const keeps = (attribute: Attribute): boolean =>
    TEMPLATE_ATTRIBUTES.has(attribute.name) && !isUnreadMaximum(attribute);
  return {
    kept: template.filter(keeps),
    user: template.filter((attribute) => !keeps(attribute) && !CONSUMED_ATTRIBUTES.has(attribute.name)),
  };
}

/** What oned cannot read as a number, it leaves where it was. */
const isUnreadMaximum = ({ name, value }: Attribute): boolean =>
  name === 'VCPU_MAX' && typeof value === 'string' && !/^\s*\d+\s*$/.test(value);

/** CPU, VCPU and MEMORY of the text, checked in oned's order. */
function capacity(template: Template): Pick<Vm, 'cpu' | 'vcpu' | 'memoryMiB'> {
  const memory = template.get('MEMORY') ?? '';
  if (!positiveInteger(memory, LONGEST))
    throw new OneError('INTERNAL', 'MEMORY attribute must be a positive integer value.');
  const cpu = Number(template.get('CPU') ?? '');
  if (!(cpu > 0 && cpu < Number.POSITIVE_INFINITY)) {
    throw new OneError('INTERNAL', 'CPU attribute must be a positive float or integer value.');
  }
  const vcpu = template.get('VCPU');
  if (vcpu !== undefined && !positiveInteger(vcpu, LARGEST_INT)) {
    throw new OneError('INTERNAL', 'VCPU attribute must be a positive integer value.');
  }
  const mode = template.get('MEMORY_RESIZE_MODE')?.toUpperCase();
  if (mode !== undefined) {
    if (mode !== 'BALLOONING' && mode !== 'HOTPLUG') {
      throw new OneError('INTERNAL', `Unknown MEMORY_RESIZE_MODE: ${mode}`);
    }
    template.set('MEMORY_RESIZE_MODE', mode);
  }
  const requirements = template.contents.filter((attribute) => attribute.name === 'SCHED_REQUIREMENTS');
  if (requirements.length > 1) {
    throw new OneError('INTERNAL', 'Only one SCHED_REQUIREMENTS attribute can be defined.');
  }
  return { cpu, memoryMiB: Number(memory), vcpu: vcpu === undefined ? null : Number(vcpu) };
}

/** The largest numbers of the types that oned reads these into. */
const LARGEST_INT = 2 ** 31 - 1;
const LONGEST = 2 ** 63;

const positiveInteger = (text: string, most: number): boolean =>
  /^\s*\d+\s*$/.test(text) && Number(text) > 0 && Number(text) <= most;

export const INSTANTIATE_OPERATIONS = {
  'one.vm.allocate': vmAllocate,
  'one.template.instantiate': templateInstantiate,
} as const;
