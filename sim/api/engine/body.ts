/** The body of a runtime: what its document says, in a form that never changes. A change makes another body, and nothing is written twice. */
import { GeneratorError, generateJson, generateMembers, type Hash, type Value } from '../ruby-json.ts';
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

  without(key: string): Body {
    const rest = new Map(this.#members);
    rest.delete(key);
    return new Body(rest);
  }

  /** As the document keeps it. @throws Crash */
  get text(): string {
    this.#text ??= written(() => generateJson(this.#members));
    return this.#text;
  }

  /** Its members, as an answer lists them one level further down. @throws Crash */
  get shown(): string {
    this.#shown ??= written(() => generateMembers(this.#members, 2));
    return this.#shown;
  }
}

/** A copy with other values of some members, of which new ones come last; the same object, when that changes nothing. */
export function withMembers(object: Hash, members: readonly Member[]): Hash {
  if (members.every(([key, value]) => object.get(key) === value)) return object;
  const changed = new Map(object);
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
