import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Cloud } from './cloud.ts';
import { ADMIN_SESSION, freshCloud, OTHER, refusalOf, TESTER } from './testing.ts';

const make = (cloud: Cloud, text = 'NAME=d1', session = TESTER): number =>
  cloud.call(session, 'one.document.allocate', text, 1337);

describe('a document', () => {
  test('takes its name from the template, which loses it', () => {
    const cloud = freshCloud();
    const id = make(cloud, '<TEMPLATE><NAME>d1</NAME><BODY><![CDATA[{"a":1}]]></BODY></TEMPLATE>');
    const document = cloud.call(TESTER, 'one.document.info', id);
    expect(document).toMatchObject({ id: 0, uid: 2, gid: 1, name: 'd1', type: 1337, permissions: 0o600, lock: null });
    expect([...document.template]).toEqual([{ name: 'BODY', value: '{"a":1}' }]);
  });

  test('may have the name of another, a strange one, or none', () => {
    const cloud = freshCloud();
    make(cloud);
    expect(cloud.documents.get(make(cloud)).name).toBe('d1');
    expect(cloud.documents.get(make(cloud, 'NAME="a\nb;"')).name).toBe('a\nb;');
    expect(cloud.documents.get(make(cloud, '')).name).toBe('document-3');
  });

  test.each([
    [`NAME="${'x'.repeat(129)}"`, 'INTERNAL [one.document.allocate] NAME is too long; max length is 128 chars.'],
    ['NAME="a&b"', 'INTERNAL [one.document.allocate] Error transforming the Document to XML.'],
    ['<TEMPLATE><NAME>d1', 'INTERNAL [one.document.allocate] Parse error: XML Template malformed.'],
  ])('is refused: %s', (text, refusal) => {
    const cloud = freshCloud();
    expect(refusalOf(() => make(cloud, text))).toBe(refusal);
    expect(cloud.documents.nextId).toBe(0);
  });

  test('is nobody else’s to touch', () => {
    const cloud = freshCloud();
    const id = make(cloud);
    const not = (right: string) => `User [3] : Not authorized to perform ${right} DOCUMENT [0].`;
    expect(refusalOf(() => cloud.call(OTHER, 'one.document.info', id))).toContain(not('USE'));
    expect(refusalOf(() => cloud.call(OTHER, 'one.document.update', id, 'X=1', 1))).toContain(not('MANAGE'));
    expect(refusalOf(() => cloud.call(OTHER, 'one.document.rename', id, 'x'))).toContain(not('MANAGE'));
    expect(refusalOf(() => cloud.call(OTHER, 'one.document.delete', id))).toContain(not('MANAGE'));
    expect(refusalOf(() => cloud.call(OTHER, 'one.document.chmod', id, 1, 1, 0, 1, 0, 0, 1, 0, 0))).toContain(
      not('MANAGE'),
    );
    expect(refusalOf(() => cloud.call(OTHER, 'one.document.clone', id, 'c'))).toContain(not('USE'));
  });

  test('that is missing is said to be so, but -1 asks for all', () => {
    const cloud = freshCloud();
    expect(refusalOf(() => cloud.call(TESTER, 'one.document.info', 99999))).toBe(
      'NO_EXISTS [one.document.info] Error getting document [99999].',
    );
    expect(refusalOf(() => cloud.call(TESTER, 'one.document.info', -1))).toBe(
      'AUTHORIZATION [one.document.info] User [2] : Not authorized to perform USE DOCUMENT.',
    );
    expect(refusalOf(() => cloud.call(ADMIN_SESSION, 'one.document.info', -1))).toBe(
      'NO_EXISTS [one.document.info] Error getting document Pool.',
    );
    expect(refusalOf(() => cloud.call(TESTER, 'one.document.rename', 99999, 'x'))).toBe(
      'NO_EXISTS [one.document.rename] Error getting document [99999].',
    );
  });

  test('is updated by replacing or appending', () => {
    const cloud = freshCloud();
    const id = make(cloud, 'NAME=d1\nA=1\nB=1');
    cloud.call(TESTER, 'one.document.update', id, 'X=1\nA=2', 1);
    expect([...cloud.documents.get(id).template].map(({ name, value }) => `${name}=${value}`)).toEqual([
      'A=2',
      'B=1',
      'X=1',
    ]);
    cloud.call(TESTER, 'one.document.update', id, 'Y=1', 0);
    expect([...cloud.documents.get(id).template].map(({ name }) => name)).toEqual(['Y']);
    expect(refusalOf(() => cloud.call(TESTER, 'one.document.update', id, 'X=1', 7))).toBe(
      'XML_RPC_API [one.document.update] Wrong update type',
    );
    expect(refusalOf(() => cloud.call(TESTER, 'one.document.update', id, '<X', 1))).toBe(
      'INTERNAL [one.document.update] Cannot update template. Parse error: XML Template malformed.',
    );
  });

  test('is cloned under a name, with its type and without its rights', () => {
    const cloud = freshCloud();
    const id = make(cloud, 'NAME=d1\nA=1');
    cloud.call(TESTER, 'one.document.chmod', id, -1, -1, -1, -1, -1, -1, 1, -1, -1);
    const copy = cloud.call(OTHER, 'one.document.clone', id, 'c');
    expect(cloud.call(OTHER, 'one.document.info', copy)).toMatchObject({
      uid: 3,
      name: 'c',
      type: 1337,
      permissions: 0o600,
    });
    expect(cloud.documents.get(copy).template.get('A')).toBe('1');
    cloud.call(OTHER, 'one.document.update', copy, 'A=2', 1);
    expect(cloud.documents.get(id).template.get('A')).toBe('1');
    expect(refusalOf(() => cloud.call(OTHER, 'one.document.clone', id, 'x'.repeat(129)))).toBe(
      'ALLOCATE [one.document.clone] Error allocating a new document. NAME is too long; max length is 128 chars.',
    );
  });

  test('is gone when deleted, and its id is not used again', () => {
    const cloud = freshCloud();
    const id = make(cloud);
    expect(cloud.call(TESTER, 'one.document.delete', id)).toBe(id);
    expect(refusalOf(() => cloud.call(TESTER, 'one.document.delete', id))).toBe(
      'NO_EXISTS [one.document.delete] Error getting document [0].',
    );
    expect(make(cloud)).toBe(1);
  });
});

