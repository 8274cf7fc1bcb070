/** Packages: how functions and services come into the catalogue, and go. Mirrors `son-gtkpkg` and the catalogue behind it. */
import { createHash } from 'node:crypto';
import type { Clock } from '../../kernel/clock.ts';
import { hash, type Random } from '../../kernel/random.ts';
import { copyJson, type JsonObject } from '../../one/flow/json.ts';
import { Refusal } from './answer.ts';
import type { Catalogue } from './catalogue.ts';
import { writeDescriptor } from './descriptor-text.ts';
import type { CatalogueElement, Descriptor } from './furnishing.ts';
import {
  contentsOf,
  FOLDERS,
  functionsOf,
  inArchive,
  MANIFEST,
  PackageProblem,
  readPackage,
} from './package-archive.ts';
import type { Records } from './records.ts';
import { zip } from './zip.ts';

/** All that is kept of packages takes no more than about this. */
const MOST_BYTES = 256 * 2 ** 20;

/** So many times as much as its text takes what is made of it. */
const TEXT_WEIGHT = 8;

/** What a package has brought. */
interface Holding {
  readonly services: readonly CatalogueElement[];
  readonly functions: readonly CatalogueElement[];
  /** The archive as it was uploaded; null for a package that the world began with. */
  readonly archive: Uint8Array | null;
  /** What is kept because of it. */
  readonly bytes: number;
  readonly signature: string | null;
}

interface PackagesState {
  readonly holdings: Map<string, Holding>;
  readonly made: number;
  readonly bytes: number;
}

interface PackagesWorld {
  readonly clock: Clock;
  readonly random: Random;
  readonly packages: Catalogue;
  readonly services: Catalogue;
  readonly functions: Catalogue;
  readonly records: Records;
}

/** Who uploads, and the header that came with it. */
interface Sender {
  readonly username: string;
  readonly signature: string | null;
}

export class Packages {
  readonly #world: PackagesWorld;
  #holdings = new Map<string, Holding>();
  #made = 0;
  #bytes = 0;

  constructor(world: PackagesWorld) {
    this.#world = world;
    for (const element of world.packages.elements) this.#holdings.set(element.uuid, this.#furnished(element));
  }

