/** Instances started and ended from outside, every answer held against its contract. */
import { expect, test } from 'vitest';
import { loadSimulator } from '../../index.ts';
import { checksAllOf, start as startWith } from './testing.ts';

const { furnish } = (await loadSimulator()).world.config;

const SERVICE = '4b6a8f1e-6d7b-4b0f-9a57-0d2f5f1c7e10';
const FUNCTION = '39cfccd6-9475-4e99-aa88-9a2066ac3976';
const THERE = '7c1d9f20-5b7e-4a6d-b1c3-2e4f6a8b0d12';

function start() {
  const { world, call } = startWith({ furnish });
  return { world: world(), call };
}

test('the instances that the world began with are listed', async () => {
  const { call } = start();
  expect((await call('GET', '/instances')).body.instances).toMatchObject([
    {
      uuid: THERE,
      service: SERVICE,
      status: 'normal operation',
      vms: [0],
      functionInstances: [{ function: FUNCTION }],
    },
  ]);
});

test('a service is instantiated, boots as VMs do, and is ended', async () => {
  const { call, world } = start();
  const { status, body, headers } = await call('POST', '/instances', { of: SERVICE });
  expect({ status, body }).toMatchObject({ status: 201, body: { service: SERVICE, status: 'offline', vms: [1] } });
  expect(headers.get('Location')).toBe(`/_onesim/instances/${body.uuid}`);
  await world.clock.advance(300_000);
  expect((await call('GET', `/instances/${body.uuid}`)).body.status).toBe('normal operation');
  expect(await call('DELETE', `/instances/${body.uuid}`)).toMatchObject({ status: 204, body: '' });
  await world.clock.advance(60_000);
  expect((await call('GET', `/instances/${body.uuid}`)).body.status).toBe('terminated');
  expect(world.cloud.vms.get(1).state).toBe('DONE');
});

test('a function is instantiated by itself, and one of a service is ended by itself', async () => {
  const { call, world } = start();
  const { body } = await call('POST', '/instances', { of: FUNCTION });
  expect(body).toMatchObject({ function: FUNCTION, status: 'offline', vms: [1] });
  expect((await call('GET', '/instances')).body.instances).toHaveLength(2);
  // A machine that does not run yet is deleted.
  await call('DELETE', `/instances/${body.uuid}`);
  expect((await call('GET', `/instances/${body.uuid}`)).body.status).toBe('terminated');
  const [part] = (await call('GET', `/instances/${THERE}`)).body.functionInstances;
  await call('DELETE', `/instances/${part?.uuid}`);
  await world.clock.advance(60_000);
  expect((await call('GET', `/instances/${THERE}`)).body.status).toBe('terminated');
});

test('what the cloud has no leave for is a conflict, and nothing is left of it', async () => {
  const { call, world } = start();
  const { cloud } = world;
  cloud.run(cloud.root, 'one.vn.hold', 0, 'LEASES=[IP=10.0.0.4]');
  for (const network of [...cloud.vnets]) cloud.run(cloud.root, 'one.vn.rm_ar', network.id, 0, true);
  const { status, body } = await call('POST', '/instances', { of: SERVICE });
  expect({ status, body }).toMatchObject({ status: 409, body: { error: { code: 'conflict' } } });
  expect(body.error.message).toMatch(/one\.vm\.allocate/);
  expect([...cloud.vms]).toHaveLength(1);
  expect((await call('GET', '/instances')).body.instances).toHaveLength(1);
});

test('what is not there is not found, and what makes no sense is refused', async () => {
  const { call } = start();
  expect(await call('POST', '/instances', { of: THERE })).toMatchObject({ status: 404 });
  expect(await call('POST', '/instances', { of: 7 })).toMatchObject({ status: 400 });
  expect(await call('POST', '/instances', { of: 'x'.repeat(20_000) })).toMatchObject({ status: 413 });
  expect(await call('POST', '/instances', {})).toMatchObject({ status: 400 });
  expect(await call('POST', '/instances', { of: SERVICE, on: 'host0' })).toMatchObject({ status: 400 });
  expect(await call('GET', `/instances/${SERVICE}`)).toMatchObject({ status: 404 });
  expect(await call('DELETE', `/instances/${SERVICE}`)).toMatchObject({ status: 404 });
});

checksAllOf((id) => /Instances?$/.test(id));
