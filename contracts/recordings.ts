/** The recorded exchanges with the real Provisioning Engine, behind each of its web servers, as the check takes exchanges. */
import { readFile } from 'node:fs/promises';
import type { Exchange } from './conformance.ts';

export interface Recording {
  readonly name: string;
  readonly exchange: Exchange;
}

interface Line {
  readonly case: string;
  readonly request?: { readonly method: string; readonly path: string; readonly body?: string };
  /** null where the connection was closed without an answer. */
  readonly response?: {
    readonly status: number;
    readonly headers?: readonly [string, string][];
    readonly body?: string;
    /** In place of the body, what kind of HTML page it was. */
    readonly html?: string;
  } | null;
}

const FILES = ['engine.ndjson', 'engine-puma.ndjson', 'engine-webrick.ndjson'];

/** Every exchange that has an answer; a name may come several times. */
export async function engineRecordings(): Promise<readonly Recording[]> {
  return (await Promise.all(FILES.map(recordingsIn))).flat();
}

async function recordingsIn(file: string): Promise<Recording[]> {
  const text = await readFile(new URL(`../fixtures/golden/${file}`, import.meta.url), 'utf8');
  return text
    .trim()
    .split('\n')
    .flatMap((line) => {
      const { case: name, request, response } = JSON.parse(line) as Line;
      if (!request || !response) return [];
      const { status, headers = [], body, html = '' } = response;
      const exchange = { ...request, requestBody: request.body ?? '', status, headers: new Headers([...headers]) };
      return [{ name, exchange: { ...exchange, body: body ?? html } }];
    });
}