  state(): PackagesState {
    return { holdings: this.#holdings, made: this.#made, bytes: this.#bytes };
  }

  restore({ holdings, made, bytes }: PackagesState): void {
    this.#holdings = holdings;
    this.#made = made;
    this.#bytes = bytes;
  }

  /** As the API shows it. */
  render(element: CatalogueElement): JsonObject {
    const { signature } = this.#holdingOf(element);
    return this.#world.packages.render(element, { signature, son_package_uuid: this.archiveUuid(element) });
  }

  /** The uuid of its archive. */
  archiveUuid({ uuid }: CatalogueElement): string {
    return this.#world.random.uuid('gatekeeper.archive', hash(uuid));
  }

  /** Takes a package in; functions and services that are there already are used as they are. @throws Refusal */
  async upload(bytes: Uint8Array, { username, signature }: Sender): Promise<CatalogueElement> {
    const { packages, services, functions } = this.#world;
    const read = await readPackage(bytes, (trio) => functions.named(trio) !== undefined).catch((error) => {
      throw error instanceof PackageProblem ? new Refusal(400, error.message) : error;
    });
    const { vendor, name, version } = read.manifest;
    if (packages.named(read.manifest) !== undefined) {
      throw new Refusal(409, `Version ${version} of package '${name}' from vendor '${vendor}' already exists`);
    }
    const kept = bytes.byteLength + TEXT_WEIGHT * read.textBytes;
    if (this.#bytes + kept > MOST_BYTES) {
      throw new Refusal(413, `All packages together are larger than ${MOST_BYTES} bytes`);
    }
    this.#bytes += kept;
    const element = this.#added(packages, read.manifest, username);
    this.#holdings.set(element.uuid, {
      services: read.services.map((nsd) => services.named(nsd) ?? this.#added(services, nsd, username)),
      functions: read.functions.map((vnfd) => functions.named(vnfd) ?? this.#added(functions, vnfd, username)),
      archive: bytes,
      bytes: kept,
      signature,
    });
    return element;
  }

  /** The archive of a package. */
  async download(element: CatalogueElement): Promise<Uint8Array> {
    const { archive, services, functions } = this.#holdingOf(element);
    if (archive !== null) return archive;
    const files = new Map([[MANIFEST, await writeDescriptor(element.descriptor)]]);
    for (const [folder, parts] of [[FOLDERS.services, services] as const, [FOLDERS.functions, functions] as const]) {
      for (const { descriptor } of parts) files.set(fileOf(folder, descriptor), await writeDescriptor(descriptor));
    }
    return zip(files);
  }

  /** Removes a package, and what no other one has brought too. @throws Refusal 404; 409 while a record refers to it */
  remove(uuid: string): void {
    const { packages, services, functions, records } = this.#world;
    const element = packages.find(uuid);
    if (element === undefined) throw new Refusal(404, `No package found with uuid=${uuid}`);
    const holding = this.#holdingOf(element);
    for (const part of [...holding.services, ...holding.functions]) {
      const referrer = records.referrerOf(part.uuid);
      if (referrer !== undefined) throw new Refusal(409, `Package ${uuid} is in use by record ${referrer}`);
    }
    this.#holdings.delete(uuid);
    this.#bytes -= holding.bytes;
    packages.remove(element);
    const others = [...this.#holdings.values()];
    for (const part of holding.services)
      if (!others.some((other) => other.services.includes(part))) services.remove(part);
    for (const part of holding.functions) {
      if (!others.some((other) => other.functions.includes(part))) functions.remove(part);
    }
  }

  #added(catalogue: Catalogue, descriptor: Descriptor, username: string): CatalogueElement {
    const { clock, random } = this.#world;
    const element: CatalogueElement = {
      uuid: random.uuid('gatekeeper.catalogue', this.#made++),
      username,
      status: 'active',
      md5: createHash('md5').update(JSON.stringify(descriptor)).digest('hex'),
      createdAt: clock.now,
      updatedAt: clock.now,
      descriptor: copyJson(descriptor),
    };
    catalogue.add(element);
    return element;
  }

  /** A world says which files a package has; a service is the one that its file is named after. */
  #furnished({ descriptor }: CatalogueElement): Holding {
    const paths = new Set(contentsOf(descriptor).map(({ name }) => inArchive(name)));
    const services = this.#world.services.elements.filter(
      (nsd) => nsd.descriptor.vendor === descriptor.vendor && paths.has(fileOf(FOLDERS.services, nsd.descriptor)),
    );
    const functions = services
      .flatMap((nsd) => functionsOf(nsd.descriptor))
      .flatMap((trio) => this.#world.functions.named(trio) ?? [])
      .filter((vnfd) => paths.has(fileOf(FOLDERS.functions, vnfd.descriptor)));
    return { services, functions, archive: null, bytes: 0, signature: null };
  }

  #holdingOf({ uuid }: CatalogueElement): Holding {
    const holding = this.#holdings.get(uuid);
    if (holding === undefined) throw new Error(`nothing is known of package ${uuid}`);
    return holding;
  }
}

const fileOf = (folder: string, { name }: Descriptor): string => `${folder}${name}.yml`;

/** The field of a form that holds a package. @throws Refusal 400 */
export async function packageIn(body: Uint8Array, contentType: string | undefined): Promise<Uint8Array> {
  const form = await new Response(Buffer.from(body), { headers: { 'Content-Type': contentType ?? '' } })
    .formData()
    // Not a form, or one that is cut short.
    .catch(() => new FormData());
  const file = form.get('package');
  if (file === null || typeof file === 'string') {
    throw new Refusal(400, 'No package file specified: package is missing');
  }
  return new Uint8Array(await file.arrayBuffer());
}
