import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { unzip, ZipProblem, zip } from './zip.ts';

/** Written by Python's zipfile: a directory, a file that is compressed, and one that is not. */
const BY_PYTHON = Buffer.from(
  'UEsDBBQAAAAAAO96HEsAAAAAAAAAAAAAAAAFAAAAZG9jcy9QSwMEFAAAAAgA73ocS7w9/UQOAAAAQAEAABQAAABNRVRBLUlORi9N' +
    'QU5JRkVTVC5NRstLzE21UqjgyhulyaIBUEsDBBQAAAAAAO96HEsL+UNWBgAAAAYAAAAQAAAAZG9jcy9yZWFkIG1lLnR4dHN0b3Jl' +
    'ZFBLAQIUAxQAAAAAAO96HEsAAAAAAAAAAAAAAAAFAAAAAAAAAAAAAACAAQAAAABkb2NzL1BLAQIUAxQAAAAIAO96HEu8Pf1EDgAA' +
    'AEABAAAUAAAAAAAAAAAAAACAASMAAABNRVRBLUlORi9NQU5JRkVTVC5NRlBLAQIUAxQAAAAAAO96HEsL+UNWBgAAAAYAAAAQAAAA' +
    'AAAAAAAAAACAAWMAAABkb2NzL3JlYWQgbWUudHh0UEsFBgAAAAADAAMAswAAAJcAAAAAAA==',
  'base64',
);

const text = (content: Uint8Array | undefined): string => new TextDecoder().decode(content);
const bytes = (content: string): Uint8Array => new TextEncoder().encode(content);

/** An archive of one file whose directory has been tampered with, from its first byte on. */
function tampered(change: (directory: Buffer) => void, content = bytes('hello'), name = 'a'): Uint8Array {
  const whole = Buffer.from(zip(new Map([[name, content]])));
  change(whole.subarray(whole.indexOf('PK\x01\x02', 0, 'latin1')));
  return whole;
}

test('an archive by another hand is read', () => {
  const files = unzip(BY_PYTHON);
  expect([...files.keys()]).toEqual(['META-INF/MANIFEST.MF', 'docs/read me.txt']);
  expect(text(files.get('META-INF/MANIFEST.MF'))).toBe('name: x\n'.repeat(40));
  expect(text(files.get('docs/read me.txt'))).toBe('stored');
});

test('what is written is read again', () => {
  const names = fc.uniqueArray(fc.stringMatching(/^[a-zé]{1,8}(\/[a-z.]{1,6}[a-z])?$/), { maxLength: 8 });
  fc.assert(
    fc.property(names, fc.uint8Array({ maxLength: 300 }), (paths, content) => {
      const files = new Map(paths.map((path) => [path, content]));
      expect([...unzip(zip(files))].map(([path, read]) => [path, [...read]])).toEqual(
        paths.map((path) => [path, [...content]]),
      );
    }),
    { seed: 1, numRuns: 100 },
  );
});

describe('refused is', () => {
  test.each(['../a', 'a/../../b', '/etc/passwd', 'a\\b', 'C:/a', 'a\0b', ''])('the name %j', (name) => {
    expect(() => unzip(zip(new Map([[name, bytes('x')]])))).toThrow('leads out of the archive');
  });

  test.each([
    ['no archive', new Uint8Array(), 'it is no ZIP archive'],
    ['a text', bytes('hello, this is a text of some length'), 'it is no ZIP archive'],
    ['encryption', tampered((directory) => directory.writeUInt16LE(1, 8)), '"a" is encrypted'],
    ['another packing', tampered((directory) => directory.writeUInt16LE(12, 10)), 'in a way that is not supported'],
    ['another sum', tampered((directory) => directory.writeUInt32LE(7, 16)), '"a" is damaged'],
    ['a length that is not true', tampered((directory) => directory.writeUInt32LE(4, 24)), '"a" is damaged'],
    ['a place outside of it', tampered((directory) => directory.writeUInt32LE(2 ** 31, 42)), 'the archive is damaged'],
    ['a size that says it all', tampered((directory) => directory.writeUInt32LE(2 ** 31, 24)), 'unpacks to more than'],
  ])('%s', (_, archive, message) => {
    expect(() => unzip(archive)).toThrow(message);
  });

  test('a bomb that lies about its size, as soon as it grows past it', () => {
    const packed = deflateRawSync(new Uint8Array(64 * 2 ** 20));
    const archive = tampered((directory) => {
      directory.writeUInt16LE(8, 10);
      directory.writeUInt32LE(100, 24);
    }, packed);
    expect(() => unzip(archive)).toThrow('"a" is damaged');
  });

  test('the same name twice', () => {
    const whole = Buffer.from(
      zip(
        new Map([
          ['a', bytes('x')],
          ['b', bytes('x')],
        ]),
      ),
    );
    whole.write('a', whole.lastIndexOf('b'));
    expect(() => unzip(whole)).toThrow('"a" is in the archive twice');
  });

  test('more than a thousand files', () => {
    const files = new Map(Array.from({ length: 1001 }, (_, n) => [`${n}`, new Uint8Array()]));
    expect(() => unzip(zip(files))).toThrow('more than 1000 files');
  });

  test('anything else with a reason, whatever the bytes', () => {
    const whole = zip(
      new Map([
        ['a/b', bytes('hello hello')],
        ['c', bytes('x')],
      ]),
    );
    const flips = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 4 });
    fc.assert(
      fc.property(flips, fc.nat(whole.length), (changes, length) => {
        const bent = whole.slice(0, length);
        for (const [at, value] of changes) if (at < length) bent[at] = value;
        try {
          unzip(bent);
        } catch (error) {
          expect(error).toBeInstanceOf(ZipProblem);
        }
      }),
      { seed: 1, numRuns: 2000 },
    );
  });
});