describe('the mode', () => {
  test('changes where it is not -1', () => {
    const cloud = freshCloud();
    const id = make(cloud);
    cloud.call(TESTER, 'one.document.chmod', id, 1, 1, 0, 1, 0, 0, 1, 0, 0);
    expect(cloud.documents.get(id).permissions.toString(8)).toBe('644');
    cloud.call(TESTER, 'one.document.chmod', id, -1, 0, -1, -1, -1, -1, 0, -1, -1);
    expect(cloud.documents.get(id).permissions.toString(8)).toBe('440');
  });

  test('of administration needs administration', () => {
    const cloud = freshCloud();
    const id = make(cloud);
    expect(refusalOf(() => cloud.call(TESTER, 'one.document.chmod', id, 1, 1, 1, -1, -1, -1, -1, -1, -1))).toBe(
      'AUTHORIZATION [one.document.chmod] User [2] : Not authorized to perform ADMIN DOCUMENT [0].',
    );
    expect(refusalOf(() => cloud.call(TESTER, 'one.document.chmod', id, 5, 1, 0, 1, 0, 0, 1, 0, 0))).toBe(
      'INTERNAL [one.document.chmod] New permission values must be -1, 0 or 1',
    );
  });

  test('is what was set, bit by bit', () => {
    const cloud = freshCloud();
    const id = make(cloud);
    const mode = fc.constantFrom(-1, 0, 1);
    fc.assert(
      fc.property(fc.tuple(mode, mode, mode, mode, mode, mode, mode, mode, mode), (modes) => {
        const before = cloud.documents.get(id).permissions.toString(2).padStart(9, '0');
        cloud.call(ADMIN_SESSION, 'one.document.chmod', id, ...modes);
        const after = cloud.documents.get(id).permissions.toString(2).padStart(9, '0');
        expect(after).toBe(modes.map((bit, i) => (bit < 0 ? before.charAt(i) : bit)).join(''));
      }),
      { seed: 1 },
    );
  });
});

describe('the owner', () => {
  test('is changed by who manages the new one and may use the group', () => {
    const cloud = freshCloud();
    const id = make(cloud);
    expect(refusalOf(() => cloud.call(TESTER, 'one.document.chown', id, 3, 0))).toBe(
      'AUTHORIZATION [one.document.chown] User [2] : Not authorized to perform MANAGE USER [3]; Not authorized to perform USE GROUP [0].',
    );
    expect(cloud.call(TESTER, 'one.document.chown', id, 2, 1)).toBe(id);
    expect(cloud.call(ADMIN_SESSION, 'one.document.chown', id, 3, -1)).toBe(id);
    expect(cloud.documents.get(id)).toMatchObject({ uid: 3, gid: 1 });
    expect(refusalOf(() => cloud.call(ADMIN_SESSION, 'one.document.chown', id, 77, -1))).toBe(
      'NO_EXISTS [one.document.chown] Error getting user [77].',
    );
    expect(refusalOf(() => cloud.call(ADMIN_SESSION, 'one.document.chown', id, -1, 77))).toBe(
      'NO_EXISTS [one.document.chown] Error getting group [77].',
    );
  });
});

