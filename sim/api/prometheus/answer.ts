/** Answers in the envelope of Prometheus' HTTP API, with times and values written as it writes them. */

import type { Labels } from '../../metrics/labels.ts';
import type { Result } from '../../metrics/promql/engine.ts';
import type { Refuse } from '../breakage.ts';
import { plainAnswer } from '../plain.ts';

/** What ends a request early. */
export class ApiError extends Error {
  readonly type: keyof typeof STATUS;

  constructor(type: keyof typeof STATUS, message: string) {
    super(message);
    this.type = type;
  }
}

const STATUS = { bad_data: 400, execution: 422 } as const;

/** @param data JSON text */
export function success(data: string, warnings: readonly string[] = []): Response {
  const warned = warnings.length === 0 ? '' : `,"warnings":${JSON.stringify(warnings)}`;
  return json(200, `{"status":"success","data":${data}${warned}}`);
}

export const failure = ({ type, message }: ApiError): Response =>
  json(STATUS[type], JSON.stringify({ status: 'error', errorType: type, error: message }));

/** Of a path that Prometheus has: its clients know how to read it. */
export const unsupported = (path: string): Response =>
  json(404, JSON.stringify({ status: 'error', errorType: 'not_found', error: `${path} is not supported` }), NO_SNIFF);

const json = (status: number, body: string, headers: Readonly<Record<string, string>> = {}): Response =>
  plainAnswer(status, body, { 'Content-Type': 'application/json', ...headers });

const NO_SNIFF = { 'X-Content-Type-Options': 'nosniff' };

/** How Prometheus refuses what a fault refuses: in the words of a proxy before it. */
export const prometheusRefuses: Refuse = (status, message) => plain(status, message);

/** As Go's `http.Error`. */
export const plain = (status: number, text: string, headers: Readonly<Record<string, string>> = {}): Response =>
  plainAnswer(status, `${text}\n`, { 'Content-Type': 'text/plain; charset=utf-8', ...NO_SNIFF, ...headers });

/** The data of an instant query at a time. */
export function instantText(result: Result, atMs: number): string {
  const at = secondsText(atMs);
  switch (result.type) {
    case 'scalar':
      return `{"resultType":"scalar","result":[${at},"${valueText(result.values[0] ?? Number.NaN)}"]}`;
    case 'string':
      return `{"resultType":"string","result":[${at},${JSON.stringify(result.text)}]}`;
    case 'vector': {
      const rows = result.columns
        .filter(({ present }) => present[0] === 1)
        .map(({ labels, values }) => `{"metric":${labelText(labels)},"value":[${at},"${valueText(values[0] ?? 0)}"]}`);
      return `{"resultType":"vector","result":[${rows.join(',')}]}`;
    }
    default: {
      const rows = result.rows.map(({ labels, times, values }) => {
        const points = times.map((time, i) => `[${secondsText(time)},"${valueText(values[i] ?? 0)}"]`);
        return `{"metric":${labelText(labels)},"values":[${points.join(',')}]}`;
      });
      return `{"resultType":"matrix","result":[${rows.join(',')}]}`;
    }
  }
}

/** One value at each time, or none. */
export interface PointRow {
  readonly labels: Labels;
  readonly values: Float64Array;
  readonly present: Uint8Array;
}

/** The data of a range query; `rows` in their order. */
export function rangeText(rows: readonly PointRow[], startMs: number, stepMs: number): string {
  /** What comes before the value, at each time. */
  const heads: string[] = [];
  // Pieces are joined once: a text that grows by each of them is copied in the end.
  const pieces: string[] = [];
  for (const { labels, values, present } of rows) {
    let before = `${pieces.length === 0 ? '' : ','}{"metric":${labelText(labels)},"values":[[`;
    const had = pieces.length;
    for (let i = 0; i < values.length; i++) {
      if (present[i] === 0) continue;
      heads[i] ??= `${secondsText(startMs + i * stepMs)},"`;
      pieces.push(before, heads[i] ?? '', valueText(values[i] ?? 0));
      before = '"],[';
    }
    if (pieces.length > had) pieces.push('"]]}');
  }
  return `{"resultType":"matrix","result":[${pieces.join('')}]}`;
}

export const labelText = (labels: Labels): string =>
  `{${labels.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`;

/** Whole seconds, or with three decimals. */
function secondsText(atMs: number): string {
  const rest = Math.abs(atMs % 1000);
  if (rest === 0) return `${atMs / 1000}`;
  return `${atMs < 0 ? '-' : ''}${Math.floor(Math.abs(atMs) / 1000)}.${`${rest}`.padStart(3, '0')}`;
}

/** As Go writes a float: the shortest text, with an exponent of two digits for what is very small or very large. */
function valueText(value: number): string {
  if (Number.isFinite(value)) {
    if (value === 0) return Object.is(value, -0) ? '-0' : '0';
    const text = `${value}`;
    return text.includes('e') ? text.replace(/e([+-])(\d)$/, 'e$10$2') : text;
  }
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}
