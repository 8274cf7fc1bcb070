/**
 * The ledger of what a run makes on somebody else's server: a line is on the disk before the request that it tells of
 * is sent, so that whatever breaks, `onesim reap` finds what is left. Append only, a JSON value a line, no credentials.
 */
import { Problem } from '../../../sim/index.ts';
import type { Role } from '../trace.ts';

export type LedgerLine =
  | { readonly kind: 'run'; readonly v: 1; readonly mark: string; readonly target: string; readonly user: string }
  /**
   * A creation is about to be sent, with a name that nobody else has; none where the body has no place for one.
   * Lines of an earlier version do not say as whom.
   */
  | {
      readonly kind: 'intent';
      readonly n: number;
      readonly mark: string;
      readonly name: string | null;
      readonly as?: Role;
    }
  | { readonly kind: 'made'; readonly n: number; readonly mark: string; readonly id: number }
  | { readonly kind: 'refused'; readonly n: number; readonly mark: string; readonly status: number }
  /** Its name is about to become another. */
  | { readonly kind: 'renamed'; readonly n: number; readonly mark: string; readonly name: string }
  /** Nobody knows whether it was made. */
  | {
      readonly kind: 'unknown';
      readonly n: number;
      readonly mark: string;
      readonly why: string;
      readonly failed: boolean;
    }
  | { readonly kind: 'gone'; readonly n: number; readonly mark: string };

/** Where lines go; resolves when they would outlive a crash. */
export type Durable = (line: string) => Promise<void>;

/** What is, or may be, on the server. */
export interface Entry {
  readonly n: number;
  readonly mark: string;
  readonly target: string;
  /** Who has asked for it. */
  readonly as: Role;
  /** All that it may be called; none where it has no name of ours. */
  readonly names: readonly string[];
  /** undefined while nobody knows whether it was made */
  readonly id: number | undefined;
  readonly why: string;
  /** The server says that it could not be made, but has been known to be wrong about that. */
  readonly failed: boolean;
  /** The ids between which its own has to be, as far as others that were made before and after tell. */
  readonly between: readonly [number | undefined, number | undefined];
}

export class Ledger {
  readonly mark: string;
  readonly #durable: Durable;
  readonly #lines: LedgerLine[] = [];
  #n = 0;

  constructor(mark: string, durable: Durable) {
    this.mark = mark;
    this.#durable = durable;
  }

  begin(target: string, user: string): Promise<void> {
    return this.#write({ kind: 'run', v: 1, mark: this.mark, target, user });
  }

  /** @returns the number by which to tell what became of it */
  async intend(name: string | null, as: Role): Promise<number> {
    const n = ++this.#n;
    await this.#write({ kind: 'intent', n, mark: this.mark, name, as });
    return n;
  }

  made = (n: number, id: number): Promise<void> => this.#write({ kind: 'made', n, mark: this.mark, id });
  renamed = (n: number, name: string): Promise<void> => this.#write({ kind: 'renamed', n, mark: this.mark, name });
  refused = (n: number, status: number): Promise<void> => this.#write({ kind: 'refused', n, mark: this.mark, status });
  unknown = (n: number, why: string, failed: boolean): Promise<void> =>
    this.#write({ kind: 'unknown', n, mark: this.mark, why, failed });
  gone = (n: number): Promise<void> => this.#write({ kind: 'gone', n, mark: this.mark });

  get open(): readonly Entry[] {
    return openEntries(this.#lines);
  }

  async #write(line: LedgerLine): Promise<void> {
    this.#lines.push(line);
    await this.#durable(`${JSON.stringify(line)}\n`);
  }
}

/** What the lines leave open. */
export function openEntries(lines: readonly LedgerLine[]): readonly Entry[] {
  const entries = new Map<string, Entry>();
  let target = '';
  let highest: number | undefined;
  for (const line of lines) {
    if (line.kind === 'run') {
      ({ target } = line);
      highest = undefined;
      continue;
    }
    const key = `${line.mark} ${line.n}`;
    const entry = entries.get(key);
    switch (line.kind) {
      case 'intent': {
        const { n, mark, name, as = 'owner' } = line;
        const between = [highest, undefined] as const;
        const names = name === null ? [] : [name];
        const why = 'no answer was seen';
        entries.set(key, { n, mark, target, as, names, id: undefined, why, failed: false, between });
        break;
      }
      case 'made':
        highest = Math.max(highest ?? 0, line.id);
        for (const [other, { between, ...rest }] of entries) {
          if (between[1] === undefined && other !== key) {
            entries.set(other, { ...rest, between: [between[0], line.id] });
          }
        }
        if (entry !== undefined) entries.set(key, { ...entry, id: line.id, why: 'it was not deleted' });
        break;
      case 'renamed':
        if (entry !== undefined) entries.set(key, { ...entry, names: [...entry.names, line.name] });
        break;
      case 'unknown':
        if (entry !== undefined) entries.set(key, { ...entry, why: line.why, failed: line.failed });
        break;
      case 'refused':
      case 'gone':
        entries.delete(key);
        break;
      default:
        line satisfies never;
    }
  }
  return [...entries.values()];
}

const KINDS: readonly string[] = [
  'run',
  'intent',
  'made',
  'renamed',
  'refused',
  'unknown',
  'gone',
] satisfies LedgerLine['kind'][];

/** A line that a crash has cut off, the last one or the last before another run began, is left out. @throws Problem */
export function readLedger(content: string, file: string): readonly LedgerLine[] {
  const lines = content.split('\n').map(lineIn);
  return lines.flatMap((line, n) => {
    if (typeof line === 'object') return [line];
    const next = lines.slice(n + 1).find((each) => each !== 'empty');
    if (line === 'empty' || next === undefined || (typeof next === 'object' && next.kind === 'run')) return [];
    throw new Problem(`${file}:${n + 1}: this is no line of a ledger`);
  });
}

function lineIn(text: string): LedgerLine | 'empty' | 'broken' {
  if (text.trim() === '') return 'empty';
  try {
    const value: unknown = JSON.parse(text);
    const { kind, mark, n } = value as { readonly [key: string]: unknown };
    const fits = KINDS.includes(`${kind}`) && typeof mark === 'string' && (kind === 'run' || Number.isInteger(n));
    return fits ? (value as LedgerLine) : 'broken';
  } catch {
    return 'broken';
  }
}
