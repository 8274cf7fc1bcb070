/**
 * The way to a server that is not ours: at the pace that was asked for, one request at a time unless told otherwise,
 * with the patience that the server asks for, and with every creation in the ledger before it is sent.
 */
import { valueAt } from '../../../contracts/schema.ts';
import { reason } from '../../../sim/index.ts';
import { boundOf, runtimeIn } from '../answers.ts';
import { lasting } from '../report.ts';
import { authorization, type Credentials, requestOf } from '../request.ts';
import type { Stop } from '../stop.ts';
import { type Answer, type Bounds, REDACTED, type Role } from '../trace.ts';
import { type Transport, Unasked, type WallClock } from '../transport.ts';
import { Armed } from './armed.ts';
import type { Ledger } from './ledger.ts';

/** What this process has of the world: the network and the time. */
export interface Network {
  readonly clock: WallClock;
  /** Rejects when no answer has come within the time. */
  fetch(request: Request, timeoutMs: number): Promise<Response>;
  /** Opens a stream; absent where there are none. */
  readonly connect?: NonNullable<Transport['connect']>;
}

export interface WireOptions {
  readonly target: string;
  /** Requests a second. */
  readonly rate: number;
  /** Whether a request waits until the one before it was answered. */
  readonly serial: boolean;
  readonly timeoutMs: number;
  /** `user:password`s that must not be written down. */
  readonly secrets: readonly string[];
  /** Of those who make something. */
  readonly credentials?: Partial<Credentials>;
  /** How long all may take, where somebody has said so. */
  readonly maxDurationMs?: number;
  readonly stop?: Stop;
  readonly tell: (line: string) => void;
}

const ROLES: readonly Role[] = ['owner', 'other', 'admin'];

/** The longest answer that is read. */
const MOST_BYTES = 16 * 2 ** 20;
/** How often a request is sent again to a server that asks to come again later. */
const TIMES = 3;
/** How long it is left alone at most where nobody says how long all may take, and, for the sake of what is to be cleared away, at least. */
const [MOST_ALONE_MS, LEAST_ALONE_MS] = [3_600_000, 120_000];
/** A wait that is told of, and how often it is looked whether it is to go on. */
const [LONG_MS, GLANCE_MS] = [10_000, 1_000];

export class Wire {
  readonly #network: Network;
  readonly #options: WireOptions;
  readonly #ledger: Ledger;
  readonly #secrets: readonly string[];
  readonly #start: number;
  #next = 0;
  #last: Promise<unknown> = Promise.resolve();
  /** Requests that were sent. */
  sent = 0;
  /** Faults that are armed there. */
  readonly armed = new Armed();
  /** Times that the server asked to come again later, and we did. */
  throttled = 0;
  /** Whether it has asked to be left alone for longer than anybody waits. */
  gaveUp = false;
  /** Until when it has asked to be left alone. */
  #alone = 0;

  constructor(network: Network, ledger: Ledger, options: WireOptions) {
    this.#network = network;
    this.#options = options;
    this.#ledger = ledger;
    this.#start = network.clock.now();
    this.#secrets = options.secrets.flatMap((each) => [Buffer.from(each).toString('base64'), each]);
  }

  get target(): string {
    return this.#options.target;
  }

