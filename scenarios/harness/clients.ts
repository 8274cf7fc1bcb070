/** The clients of a run: each asks with credentials of its own, and of every exchange there is a line in the trace. */
import { attempt, reason, type Soon, whenThere } from '../../sim/index.ts';
import { pausesOf } from './concurrency/lanes.ts';
import { authorization, type Credentials, type Plea, xmlRpc } from './request.ts';
import type { Auth } from './step-parts.ts';
import { type Answer, ENDED, type ExchangeLine, type Line, type Role } from './trace.ts';
import { type Transport, Unasked } from './transport.ts';

const ORIGIN = 'http://127.0.0.1:1337';

interface Stepping {
  readonly id: string;
  readonly auth?: Auth;
  readonly ref?: string;
  readonly pausesMs?: readonly number[];
}

/** Who asks, and what for: a step, or the harness on its own behalf. */
interface Asked {
  readonly step: Stepping | null;
  readonly op: string;
  readonly as: Role;
  readonly id?: number | null;
  /** Whether the headers say already who asks. */
  readonly ownHeaders?: true;
}

export class Clients {
  readonly #transport: Transport;
  readonly #credentials: Credentials;
  readonly #lines: Line[];
  readonly #heard: (answer: Answer | null) => void;
  #seq = 0;

  /**
   * @param lines where the lines go
   * @param heard is told of each answer, before its line is written
   */
  constructor(transport: Transport, credentials: Credentials, lines: Line[], heard: (answer: Answer | null) => void) {
    this.#transport = transport;
    this.#credentials = credentials;
    this.#lines = lines;
    this.#heard = heard;
  }

  administer(op: string, method: string, ...params: readonly (string | number)[]): Soon<Answer | null> {
    const session = this.#credentials.admin ?? '';
    return this.ask(xmlRpc(session, method, ...params), { step: null, op, as: 'admin' });
  }

  post(path: string, op: string, body: object): Soon<Answer | null> {
    const headers = { 'Content-Type': 'application/json' };
    return this.ask({ method: 'POST', path, headers, body: JSON.stringify(body) }, { step: null, op, as: 'admin' });
  }

  ask({ method, path, headers, body }: Plea, { step, op, as, id = null, ownHeaders }: Asked): Soon<Answer | null> {
    const auth = step?.auth ?? 'good';
    const sent = this.#transport.now();
    const { about, god } = this.#transport;
    const session = this.#credentials[as];
    const waitsMs = step === null ? [] : pausesOf(step).slice(1);
    const request = {
      method,
      ...(waitsMs.length > 0 && { waitsMs }),
      url: `${about.target || ORIGIN}${path}`,
      headers: ownHeaders ? headers : Object.assign({}, identifying(session, auth), headers),
      body,
    };
    const entry = god === undefined ? null : god.written() + 1;
    let problem: string | null = null;
    let isUnasked = false;
    const failed = (error: unknown): null => {
      isUnasked = error instanceof Unasked;
      problem = reason(error instanceof Error && error.cause instanceof Error ? error.cause : error);
      return null;
    };
    const answering = attempt<Answer | null>(() => this.#transport.send(request), failed);
    return whenThere(answering, (response) => {
      this.#heard(response);
      if (isUnasked) {
        if (step !== null) this.#lines.push({ kind: 'skip', at: this.#transport.now(), id: step.id, why: ENDED });
        return null;
      }
      // Credentials are nowhere in a trace; an administrator's call has them in its body.
      const shown = body === null ? null : withoutPassword(path, body, session ?? '');
      const line: ExchangeLine = {
        kind: 'exchange',
        seq: ++this.#seq,
        sent,
        at: this.#transport.now(),
        step: step?.id ?? null,
        op,
        as,
        auth,
        ref: step?.ref ?? null,
        id,
        entry,
        until: god?.written() ?? null,
        request: { method, path, body: shown },
        response: response === null ? null : withoutTokens(response),
        problem,
      };
      this.#lines.push(line);
      return response;
    });
  }
}

/** Who is nobody there says so by saying nothing. */
const identifying = (session: string | undefined, auth: Auth): Readonly<Record<string, string>> =>
  session === undefined && auth === 'good' ? {} : authorization(session ?? '', auth);

function withoutPassword(path: string, body: string, session: string): string {
  if (path === '/RPC2') return body.replace(session, '…');
  return path.endsWith('/sessions') ? body.replace(PASSWORD, '$1…"') : body;
}

/** In a body that logs in. */
const PASSWORD = /("password":")(?:[^"\\]|\\.)*"/;

/** A signed token, with its signature. */
const TOKEN = /(\beyJ[\w-]+\.[\w-]+\.)[\w-]+/g;

/** A token is none without its signature. */
const withoutTokens = (answer: Answer): Answer =>
  answer.body.includes('eyJ') ? { ...answer, body: answer.body.replace(TOKEN, '$1x') } : answer;