describe('the name', () => {
  test('is checked when it changes', () => {
    const cloud = freshCloud();
    const id = make(cloud);
    const rename = (name: string) => refusalOf(() => cloud.call(TESTER, 'one.document.rename', id, name));
    cloud.call(TESTER, 'one.document.rename', id, 'd2');
    expect(cloud.documents.get(id).name).toBe('d2');
    expect(cloud.call(OTHER, 'one.document.rename', id, 'd2')).toBe(id);
    expect(rename('')).toBe('ACTION [one.document.rename] Invalid NAME, it cannot be empty');
    expect(rename('x'.repeat(129))).toBe('ACTION [one.document.rename] Invalid NAME, max length is 128 chars');
    expect(rename('<b>&')).toBe("ACTION [one.document.rename] Invalid NAME, char '<' is not allowed");
  });
});

describe('a lock', () => {
  test('holds off what needs its level, until its owner opens it', () => {
    const cloud = freshCloud();
    const id = make(cloud);
    const refusal = (act: () => unknown) => refusalOf(act).replace(/^(\S+) \[\S+\] /, '$1 ');
    expect(cloud.call(TESTER, 'one.document.lock', id, 1, false)).toBe(id);
    expect(cloud.documents.get(id).lock).toMatchObject({ level: 1, owner: 2, time: cloud.seconds });
    const withheld = 'AUTHORIZATION User [2] : Not authorized to perform MANAGE DOCUMENT [0].';
    expect(refusal(() => cloud.call(TESTER, 'one.document.update', id, 'X=3', 1))).toBe(withheld);
    expect(refusal(() => cloud.call(TESTER, 'one.document.delete', id))).toBe(withheld);
    expect(refusal(() => cloud.call(ADMIN_SESSION, 'one.document.delete', id))).toBe(
      'AUTHORIZATION User [0] : DOCUMENT is locked. [0].',
    );
    expect(cloud.call(TESTER, 'one.document.info', id).lock).not.toBeNull();
    expect(cloud.call(TESTER, 'one.document.lock', id, 4, false)).toBe(id);
    expect(cloud.documents.get(id).lock?.level).toBe(1);
    expect(refusal(() => cloud.call(TESTER, 'one.document.lock', id, 9))).toBe('ACTION Wrong lock level specified');
    expect(refusal(() => cloud.call(TESTER, 'one.document.lock', id, 1, true))).toBe(`ACTION ${cloud.seconds}`);
    expect(cloud.call(TESTER, 'one.document.unlock', id)).toBe(id);
    expect(refusal(() => cloud.call(TESTER, 'one.document.unlock', id))).toBe(
      'ACTION Cannot unlock: Lock is owned by another user',
    );
    cloud.call(TESTER, 'one.document.delete', id);
  });

  test('of another is not replaced, save by administrators', () => {
    const cloud = freshCloud();
    const id = make(cloud);
    cloud.call(TESTER, 'one.document.chmod', id, -1, -1, -1, 1, 1, -1, -1, -1, -1);
    cloud.call(TESTER, 'one.document.lock', id, 3);
    cloud.call(OTHER, 'one.document.rename', id, 'still');
    expect(refusalOf(() => cloud.call(OTHER, 'one.document.lock', id, 1))).toBe(
      'ACTION [one.document.lock] Error trying to lock the resource.',
    );
    expect(refusalOf(() => cloud.call(OTHER, 'one.document.unlock', id))).toBe(
      'ACTION [one.document.unlock] Cannot unlock: Lock is owned by another user',
    );
    cloud.call(ADMIN_SESSION, 'one.document.lock', id, 2);
    expect(cloud.documents.get(id).lock?.owner).toBe(0);
    expect(cloud.call(ADMIN_SESSION, 'one.document.unlock', id)).toBe(id);
  });
});

describe('the pool', () => {
  test('has one type, the newest first', () => {
    const cloud = freshCloud();
    for (const type of [100, 1337, 100]) cloud.call(TESTER, 'one.document.allocate', '', type);
    const ids = (type: number) => cloud.call(TESTER, 'one.documentpool.info', -2, -1, -1, type).map(({ id }) => id);
    expect([ids(100), ids(1337), ids(5)]).toEqual([[2, 0], [1], []]);
  });
});
