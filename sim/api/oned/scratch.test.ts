import { test } from 'vitest';
import { furnishedCloud } from '../../one/testing.ts';
import { Metrics } from '../../metrics/metrics.ts';
import { onedApi } from './api.ts';
import { encodeCall, decodeAnswer } from './xmlrpc.ts';
test('x', async () => {
  const cloud = furnishedCloud();
  const app = onedApi({ cloud, metrics: new Metrics(cloud.random, cloud), bodyLimit: 1e6 });
  const call = async (method: string, ...params: any[]) => {
    const r = await app.request('/RPC2', { method: 'POST', body: encodeCall({ method, params }) });
    return decodeAnswer(await r.text());
  };
  const S = 'oneadmin:opennebula';
  console.log(await call('one.template.instantiate', S, 0, 'x', false, ''));
  console.log(await call('one.vm.deploy', S, 0, 0));
  cloud.clock.advanceNow(100_000);
  console.log(await call('one.vm.info', S, 0));
  console.log(await call('one.vmpool.info', S, -2, -1, -1, -1));
  console.log(await call('one.host.info', S, 0));
  console.log(await call('one.user.info', S, 2));
  console.log(await call('one.system.config', S));
  console.log(await call('system.methodSignature', 'one.vm.info'));
});
