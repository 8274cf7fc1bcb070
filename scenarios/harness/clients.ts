/** The clients of a run: each asks with credentials of its own, and of every exchange there is a line in the trace. */
import { reason } from '../../sim/index.ts';
import { authorization, type Credentials, type Plea, xmlRpc } from './request.ts';
import type { RequestStep } from './scenario.ts';
import type { Answer, ExchangeLine, Line, Role } from './trace.ts';
import type { Transport } from './transport.ts';

const ORIGIN = 'http://127.0.0.1:1337';

/** Who asks, and what for: a step, or the harness on its own behalf. */
interface Asked {
  readonly step: RequestStep | null;
  readonly op: string;
  readonly as: Role;
  readonly id?: number | null;
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

  administer(op: string, method: string, ...params: readonly (string | number)[]): Promise<Answer | null> {
    const session = this.#credentials.admin ?? '';
    return this.ask(xmlRpc(session, method, ...params), { step: null, op, as: 'admin' });
  }

  post(path: string, op: string, body: object): Promise<Answer | null> {
    const headers = { 'Content-Type': 'application/json' };
    return this.ask({ method: 'POST', path, headers, body: JSON.stringify(body) }, { step: null, op, as: 'admin' });
  }

  async ask(plea: Plea, { step, op, as, id = null }: Asked): Promise<Answer | null> {
    const { method, path, headers, body } = plea;
    const auth = step?.auth ?? 'good';
    const sent = this.#transport.now();
    const { about, god } = this.#transport;
    const session = this.#credentials[as] ?? '';
    const request = new Request(`${about.target || ORIGIN}${path}`, {
      method,
      headers: { ...authorization(session, auth), ...headers },
      ...(body === null ? {} : { body }),
    });
    const entry = god === undefined ? null : god.written + 1;
    let response: Answer | null = null;
    let problem: string | null = null;
    try {
      response = await this.#transport.send(request);
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      problem = reason(cause);
    }
    this.#heard(response);
    // Credentials are nowhere in a trace; an administrator's call has them in its body.
    const shown = path === '/RPC2' ? (body?.replace(session, '…') ?? null) : body;
    const line: ExchangeLine = {
      kind: 'exchange',
      seq: ++this.#seq,
      sent,
      at: this.#transport.now(),
      step: step?.id ?? null,
      op,
      as,
      auth,
      ref: step !== null && 'ref' in step ? step.ref : null,
      id,
      entry,
      until: god?.written ?? null,
      request: { method, path, body: shown },
      response,
      problem,
    };
    this.#lines.push(line);
    return response;
  }
}
