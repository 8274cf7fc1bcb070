import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { PROFILES } from '../metrics/profile.ts';
import { faultsIn, readWorld, type World } from './world-file.ts';

const schema = JSON.parse(readFileSync(new URL('../../fixtures/worlds/schema.json', import.meta.url), 'utf8'));

const DESCRIPTORS: Readonly<Record<string, string>> = {
  'vnfd.yaml': 'vendor: v\nname: n\nversion: "1"\nvirtual_deployment_units: [{ id: vdu01 }]\n',
  'list.yaml': 'just a text',
  'broken.yaml': 'a: [\n',
  'nameless.yaml': 'vendor: v\nversion: "1"\n',
};

async function read(text: string): Promise<World> {
  const { world } = await readWorld(text, 'w.yaml', schema, async (path) => {
    const descriptor = DESCRIPTORS[path];
    if (descriptor === undefined) throw Object.assign(new Error(path), { code: 'ENOENT' });
    return descriptor;
  });
  return world;
}

const FUNCTION = `gatekeeper:
  functions:
    - { uuid: 39cfccd6-9475-4e99-aa88-9a2066ac3976, createdAt: 2017-08-28T15:23:31Z, descriptor: vnfd.yaml }
`;

const INSTANCE = `${FUNCTION}  instances:
    - uuid: e60558d6-91c3-4196-abad-46079a0e3c61
      function: 39cfccd6-9475-4e99-aa88-9a2066ac3976
      since: 2017-08-28T15:23:31Z
      vdus: [{ id: vdu01, vnfcs: [{ vcId: fa8869e3-cc5f-4a5e-8520-932226d804e1, vmTemplate: vtc, host: h }] }]
hosts: [{ name: h }]
vmTemplates: [{ name: vtc, template: { CPU: 1 } }]
`;

