/**
 * The rows of `deviations/*.yaml`: where a real server departs from its contract. The simulator reads their ids as
 * switches, the verifier reads what else to accept, and a probe must reproduce each.
 */
import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import type { Contract, Schema } from './contract.ts';
import table from './deviations/schema.json' with { type: 'json' };
import { errorsOf } from './schema.ts';

/** An answer that is accepted besides the documented ones: described in full, or a documented one changed. */
export type Accepted =
  | {
      readonly status: number;
      readonly mediaType: string;
      /** Regular expressions by header name. */
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: Schema;
    }
  | { readonly status: number; readonly like: number; readonly omits?: readonly string[] };

export interface Expectation {
  readonly status: number;
  readonly mediaType?: string;
  /** Regular expressions by header name; null for a header that must be absent. */
  readonly headers?: Readonly<Record<string, string | null>>;
  readonly body?: Schema;
}

/** Frames of a stream: some frame fits the schema, or none does. */
export type FrameExpectation = { readonly some: Schema } | { readonly none: Schema };

/** `{name}` in path, headers and body stands for a saved value, and `{owner}` and the like for `user:password`. */
export type ProbeStep =
  | {
      readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
      readonly path: string;
      readonly as?: 'owner' | 'other' | 'admin';
      readonly password?: string;
      readonly headers?: Readonly<Record<string, string>>;
      /** A JSON value, or a text that is sent as it is. */
      readonly body?: unknown;
      /** Its answer is not waited for until the end of the probe. */
      readonly meanwhile?: true;
      /** Names for values of the answer, by JSON pointer. */
      readonly save?: Readonly<Record<string, string>>;
      readonly expect?: Expectation;
      /** Expected instead when this row alone is off. */
      readonly otherwise?: Expectation;
    }
  | { readonly waitMs: number }
  /** Until all is answered that was asked meanwhile: a server that sleeps by the host's clock may take longer. */
  | { readonly until: 'answered' }
  | {
      readonly stream: string;
      readonly send?: string;
      readonly frames: number;
      readonly withinMs: number;
      readonly expect: FrameExpectation;
      readonly otherwise?: FrameExpectation;
    };

export interface Deviation {
  readonly id: string;
  readonly operations: readonly string[];
  readonly contract: string;
  readonly upstream: string;
  readonly evidence: readonly ({ readonly recording: string } | { readonly source: string })[];
  readonly since: string;
  readonly until?: string;
  /** ISO date from which on the row must be looked at again. */
  readonly expires: string;
  readonly effect: { readonly accepts: readonly Accepted[] };
  readonly probe: { readonly timeout?: number; readonly steps: readonly ProbeStep[] };
}

/** The rows of a file in `deviations/`; throws an error that names every bad row and key. */
export async function loadDeviations(file: string, contract: Contract): Promise<readonly Deviation[]> {
  return parseDeviations(
    file,
    await readFile(new URL(`../contracts/deviations/${file}`, import.meta.url), 'utf8'),
    contract,
  );
}

/** The rows in the text of such a file. */
export function parseDeviations(file: string, text: string, contract: Contract): readonly Deviation[] {
  const document: unknown = parse(text);
  const shapeless = errorsOf(table, document).map(({ instancePath, message, params }) => {
    const row = /^\/deviations\/(\d+)(.*)$/s.exec(instancePath);
    const extra = 'additionalProperty' in params ? ` (${params.additionalProperty})` : '';
    return row === null
      ? `${instancePath || '/'} ${message}${extra}`
      : `row ${idOf(document, Number(row[1]))}: ${row[2] || '/'} ${message}${extra}`;
  });
  refuse(file, shapeless);
  const { contract: of, deviations } = document as { contract: string; deviations: readonly Deviation[] };
  const senseless = deviations.flatMap((row, n) =>
    [
      ...flawsOf(row, contract),
      ...(deviations.findIndex(({ id }) => id === row.id) < n ? ['/id is used twice'] : []),
    ].map((flaw) => `row ${row.id}: ${flaw}`),
  );
  refuse(file, of === contract.file ? senseless : [`/contract is ${of}, not ${contract.file}`, ...senseless]);
  return deviations;
}

function refuse(file: string, flaws: readonly string[]): void {
  if (flaws.length > 0) throw new Error(`${file}:\n  ${[...new Set(flaws)].join('\n  ')}`);
}

function idOf(document: unknown, row: number): string {
  const { deviations } = document as { deviations: readonly { readonly id?: unknown }[] };
  return `${deviations[row]?.id ?? `number ${row + 1}`}`;
}

/** What a schema cannot say: that the row fits the contract, and that its probe can tell on from off. */
function flawsOf(row: Deviation, contract: Contract): string[] {
  const flaws: string[] = [];
  const all = [...contract.operations, contract.unmatched];
  for (const [n, id] of row.operations.entries()) {
    const operation = all.find((each) => each.id === id);
    if (operation === undefined) flaws.push(`/operations/${n} names no operation: ${id}`);
    for (const [m, accepted] of row.effect.accepts.entries()) {
      if (operation === undefined || !('like' in accepted)) continue;
      const headers = operation.answers.get(accepted.like)?.headers ?? {};
      if (!operation.answers.has(accepted.like)) {
        flaws.push(`/effect/accepts/${m}/like is no documented status of ${id}: ${accepted.like}`);
      }
      for (const name of accepted.omits ?? []) {
        if (!(name in headers)) flaws.push(`/effect/accepts/${m}/omits is no documented header of ${id}: ${name}`);
      }
    }
  }
  if (row.until !== undefined && !precedes(row.since, row.until)) flaws.push(`/until does not follow since`);
  if (!row.probe.steps.some((step) => 'otherwise' in step)) flaws.push(`/probe/steps has no step with otherwise`);
  const known = new Set(['owner', 'other', 'admin', 'password']);
  for (const [n, step] of row.probe.steps.entries()) {
    for (const [, name = ''] of placeholdersIn(step)) {
      if (!known.has(name)) flaws.push(`/probe/steps/${n} uses a value that no step before has saved: ${name}`);
    }
    if ('save' in step) for (const name of Object.keys(step.save ?? {})) known.add(name);
  }
  return flaws;
}

function placeholdersIn(step: ProbeStep): Iterable<RegExpMatchArray> {
  const { expect: _, otherwise: __, ...sent } = { expect: undefined, otherwise: undefined, ...step };
  return JSON.stringify(sent).matchAll(/\{([a-z]+)\}/g);
}

function precedes(a: string, b: string): boolean {
  const [left, right] = [a.split('.').map(Number), b.split('.').map(Number)];
  const n = right.findIndex((part, index) => part !== (left[index] ?? 0));
  return n >= 0 && (left[n] ?? 0) < (right[n] ?? 0);
}
