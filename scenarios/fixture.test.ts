/** The README's example of the vitest fixture, word for word but for where it comes from; `sim/readme.test.ts` compares them. */
import { expect } from 'vitest';
import { test } from '../sim/vitest.ts';

test('a host that is asked too much says so', async ({ onesim }) => {
  await onesim.control.faults.arm({
    selector: { layer: 'vm', operation: 'deploy' },
    effect: { do: 'fail', message: 'No KVM' },
  });
  const body = JSON.stringify({ SERVERLESS_RUNTIME: { FAAS: { FLAVOUR: 'Function' } } });
  const headers = { Authorization: `Basic ${btoa('alice:alice')}` };
  await onesim.fetch(new Request('http://localhost:1337/serverless-runtimes', { method: 'POST', headers, body }));
  const { events } = await onesim.control.clock.runUntil({ kind: 'vm.state', detail: { to: 'BOOT_FAILURE' } });
  expect(events.at(-1)).toMatchObject({ kind: 'vm.state', detail: { from: 'BOOT' } });
});
