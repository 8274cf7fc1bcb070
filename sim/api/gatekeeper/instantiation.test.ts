import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Json, JsonObject } from '../../one/flow/json.ts';
import { furnishedCloud } from '../../one/testing.ts';
import { instantiate, NotInstantiated, vdusOf } from './instantiation.ts';
import { numbered, VC } from './testing.ts';

const odd: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json[]>(
    null,
    true,
    '',
    0,
    -1,
    1,
    0.5,
    1e9,
    1e21,
    1e300,
    'x',
    '\0',
    ']]>\0',
    '$NAME',
    '"\\',
    [],
    {},
    [{}],
    { toString: 1, valueOf: 1 },
    'MB',
  ),
  fc.string({ unit: 'binary', maxLength: 20 }),
);

const member = (...keys: string[]): fc.Arbitrary<JsonObject> =>
  fc.record(Object.fromEntries(keys.map((key) => [key, odd])), { requiredKeys: [] }) as fc.Arbitrary<JsonObject>;

const size = member('size', 'size_unit');

const unit = fc.record(
  {
    id: odd,
    vm_image: odd,
    user_data: odd,
    connection_points: fc.oneof(odd, fc.array(member('id', 'type'), { maxLength: 3 })),
    scale_in_out: fc.oneof(odd, member('minimum', 'maximum')),
    resource_requirements: fc.oneof(
      odd,
      fc.record({ cpu: fc.oneof(odd, member('vcpus')), memory: size, storage: size }),
    ),
  },
  { requiredKeys: [] },
);

test('whatever a descriptor says, there is an instance of it, or a reason and no machine', () => {
  let made = 0;
  fc.assert(
    fc.property(fc.array(unit, { maxLength: 4 }), (units) => {
      const cloud = furnishedCloud();
      const before = cloud.vms.nextId;
      const element = numbered(1, {
        descriptor: { vendor: 'v', name: 'n', version: '1', virtual_deployment_units: units as Json },
      });
      const vim = { uid: 0, networks: [] };
      try {
        const vdus = vdusOf(element.descriptor, () => VC);
        const { vdus: built } = instantiate(cloud, vim, { uuid: VC, function: element, createdAt: 0, vdus });
        const vms = built.flatMap(({ vnfcs }) => vnfcs.map(({ vmId }) => cloud.vms.get(vmId)));
        expect(vms.every(({ state, userTemplate }) => state !== 'DONE' && userTemplate.get('VC_ID') === VC)).toBe(true);
        made++;
      } catch (error) {
        expect(error).toBeInstanceOf(NotInstantiated);
        expect((error as Error).message).not.toBe('');
        expect([...cloud.vms].filter(({ id, state }) => id >= before && state !== 'DONE')).toEqual([]);
      }
    }),
    { seed: 1, numRuns: 300 },
  );
  expect(made).toBeGreaterThan(20);
});
