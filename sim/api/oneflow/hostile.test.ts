import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RecordedCloud } from './recorded.ts';

const ROUTES = [
  ['PUT', '/service/ID'],
  ['POST', '/service/ID/action'],
  ['POST', '/service/ID/scale'],
  ['POST', '/service/ID/role/FAAS/action'],
  ['POST', '/service/ID/role_action'],
  ['POST', '/service_template'],
  ['PUT', '/service_template/0'],
  ['DELETE', '/service_template/99'],
  ['POST', '/service_template/0/action'],
] as const;

const PERFORMS = ['recover', 'chown', 'chmod', 'rename', 'poweroff', 'instantiate', 'clone', 'update', 'add_role', 'x'];

/** Bodies of the right shape with anything in them, and anything else. */
const value = fc.jsonValue({ maxDepth: 3 });
const role = fc.record(
  {
    name: fc.oneof(fc.constant('FAAS'), value),
    cardinality: fc.oneof(fc.integer(), value),
    vm_template: fc.oneof(fc.nat(20), value),
    parents: value,
    elasticity_policies: value,
    min_vms: value,
    nodes: value,
    custom_attrs: value,
    vm_template_contents: fc.oneof(fc.string(), value),
  },
  { requiredKeys: [] },
);
const service = fc.record(
  {
    name: fc.oneof(fc.string(), value),
    roles: fc.oneof(fc.array(role, { maxLength: 3 }), value),
    networks: value,
    networks_values: value,
    custom_attrs: value,
    state: value,
    log: value,
  },
  { requiredKeys: [] },
);
const params = fc.oneof(
  value,
  fc.record(
    { merge_template: fc.oneof(service, value), role: fc.oneof(role, value), delete: value, octet: value, name: value },
    { requiredKeys: [] },
  ),
);
const action = fc.record({
  action: fc.oneof(value, fc.record({ perform: fc.oneof(fc.constantFrom(...PERFORMS), value), params })),
});
const scaling = fc.record({ role_name: fc.constantFrom('FAAS', 1), cardinality: value, force: value });
const body = fc.oneof(service, action, scaling, value);

test('whatever is sent, OneFlow answers, and its documents stay readable', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.constantFrom(...ROUTES), body), { maxLength: 8 }), async (requests) => {
      const one = RecordedCloud.furnished();
      const { id } = one.deploy(0);
      for (const [[method, path], content] of requests) {
        const [status] = await one.send(method, path.replace('ID', String(id)), content as never);
        expect([200, 201, 204, 400, 401, 404, 500]).toContain(status);
        one.wait(1_000);
      }
      for (const path of ['/service', '/service_template']) {
        const [status, text] = await one.send('GET', path);
        expect(status).toBe(200);
        expect(JSON.parse(text)).toHaveProperty('DOCUMENT_POOL');
      }
    }),
    { seed: 1, numRuns: 60 },
  );
});
