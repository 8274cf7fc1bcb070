import { describe, expect, test } from 'vitest';
import { checkedFetch } from '../../../contracts/checked.ts';
import { loadContracts } from '../../../contracts/contract.ts';
import { createSimulator } from '../../simulator.ts';
import { Client, FUNCTION, refusal, TODAY, userGuide } from './testing.ts';

const contracts = await loadContracts();

async function start() {
  const { fetch, world } = createSimulator({ epochMs: TODAY, furnish: userGuide });
  const checked = checkedFetch(fetch, contracts, world.config.deviations);
  const client = await Client.loggedIn(checked, 'demo', 'demo');
  const send = (method: string, path: string, body: unknown, token = client.token) =>
    client.send(method, path, {
      body: typeof body === 'string' ? body : JSON.stringify(body),
      ...(token === '' ? {} : { headers: { Authorization: `bearer ${token}` } }),
    });
  return { client, send, checked };
}

const EVE = { username: 'eve', password: 'secret', email: 'eve@example.com', user_type: 'developer,customer' };
const DEMO = { username: 'demo', password: 'demo', email: 'd@example.com', user_type: 'admin' };
const NO_TOKEN = refusal(401, 'Unauthorized: missing authorization header');

describe('registration', () => {
  test('makes a user who can log in, and who is shown without the password', async () => {
    const { client, send, checked } = await start();
    const { status, body, headers } = await send(
      'POST',
      '/users',
      { ...EVE, first_name: 'Eve', phone_number: '7' },
      '',
    );
    expect({ status, body }).toEqual({
      status: 201,
      body: {
        username: 'eve',
        uuid: (body as { uuid: string }).uuid,
        created_at: '2017-08-29T14:00:00.000+00:00',
        user_type: 'developer,customer',
        email: 'eve@example.com',
        first_name: 'Eve',
        last_name: '',
        phone_number: '7',
      },
    });
    const { uuid } = body as { uuid: string };
    expect(headers.get('Location')).toBe(`http://gatekeeper.example:1337/users/${uuid}`);
    const eve = await Client.loggedIn(checked, 'eve', 'secret');
    expect((await eve.get('/functions')).status).toBe(200);
    expect((await eve.get('/users')).body).toEqual(body);
    expect((await client.send('GET', `/users/${uuid}`)).body).toEqual(body);
    const admin = await Client.loggedIn(checked);
    const all = await admin.get('/users?limit=2&offset=1');
    expect([all.body, all.headers.get('Record-Count')]).toEqual([[body], '3']);
  });

  test.each([
    ['username', 'User name is missing'],
    ['password', 'Password is missing'],
    ['email', 'Email is missing'],
    ['user_type', 'User type is missing'],
  ])('needs %s', async (key, message) => {
    const { send } = await start();
    for (const value of [undefined, '', 7]) {
      expect(await send('POST', '/users', { ...EVE, [key]: value }, '')).toMatchObject(refusal(400, message));
      expect(await send('PUT', '/users', { ...EVE, [key]: value }, '')).toMatchObject(refusal(400, message));
    }
  });

  test('takes nothing but texts', async () => {
    const { send } = await start();
    expect(await send('POST', '/users', { ...EVE, first_name: 7 }, '')).toMatchObject(
      refusal(400, 'First name is not a text'),
    );
    expect(await send('PUT', '/users', { ...DEMO, phone_number: [] })).toMatchObject(
      refusal(400, 'Phone number is not a text'),
    );
    // What is null is not there.
    expect(await send('POST', '/users', { ...EVE, last_name: null }, '')).toMatchObject({
      status: 201,
      body: { last_name: '' },
    });
  });

  test('is refused for a name that is taken, a type that there is not, and texts without end', async () => {
    const { send } = await start();
    expect(await send('POST', '/users', DEMO, '')).toMatchObject(refusal(409, 'User name demo already in use'));
    for (const more of [{ user_type: 'king' }, { user_type: 'admin,' }, { email: 'x'.repeat(1001) }]) {
      expect(await send('POST', '/users', { ...EVE, ...more }, '')).toMatchObject(
        refusal(400, 'Error creating user eve'),
      );
    }
    for (const body of ['', '[]', '{', 'null']) {
      expect(await send('POST', '/users', body, '')).toMatchObject(refusal(400, 'User name is missing'));
    }
  });
});

describe('a profile', () => {
  test('is changed by its user, whose token then has the new rights', async () => {
    const { client, send } = await start();
    expect((await client.get('/users')).body).toMatchObject({ user_type: 'developer,customer' });
    expect(await send('PUT', '/users', { ...DEMO, password: 'new', last_name: 'D' })).toMatchObject({
      status: 200,
      body: { username: 'demo', email: 'd@example.com', user_type: 'admin', last_name: 'D' },
    });
    expect((await client.get('/users')).body).toHaveLength(2);
    expect((await client.login('demo', 'demo')).status).toBe(401);
    expect((await client.login('demo', 'new')).status).toBe(200);
  });

  test('is changed by nobody else', async () => {
    const { send } = await start();
    expect(await send('PUT', '/users', EVE, '')).toMatchObject(NO_TOKEN);
    const what = "(demo is trying to update eve's profile)";
    expect(await send('PUT', '/users', EVE)).toMatchObject(
      refusal(403, `Forbidden: user can only update his/her profile ${what}`),
    );
    expect(await send('PUT', '/users', { ...DEMO, user_type: 'x' })).toMatchObject(
      refusal(400, 'Error updating user demo'),
    );
  });
});

describe('one user', () => {
  test('is found by uuid, and public-key is no uuid', async () => {
    const { client } = await start();
    expect(await client.send('GET', '/users/public-key')).toMatchObject(refusal(404, 'User public-key not valid'));
    expect(await client.send('GET', `/users/${FUNCTION}`)).toMatchObject(refusal(404, `User ${FUNCTION} not found`));
  });
});

describe('a public key', () => {
  const PATH = '/api/v2/users/demo/user-public-key';

  test('is given by its user', async () => {
    const { send } = await start();
    expect(await send('PATCH', PATH, { public_key: 'MIIB' })).toMatchObject({
      status: 200,
      body: { username: 'demo' },
    });
  });

  test('is refused in the order body, token, user', async () => {
    const { send } = await start();
    expect(await send('PATCH', PATH, '', '')).toMatchObject(
      refusal(400, 'Fields to be updated need to be part of the body'),
    );
    for (const body of ['{}', '[', '{"public_key":7}']) {
      expect(await send('PATCH', PATH, body, '')).toMatchObject(
        refusal(400, 'A public key must be provided as part of the body'),
      );
    }
    const key = { public_key: 'MIIB' };
    expect(await send('PATCH', PATH, key, '')).toMatchObject(NO_TOKEN);
    expect(await send('PATCH', PATH, key, 'dead')).toMatchObject(refusal(401, 'User provided token was not valid'));
    expect(await send('PATCH', '/users/eve/user-public-key', key)).toMatchObject(
      refusal(400, 'User eve was not found'),
    );
    expect(await send('PATCH', '/users/sonata/user-public-key', key)).toMatchObject(
      refusal(400, 'User sonata does not match with token'),
    );
    expect(await send('PATCH', PATH, { public_key: 'x'.repeat(20_000) })).toMatchObject(
      refusal(400, 'User demo public key was not updated'),
    );
  });
});
