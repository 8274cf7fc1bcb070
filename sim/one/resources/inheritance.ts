/**
 * What disks and NICs take over from the objects they stand on, when they are made. Mirrors the INHERIT_*_ATTR and
 * TM_MAD_CONF settings of `oned.conf`, OpenNebula 6.10, without those of vCenter.
 */
import { SubAttributes } from '../syntax/sub-attributes.ts';
import type { Template, Vector } from '../syntax/syntax.ts';

/** Attributes of an image that go into DISK. */
export const FROM_IMAGE: ReadonlySet<string> = new Set([
  'ISCSI_USER',
  'ISCSI_USAGE',
  'ISCSI_HOST',
  'ISCSI_IQN',
  'LUKS_SECRET',
  'DISK_TYPE',
]);

/** Attributes of a datastore that go into DISK. */
export const FROM_DATASTORE: ReadonlySet<string> = new Set([
  'CLONE_TARGET',
  'LN_TARGET',
  'CEPH_HOST',
  'CEPH_SECRET',
  'CEPH_KEY',
  'CEPH_USER',
  'CEPH_CONF',
  'CEPH_TRASH',
  'POOL_NAME',
  'ISCSI_USER',
  'ISCSI_USAGE',
  'ISCSI_HOST',
  'GLUSTER_HOST',
  'GLUSTER_VOLUME',
  'DISK_TYPE',
  'ALLOW_ORPHANS',
  'QCOW2_STANDALONE',
  'SPARSE',
]);

/** Attributes of an address range or a virtual network that go into NIC. */
export const FROM_NETWORK: ReadonlySet<string> = new Set([
  'VLAN_TAGGED_ID',
  'FILTER',
  'FILTER_IP_SPOOFING',
  'FILTER_MAC_SPOOFING',
  'MTU',
  'METRIC',
  'IP6_METRIC',
  'METHOD',
  'IP6_METHOD',
  'INBOUND_AVG_BW',
  'INBOUND_PEAK_BW',
  'INBOUND_PEAK_KB',
  'OUTBOUND_AVG_BW',
  'OUTBOUND_PEAK_BW',
  'OUTBOUND_PEAK_KB',
  'CONF',
  'BRIDGE_CONF',
  'OVS_BRIDGE_CONF',
  'IP_LINK_CONF',
  'EXTERNAL_IP',
  'AWS_ALLOCATION_ID',
  'VULTR_IP_ID',
  'GATEWAY',
  'DNS',
  'VXLAN_MODE',
  'VXLAN_TEP',
  'VXLAN_MC',
  'CVLANS',
  'QINQ_TYPE',
  'TRUST',
  'SPOOFCHK',
]);

/** Takes over what is not there yet. A vector attribute gives all it holds. */
export function inherit(into: Map<string, string>, from: Template | Vector, names: ReadonlySet<string>): void {
  for (const attribute of from) {
    const [name, value] = 'name' in attribute ? [attribute.name, attribute.value] : attribute;
    if (!names.has(name)) continue;
    if (typeof value === 'string') take(into, name, value);
    else for (const [key, part] of value) take(into, key, part);
  }
}

function take(into: Map<string, string>, name: string, value: string): void {
  if (value !== '' && !into.get(name)) into.set(name, value);
}

interface Made<T> {
  readonly from: readonly unknown[];
  readonly made: T;
}

/** What was last made of a source, and what that followed from. */
export type Derived<T> = Pick<WeakMap<object, Made<T>>, 'get'> & { set(source: object, made: Made<T>): unknown };

/** Made anew only when what it follows from has changed: so thousands of disks and NICs of a source share it. */
export function derived<T>(last: Derived<T>, source: object, from: readonly unknown[], make: () => T): T {
  const before = last.get(source);
  if (before?.from.length === from.length && before.from.every((each, i) => each === from[i])) return before.made;
  const made = make();
  last.set(source, { from, made });
  return made;
}

/** The attributes that were given and hold; `null` for none, since most disks and NICs have none. */
export function held(given: Iterable<readonly [string, string]>): Vector | null {
  const vector = new SubAttributes(given);
  return vector.size === 0 ? null : vector;
}

/** Attributes one over the other: of a name that several have, the value of the last one prevails. */
export type Layers = readonly (Iterable<readonly [name: string, value: string]> | null)[];

type Pair = [name: string, value: string];

/** The vector as oned shows it, sorted by name. */
export function merged(...layers: Layers): Pair[] {
  let all: Pair[] = [];
  for (const layer of layers) if (layer !== null) all = over(all, sorted(layer));
  return all;
}

/** One sorted list over the other. */
function over(below: Pair[], above: Pair[]): Pair[] {
  if (below.length === 0) return above;
  const all: Pair[] = [];
  let at = 0;
  for (const pair of above) {
    for (let next = below[at]; next !== undefined && next[0] <= pair[0]; next = below[++at]) {
      if (next[0] !== pair[0]) all.push(next);
    }
    all.push(pair);
  }
  for (; at < below.length; at++) all.push(below[at] as Pair);
  return all;
}

/** Most are: only a few that are put together by hand are not. */
function sorted(layer: Iterable<readonly [string, string]>): Pair[] {
  const pairs = Array.from(layer) as Pair[];
  const isSorted = pairs.every((pair, i) => i === 0 || (pairs[i - 1] as Pair)[0] < pair[0]);
  return isSorted ? pairs : Array.from(new Map(pairs)).sort(byName);
}

const byName = ([a]: readonly [string, string], [b]: readonly [string, string]) => (a < b ? -1 : a > b ? 1 : 0);

/** One value of {@link merged}. */
export function prevailing(layers: Layers, name: string): string | undefined {
  for (let i = layers.length - 1; i >= 0; i--) {
    const layer = layers[i] ?? [];
    let found: string | undefined;
    if (layer instanceof SubAttributes) found = layer.get(name);
    else for (const [each, value] of layer) if (each === name) found = value;
    if (found !== undefined) return found;
  }
  return undefined;
}
