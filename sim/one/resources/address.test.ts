import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addIp,
  addIp6,
  addMac,
  formatIp,
  formatIp6,
  formatMac,
  ip6Offset,
  macOffset,
  parseIp,
  parseIp6,
  parseMac,
  slaac,
} from './address.ts';

const ip = fc.nat(0xffffffff);
const mac = fc.maxSafeNat().map((n) => n % 2 ** 48);
const ip6 = fc.array(fc.oneof(fc.constant(0), fc.nat(0xffff)), { minLength: 8, maxLength: 8 });

test('addresses come back from their text', () => {
  fc.assert(
    fc.property(ip, mac, ip6, (v4, ethernet, v6) => {
      expect(parseIp(formatIp(v4))).toBe(v4);
      expect(parseMac(formatMac(ethernet))).toBe(ethernet);
      expect(parseIp6(formatIp6(v6))).toEqual(v6);
    }),
    { seed: 1, numRuns: 1000 },
  );
});

test('an offset that is added is found again', () => {
  fc.assert(
    fc.property(ip, mac, ip6, fc.nat(0xffff), (v4, ethernet, v6, offset) => {
      if (v4 + offset < 2 ** 32) expect(addIp(v4, offset) - v4).toBe(offset);
      if ((ethernet % 2 ** 32) + offset < 2 ** 32) {
        expect(macOffset(ethernet, addMac(ethernet, offset))).toBe(offset);
      }
      expect(Math.floor(addMac(ethernet, offset) / 2 ** 32)).toBe(Math.floor(ethernet / 2 ** 32));
      const [sixth = 0, seventh = 0] = v6.slice(6);
      if (sixth * 2 ** 16 + seventh + offset < 2 ** 32) expect(ip6Offset(v6, addIp6(v6, offset))).toBe(offset);
    }),
    { seed: 1, numRuns: 1000 },
  );
});

describe('IPv6 text', () => {
  test.each([
    ['::', '::'],
    ['::1', '::1'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['1:0:2:0:3:0:4:0', '1:0:2:0:3:0:4:0'],
    ['fe80::aff:fe06:1', 'fe80::aff:fe06:1'],
    ['::ffff:10.0.0.1', '::ffff:10.0.0.1'],
    ['::10.0.0.1', '::10.0.0.1'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['64:ff9b::10.0.0.1', '64:ff9b::a00:1'],
  ])('%s reads %s', (text, canonical) => {
    const address = parseIp6(text);
    expect(address === undefined ? undefined : formatIp6(address)).toBe(canonical);
  });

  test.each([
    '',
    ':',
    ':::',
    '1',
    '1::2::3',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4::5:6:7:8',
    '12345::',
    'g::',
    '::1.2.3',
    '1.2.3.4::',
  ])('is not %j', (text) => {
    expect(parseIp6(text)).toBeUndefined();
  });
});

test.each(['', '10.0.0', '10.0.0.0.1', '10.0.0.256', '10.0.0.a', ' 10.0.0.1', '-1.0.0.0'])(
  '%j is no IPv4 address',
  (text) => {
    expect(parseIp(text)).toBeUndefined();
  },
);

test.each(['', '02:00:0a:00:00', '02:00:0a:00:00:01:02', '02:00:0a:00:00:0g', '02000a000001'])(
  '%j is no MAC',
  (text) => {
    expect(parseMac(text)).toBeUndefined();
  },
);

test('a host makes its address from its MAC, as recorded', () => {
  const prefix = parseIp6('2001:db8::') ?? [];
  const ethernet = parseMac('02:00:0a:06:00:01') ?? 0;
  expect(formatIp6(slaac(prefix, ethernet))).toBe('2001:db8::aff:fe06:1');
  expect(formatIp6(slaac([0xfe80, 0, 0, 0], ethernet))).toBe('fe80::aff:fe06:1');
  expect(formatIp6(slaac(prefix, parseMac('00:16:3e:12:34:56') ?? 0))).toBe('2001:db8::216:3eff:fe12:3456');
});
