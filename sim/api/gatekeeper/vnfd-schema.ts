/** The form of a VNFD as JSON Schema. Mirrors what `vnfd-schema-01` of SONATA allows, in words of our own. */

const UNITS = {
  memory: ['B', 'kB', 'KiB', 'MB', 'MiB', 'GB', 'GiB', 'TB', 'TiB', 'PT', 'PiT'],
  bandwidth: ['bps', 'kbps', 'Mbps', 'Gbps', 'Tbps'],
  frequency: ['Hz', 'kHz', 'MHz', 'GHz', 'THz'],
  general: ['Percentage'],
} as const;

const text = { type: 'string' } as const;
const flag = { type: 'boolean' } as const;
const positive = { type: 'number', exclusiveMinimum: 0 } as const;
const count = { type: 'integer', minimum: 0 } as const;
const open = { type: 'object' } as const;

const list = (items: object, more: object = {}) => ({ type: 'array', items, ...more });

/** An object that has no other keys. */
const closed = (required: readonly string[], properties: object) => ({
  type: 'object',
  additionalProperties: false,
  required,
  properties,
});

const connectionPoints = list(
  closed(['id', 'interface', 'type'], {
    id: text,
    interface: { enum: ['ethernet', 'ipv4', 'ipv6'] },
    type: { enum: ['internal', 'external', 'management'] },
    virtual_link_reference: text,
  }),
  { minItems: 1 },
);

const resourceRequirements = closed(['cpu', 'memory'], {
  cpu: {
    type: 'object',
    required: ['vcpus'],
    properties: { vcpus: { type: 'integer', exclusiveMinimum: 0 }, cpu_support_accelerator: text },
  },
  memory: closed(['size'], {
    size: positive,
    size_unit: { enum: UNITS.memory },
    large_pages_required: flag,
    numa_allocation_policy: text,
  }),
  storage: closed(['size'], { size: positive, size_unit: { enum: UNITS.memory }, persistence: flag }),
  network: open,
  pcie: open,
  hypervisor_parameters: open,
  vswitch_capabilities: open,
});

const monitoringParameter = closed(['name', 'unit'], {
  name: { type: 'string', pattern: '^[A-Za-z_-]+$' },
  unit: { enum: Object.values(UNITS).flat() },
  frequency: positive,
  frequency_unit: { enum: UNITS.frequency },
  command: text,
});

const unit = closed(['id', 'resource_requirements'], {
  id: text,
  description: text,
  vm_image: text,
  vm_image_format: { enum: ['raw', 'vhd', 'vmdk', 'vdi', 'iso', 'qcow2', 'docker', 'ova', 'ovf', 'bare'] },
  vm_image_md5: { type: 'string', pattern: '^[A-Fa-f0-9]{32}$' },
  user_data: text,
  resource_requirements: resourceRequirements,
  connection_points: connectionPoints,
  monitoring_parameters: list(monitoringParameter),
  scale_in_out: closed([], { minimum: count, maximum: count }),
});

const link = closed(['id', 'connectivity_type', 'connection_points_reference'], {
  id: text,
  connectivity_type: { enum: ['E-Line', 'E-Tree', 'E-LAN'] },
  connection_points_reference: list(text),
  access: flag,
  external_access: flag,
  dhcp: flag,
  root_requirement: text,
  leaf_requirement: text,
  qos: text,
});

const rule = {
  type: 'object',
  required: ['name', 'duration', 'condition', 'notification'],
  properties: {
    name: text,
    description: text,
    duration: { type: 'number' },
    condition: text,
    notification: list({ type: 'object', required: ['name', 'type'], properties: { name: text, type: text } }),
  },
};

const specificManager = closed(['id', 'image'], {
  id: text,
  image: text,
  description: text,
  image_md5: text,
  resource_requirements: { type: 'object', properties: { docker_version: text } },
  options: list(closed(['key', 'value'], { key: text, value: text })),
});

const whole = { type: 'integer' } as const;

const assurance = closed([], {
  id: text,
  rel_id: text,
  formula: text,
  value: whole,
  unit: text,
  violation: list(closed([], { breaches_count: whole, interval: whole })),
  penalty: closed([], { type: text, expression: whole, validity: text, unit: text }),
});

const flavour = closed([], {
  id: text,
  flavour_key: text,
  constraint: text,
  vdu_reference: list(text),
  vlink_reference: list(text),
  assurance_parameters: list(assurance),
});

const command = closed([], { command: text, template_file: text, template_file_format: text });

const lifecycle = closed([], {
  driver: text,
  vnf_container: text,
  flavor_id_ref: text,
  authentication: text,
  authentication_type: text,
  authentication_username: text,
  events: closed([], { start: command, stop: command, restart: command, 'scale-in': command, 'scale-out': command }),
});

export const VNFD_SCHEMA = closed(['descriptor_version', 'vendor', 'name', 'version', 'virtual_deployment_units'], {
  descriptor_version: { type: 'string', pattern: '^[A-Za-z0-9\\-_.]+$' },
  vendor: { type: 'string', pattern: '^[a-z0-9\\-_.]+$' },
  name: { type: 'string', pattern: '^[a-z0-9\\-_.]+$' },
  version: { type: 'string', pattern: '^[0-9\\-_.]+$' },
  author: text,
  description: text,
  licenses: list({
    oneOf: [
      closed(['type'], { type: { const: 'public' } }),
      closed(['type', 'url'], { type: { const: 'private' }, url: text }),
    ],
  }),
  virtual_deployment_units: list(unit, { minItems: 1, uniqueItems: true }),
  function_specific_managers: list(specificManager),
  connection_points: connectionPoints,
  virtual_links: list(link),
  monitoring_rules: list(rule),
  deployment_flavours: list(flavour),
  lifecycle_events: list(lifecycle),
});
