/** JSON values, as the bodies of documents hold them. */

export type Json = null | boolean | number | string | Json[] | JsonObject;

export interface JsonObject {
  [key: string]: Json;
}

export const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Sets a key as JSON.parse does: also one that means something else to JavaScript. */
export function put(object: JsonObject, key: string, value: Json): void {
  if (key !== '__proto__') object[key] = value;
  else
    Object.defineProperty(object, key, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
}

/** A copy that shares nothing with it. */
export function copyJson<T extends Json>(value: T): T;
export function copyJson(value: Json): Json {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => copyJson(item));
  const copy: JsonObject = {};
  for (const key of Object.keys(value)) put(copy, key, copyJson(value[key] as Json));
  return copy;
}

/** Whether both say the same, members in whatever order. */
export function equalJson(one: Json | undefined, other: Json | undefined): boolean {
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  if (Array.isArray(one)) {
    return Array.isArray(other) && one.length === other.length && one.every((item, i) => equalJson(item, other[i]));
  }
  if (Array.isArray(other)) return false;
  const keys = Object.keys(one);
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && equalJson(one[key], other[key]))
  );
}

/** Whether a text stands in some string or key. */
export function contains(value: Json, text: string): boolean {
  if (typeof value === 'string') return value.includes(text);
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.some((item) => contains(item, text));
  return Object.keys(value).some((key) => key.includes(text) || contains(value[key] as Json, text));
}

/**
 * The two merged as OneFlow merges what an instantiation is given into its template: objects by key, arrays by index;
 * an array in which the elements at some index are not both objects is replaced as a whole.
 */
export function deepMerge(base: JsonObject, over: JsonObject): JsonObject {
  const merged = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const present = Object.hasOwn(base, key) ? base[key] : undefined;
    if (isObject(value) && isObject(present)) put(merged, key, deepMerge(present, value));
    else if (Array.isArray(value) && Array.isArray(present)) put(merged, key, mergeArrays(present, value));
    else put(merged, key, value);
  }
  return merged;
}

function mergeArrays(base: Json[], over: Json[]): Json[] {
  const replaced = [...over];
  let merged = [...base];
  for (const [i, element] of over.entries()) {
    const present = base[i];
    if (isObject(element) && isObject(present)) merged[i] = deepMerge(present, element);
    else merged = replaced;
  }
  return merged;
}
