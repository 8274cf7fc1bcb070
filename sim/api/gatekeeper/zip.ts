/**
 * ZIP archives, of which `.son` packages are a kind: reading one that a stranger made, and writing one. Mirrors PKWARE's
 * APPNOTE 6.3 without its rarer parts (several disks, ZIP64, encryption), which are refused by name.
 */
import { inflateRawSync } from 'node:zlib';

/** Why an archive is refused. */
export class ZipProblem extends Error {}

export type Files = ReadonlyMap<string, Uint8Array>;

const MOST_ENTRIES = 1000;

/** Of all files together, unpacked. */
const MOST_BYTES = 32 * 2 ** 20;

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;

const LOCAL_BYTES = 30;
const CENTRAL_BYTES = 46;
const END_BYTES = 22;

const MOST_COMMENT_BYTES = 0xffff;

const ENCRYPTED = 1;
const STORED = 0;
const DEFLATED = 8;

/** Names and contents are UTF-8. */
const UTF8 = 0x0800;

/** 1980-01-01T00:00, the first time that a ZIP can tell: the same bytes on any day and in any zone. */
const FIRST_DAY = (1 << 5) | 1;

/** The files of an archive, unpacked, in its order. Directories are left out. @throws ZipProblem */
export function unzip(bytes: Uint8Array): Files {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    return filesOf(bytes, view, endOf(view));
  } catch (error) {
    // Offsets and lengths are the archive's own, and may point anywhere.
    if (error instanceof RangeError) throw new ZipProblem('the archive is damaged');
    throw error;
  }
}

/** Where the end record stands, behind which there is only its comment. */
function endOf(view: DataView): number {
  const first = Math.max(0, view.byteLength - END_BYTES - MOST_COMMENT_BYTES);
  for (let at = view.byteLength - END_BYTES; at >= first; at--) {
    const isEnd = view.getUint32(at, true) === END;
    if (isEnd && at + END_BYTES + view.getUint16(at + 20, true) === view.byteLength) return at;
  }
  throw new ZipProblem('it is no ZIP archive');
}

function filesOf(bytes: Uint8Array, view: DataView, end: number): Files {
  const count = view.getUint16(end + 10, true);
  if (view.getUint16(end + 8, true) !== count) throw new ZipProblem('the archive is on several disks');
  if (count > MOST_ENTRIES) throw new ZipProblem(`the archive has more than ${MOST_ENTRIES} files`);
  const files = new Map<string, Uint8Array>();
  let total = 0;
  let at = view.getUint32(end + 16, true);
  for (let i = 0; i < count; i++) {
    if (view.getUint32(at, true) !== CENTRAL) throw new ZipProblem('the archive is damaged');
    const nameBytes = view.getUint16(at + 28, true);
    const name = new TextDecoder().decode(slice(bytes, at + CENTRAL_BYTES, nameBytes));
    const size = view.getUint32(at + 24, true);
    total += size;
    if (total > MOST_BYTES) throw new ZipProblem(`the archive unpacks to more than ${MOST_BYTES} bytes`);
    requireSafe(name);
    if (files.has(name)) throw new ZipProblem(`${quoted(name)} is in the archive twice`);
    if (!name.endsWith('/')) files.set(name, contentOf(bytes, view, at, { name, size }));
    at += CENTRAL_BYTES + nameBytes + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return files;
}

interface Entry {
  readonly name: string;
  /** As the archive says. */
  readonly size: number;
}

function contentOf(bytes: Uint8Array, view: DataView, at: number, { name, size }: Entry): Uint8Array {
  if ((view.getUint16(at + 8, true) & ENCRYPTED) !== 0) throw new ZipProblem(`${quoted(name)} is encrypted`);
  const local = view.getUint32(at + 42, true);
  if (view.getUint32(local, true) !== LOCAL) throw new ZipProblem('the archive is damaged');
  const from = local + LOCAL_BYTES + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
  const packed = slice(bytes, from, view.getUint32(at + 20, true));
  const method = view.getUint16(at + 10, true);
  const content = method === STORED ? packed : method === DEFLATED ? inflated(packed, { name, size }) : undefined;
  if (content === undefined) throw new ZipProblem(`${quoted(name)} is packed in a way that is not supported`);
  if (content.byteLength !== size || crc32(content) !== view.getUint32(at + 16, true)) {
    throw new ZipProblem(`${quoted(name)} is damaged`);
  }
  return content;
}

/** Stops where the entry says that its content ends: one that goes on is a bomb. */
function inflated(packed: Uint8Array, { name, size }: Entry): Uint8Array {
  try {
    return inflateRawSync(packed, { maxOutputLength: Math.max(1, size) });
  } catch {
    throw new ZipProblem(`${quoted(name)} is damaged`);
  }
}

/** A view, not a copy. */
function slice(bytes: Uint8Array, from: number, length: number): Uint8Array {
  if (from + length > bytes.byteLength) throw new RangeError();
  return bytes.subarray(from, from + length);
}

/** A name that leads nowhere but down from where the archive is unpacked. */
function requireSafe(name: string): void {
  const isPlain = name !== '' && !/^\/|[\\\0]|^[A-Za-z]:/.test(name);
  if (!isPlain || name.split('/').includes('..')) throw new ZipProblem(`${quoted(name)} leads out of the archive`);
}

const quoted = (name: string): string => JSON.stringify(name.slice(0, 100));

// ---- writing ------------------------------------------------------------------------------------------------------

/** An archive of some files, not compressed. */
export function zip(files: Files): Uint8Array {
  const locals: Buffer[] = [];
  const centrals: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of files) {
    const encoded = Buffer.from(name);
    const facts = factsOf(content, encoded.length);
    const signed = Buffer.alloc(4);
    signed.writeUInt32LE(LOCAL);
    const local = Buffer.concat([signed, facts, encoded, content]);
    locals.push(local);
    centrals.push(centralOf(facts, offset), encoded);
    offset += local.length;
  }
  const directory = Buffer.concat(centrals);
  const end = Buffer.alloc(END_BYTES);
  end.writeUInt32LE(END, 0);
  end.writeUInt16LE(files.size, 8);
  end.writeUInt16LE(files.size, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, directory, end]);
}

/** What the local header and the directory both say of a file, from the version needed to the length of the extras. */
function factsOf(content: Uint8Array, nameBytes: number): Buffer {
  const facts = Buffer.alloc(26);
  facts.writeUInt16LE(20, 0);
  facts.writeUInt16LE(UTF8, 2);
  facts.writeUInt16LE(STORED, 4);
  facts.writeUInt16LE(FIRST_DAY, 8);
  facts.writeUInt32LE(crc32(content), 10);
  facts.writeUInt32LE(content.byteLength, 14);
  facts.writeUInt32LE(content.byteLength, 18);
  facts.writeUInt16LE(nameBytes, 22);
  return facts;
}

function centralOf(facts: Buffer, offset: number): Buffer {
  const head = Buffer.alloc(6);
  head.writeUInt32LE(CENTRAL, 0);
  head.writeUInt16LE(20, 4);
  const tail = Buffer.alloc(14);
  tail.writeUInt32LE(offset, 10);
  return Buffer.concat([head, facts, tail]);
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c >>> 0;
});

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (CRC_TABLE[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