describe('a world file', () => {
  test('may say nothing', async () => {
    expect(await read('')).toEqual({});
  });

  test('may name the schema for editors', async () => {
    expect(await read('$schema: ./schema.json\nhosts: [{ name: h }]')).toMatchObject({ hosts: [{ name: 'h' }] });
  });

  test('has descriptors in files of their own', async () => {
    const { gatekeeper } = await read(INSTANCE);
    expect(gatekeeper?.functions?.[0]?.descriptor).toEqual({
      vendor: 'v',
      name: 'n',
      version: '1',
      virtual_deployment_units: [{ id: 'vdu01' }],
    });
  });

  test('may leave to ids what there is not', async () => {
    const world = 'vmTemplates:\n  - { name: t, template: { DISK: { IMAGE_ID: 9999 }, NIC: [{ NETWORK_ID: 777 }] } }\n';
    expect(await read(world)).toHaveProperty('vmTemplates');
    const service = 'serviceTemplates: [{ name: s, roles: [{ name: FAAS, vm_template: 99 }] }]';
    expect(await read(service)).toHaveProperty('serviceTemplates');
  });

  test('names the profiles that the metrics have', () => {
    const { vnfcs, profile } = schema.properties.gatekeeper.properties.instances.items.properties.vdus.items.properties;
    expect(vnfcs.items.properties.profile.enum).toEqual(Object.keys(PROFILES));
    expect(profile.enum).toEqual(Object.keys(PROFILES));
  });

  test.each([
    ['a text', 'hello', 'w.yaml:1:1: expected keys with values, not "hello"'],
    ['a list', '- 1', 'w.yaml:1:1: expected keys with values, not a list'],
    ['an unknown key', 'hots: []', 'w.yaml:1:1: unknown key "hots", did you mean "hosts"?'],
    [
      'an unknown key further in',
      'users:\n  - { name: a, pasword: b, password: c }',
      'w.yaml:2:16: unknown key "pasword", did you mean "password"?',
    ],
    ['what is missing', 'users:\n  - name: a\n', 'w.yaml:2:5: "password" is missing'],
    ['a wrong type', 'users:\n  - { name: a, password: 1234 }', 'w.yaml:2:26: expected a text, not 1234'],
    ['a value out of range', 'hosts:\n  - { name: h, cpus: 0 }', 'w.yaml:2:22: must be >= 1'],
    [
      'a word that is not in the list',
      'images:\n  - { name: i, usableBy: everybody, template: {} }',
      'w.yaml:2:26: "everybody" is not everyone, group, owner, did you mean "everyone"?',
    ],
    [
      'a template that is too deep',
      'images:\n  - { name: i, template: { A: { B: { C: 1 } } } }',
      'w.yaml:2:36: expected a text or a number, not keys with values',
    ],
    [
      'a truth value',
      'images:\n  - { name: i, template: { A: true } }',
      'w.yaml:2:31: expected a text or a number or keys with values or a list, not true',
    ],
    [
      'a name that cannot be',
      'images:\n  - { name: i, template: { "A B": 1 } }',
      'w.yaml:2:28: "A B" cannot be the name of an attribute',
    ],
    [
      'a group that is not there',
      'groups: [{ name: devs }]\nusers:\n  - { name: a, password: b, groups: [dev] }',
      'w.yaml:3:38: there is no group "dev", did you mean "devs"?',
    ],
    [
      'an image that is not there',
      'images: [{ name: alpine, template: {} }]\nvmTemplates:\n  - { name: t, template: { DISK: { IMAGE: alpin } } }',
      'w.yaml:3:43: there is no image "alpin", did you mean "alpine"?',
    ],
    [
      'a network that is not there',
      'vmTemplates:\n  - { name: t, template: { NIC: [{ NETWORK: a }] } }',
      'w.yaml:2:45: there is no network "a"',
    ],
    [
      'a VM template that is not there',
      'vmTemplates: [{ name: Function, template: {} }]\nserviceTemplates:\n  - { name: s, roles: [{ name: FAAS, vm_template: Funtion }] }',
      'w.yaml:3:51: there is no VM template "Funtion", did you mean "Function"?',
    ],
    [
      'a rule that is none',
      'acl:\n  grant: ["users may"]',
      'w.yaml:2:11: "users may" is not a rule such as "@1 DOCUMENT/* CREATE *"',
    ],
    [
      'a uuid that is none',
      FUNCTION.replace('39cfccd6', '39CFCCD6'),
      'w.yaml:3:15: "39CFCCD6-9475-4e99-aa88-9a2066ac3976" is not of the right form: A UUID of version 4 in lower case.',
    ],
    [
      'a time without its zone',
      FUNCTION.replace('31Z', '31'),
      'w.yaml:3:64: "2017-08-28T15:23:31" is not of the right form: A time with its zone such as 2017-08-28T15:23:31.653Z.',
    ],
    [
      'a descriptor that is not there',
      FUNCTION.replace('vnfd', 'vnf'),
      'w.yaml:3:98: cannot read vnf.yaml: no such file',
    ],
    ['a descriptor that is no YAML', FUNCTION.replace('vnfd', 'broken'), /^broken\.yaml:2:1: /],
    ['a descriptor that is a text', FUNCTION.replace('vnfd', 'list'), 'list.yaml:1:1: expected a descriptor'],
    ['a descriptor without its trio', FUNCTION.replace('vnfd', 'nameless'), 'w.yaml:3:98: "name" is missing'],
    [
      'an instance of nothing',
      INSTANCE.replace('function: 39', 'function: 38'),
      'w.yaml:6:17: there is no function "38cfccd6-9475-4e99-aa88-9a2066ac3976", did you mean "39cfccd6-9475-4e99-aa88-9a2066ac3976"?',
    ],
    [
      'a VDU that the descriptor lacks',
      INSTANCE.replace('id: vdu01', 'id: vdu1'),
      'w.yaml:8:20: there is no VDU "vdu1", did you mean "vdu01"?',
    ],
    [
      'a host that is not there',
      INSTANCE.replace('host: h', 'host: elsewhere'),
      'w.yaml:8:104: there is no host "elsewhere"',
    ],
    [
      'two hosts of one name',
      'hosts:\n  - { name: h }\n  - { name: g }\n  - { name: h }',
      'w.yaml:4:13: name "h" comes a second time',
    ],
    [
      'two service templates of one name',
      'serviceTemplates:\n  - { name: s, roles: [{ name: A, vm_template: 0 }] }\n  - { name: s, roles: [{ name: A, vm_template: 0 }] }',
      'w.yaml:3:13: name "s" comes a second time',
    ],
    [
      'two users of the Gatekeeper of one name',
      'gatekeeper: { users: [{ username: a, password: b }, { username: a, password: c }] }',
      'w.yaml:1:65: username "a" comes a second time',
    ],
    [
      'two functions of one uuid',
      FUNCTION + FUNCTION.slice(FUNCTION.indexOf('    -')),
      'w.yaml:4:15: uuid "39cfccd6-9475-4e99-aa88-9a2066ac3976" comes a second time',
    ],
    [
      'a name that is too long',
      `hosts: [{ name: ${'h'.repeat(129)} }]`,
      'w.yaml:1:17: must NOT have more than 128 characters',
    ],
    ['a size below zero', 'hosts: [{ name: h, memoryMiB: -1 }]', 'w.yaml:1:31: must be >= 1'],
    [
      'a size without end',
      'images: [{ name: i, template: { SIZE: .inf } }]',
      /^w\.yaml:1:39: expected a text or a number/,
    ],
    ['tabs', 'hosts:\n\t- name: h\n', 'w.yaml:2:1: Tabs are not allowed as indentation'],
    ['a list that is not closed', '{"hosts": [}', /^w\.yaml:1:12: /],
    ['a list of nothing', 'hosts: [null]', 'w.yaml:1:9: expected keys with values, not null'],
    ['what is binary', `\x7fELF${'\ufffd'.repeat(5000)}`, /^w\.yaml:1:1: expected keys with values, not ".{1,110}"…$/],
    ['what is huge', 'x'.repeat(16 * 1024 * 1024 + 1), 'w.yaml: larger than 16777216 characters'],
    ['keys that objects inherit', '__proto__: { hosts: [] }', 'w.yaml:1:1: unknown key "__proto__"'],
  ])('is refused for %s', async (_what, text, message) => {
    await expect(read(text)).rejects.toThrow(typeof message === 'string' ? new Error(message) : message);
  });

  test('may have Windows line ends, or a byte order mark', async () => {
    const world = { hosts: [{ name: 'h' }] };
    expect(await read('hosts:\r\n  - name: h\r\n')).toEqual(world);
    expect(await read('\ufeffhosts: [{ name: h }]')).toEqual(world);
  });

  test.each([
    ['a folder', 'EISDIR', 'it is a folder'],
    ['a file that is not ours', 'EACCES', 'permission denied'],
  ])('is refused when its descriptor is %s', async (_what, code, why) => {
    const reading = readWorld(FUNCTION, 'w.yaml', schema, async () => {
      throw Object.assign(new Error(code), { code });
    });
    await expect(reading).rejects.toThrow(new Error(`w.yaml:3:98: cannot read vnfd.yaml: ${why}`));
  });

  test('is refused for all its mistakes at once', async () => {
    const text = 'hots: []\nusers:\n  - { name: a }\nimages: [{ name: i, template: {}, size: 3 }]\n';
    await expect(read(text)).rejects.toThrow(
      new Error(
        [
          'w.yaml:1:1: unknown key "hots", did you mean "hosts"?',
          'w.yaml:3:5: "password" is missing',
          'w.yaml:4:35: unknown key "size"',
        ].join('\n'),
      ),
    );
  });
});