  /** Milliseconds since the wire was made, to the microsecond: what follows must not look as if it overlapped. */
  now = (): number => Math.round((this.#network.clock.now() - this.#start) * 1_000) / 1_000;

  sleep = (ms: number): Promise<void> => this.#network.clock.sleep(ms);

  /** @throws what the network says when no answer comes */
  async send(request: Request): Promise<Answer> {
    if (!this.#options.serial) return this.#recorded(request);
    const answer = this.#last.then(() => this.#recorded(request));
    this.#last = answer.catch(() => {});
    return answer;
  }

  /** Not behind what is under way: for who has to reach the server while it makes somebody wait. */
  aside = (request: Request): Promise<Answer> => this.#recorded(request);

  /** For a run, with a time of its own. @param deviations what is expected of the server */
  transport(deviations: readonly string[], bounds?: Bounds): Transport {
    const start = this.now();
    const now = (): number => Math.round((this.now() - start) * 1_000) / 1_000;
    return {
      about: { transport: 'http', target: this.target, deviations, epochMs: 0, ...(bounds && { bounds }) },
      now,
      send: (sent) => this.send(requestOf(sent)),
      settle: async () => {},
      pass: async (instant, until = () => false) => {
        while (!until() && now() < instant) await this.sleep(Math.min(LOOK_MS, instant - now()));
      },
      ...(this.#network.connect && { connect: this.#network.connect }),
      god: undefined,
    };
  }

  /** What a request may make is in the ledger before it is sent. */
  async #recorded(request: Request): Promise<Answer> {
    const { pathname } = new URL(request.url);
    if (request.method === 'POST' && pathname === '/serverless-runtimes') return this.#creation(request);
    const [, id] = /^\/serverless-runtimes\/(\d+)/.exec(pathname) ?? [];
    if (request.method === 'PUT' && id !== undefined) await this.#renaming(Number(id), request);
    if (!pathname.startsWith('/_onesim/')) return this.#paced(request);
    let answer: Answer | undefined;
    try {
      answer = await this.#paced(request);
      return answer;
    } finally {
      this.armed.heed(request, answer);
    }
  }

  async #renaming(id: number, request: Request): Promise<void> {
    const entry = this.#ledger.open.find((each) => each.id === id);
    const name = entry === undefined ? null : nameIn(await request.clone().text());
    if (entry !== undefined && name !== null && !entry.names.includes(name)) await this.#ledger.renamed(entry.n, name);
  }

  /** Who asks; whom nobody has named asks on the owner's behalf. */
  #roleOf({ headers }: Request): Role {
    const { credentials = {} } = this.#options;
    const asking = headers.get('authorization');
    const isAsking = (role: Role): boolean => {
      const session = credentials[role];
      return session !== undefined && authorization(session, 'good').Authorization === asking;
    };
    return ROLES.find(isAsking) ?? 'owner';
  }

  async #creation(request: Request): Promise<Answer> {
    const body = await request.clone().text();
    const n = await this.#ledger.intend(nameIn(body), this.#roleOf(request));
    let answer: Answer;
    try {
      answer = await this.#paced(request);
    } catch (error) {
      // What was not sent, or was one request too many, has made nothing.
      if (error instanceof Unasked && error.status !== 503) await this.#ledger.refused(n, error.status ?? 0);
      else await this.#ledger.unknown(n, problemOf(error), false);
      throw error;
    }
    const id = answer.status < 300 ? boundOf(answer.body)?.id : undefined;
    if (id !== undefined) await this.#ledger.made(n, id);
    else if (ELSEWHERE.includes(answer.status) || (answer.status >= 400 && (answer.status < 500 || !asksForSome(body))))
      await this.#ledger.refused(n, answer.status);
    else {
      const why = `it was answered with ${answer.status}${answer.status < 300 ? ' and no ID that can be read' : ''}`;
      await this.#ledger.unknown(n, why, answer.status === 500);
    }
    return answer;
  }

  async #paced(request: Request): Promise<Answer> {
    let status: number | undefined;
    for (let times = 0; ; times++) {
      await this.#turn(status);
      if (times > 0) this.throttled++;
      this.sent++;
      const answer = this.#censored(await this.#read(request.clone()));
      const waitMs = retryAfterMs(answer, this.#network.clock);
      if (waitMs === undefined) return answer;
      ({ status } = answer);
      this.#leaveAlone(waitMs);
      if (times >= TIMES) return answer;
    }
  }

