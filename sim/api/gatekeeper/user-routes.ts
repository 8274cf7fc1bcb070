/** The routes of users: registration, profiles and keys. Mirrors `son-gtkapi`'s users. */
import type { Hono } from 'hono';
import { readBody } from '../edge.ts';
import { empty, json, Refusal } from './answer.ts';
import { preflight } from './cors.ts';
import { isUuid } from './elements.ts';
import type { Gate } from './gate.ts';
import type { Kpis } from './kpis.ts';
import { listingOf, pageOf } from './paging.ts';
import { profileIn, publicKeyIn, type Users } from './users.ts';

interface UserWorld {
  readonly gate: Gate;
  readonly users: Users;
  readonly kpis: Kpis;
  readonly capped: boolean;
  readonly maxBodyBytes: number;
}

const NOT_VALID = (): Refusal => new Refusal(401, 'User provided token was not valid');

export function userRoutes(app: Hono, base: string, { gate, users, kpis, capped, maxBodyBytes }: UserWorld): void {
  app.get(`${base}/users`, (c) => {
    const caller = gate.user(c, NOT_VALID);
    if (!caller.types.includes('admin')) return json(users.render(caller));
    const { paging, headers } = listingOf(c.req.url, capped);
    const { all } = users;
    return json(
      pageOf(all, paging).map((user) => users.render(user)),
      headers(all.length),
    );
  });
  app.post(
    `${base}/users`,
    kpis.counted('user_registrations', async (c) => {
      const profile = profileIn(await readBody(c.req.raw, maxBodyBytes));
      gate.anonymous();
      const user = users.register(profile);
      const location = `${c.req.url.replace(/\/?(\?.*)?$/s, '')}/${users.idOf(user.username)}`;
      return json(users.render(user), { Location: location }, 201);
    }),
  );
  app.put(`${base}/users`, async (c) => {
    const profile = profileIn(await readBody(c.req.raw, maxBodyBytes));
    const user = gate.user(c);
    const { username } = profile;
    if (user.username !== username) {
      const what = `(${user.username} is trying to update ${username.slice(0, 100)}'s profile)`;
      throw new Refusal(403, `Forbidden: user can only update his/her profile ${what}`);
    }
    return json(users.render(users.update(user, profile)));
  });
  app.options(`${base}/users`, () => empty(200, preflight('POST,PUT')));

  // Whoever asks: the server checks no token here.
  app.get(`${base}/users/:uuid`, (c) => {
    const uuid = c.req.param('uuid');
    if (!isUuid(uuid)) throw new Refusal(404, `User ${uuid} not valid`);
    const user = users.withId(uuid);
    if (user === undefined) throw new Refusal(404, `User ${uuid} not found`);
    return json(users.render(user));
  });
  app.options(`${base}/users/:uuid`, () => empty(200, preflight('POST,PUT')));

  app.patch(`${base}/users/:username/user-public-key`, async (c) => {
    const key = publicKeyIn(await readBody(c.req.raw, maxBodyBytes));
    const caller = gate.user(c, NOT_VALID);
    const username = c.req.param('username');
    const user = users.find(username);
    if (user === undefined) throw new Refusal(400, `User ${username} was not found`);
    if (user.username !== caller.username) throw new Refusal(400, `User ${username} does not match with token`);
    return json(users.render(users.setPublicKey(user, key)));
  });
  app.options(`${base}/users/:username/user-public-key`, () => empty(200, preflight('PATCH')));
}
