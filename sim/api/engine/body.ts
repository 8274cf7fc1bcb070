/** The body of a runtime: what its document says, in a form that never changes. A change makes another body, and nothing is written twice. */
import { Latest, note } from '../../kernel/remembered.ts';
import { GeneratorError, generateJson, generateMembers, type Hash, parseJson, type Value } from '../ruby-json.ts';
import { Crash } from './refusal.ts';

type Member = readonly [key: string, value: Value];

export class Body {
  readonly #members: Hash;
  #text: string | undefined;
  #shown: string | undefined;

  /** @param members are the body's from here on */
  constructor(members: Hash) {
    this.#members = members;
  }

  get(key: string): Value | undefined {
    return this.#members.get(key);
  }

  /** With other values of some members, of which new ones come last; itself, when that changes nothing. */
  with(...members: readonly Member[]): Body {
    const changed = withMembers(this.#members, members);
    return changed === this.#members ? this : new Body(changed);
  }

  /** As the document keeps it. @throws Crash */
  get text(): string {
    if (this.#text === undefined) {
      this.#text = written(() => generateJson(this.#members));
      note(KNOWN, this.#text, this);
    }
    return this.#text;
  }

  /** Its members, as an answer lists them one level further down. @throws Crash */
  get shown(): string {
    this.#shown ??= written(() => generateMembers(this.#members, 2));
    return this.#shown;
  }
}

/** By their texts: most that are read have been written or read a moment ago. */
const KNOWN = new Latest<string, Body>();

/** The body that a text says; null when it says none. */
export function bodyIn(text: string): Body | null {
  const known = KNOWN.get(text);
  if (known !== undefined) return known;
  const value = parsed(text);
  if (!(value instanceof Map)) return null;
  const body = new Body(value);
  note(KNOWN, text, body);
  return body;
}

function parsed(text: string): Value {
  try {
    return parseJson(text);
  } catch {
    return null;
  }
}

/** A copy with other values of some members, of which new ones come last; the same object, when that changes nothing. */
export function withMembers(object: Hash, members: readonly Member[]): Hash {
  if (members.every(([key, value]) => object.get(key) === value)) return object;
  const changed: Hash = new Map();
  for (const [key, value] of object) changed.set(key, value);
  for (const [key, value] of members) changed.set(key, value);
  return changed;
}

/** @throws Crash where Ruby cannot write it as JSON */
export function written(write: () => string): string {
  try {
    return write();
  } catch (error) {
    if (error instanceof GeneratorError) throw new Crash(error.message);
    throw error;
  }
}
