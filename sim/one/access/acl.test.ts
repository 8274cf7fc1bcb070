import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ADMIN_SESSION, freshCloud, OTHER, refusalOf, TESTER } from '../testing.ts';
import { Acl, allows, authorize, type Guarded, newPermissions } from './acl.ts';
import { KINDS, OBJECT_TYPES, type ObjectType, RIGHTS, type Right, type Rule } from './acl-rule.ts';
import { authenticate, type Caller, callerOf } from './user.ts';

/** Section by section as `AclManager::authorize` goes: everybody's rules, the user's, each group's; bits as rules. */
function naively(rules: Iterable<Rule>, caller: Caller, right: Right, type: ObjectType, object: Guarded): boolean {
  const bit = RIGHTS[right];
  if (object.lock && object.lock.level <= bit) return false;
  if (caller.admin) return true;
  const { permissions = 0, uid = -1, gid = -1 } = object;
  const digit = (at: number) => {
    const octal = (permissions >> at) & 7;
    return (octal & 4 ? RIGHTS.USE : 0) | (octal & 2 ? RIGHTS.MANAGE : 0) | (octal & 1 ? RIGHTS.ADMIN : 0);
  };
  const resource = { bits: OBJECT_TYPES[type] | KINDS['#'], id: object.id };
  const zone = { bits: KINDS['#'], id: 0 };
  const implicit = [
    { user: { bits: KINDS['#'], id: uid }, resource, rights: { bits: 0, id: digit(6) }, zone },
    { user: { bits: KINDS['@'], id: gid }, resource, rights: { bits: 0, id: digit(3) }, zone },
    { user: { bits: KINDS['*'], id: 0 }, resource, rights: { bits: 0, id: digit(0) }, zone },
  ];
  return [...implicit, ...rules].some((rule) => {
    const forCaller =
      rule.user.bits === KINDS['*'] ||
      (rule.user.bits === KINDS['#'] && rule.user.id === caller.uid) ||
      (rule.user.bits === KINDS['@'] && caller.groups.has(rule.user.id));
    const { bits, id } = rule.resource;
    const forObject =
      (bits & OBJECT_TYPES[type]) !== 0 &&
      ((bits & KINDS['*']) !== 0 ||
        ((bits & KINDS['#']) !== 0 && id === object.id) ||
        ((bits & KINDS['@']) !== 0 && id === gid) ||
        ((bits & KINDS['%']) !== 0 && id === object.clusterId));
    const here = rule.zone.bits === KINDS['*'] || rule.zone.id === 0;
    return forCaller && forObject && here && (rule.rights.id & bit) !== 0;
  });
}

const small = fc.integer({ min: 0, max: 3 });
const ruleText = fc
  .record({
    user: fc.oneof(
      fc.constant('*'),
      small.map((n) => `#${n}`),
      small.map((n) => `@${n}`),
    ),
    types: fc.subarray(['VM', 'IMAGE', 'DOCUMENT'], { minLength: 1 }),
    target: fc.oneof(
      fc.constant('*'),
      small.map((n) => `#${n}`),
      small.map((n) => `@${n}`),
    ),
    rights: fc.subarray(['USE', 'MANAGE', 'ADMIN', 'CREATE'], { minLength: 1 }),
    zone: fc.constantFrom('#0', '#1'),
  })
  .map(({ user, types, target, rights, zone }) => `${user} ${types.join('+')}/${target} ${rights.join('+')} ${zone}`);

describe('a decision', () => {
  test('is that of the rules taken one by one', () => {
    const cloud = freshCloud();
    fc.assert(
      fc.property(
        fc.array(ruleText, { maxLength: 6 }),
        fc.record({ uid: small, gid: small, groups: fc.uniqueArray(small), admin: fc.constant(false) }),
        fc.record({
          id: small,
          uid: small,
          gid: small,
          permissions: fc.integer({ min: 0, max: 0o777 }),
          lock: fc.option(fc.record({ level: fc.constantFrom(1, 2, 3), owner: small, time: fc.constant(0) })),
        }),
        fc.constantFrom<Right[]>('USE', 'MANAGE', 'ADMIN'),
        fc.constantFrom<ObjectType[]>('VM', 'IMAGE', 'NET'),
        (texts, who, object, right, type) => {
          const acl = new Acl();
          for (const { id } of [...acl]) acl.delete(id);
          for (const text of texts) acl.ensure(text);
          const caller = { ...who, groups: new Set([who.gid, ...who.groups]), name: '', groupName: '' };
          const world = Object.create(cloud, { acl: { value: acl } });
          expect(allows(world, caller, { right, type, object })).toBe(naively(acl, caller, right, type, object));
        },
      ),
      { seed: 1, numRuns: 1000 },
    );
  });
});

