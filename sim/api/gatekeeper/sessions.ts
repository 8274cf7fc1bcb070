/** Sessions and their tokens: who is logged in, until when. Mirrors the Keycloak realm behind the Gatekeeper. */
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import type { Clock } from '../../kernel/clock.ts';
import type { Random } from '../../kernel/random.ts';
import { remembered } from '../../kernel/remembered.ts';
import { Refusal } from './answer.ts';
import type { GatekeeperUser } from './furnishing.ts';
import { membersIn } from './json-body.ts';
import { userId } from './users.ts';

const ACCESS_SECONDS = 1200;
const REFRESH_SECONDS = 1800;

/** Past this many sessions the oldest is ended, so that a flood of logins does not eat the memory. */
const MOST_SESSIONS = 10_000;

interface Session {
  readonly user: GatekeeperUser;
  /** Seconds since the Unix epoch. */
  readonly expires: number;
}

/** The key is none of it: it is the same for every world. */
interface SessionsState {
  readonly active: Map<string, Session>;
  readonly opened: number;
}

export class Sessions {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #key: KeyObject;
  readonly #header: string;
  /** DER SubjectPublicKeyInfo in base64, on one line. */
  readonly publicKey: string;
  /** By access token, oldest first. A token that is not in here was never given, or is active no more. */
  #active = new Map<string, Session>();
  readonly #most: number;
  #opened = 0;

  /** @param pem an RSA private key; @param most how many sessions there are at a time */
  constructor(clock: Clock, random: Random, pem: string, most = MOST_SESSIONS) {
    this.#most = most;
    this.#clock = clock;
    this.#random = random;
    const { key, publicKey, kid } = readKey(pem);
    this.#key = key;
    this.publicKey = publicKey;
    this.#header = encode({ alg: 'RS256', typ: 'JWT', kid });
  }

  state(): SessionsState {
    return { active: this.#active, opened: this.#opened };
  }

  restore({ active, opened }: SessionsState): void {
    this.#active = active;
    this.#opened = opened;
  }

  /** Logs a user in. What is returned is Keycloak's direct-grant answer, and what the Gatekeeper says with it. */
  open(user: GatekeeperUser) {
    const { now } = this.#clock;
    const iat = Math.floor(now / 1000);
    const n = this.#opened++;
    const session = this.#random.uuid('gatekeeper.session', n);
    const claims = {
      nbf: 0,
      iat,
      iss: 'http://son-keycloak:5601/auth/realms/sonata',
      aud: 'adapter',
      sub: userId(this.#random, user.username),
      azp: 'adapter',
      auth_time: 0,
      session_state: session,
      client_session: this.#random.uuid('gatekeeper.client-session', n),
    };
    const profile = {
      acr: '1',
      name: '',
      preferred_username: user.username,
      given_name: '',
      family_name: '',
      email: '',
    };
    const access = {
      'allowed-origins': [],
      realm_access: { roles: [...user.types, 'uma_authorization'] },
      resource_access: { account: { roles: ['manage-account', 'view-profile'] } },
    };
    const token = (typ: string, seconds: number, more: object, i: number): string =>
      this.#signed({ jti: this.#random.uuid('gatekeeper.token', n, i), exp: iat + seconds, typ, ...claims, ...more });

    const accessToken = token('Bearer', ACCESS_SECONDS, { ...profile, ...access }, 0);
    this.#admit(accessToken, { user, expires: iat + ACCESS_SECONDS });
    return {
      username: user.username,
      session_began_at: `${new Date(now).toISOString().slice(0, 19).replace('T', ' ')} UTC`,
      token: {
        access_token: accessToken,
        expires_in: ACCESS_SECONDS,
        refresh_expires_in: REFRESH_SECONDS,
        refresh_token: token('Refresh', REFRESH_SECONDS, access, 1),
        token_type: 'bearer',
        id_token: token('ID', ACCESS_SECONDS, profile, 2),
        'not-before-policy': 0,
        session_state: session,
      },
    };
  }

  /** Whose access token it is; undefined when it is not active. */
  userOf(accessToken: string): GatekeeperUser | undefined {
    const session = this.#active.get(accessToken);
    return session !== undefined && this.#lives(session) ? session.user : undefined;
  }

  /** Ends all sessions of a user. */
  close(username: string): void {
    for (const [token, { user }] of this.#active) if (user.username === username) this.#active.delete(token);
  }

  #admit(accessToken: string, session: Session): void {
    for (const [token, oldest] of this.#active) {
      if (this.#lives(oldest) && this.#active.size < this.#most) break;
      this.#active.delete(token);
    }
    this.#active.set(accessToken, session);
  }

  #lives({ expires }: Session): boolean {
    return this.#clock.now < expires * 1000;
  }

  #signed(claims: object): string {
    const signed = `${this.#header}.${encode(claims)}`;
    return `${signed}.${sign('RSA-SHA256', Buffer.from(signed), this.#key).toString('base64url')}`;
  }
}

/** Reading a key takes longer than the rest of making a world, and all worlds have the same. */
const readKey = remembered((pem) => {
  const key = createPrivateKey(pem);
  const der = createPublicKey(key).export({ type: 'spki', format: 'der' });
  return { key, publicKey: der.toString('base64'), kid: createHash('sha256').update(der).digest('base64url') };
});

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** What a login says. @throws Refusal 400 */
export function credentialsOf(body: Uint8Array): { readonly username: string; readonly password: string } {
  const given = membersIn(body);
  if (given === undefined) throw new Refusal(400, 'Unprocessable entity: missing session parameters');
  const { username, password } = given;
  if (!isText(username)) throw new Refusal(400, 'Unprocessable entity: missing user name');
  if (!isText(password)) throw new Refusal(400, 'Unprocessable entity: missing user password');
  return { username, password };
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
