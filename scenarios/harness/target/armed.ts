/** The faults that a run has armed on a stand-in, whatever in it has asked for them: none of them is to outlive the run. */
import type { Answer } from '../trace.ts';

/** The resource of all faults, or of one. */
const FAULTS = /^\/_onesim\/faults(\/[^/]+)?$/;

export class Armed {
  /** Their addresses. */
  readonly #faults = new Set<string>();
  /** Where one was asked for, and no answer tells what has come of it. */
  readonly #doubtful = new Set<string>();

  /** @param answer undefined when none came */
  heed({ method, url }: Pick<Request, 'method' | 'url'>, answer: Answer | undefined): void {
    const { origin, pathname } = new URL(url);
    const [all, one] = FAULTS.exec(pathname) ?? [];
    if (all === undefined || (answer !== undefined && answer.status >= 300)) return;
    const id = idIn(answer);
    if (method === 'POST' && id === undefined) this.#doubtful.add(`${origin}${all}`);
    if (method === 'POST' && id !== undefined) this.#faults.add(`${origin}${all}/${encodeURIComponent(id)}`);
    if (method !== 'DELETE' || answer === undefined) return;
    if (one !== undefined) this.lose(`${origin}${all}`);
    else for (const fault of this.faults) if (fault.startsWith(`${origin}/`)) this.lose(fault);
  }

  lose = (fault: string): void => void this.#faults.delete(fault);

  get faults(): readonly string[] {
    return [...this.#faults];
  }

  get doubtful(): readonly string[] {
    return [...this.#doubtful];
  }
}

function idIn(answer: Answer | undefined): string | undefined {
  try {
    const { id }: { readonly id?: unknown } = JSON.parse(answer?.body ?? '');
    return typeof id === 'string' ? id : undefined;
  } catch {
    return undefined;
  }
}
