/** The Provisioning Engine's user guide, line by line, against the default world. */
import { beforeEach, describe, expect, it } from 'vitest';
import { type Json, type StandIn, standIn } from './stand-in.ts';

const ALICE = 'alice:alice';
const ONEADMIN = 'oneadmin:opennebula';
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/;

let world: StandIn;
beforeEach(async () => {
  world = await standIn();
});

async function create(body: unknown, user = ALICE): Promise<Json> {
  const answer = await world.ask('/serverless-runtimes', { user, body });
  expect(answer.status, answer.text).toBe(201);
  return answer.json().SERVERLESS_RUNTIME as Json;
}

async function read(id: Json | undefined, user = ALICE): Promise<Json> {
  const answer = await world.ask(`/serverless-runtimes/${id}`, { user });
  expect(answer.status, answer.text).toBe(200);
  return answer.json().SERVERLESS_RUNTIME as Json;
}

describe('example runtime specifications', () => {
  it('FaaS only, with the flavour nature', async () => {
    const runtime = await create({
      SERVERLESS_RUNTIME: { FAAS: { FLAVOUR: 'nature' }, SCHEDULING: {}, DEVICE_INFO: {} },
    });
    expect(runtime.FAAS).toMatchObject({ FLAVOUR: 'nature', STATE: 'PENDING' });
    expect(Object.keys(runtime)).toEqual(['NAME', 'ID', 'FAAS', 'SCHEDULING', 'DEVICE_INFO', 'SERVICE_ID']);
  });

  it('FaaS, DaaS, requirements and a name', async () => {
    const capacity = { CPU: 1, MEMORY: 128, DISK_SIZE: 1024 };
    const runtime = await create({
      SERVERLESS_RUNTIME: {
        NAME: 'Example Serverless Runtime',
        FAAS: { ...capacity, FLAVOUR: 'nature' },
        DAAS: { ...capacity, FLAVOUR: 's3' },
        SCHEDULING: {},
        DEVICE_INFO: {},
      },
    });
    expect(runtime.NAME).toBe('Example Serverless Runtime');
    for (const name of ['FAAS', 'DAAS']) expect(runtime[name]).toMatchObject({ ...capacity, STATE: 'PENDING' });
  });
});

describe('create a Serverless Runtime', () => {
  it('minimal: its service comes just before it, and every key of the guide is there', async () => {
    const runtime = await create({
      SERVERLESS_RUNTIME: { FAAS: { FLAVOUR: 'Function' }, SCHEDULING: {}, DEVICE_INFO: {} },
    });
    expect(runtime.NAME).toMatch(new RegExp(`^Function_${UUID.source}$`));
    expect(runtime.SERVICE_ID).toBe(Number(runtime.ID) - 1);
    expect(Object.keys(runtime.FAAS ?? {}).sort()).toEqual(
      ['FLAVOUR', 'VM_ID', 'STATE', 'ENDPOINT', 'CPU', 'MEMORY', 'DISK_SIZE'].sort(),
    );
  });

  it("puts the client's credentials into the VM's context.sh", async () => {
    for (const user of [ONEADMIN, ALICE]) {
      const runtime = await create({ SERVERLESS_RUNTIME: { FAAS: { FLAVOUR: 'Function' } } }, user);
      const { text } = await world.ask(`/_onesim/vms/${runtime.FAAS?.VM_ID}/context.sh`);
      // cat context.sh | grep SR_AUTH | cut -d "'" -f 2 | base64 -d
      const line = text.split('\n').find((candidate) => candidate.includes('SR_AUTH')) ?? '';
      expect(Buffer.from(line.split("'")[1] ?? '', 'base64').toString()).toBe(user);
    }
  });

  it('complex: two functions with capacities of their own, PENDING and then RUNNING', async () => {
    const runtime = await create({
      SERVERLESS_RUNTIME: {
        NAME: 'Function and Data as a Service',
        FAAS: { CPU: 2, MEMORY: 133, DISK_SIZE: 1025, FLAVOUR: 'Function-Data' },
        DAAS: { CPU: 3, MEMORY: 197, DISK_SIZE: 1337, FLAVOUR: 'Data' },
        SCHEDULING: {},
        DEVICE_INFO: {},
      },
    });
    const expected = {
      NAME: 'Function and Data as a Service',
      ID: runtime.ID,
      FAAS: { CPU: 2, MEMORY: 133, DISK_SIZE: 1025, FLAVOUR: 'Function-Data', VM_ID: runtime.FAAS?.VM_ID },
      DAAS: { CPU: 3, MEMORY: 197, DISK_SIZE: 1337, FLAVOUR: 'Data', VM_ID: Number(runtime.FAAS?.VM_ID) + 1 },
      SCHEDULING: {},
      DEVICE_INFO: {},
      SERVICE_ID: Number(runtime.ID) - 1,
    };
    expect(runtime).toMatchObject(expected);
    for (const name of ['FAAS', 'DAAS']) expect(runtime[name]?.STATE).toBe('PENDING');
    await world.pass(60_000);
    const running = await read(runtime.ID);
    expect(running).toMatchObject(expected);
    for (const name of ['FAAS', 'DAAS']) expect(running[name]?.STATE).toBe('RUNNING');
  });
});