describe('authorization', () => {
  const document = { id: 201, uid: 2, gid: 1, name: 'd', permissions: 0o600, lock: null };

  test('lets an owner use and manage, and nobody else', () => {
    const cloud = freshCloud();
    const [tester, other] = [authenticate(cloud, TESTER), authenticate(cloud, OTHER)];
    authorize(cloud, tester, { right: 'MANAGE', type: 'DOCUMENT', object: document });
    expect(refusalOf(() => authorize(cloud, tester, { right: 'ADMIN', type: 'DOCUMENT', object: document }))).toBe(
      'AUTHORIZATION User [2] : Not authorized to perform ADMIN DOCUMENT [201].',
    );
    expect(refusalOf(() => authorize(cloud, other, { right: 'USE', type: 'DOCUMENT', object: document }))).toBe(
      'AUTHORIZATION User [3] : Not authorized to perform USE DOCUMENT [201].',
    );
  });

  test('names all rights that are missing', () => {
    const cloud = freshCloud();
    const cluster = { id: 0 };
    expect(
      refusalOf(() =>
        authorize(
          cloud,
          authenticate(cloud, TESTER),
          { right: 'CREATE', type: 'NET' },
          { right: 'CREATE', type: 'VM' },
          { right: 'ADMIN', type: 'CLUSTER', object: cluster },
        ),
      ),
    ).toBe(
      'AUTHORIZATION User [2] : Not authorized to perform CREATE NET; Not authorized to perform ADMIN CLUSTER [0].',
    );
  });

  test('is withheld by a lock from its level on, from administrators too', () => {
    const cloud = freshCloud();
    const object = { ...document, id: 0, lock: { level: 2, owner: 2, time: 0 } as const };
    const [tester, admin] = [authenticate(cloud, TESTER), authenticate(cloud, ADMIN_SESSION)];
    authorize(cloud, tester, { right: 'USE', type: 'VM', object });
    expect(refusalOf(() => authorize(cloud, tester, { right: 'MANAGE', type: 'VM', object }))).toBe(
      'AUTHORIZATION User [2] : Not authorized to perform MANAGE VM [0].',
    );
    expect(refusalOf(() => authorize(cloud, admin, { right: 'MANAGE', type: 'VM', object }))).toBe(
      'AUTHORIZATION User [0] : VM is locked. [0].',
    );
    authorize(cloud, admin, { right: 'MANAGE', type: 'VM', object, lockless: true });
  });

  test.each([
    ['USE', 'HOST', false],
    ['MANAGE', 'HOST', true],
    ['USE', 'NET', true],
    ['USE', 'DATASTORE', true],
    ['USE', 'CLUSTER', false],
    ['USE', 'ZONE', true],
    ['CREATE', 'IMAGE', true],
    ['CREATE', 'HOST', false],
  ] as const)('by default, a right to %s %s: %s', (right, type, given) => {
    const cloud = freshCloud();
    expect(allows(cloud, authenticate(cloud, TESTER), { right, type, object: { id: 0 } })).toBe(given);
  });

  test('reaches the objects of a cluster', () => {
    const cloud = freshCloud();
    cloud.run(cloud.root, 'one.acl.addrule', '100000002', '2800000064', '1');
    const tester = authenticate(cloud, TESTER);
    expect(allows(cloud, tester, { right: 'USE', type: 'HOST', object: { id: 1, clusterId: 100 } })).toBe(true);
    expect(allows(cloud, tester, { right: 'USE', type: 'HOST', object: { id: 1, clusterId: 0 } })).toBe(false);
    const both = { id: 1, clusters: new Set([0, 100]) };
    expect(allows(cloud, tester, { right: 'USE', type: 'HOST', object: both })).toBe(true);
  });
});

describe('new permissions', () => {
  test('follow the umask of the user, and never give users administration', () => {
    const cloud = freshCloud();
    const tester = authenticate(cloud, TESTER);
    expect(newPermissions(cloud, tester).toString(8)).toBe('600');
    expect(newPermissions(cloud, cloud.root).toString(8)).toBe('600');
    cloud.users.get(2).template.set('UMASK', '022');
    cloud.users.get(0).template.set('UMASK', '022');
    expect(newPermissions(cloud, tester).toString(8)).toBe('644');
    expect(newPermissions(cloud, callerOf(cloud, 0)).toString(8)).toBe('755');
  });
});

describe('rules', () => {
  test('are listed by user, then by id, as recorded', () => {
    const cloud = freshCloud();
    expect(cloud.call(ADMIN_SESSION, 'one.acl.info').map(({ id }) => id)).toEqual([0, 3, 4, 5, 1, 2]);
  });

  test('come and go', () => {
    const cloud = freshCloud();
    const id = cloud.call(ADMIN_SESSION, 'one.acl.addrule', '0x100000002', '0x2400000000', '0x1');
    expect(id).toBe(6);
    expect(allows(cloud, authenticate(cloud, TESTER), { right: 'USE', type: 'HOST', object: { id: 0 } })).toBe(true);
    cloud.call(ADMIN_SESSION, 'one.acl.delrule', id);
    expect(allows(cloud, authenticate(cloud, TESTER), { right: 'USE', type: 'HOST', object: { id: 0 } })).toBe(false);
  });

  test('are refused in the words of oned', () => {
    const cloud = freshCloud();
    expect(refusalOf(() => cloud.call(TESTER, 'one.acl.info'))).toBe(
      'AUTHORIZATION [one.acl.info] User [2] : Not authorized to perform MANAGE ACL.',
    );
    expect(refusalOf(() => cloud.call(ADMIN_SESSION, 'one.acl.delrule', 66))).toBe(
      'INTERNAL [one.acl.delrule] Rule 66 does not exist',
    );
    expect(refusalOf(() => cloud.call(ADMIN_SESSION, 'one.acl.addrule', '200000001', '2400000000', '2'))).toBe(
      'INTERNAL [one.acl.addrule] Rule @1 HOST/* MANAGE #0 already exists',
    );
    expect(
      refusalOf(() => cloud.call(ADMIN_SESSION, 'one.acl.addrule', '100000002', '1000000000', '1', '400000000')),
    ).toBe(
      'INTERNAL [one.acl.addrule] Rule #2 VM/?? USE * is malformed: [resource] is missing one of the INDIVIDUAL, GROUP, CLUSTER or ALL bits',
    );
  });
});
