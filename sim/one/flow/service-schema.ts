/** What a service template may say, as a table, and what OneFlow answers when it says something else. Mirrors the schemas of `service_template.rb` and its validator in OneFlow 6.10. */
import { parseExpression } from './elasticity.ts';
import { FlowCrash, FlowError } from './flow-error.ts';
import { isObject, type Json, type JsonObject } from './json.ts';
import { isCron, isTime } from './schedule.ts';
import type { RoleTemplate, ServiceTemplateBody } from './service-template.ts';

/** A value's type and limits. Integers may come as text or with a fraction, and are stored converted. */
type Shape =
  | {
      readonly is: 'string';
      readonly oneOf?: readonly string[];
      readonly matches?: { test: RegExp; written: string };
    }
  | { readonly is: 'integer'; readonly min?: number }
  | { readonly is: 'boolean' }
  | { readonly is: 'array'; readonly of: Shape }
  | { readonly is: 'object'; readonly keys: readonly (readonly [string, Key])[] };

/** A key that is absent, null or false is missing. Other keys than those in the table are kept as they are. */
type Key = Shape & { readonly required?: true; readonly default?: Json };

const objectOf = (keys: Readonly<Record<string, Key>>): Shape => ({ is: 'object', keys: Object.entries(keys) });

const object = objectOf({});
const count = { is: 'integer', min: 0 } as const;
const shutdown = {
  is: 'string',
  oneOf: ['terminate', 'terminate-hard', 'shutdown', 'shutdown-hard'],
} as const;
const adjustment = {
  type: {
    is: 'string',
    oneOf: ['CHANGE', 'CARDINALITY', 'PERCENTAGE_CHANGE'],
    required: true,
  },
  adjust: { is: 'integer', required: true },
  min_adjust_step: { is: 'integer', min: 1 },
} as const;

const ROLE = objectOf({
  // Ruby's ^ and $ are the bounds of a line.
  name: {
    is: 'string',
    required: true,
    matches: { test: /^\w+$/m, written: '/^\\w+$/' },
  },
  cardinality: { ...count, default: 0 },
  vm_template: { is: 'integer', required: true },
  vm_template_contents: { is: 'string' },
  custom_attrs: object,
  custom_attrs_values: object,
  parents: { is: 'array', of: { is: 'string' } },
  shutdown_action: shutdown,
  min_vms: count,
  max_vms: count,
  cooldown: count,
  on_hold: { is: 'boolean' },
  elasticity_policies: {
    is: 'array',
    of: objectOf({
      ...adjustment,
      period_number: count,
      period: count,
      expression: { is: 'string', required: true },
      cooldown: count,
    }),
  },
  scheduled_policies: {
    is: 'array',
    of: objectOf({ ...adjustment, start_time: { is: 'string' }, recurrence: { is: 'string' } }),
  },
});

const SERVICE = objectOf({
  name: { is: 'string', required: true },
  deployment: { is: 'string', oneOf: ['none', 'straight'], default: 'none' },
  description: { is: 'string', default: '' },
  shutdown_action: shutdown,
  roles: { is: 'array', of: ROLE, required: true },
  custom_attrs: object,
  custom_attrs_values: object,
  ready_status_gate: { is: 'boolean' },
  automatic_deletion: { is: 'boolean' },
  networks: object,
  networks_values: { is: 'array', of: object },
  on_hold: { is: 'boolean' },
});

/**
 * Converts integers and adds defaults in place.
 * @param status of the refusal: 400 where a template is given, 500 where the result of a merge is checked
 * @throws FlowError with the first problem; FlowCrash where OneFlow has no answer ready
 */
export function validateTemplate(body: Json, status: number): ServiceTemplateBody {
  const checked = new Check(status).value(body, SERVICE, '') as ServiceTemplateBody;
  validateRoles(checked.roles, status);
  return checked;
}

/** As {@link validateTemplate}, for one role that is added to a service. */
export function validateRole(role: Json): RoleTemplate {
  return new Check(400).value(role, ROLE, '') as RoleTemplate;
}

class Check {
  readonly #status: number;

  constructor(status: number) {
    this.#status = status;
  }

  value(value: Json, shape: Shape, key: string): Json {
    switch (shape.is) {
      case 'object':
        return this.#object(value, shape.keys, key);
      case 'array':
        if (!Array.isArray(value)) throw this.#refusal(`'${key}' must be an Array;`);
        return value.map((item) => this.value(item, shape.of, key));
      case 'boolean':
        if (value !== true && value !== false) throw this.#refusal(`'${key}' is not allowed;`);
        return value;
      case 'integer': {
        const number = this.#integer(value, key);
        if (shape.min !== undefined && number < shape.min) {
          throw this.#refusal(`'${key}' must be greater than or equal to ${shape.min};`);
        }
        return number;
      }
      case 'string':
        if (typeof value !== 'string') throw this.#refusal(`'${key}' must be a String;`);
        if (shape.oneOf !== undefined && !shape.oneOf.includes(value)) {
          throw this.#refusal(`'${key}' must be one of ${shape.oneOf.join(', ')};`);
        }
        if (shape.matches !== undefined && !shape.matches.test.test(value)) {
          throw this.#refusal(`'${key}' must match regexp ${shape.matches.written};`);
        }
        return value;
      default:
        return shape satisfies never;
    }
  }

