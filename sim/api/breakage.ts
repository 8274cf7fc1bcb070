/**
 * What faults of the layers `api` and `transport` do to a request and its answer. Nothing of it is known to the APIs: they
 * serve what they are given, and each says how it refuses.
 */
import type { Fault } from '../faults/fault.ts';
import type { Judge } from '../faults/judge.ts';
import type { Effect } from '../faults/schema.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Journal } from '../kernel/journal.ts';
import type { Soon } from '../kernel/soon.ts';
import { type Cut, cut } from './cut.ts';

/** Refuses in an API's own words. */
export type Refuse = (status: number, message: string, request: Broken) => Response;

/** A request, as faults are told of it. */
export interface Broken {
  readonly api: string;
  readonly method: string;
  readonly path: string;
  readonly user: string;
  /** What it may be called: `METHOD /path`, as a route and as it is; the XML-RPC method. */
  readonly operations: readonly string[];
  /** Its entry in the journal. */
  readonly cause: number;
}

interface BreakageWorld {
  readonly clock: Clock;
  readonly journal: Journal;
  readonly judge: Judge;
}

/** Names the fault that has touched an answer. */
const MARK = 'X-Onesim-Fault';

/** An answer that was given before. */
interface Earlier {
  readonly at: number;
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Uint8Array;
}

/** So many answers of one request are kept, and those of so many requests. */
const MOST_EARLIER = 32;
const MOST_REMEMBERED = 1000;

type ApiName = 'engine' | 'gatekeeper' | 'oned' | 'oneflow' | 'prometheus' | 'monitoring';

export class Breakage {
  readonly #clock: Clock;
  readonly #journal: Journal;
  readonly #judge: Judge;
  readonly #marks: boolean;
  /** While a fault gives stale answers: what has been answered, by user and path, oldest first. */
  readonly #earlier = new Map<string, Earlier[]>();

  /** @param marks whether answers name the fault that has touched them */
  constructor({ clock, journal, judge }: BreakageWorld, marks: boolean) {
    this.#clock = clock;
    this.#journal = journal;
    this.#judge = judge;
    this.#marks = marks;
  }

  state(): ReadonlyMap<string, Earlier[]> {
    return this.#earlier;
  }

  restore(earlier: ReadonlyMap<string, Earlier[]>): void {
    for (const [key, answers] of earlier) this.#earlier.set(key, answers);
  }

  /** Whether nothing can happen to a request. */
  get idle(): boolean {
    return !this.#judge.armed('api') && !this.#judge.armed('transport');
  }

  /**
   * Answers a request, broken as the faults have it.
   * @param serve may be called more than once, each time with a request of its own
   */
  async around(
    broken: Broken,
    request: Request,
    serve: (request: Request, cause: number) => Soon<Response>,
    refuse: Refuse,
  ): Promise<Response> {
    const { user, operations, cause } = broken;
    const facts = { api: broken.api as ApiName, operation: operations, user };
    const carried = this.#judge.judge({ layer: 'transport', ...facts });
    if (carried !== undefined && (carried.effect.do === 'refuse' || carried.effect.do === 'hang')) {
      this.#touch(carried.fault, broken);
      return cut(new Response(null), carried.effect);
    }
    const verdict = this.#judge.judge({ layer: 'api', ...facts });
    const answer =
      verdict === undefined
        ? await serve(request, cause)
        : await this.#broken(broken, request, verdict.fault, verdict.effect, serve, refuse);
    return carried === undefined ? answer : this.#carried(broken, answer, carried.fault, carried.effect);
  }

