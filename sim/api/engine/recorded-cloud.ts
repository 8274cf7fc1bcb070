/** For tests: the cloud on which the answers in `fixtures/golden/engine.ndjson` were recorded, and how to find one's way in it. */
import { Judge } from '../../faults/judge.ts';
import { Clock } from '../../kernel/clock.ts';
import { Journal } from '../../kernel/journal.ts';
import { Random } from '../../kernel/random.ts';
import { CLOUD_DEFAULTS, Cloud } from '../../one/cloud.ts';
import { addHost } from '../../one/host.ts';
import type { Modes } from '../../one/owned.ts';
import { createServiceTemplate } from '../../one/service-template.ts';
import { TIMINGS, type Timing } from '../../one/timing.ts';
import { createUser } from '../../one/user.ts';

const USERS = ['tester', 'other', 'nodocs'];

const DISK = 'DISK=[IMAGE_ID=0]';
const NIC = 'NIC=[NETWORK_ID=0]';
const CONTEXT = 'CONTEXT=[NETWORK=YES]';
const SSH_CONTEXT = 'CONTEXT=[NETWORK=YES, SSH_PUBLIC_KEY="$USER[SSH_PUBLIC_KEY]"]';
const CAPACITY = 'CPU=0.1 MEMORY=128';

/** VM templates by the name of the service template whose FAAS they are. The first two are also those of `Function-Data`. */
const VM_TEMPLATES = {
  Function: `${CAPACITY} ${DISK} ${NIC} ${SSH_CONTEXT}`,
  Data: `${CAPACITY} ${DISK} ${NIC} ${SSH_CONTEXT}`,
  FAILED_DEPLOY: `${CAPACITY} DISK=[IMAGE_ID=9999] ${NIC} ${CONTEXT}`,
  DenyVMTemplate: `${CAPACITY} ${DISK} ${NIC} ${CONTEXT}`,
  NoDisk: `${CAPACITY} ${NIC} ${CONTEXT}`,
  NoContext: `${CAPACITY} ${DISK}`,
  Sized: `${CAPACITY} DISK=[IMAGE_ID=0, SIZE=300] ${NIC} ${CONTEXT}`,
  TwoDisk: `${CAPACITY} ${DISK} ${DISK} ${NIC} ${CONTEXT}`,
  Vcpu4: `CPU=0.5 VCPU=4 MEMORY=512 VCPU_MAX=5 MEMORY_MAX=600 ${DISK} ${NIC} ${CONTEXT}`,
  NoMem: `CPU=0.1 MEMORY=0 ${DISK} ${CONTEXT}`,
  Ready: `${CAPACITY} ${DISK} ${NIC} CONTEXT=[NETWORK=YES, REPORT_READY=YES]`,
  Net6: `${CAPACITY} ${DISK} NIC=[NETWORK_ID=1] ${CONTEXT}`,
  NetX: `${CAPACITY} ${DISK} NIC=[NETWORK_ID=2] ${CONTEXT}`,
  BadNet: `${CAPACITY} ${DISK} NIC=[NETWORK_ID=777] ${CONTEXT}`,
};

const VNETS = [
  'NAME=fnet VN_MAD=dummy BRIDGE=br0 AR=[TYPE=IP4, IP="10.0.0.1", SIZE=200]',
  'NAME=fnet6 VN_MAD=dummy BRIDGE=br1 AR=[TYPE=IP4_6, IP="10.6.0.1", SIZE=50, GLOBAL_PREFIX="2001:db8::"]',
  'NAME=fnetx VN_MAD=dummy BRIDGE=br2 EXTERNAL_IP="198.51.100.7" AR=[TYPE=IP4, IP="10.7.0.1", SIZE=50]',
];

const USABLE_BY_ALL: Modes = [1, 1, 0, 0, 0, 0, 1, 0, 0];
const OWN: Modes = [1, 1, 0, 0, 0, 0, 0, 0, 0];

/** Which VM template each role has, by the name of the service template. */
const SERVICE_TEMPLATES: readonly (readonly [name: string, faas: keyof typeof VM_TEMPLATES, daas?: 'Data'])[] = [
  ['Function', 'Function'],
  ['Function-Data', 'Function', 'Data'],
  ['nature', 'Function'],
  ...(Object.keys(VM_TEMPLATES) as (keyof typeof VM_TEMPLATES)[])
    .filter((name) => name !== 'Function' && name !== 'Data')
    .map((name) => [name, name] as const),
];

/** Its scheduler looks once a second, and each driver action takes half of one, unless a test says otherwise. */
export function recordedCloud(timing: Timing = TIMINGS.fast): Cloud {
  const clock = new Clock(Date.UTC(2026, 10, 21, 21));
  const random = new Random(1);
  const ground = { clock, random, journal: new Journal(clock), judge: new Judge(random) };
  const cloud = new Cloud(ground, { ...CLOUD_DEFAULTS, timing });
  const { root } = cloud;
  for (const name of USERS) createUser(cloud, { name, password: `${name}pass` });
  for (const name of ['host0', 'host1']) addHost(cloud, { name, imMad: 'dummy', vmMad: 'dummy' });
  const image = cloud.run(root, 'one.image.allocate', 'NAME=fimg TYPE=DATABLOCK SIZE=200 DEV_PREFIX=vd', 1);
  cloud.run(root, 'one.image.chmod', image, ...USABLE_BY_ALL);
  clock.advanceNow(60_000);
  for (const text of VNETS) {
    const vnet = cloud.run(root, 'one.vn.allocate', text, -1);
    cloud.run(root, 'one.vn.chmod', vnet, ...USABLE_BY_ALL);
  }
  const vmTemplates = Object.entries(VM_TEMPLATES).map(([name, text]) => {
    const id = cloud.run(root, 'one.template.allocate', `NAME="${name}-vm" ${text}`);
    cloud.run(root, 'one.template.chmod', id, ...(name === 'DenyVMTemplate' ? OWN : USABLE_BY_ALL));
    return [name, id] as const;
  });
  const vmTemplate = Object.fromEntries(vmTemplates);
  const role = (name: string, of: string) => ({ name, cardinality: 1, vm_template: vmTemplate[of] ?? -1 });
  for (const [name, faas, daas] of SERVICE_TEMPLATES) {
    const roles = [role('FAAS', faas), ...(daas === undefined ? [] : [role('DAAS', daas)])];
    const { id } = createServiceTemplate(cloud, root, { name, deployment: 'straight', roles });
    cloud.run(root, 'one.document.chmod', id, ...USABLE_BY_ALL);
  }
  const net = { name: 'FAILED_NET', deployment: 'straight', roles: [role('FAAS', 'Function')] };
  const networks = {
    networks: { pub: 'M|network|| |template_id:9999' },
    networks_values: [{ pub: { template_id: '9999' } }],
  };
  const failedNet = createServiceTemplate(cloud, root, { ...net, ...networks });
  cloud.run(root, 'one.document.chmod', failedNet.id, ...USABLE_BY_ALL);
  return cloud;
}
