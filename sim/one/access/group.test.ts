import { describe, expect, test } from 'vitest';
import { ADMIN_SESSION, freshCloud, OTHER, refusalOf, TESTER } from '../testing.ts';

describe('a group', () => {
  test('is made by administrators, and deleted when it is empty', () => {
    const cloud = freshCloud();
    const rules = [...cloud.acl].length;
    expect(cloud.call(ADMIN_SESSION, 'one.group.allocate', 'g')).toBe(100);
    expect([...cloud.acl]).toHaveLength(rules + 3);
    const refusal = (id: number) => refusalOf(() => cloud.call(ADMIN_SESSION, 'one.group.delete', id));
    expect(refusal(1)).toBe(
      'ACTION [one.group.delete] Cannot delete group. System Groups (ID < 100) cannot be deleted.',
    );
    cloud.call(ADMIN_SESSION, 'one.user.addgroup', 2, 100);
    expect(refusal(100)).toBe('ACTION [one.group.delete] Cannot delete group. Group 100 is not empty.');
    cloud.call(ADMIN_SESSION, 'one.user.delgroup', 2, 100);
    cloud.call(ADMIN_SESSION, 'one.group.delete', 100);
    expect([...cloud.acl]).toHaveLength(rules);
    expect(cloud.call(ADMIN_SESSION, 'one.group.allocate', 'g')).toBe(101);
  });

  test.each([
    [ADMIN_SESSION, 'users', 'INTERNAL [one.group.allocate] NAME is already taken by GROUP 1.'],
    [ADMIN_SESSION, 'a:b', "INTERNAL [one.group.allocate] Invalid NAME, char ':' is not allowed"],
    [TESTER, 'g', 'AUTHORIZATION [one.group.allocate] User [2] : Not authorized to perform CREATE GROUP.'],
  ])('is refused to %s: %s', (session, name, text) => {
    expect(refusalOf(() => freshCloud().call(session, 'one.group.allocate', name))).toBe(text);
  });

  test('is read by its members, -1 being their own', () => {
    const cloud = freshCloud();
    expect(cloud.call(TESTER, 'one.group.info', -1).name).toBe('users');
    expect(cloud.call(TESTER, 'one.group.info', 1).name).toBe('users');
    expect(refusalOf(() => cloud.call(TESTER, 'one.group.info', 0))).toBe(
      'AUTHORIZATION [one.group.info] User [2] : Not authorized to perform USE GROUP [0].',
    );
  });

  test('has administrators, who manage what its members own', () => {
    const cloud = freshCloud();
    const document = cloud.call(OTHER, 'one.document.allocate', '', 1337);
    expect(refusalOf(() => cloud.call(TESTER, 'one.document.rename', document, 'x'))).toContain('MANAGE DOCUMENT [0]');
    cloud.call(ADMIN_SESSION, 'one.group.addadmin', 1, 2);
    cloud.call(TESTER, 'one.document.rename', document, 'x');
    cloud.call(TESTER, 'one.user.update', 3, 'A=1', 1);
    const edit = (method: 'one.group.addadmin' | 'one.group.deladmin', uid: number) =>
      refusalOf(() => cloud.call(ADMIN_SESSION, method, 1, uid));
    expect(edit('one.group.addadmin', 2)).toBe(
      'INTERNAL [one.group.addadmin] Cannot edit group. User 2 is already an administrator of Group 1.',
    );
    expect(edit('one.group.addadmin', 0)).toBe(
      'INTERNAL [one.group.addadmin] Cannot edit group. User 0 is not part of Group 1.',
    );
    cloud.call(ADMIN_SESSION, 'one.group.deladmin', 1, 2);
    expect(edit('one.group.deladmin', 2)).toBe(
      'INTERNAL [one.group.deladmin] Cannot edit group. User 2 is not an administrator of Group 1.',
    );
    expect(refusalOf(() => cloud.call(TESTER, 'one.document.rename', document, 'y'))).toContain('MANAGE DOCUMENT [0]');
  });
});
