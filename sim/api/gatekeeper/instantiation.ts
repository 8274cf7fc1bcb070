/**
 * How a function instance comes to be: a virtual machine for each VNFC of each VDU, as its VNFD says. World files,
 * requests and the control API all come through here. Mirrors what SONATA's infrastructure adaptor asks of a VIM.
 */
import { callerOf } from '../../one/access/user.ts';
import type { Cloud } from '../../one/cloud.ts';
import { OneError } from '../../one/error.ts';
import { isObject, type Json, type JsonObject } from '../../one/flow/json.ts';
import { type Attribute, Template, templateText } from '../../one/syntax/syntax.ts';
import { SyntaxProblem } from '../../one/syntax/syntax-problem.ts';
import type { CatalogueElement, FunctionInstance, Vim } from './furnishing.ts';
import { textOf } from './json-body.ts';

/** An instance that is to be. */
export interface InstancePlan {
  readonly uuid: string;
  readonly function: CatalogueElement;
  readonly createdAt: number;
  readonly vdus: readonly { readonly id: string; readonly vnfcs: readonly VnfcPlan[] }[];
}

interface VnfcPlan {
  readonly vcId: string;
  /** The VM template that stands for what the VDU says. */
  readonly vmTemplate?: number;
  /** How its load behaves. */
  readonly profile?: string;
}

/** Why there is no instance: the cloud has refused a machine, and those made before it have been ended. */
export class NotInstantiated extends Error {
  /** The VDU and the VNFC in it, by their places in the plan. */
  readonly at: readonly [vdu: number, vnfc: number];

  constructor(reason: string, at: readonly [vdu: number, vnfc: number]) {
    super(reason);
    this.at = at;
  }
}

/** More machines than these no instance has. */
const MOST_VMS = 100;

/** What a VNFD asks for: of every VDU as many VNFCs as it has at least. @throws NotInstantiated */
export function vdusOf(vnfd: JsonObject, vcId: (number: number) => string): InstancePlan['vdus'] {
  let made = 0;
  return unitsOf(vnfd).map((unit, v) => {
    const { minimum } = isObject(unit.scale_in_out) ? unit.scale_in_out : {};
    const count = Math.max(1, Math.floor(Number(textOf(minimum) ?? 1)) || 1);
    if (made + count > MOST_VMS) {
      throw new NotInstantiated(`an instance has ${MOST_VMS} virtual machines at most`, [v, 0]);
    }
    return { id: textOf(unit.id) ?? '', vnfcs: Array.from({ length: count }, () => ({ vcId: vcId(made++) })) };
  });
}

/** Makes the machines of an instance: all of them, or none. @throws NotInstantiated */
export function instantiate(cloud: Cloud, vim: Vim, plan: InstancePlan): FunctionInstance {
  const made: number[] = [];
  const { uuid, createdAt } = plan;
  const vdus = plan.vdus.map(({ id, vnfcs }, v) => ({
    id,
    vnfcs: vnfcs.map((vnfc, n) => {
      try {
        const part = { vdu: id, number: n, vnfc };
        const vmId = machine(cloud, vim, plan, part);
        made.push(vmId);
        // Whose machine it is, its owner cannot say, for then one might pass for another.
        cloud.run(cloud.root, 'one.vm.update', vmId, templateText(identity(plan, part)), APPEND);
        return { id: String(n), vcId: vnfc.vcId, vmId };
      } catch (error) {
        // A text that no template can carry is refused as any other.
        if (!(error instanceof OneError) && !(error instanceof SyntaxProblem)) throw error;
        endMachines(cloud, made);
        throw new NotInstantiated(error.message, [v, n]);
      }
    }),
  }));
  return { uuid, functionUuid: plan.function.uuid, createdAt, vdus };
}

/** Ends machines as their states allow: those that run are shut down, the others are deleted. */
export function endMachines(cloud: Cloud, vmIds: readonly number[]): void {
  for (const id of vmIds) {
    if (cloud.vms.find(id)?.state === 'RUNNING') cloud.run(cloud.root, 'one.vm.action', 'terminate-hard', id);
    else if (cloud.vms.find(id) !== undefined) cloud.run(cloud.root, 'one.vm.recover', id, DELETE);
  }
}

/** The operation of recover that deletes. */
const DELETE = 3;

// ---- one machine --------------------------------------------------------------------------------------------------

/** Which VNFC of an instance. */
interface Part {
  readonly vdu: string;
  readonly number: number;
  readonly vnfc: VnfcPlan;
}

/** What a machine is known by, as attributes of a template. */
const identity = (plan: InstancePlan, { vdu, number, vnfc }: Part): Template =>
  new Template([
    { name: 'VNF_NAME', value: plan.function.descriptor.name },
    { name: 'VNFR_ID', value: plan.uuid },
    { name: 'VDU_ID', value: vdu },
    { name: 'VNFC_ID', value: String(number) },
    { name: 'VC_ID', value: vnfc.vcId },
    ...(vnfc.profile === undefined ? [] : [{ name: 'METRIC_PROFILE', value: vnfc.profile }]),
  ]);

