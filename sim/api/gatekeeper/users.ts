/** Users: who may log in, as they register and as the API shows them. Mirrors `son-gtkusr`. */
import type { Clock } from '../../kernel/clock.ts';
import { hash, type Random } from '../../kernel/random.ts';
import type { JsonObject } from '../../one/flow/json.ts';
import { Refusal } from './answer.ts';
import { timestamp } from './catalogue.ts';
import type { GatekeeperUser } from './furnishing.ts';
import { membersIn } from './json-body.ts';

/** Plain data. */
export interface User extends GatekeeperUser {
  readonly createdAt: number;
  readonly email: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly phoneNumber: string;
  readonly publicKey: string | null;
}

/** More than these nobody can register, and their texts are no longer than this. */
const MOST_USERS = 10_000;
const MOST_CHARS = 1_000;
const MOST_KEY_CHARS = 16_000;

const TYPES = ['admin', 'developer', 'customer'] as const;
type UserType = (typeof TYPES)[number];

const isType = (text: string): text is UserType => TYPES.some((type) => type === text);

interface UsersWorld {
  readonly clock: Clock;
  readonly random: Random;
  readonly furnishing: { readonly users: readonly GatekeeperUser[] };
}

export class Users {
  readonly #clock: Clock;
  readonly #random: Random;
  /** By name, in order of registration. */
  readonly #users = new Map<string, User>();
  /** By UUID, once somebody is looked for by one: each has to be drawn. */
  #names: Map<string, string> | undefined;

  constructor({ clock, random, furnishing }: UsersWorld) {
    this.#clock = clock;
    this.#random = random;
    const createdAt = clock.now;
    for (const user of furnishing.users) this.#set({ ...UNNAMED, ...user, createdAt });
  }

  state(): readonly User[] {
    return this.all;
  }

  /** In the place of all that are registered. */
  restore(users: readonly User[]): void {
    this.#users.clear();
    this.#names = undefined;
    for (const user of users) this.#set(user);
  }

  get all(): readonly User[] {
    return [...this.#users.values()];
  }

  find(username: string): User | undefined {
    return this.#users.get(username);
  }

  withId(uuid: string): User | undefined {
    this.#names ??= new Map(Array.from(this.#users.keys(), (username) => [this.idOf(username), username]));
    const name = this.#names.get(uuid);
    return name === undefined ? undefined : this.#users.get(name);
  }

  /** The UUID of a user. */
  idOf(username: string): string {
    return userId(this.#random, username);
  }

  /** @throws Refusal 409, 400 */
  register(profile: Profile): User {
    const { username } = profile;
    if (this.#users.has(username)) throw new Refusal(409, `User name ${username} already in use`);
    if (this.#users.size >= MOST_USERS) throw new Refusal(400, `Error creating user ${username}`);
    return this.#set({ ...UNNAMED, ...checked(profile, 'creating'), createdAt: this.#clock.now });
  }

  /** @throws Refusal 400 */
  update(user: User, profile: Profile): User {
    return this.#set({ ...user, ...checked(profile, 'updating') });
  }

  /** @throws Refusal 400 */
  setPublicKey(user: User, publicKey: string): User {
    if (publicKey.length > MOST_KEY_CHARS) {
      throw new Refusal(400, `User ${user.username} public key was not updated`);
    }
    return this.#set({ ...user, publicKey });
  }

  /** As the API shows them, which is never with their passwords. */
  render({ username, createdAt, types, email, firstName, lastName, phoneNumber }: User): JsonObject {
    return {
      username,
      uuid: this.idOf(username),
      created_at: timestamp(createdAt),
      user_type: types.join(','),
      email,
      first_name: firstName,
      last_name: lastName,
      phone_number: phoneNumber,
    };
  }

  #set(user: User): User {
    this.#users.set(user.username, user);
    this.#names?.set(this.idOf(user.username), user.username);
    return user;
  }
}

/** The UUID of whoever has a name. */
export const userId = (random: Random, username: string): string => random.uuid('gatekeeper.user', hash(username));

const UNNAMED = { email: '', firstName: '', lastName: '', phoneNumber: '', publicKey: null };

/** What a user says of himself. */
export interface Profile {
  readonly username: string;
  readonly password: string;
  readonly email: string;
  readonly userType: string;
  readonly firstName?: string;
  readonly lastName?: string;
  readonly phoneNumber?: string;
}

/** In the order in which they are missed, and how the server calls them. */
const REQUIRED = [
  ['username', 'User name'],
  ['password', 'Password'],
  ['email', 'Email'],
  ['user_type', 'User type'],
] as const;

/** The profile in a body. @throws Refusal 400 for the first part that is missing, or that is no text */
export function profileIn(body: Uint8Array): Profile {
  const given = membersIn(body) ?? {};
  for (const [key, label] of REQUIRED) if (textOf(given, key) === '') throw new Refusal(400, `${label} is missing`);
  const optional = (key: string, as: 'firstName' | 'lastName' | 'phoneNumber', label: string) => {
    const value = given[key] ?? null;
    if (value !== null && typeof value !== 'string') throw new Refusal(400, `${label} is not a text`);
    return value === null ? {} : { [as]: value };
  };
  return {
    username: textOf(given, 'username'),
    password: textOf(given, 'password'),
    email: textOf(given, 'email'),
    userType: textOf(given, 'user_type'),
    ...optional('first_name', 'firstName', 'First name'),
    ...optional('last_name', 'lastName', 'Last name'),
    ...optional('phone_number', 'phoneNumber', 'Phone number'),
  };
}

/** The public key in a body. @throws Refusal 400 */
export function publicKeyIn(body: Uint8Array): string {
  if (body.byteLength === 0) throw new Refusal(400, 'Fields to be updated need to be part of the body');
  const { public_key: key } = membersIn(body) ?? {};
  if (typeof key !== 'string') throw new Refusal(400, 'A public key must be provided as part of the body');
  return key;
}

function checked({ userType, ...profile }: Profile, doing: string) {
  const types = userType.split(',').map((type) => type.trim());
  const isShort = Object.values(profile).every((text) => text.length <= MOST_CHARS);
  if (!isShort || !types.every(isType)) {
    throw new Refusal(400, `Error ${doing} user ${profile.username.slice(0, 100)}`);
  }
  return { ...profile, types: types.filter(isType) };
}

const textOf = (given: JsonObject, key: string): string => {
  const value = given[key];
  return typeof value === 'string' ? value : '';
};
