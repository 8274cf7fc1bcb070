/**
 * Attributes that only administrators may write. Mirrors `VM_RESTRICTED_ATTR` of the shipped oned.conf, with what the
 * site of an NFV platform adds to it.
 */
import { remembered } from '../../kernel/remembered.ts';
import { OneError } from '../error.ts';
import type { Template, Vector } from '../syntax/syntax.ts';

interface Rule {
  readonly name: string;
  readonly matches: (name: string) => boolean;
  /** Absent where the whole attribute is restricted. */
  readonly sub: ((name: string) => boolean) | undefined;
}

/** `NAME` or `NAME/SUB`; `*` stands for anything. */
const RESTRICTED = [
  'CONTEXT/FILES',
  ...['NIC', 'NIC_ALIAS', 'NIC_DEFAULT'].flatMap((nic) =>
    [
      'MAC',
      'VLAN_ID',
      'BRIDGE',
      'FILTER*',
      'INBOUND_*',
      'OUTBOUND_*',
      'OPENNEBULA_MANAGED',
      'VCENTER_*',
      'EXTERNAL',
    ].map((sub) => `${nic}/${sub}`),
  ),
  ...['*_BYTES_SEC*', '*_IOPS_SEC*', 'OPENNEBULA_MANAGED', 'VCENTER_*', 'ORIGINAL_SIZE', 'SIZE_PREV'].map(
    (sub) => `DISK/${sub}`,
  ),
  'DEPLOY_ID',
  'CPU_COST',
  'MEMORY_COST',
  'DISK_COST',
  'PCI',
  'EMULATOR',
  'RAW/DATA',
  'USER_PRIORITY',
  'USER_INPUTS/CPU',
  'USER_INPUTS/MEMORY',
  'USER_INPUTS/VCPU',
  'VCENTER_*',
  'TOPOLOGY/PIN_POLICY',
  'TOPOLOGY/HUGEPAGE_SIZE',
  // Under these a machine is known to the platform and to its monitoring.
  'VC_ID',
  'VNF_NAME',
  'VNFR_ID',
  'VDU_ID',
  'VNFC_ID',
].map((path): Rule => {
  const [name = '', sub] = path.split('/');
  return { name, matches: pattern(name), sub: sub === undefined ? undefined : pattern(sub) };
});

/** Rules by the name of the attribute, and those whose name is a pattern, which no name above matches. */
const BY_NAME = new Map<string, Rule[]>();
const BY_PATTERN: Rule[] = [];
for (const rule of RESTRICTED) {
  if (rule.name.includes('*')) BY_PATTERN.push(rule);
  else BY_NAME.set(rule.name, [...(BY_NAME.get(rule.name) ?? []), rule]);
}

const rulesFor = remembered(
  (name): readonly Rule[] => BY_NAME.get(name) ?? BY_PATTERN.filter((rule) => rule.matches(name)),
);

function pattern(text: string): (candidate: string) => boolean {
  if (!text.includes('*')) return (candidate) => candidate === text;
  const expression = new RegExp(`^${text.replaceAll('*', '.*')}$`);
  return (candidate) => expression.test(candidate);
}

/** The first restricted attribute in a template, with its sub-attribute if that is what is restricted. */
export function restrictedAttribute(template: Template): { name: string; sub?: string } | undefined {
  for (const { name, value } of template.contents) {
    const rules = rulesFor(name);
    if (rules.length === 0) continue;
    if (rules.some((rule) => rule.sub === undefined)) return { name };
    const sub = typeof value === 'string' ? null : restrictedSub(name, rules, value);
    if (sub !== null) return { name, sub };
  }
  return undefined;
}

/** By the vector that they are of: VMs that are made of one text share its vectors. */
const SUBS = new WeakMap<Vector, { readonly name: string; readonly sub: string | null }>();

function restrictedSub(name: string, rules: readonly Rule[], vector: Vector): string | null {
  let known = SUBS.get(vector);
  if (known?.name !== name) {
    const subs = [...vector.keys()];
    const sub = rules.map((rule) => subs.find((each) => rule.sub?.(each))).find((each) => each !== undefined);
    known = { name, sub: sub ?? null };
    SUBS.set(vector, known);
  }
  return known.sub;
}

/**
 * The first restricted attribute that differs from what was there before. A single one that an update leaves out is
 * kept.
 * @param append only what is written can differ
 */
export function restrictedChange(template: Template, before: Template, append: boolean): string | undefined {
  const names = new Set([...template, ...(append ? [] : before)].map(({ name }) => name));
  for (const name of [...names].sort()) {
    const rules = rulesFor(name);
    if (rules.length === 0) continue;
    if (rules.some((rule) => rule.sub === undefined)) {
      const [old, wanted] = [before.get(name), template.get(name)];
      if (wanted === undefined && old !== undefined) template.set(name, old);
      else if (wanted !== old) return name;
    }
    const values = (of: Template) =>
      of
        .vectors(name)
        .flatMap((vector) => [...vector].filter(([sub]) => rules.some((rule) => rule.sub?.(sub))))
        .map((pair) => pair.join('='))
        .sort()
        .join();
    if (values(template) !== values(before)) return name;
  }
  return undefined;
}

/** What oned says of an update with a change that only administrators may make. */
export function changeRefused(name: string, append: boolean): OneError {
  const why = append
    ? `User Template includes a restricted attribute ${name}`
    : `Tried to change restricted attribute: ${name}`;
  return new OneError('INTERNAL', `Cannot update template. ${why}`);
}