  /** Until the next request may be sent. @throws Unasked when that is longer than anybody waits */
  async #turn(status: number | undefined): Promise<void> {
    do {
      await this.#obey(status);
      const slot = Math.max(this.now(), this.#next);
      this.#next = slot + 1_000 / this.#options.rate;
      if (slot > this.now()) await this.sleep(slot - this.now());
      this.#next = Math.max(this.#next, this.now() + 1_000 / this.#options.rate);
    } while (this.#alone > this.now());
  }

  #leaveAlone(ms: number): void {
    const { tell } = this.#options;
    const until = this.now() + ms;
    if (until <= this.#alone) return;
    this.#alone = until;
    if (ms >= LONG_MS && ms <= this.#patienceMs) tell(`  the server asks to be left alone for ${lasting(ms)}, and is`);
  }

  async #obey(status: number | undefined): Promise<void> {
    const { tell } = this.#options;
    for (let ms = this.#aloneMs; ms > 0; ms = this.#aloneMs) {
      if (ms > this.#patienceMs) {
        const why = `the server asks to be left alone for ${lasting(ms)}`;
        if (!this.gaveUp) tell(`  ${why}, which is not waited for: nothing more is asked of it`);
        this.gaveUp = true;
        throw new Unasked(why, status);
      }
      await this.sleep(Math.min(ms, GLANCE_MS));
    }
  }

  get #aloneMs(): number {
    return this.#alone - this.now();
  }

  /** How long the server is left alone, if it asks for that. */
  get #patienceMs(): number {
    const { stop, maxDurationMs = Number.POSITIVE_INFINITY } = this.#options;
    if (stop?.aborted) return LEAST_ALONE_MS;
    return Number.isFinite(maxDurationMs) ? Math.max(LEAST_ALONE_MS, maxDurationMs - this.now()) : MOST_ALONE_MS;
  }

  async #read(request: Request): Promise<Answer> {
    const response = await this.#network.fetch(request, this.#options.timeoutMs);
    return { status: response.status, headers: [...response.headers], body: await textOf(response) };
  }

  #censored({ status, headers, body }: Answer): Answer {
    const without = (text: string): string =>
      this.#secrets.reduce((content, secret) => content.replaceAll(secret, REDACTED), text);
    return { status, headers: headers.map(([name, value]) => [name, without(value)] as const), body: without(body) };
  }
}

/** Sent on to another address, so nothing was made here. */
const ELSEWHERE: readonly number[] = [301, 302, 307, 308];
/** How often a wait looks whether it is over. */
const LOOK_MS = 10;

/** Why no answer came, in words. */
export function problemOf(error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError') return 'no answer came in time';
  return reason(error instanceof Error && error.cause instanceof Error ? error.cause : error);
}

async function textOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > MOST_BYTES) throw new Error(`its answer is longer than ${MOST_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** How long a server asks to be left alone, as 429 and 503 may; the Gatekeeper counts a minute, and does not say so. */
function retryAfterMs({ status, headers }: Answer, clock: WallClock): number | undefined {
  if (status !== 429 && status !== 503) return undefined;
  const header = (wanted: string): string => headers.find(([name]) => name.toLowerCase() === wanted)?.[1].trim() ?? '';
  const value = header('retry-after');
  if (/^\d+$/.test(value)) return Number(value) * 1_000;
  // Its clock may be another than ours.
  const sinceMs = instantOf(header('date')) ?? clock.epochMs + clock.now();
  const untilMs = instantOf(value);
  if (untilMs !== undefined) return Math.max(0, untilMs - sinceMs);
  return status === 429 ? UNTOLD_MS : undefined;
}

/** Of an HTTP date in any of its three forms, the last of which does not say that it is in Greenwich. */
function instantOf(date: string): number | undefined {
  if (!/^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? /.test(date)) return undefined;
  const instant = Date.parse(date.endsWith(' GMT') ? date : `${date} GMT`);
  return Number.isNaN(instant) ? undefined : instant;
}

/** As often as it is obeyed, and somewhat more than a minute together. */
const UNTOLD_MS = 21_000;

function nameIn(body: string): string | null {
  const name = runtimeIn(body)?.NAME;
  return typeof name === 'string' ? name : null;
}

/** Whether a body has what no runtime can be made without. */
const asksForSome = (body: string): boolean => valueAt(runtimeIn(body), '/FAAS/FLAVOUR') !== undefined;