/** @throws OneError */
function machine(cloud: Cloud, vim: Vim, plan: InstancePlan, { vdu, number, vnfc }: Part): number {
  const { descriptor } = plan.function;
  const caller = callerOf(cloud, vim.uid);
  const name = `${descriptor.name}_${vdu}_${number}`.replace(/[^\w.-]/g, '-').slice(0, LONGEST_NAME);
  if (vnfc.vmTemplate !== undefined) return cloud.run(caller, 'one.template.instantiate', vnfc.vmTemplate, name, false);
  const unit = unitsOf(descriptor).find(({ id }) => (textOf(id) ?? '') === vdu) ?? {};
  const template = new Template([{ name: 'NAME', value: name }, ...machineOf(cloud, vim, unit)]);
  return cloud.run(caller, 'one.vm.allocate', templateText(template));
}

/** Of an update that adds to what is there. */
const APPEND = 1;

const LONGEST_NAME = 100;

/** What a VDU says of its machines, as OpenNebula says it. */
function machineOf(cloud: Cloud, vim: Vim, unit: JsonObject): Attribute[] {
  const wanted = membersOf(unit.resource_requirements);
  const { vcpus = 1 } = membersOf(wanted.cpu);
  const nics = objectsOf(unit.connection_points).flatMap(({ type }) => networkOf(cloud, vim, type));
  const data = typeof unit.user_data === 'string' ? Buffer.from(unit.user_data).toString('base64') : undefined;
  return [
    { name: 'CPU', value: textOf(vcpus) ?? '' },
    { name: 'VCPU', value: textOf(vcpus) ?? '' },
    { name: 'MEMORY', value: String(mebibytes(wanted.memory, DEFAULT_MEMORY_MIB)) },
    vector('DISK', diskOf(cloud, vim, unit, mebibytes(wanted.storage, DEFAULT_STORAGE_MIB))),
    ...nics.map((network) => vector('NIC', { NETWORK_ID: String(network) })),
    vector('CONTEXT', {
      NETWORK: 'YES',
      ...(data === undefined ? {} : { USER_DATA: data, USER_DATA_ENCODING: 'base64' }),
    }),
  ];
}

const vector = (name: string, members: Readonly<Record<string, string>>): Attribute => ({
  name,
  value: new Map(Object.entries(members)),
});

/** For a VDU that asks for none; of memory only a catalogue takes such a one that does not check. */
const DEFAULT_MEMORY_MIB = 512;
const DEFAULT_STORAGE_MIB = 1024;

/** Sizes go by powers of 1024, whatever the unit is called, as clouds have it. */
const POWERS = 'BKMGTP';

/** A size of a VNFD, rounded up. */
function mebibytes(size: Json | undefined, otherwise: number): number {
  const { size: given, size_unit: unit = 'MB' } = membersOf(size);
  if (typeof given !== 'number') return otherwise;
  const power = POWERS.indexOf((textOf(unit) ?? '').charAt(0).toUpperCase()) - POWERS.indexOf('M');
  return Math.max(1, Math.ceil(given * 1024 ** power));
}

/** The network that connection points of a type are in: the first of the cloud, unless the world says which. */
function networkOf(cloud: Cloud, { networks }: Vim, type: Json | undefined): number[] {
  const named = networks.find((network) => network.type === type)?.id;
  if (named !== undefined) return [named];
  for (const { id } of cloud.vnets) return [id];
  return [];
}

const IMAGE_DATASTORE = 1;

/** The disk of a VDU: from its image, which is fetched when it is not there yet. */
function diskOf(cloud: Cloud, vim: Vim, unit: JsonObject, storageMiB: number): Readonly<Record<string, string>> {
  const { vm_image: given } = unit;
  if (typeof given !== 'string' || given === '') return { TYPE: 'fs', FORMAT: 'raw', SIZE: String(storageMiB) };
  const name = imageName(given);
  let image = [...cloud.images].find((each) => each.name === name && each.type === 'OS');
  if (image === undefined) {
    const text = templateText(
      new Template([
        { name: 'NAME', value: name },
        { name: 'TYPE', value: 'OS' },
        { name: 'PATH', value: given },
      ]),
    );
    image = cloud.images.get(cloud.run(callerOf(cloud, vim.uid), 'one.image.allocate', text, IMAGE_DATASTORE));
  }
  return { IMAGE_ID: String(image.id), SIZE: String(Math.max(image.sizeMiB, storageMiB)) };
}

/** What an image is called that is at a URL, or that has a name of its own. */
const imageName = (given: string): string =>
  (given.replace(/[?#].*$/s, '').replace(/^.*\//s, '') || 'image').replace(/[^\w.-]/g, '-').slice(0, LONGEST_NAME);

// ---- descriptors --------------------------------------------------------------------------------------------------

const objectsOf = (value: Json | undefined): JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : []);

const membersOf = (value: Json | undefined): JsonObject => (isObject(value) ? value : {});

const unitsOf = (vnfd: JsonObject): JsonObject[] => objectsOf(vnfd.virtual_deployment_units);
