/** Judges one exchange by the contract of the API it was made with, widened by the deviations that are switched on. */
import { type Answer, type Contract, type Operation, operationFor } from './contract.ts';
import type { Accepted } from './deviations.ts';
import { errorsOf, valueAt } from './schema.ts';

export interface Exchange {
  readonly method: string;
  /** With the query string, as sent. */
  readonly path: string;
  readonly requestBody?: string;
  readonly status: number;
  readonly headers: Pick<Headers, 'get' | 'has'>;
  readonly body: string;
}

export interface Violation {
  /** What was broken. */
  readonly law: 'status' | 'media-type' | 'header' | 'body' | 'no-body' | 'request';
  readonly operation: string;
  /** Part of the body, as a JSON pointer, or the name of the header; empty for the whole. */
  readonly pointer: string;
  readonly expected: string;
  readonly seen: string;
  /** Where the contract says so, such as `contracts/engine.yaml:120`. */
  readonly where: string;
}

export interface Verdict {
  /** `undefined` for the protocols that no contract describes, and for answers that a fault has touched. */
  readonly operation: Operation | undefined;
  readonly violations: readonly Violation[];
  /** The deviation without which the answer would be a violation; at most one. */
  readonly deviation: string | undefined;
}

/** Header of an answer that a fault of the stand-in has made or changed; its value is the id of the fault. */
const FAULT_MARK = 'X-Onesim-Fault';

type Flaw = Omit<Violation, 'operation' | 'where'>;

/** @param deviations ids of the rows that are switched on: all in profile upstream, none in profile contract */
export function checkExchange(
  contracts: readonly Contract[],
  exchange: Exchange,
  deviations: ReadonlySet<string>,
): Verdict {
  const match = operationFor(contracts, exchange.method, exchange.path);
  // What a fault has touched is no evidence of anything.
  const injected = exchange.headers.has(FAULT_MARK);
  if (match === undefined || injected) return { operation: undefined, violations: [], deviation: undefined };
  const { contract, operation } = match;
  const documented = operation.answers.get(exchange.status);
  let flaws = documented === undefined ? [undocumented(operation, exchange)] : flawsOf(documented, exchange);
  let deviation: string | undefined;
  if (flaws.length > 0) {
    const rows = contract.deviations.filter(
      ({ id, operations }) => deviations.has(id) && operations.includes(operation.id),
    );
    deviation = rows.find(({ effect }) => effect.accepts.some((each) => accepts(each, operation, exchange)))?.id;
    if (deviation !== undefined) flaws = [];
  }
  const at = [...operation.at, 'responses', ...(documented === undefined ? [] : [`${exchange.status}`])];
  const violations = [...flaws, ...requestFlaws(operation, exchange)].map((flaw) => ({
    ...flaw,
    operation: operation.id,
    where: `contracts/${contract.file}:${contract.lineOf(at)}`,
  }));
  return { operation, violations, deviation };
}

function undocumented(operation: Operation, { status }: Exchange): Flaw {
  return { law: 'status', pointer: '', expected: [...operation.answers.keys()].join(', '), seen: `${status}` };
}

function accepts(accepted: Accepted, operation: Operation, exchange: Exchange): boolean {
  if (accepted.status !== exchange.status) return false;
  const answer = answerOf(accepted, operation);
  return answer !== undefined && flawsOf(answer, exchange).length === 0;
}

const accepted = new WeakMap<Accepted, Map<Operation, Answer | undefined>>();

/** The row's answer in the form of a documented one; kept, so that its schemas are compiled once. */
function answerOf(row: Accepted, operation: Operation): Answer | undefined {
  const known = accepted.get(row) ?? new Map<Operation, Answer | undefined>();
  accepted.set(row, known);
  if (!known.has(operation)) known.set(operation, spellOut(row, operation));
  return known.get(operation);
}

function spellOut(row: Accepted, operation: Operation): Answer | undefined {
  if ('like' in row) {
    const model = operation.answers.get(row.like);
    if (model === undefined || row.omits === undefined) return model;
    const kept = Object.entries(model.headers ?? {}).filter(([name]) => !row.omits?.includes(name));
    return { ...model, headers: Object.fromEntries(kept) };
  }
  const headers = Object.entries(row.headers ?? {}).map(
    ([name, pattern]) => [name, { required: true, schema: { type: 'string', pattern } }] as const,
  );
  return { headers: Object.fromEntries(headers), content: { [row.mediaType]: { schema: row.body ?? {} } } };
}

