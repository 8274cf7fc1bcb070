/** What a request to the control API says: each part read with an error that names it, and the refusals that this API has. */
import { suggestion } from '../../kernel/nearest.ts';
import { readBody } from '../edge.ts';

/** A request that makes no sense; the message says which part. */
export class BadRequest extends Error {}
/** What a request names is not there. */
export class NotFound extends Error {}
/** What a request asks for cannot be done now. */
export class Conflict extends Error {}

/** A text of a client, short enough for a message. */
export const shortened = (given: string): string => (given.length > 64 ? `${given.slice(0, 64)}…` : given);

/** A body of JSON; `otherwise`, when there is none and that may be. @throws BadRequest; BodyTooLarge */
export async function jsonOf(request: Request, limitBytes: number, otherwise?: object): Promise<unknown> {
  const body = await readBody(request, limitBytes);
  if (body.byteLength === 0 && otherwise !== undefined) return otherwise;
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    throw new BadRequest('The body must be JSON');
  }
}

/** An object with no key but `allowed` (any, when it is undefined) and all of `required`. */
export function object(
  value: unknown,
  where: string,
  allowed: readonly string[] | undefined,
  required: readonly string[],
): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new BadRequest(`${where} must be an object`);
  }
  for (const key of Object.keys(value)) {
    if (allowed !== undefined && !allowed.includes(key)) {
      throw new BadRequest(`${where} has no part "${shortened(key)}"${suggestion(key, allowed)}`);
    }
  }
  for (const key of required) if (!Object.hasOwn(value, key)) throw new BadRequest(`${where} lacks "${key}"`);
  return value as Record<string, unknown>;
}

/** What a number in a request has to be. */
export interface Bounds {
  readonly least: number;
  readonly most: number;
  readonly whole: boolean;
}

export function number(value: unknown, name: string, { least, most, whole }: Bounds): number {
  if (typeof value === 'number' && value >= least && value <= most && (!whole || Number.isInteger(value))) return value;
  throw new BadRequest(`${name} must be a ${whole ? 'whole ' : ''}number between ${least} and ${most}`);
}

/** One of some words. */
export function oneOf<T extends string>(value: unknown, name: string, words: readonly T[]): T {
  const word = words.find((candidate) => candidate === value);
  if (word !== undefined) return word;
  const meant = typeof value === 'string' ? suggestion(value, words) : '';
  throw new BadRequest(`${name} must be one of ${words.join(', ')}${meant}`);
}

/** A whole number in a query string; `otherwise`, when it is not there. */
export function count(text: string | undefined, name: string, least: number, most: number, otherwise: number): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most) {
    throw new BadRequest(`${name} must be a whole number between ${least} and ${most}`);
  }
  return value;
}

/** The end of the year 9999: beyond it a time has no usual form. */
export const LAST_INSTANT = 253_402_300_799_999;

/** An instant as this API writes it. */
export const time = (ms: number): string => new Date(ms).toISOString();
