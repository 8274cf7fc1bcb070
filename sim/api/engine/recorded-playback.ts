/** For tests: plays a recorded request against a world, and compares the answer with the recorded one. */
import { equal, ok } from 'node:assert/strict';
import type { Cloud } from '../../one/cloud.ts';
import { type Recording, recordedLines } from '../recording.ts';

interface Exchange extends Pick<Recording, 'case' | 'request'> {
  /** null where the connection was closed without an answer. */
  readonly response: Recording['response'] | null;
}

type Line = Exchange | { readonly case: string; readonly document: { readonly DOCUMENT: RecordedService } };

interface RecordedService {
  readonly UNAME: string;
  readonly TEMPLATE: { readonly BODY: { readonly roles: readonly { readonly vm_template_contents: string }[] } };
}

const LINES = recordedLines<Line>('engine.ndjson');

/** The recordings by name; one name is there twice, the second ends in `#2`. */
export const RECORDED: ReadonlyMap<string, Exchange> = new Map(
  LINES.flatMap((line, i) => {
    if (!('request' in line)) return [];
    const again = LINES.slice(0, i).some((earlier) => earlier.case === line.case);
    return [[again ? `${line.case}#2` : line.case, line]];
  }),
);

/** Recorded services, whose roles hold the text that the engine sent. */
export const RECORDED_SERVICES: ReadonlyMap<string, RecordedService> = new Map(
  LINES.flatMap((line) => ('document' in line ? [[line.case, line.document.DOCUMENT]] : [])),
);

/**
 * What two worlds do not have in common: the ids they gave, names they drew, addresses they leased, when it was. The
 * kind of number, and the text around it.
 */
