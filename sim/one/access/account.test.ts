import { describe, expect, test } from 'vitest';
import { ADMIN_SESSION, freshCloud, OTHER, refusalOf, TESTER } from '../testing.ts';
import { authenticate, createGroup } from './user.ts';

describe('a user', () => {
  test('is made in group users, or in the groups given', () => {
    const cloud = freshCloud();
    createGroup(cloud, 'g');
    expect(cloud.call(ADMIN_SESSION, 'one.user.allocate', 'a', 'pw', '')).toBe(4);
    expect(cloud.call(ADMIN_SESSION, 'one.user.allocate', 'b', 'pw', 'core', [100, 1])).toBe(5);
    expect([cloud.users.get(4).gid, cloud.users.get(5).gid]).toEqual([1, 100]);
    expect([...cloud.users.get(5).groups].sort()).toEqual([1, 100]);
    expect([...cloud.groups.get(1).users]).toEqual([2, 3, 4, 5]);
  });

  test.each([
    [ADMIN_SESSION, 'tester', 'pw', undefined, 'INTERNAL [one.user.allocate] NAME is already taken by USER 2.'],
    [ADMIN_SESSION, 'a b', 'pw', undefined, "INTERNAL [one.user.allocate] Invalid NAME, char ' ' is not allowed."],
    [ADMIN_SESSION, '', 'pw', undefined, 'INTERNAL [one.user.allocate] Invalid NAME, it cannot be empty.'],
    [ADMIN_SESSION, 'a', '', undefined, 'INTERNAL [one.user.allocate] Invalid password, it cannot be empty.'],
    [
      ADMIN_SESSION,
      'a',
      'p w',
      undefined,
      "INTERNAL [one.user.allocate] Invalid password, character ' ' is not allowed.",
    ],
    [ADMIN_SESSION, 'a', 'pw', [77], 'NO_EXISTS [one.user.allocate] Error getting group [77].'],
    [
      TESTER,
      'a',
      'pw',
      undefined,
      'AUTHORIZATION [one.user.allocate] User [2] : Not authorized to perform CREATE USER.',
    ],
    [
      TESTER,
      'a',
      'pw',
      [0],
      'AUTHORIZATION [one.user.allocate] User [2] : Not authorized to perform CREATE USER; Not authorized to perform MANAGE GROUP [0].',
    ],
  ])('is refused to %s: %j %j %j', (session, name, password, groups, text) => {
    const cloud = freshCloud();
    expect(refusalOf(() => cloud.call(session, 'one.user.allocate', name, password, '', groups))).toBe(text);
    expect(cloud.users.size).toBe(4);
  });

  test('reads itself by -1, and nobody else', () => {
    const cloud = freshCloud();
    expect(cloud.call(TESTER, 'one.user.info', -1).name).toBe('tester');
    expect(cloud.call(TESTER, 'one.user.info', 2).id).toBe(2);
    expect(refusalOf(() => cloud.call(TESTER, 'one.user.info', 3))).toBe(
      'AUTHORIZATION [one.user.info] User [2] : Not authorized to perform USE USER [3].',
    );
    expect(refusalOf(() => cloud.call(TESTER, 'one.user.info', 9999))).toBe(
      'NO_EXISTS [one.user.info] Error getting user [9999].',
    );
  });

  test('lists itself; administrators list all, the newest first', () => {
    const cloud = freshCloud();
    expect(cloud.call(TESTER, 'one.userpool.info').map(({ id }) => id)).toEqual([2]);
    expect(cloud.call(ADMIN_SESSION, 'one.userpool.info').map(({ id }) => id)).toEqual([3, 2, 1, 0]);
    expect(cloud.call(TESTER, 'one.grouppool.info').map(({ id }) => id)).toEqual([1]);
    expect(cloud.call(ADMIN_SESSION, 'one.grouppool.info').map(({ id }) => id)).toEqual([1, 0]);
  });

  test('changes its password, which voids its tokens', () => {
    const cloud = freshCloud();
    cloud.call(TESTER, 'one.user.login', 'tester', 'token', -1);
    expect(refusalOf(() => cloud.call(TESTER, 'one.user.passwd', 2, ''))).toBe(
      'ACTION [one.user.passwd] Invalid password, it cannot be empty',
    );
    expect(refusalOf(() => cloud.call(TESTER, 'one.user.passwd', 2, 'a b'))).toBe(
      "ACTION [one.user.passwd] Invalid password, character ' ' is not allowed",
    );
    expect(refusalOf(() => cloud.call(OTHER, 'one.user.passwd', 2, 'x'))).toBe(
      'AUTHORIZATION [one.user.passwd] User [3] : Not authorized to perform MANAGE USER [2].',
    );
    cloud.call(TESTER, 'one.user.passwd', 2, 'new');
    expect(cloud.users.get(2).tokens).toEqual([]);
    expect(authenticate(cloud, 'tester:new').uid).toBe(2);
  });

  test('of another driver cannot come in, nor change its password', () => {
    const cloud = freshCloud();
    cloud.call(ADMIN_SESSION, 'one.user.chauth', 2, 'x509', 'dn');
    expect(cloud.users.get(2)).toMatchObject({ driver: 'x509', password: 'dn' });
    expect(() => authenticate(cloud, TESTER)).toThrow();
    expect(
      refusalOf(() =>
        cloud.run({ ...cloud.root, uid: 2, admin: false, groups: new Set([1]) }, 'one.user.passwd', 2, 'x'),
      ),
    ).toBe('ACTION [one.user.passwd] Password for driver x509 cannot be changed.');
    expect(refusalOf(() => cloud.call(ADMIN_SESSION, 'one.user.chauth', 2, 'core', 'a b'))).toContain(
      'Invalid password',
    );
    expect(cloud.users.get(2).driver).toBe('x509');
  });

  test('is updated by replacing or appending', () => {
    const cloud = freshCloud();
    cloud.call(TESTER, 'one.user.update', 2, 'A=1', 1);
    expect(cloud.users.get(2).template.has('TOKEN_PASSWORD')).toBe(true);
    cloud.call(TESTER, 'one.user.update', 2, 'B=1', 0);
    expect([...cloud.users.get(2).template]).toEqual([{ name: 'B', value: '1' }]);
    expect(refusalOf(() => cloud.call(TESTER, 'one.user.update', 2, 'VM_USE_OPERATIONS="recover"', 1))).toBe(
      'INTERNAL [one.user.update] Cannot update template. User Template includes a restricted attribute VM_USE_OPERATIONS',
    );
    cloud.call(ADMIN_SESSION, 'one.user.update', 2, 'VM_USE_OPERATIONS="recover"', 1);
    expect(refusalOf(() => cloud.call(TESTER, 'one.user.update', 2, 'VM_USE_OPERATIONS="all"', 0))).toBe(
      'INTERNAL [one.user.update] Cannot update template. Tried to change restricted attribute: VM_USE_OPERATIONS',
    );
    cloud.call(TESTER, 'one.user.update', 2, 'C=1', 0);
    expect(cloud.users.get(2).template.get('VM_USE_OPERATIONS')).toBe('recover');
  });

  test('is deleted with its rules and memberships, but not oneadmin', () => {
    const cloud = freshCloud();
    const rules = [...cloud.acl].length;
    cloud.call(ADMIN_SESSION, 'one.group.addadmin', 1, 2);
    expect([...cloud.acl]).toHaveLength(rules + 4);
    expect(refusalOf(() => cloud.call(OTHER, 'one.user.delete', 2))).toBe(
      'AUTHORIZATION [one.user.delete] User [3] : Not authorized to perform ADMIN USER [2].',
    );
    expect(refusalOf(() => cloud.call(ADMIN_SESSION, 'one.user.delete', 0))).toBe(
      'ACTION [one.user.delete] Cannot delete user. oneadmin cannot be deleted.',
    );
    cloud.call(ADMIN_SESSION, 'one.user.delete', 2);
    expect([...cloud.acl]).toHaveLength(rules);
    expect([...cloud.groups.get(1).users]).toEqual([3]);
    expect(cloud.groups.get(1).admins.size).toBe(0);
    expect(cloud.call(ADMIN_SESSION, 'one.user.allocate', 'next', 'pw')).toBe(4);
  });
});

