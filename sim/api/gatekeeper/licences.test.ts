import { describe, expect, test } from 'vitest';
import { checkedFetch } from '../../../contracts/checked.ts';
import { loadContracts } from '../../../contracts/contract.ts';
import { createSimulator } from '../../simulator.ts';
import { Client, FUNCTION, INSTANCE, refusal, SERVICE, TODAY, userGuide, VC } from './testing.ts';

const contracts = await loadContracts();

/** The function and the service of the user guide, private. */
async function start() {
  const { fetch, world } = createSimulator({
    epochMs: TODAY,
    furnish: (cloud) => {
      const guide = userGuide(cloud);
      const sold = guide.functions.map((one) => ({
        ...one,
        descriptor: { ...one.descriptor, licenses: [{ type: 'private', url: 'http://sell.example' }] },
      }));
      const services = guide.services.map((one) => ({
        ...one,
        descriptor: { ...one.descriptor, licences: [{ type: 'private' }] },
      }));
      return { ...guide, functions: sold, services };
    },
  });
  const checked = checkedFetch(fetch, contracts, world.config.deviations);
  const buyer = await Client.loggedIn(checked, 'demo', 'demo');
  const other = await Client.loggedIn(checked);
  const buy = (body: unknown, client = buyer) =>
    client.send('POST', '/licences', {
      body: JSON.stringify(body),
      headers: { Authorization: `bearer ${client.token}` },
    });
  return { buyer, other, buy, client: new Client(checked) };
}

const DATA = `/functions/metrics/${INSTANCE}/vdu01/${VC}/synch-mon-data?metrics=vm_up`;

describe('a licence', () => {
  test('opens what is private to the user who has it, and to nobody else', async () => {
    const { buyer, other, buy } = await start();
    for (const client of [buyer, other]) {
      expect((await client.get('/functions')).body).toMatchObject([{ user_licence: 'to buy' }]);
      for (const path of [`/functions/${FUNCTION}`, `/services/${SERVICE}`, DATA]) {
        expect((await client.get(path)).status).toBe(403);
      }
    }
    expect((await buy({ service_uuid: FUNCTION })).status).toBe(201);
    expect((await buy({ service_uuid: SERVICE, license_type: 'PUBLIC' })).status).toBe(201);
    const [bought] = (await buyer.get('/functions')).body as { user_licence: string; vnfd: object }[];
    expect(bought?.user_licence).toBe('licensed');
    expect(bought?.vnfd).toHaveProperty('virtual_deployment_units');
    expect((await buyer.get('/services')).body).toMatchObject([{ user_licence: 'licensed' }]);
    for (const path of [`/functions/${FUNCTION}`, `/services/${SERVICE}`, DATA]) {
      expect((await buyer.get(path)).status).toBe(200);
      expect((await other.get(path)).status).toBe(403);
    }
  });

  test('is an object of its own, listed and found by its keys', async () => {
    const { buyer, other, buy } = await start();
    const { body, headers } = await buy({ service_uuid: SERVICE });
    const licence = body as { license_uuid: string; user_uuid: string };
    expect(licence).toEqual({
      license_uuid: licence.license_uuid,
      service_uuid: SERVICE,
      user_uuid: (await buyer.get('/users')).body && ((await buyer.get('/users')).body as { uuid: string }).uuid,
      license_type: 'PRIVATE',
      status: 'ACTIVE',
      description: 'Default description',
      validation_url: '',
    });
    expect(headers.get('Location')).toBe(`http://gatekeeper.example:1337/licences/${licence.license_uuid}`);
    await buy({ service_uuid: SERVICE }, other);
    const list = await other.get('/licences?limit=1');
    expect(list.body).toEqual([licence]);
    expect(list.headers.get('Record-Count')).toBe('2');
    expect((await other.get(`/licences?user_uuid=${licence.user_uuid}`)).body).toEqual([licence]);
    expect((await other.get('/licences?status=INACTIVE')).body).toEqual([]);
    const one = await other.get(`/licences/${licence.license_uuid}`);
    expect([one.body, one.headers.get('Record-Count')]).toEqual([licence, '1']);
  });

  test('is refused in the order body, token, element, and there is one of a kind', async () => {
    const { client, buyer, buy } = await start();
    const missing = 'No service uuid specified: service_uuid is missing';
    for (const body of ['', '[]', '{', '{}', '{"service_uuid":""}', '{"service_uuid":[]}']) {
      expect(await client.send('POST', '/licences', { body })).toMatchObject(refusal(400, missing));
    }
    const noToken = refusal(401, 'Unauthorized: missing authorization header');
    expect(await client.send('POST', '/licences', { body: '{"service_uuid":"x"}' })).toMatchObject(noToken);
    expect(await buy({ service_uuid: INSTANCE })).toMatchObject(refusal(422, 'Unprocessable entity'));
    await buy({ service_uuid: SERVICE });
    expect(await buy({ service_uuid: SERVICE })).toMatchObject(refusal(409, `Licence for ${SERVICE} already exists`));
    expect(await client.send('GET', '/licences')).toMatchObject(noToken);
    expect(await client.send('GET', '/licences/x')).toMatchObject(refusal(404, 'UUID x not valid'));
    expect(await client.send('GET', `/licences/${SERVICE}`)).toMatchObject(noToken);
    expect(await buyer.get(`/licences/${SERVICE}`)).toMatchObject(refusal(404, `Licence ${SERVICE} not found`));
  });
});
