/** The drivers of virtual networks: what each needs to know, and how it numbers VLANs. Mirrors VN_MAD_CONF of `oned.conf`, OpenNebula 6.10. */
import type { Cloud } from '../cloud.ts';
import { OneError } from '../error.ts';

/** What a driver may need, and how oned says so. */
export const MANDATORY = {
  PHYDEV: 'PHYDEV',
  BRIDGE: 'BRIDGE',
  VLAN_ID: 'VLAN_ID (or AUTOMATIC_VLAN_ID)',
  OUTER_VLAN_ID: 'OUTER_VLAN_ID (or AUTOMATIC)',
} as const;

interface NetworkDriver {
  readonly bridgeType: string;
  readonly needs: readonly (keyof typeof MANDATORY)[];
  /** How an automatic VLAN id is chosen: a free one of 802.1Q, or one that follows from the network's id. */
  readonly vlan?: '802.1Q' | 'VXLAN';
  readonly outerVlan?: 'VXLAN';
}

/** VN_MADs as shipped: the type of bridge, and what a network has to say. */
const VN_MADS: Readonly<Record<string, NetworkDriver>> = {
  DUMMY: { bridgeType: 'linux', needs: ['BRIDGE'] },
  BRIDGE: { bridgeType: 'linux', needs: [] },
  FW: { bridgeType: 'linux', needs: [] },
  EBTABLES: { bridgeType: 'linux', needs: [] },
  '802.1Q': {
    bridgeType: 'linux',
    needs: ['PHYDEV', 'VLAN_ID'],
    vlan: '802.1Q',
  },
  VXLAN: { bridgeType: 'linux', needs: ['PHYDEV', 'VLAN_ID'], vlan: 'VXLAN' },
  OVSWITCH: { bridgeType: 'openvswitch', needs: [], vlan: '802.1Q' },
  OVSWITCH_VXLAN: {
    bridgeType: 'openvswitch',
    needs: ['OUTER_VLAN_ID'],
    vlan: '802.1Q',
    outerVlan: 'VXLAN',
  },
  ELASTIC: { bridgeType: 'linux', needs: [] },
  NODEPORT: { bridgeType: 'none', needs: [] },
};

/** @throws OneError INTERNAL */
export function networkDriver(vnMad: string): NetworkDriver {
  const name = vnMad.toUpperCase();
  const driver = Object.hasOwn(VN_MADS, name) ? VN_MADS[name] : undefined;
  if (driver === undefined) throw new OneError('INTERNAL', `VN_MAD named "${vnMad}" is not defined in oned.conf`);
  return driver;
}

/** VLAN ids that may be given out: 0, 1 and 4095 are not. */
const FIRST_VLAN = 2;
const LAST_VLAN = 4094;

/** A VLAN id for a new network. @throws OneError INTERNAL when all are taken */
export function automaticVlan(cloud: Cloud, how: NetworkDriver['vlan'], id: number): string {
  if (how === undefined) return '';
  if (how === 'VXLAN') return String(FIRST_VLAN + id);
  const used = new Set(Array.from(cloud.vnets, (vnet) => (vnet.vlanIdAutomatic ? vnet.vlanId : '')));
  const count = LAST_VLAN - FIRST_VLAN + 1;
  for (let i = 0; i < count; i++) {
    const vlan = String(FIRST_VLAN + ((id + i) % count));
    if (!used.has(vlan)) return vlan;
  }
  throw new OneError('INTERNAL', 'Cannot automatically assign VLAN_ID to network.');
}
