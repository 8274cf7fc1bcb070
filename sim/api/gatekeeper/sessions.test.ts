import { createHmac, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { checkedFetch } from '../../../contracts/checked.ts';
import { loadContracts } from '../../../contracts/contract.ts';
import { Clock } from '../../kernel/clock.ts';
import { Random } from '../../kernel/random.ts';
import { createSimulator, PROFILES, type SimulatorConfig } from '../../simulator.ts';
import { Sessions } from './sessions.ts';
import { Client, INSTANCE, refusal, SIGNING_KEY, TODAY, userGuide, VC } from './testing.ts';

const contracts = await loadContracts();

function start(given: Partial<SimulatorConfig> = {}) {
  const { fetch, world } = createSimulator({ epochMs: TODAY, furnish: userGuide, ...given });
  const checked = checkedFetch(fetch, contracts, world.config.deviations);
  return { client: new Client(checked), fetch: checked, clock: world.clock };
}

interface Login {
  readonly username: string;
  readonly session_began_at: string;
  readonly token: Readonly<Record<string, string | number>>;
}

const LIVE = `/functions/${INSTANCE}/vdu01/${VC}/synch-mon-data?metrics=vm_up`;

const partsOf = (jwt: string): Record<string, unknown>[] =>
  jwt
    .split('.')
    .slice(0, 2)
    .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()));

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('logging in', () => {
  test('gives the answer of Keycloak, and when it was', async () => {
    const { client, clock } = start();
    clock.advanceNow(1234);
    const { status, body } = await client.login('sonata', '1234');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      username: 'sonata',
      session_began_at: '2017-08-29 14:00:01 UTC',
      token: {},
    });
    const jwt = expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/);
    expect((body as Login).token).toEqual({
      access_token: jwt,
      expires_in: 1200,
      refresh_expires_in: 1800,
      refresh_token: jwt,
      token_type: 'bearer',
      id_token: jwt,
      'not-before-policy': 0,
      session_state: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
    });
  });

  test('gives tokens with all claims', async () => {
    const { client } = start();
    const { token } = (await client.login('demo', 'demo')).body as Login;
    const [header, claims] = partsOf(String(token.access_token));
    const uuid = expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(header).toEqual({ alg: 'RS256', typ: 'JWT', kid: expect.any(String) });
    expect(claims).toEqual({
      jti: uuid,
      exp: TODAY / 1000 + 1200,
      nbf: 0,
      iat: TODAY / 1000,
      iss: 'http://son-keycloak:5601/auth/realms/sonata',
      aud: 'adapter',
      sub: uuid,
      typ: 'Bearer',
      azp: 'adapter',
      auth_time: 0,
      session_state: token.session_state,
      client_session: uuid,
      acr: '1',
      'allowed-origins': [],
      realm_access: { roles: ['developer', 'customer', 'uma_authorization'] },
      resource_access: { account: { roles: ['manage-account', 'view-profile'] } },
      name: '',
      preferred_username: 'demo',
      given_name: '',
      family_name: '',
      email: '',
    });
    expect(partsOf(String(token.refresh_token))[1]).toMatchObject({ typ: 'Refresh', exp: TODAY / 1000 + 1800 });
    expect(partsOf(String(token.id_token))[1]).toMatchObject({ typ: 'ID', exp: TODAY / 1000 + 1200 });
  });

  test('gives tokens that the public key verifies', async () => {
    const { client } = start();
    const { body } = await client.send('GET', '/api/v2/micro-services/public-key');
    const der = (body as { items: { 'public-key': string } }).items['public-key'];
    const key = createPublicKey(`-----BEGIN PUBLIC KEY-----\n${der}\n-----END PUBLIC KEY-----`);
    expect(key.asymmetricKeyDetails?.modulusLength).toBe(2048);
    const { token } = (await client.login('sonata', '1234')).body as Login;
    for (const jwt of [token.access_token, token.refresh_token, token.id_token].map(String)) {
      const [header, claims, signature = ''] = jwt.split('.');
      const signed = Buffer.from(`${header}.${claims}`);
      expect(verify('RSA-SHA256', signed, key, Buffer.from(signature, 'base64url'))).toBe(true);
    }
  });

  test('gives the same tokens to the same logins in another world of the same seed, and others in the next', async () => {
    const tokens = async (seed: number) => {
      const { client } = start({ seed });
      return [(await client.login('sonata', '1234')).body, (await client.login('sonata', '1234')).body];
    };
    const [first, second] = await tokens(7);
    expect(await tokens(7)).toEqual([first, second]);
    expect(second).not.toEqual(first);
    expect((await tokens(8))[0]).not.toEqual(first);
  });

  test.each([
    ['application/x-www-form-urlencoded', '{"username":"sonata","password":"1234"}', 200],
    ['text/plain', '{"username":"sonata","password":"1234","more":[1]}', 200],
    ['application/json', '\n{"password":"1234","username":"sonata"} ', 200],
  ])('reads JSON whatever the type says: %s', async (type, body, status) => {
    const { client } = start();
    expect(await client.send('POST', '/sessions/', { body, headers: { 'Content-Type': type } })).toMatchObject({
      status,
    });
  });

  const unread = 'Unprocessable entity: missing session parameters';
  const nameless = 'Unprocessable entity: missing user name';
  const secretless = 'Unprocessable entity: missing user password';

  test.each([
    ['', unread],
    ['{', unread],
    ['null', unread],
    ['[]', unread],
    ['7', unread],
    ['username=sonata&password=1234', unread],
    ['['.repeat(100_000), unread],
    ['{}', nameless],
    ['{"password":"1234"}', nameless],
    ['{"username":"","password":"1234"}', nameless],
    ['{"username":7,"password":"1234"}', nameless],
    ['{"username":"sonata"}', secretless],
    ['{"username":"sonata","password":""}', secretless],
    ['{"username":"sonata","password":["1234"]}', secretless],
  ])('with the body %.40s: %s', async (body, message) => {
    expect(await start().client.send('POST', '/sessions', { body })).toMatchObject(refusal(400, message));
  });

  test.each([
    ['sonata', 'x'],
    ['nobody', '1234'],
    ['__proto__', '1234'],
    ['constructor', 'x'],
  ])('as %s with %s is refused', async (username, password) => {
    expect(await start().client.login(username, password)).toMatchObject(
      refusal(401, `Unauthorized: user ${username} not authenticated`),
    );
  });

  test('with too large a body is refused', async () => {
    const { client } = start({ maxBodyBytes: 100 });
    expect(await client.login('sonata', 'x'.repeat(100))).toMatchObject(
      refusal(413, 'The body is larger than 100 bytes'),
    );
  });

  test('ends the oldest session when there are very many', () => {
    const sessions = new Sessions(new Clock(TODAY), new Random(1), SIGNING_KEY, 3);
    const user = { username: 'sonata', password: '1234', types: ['admin'] as const };
    const [first, ...rest] = Array.from({ length: 4 }, () => sessions.open(user).token.access_token);
    expect(sessions.userOf(first ?? '')).toBeUndefined();
    expect(rest.map((token) => sessions.userOf(token))).toEqual([user, user, user]);
  });
});