  #object(value: Json, keys: readonly (readonly [string, Key])[], name: string): JsonObject {
    if (!isObject(value)) throw this.#refusal(`${name} must be a Hash; SCHEMA:`);
    for (const [key, shape] of keys) {
      const given = value[key];
      if (given !== undefined && given !== null && given !== false) value[key] = this.value(given, shape, key);
      else if (shape.required) throw this.#refusal(`'${key}' is required;`);
      else if (shape.default !== undefined) value[key] = shape.default;
    }
    return value;
  }

  /** What Ruby's Integer() makes of it. */
  #integer(value: Json, key: string): number {
    if (typeof value === 'number') return Math.trunc(value);
    if (typeof value === 'string') {
      const number = integerOf(value);
      if (number === undefined) throw this.#refusal(`'${key}' must be an Integer;`);
      return number;
    }
    const kind = Array.isArray(value) ? 'Array' : isObject(value) ? 'Hash' : String(value);
    throw new FlowCrash(`can't convert ${kind} into Integer`);
  }

  #refusal(problem: string): FlowError {
    return new FlowError(this.#status, `KEY: ${problem}`);
  }
}

const RADIX: Readonly<Record<string, number>> = {
  '0x': 16,
  '0b': 2,
  '0o': 8,
  '0d': 10,
  '0': 8,
};

function integerOf(text: string): number | undefined {
  const [, sign, prefix = '', digits] =
    /^\s*([+-]?)(?:(0[xbod]|0(?=_?\d))_?)?([\da-f]+(?:_[\da-f]+)*)\s*$/i.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const radix = RADIX[prefix.toLowerCase()] ?? 10;
  const plain = digits.replaceAll('_', '').toLowerCase();
  const number = Number.parseInt(plain, radix);
  const valid = [...plain].every((digit) => Number.parseInt(digit, radix) >= 0);
  return valid ? (sign === '-' ? -number : number) : undefined;
}

function validateRoles(roles: readonly RoleTemplate[], status: number): void {
  const refuse = (message: string): never => {
    throw new FlowError(status, message);
  };
  for (const [i, role] of roles.entries()) {
    const { name, cardinality, min_vms: min, max_vms: max } = role;
    const elastic = list(role.elasticity_policies);
    const scheduled = list(role.scheduled_policies);
    if (roles.slice(i + 1).some((other) => other.name === name)) refuse(`Role name '${name}' is repeated`);
    if (typeof min === 'number' && min > cardinality) {
      refuse(`Role '${name}' 'cardinality' must be greater than or equal to 'min_vms'`);
    }
    if (typeof max === 'number' && max < cardinality) {
      refuse(`Role '${name}' 'cardinality' must be lower than or equal to 'max_vms'`);
    }
    if (elastic.length + scheduled.length > 0 && (typeof min !== 'number' || typeof max !== 'number')) {
      refuse(
        `Role '${name}' with  'elasticity_policies' or 'scheduled_policies'must define both 'min_vms' and 'max_vms'`,
      );
    }
    for (const [n, { expression }] of elastic.entries()) {
      const problem = expressionProblem(String(expression));
      if (problem !== undefined) refuse(`Role '${name}', elasticity policy #${n} 'expression' ${problem}`);
    }
    for (const [n, policy] of scheduled.entries()) {
      const problem = scheduleProblem(policy);
      if (problem !== undefined) refuse(`Role '${name}', scheduled policy #${n} ${problem}`);
    }
  }
}

const list = (value: Json | undefined): JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : []);

function expressionProblem(expression: string): string | undefined {
  if (expression === '') return 'cannot be empty';
  const parsed = parseExpression(expression);
  return 'failure' in parsed ? `parse error: ${parsed.failure}` : undefined;
}

function scheduleProblem({ start_time: start, recurrence }: JsonObject): string | undefined {
  if (typeof start === 'string') {
    if (typeof recurrence === 'string') return "must define 'start_time' or 'recurrence', but not both";
    if (isTime(start)) return undefined;
    return "'start_time' is not a valid Time. Try with YYYY-MM-DD hh:mm:ss or 0YYY-MM-DDThh:mm:ssZ";
  }
  if (typeof recurrence !== 'string') return "needs to define either 'start_time' or 'recurrence'";
  return isCron(recurrence) ? undefined : "'recurrence' is not a valid cron expression";
}
