/** A `.son` archive: what is in it, and whether it may be taken in. Mirrors `son-validate` as the Gatekeeper calls it. */
import { createHash } from 'node:crypto';
import type { ErrorObject, ValidateFunction } from 'ajv';
import { isObject, type JsonObject } from '../../one/flow/json.ts';
import type { Trio } from './catalogue.ts';
import { DescriptorProblem, readDescriptor } from './descriptor-text.ts';
import type { Descriptor } from './furnishing.ts';
import { textOf } from './json-body.ts';
import { flawsOf } from './vnfd-integrity.ts';
import { VNFD_SCHEMA } from './vnfd-schema.ts';
import { type Files, unzip, ZipProblem } from './zip.ts';

/** Why a package is refused; the message is the server's, as far as it is known. */
export class PackageProblem extends Error {}

export interface PackageArchive {
  readonly manifest: Descriptor;
  readonly services: readonly Descriptor[];
  readonly functions: readonly Descriptor[];
  /** Of all descriptors, as they are written. */
  readonly textBytes: number;
}

export const MANIFEST = 'META-INF/MANIFEST.MF';
export const FOLDERS = { services: 'service_descriptors/', functions: 'function_descriptors/' } as const;

/** So many flaws are told. */
const MOST_TOLD = 20;

/** Of all descriptors of a package together; reading YAML takes its time. */
const MOST_TEXT_BYTES = 256 * 1024;

/** @param isKnown whether the catalogue has a function. @throws PackageProblem */
export async function readPackage(bytes: Uint8Array, isKnown: (trio: Trio) => boolean): Promise<PackageArchive> {
  const files = unpacked(bytes);
  const flaws: string[] = [];
  let textBytes = 0;
  const read = async (path: string): Promise<readonly Descriptor[]> => {
    textBytes += files.get(path)?.byteLength ?? 0;
    if (textBytes > MOST_TEXT_BYTES) throw refusedFor([`descriptors of more than ${MOST_TEXT_BYTES} bytes`]);
    try {
      const descriptor = await readDescriptor(files.get(path) ?? new Uint8Array());
      if (isNamed(descriptor)) return [descriptor];
      flaws.push(`${path}: vendor, name and version must be texts`);
    } catch (error) {
      if (!(error instanceof DescriptorProblem)) throw error;
      flaws.push(`${path}: ${error.message}`);
    }
    return [];
  };
  const readAll = async (folder: string): Promise<(readonly [path: string, Descriptor])[]> => {
    const found: (readonly [string, Descriptor])[] = [];
    const paths = [...files.keys()].filter((path) => path.startsWith(folder) && /\.ya?ml$/.test(path));
    for (const path of paths) for (const descriptor of await read(path)) found.push([path, descriptor]);
    return found;
  };

  if (!files.has(MANIFEST)) throw new PackageProblem(`Error validating package: there is no ${MANIFEST}`);
  const [manifest] = await read(MANIFEST);
  const services = await readAll(FOLDERS.services);
  const functions = await readAll(FOLDERS.functions);
  if (manifest !== undefined) flaws.push(...flawsOfManifest(manifest, files));
  for (const [path, vnfd] of functions) {
    const wrong = await schemaErrors(vnfd);
    const { errors, warnings } = wrong.length > 0 ? { errors: wrong, warnings: [] } : flawsOf(vnfd);
    flaws.push(...[...errors, ...warnings].map((flaw) => `${path}: ${flaw}`));
  }
  const isThere = (trio: Trio): boolean => functions.some(([, vnfd]) => isSame(vnfd, trio)) || isKnown(trio);
  for (const [path, nsd] of services) {
    const absent = functionsOf(nsd).filter((trio) => !isThere(trio));
    flaws.push(...absent.map(({ vendor, name, version }) => `${path}: there is no ${vendor} ${name} ${version}`));
  }
  if (flaws.length > 0 || manifest === undefined) throw refusedFor(flaws);
  return {
    manifest,
    services: services.map(([, nsd]) => nsd),
    functions: functions.map(([, vnfd]) => vnfd),
    textBytes,
  };
}

