/**
 * Requests and answers as plain texts, for callers in this process: the standard ones bring streams and signals along, which
 * cost more than most of what is asked. Where more of one is wanted than its text, it is the standard one that it stands for.
 */
import { remembered } from '../kernel/remembered.ts';
import type { Soon } from '../kernel/soon.ts';

/** What a client asks. */
export interface Plea {
  readonly method: string;
  /** With its origin. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

/** What a client is told. */
export interface Told {
  readonly status: number;
  /** By name, in lower case and sorted. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

type Fields = Readonly<Record<string, string>>;

/** What an answer says; in chunks, it is never held whole where it goes out to the network. */
type Content = string | null | { readonly chunks: Iterable<string> };

// ---- requests -----------------------------------------------------------------------------------------------------

/** What is read of a request here. */
type Asked = Pick<Request, 'method' | 'url' | 'headers' | 'body' | 'signal' | 'clone' | 'text' | 'arrayBuffer'>;

class PlainRequest implements Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly #text: string | null;
  #made: Request | undefined;

  constructor({ method, url, headers, body }: Plea) {
    if (body !== null && (method === 'GET' || method === 'HEAD')) throw new TypeError(`${method} has no body`);
    this.method = method;
    this.url = normal(url);
    this.headers = new Headers(headers);
    this.#text = body;
    if (body !== null && !this.headers.has('Content-Type'))
      this.headers.set('Content-Type', 'text/plain;charset=UTF-8');
  }

  get bytes(): Uint8Array {
    return Buffer.from(this.#text ?? '');
  }

  get #standard(): Request {
    const { method, url, headers } = this;
    this.#made ??= new Request(url, { method, headers, body: this.#text });
    return this.#made;
  }

  get body(): ReadableStream<Uint8Array<ArrayBuffer>> | null {
    return this.#text === null ? null : this.#standard.body;
  }

  get signal(): AbortSignal {
    return this.#standard.signal;
  }

  clone(): Request {
    return plainRequest({ ...this, headers: Object.fromEntries(this.headers), body: this.#text });
  }

  text(): Promise<string> {
    return this.#standard.clone().text();
  }

  arrayBuffer(): Promise<ArrayBuffer> {
    return this.#standard.clone().arrayBuffer();
  }
}

/** As the standard request has it. */
const normal = remembered((url) => new URL(url).href);

/** @throws TypeError where there is no such request */
export const plainRequest = (plea: Plea): Request => new PlainRequest(plea) as Asked as Request;

/** The whole body of a request that is a text; `undefined` where it has to be read. */
export const bytesIn = (request: Request): Uint8Array | undefined =>
  (request as Asked) instanceof PlainRequest ? (request as Asked as PlainRequest).bytes : undefined;

// ---- answers ------------------------------------------------------------------------------------------------------

/** What is read of an answer here. */
type Given = Pick<Response, 'status' | 'statusText' | 'ok' | 'headers' | 'body' | 'text' | 'arrayBuffer' | 'clone'>;

class PlainAnswer implements Given {
  readonly status: number;
  readonly #content: Content;
  readonly #fields: Fields;
  #made: Response | undefined;

  constructor(status: number, content: Content, fields: Fields) {
    this.status = status;
    this.#content = content;
    this.#fields = fields;
  }

  get standard(): Response {
    this.#made ??= new Response(bodyOf(this.#content), { status: this.status, headers: this.#fields });
    return this.#made;
  }

  /** `undefined` once somebody has looked at more of it, and may have changed that. */
  get told(): Told | undefined {
    if (this.#made !== undefined) return undefined;
    return { status: this.status, headers: sorted(this.#fields), body: textOf(this.#content) };
  }

  /** With further headers. */
  with(fields: Fields): Response {
    if (this.#made === undefined) return plainAnswer(this.status, this.#content, { ...this.#fields, ...fields });
    for (const [name, value] of Object.entries(fields)) this.#made.headers.set(name, value);
    return this.#made;
  }

  get statusText(): string {
    return '';
  }

  get ok(): boolean {
    return this.status >= 200 && this.status < 300;
  }

  get headers(): Headers {
    return this.standard.headers;
  }

  get body(): ReadableStream<Uint8Array<ArrayBuffer>> | null {
    return this.standard.body;
  }

  clone(): Response {
    return this.standard.clone();
  }

  text(): Promise<string> {
    return this.standard.text();
  }

  arrayBuffer(): Promise<ArrayBuffer> {
    return this.standard.arrayBuffer();
  }
}

const bodyOf = (content: Content): string | ReadableStream<Uint8Array> | null =>
  typeof content === 'object' && content !== null ? streamed(content.chunks) : content;

function textOf(content: Content): string {
  if (typeof content === 'string') return content;
  return content === null ? '' : [...content.chunks].join('');
}

/** Gives chunks as they are taken. */
function streamed(chunks: Iterable<string>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const iterator = chunks[Symbol.iterator]();
  return new ReadableStream({
    pull(controller) {
      const { done, value } = iterator.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
  });
}

const known = new WeakMap<Fields, Told['headers']>();

/** Kept, for an API answers with the same few. */
function sorted(fields: Fields): Told['headers'] {
  const before = known.get(fields);
  if (before !== undefined) return before;
  const headers = [...new Headers(fields)];
  known.set(fields, headers);
  return headers;
}

/** An answer with a text. @param fields its headers, the type among them; the same object each time, where it can be */
export const plainAnswer = (status: number, content: Content, fields: Fields): Response =>
  new PlainAnswer(status, content, fields) as Given as Response;

const asPlain = (response: Given): PlainAnswer | undefined => (response instanceof PlainAnswer ? response : undefined);

/** The answer with further headers; they are in the place of those that have their names. */
export function withFields(response: Response, fields: Fields): Response {
  const plain = asPlain(response);
  if (plain !== undefined) return plain.with(fields);
  for (const [name, value] of Object.entries(fields)) response.headers.set(name, value);
  return response;
}

/** The answer as everybody knows answers. */
export const standard = (response: Response): Response => asPlain(response)?.standard ?? response;

/** The answer as plain values. */
export const toldOf = (response: Response): Soon<Told> => asPlain(response)?.told ?? read(standard(response));

async function read(response: Response): Promise<Told> {
  const body = await response.text();
  return { status: response.status, headers: [...response.headers], body };
}
