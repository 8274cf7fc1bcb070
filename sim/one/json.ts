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
