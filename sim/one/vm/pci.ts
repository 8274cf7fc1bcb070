/** PCI devices, of which no host has any: what oned answers then. Mirrors `DispatchManager::attach_pci` and `check_pci_attributes` of OpenNebula 6.10. */
import { forbidden } from '../access/acl.ts';
import type { Caller } from '../access/user.ts';
import type { Cloud } from '../cloud.ts';
import { OneError } from '../error.ts';
import { parseTemplate } from '../parse.ts';
import type { Vector } from '../syntax/syntax.ts';
import { managed } from './hotplug.ts';
import { restrictedAttribute } from './restricted.ts';
import type { Vm } from './vm.ts';

const refused = (why: string): OneError => new OneError('ACTION', why);

const NAMING = ['VENDOR', 'DEVICE', 'CLASS'] as const;

/** A device is named by what it is, or by where it is. */
function requireNamed(pci: Vector): void {
  const named = NAMING.filter((name) => pci.get(name));
  const wrong = named.find((name) => !/^\s*(0[xX])?[0-9a-fA-F]+$/.test(pci.get(name) ?? ''));
  if (wrong !== undefined) throw refused(`Wrong Hex value for PCI attribute ${wrong}`);
  const placed = Boolean(pci.get('SHORT_ADDRESS'));
  if (!placed && named.length === 0) throw refused('SHORT_ADDRESS, DEVICE, VENDOR or CLASS must be defined for PCI.');
  if (placed && named.length > 0) throw refused('SHORT_ADDRESS cannot be set with DEVICE, VENDOR or CLASS');
}

function requireOff(vm: Vm): void {
  if (vm.state !== 'POWEROFF' && vm.state !== 'UNDEPLOYED')
    throw refused('VM in wrong state, it has to be in poweroff');
}

function attach(cloud: Cloud, caller: Caller, id: number, text: string): number {
  const template = parseTemplate(text, 'INTERNAL');
  const pci = template.vector('PCI');
  if (pci === undefined) throw refused('PCI attribute not found');
  if (pci.get('TYPE') === 'NIC') throw refused('Use one.vm.attachnic to attach this PCI device');
  requireNamed(pci);
  const vm = managed(cloud, caller, id);
  const restricted = caller.admin ? undefined : restrictedAttribute(template);
  if (restricted !== undefined) {
    throw forbidden(caller, `PCI includes a restricted attribute ${restricted.sub ?? restricted.name}`);
  }
  requireOff(vm);
  throw refused('Cannot assign PCI device in host. Check address and free devices');
}

function detach(cloud: Cloud, caller: Caller, id: number, _pciId: number): number {
  requireOff(managed(cloud, caller, id));
  throw refused('PCI device not found');
}

export const PCI_OPERATIONS = { 'one.vm.attachpci': attach, 'one.vm.detachpci': detach } as const;