describe('membership', () => {
  test('changes, and is refused, in the words of oned', () => {
    const cloud = freshCloud();
    createGroup(cloud, 'g');
    const refusal = (method: 'one.user.addgroup' | 'one.user.delgroup' | 'one.user.chgrp', id: number, gid: number) =>
      refusalOf(() => cloud.call(ADMIN_SESSION, method, id, gid));
    cloud.call(ADMIN_SESSION, 'one.user.addgroup', 2, 100);
    expect([...cloud.users.get(2).groups]).toEqual([1, 100]);
    expect(refusal('one.user.addgroup', 2, 100)).toBe('ACTION [one.user.addgroup] User is already in this group');
    expect(refusal('one.user.delgroup', 2, 1)).toBe(
      'ACTION [one.user.delgroup] Cannot remove user from the primary group',
    );
    expect(refusal('one.user.delgroup', 3, 100)).toBe('ACTION [one.user.delgroup] User is not part of this group');
    expect(refusal('one.user.chgrp', 3, -1)).toBe('XML_RPC_API [one.user.chgrp] Wrong group ID');
    expect(refusal('one.user.chgrp', 3, 77)).toBe('NO_EXISTS [one.user.chgrp] Error getting group [77].');
    expect(refusal('one.user.chgrp', 0, 1)).toBe(
      'INTERNAL [one.user.chgrp] user [0] oneadmin cannot be moved outside of the group [0] oneadmin',
    );
    expect(refusal('one.user.addgroup', 0, 77)).toBe('NO_EXISTS [one.user.addgroup] Error getting group [77].');
  });

  test('of the old primary group ends unless the new one was a group before', () => {
    const cloud = freshCloud();
    createGroup(cloud, 'g');
    cloud.call(ADMIN_SESSION, 'one.user.chgrp', 2, 100);
    expect([...cloud.users.get(2).groups]).toEqual([100]);
    cloud.call(ADMIN_SESSION, 'one.user.addgroup', 3, 100);
    cloud.call(ADMIN_SESSION, 'one.user.chgrp', 3, 100);
    expect([...cloud.users.get(3).groups]).toEqual([1, 100]);
    expect([...cloud.groups.get(100).users]).toEqual([2, 3]);
    expect([...cloud.groups.get(1).users]).toEqual([3]);
    expect(authenticate(cloud, TESTER).gid).toBe(100);
  });

  test('in group oneadmin makes an administrator, from the next call on', () => {
    const cloud = freshCloud();
    expect(authenticate(cloud, TESTER).admin).toBe(false);
    cloud.call(ADMIN_SESSION, 'one.user.addgroup', 2, 0);
    expect(authenticate(cloud, TESTER).admin).toBe(true);
  });
});
