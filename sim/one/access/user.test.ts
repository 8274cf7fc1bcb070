import { describe, expect, test } from 'vitest';
import { ADMIN_SESSION, freshCloud, OTHER, refusalOf, TESTER } from '../testing.ts';
import { authenticate, createGroup } from './user.ts';

const DENIED = "AUTHENTICATION User couldn't be authenticated, aborting call.";

describe('a fresh cloud', () => {
  test('has oneadmin and serveradmin in group oneadmin, and a group of users', () => {
    const cloud = freshCloud();
    expect([...cloud.users].map(({ id, name, gid, driver }) => [id, name, gid, driver])).toEqual([
      [0, 'oneadmin', 0, 'core'],
      [1, 'serveradmin', 0, 'server_cipher'],
      [2, 'tester', 1, 'core'],
      [3, 'other', 1, 'core'],
    ]);
    expect([...cloud.groups].map(({ id, name, users }) => [id, name, [...users]])).toEqual([
      [0, 'oneadmin', [0, 1]],
      [1, 'users', [2, 3]],
    ]);
    expect(cloud.users.get(0).password).toBe('b065663b91df7176a5d6567fddde2eb91b3ea73a5055c1f0915909f764d92cc6');
    expect(cloud.users.get(2).template.get('TOKEN_PASSWORD')).toMatch(/^[0-9a-f]{64}$/);
  });

  test('counts groups of clients from 100, with what the default data centre gives', () => {
    const cloud = freshCloud();
    expect(createGroup(cloud, 'g').id).toBe(100);
    expect(createGroup(cloud, 'h').id).toBe(101);
    const member = cloud.call(ADMIN_SESSION, 'one.user.allocate', 'm', 'm', '', [100]);
    expect(cloud.users.get(member).gid).toBe(100);
    expect(refusalOf(() => cloud.call('m:m', 'one.document.allocate', '', 1))).toBe(
      'AUTHORIZATION [one.document.allocate] User [4] : Not authorized to perform CREATE DOCUMENT.',
    );
  });
});

describe('a session', () => {
  test('tells who calls', () => {
    const cloud = freshCloud();
    const { groups, ...caller } = authenticate(cloud, TESTER);
    expect(caller).toEqual({ uid: 2, gid: 1, name: 'tester', groupName: 'users', admin: false });
    expect([...groups]).toEqual([1]);
    expect(authenticate(cloud, ADMIN_SESSION).admin).toBe(true);
    expect(authenticate(cloud, TESTER)).toBe(authenticate(cloud, TESTER));
  });

  test.each(['', 'tester', 'tester:', 'tester:wrong', 'joe:mama', ':testerpass', 'serveradmin:tester:x'])(
    '%j is not good',
    (session) => {
      expect(refusalOf(() => authenticate(freshCloud(), session))).toBe(DENIED);
    },
  );

  test('has a password with colons', () => {
    const cloud = freshCloud();
    cloud.call(TESTER, 'one.user.passwd', 2, 'a:b:c');
    expect(authenticate(cloud, 'tester:a:b:c').uid).toBe(2);
  });

  test('ends with its password, and with the user', () => {
    const cloud = freshCloud();
    authenticate(cloud, TESTER);
    cloud.call(ADMIN_SESSION, 'one.user.passwd', 2, 'next');
    expect(refusalOf(() => authenticate(cloud, TESTER))).toBe(DENIED);
    expect(authenticate(cloud, 'tester:next').uid).toBe(2);
    cloud.call(ADMIN_SESSION, 'one.user.enable', 2, false);
    expect(refusalOf(() => authenticate(cloud, 'tester:next'))).toBe(DENIED);
    cloud.call(ADMIN_SESSION, 'one.user.enable', 2, true);
    expect(authenticate(cloud, 'tester:next').uid).toBe(2);
    cloud.call(ADMIN_SESSION, 'one.user.delete', 2);
    expect(refusalOf(() => authenticate(cloud, 'tester:next'))).toBe(DENIED);
  });
});

describe('a login token', () => {
  test('is a secret until it expires', () => {
    const cloud = freshCloud();
    const token = cloud.call(TESTER, 'one.user.login', 'tester', '', 60);
    expect(token).toMatch(/^[0-9a-f]{64}$/);
    expect(authenticate(cloud, `tester:${token}`).uid).toBe(2);
    cloud.clock.advanceNow(59_000);
    expect(authenticate(cloud, `tester:${token}`).uid).toBe(2);
    cloud.clock.advanceNow(1_000);
    expect(refusalOf(() => authenticate(cloud, `tester:${token}`))).toBe(DENIED);
    expect(cloud.users.get(2).tokens).toEqual([]);
  });

  test('may be chosen, last for ever, and be taken back', () => {
    const cloud = freshCloud();
    expect(cloud.call(TESTER, 'one.user.login', 'tester', 'mine', -1)).toBe('mine');
    expect(authenticate(cloud, 'tester:mine').uid).toBe(2);
    cloud.call(TESTER, 'one.user.login', 'tester', 'mine', 0);
    expect(refusalOf(() => authenticate(cloud, 'tester:mine'))).toBe(DENIED);
  });

  test('of a group limits the session to it', () => {
    const cloud = freshCloud();
    const { id } = createGroup(cloud, 'g');
    cloud.call(ADMIN_SESSION, 'one.user.addgroup', 2, id);
    const token = cloud.call(TESTER, 'one.user.login', 'tester', '', -1, id);
    const caller = authenticate(cloud, `tester:${token}`);
    expect([caller.gid, caller.groupName, [...caller.groups]]).toEqual([100, 'g', [100]]);
    expect(refusalOf(() => cloud.call(`tester:${token}`, 'one.user.login', 'tester', '', -1))).toBe(
      'XML_RPC_API [one.user.login] Cannot create a full token with a specific group token',
    );
    cloud.call(ADMIN_SESSION, 'one.user.delgroup', 2, id);
    expect(refusalOf(() => authenticate(cloud, `tester:${token}`))).toBe(DENIED);
  });

  test('is refused in the words of oned', () => {
    const cloud = freshCloud();
    const login = (session: string, name: string, token: string, seconds: number, egid?: number) =>
      refusalOf(() => cloud.call(session, 'one.user.login', name, token, seconds, egid));
    expect(login(TESTER, 'tester', 'x', 0)).toBe('XML_RPC_API [one.user.login] Could not find token: x');
    expect(login(TESTER, 'tester', '', -2)).toBe('XML_RPC_API [one.user.login] Wrong valid period for token');
    expect(login(TESTER, 'tester', '', 9, 0)).toBe('XML_RPC_API [one.user.login] EGID is not in user group list');
    expect(login(OTHER, 'tester', '', 9)).toBe(
      'AUTHORIZATION [one.user.login] User [3] : Not authorized to perform MANAGE USER [2].',
    );
    for (let n = 0; n < 10; n++) cloud.call(TESTER, 'one.user.login', 'tester', '', 60);
    expect(login(TESTER, 'tester', '', 60)).toBe('XML_RPC_API [one.user.login] Max number of tokens limit reached.');
    cloud.clock.advanceNow(60_000);
    expect(cloud.call(TESTER, 'one.user.login', 'tester', 'after', 60)).toBe('after');
    expect(cloud.users.get(2).tokens).toHaveLength(1);
  });
});
