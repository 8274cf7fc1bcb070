/** Who looks on in a run: logs in to the Gatekeeper, asks for lists and measurements, and listens to streams. */
import type { Clients } from '../clients.ts';
import { authorization, type Credentials } from '../request.ts';
import type { Answer, Line, Role, StreamLine } from '../trace.ts';
import type { Transport } from '../transport.ts';
import { NO_STREAM, type Part, watchPlea } from './requests.ts';
import type { ListName, StreamStep, WatchRequest, WatchStep } from './steps.ts';
import type { Call } from './stream-door.ts';

/** What the run has for who looks on. */
export interface Ground {
  readonly transport: Transport;
  readonly clients: Clients;
  readonly lines: Line[];
  /** Users of the Gatekeeper. */
  readonly sessions: Credentials;
  skip(id: string, why: string): void;
  note(event: string): void;
  /** The VM of a runtime; undefined when it was not made. */
  vmOf(ref: string): number | undefined;
  /** Lets time pass; `end` does not wait for it any longer. */
  rest(ms: number): { readonly over: Promise<void>; end(): void };
}

/** A connection to a stream. */
interface Connection {
  readonly step: string;
  readonly stream: string;
  call: Call | undefined;
  frames: number;
  isOver: boolean;
  /** Is told of every frame, and of the end. */
  heard: () => void;
}

interface Held {
  readonly token: string;
  readonly at: number;
  /** Whether the harness sees to it that it lasts. */
  readonly isRenewed: boolean;
}

/** A token is asked for anew before its twenty minutes are over. */
const TOKEN_LASTS_MS = 1_100_000;

export class Watcher {
  readonly #ground: Ground;
  /** By role; one that a step has asked for, or has logged out, stays in use until its user logs in. */
  readonly #tokens = new Map<Role, Held>();
  readonly #known = new Map<ListName, string[]>();
  #parts: readonly Part[] | undefined;
  /** Of streams, by the name that a step has bound. */
  readonly #addresses = new Map<string, string>();
  /** The newest of each stream. */
  readonly #connections = new Map<string, Connection>();
  /** How far the server's clock is ahead of the run's, where the transport does not say. */
  #aheadMs: number | undefined;

  constructor(ground: Ground) {
    this.#ground = ground;
  }

  act(step: WatchStep): Promise<void> {
    return 'ref' in step && step.op !== 'prometheus.query' ? this.#listen(step) : this.#ask(step as WatchRequest);
  }

  // ---- requests -----------------------------------------------------------------------------------------------------

  async #ask(step: WatchRequest): Promise<void> {
    const { skip, note, sessions, transport, vmOf } = this.#ground;
    const { as = 'owner', op } = step;
    const session = sessions[as];
    if (session === undefined) return skip(step.id, `there is no user of the Gatekeeper for ${as}`);
    const vm = 'ref' in step && step.ref !== undefined ? vmOf(step.ref) : undefined;
    if ('ref' in step && step.ref !== undefined && vm === undefined)
      return skip(step.id, 'what it refers to was not made');
    const headers = await this.#credentials(step, as);
    if (headers === undefined) return skip(step.id, 'the Gatekeeper has let nobody in');
    await this.#lookFor(step);
    // Who is asked tells its time to those who log in.
    if (transport.god === undefined && this.#aheadMs === undefined) await this.#token('owner');
    const nowMs = transport.about.epochMs + (this.#aheadMs ?? 0) + transport.now();
    const known = (list: ListName): readonly string[] => this.#known.get(list) ?? [];
    const plea = watchPlea(step, { nowMs, session, known, parts: this.#parts ?? [], vm });
    if (plea === undefined) return skip(step.id, 'what it is about has not been seen');
    const asked = { step: { id: step.id, auth: step.auth ?? 'good' }, op, as, ownHeaders: true } as const;
    const answering = this.#ground.clients.ask({ ...plea, headers: { ...plea.headers, ...headers } }, asked);
    note(`${step.id}.sent`);
    this.#learn(step, as, await answering);
    note(`${step.id}.answered`);
  }

  /** What a step says of who asks. */
  async #credentials(
    { op, auth = 'good' }: WatchRequest,
    as: Role,
  ): Promise<Readonly<Record<string, string>> | undefined> {
    if (op === 'login' || op.startsWith('prometheus.')) return {};
    if (auth === 'wrong') return { Authorization: 'bearer dead' };
    if (auth !== 'good') return authorization('sonata', auth === 'none' ? 'none' : 'good');
    const token = await this.#token(as);
    return token === undefined ? undefined : { Authorization: `bearer ${token}` };
  }

  async #token(as: Role): Promise<string | undefined> {
    const held = this.#tokens.get(as);
    const isStale = held?.isRenewed && this.#ground.transport.now() - held.at > TOKEN_LASTS_MS;
    if (held === undefined || isStale) await this.#logIn(as);
    return this.#tokens.get(as)?.token;
  }

  async #logIn(as: Role): Promise<void> {
    const step = { id: '', op: 'login' } as const;
    const session = this.#ground.sessions[as] ?? '';
    const plea = watchPlea(step, { nowMs: 0, session, known: () => [], parts: [], vm: undefined });
    if (plea === undefined) return;
    this.#learn(step, as, await this.#ground.clients.ask(plea, { step: null, op: 'login', as, ownHeaders: true }));
  }

