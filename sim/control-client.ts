/** A client of the control API, typed by what the API itself says: for tests in code, and for the commands of `onesim`. */
import type { ClockAnswer } from './api/control/clock.ts';
import type { EntryAnswer, EntryFilter } from './api/control/entry.ts';
import type { SandboxAnswer, SandboxWish } from './api/control/sandboxes.ts';
import type { Beginning } from './api/control/state.ts';
import type { VmAnswer, VmHistory } from './api/control/vms.ts';
import type { Fault } from './faults/fault.ts';
import type { FaultSpec } from './faults/schema.ts';

/** A refusal, or an answer that is none of the control API's. */
export class ControlError extends Error {
  /** 0 when nobody answered. */
  readonly status: number;
  /** `bad_request`, `not_found`, …; empty when somebody else answered. */
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.name = 'ControlError';
    this.status = status;
    this.code = code;
  }
}

/** Which part of the journal is asked for. */
export interface JournalQuery extends EntryFilter {
  /** Only entries with a larger number; `now`: those to come. */
  readonly after?: number | 'now';
  readonly limit?: number;
}

export interface JournalPage {
  readonly entries: readonly EntryAnswer[];
  /** Pass it as `after` to go on. */
  readonly next: number;
}

export interface RunUntilBounds {
  readonly maxMs?: number;
  readonly maxEvents?: number;
}

/** What a new sandbox is to be. */
export interface SandboxRequest extends Omit<SandboxWish, 'factor'> {
  readonly clock?: 'virtual' | 'real' | number;
}

type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export type ControlClient = ReturnType<typeof controlClient>;

/**
 * @param base URL of the stand-in, such as `http://127.0.0.1:1337`
 * @param fetch for a stand-in in process: `(url, init) => simulator.fetch(new Request(url, init))`
 */
export function controlClient(base: string, fetch: Fetch = globalThis.fetch) {
  async function ask(method: string, path: string, body?: unknown): Promise<Response> {
    const url = `${base.replace(/\/+$/, '')}/_onesim${path}`;
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const json = body === undefined ? {} : { headers: { 'Content-Type': 'application/json' }, body: text };
    const response = await fetch(url, { method, ...json });
    if (response.ok) return response;
    const { code, message } = refusalIn(await response.text()) ?? {
      code: '',
      message: `${method} ${url} answered ${response.status}`,
    };
    throw new ControlError(response.status, code, message);
  }
  const get = async <T>(path: string): Promise<T> => (await (await ask('GET', path)).json()) as T;
  const move = async (body: object): Promise<ClockAnswer> =>
    (await (await ask('POST', '/clock', body)).json()) as ClockAnswer;
  const id = encodeURIComponent;

  return {
    clock: {
      get: () => get<ClockAnswer>('/clock'),
      freeze: () => move({ action: 'freeze' }),
      resume: () => move({ action: 'resume' }),
      /** @param factor simulated seconds a second */
      scale: (factor: number) => move({ action: 'scale', factor }),
      advance: (ms: number) => move({ action: 'advance', ms }),
      /** @param n events */
      step: (n = 1) => move({ action: 'step', n }),
      runUntilIdle: (maxEvents?: number) =>
        move({ action: 'runUntilIdle', ...(maxEvents === undefined ? {} : { maxEvents }) }),
      /** Until such an entry is journalled. */
      runUntil: (entry: EntryFilter, bounds: RunUntilBounds = {}) => move({ action: 'runUntil', entry, ...bounds }),
    },
    faults: {
      list: async () => (await get<{ readonly faults: readonly Fault[] }>('/faults')).faults,
      arm: async (spec: FaultSpec) => (await (await ask('POST', '/faults', spec)).json()) as Fault,
      async disarm(fault: string): Promise<void> {
        await ask('DELETE', `/faults/${id(fault)}`);
      },
      async disarmAll(): Promise<void> {
        await ask('DELETE', '/faults');
      },
    },
    journal: {
      read: (query: JournalQuery = {}) => get<JournalPage>(`/journal${queryOf(query)}`),
      count: async (query: Omit<JournalQuery, 'limit'> = {}) =>
        (await get<{ readonly count: number }>(`/journal/count${queryOf(query)}`)).count,
      /** Waits on the host's time. */
      wait: (query: Omit<JournalQuery, 'limit'> & { readonly count?: number; readonly timeoutMs?: number }) =>
        get<JournalPage & { readonly reached: boolean }>(`/journal/wait${queryOf(query)}`),
      /** NDJSON. */
      export: async (query: Omit<JournalQuery, 'limit'> = {}) =>
        (await ask('GET', `/journal/export${queryOf(query)}`)).body ?? new ReadableStream<Uint8Array>(),
    },
    vms: {
      get: (vm: number) => get<VmAnswer>(`/vms/${vm}`),
      history: (vm: number) => get<VmHistory>(`/vms/${vm}/history`),
    },
    /** The whole world as a text. */
    snapshot: async () => (await ask('GET', '/snapshot')).text(),
    /** Goes on with such a world. */
    async restore(snapshot: string): Promise<void> {
      await ask('PUT', '/snapshot', snapshot);
    },
    /** Puts the world back as it was loaded, or empties it. */
    async reset(beginning: Beginning = {}): Promise<void> {
      await ask('POST', '/reset', beginning);
    },
    sandboxes: {
      list: async () => (await get<{ readonly sandboxes: readonly SandboxAnswer[] }>('/sandboxes')).sandboxes,
      /** A client of it: `controlClient(base + path)`. */
      open: async (wish: SandboxRequest = {}) =>
        (await (await ask('POST', '/sandboxes', wish)).json()) as SandboxAnswer,
      async close(name: string): Promise<void> {
        await ask('DELETE', `/sandboxes/${id(name)}`);
      },
    },
  };
}

function queryOf({ detail = {}, ...parts }: JournalQuery): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parts)) if (value !== undefined) query.set(name, String(value));
  for (const [key, value] of Object.entries(detail)) query.set(`detail.${key}`, value);
  return query.size === 0 ? '' : `?${query}`;
}

function refusalIn(text: string): { readonly code: string; readonly message: string } | undefined {
  try {
    const { error } = JSON.parse(text) as { error?: { code?: unknown; message?: unknown } };
    if (typeof error?.code === 'string' && typeof error.message === 'string') {
      return { code: error.code, message: error.message };
    }
  } catch {
    // Not ours.
  }
  return undefined;
}
