/** DOCUMENT, VMTEMPLATE and ACL. Mirrors `Document.cc`, `VMTemplate.cc` and `AclRule.cc` of OpenNebula 6.10. */
import { formatHex, formatRule, type Rule } from '../../one/access/acl-rule.ts';
import type { Cloud } from '../../one/cloud.ts';
import type { Document } from '../../one/document.ts';
import type { VmTemplate } from '../../one/vm/template.ts';
import { element, heading, lock, permissions, templateXml } from './xml.ts';

export const documentXml = (cloud: Cloud, document: Document): string =>
  `<DOCUMENT>${heading(cloud, document)}<TYPE>${document.type}</TYPE>${permissions(document)}${lock(document)}` +
  `${templateXml(document.template)}</DOCUMENT>`;

export const vmTemplateXml = (cloud: Cloud, template: VmTemplate): string =>
  `<VMTEMPLATE>${heading(cloud, template)}${lock(template)}${permissions(template)}` +
  `<REGTIME>${template.regtime}</REGTIME>${templateXml(template.template)}</VMTEMPLATE>`;

export function ruleXml(rule: Rule): string {
  const parts = (['user', 'resource', 'rights', 'zone'] as const).map((part) =>
    element(part.toUpperCase(), formatHex(rule[part])),
  );
  return element('ACL', element('ID', rule.id) + parts.join('') + element('STRING', formatRule(rule)));
}
