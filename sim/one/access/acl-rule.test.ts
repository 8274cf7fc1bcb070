import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  formatHex,
  formatRule,
  KINDS,
  malformed,
  OBJECT_TYPES,
  parseHex,
  parseRule,
  RIGHTS,
  type Terms,
} from './acl-rule.ts';

const id = fc.integer({ min: 0, max: 0x7fff_ffff });
const shown = Object.entries(OBJECT_TYPES).filter(([type]) => type !== 'ACL' && type !== 'HOOK');
const types = fc
  .subarray(
    shown.map(([, bits]) => bits),
    { minLength: 1 },
  )
  .map((bits) => bits.reduce<number>((a, b) => a | b, 0));
const selector = (kinds: (keyof typeof KINDS)[]) =>
  fc
    .record({ kind: fc.constantFrom(...kinds), id })
    .map(({ kind, id: number }) => ({ bits: KINDS[kind], id: kind === '*' ? 0 : number }));

/** Rules that have a text: those with one kind a part, and types that oned writes. */
const terms: fc.Arbitrary<Terms> = fc
  .record({
    user: selector(['#', '@', '*']),
    resource: selector(['#', '@', '*', '%']),
    types,
    rights: fc.integer({ min: 1, max: 15 }),
    zone: selector(['#', '*']),
  })
  .map(({ user, resource, types: bits, rights, zone }) => ({
    user,
    resource: { bits: resource.bits | bits, id: resource.id },
    rights: { bits: 0, id: rights },
    zone,
  }));

/** As recorded: USER, RESOURCE, RIGHTS and ZONE in hex, and STRING. */
const RECORDED = [
  [
    '200000001',
    '121429400000000',
    '8',
    '400000000',
    '@1 VM+IMAGE+TEMPLATE+DOCUMENT+SECGROUP+VMGROUP+BACKUPJOB/* CREATE *',
  ],
  ['200000001', '2400000000', '2', '100000000', '@1 HOST/* MANAGE #0'],
  ['200000001', '4400000000', '1', '100000000', '@1 NET/* USE #0'],
  ['200000001', '100400000000', '1', '100000000', '@1 DATASTORE/* USE #0'],
  ['400000000', '800400000000', '1', '400000000', '* ZONE/* USE *'],
  ['400000000', '18000400000000', '1', '400000000', '* MARKETPLACE+MARKETPLACEAPP/* USE *'],
] as const;

const fromHex = (user: string, resource: string, rights: string, zone: string): Terms => ({
  user: parseHex(user),
  resource: parseHex(resource),
  rights: parseHex(rights),
  zone: parseHex(zone),
});

describe('a rule', () => {
  test.each(RECORDED)('%s %s %s %s reads %s', (user, resource, rights, zone, text) => {
    expect(formatRule(fromHex(user, resource, rights, zone))).toBe(text);
    const parsed = parseRule(text);
    expect(parsed && [parsed.user, parsed.resource, parsed.rights, parsed.zone].map(formatHex)).toEqual([
      user,
      resource,
      rights,
      zone,
    ]);
  });

  test('reads back from its text as it was', () => {
    fc.assert(
      fc.property(terms, (rule) => {
        expect(parseRule(formatRule(rule))).toEqual(rule);
      }),
      { seed: 1 },
    );
  });

  test.each([
    '',
    '#1',
    '#1 VM/* USE * more',
    'x VM/* USE',
    '#1 CAR/* USE',
    '#1 VM/* FLY',
    '#1 VM USE',
    '#1 VM/#1/#2 USE',
  ])('%j is not one', (text) => {
    expect(parseRule(text)).toBeUndefined();
  });
});

describe('hex', () => {
  test('reads back as it was', () => {
    const bits = fc.integer({ min: 0, max: 0x7fff_ffff });
    fc.assert(
      fc.property(fc.record({ bits, id: fc.integer({ min: 0, max: 0xffff_ffff }) }), (number) => {
        expect(parseHex(formatHex(number))).toEqual(number);
      }),
      { seed: 1 },
    );
  });

  test.each([
    ['0x200000001', { bits: 2, id: 1 }],
    ['  2', { bits: 0, id: 2 }],
    ['1z', { bits: 0, id: 1 }],
    ['z', { bits: 0, id: 0 }],
    ['', { bits: 0, id: 0 }],
    ['FFFFFFFFFFFFFFFFFF', { bits: 0x7fff_ffff, id: 0xffff_ffff }],
  ])('%j is read as C++ reads it', (text, number) => {
    expect(parseHex(text)).toEqual(number);
  });
});

describe('a malformed rule', () => {
  test.each([
    [
      '100000002',
      '1000000000',
      '1',
      '400000000',
      '[resource] is missing one of the INDIVIDUAL, GROUP, CLUSTER or ALL bits',
    ],
    ['300000002', '1400000000', '1', '400000000', '[user] INDIVIDUAL (#) and GROUP (@) bits are exclusive'],
    ['2', '1400000000', '1', '400000000', '[user] is missing one of the INDIVIDUAL, GROUP or ALL bits'],
    ['400000001', '1400000000', '1', '400000000', 'when using the ALL bit, [user] ID must be 0'],
    ['180000000', '1400000000', '1', '400000000', '[user] ID cannot be negative'],
    [
      '400000000',
      '1500000000',
      '1',
      '100000000',
      '[resource] INDIVIDUAL (#), GROUP (@), CLUSTER (%) and ALL (*) bits are exclusive',
    ],
    [
      '400000000',
      '1800000001',
      '1',
      '400000000',
      '[resource] CLUSTER(%) selector can be applied only to DATASTORE, HOST and NET types',
    ],
    [
      '400000000',
      '2200000001',
      '1',
      '400000000',
      '[resource] GROUP(@) selector cannot be applied to HOST, GROUP, CLUSTER, ZONE or VDC types',
    ],
    ['400000000', '400000000', '1', '400000000', '[resource] type is missing'],
    ['400000000', '200001400000000', '1', '400000000', 'wrong [resource] type'],
    ['400000000', '1400000000', '0', '400000000', 'wrong [rights], it cannot be 0'],
    ['400000000', '1400000000', '10', '400000000', 'wrong [rights], it cannot be bigger than 0xF'],
    ['400000000', '1400000000', '1', '0', '[zone] is missing one of the INDIVIDUAL or ALL bits'],
    ['400000000', '1400000000', '1', '400000001', 'when using the ALL bit, [zone] ID must be 0'],
    [
      '400000000',
      '1100000001',
      '1',
      '400000000',
      '[resource] INDIVIDUAL(#) selector cannot be applied to ALL zones, except for USER, GROUP and ZONE types',
    ],
  ])('%s %s %s %s: %s', (user, resource, rights, zone, reason) => {
    expect(malformed(fromHex(user, resource, rights, zone))).toBe(reason);
  });

  test('gives all reasons', () => {
    expect(malformed(fromHex('0', '1400000000', '0', '400000000'))).toBe(
      '[user] is missing one of the INDIVIDUAL, GROUP or ALL bits; wrong [rights], it cannot be 0',
    );
  });

  test('of the recorded ones there is none', () => {
    for (const [user, resource, rights, zone] of RECORDED) {
      expect(malformed(fromHex(user, resource, rights, zone))).toBeUndefined();
    }
    expect(Object.keys(RIGHTS)).toEqual(['USE', 'MANAGE', 'ADMIN', 'CREATE']);
  });
});
