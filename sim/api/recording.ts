/** For tests: exchanges that were recorded with the real services, as the lines of `fixtures/golden/*.ndjson`. */
import { readFileSync } from 'node:fs';

type Headers = readonly (readonly [name: string, value: string])[];

export interface Recording {
  readonly case: string;
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly headers: Headers;
    readonly body?: string;
  };
  readonly response: {
    readonly status: number;
    readonly headers: Headers;
    readonly body?: string;
    /** In place of the body, the title of an HTML page. */
    readonly html?: string;
  };
}

/** What the lines of a file of recordings are. */
export function recordedLines<Line = Recording>(file: string): readonly Line[] {
  const text = readFileSync(new URL(`../../fixtures/golden/${file}`, import.meta.url), 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
}