/** Media type, headers and body. */
function flawsOf(answer: Answer, exchange: Exchange): Flaw[] {
  return [...headerFlaws(answer, exchange), ...contentFlaws(answer, exchange)];
}

function headerFlaws(answer: Answer, { headers }: Exchange): Flaw[] {
  return Object.entries(answer.headers ?? {}).flatMap(([name, { required = false, schema }]): Flaw[] => {
    const seen = headers.get(name);
    if (seen === null) {
      return required ? [{ law: 'header', pointer: name, expected: 'to be present', seen: 'absent' }] : [];
    }
    const value = schema.type === 'integer' ? Number(seen) : seen;
    return errorsOf(schema, value).map((error) => ({
      law: 'header',
      pointer: name,
      expected: wording(error),
      seen: short(seen),
    }));
  });
}

function contentFlaws(answer: Answer, { method, headers, body }: Exchange): Flaw[] {
  const seen = headers.get('Content-Type');
  const silent = method === 'HEAD' || answer.content === undefined;
  const flaws: Flaw[] = [];
  if (silent && body !== '') flaws.push({ law: 'no-body', pointer: '', expected: 'no body', seen: short(body) });
  if (answer.content === undefined) {
    if (seen !== null) flaws.push({ law: 'media-type', pointer: '', expected: 'no Content-Type', seen });
    return flaws;
  }
  const media = Object.entries(answer.content).find(([type]) => seen !== null && normal(type) === normal(seen));
  if (media === undefined) {
    const expected = Object.keys(answer.content).join(' or ');
    return [...flaws, { law: 'media-type', pointer: '', expected, seen: seen ?? 'none' }];
  }
  return silent ? flaws : [...flaws, ...bodyFlaws(media[0], media[1].schema, body)];
}

function bodyFlaws(mediaType: string, schema: object, body: string): Flaw[] {
  let value: unknown = body;
  if (isJson(mediaType)) {
    const parsed = parseJson(body);
    if (parsed === undefined) return [{ law: 'body', pointer: '', expected: 'JSON', seen: short(body) }];
    ({ value } = parsed);
  }
  return errorsOf(schema, value).map((error) => ({
    law: 'body',
    pointer: error.instancePath,
    expected: wording(error),
    seen: short(JSON.stringify(valueAt(value, error.instancePath))),
  }));
}

/** Whether a request's body is one that the contract takes; what is no JSON is another matter. */
export function keepsSchema(contracts: readonly Contract[], method: string, path: string, body: string): boolean {
  const schema = operationFor(contracts, method, path)?.operation.requestSchema;
  const parsed = schema === undefined ? undefined : parseJson(body);
  return schema === undefined || parsed === undefined || errorsOf(schema, parsed.value).length === 0;
}

/** A body that the contract refuses must not be answered with success. */
function requestFlaws({ requestSchema }: Operation, { status, requestBody = '' }: Exchange): Flaw[] {
  if (requestSchema === undefined || status >= 300) return [];
  const parsed = parseJson(requestBody);
  // What JSON.parse does not take, such as a comment, a lenient server may.
  if (parsed === undefined) return [];
  return errorsOf(requestSchema, parsed.value).map((error) => ({
    law: 'request',
    pointer: error.instancePath,
    expected: `a refusal, for the request ${wording(error)}`,
    seen: `${status}`,
  }));
}

function isJson(mediaType: string): boolean {
  return /^application\/([a-z.-]+\+)?json(;|$)/.test(mediaType);
}

function parseJson(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

/** A media type without what does not matter: blanks around its parameters, and case. */
function normal(mediaType: string): string {
  return mediaType
    .split(';')
    .map((part) => part.trim().toLowerCase())
    .join(';');
}

function wording({ keyword, message, params }: ReturnType<typeof errorsOf>[number]): string {
  if (keyword === 'enum') return `must be one of ${JSON.stringify(params.allowedValues)}`;
  if (keyword === 'const') return `must be ${JSON.stringify(params.allowedValue)}`;
  if (keyword === 'additionalProperties') return `must not have the property ${params.additionalProperty}`;
  return message ?? keyword;
}

function short(text: string | undefined): string {
  if (text === undefined) return 'nothing';
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
