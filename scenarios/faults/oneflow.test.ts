/** Faults of OneFlow: what causes them, what every API shows, and how it ends. */
import { describe, expect, it } from 'vitest';
import type { Json } from '../stand-in.ts';
import { type Trial, trial } from './trial.ts';

const MINUTE = 60_000;
const ALICE = 'alice:alice';
const WELL = { engine: 'RUNNING', oned: 'RUNNING', oneflow: 'RUNNING', metrics: true };

const BODY = { SERVERLESS_RUNTIME: { FAAS: { FLAVOUR: 'Function' }, SCHEDULING: {}, DEVICE_INFO: {} } };

const scaled = ({ ask, service }: Trial, cardinality: number) =>
  ask(`/service/${service}/scale`, {
    user: ALICE,
    body: { role_name: 'FAAS', cardinality, force: true },
  });

/** What a service has in its log, last. */
async function lastLog({ ask, service }: Trial): Promise<string> {
  const document = (await ask(`/service/${service}`, { user: ALICE })).json().DOCUMENT as Json;
  const log = ((document.TEMPLATE as Json).BODY as Json).log as unknown as readonly { readonly message: string }[];
  return log.map(({ message }) => message).join('\n');
}

describe('fail-deploying', () => {
  it('is answered as a failure, leaves nothing behind, and is over with its budget', async () => {
    const { arm, ask, fault } = await trial();
    const effect = { do: 'fail-deploying', message: 'Quota of the edge exceeded' };
    const id = await arm({ selector: { layer: 'oneflow', operation: 'deploy' }, effect, budget: { hits: 1 } });
    const refused = await ask('/serverless-runtimes', { user: ALICE, body: BODY });
    expect(refused.status).toBe(500);
    expect(refused.text).toContain('Quota of the edge exceeded');
    expect(await fault(id)).toMatchObject({ hits: 1, left: 0, state: 'exhausted' });
    expect((await ask('/serverless-runtimes', { user: ALICE, body: BODY })).status).toBe(201);
  });

  it('of a scaling fails the service, which a recover brings back', async () => {
    const it = await trial();
    const { arm, disarm, ask, pass, symptoms, service } = it;
    await pass(MINUTE);
    const id = await arm({ selector: { layer: 'oneflow', operation: 'scale' }, effect: { do: 'fail-deploying' } });
    await scaled(it, 2);
    await pass(MINUTE);
    expect(await symptoms()).toMatchObject({ oneflow: 'FAILED_SCALING', oned: 'RUNNING' });
    expect(await lastLog(it)).toContain('Cannot deploy');
    await disarm(id);
    await ask(`/service/${service}/action`, { user: ALICE, body: { action: { perform: 'recover' } } });
    await pass(10 * MINUTE);
    expect(await symptoms()).toMatchObject({ oneflow: 'RUNNING' });
  });
});

describe('warning', () => {
  it('is nothing but a word, while it lasts', async () => {
    const it = await trial();
    const { arm, pass, symptoms, service, control } = it;
    await pass(MINUTE);
    const id = await arm({
      selector: { layer: 'oneflow', service },
      effect: { do: 'warning' },
      budget: { forMs: 5 * MINUTE },
    });
    await pass(MINUTE);
    expect(await symptoms()).toEqual({ ...WELL, oneflow: 'WARNING' });
    expect((await scaled(it, 2)).text).toContain('Service cannot be scaled in state: WARNING');
    const { entries } = await control('GET', `/journal?subject=service/${service}&kind=fault`);
    expect(entries).toMatchObject([{ detail: { fault: id, do: 'warning' } }]);
    await pass(5 * MINUTE);
    expect(await symptoms()).toEqual(WELL);
  });

  it('comes to services that run later', async () => {
    const { arm, disarm, pass, symptoms } = await trial();
    const id = await arm({
      selector: { layer: 'oneflow' },
      trigger: { when: { service: 'RUNNING' } },
      effect: { do: 'warning' },
    });
    await pass(MINUTE);
    expect(await symptoms()).toEqual({ ...WELL, oneflow: 'WARNING' });
    await disarm(id);
    expect(await symptoms()).toEqual(WELL);
  });
});

describe('cooldown-stuck', () => {
  it('keeps the service in COOLDOWN until the fault is removed', async () => {
    const it = await trial();
    const { arm, disarm, pass, symptoms, service } = it;
    await pass(MINUTE);
    const id = await arm({ selector: { layer: 'oneflow', service }, effect: { do: 'cooldown-stuck' } });
    expect((await scaled(it, 2)).status).toBeLessThan(300);
    await pass(60 * MINUTE);
    expect(await symptoms()).toMatchObject({ oneflow: 'COOLDOWN', engine: 'RUNNING' });
    await disarm(id);
    expect(await symptoms()).toMatchObject({ oneflow: 'RUNNING' });
  });

  it('is ended by a recover as well', async () => {
    const it = await trial();
    const { arm, disarm, ask, pass, symptoms, service } = it;
    await pass(MINUTE);
    const id = await arm({ selector: { layer: 'oneflow' }, effect: { do: 'cooldown-stuck' } });
    await scaled(it, 2);
    await pass(60 * MINUTE);
    await ask(`/service/${service}/action`, { user: ALICE, body: { action: { perform: 'recover' } } });
    await pass(MINUTE);
    expect(await symptoms()).toMatchObject({ oneflow: 'RUNNING' });
    await disarm(id);
    expect(await symptoms()).toMatchObject({ oneflow: 'RUNNING' });
  });
});

describe('lost', () => {
  it('is a service that OneFlow does not know, whose VMs run; it is found again', async () => {
    const { arm, disarm, ask, pass, symptoms, service } = await trial();
    await pass(MINUTE);
    const id = await arm({ selector: { layer: 'oneflow', service }, effect: { do: 'lost' } });
    const lost = await symptoms();
    expect(lost).toMatchObject({ oneflow: 404, oned: 'RUNNING', metrics: true });
    expect(lost.engine).not.toBe('RUNNING');
    const listed = async (): Promise<boolean> =>
      new RegExp(`"ID":\\s*"?${service}"?,`).test((await ask('/service', { user: ALICE })).text);
    expect(await listed()).toBe(false);
    await disarm(id);
    expect(await symptoms()).toEqual(WELL);
    expect(await listed()).toBe(true);
  });
});
