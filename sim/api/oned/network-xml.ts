/** VNET and SECURITY_GROUP. Mirrors `VirtualNetwork.cc`, `AddressRange.cc` and `SecurityGroup.cc` of OpenNebula 6.10. */

import type { Cloud } from '../../one/cloud.ts';
import { type AddressRange, leaseAttributes, rangeAttributes, rangeBounds } from '../../one/resources/address-range.ts';
import type { SecurityGroup } from '../../one/resources/security-group.ts';
import { updatedVms, usedLeases, VNET_STATES, type Vnet, type VnetView } from '../../one/resources/vnet.ts';
import { vmsInGroup } from '../../one/vm/nic-group.ts';
import { cdata, cdataOrNothing, element, heading, ids, lock, permissions, templateXml, vector } from './xml.ts';

/** A network with its leases, as one caller sees them. */
export function vnetXml(cloud: Cloud, { vnet, sees }: VnetView): string {
  const ranges = vnet.ranges.map((range) => {
    const leases = leaseAttributes(range, sees).map((lease) => vector('LEASE', lease));
    const attributes = [...range.attributes, ...rangeBounds(range)];
    return element(
      'AR',
      attributes.map(([name, value]) => cdata(name, value)).join('') +
        element('USED_LEASES', range.leases.size) +
        (leases.length === 0 ? '<LEASES/>' : element('LEASES', leases.join(''))),
    );
  });
  return body(cloud, vnet, updatedVms(vnet), ranges);
}

/** In a pool: without leases, and without the VMs that have them. */
export function pooledVnetXml(cloud: Cloud, vnet: Vnet): string {
  const ranges = vnet.ranges.map((range: AddressRange) => vector('AR', rangeAttributes(range)));
  return body(cloud, vnet, [], ranges);
}

function body(cloud: Cloud, vnet: Vnet, vms: readonly number[], ranges: readonly string[]): string {
  const state = VNET_STATES[vnet.state];
  return (
    `<VNET>${heading(cloud, vnet)}${lock(vnet)}${permissions(vnet)}${ids('CLUSTERS', vnet.clusters)}` +
    `${cdata('BRIDGE', vnet.bridge)}${cdata('BRIDGE_TYPE', vnet.bridgeType)}${cdata('STATE', state)}` +
    `${cdata('PREV_STATE', state)}${parent(vnet)}${cdata('VN_MAD', vnet.vnMad)}` +
    `${cdataOrNothing('PHYDEV', vnet.phydev)}${cdataOrNothing('VLAN_ID', vnet.vlanId)}` +
    `${cdataOrNothing('OUTER_VLAN_ID', vnet.outerVlanId)}` +
    `<VLAN_ID_AUTOMATIC>${vnet.vlanIdAutomatic ? 1 : 0}</VLAN_ID_AUTOMATIC>` +
    `<OUTER_VLAN_ID_AUTOMATIC>${vnet.outerVlanIdAutomatic ? 1 : 0}</OUTER_VLAN_ID_AUTOMATIC>` +
    `<USED_LEASES>${usedLeases(vnet)}</USED_LEASES><VROUTERS></VROUTERS>${ids('UPDATED_VMS', vms)}` +
    '<OUTDATED_VMS></OUTDATED_VMS><UPDATING_VMS></UPDATING_VMS><ERROR_VMS></ERROR_VMS>' +
    `${templateXml(vnet.template)}${element('AR_POOL', ranges.join(''))}</VNET>`
  );
}

const parent = ({ parentId }: Vnet): string =>
  parentId === null ? '<PARENT_NETWORK_ID/>' : element('PARENT_NETWORK_ID', parentId);

export function securityGroupXml(cloud: Cloud, group: SecurityGroup): string {
  return (
    `<SECURITY_GROUP>${heading(cloud, group)}${permissions(group)}${ids('UPDATED_VMS', vmsInGroup(cloud, group.id))}` +
    '<OUTDATED_VMS></OUTDATED_VMS><UPDATING_VMS></UPDATING_VMS><ERROR_VMS></ERROR_VMS>' +
    `${templateXml(group.template)}</SECURITY_GROUP>`
  );
}
