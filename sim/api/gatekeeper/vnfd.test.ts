/** What makes a VNFD invalid: its form, and what must hold within it. */
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import type { Json, JsonObject } from '../../one/flow/json.ts';
import { descriptorOf } from './testing.ts';
import { flawsOf } from './vnfd-integrity.ts';
import { VNFD_SCHEMA } from './vnfd-schema.ts';

const validate = new Ajv({ allErrors: true }).compile(VNFD_SCHEMA);

type Node = { [key: string]: Node } & Node[];

/** The demonstration's VNFD with a value in another place; undefined takes it away. */
function vtc(path = '', value?: Json): JsonObject {
  const vnfd = structuredClone(descriptorOf('vtc-vnf')) as JsonObject;
  const steps = path.split('.');
  const last = steps.pop() ?? '';
  const parent = steps.reduce((node, step) => node[step] as Node, vnfd as unknown as Node);
  if (path !== '') Object.assign(parent, { [last]: value });
  return JSON.parse(JSON.stringify(vnfd)) as JsonObject;
}

const UNIT = 'virtual_deployment_units.0';
const POINT = { id: 'x', interface: 'ipv4', type: 'internal' };
const LAN = { id: 'x', connectivity_type: 'E-LAN', connection_points_reference: ['mgmt'] };

describe('the form', () => {
  test('of the demonstration is right', () => {
    expect(validate(vtc())).toBe(true);
  });

  test.each<[string, Json]>([
    ['author', 'x'],
    ['vendor', 'eu.x-y_z.9'],
    ['version', '1-2_3.4'],
    ['licenses', [{ type: 'public' }, { type: 'private', url: 'http://x' }]],
    ['function_specific_managers', [{ id: 'a', image: 'b', options: [{ key: 'k', value: 'v' }] }]],
    ['monitoring_rules.0.anything', 1],
    ['monitoring_rules.0.duration_unit', 'fortnight'],
    [`${UNIT}.scale_in_out`, { minimum: 1, maximum: 0 }],
    [`${UNIT}.resource_requirements.cpu.anything`, 1],
    [`${UNIT}.resource_requirements.hypervisor_parameters`, { anything: 1 }],
    [`${UNIT}.monitoring_parameters.0.frequency`, 0.5],
    [`${UNIT}.vm_image_md5`, '0'.repeat(32)],
    ['virtual_links.0.qos', 'gold'],
    ['deployment_flavours', [{}]],
  ])('may have %s', (path, value) => {
    expect(validate(vtc(path, value))).toBe(true);
  });

  test.each<[string, Json | undefined]>([
    ['descriptor_version', undefined],
    ['vendor', undefined],
    ['name', undefined],
    ['version', undefined],
    ['virtual_deployment_units', undefined],
    ['descriptor_version', 'a b'],
    ['vendor', 'Upper'],
    ['name', 'a b'],
    ['version', '1a'],
    ['version', 0.1],
    ['unknown', 1],
    ['licences', []],
    ['licenses', [{ type: 'private' }]],
    ['connection_points', []],
    ['connection_points.0.type', 'outside'],
    ['connection_points.0.interface', 'ipv5'],
    ['connection_points.0.unknown', 1],
    ['virtual_links.0.connectivity_type', 'E-Ring'],
    ['virtual_links.0.dhcp', 'yes'],
    ['virtual_links.0.id', undefined],
    ['virtual_deployment_units', []],
    [`${UNIT}.id`, undefined],
    [`${UNIT}.resource_requirements`, undefined],
    [`${UNIT}.resource_requirements.cpu.vcpus`, 0],
    [`${UNIT}.resource_requirements.cpu.vcpus`, 1.5],
    [`${UNIT}.resource_requirements.memory.size`, 0],
    [`${UNIT}.resource_requirements.memory.size_unit`, 'GBs'],
    [`${UNIT}.resource_requirements.storage`, undefined],
    [`${UNIT}.resource_requirements.unknown`, {}],
    [`${UNIT}.vm_image_format`, 'zip'],
    [`${UNIT}.vm_image_md5`, 'x'],
    [`${UNIT}.scale_in_out`, { minimum: -1 }],
    [`${UNIT}.monitoring_parameters.0.name`, 'vm_disk_used_1k_blocks'],
    [`${UNIT}.monitoring_parameters.0.unit`, 'm'],
    [`${UNIT}.monitoring_parameters.0.frequency`, 0],
    [`${UNIT}.monitoring_parameters.0.unknown`, 0],
    ['monitoring_rules.0.condition', undefined],
    ['monitoring_rules.0.duration', '10'],
    ['monitoring_rules.0.notification', undefined],
  ])('may not have %s as %j', (path, value) => {
    expect(validate(vtc(path, value as Json))).toBe(false);
  });

  test('may not have the same VDU twice', () => {
    const [unit] = vtc().virtual_deployment_units as Json[];
    expect(validate(vtc('virtual_deployment_units', [unit ?? null, unit ?? null]))).toBe(false);
  });
});

describe('integrity', () => {
  test('is there in the demonstration, whose links and points share names', () => {
    expect(flawsOf(vtc())).toEqual({ errors: [], warnings: [] });
  });

  test.each<[string, Json | undefined, string]>([
    ['connection_points', undefined, 'the function has no connection points'],
    [`${UNIT}.vm_image`, undefined, 'VDU "vdu01" has no vm_image'],
    [`${UNIT}.connection_points`, undefined, 'VDU "vdu01" has no connection points'],
    ['connection_points.3', { ...POINT, id: 'mgmt' }, 'connection point "mgmt" is there twice'],
    [`${UNIT}.connection_points.3`, { ...POINT, id: 'eth0' }, 'VDU "vdu01" has connection point "eth0" twice'],
    ['virtual_links.1.connection_points_reference', ['vdu01:eth1'], 'is an E-Line and has not two references'],
    ['virtual_links.1.connection_points_reference.2', 'mgmt', 'is an E-Line and has not two references'],
    ['virtual_links.0.connection_points_reference', [], 'is an E-LAN and has no references'],
    ['virtual_links.3', { ...LAN, id: 'mgmt' }, 'virtual link "mgmt" is there twice'],
    ['virtual_links.0.connection_points_reference.0', 'a:b:c', 'has reference "a:b:c" with two colons'],
    ['virtual_links.0.connection_points_reference.0', 'eth0', 'refers to "eth0", which is not declared'],
    ['virtual_links.0.connection_points_reference.0', 'vdu02:eth0', 'refers to "vdu02:eth0", which is not declared'],
    ['virtual_links', [], 'no virtual link connects anything'],
  ])('is hurt by %s as %j', (path, value, error) => {
    expect(flawsOf(vtc(path, value as Json)).errors).toContainEqual(expect.stringContaining(error));
  });

  test('asks that every point of the function be linked, and says so as a warning', () => {
    const { errors, warnings } = flawsOf(vtc('connection_points.3', POINT));
    expect({ errors, warnings }).toEqual({ errors: [], warnings: ['connection point "x" is in no virtual link'] });
  });

  test('does not look into trees', () => {
    const tree = { id: 'tree', connectivity_type: 'E-Tree', connection_points_reference: ['nowhere'] };
    expect(flawsOf(vtc('virtual_links.3', tree)).errors).toEqual([]);
  });
});
