/** Licences: who may use what is private and not his own. Mirrors `son-gtklic`. */
import type { Random } from '../../kernel/random.ts';
import type { JsonObject } from '../../one/flow/json.ts';
import { Refusal } from './answer.ts';
import { membersIn } from './json-body.ts';

/** Plain data. */
interface Licence {
  readonly uuid: string;
  /** A service, or a function. */
  readonly elementUuid: string;
  readonly userUuid: string;
  readonly type: 'PUBLIC' | 'PRIVATE';
  readonly status: 'ACTIVE' | 'INACTIVE';
}

/** More than these are not given out. */
const MOST_LICENCES = 10_000;

interface LicencesWorld {
  readonly random: Random;
  readonly users: { idOf(username: string): string };
}

interface LicencesState {
  readonly licences: Map<string, Licence>;
  readonly held: Set<string>;
}

export class Licences {
  readonly #world: LicencesWorld;
  /** In the order in which they were given. */
  #licences = new Map<string, Licence>();
  #held = new Set<string>();

  constructor(world: LicencesWorld) {
    this.#world = world;
  }

  state(): LicencesState {
    return { licences: this.#licences, held: this.#held };
  }

  restore({ licences, held }: LicencesState): void {
    this.#licences = licences;
    this.#held = held;
  }

  /** Whether a user has a licence for a service or a function. */
  has(username: string, elementUuid: string): boolean {
    return this.#held.size > 0 && this.#held.has(`${this.#world.users.idOf(username)} ${elementUuid}`);
  }

  /** Gives a licence. @throws Refusal 409, 400 */
  add(username: string, { elementUuid, type }: Wish): JsonObject {
    const { random, users } = this.#world;
    const userUuid = users.idOf(username);
    const key = `${userUuid} ${elementUuid}`;
    if (this.#held.has(key)) throw new Refusal(409, `Licence for ${elementUuid} already exists`);
    if (this.#licences.size >= MOST_LICENCES) throw new Refusal(400, `more than ${MOST_LICENCES} licences`);
    const uuid = random.uuid('gatekeeper.licence', this.#licences.size);
    const licence = { uuid, elementUuid, userUuid, type, status: 'ACTIVE' } as const;
    this.#licences.set(uuid, licence);
    this.#held.add(key);
    return render(licence);
  }

  /** Those whose keys have what is asked for, in order. */
  search(query: ReadonlyMap<string, string>): readonly JsonObject[] {
    const filters = [...query].filter(([key]) => key !== 'offset' && key !== 'limit');
    return [...this.#licences.values()]
      .map(render)
      .filter((licence) => filters.every(([key, value]) => licence[key] === value));
  }

  find(uuid: string): JsonObject | undefined {
    const licence = this.#licences.get(uuid);
    return licence && render(licence);
  }
}

const render = ({ uuid, elementUuid, userUuid, type, status }: Licence): JsonObject => ({
  license_uuid: uuid,
  service_uuid: elementUuid,
  user_uuid: userUuid,
  license_type: type,
  status,
  description: 'Default description',
  validation_url: '',
});

interface Wish {
  readonly elementUuid: string;
  readonly type: Licence['type'];
}

/** What a body asks for. @throws Refusal 400 */
export function wishIn(body: Uint8Array): Wish {
  const { service_uuid: elementUuid, license_type: type } = membersIn(body) ?? {};
  if (typeof elementUuid !== 'string' || elementUuid === '') {
    throw new Refusal(400, 'No service uuid specified: service_uuid is missing');
  }
  return { elementUuid, type: type === 'PUBLIC' ? 'PUBLIC' : 'PRIVATE' };
}
