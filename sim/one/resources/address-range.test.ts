import { describe, expect, test } from 'vitest';
import { refusalOf } from '../testing.ts';
import {
  addressAt,
  leaseAttributes,
  makeRange,
  offsetOf,
  portRanges,
  rangeAttributes,
  rangeBounds,
  takeLease,
  takeRun,
  updateRange,
} from './address-range.ts';
import { HELD, reservedBy } from './lease.ts';

const range = (given: Record<string, string>) => makeRange(new Map(Object.entries(given)), 0, () => 0x12345678, null);
const all = () => true;

describe('the addresses of a lease', () => {
  const NO = { ip: null, ip6: null, ip6Global: null, ip6Ula: null, ip6Link: null };

  test.each([
    [
      { TYPE: 'IP4', IP: '10.0.0.1' },
      { ...NO, mac: '02:00:0a:00:00:13', ip: '10.0.0.19' },
    ],
    [
      { TYPE: 'ETHER', MAC: '02:00:00:00:00:00' },
      { ...NO, mac: '02:00:00:00:00:12' },
    ],
    [{ TYPE: 'ether' }, { ...NO, mac: '02:00:12:34:56:8a' }],
    [
      { TYPE: 'IP6', MAC: '02:00:0a:06:00:01', GLOBAL_PREFIX: '2001:db8::', ULA_PREFIX: 'fd00::' },
      {
        ...NO,
        mac: '02:00:0a:06:00:13',
        ip6Global: '2001:db8::aff:fe06:13',
        ip6Ula: 'fd00::aff:fe06:13',
        ip6Link: 'fe80::aff:fe06:13',
      },
    ],
    [
      { TYPE: 'IP4_6', IP: '10.6.0.1', GLOBAL_PREFIX: '2001:db8::' },
      {
        ...NO,
        mac: '02:00:0a:06:00:13',
        ip: '10.6.0.19',
        ip6Global: '2001:db8::aff:fe06:13',
        ip6Link: 'fe80::aff:fe06:13',
      },
    ],
    [
      { TYPE: 'IP6_STATIC', MAC: '02:00:00:00:00:00', IP6: '2001:db8::fff0', PREFIX_LENGTH: '64' },
      { ...NO, mac: '02:00:00:00:00:12', ip6: '2001:db8::1:2' },
    ],
    [
      { TYPE: 'IP4_6_STATIC', IP: '10.0.0.1', IP6: '2001:db8::', PREFIX_LENGTH: '64' },
      { ...NO, mac: '02:00:0a:00:00:13', ip: '10.0.0.19', ip6: '2001:db8::12' },
    ],
  ])('of %j', (given, address) => {
    const made = range({ SIZE: '200', ...given });
    expect(addressAt(made, 18)).toEqual(address);
    expect(offsetOf(made, { mac: address.mac })).toBe(18);
    if (address.ip !== null) expect(offsetOf(made, { ip: address.ip })).toBe(18);
    if (address.ip6 !== null) expect(offsetOf(made, { ip6: address.ip6 })).toBe(18);
  });
});

describe('a range is refused', () => {
  test.each([
    [{}, 'Unknown or missing address range TYPE.'],
    [{ TYPE: 'IPX' }, 'Unknown or missing address range TYPE.'],
    [{ TYPE: 'IP4' }, 'Wrong or empty IP attribute'],
    [{ TYPE: 'IP4', IP: '10.0.0.300' }, 'Wrong or empty IP attribute'],
    [{ TYPE: 'IP4', IP: '10.0.0.1' }, 'Wrong SIZE for address range'],
    [{ TYPE: 'IP4', IP: '10.0.0.1', SIZE: 'ten' }, 'Wrong SIZE for address range'],
    [{ TYPE: 'IP4', IP: '10.0.0.1', SIZE: '-1' }, 'Wrong SIZE for address range'],
    [{ TYPE: 'IP4', IP: '10.0.0.1', SIZE: '1', MAC: 'x' }, 'Wrong format for MAC attribute'],
    [{ TYPE: 'IP6', GLOBAL_PREFIX: 'x' }, 'Wrong format for IP6 global address prefix'],
    [{ TYPE: 'IP6', ULA_PREFIX: 'x' }, 'Wrong format for IP6 unique local address prefix'],
    [{ TYPE: 'IP6_STATIC' }, 'Wrong or empty IP6 attribute'],
    [{ TYPE: 'IP6_STATIC', IP6: '::1' }, 'Wrong or empty PREFIX_LENGTH'],
  ])('%j', (given, text) => {
    expect(refusalOf(() => range(given))).toBe(`INTERNAL ${text}`);
  });
});

test('a static IPv6 range is as large as its prefix leaves room behind the first address', () => {
  const size = (ip6: string, length: string) =>
    range({ TYPE: 'IP6_STATIC', IP6: ip6, PREFIX_LENGTH: length }).attributes.get('SIZE');
  expect(size('2001:db8::', '120')).toBe('256');
  expect(size('2001:db8::10', '120')).toBe('240');
  expect(size('2001:db8::', '64')).toBe('18446744073709551615');
});