const VARYING: readonly (readonly [kind: string, pattern: RegExp])[] = [
  ['document', /(?<="(?:ID|SERVICE_ID)":)\d+/g],
  ['document', /(?<=Runtime Service |[Dd]ocument \[|DOCUMENT \[|document-)\d+/g],
  ['vm', /(?<="VM_ID":|VM \[)\d+/g],
  ['name', /(?<=_)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g],
  ['time', /(?<="timestamp":)\d+/g],
  // oned does not set the line of an error on the first one; it shows what stood there.
  ['line', /(?<=at line )(?:0|1701539702)(?=,)/g],
  ['address', /(?<="ENDPOINT":"10\.\d+\.\d+\.)\d+/g],
];

/** Kinds of which a recorded value stands for the same one all along. */
const LASTING: readonly string[] = ['document', 'vm', 'name'];

type Fetch = (request: Request) => Promise<Response>;

interface Stage {
  readonly cloud: Cloud;
  readonly fetch: Fetch;
  /** Whether the answers are the recorded ones; otherwise only the requests are played. */
  readonly compares?: boolean;
}

/** A world in which a group of recordings is played, one after the other. */
export class Playback {
  readonly cloud: Cloud;
  readonly #fetch: Fetch;
  readonly #compares: boolean;
  /** `kind recorded` → ours, and back. */
  readonly #ours = new Map<string, string>();
  readonly #theirs = new Map<string, string>();

  constructor({ cloud, fetch, compares = true }: Stage) {
    this.cloud = cloud;
    this.#fetch = fetch;
    this.#compares = compares;
  }

  /** Plays a recording and expects the recorded answer. */
  async expect(name: string): Promise<void> {
    const recorded = RECORDED.get(name);
    if (recorded === undefined) throw new Error(`there is no recording ${name}`);
    if (recorded.response === null) throw new Error(`${name} has no answer`);
    const answer = await this.send(recorded);
    const { status, headers, body = '' } = recorded.response;
    const text = await answer.text();
    if (!this.#compares) {
      if (answer.status === 201 && recorded.request.method === 'POST') this.#learn(text, body);
      return;
    }
    equal(answer.status, status, `${name}: ${answer.status} ${text.slice(0, 2000)}`);
    for (const [header, value] of headers) equal(answer.headers.get(header), value, `${name}: ${header}`);
    ok(!answer.headers.has('Content-Type') || headers.some(([header]) => header === 'Content-Type'), name);
    if (recorded.response.html === undefined) this.#expectSame(name, text, body);
  }

  /** Sends a recorded request, with our ids in it, and lets time pass until it is answered. */
  async send({ request }: Exchange): Promise<Response> {
    const path = request.path.replace(
      /(?<=^\/serverless-runtimes\/)\d+/,
      (id) => this.#ours.get(`document ${id}`) ?? id,
    );
    return this.ask(
      request.method,
      path,
      new Headers(request.headers.map(([name, value]) => [name, value])),
      request.body,
    );
  }

  async ask(method: string, path: string, headers: Headers, body?: string): Promise<Response> {
    // Neither fetch nor the web server hands a body on that comes with a GET.
    const bytes = body === undefined || method === 'GET' ? null : bodyBytes(body);
    return this.during(this.#fetch(new Request(`http://localhost${path}`, { method, headers, body: bytes })));
  }

  /** Lets requests that are under way come to their next wait, without time passing, until something holds. */
  async until(condition: () => boolean): Promise<void> {
    for (let i = 0; i < 1000 && !condition(); i++) await this.cloud.clock.advance(0);
    ok(condition(), 'it did not come to that');
  }

  /** Lets time pass until something has come. */
  async during<T>(coming: T | Promise<T>): Promise<T> {
    let settled = false;
    const result = Promise.resolve(coming);
    const done = (): void => {
      settled = true;
    };
    result.then(done, done);
    for (let i = 0; i < 10_000 && !settled; i++) {
      await this.cloud.clock.advance(0);
      if (!settled) await this.cloud.clock.advance(100);
    }
    if (!settled) throw new Error('there is no answer within 1000 s');
    return result;
  }

  /** Lets things come to rest. */
  async settle(): Promise<void> {
    await this.cloud.clock.advance(120_000);
  }

  /** Our id for a recorded one. */
  id(kind: 'document' | 'vm', recorded: number): number {
    const ours = this.#ours.get(`${kind} ${recorded}`);
    if (ours === undefined) throw new Error(`nothing is known of ${kind} ${recorded}`);
    return Number(ours);
  }

  /** Says that a recorded id and ours are the same, where no answer has shown it. */
  same(kind: string, recorded: string | number, ours: string | number): void {
    const theirs = this.#theirs.get(`${kind} ${ours}`);
    const known = this.#ours.get(`${kind} ${recorded}`);
    equal(String(ours), known ?? String(ours), `${kind} ${recorded}`);
    equal(String(recorded), theirs ?? String(recorded), `our ${kind} ${ours}`);
    this.#ours.set(`${kind} ${recorded}`, String(ours));
    this.#theirs.set(`${kind} ${ours}`, String(recorded));
  }

  /** Takes over what an answer shows of ids, whatever else it says. */
  #learn(ours: string, recorded: string): void {
    const [, ourValues] = generalised(ours);
    for (const [i, [kind, value]] of generalised(recorded)[1].entries()) {
      if (kind !== 'name' && LASTING.includes(kind)) this.same(kind, value, ourValues[i]?.[1] ?? '');
    }
  }

  #expectSame(name: string, ours: string, recorded: string): void {
    const [ourText, ourValues] = generalised(ours);
    const [theirText, theirValues] = generalised(recorded);
    equal(ourText, theirText, `${name}: ${ourText} is not ${theirText}`);
    for (const [i, [kind, value]] of theirValues.entries()) {
      if (LASTING.includes(kind)) this.same(kind, value, ourValues[i]?.[1] ?? '');
    }
  }
}

/** A text without what varies, and that, in order. */
function generalised(
  text: string,
): readonly [text: string, values: readonly (readonly [kind: string, value: string])[]] {
  const found = VARYING.flatMap(([kind, pattern]) =>
    [...text.matchAll(pattern)].map((match) => ({ kind, value: match[0], at: match.index })),
  ).sort((a, b) => a.at - b.at);
  let general = '';
  let end = 0;
  for (const { kind, value, at } of found) {
    general += `${text.slice(end, at)}<${kind}>`;
    end = at + value.length;
  }
  return [general + text.slice(end), found.map(({ kind, value }) => [kind, value] as const)];
}

/** Bodies that are no text are in base64; the huge one has been left out but for its beginning. */
function bodyBytes(body: string): Uint8Array<ArrayBuffer> {
  if (body.startsWith('base64:')) return Uint8Array.from(Buffer.from(body.slice('base64:'.length), 'base64'));
  const whole = /^(.*?x)x*\.\.\.<(\d+) bytes in all>$/.exec(body);
  if (whole === null) return new TextEncoder().encode(body);
  const [, start = '', size = '0'] = whole;
  const end = '"}}';
  return new TextEncoder().encode(start + 'x'.repeat(Number(size) - start.length - end.length) + end);
}
