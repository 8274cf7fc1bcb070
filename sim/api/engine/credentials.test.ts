import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Credentials, credentialsOf, encode64, lenientBase64 } from './credentials.ts';
import { ENGINE_DEVIATIONS } from './deviations.ts';
import { Crash, Refusal } from './refusal.ts';

const UPSTREAM = new Set<string>(ENGINE_DEVIATIONS);
const CONTRACT = new Set<string>();

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

const refusalOf = (header: string | null, deviations: ReadonlySet<string> = UPSTREAM): [number, unknown] => {
  try {
    credentialsOf(header, deviations);
  } catch (error) {
    if (error instanceof Refusal && error.body instanceof Map) return [error.status, Object.fromEntries(error.body)];
    throw error;
  }
  return [200, undefined];
};

describe('credentialsOf', () => {
  it('refuses a request without credentials, and any scheme that is not spelled Basic', () => {
    expect(refusalOf(null)).toEqual([401, { error: 'Authentication required', message: '' }]);
    for (const header of ['', 'Bearer abcdef', 'basic dGVzdGVyOnRlc3RlcnBhc3M=', 'Basicx dGVz']) {
      expect(refusalOf(header)).toEqual([401, { error: 'Unsupported authentication scheme', message: header }]);
    }
  });

  it('crashes on a scheme without credentials, and refuses it where the contract is kept', () => {
    expect(() => credentialsOf('Basic', UPSTREAM)).toThrow(Crash);
    expect(refusalOf('Basic', CONTRACT)[0]).toBe(401);
  });

  it.each<[string, Credentials]>([
    [basic('tester:testerpass'), { session: 'tester:testerpass', flowSession: 'tester:testerpass' }],
    ['Basic  dGVzdGVyOnRlc3RlcnBhc3M= x', { session: 'tester:testerpass', flowSession: 'tester:testerpass' }],
    [basic('tester:testerpass:extra'), { session: 'tester:testerpass', flowSession: 'tester:testerpass' }],
    [basic('tester'), { session: 'tester:', flowSession: 'tester:tester' }],
    [basic('tester:'), { session: 'tester:', flowSession: 'tester:tester' }],
    [basic(':pw'), { session: ':pw', flowSession: ':pw' }],
    [basic(':'), { session: ':', flowSession: null }],
  ])('%s', (header, credentials) => {
    expect(credentialsOf(header, UPSTREAM)).toEqual(credentials);
  });

  it('keeps the whole password where the contract is kept', () => {
    expect(credentialsOf(basic('tester:a:b:'), CONTRACT).session).toBe('tester:a:b:');
  });
});

describe('base64', () => {
  it('skips what is not of the alphabet and ends where a quantum is incomplete', () => {
    expect([...lenientBase64('!!!!notbase64')]).toEqual([0x9e, 0x8b, 0x5b, 0x6a, 0xc7, 0xba]);
    expect(Buffer.from(lenientBase64('YWI=Y2Q=')).toString()).toBe('ab');
  });

  it('is written in lines of 60 characters, each ended', () => {
    expect(encode64(Buffer.from('x'.repeat(46)))).toBe(`${'eHh4'.repeat(15)}\neA==\n`);
  });

  it('reads what it writes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect([...lenientBase64(encode64(bytes))]).toEqual([...bytes]);
      }),
      { seed: 1 },
    );
  });
});
