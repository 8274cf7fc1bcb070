import { describe, expect, test } from 'vitest';
import { FlowCrash } from './flow-error.ts';
import type { Json, JsonObject } from './json.ts';
import { validateRole, validateTemplate } from './service-schema.ts';

const role = (more: JsonObject = {}): JsonObject => ({ name: 'a', vm_template: 0, ...more });
const service = (more: JsonObject = {}, ...roles: JsonObject[]): JsonObject => ({ name: 's', roles, ...more });
const bounds = { min_vms: 0, max_vms: 3 };
const elastic = (expression: string): JsonObject =>
  role({ ...bounds, elasticity_policies: [{ type: 'CHANGE', adjust: 1, expression }] });
const scheduled = (when: JsonObject): JsonObject =>
  role({ ...bounds, scheduled_policies: [{ type: 'CHANGE', adjust: 1, ...when }] });

const REFUSALS: readonly (readonly [Json, string])[] = [
  [{}, "KEY: 'name' is required;"],
  [{ name: null, roles: [] }, "KEY: 'name' is required;"],
  [{ name: 's' }, "KEY: 'roles' is required;"],
  [{ name: 5, roles: [] }, "KEY: 'name' must be a String;"],
  [{ name: 's', roles: 'x' }, "KEY: 'roles' must be an Array;"],
  [{ name: 's', roles: ['x'] }, 'KEY: roles must be a Hash; SCHEMA:'],
  [[], 'KEY:  must be a Hash; SCHEMA:'],
  ['x', 'KEY:  must be a Hash; SCHEMA:'],
  [service({ networks: [] }), 'KEY: networks must be a Hash; SCHEMA:'],
  [service({ on_hold: 'yes' }), "KEY: 'on_hold' is not allowed;"],
  [service({ deployment: 'foo' }), "KEY: 'deployment' must be one of none, straight;"],
  [service({}, role({ name: 'a b!' })), "KEY: 'name' must match regexp /^\\w+$/;"],
  [service({}, role({ cardinality: -1 })), "KEY: 'cardinality' must be greater than or equal to 0;"],
  [service({}, role({ vm_template: 'x' })), "KEY: 'vm_template' must be an Integer;"],
  [service({}, role({ parents: [1] })), "KEY: 'parents' must be a String;"],
  [service({}, role(), role()), "Role name 'a' is repeated"],
  [service({}, role({ min_vms: 1 })), "Role 'a' 'cardinality' must be greater than or equal to 'min_vms'"],
  [
    service({}, role({ max_vms: 1, cardinality: 2 })),
    "Role 'a' 'cardinality' must be lower than or equal to 'max_vms'",
  ],
  [
    service({}, { ...elastic('CPU > 1'), min_vms: null }),
    "Role 'a' with  'elasticity_policies' or 'scheduled_policies'must define both 'min_vms' and 'max_vms'",
  ],
  [service({}, elastic('')), "Role 'a', elasticity policy #0 'expression' cannot be empty"],
  [service({}, scheduled({})), "Role 'a', scheduled policy #0 needs to define either 'start_time' or 'recurrence'"],
  [
    service({}, scheduled({ start_time: '10:00', recurrence: '* * * * *' })),
    "Role 'a', scheduled policy #0 must define 'start_time' or 'recurrence', but not both",
  ],
  [
    service({}, scheduled({ start_time: 'never' })),
    "Role 'a', scheduled policy #0 'start_time' is not a valid Time. Try with YYYY-MM-DD hh:mm:ss or 0YYY-MM-DDThh:mm:ssZ",
  ],
  [
    service({}, scheduled({ recurrence: 'never' })),
    "Role 'a', scheduled policy #0 'recurrence' is not a valid cron expression",
  ],
];

describe('a service template', () => {
  test.each(REFUSALS)('%j is refused: %s', (body, message) => {
    expect(() => validateTemplate(body, 400)).toThrow(expect.objectContaining({ status: 400, message }));
  });

  test('says where an expression goes wrong', () => {
    expect(() => validateTemplate(service({}, elastic('CPU ~ 1')), 400)).toThrow(
      /^Role 'a', elasticity policy #0 'expression' parse error: Expected one of /,
    );
  });

  test('gets defaults, at the end', () => {
    const body = validateTemplate({ roles: [role()], name: 's', foo: 1 }, 400);
    expect(JSON.stringify(body)).toBe(
      '{"roles":[{"name":"a","vm_template":0,"cardinality":0}],"name":"s","foo":1,"deployment":"none","description":""}',
    );
  });

  test('may call nothing by its name, and have no roles', () => {
    expect(validateTemplate(service({ name: '' }), 400).name).toBe('');
  });

  test.each([
    ['1', 1],
    [' 7 ', 7],
    ['0x1F', 31],
    ['0b11', 3],
    ['017', 15],
    ['1_000', 1000],
    [1.9, 1],
  ])('takes %j for the integer %i', (given, integer) => {
    expect(validateRole(role({ cardinality: given })).cardinality).toBe(integer);
  });

  test.each(['', '1.5', '08', '0x', '1__0', '_1', 'one'])('does not take %j for an integer', (given) => {
    expect(() => validateRole(role({ cardinality: given }))).toThrow("KEY: 'cardinality' must be an Integer;");
  });

  test('is more than OneFlow can bear with a list for a number', () => {
    expect(() => validateRole(role({ cardinality: [1] }))).toThrow(FlowCrash);
  });
});
