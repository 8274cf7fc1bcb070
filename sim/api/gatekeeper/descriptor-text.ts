/** Descriptors as text: YAML in packages, JSON in answers. What strangers upload is read within bounds. */
import { isObject, type Json, type JsonObject, put } from '../../one/flow/json.ts';

/** Why a text is refused. */
export class DescriptorProblem extends Error {}

const MOST_BYTES = 256 * 1024;
/** Far more than any honest descriptor has. */
const MOST_ALIASES = 100;
const MOST_VALUES = 10_000;
const MOST_DEPTH = 50;

/** An object in YAML. Of a key that is there twice the last counts. @throws DescriptorProblem */
export async function readDescriptor(bytes: Uint8Array): Promise<JsonObject> {
  if (bytes.byteLength > MOST_BYTES) throw new DescriptorProblem(`larger than ${MOST_BYTES} bytes`);
  const value = plain(await parsed(new TextDecoder().decode(bytes)), { values: 0 }, 0);
  if (!isObject(value)) throw new DescriptorProblem('expected keys with values');
  return value;
}

async function parsed(text: string): Promise<unknown> {
  const { parse } = await import('yaml');
  try {
    return parse(text, {
      maxAliasCount: MOST_ALIASES,
      prettyErrors: false,
      uniqueKeys: false,
      merge: true,
      logLevel: 'error',
    });
  } catch (error) {
    // What is deeper than the parser's stack is far deeper than we take.
    const said = error instanceof RangeError ? 'nested too deep' : error instanceof Error ? error.message : '';
    throw new DescriptorProblem(`not YAML: ${said.split('\n', 1)[0]}`);
  }
}

/** A copy that has no aliases left, counted while it is made, as a bomb grows here. */
function plain(value: unknown, counted: { values: number }, depth: number): Json {
  if (++counted.values > MOST_VALUES) throw new DescriptorProblem(`more than ${MOST_VALUES} values`);
  if (depth > MOST_DEPTH) throw new DescriptorProblem(`nested deeper than ${MOST_DEPTH} levels`);
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (Array.isArray(value)) return value.map((member) => plain(member, counted, depth + 1));
  if (typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype) {
    throw new DescriptorProblem(`${String(value).slice(0, 100)} has no form in JSON`);
  }
  const copy: JsonObject = {};
  for (const [key, member] of Object.entries(value)) put(copy, key, plain(member, counted, depth + 1));
  return copy;
}

export async function writeDescriptor(value: JsonObject): Promise<Uint8Array> {
  const { stringify } = await import('yaml');
  return Buffer.from(stringify(value, { aliasDuplicateObjects: false }));
}
