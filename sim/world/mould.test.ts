import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createSimulator, type SimulatorConfig } from '../simulator.ts';
import { furnish } from './furnish.ts';
import { furnisher } from './mould.ts';
import { readWorld, type WorldFile } from './world-file.ts';
import { loadWorld } from './worlds.ts';

const schema = JSON.parse(readFileSync(new URL('../../fixtures/worlds/schema.json', import.meta.url), 'utf8'));
const worldOf = (text: string): Promise<WorldFile> => readWorld(text, 'w.yaml', schema, async () => DESCRIPTOR);

const DESCRIPTOR = `
vendor: v
name: n
version: "1"
virtual_deployment_units:
  - { id: vdu, resource_requirements: { cpu: { vcpus: 1 }, memory: { size: 1, size_unit: GB }, storage: { size: 2, size_unit: GB } } }
`;

/** Whose machines have ids that follow from the seed, as has the network its addresses. */
const DRAWN = `
users: [{ name: oneadmin, password: changed }, { name: carol, password: c, groups: [staff, users] }]
groups: [{ name: staff }]
acl: { revoke: ['* ZONE/* USE *'], grant: ['@100 HOST/* MANAGE *'] }
hosts: [{ name: h, cpus: 8, memoryMiB: 8192 }]
images: [{ name: i, template: { TYPE: OS, SIZE: 256 } }]
networks: [{ name: n, usableBy: group, template: { VN_MAD: bridge, AR: { TYPE: ETHER, SIZE: 10 } } }]
gatekeeper:
  functions:
    - { uuid: 39cfccd6-9475-4e99-aa88-9a2066ac3976, createdAt: 2017-08-28T15:23:31Z, descriptor: x.yaml }
  instances:
    - { uuid: e60558d6-91c3-4196-abad-46079a0e3c61, function: 39cfccd6-9475-4e99-aa88-9a2066ac3976, since: 2017-08-28T15:23:31Z }
`;

const WORLDS: Readonly<Record<string, WorldFile>> = {
  default: await loadWorld({ name: 'default' }),
  recorded: await loadWorld({ name: 'recorded' }),
  empty: await loadWorld({ name: 'empty' }),
  drawn: await worldOf(DRAWN),
};

type Furnish = SimulatorConfig['furnish'];

const direct =
  (worldFile: WorldFile): Furnish =>
  (cloud) =>
    furnish(cloud, worldFile);

const snapshotOf = (furnish: Furnish, more: Partial<SimulatorConfig> = {}): string =>
  createSimulator({ furnish, ...more }).snapshot();

describe.each(Object.entries(WORLDS))('world %s', (_name, worldFile) => {
  test('is the same whether it is made or copied, of any seed', () => {
    const furnish = furnisher(worldFile);
    for (const seed of [1, 1, 1, 2, 2, 3, 1, 2 ** 40]) {
      expect(snapshotOf(furnish, { seed })).toBe(snapshotOf(direct(worldFile), { seed }));
    }
  });

  test('is the same at any time and of any make', () => {
    const furnish = furnisher(worldFile);
    const epochMs = Date.UTC(2030, 0);
    const cloud = { maxDispatch: 7, maxPerHost: 2, doneKept: 3, flowWaitMs: 1000, flowCooldownSeconds: 1 };
    const journalCapacity = 1;
    const ways = [{}, { epochMs }, { cloud }, { journalCapacity }].flatMap((more) => [more, more, more]);
    for (const more of [...ways, {}]) {
      expect(snapshotOf(furnish, more)).toBe(snapshotOf(direct(worldFile), more));
    }
  });
});

test('what happens in one copy shows in no other', async () => {
  const furnish = furnisher(WORLDS.default as WorldFile);
  const untouched = snapshotOf(furnish);
  for (let i = 0; i < 4; i++) {
    const { world } = createSimulator({ furnish });
    const { cloud, clock } = world;
    const alice = cloud.authenticate('alice:alice', 'one.user.info');
    const [template] = cloud.flow.templates(alice).slice(-1);
    cloud.flow.instantiate(alice, template?.id ?? -1);
    cloud.run(cloud.root, 'one.vm.action', 'poweroff-hard', 0);
    cloud.run(cloud.root, 'one.host.update', 0, 'RACK="7"', 1);
    cloud.run(cloud.root, 'one.user.update', alice.uid, 'LANG="eo"', 1);
    cloud.run(cloud.root, 'one.user.addgroup', alice.uid, 0);
    cloud.run(cloud.root, 'one.image.chmod', 0, 1, 1, 1, 1, 1, 1, 1, 1, 1);
    cloud.run(cloud.root, 'one.acl.delrule', 0);
    await clock.advance(600_000);
    expect(snapshotOf(furnish)).toBe(untouched);
  }
});

test('a cloud in which something has happened already keeps it', () => {
  const plain = furnisher(WORLDS.default as WorldFile);
  const preceded: Furnish = (cloud) => {
    cloud.run(cloud.root, 'one.user.allocate', 'dave', 'd');
    return plain(cloud);
  };
  const names = (furnish: Furnish): string[] =>
    Array.from(createSimulator({ furnish }).world.cloud.users, ({ name }) => name);
  for (let i = 0; i < 3; i++) expect(names(plain)).toEqual(['oneadmin', 'serveradmin', 'alice', 'bob']);
  for (let i = 0; i < 3; i++) expect(names(preceded)).toEqual(['oneadmin', 'serveradmin', 'dave', 'alice', 'bob']);
});
