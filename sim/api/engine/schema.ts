/**
 * The JSON schema of a runtime, and the first thing a body has against it. Mirrors `serverless_runtime.json` of the
 * Provisioning Engine 1.3.3 (keys, types and order; the descriptions are ours) and the draft-4 rules of json-schema 2.8.1.
 */
import { type Hash, parseJson, type Value } from '../ruby-json.ts';
import { inspect } from '../ruby-text.ts';

/** The part of draft 4 that the schema of a runtime needs. */
export interface Schema {
  readonly type: 'object' | 'string' | 'integer' | 'number';
  readonly format?: 'float';
  readonly description?: string;
  readonly enum?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
}

const FUNCTION_PROPERTIES: Readonly<Record<string, Schema>> = {
  FLAVOUR: { type: 'string' },
  CPU: { type: 'integer', description: 'Virtual CPUs of the virtual machine' },
  MEMORY: {
    type: 'integer',
    description: 'Memory of the virtual machine in MiB',
  },
  DISK_SIZE: { type: 'integer', description: 'Size of its first disk in MiB' },
  VM_ID: {
    type: 'integer',
    description: 'Id of the virtual machine in OpenNebula',
  },
  STATE: {
    type: 'string',
    description: 'State of the function, from that of the virtual machine',
    enum: ['PENDING', 'RUNNING', 'UPDATING', 'ERROR'],
  },
  ERROR: { type: 'string', description: 'Why the virtual machine is in error' },
  ENDPOINT: {
    type: 'string',
    description: 'Address of the virtual machine; empty without a network',
  },
};

/** What `GET /serverless-runtimes/schema` answers. */
export const RUNTIME_SCHEMA: Schema = {
  type: 'object',
  properties: {
    SERVERLESS_RUNTIME: {
      type: 'object',
      description: 'A runtime: one function, and one for data if it is asked for',
      properties: {
        NAME: { type: 'string', description: 'Name of the runtime' },
        ID: { type: 'integer', description: 'Id of the runtime' },
        SERVICE_ID: {
          type: 'integer',
          description: 'Id of its OneFlow service',
        },
        FAAS: {
          type: 'object',
          description: 'The function',
          properties: FUNCTION_PROPERTIES,
          required: ['FLAVOUR'],
        },
        DAAS: {
          type: 'object',
          description: 'The function that keeps data',
          properties: FUNCTION_PROPERTIES,
          required: ['FLAVOUR'],
        },
        SCHEDULING: {
          type: 'object',
          description: 'Where the virtual machines may and should run',
          properties: {
            POLICY: {
              type: 'string',
              description: 'What the placement is to be good at',
            },
            REQUIREMENTS: {
              type: 'string',
              description: 'What a host must offer',
            },
          },
        },
        DEVICE_INFO: {
          type: 'object',
          description: 'About the device that uses the runtime',
          properties: {
            LATENCY_TO_PE: {
              type: 'number',
              format: 'float',
              description: 'Latency to this server in seconds',
            },
            GEOGRAPHIC_LOCATION: {
              type: 'string',
              description: 'Where the device is, in WGS 84',
            },
          },
        },
      },
      required: ['FAAS'],
    },
  },
};

/** The same, as the contract has it: the one key that matters is required. */
export const STRICT_RUNTIME_SCHEMA: Schema = {
  ...RUNTIME_SCHEMA,
  required: ['SERVERLESS_RUNTIME'],
};

/** The path of a value begins with a slash; that of the whole is empty. */
type Check = (schema: Schema, value: Value, path: string) => string | undefined;

/** In the order in which a schema has them, which is that of the checks. */
const KEYWORDS = ['type', 'enum', 'properties', 'required'] as const;

const CHECKS: { readonly [keyword in (typeof KEYWORDS)[number]]: Check } = {
  type(schema, value, path) {
    if (IS[schema.type](value)) return undefined;
    return `The property '${pointer(path)}' of type ${typeName(value)} did not match the following type: ${schema.type}`;
  },
  enum({ enum: allowed = [] }, value, path) {
    if (allowed.some((one) => one === value)) return undefined;
    return `The property '${pointer(path)}' value ${inspect(value)} did not match one of the following values: ${allowed.join(', ')}`;
  },
  properties({ properties = {} }, value, path) {
    if (!(value instanceof Map)) return undefined;
    for (const name of Object.keys(properties)) {
      const property = value.get(name);
      const problem =
        property === undefined ? undefined : firstProblem(properties[name] as Schema, property, `${path}/${name}`);
      if (problem !== undefined) return problem;
    }
    return undefined;
  },
  required({ required = [] }, value, path) {
    if (!(value instanceof Map)) return undefined;
    const missing = required.find((name) => !value.has(name));
    if (missing === undefined) return undefined;
    return `The property '${pointer(path)}' did not contain a required property of '${missing}'`;
  },
};

const IS: { readonly [type in Schema['type']]: (value: Value) => boolean } = {
  object: (value) => value instanceof Map,
  string: (value) => typeof value === 'string',
  integer: (value) => typeof value === 'bigint',
  number: (value) => typeof value === 'bigint' || typeof value === 'number',
};

const pointer = (path: string): string => `#${path || '/'}`;

function typeName(value: Value): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (value instanceof Map) return 'object';
  return typeof value === 'bigint' ? 'integer' : typeof value;
}

function firstProblem(schema: Schema, value: Value, path: string): string | undefined {
  for (const keyword of KEYWORDS) {
    const problem = schema[keyword] === undefined ? undefined : CHECKS[keyword](schema, value, path);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** What is wrong with a body, or nothing. A string is taken for a document that is still to be parsed, as the gem does. */
export function violation(schema: Schema, body: Value): string | undefined {
  return firstProblem(schema, typeof body === 'string' ? parsed(body) : body, '');
}

function parsed(text: string): Value {
  try {
    return parseJson(text);
  } catch {
    return text;
  }
}

/** A schema as a value that can be sent. */
export function schemaValue({ type, format, description, enum: allowed, properties, required }: Schema): Hash {
  const value: Hash = new Map([['type', type]]);
  if (format !== undefined) value.set('format', format);
  if (description !== undefined) value.set('description', description);
  if (allowed !== undefined) value.set('enum', [...allowed]);
  if (properties !== undefined) {
    value.set('properties', new Map(Object.entries(properties).map(([name, schema]) => [name, schemaValue(schema)])));
  }
  if (required !== undefined) value.set('required', [...required]);
  return value;
}