test('leases go out from the lowest, and none beyond the size', () => {
  const small = range({ TYPE: 'IP4', IP: '10.0.0.1', SIZE: '2' });
  expect(takeLease(small, 7, { ip: '10.0.0.2' })).toBe(1);
  expect(takeLease(small, 8, { ip: '10.0.0.2' })).toBeUndefined();
  expect(takeLease(small, 8, { ip: '10.0.0.3' })).toBeUndefined();
  expect(takeLease(small, 8)).toBe(0);
  expect(takeLease(small, 9)).toBeUndefined();
});

test('a run of leases is free from end to end', () => {
  const ten = range({ TYPE: 'IP4', IP: '10.0.0.1', SIZE: '10' });
  takeLease(ten, 1, { ip: '10.0.0.3' });
  expect(takeRun(ten, reservedBy(5), 3)).toBe(3);
  expect(takeRun(ten, reservedBy(5), 2)).toBe(0);
  expect(takeRun(ten, reservedBy(5), 3, 4)).toBeUndefined();
  expect(takeRun(ten, reservedBy(5), 5)).toBeUndefined();
  expect(takeRun(ten, reservedBy(5), 4, 6)).toBe(6);
  expect(ten.leases.size).toBe(10);
});

test('shows itself as recorded', () => {
  const recorded = range({ TYPE: 'IP4', IP: '10.0.0.1', SIZE: '200' });
  expect(Object.fromEntries(rangeAttributes(recorded))).toEqual({
    AR_ID: '0',
    IP: '10.0.0.1',
    MAC: '02:00:0a:00:00:01',
    SIZE: '200',
    TYPE: 'IP4',
  });
  expect(rangeBounds(recorded)).toEqual([
    ['MAC_END', '02:00:0a:00:00:c8'],
    ['IP_END', '10.0.0.200'],
  ]);
  takeLease(recorded, 4);
  expect(rangeAttributes(recorded)[0]).toEqual(['ALLOCATED', ' 0 68719476740']);
  recorded.leases.release(0, 4);
  expect(rangeAttributes(recorded)[0]).toEqual(['ALLOCATED', '']);
});

test('lists its leases in order, with whose they are', () => {
  const shown = range({ TYPE: 'IP4', IP: '10.0.0.1', SIZE: '200', PORT_START: '1000', PORT_SIZE: '10' });
  takeLease(shown, reservedBy(3), { ip: '10.0.0.9' });
  takeLease(shown, HELD, { ip: '10.0.0.5' });
  takeLease(shown, 12);
  expect(leaseAttributes(shown, all).map((lease) => Object.fromEntries(lease))).toMatchObject([
    { IP: '10.0.0.1', MAC: '02:00:0a:00:00:01', VM: '12', EXTERNAL_PORT_RANGE: '1001:1010' },
    { IP: '10.0.0.5', VM: '-1' },
    { IP: '10.0.0.9', VNET: '3' },
  ]);
  expect(leaseAttributes(shown, (owner) => owner === 12)).toHaveLength(1);
  expect(portRanges(shown, 1)).toEqual([
    ['EXTERNAL_PORT_RANGE', '1011:1020'],
    ['INTERNAL_PORT_RANGE', '1-10/1011'],
  ]);
});

describe('an update', () => {
  test('keeps addresses and type, and changes size and what leases pass on', () => {
    const changed = range({ TYPE: 'IP4', IP: '10.0.0.1', SIZE: '10', DNS: '9.9.9.9' });
    updateRange(
      changed,
      new Map([
        ['IP', '1.1.1.1'],
        ['TYPE', 'ETHER'],
        ['SIZE', '20'],
        ['GATEWAY', '10.0.0.254'],
      ]),
    );
    expect(Object.fromEntries(changed.attributes)).toEqual({
      AR_ID: '0',
      GATEWAY: '10.0.0.254',
      IP: '10.0.0.1',
      MAC: '02:00:0a:00:00:01',
      SIZE: '20',
      TYPE: 'IP4',
    });
    expect(changed.size).toBe(20);
  });

  test('does not cut leases off', () => {
    const used = range({ TYPE: 'IP4', IP: '10.0.0.1', SIZE: '10' });
    takeLease(used, 1, { ip: '10.0.0.8' });
    const shrink = (size: string) => refusalOf(() => updateRange(used, new Map([['SIZE', size]])));
    expect(shrink('7')).toBe(
      'INTERNAL New SIZE cannot be applied. There are used leases that would fall outside the range.',
    );
    expect(shrink('many')).toBe('INTERNAL Unable to read the SIZE attribute, it must be number >= 0');
    updateRange(used, new Map([['SIZE', '8']]));
    expect(used.size).toBe(8);
  });
});
