/** How Ruby handles a parsed body that is not of the expected shape, and what its exceptions say. */
import { FlowCrash } from '../../one/flow-error.ts';
import { isObject, type Json } from '../../one/json.ts';

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
  if (typeof value === 'string') {
    const [digits] = /^\s*[+-]?\d+(?:_\d+)*/.exec(value) ?? ['0'];
    return Number(digits.replaceAll('_', ''));
  }
  const kind = typeof value === 'boolean' ? `${value}:${value ? 'TrueClass' : 'FalseClass'}` : JSON.stringify(value);
  throw new FlowCrash(`undefined method \`to_i' for ${kind}`);
}

/** Whether Ruby takes it for true: all but false and nothing. */
export const isTruthy = (value: Json | undefined): boolean => value !== undefined && value !== null && value !== false;

/** `"#{value}"`. */
export const toText = (value: Json | undefined): string =>
  typeof value === 'string' ? value : value === undefined || value === null ? '' : JSON.stringify(value);