  /** On the harness's own behalf, what a step refers to and has not been seen yet. */
  async #lookFor(step: WatchRequest): Promise<void> {
    if ('uuid' in step && step.uuid !== 'known' && step.uuid !== undefined) return;
    if (step.op === 'functions.get') {
      const list = step.of ?? 'functions';
      if (!this.#known.has(list)) await this.#look(list);
    }
    if ((step.op === 'metrics.asynch' || step.op === 'metrics.synch') && this.#parts === undefined) {
      await this.#look('records/functions');
    }
  }

  async #look(of: ListName): Promise<void> {
    const token = await this.#token('owner');
    if (token === undefined) return;
    const plea = { method: 'GET', path: `/api/v2/${of}`, headers: { Authorization: `bearer ${token}` }, body: null };
    const asked = { step: null, op: 'functions.list', as: 'owner', ownHeaders: true } as const;
    this.#learn({ id: '', op: 'functions.list', of }, 'owner', await this.#ground.clients.ask(plea, asked));
  }

  /** What an answer says that later steps need. */
  #learn(step: WatchRequest, as: Role, answer: Answer | null): void {
    if (answer === null) return;
    const { op } = step;
    const now = this.#ground.transport.now();
    const held = this.#tokens.get(as);
    if (op === 'logout' && answer.status === 204 && held !== undefined)
      this.#tokens.set(as, { ...held, isRenewed: false });
    if (answer.status !== 200 || op === 'prometheus.scrape' || op === 'prometheus.query') return;
    const body = parsed(answer.body);
    if (op === 'login') {
      const { token, session_began_at: began } = body as {
        token?: { access_token?: string };
        session_began_at?: string;
      };
      if (typeof token?.access_token === 'string')
        this.#tokens.set(as, { token: token.access_token, at: now, isRenewed: step.id === '' });
      const time = Date.parse(`${began}`);
      if (this.#ground.transport.god === undefined && !Number.isNaN(time)) this.#aheadMs = time - now;
    } else if (op === 'functions.list' && Array.isArray(body)) {
      const list = step.of ?? 'functions';
      const elements = body.filter((each) => typeof each === 'object' && each !== null);
      const uuids = elements.map(({ uuid }) => uuid).filter((uuid) => typeof uuid === 'string');
      this.#known.set(list, [...new Set([...(this.#known.get(list) ?? []), ...uuids])]);
      if (list === 'records/functions') this.#parts ??= elements.flatMap(partsOf);
    } else if (op === 'metrics.synch' && step.bind !== undefined) {
      const { ws_url: address } = body as { ws_url?: unknown };
      if (typeof address === 'string' && URL.canParse(address)) this.#addresses.set(step.bind, address);
    }
  }

  // ---- streams ------------------------------------------------------------------------------------------------------

  async #listen(step: StreamStep): Promise<void> {
    const { skip, note } = this.#ground;
    const connection = this.#connections.get(step.ref);
    if (step.op !== 'ws.open' && connection?.call === undefined) return skip(step.id, 'there is no such connection');
    note(`${step.id}.sent`);
    switch (step.op) {
      case 'ws.open':
        await this.#open(step);
        break;
      case 'ws.read':
        if (connection !== undefined) await this.#read(connection, step);
        break;
      case 'ws.send':
        if (connection !== undefined) this.#note(connection, 'sent', step.text);
        connection?.call?.send(step.text);
        break;
      case 'ws.close':
        if (connection !== undefined && !connection.isOver) {
          this.#note(connection, 'left');
          connection.isOver = true;
          await connection.call?.close();
        }
        break;
      default:
        step satisfies never;
    }
    note(`${step.id}.answered`);
  }

  async #open({ id, ref }: Extract<StreamStep, { op: 'ws.open' }>): Promise<void> {
    const { transport, skip } = this.#ground;
    const address = ref === 'none' ? this.#noAddress() : this.#addresses.get(ref);
    if (address === undefined) return skip(id, 'no such stream was made');
    if (transport.connect === undefined) return skip(id, 'the target has no streams');
    const stream = new URL(address).pathname.replace(/^.*\/ws\//, '');
    const connection: Connection = { step: id, stream, call: undefined, frames: 0, isOver: false, heard: () => {} };
    this.#connections.set(ref, connection);
    this.#note(connection, 'asked');
    const answer = transport.connect(address, {
      frame: (text) => {
        // Over a network, what was under way when the client left.
        if (connection.isOver && transport.god === undefined) return;
        connection.frames++;
        this.#note(connection, 'frame', text);
        connection.heard();
      },
      garbage: () => {
        this.#note(connection, 'garbage');
        connection.heard();
      },
      closed: (code) => {
        if (connection.isOver) return;
        this.#note(connection, 'closed', null, code);
        connection.isOver = true;
        connection.heard();
      },
    });
    const call = await answer.catch(() => null);
    if (typeof call === 'number' || call === null) {
      this.#note(connection, 'refused', null, call);
      connection.isOver = true;
    } else connection.call = call;
  }

  /** Waits for so many more frames, but no longer than a while, and not for what has been closed. */
  async #read(connection: Connection, { frames = 1, withinMs = 15_000 }: Extract<StreamStep, { op: 'ws.read' }>) {
    if (connection.isOver) return;
    const enough = connection.frames + frames;
    const rest = this.#ground.rest(withinMs);
    connection.heard = () => {
      if (connection.frames >= enough || connection.isOver) rest.end();
    };
    await rest.over;
    connection.heard = () => {};
  }

  #noAddress(): string {
    const [known] = this.#addresses.values();
    const origin = (this.#ground.transport.about.target || 'http://127.0.0.1:1337').replace(/^http/, 'ws');
    return known === undefined ? `${origin}/ws/${NO_STREAM}` : known.replace(/[^/]*$/, NO_STREAM);
  }

  #note(
    { step, stream }: Connection,
    event: StreamLine['event'],
    text: string | null = null,
    code: number | null = null,
  ) {
    this.#ground.lines.push({ kind: 'stream', at: this.#ground.transport.now(), step, stream, event, text, code });
  }
}

function parsed(body: string): object {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

interface Recorded {
  readonly uuid?: string;
  readonly virtual_deployment_units?: readonly {
    readonly id?: string;
    readonly vnfc_instance?: readonly { readonly vc_id?: string }[];
  }[];
}

/** The parts that a record tells of. */
const partsOf = ({ uuid: instance = '', virtual_deployment_units: units = [] }: Recorded): Part[] =>
  units.flatMap(({ id: vdu = '', vnfc_instance: components = [] }) =>
    components.map(({ vc_id: vc = '' }) => ({ instance, vdu, vc })),
  );
