/**
 * How Ruby handles a parsed body that is not of the expected shape, and what its exceptions say. The cloud keeps numbers
 * as JavaScript does, so an integer beyond 2^53 is rounded, and a float that is whole becomes an integer.
 */
import { FlowCrash } from '../../one/flow/flow-error.ts';
import { isObject, type Json, type JsonObject, put } from '../../one/flow/json.ts';
import { parseJson, prettyJson, type Value } from '../ruby-json.ts';
import * as ruby from '../ruby-text.ts';

/** @throws ParserError */
export const readJson = (source: string): Json => plain(parseJson(source));

/** As OneFlow prints a document. */
export const printJson = (value: Json): string => prettyJson(value, numberText);

const numberText = (value: number): string => (Number.isInteger(value) ? String(value) : ruby.floatText(value));

/** What is beyond all bounds is nothing: no document can hold it. */
function plain(value: Value): Json {
  if (typeof value === 'bigint' || typeof value === 'number')
    return Number.isFinite(Number(value)) ? Number(value) : null;
  if (Array.isArray(value)) return value.map(plain);
  if (!(value instanceof Map)) return value;
  const object: JsonObject = {};
  for (const [key, entry] of value) put(object, key, plain(entry));
  return object;
}

function rubyValue(json: Json): Value {
  if (typeof json === 'number' && Number.isInteger(json)) return BigInt(json);
  if (Array.isArray(json)) return json.map(rubyValue);
  if (!isObject(json)) return json;
  return new Map(Object.entries(json).map(([key, entry]) => [key, rubyValue(entry)]));
}

/** `value[key]`. @param line what the exception quotes of the source where there is nothing to look in */
export function at(value: Json | undefined, key: string, line = ''): Json | undefined {
  if (isObject(value)) return Object.hasOwn(value, key) ? (value[key] ?? undefined) : undefined;
  if (typeof value === 'string') return value.includes(key) ? key : undefined;
  if (Array.isArray(value)) throw new FlowCrash('no implicit conversion of String into Integer');
  if (value === undefined || value === null) throw new FlowCrash(`undefined method \`[]' for nil:NilClass${line}`);
  if (typeof value === 'number') throw new FlowCrash('no implicit conversion from string');
  throw new FlowCrash(`undefined method \`[]' for ${value}:${value ? 'TrueClass' : 'FalseClass'}`);
}

/** `value.to_i`. Nothing is 0. */
export function toInteger(value: Json | undefined): number {
  if (value === undefined || value === null) return 0;
  if (typeof value === 'number') return Math.trunc(value);
  if (typeof value === 'string') return Number(ruby.toInteger(value));
  const kind = typeof value === 'boolean' ? `${value}:${value ? 'TrueClass' : 'FalseClass'}` : toText(value);
  throw new FlowCrash(`undefined method \`to_i' for ${kind}`);
}

/** Whether Ruby takes it for true: all but false and nothing. */
export const isTruthy = (value: Json | undefined): boolean => value !== undefined && value !== null && value !== false;

/** `"#{value}"`. */
export const toText = (value: Json | undefined): string => ruby.toText(rubyValue(value ?? null));
