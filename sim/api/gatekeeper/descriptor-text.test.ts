import { describe, expect, test } from 'vitest';
import { DescriptorProblem, readDescriptor, writeDescriptor } from './descriptor-text.ts';
import { descriptorOf } from './testing.ts';

const read = (text: string) => readDescriptor(new TextEncoder().encode(text));

test('a descriptor is read and written', async () => {
  expect(await readDescriptor(await writeDescriptor(descriptorOf('vtc-vnf')))).toEqual(descriptorOf('vtc-vnf'));
});

test('references within it are resolved', async () => {
  expect(await read('a: &x { b: 1 }\nc: *x\nd: { <<: *x, e: 2 }')).toEqual({
    a: { b: 1 },
    c: { b: 1 },
    d: { b: 1, e: 2 },
  });
});

const LAUGHS = Array.from({ length: 12 }, (_, n) => `a${n}: &a${n} [${n === 0 ? 'lol' : `*a${n - 1},`.repeat(9)}]`);
const WIDE = `a: &a [${'1,'.repeat(900)}]\n${Array.from({ length: 60 }, (_, n) => `b${n}: *a`).join('\n')}`;

describe('refused in bounded time is', () => {
  test.each([
    ['a bomb of references', LAUGHS.join('\n'), /not YAML/],
    ['a text that grows when it is read', WIDE, /more than 10000 values/],
    ['one that is in itself', '&a { b: *a }', /./],
    ['depth', `${'['.repeat(60)}${']'.repeat(60)}`, /nested deeper than 50 levels/],
    ['great depth', '['.repeat(100_000), /not YAML|nested/],
    ['length', `a: ${'x'.repeat(300_000)}`, /larger than 262144 bytes/],
    ['many keys', Array.from({ length: 20_000 }, (_, n) => `a${n}: `).join('\n'), /more than 10000 values/],
    ['what is no YAML', 'a: [', /not YAML/],
    ['what has no form in JSON', 'a: .nan', /has no form in JSON/],
    ['nothing', '', /expected keys with values/],
    ['a list', '[1]', /expected keys with values/],
    ['a reference to nothing', 'a: *b', /not YAML/],
  ])('%s', async (_, text, message) => {
    const error = await read(text).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(DescriptorProblem);
    expect((error as Error).message).toMatch(message);
  });
});

test('a key that means something else to JavaScript is a key', async () => {
  const value = await read('__proto__: { a: 1 }\nb: 2');
  expect(JSON.stringify(value)).toBe('{"__proto__":{"a":1},"b":2}');
});
