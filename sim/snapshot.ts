/**
 * A snapshot: a whole world as one JSON document with a version, in which every part has a checksum. The parts are what
 * the holders of state give (see `kernel/held.ts`), so this file knows none of them.
 */
import { createHash } from 'node:crypto';
import { decoder, encoder, type Kinds } from './kernel/graph.ts';
import { type Holders, Unreadable } from './kernel/held.ts';
import {
  instance,
  keyOf,
  type Like,
  listOf,
  mapOf,
  record,
  someFlag,
  someNumber,
  someText,
  someWhole,
} from './kernel/likeness.ts';
import { suggestion } from './kernel/nearest.ts';
import { Account, Book, METRICS } from './one/access/quota-book.ts';
import { StoredDocument } from './one/flow/stored-document.ts';
import { IdList } from './one/id-list.ts';
import { someDocument } from './one/likeness.ts';
import { Leases } from './one/resources/lease.ts';
import { SubAttributes } from './one/syntax/sub-attributes.ts';
import { Template } from './one/syntax/syntax.ts';

const FORMAT = 'onesim snapshot';

/** Raised when documents of before can no longer be read as they are. */
const VERSION = 2;

const vector = instance(SubAttributes);
/** A limit may be of half a CPU; and who asks for more than a double can count exactly is booked as near as it can. */
const amounts = listOf(someNumber);
const account = record<Revived<typeof Account>>({
  kind: keyOf(METRICS),
  id: someWhole,
  unset: someWhole,
  limits: amounts,
  millionths: amounts,
});

/** Names and what belongs to each, in turn. */
const pairs =
  <T>(like: Like<T>): Like<T[]> =>
  (value) =>
    listOf(like)(value) ?? ((value as T[]).length % 2 === 0 ? undefined : 'a name without a value');

/** The classes whose instances are part of a state. */
const KINDS: Kinds = {
  Template: checked(
    Template,
    pairs((value) => (typeof value === 'string' ? undefined : vector(value))),
  ),
  SubAttributes: checked(SubAttributes, pairs(someText)),
  Leases: checked(
    Leases,
    record<Revived<typeof Leases>>({
      owners: mapOf(someWhole, someWhole),
      levels: listOf(mapOf(someWhole, someWhole)),
    }),
  ),
  IdList: checked(IdList, record<Revived<typeof IdList>>({ ids: amounts, size: someWhole })),
  StoredDocument: checked(StoredDocument, someDocument),
  Account: checked(Account, account),
  Book: checked(
    Book,
    record<Revived<typeof Book>>({ accounts: listOf(account), unset: someWhole, unlimited: someFlag }),
  ),
};

type Revivable<S> = { revive(state: S): object };
type Revived<K> = K extends Revivable<infer S> ? S : never;

/** A class that takes over nothing but what is a state of it. */
function checked<S>(kind: Kinds[string] & (abstract new (...parts: never[]) => object), like: Like<S>): Kinds[string] {
  return {
    prototype: kind.prototype,
    ...(kind.unchanging ? { unchanging: true as const } : {}),
    revive(state) {
      const why = like(state);
      if (why !== undefined) throw new Error(`a ${kind.name} is none: ${why}`);
      return kind.revive(state);
    },
  };
}

/** What a document is made of, by the name of the part. */
type Parts = Readonly<Record<string, unknown>>;

/** @param parts plain values, or what holders give; in the order in which they refer to one another */
export function writeSnapshot(parts: Parts): string {
  const encode = encoder(KINDS);
  const texts = Object.entries(parts).map(([name, state]) => {
    try {
      return [name, JSON.stringify(encode(state))] as const;
    } catch (error) {
      throw new Error(`part ${name}: ${error instanceof Error ? error.message : error}`);
    }
  });
  const sums = texts.map(([name, text]) => `${JSON.stringify(name)}:"${checksum(text)}"`);
  const bodies = texts.map(([name, text]) => `${JSON.stringify(name)}:${text}`);
  const head = `"format":"${FORMAT}","version":${VERSION}`;
  return `{${head},"checksums":{${sums.join(',')}},"parts":{\n${bodies.join(',\n')}\n}}\n`;
}

/** The states of all parts. @throws Unreadable */
export function readSnapshot(text: string, expected: readonly string[]): Parts {
  const { checksums, parts } = documentIn(text);
  const written = linesOf(text);
  for (const name of Object.keys(parts)) {
    if (!expected.includes(name))
      throw new Unreadable(`The snapshot has an unknown part "${name.slice(0, 64)}"${suggestion(name, expected)}`);
  }
  for (const name of expected) {
    if (!Object.hasOwn(parts, name)) throw new Unreadable(`The snapshot lacks the part "${name}"`);
    // Somebody may have formatted it, which damages nothing.
    const isWhole = (part: string | undefined): boolean => part !== undefined && checksum(part) === checksums[name];
    if (!isWhole(written.get(name)) && !isWhole(JSON.stringify(parts[name]))) {
      throw new Unreadable(`The snapshot is damaged: the part "${name}" is not what was written`);
    }
  }
  const decode = decoder(KINDS);
  return Object.fromEntries(
    Object.entries(parts).map(([name, json]) => {
      try {
        return [name, decode(json)];
      } catch (error) {
        throw new Unreadable(
          `The part "${name}" of the snapshot makes no sense: ${error instanceof Error ? error.message : error}`,
        );
      }
    }),
  );
}

/** Each part has a line of its own: its text, as it was written. */
function linesOf(text: string): ReadonlyMap<string, string> {
  const lines = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [start, name] = /^"([\w.]+)":/.exec(line) ?? [];
    if (start !== undefined && name !== undefined)
      lines.set(name, line.slice(start.length, line.endsWith(',') ? -1 : undefined));
  }
  return lines;
}

/** The states of all holders. */
export const statesOf = (holders: Holders): Parts =>
  Object.fromEntries(Object.entries(holders).map(([name, holder]) => [name, holder.state()]));

interface SnapshotDocument {
  readonly checksums: Readonly<Record<string, unknown>>;
  readonly parts: Readonly<Record<string, unknown>>;
}

function documentIn(text: string): SnapshotDocument {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new Unreadable(`The snapshot is no JSON, or cut short: ${error instanceof Error ? error.message : error}`);
  }
  if (!isRecord(json) || json.format !== FORMAT) throw new Unreadable('This is no snapshot of onesim');
  const { version, checksums, parts } = json;
  if (version !== VERSION) {
    const age = typeof version === 'number' && version > VERSION ? 'a newer' : 'another';
    const its = typeof version === 'number' ? `its version is ${version}, and ` : '';
    throw new Unreadable(`The snapshot is of ${age} onesim: ${its}this one reads ${VERSION}`);
  }
  if (!isRecord(checksums) || !isRecord(parts)) throw new Unreadable('The snapshot lacks its parts or their checksums');
  return { checksums, parts };
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const checksum = (text: string): string => createHash('sha256').update(text).digest('base64url');