describe('update a Serverless Runtime', () => {
  it('resizes the hardware, renames, and takes new parameters', async () => {
    const { ID } = await create({ SERVERLESS_RUNTIME: { FAAS: { FLAVOUR: 'Function' } } });
    await world.pass(60_000);
    const updated = await world.askWaiting(`/serverless-runtimes/${ID}`, {
      method: 'PUT',
      user: ALICE,
      body: {
        SERVERLESS_RUNTIME: {
          NAME: 'Function as a Service',
          FAAS: { FLAVOUR: 'Function', CPU: 3, MEMORY: 177, DISK_SIZE: 1338 },
          DEVICE_INFO: { LATENCY_TO_PE: 0.5 },
        },
      },
    });
    expect(updated.status, updated.text).toBe(200);
    expect(updated.json().SERVERLESS_RUNTIME?.FAAS).toMatchObject({
      FLAVOUR: 'Function',
      STATE: 'RUNNING',
      CPU: 3,
      MEMORY: 177,
      DISK_SIZE: 1338,
    });
    const now = await read(ID);
    expect(now.NAME).toBe('Function as a Service');
    expect(now.DEVICE_INFO).toEqual({ LATENCY_TO_PE: 0.5 });
  });
});

describe('the state machine', () => {
  const CAPACITY = { FLAVOUR: 'Function', CPU: 1, MEMORY: 128, DISK_SIZE: 1024 };
  const put = (id: Json | undefined, faas: object, user = ALICE) =>
    world.askWaiting(`/serverless-runtimes/${id}`, {
      method: 'PUT',
      user,
      body: { SERVERLESS_RUNTIME: { FAAS: faas } },
    });
  const state = async (id: Json | undefined, user = ALICE) => (await read(id, user)).FAAS?.STATE;
  const breaking = (action: string) =>
    world.ask('/_onesim/faults', {
      body: {
        selector: { layer: 'vm', operation: action },
        trigger: { times: 1 },
        effect: { do: 'fail', message: 'No KVM' },
      },
    });

  it('PENDING → RUNNING → UPDATING → RUNNING, then gone', async () => {
    const { ID } = await create({ SERVERLESS_RUNTIME: { FAAS: CAPACITY } });
    expect(await state(ID)).toBe('PENDING');
    await world.pass(60_000);
    expect(await state(ID)).toBe('RUNNING');
    const waiting = world.ask(`/serverless-runtimes/${ID}`, {
      method: 'PUT',
      user: ALICE,
      body: { SERVERLESS_RUNTIME: { FAAS: { ...CAPACITY, CPU: 2 } } },
    });
    await world.pass(0);
    expect(await state(ID)).toBe('UPDATING');
    await world.pass(60_000);
    expect((await waiting).json().SERVERLESS_RUNTIME?.FAAS).toMatchObject({ STATE: 'RUNNING', CPU: 2 });
    const gone = await world.ask(`/serverless-runtimes/${ID}`, { method: 'DELETE', user: ALICE });
    expect([gone.status, gone.text]).toEqual([204, '']);
    expect((await world.ask(`/serverless-runtimes/${ID}`, { user: ALICE })).status).toBe(404);
  });

  it('PENDING → gone, on a deployment failure', async () => {
    const failed = await world.ask('/serverless-runtimes', {
      user: ALICE,
      body: { SERVERLESS_RUNTIME: { FAAS: { FLAVOUR: 'FAILED_DEPLOY' } } },
    });
    expect(failed.status).toBe(500);
    expect(failed.json().error).toMatch(/entered FAILED state after creation$/);
  });

  it('RUNNING → ERROR → RUNNING, when an administrator updates it', async () => {
    await breaking('deploy');
    const { ID } = await create({ SERVERLESS_RUNTIME: { FAAS: CAPACITY } }, ONEADMIN);
    await world.pass(60_000);
    expect((await read(ID, ONEADMIN)).FAAS).toMatchObject({
      STATE: 'ERROR',
      ERROR: 'No VM Error from Cloud Edge Manager',
    });
    const tried = await put(ID, CAPACITY, ONEADMIN);
    expect(tried.status).toBe(500);
    expect(tried.json().error).toMatch(/on an error state. A recovery was attempted$/);
    await world.pass(60_000);
    expect(await state(ID, ONEADMIN)).toBe('RUNNING');
  });

  it('ERROR → ERROR, when the recovery fails', async () => {
    await breaking('deploy');
    const { ID } = await create({ SERVERLESS_RUNTIME: { FAAS: CAPACITY } }, ONEADMIN);
    await world.pass(60_000);
    await breaking('deploy');
    await put(ID, CAPACITY, ONEADMIN);
    await world.pass(60_000);
    expect(await state(ID, ONEADMIN)).toBe('ERROR');
  });
});