  async #broken(
    broken: Broken,
    request: Request,
    fault: Fault<'api'>,
    effect: Effect<'api'>,
    serve: (request: Request, cause: number) => Soon<Response>,
    refuse: Refuse,
  ): Promise<Response> {
    const touched = this.#touch(fault, broken);
    const refused = (status: number, message: string, headers: Readonly<Record<string, string>> = {}): Response =>
      this.#marked(
        BODILESS.has(status) ? new Response(null, { status }) : refuse(status, message, broken),
        fault,
        headers,
      );
    switch (effect.do) {
      case 'answer':
        return refused(effect.status, effect.message ?? '', effect.headers);
      case 'rate-limit':
        return refused(429, 'Too many requests', { 'Retry-After': String(effect.retryAfterS ?? 1) });
      case 'auth-outage':
        return refused(401, 'Authentication is not available');
      case 'lock':
        return refused(423, 'Locked');
      case 'delay':
        await this.#clock.sleep(effect.ms, `${broken.method} ${broken.path}: fault ${fault.id}`);
        return this.#marked(await serve(request, touched), fault);
      case 'done-but-failed':
        await serve(request, touched);
        return refused(effect.status ?? 500, effect.message ?? 'Internal error');
      case 'done-twice': {
        const again = request.clone();
        const first = await serve(request, touched);
        await serve(again, touched);
        return this.#marked(first, fault);
      }
      case 'stale-read':
        return this.#stale(broken, request, fault, effect, await serve(request, touched));
      default:
        return effect satisfies never;
    }
  }

  /** An answer from earlier; the present one, while there is none. */
  async #stale(
    { method, user }: Broken,
    request: Request,
    fault: Fault<'api'>,
    { ageMs = 0, reads = 1 }: Extract<Effect<'api'>, { readonly do: 'stale-read' }>,
    fresh: Response,
  ): Promise<Response> {
    if (method !== 'GET' || !fresh.ok) return fresh;
    const body = new Uint8Array(await fresh.arrayBuffer());
    const { now } = this.#clock;
    const key = `${user} ${request.url}`;
    const before = this.#earlier.get(key) ?? [];
    if (before.length === 0 && this.#earlier.size >= MOST_REMEMBERED) {
      for (const oldest of this.#earlier.keys()) {
        this.#earlier.delete(oldest);
        break;
      }
    }
    const present = { at: now, status: fresh.status, headers: [...fresh.headers], body };
    const old = before.filter(({ at }) => now - at >= ageMs);
    const shown = ageMs > 0 ? old.at(-1) : (before.at(-reads) ?? before[0]);
    this.#earlier.set(key, [...before, present].slice(-MOST_EARLIER));
    const { status, headers, body: bytes } = shown ?? present;
    const answer = new Response(Buffer.from(bytes), { status, headers: headers.map(([name, value]) => [name, value]) });
    return shown === undefined ? answer : this.#marked(answer, fault);
  }

  async #carried(
    broken: Broken,
    answer: Response,
    fault: Fault<'transport'>,
    effect: Effect<'transport'>,
  ): Promise<Response> {
    this.#touch(fault, broken);
    const marked = this.#marked(answer, fault);
    switch (effect.do) {
      case 'slow-headers':
        await this.#clock.sleep(effect.ms, `headers of ${broken.method} ${broken.path}: fault ${fault.id}`);
        return marked;
      case 'slow-body':
        return this.#dribbled(marked, effect.bytesPerS, `body of ${broken.method} ${broken.path}: fault ${fault.id}`);
      default:
        return cut(marked, effect satisfies Cut);
    }
  }

  /** An answer whose body comes a little at a time. */
  #dribbled(answer: Response, bytesPerS: number, what: string): Response {
    const clock = this.#clock;
    const step = Math.max(1, Math.ceil(bytesPerS / DROPS_PER_S));
    let left: Uint8Array | undefined;
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        left ??= new Uint8Array(await answer.arrayBuffer());
        if (left.byteLength === 0) {
          controller.close();
          return;
        }
        const drop = left.subarray(0, step);
        await clock.sleep((drop.byteLength * 1000) / bytesPerS, what);
        controller.enqueue(drop);
        left = left.subarray(step);
      },
    });
    return new Response(answer.body === null ? null : body, answer);
  }

  #touch({ id, effect }: Fault<'api' | 'transport'>, { cause, path, api, operations }: Broken): number {
    return this.#clock.because(cause, () =>
      this.#journal.append('fault', path, { fault: id, do: effect.do, api, operation: operations[0] ?? '' }),
    );
  }

  #marked(
    answer: Response,
    { id }: Fault<'api' | 'transport'>,
    headers: Readonly<Record<string, string>> = {},
  ): Response {
    const more = new Headers(answer.headers);
    for (const [name, value] of Object.entries(headers)) more.set(name, value);
    if (this.#marks) more.append(MARK, id);
    return new Response(answer.body, { status: answer.status, headers: more });
  }
}

/** Statuses of answers that have no body (RFC 9110, 15). */
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304]);

/** How often a second a slow body gives some of itself. */
const DROPS_PER_S = 10;