function unpacked(bytes: Uint8Array): Files {
  try {
    return unzip(bytes);
  } catch (error) {
    if (error instanceof ZipProblem) throw new PackageProblem(`Error validating package: ${error.message}`);
    throw error;
  }
}

function refusedFor(flaws: readonly string[]): PackageProblem {
  const more = flaws.length > MOST_TOLD ? [`and ${flaws.length - MOST_TOLD} more`] : [];
  return new PackageProblem(`Errors or warnings: ${[...flaws.slice(0, MOST_TOLD), ...more].join('; ')}`);
}

const isSame = (one: Trio, other: Trio): boolean =>
  one.vendor === other.vendor && one.name === other.name && one.version === other.version;

const isNamed = (value: JsonObject): value is Descriptor =>
  [value.vendor, value.name, value.version].every((part) => typeof part === 'string' && part !== '');

// ---- the package descriptor ---------------------------------------------------------------------------------------

function flawsOfManifest(manifest: Descriptor, files: Files): string[] {
  const { entry_service_template: entry } = manifest;
  const isEntry = typeof entry === 'string' && files.has(inArchive(entry));
  const listed = contentsOf(manifest);
  // However often a file is listed, it is looked at once.
  const summed = new Set(listed.flatMap(({ name, md5 }) => (md5 === undefined ? [] : [inArchive(name)])));
  const sums = new Map(Array.from(summed, (path) => [path, md5Of(files.get(path) ?? new Uint8Array())]));
  return [
    ...(isEntry ? [] : [`${MANIFEST}: entry_service_template is no file of the package`]),
    ...listed.flatMap(({ name, md5 }) => {
      if (!files.has(inArchive(name))) return [`${MANIFEST}: ${JSON.stringify(name)} is no file of the package`];
      const sum = sums.get(inArchive(name));
      return md5 === undefined || md5 === sum ? [] : [`${MANIFEST}: the md5 of ${JSON.stringify(name)} is ${sum}`];
    }),
  ];
}

const md5Of = (content: Uint8Array): string => createHash('md5').update(content).digest('hex');

/** Paths in a package descriptor begin with a slash, those in an archive do not. */
export const inArchive = (path: string): string => path.replace(/^\/+/, '');

/** The files that a package descriptor lists. */
export function contentsOf({ package_content: given }: JsonObject): { readonly name: string; readonly md5?: string }[] {
  const listed = Array.isArray(given) ? given.filter(isObject) : [];
  return listed.map(({ name, md5 }) => ({ name: textOf(name) ?? '', ...(typeof md5 === 'string' ? { md5 } : {}) }));
}

/** The functions that a service consists of. */
export function functionsOf({ network_functions: given }: JsonObject): Trio[] {
  const parts = Array.isArray(given) ? given.filter(isObject) : [];
  return parts.map(({ vnf_vendor, vnf_name, vnf_version }) => ({
    vendor: textOf(vnf_vendor) ?? '',
    name: textOf(vnf_name) ?? '',
    version: textOf(vnf_version) ?? '',
  }));
}

// ---- the schema ---------------------------------------------------------------------------------------------------

let compiled: Promise<ValidateFunction> | undefined;

/** Loaded when the first package comes, since few who start a stand-in send one. */
async function compile(): Promise<ValidateFunction> {
  const { default: ajv } = await import('ajv');
  return new ajv.Ajv({ allErrors: true }).compile(VNFD_SCHEMA);
}

async function schemaErrors(vnfd: JsonObject): Promise<string[]> {
  compiled ??= compile();
  const validate = await compiled;
  return validate(vnfd) ? [] : (validate.errors ?? []).map(wording);
}

function wording({ instancePath, message, params }: ErrorObject): string {
  const { additionalProperty: key, allowedValues: words } = params;
  const more = key === undefined ? (words === undefined ? '' : `: ${words.join(', ')}`) : `: ${JSON.stringify(key)}`;
  return `${instancePath === '' ? '/' : instancePath} ${message}${more}`;
}
