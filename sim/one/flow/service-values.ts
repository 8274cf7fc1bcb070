/** What an instantiation has to say about custom attributes and networks, and where its values go. Mirrors the checks of `oneflow-server.rb` and `service.rb` of OneFlow 6.10. */
import { remembered } from '../../kernel/remembered.ts';
import { FlowCrash, FlowError } from './flow-error.ts';
import { copyJson, isObject, type Json, type JsonObject } from './json.ts';
import type { ServiceTemplateBody } from './service-template.ts';

const refused = (message: string): FlowError => new FlowError(400, message);

/** What is merged into a template. @throws FlowError */
export function mergeable(given: Json | undefined): JsonObject {
  if (given === undefined || given === null || given === false) return {};
  if (isObject(given)) return copyJson(given);
  if (Array.isArray(given)) throw refused('no implicit conversion of String into Integer');
  if (typeof given === 'string') throw new FlowCrash(`undefined method \`each' for ${JSON.stringify(given)}:String`);
  const kind = given === true ? 'true:TrueClass' : `${given}:Integer`;
  throw refused(`undefined method \`[]' for ${kind}`);
}

/** @throws FlowError 400 when a custom attribute has no value */
export function checkCustomAttributes(body: ServiceTemplateBody, merge: JsonObject): void {
  checkValues(body.custom_attrs, merge.custom_attrs_values);
  for (const role of body.roles) {
    if (role.custom_attrs === undefined || role.custom_attrs === null) continue;
    const { roles } = merge;
    if (roles === undefined || roles === null) {
      throw refused(
        `The Service template specifies custom attributes for the role ${role.name} but no values have been found`,
      );
    }
    if (!Array.isArray(roles) || roles.length === 0) {
      throw refused('The role custom attributes are empty or do not have a valid format');
    }
    const given = roles.find((other) => isObject(other) && other.name === role.name);
    if (!isObject(given)) throw refused("undefined method `[]' for nil:NilClass");
    checkValues(role.custom_attrs, given.custom_attrs_values);
  }
}

function checkValues(attributes: Json | undefined, values: Json | undefined): void {
  if (attributes === undefined || attributes === null || isEmpty(attributes)) return;
  if (values === undefined || values === null) {
    throw refused('The Service template specifies custom attributes but no values have been found');
  }
  if (!isObject(attributes) || !isObject(values)) throw refused('Wrong custom_attrs or custom_attrs_values format');
  if (Object.keys(attributes).some((key) => !Object.hasOwn(values, key))) {
    throw refused('Verify that every custom attribute have its corresponding value defined');
  }
}

const isEmpty = (value: Json): boolean =>
  typeof value === 'object' && value !== null && Object.keys(value).length === 0;

/** Adds the values of the template's networks to what is merged, where it gives none itself. @throws FlowError 400 */
export function fillNetworkValues(body: ServiceTemplateBody, merge: JsonObject): void {
  const { networks } = body;
  const wanted = networks !== undefined && networks !== null && networks !== false;
  if (wanted && !merge.networks_values) merge.networks_values = derivedValues(networks);
  if (wanted && !isObject(networks)) throw refused('Wrong networks format');
  const values = merge.networks_values;
  if (values === undefined || values === null || values === false) return;
  if (!Array.isArray(values) || !values.every(isObject)) throw refused('Wrong networks_values format');
  const named = new Set(values.flatMap((value) => Object.keys(value)));
  if (wanted && Object.keys(networks).some((key) => !named.has(key))) {
    throw refused('Every network key must have its value defined at networks_value');
  }
  merge.networks_values = values.map(unescaped);
}

/** The fifth field says where the network comes from: `M|network|description| |id:0`. */
function derivedValues(networks: Json): Json[] {
  if (!isObject(networks)) throw refused('Wrong networks format');
  return Object.entries(networks).map(([key, text]) => {
    const source = typeof text === 'string' ? text.split('|')[4]?.trim() : undefined;
    if (source === undefined) throw refused('Wrong networks format');
    const [kind = '', value] = source.split(':');
    return { [key]: { [kind]: value ?? null } };
  });
}

/** Without escaped quotes. */
function unescaped(value: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(value).map(([key, net]) => [key, isObject(net) ? withoutQuotes(net) : net]));
}

const withoutQuotes = (net: JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries(net).map(([key, value]) => [key, typeof value === 'string' ? value.replaceAll('\\"', '') : value]),
  );

/** Puts the values of custom attributes and user inputs into the contents of the roles, in place. */
export function resolveAttributes(body: ServiceTemplateBody): void {
  for (const role of body.roles) {
    const values = {
      ...valuesOf(body.custom_attrs_values),
      ...valuesOf(role.custom_attrs_values),
    };
    if (typeof role.vm_template_contents === 'string') {
      role.vm_template_contents = alike(resolved(role.vm_template_contents, values));
    }
    if (!isObject(role.user_inputs_values)) continue;
    const lines = Object.entries(role.user_inputs_values).map(([key, value]) => `\n${key}="${value}"`);
    role.vm_template_contents = `${role.vm_template_contents ?? ''}${lines.join('')}`;
  }
}

/** Contents are long, and the same for many services: those that say the same share one text. */
const alike = remembered((text) => text);

const valuesOf = (value: Json | undefined): JsonObject => (isObject(value) ? value : {});

/** Replaces `$KEY` by the value, wherever a word after a dollar is a key. */
export function resolved(text: string, values: JsonObject): string {
  if (!text.includes('$') || Object.keys(values).length === 0) return text;
  return text.replace(/\$(\w+)/g, (reference, key: string) =>
    Object.hasOwn(values, key) ? String(values[key]) : reference,
  );
}
