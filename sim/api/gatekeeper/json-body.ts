/** Bodies as the Gatekeeper reads them: as JSON, whatever their Content-Type says. */
import { isObject, type Json, type JsonObject } from '../../one/flow/json.ts';

/** The members of an object in JSON; undefined for anything else. */
export function membersIn(body: Uint8Array): JsonObject | undefined {
  try {
    const value: Json = JSON.parse(new TextDecoder().decode(body));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A value as text; none for what is made of other values, whose text might be anything, or without end. */
export const textOf = (value: Json | undefined): string | undefined =>
  value === undefined || (typeof value === 'object' && value !== null) ? undefined : String(value);
