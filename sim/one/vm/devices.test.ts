/** DISK, NIC, CONTEXT and SECURITY_GROUP_RULE of VMs that a real oned made, against ours of the same templates. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Cloud } from '../cloud.ts';
import { ADMIN_SESSION, freshCloud, TESTER } from '../testing.ts';
import { contextAttributes } from './context.ts';
import { diskAttributes } from './disk.ts';
import { nicAttributes, nicRules } from './nic.ts';
import type { Vm } from './vm.ts';

type Attributes = [name: string, value: string][];

const VMS = new URL('../../../fixtures/golden/vms/', import.meta.url);

/** The recorded elements of that name inside TEMPLATE, in order. */
function recorded(file: string, name: string): Attributes[] {
  const template = /<TEMPLATE>.*<\/TEMPLATE>/s.exec(readFileSync(new URL(`${file}.vm.xml`, VMS), 'utf8'))?.[0] ?? '';
  return Array.from(template.matchAll(new RegExp(`<${name}>(.*?)</${name}>`, 'gs')), ([, body = '']) =>
    Array.from(body.matchAll(/<(\w+)><!\[CDATA\[(.*?)\]\]><\/\1>/gs), ([, key = '', value = '']) => [key, value]),
  );
}

/** The image and networks of the recordings. */
function recordedCloud(): Cloud {
  const cloud = freshCloud();
  const admin = cloud.authenticate(ADMIN_SESSION, 'test');
  const image = cloud.run(admin, 'one.image.allocate', 'NAME=fimg TYPE=DATABLOCK SIZE=200 DEV_PREFIX=vd', 1);
  cloud.images.get(image).permissions = 0o644;
  for (const text of [
    'NAME=fnet VN_MAD=dummy BRIDGE=br0 AR=[TYPE=IP4,IP=10.0.0.1,SIZE=200]',
    'NAME=fnet6 VN_MAD=dummy BRIDGE=br1 AR=[TYPE=IP4_6,IP=10.6.0.1,SIZE=50,GLOBAL_PREFIX="2001:db8::"]',
    'NAME=fnetx VN_MAD=dummy BRIDGE=br2 EXTERNAL_IP=198.51.100.7 AR=[TYPE=IP4,IP=10.7.0.1,SIZE=50]',
  ]) {
    cloud.vnets.get(cloud.run(admin, 'one.vn.allocate', text)).permissions = 0o644;
  }
  return cloud;
}

/** A VM of that text whose id and first address are those of the recording. */
function madeAs(file: string, text: string): [Cloud, Vm] {
  const cloud = recordedCloud();
  const [nic = []] = recorded(file, 'NIC');
  const { IP = '', NETWORK_ID = '0' } = Object.fromEntries(nic);
  const last = Number(IP.split('.').at(-1) ?? 0);
  for (let n = 1; n < last; n++) {
    const lower = IP.replace(/\d+$/, String(n));
    cloud.call(ADMIN_SESSION, 'one.vn.hold', Number(NETWORK_ID), `LEASES=[IP="${lower}"]`);
  }
  const id = cloud.call(TESTER, 'one.vm.allocate', `CPU=1 MEMORY=128 ${text}`);
  return [cloud, cloud.vms.get(id)];
}

const SR_AUTH = 'SR_AUTH="dGVzdGVyOnRlc3RlcnBhc3M=\n"';
const CONTEXT = `CONTEXT=[NETWORK=YES,${SR_AUTH}]`;
const WITH_KEY = `CONTEXT=[NETWORK=YES,SSH_PUBLIC_KEY="$USER[SSH_PUBLIC_KEY]",${SR_AUTH}]`;

describe.each([
  ['create_faas_capacity_FAAS', `DISK=[IMAGE_ID=0,SIZE=1338] NIC=[NETWORK_ID=0] ${WITH_KEY}`],
  ['create_net6_FAAS', `DISK=[IMAGE_ID=0,SIZE=1024] NIC=[NETWORK_ID=1] ${CONTEXT}`],
  ['create_netx_FAAS', `DISK=[IMAGE_ID=0,SIZE=1024] NIC=[NETWORK_ID=2] ${CONTEXT}`],
  ['create_nocontext_nonic_FAAS', `DISK=[IMAGE_ID=0,SIZE=1024] CONTEXT=[${SR_AUTH}]`],
  ['create_sized_FAAS', `DISK=[IMAGE_ID=0,SIZE=300] NIC=[NETWORK_ID=0] ${CONTEXT}`],
  ['st_pending', `DISK=[IMAGE_ID=0,SIZE=1024] NIC=[NETWORK_ID=0] ${WITH_KEY}`],
])('%s', (file, text) => {
  const [cloud, vm] = madeAs(file, text);

  test('DISK', () => {
    expect(vm.disks.map((disk) => diskAttributes(cloud, vm, disk))).toEqual(recorded(file, 'DISK'));
  });

  test('NIC', () => {
    const ours = vm.nics.map((nic) => nicAttributes(cloud, vm, nic));
    const theirs = recorded(file, 'NIC').map((nic) =>
      nic.map(([name, value]) => [name, name === 'TARGET' ? value.replace(/\d+/, String(vm.id)) : value]),
    );
    expect(ours).toEqual(theirs);
  });

  test('CONTEXT', () => {
    expect([contextAttributes(cloud, vm)]).toEqual(recorded(file, 'CONTEXT'));
  });

  test('SECURITY_GROUP_RULE', () => {
    expect(nicRules(cloud, vm).map((rule) => [...rule])).toEqual(recorded(file, 'SECURITY_GROUP_RULE'));
  });
});
