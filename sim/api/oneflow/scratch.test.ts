import { test } from 'vitest';
import { furnishedCloud, TESTER } from '../../one/testing.ts';
import { oneflowApi } from './api.ts';

test('x', async () => {
  const cloud = furnishedCloud();
  const app = oneflowApi({ cloud });
  const auth = { Authorization: 'Basic ' + Buffer.from(TESTER).toString('base64') };
  const call = async (method: string, path: string, body?: unknown) => {
    const r = await app.request(path, { method, headers: auth, ...(body ? { body: JSON.stringify(body) } : {}) });
    console.log(method, path, r.status, await r.text());
  };
  await call('GET', '/service');
  await call('POST', '/service_template', {
    name: 'Function',
    deployment: 'straight',
    roles: [{ name: 'FAAS', cardinality: 1, vm_template: 0 }],
  });
  await call('POST', '/service_template/0/action', {
    action: {
      perform: 'instantiate',
      params: { merge_template: { roles: [{ name: 'FAAS', vm_template_contents: 'CPU=1' }] } },
    },
  });
  await call('GET', '/service/1');
  cloud.clock.advanceNow(40000);
  console.log(cloud.vms.get(0).state, cloud.clock.pending);
  cloud.run(cloud.root, 'one.vm.deploy', 0, 0);
  cloud.clock.advanceNow(4000);
  await call('GET', '/service/1');
  await call('DELETE', '/service/1');
  await call('GET', '/service/1');
  cloud.clock.advanceNow(4000);
  await call('GET', '/service/1');
  console.log(cloud.vms.get(0).state, cloud.clock.pending);
});