describe('faults of a world file', () => {
  const BOOT = '{ selector: { layer: vm, operation: deploy }, effect: { do: fail }, budget: { hits: 1 } }';
  const words = {
    states: () => [],
    apis: [],
    isPossible: () => true,
    names: (part: string) => (part === 'host' ? { closed: false, words: ['host0'] } : undefined),
  };

  test('are read with it', async () => {
    expect((await read(`faults: [${BOOT}]`)).faults).toMatchObject([{ effect: { do: 'fail' }, budget: { hits: 1 } }]);
  });

  test.each([
    ['faults: 1', 'w.yaml:1:9: expected a list, not 1'],
    [`faults:\n  - ${BOOT}\n  - 1`, 'w.yaml:3:5: expected keys with values, not 1'],
    [
      'faults:\n  - selector: { layer: vm, operaton: x }\n    effect: { do: stick }',
      'w.yaml:2:28: unknown key "operaton", did you mean "operation"?',
    ],
    [
      'faults:\n  - selector: { layer: host }\n    effect: { do: dwn }',
      'w.yaml:3:19: "dwn" is not down, flapping, capacity, degraded, did you mean "down"?',
    ],
  ])('are refused with their place: %j', async (text, problem) => {
    await expect(read(text)).rejects.toThrow(problem);
  });

  test('are refused when they can touch nothing in the world that is there', async () => {
    const text = 'faults:\n  - selector: { layer: host, host: hots0 }\n    effect: { do: down }';
    const worldFile = await readWorld(text, 'w.yaml', schema, async () => '');
    expect(() => faultsIn(worldFile, words)).toThrow('w.yaml:2:36: nothing is called "hots0", did you mean "host0"?');
  });
});
