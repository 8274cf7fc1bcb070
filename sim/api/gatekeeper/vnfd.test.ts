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
const FSM = {
  id: 'a',
  image: 'b',
  description: 'c',
  image_md5: '0'.repeat(32),
  resource_requirements: { docker_version: '>= 1.0' },
  options: [{ key: 'k', value: 'v' }],
};
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
    ['function_specific_managers', [FSM]],
    ['monitoring_rules.0.anything', 1],
    ['monitoring_rules.0.duration_unit', 'fortnight'],
    [`${UNIT}.scale_in_out`, { minimum: 1, maximum: 0 }],
    [`${UNIT}.resource_requirements.cpu.anything`, 1],
    [`${UNIT}.resource_requirements.hypervisor_parameters`, { anything: 1 }],
    [`${UNIT}.monitoring_parameters.0.frequency`, 0.5],
    [`${UNIT}.vm_image_md5`, '0'.repeat(32)],
    ['virtual_links.0.qos', 'gold'],
    ['deployment_flavours', [{ id: 'f', assurance_parameters: [{ violation: [{ interval: 1 }] }] }]],
    ['lifecycle_events', [{ driver: 'ssh', events: { 'scale-in': { command: 'x' } } }]],
    ['description', 'x'],
    ['descriptor_version', 'vnfd-schema_0.1-X'],
    [`${UNIT}.resource_requirements.storage`, undefined as never],
    [`${UNIT}.vm_image`, undefined as never],
    [`${UNIT}.connection_points`, undefined as never],
    ['connection_points', undefined as never],
    ['connection_points.0.virtual_link_reference', 'mgmt'],
    [`${UNIT}.resource_requirements.network`, { anything: 1 }],
    [`${UNIT}.resource_requirements.pcie`, { anything: 1 }],
    [`${UNIT}.resource_requirements.vswitch_capabilities`, { anything: 1 }],
    [`${UNIT}.resource_requirements.cpu.cpu_support_accelerator`, 'x'],
    [`${UNIT}.resource_requirements.memory.large_pages_required`, true],
    [`${UNIT}.resource_requirements.memory.numa_allocation_policy`, 'x'],
    [`${UNIT}.resource_requirements.storage.persistence`, false],
    [`${UNIT}.user_data`, '#!/bin/sh'],
    [`${UNIT}.monitoring_parameters.0.command`, 'x'],
    ['monitoring_rules.0.notification.0.anything', 1],
    ['monitoring_rules.0.duration', 0.5],
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
    [`${UNIT}.resource_requirements.cpu`, undefined],
    [`${UNIT}.resource_requirements.memory`, undefined],
    [`${UNIT}.resource_requirements.cpu.vcpus`, undefined],
    [`${UNIT}.resource_requirements.memory.size`, undefined],
    [`${UNIT}.resource_requirements.storage.size`, undefined],
    [`${UNIT}.resource_requirements.storage.size`, 0],
    [`${UNIT}.resource_requirements.memory.unknown`, 1],
    [`${UNIT}.resource_requirements.storage.unknown`, 1],
    [`${UNIT}.unknown`, 1],
    [`${UNIT}.scale_in_out`, { maximum: 1.5 }],
    [`${UNIT}.scale_in_out`, { unknown: 1 }],
    [`${UNIT}.connection_points`, []],
    [`${UNIT}.connection_points.0.id`, undefined],
    [`${UNIT}.connection_points.0.type`, undefined],
    [`${UNIT}.connection_points.0.interface`, undefined],
    [`${UNIT}.monitoring_parameters.0.name`, undefined],
    [`${UNIT}.monitoring_parameters.0.unit`, undefined],
    ['licenses', [{ type: 'free' }]],
    ['licenses', [{ type: 'public', url: 'http://x' }]],
    ['function_specific_managers', [{ image: 'b' }]],
    ['function_specific_managers', [{ id: 'a' }]],
    ['function_specific_managers', [{ ...FSM, unknown: 1 }]],
    ['function_specific_managers', [{ ...FSM, options: [{ key: 'k' }] }]],
    ['virtual_links.0.connectivity_type', undefined],
    ['virtual_links.0.connection_points_reference', undefined],
    ['virtual_links.0.access', 'yes'],
    ['virtual_links.0.external_access', 1],
    ['virtual_links.0.unknown', 1],
    ['monitoring_rules.0.name', undefined],
    ['monitoring_rules.0.notification.0.name', undefined],
    ['monitoring_rules.0.notification.0.type', undefined],
    ['deployment_flavours', [{ unknown: 1 }]],
    ['lifecycle_events', [{ unknown: 1 }]],
    ['lifecycle_events', [{ events: { begin: {} } }]],
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

  const MEMORY = ['B', 'kB', 'KiB', 'MB', 'MiB', 'GB', 'GiB', 'TB', 'TiB', 'PT', 'PiT'];
  const FREQUENCY = ['Hz', 'kHz', 'MHz', 'GHz', 'THz'];
  const BANDWIDTH = ['bps', 'kbps', 'Mbps', 'Gbps', 'Tbps'];

  test.each<[string, string[]]>([
    ['connection_points.0.type', ['internal', 'external', 'management']],
    ['connection_points.0.interface', ['ethernet', 'ipv4', 'ipv6']],
    [`${UNIT}.connection_points.0.type`, ['internal', 'external', 'management']],
    [`${UNIT}.connection_points.0.interface`, ['ethernet', 'ipv4', 'ipv6']],
    ['virtual_links.0.connectivity_type', ['E-Line', 'E-Tree', 'E-LAN']],
    [`${UNIT}.vm_image_format`, ['raw', 'vhd', 'vmdk', 'vdi', 'iso', 'qcow2', 'docker', 'ova', 'ovf', 'bare']],
    [`${UNIT}.resource_requirements.memory.size_unit`, MEMORY],
    [`${UNIT}.resource_requirements.storage.size_unit`, MEMORY],
    [`${UNIT}.monitoring_parameters.0.frequency_unit`, FREQUENCY],
    [`${UNIT}.monitoring_parameters.0.unit`, ['Percentage', ...MEMORY, ...BANDWIDTH, ...FREQUENCY]],
  ])('says %s in one of its words', (path, words) => {
    for (const word of words) expect(validate(vtc(path, word))).toBe(true);
    for (const word of ['', 'PB', 's', 'percent', ...words.map((each) => `${each} `)]) {
      expect(validate(vtc(path, word))).toBe(false);
    }
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