describe('a token', () => {
  test('is active until it expires on the simulated clock', async () => {
    const { fetch, clock } = start();
    const client = await Client.loggedIn(fetch);
    clock.advanceNow(1_199_999);
    expect((await client.get('/functions')).status).toBe(200);
    clock.advanceNow(1);
    expect(await client.get('/functions')).toMatchObject(
      refusal(401, `Unauthorized: token ${client.token} is not active`),
    );
  });

  test('ends with every other of its user at logout, and only those', async () => {
    const { fetch } = start();
    const [first, second, other] = await Promise.all([
      Client.loggedIn(fetch),
      Client.loggedIn(fetch),
      Client.loggedIn(fetch, 'demo', 'demo'),
    ]);
    const headers = { Authorization: `Bearer ${first?.token}` };
    expect(await first?.send('DELETE', '/api/v2/sessions', { headers })).toMatchObject({ status: 204, body: '' });
    expect((await first?.get('/functions'))?.status).toBe(401);
    expect((await second?.get('/functions'))?.status).toBe(401);
    expect((await other?.get('/functions'))?.status).toBe(200);
    expect(await first?.send('DELETE', '/api/v2/sessions', { headers })).toMatchObject(
      refusal(401, 'Unauthorized: user token not active'),
    );
    expect((await (await Client.loggedIn(fetch)).get('/functions')).status).toBe(200);
  });

  test('that was forged is refused', async () => {
    const { fetch, client } = start();
    const { token } = (await client.login('demo', 'demo')).body as Login;
    const jwt = String(token.access_token);
    const [header = '', claims = '', signature = ''] = jwt.split('.');
    const admin = part({ ...partsOf(jwt)[1], preferred_username: 'sonata' });
    const signedBy = (key: Parameters<typeof sign>[2], body: string): string =>
      `${header}.${body}.${sign('RSA-SHA256', Buffer.from(`${header}.${body}`), key).toString('base64url')}`;
    const none = part({ alg: 'none', typ: 'JWT' });
    const hmac = part({ alg: 'HS256', typ: 'JWT' });
    const publicKey = createPublicKey(SIGNING_KEY).export({ type: 'spki', format: 'pem' });
    const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    const elsewhere = start({ seed: 2 });
    const forged = [
      `${header}.${admin}.${signature}`,
      `${none}.${claims}.`,
      `${none}.${admin}.${signature}`,
      `${hmac}.${claims}.${createHmac('sha256', publicKey).update(`${hmac}.${claims}`).digest('base64url')}`,
      signedBy(stranger, claims),
      // The key is no secret, so a signature alone is no session.
      signedBy(SIGNING_KEY, admin),
      `${jwt}=`,
      `${jwt}.`,
      `${header}.${claims}`,
      `${header}.${claims}.`,
      String(token.refresh_token),
      String(token.id_token),
      (await Client.loggedIn(elsewhere.fetch)).token,
      '..',
      '__proto__',
      'x'.repeat(10_000),
    ];
    const asking = new Client(fetch);
    for (const one of forged) {
      asking.token = one;
      expect(await asking.get('/functions')).toMatchObject(refusal(401, `Unauthorized: token ${one} is not active`));
      expect(await asking.get(LIVE)).toMatchObject(
        refusal(403, 'Forbidden: user could not be authorized to request synch monitoring data'),
      );
      expect(await asking.get('/users')).toMatchObject(refusal(401, 'User provided token was not valid'));
    }
    asking.token = jwt;
    expect((await asking.get('/functions')).status).toBe(200);
  });

  test('is nowhere in the journal', async () => {
    const simulator = createSimulator({ epochMs: TODAY, furnish: userGuide });
    const client = await Client.loggedIn(checkedFetch(simulator.fetch, contracts, PROFILES.upstream));
    await client.get('/functions');
    const entries = JSON.stringify([...simulator.world.journal.since()]);
    expect(entries).toContain('/functions');
    expect(entries).not.toContain(client.token);
    expect(entries).not.toContain('1234');
  });
});

test.each([
  ['upstream', 'text/html;charset=utf-8'],
  ['contract', 'application/json'],
] as const)('the public key is served in profile %s as %s', async (profile, type) => {
  const { fetch } = start({ deviations: PROFILES[profile] });
  const response = await fetch(new Request('http://onesim/micro-services/public-key'));
  expect(response.headers.get('Content-Type')).toBe(type);
  expect(await response.text()).toMatch(
    /^\{"status":200,"count":1,"items":\{"public-key":"[A-Za-z0-9+/]{390,}={0,2}"\},"message":"OK"\}$/,
  );
});
